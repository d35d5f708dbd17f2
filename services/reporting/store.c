#include "reporting/store.h"

#include <assert.h>
#include <string.h>

/* The reader's scope is always $1 to $4. */
#define VISIBLE(site, team, people)                                                                \
    "visible(" site ", " team ", " people ", $1::text, $2::text[], $3::text[], $4::text[])"

/* In the order of struct counts; v is the visit, $5 the threshold, $6 the short limit, ms. */
#define COUNTS                                                                                     \
    "count(v.moment_id), "                                                                         \
    "count(*) filter (where v.class = 'answered'), "                                               \
    "count(*) filter (where v.class = 'abandoned'), "                                              \
    "count(*) filter (where v.class = 'left'), "                                                   \
    "count(*) filter (where v.class = 'open'), "                                                   \
    "count(*) filter (where v.class = 'answered' and v.wait_ms <= $5::bigint), "                   \
    "count(*) filter (where v.class = 'abandoned' and v.wait_ms <= $5::bigint), "                  \
    "count(*) filter (where v.class = 'abandoned' and v.wait_ms < $6::bigint), "                   \
    "count(*) filter (where " HANDLED "), "                                                        \
    "count(v.wait_ms) filter (where v.class = 'answered'), "                                       \
    "coalesce(sum(v.wait_ms) filter (where v.class = 'answered'), 0)::bigint, "                    \
    "coalesce(max(v.wait_ms), 0)::bigint, "                                                        \
    "coalesce(sum(v.talk_ms) filter (where " HANDLED "), 0)::bigint, "                             \
    "coalesce(sum(v.hold_ms) filter (where " HANDLED "), 0)::bigint, "                             \
    "coalesce(sum(v.wrap_ms) filter (where " HANDLED "), 0)::bigint, "                             \
    "count(*) filter (where " VALID_CSAT "), "                                                     \
    "coalesce(sum(v.csat) filter (where " VALID_CSAT "), 0)::float8, "                             \
    "count(*) filter (where " VALID_CSAT " and v.csat >= 4), "                                     \
    "coalesce(sum(v.hold_count), 0)::bigint, "                                                     \
    "count(*) filter (where v.is_transfer) "
#define HANDLED "v.class = 'answered' and v.has_ended and v.talk_ms is not null"
#define VALID_CSAT "v.csat between 1 and 5"

static void add_names(struct db_args *args, const struct names_list *names)
{
    if (names->count == 0) {
        db_null(args);
        return;
    }
    db_array(args, DB_TEXT);
    for (size_t i = 0; i < names->count; i++)
        db_push_text(args, names->items[i]);
}

/* Starts the arguments with the reader's scope. */
static void init_for(struct db_args *args, const struct reader *reader)
{
    db_args_init(args);
    /* Somebody who may see nothing is nobody: no person has the empty id. */
    db_text(args, reader->reach == REACH_SCOPE ? NULL
                  : reader->reach == REACH_OWN ? reader->person_id
                                               : "");
    add_names(args, &reader->sites);
    add_names(args, &reader->teams);
    add_names(args, &reader->team_sites);
}

/* A setting of this connection, made again each time because connections come and go. Nothing here
 * says BEGIN (a pipeline is a transaction of its own), so SET LOCAL would draw a warning. */
static int set(struct db *db, const char *sql)
{
    struct db_args none;

    db_args_init(&none);
    return db_query(db, sql, &none, NULL, NULL);
}

/* With a plan for these very arguments: most filters are absent, and a plan that suits any would
 * scan the whole table. */
static int query_planned(struct db *db, const char *sql, struct db_args *args,
                         db_result_fn *on_rows, void *arg)
{
    int rc = set(db, "set plan_cache_mode = force_custom_plan");

    if (rc < 0) {
        db_args_done(args);
        return rc;
    }
    return db_query(db, sql, args, on_rows, arg);
}

/* --- projections --------------------------------------------------------------------------- */

static void on_people(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    (void)error;
    for (size_t i = 0; status == 0 && i < db_count(rows); i++)
        names_set_person(arg, db_get_text(rows, i, 0), db_get_text(rows, i, 1),
                         db_get_text(rows, i, 2));
}

static void on_queues(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    (void)error;
    for (size_t i = 0; status == 0 && i < db_count(rows); i++)
        names_add_queue(arg, db_get_text(rows, i, 0));
}

void store_load_names(struct txn *txn, struct names *names)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select person_id, name, team_id from person", &args, on_people, names);
    db_args_init(&args);
    txn_read(txn, "select queue_id from queue", &args, on_queues, names);
}

static void push_if_known(struct db_args *args, const char *text)
{
    if (text[0] != '\0')
        db_push_text(args, text);
}

static void add_taken_part(struct db_args *args, const struct fact *fact)
{
    const struct moment_fact *moment = &fact->moment;

    db_array(args, DB_TEXT);
    push_if_known(args, moment->queue);
    for (size_t i = 0; i < moment->visit_count; i++)
        push_if_known(args, moment->visits[i].queue);

    db_array(args, DB_TEXT);
    push_if_known(args, moment->agent);
    push_if_known(args, fact->person_id);
    for (size_t i = 0; i < moment->visit_count; i++) {
        push_if_known(args, moment->visits[i].agent);
        push_if_known(args, moment->visits[i].person_id);
    }

    db_array(args, DB_TEXT);
    push_if_known(args, fact->person_id);
    for (size_t i = 0; i < moment->visit_count; i++)
        push_if_known(args, moment->visits[i].person_id);
}

