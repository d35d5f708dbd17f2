/* call - answering a CALL: dispatch by table, to the roles that the row names. ask.c asks. */
#include "io/bus_parts.h"
#include "io/counters.h"
#include "io/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reply must fit a frame beside its envelope. */
#define BODY_BYTES_MAX (FRAME_BYTES_MAX - 4096)

struct call {
    struct bus *bus;          /* borrowed */
    uint64_t session_serial;  /* where the answer goes, if it is still there; 0: to ourselves */
    Moment__V1__Frame *frame; /* owned; caller's texts point into it */
    const struct call_route *route;
    void *state;               /* the handler's */
    ProtobufCMessage *request; /* owned */
    struct caller caller;
    bool is_filtered; /* call_reach was asked */
    bool is_allowed;  /* call_allows said yes */
};

const struct caller *call_caller(const struct call *call)
{
    return &call->caller;
}

const char *call_command_id(const struct call *call)
{
    return call->frame->call->command_id;
}

const ProtobufCMessage *call_request(const struct call *call)
{
    return call->request;
}

const char *call_method(const struct call *call)
{
    return call->frame->call->method;
}

const struct call_route *call_route(const struct call *call)
{
    return call->route;
}

struct reach call_reach(struct call *call)
{
    call->is_filtered = true;
    return caller_reach(&call->caller);
}

bool call_allows(struct call *call, const struct place *place)
{
    struct reach reach = caller_reach(&call->caller);
    bool is_held = reach_holds(&reach, place);

    call->is_allowed |= is_held;
    return is_held;
}

void call_was_allowed(struct call *call)
{
    call->is_filtered = true;
    call->is_allowed = true;
}

bool call_is_checked(const struct call *call)
{
    switch (call->route->scope) {
    case SCOPE_NONE:
        return false;
    case SCOPE_LIST:
        return call->is_filtered;
    case SCOPE_THING:
        return call->is_allowed;
    case SCOPE_EVERYBODY:
    case SCOPE_SELF:
    case SCOPE_WHOLE: /* admit did it */
        return true;
    }
    return false;
}

size_t call_bytes(const struct call *call)
{
    return call->frame->call->body.len;
}

static void call_free(struct call *call)
{
    assert(call->bus->calls_pending > 0);
    call->bus->calls_pending--;
    if (call->request) {
        protobuf_c_message_free_unpacked(call->request, NULL);
    }
    frame_free(&call->frame);
    free(call);
}

const char *call_outcome(uint32_t status)
{
    return status == 0 ? "ok" : status < 500 ? "refused" : "failed";
}

static void send_reply(struct call *call, Moment__V1__Reply *reply)
{
    struct session *session = bus_session(call->bus, call->session_serial);
    Moment__V1__Frame frame;

    metric_add(&counter_calls, call_outcome(reply->problem ? reply->problem->status : 0), 1);
    reply->id = call->frame->call->id;
    if (call->session_serial == 0) {
        asked_replied(call->bus, reply);
    } else if (session) {
        moment__v1__frame__init(&frame);
        frame.kind_case = MOMENT__V1__FRAME__KIND_REPLY;
        frame.reply = reply;
        session_send(session, &frame);
    }
    call_free(call);
}

void call_reply_bytes(struct call *call, const void *bytes, size_t len)
{
    Moment__V1__Reply reply;

    if (!call_is_checked(call)) {
        call_refuse(call, 500, "scope-not-checked", NULL,
                    "%s did not look whether this caller may have the answer; this is an error of "
                    "the program, please report it",
                    call_method(call));
        return;
    }
    if (len > BODY_BYTES_MAX) {
        struct problem problem;
        problem_set(&problem, 500, "answer-too-large", NULL,
                    "the answer of %s has %zu bytes; ask for less", call_method(call), len);
        call_fail(call, &problem);
        return;
    }
    moment__v1__reply__init(&reply);
    reply.body.data = (uint8_t *)(uintptr_t)bytes;
    reply.body.len = len;
    send_reply(call, &reply);
}

void call_reply(struct call *call, const ProtobufCMessage *response)
{
    uint8_t *bytes = NULL;
    size_t len = 0;

    assert(response->descriptor == call->route->response);
    if (protobuf_write(response, &bytes, &len) < 0) {
        struct problem problem;
        problem_set(&problem, 503, "out-of-memory", NULL, "the answer could not be written");
        call_fail(call, &problem);
        return;
    }
    call_reply_bytes(call, bytes, len);
    free(bytes);
}

void call_fail(struct call *call, const struct problem *problem)
{
    Moment__V1__Reply reply;
    Moment__V1__Problem message;

    problem_to_message(problem, &message);
    moment__v1__reply__init(&reply);
    reply.problem = &message;
    send_reply(call, &reply);
}

/* Null: no such method. */
static const struct call_route *find_route(const struct bus *bus, const char *method,
                                           void **ret_state)
{
    for (size_t i = 0; i < bus->options.table_count; i++) {
        const struct call_table *table = &bus->options.tables[i];
        for (size_t j = 0; j < table->count; j++) {
            if (strcmp(table->routes[j].method, method) == 0) {
                *ret_state = table->state ? table->state : bus->state;
                return &table->routes[j];
            }
        }
    }
    return NULL;
}

