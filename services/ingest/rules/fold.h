/* fold - the state of a moment from the set of its events: pure, order-independent, idempotent.
 *
 * Any permutation and any duplication (same event_id) of the same events gives the same moment, to
 * the last field. Where EVIDENCE_RECORD and EVIDENCE_LIVE tell of the same visit, the record
 * decides queue, agent, outcome and whether the visit was; live gives what the record lacks (finer
 * times when they agree within 1 s, rings, holds, offers). design: rules.md, Moments.
 *
 * Events of contacts that were linked (CONTACT_LINKED) are folded together with their root's: give
 * the events of the root and of all its children for the root's moment, and the child's own events
 * for the child's, which then says merged_into_contact and counts nowhere.
 *
 * quality: clock_skew (live and record disagree by more than 2 s, or times run backwards),
 * contradicted (live told of a visit that the record denies), derived_answered_at, ended_in_gap,
 * incomplete (something between start and end was never told), lost_track, second_resolution
 * (times are whole seconds), source_gap (events of it may be missing), talk_includes_hold,
 * too_many_events, too_many_visits. */
#ifndef MOMENT_INGEST_FOLD_H
#define MOMENT_INGEST_FOLD_H

#include "ingest/rules/event.h"

#include <stddef.h>

#define FOLD_VISITS_MAX 64
#define FOLD_QUALITY_MAX 12
#define FOLD_SIGNALS_MAX 16
/* Events of one moment that are folded; later ones (in canonical order) are dropped and the moment
 * is flagged "too_many_events". */
#define FOLD_EVENTS_MAX 4096

struct visit {
    const char *queue;
    int64_t entered_at, answered_at, ended_at;
    const char *agent;
    int64_t wait_ms, ring_ms, talk_ms, hold_ms, hold_longest_ms;
    int32_t hold_count; /* -1 unknown */
    enum outcome outcome;
    enum party ended_by;
    uint32_t offers, offer_failures;
    bool has_csat; /* csat is on the scale of 1 to 5 */
    double csat;
};

struct moment {
    enum channel channel;
    enum direction direction;
    const char *customer_id;
    int64_t started_at, ended_at;
    const char *queue; /* the first visit's */
    const char *agent; /* the last who answered */
    enum outcome outcome;
    enum party ended_by;
    int64_t wait_ms, ring_ms, talk_ms, hold_ms, wrap_ms;
    int32_t hold_count;
    uint32_t transfers;
    bool has_csat;
    double csat;
    int32_t nps; /* -1 unknown */
    const char *disposition;
    const char *quality[FOLD_QUALITY_MAX]; /* static strings, sorted */
    size_t quality_count;
    const char *signals[FOLD_SIGNALS_MAX]; /* the customer's first ones, each once, sorted */
    size_t signal_count;
    enum moment_state state;
    int64_t state_since;
    const char *merged_into_contact; /* CONTACT_LINKED: the root contact, else "" */
    struct visit visits[FOLD_VISITS_MAX];
    size_t visit_count;
};

/* order is scratch of count entries, owned by the caller. Strings of ret_moment are borrowed from
 * events. Reads no clock. */
void fold(const struct event *events, size_t count, uint32_t *order, struct moment *ret_moment);

#endif
