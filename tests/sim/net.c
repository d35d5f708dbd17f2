/* The few calls of libzmq that Moment makes, its keys, and zwatch.h, on connections that lose,
 * repeat, delay and reorder frames, go mute in one direction and break. frame.c and everything
 * above it is production's. */
#include "io/curve.h"
#include "io/zap.h"
#include "io/zwatch.h"
#include "sim.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define SOCKETS_MAX 4096
#define RECONNECT_US (100 * US_PER_MS)

struct part {
    struct part *next;
    bool has_more;
    uint32_t from; /* number of the connection it came over; 0: none */
    size_t len;
    uint8_t *bytes;
};

struct socket {
    struct node *node;
    uint32_t life;
    bool is_router;
    bool is_closed;
    char address[64];
    char user_id[64]; /* of a dealer: what ZAP says of its key */
    uint32_t connection;
    uint32_t to; /* of a router: the address part of a message was sent */
    struct part *first;
    struct part *last;
    struct zwatch *watch;
};

/* What a dealer sees of a router from one connect to its end. */
struct connection {
    struct socket *dealer;
    struct socket *router;
    bool is_up;
    int64_t mute_until_us[2]; /* to the router, to the dealer */
    int64_t last_us[2];       /* frames keep their order, but for delays */
};

struct zwatch {
    struct socket *socket;
    void (*on_readable)(void *arg);
    void *arg;
    bool is_told;
    bool is_closed;
};

static struct socket *sockets[SOCKETS_MAX];
static size_t socket_count;
static struct connection *connections[4096];
static uint32_t connection_count;

void net_begin(void)
{
    socket_count = 0;
    connection_count = 1; /* 0 is none */
}

static bool is_alive(const struct socket *socket)
{
    return !socket->is_closed && socket->node->is_up && socket->node->life == socket->life;
}

/* --- connections ------------------------------------------------------------------------------ */

static void cut(uint32_t number)
{
    struct connection *connection = connections[number];
    connection->is_up = false;
    if (connection->dealer->connection == number)
        connection->dealer->connection = 0;
}

static struct socket *find_router(const char *address)
{
    for (size_t i = 0; i < socket_count; i++)
        if (sockets[i]->is_router && is_alive(sockets[i]) &&
            strcmp(sockets[i]->address, address) == 0)
            return sockets[i];
    return NULL;
}

static void on_connect_time(void *arg, uint64_t number unused_arg)
{
    struct socket *dealer = arg;
    if (dealer->is_closed)
        return;
    event_after(RECONNECT_US, dealer->node, on_connect_time, dealer, 0);
    struct socket *router = dealer->connection ? NULL : find_router(dealer->address);
    if (!router || chance_fault(world.rates.net_cut) || connection_count == countof(connections))
        return;
    struct connection *connection = calloc(1, sizeof *connection);
    assert(connection);
    *connection = (struct connection){.dealer = dealer, .router = router, .is_up = true};
    connections[connection_count] = connection;
    dealer->connection = connection_count++;
}

void net_node_ended(const struct node *node)
{
    for (uint32_t i = 1; i < connection_count; i++)
        if (connections[i]->is_up &&
            (connections[i]->dealer->node == node || connections[i]->router->node == node))
            cut(i);
}

void net_fault(void)
{
    if (connection_count < 2)
        return;
    uint32_t number = (uint32_t)(connection_count - 1 - chance_below(connection_count - 1) % 4);
    if (number == 0 || number >= connection_count)
        return;
    struct connection *connection = connections[number];
    if (!connection->is_up)
        return;
    uint64_t kind = chance_below(4);
    int64_t until_us = world.now_us + chance_us(US_PER_MS, 25 * US_PER_S);
    trace("connection %u of %s: %s", number, connection->dealer->node->name,
          kind == 0   ? "cut"
          : kind == 1 ? "mute to router"
          : kind == 2 ? "mute to dealer"
                      : "mute");
    if (kind == 0)
        cut(number);
    if (kind & 1)
        connection->mute_until_us[0] = until_us;
    if (kind & 2)
        connection->mute_until_us[1] = until_us;
}

/* --- frames ----------------------------------------------------------------------------------- */

static void on_readable_time(void *arg, uint64_t number unused_arg)
{
    struct zwatch *watch = arg;
    watch->is_told = false;
    if (watch->is_closed || !watch->socket->first)
        return;
    watch->on_readable(watch->arg);
    if (!watch->is_closed && watch->socket->first && !watch->is_told) {
        watch->is_told = true;
        event_after(chance_us(1, 50), watch->socket->node, on_readable_time, watch, 0);
    }
}

