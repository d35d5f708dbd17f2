/* sampling - plans, and what becomes of a sample; see the header. */
#include "feedback/sampling.h"

#include "base/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLANS_MAX 200

struct metric feedback_samples_total = {
    .name = "moment_samples_total",
    .kind = METRIC_COUNTER,
    .help = "Samples that were drawn, and what became of them.",
    .label = "state",
};

/* --- plans --- */

static const char *const channel_names[] = {"",          "voice",    "chat",  "email", "sms",
                                            "messaging", "callback", "video", "task",  "other"};

_Static_assert(countof(channel_names) == MOMENT__V1__CHANNEL__CHANNEL_OTHER + 1, "channels");
_Static_assert((int)SAMPLING_MONTH == (int)MOMENT__V1__SAMPLING_PERIOD__SAMPLING_PERIOD_MONTH,
               "periods");
_Static_assert((int)SAMPLING_DAY == (int)MOMENT__V1__SAMPLING_PERIOD__SAMPLING_PERIOD_DAY,
               "periods");

struct sampling_plan sampling_plain(const Moment__V1__SamplingPlan *plan, int *channels)
{
    for (size_t i = 0; i < plan->n_channels && i < SAMPLING_NAMES_MAX; i++) {
        channels[i] = (int)plan->channels[i];
    }
    return (struct sampling_plan){.plan_id = plan->plan_id,
                                  .title = plan->title,
                                  .sites = (const char *const *)plan->sites,
                                  .site_count = plan->n_sites,
                                  .teams = (const char *const *)plan->teams,
                                  .team_count = plan->n_teams,
                                  .queues = (const char *const *)plan->queues,
                                  .queue_count = plan->n_queues,
                                  .channels = channels,
                                  .channel_count = plan->n_channels,
                                  .talk_at_least_ms = plan->talk_at_least_ms,
                                  .talk_at_most_ms = plan->talk_at_most_ms,
                                  .quota = plan->quota,
                                  .kind = (int)plan->period,
                                  .time_zone = plan->time_zone,
                                  .seed = plan->seed};
}

const char *sampling_filters_of(const Moment__V1__SamplingPlan *plan,
                                char text[SAMPLING_FILTERS_SIZE])
{
    int channels[SAMPLING_NAMES_MAX];
    struct sampling_plan plain = sampling_plain(plan, channels);

    return sampling_filters(&plain, channel_names, text);
}

/* --- SaveSamplingPlan, RemoveSamplingPlan --- */

struct planning {
    struct command command; /* first */
    int64_t plan_count;
};

static const Moment__V1__SamplingPlan *plan_of(const struct feedback *feedback, const char *plan_id)
{
    return (const Moment__V1__SamplingPlan *)entity_get(feedback->sampling->plans, plan_id);
}

static void on_plan_count(void *arg, int status, const struct db_rows *rows,
                          const struct db_error *error unused_arg)
{
    struct planning *planning = arg;

    if (status == 0) {
        planning->plan_count = db_get_i64(rows, 0, 0);
    }
}

/* Where the plan's people are: every site with every team; a team is at its site. */
static bool may_write(const struct feedback *feedback, struct call *call,
                      const Moment__V1__SamplingPlan *plan)
{
    size_t sites = plan->n_sites == 0 ? 1 : plan->n_sites;
    size_t teams = plan->n_teams == 0 ? 1 : plan->n_teams;

    for (size_t i = 0; i < sites; i++) {
        for (size_t j = 0; j < teams; j++) {
            const Moment__V1__Team *team =
                plan->n_teams == 0 ? NULL : directory_team(feedback->directory, plan->teams[j]);
            struct place place = {.site = plan->n_sites == 0 ? "" : plan->sites[i],
                                  .team = plan->n_teams == 0 ? "" : plan->teams[j]};

            if (plan->n_sites == 0 && team != NULL) {
                place.site = team->site_id;
            }
            if (!call_allows(call, &place)) {
                return false;
            }
        }
    }
    return true;
}

static int refuse_scope(struct problem *problem)
{
    problem_set(problem, 403, "forbidden", "plan",
                "This plan reaches beyond your sites or teams: name those that it is for, all of "
                "them yours.");
    return -EACCES;
}

static int check_known(const struct feedback *feedback, const Moment__V1__SamplingPlan *plan,
                       struct problem *problem)
{
    char field[64];

