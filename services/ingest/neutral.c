/* neutral - see the header. */
#include "ingest/neutral.h"

#include "base/clock.h"
#include "base/seal.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 128
#define DATA_MAX (256 * 1024)

/* Reading one event: where we are, and whether it went wrong. */
struct reader {
    const char *path; /* "events[2]." */
    struct problem *problem;
    bool failed;
};

static void refuse(struct reader *reader, const char *member, const char *detail)
{
    char field[PATH_SIZE];

    if (reader->failed)
        return;
    reader->failed = true;
    snprintf(field, sizeof(field), "%.24s%.100s", reader->path, member);
    problem_set(reader->problem, 422, "invalid-field", field, "%s", detail);
}

static void refuse_in_data(struct reader *reader, const char *member, const char *detail)
{
    char field[PATH_SIZE];

    snprintf(field, sizeof(field), "data.%.90s", member);
    refuse(reader, field, detail);
}

/* --- an agent's emotion ------------------------------------------------------------------------
 */

static bool name_has(const char *name, const char *word)
{
    return strcasestr(name, word) != NULL;
}

static bool names_emotion(const char *name)
{
    static const char *const words[] = {"emotion", "mood", "sentiment", "feeling"};

    if (name_has(name, "customer"))
        return false;
    for (size_t i = 0; i < countof(words); i++)
        if (name_has(name, words[i]))
            return true;
    return false;
}

static bool find_emotion(const json_t *json, bool of_agent, const char *path, int depth,
                         struct problem *problem);

static bool emotion_in_array(const json_t *array, bool of_agent, const char *path, int depth,
                             struct problem *problem)
{
    char inner[PATH_SIZE];

    for (size_t i = 0; i < json_array_size(array); i++) {
        snprintf(inner, sizeof(inner), "%s[%zu]", path, i);
        if (find_emotion(json_array_get(array, i), of_agent, inner, depth + 1, problem))
            return true;
    }
    return false;
}

static bool find_emotion(const json_t *json, bool of_agent, const char *path, int depth,
                         struct problem *problem)
{
    union {
        const json_t *in;
        json_t *out;
    } object = {json};
    char inner[PATH_SIZE];
    const char *name;
    json_t *value;

    if (depth > JSON_DEPTH_MAX)
        return false;
    if (json_is_array(json))
        return emotion_in_array(json, of_agent, path, depth, problem);
    json_object_foreach(object.out, name, value)
    {
        bool agents = of_agent || strncasecmp(name, "agent", 5) == 0;

        if (strncasecmp(name, "customer", 8) == 0)
            continue;
        snprintf(inner, sizeof(inner), "%s%s%s", path,
                 path[0] == '\0' || path[strlen(path) - 1] == '.' ? "" : ".", name);
        if (agents && names_emotion(name)) {
            problem_set(problem, 422, "agent-emotion-refused", inner,
                        "An agent's emotion or mood is not taken, wherever it was inferred from.");
            return true;
        }
        if (find_emotion(value, agents, inner, depth + 1, problem))
            return true;
    }
    return false;
}

bool neutral_has_agent_emotion(const json_t *json, const char *path, struct problem *problem)
{
    return find_emotion(json, false, path, 0, problem);
}

/* --- members -----------------------------------------------------------------------------------
 */

static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static const char *text_value(struct reader *reader, const json_t *value, const char *name)
{
    if (!value)
        return "";
    if (json_is_string(value))
        return json_string_value(value);
    refuse_in_data(reader, name, "A text is expected.");
    return "";
}

static const char *text_of(struct reader *reader, const json_t *data, const char *name)
{
    return text_value(reader, member(data, name), name);
}

/* A thing that is an object with this inner member, or a text, or has a flat name of its own. */
static const char *inner_text(struct reader *reader, const json_t *data, const char *name,
                              const char *inner, const char *flat)
{
    const json_t *value = member(data, name);
    char path[64];

    if (json_is_object(value)) {
        snprintf(path, sizeof(path), "%s.%s", name, inner);
        return text_value(reader, member(value, inner), path);
    }
    if (value)
        return text_value(reader, value, name);
    return text_of(reader, data, flat);
}

static const char *first_of(const char *a, const char *b)
{
    return a[0] != '\0' ? a : b;
}

