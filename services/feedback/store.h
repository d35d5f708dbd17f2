/* store - SQL of feedback, one function per statement; that of alerts and of the directory is in
 * store_alerts.h and store_directory.h.
 *
 * store_load_* add reads to a transaction's load step, store_save_* writes to its apply step,
 * store_list_* ask on the reading connection. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_H
#define MOMENT_FEEDBACK_STORE_H

#include "feedback/codec.h"
#include "io/listing.h"
#include "io/stream.h"

/* A stored moment. */
struct stored_moment {
    Moment__V1__Moment *message; /* owned by who reads it */
    int64_t changed_at;
    int64_t skew_us;
};

struct stored_served {
    struct id moment_id;
    uint32_t visit;
    const char *site;
    const char *queue;
    struct served served;
};

/* Rows to plain structs. -EBADMSG for a body that can't be read, -ENOMEM. */
must_check int store_read_moment(const struct db_rows *rows, size_t row,
                                 struct stored_moment *ret_moment);
void store_read_served(const struct db_rows *rows, size_t row, struct stored_served *ret_served);

void store_load_open_moments(struct txn *txn, db_result_fn *on_rows, void *arg);
void store_load_served(struct txn *txn, int64_t since_us, db_result_fn *on_rows, void *arg);
/* The revision that was applied last; no row: none. */
void store_load_revision_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                            void *arg);
/* For store_read_moment: what is known of it, in progress or over. */
void store_load_moment_body(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                            void *arg);

/* All take a message that is borrowed; -ENOMEM. */
/* The newest state of a moment with what it is searched by. */
must_check int store_save_moment(struct txn *txn, const Moment__V1__Moment *message, bool is_open,
                                 int64_t changed_at, int64_t skew_us);
void store_save_served(struct txn *txn, const struct stored_served *served);
void store_drop_served_of(struct txn *txn, const struct id *moment_id);
void store_drop_served_before(struct txn *txn, int64_t before_us);

/* --- for the other store_*.c --- */

/* After a listing's three arguments and its reach: $4 sites, $5 teams, $6 own only, $7 person. */
#define STORE_IS_VISIBLE_WITH(unless)                                                              \
    " case when $6 then person_id = $7 and $7 <> ''"                                               \
    " else (cardinality($4::text[]) = 0 or site = any($4))"                                        \
    " and (cardinality($5::text[]) = 0 or" unless " team_id = any($5)) end"

#endif
