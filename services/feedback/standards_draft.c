/* standards_draft - what is being edited: saved as often as somebody types, signed by nobody. */
#include "feedback/standards.h"

#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- SaveStandardDraft --- */

struct saving {
    struct command command; /* first */
    int64_t open_drafts;
};

static void on_draft_count(void *arg, int status, const struct db_rows *rows,
                           const struct db_error *error unused_arg)
{
    struct saving *saving = arg;

    if (status == 0 && db_count(rows) == 1) {
        saving->open_drafts = db_get_i64(rows, 0, 0);
    }
}

static void load_save(struct command *command, struct txn *txn)
{
    const Moment__V1__SaveStandardDraftRequest *request =
        (const Moment__V1__SaveStandardDraftRequest *)call_request(command->call);

    standards_load(command->state, txn, request->standard_id);
    store_load_draft_count(txn, on_draft_count, command);
}

/* The content as it was sent, with nothing in it that is not the editor's to say. Null: refused. */
static Moment__V1__Standard *take_content(const Moment__V1__SaveStandardDraftRequest *request,
                                          struct problem *problem)
{
    Moment__V1__Standard *content;

    if (request->standard == NULL) {
        problem_set(problem, 422, "invalid-field", "standard", "There is no standard here.");
        return NULL;
    }
    if (request->standard->standard_id[0] != '\0' &&
        strcmp(request->standard->standard_id, request->standard_id) != 0) {
        problem_set(problem, 422, "invalid-field", "standard.standard_id",
                    "This is the draft of \"%.80s\".", request->standard_id);
        return NULL;
    }
    if (standards_refuse_unknown(request->standard, problem) != 0) {
        return NULL;
    }
    content = standards_copy(request->standard);
    entity_set_text(&content->standard_id, request->standard_id);
    entity_set_text(&content->signed_by, "");
    return content;
}

static int refuse_too_much(const struct held_standard *standard, struct problem *problem)
{
    struct objections objections = {0};

    standard_check_bounds(&standard->plain, &objections);
    if (objections.count > 0) {
        problem_set(problem, 422, "invalid-field", objections.items[0].field, "%s",
                    objections.items[0].detail);
        return -EINVAL;
    }
    if (protobuf_c_message_get_packed_size(&standard->message->base) > STANDARD_BYTES_MAX) {
        problem_set(problem, 422, "invalid-field", "standard",
                    "All its texts together are longer than %zu bytes.", STANDARD_BYTES_MAX);
        return -EINVAL;
    }
    return 0;
}

static int check_save(struct saving *saving, struct txn *txn, const struct held_standard *standard,
                      const Moment__V1__Standard *draft, struct problem *problem)
{
    struct feedback *feedback = saving->command.state;
    struct call *call = saving->command.call;
    const Moment__V1__SaveStandardDraftRequest *request =
        (const Moment__V1__SaveStandardDraftRequest *)call_request(call);
    int error = refuse_too_much(standard, problem);

    if (error == 0) {
        error = standards_allow(call, standard->message, problem);
    }
    if (error == 0) {
        error = standards_allow_all(feedback, call, request->standard_id, txn_now_us(txn), problem);
    }
    if (error == 0 && draft != NULL) {
        error = standards_allow(call, draft, problem);
    }
    if (error == 0) {
        error =
            call_check_revision(problem, request->if_revision, draft != NULL ? draft->revision : 0);
    }
    if (error == 0 && draft == NULL && saving->open_drafts >= STANDARDS_MAX) {
        problem_set(problem, 409, "too-many-drafts", "standard_id",
                    "%d drafts are open; publish or discard one of them first.", STANDARDS_MAX);
        error = -ENOSPC;
    }
    return error;
}

static bool says_the_same(const Moment__V1__Standard *draft, const Moment__V1__Standard *content)
{
    Moment__V1__Standard *stripped = standards_copy(draft);
    bool is_same = codec_is_same(&stripped->base, &content->base);

    codec_free(&stripped->base);
    return is_same;
}

/* The last revision of a draft of this name, also of one that is over. */
static uint32_t last_revision(const struct feedback *feedback, const char *standard_id)
{
    const Moment__V1__Standard *last =
        (const Moment__V1__Standard *)entity_get(feedback->standard_drafts, standard_id);

    return last != NULL ? last->revision : 0;
}

