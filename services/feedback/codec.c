/* codec - see the header. */
#include "feedback/codec.h"

#include "io/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME_VALUE 1e-9

_Static_assert((int)STATE_ENDED == (int)MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED, "states");
_Static_assert((int)STATE_HELD == (int)MOMENT__V1__MOMENT_STATE__MOMENT_STATE_HELD, "states");
_Static_assert((int)OUTCOME_ABANDONED == (int)MOMENT__V1__OUTCOME__OUTCOME_ABANDONED, "outcomes");
_Static_assert((int)ALERT_WAITING == (int)MOMENT__V1__ALERT_SUBJECT__ALERT_SUBJECT_WAITING,
               "subjects");
_Static_assert((int)ALERT_CUSTOMER_SIGNAL ==
                   (int)MOMENT__V1__ALERT_SUBJECT__ALERT_SUBJECT_CUSTOMER_SIGNAL,
               "subjects");

void codec_free(ProtobufCMessage *message)
{
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

int codec_copy(const ProtobufCMessage *message, ProtobufCMessage **ret_copy)
{
    uint8_t *bytes;
    size_t len;
    int error = protobuf_write(message, &bytes, &len);

    if (error != 0) {
        return error;
    }
    *ret_copy = protobuf_c_message_unpack(message->descriptor, NULL, len, bytes);
    free(bytes);
    return *ret_copy != NULL ? 0 : -ENOMEM;
}

bool codec_is_same(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    size_t size = protobuf_c_message_get_packed_size(a);
    uint8_t *bytes;
    bool is_same;

    if (size != protobuf_c_message_get_packed_size(b)) {
        return false;
    }
    bytes = malloc(2 * size + 1);
    if (bytes == NULL) {
        return false;
    }
    (void)protobuf_c_message_pack(a, bytes);
    (void)protobuf_c_message_pack(b, bytes + size);
    is_same = memcmp(bytes, bytes + size, size) == 0;
    free(bytes);
    return is_same;
}

int codec_set(char **text, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL) {
        return -ENOMEM;
    }
    if (*text != protobuf_c_empty_string) {
        free(*text);
    }
    *text = copy;
    return 0;
}

/* --- moments --- */

static int64_t known_ms(int known_case, uint32_t value)
{
    return known_case != 0 ? (int64_t)value : -1;
}

static void read_visit(const Moment__V1__Visit *message, struct visit *visit)
{
    *visit = (struct visit){
        .queue = message->queue,
        .agent = message->agent,
        .entered_at = message->entered_at,
        .answered_at = message->answered_at,
        .ended_at = message->ended_at,
        .wait_ms = known_ms((int)message->wait_known_case, message->wait_ms),
        .ring_ms = known_ms((int)message->ring_known_case, message->ring_ms),
        .hold_ms = known_ms((int)message->hold_known_case, message->hold_ms),
        .hold_longest_ms =
            known_ms((int)message->hold_longest_known_case, message->hold_longest_ms),
        .hold_count = message->hold_count_known_case != 0 ? (int32_t)message->hold_count : -1,
        .offers = message->offers,
        .offer_failures = message->offer_failures,
        .outcome = (int)message->outcome,
    };
}

static void read_moment(const Moment__V1__Moment *message, int64_t changed_at,
                        struct moment *moment)
{
    *moment = (struct moment){
        .moment_id = message->moment_id,
        .site = message->site,
        .queue = message->queue,
        .agent = message->agent,
        .person_id = message->person_id,
        .team_id = message->team_id,
        .channel = (int)message->channel,
        .direction = (int)message->direction,
        .outcome = (int)message->outcome,
        .state = (enum moment_state)message->state,
        .state_since = message->state_since,
        .started_at = message->started_at,
        .ended_at = message->ended_at,
        .changed_at = changed_at,
        .wait_ms = known_ms((int)message->wait_known_case, message->wait_ms),
        .ring_ms = known_ms((int)message->ring_known_case, message->ring_ms),
        .talk_ms = known_ms((int)message->talk_known_case, message->talk_ms),
        .hold_ms = known_ms((int)message->hold_known_case, message->hold_ms),
        .wrap_ms = known_ms((int)message->wrap_known_case, message->wrap_ms),
        .hold_count = message->hold_count_known_case != 0 ? (int32_t)message->hold_count : -1,
        .transfers = message->transfers,
        .repeat_contacts = message->repeat_contacts,
        .has_csat = message->csat_known_case != 0,
        .has_nps = message->nps_known_case != 0,
        .signals = (const char *const *)message->customer_signals,
        .signal_count = message->n_customer_signals,
    };
    moment->csat = moment->has_csat ? message->csat : 0.0;
    moment->nps = moment->has_nps ? message->nps : 0.0;
}

