/* sampling_draws - a look at all plans, by time: what ran out expires, periods that are over are
 * settled, slots that opened are drawn. See sampling.h.
 *
 * A look is a chain of works, each about a few people of one plan; it asks the tables each time
 * what is left to do. */
#include "feedback/sampling.h"

#include "base/clock.h"
#include "base/log.h"
#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROLE_OF_DRAWN "agent"
/* Of one work. */
#define EXPIRE_MAX 200
#define DRAW_PEOPLE_MAX 10
#define SETTLE_PEOPLE_MAX 100
/* Periods before these were missed for too long: nobody asks for them any more. */
#define MISSED_MAX 31
#define AGAIN_MS 1000

struct drawing_plan {
    Moment__V1__SamplingPlan *message; /* owned */
    struct zone *zone;                 /* owned */
    int64_t period_at;                 /* from when on periods are to be settled; 0: never was */
};

enum step { STEP_BEGIN, STEP_PLAN };

struct sampling_run {
    struct work work; /* first */
    struct sampling *sampling;
    enum step step;

    struct drawing_plan *plans; /* owned */
    size_t plan_count, at;

    /* Of the work under way, made by its load anew each time: */
    const struct txn *txn;
    bool is_blind; /* nothing was in memory yet: once more */
    bool is_stale;
    bool is_settling;
    bool is_full; /* there may be more of the same */
    int64_t now;
    struct sampling_span span;
    int64_t since[SAMPLING_QUOTA_MAX]; /* the windows of the slots that are open */
    uint32_t due;
    Moment__V1__Sample **made; /* owned, with the samples that apply didn't take */
    size_t made_count;
    char (*expiring)[ID_TEXT_SIZE]; /* owned */
    size_t expiring_count;
};

static void go_on(struct sampling_run *run);

/* --- what one work made --- */

static void drop_made(struct sampling_run *run)
{
    for (size_t i = 0; i < run->made_count; i++) {
        if (run->made[i] != NULL) {
            codec_free(&run->made[i]->base);
        }
    }
    free(run->made);
    run->made = NULL;
    run->made_count = 0;
    free(run->expiring);
    run->expiring = NULL;
    run->expiring_count = 0;
}

static struct drawing_plan *plan_of(const struct sampling_run *run)
{
    return &run->plans[run->at];
}

/* A sample of the plan with all that is not about its moment. Kept in run->made. */
static Moment__V1__Sample *make_sample(struct sampling_run *run, const Moment__V1__Person *person,
                                       int64_t last_at)
{
    const Moment__V1__SamplingPlan *plan = plan_of(run)->message;
    Moment__V1__Sample *sample = calloc(1, sizeof(*sample));
    char filters[SAMPLING_FILTERS_SIZE];

    feedback_need(sample != NULL ? 0 : -ENOMEM);
    moment__v1__sample__init(sample);
    entity_set_text(&sample->plan_id, plan->plan_id);
    entity_set_text(&sample->plan_title, plan->title);
    entity_set_text(&sample->person_id, person->person_id);
    entity_set_text(&sample->person_name, person->name);
    entity_set_text(&sample->site, person->site_id);
    entity_set_text(&sample->team_id, person->team_id);
    sample->period_from_at = run->span.from;
    sample->period_to_at = run->span.to;
    sample->drawn_at = run->now;
    sample->debt_days = sampling_debt(last_at, run->now);
    entity_set_text(&sample->filters, sampling_filters_of(plan, filters));
    entity_set_text(&sample->seed, plan->seed);
    entity_append(&run->made_count, &run->made, sample);
    return sample;
}

/* --- who --- */

struct people {
    const Moment__V1__SamplingPlan *plan;
    const char **ids; /* owned; the ids are borrowed */
    size_t count, room;
};

static bool is_listed(char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return count == 0;
}

