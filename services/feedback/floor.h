/* floor - what goes on right now, in memory: contacts with their alerts, queues, source clocks.
 *
 * Everything here is also in the tables and can be dropped at any time (a transaction that did not
 * commit) and loaded again. Containers only: nothing is decided and nothing is written here.
 * Allocation failure is a null or -ENOMEM. Loop thread. */
#ifndef MOMENT_FEEDBACK_FLOOR_H
#define MOMENT_FEEDBACK_FLOOR_H

#include "feedback/codec.h"
#include "feedback/rules/source_clock.h"
#include "feedback/store.h"

struct held_alert {
    Moment__V1__Alert *message; /* owned */
    uint32_t number;
    int64_t escalate_at; /* 0: climbs no more */
};

/* One moment: in progress, with open alerts, or touched lately. */
struct contact {
    struct contact *next;
    struct id id;
    uint32_t revision;         /* applied last; 0: none */
    struct snapshot snapshot;  /* message null: not in progress */
    Moment__V1__Moment *over;  /* owned; as it ended, while that is remembered; may be null */
    struct held_alert *alerts; /* owned */
    size_t alert_count;
    Moment__V1__Evaluation **evaluations; /* owned, the last revision of each */
    size_t evaluation_count;
    bool is_wanted;     /* its rows were asked for */
    bool is_full;       /* and are here */
    uint64_t used_by;   /* the last transaction that loaded it */
    int64_t watched_at; /* looked at last as of this time, our clock */
    /* Nothing changes by itself before: by the source's clock, and by ours. */
    int64_t next_source_at;
    int64_t next_at;
};

struct served_visit {
    struct id moment_id;
    uint32_t visit;
};

/* Where one queue rule stands in one queue. */
struct queue_alarm {
    struct alarm alarm;
    uint32_t crossings;         /* so far */
    Moment__V1__Alert *message; /* the last; owned, may be null */
    int64_t escalate_at;
};

struct queue {
    struct queue *next;
    char *site, *name, *subject; /* owned */
    struct served *served;       /* owned, parallel to visits */
    struct served_visit *visits; /* owned */
    size_t served_count, served_room;
    struct queue_alarm *alarms; /* owned, one for each rule */
    size_t alarm_count;
    int64_t stepped_at;
    int64_t next_at;
};

struct source {
    struct source *next;
    char *name; /* owned */
    struct source_clock clock;
};

struct floor {
    struct contact **buckets; /* owned */
    size_t contact_count;
    size_t idle_count; /* about how many could be dropped */
    struct queue *queues;
    struct source *sources;
    size_t rule_count; /* alarms of each queue */
};

must_check int floor_init(struct floor *floor);
/* Drops everything; ready for use again. */
void floor_clear(struct floor *floor);
void floor_done(struct floor *floor);

struct contact *floor_find(const struct floor *floor, const struct id *id);
struct contact *floor_find_or_add(struct floor *floor, const struct id *id);
/* Every contact, in no order. The visitor must not add or drop contacts. */
void floor_each(const struct floor *floor, void (*visit)(struct contact *contact, void *arg),
                void *arg);
/* Drops contacts that are over, have no open alert and were not loaded by this transaction. */
void floor_tidy(struct floor *floor, uint64_t serial);

bool alert_is_open(const Moment__V1__Alert *alert); /* raised or acknowledged */
bool contact_has_open_alert(const struct contact *contact);
/* Consumes *message. */
must_check int contact_add_alert(struct contact *contact, Moment__V1__Alert **message,
                                 uint32_t number, int64_t escalate_at);
void contact_drop_alerts(struct contact *contact);
/* Consumes *message; takes the place of one with the same evaluation_id. */
must_check int contact_put_evaluation(struct contact *contact, Moment__V1__Evaluation **message);
void contact_drop_evaluation(struct contact *contact, const char *evaluation_id);
void contact_drop_evaluations(struct contact *contact);

struct queue *floor_queue(struct floor *floor, const char *site, const char *name);
/* After the rules changed: new alarms for every queue, none of them raised. */
must_check int floor_reset_alarms(struct floor *floor);
/* One more rule, the last one. */
must_check int floor_add_alarm(struct floor *floor);
/* How many wait in a queue, and since when the first of them, by our clock. */
size_t floor_waiting(const struct floor *floor, const struct queue *queue, int64_t trust_us,
                     int64_t *ret_oldest_at);
/* True if it was not there or said something else. */
must_check int queue_put_served(struct queue *queue, const struct served_visit *visit,
                                const struct served *served, bool *ret_changed);
bool queue_drop_served_of(struct queue *queue, const struct id *moment_id);
void queue_drop_served_before(struct queue *queue, int64_t before);

struct source *floor_source(struct floor *floor, const char *name);
/* The skew of a contact's source. */
int64_t floor_skew(const struct floor *floor, const struct contact *contact, int64_t trust_us);

#endif
