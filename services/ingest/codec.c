/* codec - see the header. */
#include "ingest/codec.h"

#include "base/clock.h"
#include "io/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * US_PER_S)
/* 2000-01-01: a fact from before is a broken clock. */
#define OLDEST_US (INT64_C(946684800) * US_PER_S)
#define DURATION_MAX_MS (INT64_C(30) * 86400 * 1000)

_Static_assert((int)EVENT_TYPES == (int)MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_LINKED + 1,
               "event types");
_Static_assert((int)FEEDBACK_RECEIVED == (int)MOMENT__V1__EVENT_TYPE__EVENT_TYPE_FEEDBACK_RECEIVED,
               "event types");
_Static_assert((int)CHANNEL_OTHER == (int)MOMENT__V1__CHANNEL__CHANNEL_OTHER, "channels");
_Static_assert((int)DIRECTION_INTERNAL == (int)MOMENT__V1__DIRECTION__DIRECTION_INTERNAL,
               "directions");
_Static_assert((int)PARTY_SYSTEM == (int)MOMENT__V1__PARTY__PARTY_SYSTEM, "parties");
_Static_assert((int)EVIDENCE_RECORD == (int)MOMENT__V1__EVIDENCE__EVIDENCE_RECORD, "evidence");
_Static_assert((int)OUTCOME_BOT_RESOLVED == (int)MOMENT__V1__OUTCOME__OUTCOME_BOT_RESOLVED,
               "outcomes");
_Static_assert((int)OUTCOME_LOST_TRACK == (int)MOMENT__V1__OUTCOME__OUTCOME_LOST_TRACK, "outcomes");
_Static_assert((int)STATE_ENDED == (int)MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED, "states");
_Static_assert((int)PRESENCE_OFFLINE == (int)MOMENT__V1__AGENT_PRESENCE__AGENT_PRESENCE_OFFLINE,
               "presences");

bool codec_is_about_contact(enum event_type type)
{
    return type != AGENT_STATE_CHANGED && type != SOURCE_GAP && type != EVENT_UNKNOWN;
}

struct id codec_moment_id(const char *system, const char *contact_id)
{
    const char *const parts[] = {"moment", system, contact_id};

    return id_of(parts, countof(parts));
}

/* --- checks ---------------------------------------------------------------------------------- */

static int refuse(struct problem *problem, const char *path, const char *field, const char *detail)
{
    char full[sizeof(problem->field)];

    snprintf(full, sizeof(full), "%s%s", path, field);
    problem_set(problem, 422, "invalid-field", full, "%s", detail);
    return -EINVAL;
}

static int check_texts(const struct event *event, const char *path, struct problem *problem)
{
    const struct {
        const char *name, *value;
        size_t max;
    } texts[] = {
        {"contact_id", event->contact_id, CODEC_ID_MAX},
        {"queue", event->queue, CODEC_ID_MAX},
        {"agent", event->agent, CODEC_ID_MAX},
        {"to_queue", event->to_queue, CODEC_ID_MAX},
        {"to_agent", event->to_agent, CODEC_ID_MAX},
        {"to_address", event->to_address, CODEC_ID_MAX},
        {"root_contact_id", event->root_contact_id, CODEC_ID_MAX},
        {"entry_point", event->entry_point, CODEC_ID_MAX},
        {"instrument", event->instrument, CODEC_ID_MAX},
        {"disposition", event->disposition, CODEC_ID_MAX},
        {"customer_address", event->customer_address, CODEC_ID_MAX},
        {"customer_ref", event->customer_ref, CODEC_ID_MAX},
        {"agent_name", event->agent_name, CODEC_ID_MAX},
        {"reason", event->reason, CODEC_TEXT_MAX},
        {"comment", event->comment, CODEC_TEXT_MAX},
    };

    for (size_t i = 0; i < countof(texts); i++) {
        if (strlen(texts[i].value) > texts[i].max)
            return refuse(problem, path, texts[i].name, "Too long.");
    }
    if (text_characters(event->customer_signal) > CODEC_SIGNAL_MAX)
        return refuse(problem, path, "customer_signal", "At most 64 characters.");
    return 0;
}

