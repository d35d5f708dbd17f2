/* standards_publish - a standard is declared: published, rolled out, taken back, retired.
 *
 * A leader publishes the draft and signs it with their own name; operators publish a whole standard
 * (momentctl) that says who signed it. Whatever is published is a new version: what was published
 * before never changes. */
#include "feedback/standards.h"

#include <errno.h>
#include <string.h>

/* Further ahead it is a slip of the pen. */
#define AHEAD_MAX_US (INT64_C(366) * 86400 * 1000000)

struct metric feedback_standards_published_total = {
    .name = "moment_standards_published_total",
    .kind = METRIC_COUNTER,
    .help = "Versions of standards that were published.",
};

/* --- checks --- */

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* A sentence that a request has to say. */
static int need_sentence(const char *field, const char *text, const char *need,
                         struct problem *problem)
{
    if (is_blank(text)) {
        problem_set(problem, 422, "invalid-field", field, "%s", need);
        return -EINVAL;
    }
    if (strlen(text) > STANDARD_TEXT_BYTES_MAX) {
        problem_set(problem, 422, "invalid-field", field, "At most %d bytes.",
                    STANDARD_TEXT_BYTES_MAX);
        return -EINVAL;
    }
    return 0;
}

/* What whoever publishes the draft says beside it has these fields in the request. */
static const char *field_in(const Moment__V1__PublishStandardRequest *request, const char *field)
{
    static const char *const beside[] = {"standard.why", "standard.example",
                                         "standard.canary_sites", "standard.effective_at"};

    for (size_t i = 0; request != NULL && i < countof(beside); i++) {
        if (strncmp(field, beside[i], strlen(beside[i])) == 0) {
            return field + strlen("standard.");
        }
    }
    return field;
}

static int refuse_tie(const struct feedback *feedback, const struct standard *standard, int64_t at,
                      struct problem *problem)
{
    const struct standard *other = standards_find_tie(feedback, standard, at);

    if (other == NULL) {
        return 0;
    }
    problem_set(problem, 409, "standards-tie", "standard.scope",
                "\"%.100s\" (%.80s) and \"%.100s\" (%.80s version %u) would both apply to "
                "the same moments and neither is the more specific.",
                standard->title, standard->standard_id, other->title, other->standard_id,
                other->version);
    return -EEXIST;
}

static bool is_new_name_too_many(const struct feedback *feedback, const char *standard_id)
{
    size_t names = 0;

    if (standards_newest(feedback, standard_id) != NULL) {
        return false;
    }
    for (size_t i = 0; i < feedback->standard_count; i++) {
        names += standards_newest(feedback, feedback->standards[i].plain.standard_id) ==
                 &feedback->standards[i];
    }
    return names >= STANDARDS_MAX;
}

static int check_place(const struct feedback *feedback, const struct held_standard *standard,
                       uint32_t next, struct problem *problem)
{
    if (standard->plain.version != 0 && standard->plain.version != next) {
        problem_set(problem, 409, "version-conflict", "standard.version",
                    "The next version of \"%.80s\" is %u. Leave it out to take what comes next.",
                    standard->plain.standard_id, next);
        return -EINVAL;
    }
    if (is_new_name_too_many(feedback, standard->plain.standard_id)) {
        problem_set(problem, 409, "too-many-standards", "standard.standard_id",
                    "There are %d standards. Publish this as a new version of one that is retired.",
                    STANDARDS_MAX);
        return -ENOSPC;
    }
    if (protobuf_c_message_get_packed_size(&standard->message->base) > STANDARD_BYTES_MAX) {
        problem_set(problem, 422, "invalid-field", "standard",
                    "All its texts together are longer than %zu bytes.", STANDARD_BYTES_MAX);
        return -EINVAL;
    }
    return 0;
}

/* request: of whoever publishes a draft, else null. */
static int check(const struct feedback *feedback, const struct held_standard *standard,
                 uint32_t next, int64_t at, const Moment__V1__PublishStandardRequest *request,
                 struct problem *problem)
{
    struct objections objections = {0};

    standard_check(&standard->plain, measure_knows, &objections);
    standard_check_signature(&standard->plain, &objections);
    if (objections.count > 0) {
        problem_set(problem, 422, "invalid-field", field_in(request, objections.items[0].field),
                    "%s", objections.items[0].detail);
        return -EINVAL;
    }
    if (standard->plain.effective_at > at + AHEAD_MAX_US) {
        problem_set(problem, 422, "invalid-field", field_in(request, "standard.effective_at"),
                    "That is more than a year ahead.");
        return -EINVAL;
    }
    int error = check_place(feedback, standard, next, problem);

    return error != 0 ? error : refuse_tie(feedback, &standard->plain, at, problem);
}

/* --- publishing --- */

