#include "ingest/rules/idle.h"

#include <stdio.h>

int64_t idle_due_at(enum moment_state state, int64_t last_activity_at, int64_t limit_us)
{
    if (state == STATE_ENDED || limit_us <= 0 || last_activity_at > INT64_MAX - limit_us)
        return INT64_MAX;
    return last_activity_at + limit_us;
}

bool idle_is_lost(enum moment_state state, int64_t last_activity_at, int64_t now, int64_t limit_us)
{
    int64_t due_at = idle_due_at(state, last_activity_at, limit_us);
    return due_at != INT64_MAX && now >= due_at;
}

void idle_lost_event(const char *source, const char *system, const char *contact_id,
                     int64_t last_occurred_at, int64_t now, struct event *ret_event)
{
    char stamp[24];
    (void)snprintf(stamp, sizeof(stamp), "%lld", (long long)last_occurred_at);
    event_init(ret_event);
    const char *const parts[] = {"event", source, "lost", system, contact_id, stamp};
    ret_event->event_id = id_of(parts, countof(parts));
    ret_event->source = source;
    ret_event->system = system;
    ret_event->contact_id = contact_id;
    ret_event->type = CONTACT_LOST;
    ret_event->evidence = EVIDENCE_LIVE;
    ret_event->occurred_at = last_occurred_at;
    ret_event->received_at = now;
    ret_event->sequence = INT64_MAX; /* after whatever happened in that instant */
}
