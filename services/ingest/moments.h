/* moments - applies events: each once, to its moment, its customer, its agent.
 *
 * An event_work is one batch that becomes durable as a whole: the events of a request, of a turn of
 * the loop on a socket, of a piece of a file. Applying one event adds it to its moment, folds the
 * moment again from all its events, and emits MomentChanged with the new snapshot; events about
 * agents and gaps emit AgentChanged and SourceGap. An event_id that is already there counts as a
 * duplicate and has no effect.
 *
 * A contact that is linked to another becomes a part of that moment, for ever.
 *
 * Moments lately touched are kept with their events in a bounded cache, so that most events need no
 * read of old ones. Loop thread only; running out of memory inside apply ends the process, which
 * loses nothing. */
#ifndef MOMENT_INGEST_MOMENTS_H
#define MOMENT_INGEST_MOMENTS_H

#include "ingest/event_list.h"
#include "ingest/people.h"
#include "ingest/rules/redact.h"
#include "io/stream.h"

struct moments;

struct moments_options {
    const char *site;            /* for events without one */
    const struct people *people; /* borrowed; may change between applies */
    const struct redact *redact; /* borrowed */
    size_t cache_bytes;
    int64_t repeat_window_us;
};

must_check int moments_new(const struct moments_options *options, struct moments **ret_moments);
void moments_free(struct moments **moments);
/* After a transaction that did not commit. */
void moments_forget(struct moments *moments);
void moments_set_repeat_window(struct moments *moments, int64_t repeat_window_us);

struct event_work;
typedef void event_work_fn(struct event_work *work, int status, const struct db_error *error);

struct event_work {
    struct work work; /* must be first */
    struct moments *moments;
    struct event_list events;
    /* Extra writes in the same transaction (a file's cursor); may be null. */
    void (*write_more)(struct event_work *work, struct txn *txn);
    event_work_fn *done; /* the work and its events are freed after it returns */
    void *arg;
    uint64_t number;              /* the owner's */
    uint32_t accepted, duplicate; /* valid in done */
};

struct event_work *event_work_new(struct moments *moments, event_work_fn *done, void *arg);
void event_work_free(struct event_work *work);
/* Redacts free text and hands the batch to the stream. On failure (-ENOBUFS, -ENOTCONN, ...) the
 * work is still the caller's. */
must_check int event_work_submit(struct stream *stream, struct event_work *work);

/* The known agents that no person claims; visit gets a system and an agent. */
void moments_each_agent(const struct moments *moments,
                        void (*visit)(void *arg, const char *system, const char *agent), void *arg);

struct moments_counts {
    uint64_t folds;
    double fold_seconds;
    uint64_t cache_hits, cache_misses;
    size_t cached_bytes;
    uint64_t redactions;
};
struct moments_counts moments_counts(const struct moments *moments);

#endif
