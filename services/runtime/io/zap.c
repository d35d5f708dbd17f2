#include "io/zap.h"

#include "base/text.h"
#include "io/counters.h"
#include "io/curve.h"
#include "io/zwatch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define ENDPOINT "inproc://zeromq.zap.01"
#define REQUESTS_PER_TURN 16
#define USER_ID_SIZE 64
#define PARTS 7 /* version, request id, domain, address, identity, mechanism, key */
#define PART_SIZE 256

struct entry {
    char key[CURVE_KEY_SIZE];
    char user_id[USER_ID_SIZE];
    bool is_from_file;
};

struct entries {
    struct entry *items;
    size_t count;
};

struct zap {
    void *socket;
    struct zwatch *watch;
    struct entries entries;
};

struct request {
    uint8_t parts[PARTS][PART_SIZE];
    size_t lens[PARTS];
    size_t count; /* more than PARTS: malformed */
};

/* --- the list --- */

static bool is_user_id(const char *user_id)
{
    static const char *const kinds[] = {"service:", "operator:", "source:"};

    for (size_t i = 0; i < countof(kinds); i++) {
        size_t len = strlen(kinds[i]);
        if (strncmp(user_id, kinds[i], len) == 0) {
            return user_id[len] != '\0' && strlen(user_id) < USER_ID_SIZE;
        }
    }
    return false;
}

static int add_entry(struct entries *entries, const char *key, const char *user_id, bool from_file)
{
    uint8_t raw[32];

    if (strlen(key) != CURVE_KEY_SIZE - 1 || !zmq_z85_decode(raw, key) || !is_user_id(user_id)) {
        return -EINVAL;
    }
    struct entry *grown = reallocarray(entries->items, entries->count + 1, sizeof(*entries->items));
    if (!grown) {
        return -ENOMEM;
    }
    entries->items = grown;
    struct entry *entry = &grown[entries->count++];
    text_copy(entry->key, sizeof(entry->key), key);
    text_copy(entry->user_id, sizeof(entry->user_id), user_id);
    entry->is_from_file = from_file;
    return 0;
}

static const struct entry *find_key(const struct zap *zap, const char *key)
{
    for (size_t i = 0; i < zap->entries.count; i++) {
        if (strcmp(zap->entries.items[i].key, key) == 0) {
            return &zap->entries.items[i];
        }
    }
    return NULL;
}

bool zap_knows(const struct zap *zap, const char *public_key, const char *user_id)
{
    for (size_t i = 0; i < zap->entries.count; i++) {
        const struct entry *entry = &zap->entries.items[i];
        if (strcmp(entry->key, public_key) == 0 && strcmp(entry->user_id, user_id) == 0) {
            return true;
        }
    }
    return false;
}

int zap_allow(struct zap *zap, const char *public_key, const char *user_id)
{
    const struct entry *known = find_key(zap, public_key);

    if (known) {
        return strcmp(known->user_id, user_id) == 0 ? 0 : -EEXIST;
    }
    return add_entry(&zap->entries, public_key, user_id, false);
}

void zap_disallow(struct zap *zap, const char *user_id)
{
    size_t kept = 0;

    for (size_t i = 0; i < zap->entries.count; i++) {
        if (strcmp(zap->entries.items[i].user_id, user_id) != 0) {
            zap->entries.items[kept++] = zap->entries.items[i];
        }
    }
    zap->entries.count = kept;
}

static int read_line(struct entries *entries, char *line)
{
    char *save = NULL;
    const char *key = strtok_r(line, " \t\r\n", &save);
    const char *user_id = key ? strtok_r(NULL, " \t\r\n", &save) : NULL;

    /* z85 uses # too, but a key is never followed by nothing. */
    if (!key || (key[0] == '#' && (strlen(key) != CURVE_KEY_SIZE - 1 || !user_id))) {
        return 0;
    }
    if (!user_id || strtok_r(NULL, " \t\r\n", &save)) {
        return -EINVAL;
    }
    return add_entry(entries, key, user_id, true);
}

static int read_file(struct entries *entries, const char *path, char *error, size_t error_size)
{
    char line[512];
    FILE *file = fopen(path, "re");
    int rc = 0;

    if (!file) {
        rc = -errno;
        snprintf(error, error_size, "cannot read %s: %s; `momentctl init` makes it", path,
                 strerror(-rc));
        return rc;
    }
    for (unsigned number = 1; rc == 0 && fgets(line, sizeof(line), file); number++) {
        rc = read_line(entries, line);
        if (rc < 0) {
            snprintf(error, error_size,
                     "%s:%u: a line is `public_key_z85 user_id`, where user_id is "
                     "service:NAME, operator:NAME or source:NAME",
                     path, number);
        }
    }
    fclose(file);
    return rc;
}