/* RFC 3339, or milliseconds since the epoch. */
static int64_t time_of(struct reader *reader, const json_t *data, const char *name)
{
    const json_t *value = member(data, name);
    int64_t at = 0;

    if (!value)
        return 0;
    if (json_is_integer(value)) {
        at = json_integer_value(value);
        if (at > 0 && at < INT64_MAX / US_PER_MS)
            return at * US_PER_MS;
    } else if (json_is_string(value) &&
               clock_from_rfc3339(slice_of(json_string_value(value)), &at) == 0 && at > 0) {
        return at;
    }
    refuse_in_data(reader, name, "Not an RFC 3339 time.");
    return 0;
}

static bool number_of(struct reader *reader, const json_t *value, const char *path,
                      double *ret_number)
{
    if (!value)
        return false;
    if (json_is_number(value)) {
        *ret_number = json_number_value(value);
        return true;
    }
    if (json_is_string(value) &&
        text_to_double(slice_of(json_string_value(value)), ret_number) == 0)
        return true;
    refuse_in_data(reader, path, "A number is expected.");
    return false;
}

/* durations_ms.<inner>, or <flat>. */
static int64_t duration_of(struct reader *reader, const json_t *data, const char *inner,
                           const char *flat)
{
    const json_t *value = member(member(data, "durations_ms"), inner);
    char path[64];
    double ms = 0;

    snprintf(path, sizeof(path), "durations_ms.%s", inner);
    if (!value) {
        value = member(data, flat);
        snprintf(path, sizeof(path), "%s", flat);
    }
    if (!number_of(reader, value, path, &ms))
        return -1;
    if (!(ms >= 0 && ms < 1e13)) {
        refuse_in_data(reader, path, "A duration cannot be negative.");
        return -1;
    }
    return (int64_t)ms;
}

/* --- the vocabulary ----------------------------------------------------------------------------
 */

static void read_names(struct reader *reader, const json_t *data, struct event *event)
{
    event->queue = first_of(inner_text(reader, data, "queue", "id", "queue_id"),
                            inner_text(reader, data, "queue", "name", "queue_name"));
    event->agent = first_of(inner_text(reader, data, "agent", "id", "agent_id"),
                            inner_text(reader, data, "agent", "name", "agent_name"));
    if (json_is_object(member(data, "agent")))
        event->agent_name = inner_text(reader, data, "agent", "name", "agent_name");
    else
        event->agent_name = text_of(reader, data, "agent_name");
    event->to_queue = inner_text(reader, data, "to_queue", "id", "to_queue_id");
    event->to_agent = inner_text(reader, data, "to_agent", "id", "to_agent_id");
    event->to_address = text_of(reader, data, "to_address");
    event->entry_point = text_of(reader, data, "entry_point");
    event->customer_address = text_of(reader, data, "customer_address");
    event->customer_ref = text_of(reader, data, "customer_ref");
    event->root_contact_id = text_of(reader, data, "root_contact_id");
    event->disposition =
        first_of(inner_text(reader, data, "disposition", "code", "disposition_code"),
                 inner_text(reader, data, "disposition", "text", "disposition_text"));
}

static void read_times(struct reader *reader, const json_t *data, struct event *event)
{
    event->started_at = time_of(reader, data, "started_at");
    event->queued_at = time_of(reader, data, "queued_at");
    event->answered_at = time_of(reader, data, "answered_at");
    event->ended_at = time_of(reader, data, "ended_at");
    event->gap_from_at = time_of(reader, data, "from_at");
    if (member(data, "durations_ms") && !json_is_object(member(data, "durations_ms")))
        refuse_in_data(reader, "durations_ms", "An object is expected.");
    event->wait_ms = duration_of(reader, data, "wait", "wait_ms");
    event->ring_ms = duration_of(reader, data, "ring", "ring_ms");
    event->talk_ms = duration_of(reader, data, "talk", "talk_ms");
    event->hold_ms = duration_of(reader, data, "hold", "hold_ms");
    event->wrap_ms = duration_of(reader, data, "acw", "acw_ms");
    if (event->wrap_ms < 0)
        event->wrap_ms = duration_of(reader, data, "wrap", "wrap_ms");
    event->talk_includes_hold = json_is_true(member(data, "talk_includes_hold"));
}