static uint32_t next_version(const struct feedback *feedback, const char *standard_id)
{
    const struct held_standard *newest = standards_newest(feedback, standard_id);

    return newest != NULL ? newest->plain.version + 1 : 1;
}

/* Consumes *message: it is the newest version from now on. */
static const Moment__V1__Standard *publish(struct feedback *feedback, struct txn *txn,
                                           Moment__V1__Standard **message, uint32_t version,
                                           const char *published_by)
{
    Moment__V1__Standard *standard = *message;

    standard->version = version;
    standard->state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_PUBLISHED;
    standard->published_at = txn_now_us(txn);
    if (standard->effective_at == 0) {
        standard->effective_at = standard->published_at;
    }
    feedback_need(store_save_standard(txn, standard, published_by));
    standards_emit(feedback, txn, standard);
    feedback_need(standards_add(feedback, message));
    metric_add(&feedback_standards_published_total, NULL, 1);
    return feedback->standards[feedback->standard_count - 1].message;
}

/* Consumes message. Null: refused. */
static const Moment__V1__Standard *check_and_publish(
    struct command *command, struct txn *txn, Moment__V1__Standard *message,
    const Moment__V1__PublishStandardRequest *request, struct problem *problem)
{
    struct feedback *feedback = command->state;
    uint32_t next = next_version(feedback, message->standard_id);
    const Moment__V1__Standard *published = NULL;
    struct held_standard standard;

    feedback_need(codec_standard(&message, &standard));
    if (check(feedback, &standard, next, txn_now_us(txn), request, problem) == 0) {
        message = standard.message;
        standard.message = NULL;
        published = publish(feedback, txn, &message, next, call_caller(command->call)->id);
    }
    codec_standard_done(&standard);
    return published;
}

static void sign(Moment__V1__Standard *standard, const struct caller *caller, const char *why)
{
    entity_set_text(&standard->signed_by, caller->name);
    entity_set_text(&standard->signed_by_id, caller->id);
    entity_set_text(&standard->why, why);
}

static void respond(const Moment__V1__Standard *standard, ProtobufCMessage **ret_response)
{
    Moment__V1__PublishStandardResponse response;

    moment__v1__publish_standard_response__init(&response);
    response.standard = (Moment__V1__Standard *)(uintptr_t)standard;
    feedback_need(codec_copy(&response.base, ret_response));
}

/* --- PublishStandard: a whole one --- */

/* Does this say what the newest version says already? Then nothing has to be published. */
static bool is_unchanged(const Moment__V1__Standard *message, const Moment__V1__Standard *newest)
{
    Moment__V1__Standard *a, *b;
    bool is_same;

    if (newest->retired_at != 0) {
        return false;
    }
    a = (Moment__V1__Standard *)entity_edit(&message->base);
    b = (Moment__V1__Standard *)entity_edit(&newest->base);
    standards_strip(a);
    standards_strip(b);
    b->version = a->version != 0 ? b->version : 0;
    b->effective_at = a->effective_at != 0 ? b->effective_at : 0;
    is_same = codec_is_same(&a->base, &b->base);
    codec_free(&a->base);
    codec_free(&b->base);
    return is_same;
}

static int publish_whole(struct command *command, struct txn *txn,
                         const Moment__V1__Standard *standard, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    struct feedback *feedback = command->state;
    const struct held_standard *newest = standards_newest(feedback, standard->standard_id);
    const Moment__V1__Standard *published;
    Moment__V1__Standard *message;
    int error;

    if ((call_caller(command->call)->roles & ROLE_OPERATOR) == 0) {
        problem_set(problem, 422, "invalid-field", "standard",
                    "A leader publishes and signs a draft: save it first.");
        return -EINVAL;
    }
    error = standards_allow(command->call, standard, problem);
    if (error == 0) {
        error = standards_refuse_unknown(standard, problem);
    }
    if (error != 0) {
        return error;
    }
    if (newest != NULL && is_unchanged(standard, newest->message)) {
        respond(newest->message, ret_response);
        return 0;
    }
    message = (Moment__V1__Standard *)entity_edit(&standard->base);
    standards_strip(message);
    published = check_and_publish(command, txn, message, NULL, problem);
    if (published == NULL) {
        return -EINVAL;
    }
    respond(published, ret_response);
    return 0;
}

/* --- PublishStandard: the draft --- */

