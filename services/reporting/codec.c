#include "reporting/codec.h"

#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/ingest.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "moment/v1/reporting.pb-c.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN (-1)

static char *mutable_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* --- names of enumeration values ----------------------------------------------------------- */

/* "OUTCOME_EXIT_KEY" without the prefix that the zero value shows, in lower case; "" for zero. */
static void enum_name(const ProtobufCEnumDescriptor *descriptor, int number,
                      char to[CODEC_ENUM_SIZE])
{
    const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(descriptor, 0);
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);
    size_t len = 0;

    to[0] = '\0';
    if (number == 0 || value == NULL || zero == NULL)
        return;
    const char *name = value->name + strlen(zero->name) - strlen("UNSPECIFIED");

    for (; name[len] != '\0' && len + 1 < CODEC_ENUM_SIZE; len++)
        to[len] = (char)tolower((unsigned char)name[len]);
    to[len] = '\0';
}

static int enum_number(const ProtobufCEnumDescriptor *descriptor, const char *name, int *ret_number)
{
    char known[CODEC_ENUM_SIZE];

    for (unsigned i = 0; i < descriptor->n_values; i++) {
        enum_name(descriptor, descriptor->values[i].value, known);
        if (known[0] != '\0' && strcmp(known, name) == 0) {
            *ret_number = descriptor->values[i].value;
            return 0;
        }
    }
    return -EINVAL;
}

int codec_channel(const char *name, int *ret_number)
{
    return enum_number(&moment__v1__channel__descriptor, name, ret_number);
}

int codec_outcome(const char *name, int *ret_number)
{
    return enum_number(&moment__v1__outcome__descriptor, name, ret_number);
}

int codec_moment_state(const char *name, int *ret_number)
{
    return enum_number(&moment__v1__moment_state__descriptor, name, ret_number);
}

/* --- records to facts ---------------------------------------------------------------------- */

static int64_t first_known(const int64_t *times, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (times[i] > 0)
            return times[i];
    }
    return 0;
}

static void read_durations(const Moment__V1__Visit *from, struct visit_fact *to)
{
    to->wait_ms = from->wait_known_case ? (int64_t)from->wait_ms : UNKNOWN;
    to->talk_ms = from->talk_known_case ? (int64_t)from->talk_ms : UNKNOWN;
    to->hold_ms = from->hold_known_case ? (int64_t)from->hold_ms : UNKNOWN;
    to->hold_count = from->hold_count_known_case ? (int64_t)from->hold_count : UNKNOWN;
    to->wrap_ms = UNKNOWN;
    to->has_csat = from->csat_known_case != 0;
    to->csat = to->has_csat ? from->csat : 0;
}

static void read_visit(const Moment__V1__Moment *moment, const Moment__V1__Visit *from,
                       int64_t record_at, struct visit_fact *to)
{
    const int64_t entered[] = {from->entered_at, from->answered_at, from->ended_at,
                               moment->started_at, record_at};

    to->queue = from->queue;
    to->agent = from->agent;
    to->person_id = from->person_id;
    enum_name(&moment__v1__outcome__descriptor, (int)from->outcome, to->outcome);
    to->has_ended = from->ended_at > 0 || from->outcome != 0 ||
                    moment->state == MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED;
    to->class = visit_class_of(from->answered_at, to->outcome, to->has_ended);
    to->is_transfer = visit_is_transfer(to->outcome);
    to->entered_at = first_known(entered, countof(entered));
    read_durations(from, to);
}

/* What sources tell of a moment as a whole belongs to the person who served last. */
static void give_to_last_answered(const Moment__V1__Moment *moment, struct moment_fact *to)
{
    struct visit_fact *last = NULL;
    bool has_csat = false;

    for (size_t i = 0; i < to->visit_count; i++) {
        if (to->visits[i].class == VISIT_ANSWERED)
            last = &to->visits[i];
        has_csat = has_csat || to->visits[i].has_csat;
    }
    if (last == NULL)
        return;
    if (moment->wrap_known_case)
        last->wrap_ms = moment->wrap_ms;
    if (moment->csat_known_case && !has_csat) {
        last->has_csat = true;
        last->csat = moment->csat;
    }
}

