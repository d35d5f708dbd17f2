/* store_coaching - the SQL of coaching sessions, and of the results that tell their effect. Loop
 * thread only. */
#ifndef MOMENT_FEEDBACK_STORE_COACHING_H
#define MOMENT_FEEDBACK_STORE_COACHING_H

#include "io/entity.h"
#include "io/listing.h"
#include "moment/v1/feedback.pb-c.h"

#define STORE_COACHING_HELD_BYTES ((size_t)16 * 1024 * 1024)
/* What happened longer before or after the session has other reasons. */
#define STORE_EFFECT_DAYS 366

/* Sessions by session_id; ids must be UUIDs. */
extern const struct entity_kind store_coaching;

/* Call it for every revision of an evaluation that is saved, drafts too: what it says of each
 * criterion takes the place of what the revision before said. */
void store_save_results(struct txn *txn, const Moment__V1__Evaluation *evaluation);

/* "" and 0: any. */
struct coaching_filter {
    const char *attendee;
    int state;
};

/* What the caller may see: sessions that they coach or attend, and where sees_all all those within
 * their scope. */
void store_list_coaching(struct call *call, struct db *db, const struct coaching_filter *filter,
                         const struct reach *reach, bool sees_all, const struct listing *listing);
/* One column, the body; no row: it is not there, or not for the caller. */
must_check int store_ask_coaching(struct db *db, const struct id *session_id,
                                  const struct reach *reach, bool sees_all, db_result_fn *on_rows,
                                  void *arg);
/* Columns is_after, moment_id, met: up to `wanted` moments of the attendee on each side of held_at
 * that were evaluated on the session's criterion, the nearest first. */
must_check int store_ask_effect(struct db *db, const Moment__V1__CoachingSession *session,
                                uint32_t wanted, db_result_fn *on_rows, void *arg);

#endif
