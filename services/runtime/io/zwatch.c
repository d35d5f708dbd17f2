#include "io/zwatch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>
#include <zmq.h>

#define HANDLES 4

struct zwatch {
    uv_prepare_t prepare; /* asks before the loop blocks */
    uv_check_t check;     /* delivers after it woke */
    uv_idle_t idle;       /* while active the loop does not block */
    uv_poll_t poll;       /* wakes the loop, nothing else */
    void *socket;         /* borrowed */
    void (*on_readable)(void *arg);
    void *arg;
    int open_handles;
};

static bool is_readable(void *socket)
{
    int events = 0;
    size_t len = sizeof(events);

    /* This call also runs the socket's pending commands, which is what re-arms the edge. */
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &len) == 0 && (events & ZMQ_POLLIN) != 0;
}

static void on_idle(uv_idle_t *idle unused_arg)
{
}

static void on_wake(uv_poll_t *poll unused_arg, int status unused_arg, int events unused_arg)
{
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct zwatch *watch = prepare->data;

    if (is_readable(watch->socket)) {
        uv_idle_start(&watch->idle, on_idle);
    }
}

static void on_check(uv_check_t *check)
{
    struct zwatch *watch = check->data;

    uv_idle_stop(&watch->idle);
    if (is_readable(watch->socket)) {
        watch->on_readable(watch->arg); /* may close the watch */
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct zwatch *watch = handle->data;

    if (--watch->open_handles == 0) {
        free(watch);
    }
}

static int socket_fd(void *socket, int *ret_fd)
{
    size_t len = sizeof(*ret_fd);

    return zmq_getsockopt(socket, ZMQ_FD, ret_fd, &len) == 0 ? 0 : -zmq_errno();
}

int zwatch_open(struct loop *loop, void *socket, void (*on_readable)(void *arg), void *arg,
                struct zwatch **ret_watch)
{
    assert(socket);
    assert(on_readable);
    struct uv_loop_s *uv = loop_uv(loop);
    struct zwatch *watch = calloc(1, sizeof(*watch));
    int fd = -1;
    int rc;

    if (!watch) {
        return -ENOMEM;
    }
    rc = socket_fd(socket, &fd);
    if (rc == 0) {
        rc = uv_poll_init(uv, &watch->poll, fd);
    }
    if (rc < 0) {
        free(watch);
        return rc;
    }
    watch->socket = socket;
    watch->on_readable = on_readable;
    watch->arg = arg;
    watch->open_handles = HANDLES;
    uv_prepare_init(uv, &watch->prepare);
    uv_check_init(uv, &watch->check);
    uv_idle_init(uv, &watch->idle);
    watch->poll.data = watch->prepare.data = watch->check.data = watch->idle.data = watch;
    uv_prepare_start(&watch->prepare, on_prepare);
    uv_check_start(&watch->check, on_check);
    rc = uv_poll_start(&watch->poll, UV_READABLE, on_wake);
    if (rc < 0) {
        zwatch_close(&watch);
        return rc;
    }
    *ret_watch = watch;
    return 0;
}

void zwatch_close(struct zwatch **watch_at)
{
    struct zwatch *watch = *watch_at;

    *watch_at = NULL;
    if (!watch) {
        return;
    }
    uv_close((uv_handle_t *)&watch->poll, on_closed);
    uv_close((uv_handle_t *)&watch->prepare, on_closed);
    uv_close((uv_handle_t *)&watch->check, on_closed);
    uv_close((uv_handle_t *)&watch->idle, on_closed);
}