static void put_moment_row(struct txn *txn, const struct fact *fact, struct slice snapshot)
{
    static const char sql[] =
        "insert into moment (moment_id, source, site, team_id, channel, state, outcome, listed_at, "
        "ended_at, queue_now, queue_since, is_open, is_merged, revision, snapshot, queues, people, "
        "person_ids) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
        "$16, $17, $18) on conflict (moment_id) do update set source = excluded.source, "
        "site = excluded.site, team_id = excluded.team_id, channel = excluded.channel, "
        "state = excluded.state, outcome = excluded.outcome, listed_at = excluded.listed_at, "
        "ended_at = excluded.ended_at, queue_now = excluded.queue_now, "
        "queue_since = excluded.queue_since, is_open = excluded.is_open, "
        "is_merged = excluded.is_merged, revision = excluded.revision, "
        "snapshot = excluded.snapshot, queues = excluded.queues, people = excluded.people, "
        "person_ids = excluded.person_ids where moment.revision <= excluded.revision";
    const struct moment_fact *moment = &fact->moment;
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment->moment_id.bytes);
    db_text(&args, moment->source);
    db_text_or_null(&args, fact->site);
    db_text_or_null(&args, fact->team);
    db_text_or_null(&args, moment->channel);
    db_text_or_null(&args, moment->state);
    db_text_or_null(&args, moment->outcome);
    db_time(&args, moment->listed_at);
    db_time(&args, moment->ended_at);
    db_text_or_null(&args, moment->queue_now);
    db_time(&args, moment->queue_since);
    db_bool(&args, moment->is_open);
    db_bool(&args, moment->is_merged);
    db_i32(&args, (int32_t)moment->revision);
    db_bytes(&args, snapshot.at, snapshot.len);
    add_taken_part(&args, fact);
    txn_write(txn, sql, &args);
}

static void push_text_or_null(struct db_args *args, const char *text)
{
    db_push_text(args, text[0] != '\0' ? text : NULL);
}

static void push_known(struct db_args *args, int64_t value)
{
    if (value < 0)
        db_push_null(args);
    else
        db_push_i64(args, value);
}

static const char *team_of_visit(const struct fact *fact, const struct visit_fact *visit,
                                 const struct names *names)
{
    if (visit->person_id[0] == '\0')
        return "";
    if (strcmp(visit->person_id, fact->person_id) == 0 && fact->team[0] != '\0')
        return fact->team;
    return names_team_of(names, visit->person_id);
}

#define EACH_VISIT(push)                                                                           \
    do {                                                                                           \
        for (size_t i = 0; i < count; i++) {                                                       \
            const struct visit_fact *visit = &visits[i];                                           \
            push;                                                                                  \
        }                                                                                          \
    } while (0)

static void add_visit_people(struct db_args *args, const struct fact *fact,
                             const struct names *names)
{
    const struct visit_fact *visits = fact->moment.visits;
    size_t count = fact->moment.visit_count;

    db_array(args, DB_TEXT);
    EACH_VISIT(push_text_or_null(args, visit->queue));
    db_array(args, DB_TEXT);
    EACH_VISIT(push_text_or_null(args, team_of_visit(fact, visit, names)));
    db_array(args, DB_TEXT);
    EACH_VISIT(
        push_text_or_null(args, visit->person_id[0] != '\0' ? visit->person_id : visit->agent));
    db_array(args, DB_TEXT);
    EACH_VISIT(push_text_or_null(args, visit->person_id));
}

static void add_visit_facts(struct db_args *args, const struct moment_fact *moment)
{
    const struct visit_fact *visits = moment->visits;
    size_t count = moment->visit_count;

    db_array(args, DB_TEXT);
    EACH_VISIT(db_push_text(args, visit_class_name(visit->class)));
    db_array(args, DB_TEXT);
    EACH_VISIT(push_text_or_null(args, visit->outcome));
    db_array(args, DB_TIME);
    EACH_VISIT(db_push_time(args, visit->entered_at));
    db_array(args, DB_BOOL);
    EACH_VISIT(db_push_bool(args, visit->has_ended));
    db_array(args, DB_I64);
    EACH_VISIT(push_known(args, visit->wait_ms));
    db_array(args, DB_I64);
    EACH_VISIT(push_known(args, visit->talk_ms));
    db_array(args, DB_I64);
    EACH_VISIT(push_known(args, visit->hold_ms));
    db_array(args, DB_I64);
    EACH_VISIT(push_known(args, visit->wrap_ms));
    db_array(args, DB_I64);
    EACH_VISIT(push_known(args, visit->hold_count));
    db_array(args, DB_DOUBLE);
    EACH_VISIT(visit->has_csat ? db_push_double(args, visit->csat) : db_push_null(args));
    db_array(args, DB_BOOL);
    EACH_VISIT(db_push_bool(args, visit->is_transfer));
}