static void find_queue_now(const Moment__V1__Moment *moment, struct moment_fact *to)
{
    to->queue_now = moment->queue;
    to->queue_since = moment->started_at;
    for (size_t i = 0; i < to->visit_count; i++) {
        if (to->visits[i].has_ended)
            continue;
        to->queue_now = to->visits[i].queue;
        to->queue_since = to->visits[i].entered_at;
    }
}

static int read_moment_columns(const Moment__V1__Moment *from, int64_t record_at,
                               struct moment_fact *to)
{
    const int64_t listed[] = {from->started_at, from->ended_at, record_at, 1};

    if (id_parse(from->moment_id, &to->moment_id) < 0)
        return -EBADMSG;
    enum_name(&moment__v1__channel__descriptor, (int)from->channel, to->channel);
    enum_name(&moment__v1__moment_state__descriptor, (int)from->state, to->state);
    enum_name(&moment__v1__outcome__descriptor, (int)from->outcome, to->outcome);
    to->source = from->source;
    to->queue = from->queue;
    to->agent = from->agent;
    to->listed_at = first_known(listed, countof(listed));
    to->ended_at = from->ended_at;
    to->revision = from->revision;
    to->is_merged = from->merged_into[0] != '\0';
    to->is_open = !to->is_merged && from->state != MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED;
    return 0;
}

static int read_moment(const Moment__V1__MomentChanged *changed, int64_t record_at,
                       struct fact *fact)
{
    const Moment__V1__Moment *from = changed->moment;

    if (from == NULL || read_moment_columns(from, record_at, &fact->moment) < 0)
        return -EBADMSG;
    struct moment_fact *to = &fact->moment;

    if (!to->is_merged && from->n_visits > 0) {
        to->visits = calloc(from->n_visits, sizeof(*to->visits));
        if (to->visits == NULL)
            return -ENOMEM;
        to->visit_count = from->n_visits;
        for (size_t i = 0; i < to->visit_count; i++)
            read_visit(from, from->visits[i], record_at, &to->visits[i]);
    }
    give_to_last_answered(from, to);
    find_queue_now(from, to);
    fact->id = from->moment_id;
    fact->site = from->site;
    fact->team = from->team_id;
    fact->person_id = from->person_id;
    fact->subject = &from->base;
    return 0;
}

static int read_agent(const Moment__V1__AgentChanged *from, struct fact *fact)
{
    fact->id = from->agent;
    fact->source = from->source;
    fact->name = from->name;
    fact->site = from->site;
    fact->person_id = from->person_id;
    fact->at_us = from->since;
    enum_name(&moment__v1__agent_presence__descriptor, (int)from->presence, fact->state);
    fact->subject = &from->base;
    return from->agent[0] != '\0' ? 0 : -EBADMSG;
}

static int read_directory(const Moment__V1__DirectoryChanged *from, struct fact *fact)
{
    switch (from->entry_case) {
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_SITE:
        fact->kind = FACT_SITE;
        fact->id = from->site->site_id;
        fact->name = from->site->name;
        fact->time_zone = from->site->time_zone;
        return 0;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_TEAM:
        fact->kind = FACT_TEAM;
        fact->id = from->team->team_id;
        fact->name = from->team->name;
        fact->site = from->team->site_id;
        return 0;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_PERSON:
        fact->kind = FACT_PERSON;
        fact->id = from->person->person_id;
        fact->name = from->person->name;
        fact->site = from->person->site_id;
        fact->team = from->person->team_id;
        fact->role = from->person->role;
        fact->coach_id = from->person->coach_id;
        return 0;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_QUEUE:
        fact->kind = FACT_QUEUE;
        fact->id = from->queue->queue_id;
        fact->name = from->queue->name;
        fact->site = from->queue->site_id;
        return 0;
    default:
        return -EBADMSG;
    }
}

static int read_evaluation(const Moment__V1__EvaluationMade *made, struct fact *fact)
{
    const Moment__V1__Evaluation *from = made->evaluation;

    if (from == NULL)
        return -EBADMSG;
    fact->id = from->evaluation_id;
    fact->moment_id = from->moment_id;
    fact->site = from->site;
    fact->team = from->team_id;
    fact->person_id = from->person_id;
    fact->subject = &from->base;
    return 0;
}

