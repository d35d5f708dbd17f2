/* consumer - CURSOR and QUARANTINE: applies another service's stream to our tables exactly once.
 *
 * Records become chunks; one chunk is one work on our own stream: the effects of every record, the
 * rows of those that could not be applied, and the cursor row commit together. One chunk is in
 * flight at a time. The cursor's primary key lets one of two rivals commit; the other reads the
 * cursor again. A chunk that the database refuses is halved until one record is alone, and that one
 * goes to quarantine with the error. DIVERGED and TRUNCATED halt: an operator must decide.
 *
 * A record that ends the process has no error to report. So what is applied first after a start is
 * written down before (table attempt). After three starts that ended at the same place the records
 * come one by one, and the one that ends the process alone goes to quarantine as "crashed".
 *
 * Logs nothing; on_event tells. Loop thread only. */
#ifndef MOMENT_IO_CONSUMER_H
#define MOMENT_IO_CONSUMER_H

#include "io/bus.h"

struct consumer;

enum consumer_event {
    CONSUMER_SUBSCRIBED,
    CONSUMER_RIVAL,       /* somebody else moved our cursor */
    CONSUMER_QUARANTINED, /* detail: which record and why */
    CONSUMER_HALTED,      /* detail: why */
    CONSUMER_TROUBLE,     /* tries again by itself; detail: what */
};

struct consumer_options {
    struct loop *loop; /* borrowed, as all below */
    struct bus *bus;
    struct stream *stream;
    struct db *reader;
    const char *consumer; /* our registered name */
    const char *producer; /* the peer */
    void *state;
    void (*load)(void *state, struct txn *txn, const struct record *record); /* may be null */
    int (*apply)(void *state, struct txn *txn, const char *producer, const struct record *record);
    void (*on_event)(void *arg, const char *producer, enum consumer_event event,
                     const char *detail);
    void *arg;
};

/* The bus must be connected to the producer. */
must_check int consumer_open(const struct consumer_options *options,
                             struct consumer **ret_consumer);
/* No further chunk; the one in flight ends with the stream. */
void consumer_stop(struct consumer *consumer);
/* After the stream was drained. */
void consumer_close(struct consumer **consumer);

const char *consumer_producer(const struct consumer *consumer);
/* waiting, locating, flowing, halted, stopped */
const char *consumer_state(const struct consumer *consumer);
const char *consumer_reason(const struct consumer *consumer); /* of a halt; else "" */
struct position consumer_position(const struct consumer *consumer);
uint64_t consumer_head(const struct consumer *consumer); /* UINT64_MAX: not heard yet */
uint64_t consumer_lag(const struct consumer *consumer);  /* UINT64_MAX: unknown */

#endif
