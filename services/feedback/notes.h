/* notes - praise and improvement, given about a moment, acknowledged by who it is for.
 *
 * The rule says what a note may be (rules/note.h); this says that its moment, receiver, criterion
 * and alert exist where the giver may look, and keeps it. Loop thread. */
#ifndef MOMENT_FEEDBACK_NOTES_H
#define MOMENT_FEEDBACK_NOTES_H

#include "feedback/feedback.h"

struct notes;

/* -ENOMEM. */
must_check int notes_new(struct notes **ret_notes);
void notes_free(struct notes **notes); /* accepts null in it */
void notes_forget(struct notes *notes);

/* The calls: state is the struct feedback. */
void notes_give(void *state, struct call *call);
void notes_acknowledge(void *state, struct call *call);
void notes_list(void *state, struct call *call);
void notes_get(void *state, struct call *call);

extern struct metric feedback_notes_total;

#endif