static void visit_person(void *arg, const Moment__V1__Person *person)
{
    struct people *people = arg;

    if (strcmp(person->role, ROLE_OF_DRAWN) != 0 ||
        !is_listed(people->plan->sites, people->plan->n_sites, person->site_id) ||
        !is_listed(people->plan->teams, people->plan->n_teams, person->team_id)) {
        return;
    }
    if (people->count == people->room) {
        const char **ids;

        people->room = 2 * people->room + 64;
        ids = reallocarray(people->ids, people->room, sizeof(*ids));
        feedback_need(ids != NULL ? 0 : -ENOMEM);
        people->ids = ids;
    }
    people->ids[people->count++] = person->person_id;
}

static struct people find_people(const struct sampling_run *run)
{
    struct people people = {.plan = plan_of(run)->message};

    directory_each_person(run->sampling->feedback->directory, visit_person, &people);
    return people;
}

/* --- a period that is over: what was not drawn in it --- */

static void make_unmet(struct sampling_run *run, const struct db_rows *rows, size_t row)
{
    const Moment__V1__SamplingPlan *plan = plan_of(run)->message;
    const Moment__V1__Person *person =
        directory_person(run->sampling->feedback->directory, db_get_text(rows, row, 0));
    const struct sampling_shortage shortage = {.quota = plan->quota,
                                               .drawn = (uint32_t)db_get_i64(rows, row, 2),
                                               .moments = db_get_i64(rows, row, 3),
                                               .passed = db_get_i64(rows, row, 4),
                                               .unseen = db_get_i64(rows, row, 5)};
    char reason[SAMPLING_REASON_SIZE], period[24], text[ID_TEXT_SIZE];
    const char *const parts[] = {"unmet", plan->plan_id, db_get_text(rows, row, 0), period};
    Moment__V1__Sample *sample;
    struct id id;

    if (person == NULL) {
        return; /* was among the people a moment ago: the directory only grows */
    }
    (void)snprintf(period, sizeof(period), "%lld", (long long)run->span.from);
    id = id_of(parts, countof(parts));
    sample = make_sample(run, person, db_get_time(rows, row, 1));
    sample->state = MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_UNMET;
    entity_set_text(&sample->sample_id, id_print(&id, text));
    entity_set_text(&sample->reason, sampling_reason(&shortage, reason));
}

static void on_shortages(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error unused_arg)
{
    struct sampling_run *run = arg;

    for (size_t i = 0; status == 0 && i < db_count(rows); i++) {
        make_unmet(run, rows, i);
    }
    run->is_full = status == 0 && db_count(rows) == SETTLE_PEOPLE_MAX;
}

/* --- the period under way: what is due --- */

static struct sampling_slot slot_of(const struct sampling_run *run, const char *person_id,
                                    uint32_t slot)
{
    const Moment__V1__SamplingPlan *plan = plan_of(run)->message;

    return (struct sampling_slot){.seed = plan->seed,
                                  .person_id = person_id,
                                  .period_from = run->span.from,
                                  .slot = slot,
                                  .since_at = run->since[slot],
                                  .opens_at = sampling_opens_at(&run->span, plan->quota, slot)};
}

static void make_drawn(struct sampling_run *run, const struct db_rows *rows, size_t row)
{
    const Moment__V1__Person *person =
        directory_person(run->sampling->feedback->directory, db_get_text(rows, row, 0));
    Moment__V1__Sample *sample;
    char id[ID_TEXT_SIZE];

    if (person == NULL) {
        return;
    }
    sample = make_sample(run, person, db_get_time(rows, row, 1));
    sample->state = MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_OPEN;
    entity_set_text(&sample->moment_id, db_get_text(rows, row, 3));
    entity_set_text(&sample->sample_id, sampling_id_of(sample->moment_id, id));
    /* Who may see the moment may see its sample. */
    sample->moment_ended_at = db_get_time(rows, row, 4);
    entity_set_text(&sample->site, db_get_text(rows, row, 5));
    entity_set_text(&sample->team_id, db_get_text(rows, row, 6));
    entity_set_text(&sample->queue, db_get_text(rows, row, 7));
}

