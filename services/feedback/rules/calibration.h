/* calibration - several people answer the same standard on the same moments: do they agree?
 *
 * Agreement. A pair is two people's answers on one criterion of one moment; the one who is named
 * first in the session is the first of each pair. A pair counts when both were asked and answered.
 *   agreement  po = pairs with the same answer / pairs
 *   kappa      (po - pe) / (1 - pe), Cohen's, over the pairs of two-valued answers (yes or no, met
 *              or not met); pe = p1(yes) p2(yes) + p1(no) p2(no), of the first and the second of
 *              the pairs. Unknown where there are no such pairs or pe is 1.
 *   closeness  pairs of known final scores on one moment, and how many lie within 10 points.
 * Raw counts, so that who shows a share can say of how many. Pure; allocates nothing; thread safe.
 */
#ifndef MOMENT_FEEDBACK_CALIBRATION_H
#define MOMENT_FEEDBACK_CALIBRATION_H

#include "feedback/rules/standard.h"

#define CALIBRATION_MOMENTS_MAX 20
#define CALIBRATION_PEOPLE_MIN 2
#define CALIBRATION_PEOPLE_MAX 20
#define CALIBRATION_DAYS_MAX 60
#define CALIBRATION_TITLE_MAX 200      /* characters */
#define CALIBRATION_NAME_BYTES_MAX 200 /* of a user's id, of a name */
#define CALIBRATION_POINTS 10.0

struct calibration_person {
    const char *user_id, *name;
    bool is_expert;
};

/* Strings are never null. */
struct calibration_wish {
    const char *title;
    const struct calibration_person *people;
    size_t person_count;
    const char *const *moment_ids;
    size_t moment_count;
    int64_t deadline_at;
};

/* -EINVAL with the first of what is wrong. */
must_check int calibration_check(const struct calibration_wish *wish, int64_t now,
                                 struct objection *ret_objection);

/* What one person said to one moment. */
struct calibration_entry {
    size_t person, moment;      /* their places in the session; no two entries of the same two */
    const char *const *answers; /* by criterion; "": not asked or not answered */
    bool is_known;
    double score; /* the final one */
};

struct calibration_agreement {
    uint32_t pairs, agreed;
    bool has_kappa;
    double kappa;
};
/* is_two_valued: kappa is asked for. */
void calibration_agree(const struct calibration_entry *entries, size_t count, size_t criterion,
                       bool is_two_valued, struct calibration_agreement *ret_agreement);

struct calibration_closeness {
    uint32_t pairs, within;
};
struct calibration_closeness calibration_closeness(const struct calibration_entry *entries,
                                                   size_t count);

#endif