static int check_times(const struct event *event, int64_t now_us, const char *path,
                       struct problem *problem)
{
    const struct {
        const char *name;
        int64_t at;
    } times[] = {
        {"occurred_at", event->occurred_at}, {"started_at", event->started_at},
        {"queued_at", event->queued_at},     {"answered_at", event->answered_at},
        {"ended_at", event->ended_at},       {"gap_from_at", event->gap_from_at},
    };

    for (size_t i = 0; i < countof(times); i++) {
        if (times[i].at == 0)
            continue;
        if (times[i].at > now_us + DAY_US)
            return refuse(problem, path, times[i].name, "More than a day in the future.");
        if (times[i].at < OLDEST_US)
            return refuse(problem, path, times[i].name, "Before the year 2000.");
    }
    return 0;
}

static int check_durations(const struct event *event, const char *path, struct problem *problem)
{
    const struct {
        const char *name;
        int64_t ms;
    } durations[] = {
        {"wait_ms", event->wait_ms}, {"ring_ms", event->ring_ms}, {"talk_ms", event->talk_ms},
        {"hold_ms", event->hold_ms}, {"wrap_ms", event->wrap_ms},
    };

    for (size_t i = 0; i < countof(durations); i++)
        if (durations[i].ms > DURATION_MAX_MS)
            return refuse(problem, path, durations[i].name, "Longer than 30 days.");
    return 0;
}

static int check_meaning(const struct event *event, const char *path, struct problem *problem)
{
    if (codec_is_about_contact(event->type) && event->contact_id[0] == '\0')
        return refuse(problem, path, "contact_id", "Required: the contact that this is about.");
    if (event->type == AGENT_STATE_CHANGED && event->agent[0] == '\0')
        return refuse(problem, path, "agent", "Required: the agent that this is about.");
    if (event->type == AGENT_STATE_CHANGED && event->presence == PRESENCE_UNKNOWN)
        return refuse(problem, path, "presence", "Required: the agent's new state.");
    if (event->type == CONTACT_LINKED && event->root_contact_id[0] == '\0')
        return refuse(problem, path, "root_contact_id", "Required: the contact it belongs to.");
    if (!isfinite(event->score) || !isfinite(event->score_min) || !isfinite(event->score_max))
        return refuse(problem, path, "score", "Not a number.");
    if (event->type == FEEDBACK_RECEIVED && event->has_score) {
        if (event->score_min > event->score_max)
            return refuse(problem, path, "score_max", "Less than the lower end of the scale.");
        if (event->score_max > event->score_min &&
            (event->score < event->score_min || event->score > event->score_max))
            return refuse(problem, path, "score", "Outside its scale.");
    }
    return 0;
}

int codec_check(const struct event *event, int64_t now_us, const char *path,
                struct problem *problem)
{
    int r;

    if (event->type == EVENT_UNKNOWN)
        return refuse(problem, path, "type", "Unknown type of event.");
    if (event->occurred_at == 0)
        return refuse(problem, path, "occurred_at", "Required: when it happened.");
    r = check_times(event, now_us, path, problem);
    if (r == 0)
        r = check_texts(event, path, problem);
    if (r == 0)
        r = check_durations(event, path, problem);
    if (r == 0)
        r = check_meaning(event, path, problem);
    return r;
}

/* --- events ---------------------------------------------------------------------------------- */

/* protobuf-c's strings are not const, although packing never writes to them. */
static char *lent(const char *text)
{
    union {
        const char *in;
        char *out;
    } cast = {.in = text};

    return cast.out;
}

