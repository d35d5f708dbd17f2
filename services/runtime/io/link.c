#include "io/link.h"

#include "base/clock.h"
#include "base/retry.h"
#include "base/seal.h"
#include "io/counters.h"
#include "io/zwatch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define GREETING_TICK_MS 100
#define BEAT_MS 1000
#define WELCOME_US (5 * US_PER_S)
#define SILENCE_US (15 * US_PER_S)
#define SETTLED_US (10 * US_PER_S) /* up for so long: the next back-off starts small again */
#define FRAMES_PER_TURN 64
/* A peer that forgets us sooner after its WELCOME has another trouble than a restart. */
#define MEMORY_US US_PER_S

enum state {
    LINK_WAITING,  /* no socket; the timer opens one */
    LINK_GREETING, /* socket open, HELLO sent or about to be */
    LINK_UP,
    LINK_GREETING_AGAIN, /* was up, and the peer forgot us: HELLO on the same socket */
};

struct link {
    enum state state;
    struct loop *loop;
    void *context;
    const char *name;
    char peer[64];
    char address[256];
    char server_key[CURVE_KEY_SIZE];
    const struct curve_keys *keys;
    const struct link_ops *ops;
    void *arg;
    void *socket;
    struct zwatch *watch;
    struct timer *timer;
    struct retry retry;
    bool hello_sent;
    int64_t since_us; /* of this state */
    int64_t heard_us;
    char reason[160];
};

static void on_readable(void *arg);

static void close_socket(struct link *link)
{
    zwatch_close(&link->watch);
    if (link->socket) {
        zmq_close(link->socket);
        link->socket = NULL;
    }
}

/* The only way to another state. */
static void change_state(struct link *link, enum state state, const char *reason)
{
    bool was_up = link->state == LINK_UP || link->state == LINK_GREETING_AGAIN;

    link->state = state;
    link->since_us = clock_mono_us();
    snprintf(link->reason, sizeof(link->reason), "%s", reason);
    metric_set(&counter_link_up, link->peer, state == LINK_UP ? 1 : 0);
    if (state == LINK_GREETING_AGAIN) {
        link->ops->on_forgotten(link->arg);
    } else if (was_up && state != LINK_UP) {
        link->ops->on_down(link->arg, link->reason);
    }
}

static void start_over(struct link *link, const char *reason)
{
    uint32_t random = 0;

    close_socket(link);
    if (link->state == LINK_UP && clock_mono_us() - link->since_us > SETTLED_US) {
        retry_reset(&link->retry);
    }
    seal_random(&random, sizeof(random));
    timer_start(link->timer, retry_next_ms(&link->retry, random), 0);
    change_state(link, LINK_WAITING, reason);
}

static void try_hello(struct link *link)
{
    Moment__V1__Frame frame;
    Moment__V1__Hello hello;
    char name[64];

    snprintf(name, sizeof(name), "%s", link->name);
    moment__v1__hello__init(&hello);
    hello.name = name;
    hello.protocol = FRAME_PROTOCOL;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_HELLO;
    frame.hello = &hello;
    link->hello_sent = frame_send(link->socket, NULL, &frame) == 0;
}

static void open_socket(struct link *link)
{
    link->socket = curve_client(link->context, link->address, link->keys, link->server_key);
    if (!link->socket) {
        char reason[160];
        snprintf(reason, sizeof(reason), "cannot connect to %.90s: %.40s", link->address,
                 zmq_strerror(zmq_errno()));
        start_over(link, reason);
        return;
    }
    if (zwatch_open(link->loop, link->socket, on_readable, link, &link->watch) < 0) {
        start_over(link, "out of file descriptors or memory");
        return;
    }
    metric_add(&counter_link_opened, link->peer, 1);
    link->hello_sent = false;
    link->heard_us = clock_mono_us();
    /* The last reason stays: nothing is better yet. */
    char reason[160];
    snprintf(reason, sizeof(reason), "%s", link->reason);
    change_state(link, LINK_GREETING, reason);
    try_hello(link);
    timer_start(link->timer, GREETING_TICK_MS, GREETING_TICK_MS);
}

static void greet(struct link *link)
{
    if (clock_mono_us() - link->since_us > WELCOME_US) {
        start_over(link, link->hello_sent ? "connected, but not welcomed within 5 s"
                                          : "nobody answers, or our key is refused");
    } else if (!link->hello_sent) {
        try_hello(link);
    }
}

static void beat(struct link *link)
{
    Moment__V1__Frame frame;
    Moment__V1__Beat beat_message;

    if (clock_mono_us() - link->heard_us > SILENCE_US) {
        start_over(link, "nothing heard for 15 s");
        return;
    }
    moment__v1__beat__init(&beat_message);
    link->ops->fill_beat(link->arg, &beat_message);
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_BEAT;
    frame.beat = &beat_message;
    if (frame_send(link->socket, NULL, &frame) < 0) {
        /* IMMEDIATE: a send fails exactly when there is no connection. */
        start_over(link, "connection lost");
    }
}

