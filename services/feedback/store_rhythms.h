/* store_rhythms - the SQL of rhythms. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_RHYTHMS_H
#define MOMENT_FEEDBACK_STORE_RHYTHMS_H

#include "io/listing.h"
#include "moment/v1/feedback.pb-c.h"

#define STORE_RHYTHMS_MAX 2000

/* One column, the body: every rhythm that goes on, or ended lately. */
void store_load_rhythms(struct txn *txn, db_result_fn *on_rows, void *arg);
/* -ENOMEM. */
must_check int store_save_rhythm(struct txn *txn, const Moment__V1__Rhythm *rhythm);
/* Answers the call: of one user, "" everybody; by user and practice, the latest first; at most
 * STORE_RHYTHMS_MAX. */
void store_list_rhythms(struct call *call, struct db *db, const char *user_id);

#endif
