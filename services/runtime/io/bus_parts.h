/* bus_parts - what bus.c, feed.c, call.c, ask.c, command.c, submit.c, consumer.c and listing.c know
 * of each other. Nobody else includes this. */
#ifndef MOMENT_IO_BUS_PARTS_H
#define MOMENT_IO_BUS_PARTS_H

#include "io/bus.h"
#include "io/frame.h"
#include "io/link.h"
#include "io/zap.h"
#include "io/zwatch.h"

#define SESSIONS_MAX 1000
/* Of one source's key. */
#define SESSIONS_PER_SOURCE 32
#define CALLS_PENDING_MAX 1000
#define SUBMIT_CREDIT (1024 * 1024)

struct feed;
struct asked;

/* A peer that said HELLO to our ROUTER. Calls and submissions outlive it, so they hold its serial
 * and look it up when they have an answer. */
struct session {
    struct session *next;
    struct bus *bus; /* borrowed */
    uint64_t serial;
    struct frame_address address;
    char user_id[80];
    char key[48];
    int64_t heard_us;
    struct feed *feed;   /* owned; null: not subscribed */
    size_t submit_bytes; /* submitted and unanswered */
};

/* Who listens to what a peer streams to us. */
struct subscriber {
    void (*on_up)(void *arg, const Moment__V1__Welcome *welcome);
    void (*on_down)(void *arg);
    void (*on_data)(void *arg, const Moment__V1__Data *data);
    void (*on_beat)(void *arg, const Moment__V1__Beat *beat);
    void (*on_refuse)(void *arg, const Moment__V1__Refuse *refuse);
};

struct peer_link {
    struct peer_link *next;
    struct bus *bus; /* borrowed */
    struct link *link;
    const struct subscriber *subscriber; /* null: nobody */
    void *subscriber_arg;
};

struct bus {
    struct loop *loop; /* borrowed */
    char name[64];
    char keys_dir[256];
    struct bus_options options;
    void *state;
    void *context;
    struct curve_keys keys;
    struct zap *zap; /* null: a client */
    void *router;
    struct zwatch *watch;
    char endpoint[256];
    struct timer *timer;
    struct session *sessions;
    size_t session_count;
    uint64_t last_serial;
    struct peer_link *links;
    size_t calls_pending;
    struct asked *asked; /* our calls without a reply */
    uint64_t last_call_id;
    bool is_draining;
};

/* --- bus.c --- */
struct session *bus_session(struct bus *bus, uint64_t serial); /* null: gone */
/* A failed send means that the peer is gone; its session ends at the next tick. */
void session_send(struct session *session, const Moment__V1__Frame *frame);
void session_send_bytes(struct session *session, const void *bytes, size_t len);
void session_refuse(struct session *session, Moment__V1__Refuse__Reason reason, const char *detail);
struct peer_link *bus_peer(struct bus *bus, const char *peer); /* null: not connected to it */
/* on_up is called at once if the link is up already. */
must_check int bus_subscribe(struct bus *bus, const char *peer, const struct subscriber *subscriber,
                             void *arg);
void bus_unsubscribe(struct bus *bus, const char *peer);

/* --- feed.c: the sending side of a stream --- */
void feed_open(struct session *session, const Moment__V1__Subscribe *subscribe);
void feed_credit(struct feed *feed, const Moment__V1__Credit *credit);
void feed_close(struct feed **feed);

/* --- call.c --- */
/* Takes the frame: it lives as long as the call. */
void call_received(struct session *session, Moment__V1__Frame **frame);
/* The same for what we ask ourselves; the caller still frees what is left in frame. */
void call_received_here(struct bus *bus, Moment__V1__Frame **frame);
/* Answers with bytes that are packed already. */
void call_reply_bytes(struct call *call, const void *bytes, size_t len);
const char *call_outcome(uint32_t status); /* of a problem, 0: none; for counters */
const char *call_method(const struct call *call);
const struct call_route *call_route(const struct call *call);
size_t call_bytes(const struct call *call);
/* The answer is one that this caller got before. */
void call_was_allowed(struct call *call);
/* Was asked what the route's scope demands? */
bool call_is_checked(const struct call *call);

/* --- ask.c --- */
void asked_replied(struct bus *bus, const Moment__V1__Reply *reply);
/* The peer forgot what we asked and knows us again. */
void asked_send_again(struct bus *bus, const char *peer);
void asked_lost(struct bus *bus, const char *peer, const char *reason);
void asked_drop_all(struct bus *bus);

/* --- submit.c --- */
void submit_received(struct session *session, Moment__V1__Frame **frame);

/* --- problem.c --- */
/* Fills message, which borrows from problem. */
void problem_to_message(const struct problem *problem, Moment__V1__Problem *message);
void problem_from_message(const Moment__V1__Problem *message, struct problem *ret_problem);

/* --- caller.c --- */
#define ROLES 6
/* Only the web edge may speak for people; everybody else is what the key says. user_id must live as
 * long as the caller. */
void caller_find(struct caller *caller, const char *user_id, const Moment__V1__Caller *claimed);
/* Fills message, which borrows from caller and names. */
void caller_to_message(const struct caller *caller, Moment__V1__Caller *message,
                       char *names[ROLES]);
/* "leader, coach" */
void roles_list(uint32_t bits, char *to, size_t size);

#endif