    for (size_t i = 0; i < plan->n_sites; i++) {
        if (directory_site(feedback->directory, plan->sites[i]) == NULL) {
            (void)snprintf(field, sizeof(field), "plan.sites[%zu]", i);
            problem_set(problem, 422, "invalid-field", field, "The directory has no such site.");
            return -EINVAL;
        }
    }
    for (size_t i = 0; i < plan->n_teams; i++) {
        if (directory_team(feedback->directory, plan->teams[i]) == NULL) {
            (void)snprintf(field, sizeof(field), "plan.teams[%zu]", i);
            problem_set(problem, 422, "invalid-field", field, "The directory has no such team.");
            return -EINVAL;
        }
    }
    return 0;
}

static int check_fields(const Moment__V1__SaveSamplingPlanRequest *request, struct problem *problem)
{
    const Moment__V1__SamplingPlan *wish = request->plan;
    int channels[SAMPLING_NAMES_MAX];
    struct objection objection;
    struct sampling_plan plain;
    int error;

    if (wish == NULL || wish->base.n_unknown_fields > 0) {
        problem_set(problem, 422, "invalid-field", "plan",
                    wish == NULL ? "There is no plan here."
                                 : "It has members that this version does not know.");
        return -EINVAL;
    }
    if (wish->plan_id[0] != '\0' && strcmp(wish->plan_id, request->plan_id) != 0) {
        problem_set(problem, 422, "invalid-field", "plan.plan_id", "It differs from plan_id.");
        return -EINVAL;
    }
    plain = sampling_plain(wish, channels);
    plain.plan_id = request->plan_id;
    error = sampling_check(&plain, (int)countof(channel_names), &objection);
    if (error == -EINVAL) {
        problem_set(problem, 422, "invalid-field", objection.field, "%s", objection.detail);
        return error;
    }
    feedback_need(error);
    return 0;
}

/* before: null for a plan that nobody knows. */
static int check_plan(struct planning *planning, const Moment__V1__SamplingPlan *before,
                      struct problem *problem)
{
    const struct feedback *feedback = planning->command.state;
    struct call *call = planning->command.call;
    const Moment__V1__SaveSamplingPlanRequest *request =
        (const Moment__V1__SaveSamplingPlanRequest *)call_request(call);
    int error = check_fields(request, problem);

    if (error == 0) {
        error = check_known(feedback, request->plan, problem);
    }
    if (error != 0) {
        return error;
    }
    if (!may_write(feedback, call, request->plan) ||
        (before != NULL && !may_write(feedback, call, before))) {
        return refuse_scope(problem);
    }
    if (before != NULL && !before->removed) {
        return call_check_revision(problem, request->if_revision, before->revision);
    }
    if (request->if_revision != 0) {
        return call_check_revision(problem, request->if_revision, 0);
    }
    if (planning->plan_count >= PLANS_MAX) {
        problem_set(problem, 409, "too-many-plans", "plan_id",
                    "There are %d plans: change one of them.", PLANS_MAX);
        return -ENOSPC;
    }
    return 0;
}

/* So many random bits that nobody foresees a draw. */
static void make_seed(Moment__V1__SamplingPlan *plan)
{
    uint8_t bytes[12];
    char text[2 * sizeof(bytes) + 1];

    seal_random(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        (void)snprintf(&text[2 * i], 3, "%02x", bytes[i]);
    }
    entity_set_text(&plan->seed, text);
}

/* Row and stream record. Consumes plan. */
static void put_plan(struct feedback *feedback, struct txn *txn, const struct caller *caller,
                     Moment__V1__SamplingPlan *plan)
{
    Moment__V1__SamplingPlanChanged changed;

    entity_set_text(&plan->edited_by, caller->id);
    entity_set_text(&plan->edited_by_name, caller->name);
    plan->edited_at = txn_now_us(txn);
    moment__v1__sampling_plan_changed__init(&changed);
    changed.plan = plan;
    feedback_emit(feedback, txn, service_site(feedback->service), plan->plan_id,
                  "SamplingPlanChanged", &changed.base);
    entity_put(feedback->sampling->plans, txn, plan->plan_id, &plan->base);
}

