/* event - the plain form of a normalised event (moment.v1.Event), and the moment folded from
 * events.
 *
 * Enumerations have the numbers of proto/moment/v1/ingest.proto; codec.c asserts it. Strings are
 * borrowed and never null: "" is unknown. Times are microseconds since the Unix epoch, 0 unknown;
 * durations are milliseconds, -1 unknown. */
#ifndef MOMENT_INGEST_EVENT_H
#define MOMENT_INGEST_EVENT_H

#include "base/id.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum event_type {
    EVENT_UNKNOWN,
    CONTACT_STARTED,
    CONTACT_QUEUED,
    CONTACT_OFFERED,
    CONTACT_OFFER_FAILED,
    CONTACT_ANSWERED,
    CONTACT_HELD,
    CONTACT_RESUMED,
    CONTACT_TRANSFERRED,
    CONTACT_AGENT_ENDED,
    CONTACT_ABANDONED,
    CONTACT_LEFT_QUEUE,
    CONTACT_REFUSED,
    CONTACT_ENDED,
    CONTACT_WRAPPED_UP,
    CONTACT_UPDATED,
    CONTACT_SUMMARISED,
    FEEDBACK_REQUESTED,
    FEEDBACK_RECEIVED,
    AGENT_STATE_CHANGED,
    SOURCE_GAP,
    CONTACT_LOST,
    CONTACT_LINKED,
    EVENT_TYPES
};

enum channel {
    CHANNEL_UNKNOWN,
    CHANNEL_VOICE,
    CHANNEL_CHAT,
    CHANNEL_EMAIL,
    CHANNEL_SMS,
    CHANNEL_MESSAGING,
    CHANNEL_CALLBACK,
    CHANNEL_VIDEO,
    CHANNEL_TASK,
    CHANNEL_OTHER
};
enum direction { DIRECTION_UNKNOWN, DIRECTION_INBOUND, DIRECTION_OUTBOUND, DIRECTION_INTERNAL };
enum party { PARTY_UNKNOWN, PARTY_CUSTOMER, PARTY_AGENT, PARTY_SYSTEM };
enum evidence { EVIDENCE_UNKNOWN, EVIDENCE_LIVE, EVIDENCE_RECORD };
enum presence {
    PRESENCE_UNKNOWN,
    PRESENCE_AVAILABLE,
    PRESENCE_RINGING,
    PRESENCE_BUSY,
    PRESENCE_WRAP,
    PRESENCE_BREAK,
    PRESENCE_OFFLINE
};
enum outcome {
    OUTCOME_OPEN,
    OUTCOME_COMPLETED,
    OUTCOME_COMPLETED_BY_CALLER,
    OUTCOME_COMPLETED_BY_AGENT,
    OUTCOME_ABANDONED,
    OUTCOME_TIMEOUT,
    OUTCOME_EXIT_KEY,
    OUTCOME_LEFT_EMPTY,
    OUTCOME_WITHDRAWN,
    OUTCOME_BLIND_TRANSFER,
    OUTCOME_ATTENDED_TRANSFER,
    OUTCOME_TRANSFERRED,
    OUTCOME_OVERFLOWED,
    OUTCOME_CALLED_BACK,
    OUTCOME_LOST_TRACK,
    OUTCOME_ANSWERED,
    OUTCOME_REFUSED,
    OUTCOME_NEVER_QUEUED,
    OUTCOME_VOICEMAIL,
    OUTCOME_FAILED,
    OUTCOME_BOT_RESOLVED
};
enum moment_state {
    STATE_UNKNOWN,
    STATE_STARTED,
    STATE_WAITING,
    STATE_RINGING,
    STATE_TALKING,
    STATE_HELD,
    STATE_ENDED
};

struct event {
    struct id event_id;
    const char *source;
    const char *system;
    const char *contact_id;
    enum event_type type;
    enum evidence evidence;
    int64_t occurred_at;
    int64_t received_at;
    uint64_t sequence;
    const char *site;
    enum channel channel;
    enum direction direction;
    const char *customer_id;
    const char *entry_point;
    const char *queue;
    const char *agent;
    const char *reason;
    enum party ended_by;
    enum outcome outcome;
    const char *to_queue;
    const char *to_agent;
    const char *to_address;
    const char *root_contact_id;
    enum presence presence;
    const char *instrument; /* csat, nps, ces */
    const char *comment;
    const char *disposition;
    const char *customer_signal; /* what the customer let us know: "complaint" */
    int64_t started_at, queued_at, answered_at, ended_at, gap_from_at;
    int64_t wait_ms, ring_ms, talk_ms, hold_ms, wrap_ms;
    bool has_score;
    double score, score_min, score_max;
    uint32_t position;
    bool talk_includes_hold;

    /* Beside the protobuf: what the customer is called by the source. Never leaves ingest, never
     * reaches the stream or the event table; the store turns it into customer_id. */
    const char *customer_address;
    const char *customer_ref; /* the source's own reference to them; kept like the address */
    const char *agent_name;   /* display name of agent, for the directory of unknown people */
    /* AGENT_STATE_CHANGED: every queue the agent is a member of, one per line ('\n' between). */
    const char *agent_queues;
};

/* Whoever turns a foreign format into events hands them on through one of these. The event and its
 * strings are valid until the function returns. */
typedef void event_sink(void *context, const struct event *event);

/* Every string "", every duration -1, the rest zero. */
void event_init(struct event *event);

/* The id of the fact that source calls key: the same for ever. */
struct id event_id_of(const char *source, const char *key);

/* What a telephone system says instead of a number when it has none ("anonymous", "<unknown>", ...)
 * is "": many people share it. Anything else comes back as it is. */
const char *event_address_of(const char *number);

/* Names as in the neutral vocabulary and the HTTP API ("contact.queued", "voice", "inbound",
 * "customer", "exit_key", "break"); "" for unknown numbers. The readers return 0 for unknown names;
 * event_type_of takes any reverse-DNS prefix ("com.example.cx.contact.ended"), event_presence_of
 * also "acw", event_channel_of is as listed in ingest.proto. */
const char *event_type_name(enum event_type type);
const char *event_channel_name(enum channel channel);
const char *event_direction_name(enum direction direction);
const char *event_party_name(enum party party);
const char *event_presence_name(enum presence presence);
const char *event_outcome_name(enum outcome outcome);
const char *event_state_name(enum moment_state state);
enum event_type event_type_of(struct slice name);
enum channel event_channel_of(struct slice name);
enum direction event_direction_of(struct slice name);
enum party event_party_of(struct slice name);
enum presence event_presence_of(struct slice name);
enum outcome event_outcome_of(struct slice name);

#endif