/* The rows of one person: draws each slot that is due. */
static void draw_for(struct sampling_run *run, const struct db_rows *rows, size_t first,
                     size_t count)
{
    const char *person_id = db_get_text(rows, first, 0);
    struct sampling_candidate *candidates = calloc(count, sizeof(*candidates));

    feedback_need(candidates != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < count; i++) {
        candidates[i] = (struct sampling_candidate){.moment_id = db_get_text(rows, first + i, 3),
                                                    .ended_at = db_get_time(rows, first + i, 4)};
    }
    for (uint32_t slot = (uint32_t)db_get_i64(rows, first, 2); slot < run->due; slot++) {
        const struct sampling_slot open = slot_of(run, person_id, slot);
        const struct sampling_candidate *drawn = sampling_draw(&open, candidates, count);

        if (drawn != NULL) {
            make_drawn(run, rows, first + (size_t)(drawn - candidates));
        }
    }
    free(candidates);
}

static void on_candidates(void *arg, int status, const struct db_rows *rows,
                          const struct db_error *error unused_arg)
{
    struct sampling_run *run = arg;
    size_t count = status == 0 ? db_count(rows) : 0, people = 0;

    for (size_t first = 0, next; first < count; first = next) {
        next = first + 1;
        while (next < count &&
               strcmp(db_get_text(rows, next, 0), db_get_text(rows, first, 0)) == 0) {
            next++;
        }
        draw_for(run, rows, first, next - first);
        people++;
    }
    run->is_full = people == DRAW_PEOPLE_MAX;
}

/* --- one plan's work --- */

/* Was it changed or removed since the look began? */
static bool is_stale(const struct sampling_run *run)
{
    const struct drawing_plan *plan = plan_of(run);
    const Moment__V1__SamplingPlan *now =
        (const Moment__V1__SamplingPlan *)entity_get(run->sampling->plans, plan->message->plan_id);

    return now == NULL || now->revision != plan->message->revision;
}

/* The oldest period that is settled. */
static struct sampling_span oldest_settled(const struct drawing_plan *plan, int64_t now)
{
    enum sampling_kind kind = (enum sampling_kind)plan->message->period;
    struct sampling_span span = sampling_period(plan->zone, kind, now);

    for (int i = 0; i < MISSED_MAX && span.from > plan->period_at; i++) {
        span = sampling_before(plan->zone, kind, &span);
    }
    return span;
}

static void choose_period(struct sampling_run *run)
{
    const struct drawing_plan *plan = plan_of(run);
    enum sampling_kind kind = (enum sampling_kind)plan->message->period;

    run->span = sampling_period(plan->zone, kind, run->now);
    run->is_settling = plan->period_at != 0 && plan->period_at < run->span.from;
    if (run->is_settling) {
        run->span = oldest_settled(plan, run->now);
    }
}

static void ask_shortages(struct sampling_run *run, struct txn *txn,
                          struct sampling_question *question)
{
    const struct drawing_plan *plan = plan_of(run);

    question->limit = SETTLE_PEOPLE_MAX;
    question->since_at =
        sampling_before(plan->zone, (enum sampling_kind)plan->message->period, &run->span).from;
    store_load_shortages(txn, question, on_shortages, run);
}

static void ask_candidates(struct sampling_run *run, struct txn *txn,
                           struct sampling_question *question)
{
    const struct drawing_plan *plan = plan_of(run);
    uint32_t quota = plan->message->quota;
    struct sampling_span before =
        sampling_before(plan->zone, (enum sampling_kind)plan->message->period, &run->span);

    run->due = sampling_due(&run->span, quota, run->now);
    for (uint32_t slot = 0; slot < run->due; slot++) {
        run->since[slot] = sampling_opens_at(&before, quota, slot);
    }
    question->limit = DRAW_PEOPLE_MAX;
    question->since = run->since;
    question->due = run->due;
    store_load_candidates(txn, question, on_candidates, run);
}