/* Other periods, or drawing anew: what was not settled by then never is. */
static bool begins_anew(const Moment__V1__SamplingPlan *before,
                        const Moment__V1__SamplingPlan *plan)
{
    return before == NULL || before->removed || !before->enabled ||
           before->period != plan->period || strcmp(before->time_zone, plan->time_zone) != 0;
}

static void load_save(struct command *command, struct txn *txn)
{
    struct feedback *feedback = command->state;
    const Moment__V1__SaveSamplingPlanRequest *request =
        (const Moment__V1__SaveSamplingPlanRequest *)call_request(command->call);

    feedback_load_all(feedback, txn);
    entity_load(feedback->sampling->plans, txn, request->plan_id);
    store_load_plan_count(txn, on_plan_count, container_of(command, struct planning, command));
}

static int apply_save(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__SaveSamplingPlanRequest *request =
        (const Moment__V1__SaveSamplingPlanRequest *)call_request(command->call);
    const Moment__V1__SamplingPlan *before = plan_of(feedback, request->plan_id);
    Moment__V1__SaveSamplingPlanResponse response;
    Moment__V1__SamplingPlan *plan;
    bool is_anew;
    int error = check_plan(container_of(command, struct planning, command), before, problem);

    if (error != 0) {
        return error;
    }
    plan = (Moment__V1__SamplingPlan *)entity_edit(&request->plan->base);
    entity_set_text(&plan->plan_id, request->plan_id);
    plan->revision = before != NULL ? before->revision + 1 : 1;
    plan->removed = false;
    if (plan->seed[0] == '\0' && before != NULL) {
        entity_set_text(&plan->seed, before->seed);
    } else if (plan->seed[0] == '\0') {
        make_seed(plan);
    }
    is_anew = begins_anew(before, plan);
    put_plan(feedback, txn, call_caller(command->call), plan);
    if (is_anew) {
        store_save_plan_period(txn, request->plan_id, 0);
    }
    moment__v1__save_sampling_plan_response__init(&response);
    response.plan = plan;
    *ret_response = entity_edit(&response.base);
    return 0;
}

/* Draws at once, also where nothing was saved: that is what a look is for. */
static void finish_save(struct command *command)
{
    struct feedback *feedback = command->state;

    sampling_soon(feedback->sampling);
}

void sampling_save_plan(void *state, struct call *call)
{
    struct feedback *feedback = state;
    struct planning *planning =
        command_new(sizeof(*planning), call, feedback, load_save, apply_save);

    planning->command.finish = finish_save;
    command_start(service_bus(feedback->service), &planning->command);
}

static void load_remove(struct command *command, struct txn *txn)
{
    struct feedback *feedback = command->state;
    const Moment__V1__RemoveSamplingPlanRequest *request =
        (const Moment__V1__RemoveSamplingPlanRequest *)call_request(command->call);

    feedback_load_all(feedback, txn);
    entity_load(feedback->sampling->plans, txn, request->plan_id);
}

static int apply_remove(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__RemoveSamplingPlanRequest *request =
        (const Moment__V1__RemoveSamplingPlanRequest *)call_request(command->call);
    const Moment__V1__SamplingPlan *before = plan_of(feedback, request->plan_id);
    Moment__V1__RemoveSamplingPlanResponse response;
    Moment__V1__SamplingPlan *plan;
    int error;

    if (before == NULL || before->removed) {
        return call_not_found(problem, "plan_id", "sampling plan");
    }
    if (!may_write(feedback, command->call, before)) {
        return refuse_scope(problem);
    }
    error = call_check_revision(problem, request->if_revision, before->revision);
    if (error != 0) {
        return error;
    }
    plan = (Moment__V1__SamplingPlan *)entity_edit(&before->base);
    plan->revision++;
    plan->removed = true;
    put_plan(feedback, txn, call_caller(command->call), plan);
    moment__v1__remove_sampling_plan_response__init(&response);
    *ret_response = entity_edit(&response.base);
    return 0;
}

void sampling_remove_plan(void *state, struct call *call)
{
    struct feedback *feedback = state;

    command_start(service_bus(feedback->service),
                  command_new(sizeof(struct command), call, feedback, load_remove, apply_remove));
}

/* --- ListSamplingPlans, ListSamples --- */

void sampling_list_plans(void *state, struct call *call)
{
    struct feedback *feedback = state;
    struct reach reach = call_reach(call);

    store_list_plans(call, service_reader(feedback->service), &reach);
}