int zap_load(struct zap *zap, const char *path, char *error, size_t error_size)
{
    struct entries fresh = {0};
    int rc = read_file(&fresh, path, error, error_size);

    for (size_t i = 0; rc == 0 && i < zap->entries.count; i++) {
        const struct entry *entry = &zap->entries.items[i];
        if (!entry->is_from_file) {
            rc = add_entry(&fresh, entry->key, entry->user_id, false);
            if (rc < 0) {
                snprintf(error, error_size, "out of memory while reading %s", path);
            }
        }
    }
    if (rc < 0) {
        free(fresh.items);
        return rc;
    }
    free(zap->entries.items);
    zap->entries = fresh;
    return 0;
}

/* --- the handler --- */

static int receive_request(void *socket, struct request *request)
{
    int more = 1;
    size_t more_size = sizeof(more);

    request->count = 0;
    while (more) {
        uint8_t spill[PART_SIZE];
        bool fits = request->count < PARTS;
        int len = zmq_recv(socket, fits ? request->parts[request->count] : spill, PART_SIZE,
                           ZMQ_DONTWAIT);
        if (len < 0) {
            return -zmq_errno();
        }
        if (fits) {
            request->lens[request->count] = (size_t)len;
        }
        request->count++;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size) != 0) {
            return -zmq_errno();
        }
    }
    return 0;
}

static bool part_is(const struct request *request, size_t part, const char *text)
{
    return request->lens[part] == strlen(text) &&
           memcmp(request->parts[part], text, request->lens[part]) == 0;
}

/* Null: refuse. */
static const struct entry *judge(const struct zap *zap, const struct request *request)
{
    char key[CURVE_KEY_SIZE];

    if (request->count != PARTS || !part_is(request, 0, "1.0") ||
        !part_is(request, 2, CURVE_ZAP_DOMAIN) || !part_is(request, 5, "CURVE") ||
        request->lens[6] != 32 || !zmq_z85_encode(key, request->parts[6], 32)) {
        return NULL;
    }
    return find_key(zap, key);
}

/* One ZMTP property: length, name, length in network order, value. */
static size_t write_key_property(uint8_t to[64], const char *key)
{
    size_t name_len = strlen(ZAP_KEY_PROPERTY);
    size_t key_len = strlen(key);
    uint8_t *at = to;

    *at++ = (uint8_t)name_len;
    memcpy(at, ZAP_KEY_PROPERTY, name_len);
    at += name_len;
    memset(at, 0, 3);
    at[3] = (uint8_t)key_len;
    at += 4;
    memcpy(at, key, key_len);
    at += key_len;
    return (size_t)(at - to);
}

static void answer(struct zap *zap, const struct request *request)
{
    const struct entry *entry = judge(zap, request);
    const char *status = entry ? "200" : "400";
    const char *text = entry ? "OK" : "unknown key";
    const char *user_id = entry ? entry->user_id : "";
    uint8_t properties[64];
    size_t properties_len = entry ? write_key_property(properties, entry->key) : 0;
    size_t id_len = request->count > 1 ? request->lens[1] : 0;

    metric_add(&counter_handshakes, entry ? "accepted" : "refused", 1);
    zmq_send(zap->socket, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap->socket, request->parts[1], id_len, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap->socket, status, 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap->socket, text, strlen(text), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap->socket, user_id, strlen(user_id), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap->socket, properties, properties_len, ZMQ_DONTWAIT);
}

static void on_readable(void *arg)
{
    struct zap *zap = arg;
    struct request request;

    for (int i = 0; i < REQUESTS_PER_TURN && receive_request(zap->socket, &request) == 0; i++) {
        answer(zap, &request);
    }
}

int zap_open(struct loop *loop, void *context, struct zap **ret_zap)
{
    struct zap *zap = calloc(1, sizeof(*zap));
    int linger = 0;
    int rc = 0;

    if (!zap) {
        return -ENOMEM;
    }
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (!zap->socket || zmq_setsockopt(zap->socket, ZMQ_LINGER, &linger, sizeof(linger)) != 0 ||
        zmq_bind(zap->socket, ENDPOINT) != 0) {
        rc = -zmq_errno();
    } else {
        rc = zwatch_open(loop, zap->socket, on_readable, zap, &zap->watch);
    }
    if (rc < 0) {
        zap_close(&zap);
        return rc;
    }
    *ret_zap = zap;
    return 0;
}

void zap_close(struct zap **zap_at)
{
    struct zap *zap = *zap_at;

    *zap_at = NULL;
    if (!zap) {
        return;
    }
    zwatch_close(&zap->watch);
    if (zap->socket) {
        zmq_close(zap->socket);
    }
    free(zap->entries.items);
    free(zap);
}
