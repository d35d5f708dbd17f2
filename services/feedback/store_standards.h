/* store_standards - the SQL of standards and their drafts. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_STANDARDS_H
#define MOMENT_FEEDBACK_STORE_STANDARDS_H

#include "io/entity.h"
#include "moment/v1/feedback.pb-c.h"

/* Drafts by standard_id; published and discarded ones too, with that state. */
extern const struct entity_kind store_standard_drafts;

/* The version with its fate. -EBADMSG for a body that can't be read, -ENOMEM. */
must_check int store_read_standard(const struct db_rows *rows, size_t row,
                                   Moment__V1__Standard **ret_message);

/* Every published version, for store_read_standard. */
void store_load_standards(struct txn *txn, db_result_fn *on_rows, void *arg);
/* One row, one bigint: how many drafts are open. */
void store_load_draft_count(struct txn *txn, db_result_fn *on_rows, void *arg);

/* A new version. -ENOMEM. */
must_check int store_save_standard(struct txn *txn, const Moment__V1__Standard *message,
                                   const char *published_by);
/* What became of a version that is there. -ENOMEM. */
must_check int store_save_fate(struct txn *txn, const Moment__V1__Standard *message);

/* Rows for store_read_standard, drafts last, by standard_id and version. standard_id "": all.
 * Without history: the newest versions, and those before them that are still in force somewhere. */
must_check int store_list_standards(struct db *db, const char *standard_id, bool history,
                                    bool with_drafts, db_result_fn *on_rows, void *arg);

#endif
