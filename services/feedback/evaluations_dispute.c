/* evaluations_dispute - what becomes of a released evaluation: acknowledged, disputed by the agent,
 * decided by somebody who did not evaluate. What may be done is ruled in rules/dispute.h. */
#include "feedback/evaluations.h"

#include "feedback/rules/dispute.h"
#include "feedback/standards.h"
#include "io/entity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Characters: a reason that says something. */
#define DECISION_REASON_MIN 10

#define OPEN MOMENT__V1__DISPUTE_STATE__DISPUTE_STATE_OPEN
#define ACCEPTED MOMENT__V1__DISPUTE_STATE__DISPUTE_STATE_ACCEPTED
#define DECLINED MOMENT__V1__DISPUTE_STATE__DISPUTE_STATE_DECLINED

/* Who of the directory calls; "": nobody. */
static const char *person_of(const struct call *call)
{
    const char *person_id = call_caller(call)->person_id;

    return person_id != NULL ? person_id : "";
}

static bool is_about(const Moment__V1__Evaluation *evaluation, const struct call *call)
{
    return evaluation->person_id[0] != '\0' && strcmp(evaluation->person_id, person_of(call)) == 0;
}

static int check_counts(const Moment__V1__Evaluation *evaluation, struct problem *problem)
{
    if (evaluation->withdrawn) {
        problem_set(problem, 409, "evaluation-withdrawn", "evaluation_id",
                    "This evaluation was withdrawn and counts no more.");
        return -EINVAL;
    }
    return 0;
}

/* The released evaluation that is about the caller: all others are not there for an agent. */
static int find_own(struct command *command, const char *evaluation_id,
                    struct contact **ret_contact, const Moment__V1__Evaluation **ret_evaluation,
                    struct problem *problem)
{
    int error = evaluating_find(command, evaluation_id, ret_contact, ret_evaluation, problem);

    if (error == 0 &&
        (evaluations_is_draft(*ret_evaluation) || !is_about(*ret_evaluation, command->call))) {
        error = call_not_found(problem, "evaluation_id", "evaluation");
    }
    return error == 0 ? check_counts(*ret_evaluation, problem) : error;
}

static Moment__V1__Evaluation *edit(const Moment__V1__Evaluation *evaluation)
{
    return (Moment__V1__Evaluation *)entity_edit(&evaluation->base);
}

/* --- AcknowledgeEvaluation --- */

