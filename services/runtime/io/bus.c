#include "io/bus.h"

#include "base/clock.h"
#include "io/bus_parts.h"
#include "io/counters.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define TICK_MS 1000
#define SILENCE_US (15 * US_PER_S)
/* An integrator may be a script that blocks between two batches: it need not beat, and gets no
 * beats that would pile up unread. */
#define SOURCE_SILENCE_US (600 * US_PER_S)
#define FRAMES_PER_TURN 64

/* --- sessions --- */

struct session *bus_session(struct bus *bus, uint64_t serial)
{
    struct session *session = bus->sessions;

    while (session && session->serial != serial) {
        session = session->next;
    }
    return session;
}

static struct session *session_at(struct bus *bus, const struct frame_address *address)
{
    struct session *session = bus->sessions;

    while (session && (session->address.len != address->len ||
                       memcmp(session->address.bytes, address->bytes, address->len) != 0)) {
        session = session->next;
    }
    return session;
}

static void session_end(struct bus *bus, struct session *session)
{
    struct session **at = &bus->sessions;

    while (*at != session) {
        at = &(*at)->next;
    }
    *at = session->next;
    bus->session_count--;
    metric_set(&counter_sessions, NULL, (double)bus->session_count);
    feed_close(&session->feed);
    free(session);
}

static void sent(struct session *session, int rc)
{
    if (rc == -EHOSTUNREACH || rc == -EAGAIN) {
        session->heard_us = INT64_MIN / 2; /* for the next tick: we may be deep inside of it now */
    }
}

void session_send(struct session *session, const Moment__V1__Frame *frame)
{
    sent(session, frame_send(session->bus->router, &session->address, frame));
}

void session_send_bytes(struct session *session, const void *bytes, size_t len)
{
    sent(session, frame_send_bytes(session->bus->router, &session->address, bytes, len));
}

static const char *reason_name(Moment__V1__Refuse__Reason reason)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&moment__v1__refuse__reason__descriptor, (int)reason);

    return value ? value->name : "unknown";
}

static void refuse(struct bus *bus, const struct frame_address *to,
                   Moment__V1__Refuse__Reason reason, const char *detail)
{
    Moment__V1__Frame frame;
    Moment__V1__Refuse message;
    char text[256];

    snprintf(text, sizeof(text), "%s", detail);
    moment__v1__refuse__init(&message);
    message.reason = reason;
    message.detail = text;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_REFUSE;
    frame.refuse = &message;
    metric_add(&counter_frames_refused, reason_name(reason), 1);
    if (frame_send(bus->router, to, &frame) < 0) {
        return; /* gone is fine: nothing was promised */
    }
}

void session_refuse(struct session *session, Moment__V1__Refuse__Reason reason, const char *detail)
{
    refuse(session->bus, &session->address, reason, detail);
}

static bool may_submit(const struct bus *bus, const char *user_id)
{
    return bus->options.submitted && strncmp(user_id, "source:", 7) == 0;
}

static void welcome(struct session *session)
{
    struct bus *bus = session->bus;
    Moment__V1__Frame frame;
    Moment__V1__Welcome message;

    moment__v1__welcome__init(&message);
    message.service = bus->name;
    message.protocol = FRAME_PROTOCOL;
    if (bus->options.stream) {
        struct position head = stream_head(bus->options.stream);
        message.epoch = head.epoch;
        message.head = head.seq;
        message.tail = stream_tail(bus->options.stream);
    }
    message.submit_credit = may_submit(bus, session->user_id) ? SUBMIT_CREDIT : 0;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_WELCOME;
    frame.welcome = &message;
    session_send(session, &frame);
}

/* One integrator whose program greets again and again must not use up what is there for all: the
 * session that it has not used for the longest time ends. */
static void make_room(struct bus *bus, const char *user_id)
{
    struct session *stalest = NULL;
    size_t count = 0;

    for (struct session *at = bus->sessions; at; at = at->next) {
        if (strcmp(at->user_id, user_id) == 0) {
            count++;
            stalest = !stalest || at->heard_us <= stalest->heard_us ? at : stalest;
        }
    }
    if (count >= SESSIONS_PER_SOURCE) {
        session_end(bus, stalest);
    }
}

