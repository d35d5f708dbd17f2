/* bus - ZeroMQ with CURVE between services: CREDIT, CURSOR, QUARANTINE, CALL/REPLY, SUBMIT.
 *
 * One ROUTER per service answers peers (stream subscriptions, calls, submissions); one DEALER per
 * peer asks. Frames are moment/v1/stream.proto. What a peer may do follows from the user id that
 * ZAP gave its key, never from what it says. See proto/README.md for the conversation.
 *
 * Who may connect: <keys_dir>/allow, lines "public_key_z85 user_id" (reloaded on SIGHUP), and keys
 * that the service adds at run time with bus_allow. User ids: "service:<name>", "operator:<name>",
 * "source:<name>".
 *
 * Calls are dispatched by the table in the service's spec: method, roles allowed, request type,
 * handler. Deny by default: a method without the caller's role answers 403, and one whose row says
 * no scope (enum call_scope), or whose handler did not ask for it, answers nobody. A caller's roles
 * are believed only from "service:reporting" (people) and "operator:*" (role operator); other
 * services call with role "service". Loop thread only. */
#ifndef MOMENT_IO_BUS_H
#define MOMENT_IO_BUS_H

#include "io/stream.h"

#include <protobuf-c/protobuf-c.h>

struct bus;

enum role {
    ROLE_LEADER = 1 << 0,
    ROLE_COACH = 1 << 1,
    ROLE_AGENT = 1 << 2,
    ROLE_INTEGRATOR = 1 << 3,
    ROLE_OPERATOR = 1 << 4,
    ROLE_SERVICE = 1 << 5,
    ROLE_NOBODY = 0,
};
uint32_t role_parse(const char *name); /* ROLE_NOBODY if unknown */
const char *role_name(enum role role);

/* Who asks; lives as long as the call. */
struct caller {
    const char *id;
    const char *name;
    uint32_t roles; /* enum role bits */
    const char *const *sites;
    size_t site_count; /* 0: every site */
    const char *const *teams;
    size_t team_count;
    const char *person_id; /* of the directory; "" or null: nobody of it */
};
bool caller_sees_site(const struct caller *caller, const char *site);
bool caller_sees_team(const struct caller *caller, const char *team);

/* How far a caller sees. Borrowed from the caller. Services and operators have no limits; an agent
 * who is operator as well sees no more moments for it. */
struct reach {
    const char *const *sites;
    size_t site_count; /* 0: every site */
    const char *const *teams;
    size_t team_count; /* 0: every team */
    bool is_own_only;  /* an agent: what is about person_id or made by user_id, wherever it is */
    const char *person_id; /* never null; "": nobody of the directory */
    const char *user_id;
};
struct reach caller_reach(const struct caller *caller);

/* Where a thing is and who it is about; null and "" are unknown. */
struct place {
    const char *site;
    const char *team;
    const char *person_id; /* who it is about */
    const char *author_id; /* the user who made it */
    bool is_of_every_team; /* while it has no team, each team of its site looks after it: who waits,
                            * a queue */
};

/* May somebody of that reach touch a thing there? Pure.
 *
 * is_own_only: it is about person_id, or user_id made it; sites and teams don't matter then, and an
 * unknown person is nobody. Else its site is among sites and its team among teams, where there are
 * such limits. What has no site or no team is therefore only seen by who has no limit to sites or
 * teams, but for is_of_every_team. Lists say the same in SQL:
 *   case when $own then (person_id = $person and $person <> '') or author_id = $user
 *   else (cardinality($sites) = 0 or site = any($sites)) and
 *        (cardinality($teams) = 0 or team_id = any($teams)) end */
bool reach_holds(const struct reach *reach, const struct place *place);

struct problem {
    uint32_t status; /* HTTP */
    char type[48];   /* "invalid-field" */
    char title[96];
    char detail[512];
    char field[128];
};
void problem_set(struct problem *problem, uint32_t status, const char *type, const char *field,
                 const char *detail, ...) printf_like(5, 6);

