/* flame - a leader's consistency: promised against kept, period by period. Never a bare total.
 *
 * A period is an ISO week or a month of the leader's own zone. What was promised for it is what was
 * in force on its first day; promises begin and end with periods, so what is over cannot be
 * changed.
 *
 *   kept share   sum of min(kept, promised) / sum of promised, over the periods that are over:
 * doing more in one week does not make up for another (features.md 2.20). longest gap  the most
 * days between two acts, between the first promised day and the first act, or since the last act:
 * in the time that was promised, until now. ewma         of min(kept, promised) / promised, oldest
 * period first, lambda 0.3; it begins with the first period's share.
 *
 * Allocates nothing. The zone is used by one thread at a time. */
#ifndef MOMENT_REPORTING_FLAME_H
#define MOMENT_REPORTING_FLAME_H

#include "base/zone.h"

#include <stdbool.h>
#include <stddef.h>

#define FLAME_PERIODS_MAX 53
#define FLAME_PERIODS_DEFAULT 8
#define FLAME_LAMBDA 0.3

enum flame_step { FLAME_WEEK, FLAME_MONTH };

struct promise {
    struct date from;
    struct date until; /* the last day; year 0: it goes on */
    uint32_t times;
};

struct flame_period {
    struct date from, to;    /* first and last day */
    int64_t from_at, end_at; /* end_at is out */
    uint32_t promised, kept;
    bool is_over;
};

struct flame {
    struct flame_period periods[FLAME_PERIODS_MAX]; /* oldest first; the one under way is last */
    size_t period_count;
    uint64_t promised, kept; /* of the periods that are over; kept at most what was promised */
    bool has_gap, has_ewma;
    double longest_gap_days;
    double ewma; /* 0..1 */
};

struct flame_question {
    enum flame_step step;
    const struct promise *promises;
    size_t promise_count;
    const int64_t *acts; /* instants, ascending */
    size_t act_count;
    int64_t now;
    size_t periods; /* 1..FLAME_PERIODS_MAX to look back, with the one under way */
};

void flame_compute(struct zone *zone, const struct flame_question *question,
                   struct flame *ret_flame);
/* The start of the oldest period that such a question looks at. */
int64_t flame_begin(struct zone *zone, enum flame_step step, size_t periods, int64_t now);

#endif