static int check_draft(struct command *command, struct txn *txn, const Moment__V1__Standard *draft,
                       const Moment__V1__PublishStandardRequest *request, struct problem *problem)
{
    int error;

    if ((call_caller(command->call)->roles & ROLE_LEADER) == 0) {
        problem_set(problem, 403, "forbidden", "", "A standard is declared by a leader.");
        return -EACCES;
    }
    if (draft == NULL) {
        return call_not_found(problem, "standard_id", "draft");
    }
    error = standards_allow(command->call, draft, problem);
    if (error == 0) {
        error = standards_allow_all(command->state, command->call, draft->standard_id,
                                    txn_now_us(txn), problem);
    }
    if (error == 0) {
        error = call_check_revision(problem, request->if_revision, draft->revision);
    }
    if (error == 0 && request->effective_at != 0 && request->effective_at < txn_now_us(txn)) {
        problem_set(problem, 422, "invalid-field", "effective_at",
                    "Nobody could know it then: a standard counts from now on. Leave it out.");
        error = -EINVAL;
    }
    return error;
}

static Moment__V1__Standard *complete(const Moment__V1__Standard *draft,
                                      const struct caller *caller,
                                      const Moment__V1__PublishStandardRequest *request)
{
    Moment__V1__Standard *standard = standards_copy(draft);

    standard->revision = draft->revision;
    standard->effective_at = request->effective_at;
    sign(standard, caller, is_blank(request->why) ? draft->why : request->why);
    if (!is_blank(request->example)) {
        entity_set_text(&standard->example, request->example);
    }
    for (size_t i = 0; i < request->n_canary_sites; i++) {
        char *site = NULL;

        entity_set_text(&site, request->canary_sites[i]);
        entity_append(&standard->n_canary_sites, &standard->canary_sites, site);
    }
    return standard;
}

static void end_draft(struct feedback *feedback, struct txn *txn, const Moment__V1__Standard *draft)
{
    Moment__V1__Standard *over = (Moment__V1__Standard *)entity_edit(&draft->base);

    over->state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_PUBLISHED;
    standards_put_draft(feedback, txn, over);
}

static int publish_draft(struct command *command, struct txn *txn,
                         const Moment__V1__PublishStandardRequest *request,
                         ProtobufCMessage **ret_response, struct problem *problem)
{
    const Moment__V1__Standard *draft = standards_draft(command->state, request->standard_id);
    const Moment__V1__Standard *published;
    int error = check_draft(command, txn, draft, request, problem);

    if (error != 0) {
        return error;
    }
    published = check_and_publish(
        command, txn, complete(draft, call_caller(command->call), request), request, problem);
    if (published == NULL) {
        return -EINVAL;
    }
    respond(published, ret_response);
    end_draft(command->state, txn, draft);
    return 0;
}

static void load_publish(struct command *command, struct txn *txn)
{
    const Moment__V1__PublishStandardRequest *request =
        (const Moment__V1__PublishStandardRequest *)call_request(command->call);

    standards_load(command->state, txn, request->standard_id);
}

static int apply_publish(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    const Moment__V1__PublishStandardRequest *request =
        (const Moment__V1__PublishStandardRequest *)call_request(command->call);

    if (request->standard != NULL) {
        return publish_whole(command, txn, request->standard, ret_response, problem);
    }
    if (request->standard_id[0] == '\0') {
        problem_set(problem, 422, "invalid-field", "standard", "There is no standard here.");
        return -EINVAL;
    }
    return publish_draft(command, txn, request, ret_response, problem);
}

void feedback_publish_standard(void *state, struct call *call)
{
    standards_start(state, call, load_publish, apply_publish);
}

/* --- RollBackStandard --- */

static int check_roll_back(struct command *command, struct txn *txn,
                           const Moment__V1__RollBackStandardRequest *request,
                           const struct held_standard *earlier, struct problem *problem)
{
    struct feedback *feedback = command->state;
    int error;

    if (earlier == NULL) {
        return call_not_found(problem, "to_version", "version");
    }
    error = standards_allow(command->call, earlier->message, problem);
    if (error == 0) {
        error = standards_allow_all(feedback, command->call, request->standard_id, txn_now_us(txn),
                                    problem);
    }
    if (error == 0) {
        error = need_sentence("why", request->why, "Say in a sentence why you go back.", problem);
    }
    if (error == 0 && standards_newest(feedback, request->standard_id) == earlier) {
        problem_set(problem, 409, "nothing-to-roll-back", "to_version",
                    "Version %u is the newest one. Name an earlier one.", request->to_version);
        error = -EEXIST;
    }
    return error;
}