static enum outcome outcome_of_transfer(const char *kind)
{
    if (strcmp(kind, "blind") == 0)
        return OUTCOME_BLIND_TRANSFER;
    if (strcmp(kind, "attended") == 0)
        return OUTCOME_ATTENDED_TRANSFER;
    return OUTCOME_TRANSFERRED;
}

static enum party party_of(const char *name)
{
    if (strcmp(name, "caller") == 0)
        return PARTY_CUSTOMER;
    return event_party_of(slice_of(name));
}

/* A word that we do not have is a mistake of the sender's, who can read which there are. */
static void check_word(struct reader *reader, const char *name, const char *word, bool is_known)
{
    if (word[0] != '\0' && !is_known && strcmp(word, "unknown") != 0)
        refuse_in_data(reader, name, "Not a word of the vocabulary.");
}

static void read_words(struct reader *reader, const json_t *data, struct event *event)
{
    const char *channel = text_of(reader, data, "channel");
    const char *direction = text_of(reader, data, "direction");
    const char *outcome = text_of(reader, data, "outcome");
    const char *party =
        first_of(text_of(reader, data, "end_party"), text_of(reader, data, "ended_by"));
    const char *kind = text_of(reader, data, "kind");
    const char *state = first_of(text_of(reader, data, "state"), text_of(reader, data, "presence"));

    event->channel = event_channel_of(slice_of(channel));
    check_word(reader, "channel", channel, event->channel != CHANNEL_UNKNOWN);
    event->direction = event_direction_of(slice_of(direction));
    check_word(reader, "direction", direction, event->direction != DIRECTION_UNKNOWN);
    event->outcome = strcmp(outcome, "callback") == 0 ? OUTCOME_CALLED_BACK
                                                      : event_outcome_of(slice_of(outcome));
    check_word(reader, "outcome", outcome, event->outcome != OUTCOME_OPEN);
    event->ended_by = party_of(party);
    check_word(reader, "end_party", party, event->ended_by != PARTY_UNKNOWN);
    event->reason =
        first_of(text_of(reader, data, "reason"),
                 first_of(text_of(reader, data, "reason_raw"), text_of(reader, data, "state_raw")));
    if (event->type == CONTACT_TRANSFERRED) {
        event->reason = first_of(event->reason, kind);
        if (event->outcome == OUTCOME_OPEN)
            event->outcome = outcome_of_transfer(kind);
    }
    if (event->type == AGENT_STATE_CHANGED) {
        event->presence = event_presence_of(slice_of(state));
        if (state[0] != '\0' && event->presence == PRESENCE_UNKNOWN)
            refuse_in_data(reader, "state",
                           "One of available, ringing, busy, acw, break, offline.");
    }
}

static void read_score(struct reader *reader, const json_t *data, const char *instrument,
                       struct event *event)
{
    const json_t *value = member(data, instrument);
    char path[64];

    event->instrument = instrument;
    if (json_is_object(value)) {
        snprintf(path, sizeof(path), "%s.score", instrument);
        event->has_score = number_of(reader, member(value, "score"), path, &event->score);
        snprintf(path, sizeof(path), "%s.max", instrument);
        (void)number_of(reader, member(value, "max"), path, &event->score_max);
        event->comment =
            first_of(event->comment, text_value(reader, member(value, "comment"), instrument));
        return;
    }
    event->has_score = number_of(reader, value, instrument, &event->score);
}

static void read_feedback(struct reader *reader, const json_t *data, struct event *event)
{
    static const char *const instruments[] = {"csat", "nps", "ces"};

    event->instrument = text_of(reader, data, "instrument");
    event->comment = text_of(reader, data, "comment");
    event->customer_signal = text_of(reader, data, "customer_signal");
    event->has_score = number_of(reader, member(data, "score"), "score", &event->score);
    for (size_t i = 0; i < countof(instruments) && !event->has_score; i++)
        if (member(data, instruments[i]))
            read_score(reader, data, instruments[i], event);
    (void)number_of(reader, member(data, "scale_min"), "scale_min", &event->score_min);
    (void)number_of(reader, member(data, "scale_max"), "scale_max", &event->score_max);
    if (event->has_score && !isfinite(event->score))
        refuse_in_data(reader, "score", "A number is expected.");
}

