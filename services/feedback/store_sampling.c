/* store_sampling - see the header. */
#include "feedback/store_sampling.h"

#include "feedback/store.h"

/* --- plans --- */

static int save_plan(struct txn *txn, const char *id, const ProtobufCMessage *message)
{
    const Moment__V1__SamplingPlan *plan = (const Moment__V1__SamplingPlan *)message;
    struct db_args args;

    db_args_init(&args);
    db_text(&args, id);
    db_bool(&args, plan->enabled);
    db_bool(&args, plan->removed);
    db_texts(&args, (const char *const *)plan->sites, plan->n_sites);
    db_texts(&args, (const char *const *)plan->teams, plan->n_teams);
    return txn_write_body(
        txn,
        "insert into sampling_plan (plan_id, enabled, removed, sites, teams, body)"
        " values ($1, $2, $3, $4, $5, $6) on conflict (plan_id) do update set"
        " enabled = excluded.enabled, removed = excluded.removed,"
        " sites = excluded.sites, teams = excluded.teams, body = excluded.body",
        &args, message);
}

const struct entity_kind store_sampling_plans = {
    .name = "sampling plan",
    .descriptor = &moment__v1__sampling_plan__descriptor,
    .select = "select body from sampling_plan where plan_id = $1",
    .save = save_plan,
};

void store_load_plan_count(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select count(*) from sampling_plan where not removed", &args, on_rows, arg);
}

void store_save_plan_period(struct txn *txn, const char *plan_id, int64_t period_at)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, plan_id);
    db_time(&args, period_at);
    txn_write(txn, "update sampling_plan set period_at = $2 where plan_id = $1", &args);
}

void store_load_drawing_plans(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn,
             "select body, period_at from sampling_plan where enabled and not removed"
             " order by plan_id",
             &args, on_rows, arg);
}

void store_list_plans(struct call *call, struct db *db, const struct reach *reach)
{
    struct db_args args;

    db_args_init(&args);
    db_texts(&args, reach->sites, reach->site_count);
    db_texts(&args, reach->teams, reach->team_count);
    listing_answer(call, db,
                   "select body from sampling_plan where not removed"
                   " and (cardinality($1::text[]) = 0 or sites && $1 or (cardinality(sites) = 0"
                   " and (cardinality(teams) = 0 or exists (select 1 from team t"
                   " where t.team_id = any(teams) and t.site_id = any($1)))))"
                   " and (cardinality($2::text[]) = 0 or cardinality(teams) = 0 or teams && $2)"
                   " order by plan_id",
                   &args, NULL, NULL);
}

/* --- samples --- */

static int save_sample(struct txn *txn, const char *id, const ProtobufCMessage *message)
{
    const Moment__V1__Sample *sample = (const Moment__V1__Sample *)message;
    struct db_args args;

    db_args_init(&args);
    db_id(&args, id);
    db_text(&args, sample->plan_id);
    db_i32(&args, (int32_t)sample->state);
    db_id(&args, sample->moment_id);
    db_text(&args, sample->person_id);
    db_text(&args, sample->site);
    db_text(&args, sample->team_id);
    db_time(&args, sample->period_from_at);
    db_time(&args, sample->period_to_at);
    db_time(&args, sample->drawn_at);
    db_time(&args, sampling_rank(sample->drawn_at, sample->debt_days));
    return txn_write_body(
        txn,
        "insert into sample (sample_id, plan_id, state, moment_id, person_id, site,"
        " team_id, period_from_at, period_to_at, drawn_at, rank_at, body)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        " on conflict (sample_id) do update set state = excluded.state,"
        " body = excluded.body",
        &args, message);
}

const struct entity_kind store_samples = {
    .name = "sample",
    .descriptor = &moment__v1__sample__descriptor,
    .select = "select body from sample where sample_id = $1::uuid",
    .save = save_sample,
};

void store_load_expiring_samples(struct txn *txn, int64_t now, int32_t limit, db_result_fn *on_rows,
                                 void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_time(&args, now);
    db_i32(&args, limit);
    txn_read(txn,
             "select sample_id::text, body from sample where state = 1 and period_to_at <= $1"
             " order by period_to_at limit $2",
             &args, on_rows, arg);
}

/* --- draws --- */

/* $1 people .. $9 most talk. */
static void push_question(struct db_args *args, const struct sampling_question *question)
{
    const Moment__V1__SamplingPlan *plan = question->plan;

    db_texts(args, question->person_ids, question->person_count);
    db_text(args, plan->plan_id);
    db_texts(args, (const char *const *)plan->sites, plan->n_sites);
    db_texts(args, (const char *const *)plan->teams, plan->n_teams);
    db_texts(args, (const char *const *)plan->queues, plan->n_queues);
    db_array(args, DB_I32);
    for (size_t i = 0; i < plan->n_channels; i++) {
        db_push_i32(args, (int32_t)plan->channels[i]);
    }
    db_i64(args, plan->talk_at_least_ms);
    db_i64(args, plan->talk_at_most_ms);
    db_time(args, question->span.from);
    db_time(args, question->span.to);
    db_i32(args, question->limit);
}

