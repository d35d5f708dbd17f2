/* idle - when a moment of which nothing more is heard counts as lost. Pure.
 *
 * last_activity_at: the greatest received_at (not occurred_at: a replay of old days is not idle) of
 * the moment's events. Times in microseconds. */
#ifndef MOMENT_INGEST_IDLE_H
#define MOMENT_INGEST_IDLE_H

#include "ingest/rules/event.h"

#define IDLE_LIMIT_DEFAULT_S (4 * 3600)

/* Ended moments are never lost. A limit of 0 turns it off. */
bool idle_is_lost(enum moment_state state, int64_t last_activity_at, int64_t now, int64_t limit_us);
/* When to look again: never before this. INT64_MAX if never. */
int64_t idle_due_at(enum moment_state state, int64_t last_activity_at, int64_t limit_us);
/* The CONTACT_LOST to be folded: occurred_at is last_occurred_at (the newest occurred_at of the
 * moment's events), so that any later fact reopens the moment. Strings are borrowed. */
void idle_lost_event(const char *source, const char *system, const char *contact_id,
                     int64_t last_occurred_at, int64_t now, struct event *ret_event);

#endif
