/* standards - publishing what a moment should look like, and finding it for a moment. */
#include "feedback/feedback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct metric feedback_standards_published_total = {
    .name = "moment_standards_published_total",
    .kind = METRIC_COUNTER,
    .help = "Versions of standards that were published.",
};

int standards_add(struct feedback *feedback, Moment__V1__Standard **message)
{
    size_t count = feedback->standard_count;
    struct held_standard *standards;
    struct standard *choices;
    int error;

    standards = realloc(feedback->standards, (count + 1) * sizeof(*standards));
    if (standards != NULL) {
        feedback->standards = standards;
    }
    choices = realloc(feedback->choices, (count + 1) * sizeof(*choices));
    if (choices != NULL) {
        feedback->choices = choices;
    }
    if (standards == NULL || choices == NULL) {
        codec_free(&(*message)->base);
        *message = NULL;
        return -ENOMEM;
    }
    error = codec_standard(message, &standards[count]);
    if (error != 0) {
        return error;
    }
    choices[count] = standards[count].plain;
    feedback->standard_count = count + 1;
    return 0;
}

void standards_clear(struct feedback *feedback)
{
    for (size_t i = 0; i < feedback->standard_count; i++) {
        codec_standard_done(&feedback->standards[i]);
    }
    free(feedback->standards);
    free(feedback->choices);
    feedback->standards = NULL;
    feedback->choices = NULL;
    feedback->standard_count = 0;
}

const struct held_standard *standards_for(const struct feedback *feedback,
                                          const struct snapshot *snapshot,
                                          const Moment__V1__Evaluation *pinned)
{
    const struct moment *moment = &snapshot->plain;
    int64_t at = moment->ended_at != 0 ? moment->ended_at : moment->state_since;
    const struct standard *choice = standard_choose(
        feedback->choices, feedback->standard_count, moment, at != 0 ? at : moment->changed_at,
        pinned != NULL ? pinned->standard_id : "", pinned != NULL ? pinned->standard_version : 0);

    return choice != NULL ? &feedback->standards[choice - feedback->choices] : NULL;
}

static const struct held_standard *newest(const struct feedback *feedback, const char *standard_id)
{
    const struct held_standard *found = NULL;

    for (size_t i = 0; i < feedback->standard_count; i++) {
        const struct held_standard *standard = &feedback->standards[i];

        if (strcmp(standard->plain.standard_id, standard_id) == 0 &&
            (found == NULL || standard->plain.version > found->plain.version)) {
            found = standard;
        }
    }
    return found;
}

const struct criterion *standards_criterion(const struct feedback *feedback,
                                            const char *standard_id, uint32_t version,
                                            const char *criterion_id)
{
    const struct criterion *found = NULL;
    uint32_t found_version = 0;

    for (size_t i = 0; i < feedback->standard_count; i++) {
        const struct standard *standard = &feedback->standards[i].plain;

        if (strcmp(standard->standard_id, standard_id) != 0 ||
            (version != 0 ? standard->version != version : standard->version < found_version)) {
            continue;
        }
        for (size_t c = 0; c < standard->criterion_count; c++) {
            if (strcmp(standard->criteria[c].criterion_id, criterion_id) == 0) {
                found = &standard->criteria[c];
                found_version = standard->version;
            }
        }
    }
    return found;
}

/* --- PublishStandard --- */

static int refuse_tie(const struct feedback *feedback, const struct standard *standard,
                      struct problem *problem)
{
    for (size_t i = 0; i < feedback->standard_count; i++) {
        const struct standard *other = &feedback->standards[i].plain;

        if (newest(feedback, other->standard_id) == &feedback->standards[i] &&
            standard_ties(standard, other)) {
            problem_set(problem, 409, "standards-tie", "standard.scope",
                        "\"%.100s\" (%.80s) and \"%.100s\" (%.80s version %u) would both apply to "
                        "the same moments and neither is the more specific.",
                        standard->title, standard->standard_id, other->title, other->standard_id,
                        other->version);
            return -EEXIST;
        }
    }
    return 0;
}

static int check(const struct feedback *feedback, const struct held_standard *standard,
                 const struct held_standard *previous, struct problem *problem)
{
    uint32_t next = previous != NULL ? previous->plain.version + 1 : 1;
    struct objections objections = {0};
    char field[sizeof(problem->field)];

    if (codec_standard_has_unknown(standard->message, field, sizeof(field))) {
        problem_set(problem, 422, "unknown-field", field,
                    "There is a field here that this version does not know.");
        return -EINVAL;
    }
    standard_check(&standard->plain, measure_knows, &objections);
    standard_check_signature(&standard->plain, &objections);
    if (objections.count > 0) {
        problem_set(problem, 422, "invalid-field", objections.items[0].field, "%s",
                    objections.items[0].detail);
        return -EINVAL;
    }
    if (standard->plain.version != 0 && standard->plain.version != next) {
        problem_set(problem, 409, "version-conflict", "standard.version",
                    "The next version of \"%.80s\" is %u. Leave it out to take what comes next.",
                    standard->plain.standard_id, next);
        return -EINVAL;
    }
    return refuse_tie(feedback, &standard->plain, problem);
}