static void on_tick(void *arg)
{
    struct link *link = arg;

    switch (link->state) {
    case LINK_WAITING:
        open_socket(link);
        break;
    case LINK_GREETING:
    case LINK_GREETING_AGAIN:
        greet(link);
        break;
    case LINK_UP:
        beat(link);
        break;
    }
}

static void welcomed(struct link *link, const Moment__V1__Welcome *welcome)
{
    if (welcome->protocol != FRAME_PROTOCOL) {
        start_over(link, "the peer speaks another protocol version");
        return;
    }
    timer_start(link->timer, BEAT_MS, BEAT_MS);
    change_state(link, LINK_UP, "");
    link->ops->on_up(link->arg, welcome);
}

static bool ends_the_conversation(const Moment__V1__Refuse *refuse)
{
    return refuse->reason == MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL ||
           refuse->reason == MOMENT__V1__REFUSE__REASON__REASON_UNAUTHORISED;
}

static void refused(struct link *link, const Moment__V1__Refuse *refuse)
{
    bool may_greet = refuse->reason == MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL;
    char reason[160];

    snprintf(reason, sizeof(reason), "refused: %.140s", refuse->detail);
    if (may_greet && link->state == LINK_GREETING_AGAIN) {
        return; /* of another frame that we sent before we knew */
    }
    if (may_greet && link->state == LINK_UP && clock_mono_us() - link->since_us > MEMORY_US) {
        change_state(link, LINK_GREETING_AGAIN, reason);
        try_hello(link);
        timer_start(link->timer, GREETING_TICK_MS, GREETING_TICK_MS);
    } else {
        start_over(link, reason);
    }
}

static void received(struct link *link, const Moment__V1__Frame *frame)
{
    link->heard_us = clock_mono_us();
    if (frame->kind_case == MOMENT__V1__FRAME__KIND_REFUSE &&
        ends_the_conversation(frame->refuse)) {
        refused(link, frame->refuse);
    } else if (frame->kind_case == MOMENT__V1__FRAME__KIND_WELCOME) {
        if (link->state == LINK_GREETING || link->state == LINK_GREETING_AGAIN) {
            welcomed(link, frame->welcome);
        }
    } else if (link->state == LINK_UP) {
        link->ops->on_frame(link->arg, frame);
    }
}

static void on_readable(void *arg)
{
    struct link *link = arg;
    struct frame_received message;

    /* A frame may end the link: ask for the socket again each time. */
    for (int i = 0; i < FRAMES_PER_TURN && link->socket; i++) {
        if (frame_receive(link->socket, false, &message) < 0) {
            return;
        }
        if (message.frame) {
            received(link, message.frame);
            frame_free(&message.frame);
        } else {
            start_over(link, "the peer sent what is no frame");
        }
    }
}

int link_open(struct loop *loop, const struct link_options *options, const struct link_ops *ops,
              void *arg, struct link **ret_link)
{
    assert(ops->on_up && ops->on_forgotten && ops->on_down);
    assert(ops->on_frame && ops->fill_beat);
    struct link *link = calloc(1, sizeof(*link));

    if (!link) {
        return -ENOMEM;
    }
    link->loop = loop;
    link->context = options->context;
    link->name = options->name;
    link->keys = options->keys;
    link->ops = ops;
    link->arg = arg;
    link->retry = (struct retry){.base_ms = 100, .max_ms = 10000};
    text_copy(link->reason, sizeof(link->reason), "not connected yet");
    if (!text_copy(link->peer, sizeof(link->peer), options->peer) ||
        !text_copy(link->address, sizeof(link->address), options->address) ||
        !text_copy(link->server_key, sizeof(link->server_key), options->server_key)) {
        free(link);
        return -ENAMETOOLONG;
    }
    int rc = timer_new(loop, on_tick, link, &link->timer);
    if (rc < 0) {
        free(link);
        return rc;
    }
    metric_set(&counter_link_up, link->peer, 0);
    timer_start(link->timer, 0, 0);
    *ret_link = link;
    return 0;
}

void link_close(struct link **link_at)
{
    struct link *link = *link_at;

    *link_at = NULL;
    if (!link) {
        return;
    }
    timer_free(&link->timer);
    close_socket(link);
    free(link);
}

bool link_is_up(const struct link *link)
{
    return link->state == LINK_UP;
}

bool link_is_greeting_again(const struct link *link)
{
    return link->state == LINK_GREETING_AGAIN;
}

const char *link_peer(const struct link *link)
{
    return link->peer;
}

const char *link_reason(const struct link *link)
{
    return link->reason;
}

int link_send(struct link *link, const Moment__V1__Frame *frame)
{
    return link->state == LINK_UP ? frame_send(link->socket, NULL, frame) : -ENOTCONN;
}

int link_send_bytes(struct link *link, const void *bytes, size_t len)
{
    return link->state == LINK_UP ? frame_send_bytes(link->socket, NULL, bytes, len) : -ENOTCONN;
}
