/* store_flame - the SQL of flame and accountability: acts, rhythms, notes, fatal failures.
 *
 * As in store.h: what takes a txn writes, what takes a db asks on the reading connection and
 * returns what db_query returns. */
#ifndef MOMENT_REPORTING_STORE_FLAME_H
#define MOMENT_REPORTING_STORE_FLAME_H

#include "base/id.h"
#include "io/bus.h"
#include "io/listing.h"
#include "io/stream.h"
#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/reporting.pb-c.h"

/* Counts once, however often it is put. -ENOMEM. */
must_check int store_put_act(struct txn *txn, const struct id *act_id,
                             const Moment__V1__Act *message);
void store_drop_act(struct txn *txn, const struct id *act_id);
must_check int store_put_rhythm(struct txn *txn, const Moment__V1__Rhythm *rhythm);
/* The first telling counts: what an acknowledgement adds is the owner's to show. */
void store_put_note(struct txn *txn, const Moment__V1__Note *note);
void store_drop_fatals(struct txn *txn, const char *evaluation_id);
void store_put_fatal(struct txn *txn, const Moment__V1__Evaluation *evaluation,
                     const Moment__V1__CriterionResult *result);

/* Columns: is_act, user_id, practice, at, body (of a rhythm); rhythms first, then acts by user (in
 * the order of bytes), practice and time. user_id "": everybody's. Acts since `since` of those who
 * promised something; of more than 100,000 the newest. */
must_check int store_ask_flame(struct db *db, const char *user_id, int64_t since,
                               db_result_fn *on_rows, void *arg);

/* Answers reporting.ListActs. */
void store_list_acts(struct call *call, struct db *db, const struct listing *listing,
                     const Moment__V1__ListActsRequest *request, listing_adjust_fn *adjust);

/* What a row of the account is. Columns in this order:
 *   0 kind, 1 key (user or person), 2 name, 3 site, 4 team_id, 5 praise, 6 improvement,
 *   7 median_ms, 8 p90_ms, 9 n (of the times; of moments of a receiver), 10 at (last feedback; end
 * of the moment), 11 moment_id, 12 criterion_title, 13 evaluation_id */
enum account_row { ACCOUNT_TOTAL, ACCOUNT_GIVER, ACCOUNT_RECEIVER, ACCOUNT_FATALS, ACCOUNT_FATAL };

struct account_question {
    struct reach reach;
    const char *site; /* "": any */
    const char *team_id;
    int64_t from, to;
};
/* ACCOUNT_FATALS has all of them in 5 and the unanswered in 6. */
must_check int store_ask_account(struct db *db, const struct account_question *question,
                                 db_result_fn *on_rows, void *arg);

#endif
