#include "reporting/store_flame.h"

/* --- what is told -------------------------------------------------------------------------- */

int store_put_act(struct txn *txn, const struct id *act_id, const Moment__V1__Act *message)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, act_id->bytes);
    db_i32(&args, (int32_t)message->practice);
    db_text(&args, message->user_id);
    db_time(&args, message->at);
    return txn_write_body(
        txn,
        "insert into act (act_id, practice, user_id, at, body) values ($1, $2::int4, $3, $4, $5)"
        " on conflict (act_id) do nothing",
        &args, &message->base);
}

void store_drop_act(struct txn *txn, const struct id *act_id)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, act_id->bytes);
    txn_write(txn, "delete from act where act_id = $1", &args);
}

int store_put_rhythm(struct txn *txn, const Moment__V1__Rhythm *rhythm)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, rhythm->rhythm_id);
    db_text(&args, rhythm->user_id);
    return txn_write_body(txn,
                          "insert into rhythm (rhythm_id, user_id, body) values ($1, $2, $3)"
                          " on conflict (rhythm_id) do update set body = excluded.body",
                          &args, &rhythm->base);
}

static void add_delay(struct db_args *args, const Moment__V1__Note *note)
{
    int64_t delay_ms = (note->given_at - note->moment_ended_at) / 1000;

    if (note->moment_ended_at == 0)
        db_null(args);
    else
        db_i64(args, delay_ms > 0 ? delay_ms : 0);
}

void store_put_note(struct txn *txn, const Moment__V1__Note *note)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, note->note_id);
    db_i32(&args, (int32_t)note->kind);
    db_id(&args, note->moment_id);
    db_text(&args, note->giver);
    db_text(&args, note->giver_name);
    db_text(&args, note->receiver);
    db_text(&args, note->site);
    db_text(&args, note->team_id);
    db_time(&args, note->given_at);
    add_delay(&args, note);
    txn_write(
        txn,
        "insert into note (note_id, kind, moment_id, giver, giver_name, receiver, site, team_id,"
        " given_at, delay_ms) values ($1, $2::int4, $3, $4, $5, $6, $7, $8, $9, $10)"
        " on conflict (note_id) do nothing",
        &args);
}

void store_drop_fatals(struct txn *txn, const char *evaluation_id)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, evaluation_id);
    txn_write(txn, "delete from fatal_failure where evaluation_id = $1", &args);
}

void store_put_fatal(struct txn *txn, const Moment__V1__Evaluation *evaluation,
                     const Moment__V1__CriterionResult *result)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, evaluation->evaluation_id);
    db_text(&args, result->criterion_id);
    db_id(&args, evaluation->moment_id);
    db_text(&args, result->title);
    db_text(&args, evaluation->person_id);
    db_text(&args, evaluation->site);
    db_text(&args, evaluation->team_id);
    db_time(&args, evaluation->moment_ended_at != 0 ? evaluation->moment_ended_at
                                                    : evaluation->evaluated_at);
    txn_write(
        txn,
        "insert into fatal_failure (evaluation_id, criterion_id, moment_id, title, person_id, site,"
        " team_id, ended_at) values ($1, $2, $3, $4, $5, $6, $7, $8)"
        " on conflict (evaluation_id, criterion_id) do nothing",
        &args);
}

/* --- what is asked ------------------------------------------------------------------------- */

int store_ask_flame(struct db *db, const char *user_id, int64_t since, db_result_fn *on_rows,
                    void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, user_id);
    db_time(&args, since);
    return db_query(
        db,
        "with r as (select user_id, body from rhythm where $1::text = '' or user_id = $1::text"
        "           order by user_id, rhythm_id limit 5000)"
        "(select false, user_id collate \"C\", 0::int4, null::timestamptz, body from r)"
        " union all "
        "(select true, a.user_id collate \"C\", a.practice::int4, a.at, null::bytea from act a"
        "  where a.at >= $2::timestamptz and a.user_id in (select user_id from r)"
        "  order by a.at desc limit 100000)"
        " order by 1, 2, 3, 4",
        &args, on_rows, arg);
}

void store_list_acts(struct call *call, struct db *db, const struct listing *listing,
                     const Moment__V1__ListActsRequest *request, listing_adjust_fn *adjust)
{
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, listing);
    db_text(&args, request->user_id);
    db_i32(&args, (int32_t)request->practice);
    db_time(&args, request->from_at);
    db_time(&args, request->to_at);
    listing_answer(call, db,
                   "select body, at, act_id from act"
                   " where ($1::timestamptz is null or (at, act_id) < ($1, $2::uuid))"
                   " and ($4::text = '' or user_id = $4) and ($5::int4 = 0 or practice = $5)"
                   " and ($6::timestamptz is null or at >= $6)"
                   " and ($7::timestamptz is null or at < $7)"
                   " order by at desc, act_id desc limit $3",
                   &args, listing, adjust);
}