/* One call being answered: exactly one of call_reply, call_fail and call_refuse must be called, now
 * or later; the call is gone after that. */
struct call;
const struct caller *call_caller(const struct call *call);
const char *call_command_id(const struct call *call); /* "" for queries */
/* Decoded request of the route's type, owned by the call. */
const ProtobufCMessage *call_request(const struct call *call);
void call_reply(struct call *call, const ProtobufCMessage *response);
void call_fail(struct call *call, const struct problem *problem);
/* problem_set and call_fail. */
void call_refuse(struct call *call, uint32_t status, const char *type, const char *field,
                 const char *detail, ...) printf_like(5, 6);
/* How far the caller sees; asking marks the call as filtered, which SCOPE_LIST demands. */
struct reach call_reach(struct call *call);
/* reach_holds for the caller. One yes is what SCOPE_THING demands. For a command that is in apply,
 * before its first write, or before command_start; an answer out of `seen` was allowed to the same
 * caller when it was made. A command that applied without it ends the process: only that keeps the
 * effect from committing. */
bool call_allows(struct call *call, const struct place *place);
/* The same refusal for what is not there and for what may not be seen: 404 "not-found". what:
 * "note". Returns -ENOENT. */
int call_not_found(struct problem *problem, const char *field, const char *what);
/* May who has seen if_revision change what is at that revision? -EINVAL: 428 "revision-required"
 * when it says none, -ESTALE: 412 "stale" into problem. For what exists; a request that names a
 * revision of what does not is stale as well: revision 0. */
must_check int call_check_revision(struct problem *problem, uint32_t if_revision,
                                   uint32_t revision);

/* A call that changes tables. State, records and the packed answer (a row of `seen`, source
 * "command:<caller id>") commit together; the same command_id gets the stored answer and apply does
 * not run again. The same command_id with another method is refused with 409. */
struct command;
typedef void command_load_fn(struct command *command, struct txn *txn);
/* Fill problem and return negative to refuse; else set *ret_response (malloc'd message that is
 * freed with protobuf_c_message_free_unpacked) and return 0. */
typedef int command_apply_fn(struct command *command, struct txn *txn,
                             ProtobufCMessage **ret_response, struct problem *problem);
struct command {
    struct work work; /* must be first; from command_new, freed when it is over */
    struct call *call;
    void *state;           /* the service's */
    command_load_fn *load; /* may be null */
    command_apply_fn *apply;
    /* May be null. Called when it is durable: true keeps the answer back until command_settled, for
     * effects that the caller may rely on at once and that come after the commit. */
    bool (*settle)(struct command *command);
    void (*finish)(struct command *command); /* may be null: free what hangs on it, not itself */
    void *private_data;                      /* command.c */
};
/* size bytes that begin with a struct command, zero but for what is given. Never null: out of
 * memory ends the process. */
void *command_new(size_t size, struct call *call, void *state, command_load_fn *load,
                  command_apply_fn *apply);
/* Submits the command's work to the stream of this bus; answers the call when durable. */
void command_start(struct bus *bus, struct command *command);
/* Once, after settle returned true: answers the call; the command is gone after that. */
void command_settled(struct command *command);

/* What a method's rows and things are compared with, beside the role. A method that says nothing is
 * closed: deny by default. */
enum call_scope {
    SCOPE_NONE = 0,  /* forgotten: every call is refused with 500 "scope-missing" */
    SCOPE_EVERYBODY, /* no scope: names, definitions, what is public in the house */
    SCOPE_SELF,      /* about the caller alone; the handler uses nothing but the caller's id */
    SCOPE_LIST,      /* the handler filters rows by call_reach; 500 "scope-not-checked" without */
    SCOPE_THING,     /* the handler asks call_allows about the thing; likewise */
    SCOPE_WHOLE,     /* callers that are limited to sites or teams are refused with 403 */
};