static int read_alert(const Moment__V1__AlertChanged *changed, struct fact *fact)
{
    const Moment__V1__Alert *from = changed->alert;

    if (from == NULL || from->alert_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->alert_id;
    fact->moment_id = from->moment_id;
    fact->site = from->site;
    fact->team = from->team_id;
    fact->person_id = from->person_id;
    fact->at_us = from->raised_at;
    fact->state_number = (int32_t)from->state;
    fact->is_open = from->state == MOMENT__V1__ALERT_STATE__ALERT_STATE_RAISED ||
                    from->state == MOMENT__V1__ALERT_STATE__ALERT_STATE_ACKNOWLEDGED;
    fact->subject = &from->base;
    return 0;
}

static int read_candidate(const Moment__V1__CandidateChanged *changed, struct fact *fact)
{
    const Moment__V1__Candidate *from = changed->candidate;

    if (from == NULL || from->candidate_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->candidate_id;
    fact->moment_id = from->moment_id;
    fact->site = from->site;
    fact->team = from->team_id;
    fact->person_id = from->person_id;
    fact->at_us = from->proposed_at;
    fact->state_number = (int32_t)from->state;
    fact->revision = from->revision;
    fact->subject = &from->base;
    return 0;
}

/* Improvement is between the two and the coaches; so is praise, whose post is what the house sees,
 * unless its giver keeps it between the two. */
static int read_note(const Moment__V1__NoteChanged *changed, struct fact *fact)
{
    const Moment__V1__Note *from = changed->note;

    if (from == NULL || from->note_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->note_id;
    fact->moment_id = from->moment_id;
    fact->site = from->site;
    fact->team = from->team_id;
    fact->person_id = from->receiver;
    fact->author_id = from->giver;
    fact->audience = from->is_private ? AUDIENCE_PARTIES : AUDIENCE_PRIVATE;
    fact->subject = &from->base;
    return 0;
}

static int read_coaching(const Moment__V1__CoachingChanged *changed, struct fact *fact)
{
    const Moment__V1__CoachingSession *from = changed->session;

    if (from == NULL || from->session_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->session_id;
    fact->site = from->site;
    fact->team = from->team_id;
    fact->person_id = from->attendee;
    fact->author_id = from->coach;
    fact->audience = AUDIENCE_PRIVATE;
    fact->subject = &from->base;
    return 0;
}

static void blank(char **text)
{
    if (*text == protobuf_c_empty_string)
        return;
    free(*text);
    *text = mutable_text(protobuf_c_empty_string);
}

/* What was taken back is told to be so, and shown no more. */
static void hide_withdrawn(Moment__V1__Post *post)
{
    if (post->withdrawn) {
        blank(&post->title);
        blank(&post->text);
    }
    for (size_t i = 0; i < post->n_comments; i++) {
        if (post->withdrawn || post->comments[i]->withdrawn)
            blank(&post->comments[i]->text);
    }
}

static int read_post(const Moment__V1__PostChanged *changed, struct fact *fact)
{
    Moment__V1__Post *from = changed->post;

    if (from == NULL || from->post_id[0] == '\0')
        return -EBADMSG;
    hide_withdrawn(from);
    fact->id = from->post_id;
    fact->moment_id = from->moment_id;
    fact->site = from->site;
    fact->team = from->team_id;
    fact->person_id = from->about;
    fact->author_id = from->author;
    fact->audience = AUDIENCE_HOUSE;
    fact->subject = &from->base;
    return 0;
}

/* A place is one site; what is for several or for all is told to who has no limit. */
static const char *only_site(char *const *sites, size_t count)
{
    return count == 1 ? sites[0] : "";
}

static int read_standard(const Moment__V1__StandardChanged *changed, struct fact *fact)
{
    const Moment__V1__Standard *from = changed->standard;

    if (from == NULL || from->standard_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->standard_id;
    if (from->scope != NULL)
        fact->site = only_site(from->scope->sites, from->scope->n_sites);
    fact->audience = from->state == MOMENT__V1__STANDARD_STATE__STANDARD_STATE_PUBLISHED ||
                             from->state == MOMENT__V1__STANDARD_STATE__STANDARD_STATE_RETIRED
                         ? AUDIENCE_HOUSE
                         : AUDIENCE_LEADERS;
    fact->subject = &from->base;
    return 0;
}

static int read_sample(const Moment__V1__SampleChanged *changed, struct fact *fact)
{
    const Moment__V1__Sample *from = changed->sample;

    if (from == NULL || from->sample_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->sample_id;
    fact->moment_id = from->moment_id;
    fact->site = from->site;
    fact->team = from->team_id;
    fact->person_id = from->person_id;
    fact->audience = AUDIENCE_LEADERS;
    fact->subject = &from->base;
    return 0;
}

static int read_rhythm(const Moment__V1__RhythmChanged *changed, struct fact *fact)
{
    const Moment__V1__Rhythm *from = changed->rhythm;

    if (from == NULL || from->rhythm_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->rhythm_id;
    fact->author_id = from->user_id;
    fact->audience = AUDIENCE_HOUSE;
    fact->subject = &from->base;
    return 0;
}

static int read_calibration(const Moment__V1__CalibrationChanged *changed, struct fact *fact)
{
    const Moment__V1__Calibration *from = changed->calibration;

    if (from == NULL || from->calibration_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->calibration_id;
    fact->site = from->site;
    fact->author_id = from->created_by;
    fact->audience = AUDIENCE_LEADERS;
    fact->subject = &from->base;
    return 0;
}

static int read_alert_rule(const Moment__V1__AlertRuleChanged *changed, struct fact *fact)
{
    const Moment__V1__AlertRule *from = changed->rule;

    if (from == NULL || from->rule_id[0] == '\0')
        return -EBADMSG;
    fact->id = from->rule_id;
    fact->site = only_site(from->sites, from->n_sites);
    fact->team = only_site(from->teams, from->n_teams);
    fact->author_id = from->edited_by;
    fact->audience = AUDIENCE_LEADERS;
    fact->subject = &from->base;
    return 0;
}

struct known_type {
    const char *type;
    enum fact_kind kind;
    const ProtobufCMessageDescriptor *descriptor;
};

static const struct known_type known_types[] = {
    {"MomentChanged", FACT_MOMENT, &moment__v1__moment_changed__descriptor},
    {"AgentChanged", FACT_AGENT, &moment__v1__agent_changed__descriptor},
    {"SourceGap", FACT_GAP, &moment__v1__source_gap__descriptor},
    {"DirectoryChanged", FACT_SITE, &moment__v1__directory_changed__descriptor},
    {"EvaluationMade", FACT_EVALUATION, &moment__v1__evaluation_made__descriptor},
    {"AlertChanged", FACT_ALERT, &moment__v1__alert_changed__descriptor},
    {"CandidateChanged", FACT_CANDIDATE, &moment__v1__candidate_changed__descriptor},
    {"NoteChanged", FACT_NOTE, &moment__v1__note_changed__descriptor},
    {"CoachingChanged", FACT_COACHING, &moment__v1__coaching_changed__descriptor},
    {"PostChanged", FACT_POST, &moment__v1__post_changed__descriptor},
    {"StandardChanged", FACT_STANDARD, &moment__v1__standard_changed__descriptor},
    {"SampleChanged", FACT_SAMPLE, &moment__v1__sample_changed__descriptor},
    {"RhythmChanged", FACT_RHYTHM, &moment__v1__rhythm_changed__descriptor},
    {"CalibrationChanged", FACT_CALIBRATION, &moment__v1__calibration_changed__descriptor},
    {"AlertRuleChanged", FACT_ALERT_RULE, &moment__v1__alert_rule_changed__descriptor},
};

static const struct known_type *find_type(const char *type)
{
    for (size_t i = 0; i < countof(known_types); i++) {
        if (strcmp(known_types[i].type, type) == 0)
            return &known_types[i];
    }
    return NULL;
}

static int read_message(const ProtobufCMessage *message, const struct record *record,
                        struct fact *fact)
{
    const void *typed = message;

    switch (fact->kind) {
    case FACT_MOMENT:
        return read_moment(typed, record->at_us, fact);
    case FACT_AGENT:
        return read_agent(typed, fact);
    case FACT_GAP:
        fact->site = record->site;
        fact->subject = message;
        return 0;
    case FACT_EVALUATION:
        return read_evaluation(typed, fact);
    case FACT_ALERT:
        return read_alert(typed, fact);
    case FACT_CANDIDATE:
        return read_candidate(typed, fact);
    case FACT_NOTE:
        return read_note(typed, fact);
    case FACT_COACHING:
        return read_coaching(typed, fact);
    case FACT_POST:
        return read_post(typed, fact);
    case FACT_STANDARD:
        return read_standard(typed, fact);
    case FACT_SAMPLE:
        return read_sample(typed, fact);
    case FACT_RHYTHM:
        return read_rhythm(typed, fact);
    case FACT_CALIBRATION:
        return read_calibration(typed, fact);
    case FACT_ALERT_RULE:
        return read_alert_rule(typed, fact);
    case FACT_SITE:
    case FACT_TEAM:
    case FACT_PERSON:
    case FACT_QUEUE:
        return read_directory(typed, fact);
    case FACT_OTHER:
        return 0;
    }
    return -EBADMSG;
}

static struct fact *fact_new(enum fact_kind kind)
{
    struct fact *fact = calloc(1, sizeof(*fact));

    if (fact == NULL)
        return NULL;
    fact->kind = kind;
    fact->id = fact->name = fact->site = fact->team = fact->person_id = fact->author_id = "";
    fact->moment_id = fact->source = fact->time_zone = fact->role = fact->coach_id = "";
    fact->moment.source = fact->moment.queue_now = "";
    fact->moment.queue = fact->moment.agent = "";
    return fact;
}

int fact_read(const struct record *record, struct fact **ret_fact)
{
    const struct known_type *known = find_type(record->type);
    struct fact *fact = fact_new(known != NULL ? known->kind : FACT_OTHER);
    int rc = fact != NULL ? 0 : -ENOMEM;

    if (rc == 0 && known != NULL)
        rc = protobuf_read(known->descriptor, record->body, &fact->record);
    if (rc == 0 && known != NULL)
        rc = read_message(fact->record, record, fact);
    if (rc < 0) {
        fact_free(&fact);
        return rc;
    }
    *ret_fact = fact;
    return 0;
}

void fact_free(struct fact **fact)
{
    struct fact *gone = *fact;

    if (gone == NULL)
        return;
    if (gone->record != NULL)
        protobuf_c_message_free_unpacked(gone->record, NULL);
    free(gone->moment.visits);
    free(gone);
    *fact = NULL;
}

int fact_pack(const struct fact *fact, uint8_t **ret_bytes, size_t *ret_len)
{
    assert(fact->subject != NULL);
    return protobuf_write(fact->subject, ret_bytes, ret_len);
}

/* --- live updates -------------------------------------------------------------------------- */

/* 0: nobody watches such a fact. */
static Moment__V1__LiveUpdate__UpdateCase update_of(enum fact_kind kind)
{
    switch (kind) {
    case FACT_MOMENT:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_MOMENT;
    case FACT_AGENT:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_AGENT;
    case FACT_ALERT:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_ALERT;
    case FACT_CANDIDATE:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_CANDIDATE;
    case FACT_EVALUATION:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_EVALUATION;
    case FACT_GAP:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_GAP;
    case FACT_NOTE:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_NOTE;
    case FACT_COACHING:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_COACHING;
    case FACT_POST:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_POST;
    case FACT_STANDARD:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_STANDARD;
    case FACT_SAMPLE:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_SAMPLE;
    case FACT_RHYTHM:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_RHYTHM;
    case FACT_CALIBRATION:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_CALIBRATION;
    case FACT_ALERT_RULE:
        return MOMENT__V1__LIVE_UPDATE__UPDATE_RULE;
    case FACT_SITE:
    case FACT_TEAM:
    case FACT_PERSON:
    case FACT_QUEUE:
    case FACT_OTHER:
        break;
    }
    return MOMENT__V1__LIVE_UPDATE__UPDATE__NOT_SET;
}

/* Everybody who took part, so that an agent sees a moment that went on to somebody else. */
static size_t list_people(const struct fact *fact, char **people)
{
    size_t count = 0;

    if (fact->person_id[0] != '\0')
        people[count++] = mutable_text(fact->person_id);
    for (size_t i = 0; i < fact->moment.visit_count; i++) {
        if (fact->moment.visits[i].person_id[0] != '\0')
            people[count++] = mutable_text(fact->moment.visits[i].person_id);
    }
    return count;
}

int fact_pack_live(const struct fact *fact, const char *team, const char *name, uint8_t **ret_bytes,
                   size_t *ret_len)
{
    Moment__V1__LiveUpdate update;

    moment__v1__live_update__init(&update);
    update.update_case = update_of(fact->kind);
    if (update.update_case == MOMENT__V1__LIVE_UPDATE__UPDATE__NOT_SET)
        return -ENOENT;
    /* Every member of the oneof is a message: one pointer, whichever it is. It is only packed,
     * never changed; protobuf-c has no const members. */
    update.moment = (void *)(uintptr_t)fact->subject;
    char **people = calloc(fact->moment.visit_count + 1, sizeof(*people));

    if (people == NULL)
        return -ENOMEM;
    update.n_person_ids = list_people(fact, people);
    update.person_ids = people;
    update.site = mutable_text(fact->site);
    update.team_id = mutable_text(team);
    update.name = mutable_text(name);
    update.author_id = mutable_text(fact->author_id);
    update.audience = (Moment__V1__Audience)fact->audience;
    int rc = protobuf_write(&update.base, ret_bytes, ret_len);

    free(people);
    return rc;
}

/* --- JSON ---------------------------------------------------------------------------------- */

/* The wire can not tell an unknown text from an empty one; readers of the API get null for both. */
static void null_the_empty(json_t *json)
{
    const char *name;
    json_t *value;
    void *next;
    size_t i;

    if (json_is_array(json)) {
        json_array_foreach(json, i, value) null_the_empty(value);
        return;
    }
    json_object_foreach_safe(json, next, name, value)
    {
        if (json_is_string(value) && json_string_length(value) == 0)
            json_object_set_new(json, name, json_null());
        else if (json_is_object(value) || json_is_array(value))
            null_the_empty(value);
    }
}

json_t *codec_json(const ProtobufCMessage *message)
{
    json_t *json = json_from_protobuf(message);

    if (json != NULL)
        null_the_empty(json);
    return json;
}

static json_t *packed_json(const ProtobufCMessageDescriptor *descriptor, struct slice bytes)
{
    ProtobufCMessage *message = NULL;

    if (protobuf_read(descriptor, bytes, &message) < 0)
        return NULL;
    json_t *json = codec_json(message);

    protobuf_c_message_free_unpacked(message, NULL);
    return json;
}

json_t *codec_moment_json(struct slice bytes)
{
    return packed_json(&moment__v1__moment__descriptor, bytes);
}

static void name_agent(json_t *agent, const char *name, const char *team)
{
    if (name[0] != '\0')
        json_object_set_new(agent, "name", json_string(name));
    json_object_set_new(agent, "team_id", json_text_or_null(team));
}

json_t *codec_agent_json(struct slice bytes, const char *name, const char *team)
{
    json_t *json = packed_json(&moment__v1__agent_changed__descriptor, bytes);

    if (json != NULL)
        name_agent(json, name, team);
    return json;
}

json_t *codec_alert_json(struct slice bytes)
{
    return packed_json(&moment__v1__alert__descriptor, bytes);
}

json_t *codec_candidate_json(struct slice bytes)
{
    return packed_json(&moment__v1__candidate__descriptor, bytes);
}

static json_t *update_json(const Moment__V1__LiveUpdate *update)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        &moment__v1__live_update__descriptor, update->update_case);

    if (field == NULL)
        return NULL;
    json_t *json = codec_json((const ProtobufCMessage *)(const void *)update->moment);

    if (json != NULL && update->update_case == MOMENT__V1__LIVE_UPDATE__UPDATE_AGENT)
        name_agent(json, update->name, update->team_id);
    return json_pack("{s:o*}", field->name, json);
}

int live_item_read(struct slice body, struct live_item *ret_item)
{
    ProtobufCMessage *message = NULL;
    int rc = protobuf_read(&moment__v1__live_update__descriptor, body, &message);

    if (rc < 0)
        return rc;
    const Moment__V1__LiveUpdate *update = (const void *)message;
    json_t *json = update_json(update);

    ret_item->json = json != NULL ? json_text(json) : NULL;
    json_decref(json);
    if (ret_item->json == NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
        return -EBADMSG;
    }
    ret_item->subject = (struct subject){.audience = (enum audience)update->audience,
                                         .site = update->site,
                                         .team = update->team_id,
                                         .author_id = update->author_id,
                                         .people = update->person_ids,
                                         .people_count = update->n_person_ids};
    ret_item->owner = message;
    return 0;
}

void live_item_done(struct live_item *item)
{
    if (item->owner != NULL)
        protobuf_c_message_free_unpacked(item->owner, NULL);
    free(item->json);
    memset(item, 0, sizeof(*item));
}
