/* coaching - sessions between a coach and who is coached: planned, held, followed up.
 *
 * A session is its coach's and its attendee's; other coaches of the attendee's site and team see it
 * and may take it over. coaching.c has what changes sessions, coaching_read.c what shows them with
 * their effect. Loop thread. */
#ifndef MOMENT_FEEDBACK_COACHING_H
#define MOMENT_FEEDBACK_COACHING_H

#include "feedback/feedback.h"

struct coaching;

/* -ENOMEM. */
must_check int coaching_new(struct coaching **ret_coaching);
void coaching_free(struct coaching **coaching); /* accepts null in it */
void coaching_forget(struct coaching *coaching);

/* The calls: state is the struct feedback. */
void coaching_plan(void *state, struct call *call);
void coaching_edit(void *state, struct call *call);
void coaching_move(void *state, struct call *call);
void coaching_acknowledge(void *state, struct call *call);
void coaching_list(void *state, struct call *call);
void coaching_get(void *state, struct call *call);

#endif