static void append(struct socket *socket, struct part *part)
{
    if (socket->first)
        socket->last->next = part;
    else
        socket->first = part;
    socket->last = part;
    struct zwatch *watch = socket->watch;
    if (watch && !watch->is_told) {
        watch->is_told = true;
        event_after(chance_us(1, 50), socket->node, on_readable_time, watch, 0);
    }
}

static struct part *new_part(const void *bytes, size_t len, uint32_t from)
{
    struct part *part = calloc(1, sizeof *part);
    assert(part);
    part->bytes = malloc(len + 1);
    assert(part->bytes);
    if (bytes && len)
        memcpy(part->bytes, bytes, len);
    part->len = len;
    part->from = from;
    return part;
}

static void free_part(struct part *part)
{
    free(part->bytes);
    free(part);
}

static void on_arrival(void *arg, uint64_t to_dealer)
{
    struct part *part = arg;
    const struct connection *connection = connections[part->from];
    struct socket *socket = to_dealer ? connection->dealer : connection->router;
    if (!connection->is_up || !is_alive(socket) ||
        world.now_us < connection->mute_until_us[to_dealer]) {
        free_part(part);
        return;
    }
    if (socket->is_router) {
        uint8_t id[5] = {0, (uint8_t)(part->from >> 24), (uint8_t)(part->from >> 16),
                         (uint8_t)(part->from >> 8), (uint8_t)part->from};
        struct part *address = new_part(id, sizeof id, part->from);
        address->has_more = true;
        append(socket, address);
    }
    append(socket, part);
}

static void send_over(uint32_t number, bool to_dealer, const struct part *part)
{
    struct connection *connection = connections[number];
    unsigned copies = chance_fault(world.rates.frame_drop) ? 0 : 1;
    copies += chance_fault(world.rates.frame_repeat) ? 1 : 0;
    if (copies != 1)
        trace("frame to %s: %s", to_dealer ? "dealer" : "router", copies ? "repeated" : "lost");
    for (unsigned i = 0; i < copies; i++) {
        int64_t at_us = world.now_us + chance_us(20, 2000);
        if (chance_fault(world.rates.frame_delay)) {
            at_us += chance_us(US_PER_MS, 3 * US_PER_S); /* and others overtake it */
        } else if (i == 0) {
            if (at_us <= connection->last_us[to_dealer])
                at_us = connection->last_us[to_dealer] + 1;
            connection->last_us[to_dealer] = at_us;
        }
        event_after(at_us - world.now_us, NULL, on_arrival,
                    new_part(part->bytes, part->len, number), to_dealer);
    }
}

/* --- zmq.h ------------------------------------------------------------------------------------ */

static struct part **part_of(zmq_msg_t *message)
{
    return (struct part **)(void *)message;
}

static int errno_is(int error)
{
    errno = error;
    return -1;
}

int zmq_errno(void)
{
    return errno;
}

const char *zmq_strerror(int error)
{
    return strerror(error);
}

void *zmq_ctx_new(void)
{
    return calloc(1, 1);
}

int zmq_ctx_term(void *context)
{
    free(context);
    return 0;
}

int zmq_msg_init(zmq_msg_t *message)
{
    memset(message, 0, sizeof *message);
    return 0;
}

int zmq_msg_init_size(zmq_msg_t *message, size_t size)
{
    zmq_msg_init(message);
    *part_of(message) = new_part(NULL, size, 0);
    return 0;
}

int zmq_msg_close(zmq_msg_t *message)
{
    if (*part_of(message))
        free_part(*part_of(message));
    return zmq_msg_init(message);
}

void *zmq_msg_data(zmq_msg_t *message)
{
    return (*part_of(message))->bytes;
}

size_t zmq_msg_size(const zmq_msg_t *message)
{
    return (*(struct part *const *)(const void *)message)->len;
}

int zmq_msg_more(const zmq_msg_t *message)
{
    const struct part *part = *(struct part *const *)(const void *)message;
    return part && part->has_more;
}

const char *zmq_msg_gets(const zmq_msg_t *message, const char *property unused_arg)
{
    const struct part *part = *(struct part *const *)(const void *)message;
    const struct socket *dealer = part->from ? connections[part->from]->dealer : NULL;
    return dealer && part->from ? dealer->user_id : NULL;
}

int zmq_msg_recv(zmq_msg_t *message, void *from, int flags unused_arg)
{
    struct socket *socket = from;
    struct part *part = socket->first;
    if (!part)
        return errno_is(EAGAIN);
    socket->first = part->next;
    *part_of(message) = part;
    return (int)part->len;
}