/* Of a moment m: does it pass the filters of the plan? */
#define PASSES                                                                                     \
    " (cardinality($3::text[]) = 0 or m.site = any($3))"                                           \
    " and (cardinality($4::text[]) = 0 or m.team_id = any($4))"                                    \
    " and (cardinality($5::text[]) = 0 or m.queue = any($5))"                                      \
    " and (cardinality($6::integer[]) = 0 or m.channel = any($6))"                                 \
    " and ($7::bigint = 0 or m.talk_ms >= $7) and ($8::bigint = 0 or m.talk_ms <= $8)"
/* ... and was it neither drawn nor looked at by a person, or is that under way? */
#define IS_UNSEEN                                                                                  \
    " not exists (select 1 from sample s where s.moment_id = m.moment_id)"                         \
    " and not exists (select 1 from evaluation_now e where e.moment_id = m.moment_id"              \
    " and e.evaluator <> 'moment' and not e.withdrawn)"
/* Of a person p: how many were drawn, when a person last evaluated what they did. */
#define DRAWN                                                                                      \
    " cross join lateral (select count(*)::integer as drawn from sample s where s.person_id = "    \
    "p.person_id"                                                                                  \
    " and s.plan_id = $2 and s.state <> 5 and s.drawn_at >= $9 and s.drawn_at < $10) d"
#define LAST                                                                                       \
    " cross join lateral (select max(e.evaluated_at) as last_at from evaluation_now e"             \
    " where e.person_id = p.person_id and e.evaluator <> 'moment' and e.state > 1"                 \
    " and not e.withdrawn) l"

void store_load_candidates(struct txn *txn, const struct sampling_question *question,
                           db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    push_question(&args, question);
    db_i32(&args, (int32_t)question->due);
    db_array(&args, DB_TIME);
    for (uint32_t i = 0; i < question->due; i++) {
        db_push_time(&args, question->since[i]);
    }
    db_time(&args, question->now);
    txn_read(txn,
             "select o.person_id, o.last_at, o.drawn, m.moment_id::text, m.ended_at, m.site,"
             " m.team_id, m.queue from (select p.person_id, d.drawn, l.last_at"
             " from unnest($1::text[]) p(person_id)" DRAWN LAST " where d.drawn < $12 and exists"
             " (select 1 from moment m where m.person_id = p.person_id"
             " and m.ended_at >= ($13::timestamptz[])[d.drawn + 1] and m.ended_at <= $14"
             " and" PASSES " and" IS_UNSEEN ") order by l.last_at nulls first, p.person_id"
             " limit $11) o join moment m on m.person_id = o.person_id"
             " and m.ended_at >= ($13::timestamptz[])[o.drawn + 1] and m.ended_at <= $14"
             " where" PASSES " and" IS_UNSEEN " order by o.last_at nulls first, o.person_id",
             &args, on_rows, arg);
}

void store_load_shortages(struct txn *txn, const struct sampling_question *question,
                          db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    push_question(&args, question);
    db_i32(&args, (int32_t)question->plan->quota);
    db_time(&args, question->since_at);
    txn_read(txn,
             "select p.person_id, l.last_at, p.drawn, c.moments, c.passed, c.unseen from"
             " (select p.person_id, d.drawn from unnest($1::text[]) p(person_id)" DRAWN
             " where d.drawn < $12 and not exists (select 1 from sample s"
             " where s.person_id = p.person_id and s.plan_id = $2 and s.state = 5"
             " and s.period_from_at = $9) order by p.person_id limit $11) p" LAST
             " cross join lateral (select count(*) as moments,"
             " count(*) filter (where" PASSES ") as passed,"
             " count(*) filter (where" PASSES " and" IS_UNSEEN ") as unseen from moment m"
             " where m.person_id = p.person_id and m.ended_at >= $13 and m.ended_at < $10) c"
             " order by p.person_id",
             &args, on_rows, arg);
}

/* --- the queue --- */

void store_list_samples(struct call *call, struct db *db, const struct sample_filter *filter)
{
    struct reach reach = call_reach(call);
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, &filter->page);
    listing_push_reach(&args, &reach);
    db_i32(&args, filter->state);
    db_text(&args, filter->plan_id);
    db_text(&args, filter->person_id);
    listing_answer(call, db,
                   "select body, rank_at, sample_id from sample where" STORE_IS_VISIBLE_WITH(
                       "") " and ($1::timestamptz is null or (rank_at, sample_id) < ($1, $2::uuid))"
                           " and case when $8 = 0 then state in (1, 2) else state = $8 end"
                           " and ($9 = '' or plan_id = $9) and ($10 = '' or person_id = $10)"
                           " order by rank_at desc, sample_id desc limit $3",
                   &args, &filter->page, NULL);
}
