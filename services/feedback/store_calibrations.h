/* store_calibrations - the SQL of calibration sessions. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_CALIBRATIONS_H
#define MOMENT_FEEDBACK_STORE_CALIBRATIONS_H

#include "io/entity.h"
#include "io/listing.h"

#define STORE_CALIBRATIONS_HELD_BYTES ((size_t)16 * 1024 * 1024)

/* Calibrations by calibration_id with their entries; ids must be UUIDs. */
extern const struct entity_kind store_calibrations;

/* Columns calibration_id (text), body with its entries: those that are open and whose deadline is
 * at `now` or before it, at most `limit`. */
void store_load_due_calibrations(struct txn *txn, int64_t now, int32_t limit, db_result_fn *on_rows,
                                 void *arg);
/* One column, a time or null: the soonest deadline of what is open. */
void store_load_next_deadline(struct txn *txn, db_result_fn *on_rows, void *arg);

/* What the caller may see: the sessions they made or take part in; leaders also those of the sites
 * they look after. */
struct calibration_reader {
    const struct reach *reach;
    bool is_leader;
};
/* Answers the call, newest first, without entries. */
void store_list_calibrations(struct call *call, struct db *db,
                             const struct calibration_reader *reader,
                             const struct listing *listing);
/* One column, the body with its entries; no row: there is none that the caller may see. */
must_check int store_get_calibration(struct db *db, const struct id *calibration_id,
                                     const struct calibration_reader *reader, db_result_fn *on_rows,
                                     void *arg);

#endif