/* $1 sites, $2 teams, $3 site, $4 team: what of a row tells where it is. */
#define IN_SCOPE(site, team)                                                                       \
    " (cardinality($1::text[]) = 0 or " site " = any ($1)) and"                                    \
    " (cardinality($2::text[]) = 0 or " team " = any ($2)) and"                                    \
    " ($3::text = '' or " site " = $3) and ($4::text = '' or " team " = $4) "
#define BOTH_KINDS "count(*) filter (where kind = 1), count(*) filter (where kind = 2)"
#define DELAYS                                                                                     \
    "percentile_cont(0.5) within group (order by delay_ms),"                                       \
    " percentile_cont(0.9) within group (order by delay_ms), count(delay_ms)"

/* A note that was given while the moment went on learns from the moment when that ended. */
static const char SQL_ACCOUNT[] =
    "with n as (select k.kind, k.giver, k.giver_name, k.receiver,"
    "           case when k.delay_ms is not null or o.ended_at is null then k.delay_ms"
    "                else greatest(0, floor(extract(epoch from k.given_at - o.ended_at) * "
    "1000))::bigint"
    "           end as delay_ms"
    "           from note k left join moment o on o.moment_id = k.moment_id"
    "           where k.given_at >= $5::timestamptz and k.given_at < $6::timestamptz"
    "           and" IN_SCOPE(
        "k.site",
        "k.team_id") "),"
                     " m as (select person_id, count(distinct moment_id) as moments from visit"
                     "       where entered_at >= $5 and entered_at < $6 and class = 'answered'"
                     "       and person_id is not null group by person_id),"
                     " r as (select receiver, "
                     "count(*) filter (where kind = 1) as praise,"
                     "       count(*) filter (where kind = 2) as improvement from n group by "
                     "receiver),"
                     " f as (select *, not exists (select from note k where k.moment_id = "
                     "x.moment_id) as is_unanswered"
                     "       from fatal_failure x where ended_at >= $5 and ended_at < $6"
                     "       and" IN_SCOPE(
                         "site",
                         "team_id") ")"
                                    "(select 0, '', '', '', '', " BOTH_KINDS ", " DELAYS ","
                                    "        null::timestamptz, null::uuid, '', null::uuid from n)"
                                    " union all "
                                    "(select 1, giver, max(giver_name), '', '', " BOTH_KINDS
                                    ", " DELAYS ","
                                    "        null, null, '', null from n group by giver order by "
                                    "giver limit 2000)"
                                    " union all "
                                    "(select 2, p.person_id, p.name, coalesce(p.site_id, ''), "
                                    "coalesce(p.team_id, ''),"
                                    "        coalesce(r.praise, 0), coalesce(r.improvement, 0), "
                                    "null, null, coalesce(m.moments, 0),"
                                    "        l.last, null, '', null"
                                    " from person p left join m on m.person_id = p.person_id"
                                    " left join r on r.receiver = p.person_id"
                                    " left join lateral (select max(given_at) as last from note k"
                                    "                    where k.receiver = p.person_id and "
                                    "k.given_at < $6) l on true"
                                    " where" IN_SCOPE(
                                        "coalesce(p.site_id, '')",
                                        "coalesce(p.team_id, '')") " and (m.moments is not null or "
                                                                   "r.receiver is not null) order "
                                                                   "by "
                                                                   "p.person_id limit 5000)"
                                                                   " union all "
                                                                   "(select 3, '', '', '', '', "
                                                                   "count(distinct moment_id),"
                                                                   "        count(distinct "
                                                                   "moment_id) filter (where "
                                                                   "is_unanswered), null, null, 0,"
                                                                   "        null, null, '', null "
                                                                   "from f)"
                                                                   " union all "
                                                                   "(select 4, f.person_id, "
                                                                   "coalesce(p.name, ''), f.site, "
                                                                   "f.team_id, 0, 0, null, null, 0,"
                                                                   "        f.ended_at, "
                                                                   "f.moment_id, "
                                                                   "f.title, f.evaluation_id"
                                                                   " from f left join person p on "
                                                                   "p.person_id = f.person_id "
                                                                   "where "
                                                                   "f.is_unanswered"
                                                                   " order by f.ended_at desc "
                                                                   "limit "
                                                                   "500)"
                                                                   " order by 1, 11 desc nulls "
                                                                   "last, "
                                                                   "3, 2";

int store_ask_account(struct db *db, const struct account_question *question, db_result_fn *on_rows,
                      void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_texts(&args, question->reach.sites, question->reach.site_count);
    db_texts(&args, question->reach.teams, question->reach.team_count);
    db_text(&args, question->site);
    db_text(&args, question->team_id);
    db_time(&args, question->from);
    db_time(&args, question->to);
    return db_query(db, SQL_ACCOUNT, &args, on_rows, arg);
}
