#include "feedback/rules/dispute.h"

#include <string.h>

/* Shares are quotients of what people wrote: equal within this. */
#define SAME_SHARE 1e-9
#define SAME_SCORE 1e-9
#define BEST (1.0 - SAME_SHARE)

bool dispute_is_better(const struct worth *proposed, const struct worth *now)
{
    if (now->not_applicable) {
        return !proposed->not_applicable && proposed->share >= BEST;
    }
    if (proposed->not_applicable) {
        return now->share < BEST;
    }
    return proposed->share > now->share + SAME_SHARE;
}

enum dispute_refusal dispute_may_raise(const struct dispute_wish *wish)
{
    if (!wish->is_theirs) {
        return DISPUTE_NOT_THEIRS;
    }
    if (wish->now_us >= wish->until_us) {
        return DISPUTE_TOO_LATE;
    }
    if (!wish->has_criterion) {
        return DISPUTE_NO_CRITERION;
    }
    if (!wish->is_answered) {
        return DISPUTE_NOT_ANSWERED;
    }
    if (wish->is_open) {
        return DISPUTE_IS_OPEN;
    }
    if (wish->was_decided) {
        return DISPUTE_WAS_DECIDED;
    }
    if (!wish->proposed.is_possible) {
        return DISPUTE_IMPOSSIBLE;
    }
    return dispute_is_better(&wish->proposed, &wish->present) ? DISPUTE_GRANTED
                                                              : DISPUTE_NOT_BETTER;
}

static bool is_same(const char *a, const char *b)
{
    return a[0] != '\0' && strcmp(a, b) == 0;
}

bool dispute_may_decide(const struct dispute_arbiter *arbiter)
{
    return !is_same(arbiter->user_id, arbiter->evaluator) &&
           !is_same(arbiter->person_id, arbiter->evaluator_person) &&
           !is_same(arbiter->user_id, arbiter->raised_by) &&
           !is_same(arbiter->person_id, arbiter->evaluated_person);
}

/* Keeps the value up at what it was; true if that is more than rounding. */
static bool keep_up(bool was_known, double before, bool is_known, double *after)
{
    double now = *after;

    if (!was_known || (is_known && now >= before)) {
        return false;
    }
    *after = before;
    return !is_known || before - now > SAME_SCORE;
}

bool dispute_keep_up(const struct score *before, struct score *after)
{
    bool is_kept = keep_up(before->is_known, before->raw, after->is_known, &after->raw);

    is_kept |= keep_up(before->is_known, before->final, after->is_known, &after->final);
    is_kept |= keep_up(before->is_critical_known, before->critical, after->is_critical_known,
                       &after->critical);
    after->is_known |= before->is_known;
    after->is_critical_known |= before->is_critical_known;
    return is_kept;
}