/* Nothing is written when the moment's row is of a later revision: a record that was redriven. */
static void put_visit_rows(struct txn *txn, const struct fact *fact, const struct names *names)
{
    static const char sql[] =
        "with now as (select from moment where moment_id = $1 and revision = $2), "
        "gone as (delete from visit where moment_id = $1 and n > $3 and exists (select from now)) "
        "insert into visit as old (moment_id, n, site, channel, queue, team_id, person, person_id, "
        "class, outcome, entered_at, has_ended, wait_ms, talk_ms, hold_ms, wrap_ms, hold_count, "
        "csat, is_transfer) "
        "select $1, v.n, $4, $5, v.queue, v.team_id, v.person, v.person_id, v.class, v.outcome, "
        "v.entered_at, v.has_ended, v.wait_ms, v.talk_ms, v.hold_ms, v.wrap_ms, v.hold_count, "
        "v.csat, v.is_transfer from unnest($6::text[], $7::text[], $8::text[], $9::text[], "
        "$10::text[], $11::text[], $12::timestamptz[], $13::bool[], $14::bigint[], $15::bigint[], "
        "$16::bigint[], $17::bigint[], $18::bigint[], $19::float8[], $20::bool[]) with ordinality "
        "as v (queue, team_id, person, person_id, class, outcome, entered_at, has_ended, wait_ms, "
        "talk_ms, hold_ms, wrap_ms, hold_count, csat, is_transfer, n) "
        "where exists (select from now) on conflict (moment_id, n) do update set "
        "site = excluded.site, channel = excluded.channel, queue = excluded.queue, "
        "team_id = excluded.team_id, person = excluded.person, person_id = excluded.person_id, "
        "class = excluded.class, outcome = excluded.outcome, entered_at = excluded.entered_at, "
        "has_ended = excluded.has_ended, wait_ms = excluded.wait_ms, talk_ms = excluded.talk_ms, "
        "hold_ms = excluded.hold_ms, wrap_ms = excluded.wrap_ms, hold_count = excluded.hold_count, "
        "csat = excluded.csat, is_transfer = excluded.is_transfer "
        "where old is distinct from excluded";
    const struct moment_fact *moment = &fact->moment;
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment->moment_id.bytes);
    db_i32(&args, (int32_t)moment->revision);
    db_i32(&args, (int32_t)moment->visit_count);
    db_text_or_null(&args, fact->site);
    db_text_or_null(&args, moment->channel);
    add_visit_people(&args, fact, names);
    add_visit_facts(&args, moment);
    txn_write(txn, sql, &args);
}

void store_put_moment(struct txn *txn, const struct fact *fact, const struct names *names,
                      struct slice snapshot)
{
    put_moment_row(txn, fact, snapshot);
    put_visit_rows(txn, fact, names);
}

void store_put_agent(struct txn *txn, const struct fact *fact, struct slice body)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, fact->source);
    db_text(&args, fact->id);
    db_text_or_null(&args, fact->person_id);
    db_text_or_null(&args, fact->site);
    db_text_or_null(&args, fact->state);
    db_time(&args, fact->at_us);
    db_bytes(&args, body.at, body.len);
    txn_write(txn,
              "insert into agent (source, agent, person_id, site, presence, since, body) "
              "values ($1, $2, $3, $4, $5, $6, $7) on conflict (source, agent) do update set "
              "person_id = excluded.person_id, site = excluded.site, "
              "presence = excluded.presence, since = excluded.since, body = excluded.body",
              &args);
}

/* States only go forward: an older record that was redriven changes nothing. */
void store_put_alert(struct txn *txn, const struct fact *fact, const char *team, struct slice body)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, fact->id);
    db_text_or_null(&args, fact->moment_id);
    db_text_or_null(&args, fact->site);
    db_text_or_null(&args, team);
    db_text_or_null(&args, fact->person_id);
    db_bool(&args, fact->is_open);
    db_i32(&args, fact->state_number);
    db_time(&args, fact->at_us);
    db_bytes(&args, body.at, body.len);
    txn_write(txn,
              "insert into alert (alert_id, moment_id, site, team_id, person_id, is_open, state, "
              "raised_at, body) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
              "on conflict (alert_id) do update set site = excluded.site, "
              "team_id = excluded.team_id, person_id = excluded.person_id, "
              "is_open = excluded.is_open, state = excluded.state, "
              "raised_at = excluded.raised_at, body = excluded.body "
              "where alert.state <= excluded.state",
              &args);
}

void store_put_candidate(struct txn *txn, const struct fact *fact, const char *team,
                         struct slice body)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, fact->id);
    db_text(&args, fact->moment_id);
    db_text_or_null(&args, fact->site);
    db_text_or_null(&args, team);
    db_text_or_null(&args, fact->person_id);
    db_i32(&args, fact->state_number);
    db_i32(&args, (int32_t)fact->revision);
    db_time(&args, fact->at_us);
    db_bytes(&args, body.at, body.len);
    txn_write(txn,
              "insert into candidate (candidate_id, moment_id, site, team_id, person_id, state, "
              "revision, proposed_at, body) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
              "on conflict (candidate_id) do update set site = excluded.site, "
              "team_id = excluded.team_id, person_id = excluded.person_id, "
              "state = excluded.state, revision = excluded.revision, "
              "proposed_at = excluded.proposed_at, body = excluded.body "
              "where candidate.revision <= excluded.revision",
              &args);
}