struct call_route {
    const char *method; /* "feedback.ListAlerts" */
    uint32_t roles;     /* enum role bits */
    enum call_scope scope;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
    void (*handler)(void *state, struct call *call);
};

/* Ask a peer, or ourselves under our own name: by the same table, with the same checks. on_reply:
 * from the loop, exactly one of response (owned by the bus, valid during the call) and
 * problem is set; timeouts and lost links are problems with status 503 and 504. caller null: this
 * service itself. command_id "" or null for queries, and for nothing else: a peer that restarts
 * while it is asked is asked again, which only a query or a command_id makes harmless. */
typedef void call_reply_fn(void *arg, const ProtobufCMessage *response,
                           const struct problem *problem);
void bus_call(struct bus *bus, const char *peer, const char *method, const struct caller *caller,
              const char *command_id, const ProtobufCMessage *request,
              const ProtobufCMessageDescriptor *response, uint32_t deadline_ms,
              call_reply_fn *on_reply, void *arg);

/* Events submitted by integrators over ZeroMQ (ingest only). */
struct submission;
const char *submission_user(const struct submission *submission); /* "source:<name>" */
struct slice submission_body(const struct submission *submission);
/* Exactly one of these, when durable or refused. Frees the submission. */
void submission_accept(struct submission *submission, uint32_t accepted, uint32_t duplicate);
void submission_refuse(struct submission *submission, const struct problem *problem);

/* --- the bus itself: made by service_main, and by momentctl as a client --- */

struct call_table {
    const struct call_route *routes;
    size_t count;
    void *state; /* what the handlers get; null: that of bus_set_state */
};

struct bus_options {
    const char *name; /* whose key pair: "ingest", "operator"; copied */
    const char *keys_dir;
    /* The rest is for services; all null for a client. */
    struct stream *stream;           /* borrowed */
    const struct call_table *tables; /* borrowed */
    size_t table_count;
    void (*submitted)(void *state, struct submission *submission); /* null: SUBMIT is refused */
    /* Logs; may be null. reason is "" when up. */
    void (*on_link)(void *arg, const char *peer, bool is_up, const char *reason);
    void *arg;
};

/* Keys, the one ZeroMQ context and (for a service) the ZAP handler with <keys_dir>/allow; no socket
 * is bound yet. error is a sentence for people. */
must_check int bus_open(struct loop *loop, const struct bus_options *options, struct bus **ret_bus,
                        char *error, size_t error_size);
/* What handlers and submitted get; set it before bus_bind. */
void bus_set_state(struct bus *bus, void *state);
/* "tcp://127.0.0.1:7101"; port * picks one. */
must_check int bus_bind(struct bus *bus, const char *address, char *error, size_t error_size);
const char *bus_endpoint(const struct bus *bus); /* "" before bus_bind */
/* Opens the link to a peer and keeps it open. The peer's key is <keys_dir>/<peer>.public. */
must_check int bus_connect(struct bus *bus, const char *peer, const char *address, char *error,
                           size_t error_size);
bool bus_link_is_up(const struct bus *bus, const char *peer);
const char *bus_link_reason(const struct bus *bus, const char *peer); /* why not; "" if up */
/* Reads <keys_dir>/allow again and cuts the sessions that it no longer allows. */
must_check int bus_reload(struct bus *bus, char *error, size_t error_size);
/* Refuse new calls, submissions and subscriptions; answers under way still go out. */
void bus_drain(struct bus *bus);
void bus_close(struct bus **bus);

must_check int bus_allow(struct bus *bus, const char *public_key_z85, const char *user_id);
void bus_disallow(struct bus *bus, const char *user_id); /* also cuts its sessions */
/* A new CURVE key pair in z85, 41 bytes each. In bus_keys.c. */
void bus_new_keys(char public_key[41], char secret_key[41]);

#endif
