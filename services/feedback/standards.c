/* standards - see the header. */
#include "feedback/standards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- in memory --- */

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

struct held_standard *standards_newest(const struct feedback *feedback, const char *standard_id)
{
    struct held_standard *found = NULL;

    for (size_t i = 0; i < feedback->standard_count; i++) {
        struct held_standard *standard = &feedback->standards[i];

        if (strcmp(standard->plain.standard_id, standard_id) == 0 &&
            (found == NULL || standard->plain.version > found->plain.version)) {
            found = standard;
        }
    }
    return found;
}

struct held_standard *standards_find(const struct feedback *feedback, const char *standard_id,
                                     uint32_t version)
{
    for (size_t i = 0; i < feedback->standard_count; i++) {
        struct held_standard *standard = &feedback->standards[i];

        if (standard->plain.version == version &&
            strcmp(standard->plain.standard_id, standard_id) == 0) {
            return standard;
        }
    }
    return NULL;
}

bool standards_is_live(const struct feedback *feedback, const struct held_standard *standard,
                       int64_t at)
{
    return standard_is_live(feedback->choices, feedback->standard_count, &standard->plain, at);
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

/* --- changes --- */

void standards_emit(struct feedback *feedback, struct txn *txn,
                    const Moment__V1__Standard *standard)
{
    Moment__V1__StandardChanged changed;

    moment__v1__standard_changed__init(&changed);
    changed.standard = (Moment__V1__Standard *)(uintptr_t)standard;
    feedback_emit(feedback, txn, service_site(feedback->service), standard->standard_id,
                  "StandardChanged", &changed.base);
}

void standards_put_fate(struct feedback *feedback, struct txn *txn, struct held_standard *standard)
{
    standard->plain.rolled_out_at = standard->message->rolled_out_at;
    standard->plain.retired_at = standard->message->retired_at;
    feedback->choices[standard - feedback->standards] = standard->plain;
    feedback_need(store_save_fate(txn, standard->message));
}

static void clear_names(size_t *count, char ***names)
{
    for (size_t i = 0; i < *count; i++) {
        free((*names)[i]);
    }
    free(*names);
    *names = NULL;
    *count = 0;
}

void standards_strip(Moment__V1__Standard *standard)
{
    standard->state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_UNSPECIFIED;
    standard->published_at = 0;
    standard->rolled_out_at = 0;
    entity_set_text(&standard->rolled_out_by, "");
    entity_set_text(&standard->rolled_out_by_name, "");
    standard->copy_of_version = 0;
    standard->retired_at = 0;
    entity_set_text(&standard->retired_by, "");
    entity_set_text(&standard->retired_by_name, "");
    entity_set_text(&standard->retired_because, "");
    standard->revision = 0;
    entity_set_text(&standard->edited_by, "");
    entity_set_text(&standard->edited_by_name, "");
    standard->edited_at = 0;
    entity_set_text(&standard->signed_by_id, "");
}

Moment__V1__Standard *standards_copy(const Moment__V1__Standard *standard)
{
    Moment__V1__Standard *copy = (Moment__V1__Standard *)entity_edit(&standard->base);

    standards_strip(copy);
    copy->version = 0;
    copy->effective_at = 0;
    clear_names(&copy->n_canary_sites, &copy->canary_sites);
    return copy;
}

const Moment__V1__Standard *standards_draft(const struct feedback *feedback,
                                            const char *standard_id)
{
    const Moment__V1__Standard *draft =
        (const Moment__V1__Standard *)entity_get(feedback->standard_drafts, standard_id);

    return draft != NULL && draft->state == MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DRAFT ? draft
                                                                                             : NULL;
}

void standards_put_draft(struct feedback *feedback, struct txn *txn, Moment__V1__Standard *draft)
{
    entity_put(feedback->standard_drafts, txn, draft->standard_id, &draft->base);
}

/* --- what may be changed, and by whom --- */

static int refuse_site(struct problem *problem, const char *site)
{
    if (site[0] != '\0') {
        problem_set(problem, 403, "forbidden", "standard.scope.sites",
                    "This standard applies at \"%.80s\"; that site is not yours.", site);
    } else {
        problem_set(problem, 403, "forbidden", "standard.scope.sites",
                    "You look after some sites or teams only; this standard applies to more.");
    }
    return -EACCES;
}

int standards_allow(struct call *call, const Moment__V1__Standard *standard,
                    struct problem *problem)
{
    const Moment__V1__StandardScope *scope = standard->scope;
    size_t count = scope != NULL ? scope->n_sites : 0;

    for (size_t i = 0; i < count; i++) {
        if (!call_allows(call, &(struct place){.site = scope->sites[i]})) {
            return refuse_site(problem, call_caller(call)->team_count > 0 ? "" : scope->sites[i]);
        }
    }
    return count > 0 || call_allows(call, &(struct place){0}) ? 0 : refuse_site(problem, "");
}

int standards_allow_all(const struct feedback *feedback, struct call *call, const char *standard_id,
                        int64_t at, struct problem *problem)
{
    const struct held_standard *newest = standards_newest(feedback, standard_id);

    for (size_t i = 0; i < feedback->standard_count; i++) {
        const struct held_standard *standard = &feedback->standards[i];

        if (strcmp(standard->plain.standard_id, standard_id) == 0 &&
            (standard == newest || standards_is_live(feedback, standard, at))) {
            int error = standards_allow(call, standard->message, problem);

            if (error != 0) {
                return error;
            }
        }
    }
    return 0;
}

const struct standard *standards_find_tie(const struct feedback *feedback,
                                          const struct standard *standard, int64_t at)
{
    for (size_t i = 0; i < feedback->standard_count; i++) {
        const struct held_standard *other = &feedback->standards[i];

        if (standard_ties(standard, &other->plain) && standards_is_live(feedback, other, at)) {
            return &other->plain;
        }
    }
    return NULL;
}

void standards_object(const struct feedback *feedback, const struct held_standard *standard,
                      int64_t at, struct objections *objections)
{
    const struct standard *other = standards_find_tie(feedback, &standard->plain, at);

    standard_check(&standard->plain, measure_knows, objections);
    if (other != NULL) {
        objections_add(objections, "standard.scope",
                       "\"%.80s\" (%.40s version %u) applies to the same moments, and neither is "
                       "the more specific.",
                       other->title, other->standard_id, other->version);
    }
}

int standards_refuse_unknown(const Moment__V1__Standard *standard, struct problem *problem)
{
    char field[sizeof(problem->field)];

    if (codec_standard_has_unknown(standard, field, sizeof(field))) {
        problem_set(problem, 422, "unknown-field", field,
                    "There is a field here that this version does not know.");
        return -EINVAL;
    }
    return 0;
}

/* --- commands --- */

void standards_load(struct feedback *feedback, struct txn *txn, const char *standard_id)
{
    feedback_load_all(feedback, txn);
    entity_load(feedback->standard_drafts, txn, standard_id);
}

void standards_start(struct feedback *feedback, struct call *call, command_load_fn *load,
                     command_apply_fn *apply)
{
    command_start(service_bus(feedback->service),
                  command_new(sizeof(struct command), call, feedback, load, apply));
}

/* --- the list --- */

static void take_standard(Moment__V1__ListStandardsResponse *response,
                          Moment__V1__Standard *message)
{
    if (message->state == MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DRAFT) {
        entity_append(&response->n_drafts, &response->drafts, message);
    } else {
        entity_append(&response->n_standards, &response->standards, message);
    }
}

static void answer_standards(void *arg, int status, const struct db_rows *rows,
                             const struct db_error *error unused_arg)
{
    struct call *call = arg;
    Moment__V1__ListStandardsResponse *response;

    if (status != 0) {
        call_refuse(call, 503, "database-unavailable", "", "The database can't answer now.");
        return;
    }
    response = calloc(1, sizeof(*response));
    feedback_need(response != NULL ? 0 : -ENOMEM);
    moment__v1__list_standards_response__init(response);
    for (size_t i = 0; i < db_count(rows); i++) {
        Moment__V1__Standard *message;

        if (store_read_standard(rows, i, &message) == 0) {
            take_standard(response, message);
        }
    }
    call_reply(call, &response->base);
    codec_free(&response->base);
}

void feedback_list_standards(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListStandardsRequest *request =
        (const Moment__V1__ListStandardsRequest *)call_request(call);
    bool with_drafts = (call_caller(call)->roles & (ROLE_LEADER | ROLE_COACH)) != 0;
    int error = store_list_standards(service_reader(feedback->service), request->standard_id,
                                     request->history != 0, with_drafts, answer_standards, call);

    if (error != 0) {
        answer_standards(call, error, NULL, NULL);
    }
}
