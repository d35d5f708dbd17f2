#include "io/tcp.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { READ_BYTES = 64 * 1024, UNSENT_BYTES_MAX = 1024 * 1024, KEEPALIVE_S = 30 };

enum state {
    RESOLVING,
    CONNECTING,
    OPEN,
    DEAD,     /* on_close was called; the owner has yet to tcp_close it */
    RELEASED, /* the owner has let go; freed with the last pending callback */
};

struct tcp {
    struct loop *loop;
    const struct tcp_ops *ops; /* borrowed */
    void *arg;                 /* borrowed */
    enum state state;
    bool is_paused;
    bool is_resolving;
    bool has_handle; /* initialised and not yet closed by libuv */
    int error;       /* of the last address tried */
    uv_getaddrinfo_t resolve;
    struct addrinfo *addresses; /* owned */
    struct addrinfo *next;      /* the next one to try */
    uv_tcp_t handle;
    uv_connect_t connect;
    char bytes[READ_BYTES];
};

static void try_next_address(struct tcp *tcp);

/* Memory belongs to libuv until its last callback. */
static void free_if_done(struct tcp *tcp)
{
    if (tcp->state != RELEASED || tcp->is_resolving || tcp->has_handle)
        return;
    uv_freeaddrinfo(tcp->addresses);
    free(tcp);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct tcp *tcp = handle->data;
    tcp->has_handle = false;
    if (tcp->state == CONNECTING)
        try_next_address(tcp);
    else
        free_if_done(tcp);
}

static void close_handle(struct tcp *tcp)
{
    if (tcp->has_handle && !uv_is_closing((uv_handle_t *)&tcp->handle))
        uv_close((uv_handle_t *)&tcp->handle, on_handle_closed);
}

/* The one way a connection dies. The owner may tcp_close it from inside on_close. */
static void die(struct tcp *tcp, int error)
{
    if (tcp->state == DEAD || tcp->state == RELEASED)
        return;
    tcp->state = DEAD;
    close_handle(tcp);
    tcp->ops->on_close(tcp->arg, error);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    (void)suggested;
    struct tcp *tcp = handle->data;
    *ret_buffer = uv_buf_init(tcp->bytes, sizeof tcp->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct tcp *tcp = stream->data;
    if (len > 0)
        tcp->ops->on_data(tcp->arg, (struct slice){buffer->base, (size_t)len});
    else if (len < 0)
        die(tcp, len == UV_EOF ? 0 : (int)len);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct tcp *tcp = connect->data;
    if (tcp->state != CONNECTING)
        return;
    if (status < 0) {
        tcp->error = status;
        close_handle(tcp); /* goes on with the next address */
        return;
    }
    uv_tcp_nodelay(&tcp->handle, 1);
    uv_tcp_keepalive(&tcp->handle, 1, KEEPALIVE_S);
    tcp->state = OPEN;
    int rc = tcp->is_paused ? 0 : uv_read_start((uv_stream_t *)&tcp->handle, on_allocate, on_read);
    if (rc < 0)
        die(tcp, rc);
    else
        tcp->ops->on_open(tcp->arg);
}

static void try_next_address(struct tcp *tcp)
{
    struct addrinfo *address = tcp->next;
    if (!address) {
        die(tcp, tcp->error ? tcp->error : -EHOSTUNREACH);
        return;
    }
    tcp->next = address->ai_next;
    int rc = uv_tcp_init(loop_uv(tcp->loop), &tcp->handle);
    if (rc < 0) {
        die(tcp, rc);
        return;
    }
    tcp->handle.data = tcp;
    tcp->has_handle = true;
    tcp->connect.data = tcp;
    rc = uv_tcp_connect(&tcp->connect, &tcp->handle, address->ai_addr, on_connected);
    if (rc < 0) {
        tcp->error = rc;
        close_handle(tcp);
    }
}

static int errno_of_resolver(int status)
{
    if (status == UV_EAI_AGAIN)
        return -EAGAIN;
    if (status == UV_EAI_MEMORY)
        return -ENOMEM;
    return -EHOSTUNREACH;
}

static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *addresses)
{
    struct tcp *tcp = resolve->data;
    tcp->is_resolving = false;
    tcp->addresses = addresses;
    tcp->next = addresses;
    if (tcp->state == RELEASED) {
        free_if_done(tcp);
    } else if (status < 0) {
        die(tcp, errno_of_resolver(status));
    } else {
        tcp->state = CONNECTING;
        try_next_address(tcp);
    }
}

int tcp_open(struct loop *loop, const char *host, uint16_t port, const struct tcp_ops *ops,
             void *arg, struct tcp **ret_tcp)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[8];
    struct tcp *tcp = calloc(1, sizeof *tcp);
    if (!tcp)
        return -ENOMEM;
    tcp->loop = loop;
    tcp->ops = ops;
    tcp->arg = arg;
    tcp->resolve.data = tcp;
    snprintf(service, sizeof service, "%u", (unsigned)port);
    int rc = uv_getaddrinfo(loop_uv(loop), &tcp->resolve, on_resolved, host, service, &hints);
    if (rc < 0) {
        free(tcp);
        return rc;
    }
    tcp->is_resolving = true;
    *ret_tcp = tcp;
    return 0;
}

/* --- sending ------------------------------------------------------------------------------- */

struct outgoing {
    uv_write_t request;
    char bytes[];
};

static void on_written(uv_write_t *request, int status)
{
    struct tcp *tcp = request->handle->data;
    free(request->data);
    if (status < 0)
        die(tcp, status);
}

int tcp_send(struct tcp *tcp, struct slice bytes)
{
    if (tcp->state != OPEN)
        return -ENOTCONN;
    size_t unsent = uv_stream_get_write_queue_size((uv_stream_t *)&tcp->handle);
    if (bytes.len > UNSENT_BYTES_MAX || unsent > UNSENT_BYTES_MAX - bytes.len)
        return -ENOBUFS;
    if (!bytes.len)
        return 0;
    struct outgoing *outgoing = malloc(sizeof *outgoing + bytes.len);
    if (!outgoing)
        return -ENOMEM;
    memcpy(outgoing->bytes, bytes.at, bytes.len);
    outgoing->request.data = outgoing;
    uv_buf_t buffer = uv_buf_init(outgoing->bytes, (unsigned)bytes.len);
    int rc = uv_write(&outgoing->request, (uv_stream_t *)&tcp->handle, &buffer, 1, on_written);
    if (rc < 0)
        free(outgoing);
    return rc;
}

void tcp_pause(struct tcp *tcp)
{
    tcp->is_paused = true;
    if (tcp->state == OPEN)
        uv_read_stop((uv_stream_t *)&tcp->handle);
}

void tcp_resume(struct tcp *tcp)
{
    tcp->is_paused = false;
    if (tcp->state == OPEN)
        (void)uv_read_start((uv_stream_t *)&tcp->handle, on_allocate, on_read);
}

void tcp_close(struct tcp **tcp_)
{
    struct tcp *tcp = *tcp_;
    if (!tcp)
        return;
    assert(tcp->state != RELEASED);
    *tcp_ = NULL;
    tcp->state = RELEASED;
    if (tcp->is_resolving)
        (void)uv_cancel((uv_req_t *)&tcp->resolve); /* its callback comes either way */
    close_handle(tcp);
    free_if_done(tcp);
}