/* Clocks that jump make durations that no message can hold: the longest stands for them. */
static uint32_t in_message(int64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

#define SET_DURATION(wire, name, case_field, case_value, value)                                    \
    do {                                                                                           \
        if ((value) >= 0) {                                                                        \
            (wire)->case_field = (case_value);                                                     \
            (wire)->name = in_message(value);                                                      \
        }                                                                                          \
    } while (0)

static void durations_to_wire(const struct event *event, Moment__V1__Event *wire)
{
    SET_DURATION(wire, wait_ms, wait_known_case, MOMENT__V1__EVENT__WAIT_KNOWN_WAIT_MS,
                 event->wait_ms);
    SET_DURATION(wire, ring_ms, ring_known_case, MOMENT__V1__EVENT__RING_KNOWN_RING_MS,
                 event->ring_ms);
    SET_DURATION(wire, talk_ms, talk_known_case, MOMENT__V1__EVENT__TALK_KNOWN_TALK_MS,
                 event->talk_ms);
    SET_DURATION(wire, hold_ms, hold_known_case, MOMENT__V1__EVENT__HOLD_KNOWN_HOLD_MS,
                 event->hold_ms);
    SET_DURATION(wire, wrap_ms, wrap_known_case, MOMENT__V1__EVENT__WRAP_KNOWN_WRAP_MS,
                 event->wrap_ms);
    if (event->has_score) {
        wire->score_known_case = MOMENT__V1__EVENT__SCORE_KNOWN_SCORE;
        wire->score = event->score;
    }
}

void codec_event_to_wire(const struct event *event, char id_text[ID_TEXT_SIZE],
                         Moment__V1__Event *wire)
{
    moment__v1__event__init(wire);
    wire->event_id = lent(id_print(&event->event_id, id_text));
    wire->source = lent(event->source);
    wire->system = lent(event->system);
    wire->contact_id = lent(event->contact_id);
    wire->type = (Moment__V1__EventType)event->type;
    wire->evidence = (Moment__V1__Evidence)event->evidence;
    wire->occurred_at = event->occurred_at;
    wire->received_at = event->received_at;
    wire->sequence = event->sequence;
    wire->site = lent(event->site);
    wire->channel = (Moment__V1__Channel)event->channel;
    wire->direction = (Moment__V1__Direction)event->direction;
    wire->customer_id = lent(event->customer_id);
    wire->entry_point = lent(event->entry_point);
    wire->queue = lent(event->queue);
    wire->agent = lent(event->agent);
    wire->reason = lent(event->reason);
    wire->ended_by = (Moment__V1__Party)event->ended_by;
    wire->outcome = (Moment__V1__Outcome)event->outcome;
    wire->to_queue = lent(event->to_queue);
    wire->to_agent = lent(event->to_agent);
    wire->to_address = lent(event->to_address);
    wire->root_contact_id = lent(event->root_contact_id);
    wire->presence = (Moment__V1__AgentPresence)event->presence;
    wire->instrument = lent(event->instrument);
    wire->comment = lent(event->comment);
    wire->disposition = lent(event->disposition);
    wire->customer_signal = lent(event->customer_signal);
    wire->started_at = event->started_at;
    wire->queued_at = event->queued_at;
    wire->answered_at = event->answered_at;
    wire->ended_at = event->ended_at;
    wire->gap_from_at = event->gap_from_at;
    wire->score_min = event->score_min;
    wire->score_max = event->score_max;
    wire->position = event->position;
    wire->talk_includes_hold = event->talk_includes_hold;
    durations_to_wire(event, wire);
}

/* A number that this version has no name for is kept as unknown. */
#define KNOWN(value, last) ((unsigned)(value) <= (unsigned)(last) ? (value) : 0)

static void durations_from_wire(const Moment__V1__Event *wire, struct event *event)
{
    if (wire->wait_known_case == MOMENT__V1__EVENT__WAIT_KNOWN_WAIT_MS)
        event->wait_ms = wire->wait_ms;
    if (wire->ring_known_case == MOMENT__V1__EVENT__RING_KNOWN_RING_MS)
        event->ring_ms = wire->ring_ms;
    if (wire->talk_known_case == MOMENT__V1__EVENT__TALK_KNOWN_TALK_MS)
        event->talk_ms = wire->talk_ms;
    if (wire->hold_known_case == MOMENT__V1__EVENT__HOLD_KNOWN_HOLD_MS)
        event->hold_ms = wire->hold_ms;
    if (wire->wrap_known_case == MOMENT__V1__EVENT__WRAP_KNOWN_WRAP_MS)
        event->wrap_ms = wire->wrap_ms;
    if (wire->score_known_case == MOMENT__V1__EVENT__SCORE_KNOWN_SCORE) {
        event->has_score = true;
        event->score = wire->score;
    }
}

static void plain_from_wire(const Moment__V1__Event *wire, struct event *event)
{
    event_init(event);
    event->source = wire->source;
    event->system = wire->system;
    event->contact_id = wire->contact_id;
    event->type = (enum event_type)KNOWN(wire->type, EVENT_TYPES - 1);
    event->evidence = (enum evidence)KNOWN(wire->evidence, EVIDENCE_RECORD);
    event->occurred_at = wire->occurred_at;
    event->received_at = wire->received_at;
    event->sequence = wire->sequence;
    event->site = wire->site;
    event->channel = (enum channel)KNOWN(wire->channel, CHANNEL_OTHER);
    event->direction = (enum direction)KNOWN(wire->direction, DIRECTION_INTERNAL);
    event->customer_id = wire->customer_id;
    event->entry_point = wire->entry_point;
    event->queue = wire->queue;
    event->agent = wire->agent;
    event->reason = wire->reason;
    event->ended_by = (enum party)KNOWN(wire->ended_by, PARTY_SYSTEM);
    event->outcome = (enum outcome)KNOWN(wire->outcome, OUTCOME_BOT_RESOLVED);
    event->to_queue = wire->to_queue;
    event->to_agent = wire->to_agent;
    event->to_address = wire->to_address;
    event->root_contact_id = wire->root_contact_id;
    event->presence = (enum presence)KNOWN(wire->presence, PRESENCE_OFFLINE);
    event->instrument = wire->instrument;
    event->comment = wire->comment;
    event->disposition = wire->disposition;
    event->customer_signal = wire->customer_signal;
    event->started_at = wire->started_at;
    event->queued_at = wire->queued_at;
    event->answered_at = wire->answered_at;
    event->ended_at = wire->ended_at;
    event->gap_from_at = wire->gap_from_at;
    event->score_min = wire->score_min;
    event->score_max = wire->score_max;
    event->position = wire->position;
    event->talk_includes_hold = wire->talk_includes_hold;
    durations_from_wire(wire, event);
}

int codec_event_from_wire(const Moment__V1__Event *wire, struct event *event)
{
    plain_from_wire(wire, event);
    return id_parse(wire->event_id, &event->event_id);
}

int codec_event_load(struct slice body, struct event_list *list)
{
    Moment__V1__Event *wire = moment__v1__event__unpack(NULL, body.len, (const uint8_t *)body.at);
    struct event event;
    int r;

    if (!wire)
        return -EBADMSG;
    r = codec_event_from_wire(wire, &event) < 0 ? -EBADMSG : event_list_add(list, &event);
    moment__v1__event__free_unpacked(wire, NULL);
    return r;
}

/* --- a batch from an integrator ----------------------------------------------------------------
 */

static struct id derived_id(const Moment__V1__Event *wire, const char *source)
{
    char numbers[96];
    const char *const parts[] = {"event",          source,      "derived",
                                 wire->contact_id, wire->agent, numbers};

    snprintf(numbers, sizeof(numbers), "%d %lld %llu", (int)wire->type,
             (long long)wire->occurred_at, (unsigned long long)wire->sequence);
    return id_of(parts, countof(parts));
}

static int read_one(const Moment__V1__Event *wire, const struct codec_sender *sender,
                    const char *path, struct event_list *list, struct problem *problem)
{
    struct event event;
    int r;

    plain_from_wire(wire, &event);
    /* The sender's id is its key, not ours: two senders may choose the same. */
    event.event_id = wire->event_id[0] != '\0' ? event_id_of(sender->source, wire->event_id)
                                               : derived_id(wire, sender->source);
    event.source = sender->source;
    event.system = sender->system;
    event.site = sender->site;
    /* On the way in the field holds what the sender calls the customer. */
    event.customer_address = wire->customer_id;
    event.customer_id = "";
    event.received_at = sender->now_us;
    if (event.evidence == EVIDENCE_UNKNOWN)
        event.evidence = event.type == CONTACT_SUMMARISED ? EVIDENCE_RECORD : EVIDENCE_LIVE;
    r = codec_check(&event, sender->now_us, path, problem);
    return r < 0 ? r : event_list_add(list, &event);
}

int codec_batch_read(struct slice body, const struct codec_sender *sender, struct event_list *list,
                     struct problem *problem)
{
    ProtobufCMessage *message = NULL;
    const Moment__V1__EventBatch *batch;
    int r = protobuf_read(&moment__v1__event_batch__descriptor, body, &message);

    if (r < 0) {
        problem_set(problem, 400, "malformed", "", "Not an EventBatch.");
        return -EINVAL;
    }
    batch = (const Moment__V1__EventBatch *)(const void *)message;
    if (batch->n_events > CODEC_EVENTS_MAX) {
        problem_set(problem, 413, "too-many-events", "events", "At most %d events.",
                    CODEC_EVENTS_MAX);
        r = -EINVAL;
    }
    for (size_t i = 0; i < batch->n_events && r == 0; i++) {
        char path[32];

        snprintf(path, sizeof(path), "events[%zu].", i);
        r = read_one(batch->events[i], sender, path, list, problem);
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return r;
}

/* --- moments --------------------------------------------------------------------------------- */

static void visit_to_wire(const struct visit *visit, const char *person, Moment__V1__Visit *wire)
{
    moment__v1__visit__init(wire);
    wire->queue = lent(visit->queue);
    wire->entered_at = visit->entered_at;
    wire->answered_at = visit->answered_at;
    wire->ended_at = visit->ended_at;
    wire->agent = lent(visit->agent);
    wire->person_id = lent(person);
    SET_DURATION(wire, wait_ms, wait_known_case, MOMENT__V1__VISIT__WAIT_KNOWN_WAIT_MS,
                 visit->wait_ms);
    SET_DURATION(wire, ring_ms, ring_known_case, MOMENT__V1__VISIT__RING_KNOWN_RING_MS,
                 visit->ring_ms);
    SET_DURATION(wire, talk_ms, talk_known_case, MOMENT__V1__VISIT__TALK_KNOWN_TALK_MS,
                 visit->talk_ms);
    SET_DURATION(wire, hold_ms, hold_known_case, MOMENT__V1__VISIT__HOLD_KNOWN_HOLD_MS,
                 visit->hold_ms);
    SET_DURATION(wire, hold_longest_ms, hold_longest_known_case,
                 MOMENT__V1__VISIT__HOLD_LONGEST_KNOWN_HOLD_LONGEST_MS, visit->hold_longest_ms);
    SET_DURATION(wire, hold_count, hold_count_known_case,
                 MOMENT__V1__VISIT__HOLD_COUNT_KNOWN_HOLD_COUNT, visit->hold_count);
    wire->outcome = (Moment__V1__Outcome)visit->outcome;
    wire->ended_by = (Moment__V1__Party)visit->ended_by;
    wire->offers = visit->offers;
    wire->offer_failures = visit->offer_failures;
    if (visit->has_csat) {
        wire->csat_known_case = MOMENT__V1__VISIT__CSAT_KNOWN_CSAT;
        wire->csat = visit->csat;
    }
}

static void sums_to_wire(const struct moment *moment, Moment__V1__Moment *wire)
{
    SET_DURATION(wire, wait_ms, wait_known_case, MOMENT__V1__MOMENT__WAIT_KNOWN_WAIT_MS,
                 moment->wait_ms);
    SET_DURATION(wire, ring_ms, ring_known_case, MOMENT__V1__MOMENT__RING_KNOWN_RING_MS,
                 moment->ring_ms);
    SET_DURATION(wire, talk_ms, talk_known_case, MOMENT__V1__MOMENT__TALK_KNOWN_TALK_MS,
                 moment->talk_ms);
    SET_DURATION(wire, hold_ms, hold_known_case, MOMENT__V1__MOMENT__HOLD_KNOWN_HOLD_MS,
                 moment->hold_ms);
    SET_DURATION(wire, wrap_ms, wrap_known_case, MOMENT__V1__MOMENT__WRAP_KNOWN_WRAP_MS,
                 moment->wrap_ms);
    SET_DURATION(wire, hold_count, hold_count_known_case,
                 MOMENT__V1__MOMENT__HOLD_COUNT_KNOWN_HOLD_COUNT, moment->hold_count);
    SET_DURATION(wire, nps, nps_known_case, MOMENT__V1__MOMENT__NPS_KNOWN_NPS, moment->nps);
    if (moment->has_csat) {
        wire->csat_known_case = MOMENT__V1__MOMENT__CSAT_KNOWN_CSAT;
        wire->csat = moment->csat;
    }
    wire->transfers = moment->transfers;
}

static void frame_to_wire(const struct moment_frame *frame, Moment__V1__Moment *wire)
{
    wire->moment_id = lent(frame->moment_id);
    wire->source = lent(frame->system);
    wire->source_contact_id = lent(frame->contact_id);
    wire->site = lent(frame->site);
    wire->person_id = lent(frame->person_id);
    wire->team_id = lent(frame->team_id);
    wire->revision = frame->revision;
    wire->merged_into = lent(frame->merged_into);
    wire->repeat_contacts = frame->repeat_contacts;
}

void codec_moment_to_wire(const struct moment *moment, const struct moment_frame *frame,
                          struct wire_moment *wire)
{
    Moment__V1__Moment *out = &wire->moment;

    moment__v1__moment__init(out);
    frame_to_wire(frame, out);
    sums_to_wire(moment, out);
    out->channel = (Moment__V1__Channel)moment->channel;
    out->direction = (Moment__V1__Direction)moment->direction;
    out->customer_id = lent(moment->customer_id);
    out->started_at = moment->started_at;
    out->ended_at = moment->ended_at;
    out->queue = lent(moment->queue);
    out->agent = lent(moment->agent);
    out->outcome = (Moment__V1__Outcome)moment->outcome;
    out->ended_by = (Moment__V1__Party)moment->ended_by;
    out->state = (Moment__V1__MomentState)moment->state;
    out->state_since = moment->state_since;
    out->disposition = lent(moment->disposition);
    for (size_t i = 0; i < moment->quality_count; i++)
        wire->quality[i] = lent(moment->quality[i]);
    out->quality = wire->quality;
    out->n_quality = moment->quality_count;
    for (size_t i = 0; i < moment->signal_count; i++)
        wire->signals[i] = lent(moment->signals[i]);
    out->customer_signals = wire->signals;
    out->n_customer_signals = moment->signal_count;
    for (size_t i = 0; i < moment->visit_count; i++) {
        visit_to_wire(&moment->visits[i], frame->visit_people[i], &wire->visits[i]);
        wire->visit_pointers[i] = &wire->visits[i];
    }
    out->visits = wire->visit_pointers;
    out->n_visits = moment->visit_count;
}
