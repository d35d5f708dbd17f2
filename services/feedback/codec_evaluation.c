/* codec_evaluation - what was measured and answered about a moment, made into an evaluation. See
 * codec.h. */
#include "feedback/codec.h"

#include "feedback/rules/dispute.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME_VALUE 1e-9

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

void codec_evaluation_id(const char *moment_id, const struct held_standard *standard,
                         const char *evaluator, char text[ID_TEXT_SIZE])
{
    char version[16];
    const char *const parts[] = {"evaluation", evaluator, standard->plain.standard_id, version,
                                 moment_id};
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

/* --- what goes into the results --- */

/* Too large for a stack. */
struct judging {
    const struct standard *standard;
    const Moment__V1__Evaluation *last; /* may be null */
    struct measurement measured[STANDARD_CRITERIA_MAX];
    struct answer answers[STANDARD_CRITERIA_MAX];
    size_t answer_count;
    struct judgement judgement;
    Moment__V1__CriterionResult results[STANDARD_CRITERIA_MAX];
    Moment__V1__CriterionResult *result_pointers[STANDARD_CRITERIA_MAX];
    Moment__V1__Dispute disputes[STANDARD_CRITERIA_MAX];
    Moment__V1__Dispute *dispute_pointers[STANDARD_CRITERIA_MAX];
    size_t dispute_count;
};

static bool is_accepted(const Moment__V1__Dispute *dispute)
{
    return dispute->state == MOMENT__V1__DISPUTE_STATE__DISPUTE_STATE_ACCEPTED;
}

static bool is_decided(const Moment__V1__Dispute *dispute)
{
    return is_accepted(dispute) ||
           dispute->state == MOMENT__V1__DISPUTE_STATE__DISPUTE_STATE_DECLINED;
}

/* Results are in the order of their version's criteria. */
static size_t index_of(const struct judging *judging, const char *criterion_id)
{
    size_t index = 0;

    while (index < judging->standard->criterion_count &&
           strcmp(judging->standard->criteria[index].criterion_id, criterion_id) != 0) {
        index++;
    }
    return index;
}

static const Moment__V1__CriterionResult *last_result(const struct judging *judging, size_t index)
{
    return judging->last != NULL && index < judging->last->n_results ? judging->last->results[index]
                                                                     : NULL;
}

/* A criterion that was decided stays as it was, whatever is measured now. */
static void freeze(struct judging *judging, size_t index)
{
    const Moment__V1__CriterionResult *result = last_result(judging, index);

    if (result != NULL) {
        judging->measured[index] = (struct measurement){
            .applies = result->not_applicable == 0,
            .actual = result->actual_known_case != 0 ? result->actual : 0.0,
            .met = result->met != 0,
            .wow = result->wow != 0,
        };
    }
}

static void measure_all(struct judging *judging, const struct moment *moment)
{
    for (size_t i = 0; i < judging->standard->criterion_count; i++) {
        judging->measured[i] = measure(moment, &judging->standard->criteria[i]);
    }
    for (size_t i = 0; i < judging->dispute_count; i++) {
        if (is_decided(&judging->disputes[i])) {
            freeze(judging, index_of(judging, judging->disputes[i].criterion_id));
        }
    }
}

static void take_answers(struct judging *judging, const struct said *said)
{
    if (said->answers != NULL) {
        judging->answer_count = said->answer_count;
        memcpy(judging->answers, said->answers, said->answer_count * sizeof(*said->answers));
        return;
    }
    for (size_t i = 0; i < judging->standard->criterion_count; i++) {
        const Moment__V1__CriterionResult *result = last_result(judging, i);

        if (result != NULL && judging->standard->criteria[i].kind == CRITERION_OBSERVED) {
            judging->answers[judging->answer_count++] =
                (struct answer){result->criterion_id, result->answer, result->comment};
        }
    }
}

static void take_disputes(struct judging *judging)
{
    while (judging->last != NULL && judging->dispute_count < judging->last->n_disputes &&
           judging->dispute_count < STANDARD_CRITERIA_MAX) {
        size_t i = judging->dispute_count++;

        judging->disputes[i] = *judging->last->disputes[i];
        judging->dispute_pointers[i] = &judging->disputes[i];
    }
}

/* --- judging --- */

/* Takes the place of what was measured or answered. */
static void set_answer(struct judging *judging, const char *criterion_id, const char *answer)
{
    size_t index = index_of(judging, criterion_id);
    bool is_met = strcmp(answer, ANSWER_MET) == 0;

    for (size_t i = 0; i < judging->answer_count; i++) {
        if (strcmp(judging->answers[i].criterion_id, criterion_id) == 0) {
            judging->answers[i].answer = answer;
        }
    }
    if (index < judging->standard->criterion_count) {
        struct measurement *measured = &judging->measured[index];

        measured->wow = measured->wow && measured->met && is_met;
        measured->applies = strcmp(answer, ANSWER_NOT_APPLICABLE) != 0;
        measured->met = is_met;
    }
}

static void judge(struct judging *judging)
{
    answers_judge(judging->standard, judging->measured, judging->answers, judging->answer_count,
                  &judging->judgement);
}

/* As if the accepted disputes were decided one by one, in their order: so no later fact takes away
 * what a decision gave. */
static void judge_decisions(struct judging *judging)
{
    for (size_t i = 0; i < judging->dispute_count; i++) {
        if (is_accepted(&judging->disputes[i])) {
            set_answer(judging, judging->disputes[i].criterion_id,
                       judging->disputes[i].answer_before);
        }
    }
    judge(judging);
    for (size_t i = 0; i < judging->dispute_count; i++) {
        Moment__V1__Dispute *dispute = &judging->disputes[i];
        struct score before = judging->judgement.score;

        if (is_accepted(dispute)) {
            set_answer(judging, dispute->criterion_id, dispute->proposed_answer);
            judge(judging);
            dispute->score_kept = dispute_keep_up(&before, &judging->judgement.score);
        }
    }
}

/* --- the message --- */

/* Where a person decided, what was measured is still shown, and nothing where nothing was. */
static void show_measured(struct judging *judging, size_t index)
{
    const Moment__V1__CriterionResult *result = last_result(judging, index);

    if (result != NULL) {
        judging->results[index].actual_known_case = result->actual_known_case;
        judging->results[index].actual = result->actual;
    }
}

static void fill_results(Moment__V1__Evaluation *message, struct judging *judging)
{
    for (size_t i = 0; i < judging->judgement.count; i++) {
        fill_result(&judging->results[i], &judging->standard->criteria[i],
                    &judging->judgement.criteria[i]);
        judging->result_pointers[i] = &judging->results[i];
    }
    for (size_t i = 0; i < judging->dispute_count; i++) {
        if (is_decided(&judging->disputes[i])) {
            show_measured(judging, index_of(judging, judging->disputes[i].criterion_id));
        }
    }
    message->n_results = judging->judgement.count;
    message->results = judging->result_pointers;
    fill_scores(message, &judging->judgement.score);
}

/* What people did with it goes on. */
static void fill_fate(Moment__V1__Evaluation *message, struct judging *judging)
{
    const Moment__V1__Evaluation *last = judging->last;

    message->state = last->state;
    message->evaluator_name = last->evaluator_name;
    message->evaluator_person_id = last->evaluator_person_id;
    message->released_at = last->released_at;
    message->dispute_until_at = last->dispute_until_at;
    message->acknowledged_at = last->acknowledged_at;
    message->acknowledged_by = last->acknowledged_by;
    message->acknowledge_comment = last->acknowledge_comment;
    message->comment = last->comment;
    message->provenance = last->provenance;
    message->n_disputes = judging->dispute_count;
    message->disputes = judging->dispute_pointers;
}

int codec_evaluation(const struct snapshot *snapshot, const struct held_standard *standard,
                     const struct said *said, Moment__V1__Evaluation **ret_message)
{
    struct judging *judging = calloc(1, sizeof(*judging));
    Moment__V1__Evaluation message;
    ProtobufCMessage *copy = NULL;
    char id_text[ID_TEXT_SIZE];
    int error;

    if (judging == NULL) {
        return -ENOMEM;
    }
    judging->standard = &standard->plain;
    judging->last = said->last;
    take_disputes(judging);
    measure_all(judging, &snapshot->plain);
    take_answers(judging, said);
    judge_decisions(judging);
    moment__v1__evaluation__init(&message);
    codec_evaluation_id(snapshot->plain.moment_id, standard, said->evaluator, id_text);
    message.evaluation_id = id_text;
    fill_evaluation(&message, snapshot, standard, said->evaluator);
    if (said->last != NULL) {
        fill_fate(&message, judging);
    }
    fill_results(&message, judging);
    error = codec_copy(&message.base, &copy);
    if (error == 0) {
        *ret_message = (Moment__V1__Evaluation *)copy;
    }
    free(judging);
    return error;
}

void codec_objections(const struct objections *objections,
                      Moment__V1__Objection items[OBJECTIONS_MAX],
                      Moment__V1__Objection *ret_pointers[OBJECTIONS_MAX])
{
    for (size_t i = 0; i < objections->count; i++) {
        const struct objection *objection = &objections->items[i];

        moment__v1__objection__init(&items[i]);
        items[i].field = (char *)(uintptr_t)objection->field;
        items[i].detail = (char *)(uintptr_t)objection->detail;
        ret_pointers[i] = &items[i];
    }
}

void codec_missing(const struct standard *standard, const Moment__V1__Evaluation *message,
                   struct objections *objections)
{
    struct judgement judgement;

    judgement.count = standard->criterion_count < message->n_results ? standard->criterion_count
                                                                     : message->n_results;
    for (size_t i = 0; i < judgement.count; i++) {
        const Moment__V1__CriterionResult *result = message->results[i];

        judgement.criteria[i] = (struct judged){
            .answer = result->answer,
            .comment = result->comment,
            .is_asked = result->not_asked == 0,
            .applies = result->not_applicable == 0,
            .points = result->points,
            .points_possible = result->points_possible,
        };
    }
    answers_missing(standard, &judgement, objections);
}

/* --- is it the same? --- */

static bool is_same_value(bool a_known, double a, bool b_known, double b)
{
    return a_known == b_known && (!a_known || fabs(a - b) < SAME_VALUE);
}

static bool is_same_result(const Moment__V1__CriterionResult *a,
                           const Moment__V1__CriterionResult *b)
{
    return strcmp(a->criterion_id, b->criterion_id) == 0 &&
           a->not_applicable == b->not_applicable && a->met == b->met && a->wow == b->wow &&
           strcmp(a->answer, b->answer) == 0 && strcmp(a->comment, b->comment) == 0 &&
           a->not_asked == b->not_asked &&
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