static void session_begin(struct bus *bus, const struct frame_received *received)
{
    struct session *session = session_at(bus, &received->from);

    if (received->frame->hello->protocol != FRAME_PROTOCOL) {
        refuse(bus, &received->from, MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL,
               "this side speaks protocol 1");
        return;
    }
    if (!session && strncmp(received->user_id, "source:", 7) == 0) {
        make_room(bus, received->user_id);
    }
    if (!session && bus->session_count >= SESSIONS_MAX) {
        refuse(bus, &received->from, MOMENT__V1__REFUSE__REASON__REASON_BUSY, "too many peers");
        return;
    }
    if (!session) {
        session = calloc(1, sizeof(*session));
        if (!session) {
            return;
        }
        session->bus = bus;
        session->next = bus->sessions;
        bus->sessions = session;
        bus->session_count++;
    }
    feed_close(&session->feed);
    session->serial = ++bus->last_serial;
    session->address = received->from;
    session->submit_bytes = 0;
    session->heard_us = clock_mono_us();
    memcpy(session->user_id, received->user_id, sizeof(session->user_id));
    memcpy(session->key, received->key, sizeof(session->key));
    metric_set(&counter_sessions, NULL, (double)bus->session_count);
    welcome(session);
}

static bool is_service(const struct session *session)
{
    return strncmp(session->user_id, "service:", 8) == 0;
}

static void subscribe(struct session *session, const Moment__V1__Subscribe *message)
{
    if (!is_service(session)) {
        session_refuse(session, MOMENT__V1__REFUSE__REASON__REASON_UNAUTHORISED,
                       "only services may subscribe");
    } else if (session->bus->is_draining || !session->bus->options.stream) {
        session_refuse(session, MOMENT__V1__REFUSE__REASON__REASON_DRAINING, "going away");
    } else {
        feed_open(session, message);
    }
}

static void session_frame(struct session *session, struct frame_received *received)
{
    const Moment__V1__Frame *frame = received->frame;

    session->heard_us = clock_mono_us();
    switch (frame->kind_case) {
    case MOMENT__V1__FRAME__KIND_SUBSCRIBE:
        subscribe(session, frame->subscribe);
        break;
    case MOMENT__V1__FRAME__KIND_CREDIT:
        if (session->feed) {
            feed_credit(session->feed, frame->credit);
        }
        break;
    case MOMENT__V1__FRAME__KIND_BEAT:
        break;
    case MOMENT__V1__FRAME__KIND_CALL:
        call_received(session, &received->frame);
        break;
    case MOMENT__V1__FRAME__KIND_SUBMIT:
        submit_received(session, &received->frame);
        break;
    case MOMENT__V1__FRAME__KIND_HELLO: /* handled before */
    case MOMENT__V1__FRAME__KIND__NOT_SET:
    case MOMENT__V1__FRAME__KIND_WELCOME:
    case MOMENT__V1__FRAME__KIND_DATA:
    case MOMENT__V1__FRAME__KIND_REFUSE:
    case MOMENT__V1__FRAME__KIND_REPLY:
    case MOMENT__V1__FRAME__KIND_ACCEPTED:
    case _MOMENT__V1__FRAME__KIND__CASE_IS_INT_SIZE:
        session_refuse(session, MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL,
                       "this frame goes the other way");
        break;
    }
}

static void received(struct bus *bus, struct frame_received *message)
{
    struct session *session = session_at(bus, &message->from);

    /* Asked for each frame, since a key can be taken from the list while its session lives. No
     * user id means that ZAP did not see this peer. */
    if (!message->user_id[0] || !zap_knows(bus->zap, message->key, message->user_id)) {
        if (session) {
            session_end(bus, session);
        }
        refuse(bus, &message->from, MOMENT__V1__REFUSE__REASON__REASON_UNAUTHORISED,
               "this key is not allowed here");
    } else if (!message->frame) {
        refuse(bus, &message->from, MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL, "not a frame");
    } else if (message->frame->kind_case == MOMENT__V1__FRAME__KIND_HELLO) {
        session_begin(bus, message);
    } else if (!session || strcmp(session->key, message->key) != 0) {
        refuse(bus, &message->from, MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL, "say HELLO first");
    } else {
        session_frame(session, message);
    }
}

