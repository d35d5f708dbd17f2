/* call - CALL and REPLY, both sides: dispatch by table with roles, and asking peers. */
#include "io/bus_parts.h"
#include "io/counters.h"
#include "io/json.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reply must fit a frame beside its envelope. */
#define BODY_BYTES_MAX (FRAME_BYTES_MAX - 4096)
#define METHOD_SIZE 96

struct call {
    struct bus *bus;          /* borrowed */
    uint64_t session_serial;  /* where the answer goes, if it is still there */
    Moment__V1__Frame *frame; /* owned; caller's texts point into it */
    const struct call_route *route;
    void *state;               /* the handler's */
    ProtobufCMessage *request; /* owned */
    struct caller caller;
};

/* --- roles and problems --- */

static const struct {
    const char *name;
    enum role role;
} roles[] = {
    {"leader", ROLE_LEADER},         {"coach", ROLE_COACH},       {"agent", ROLE_AGENT},
    {"integrator", ROLE_INTEGRATOR}, {"operator", ROLE_OPERATOR}, {"service", ROLE_SERVICE},
};

uint32_t role_parse(const char *name)
{
    for (size_t i = 0; i < countof(roles); i++) {
        if (strcmp(roles[i].name, name) == 0) {
            return roles[i].role;
        }
    }
    return ROLE_NOBODY;
}

const char *role_name(enum role role)
{
    for (size_t i = 0; i < countof(roles); i++) {
        if (roles[i].role == role) {
            return roles[i].name;
        }
    }
    return "nobody";
}

static bool is_listed(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return count == 0;
}

bool caller_sees_site(const struct caller *caller, const char *site)
{
    return is_listed(caller->sites, caller->site_count, site);
}

bool caller_sees_team(const struct caller *caller, const char *team)
{
    return is_listed(caller->teams, caller->team_count, team);
}

static const char *title_of(uint32_t status)
{
    switch (status) {
    case 400:
        return "The request is not valid";
    case 403:
        return "Not allowed";
    case 404:
        return "Not found";
    case 409:
        return "In conflict with what is there";
    case 413:
        return "Too large";
    case 422:
        return "Cannot be done as asked";
    case 503:
        return "Not available now";
    case 504:
        return "No answer in time";
    default:
        return status < 500 ? "Refused" : "Failed";
    }
}

void problem_set(struct problem *problem, uint32_t status, const char *type, const char *field,
                 const char *detail, ...)
{
    va_list args;
    char text[sizeof(problem->detail)];

    va_start(args, detail);
    vsnprintf(text, sizeof(text), detail, args);
    va_end(args);
    memset(problem, 0, sizeof(*problem));
    problem->status = status;
    text_copy(problem->type, sizeof(problem->type), type);
    text_copy(problem->title, sizeof(problem->title), title_of(status));
    text_copy(problem->detail, sizeof(problem->detail), text);
    text_copy(problem->field, sizeof(problem->field), field ? field : "");
}

void problem_to_message(const struct problem *problem, Moment__V1__Problem *message)
{
    moment__v1__problem__init(message);
    message->status = problem->status;
    /* protobuf-c has no const, packing does not write. */
    message->type = (char *)(uintptr_t)problem->type;
    message->title = (char *)(uintptr_t)problem->title;
    message->detail = (char *)(uintptr_t)problem->detail;
    message->field = (char *)(uintptr_t)problem->field;
}

static void problem_from_message(const Moment__V1__Problem *message, struct problem *ret_problem)
{
    memset(ret_problem, 0, sizeof(*ret_problem));
    ret_problem->status = message->status;
    text_copy(ret_problem->type, sizeof(ret_problem->type), message->type);
    text_copy(ret_problem->title, sizeof(ret_problem->title), message->title);
    text_copy(ret_problem->detail, sizeof(ret_problem->detail), message->detail);
    text_copy(ret_problem->field, sizeof(ret_problem->field), message->field);
}

/* --- answering --- */

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

static const char *outcome_of(uint32_t status)
{
    return status == 0 ? "ok" : status < 500 ? "refused" : "failed";
}