void sampling_list_samples(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListSamplesRequest *request =
        (const Moment__V1__ListSamplesRequest *)call_request(call);
    struct sample_filter filter = {
        .state = (int)request->state, .plan_id = request->plan_id, .person_id = request->person_id};

    if (listing_read(call, request->limit, request->cursor, &filter.page)) {
        store_list_samples(call, service_reader(feedback->service), &filter);
    }
}

/* --- a sample --- */

const char *sampling_id_of(const char *moment_id, char text[ID_TEXT_SIZE])
{
    const char *const parts[] = {"sample", moment_id};
    struct id id = id_of(parts, countof(parts));

    return id_print(&id, text);
}

void sampling_put(struct feedback *feedback, struct txn *txn, Moment__V1__Sample *sample)
{
    Moment__V1__SampleChanged changed;

    sample->revision++;
    moment__v1__sample_changed__init(&changed);
    changed.sample = sample;
    feedback_emit(feedback, txn, sample->site, sample->sample_id, "SampleChanged", &changed.base);
    entity_put(feedback->sampling->samples, txn, sample->sample_id, &sample->base);
}

static const Moment__V1__Sample *sample_about(const struct feedback *feedback,
                                              const char *moment_id)
{
    char id[ID_TEXT_SIZE];

    return (const Moment__V1__Sample *)entity_get(feedback->sampling->samples,
                                                  sampling_id_of(moment_id, id));
}

static Moment__V1__Sample *edit(const Moment__V1__Sample *sample)
{
    return (Moment__V1__Sample *)entity_edit(&sample->base);
}

void sampling_load(struct feedback *feedback, struct txn *txn, const struct id *moment_id)
{
    char moment[ID_TEXT_SIZE], id[ID_TEXT_SIZE];

    entity_load(feedback->sampling->samples, txn, sampling_id_of(id_print(moment_id, moment), id));
}

/* Is the draft still there for which it was taken? */
static bool is_worked_on(const Moment__V1__Sample *sample, const struct contact *contact)
{
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        const Moment__V1__Evaluation *evaluation = contact->evaluations[i];

        if (strcmp(evaluation->evaluation_id, sample->evaluation_id) == 0) {
            return evaluation->state == MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_DRAFT;
        }
    }
    return false;
}

static int check_state(const Moment__V1__Sample *sample, const struct contact *contact,
                       const char *user_id, struct problem *problem)
{
    bool is_open = sample->state == MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_OPEN;
    bool is_taken = sample->state == MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_TAKEN;

    if (is_taken && strcmp(sample->taken_by, user_id) != 0 && is_worked_on(sample, contact)) {
        problem_set(problem, 409, "sample-taken", "sample_id",
                    "%.100s works on this sample: choose another one.", sample->taken_by_name);
        return -EEXIST;
    }
    if (!is_open && !is_taken) {
        problem_set(problem, 409, "sample-over", "sample_id",
                    "This sample is over: save the evaluation without it.");
        return -EEXIST;
    }
    return 0;
}

int sampling_check_take(struct feedback *feedback, struct call *call, const struct contact *contact,
                        const char *sample_id, struct problem *problem)
{
    const Moment__V1__Sample *sample;
    char moment_id[ID_TEXT_SIZE];
    struct place place;

    if (sample_id[0] == '\0') {
        return 0;
    }
    sample = sample_about(feedback, id_print(&contact->id, moment_id));
    if (sample == NULL || strcmp(sample->sample_id, sample_id) != 0) {
        problem_set(problem, 422, "invalid-field", "sample_id",
                    "There is no such sample of this moment.");
        return -EINVAL;
    }
    place = (struct place){
        .site = sample->site, .team = sample->team_id, .person_id = sample->person_id};
    if (!call_allows(call, &place)) {
        return call_not_found(problem, "sample_id", "sample");
    }
    return check_state(sample, contact, call_caller(call)->id, problem);
}

static void set_provenance(const Moment__V1__Sample *sample, Moment__V1__Evaluation *draft)
{
    Moment__V1__Provenance *provenance = calloc(1, sizeof(*provenance));

    feedback_need(provenance != NULL ? 0 : -ENOMEM);
    moment__v1__provenance__init(provenance);
    entity_set_text(&provenance->plan_id, sample->plan_id);
    entity_set_text(&provenance->plan_title, sample->plan_title);
    entity_set_text(&provenance->sample_id, sample->sample_id);
    entity_set_text(&provenance->seed, sample->seed);
    provenance->drawn_at = sample->drawn_at;
    entity_set_text(&provenance->filters, sample->filters);
    if (draft->provenance != NULL) {
        codec_free(&draft->provenance->base);
    }
    draft->provenance = provenance;
}