void store_put_site(struct txn *txn, const struct fact *fact)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, fact->id);
    db_text(&args, fact->name);
    db_text_or_null(&args, fact->time_zone);
    txn_write(txn,
              "insert into site (site_id, name, time_zone) values ($1, $2, $3) on conflict "
              "(site_id) do update set name = excluded.name, time_zone = excluded.time_zone",
              &args);
}

void store_put_team(struct txn *txn, const struct fact *fact)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, fact->id);
    db_text(&args, fact->name);
    db_text_or_null(&args, fact->site);
    txn_write(txn,
              "insert into team (team_id, name, site_id) values ($1, $2, $3) on conflict "
              "(team_id) do update set name = excluded.name, site_id = excluded.site_id",
              &args);
}

void store_put_person(struct txn *txn, const struct fact *fact)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, fact->id);
    db_text(&args, fact->name);
    db_text_or_null(&args, fact->site);
    db_text_or_null(&args, fact->team);
    db_text_or_null(&args, fact->role);
    db_text_or_null(&args, fact->coach_id);
    txn_write(txn,
              "insert into person (person_id, name, site_id, team_id, role, coach_id) "
              "values ($1, $2, $3, $4, $5, $6) on conflict (person_id) do update set "
              "name = excluded.name, site_id = excluded.site_id, team_id = excluded.team_id, "
              "role = excluded.role, coach_id = excluded.coach_id",
              &args);
}

void store_put_queue(struct txn *txn, const struct fact *fact)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, fact->id);
    db_text(&args, fact->name);
    db_text_or_null(&args, fact->site);
    txn_write(txn,
              "insert into queue (queue_id, name, site_id, is_listed) values ($1, $2, $3, true) "
              "on conflict (queue_id) do update set name = excluded.name, "
              "site_id = excluded.site_id, is_listed = true",
              &args);
}

void store_see_queue(struct txn *txn, const char *queue, const char *site)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, queue);
    db_text_or_null(&args, site);
    txn_write(txn,
              "insert into queue (queue_id, name, site_id, is_listed) values ($1, $1, $2, false) "
              "on conflict do nothing",
              &args);
}

/* --- moments ------------------------------------------------------------------------------- */

static const char list_sql[] =
    "select m.snapshot, m.listed_at, m.moment_id from moment m where not m.is_merged "
    "and " VISIBLE(
        "m.site", "m.team_id",
        "m.person_ids") " "
                        "and ($5::text is null or m.source = $5) "
                        "and ($6::text is null or m.outcome = $6) "
                        "and ($7::text is null or m.state = $7) "
                        "and ($8::timestamptz is null or m.listed_at >= $8) "
                        "and ($9::timestamptz is null or m.listed_at < $9) "
                        "and ($10::bool or (($11::text is null or m.site = $11) "
                        "    and ($12::text is null or m.queues @> array[$12]) "
                        "    and ($13::text is null or m.team_id = $13) "
                        "    and ($14::text is null or m.people @> array[$14]) "
                        "    and ($15::text is null or m.channel = $15))) "
                        "and (not $10::bool or m.moment_id in (select v.moment_id from visit v "
                        "where "
                        "    ($16::timestamptz is null or v.entered_at >= $16) "
                        "    and ($17::timestamptz is null or v.entered_at < $17) "
                        "    and ($11::text is null or v.site = $11) "
                        "    and ($12::text is null or v.queue = $12) "
                        "    and ($13::text is null or v.team_id = $13) "
                        "    and ($14::text is null or v.person = $14) "
                        "    and ($15::text is null or v.channel = $15) "
                        "    and ($18::text is null or v.outcome = $18) "
                        "    and case $19::text when 'site' then v.site is null when 'queue' then "
                        "v.queue is null "
                        "        when 'team' then v.team_id is null when 'person' then v.person is "
                        "null "
                        "        when 'channel' then v.channel is null else true end "
                        "    and " VISIBLE(
                            "v.site", "v.team_id",
                            "array[v.person_id]") ")) "
                                                  "and ($20::timestamptz is null or (m.listed_at, "
                                                  "m.moment_id) < ($20, $21::uuid)) "
                                                  "order by m.listed_at desc, m.moment_id desc "
                                                  "limit $22";

int store_list_moments(struct db *db, const struct reader *reader,
                       const struct moment_filter *filter, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    init_for(&args, reader);
    db_text(&args, filter->source);
    db_text(&args, filter->outcome);
    db_text(&args, filter->state);
    db_time(&args, filter->from);
    db_time(&args, filter->to);
    db_bool(&args, filter->is_visit);
    db_text(&args, filter->site);
    db_text(&args, filter->queue);
    db_text(&args, filter->team);
    db_text(&args, filter->person);
    db_text(&args, filter->channel);
    db_time(&args, filter->entered_from);
    db_time(&args, filter->entered_to);
    db_text(&args, filter->visit_outcome);
    db_text(&args, filter->none);
    db_time(&args, filter->after_at);
    db_uuid(&args, filter->after_id.bytes);
    db_i64(&args, filter->limit + 1);
    return query_planned(db, list_sql, &args, on_rows, arg);
}

int store_find_moment(struct db *db, const struct reader *reader, const struct id *id,
                      db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    init_for(&args, reader);
    db_uuid(&args, id->bytes);
    return db_query(db,
                    "select m.snapshot from moment m where m.moment_id = $5 and " VISIBLE(
                        "m.site", "m.team_id", "m.person_ids"),
                    &args, on_rows, arg);
}

