/* evaluations - every ended moment against the most specific standard, at once; and again when
 * later facts (a survey, a hold that the log told of) change the result.
 *
 * A new revision is made only when the result changed; the old one is kept. What no longer holds
 * (the moment turned out to be part of another, another standard is the right one) is withdrawn by
 * a revision that says so. Evaluations of people stay on the version that they were made on. */
#include "feedback/evaluations.h"

#include "feedback/standards.h"
#include "feedback/store_coaching.h"

#include <stdlib.h>
#include <string.h>

struct metric feedback_evaluations_total = {
    .name = "moment_evaluations_total",
    .kind = METRIC_COUNTER,
    .help = "Revisions of evaluations that were made, by what they are.",
    .label = "kind",
};

bool evaluations_is_draft(const Moment__V1__Evaluation *evaluation)
{
    return evaluation->state == MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_DRAFT;
}

static bool is_by_people(const Moment__V1__Evaluation *evaluation)
{
    return strcmp(evaluation->evaluator, FEEDBACK_EVALUATOR) != 0;
}

/* What the service itself evaluates the moment on now. */
static Moment__V1__Evaluation *current(const struct contact *contact)
{
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        if (!contact->evaluations[i]->withdrawn && !is_by_people(contact->evaluations[i])) {
            return contact->evaluations[i];
        }
    }
    return NULL;
}

Moment__V1__Evaluation *evaluations_find(const struct contact *contact, const char *evaluation_id)
{
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        if (strcmp(contact->evaluations[i]->evaluation_id, evaluation_id) == 0) {
            return contact->evaluations[i];
        }
    }
    return NULL;
}

const struct held_standard *evaluations_standard_for(const struct feedback *feedback,
                                                     const struct contact *contact,
                                                     const struct snapshot *snapshot)
{
    return standards_for(feedback, snapshot, current(contact));
}

void evaluations_put(struct feedback *feedback, struct txn *txn, struct contact *contact,
                     Moment__V1__Evaluation *message, const char *kind)
{
    const Moment__V1__Evaluation *last = evaluations_find(contact, message->evaluation_id);
    Moment__V1__EvaluationMade made;

    message->revision = last != NULL ? last->revision + 1 : 1;
    message->evaluated_at = txn_now_us(txn);
    feedback_need(store_save_evaluation(txn, message));
    store_save_results(txn, message);
    moment__v1__evaluation_made__init(&made);
    made.evaluation = message;
    feedback_emit(feedback, txn, message->site, message->moment_id, "EvaluationMade", &made.base);
    metric_add(&feedback_evaluations_total, kind, 1);
    feedback_need(contact_put_evaluation(contact, &message));
}

void evaluations_release(struct feedback *feedback, const struct txn *txn,
                         Moment__V1__Evaluation *message)
{
    const struct calendar *calendar = directory_calendar(feedback->directory, message->site);
    int64_t now = txn_now_us(txn);

    message->state = MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_RELEASED;
    message->released_at = now;
    message->dispute_until_at = now;
    if (feedback->dispute_working_days > 0) {
        message->dispute_until_at =
            calendar_add_working_days(calendar, now, feedback->dispute_working_days);
    }
}

static void withdraw(struct feedback *feedback, struct txn *txn, struct contact *contact,
                     const Moment__V1__Evaluation *evaluation)
{
    ProtobufCMessage *copy;
    Moment__V1__Evaluation *withdrawn;

    feedback_need(codec_copy(&evaluation->base, &copy));
    withdrawn = (Moment__V1__Evaluation *)copy;
    withdrawn->withdrawn = true;
    withdrawn->moment_revision = contact->revision;
    evaluations_put(feedback, txn, contact, withdrawn, "withdrawn");
}

/* Once more with what is known now; last may be null. */
static void evaluate(struct feedback *feedback, struct txn *txn, struct contact *contact,
                     const struct held_standard *standard, const char *evaluator,
                     const Moment__V1__Evaluation *last)
{
    const struct said said = {.evaluator = evaluator, .last = last};
    Moment__V1__Evaluation *message;

    feedback_need(codec_evaluation(&contact->snapshot, standard, &said, &message));
    if (last != NULL && codec_is_same_evaluation(last, message)) {
        codec_free(&message->base);
        return;
    }
    if (last == NULL) {
        evaluations_release(feedback, txn, message);
    }
    evaluations_put(feedback, txn, contact, message, last != NULL ? "again" : "first");
}

static void update_own(struct feedback *feedback, struct txn *txn, struct contact *contact)
{
    Moment__V1__Evaluation *now = current(contact);
    const struct held_standard *standard =
        codec_is_merged(&contact->snapshot)
            ? NULL
            : evaluations_standard_for(feedback, contact, &contact->snapshot);
    char evaluation_id[ID_TEXT_SIZE];

    if (now != NULL &&
        (standard == NULL || strcmp(now->standard_id, standard->plain.standard_id) != 0 ||
         now->standard_version != standard->plain.version)) {
        withdraw(feedback, txn, contact, now);
    }
    if (standard != NULL) {
        codec_evaluation_id(contact->snapshot.plain.moment_id, standard, FEEDBACK_EVALUATOR,
                            evaluation_id);
        evaluate(feedback, txn, contact, standard, FEEDBACK_EVALUATOR,
                 evaluations_find(contact, evaluation_id));
    }
}

static void update_of_person(struct feedback *feedback, struct txn *txn, struct contact *contact,
                             const Moment__V1__Evaluation *evaluation)
{
    const struct held_standard *standard =
        standards_find(feedback, evaluation->standard_id, evaluation->standard_version);

    if (!codec_is_merged(&contact->snapshot) && standard != NULL) {
        evaluate(feedback, txn, contact, standard, evaluation->evaluator, evaluation);
    } else if (!evaluation->withdrawn) {
        withdraw(feedback, txn, contact, evaluation);
    }
}

void evaluations_update(struct feedback *feedback, struct txn *txn, struct contact *contact)
{
    if (!codec_is_merged(&contact->snapshot) && !codec_is_ended(&contact->snapshot)) {
        return;
    }
    update_own(feedback, txn, contact);
    /* Each takes its own place again. */
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        const Moment__V1__Evaluation *evaluation = contact->evaluations[i];

        if (is_by_people(evaluation) && !evaluations_is_draft(evaluation)) {
            update_of_person(feedback, txn, contact, evaluation);
        }
    }
}
