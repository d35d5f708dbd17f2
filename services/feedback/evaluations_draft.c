/* evaluations_draft - an evaluation by a person: saved while they listen, released, discarded.
 *
 * A draft is its evaluator's alone. It stays on the version that it was begun on. Each person
 * evaluates a moment once on one version. */
#include "feedback/evaluations.h"

#include "feedback/sampling.h"
#include "feedback/standards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static Moment__V1__Evaluation *find_draft(const struct contact *contact, const char *evaluator)
{
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        if (evaluations_is_draft(contact->evaluations[i]) &&
            strcmp(contact->evaluations[i]->evaluator, evaluator) == 0) {
            return contact->evaluations[i];
        }
    }
    return NULL;
}

static int refuse_conflict(struct problem *problem, const char *type, const char *field,
                           const char *detail)
{
    problem_set(problem, 409, type, field, "%s", detail);
    return -EINVAL;
}

static int check_evaluable(const struct snapshot *facts, const struct caller *caller,
                           struct problem *problem)
{
    if (codec_is_merged(facts)) {
        problem_set(problem, 409, "moment-merged", "moment_id",
                    "This turned out to be a part of the moment %s: evaluate that one.",
                    facts->message->merged_into);
        return -EINVAL;
    }
    if (!codec_is_ended(facts)) {
        return refuse_conflict(problem, "moment-in-progress", "moment_id",
                               "This moment is still going on; it can be evaluated when it is "
                               "over.");
    }
    if (facts->message->person_id[0] != '\0' && caller->person_id != NULL &&
        strcmp(facts->message->person_id, caller->person_id) == 0) {
        return refuse_conflict(problem, "own-moment", "moment_id",
                               "This is your own moment; somebody else has to evaluate it.");
    }
    return 0;
}

/* --- SaveEvaluation --- */

static const Moment__V1__SaveEvaluationRequest *wish_of(const struct command *command)
{
    return (const Moment__V1__SaveEvaluationRequest *)call_request(command->call);
}

static bool may_see(struct call *call, const Moment__V1__Moment *moment)
{
    const struct place place = {
        .site = moment->site, .team = moment->team_id, .person_id = moment->person_id};

    return call_allows(call, &place);
}

/* What it is, or is to be, evaluated on. draft may be null. */
static int find_standard(const struct feedback *feedback, const struct contact *contact,
                         const struct snapshot *facts, const struct caller *caller,
                         const Moment__V1__Evaluation *draft,
                         const struct held_standard **ret_standard, struct problem *problem)
{
    char evaluation_id[ID_TEXT_SIZE];

    *ret_standard = draft != NULL
                        ? standards_find(feedback, draft->standard_id, draft->standard_version)
                        : evaluations_standard_for(feedback, contact, facts);
    if (*ret_standard == NULL) {
        return refuse_conflict(problem, "no-standard", "moment_id",
                               "No standard applies to this moment; publish one that does.");
    }
    codec_evaluation_id(facts->plain.moment_id, *ret_standard, caller->id, evaluation_id);
    if (draft == NULL && evaluations_find(contact, evaluation_id) != NULL) {
        return refuse_conflict(problem, "already-evaluated", "moment_id",
                               "You evaluated this moment on this version of its standard, and "
                               "that was released.");
    }
    return 0;
}

static int check_answers(const Moment__V1__SaveEvaluationRequest *wish,
                         const struct held_standard *standard,
                         struct answer answers[STANDARD_CRITERIA_MAX], struct problem *problem)
{
    struct objections objections = {0};

    if (wish->n_answers > STANDARD_CRITERIA_MAX) {
        problem_set(problem, 422, "invalid-field", "answers", "At most %d answers.",
                    STANDARD_CRITERIA_MAX);
        return -EINVAL;
    }
    codec_answers(wish->answers, wish->n_answers, answers);
    answers_check(&standard->plain, answers, wish->n_answers, &objections);
    if (objections.count > 0) {
        problem_set(problem, 422, "invalid-field", objections.items[0].field, "%s",
                    objections.items[0].detail);
        return -EINVAL;
    }
    return evaluating_check_text("comment", wish->comment, 0, problem);
}

