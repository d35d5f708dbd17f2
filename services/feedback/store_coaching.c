/* store_coaching - see the header. */
#include "feedback/store_coaching.h"

/* --- sessions as commands change them --- */

static int save_session(struct txn *txn, const char *id, const ProtobufCMessage *message)
{
    const Moment__V1__CoachingSession *session = (const Moment__V1__CoachingSession *)message;
    struct db_args args;

    db_args_init(&args);
    db_id(&args, id);
    db_i32(&args, (int32_t)session->state);
    db_text(&args, session->coach);
    db_text(&args, session->attendee);
    db_text(&args, session->site);
    db_text(&args, session->team_id);
    db_time(&args, session->created_at);
    return txn_write_body(
        txn,
        "insert into coaching (session_id, state, coach, attendee, site, team_id, created_at,"
        " body) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (session_id) do update"
        " set state = excluded.state, body = excluded.body",
        &args, message);
}

const struct entity_kind store_coaching = {
    .name = "coaching session",
    .descriptor = &moment__v1__coaching_session__descriptor,
    .select = "select body from coaching where session_id = $1::uuid",
    .save = save_session,
};

/* --- results of evaluations --- */

static bool counts(const Moment__V1__Evaluation *evaluation)
{
    return !evaluation->withdrawn && evaluation->moment_ended_at != 0 &&
           evaluation->state != MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_DRAFT;
}

static bool is_answered(const Moment__V1__CriterionResult *result)
{
    if (result->not_applicable || result->not_asked) {
        return false;
    }
    return result->kind == MOMENT__V1__CRITERION_KIND__CRITERION_KIND_OBSERVED
               ? result->answer[0] != '\0'
               : result->actual_known_case != 0;
}

static void drop_results(struct txn *txn, const char *evaluation_id)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, evaluation_id);
    txn_write(txn, "delete from criterion_result where evaluation_id = $1", &args);
}

static void push_results(struct db_args *args, const Moment__V1__Evaluation *evaluation)
{
    db_array(args, DB_TEXT);
    for (size_t i = 0; i < evaluation->n_results; i++) {
        if (is_answered(evaluation->results[i])) {
            db_push_text(args, evaluation->results[i]->criterion_id);
        }
    }
    db_array(args, DB_BOOL);
    for (size_t i = 0; i < evaluation->n_results; i++) {
        if (is_answered(evaluation->results[i])) {
            db_push_bool(args, evaluation->results[i]->met);
        }
    }
}

void store_save_results(struct txn *txn, const Moment__V1__Evaluation *evaluation)
{
    struct db_args args;

    if (evaluation->revision > 1) {
        drop_results(txn, evaluation->evaluation_id);
    }
    if (!counts(evaluation)) {
        return;
    }
    db_args_init(&args);
    db_id(&args, evaluation->evaluation_id);
    db_id(&args, evaluation->moment_id);
    db_text(&args, evaluation->standard_id);
    db_text(&args, evaluation->person_id);
    db_time(&args, evaluation->moment_ended_at);
    db_time(&args, evaluation->evaluated_at);
    push_results(&args, evaluation);
    txn_write(txn,
              "insert into criterion_result (evaluation_id, moment_id, standard_id, person_id,"
              " ended_at, evaluated_at, criterion_id, met) select $1, $2, $3, $4, $5, $6, r.*"
              " from unnest($7::text[], $8::boolean[]) r",
              &args);
}

/* --- what is asked --- */

/* sites, teams, own and person are listing_push_reach's. */
#define MAY_READ(sites, teams, own, person, user, all)                                             \
    " (coach = " user " or (attendee = " person " and " person " <> '') or (" all " and not " own  \
    " and (cardinality(" sites "::text[]) = 0 or site = any(" sites "))"                           \
    " and (cardinality(" teams "::text[]) = 0 or team_id = any(" teams "))))"

static void push_reader(struct db_args *args, const struct reach *reach, bool sees_all)
{
    listing_push_reach(args, reach);
    db_text(args, reach->user_id);
    db_bool(args, sees_all);
}

void store_list_coaching(struct call *call, struct db *db, const struct coaching_filter *filter,
                         const struct reach *reach, bool sees_all, const struct listing *listing)
{
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, listing);
    push_reader(&args, reach, sees_all);
    db_text(&args, filter->attendee);
    db_i32(&args, filter->state);
    listing_answer(call, db,
                   "select body, created_at, session_id from coaching where ($1::timestamptz is"
                   " null or (created_at, session_id) < ($1, $2::uuid)) and" MAY_READ(
                       "$4", "$5", "$6", "$7", "$8",
                       "$9") " and ($10 = '' or attendee = $10) and ($11 = 0 or state = $11)"
                             " order by created_at desc, session_id desc limit $3",
                   &args, listing, NULL);
}

int store_ask_coaching(struct db *db, const struct id *session_id, const struct reach *reach,
                       bool sees_all, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    push_reader(&args, reach, sees_all);
    db_uuid(&args, session_id->bytes);
    return db_query(db,
                    "select body from coaching where session_id = $7 and" MAY_READ(
                        "$1", "$2", "$3", "$4", "$5", "$6"),
                    &args, on_rows, arg);
}

/* Of each moment the newest evaluation that answered the criterion. */
#define SIDE(is_after, compared, order)                                                            \
    "(select " is_after                                                                            \
    ", moment_id, met from (select distinct on (moment_id) moment_id, ended_at,"                   \
    " met from criterion_result where person_id = $1 and standard_id = $2 and criterion_id = $3"   \
    " and " compared " order by moment_id, evaluated_at desc, evaluation_id desc) newest"          \
    " order by ended_at " order ", moment_id limit $5)"

int store_ask_effect(struct db *db, const Moment__V1__CoachingSession *session, uint32_t wanted,
                     db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, session->attendee);
    db_text(&args, session->standard_id);
    db_text(&args, session->criterion_id);
    db_time(&args, session->held_at);
    db_i32(&args, (int32_t)wanted);
    db_i32(&args, STORE_EFFECT_DAYS);
    return db_query(db,
                    SIDE("false", "ended_at < $4 and ended_at >= $4 - make_interval(days => $6)",
                         "desc") " union all " SIDE("true",
                                                    "ended_at >= $4 and ended_at < $4 + "
                                                    "make_interval(days => $6)",
                                                    "asc"),
                    &args, on_rows, arg);
}