static void save(struct feedback *feedback, struct txn *txn, const struct caller *caller,
                 const Moment__V1__Standard *content)
{
    Moment__V1__Standard *draft = (Moment__V1__Standard *)entity_edit(&content->base);
    const struct held_standard *newest = standards_newest(feedback, content->standard_id);

    draft->state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DRAFT;
    draft->version = newest != NULL ? newest->plain.version + 1 : 1;
    draft->revision = last_revision(feedback, content->standard_id) + 1;
    draft->edited_at = txn_now_us(txn);
    entity_set_text(&draft->edited_by, caller->id);
    entity_set_text(&draft->edited_by_name, caller->name);
    standards_put_draft(feedback, txn, draft);
    standards_emit(feedback, txn, standards_draft(feedback, content->standard_id));
}

static void respond(struct feedback *feedback, struct txn *txn,
                    const struct held_standard *standard, ProtobufCMessage **ret_response)
{
    Moment__V1__SaveStandardDraftResponse response;
    Moment__V1__Objection items[OBJECTIONS_MAX], *pointers[OBJECTIONS_MAX];
    struct objections objections = {0};

    standards_object(feedback, standard, txn_now_us(txn), &objections);
    moment__v1__save_standard_draft_response__init(&response);
    response.standard =
        (Moment__V1__Standard *)(uintptr_t)standards_draft(feedback, standard->plain.standard_id);
    codec_objections(&objections, items, pointers);
    response.n_objections = objections.count;
    response.objections = pointers;
    feedback_need(codec_copy(&response.base, ret_response));
}

static int apply_save(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__SaveStandardDraftRequest *request =
        (const Moment__V1__SaveStandardDraftRequest *)call_request(command->call);
    const Moment__V1__Standard *draft = standards_draft(feedback, request->standard_id);
    Moment__V1__Standard *content = take_content(request, problem);
    struct held_standard standard;
    int error;

    if (content == NULL) {
        return -EINVAL;
    }
    feedback_need(codec_standard(&content, &standard));
    error =
        check_save(container_of(command, struct saving, command), txn, &standard, draft, problem);
    if (error == 0) {
        if (draft == NULL || !says_the_same(draft, standard.message)) {
            save(feedback, txn, call_caller(command->call), standard.message);
        }
        respond(feedback, txn, &standard, ret_response);
    }
    codec_standard_done(&standard);
    return error;
}

void feedback_save_standard_draft(void *state, struct call *call)
{
    struct feedback *feedback = state;
    struct saving *saving = command_new(sizeof(*saving), call, feedback, load_save, apply_save);

    command_start(service_bus(feedback->service), &saving->command);
}

/* --- DiscardStandardDraft --- */

static void load_discard(struct command *command, struct txn *txn)
{
    const Moment__V1__DiscardStandardDraftRequest *request =
        (const Moment__V1__DiscardStandardDraftRequest *)call_request(command->call);

    standards_load(command->state, txn, request->standard_id);
}

static int apply_discard(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__DiscardStandardDraftRequest *request =
        (const Moment__V1__DiscardStandardDraftRequest *)call_request(command->call);
    const Moment__V1__Standard *draft = standards_draft(feedback, request->standard_id);
    Moment__V1__DiscardStandardDraftResponse response;
    Moment__V1__Standard *over;
    int error;

    if (draft == NULL) {
        return call_not_found(problem, "standard_id", "draft");
    }
    error = standards_allow(command->call, draft, problem);
    if (error == 0) {
        error = call_check_revision(problem, request->if_revision, draft->revision);
    }
    if (error != 0) {
        return error;
    }
    over = (Moment__V1__Standard *)entity_edit(&draft->base);
    over->state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DISCARDED;
    over->edited_at = txn_now_us(txn);
    entity_set_text(&over->edited_by, call_caller(command->call)->id);
    entity_set_text(&over->edited_by_name, call_caller(command->call)->name);
    standards_emit(feedback, txn, over);
    standards_put_draft(feedback, txn, over);
    moment__v1__discard_standard_draft_response__init(&response);
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

void feedback_discard_standard_draft(void *state, struct call *call)
{
    standards_start(state, call, load_discard, apply_discard);
}