/* --- figures ------------------------------------------------------------------------------- */

#define AT_OR_MIDNIGHT(text, is_date, tz)                                                          \
    "case when " is_date " then " text "::date::timestamp at time zone " tz " else " text          \
    "::timestamptz end"

int store_resolve_interval(struct db *db, const struct interval_question *question,
                           db_result_fn *on_rows, void *arg)
{
    static const char sql[] =
        "select f, t, (extract(epoch from t - f) / case $6::text when '15m' then 900 "
        "when '30m' then 1800 when 'hour' then 3600 when 'day' then 86400 when 'week' then 604800 "
        "else 1e12 end)::bigint + 2 from (select " AT_OR_MIDNIGHT(
            "$1::text", "$2::bool", "$5::text") " as f, " AT_OR_MIDNIGHT("$3::text", "$4::bool",
                                                                         "$5::text") " as t) as r";
    struct db_args args;

    db_args_init(&args);
    db_text(&args, question->from);
    db_bool(&args, question->from_is_date);
    db_text(&args, question->to);
    db_bool(&args, question->to_is_date);
    db_text(&args, question->tz);
    db_text(&args, question->bucket);
    return db_query(db, sql, &args, on_rows, arg);
}

/* Buckets are cut on local days, so that a day with a clock change has 23 or 25 hours; shorter
 * buckets are steps of elapsed time from local midnight. Clipped to what was asked for. */
static const char interval_sql[] =
    "with day as (select (d + i)::timestamp at time zone $9 as s, "
    "    (d + i + 1)::timestamp at time zone $9 as e, (d + i) as local "
    "    from (select ($7::timestamptz at time zone $9::text)::date as d, "
    "        ($8::timestamptz at time zone $9)::date as last) as span, "
    "    generate_series(0, last - d) as i), "
    "cut as (select b as s, least(b + step, day.e) as e from day, "
    "        (select case $10::text when '15m' then interval '15 minutes' "
    "            when '30m' then interval '30 minutes' when 'hour' then interval '1 hour' end "
    "            as step) as size, "
    "        generate_series(day.s, day.e - interval '1 microsecond', step) as b "
    "        where step is not null "
    "    union all select s, e from day where $10 = 'day' "
    "    union all select w::timestamp at time zone $9, (w + 7)::timestamp at time zone $9 "
    "        from (select distinct date_trunc('week', local)::date as w from day) as week "
    "        where $10 = 'week' "
    "    union all select $7, $8 where $10 = 'all'), "
    "grid as (select greatest(s, $7) as s, least(e, $8) as e from cut where e > $7 and s < $8), "
    "counted as (select grid.s, grid.e, case $11::text when 'site' then v.site "
    "        when 'queue' then v.queue when 'team' then v.team_id when 'person' then v.person "
    "        when 'channel' then v.channel end as key, " COUNTS
    "    from grid left join visit v on v.entered_at >= grid.s and v.entered_at < grid.e "
    "        and " VISIBLE(
        "v.site", "v.team_id",
        "array[v.person_id]") " "
                              "        and ($12::text is null or v.site = $12) "
                              "        and ($13::text is null or v.queue = $13) "
                              "        and ($14::text is null or v.team_id = $14) "
                              "        and ($15::text is null or v.person = $15) "
                              "        and ($16::text is null or v.channel = $16) "
                              "    group by 1, 2, 3) "
                              "select c.s, c.e, c.key, coalesce(case $11 "
                              "        when 'site' then (select name from site where site_id = "
                              "c.key) "
                              "        when 'queue' then (select name from queue where queue_id = "
                              "c.key) "
                              "        when 'team' then (select name from team where team_id = "
                              "c.key) "
                              "        when 'person' then (select name from person where person_id "
                              "= c.key) end, c.key), "
                              "    c.c1, c.c2, c.c3, c.c4, c.c5, c.c6, c.c7, c.c8, c.c9, c.c10, "
                              "c.c11, c.c12, c.c13, c.c14, "
                              "    c.c15, c.c16, c.c17, c.c18, c.c19, c.c20 "
                              "from counted as c (s, e, key, c1, c2, c3, c4, c5, c6, c7, c8, c9, "
                              "c10, c11, c12, c13, c14, "
                              "    c15, c16, c17, c18, c19, c20) "
                              "where $11 = 'none' or c.c1 > 0 order by c.s, c.key nulls last limit "
                              "20001";

int store_count_interval(struct db *db, const struct reader *reader,
                         const struct interval_question *question, int64_t from, int64_t to,
                         db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    init_for(&args, reader);
    db_i64(&args, question->threshold_ms);
    db_i64(&args, question->short_ms);
    db_time(&args, from);
    db_time(&args, to);
    db_text(&args, question->tz);
    db_text(&args, question->bucket);
    db_text(&args, question->by);
    db_text(&args, question->site);
    db_text(&args, question->queue);
    db_text(&args, question->team);
    db_text(&args, question->person);
    db_text(&args, question->channel);
    return query_planned(db, interval_sql, &args, on_rows, arg);
}

