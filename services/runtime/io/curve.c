#include "io/curve.h"

#include "base/text.h"
#include "io/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

/* Declared by zmq.h only for drafts, but Debian's 4.3.4 knows it: the socket then refuses peers
 * when no ZAP handler is there, instead of letting everybody in. */
#define ZAP_ENFORCE_DOMAIN 93

#define UNREAD_MAX 20000
#define HANDSHAKE_MS 5000
#define HEARTBEAT_MS 1000
#define HEARTBEAT_TIMEOUT_MS 5000
#define HEARTBEAT_TTL_MS 10000
#define TCP_GIVE_UP_MS 10000
#define RECONNECT_MS 100
#define RECONNECT_MAX_MS 10000
#define BACKLOG 128

static int read_key(const char *keys_dir, const char *name, const char *suffix,
                    char ret_key[CURVE_KEY_SIZE], char *error, size_t error_size)
{
    char path[512];
    char line[128];
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/%s.%s", keys_dir, name, suffix) >= (int)sizeof(path)) {
        snprintf(error, error_size, "the path of the key %s.%s is too long", name, suffix);
        return -ENAMETOOLONG;
    }
    file = fopen(path, "re");
    if (!file) {
        int rc = -errno;
        snprintf(error, error_size, "cannot read the key %s: %s; `momentctl init` makes the keys",
                 path, strerror(-rc));
        return rc;
    }
    size_t len = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[len] = '\0';
    struct slice key = slice_trim(slice_of(line));
    uint8_t raw[32];
    if (key.len != CURVE_KEY_SIZE - 1 || !text_copy_slice(ret_key, CURVE_KEY_SIZE, key) ||
        !zmq_z85_decode(raw, ret_key)) {
        snprintf(error, error_size,
                 "%s holds no key of 40 z85 characters; `momentctl init` makes the keys", path);
        return -EINVAL;
    }
    return 0;
}

int curve_load_pair(const char *keys_dir, const char *name, struct curve_keys *ret_keys,
                    char *error, size_t error_size)
{
    int rc = read_key(keys_dir, name, "secret", ret_keys->secret_key, error, error_size);

    if (rc == 0 && zmq_curve_public(ret_keys->public_key, ret_keys->secret_key) != 0) {
        snprintf(error, error_size, "%s/%s.secret holds no CURVE key", keys_dir, name);
        rc = -EINVAL;
    }
    return rc;
}

int curve_load_public(const char *keys_dir, const char *name, char ret_key[CURVE_KEY_SIZE],
                      char *error, size_t error_size)
{
    return read_key(keys_dir, name, "public", ret_key, error, error_size);
}

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

static bool set_text(void *socket, int option, const char *value)
{
    return zmq_setsockopt(socket, option, value, strlen(value)) == 0;
}

/* High-water marks are off because they drop silently; credit bounds what is under way. Only a
 * ROUTER with ROUTER_MANDATORY says so: it has one for its answers, see below. */
static bool set_limits(void *socket, const char *address)
{
    int64_t frame_max = FRAME_BYTES_MAX;

    return set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_SNDHWM, 0) &&
           set_int(socket, ZMQ_RCVHWM, 0) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof(frame_max)) == 0 &&
           set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TTL, HEARTBEAT_TTL_MS) &&
           set_int(socket, ZMQ_TCP_MAXRT, TCP_GIVE_UP_MS) &&
           set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
           set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) &&
           set_int(socket, ZMQ_BACKLOG, BACKLOG) &&
           set_int(socket, ZMQ_IPV6, strchr(address, '[') != NULL);
}

static void *give_up(void *socket)
{
    int error = zmq_errno();

    zmq_close(socket);
    errno = error;
    return NULL;
}

void *curve_server(void *context, const char *address, const struct curve_keys *keys)
{
    void *socket = zmq_socket(context, ZMQ_ROUTER);

    if (!socket) {
        return NULL;
    }
    /* A peer that asks and never reads what it is told is gone at so many answers. */
    if (!set_limits(socket, address) || !set_int(socket, ZMQ_ROUTER_MANDATORY, 1) ||
        !set_int(socket, ZMQ_SNDHWM, UNREAD_MAX) ||
        !set_text(socket, ZMQ_ZAP_DOMAIN, CURVE_ZAP_DOMAIN) ||
        !set_int(socket, ZAP_ENFORCE_DOMAIN, 1) || !set_int(socket, ZMQ_CURVE_SERVER, 1) ||
        !set_text(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key) ||
        zmq_bind(socket, address) != 0) {
        return give_up(socket);
    }
    return socket;
}

void *curve_client(void *context, const char *address, const struct curve_keys *keys,
                   const char *server_key)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);

    if (!socket) {
        return NULL;
    }
    /* IMMEDIATE: nothing queues for a peer that is not there, so a send tells the truth. */
    if (!set_limits(socket, address) || !set_int(socket, ZMQ_IMMEDIATE, 1) ||
        !set_text(socket, ZMQ_CURVE_SERVERKEY, server_key) ||
        !set_text(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key) ||
        !set_text(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key) ||
        zmq_connect(socket, address) != 0) {
        return give_up(socket);
    }
    return socket;
}
