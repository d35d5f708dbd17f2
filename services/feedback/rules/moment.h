/* moment - the facts of one moment as the rules of feedback see them.
 *
 * Filled by codec.c from a moment.v1.Moment and borrowed from it. Enumerations have the numbers of
 * the protocol; codec.c asserts it. Strings are never null: "" is unknown. Times are microseconds
 * since the Unix epoch by the source's clock, 0 unknown; durations are milliseconds, -1 unknown. */
#ifndef MOMENT_FEEDBACK_MOMENT_H
#define MOMENT_FEEDBACK_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum moment_state {
    STATE_UNKNOWN,
    STATE_STARTED,
    STATE_WAITING,
    STATE_RINGING,
    STATE_TALKING,
    STATE_HELD,
    STATE_ENDED
};

/* The outcomes that a rule asks about; the protocol has more. */
enum { OUTCOME_OPEN = 0, OUTCOME_ABANDONED = 4 };

struct visit {
    const char *queue;
    const char *agent;
    int64_t entered_at, answered_at, ended_at;
    int64_t wait_ms, ring_ms, hold_ms, hold_longest_ms;
    int32_t hold_count; /* -1 unknown */
    uint32_t offers, offer_failures;
    int outcome;
};

struct moment {
    const char *moment_id;
    const char *site;
    const char *queue; /* the first visit's */
    const char *agent; /* the last who answered */
    const char *person_id;
    const char *team_id;
    int channel;
    int direction;
    int outcome;
    enum moment_state state;
    int64_t state_since;
    int64_t started_at, ended_at;
    int64_t changed_at; /* when the event of this revision happened */
    int64_t wait_ms, ring_ms, talk_ms, hold_ms, wrap_ms;
    int32_t hold_count; /* -1 unknown */
    uint32_t transfers;
    uint32_t repeat_contacts; /* earlier contacts within the repeat window */
    bool has_csat, has_nps;
    double csat;
    double nps;
    const char *const *signals; /* the customer's own, each once */
    size_t signal_count;
    const struct visit *visits;
    size_t visit_count;
};

#endif