void store_get_counts(const struct db_rows *rows, size_t row, size_t first_column,
                      struct counts *ret_counts)
{
    int64_t *const integers[STORE_COUNTS] = {
        &ret_counts->offered,
        &ret_counts->answered,
        &ret_counts->abandoned,
        &ret_counts->left_otherwise,
        &ret_counts->open,
        &ret_counts->answered_within,
        &ret_counts->abandoned_within,
        &ret_counts->short_abandoned,
        &ret_counts->handled,
        &ret_counts->wait_answered_n,
        &ret_counts->wait_answered_ms,
        &ret_counts->wait_longest_ms,
        &ret_counts->talk_ms,
        &ret_counts->hold_ms,
        &ret_counts->wrap_ms,
        &ret_counts->csat_n,
        NULL /* csat_sum */,
        &ret_counts->csat_satisfied,
        &ret_counts->holds,
        &ret_counts->transfers,
    };

    assert(ret_counts != NULL);
    for (size_t i = 0; i < STORE_COUNTS; i++) {
        if (integers[i] != NULL)
            *integers[i] = db_get_i64(rows, row, first_column + i);
        else
            ret_counts->csat_sum = db_get_double(rows, row, first_column + i);
    }
}

/* --- the floor ----------------------------------------------------------------------------- */

int store_day_start(struct db *db, const char *tz, int64_t now, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, tz);
    db_time(&args, now);
    return db_query(db, "select date_trunc('day', $2::timestamptz, $1::text)", &args, on_rows, arg);
}

int store_begin_snapshot(struct db *db)
{
    int rc = set(db, "set default_transaction_isolation = 'repeatable read'");

    if (rc == 0)
        rc = set(db, "set plan_cache_mode = force_custom_plan");
    return rc < 0 ? rc : db_begin(db);
}

static const char position_sql[] =
    "select e.epoch, coalesce(s.seq, 0), s.at from "
    "(select coalesce(max(epoch), 0) as newest from epoch) as o "
    "left join (select epoch, seq, at from stream order by seq desc limit 1) as s on true "
    "cross join lateral (select coalesce(s.epoch, o.newest) as epoch) as e";

int store_floor_position(struct db *db, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    return db_add(db, position_sql, &args, on_rows, arg);
}

int store_newest(struct db *db, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    return db_query(db, position_sql, &args, on_rows, arg);
}

int store_floor_queues(struct db *db, const struct reader *reader,
                       const struct floor_question *question, db_result_fn *on_rows, void *arg)
{
    static const char sql[] =
        "with live as (select m.queue_now as queue, "
        "    count(*) filter (where m.state in ('waiting', 'ringing')) as waiting, "
        "    min(m.queue_since) filter (where m.state in ('waiting', 'ringing')) as since, "
        "    count(*) filter (where m.state in ('talking', 'held')) as talking "
        "    from moment m where m.is_open and " VISIBLE(
            "m.site", "m.team_id",
            "m.person_ids") " "
                            "    group by 1), "
                            "today as (select v.queue, " COUNTS
                            " from visit v where v.entered_at >= $7 "
                            "    and " VISIBLE(
                                "v.site", "v.team_id",
                                "array[v.person_id]") " group by 1) "
                                                      "select q.queue_id, q.name, q.site_id, "
                                                      "coalesce(l.waiting, 0), l.since, "
                                                      "    coalesce(l.talking, 0), t.c1, t.c2, "
                                                      "t.c3, t.c4, t.c5, t.c6, t.c7, t.c8, t.c9, "
                                                      "t.c10, "
                                                      "    t.c11, t.c12, t.c13, t.c14, t.c15, "
                                                      "t.c16, t.c17, t.c18, t.c19, t.c20 "
                                                      "from queue q left join live l on l.queue = "
                                                      "q.queue_id "
                                                      "left join today as t (queue, c1, c2, c3, "
                                                      "c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, "
                                                      "    c14, c15, c16, c17, c18, c19, c20) on "
                                                      "t.queue = q.queue_id "
                                                      "where $2::text[] is null or q.site_id is "
                                                      "null or q.site_id = any ($2) order by "
                                                      "q.name";
    struct db_args args;

    init_for(&args, reader);
    db_i64(&args, question->threshold_ms);
    db_i64(&args, question->short_ms);
    db_time(&args, question->day_start);
    return db_add(db, sql, &args, on_rows, arg);
}

int store_floor_people(struct db *db, const struct reader *reader,
                       const struct floor_question *question, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    init_for(&args, reader);
    db_time(&args, question->now);
    return db_add(
        db,
        "select a.body, p.name, p.team_id from agent a left join person p using "
        "(person_id) where " VISIBLE(
            "a.site", "p.team_id",
            "array[a.person_id]") " "
                                  "and (a.presence is distinct from 'offline' "
                                  "or a.since > $5::timestamptz - interval '12 hours') "
                                  "order by coalesce(p.name, a.agent), a.source limit 5000",
        &args, on_rows, arg);
}

int store_floor_moments(struct db *db, const struct reader *reader,
                        const struct floor_question *question, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    init_for(&args, reader);
    db_time(&args, question->now);
    db_i64(&args, question->moments_max + 1);
    return db_add(db,
                  "select m.snapshot from moment m where not m.is_merged and (m.is_open or "
                  "m.ended_at > $5::timestamptz - interval '2 minutes') and " VISIBLE(
                      "m.site", "m.team_id", "m.person_ids") " order by m.listed_at limit $6",
                  &args, on_rows, arg);
}

