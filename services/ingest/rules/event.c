#include "ingest/rules/event.h"

#include <string.h>

static const char *const type_names[] = {
    [CONTACT_STARTED] = "contact.started",
    [CONTACT_QUEUED] = "contact.queued",
    [CONTACT_OFFERED] = "contact.offered",
    [CONTACT_OFFER_FAILED] = "contact.offer_failed",
    [CONTACT_ANSWERED] = "contact.answered",
    [CONTACT_HELD] = "contact.held",
    [CONTACT_RESUMED] = "contact.resumed",
    [CONTACT_TRANSFERRED] = "contact.transferred",
    [CONTACT_AGENT_ENDED] = "contact.agent_ended",
    [CONTACT_ABANDONED] = "contact.abandoned",
    [CONTACT_LEFT_QUEUE] = "contact.left_queue",
    [CONTACT_REFUSED] = "contact.refused",
    [CONTACT_ENDED] = "contact.ended",
    [CONTACT_WRAPPED_UP] = "contact.wrapped_up",
    [CONTACT_UPDATED] = "contact.updated",
    [CONTACT_SUMMARISED] = "contact.summarised",
    [FEEDBACK_REQUESTED] = "feedback.requested",
    [FEEDBACK_RECEIVED] = "feedback.received",
    [AGENT_STATE_CHANGED] = "agent.state_changed",
    [SOURCE_GAP] = "source.gap",
    [CONTACT_LOST] = "contact.lost",
    [CONTACT_LINKED] = "contact.linked",
};
_Static_assert(countof(type_names) == EVENT_TYPES, "every type has a name");

static const char *const channel_names[] = {
    [CHANNEL_VOICE] = "voice", [CHANNEL_CHAT] = "chat",           [CHANNEL_EMAIL] = "email",
    [CHANNEL_SMS] = "sms",     [CHANNEL_MESSAGING] = "messaging", [CHANNEL_CALLBACK] = "callback",
    [CHANNEL_VIDEO] = "video", [CHANNEL_TASK] = "task",           [CHANNEL_OTHER] = "other",
};

static const char *const direction_names[] = {
    [DIRECTION_INBOUND] = "inbound",
    [DIRECTION_OUTBOUND] = "outbound",
    [DIRECTION_INTERNAL] = "internal",
};

static const char *const party_names[] = {
    [PARTY_CUSTOMER] = "customer",
    [PARTY_AGENT] = "agent",
    [PARTY_SYSTEM] = "system",
};

static const char *const presence_names[] = {
    [PRESENCE_AVAILABLE] = "available", [PRESENCE_RINGING] = "ringing",
    [PRESENCE_BUSY] = "busy",           [PRESENCE_WRAP] = "wrap",
    [PRESENCE_BREAK] = "break",         [PRESENCE_OFFLINE] = "offline",
};

static const char *const outcome_names[] = {
    [OUTCOME_COMPLETED] = "completed",
    [OUTCOME_COMPLETED_BY_CALLER] = "completed_by_caller",
    [OUTCOME_COMPLETED_BY_AGENT] = "completed_by_agent",
    [OUTCOME_ABANDONED] = "abandoned",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_EXIT_KEY] = "exit_key",
    [OUTCOME_LEFT_EMPTY] = "left_empty",
    [OUTCOME_WITHDRAWN] = "withdrawn",
    [OUTCOME_BLIND_TRANSFER] = "blind_transfer",
    [OUTCOME_ATTENDED_TRANSFER] = "attended_transfer",
    [OUTCOME_TRANSFERRED] = "transferred",
    [OUTCOME_OVERFLOWED] = "overflowed",
    [OUTCOME_CALLED_BACK] = "called_back",
    [OUTCOME_LOST_TRACK] = "lost_track",
    [OUTCOME_ANSWERED] = "answered",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_NEVER_QUEUED] = "never_queued",
    [OUTCOME_VOICEMAIL] = "voicemail",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_BOT_RESOLVED] = "bot_resolved",
};

