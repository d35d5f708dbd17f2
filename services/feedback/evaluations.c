/* evaluations - every ended moment against the most specific standard, at once; and again when
 * later facts (a survey, a hold that the log told of) change the result.
 *
 * A new revision is made only when the result changed; the old one is kept. What no longer holds
 * (the moment turned out to be part of another, another standard is the right one) is withdrawn by
 * a revision that says so. */
#include "feedback/feedback.h"

#include "feedback/store_coaching.h"

#include <stdlib.h>
#include <string.h>

struct metric feedback_evaluations_total = {
    .name = "moment_evaluations_total",
    .kind = METRIC_COUNTER,
    .help = "Revisions of evaluations that were made, by what they are.",
    .label = "kind",
};

/* What the moment is evaluated on now. */
static Moment__V1__Evaluation *current(const struct contact *contact)
{
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        if (!contact->evaluations[i]->withdrawn) {
            return contact->evaluations[i];
        }
    }
    return NULL;
}

static Moment__V1__Evaluation *find(const struct contact *contact, const char *evaluation_id)
{
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        if (strcmp(contact->evaluations[i]->evaluation_id, evaluation_id) == 0) {
            return contact->evaluations[i];
        }
    }
    return NULL;
}

/* Consumes the message: it becomes the last revision. */
static void make(struct feedback *feedback, struct txn *txn, struct contact *contact,
                 Moment__V1__Evaluation *message, uint32_t revision, const char *kind)
{
    Moment__V1__EvaluationMade made;

    message->revision = revision;
    message->evaluated_at = txn_now_us(txn);
    feedback_need(store_save_evaluation(txn, message));
    store_save_results(txn, message);
    moment__v1__evaluation_made__init(&made);
    made.evaluation = message;
    feedback_emit(feedback, txn, message->site, message->moment_id, "EvaluationMade", &made.base);
    metric_add(&feedback_evaluations_total, kind, 1);
    feedback_need(contact_put_evaluation(contact, &message));
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
    make(feedback, txn, contact, withdrawn, evaluation->revision + 1, "withdrawn");
}

static void evaluate(struct feedback *feedback, struct txn *txn, struct contact *contact,
                     const struct held_standard *standard)
{
    Moment__V1__Evaluation *message, *last;
    uint32_t revision;

    feedback_need(codec_evaluation(&contact->snapshot, standard, FEEDBACK_EVALUATOR, &message));
    last = find(contact, message->evaluation_id);
    if (last != NULL && codec_is_same_evaluation(last, message)) {
        codec_free(&message->base);
        return;
    }
    revision = last != NULL ? last->revision + 1 : 1;
    make(feedback, txn, contact, message, revision, last != NULL ? "again" : "first");
}

void evaluations_update(struct feedback *feedback, struct txn *txn, struct contact *contact)
{
    Moment__V1__Evaluation *now = current(contact);
    const struct held_standard *standard = NULL;

    if (!codec_is_merged(&contact->snapshot)) {
        if (!codec_is_ended(&contact->snapshot)) {
            return;
        }
        standard = standards_for(feedback, &contact->snapshot, now);
    }
    if (now != NULL &&
        (standard == NULL || strcmp(now->standard_id, standard->plain.standard_id) != 0 ||
         now->standard_version != standard->plain.version)) {
        withdraw(feedback, txn, contact, now);
    }
    if (standard != NULL) {
        evaluate(feedback, txn, contact, standard);
    }
}