int codec_snapshot(Moment__V1__Moment **message, int64_t changed_at, struct snapshot *ret_snapshot)
{
    struct snapshot snapshot = {.message = *message};
    struct id id;

    *message = NULL;
    if (snapshot.message == NULL || id_parse(snapshot.message->moment_id, &id) != 0) {
        codec_snapshot_done(&snapshot);
        return -EBADMSG;
    }
    if (snapshot.message->n_visits > 0) {
        snapshot.visits = calloc(snapshot.message->n_visits, sizeof(*snapshot.visits));
        if (snapshot.visits == NULL) {
            codec_snapshot_done(&snapshot);
            return -ENOMEM;
        }
    }
    read_moment(snapshot.message, changed_at, &snapshot.plain);
    for (size_t i = 0; i < snapshot.message->n_visits; i++) {
        read_visit(snapshot.message->visits[i], &snapshot.visits[i]);
    }
    snapshot.plain.visits = snapshot.visits;
    snapshot.plain.visit_count = snapshot.message->n_visits;
    *ret_snapshot = snapshot;
    return 0;
}

void codec_snapshot_done(struct snapshot *snapshot)
{
    if (snapshot->message != NULL) {
        codec_free(&snapshot->message->base);
    }
    free(snapshot->visits);
    *snapshot = (struct snapshot){0};
}

bool codec_is_ended(const struct snapshot *snapshot)
{
    return snapshot->plain.state == STATE_ENDED || snapshot->plain.outcome != OUTCOME_OPEN;
}

bool codec_is_merged(const struct snapshot *snapshot)
{
    return snapshot->message->merged_into[0] != '\0';
}

/* Makes a string array of a message into one of constants. */
static const char *const *names_of(char **names)
{
    return (const char *const *)names;
}

/* --- rules --- */

void codec_rule_plain(const Moment__V1__AlertRule *message, struct alert_rule *ret_rule)
{
    *ret_rule = (struct alert_rule){
        .subject = (enum alert_subject)message->subject,
        .threshold = message->threshold,
        .has_clear = message->clear_known_case != 0,
        .clear = message->clear_known_case != 0 ? message->clear_threshold : message->threshold,
        .cooldown_us = message->cooldown_ms * INT64_C(1000),
        .minimum_count = message->minimum_count,
        .window_us = message->window_ms * INT64_C(1000),
        .target_us = message->target_ms * INT64_C(1000),
        .signal = message->signal,
        .changed_at = message->edited_at,
        .sites = names_of(message->sites),
        .queues = names_of(message->queues),
        .teams = names_of(message->teams),
        .site_count = message->n_sites,
        .queue_count = message->n_queues,
        .team_count = message->n_teams,
        .rule_id = message->rule_id,
        .title = message->title,
        .severity = (int)message->severity,
        .escalate_us = message->escalate_after_ms * INT64_C(1000),
    };
}

int codec_rule(Moment__V1__AlertRule **message, struct held_rule *ret_rule)
{
    Moment__V1__AlertRule *rule = *message;

    *message = NULL;
    if ((int)rule->subject <= (int)ALERT_UNKNOWN || (int)rule->subject >= (int)ALERT_SUBJECTS) {
        codec_free(&rule->base);
        return -EINVAL;
    }
    *ret_rule = (struct held_rule){.message = rule};
    codec_rule_plain(rule, &ret_rule->plain);
    return 0;
}

void codec_rule_done(struct held_rule *rule)
{
    if (rule->message != NULL) {
        codec_free(&rule->message->base);
    }
    *rule = (struct held_rule){0};
}

/* --- evaluations --- */