static const char *const state_names[] = {
    [STATE_STARTED] = "started", [STATE_WAITING] = "waiting", [STATE_RINGING] = "ringing",
    [STATE_TALKING] = "talking", [STATE_HELD] = "held",       [STATE_ENDED] = "ended",
};

void event_init(struct event *event)
{
    memset(event, 0, sizeof(*event));
    const char **const texts[] = {
        &event->source,           &event->system,      &event->contact_id,   &event->site,
        &event->customer_id,      &event->entry_point, &event->queue,        &event->agent,
        &event->reason,           &event->to_queue,    &event->to_agent,     &event->to_address,
        &event->root_contact_id,  &event->instrument,  &event->comment,      &event->disposition,
        &event->customer_address, &event->agent_name,  &event->agent_queues, &event->customer_ref,
        &event->customer_signal,
    };
    for (size_t i = 0; i < countof(texts); i++)
        *texts[i] = "";
    event->wait_ms = event->ring_ms = event->talk_ms = event->hold_ms = event->wrap_ms = -1;
}

struct id event_id_of(const char *source, const char *key)
{
    const char *const parts[] = {"event", source, key};
    return id_of(parts, countof(parts));
}

const char *event_address_of(const char *number)
{
    static const char *const nobody[] = {"<unknown>",  "unknown", "anonymous", "unavailable",
                                         "restricted", "private", "asterisk",  "s"};
    for (size_t i = 0; i < countof(nobody); i++) {
        if (slice_is_nocase(slice_of(number), nobody[i]))
            return "";
    }
    return number;
}

static const char *name_of(const char *const *names, size_t count, size_t value)
{
    return value < count && names[value] ? names[value] : "";
}

static size_t number_of(const char *const *names, size_t count, struct slice name)
{
    for (size_t i = 1; i < count; i++) {
        if (names[i] && slice_is(name, names[i]))
            return i;
    }
    return 0;
}

const char *event_type_name(enum event_type type)
{
    return name_of(type_names, countof(type_names), (size_t)type);
}

const char *event_channel_name(enum channel channel)
{
    return name_of(channel_names, countof(channel_names), (size_t)channel);
}

const char *event_direction_name(enum direction direction)
{
    return name_of(direction_names, countof(direction_names), (size_t)direction);
}

const char *event_party_name(enum party party)
{
    return name_of(party_names, countof(party_names), (size_t)party);
}

const char *event_presence_name(enum presence presence)
{
    return name_of(presence_names, countof(presence_names), (size_t)presence);
}

const char *event_outcome_name(enum outcome outcome)
{
    return name_of(outcome_names, countof(outcome_names), (size_t)outcome);
}

const char *event_state_name(enum moment_state state)
{
    return name_of(state_names, countof(state_names), (size_t)state);
}

enum event_type event_type_of(struct slice name)
{
    for (size_t i = 1; i < countof(type_names); i++) {
        size_t len = strlen(type_names[i]);
        if (name.len < len || memcmp(name.at + name.len - len, type_names[i], len) != 0)
            continue;
        if (name.len == len || name.at[name.len - len - 1] == '.')
            return (enum event_type)i;
    }
    return EVENT_UNKNOWN;
}

enum channel event_channel_of(struct slice name)
{
    return (enum channel)number_of(channel_names, countof(channel_names), name);
}

enum direction event_direction_of(struct slice name)
{
    return (enum direction)number_of(direction_names, countof(direction_names), name);
}

enum party event_party_of(struct slice name)
{
    return (enum party)number_of(party_names, countof(party_names), name);
}

enum presence event_presence_of(struct slice name)
{
    if (slice_is(name, "acw"))
        return PRESENCE_WRAP;
    return (enum presence)number_of(presence_names, countof(presence_names), name);
}

enum outcome event_outcome_of(struct slice name)
{
    return (enum outcome)number_of(outcome_names, countof(outcome_names), name);
}