int store_floor_alerts(struct db *db, const struct reader *reader, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    init_for(&args, reader);
    return db_add(
        db,
        "select a.body from alert a where a.is_open and " VISIBLE(
            "a.site", "a.team_id", "array[a.person_id]") " order by a.raised_at desc limit 500",
        &args, on_rows, arg);
}

int store_floor_candidates(struct db *db, const struct reader *reader, db_result_fn *on_rows,
                           void *arg)
{
    struct db_args args;

    init_for(&args, reader);
    /* 1: proposed. */
    return db_add(
        db,
        "select c.body from candidate c where c.state = 1 and " VISIBLE(
            "c.site", "c.team_id", "array[c.person_id]") " order by c.proposed_at desc limit 10",
        &args, on_rows, arg);
}

/* --- directory ----------------------------------------------------------------------------- */

/* An agent sees the names of their own site; the others those of their sites and teams. */
#define NAMED_AT(site)                                                                             \
    "(case when $1::text is not null then " site " = (select site_id from home) else "             \
    "($2::text[] is null or " site " = any ($2)) and "                                             \
    "($3::text[] is null or " site " = any ($4::text[])) end)"
#define NAMED_OF(site, team)                                                                       \
    "(case when $1::text is not null then " site " = (select site_id from home) else "             \
    "($2::text[] is null or " site " = any ($2)) and "                                             \
    "($3::text[] is null or " team " = any ($3)) end)"

int store_list_directory(struct db *db, const struct reader *reader, db_result_fn *on_rows,
                         void *arg)
{
    struct db_args args;

    init_for(&args, reader);
    return db_query(
        db,
        "with home as (select site_id from person where person_id = $1::text) "
        "select 'site', site_id, name, null, null, time_zone, true, null from site "
        "where " NAMED_AT(
            "site_id") " union all "
                       "select 'team', team_id, name, site_id, null, null, true, null from team "
                       "where " NAMED_OF(
                           "site_id",
                           "team_id") " union all "
                                      "select 'person', person_id, name, site_id, team_id, role, "
                                      "true, coach_id from person "
                                      "where " NAMED_OF(
                                          "site_id",
                                          "team_id") " union all "
                                                     "select 'queue', queue_id, name, site_id, "
                                                     "null, null, is_listed, null from queue "
                                                     "where " NAMED_AT(
                                                         "site_id") " order by 1, 3, 2",
        &args, on_rows, arg);
}

/* --- accounts, sessions, tokens ------------------------------------------------------------ */

#define TEAM_SITES(teams)                                                                          \
    "coalesce((select array_to_json(array_agg(distinct home.site_id))::text from team home "       \
    "where home.team_id = any (" teams ") and home.site_id is not null), '[]')"

int store_find_session(struct db *db, const uint8_t hash[STORE_HASH_SIZE], int64_t now,
                       int64_t idle_us, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_bytes(&args, hash, STORE_HASH_SIZE);
    db_time(&args, now);
    db_time(&args, now - idle_us);
    return db_query(db,
                    "select a.user_id, a.login, a.name, array_to_json(a.roles)::text, "
                    "array_to_json(a.sites)::text, array_to_json(a.teams)::text, " TEAM_SITES(
                        "a.teams") ", a.person_id, s.expires_at, s.seen_at "
                                   "from session s join account a using (user_id) "
                                   "where s.token_hash = $1 and s.ended_at is null and "
                                   "s.expires_at > $2 and s.seen_at > $3 and a.removed_at is null",
                    &args, on_rows, arg);
}

int store_find_token(struct db *db, const uint8_t hash[STORE_HASH_SIZE], int64_t now,
                     db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_bytes(&args, hash, STORE_HASH_SIZE);
    db_time(&args, now);
    return db_query(db,
                    "select t.token_id, t.name, t.name, array_to_json(t.roles)::text, "
                    "array_to_json(t.sites)::text, array_to_json(t.teams)::text, " TEAM_SITES(
                        "t.teams") ", null::text, t.expires_at, t.last_used_at from token t "
                                   "where t.token_hash = $1 and t.removed_at is null and "
                                   "(t.expires_at is null or t.expires_at > $2)",
                    &args, on_rows, arg);
}

int store_find_account(struct db *db, const char *login, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, login);
    return db_query(db,
                    "select user_id, password_hash from account "
                    "where login = lower($1) and removed_at is null",
                    &args, on_rows, arg);
}

int store_list_accounts(struct db *db, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    return db_query(db,
                    "select user_id, login, name, array_to_json(roles)::text, "
                    "array_to_json(sites)::text, array_to_json(teams)::text, person_id, "
                    "created_at, last_login_at, removed_at is not null from account "
                    "order by removed_at is not null, login, created_at limit 10000",
                    &args, on_rows, arg);
}

int store_list_tokens(struct db *db, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    return db_query(db,
                    "select token_id, name, array_to_json(roles)::text, "
                    "array_to_json(sites)::text, array_to_json(teams)::text, created_at, "
                    "expires_at, last_used_at from token where removed_at is null "
                    "order by name, created_at limit 10000",
                    &args, on_rows, arg);
}

void store_load_account(struct txn *txn, const char *login, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, login);
    txn_read(txn,
             "select user_id, created_at, last_login_at from account where login = lower($1) and "
             "removed_at is null",
             &args, on_rows, arg);
}