/* Does this say what the newest version says already? Then nothing has to be published. */
static bool is_unchanged(const Moment__V1__Standard *message, const Moment__V1__Standard *previous)
{
    ProtobufCMessage *copy;
    Moment__V1__Standard *compared;
    bool is_same = false;
    size_t size, previous_size;
    uint8_t *a, *b;

    feedback_need(codec_copy(&message->base, &copy));
    compared = (Moment__V1__Standard *)copy;
    compared->version = previous->version;
    compared->state = previous->state;
    compared->published_at = previous->published_at;
    if (compared->effective_at == 0) {
        compared->effective_at = previous->effective_at;
    }
    size = protobuf_c_message_get_packed_size(copy);
    previous_size = protobuf_c_message_get_packed_size(&previous->base);
    if (size == previous_size) {
        a = malloc(size + 1);
        b = malloc(size + 1);
        feedback_need(a != NULL && b != NULL ? 0 : -ENOMEM);
        is_same = protobuf_c_message_pack(copy, a) == protobuf_c_message_pack(&previous->base, b) &&
                  memcmp(a, b, size) == 0;
        free(a);
        free(b);
    }
    codec_free(copy);
    return is_same;
}

static void respond(const Moment__V1__Standard *standard, ProtobufCMessage **ret_response)
{
    Moment__V1__PublishStandardResponse response;

    moment__v1__publish_standard_response__init(&response);
    response.standard = (Moment__V1__Standard *)(uintptr_t)standard;
    feedback_need(codec_copy(&response.base, ret_response));
}

static void publish(struct feedback *feedback, struct txn *txn, Moment__V1__Standard **message,
                    uint32_t version, const char *published_by)
{
    Moment__V1__Standard *standard = *message;
    Moment__V1__StandardChanged changed;

    standard->version = version;
    standard->state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_PUBLISHED;
    standard->published_at = txn_now_us(txn);
    if (standard->effective_at == 0) {
        standard->effective_at = standard->published_at;
    }
    feedback_need(store_save_standard(txn, standard, published_by));
    moment__v1__standard_changed__init(&changed);
    changed.standard = standard;
    feedback_emit(feedback, txn, service_site(feedback->service), standard->standard_id,
                  "StandardChanged", &changed.base);
    feedback_need(standards_add(feedback, message));
    metric_add(&feedback_standards_published_total, NULL, 1);
}

static void load_publish(struct command *command, struct txn *txn)
{
    feedback_load_all(command->state, txn);
}

static int apply_publish(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__PublishStandardRequest *request =
        (const Moment__V1__PublishStandardRequest *)call_request(command->call);
    struct held_standard candidate = {0};
    const struct held_standard *previous;
    Moment__V1__Standard *message;
    ProtobufCMessage *copy;
    uint32_t version;
    int error;

    if (request->standard == NULL) {
        problem_set(problem, 422, "invalid-field", "standard", "There is no standard here.");
        return -EINVAL;
    }
    feedback_need(codec_copy(&request->standard->base, &copy));
    message = (Moment__V1__Standard *)copy;
    feedback_need(codec_standard(&message, &candidate));
    previous = newest(feedback, candidate.plain.standard_id);
    if (previous != NULL && is_unchanged(candidate.message, previous->message)) {
        respond(previous->message, ret_response);
        codec_standard_done(&candidate);
        return 0;
    }
    error = check(feedback, &candidate, previous, problem);
    if (error == 0) {
        version = previous != NULL ? previous->plain.version + 1 : 1;
        message = candidate.message;
        candidate.message = NULL;
        publish(feedback, txn, &message, version, call_caller(command->call)->id);
        respond(feedback->standards[feedback->standard_count - 1].message, ret_response);
    }
    codec_standard_done(&candidate);
    return error;
}

void feedback_publish_standard(void *state, struct call *call)
{
    struct feedback *feedback = state;
    struct command *command = calloc(1, sizeof(*command));

    feedback_need(command != NULL ? 0 : -ENOMEM);
    command->call = call;
    command->state = feedback;
    command->load = load_publish;
    command->apply = apply_publish;
    command_start(service_bus(feedback->service), command);
}