static void load_plan(struct sampling_run *run, struct txn *txn)
{
    struct people people = find_people(run);
    struct sampling_question question;

    choose_period(run);
    question = (struct sampling_question){.plan = plan_of(run)->message,
                                          .person_ids = people.ids,
                                          .person_count = people.count,
                                          .span = run->span,
                                          .now = run->now};
    entity_load(run->sampling->plans, txn, plan_of(run)->message->plan_id);
    if (run->is_settling) {
        ask_shortages(run, txn, &question);
    } else {
        ask_candidates(run, txn, &question);
    }
    free(people.ids);
}

static void take_made(struct sampling_run *run, struct txn *txn)
{
    for (size_t i = 0; i < run->made_count; i++) {
        const char *state = run->is_settling ? "unmet" : "drawn";

        sampling_put(run->sampling->feedback, txn, run->made[i]);
        run->made[i] = NULL;
        metric_add(&feedback_samples_total, state, 1);
    }
}

static void apply_plan(struct sampling_run *run, struct txn *txn)
{
    const struct drawing_plan *plan = plan_of(run);

    run->is_stale = is_stale(run);
    if (run->is_stale) {
        return; /* the next look reads it again */
    }
    take_made(run, txn);
    if (run->is_settling && !run->is_full) {
        store_save_plan_period(txn, plan->message->plan_id, run->span.to);
    } else if (!run->is_settling && plan->period_at == 0) {
        store_save_plan_period(txn, plan->message->plan_id, run->span.from);
    }
}

/* The same plan again, or the next one. */
static void pass_plan(struct sampling_run *run)
{
    struct drawing_plan *plan = plan_of(run);

    if (run->is_stale || (!run->is_settling && !(run->is_full && run->made_count > 0))) {
        run->at++;
    } else if (!(run->is_full && run->made_count > 0)) {
        plan->period_at = run->span.to;
    }
}

/* --- the first work: what ran out, and which plans there are --- */

static void on_expiring(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error unused_arg)
{
    struct sampling_run *run = arg;

    if (status != 0) {
        return;
    }
    run->expiring = calloc(db_count(rows) + 1, sizeof(*run->expiring));
    feedback_need(run->expiring != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < db_count(rows); i++) {
        char *id = run->expiring[run->expiring_count];
        ProtobufCMessage *message;

        if (protobuf_read(&moment__v1__sample__descriptor, db_get_bytes(rows, i, 1), &message) !=
            0) {
            log_error("sample_unreadable", "sample_id=%s", db_get_text(rows, i, 0));
            continue;
        }
        (void)text_copy(id, ID_TEXT_SIZE, db_get_text(rows, i, 0));
        run->expiring_count++;
        entity_offer(run->sampling->samples, run->txn, id, message);
    }
    run->is_full = run->expiring_count == EXPIRE_MAX;
}

static void drop_plans(struct sampling_run *run)
{
    for (size_t i = 0; i < run->plan_count; i++) {
        codec_free(&run->plans[i].message->base);
        zone_close(&run->plans[i].zone);
    }
    free(run->plans);
    run->plans = NULL;
    run->plan_count = 0;
}

static void on_plans(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    struct sampling_run *run = arg;

    if (status != 0) {
        return;
    }
    drop_plans(run);
    run->plans = calloc(db_count(rows) + 1, sizeof(*run->plans));
    feedback_need(run->plans != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct drawing_plan *plan = &run->plans[run->plan_count];
        ProtobufCMessage *message;

        if (protobuf_read(&moment__v1__sampling_plan__descriptor, db_get_bytes(rows, i, 0),
                          &message) != 0) {
            log_error("sampling_plan_unreadable", "row=%zu", i);
            continue;
        }
        plan->message = (Moment__V1__SamplingPlan *)message;
        plan->period_at = db_get_time(rows, i, 1);
        if (zone_open(plan->message->time_zone, &plan->zone) != 0) {
            /* It was there when the plan was saved. */
            log_error("time_zone_unknown", "sampling_plan=%s time_zone=%s", plan->message->plan_id,
                      plan->message->time_zone);
            codec_free(message);
            continue;
        }
        run->plan_count++;
    }
}

static void load_begin(struct sampling_run *run, struct txn *txn)
{
    store_load_expiring_samples(txn, run->now, EXPIRE_MAX, on_expiring, run);
    store_load_drawing_plans(txn, on_plans, run);
}