static int apply_acknowledge(struct command *command, struct txn *txn,
                             ProtobufCMessage **ret_response, struct problem *problem)
{
    const Moment__V1__AcknowledgeEvaluationRequest *request =
        (const Moment__V1__AcknowledgeEvaluationRequest *)call_request(command->call);
    Moment__V1__AcknowledgeEvaluationResponse response;
    const Moment__V1__Evaluation *evaluation;
    Moment__V1__Evaluation *next;
    struct contact *contact;
    int error = find_own(command, request->evaluation_id, &contact, &evaluation, problem);

    if (error == 0) {
        error = evaluating_check_text("comment", request->comment, 0, problem);
    }
    if (error == 0 && evaluation->acknowledged_at != 0) {
        problem_set(problem, 409, "already-acknowledged", "evaluation_id",
                    "You acknowledged this evaluation before.");
        error = -EEXIST;
    }
    if (error != 0) {
        return error;
    }
    next = edit(evaluation);
    next->acknowledged_at = txn_now_us(txn);
    entity_set_text(&next->acknowledged_by, call_caller(command->call)->id);
    entity_set_text(&next->acknowledge_comment, request->comment);
    if (next->n_disputes == 0) {
        next->state = MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_ACKNOWLEDGED;
    }
    evaluations_put(command->state, txn, contact, next, "acknowledged");
    moment__v1__acknowledge_evaluation_response__init(&response);
    response.evaluation = evaluations_find(contact, request->evaluation_id);
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

void feedback_acknowledge_evaluation(void *state, struct call *call)
{
    const Moment__V1__AcknowledgeEvaluationRequest *request =
        (const Moment__V1__AcknowledgeEvaluationRequest *)call_request(call);

    evaluating_start_of(state, call, request->evaluation_id, apply_acknowledge);
}

/* --- DisputeEvaluation --- */

static const struct refusal {
    uint32_t status;
    const char *type, *field, *detail;
} refusals[] = {
    [DISPUTE_NOT_THEIRS] = {404, "not-found", "evaluation_id", "There is no such evaluation."},
    [DISPUTE_TOO_LATE] = {409, "dispute-window-over", "evaluation_id",
                          "The time for disputing this evaluation is over."},
    [DISPUTE_NO_CRITERION] = {422, "invalid-field", "criterion_id",
                              "The evaluation has no such criterion."},
    [DISPUTE_NOT_ANSWERED] = {409, "not-answered", "criterion_id",
                              "Nobody answered this criterion: there is nothing to dispute."},
    [DISPUTE_IS_OPEN] = {409, "dispute-open", "criterion_id",
                         "You dispute this criterion already; it waits for a decision."},
    [DISPUTE_WAS_DECIDED] = {409, "already-decided", "criterion_id",
                             "Your dispute of this criterion was decided."},
    [DISPUTE_IMPOSSIBLE] = {422, "invalid-field", "proposed_answer",
                            "This is none of the criterion's answers."},
    [DISPUTE_NOT_BETTER] = {422, "invalid-field", "proposed_answer",
                            "Propose an answer that is better than the one it has."},
};

static int refuse(enum dispute_refusal refusal, struct problem *problem)
{
    const struct refusal *row = &refusals[refusal];

    if (refusal == DISPUTE_GRANTED) {
        return 0;
    }
    problem_set(problem, row->status, row->type, row->field, "%s", row->detail);
    return -EINVAL;
}

static const Moment__V1__CriterionResult *find_result(const Moment__V1__Evaluation *evaluation,
                                                      const char *criterion_id)
{
    for (size_t i = 0; i < evaluation->n_results; i++) {
        if (strcmp(evaluation->results[i]->criterion_id, criterion_id) == 0) {
            return evaluation->results[i];
        }
    }
    return NULL;
}

static struct worth worth_of(const struct criterion *criterion, const char *answer)
{
    struct worth worth = {.is_possible = answer_is_possible(criterion, answer)};

    worth.not_applicable = worth.is_possible && strcmp(answer, ANSWER_NOT_APPLICABLE) == 0;
    if (worth.is_possible && !worth.not_applicable) {
        worth.share = answer_points(criterion, answer) / answer_best(criterion);
    }
    return worth;
}

static bool has_dispute(const Moment__V1__Evaluation *evaluation, const char *criterion_id,
                        bool is_open)
{
    for (size_t i = 0; i < evaluation->n_disputes; i++) {
        if (strcmp(evaluation->disputes[i]->criterion_id, criterion_id) == 0 &&
            (evaluation->disputes[i]->state == OPEN) == is_open) {
            return true;
        }
    }
    return false;
}

static int check_wish(const struct command *command, int64_t now,
                      const Moment__V1__Evaluation *evaluation, struct problem *problem)
{
    const Moment__V1__DisputeEvaluationRequest *request =
        (const Moment__V1__DisputeEvaluationRequest *)call_request(command->call);
    const Moment__V1__CriterionResult *result = find_result(evaluation, request->criterion_id);
    const struct criterion *criterion =
        standards_criterion(command->state, evaluation->standard_id, evaluation->standard_version,
                            request->criterion_id);
    struct dispute_wish wish = {
        .is_theirs = is_about(evaluation, command->call),
        .now_us = now,
        .until_us = evaluation->dispute_until_at,
        .has_criterion = result != NULL && criterion != NULL,
        .is_open = has_dispute(evaluation, request->criterion_id, true),
        .was_decided = has_dispute(evaluation, request->criterion_id, false),
    };

    if (wish.has_criterion) {
        wish.is_answered = result->not_asked == 0 && result->answer[0] != '\0';
        wish.present = worth_of(criterion, result->answer);
        wish.proposed = worth_of(criterion, request->proposed_answer);
    }
    return refuse(dispute_may_raise(&wish), problem);
}

static void add_dispute(Moment__V1__Evaluation *evaluation, const struct command *command,
                        int64_t now)
{
    const Moment__V1__DisputeEvaluationRequest *request =
        (const Moment__V1__DisputeEvaluationRequest *)call_request(command->call);
    const struct caller *caller = call_caller(command->call);
    Moment__V1__Dispute *dispute = calloc(1, sizeof(*dispute));
    char text[ID_TEXT_SIZE];
    struct id id = id_v7();

    feedback_need(dispute != NULL ? 0 : -ENOMEM);
    moment__v1__dispute__init(dispute);
    entity_set_text(&dispute->dispute_id, id_print(&id, text));
    entity_set_text(&dispute->criterion_id, request->criterion_id);
    entity_set_text(&dispute->proposed_answer, request->proposed_answer);
    entity_set_text(&dispute->reason, request->reason);
    entity_set_text(&dispute->raised_by, caller->id);
    entity_set_text(&dispute->raised_by_name, caller->name);
    entity_set_text(&dispute->answer_before,
                    find_result(evaluation, request->criterion_id)->answer);
    dispute->state = OPEN;
    dispute->raised_at = now;
    entity_append(&evaluation->n_disputes, &evaluation->disputes, dispute);
    evaluation->state = MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_DISPUTED;
}

static int apply_dispute(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    const Moment__V1__DisputeEvaluationRequest *request =
        (const Moment__V1__DisputeEvaluationRequest *)call_request(command->call);
    Moment__V1__DisputeEvaluationResponse response;
    const Moment__V1__Evaluation *evaluation;
    Moment__V1__Evaluation *next;
    struct contact *contact;
    int error = find_own(command, request->evaluation_id, &contact, &evaluation, problem);

    if (error == 0) {
        error = check_wish(command, txn_now_us(txn), evaluation, problem);
    }
    if (error == 0) {
        error = evaluating_check_text("reason", request->reason, 1, problem);
    }
    if (error != 0) {
        return error;
    }
    next = edit(evaluation);
    add_dispute(next, command, txn_now_us(txn));
    evaluations_put(command->state, txn, contact, next, "disputed");
    moment__v1__dispute_evaluation_response__init(&response);
    response.evaluation = evaluations_find(contact, request->evaluation_id);
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

void feedback_dispute_evaluation(void *state, struct call *call)
{
    const Moment__V1__DisputeEvaluationRequest *request =
        (const Moment__V1__DisputeEvaluationRequest *)call_request(call);

    evaluating_start_of(state, call, request->evaluation_id, apply_dispute);
}

/* --- DecideDispute --- */

/* Index of the dispute; n_disputes: there is none. */
static size_t find_dispute(const Moment__V1__Evaluation *evaluation, const char *dispute_id)
{
    size_t index = 0;

    while (index < evaluation->n_disputes &&
           strcmp(evaluation->disputes[index]->dispute_id, dispute_id) != 0) {
        index++;
    }
    return index;
}

static int check_decision(const struct command *command, const Moment__V1__Evaluation *evaluation,
                          const Moment__V1__Dispute *dispute, struct problem *problem)
{
    const Moment__V1__DecideDisputeRequest *request =
        (const Moment__V1__DecideDisputeRequest *)call_request(command->call);
    const struct dispute_arbiter arbiter = {
        .user_id = call_caller(command->call)->id,
        .person_id = person_of(command->call),
        .evaluator = evaluation->evaluator,
        .evaluator_person = evaluation->evaluator_person_id,
        .raised_by = dispute->raised_by,
        .evaluated_person = evaluation->person_id,
    };

    if (!dispute_may_decide(&arbiter)) {
        problem_set(problem, 403, "forbidden", "dispute_id",
                    "Neither who evaluated nor who is concerned decides: ask another leader or "
                    "coach.");
        return -EACCES;
    }
    if (dispute->state != OPEN) {
        problem_set(problem, 409, "already-decided", "dispute_id", "This dispute was decided.");
        return -EEXIST;
    }
    return evaluating_check_text("reason", request->reason, DECISION_REASON_MIN, problem);
}

/* Decided ones come first, in the order of their decisions: their scores are kept up in it. */
static void move_behind_decided(Moment__V1__Evaluation *evaluation, size_t index)
{
    Moment__V1__Dispute *dispute = evaluation->disputes[index];

    for (; index > 0 && evaluation->disputes[index - 1]->state == OPEN; index--) {
        evaluation->disputes[index] = evaluation->disputes[index - 1];
    }
    evaluation->disputes[index] = dispute;
}

static bool has_open(const Moment__V1__Evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->n_disputes; i++) {
        if (evaluation->disputes[i]->state == OPEN) {
            return true;
        }
    }
    return false;
}

/* Not scored anew yet. */
static void set_decision(Moment__V1__Evaluation *evaluation, size_t index,
                         const struct command *command, int64_t now)
{
    const Moment__V1__DecideDisputeRequest *request =
        (const Moment__V1__DecideDisputeRequest *)call_request(command->call);
    Moment__V1__Dispute *dispute = evaluation->disputes[index];

    /* Facts may have changed the answer since it was disputed. */
    entity_set_text(&dispute->answer_before,
                    find_result(evaluation, dispute->criterion_id)->answer);
    dispute->state = request->accept ? ACCEPTED : DECLINED;
    dispute->decided_at = now;
    entity_set_text(&dispute->decided_by, call_caller(command->call)->id);
    entity_set_text(&dispute->decided_by_name, call_caller(command->call)->name);
    entity_set_text(&dispute->decision_reason, request->reason);
    move_behind_decided(evaluation, index);
    evaluation->state = has_open(evaluation)
                            ? MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_DISPUTED
                            : MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_DECIDED;
}

static int decide(struct command *command, struct txn *txn, struct contact *contact,
                  const Moment__V1__Evaluation *evaluation, size_t index, struct problem *problem)
{
    const struct held_standard *standard =
        standards_find(command->state, evaluation->standard_id, evaluation->standard_version);
    Moment__V1__Evaluation *decided, *scored;
    struct snapshot facts;
    int error = evaluating_facts(command, &facts, problem);

    if (error != 0) {
        return error;
    }
    decided = edit(evaluation);
    set_decision(decided, index, command, txn_now_us(txn));
    feedback_need(codec_evaluation(&facts, standard,
                                   &(struct said){.evaluator = decided->evaluator, .last = decided},
                                   &scored));
    codec_free(&decided->base);
    codec_snapshot_done(&facts);
    evaluations_put(command->state, txn, contact, scored, "decided");
    return 0;
}

static int apply_decide(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    const Moment__V1__DecideDisputeRequest *request =
        (const Moment__V1__DecideDisputeRequest *)call_request(command->call);
    Moment__V1__DecideDisputeResponse response;
    const Moment__V1__Evaluation *evaluation;
    struct contact *contact;
    size_t index;
    int error = evaluating_find(command, request->evaluation_id, &contact, &evaluation, problem);

    if (error == 0) {
        error = check_counts(evaluation, problem);
    }
    if (error != 0) {
        return error;
    }
    index = find_dispute(evaluation, request->dispute_id);
    if (index == evaluation->n_disputes) {
        return call_not_found(problem, "dispute_id", "dispute");
    }
    error = check_decision(command, evaluation, evaluation->disputes[index], problem);
    if (error == 0) {
        error = decide(command, txn, contact, evaluation, index, problem);
    }
    if (error == 0) {
        moment__v1__decide_dispute_response__init(&response);
        response.evaluation = evaluations_find(contact, request->evaluation_id);
        feedback_need(codec_copy(&response.base, ret_response));
    }
    return error;
}

void feedback_decide_dispute(void *state, struct call *call)
{
    const Moment__V1__DecideDisputeRequest *request =
        (const Moment__V1__DecideDisputeRequest *)call_request(call);

    evaluating_start_of(state, call, request->evaluation_id, apply_decide);
}
