/* rhythms - what leaders and coaches promise to do, each for themselves.
 *
 * Those that go on are in memory, changed together with their rows by applies. Loop thread. */
#ifndef MOMENT_FEEDBACK_RHYTHMS_H
#define MOMENT_FEEDBACK_RHYTHMS_H

#include "feedback/feedback.h"

struct rhythms;

/* -ENOMEM. */
must_check int rhythms_new(struct rhythms **ret_rhythms);
void rhythms_free(struct rhythms **rhythms); /* accepts null in it */
void rhythms_forget(struct rhythms *rhythms);

/* The calls: state is the struct feedback. */
void rhythms_declare(void *state, struct call *call);
void rhythms_end(void *state, struct call *call);
void rhythms_list(void *state, struct call *call);

#endif