static void apply_begin(struct sampling_run *run, struct txn *txn)
{
    for (size_t i = 0; i < run->expiring_count; i++) {
        const Moment__V1__Sample *before =
            (const Moment__V1__Sample *)entity_get(run->sampling->samples, run->expiring[i]);
        Moment__V1__Sample *sample;

        if (before->state != MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_OPEN) {
            continue; /* taken in this very transaction */
        }
        sample = (Moment__V1__Sample *)entity_edit(&before->base);
        sample->state = MOMENT__V1__SAMPLE_STATE__SAMPLE_STATE_EXPIRED;
        sampling_put(run->sampling->feedback, txn, sample);
        metric_add(&feedback_samples_total, "expired", 1);
    }
}

/* --- a work --- */

static void load(struct work *work, struct txn *txn)
{
    struct sampling_run *run = container_of(work, struct sampling_run, work);
    struct feedback *feedback = run->sampling->feedback;

    drop_made(run);
    run->txn = txn;
    run->now = clock_wall_us();
    run->is_full = false;
    run->is_blind = !feedback->is_loaded;
    if (run->is_blind) {
        feedback_load_all(feedback, txn);
    } else if (run->step == STEP_BEGIN) {
        load_begin(run, txn);
    } else {
        load_plan(run, txn);
    }
}

static int apply(struct work *work, struct txn *txn)
{
    struct sampling_run *run = container_of(work, struct sampling_run, work);

    if (run->is_blind) {
        return 0;
    }
    if (run->step == STEP_BEGIN) {
        apply_begin(run, txn);
    } else {
        apply_plan(run, txn);
    }
    return 0;
}

static void end_run(struct sampling_run *run, uint64_t again_ms)
{
    struct sampling *sampling = run->sampling;

    sampling_drop_run(sampling);
    if (sampling->timer != NULL) {
        timer_start(sampling->timer, sampling->wants_again ? 1 : again_ms, 0);
    }
}

static void done(struct work *work, int status, const struct db_error *error)
{
    struct sampling_run *run = container_of(work, struct sampling_run, work);

    if (status != 0) {
        log_error("sampling_failed", "status=%d sqlstate=%s", status,
                  error != NULL ? error->sqlstate : "");
        end_run(run, AGAIN_MS);
        return;
    }
    if (!run->is_blind && run->step == STEP_PLAN) {
        pass_plan(run);
    } else if (!run->is_blind && !run->is_full) {
        run->step = STEP_PLAN;
    }
    go_on(run);
}

static void go_on(struct sampling_run *run)
{
    static const struct work_ops ops = {.load = load, .apply = apply, .done = done};
    struct sampling *sampling = run->sampling;

    if (sampling->timer == NULL || (run->step == STEP_PLAN && run->at == run->plan_count)) {
        end_run(run, sampling->feedback->sampling_every_ms);
        return;
    }
    run->work = (struct work){.ops = &ops, .bytes = 4096};
    if (stream_submit(service_stream(sampling->feedback->service), &run->work) != 0) {
        end_run(run, AGAIN_MS);
    }
}

/* --- time --- */

void sampling_on_time(void *arg)
{
    struct sampling *sampling = arg;

    if (sampling->run != NULL) {
        return; /* end_run starts the timer */
    }
    sampling->wants_again = false;
    sampling->run = calloc(1, sizeof(*sampling->run));
    feedback_need(sampling->run != NULL ? 0 : -ENOMEM);
    sampling->run->sampling = sampling;
    go_on(sampling->run);
}

void sampling_soon(struct sampling *sampling)
{
    sampling->wants_again = sampling->run != NULL;
    if (sampling->timer != NULL && sampling->run == NULL) {
        timer_start(sampling->timer, 1, 0);
    }
}

void sampling_drop_run(struct sampling *sampling)
{
    if (sampling->run == NULL) {
        return;
    }
    drop_made(sampling->run);
    drop_plans(sampling->run);
    free(sampling->run);
    sampling->run = NULL;
}