static void fill_result(Moment__V1__CriterionResult *result, const struct criterion *criterion,
                        const struct judged *judged)
{
    moment__v1__criterion_result__init(result);
    /* The strings are the standard's: the message is copied before it leaves codec_evaluation. */
    result->criterion_id = (char *)(uintptr_t)criterion->criterion_id;
    result->title = (char *)(uintptr_t)criterion->title;
    result->section = (char *)(uintptr_t)criterion->section;
    result->metric = (char *)(uintptr_t)criterion->metric;
    result->kind = (Moment__V1__CriterionKind)criterion->kind;
    result->weight = criterion->weight;
    result->critical = criterion->critical;
    result->fatal = criterion->fatal != FATAL_NONE;
    result->comparison = (Moment__V1__Comparison)criterion->comparison;
    result->value = criterion->value;
    result->answer = (char *)(uintptr_t)judged->answer;
    result->comment = (char *)(uintptr_t)judged->comment;
    result->not_asked = !judged->is_asked;
    result->not_applicable = !judged->applies;
    result->met = judged->met;
    result->wow = judged->wow;
    result->unacceptable = judged->unacceptable;
    result->fatal_failed = judged->fatal_failed;
    result->points = judged->points;
    result->points_possible = judged->points_possible;
    if (judged->has_actual) {
        result->actual_known_case = MOMENT__V1__CRITERION_RESULT__ACTUAL_KNOWN_ACTUAL;
        result->actual = judged->actual;
    }
}

static void fill_scores(Moment__V1__Evaluation *message, const struct score *score)
{
    if (score->is_known) {
        message->raw_known_case = MOMENT__V1__EVALUATION__RAW_KNOWN_RAW_SCORE;
        message->raw_score = score->raw;
        message->final_known_case = MOMENT__V1__EVALUATION__FINAL_KNOWN_FINAL_SCORE;
        message->final_score = score->final;
    }
    if (score->is_critical_known) {
        message->critical_known_case = MOMENT__V1__EVALUATION__CRITICAL_KNOWN_CRITICAL_SCORE;
        message->critical_score = score->critical;
    }
}

void codec_answers(Moment__V1__Answer *const *messages, size_t count, struct answer *ret_answers)
{
    for (size_t i = 0; i < count; i++) {
        ret_answers[i] = (struct answer){.criterion_id = messages[i]->criterion_id,
                                         .answer = messages[i]->answer,
                                         .comment = messages[i]->comment};
    }
}

void codec_judge(const struct moment *moment, const struct standard *standard,
                 const struct answer *answers, size_t count, struct judgement *ret_judgement)
{
    struct measurement measured[STANDARD_CRITERIA_MAX];

    for (size_t i = 0; i < standard->criterion_count; i++) {
        measured[i] = measure(moment, &standard->criteria[i]);
    }
    answers_judge(standard, measured, answers, count, ret_judgement);
}

int codec_results(const struct standard *standard, const struct judgement *judgement,
                  Moment__V1__CriterionResult ***ret_results)
{
    Moment__V1__CriterionResult result;
    ProtobufCMessage *copy;
    int error = 0;

    *ret_results = calloc(judgement->count + 1, sizeof(Moment__V1__CriterionResult *));
    if (*ret_results == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; error == 0 && i < judgement->count; i++) {
        fill_result(&result, &standard->criteria[i], &judgement->criteria[i]);
        error = codec_copy(&result.base, &copy);
        if (error == 0) {
            (*ret_results)[i] = (Moment__V1__CriterionResult *)copy;
        }
    }
    if (error != 0) {
        for (size_t i = 0; (*ret_results)[i] != NULL; i++) {
            codec_free(&(*ret_results)[i]->base);
        }
        free(*ret_results);
        *ret_results = NULL;
    }
    return error;
}

static void evaluation_id(const struct snapshot *snapshot, const struct held_standard *standard,
                          const char *evaluator, char text[ID_TEXT_SIZE])
{
    char version[16];
    const char *const parts[] = {"evaluation", evaluator, standard->plain.standard_id, version,
                                 snapshot->plain.moment_id};
    struct id id;

    (void)snprintf(version, sizeof(version), "%u", standard->plain.version);
    id = id_of(parts, countof(parts));
    (void)id_print(&id, text);
}