static void on_readable(void *arg)
{
    struct bus *bus = arg;
    struct frame_received message;

    for (int i = 0; i < FRAMES_PER_TURN; i++) {
        if (frame_receive(bus->router, true, &message) < 0) {
            return;
        }
        if (message.from.len > 0) {
            received(bus, &message);
        }
        frame_free(&message.frame);
    }
}

static void fill_beat(const struct bus *bus, Moment__V1__Beat *beat)
{
    if (bus->options.stream) {
        struct position head = stream_head(bus->options.stream);
        beat->epoch = head.epoch;
        beat->head = head.seq;
    }
}

static void send_beat(struct session *session)
{
    Moment__V1__Frame frame;
    Moment__V1__Beat beat;

    moment__v1__beat__init(&beat);
    fill_beat(session->bus, &beat);
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_BEAT;
    frame.beat = &beat;
    session_send(session, &frame);
}

static void cut_revoked(struct bus *bus)
{
    struct session *next;

    for (struct session *session = bus->sessions; session; session = next) {
        next = session->next;
        if (!zap_knows(bus->zap, session->key, session->user_id)) {
            session_refuse(session, MOMENT__V1__REFUSE__REASON__REASON_UNAUTHORISED,
                           "this key is no longer allowed here");
            session_end(bus, session);
        }
    }
}

static void on_tick(void *arg)
{
    struct bus *bus = arg;
    struct session *next;

    cut_revoked(bus);
    for (struct session *session = bus->sessions; session; session = next) {
        next = session->next;
        bool is_source = strncmp(session->user_id, "source:", 7) == 0;
        int64_t silence_us = clock_mono_us() - session->heard_us;
        if (silence_us > (is_source ? SOURCE_SILENCE_US : SILENCE_US)) {
            session_end(bus, session);
        } else if (!is_source) {
            send_beat(session);
        }
    }
}

/* --- links --- */

struct peer_link *bus_peer(struct bus *bus, const char *peer)
{
    struct peer_link *at = bus->links;

    while (at && strcmp(link_peer(at->link), peer) != 0) {
        at = at->next;
    }
    return at;
}

static void report_link(struct peer_link *at, bool is_up, const char *reason)
{
    struct bus *bus = at->bus;

    if (bus->options.on_link) {
        bus->options.on_link(bus->options.arg, link_peer(at->link), is_up, reason);
    }
}

static void on_link_up(void *arg, const Moment__V1__Welcome *message)
{
    struct peer_link *at = arg;

    asked_send_again(at->bus, link_peer(at->link)); /* before anybody asks anew */
    report_link(at, true, "");
    if (at->subscriber) {
        at->subscriber->on_up(at->subscriber_arg, message);
    }
}

/* Its streams have ended; our calls wait for its WELCOME. */
static void on_link_forgotten(void *arg)
{
    struct peer_link *at = arg;

    if (at->subscriber) {
        at->subscriber->on_down(at->subscriber_arg);
    }
}

static void on_link_down(void *arg, const char *reason)
{
    struct peer_link *at = arg;

    report_link(at, false, reason);
    asked_lost(at->bus, link_peer(at->link), reason);
    if (at->subscriber) {
        at->subscriber->on_down(at->subscriber_arg);
    }
}

static void on_link_frame(void *arg, const Moment__V1__Frame *frame)
{
    struct peer_link *at = arg;

    if (frame->kind_case == MOMENT__V1__FRAME__KIND_REPLY) {
        asked_replied(at->bus, frame->reply);
    } else if (!at->subscriber) {
        return;
    } else if (frame->kind_case == MOMENT__V1__FRAME__KIND_DATA) {
        at->subscriber->on_data(at->subscriber_arg, frame->data);
    } else if (frame->kind_case == MOMENT__V1__FRAME__KIND_BEAT) {
        at->subscriber->on_beat(at->subscriber_arg, frame->beat);
    } else if (frame->kind_case == MOMENT__V1__FRAME__KIND_REFUSE) {
        at->subscriber->on_refuse(at->subscriber_arg, frame->refuse);
    }
}