void store_load_token(struct txn *txn, const struct id *token_id, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, token_id->bytes);
    txn_read(txn, "select token_id from token where token_id = $1 and removed_at is null", &args,
             on_rows, arg);
}

void store_add_account(struct txn *txn, const struct account *account)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, account->user_id.bytes);
    db_text(&args, account->login);
    db_text(&args, account->name);
    db_text(&args, account->password_hash);
    db_texts(&args, account->roles, account->role_count);
    db_texts(&args, account->sites, account->site_count);
    db_texts(&args, account->teams, account->team_count);
    db_text_or_null(&args, account->person_id);
    db_time(&args, txn_now_us(txn));
    db_text(&args, account->by);
    txn_write(txn,
              "insert into account (user_id, login, name, password_hash, roles, sites, teams, "
              "person_id, created_at, created_by) values ($1, lower($2), $3, $4, $5, $6, $7, $8, "
              "$9, $10)",
              &args);
}

void store_edit_account(struct txn *txn, const struct account *account)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, account->user_id.bytes);
    db_text(&args, account->name);
    db_texts(&args, account->roles, account->role_count);
    db_texts(&args, account->sites, account->site_count);
    db_texts(&args, account->teams, account->team_count);
    db_text_or_null(&args, account->person_id);
    db_time(&args, txn_now_us(txn));
    db_text(&args, account->by);
    txn_write(txn,
              "with before as (insert into account_before (user_id, until_at, changed_by, name, "
              "roles, sites, teams, person_id) select user_id, $7, $8, name, roles, sites, teams, "
              "person_id from account where user_id = $1) "
              "update account set name = $2, roles = $3, sites = $4, teams = $5, person_id = $6 "
              "where user_id = $1",
              &args);
}

static void end_sessions_of(struct txn *txn, const char *login)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, login);
    db_time(&args, txn_now_us(txn));
    txn_write(txn,
              "update session s set ended_at = $2 from account a where a.user_id = s.user_id "
              "and a.login = lower($1) and s.ended_at is null",
              &args);
}

void store_set_password(struct txn *txn, const char *login, const char *password_hash)
{
    struct db_args args;

    end_sessions_of(txn, login);
    db_args_init(&args);
    db_text(&args, login);
    db_text(&args, password_hash);
    txn_write(txn,
              "update account set password_hash = $2 where login = lower($1) and "
              "removed_at is null",
              &args);
}

void store_remove_account(struct txn *txn, const char *login, const char *by)
{
    struct db_args args;

    end_sessions_of(txn, login);
    db_args_init(&args);
    db_text(&args, login);
    db_time(&args, txn_now_us(txn));
    db_text(&args, by);
    txn_write(txn,
              "update account set removed_at = $2, removed_by = $3 where login = lower($1) and "
              "removed_at is null",
              &args);
}

void store_add_token(struct txn *txn, const struct token_row *token)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, token->token_id.bytes);
    db_text(&args, token->name);
    db_bytes(&args, token->hash, STORE_HASH_SIZE);
    db_texts(&args, token->roles, token->role_count);
    db_texts(&args, token->sites, token->site_count);
    db_texts(&args, token->teams, token->team_count);
    db_time(&args, txn_now_us(txn));
    db_text(&args, token->by);
    db_time(&args, token->expires_at);
    txn_write(txn,
              "insert into token (token_id, name, token_hash, roles, sites, teams, created_at, "
              "created_by, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
              &args);
}

void store_remove_token(struct txn *txn, const struct id *token_id, const char *by)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, token_id->bytes);
    db_time(&args, txn_now_us(txn));
    db_text(&args, by);
    txn_write(txn,
              "update token set removed_at = $2, removed_by = $3 where token_id = $1 and "
              "removed_at is null",
              &args);
}

void store_add_session(struct txn *txn, const uint8_t hash[STORE_HASH_SIZE],
                       const struct id *user_id, int64_t expires_at)
{
    struct db_args args;

    db_args_init(&args);
    db_bytes(&args, hash, STORE_HASH_SIZE);
    db_uuid(&args, user_id->bytes);
    db_time(&args, txn_now_us(txn));
    db_time(&args, expires_at);
    txn_write(txn,
              "with signed_in as (update account set last_login_at = $3 where user_id = $2) "
              "insert into session (token_hash, user_id, created_at, seen_at, expires_at) "
              "values ($1, $2, $3, $3, $4)",
              &args);
}

static void write_for_hash(struct txn *txn, const char *sql, const uint8_t hash[STORE_HASH_SIZE])
{
    struct db_args args;

    db_args_init(&args);
    db_bytes(&args, hash, STORE_HASH_SIZE);
    db_time(&args, txn_now_us(txn));
    txn_write(txn, sql, &args);
}

void store_touch_session(struct txn *txn, const uint8_t hash[STORE_HASH_SIZE])
{
    write_for_hash(txn, "update session set seen_at = $2 where token_hash = $1", hash);
}

void store_touch_token(struct txn *txn, const uint8_t hash[STORE_HASH_SIZE])
{
    write_for_hash(txn, "update token set last_used_at = $2 where token_hash = $1", hash);
}

void store_end_session(struct txn *txn, const uint8_t hash[STORE_HASH_SIZE])
{
    write_for_hash(
        txn, "update session set ended_at = $2 where token_hash = $1 and ended_at is null", hash);
}