static void fill_evaluation(Moment__V1__Evaluation *message, const struct snapshot *snapshot,
                            const struct held_standard *standard, const char *evaluator)
{
    const Moment__V1__Moment *moment = snapshot->message;

    message->moment_id = moment->moment_id;
    message->moment_revision = moment->revision;
    message->standard_id = standard->message->standard_id;
    message->standard_version = standard->message->version;
    message->standard_title = standard->message->title;
    message->site = moment->site;
    message->queue = moment->queue;
    message->agent = moment->agent;
    message->person_id = moment->person_id;
    message->team_id = moment->team_id;
    message->evaluator = (char *)(uintptr_t)evaluator;
    message->moment_ended_at = moment->ended_at;
    if (snapshot->plain.has_csat) {
        message->csat_known_case = MOMENT__V1__EVALUATION__CSAT_KNOWN_CSAT;
        message->csat = snapshot->plain.csat;
    }
}

int codec_evaluation(const struct snapshot *snapshot, const struct held_standard *standard,
                     const char *evaluator, Moment__V1__Evaluation **ret_message)
{
    size_t count = standard->plain.criterion_count;
    Moment__V1__CriterionResult *results = calloc(count, sizeof(*results));
    Moment__V1__CriterionResult **pointers = calloc(count, sizeof(*pointers));
    Moment__V1__Evaluation message;
    ProtobufCMessage *copy = NULL;
    char id_text[ID_TEXT_SIZE];
    struct judgement judgement;
    int error = -ENOMEM;

    if (results == NULL || pointers == NULL) {
        goto out;
    }
    moment__v1__evaluation__init(&message);
    evaluation_id(snapshot, standard, evaluator, id_text);
    message.evaluation_id = id_text;
    fill_evaluation(&message, snapshot, standard, evaluator);
    codec_judge(&snapshot->plain, &standard->plain, NULL, 0, &judgement);
    fill_scores(&message, &judgement.score);
    for (size_t i = 0; i < count; i++) {
        fill_result(&results[i], &standard->plain.criteria[i], &judgement.criteria[i]);
        pointers[i] = &results[i];
    }
    message.n_results = count;
    message.results = pointers;
    error = codec_copy(&message.base, &copy);
    if (error == 0) {
        *ret_message = (Moment__V1__Evaluation *)copy;
    }
out:
    free(results);
    free(pointers);
    return error;
}

static bool is_same_value(bool a_known, double a, bool b_known, double b)
{
    return a_known == b_known && (!a_known || fabs(a - b) < SAME_VALUE);
}

static bool is_same_result(const Moment__V1__CriterionResult *a,
                           const Moment__V1__CriterionResult *b)
{
    return strcmp(a->criterion_id, b->criterion_id) == 0 &&
           a->not_applicable == b->not_applicable && a->met == b->met && a->wow == b->wow &&
           is_same_value(a->actual_known_case != 0, a->actual, b->actual_known_case != 0,
                         b->actual);
}

static bool is_same_score(const Moment__V1__Evaluation *a, const Moment__V1__Evaluation *b)
{
    return is_same_value(a->raw_known_case != 0, a->raw_score, b->raw_known_case != 0,
                         b->raw_score) &&
           is_same_value(a->final_known_case != 0, a->final_score, b->final_known_case != 0,
                         b->final_score) &&
           is_same_value(a->critical_known_case != 0, a->critical_score,
                         b->critical_known_case != 0, b->critical_score) &&
           is_same_value(a->csat_known_case != 0, a->csat, b->csat_known_case != 0, b->csat);
}

bool codec_is_same_evaluation(const Moment__V1__Evaluation *a, const Moment__V1__Evaluation *b)
{
    if (strcmp(a->evaluation_id, b->evaluation_id) != 0 || a->withdrawn != b->withdrawn ||
        a->moment_ended_at != b->moment_ended_at || strcmp(a->site, b->site) != 0 ||
        strcmp(a->queue, b->queue) != 0 || strcmp(a->agent, b->agent) != 0 ||
        strcmp(a->person_id, b->person_id) != 0 || strcmp(a->team_id, b->team_id) != 0 ||
        a->n_results != b->n_results || !is_same_score(a, b)) {
        return false;
    }
    for (size_t i = 0; i < a->n_results; i++) {
        if (!is_same_result(a->results[i], b->results[i])) {
            return false;
        }
    }
    return true;
}