static void on_link_beat(void *arg, Moment__V1__Beat *beat)
{
    const struct peer_link *at = arg;

    fill_beat(at->bus, beat);
}

static const struct link_ops link_ops = {
    .on_up = on_link_up,
    .on_forgotten = on_link_forgotten,
    .on_down = on_link_down,
    .on_frame = on_link_frame,
    .fill_beat = on_link_beat,
};

int bus_connect(struct bus *bus, const char *peer, const char *address, char *error,
                size_t error_size)
{
    char key[CURVE_KEY_SIZE];
    int rc = curve_load_public(bus->keys_dir, peer, key, error, error_size);

    if (rc < 0) {
        return rc;
    }
    assert(!bus_peer(bus, peer));
    struct peer_link *at = calloc(1, sizeof(*at));
    if (!at) {
        snprintf(error, error_size, "out of memory");
        return -ENOMEM;
    }
    struct link_options options = {.context = bus->context,
                                   .name = bus->name,
                                   .peer = peer,
                                   .address = address,
                                   .server_key = key,
                                   .keys = &bus->keys};
    at->bus = bus;
    rc = link_open(bus->loop, &options, &link_ops, at, &at->link);
    if (rc < 0) {
        snprintf(error, error_size, "cannot open the link to %s: %s", peer, strerror(-rc));
        free(at);
        return rc;
    }
    at->next = bus->links;
    bus->links = at;
    return 0;
}

bool bus_link_is_up(const struct bus *bus, const char *peer)
{
    for (const struct peer_link *at = bus->links; at; at = at->next) {
        if (strcmp(link_peer(at->link), peer) == 0) {
            return link_is_up(at->link);
        }
    }
    return false;
}

const char *bus_link_reason(const struct bus *bus, const char *peer)
{
    for (const struct peer_link *at = bus->links; at; at = at->next) {
        if (strcmp(link_peer(at->link), peer) == 0) {
            return link_reason(at->link);
        }
    }
    return "no such peer";
}

int bus_subscribe(struct bus *bus, const char *peer, const struct subscriber *subscriber, void *arg)
{
    struct peer_link *at = bus_peer(bus, peer);

    if (!at) {
        return -ENOENT;
    }
    assert(!at->subscriber);
    assert(!link_is_up(at->link)); /* consumers are made before the loop runs */
    at->subscriber = subscriber;
    at->subscriber_arg = arg;
    return 0;
}

void bus_unsubscribe(struct bus *bus, const char *peer)
{
    struct peer_link *at = bus_peer(bus, peer);

    if (at) {
        at->subscriber = NULL;
    }
}

/* --- opening and closing --- */

static int open_zap(struct bus *bus, char *error, size_t error_size)
{
    char path[300];
    int rc = zap_open(bus->loop, bus->context, &bus->zap);

    if (rc < 0) {
        snprintf(error, error_size, "cannot open the ZAP handler: %s", zmq_strerror(-rc));
        return rc;
    }
    snprintf(path, sizeof(path), "%s/allow", bus->keys_dir);
    return zap_load(bus->zap, path, error, error_size);
}

static int open_parts(struct bus *bus, bool is_client, char *error, size_t error_size)
{
    int rc = curve_load_pair(bus->keys_dir, bus->name, &bus->keys, error, error_size);

    if (rc < 0) {
        return rc;
    }
    bus->context = zmq_ctx_new();
    if (!bus->context || timer_new(bus->loop, on_tick, bus, &bus->timer) < 0) {
        snprintf(error, error_size, "out of memory");
        return -ENOMEM;
    }
    return is_client ? 0 : open_zap(bus, error, error_size);
}