static int apply_roll_back(struct command *command, struct txn *txn,
                           ProtobufCMessage **ret_response, struct problem *problem)
{
    const Moment__V1__RollBackStandardRequest *request =
        (const Moment__V1__RollBackStandardRequest *)call_request(command->call);
    const struct held_standard *earlier =
        standards_find(command->state, request->standard_id, request->to_version);
    Moment__V1__RollBackStandardResponse response;
    Moment__V1__Standard *message;
    int error = check_roll_back(command, txn, request, earlier, problem);

    if (error != 0) {
        return error;
    }
    message = standards_copy(earlier->message);
    message->copy_of_version = request->to_version;
    sign(message, call_caller(command->call), request->why);
    moment__v1__roll_back_standard_response__init(&response);
    response.standard =
        (Moment__V1__Standard *)(uintptr_t)check_and_publish(command, txn, message, NULL, problem);
    if (response.standard == NULL) {
        return -EINVAL;
    }
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

static void load_standards(struct command *command, struct txn *txn)
{
    feedback_load_all(command->state, txn);
}

void feedback_roll_back_standard(void *state, struct call *call)
{
    standards_start(state, call, load_standards, apply_roll_back);
}

/* --- RollOutStandard --- */

static int check_roll_out(struct command *command, int64_t now,
                          const Moment__V1__RollOutStandardRequest *request,
                          const struct held_standard *standard, struct problem *problem)
{
    int error;

    if (standard == NULL) {
        return call_not_found(problem, "version", "version");
    }
    error = standards_allow_all(command->state, command->call, request->standard_id, now, problem);
    if (error == 0) {
        error = standards_allow(command->call, standard->message, problem);
    }
    if (error == 0 && (!standard_is_canary(&standard->plain) ||
                       !standards_is_live(command->state, standard, now))) {
        problem_set(problem, 409, "no-canary", "version",
                    "Version %u is not on trial: it was rolled out, replaced or retired.",
                    request->version);
        error = -EEXIST;
    }
    return error;
}

static int apply_roll_out(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                          struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__RollOutStandardRequest *request =
        (const Moment__V1__RollOutStandardRequest *)call_request(command->call);
    struct held_standard *standard =
        standards_find(feedback, request->standard_id, request->version);
    int error = check_roll_out(command, txn_now_us(txn), request, standard, problem);
    Moment__V1__RollOutStandardResponse response;

    if (error != 0) {
        return error;
    }
    standard->message->rolled_out_at = txn_now_us(txn);
    entity_set_text(&standard->message->rolled_out_by, call_caller(command->call)->id);
    entity_set_text(&standard->message->rolled_out_by_name, call_caller(command->call)->name);
    standards_put_fate(feedback, txn, standard);
    standards_emit(feedback, txn, standard->message);
    moment__v1__roll_out_standard_response__init(&response);
    response.standard = standard->message;
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

void feedback_roll_out_standard(void *state, struct call *call)
{
    standards_start(state, call, load_standards, apply_roll_out);
}

/* --- RetireStandard --- */

static int check_retire(struct command *command, int64_t now,
                        const Moment__V1__RetireStandardRequest *request, struct problem *problem)
{
    const struct held_standard *newest = standards_newest(command->state, request->standard_id);
    int error;

    if (newest == NULL) {
        return call_not_found(problem, "standard_id", "standard");
    }
    error = standards_allow_all(command->state, command->call, request->standard_id, now, problem);
    if (error == 0) {
        error = need_sentence("because", request->because,
                              "Say in a sentence why it no longer counts.", problem);
    }
    if (error == 0 && newest->plain.retired_at != 0) {
        problem_set(problem, 409, "retired", "standard_id", "It is retired already.");
        error = -EEXIST;
    }
    return error;
}

static void retire(struct feedback *feedback, struct txn *txn, struct held_standard *standard,
                   const struct caller *caller, const char *because)
{
    Moment__V1__Standard *message = standard->message;
    bool was_live = standards_is_live(feedback, standard, txn_now_us(txn));

    message->state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_RETIRED;
    message->retired_at = txn_now_us(txn);
    entity_set_text(&message->retired_by, caller->id);
    entity_set_text(&message->retired_by_name, caller->name);
    entity_set_text(&message->retired_because, because);
    standards_put_fate(feedback, txn, standard);
    if (was_live) {
        standards_emit(feedback, txn, message);
    }
}

static int apply_retire(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__RetireStandardRequest *request =
        (const Moment__V1__RetireStandardRequest *)call_request(command->call);
    int error = check_retire(command, txn_now_us(txn), request, problem);
    Moment__V1__RetireStandardResponse response;

    if (error != 0) {
        return error;
    }
    for (size_t i = 0; i < feedback->standard_count; i++) {
        struct held_standard *standard = &feedback->standards[i];

        if (standard->plain.retired_at == 0 &&
            strcmp(standard->plain.standard_id, request->standard_id) == 0) {
            retire(feedback, txn, standard, call_caller(command->call), request->because);
        }
    }
    moment__v1__retire_standard_response__init(&response);
    response.standard = standards_newest(feedback, request->standard_id)->message;
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

void feedback_retire_standard(void *state, struct call *call)
{
    standards_start(state, call, load_standards, apply_retire);
}
