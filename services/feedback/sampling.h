/* sampling - which moments coaches look at next: plans, what they draw, the queue of samples.
 *
 *   sampling.c          plans edited and listed; a sample taken, given back, done
 *   sampling_draws.c    by a timer: periods that are over are settled, slots that opened are drawn
 *
 * The rule is rules/sampling.h. Each look at the plans goes on from what the tables say, a few
 * people at a time, so that it may be cut off anywhere. After an outage the periods that were
 * missed are settled as far as their moments are known: nothing is drawn in them any more.
 *
 * A removed or disabled plan draws nothing; what it drew stays in the queue until its period ends.
 * Loop thread. */
#ifndef MOMENT_FEEDBACK_SAMPLING_H
#define MOMENT_FEEDBACK_SAMPLING_H

#include "feedback/feedback.h"
#include "feedback/store_sampling.h"

struct sampling;

/* The timer starts with it. -ENOMEM. */
must_check int sampling_new(struct feedback *feedback, struct sampling **ret_sampling);
/* No more timer. */
void sampling_stop(struct sampling *sampling);
void sampling_free(struct sampling **sampling); /* accepts null in it */
void sampling_forget(struct sampling *sampling);

/* The calls: state is the struct feedback. */
void sampling_save_plan(void *state, struct call *call);
void sampling_remove_plan(void *state, struct call *call);
void sampling_list_plans(void *state, struct call *call);
void sampling_list_samples(void *state, struct call *call);

/* --- for evaluations: at most one sample is about a moment --- */

/* In load, before any of the rest. */
void sampling_load(struct feedback *feedback, struct txn *txn, const struct id *moment_id);
/* May the caller's draft answer this sample? sample_id "" answers none: yes. 404 what the caller
 * may not see; 422 what is about another moment; 409 what somebody else works on, and what is over.
 * contact: of the moment, full. */
must_check int sampling_check_take(struct feedback *feedback, struct call *call,
                                   const struct contact *contact, const char *sample_id,
                                   struct problem *problem);
/* After that, when the draft is saved: the sample is the caller's, and the draft says why its
 * moment is looked at. draft is of a kind that can be changed. */
void sampling_take(struct feedback *feedback, struct txn *txn, const struct caller *caller,
                   const char *sample_id, Moment__V1__Evaluation *draft);
/* The draft is discarded: back in the queue, unless its period is over. */
void sampling_give_back(struct feedback *feedback, struct txn *txn,
                        const Moment__V1__Evaluation *draft);
/* The draft was released. */
void sampling_finish(struct feedback *feedback, struct txn *txn,
                     const Moment__V1__Evaluation *evaluation);

/* --- between the two files --- */

struct sampling_run;

struct sampling {
    struct feedback *feedback; /* borrowed */
    struct entities *plans;    /* owned */
    struct entities *samples;  /* owned */
    struct timer *timer;       /* owned */
    struct sampling_run *run;  /* owned; null: none is under way */
    bool wants_again;          /* something changed since the run began */
};

/* The plain form; borrows all, channels has room for SAMPLING_NAMES_MAX. */
struct sampling_plan sampling_plain(const Moment__V1__SamplingPlan *plan, int *channels);
/* The sentence that is kept with each sample. */
const char *sampling_filters_of(const Moment__V1__SamplingPlan *plan,
                                char text[SAMPLING_FILTERS_SIZE]);
/* Row and stream record. Consumes sample. */
void sampling_put(struct feedback *feedback, struct txn *txn, Moment__V1__Sample *sample);
/* Of the one sample that can be about a moment. */
const char *sampling_id_of(const char *moment_id, char text[ID_TEXT_SIZE]);
/* Look at the plans at once. */
void sampling_soon(struct sampling *sampling);
/* For sampling_new and sampling_free; arg is the struct sampling. */
void sampling_on_time(void *arg);
void sampling_drop_run(struct sampling *sampling);

extern struct metric feedback_samples_total;

#endif