static Moment__V1__Evaluation *make_draft(const struct command *command, int64_t now,
                                          const struct snapshot *facts,
                                          const struct held_standard *standard,
                                          const struct said *said)
{
    const Moment__V1__SaveEvaluationRequest *wish = wish_of(command);
    const struct caller *caller = call_caller(command->call);
    Moment__V1__Evaluation *message;

    feedback_need(codec_evaluation(facts, standard, said, &message));
    message->state = MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_DRAFT;
    message->revision = said->last != NULL ? said->last->revision + 1 : 1;
    message->evaluated_at = now;
    feedback_need(codec_set(&message->evaluator_name, caller->name));
    feedback_need(codec_set(&message->evaluator_person_id,
                            caller->person_id != NULL ? caller->person_id : ""));
    feedback_need(codec_set(&message->comment, wish->comment));
    return message;
}

static void respond_saved(const Moment__V1__Evaluation *draft, const struct held_standard *standard,
                          ProtobufCMessage **ret_response)
{
    Moment__V1__SaveEvaluationResponse response;
    Moment__V1__Objection items[OBJECTIONS_MAX], *pointers[OBJECTIONS_MAX];
    struct objections objections = {0};

    codec_missing(&standard->plain, draft, &objections);
    moment__v1__save_evaluation_response__init(&response);
    response.evaluation = (Moment__V1__Evaluation *)(uintptr_t)draft;
    response.standard = standard->message;
    codec_objections(&objections, items, pointers);
    response.n_objections = objections.count;
    response.objections = pointers;
    feedback_need(codec_copy(&response.base, ret_response));
}

static int save(struct command *command, struct txn *txn, const struct snapshot *facts,
                ProtobufCMessage **ret_response, struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__SaveEvaluationRequest *wish = wish_of(command);
    const struct caller *caller = call_caller(command->call);
    struct contact *contact =
        floor_find(&feedback->floor, &container_of(command, struct evaluating, command)->moment_id);
    const Moment__V1__Evaluation *draft = find_draft(contact, caller->id);
    struct answer answers[STANDARD_CRITERIA_MAX];
    const struct held_standard *standard;
    Moment__V1__Evaluation *message;
    int error = check_evaluable(facts, caller, problem);

    if (error == 0) {
        error = find_standard(feedback, contact, facts, caller, draft, &standard, problem);
    }
    if (error == 0) {
        error =
            call_check_revision(problem, wish->if_revision, draft != NULL ? draft->revision : 0);
    }
    if (error == 0) {
        error = sampling_check_take(feedback, command->call, contact, wish->sample_id, problem);
    }
    if (error == 0) {
        error = check_answers(wish, standard, answers, problem);
    }
    if (error != 0) {
        return error;
    }
    message = make_draft(command, txn_now_us(txn), facts, standard,
                         &(struct said){caller->id, answers, wish->n_answers, draft});
    sampling_take(feedback, txn, caller, wish->sample_id, message);
    feedback_need(store_save_draft(txn, message));
    respond_saved(message, standard, ret_response);
    feedback_need(contact_put_evaluation(contact, &message));
    return 0;
}

static int apply_save(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    struct snapshot facts;
    int error = evaluating_facts(command, &facts, problem);

    if (error != 0) {
        return error;
    }
    error = may_see(command->call, facts.message)
                ? save(command, txn, &facts, ret_response, problem)
                : call_not_found(problem, "moment_id", "moment");
    codec_snapshot_done(&facts);
    return error;
}

void feedback_save_evaluation(void *state, struct call *call)
{
    const Moment__V1__SaveEvaluationRequest *request =
        (const Moment__V1__SaveEvaluationRequest *)call_request(call);

    evaluating_start(state, call, request->moment_id, apply_save);
}

/* --- ReleaseEvaluation, DiscardEvaluation --- */

