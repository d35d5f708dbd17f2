/* calibrations - several people answer one standard on the same moments, blind; then they compare.
 *
 * While a session is open each sees their own entries alone, and how many everybody has submitted;
 * what was submitted can be submitted anew. It closes by itself when all have submitted all, or at
 * its deadline, which a timer keeps also after a restart; then everybody sees everything, with how
 * far they agree (rules/calibration.h). Who made it may cancel it before: then it stays blind.
 * Entries are no evaluations: no score of anybody's knows of them.
 *
 * Who takes part may answer on the moments of the session wherever they are: its maker, who could
 * see them, asked for it. Loop thread. */
#ifndef MOMENT_FEEDBACK_CALIBRATIONS_H
#define MOMENT_FEEDBACK_CALIBRATIONS_H

#include "feedback/feedback.h"

struct calibrations;

/* The timer starts with it. -ENOMEM. */
must_check int calibrations_new(struct feedback *feedback, struct calibrations **ret_calibrations);
/* No more timer. */
void calibrations_stop(struct calibrations *calibrations);
void calibrations_free(struct calibrations **calibrations); /* accepts null in it */
void calibrations_forget(struct calibrations *calibrations);

/* The calls: state is the struct feedback. */
void calibrations_create(void *state, struct call *call);
void calibrations_submit(void *state, struct call *call);
void calibrations_cancel(void *state, struct call *call);
void calibrations_list(void *state, struct call *call);
void calibrations_get(void *state, struct call *call);

extern struct metric feedback_calibrations_total;

#endif
