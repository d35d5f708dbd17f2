/* ask - our own calls to peers, from CALL to REPLY, deadline or lost link. call.c answers, also
 * what a service asks itself. */
#include "io/bus_parts.h"
#include "io/counters.h"
#include "io/json.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define METHOD_SIZE 96

struct asked {
    struct asked *next;
    struct bus *bus; /* borrowed */
    uint64_t id;
    char peer[64];
    char method[METHOD_SIZE];
    const ProtobufCMessageDescriptor *response;
    uint8_t *bytes; /* owned: the packed frame, for a peer that restarts */
    size_t len;
    struct timer *timer;
    uint32_t deadline_ms;
    bool is_for_us; /* and waits for its turn of the loop */
    call_reply_fn *on_reply;
    void *arg;
    struct problem problem; /* what the timer will say */
};

static struct asked *asked_take(struct bus *bus, uint64_t id)
{
    struct asked **at = &bus->asked;

    while (*at && (*at)->id != id) {
        at = &(*at)->next;
    }
    struct asked *asked = *at;
    if (asked) {
        *at = asked->next;
    }
    return asked;
}

/* The end of every question. */
static void asked_end(struct asked *asked, const ProtobufCMessage *response,
                      const struct problem *problem)
{
    metric_add(&counter_asked, call_outcome(problem ? problem->status : 0), 1);
    timer_free(&asked->timer);
    asked->on_reply(asked->arg, response, problem);
    free(asked->bytes);
    free(asked);
}

/* Through the timer: whoever waits is told from the loop, never from inside of what went wrong. */
static void fail_soon(struct asked *asked, const char *reason)
{
    free(asked->bytes); /* not sent any more: its end is decided */
    asked->bytes = NULL;
    asked->is_for_us = false;
    problem_set(&asked->problem, 503, "unreachable", NULL, "%s cannot be reached: %s", asked->peer,
                reason);
    timer_start(asked->timer, 0, 0);
}

/* Like a peer's: dispatched from the loop, as a frame of its own. */
static void answer_here(struct asked *asked)
{
    Moment__V1__Frame *frame = NULL;
    struct slice bytes = {(const char *)asked->bytes, asked->len};

    asked->is_for_us = false;
    timer_start(asked->timer, asked->deadline_ms, 0);
    if (frame_read(bytes, &frame) < 0) {
        fail_soon(asked, "out of memory");
        return;
    }
    call_received_here(asked->bus, &frame);
    frame_free(&frame);
}

static void on_asked_time(void *arg)
{
    struct asked *asked = arg;

    if (asked->is_for_us) {
        answer_here(asked);
        return;
    }
    asked_take(asked->bus, asked->id);
    asked_end(asked, NULL, &asked->problem);
}

void asked_replied(struct bus *bus, const Moment__V1__Reply *reply)
{
    struct asked *asked = asked_take(bus, reply->id);
    ProtobufCMessage *response = NULL;
    struct problem problem;

    if (!asked) {
        return; /* answered after its deadline */
    }
    if (reply->problem) {
        problem_from_message(reply->problem, &problem);
        asked_end(asked, NULL, &problem);
        return;
    }
    struct slice body = {(const char *)reply->body.data, reply->body.len};
    if (protobuf_read(asked->response, body, &response) < 0) {
        problem_set(&problem, 502, "malformed", NULL, "the answer of %s is no %s", asked->method,
                    asked->response->short_name);
        asked_end(asked, NULL, &problem);
        return;
    }
    asked_end(asked, response, NULL);
    protobuf_c_message_free_unpacked(response, NULL);
}

void asked_lost(struct bus *bus, const char *peer, const char *reason)
{
    for (struct asked *asked = bus->asked; asked; asked = asked->next) {
        if (strcmp(asked->peer, peer) == 0) {
            fail_soon(asked, reason);
        }
    }
}

void asked_drop_all(struct bus *bus)
{
    struct problem problem;

    problem_set(&problem, 503, "closing", NULL, "%s is going away", bus->name);
    while (bus->asked) {
        struct asked *asked = asked_take(bus, bus->asked->id);
        asked_end(asked, NULL, &problem);
    }
}

static int pack_call(struct asked *asked, const struct caller *caller, Moment__V1__Call *call)
{
    Moment__V1__Caller caller_message;
    char *names[ROLES];
    Moment__V1__Frame frame;

    if (caller) {
        caller_to_message(caller, &caller_message, names);
        call->caller = &caller_message;
    }
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_CALL;
    frame.call = call;
    return protobuf_write(&frame.base, &asked->bytes, &asked->len);
}

/* A call that finds its peer greeted again waits for the WELCOME, as those before it do. */
static void send_asked(struct asked *asked)
{
    if (strcmp(asked->peer, asked->bus->name) == 0) {
        asked->is_for_us = true;
        timer_start(asked->timer, 0, 0);
        return;
    }
    struct peer_link *at = bus_peer(asked->bus, asked->peer);
    int rc = at ? link_send_bytes(at->link, asked->bytes, asked->len) : -ENOTCONN;

    if (rc == -EMSGSIZE) {
        problem_set(&asked->problem, 413, "too-large", NULL, "the request has more than 4 MiB");
        timer_start(asked->timer, 0, 0);
    } else if (rc < 0 && !(at && link_is_greeting_again(at->link))) {
        const char *reason = bus_link_reason(asked->bus, asked->peer);
        fail_soon(asked, reason[0] ? reason : strerror(-rc));
    }
}

void asked_send_again(struct bus *bus, const char *peer)
{
    for (struct asked *asked = bus->asked; asked; asked = asked->next) {
        if (strcmp(asked->peer, peer) == 0 && asked->bytes) {
            send_asked(asked);
        }
    }
}

static struct asked *make_asked(struct bus *bus, const char *peer, const char *method,
                                const ProtobufCMessageDescriptor *response)
{
    struct asked *asked = calloc(1, sizeof(*asked));

    assert(asked); /* there is nobody to tell: on_reply needs its timer */
    asked->bus = bus;
    asked->id = ++bus->last_call_id;
    asked->response = response;
    text_copy(asked->peer, sizeof(asked->peer), peer);
    text_copy(asked->method, sizeof(asked->method), method);
    int rc = timer_new(bus->loop, on_asked_time, asked, &asked->timer);
    assert(rc == 0);
    asked->next = bus->asked;
    bus->asked = asked;
    return asked;
}

void bus_call(struct bus *bus, const char *peer, const char *method, const struct caller *caller,
              const char *command_id, const ProtobufCMessage *request,
              const ProtobufCMessageDescriptor *response, uint32_t deadline_ms,
              call_reply_fn *on_reply, void *arg)
{
    struct asked *asked = make_asked(bus, peer, method, response);
    Moment__V1__Call call;

    asked->on_reply = on_reply;
    asked->arg = arg;
    asked->deadline_ms = deadline_ms;
    problem_set(&asked->problem, 504, "timeout", NULL, "%s did not answer %s within %u ms", peer,
                method, deadline_ms);
    timer_start(asked->timer, deadline_ms, 0);

    moment__v1__call__init(&call);
    call.id = asked->id;
    call.method = asked->method;
    call.command_id = (char *)(uintptr_t)(command_id ? command_id : "");
    call.deadline_ms = deadline_ms;
    int rc = protobuf_write(request, &call.body.data, &call.body.len);
    if (rc == 0) {
        rc = pack_call(asked, caller, &call);
        free(call.body.data);
    }
    if (rc < 0) {
        fail_soon(asked, strerror(-rc));
    } else {
        send_asked(asked);
    }
}