/* The address of a message to a peer of a router. */
int zmq_send(void *to, const void *bytes, size_t len, int flags unused_arg)
{
    struct socket *socket = to;
    const uint8_t *id = bytes;
    assert(socket->is_router && len == 5);
    uint32_t number = (uint32_t)id[1] << 24 | (uint32_t)id[2] << 16 | (uint32_t)id[3] << 8 | id[4];
    crash_point("before a frame to a peer");
    if (!connections[number]->is_up || connections[number]->router != socket)
        return errno_is(EHOSTUNREACH);
    socket->to = number;
    return (int)len;
}

int zmq_msg_send(zmq_msg_t *message, void *to, int flags unused_arg)
{
    struct socket *socket = to;
    struct part *part = *part_of(message);
    if (!socket->is_router)
        crash_point("before a frame to a service");
    uint32_t number = socket->is_router ? socket->to : socket->connection;
    if (number == 0)
        return errno_is(EAGAIN);
    if (connections[number]->is_up)
        send_over(number, socket->is_router, part);
    int len = (int)part->len;
    zmq_msg_close(message);
    crash_point("after a frame");
    return len;
}

int zmq_close(void *closed)
{
    struct socket *socket = closed;
    socket->is_closed = true;
    if (socket->connection)
        cut(socket->connection);
    return 0;
}

int zmq_getsockopt(void *socket unused_arg, int option unused_arg, void *value, size_t *len)
{
    if (*len)
        *(char *)value = 0;
    return 0;
}

/* --- curve.h and zap.h: the key of a service is its name ---------------------------------------
 */

static struct socket *new_socket(const char *address, const char *name, bool is_router)
{
    struct socket *socket = calloc(1, sizeof *socket);
    assert(socket && socket_count < SOCKETS_MAX);
    socket->node = world.current;
    socket->life = world.current->life;
    socket->is_router = is_router;
    (void)snprintf(socket->address, sizeof socket->address, "%s", address);
    (void)snprintf(socket->user_id, sizeof socket->user_id, "service:%s", name);
    sockets[socket_count++] = socket;
    return socket;
}

void *curve_server(void *context unused_arg, const char *address, const struct curve_keys *keys)
{
    if (find_router(address)) {
        errno = EADDRINUSE;
        return NULL;
    }
    return new_socket(address, keys->public_key, true);
}

void *curve_client(void *context unused_arg, const char *address, const struct curve_keys *keys,
                   const char *server_key unused_arg)
{
    struct socket *socket =
        socket_count < SOCKETS_MAX ? new_socket(address, keys->public_key, false) : NULL;
    if (socket)
        event_after(chance_us(10, 3000), socket->node, on_connect_time, socket, 0);
    return socket;
}

int curve_load_pair(const char *keys_dir unused_arg, const char *name, struct curve_keys *ret_keys,
                    char *error unused_arg, size_t error_size unused_arg)
{
    text_copy(ret_keys->public_key, sizeof ret_keys->public_key, name);
    return 0;
}

int curve_load_public(const char *keys_dir unused_arg, const char *name,
                      char ret_key[CURVE_KEY_SIZE], char *error unused_arg,
                      size_t error_size unused_arg)
{
    text_copy(ret_key, CURVE_KEY_SIZE, name);
    return 0;
}

int zap_open(struct loop *loop unused_arg, void *context, struct zap **ret_zap)
{
    *ret_zap = context;
    return 0;
}

void zap_close(struct zap **zap)
{
    *zap = NULL;
}

int zap_load(struct zap *zap unused_arg, const char *path unused_arg, char *error unused_arg,
             size_t error_size unused_arg)
{
    return 0;
}

int zap_allow(struct zap *zap unused_arg, const char *public_key unused_arg,
              const char *user_id unused_arg)
{
    return 0;
}

void zap_disallow(struct zap *zap unused_arg, const char *user_id unused_arg)
{
}

bool zap_knows(const struct zap *zap unused_arg, const char *public_key unused_arg,
               const char *user_id)
{
    return user_id[0] != 0;
}

/* --- zwatch.h --------------------------------------------------------------------------------- */

int zwatch_open(struct loop *loop unused_arg, void *socket, void (*on_readable)(void *arg),
                void *arg, struct zwatch **ret_watch)
{
    struct zwatch *watch = calloc(1, sizeof *watch);
    assert(watch);
    *watch = (struct zwatch){.socket = socket, .on_readable = on_readable, .arg = arg};
    watch->socket->watch = watch;
    *ret_watch = watch;
    return 0;
}

void zwatch_close(struct zwatch **watch)
{
    if (*watch) {
        (*watch)->is_closed = true; /* an event may still come for it */
        (*watch)->socket->watch = NULL;
    }
    *watch = NULL;
}