/* 0, or negative with problem set. */
static int admit_scope(const struct call *call, struct problem *problem)
{
    const struct call_route *route = call->route;

    if (route->scope == SCOPE_NONE) {
        problem_set(
            problem, 500, "scope-missing", "method",
            "%s does not say whose data it shows, so it shows none; this is an error of the "
            "program, please report it",
            route->method);
        return -EPERM;
    }
    if (route->scope == SCOPE_WHOLE && (call->caller.site_count || call->caller.team_count)) {
        problem_set(problem, 403, "forbidden", "method",
                    "%s concerns the whole house; this caller is limited to some sites or teams",
                    route->method);
        return -EPERM;
    }
    return 0;
}

/* 0, or negative with problem set. */
static int admit(struct call *call, struct problem *problem)
{
    const Moment__V1__Call *message = call->frame->call;

    if (call->bus->is_draining) {
        problem_set(problem, 503, "draining", NULL, "%s is going away", call->bus->name);
        return -ESHUTDOWN;
    }
    call->route = find_route(call->bus, message->method, &call->state);
    if (!call->route) {
        problem_set(problem, 404, "unknown-method", "method", "%s has no method %.80s",
                    call->bus->name, message->method);
        return -ENOENT;
    }
    if (!(call->route->roles & call->caller.roles)) {
        char have[96];
        char need[96];
        roles_list(call->caller.roles, have, sizeof(have));
        roles_list(call->route->roles, need, sizeof(need));
        problem_set(problem, 403, "forbidden", "method", "%s is open to %s; this caller is %s",
                    call->route->method, need, have);
        return -EPERM;
    }
    int rc = admit_scope(call, problem);
    if (rc < 0) {
        return rc;
    }
    struct slice body = {(const char *)message->body.data, message->body.len};
    rc = protobuf_read(call->route->request, body, &call->request);
    if (rc < 0) {
        problem_set(problem, 400, "malformed", "body", "the body is no %s",
                    call->route->request->short_name);
    }
    return rc;
}

/* The user id lives in the session, the call may outlive it: the frame keeps a copy, in the place
 * of the caller's id that nobody believes. */
static const char *keep_user_id(Moment__V1__Call *message, const char *user_id)
{
    if (!message->caller) {
        message->caller = calloc(1, sizeof(*message->caller));
        if (!message->caller) {
            return NULL;
        }
        moment__v1__caller__init(message->caller);
    }
    char *copy = strdup(user_id);
    if (!copy) {
        return NULL;
    }
    if (message->caller->name != (const char *)protobuf_c_empty_string) {
        free(message->caller->name);
    }
    message->caller->name = copy;
    return copy;
}

static bool speaks_for_a_person(const char *user_id, const Moment__V1__Call *message)
{
    return strcmp(user_id, "service:reporting") == 0 && message->caller && message->caller->id[0];
}

/* Takes the frame, unless it returns null. */
static struct call *make_call(struct bus *bus, uint64_t session_serial, const char *user_id,
                              Moment__V1__Frame **frame)
{
    struct call *call = bus->calls_pending < CALLS_PENDING_MAX ? calloc(1, sizeof(*call)) : NULL;

    if (!call) {
        return NULL;
    }
    if (!speaks_for_a_person(user_id, (*frame)->call)) {
        user_id = keep_user_id((*frame)->call, user_id);
        if (!user_id) {
            free(call);
            return NULL;
        }
    }
    call->bus = bus;
    call->session_serial = session_serial;
    call->frame = *frame;
    *frame = NULL;
    bus->calls_pending++;
    caller_find(&call->caller, user_id, call->frame->call->caller);
    return call;
}

static void answer(struct call *call)
{
    struct problem problem;

    if (admit(call, &problem) < 0) {
        call_fail(call, &problem);
    } else {
        call->route->handler(call->state, call);
    }
}

/* Fills reply, which borrows from problem and message. */
static void refuse_busy(const struct bus *bus, uint64_t id, struct problem *problem,
                        Moment__V1__Problem *message, Moment__V1__Reply *reply)
{
    problem_set(problem, 503, "busy", NULL, "%s has too many calls under way", bus->name);
    problem_to_message(problem, message);
    moment__v1__reply__init(reply);
    reply->id = id;
    reply->problem = message;
    metric_add(&counter_calls, "failed", 1);
}

void call_received(struct session *session, Moment__V1__Frame **frame)
{
    uint64_t id = (*frame)->call->id;
    struct call *call = make_call(session->bus, session->serial, session->user_id, frame);
    struct problem problem;
    Moment__V1__Problem message;
    Moment__V1__Reply reply;
    Moment__V1__Frame refusal;

    if (call) {
        answer(call);
        return;
    }
    refuse_busy(session->bus, id, &problem, &message, &reply);
    moment__v1__frame__init(&refusal);
    refusal.kind_case = MOMENT__V1__FRAME__KIND_REPLY;
    refusal.reply = &reply;
    session_send(session, &refusal);
}

void call_received_here(struct bus *bus, Moment__V1__Frame **frame)
{
    char user_id[80];
    uint64_t id = (*frame)->call->id;

    (void)snprintf(user_id, sizeof(user_id), "service:%s", bus->name);
    struct call *call = make_call(bus, 0, user_id, frame);
    struct problem problem;
    Moment__V1__Problem message;
    Moment__V1__Reply reply;

    if (call) {
        answer(call);
        return;
    }
    refuse_busy(bus, id, &problem, &message, &reply);
    asked_replied(bus, &reply);
}
