/* sampling - which moments a coach looks at: a quota for each person and period, owed to those who
 * were not looked at for the longest, drawn so that nobody can choose or foresee what is drawn.
 *
 * Periods are civil days, ISO weeks and months in the plan's time zone. Of a period with quota q
 * the slot k (0 .. q-1) opens when k/q of the period is over, so that the draws are spread over it
 * and the last one leaves 1/q of it for the work. A slot is drawn from the moments that ended since
 * the same slot opened one period earlier: each moment stands in the draws of q slots, whatever its
 * weekday or hour, and none is left out. Of those that had ended when the slot opened the one with
 * the lowest hash of (seed, period, slot, person, moment) is drawn; where there is none, the first
 * that ended after that. What was drawn before, by whatever plan, is no candidate.
 *
 * A person has at most quota draws in a period: those of all slots that opened, less what was drawn
 * in the period already, also under an earlier form of the plan.
 *
 * Pure, but for the zone, which is not thread safe; allocates nothing. */
#ifndef MOMENT_FEEDBACK_RULES_SAMPLING_H
#define MOMENT_FEEDBACK_RULES_SAMPLING_H

#include "base/zone.h"
#include "feedback/rules/standard.h"

#define SAMPLING_QUOTA_MAX 20
#define SAMPLING_TITLE_MAX 200    /* characters */
#define SAMPLING_SEED_MAX 64      /* characters */
#define SAMPLING_NAMES_MAX 50     /* sites, teams, queues */
#define SAMPLING_FILTERS_SIZE 512 /* bytes of the sentence */
#define SAMPLING_NEVER (-1)       /* days of debt to who was never evaluated */

/* --- a plan --- */

/* Numbers of the protocol. */
enum sampling_kind { SAMPLING_UNKNOWN, SAMPLING_DAY, SAMPLING_WEEK, SAMPLING_MONTH };

/* Strings are never null. What is empty or 0 doesn't filter. */
struct sampling_plan {
    const char *plan_id;
    const char *title;
    const char *const *sites;
    size_t site_count;
    const char *const *teams;
    size_t team_count;
    const char *const *queues;
    size_t queue_count;
    const int *channels; /* numbers of the protocol */
    size_t channel_count;
    uint32_t talk_at_least_ms, talk_at_most_ms;
    uint32_t quota;
    int kind; /* enum sampling_kind, or anything */
    const char *time_zone;
    const char *seed; /* "": one is made */
};

/* channels: how many numbers there are, all below that. -EINVAL with the first of what is wrong,
 * -ENOMEM. */
must_check int sampling_check(const struct sampling_plan *plan, int channels,
                              struct objection *ret_objection);
/* What the plan draws from, as a sentence; a list that is too long ends with how many more. */
const char *sampling_filters(const struct sampling_plan *plan, const char *const *channel_names,
                             char text[SAMPLING_FILTERS_SIZE]);

/* --- its periods --- */

struct sampling_span {
    int64_t from, to; /* [from, to) */
};

/* The period that the instant is in; the one before it, the one after it. */
struct sampling_span sampling_period(struct zone *zone, enum sampling_kind kind, int64_t at);
struct sampling_span sampling_before(struct zone *zone, enum sampling_kind kind,
                                     const struct sampling_span *span);
struct sampling_span sampling_after(struct zone *zone, enum sampling_kind kind,
                                    const struct sampling_span *span);

/* slot < quota. */
int64_t sampling_opens_at(const struct sampling_span *span, uint32_t quota, uint32_t slot);
/* How many slots are open: 0 before the period, quota at its end. */
uint32_t sampling_due(const struct sampling_span *span, uint32_t quota, int64_t now);

/* --- a draw --- */

struct sampling_candidate {
    const char *moment_id;
    int64_t ended_at;
    bool is_drawn;
};

struct sampling_slot {
    const char *seed, *person_id;
    int64_t period_from;
    uint32_t slot;
    int64_t since_at; /* when the same slot opened one period earlier */
    int64_t opens_at;
};

/* Marks and returns the one that is drawn; null: there is none. */
struct sampling_candidate *sampling_draw(const struct sampling_slot *slot,
                                         struct sampling_candidate *candidates, size_t count);

/* Whole days since the last evaluation; SAMPLING_NEVER for last_at 0. */
int32_t sampling_debt(int64_t last_at, int64_t now);
/* By what the queue of samples is ordered, the greatest first: the newest day's draw (of UTC), in
 * it the greatest debt. */
int64_t sampling_rank(int64_t drawn_at, int32_t debt_days);

/* --- what was not drawn --- */

struct sampling_shortage {
    uint32_t quota, drawn;
    /* Of the moments of the person that the period's slots were drawn from. */
    int64_t moments, passed, unseen; /* passed the filters; of those, neither evaluated nor drawn */
};

#define SAMPLING_REASON_SIZE 200
const char *sampling_reason(const struct sampling_shortage *shortage,
                            char text[SAMPLING_REASON_SIZE]);

#endif
