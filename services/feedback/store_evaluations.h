/* store_evaluations - the SQL of evaluations: every revision that was released, and the last state
 * of each with the drafts. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_EVALUATIONS_H
#define MOMENT_FEEDBACK_STORE_EVALUATIONS_H

#include "feedback/codec.h"
#include "io/listing.h"
#include "io/stream.h"

must_check int store_read_evaluation(const struct db_rows *rows, size_t row,
                                     Moment__V1__Evaluation **ret_message);
/* Each evaluation of a moment as it is now, drafts among them. */
void store_load_evaluations_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                               void *arg);

/* A revision, kept for ever, and what it makes of the evaluation. The message is borrowed; -ENOMEM.
 */
must_check int store_save_evaluation(struct txn *txn, const Moment__V1__Evaluation *message);
/* A draft has no revisions: it takes the place of what was saved before. */
must_check int store_save_draft(struct txn *txn, const Moment__V1__Evaluation *message);
void store_drop_draft(struct txn *txn, const char *evaluation_id);

/* One column, the moment_id; no row: there is no such evaluation. -ENOTCONN, -ENOMEM. */
must_check int store_find_moment_of(struct db *db, const struct id *evaluation_id,
                                    db_result_fn *on_rows, void *arg);

struct evaluation_filter {
    struct listing page;
    const char *moment_id; /* "" any; a UUID */
    const char *person_id; /* "" any */
    const char *evaluator; /* "" any */
    int state;             /* 0 any */
    bool history;          /* every revision; then state says nothing, and no draft is among them */
    bool by_people, mine;
};

/* They answer the call, with what its caller may see. Newest first, without what was withdrawn
 * unless that is history. */
void store_list_evaluations(struct db *db, struct call *call,
                            const struct evaluation_filter *filter);
/* adjust is asked about it. */
void store_get_evaluation(struct db *db, struct call *call, const struct id *evaluation_id,
                          listing_adjust_fn *adjust);

#endif
