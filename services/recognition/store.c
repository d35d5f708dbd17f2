/* store - see the header. */
#include "recognition/store.h"

#include "io/json.h"

#include <errno.h>

static int read_part(const struct db_rows *rows, size_t row, size_t column,
                     const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret_message)
{
    *ret_message = NULL;
    if (db_is_null(rows, row, column)) {
        return 0;
    }
    return protobuf_read(descriptor, db_get_bytes(rows, row, column), ret_message);
}

void store_load_sighting(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                         void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    txn_read(txn, "select moment, evaluation, praise from sighting where moment_id = $1", &args,
             on_rows, arg);
}

int store_read_sighting(const struct db_rows *rows, size_t row,
                        struct stored_sighting *ret_sighting)
{
    ProtobufCMessage *part;
    int error = read_part(rows, row, 0, &moment__v1__moment__descriptor, &part);

    if (error == 0) {
        ret_sighting->moment = (Moment__V1__Moment *)part;
        error = read_part(rows, row, 1, &moment__v1__evaluation__descriptor, &part);
    }
    if (error == 0) {
        ret_sighting->evaluation = (Moment__V1__Evaluation *)part;
        error = read_part(rows, row, 2, &moment__v1__note__descriptor, &part);
    }
    if (error == 0) {
        ret_sighting->praise = (Moment__V1__Note *)part;
    }
    return error;
}

int store_save_moment(struct txn *txn, const struct id *moment_id, const Moment__V1__Moment *moment)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    return txn_write_body(txn,
                          "insert into sighting (moment_id, moment) values ($1, $2)"
                          " on conflict (moment_id) do update set moment = excluded.moment",
                          &args, &moment->base);
}

int store_save_evaluation(struct txn *txn, const struct id *moment_id,
                          const Moment__V1__Evaluation *evaluation)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    return txn_write_body(txn,
                          "insert into sighting (moment_id, evaluation) values ($1, $2)"
                          " on conflict (moment_id) do update"
                          " set evaluation = excluded.evaluation",
                          &args, &evaluation->base);
}

int store_save_praise(struct txn *txn, const struct id *moment_id, const Moment__V1__Note *praise)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    return txn_write_body(txn,
                          "insert into sighting (moment_id, praise) values ($1, $2)"
                          " on conflict (moment_id) do update set praise = excluded.praise",
                          &args, &praise->base);
}

int store_save_candidate(struct txn *txn, const Moment__V1__Candidate *candidate)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, candidate->candidate_id);
    db_id(&args, candidate->moment_id);
    db_i32(&args, (int32_t)candidate->state);
    db_i32(&args, (int32_t)candidate->revision);
    db_text(&args, candidate->site);
    db_text(&args, candidate->queue);
    db_text(&args, candidate->agent);
    db_text(&args, candidate->person_id);
    db_text(&args, candidate->team_id);
    db_time(&args, candidate->moment_ended_at);
    db_time(&args, candidate->proposed_at);
    return txn_write_body(txn,
                          "insert into candidate (candidate_id, moment_id, state, revision, site,"
                          " queue, agent, person_id, team_id, moment_ended_at, proposed_at, body)"
                          " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
                          " on conflict (candidate_id) do update set state = excluded.state,"
                          " revision = excluded.revision, site = excluded.site,"
                          " queue = excluded.queue, agent = excluded.agent,"
                          " person_id = excluded.person_id, team_id = excluded.team_id,"
                          " moment_ended_at = excluded.moment_ended_at,"
                          " proposed_at = excluded.proposed_at, body = excluded.body",
                          &args, &candidate->base);
}

void store_list_candidates(struct db *db, struct call *call, const struct candidate_filter *filter)
{
    struct reach reach = call_reach(call);
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, &filter->page);
    listing_push_reach(&args, &reach);
    db_id(&args, filter->moment_id);
    db_text(&args, filter->person_id);
    db_i32(&args, (int32_t)MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_WITHDRAWN);
    db_bool(&args, filter->open_only);
    db_i32(&args, (int32_t)MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_PROPOSED);
    listing_answer(
        call, db,
        "select body, proposed_at, candidate_id from candidate"
        " where ($1::timestamptz is null or (proposed_at, candidate_id) < ($1, $2::uuid))"
        " and case when $6 then person_id = $7 and $7 <> ''"
        " else (cardinality($4::text[]) = 0 or site = any($4))"
        " and (cardinality($5::text[]) = 0 or team_id = any($5)) end"
        " and ($8::uuid is null or moment_id = $8::uuid)"
        " and ($9 = '' or person_id = $9)"
        " and ($8::uuid is not null or state <> $10)"
        " and (not $11 or state = $12)"
        " order by proposed_at desc, candidate_id desc limit $3",
        &args, &filter->page, NULL);
}
