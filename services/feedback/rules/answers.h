/* answers - from what was answered and measured to the results of an evaluation: one pure function.
 *
 * The text of an answer: "yes" or "no", a choice_id, or a whole number without leading zeros, as
 * the criterion's scale has it; "n/a" where that is allowed. A measured criterion's is "met",
 * "not_met", or "n/a" when there was nothing to measure.
 *
 * A criterion counts with the share that its answer is worth of its best one, whatever its scale:
 * so weights compare. It is met when its answer is the best. One whose condition does not hold is
 * not asked, and one that nobody answered yet does not count either: both leave both sums of the
 * score. A condition looks at an earlier criterion only; one that was not asked or not answered
 * meets none.
 *
 * Borrows all strings; allocates nothing; thread safe. */
#ifndef MOMENT_FEEDBACK_ANSWERS_H
#define MOMENT_FEEDBACK_ANSWERS_H

#include "feedback/rules/measure.h"
#include "feedback/rules/standard.h"

#define ANSWER_YES "yes"
#define ANSWER_NO "no"
#define ANSWER_MET "met"
#define ANSWER_NOT_MET "not_met"
#define ANSWER_NOT_APPLICABLE "n/a"

#define ANSWER_COMMENT_BYTES_MAX 4000

/* What somebody said to an observed criterion. "" for answer: not yet. */
struct answer {
    const char *criterion_id;
    const char *answer;
    const char *comment;
};

/* What became of one criterion. */
struct judged {
    const char *answer;  /* "": not asked, or not answered */
    const char *comment; /* "": none */
    bool is_asked;       /* its condition holds */
    bool applies;        /* it counts in the sums; the rest below is zero without */
    bool met;
    bool wow;
    bool unacceptable;
    bool fatal_failed;
    double points;          /* 0 .. points_possible */
    double points_possible; /* > 0 also when it does not apply */
    bool has_actual;
    double actual; /* what was measured */
};

/* About 10 kB. criteria[i] is of the standard's criteria[i]; so are the score's indexes. */
struct judgement {
    struct judged criteria[STANDARD_CRITERIA_MAX];
    size_t count;
    struct score score;
};

/* Is this an answer that the criterion can get? "" is none. */
bool answer_is_possible(const struct criterion *criterion, const char *answer);
/* The points of the best answer: 1 for yes/no and measured ones. */
double answer_best(const struct criterion *criterion);
/* The points of an answer that is possible and not "n/a". */
double answer_points(const struct criterion *criterion, const char *answer);

/* Adds what can't be kept, even as a draft: answers to what is not asked of people or not there,
 * two to the same, impossible ones, comments that are too long. Fields: "answers[2].answer". */
void answers_check(const struct standard *standard, const struct answer *answers, size_t count,
                   struct objections *objections);

/* measured: one for each of the standard's criteria, looked at for measured ones; null: nothing is
 * known of the moment. answers went through answers_check: an impossible one counts as none. The
 * standard has at most STANDARD_CRITERIA_MAX criteria. */
void answers_judge(const struct standard *standard, const struct measurement *measured,
                   const struct answer *answers, size_t count, struct judgement *ret_judgement);

/* Adds what has to be said before an evaluation may be released: a criterion that was asked and not
 * answered ("answers.<criterion_id>.answer"), a comment that its answer needs
 * ("answers.<criterion_id>.comment"). */
void answers_missing(const struct standard *standard, const struct judgement *judgement,
                     struct objections *objections);

#endif
