/* evaluations - what is kept of evaluations, and what their commands share.
 *
 *   evaluations.c           by the facts alone, for each ended moment; again when facts change
 *   evaluations_command.c   what every command about an evaluation begins with
 *   evaluations_draft.c     by people: saved while they listen, released, discarded
 *   evaluations_dispute.c   acknowledged, disputed, decided
 *   lists.c                 the calls that only read
 *
 * The last state of each evaluation of a moment, drafts among them, is in its contact
 * (floor.h) during an apply, and is changed there and in the tables together. What is released gets
 * a revision for every change, and a record with it; a draft has neither. Loop thread only. */
#ifndef MOMENT_FEEDBACK_EVALUATIONS_H
#define MOMENT_FEEDBACK_EVALUATIONS_H

#include "feedback/feedback.h"
#include "feedback/store_evaluations.h"

/* Characters. */
#define EVALUATION_TEXT_MAX 2000

bool evaluations_is_draft(const Moment__V1__Evaluation *evaluation);
/* May the caller see it? Drafts: their evaluator alone. */
bool evaluations_are_seen_by(struct call *call, const Moment__V1__Evaluation *evaluation);

/* As it is now, in apply; null: there is none. Borrowed until it is put again. */
Moment__V1__Evaluation *evaluations_find(const struct contact *contact, const char *evaluation_id);
/* What a moment that ended is to be evaluated on; null: no standard applies. */
const struct held_standard *evaluations_standard_for(const struct feedback *feedback,
                                                     const struct contact *contact,
                                                     const struct snapshot *snapshot);

/* The next revision: consumes the message. kind is for the counter. */
void evaluations_put(struct feedback *feedback, struct txn *txn, struct contact *contact,
                     Moment__V1__Evaluation *message, const char *kind);
/* What begins when it is released for the first time. */
void evaluations_release(struct feedback *feedback, const struct txn *txn,
                         Moment__V1__Evaluation *message);

/* --- evaluations_command.c --- */

/* A command about one moment: its contact is full in apply, and its moment can be found. */
struct evaluating {
    struct command command; /* first */
    struct id moment_id;
    bool has_moment; /* false: nobody knows such an evaluation */
    struct wanted_moment moment;
};
typedef int evaluating_fn(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                          struct problem *problem);

/* Of the moment that the request names. */
void evaluating_start(struct feedback *feedback, struct call *call, const char *moment_id,
                      evaluating_fn *apply);
/* Of the moment that this is an evaluation of. */
void evaluating_start_of(struct feedback *feedback, struct call *call, const char *evaluation_id,
                         evaluating_fn *apply);

/* In apply. The evaluation that the caller may see, or 404; then SCOPE_THING is satisfied. */
must_check int evaluating_find(struct command *command, const char *evaluation_id,
                               struct contact **ret_contact,
                               const Moment__V1__Evaluation **ret_evaluation,
                               struct problem *problem);
/* In apply. The moment's facts, a copy of its own; 404. */
must_check int evaluating_facts(struct command *command, struct snapshot *ret_snapshot,
                                struct problem *problem);
/* 422 unless the text has so many characters. */
must_check int evaluating_check_text(const char *field, const char *text, size_t min,
                                     struct problem *problem);

#endif
