/* store_evaluations - see the header. */
#include "feedback/store_evaluations.h"

#include "feedback/store.h"
#include "io/json.h"

int store_read_evaluation(const struct db_rows *rows, size_t row,
                          Moment__V1__Evaluation **ret_message)
{
    ProtobufCMessage *message;
    int error =
        protobuf_read(&moment__v1__evaluation__descriptor, db_get_bytes(rows, row, 0), &message);

    if (error == 0) {
        *ret_message = (Moment__V1__Evaluation *)message;
    }
    return error;
}

void store_load_evaluations_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                               void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    txn_read(txn, "select body from evaluation_now where moment_id = $1 order by evaluation_id",
             &args, on_rows, arg);
}

/* --- saves --- */

static int save_revision(struct txn *txn, const Moment__V1__Evaluation *message)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, message->evaluation_id);
    db_i32(&args, (int32_t)message->revision);
    db_id(&args, message->moment_id);
    db_text(&args, message->evaluator);
    db_text(&args, message->standard_id);
    db_i32(&args, (int32_t)message->standard_version);
    db_time(&args, message->evaluated_at);
    db_text(&args, message->site);
    db_text(&args, message->queue);
    db_text(&args, message->agent);
    db_text(&args, message->person_id);
    db_text(&args, message->team_id);
    if (message->final_known_case != 0) {
        db_double(&args, message->final_score);
    } else {
        db_null(&args);
    }
    db_bool(&args, message->withdrawn);
    return txn_write_body(txn,
                          "insert into evaluation (evaluation_id, revision, moment_id, evaluator,"
                          " standard_id, standard_version, evaluated_at, site, queue, agent,"
                          " person_id, team_id, final_score, withdrawn, body) values ($1, $2, $3,"
                          " $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::double precision, $14,"
                          " $15)",
                          &args, &message->base);
}

/* What was made before there were states was released. */
static int state_of(const Moment__V1__Evaluation *message)
{
    return message->state != MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_UNSPECIFIED
               ? (int)message->state
               : (int)MOMENT__V1__EVALUATION_STATE__EVALUATION_STATE_RELEASED;
}

static int save_now(struct txn *txn, const Moment__V1__Evaluation *message)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, message->evaluation_id);
    db_id(&args, message->moment_id);
    db_i32(&args, (int32_t)message->revision);
    db_i32(&args, state_of(message));
    db_text(&args, message->evaluator);
    db_time(&args, message->evaluated_at);
    db_text(&args, message->site);
    db_text(&args, message->person_id);
    db_text(&args, message->team_id);
    db_bool(&args, message->withdrawn);
    return txn_write_body(
        txn,
        "insert into evaluation_now (evaluation_id, moment_id, revision, state, evaluator,"
        " evaluated_at, site, person_id, team_id, withdrawn, body) values ($1, $2, $3, $4, $5, $6,"
        " $7, $8, $9, $10, $11) on conflict (evaluation_id) do update set"
        " revision = excluded.revision, state = excluded.state,"
        " evaluated_at = excluded.evaluated_at, site = excluded.site,"
        " person_id = excluded.person_id, team_id = excluded.team_id,"
        " withdrawn = excluded.withdrawn, body = excluded.body",
        &args, &message->base);
}

int store_save_evaluation(struct txn *txn, const Moment__V1__Evaluation *message)
{
    int error = save_revision(txn, message);

    return error != 0 ? error : save_now(txn, message);
}

int store_save_draft(struct txn *txn, const Moment__V1__Evaluation *message)
{
    return save_now(txn, message);
}

void store_drop_draft(struct txn *txn, const char *evaluation_id)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, evaluation_id);
    txn_write(txn, "delete from evaluation_now where evaluation_id = $1 and state = 1", &args);
}

/* --- questions --- */

int store_find_moment_of(struct db *db, const struct id *evaluation_id, db_result_fn *on_rows,
                         void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, evaluation_id->bytes);
    return db_query(db, "select moment_id from evaluation_now where evaluation_id = $1", &args,
                    on_rows, arg);
}

/* After the reach: $8 the caller, then the filter. */
#define IS_WANTED                                                                                  \
    STORE_IS_VISIBLE_WITH("")                                                                      \
    " and ($1::timestamptz is null or (evaluated_at, evaluation_id) < ($1, $2::uuid))"             \
    " and ($9::uuid is null or moment_id = $9::uuid)"                                              \
    " and ($10 = '' or person_id = $10) and ($11 = '' or evaluator = $11)"                         \
    " and (not $12 or evaluator <> 'moment') and (not $13 or evaluator = $8)"

static const char list_now[] =
    "select body, evaluated_at, evaluation_id from evaluation_now where" IS_WANTED
    " and ($14 = 0 or state = $14) and (state <> 1 or evaluator = $8) and not withdrawn"
    " order by evaluated_at desc, evaluation_id desc limit $3";

static const char list_history[] =
    "select body, evaluated_at, evaluation_id from evaluation where" IS_WANTED
    " order by evaluated_at desc, evaluation_id desc, revision desc limit $3";

void store_list_evaluations(struct db *db, struct call *call,
                            const struct evaluation_filter *filter)
{
    struct reach reach = call_reach(call);
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, &filter->page);
    listing_push_reach(&args, &reach);
    db_text(&args, call_caller(call)->id);
    db_id(&args, filter->moment_id);
    db_text(&args, filter->person_id);
    db_text(&args, filter->evaluator);
    db_bool(&args, filter->by_people);
    db_bool(&args, filter->mine);
    if (!filter->history) {
        db_i32(&args, filter->state);
    }
    listing_answer(call, db, filter->history ? list_history : list_now, &args, &filter->page, NULL);
}

void store_get_evaluation(struct db *db, struct call *call, const struct id *evaluation_id,
                          listing_adjust_fn *adjust)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, evaluation_id->bytes);
    listing_answer_one(call, db, "select body from evaluation_now where evaluation_id = $1", &args,
                       "evaluation_id", "evaluation", adjust);
}