/* The caller's own draft, at the revision that they have seen. */
static int find_own_draft(struct command *command, const char *evaluation_id, uint32_t if_revision,
                          struct contact **ret_contact, const Moment__V1__Evaluation **ret_draft,
                          struct problem *problem)
{
    int error = evaluating_find(command, evaluation_id, ret_contact, ret_draft, problem);

    if (error != 0) {
        return error;
    }
    if (!evaluations_is_draft(*ret_draft)) {
        return refuse_conflict(problem, "already-released", "evaluation_id",
                               "This evaluation was released; it is no draft any more.");
    }
    return call_check_revision(problem, if_revision, (*ret_draft)->revision);
}

static int check_complete(const struct held_standard *standard,
                          const Moment__V1__Evaluation *message, struct problem *problem)
{
    struct objections objections = {0};

    codec_missing(&standard->plain, message, &objections);
    if (objections.count > 0) {
        problem_set(problem, 422, "invalid-field", objections.items[0].field, "%s",
                    objections.items[0].detail);
        return -EINVAL;
    }
    return 0;
}

static int release(struct command *command, struct txn *txn, struct contact *contact,
                   const Moment__V1__Evaluation *draft, const struct snapshot *facts,
                   struct problem *problem)
{
    struct feedback *feedback = command->state;
    const struct held_standard *standard =
        standards_find(feedback, draft->standard_id, draft->standard_version);
    const struct said said = {.evaluator = draft->evaluator, .last = draft};
    Moment__V1__Evaluation *message;
    int error = check_evaluable(facts, call_caller(command->call), problem);

    if (error != 0) {
        return error;
    }
    feedback_need(codec_evaluation(facts, standard, &said, &message));
    error = check_complete(standard, message, problem);
    if (error != 0) {
        codec_free(&message->base);
        return error;
    }
    evaluations_release(feedback, txn, message);
    sampling_finish(feedback, txn, message);
    evaluations_put(feedback, txn, contact, message, "released");
    return 0;
}

static int apply_release(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    const Moment__V1__ReleaseEvaluationRequest *request =
        (const Moment__V1__ReleaseEvaluationRequest *)call_request(command->call);
    Moment__V1__ReleaseEvaluationResponse response;
    const Moment__V1__Evaluation *draft;
    struct contact *contact;
    struct snapshot facts;
    int error = find_own_draft(command, request->evaluation_id, request->if_revision, &contact,
                               &draft, problem);

    if (error == 0) {
        error = evaluating_facts(command, &facts, problem);
    }
    if (error != 0) {
        return error;
    }
    error = release(command, txn, contact, draft, &facts, problem);
    codec_snapshot_done(&facts);
    if (error == 0) {
        moment__v1__release_evaluation_response__init(&response);
        response.evaluation = evaluations_find(contact, request->evaluation_id);
        feedback_need(codec_copy(&response.base, ret_response));
    }
    return error;
}

void feedback_release_evaluation(void *state, struct call *call)
{
    const Moment__V1__ReleaseEvaluationRequest *request =
        (const Moment__V1__ReleaseEvaluationRequest *)call_request(call);

    evaluating_start_of(state, call, request->evaluation_id, apply_release);
}

static int apply_discard(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    const Moment__V1__DiscardEvaluationRequest *request =
        (const Moment__V1__DiscardEvaluationRequest *)call_request(command->call);
    Moment__V1__DiscardEvaluationResponse response;
    const Moment__V1__Evaluation *draft;
    struct contact *contact;
    int error = find_own_draft(command, request->evaluation_id, request->if_revision, &contact,
                               &draft, problem);

    if (error != 0) {
        return error;
    }
    sampling_give_back(command->state, txn, draft);
    store_drop_draft(txn, draft->evaluation_id);
    contact_drop_evaluation(contact, draft->evaluation_id);
    moment__v1__discard_evaluation_response__init(&response);
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

void feedback_discard_evaluation(void *state, struct call *call)
{
    const Moment__V1__DiscardEvaluationRequest *request =
        (const Moment__V1__DiscardEvaluationRequest *)call_request(call);

    evaluating_start_of(state, call, request->evaluation_id, apply_discard);
}
