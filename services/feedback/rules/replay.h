/* replay - how often would a rule have fired over moments that are over?
 *
 * The same decisions as live (alert.h), on what is left of the past. Rules about a moment are put
 * to each moment by itself, as if it had been seen the day after. For rules about a queue the queue
 * is rebuilt: who was in it from when to when, who came out and how; then time is walked through
 * from one change to the next, with hysteresis and cooldown. Where several change in the same
 * instant, those who leave are first.
 *
 * What the past cannot tell is told: of several holds or ringings of a visit only the longest or
 * the last is known. Give moments in any order; what leads up to the time that is asked about, too
 * (replay_lead_us), so that queues and quiet times are as they were.
 *
 * Bounded: replay_take refuses what is too much. Pure but for the memory that it owns; not thread
 * safe. Times are microseconds by the source's clock. */
#ifndef MOMENT_FEEDBACK_REPLAY_H
#define MOMENT_FEEDBACK_REPLAY_H

#include "base/id.h"
#include "feedback/rules/alert.h"

#define REPLAY_DAYS_MAX 40
#define REPLAY_EXAMPLES_MAX 20
#define REPLAY_STAYS_MAX 400000

struct replay;

struct replay_example {
    int64_t at;
    struct id moment_id;
};

struct replay_result {
    uint32_t fired;
    uint32_t fired_on[REPLAY_DAYS_MAX];
    uint32_t moments; /* looked at that ended in the time asked about */
    /* Newest first, each moment once. */
    struct replay_example examples[REPLAY_EXAMPLES_MAX];
    size_t example_count;
    bool may_be_more; /* holds or ringings that left no trace */
    bool failed;      /* out of memory: nothing here counts */
};

/* The days are those from days[i] to days[i + 1], count of them, so days has count + 1 entries in
 * order. rule is borrowed until replay_free. -ENOMEM. */
must_check int replay_new(const struct alert_rule *rule, const int64_t *days, size_t count,
                          struct replay **ret_replay);
void replay_free(struct replay **replay); /* accepts null in it */
/* How long before the first day moments are of interest. */
int64_t replay_lead_us(const struct alert_rule *rule);

/* Where a rule counts may depend on more than the rule: covers is asked about each crossing and
 * each queue. */
typedef bool replay_covers_fn(void *arg, const char *site, const char *queue, const char *team);
/* One moment that is over. -ENOBUFS: there are too many; -ENOMEM. */
must_check int replay_take(struct replay *replay, const struct id *moment_id,
                           const struct moment *moment, replay_covers_fn *covers, void *arg);
/* Walks through what was taken; once. May take some 100 ms: not on the loop thread. */
void replay_run(struct replay *replay);
const struct replay_result *replay_result(const struct replay *replay);

#endif