static void read_counts(struct reader *reader, const json_t *data, struct event *event)
{
    double number = 0;

    if (number_of(reader, member(data, "position"), "position", &number) && number >= 0 &&
        number < 1e9)
        event->position = (uint32_t)number;
    number = 0;
    if (number_of(reader, member(data, "sequence"), "sequence", &number) && number >= 0 &&
        number < 9e15)
        event->sequence = (uint64_t)number;
}

static void read_data(struct reader *reader, const json_t *data, struct event *event)
{
    event->contact_id = first_of(text_of(reader, data, "contact_id"), event->contact_id);
    read_names(reader, data, event);
    read_times(reader, data, event);
    read_words(reader, data, event);
    read_feedback(reader, data, event);
    read_counts(reader, data, event);
}

/* --- envelopes ---------------------------------------------------------------------------------
 */

static void read_time(struct reader *reader, const struct neutral_attributes *attributes,
                      const struct codec_sender *sender, struct event *event)
{
    event->occurred_at = sender->now_us;
    if (attributes->time[0] != '\0' &&
        clock_from_rfc3339(slice_of(attributes->time), &event->occurred_at) < 0)
        refuse(reader, "time", "Not an RFC 3339 time.");
}

static void set_identity(const struct neutral_attributes *attributes,
                         const struct codec_sender *sender, struct event *event)
{
    const char *const parts[] = {"event", sender->source, attributes->source, attributes->id};

    event->event_id = id_of(parts, countof(parts));
    event->source = sender->source;
    event->system = sender->system;
    event->site = sender->site;
    event->received_at = sender->now_us;
    event->evidence = event->type == CONTACT_SUMMARISED ? EVIDENCE_RECORD : EVIDENCE_LIVE;
}

/* codec_check speaks of our names; say where that stands in the document. */
static void rename_field(struct problem *problem, const char *path)
{
    static const struct {
        const char *ours, *theirs;
    } names[] = {
        {"occurred_at", "time"},
        {"queue", "data.queue.id"},
        {"agent", "data.agent.id"},
        {"presence", "data.state"},
        {"gap_from_at", "data.from_at"},
        {"score_max", "data.scale_max"},
        {"wrap_ms", "data.durations_ms.acw"},
    };
    const char *ours = problem->field + strlen(path);
    char field[sizeof(problem->field)];

    snprintf(field, sizeof(field), "%sdata.%.60s", path, ours);
    for (size_t i = 0; i < countof(names); i++)
        if (strcmp(ours, names[i].ours) == 0)
            snprintf(field, sizeof(field), "%s%s", path, names[i].theirs);
    memcpy(problem->field, field, sizeof(field));
}

int neutral_read(const struct neutral_attributes *attributes, const char *path,
                 const struct codec_sender *sender, struct neutral_result *result,
                 struct problem *problem)
{
    struct reader reader = {.path = path, .problem = problem};
    char data_path[PATH_SIZE];
    struct event event;

    event_init(&event);
    event.type = event_type_of(slice_of(attributes->type));
    if (event.type == EVENT_UNKNOWN || event.type == CONTACT_LOST) {
        result->ignored++;
        return 0;
    }
    if (!json_is_object(attributes->data))
        refuse(&reader, "data", "An object is expected.");
    snprintf(data_path, sizeof(data_path), "%sdata", path);
    if (!reader.failed && neutral_has_agent_emotion(attributes->data, data_path, problem))
        return -EINVAL;
    event.contact_id = attributes->subject;
    if (!reader.failed)
        read_data(&reader, attributes->data, &event);
    read_time(&reader, attributes, sender, &event);
    if (reader.failed)
        return -EINVAL;
    set_identity(attributes, sender, &event);
    if (codec_check(&event, sender->now_us, path, problem) < 0) {
        rename_field(problem, path);
        return -EINVAL;
    }
    return event_list_add(result->list, &event);
}

static int refuse_attribute(const char *path, const char *name, const char *detail,
                            struct problem *problem)
{
    struct reader reader = {.path = path, .problem = problem};

    refuse(&reader, name, detail);
    return -EINVAL;
}

static const char *attribute(const json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));

    return value ? value : "";
}