void sampling_take(struct feedback *feedback, struct txn *txn, const struct caller *caller,
                   const char *sample_id, Moment__V1__Evaluation *draft)
{
    const Moment__V1__Sample *before;
    Moment__V1__Sample *sample;

    if (sample_id[0] == '\0') {
        return;
    }
    before = sample_about(feedback, draft->moment_id);
    set_provenance(before, draft);
    if (before->state == MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_TAKEN &&
        strcmp(before->evaluation_id, draft->evaluation_id) == 0) {
        return; /* saved again */
    }
    sample = edit(before);
    sample->state = MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_TAKEN;
    entity_set_text(&sample->taken_by, caller->id);
    entity_set_text(&sample->taken_by_name, caller->name);
    entity_set_text(&sample->evaluation_id, draft->evaluation_id);
    sampling_put(feedback, txn, sample);
    metric_add(&feedback_samples_total, "taken", 1);
}

/* The sample that this evaluation has taken; or null. */
static const Moment__V1__Sample *taken_for(const struct feedback *feedback,
                                           const Moment__V1__Evaluation *evaluation)
{
    const Moment__V1__Sample *sample = sample_about(feedback, evaluation->moment_id);

    return sample != NULL && sample->state == MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_TAKEN &&
                   strcmp(sample->evaluation_id, evaluation->evaluation_id) == 0
               ? sample
               : NULL;
}

void sampling_give_back(struct feedback *feedback, struct txn *txn,
                        const Moment__V1__Evaluation *draft)
{
    const Moment__V1__Sample *before = taken_for(feedback, draft);
    Moment__V1__Sample *sample;

    if (before == NULL) {
        return;
    }
    sample = edit(before);
    sample->state = sample->period_to_at <= txn_now_us(txn)
                        ? MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_EXPIRED
                        : MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_OPEN;
    entity_set_text(&sample->taken_by, "");
    entity_set_text(&sample->taken_by_name, "");
    entity_set_text(&sample->evaluation_id, "");
    sampling_put(feedback, txn, sample);
    metric_add(&feedback_samples_total, "given_back", 1);
}

void sampling_finish(struct feedback *feedback, struct txn *txn,
                     const Moment__V1__Evaluation *evaluation)
{
    const Moment__V1__Sample *before = taken_for(feedback, evaluation);
    Moment__V1__Sample *sample;

    if (before == NULL) {
        return;
    }
    sample = edit(before);
    sample->state = MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_DONE;
    sampling_put(feedback, txn, sample);
    metric_add(&feedback_samples_total, "done", 1);
}

/* --- life --- */

int sampling_new(struct feedback *feedback, struct sampling **ret_sampling)
{
    struct sampling *sampling = calloc(1, sizeof(*sampling));
    int error;

    if (sampling == NULL) {
        return -ENOMEM;
    }
    sampling->feedback = feedback;
    error = entities_new(&store_sampling_plans, STORE_PLANS_HELD_BYTES, &sampling->plans);
    if (error == 0) {
        error = entities_new(&store_samples, STORE_SAMPLES_HELD_BYTES, &sampling->samples);
    }
    if (error == 0) {
        error = timer_new(service_loop(feedback->service), sampling_on_time, sampling,
                          &sampling->timer);
    }
    if (error != 0) {
        sampling_free(&sampling);
        return error;
    }
    sampling_soon(sampling);
    *ret_sampling = sampling;
    return 0;
}

void sampling_stop(struct sampling *sampling)
{
    timer_free(&sampling->timer);
}

void sampling_forget(struct sampling *sampling)
{
    entities_forget(sampling->plans);
    entities_forget(sampling->samples);
}

void sampling_free(struct sampling **ret_sampling)
{
    struct sampling *sampling = *ret_sampling;

    if (sampling == NULL) {
        return;
    }
    sampling_stop(sampling);
    sampling_drop_run(sampling);
    entities_free(&sampling->plans);
    entities_free(&sampling->samples);
    free(sampling);
    *ret_sampling = NULL;
}