int bus_open(struct loop *loop, const struct bus_options *options, struct bus **ret_bus,
             char *error, size_t error_size)
{
    struct bus *bus = calloc(1, sizeof(*bus));
    bool is_client = !options->stream && options->table_count == 0;

    if (!bus) {
        snprintf(error, error_size, "out of memory");
        return -ENOMEM;
    }
    bus->loop = loop;
    bus->options = *options;
    if (!text_copy(bus->name, sizeof(bus->name), options->name) ||
        !text_copy(bus->keys_dir, sizeof(bus->keys_dir), options->keys_dir)) {
        free(bus);
        snprintf(error, error_size, "the name or the path of the keys is too long");
        return -ENAMETOOLONG;
    }
    int rc = open_parts(bus, is_client, error, error_size);
    if (rc < 0) {
        bus_close(&bus);
        return rc;
    }
    *ret_bus = bus;
    return 0;
}

void bus_set_state(struct bus *bus, void *state)
{
    bus->state = state;
}

static void say_why_not_bound(const char *address, int error_number, char *error, size_t error_size)
{
    const char *hint = "";

    if (error_number == EADDRINUSE) {
        hint = "; another process listens there: stop it, or set MOMENT_BUS_ADDRESS";
    } else if (error_number == EADDRNOTAVAIL || error_number == ENODEV) {
        hint = "; this machine has no such address";
    } else if (error_number == EINVAL) {
        hint = "; an address looks like tcp://127.0.0.1:7101";
    }
    snprintf(error, error_size, "cannot listen on %s: %s%s", address, zmq_strerror(error_number),
             hint);
}

int bus_bind(struct bus *bus, const char *address, char *error, size_t error_size)
{
    size_t len = sizeof(bus->endpoint);

    assert(bus->zap); /* without a ZAP handler libzmq would let every key in */
    assert(!bus->router);
    bus->router = curve_server(bus->context, address, &bus->keys);
    if (!bus->router) {
        int rc = -zmq_errno();
        say_why_not_bound(address, -rc, error, error_size);
        return rc;
    }
    zmq_getsockopt(bus->router, ZMQ_LAST_ENDPOINT, bus->endpoint, &len);
    int rc = zwatch_open(bus->loop, bus->router, on_readable, bus, &bus->watch);
    if (rc < 0) {
        snprintf(error, error_size, "cannot watch %s: %s", address, strerror(-rc));
        return rc;
    }
    timer_start(bus->timer, TICK_MS, TICK_MS);
    return 0;
}

const char *bus_endpoint(const struct bus *bus)
{
    return bus->endpoint;
}

int bus_reload(struct bus *bus, char *error, size_t error_size)
{
    char path[300];

    assert(bus->zap);
    snprintf(path, sizeof(path), "%s/allow", bus->keys_dir);
    int rc = zap_load(bus->zap, path, error, error_size);
    if (rc == 0) {
        cut_revoked(bus);
    }
    return rc;
}

int bus_allow(struct bus *bus, const char *public_key_z85, const char *user_id)
{
    assert(bus->zap);
    return zap_allow(bus->zap, public_key_z85, user_id);
}

void bus_disallow(struct bus *bus, const char *user_id)
{
    assert(bus->zap);
    zap_disallow(bus->zap, user_id);
    cut_revoked(bus);
}

void bus_drain(struct bus *bus)
{
    bus->is_draining = true;
}

static void close_links(struct bus *bus)
{
    while (bus->links) {
        struct peer_link *at = bus->links;
        bus->links = at->next;
        link_close(&at->link);
        free(at);
    }
}

void bus_close(struct bus **bus_at)
{
    struct bus *bus = *bus_at;

    *bus_at = NULL;
    if (!bus) {
        return;
    }
    asked_drop_all(bus);
    close_links(bus);
    while (bus->sessions) {
        session_end(bus, bus->sessions);
    }
    timer_free(&bus->timer);
    zwatch_close(&bus->watch);
    if (bus->router) {
        zmq_close(bus->router);
    }
    zap_close(&bus->zap);
    if (bus->context) {
        zmq_ctx_term(bus->context);
    }
    free(bus);
}