static bool is_json_type(const char *type)
{
    const char *end = strchr(type, ';');
    struct slice name = {.at = type, .len = end ? (size_t)(end - type) : strlen(type)};

    name = slice_trim(name);
    if (name.len == 0 || slice_is_nocase(name, "application/json"))
        return true;
    return name.len > 5 &&
           slice_is_nocase((struct slice){.at = name.at + name.len - 5, .len = 5}, "+json");
}

/* data_base64 that holds JSON. */
static int unwrap(const json_t *json, const char *path, json_t **ret_data, struct problem *problem)
{
    const char *text = attribute(json, "data_base64");
    struct json_error error;
    char *bytes;
    size_t len = 0;
    int r;

    if (!is_json_type(attribute(json, "datacontenttype")))
        return refuse_attribute(path, "datacontenttype", "Only JSON data are understood.", problem);
    if (strlen(text) > DATA_MAX)
        return refuse_attribute(path, "data_base64", "Too long.", problem);
    bytes = malloc(strlen(text) + 1);
    if (!bytes)
        return -ENOMEM;
    r = seal_unbase64(slice_of(text), bytes, strlen(text) + 1, &len);
    if (r == 0)
        r = json_parse((struct slice){.at = bytes, .len = len}, ret_data, &error);
    free(bytes);
    return r == 0 ? 0 : refuse_attribute(path, "data_base64", "Not JSON in base64.", problem);
}

static int check_envelope(const json_t *json, const char *path, struct problem *problem)
{
    static const char *const required[] = {"id", "source", "type"};

    if (!json_is_object(json))
        return refuse_attribute(path, "", "An object is expected.", problem);
    if (strcmp(attribute(json, "specversion"), "1.0") != 0)
        return refuse_attribute(path, "specversion", "Required: \"1.0\".", problem);
    for (size_t i = 0; i < countof(required); i++)
        if (attribute(json, required[i])[0] == '\0')
            return refuse_attribute(path, required[i], "Required.", problem);
    return 0;
}

int neutral_read_cloudevent(const json_t *json, const char *path, const struct codec_sender *sender,
                            struct neutral_result *result, struct problem *problem)
{
    struct neutral_attributes attributes;
    json_t *unwrapped cleanup_with(json_unref) = NULL;
    int r = check_envelope(json, path, problem);

    if (r < 0)
        return r;
    if (neutral_has_agent_emotion(json, path, problem))
        return -EINVAL;
    attributes = (struct neutral_attributes){
        .id = attribute(json, "id"),
        .source = attribute(json, "source"),
        .type = attribute(json, "type"),
        .subject = attribute(json, "subject"),
        .time = attribute(json, "time"),
        .data = json_object_get(json, "data"),
    };
    if (!attributes.data && attribute(json, "data_base64")[0] != '\0') {
        r = unwrap(json, path, &unwrapped, problem);
        if (r < 0)
            return r;
        attributes.data = unwrapped;
    }
    return neutral_read(&attributes, path, sender, result, problem);
}

int neutral_read_batch(const json_t *json, const struct codec_sender *sender,
                       struct neutral_result *result, struct problem *problem)
{
    int r = 0;

    if (!json_is_array(json))
        return refuse_attribute("", "", "An array of events is expected.", problem);
    if (json_array_size(json) > CODEC_EVENTS_MAX) {
        problem_set(problem, 413, "too-many-events", "", "At most %d events in a request.",
                    CODEC_EVENTS_MAX);
        return -EINVAL;
    }
    for (size_t i = 0; i < json_array_size(json) && r == 0; i++) {
        char path[32];

        snprintf(path, sizeof(path), "events[%zu].", i);
        r = neutral_read_cloudevent(json_array_get(json, i), path, sender, result, problem);
    }
    return r;
}

int neutral_read_webhook(const json_t *json, const char *webhook_id,
                         const struct codec_sender *sender, struct neutral_result *result,
                         struct problem *problem)
{
    struct neutral_attributes attributes = {
        .id = webhook_id,
        .source = "webhook",
        .type = attribute(json, "type"),
        .subject = "",
        .time = attribute(json, "timestamp"),
        .data = json_object_get(json, "data"),
    };

    if (!json_is_object(json) || attributes.type[0] == '\0')
        return refuse_attribute("", "type", "Required.", problem);
    if (neutral_has_agent_emotion(json, "", problem))
        return -EINVAL;
    return neutral_read(&attributes, "", sender, result, problem);
}
