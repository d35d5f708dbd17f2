/* dispute - an agent proposes a better answer to one criterion, somebody else decides.
 *
 * An appeal can only help: a criterion is disputed for an answer that is better than the one it
 * has, each criterion is decided once, and a decision never lowers a score, also where another
 * answer opens or closes other criteria. Pure; allocates nothing; thread safe. */
#ifndef MOMENT_FEEDBACK_DISPUTE_H
#define MOMENT_FEEDBACK_DISPUTE_H

#include "feedback/rules/score.h"

/* What an answer is worth. */
struct worth {
    bool is_possible;    /* the criterion can be answered like that */
    bool not_applicable; /* leaves both sums */
    double share;        /* of the best answer, 0..1 */
};

/* Not applicable is better than all but the best answer: it takes nothing away. */
bool dispute_is_better(const struct worth *proposed, const struct worth *now);

enum dispute_refusal {
    DISPUTE_GRANTED,
    DISPUTE_NOT_THEIRS,   /* the evaluation is about somebody else */
    DISPUTE_TOO_LATE,     /* the window is over */
    DISPUTE_NO_CRITERION, /* the evaluation has none of that id */
    DISPUTE_NOT_ANSWERED, /* it was not asked, or nobody answered it */
    DISPUTE_IS_OPEN,      /* one is enough */
    DISPUTE_WAS_DECIDED,
    DISPUTE_IMPOSSIBLE, /* no such answer */
    DISPUTE_NOT_BETTER,
};

struct dispute_wish {
    bool is_theirs;
    int64_t now_us, until_us; /* until is the first moment that is too late */
    bool has_criterion, is_answered;
    bool is_open, was_decided; /* disputes of this criterion */
    struct worth proposed, present;
};
enum dispute_refusal dispute_may_raise(const struct dispute_wish *wish);

/* "" is unknown and equals nobody. */
struct dispute_arbiter {
    const char *user_id, *person_id;          /* who wants to decide */
    const char *evaluator, *evaluator_person; /* who evaluated */
    const char *raised_by, *evaluated_person; /* who is concerned */
};
/* Never who evaluated, nor who is concerned, under whatever login. */
bool dispute_may_decide(const struct dispute_arbiter *arbiter);

/* The scores after an accepted dispute: each is at least what it was before. What was unknown may
 * become known; what was known never becomes unknown. True if one had to be kept up. */
bool dispute_keep_up(const struct score *before, struct score *after);

#endif
