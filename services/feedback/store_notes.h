/* store_notes - the SQL of notes. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_NOTES_H
#define MOMENT_FEEDBACK_STORE_NOTES_H

#include "io/entity.h"
#include "io/listing.h"

#define STORE_NOTES_HELD_BYTES ((size_t)16 * 1024 * 1024)

/* Notes by note_id; ids must be UUIDs. */
extern const struct entity_kind store_notes;

/* One column, a UUID: what the giver's last NOTE_RECENT praise notes are compared by. */
void store_load_recent_praise(struct txn *txn, const char *giver, db_result_fn *on_rows, void *arg);
/* Columns standard_id, standard_version: what counts for the moment, the newest evaluation first.
 */
void store_load_standards_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                             void *arg);
/* One column, the body. */
void store_load_alert(struct txn *txn, const struct id *alert_id, db_result_fn *on_rows, void *arg);

/* "" and 0: any. */
struct note_filter {
    const char *moment_id; /* a UUID */
    const char *receiver;
    const char *giver;
    int kind;
    bool unacknowledged;
};

/* Both answer the call with what the caller may see: what they gave or got; within their scope
 * praise that is not private and, where sees_improvement, improvements. */
void store_list_notes(struct call *call, struct db *db, const struct note_filter *filter,
                      const struct reach *reach, bool sees_improvement,
                      const struct listing *listing);
void store_get_note(struct call *call, struct db *db, const struct id *note_id,
                    const struct reach *reach, bool sees_improvement);

#endif