static void send_reply(struct call *call, Moment__V1__Reply *reply)
{
    struct session *session = bus_session(call->bus, call->session_serial);
    Moment__V1__Frame frame;

    metric_add(&counter_calls, outcome_of(reply->problem ? reply->problem->status : 0), 1);
    if (session) {
        reply->id = call->frame->call->id;
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

static void believe_caller(struct caller *caller, const Moment__V1__Caller *claimed)
{
    caller->id = claimed->id;
    caller->name = claimed->name;
    caller->roles = ROLE_NOBODY;
    for (size_t i = 0; i < claimed->n_roles; i++) {
        caller->roles |= role_parse(claimed->roles[i]) & ~(uint32_t)ROLE_SERVICE;
    }
    caller->sites = (const char *const *)claimed->sites;
    caller->site_count = claimed->n_sites;
    caller->teams = (const char *const *)claimed->teams;
    caller->team_count = claimed->n_teams;
    caller->person_id = claimed->person_id;
}

/* Only the web edge may speak for people; everybody else is what the key says. user_id must live as
 * long as the caller. */
static void find_caller(struct caller *caller, const char *user_id,
                        const Moment__V1__Caller *claimed)
{
    memset(caller, 0, sizeof(*caller));
    caller->id = user_id;
    caller->name = user_id;
    caller->person_id = "";
    if (strcmp(user_id, "service:reporting") == 0 && claimed && claimed->id[0]) {
        believe_caller(caller, claimed);
    } else if (strncmp(user_id, "operator:", 9) == 0) {
        caller->roles = ROLE_OPERATOR;
    } else if (strncmp(user_id, "service:", 8) == 0) {
        caller->roles = ROLE_SERVICE;
    }
}

static void list_roles(uint32_t bits, char *to, size_t size)
{
    size_t len = 0;

    text_copy(to, size, "nobody");
    for (size_t i = 0; i < countof(roles); i++) {
        if ((bits & roles[i].role) && len + 16 < size) {
            len += (size_t)snprintf(to + len, size - len, "%s%s", len ? ", " : "", roles[i].name);
        }
    }
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
        list_roles(call->caller.roles, have, sizeof(have));
        list_roles(call->route->roles, need, sizeof(need));
        problem_set(problem, 403, "forbidden", "method", "%s is open to %s; this caller is %s",
                    call->route->method, need, have);
        return -EPERM;
    }
    struct slice body = {(const char *)message->body.data, message->body.len};
    int rc = protobuf_read(call->route->request, body, &call->request);
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

static struct call *make_call(struct session *session, Moment__V1__Frame **frame)
{
    struct call *call = calloc(1, sizeof(*call));
    const char *user_id = session->user_id;

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
    call->bus = session->bus;
    call->session_serial = session->serial;
    call->frame = *frame;
    *frame = NULL;
    call->bus->calls_pending++;
    find_caller(&call->caller, user_id, call->frame->call->caller);
    return call;
}

static void reply_busy(struct session *session, uint64_t id)
{
    struct problem problem;
    Moment__V1__Problem message;
    Moment__V1__Reply reply;
    Moment__V1__Frame frame;

    problem_set(&problem, 503, "busy", NULL, "%s has too many calls under way", session->bus->name);
    problem_to_message(&problem, &message);
    moment__v1__reply__init(&reply);
    reply.id = id;
    reply.problem = &message;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_REPLY;
    frame.reply = &reply;
    metric_add(&counter_calls, "failed", 1);
    session_send(session, &frame);
}

void call_received(struct session *session, Moment__V1__Frame **frame)
{
    struct bus *bus = session->bus;
    uint64_t id = (*frame)->call->id;
    struct problem problem;
    struct call *call = bus->calls_pending < CALLS_PENDING_MAX ? make_call(session, frame) : NULL;

    if (!call) {
        reply_busy(session, id);
    } else if (admit(call, &problem) < 0) {
        call_fail(call, &problem);
    } else {
        call->route->handler(call->state, call);
    }
}

/* --- asking --- */

struct asked {
    struct asked *next;
    struct bus *bus; /* borrowed */
    uint64_t id;
    char peer[64];
    char method[METHOD_SIZE];
    const ProtobufCMessageDescriptor *response;
    struct timer *timer;
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
    metric_add(&counter_asked, outcome_of(problem ? problem->status : 0), 1);
    timer_free(&asked->timer);
    asked->on_reply(asked->arg, response, problem);
    free(asked);
}

static void on_asked_time(void *arg)
{
    struct asked *asked = arg;

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

/* Through the timer: whoever waits is told from the loop, never from inside of what went wrong. */
static void fail_soon(struct asked *asked, const char *reason)
{
    problem_set(&asked->problem, 503, "unreachable", NULL, "%s cannot be reached: %s", asked->peer,
                reason);
    timer_start(asked->timer, 0, 0);
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

static void fill_caller(Moment__V1__Caller *message, const struct caller *caller, char *names[6])
{
    moment__v1__caller__init(message);
    message->id = (char *)(uintptr_t)caller->id;
    message->name = (char *)(uintptr_t)caller->name;
    message->roles = names;
    for (size_t i = 0; i < countof(roles); i++) {
        if (caller->roles & roles[i].role) {
            names[message->n_roles++] = (char *)(uintptr_t)roles[i].name;
        }
    }
    message->sites = (char **)(uintptr_t)caller->sites;
    message->n_sites = caller->site_count;
    message->teams = (char **)(uintptr_t)caller->teams;
    message->n_teams = caller->team_count;
    if (caller->person_id) {
        message->person_id = (char *)(uintptr_t)caller->person_id;
    }
}

static int send_call(struct bus *bus, struct asked *asked, const struct caller *caller,
                     Moment__V1__Call *call)
{
    struct peer_link *at = bus_peer(bus, asked->peer);
    Moment__V1__Caller caller_message;
    char *names[countof(roles)];
    Moment__V1__Frame frame;

    if (!at) {
        return -ENOTCONN;
    }
    if (caller) {
        fill_caller(&caller_message, caller, names);
        call->caller = &caller_message;
    }
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_CALL;
    frame.call = call;
    return link_send(at->link, &frame);
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
        rc = send_call(bus, asked, caller, &call);
        free(call.body.data);
    }
    if (rc == -EMSGSIZE) {
        problem_set(&asked->problem, 413, "too-large", NULL, "the request has more than 4 MiB");
        timer_start(asked->timer, 0, 0);
    } else if (rc < 0) {
        const char *reason = bus_link_reason(bus, peer);
        fail_soon(asked, reason[0] ? reason : strerror(-rc));
    }
}
