/* store - see the header. */
#include "feedback/store.h"

#include "io/json.h"

#include <errno.h>

/* --- rows --- */

static int read_body(const struct db_rows *rows, size_t row, size_t column,
                     const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret_message)
{
    return protobuf_read(descriptor, db_get_bytes(rows, row, column), ret_message);
}

int store_read_moment(const struct db_rows *rows, size_t row, struct stored_moment *ret_moment)
{
    ProtobufCMessage *message;
    int error = read_body(rows, row, 0, &moment__v1__moment__descriptor, &message);

    if (error == 0) {
        ret_moment->message = (Moment__V1__Moment *)message;
        ret_moment->changed_at = db_get_time(rows, row, 1);
        ret_moment->skew_us = db_get_i64(rows, row, 2);
    }
    return error;
}

void store_read_served(const struct db_rows *rows, size_t row, struct stored_served *ret_served)
{
    db_get_uuid(rows, row, 0, ret_served->moment_id.bytes);
    ret_served->visit = (uint32_t)db_get_i64(rows, row, 1);
    ret_served->site = db_get_text(rows, row, 2);
    ret_served->queue = db_get_text(rows, row, 3);
    ret_served->served.at = db_get_time(rows, row, 4);
    ret_served->served.wait_us = db_get_i64(rows, row, 5);
    ret_served->served.answered = db_get_bool(rows, row, 6);
}

/* --- loads --- */

void store_load_open_moments(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select body, changed_at, skew_us from moment where is_open", &args, on_rows,
             arg);
}

void store_load_served(struct txn *txn, int64_t since_us, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_time(&args, since_us);
    txn_read(txn,
             "select moment_id, visit, site, queue, at, wait_us, answered from served_visit"
             " where at > $1 order by at",
             &args, on_rows, arg);
}

void store_load_revision_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                            void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    txn_read(txn, "select revision from moment where moment_id = $1", &args, on_rows, arg);
}

void store_load_moment_body(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                            void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    txn_read(
        txn,
        "select body, changed_at, skew_us from moment where moment_id = $1 and length(body) > 0",
        &args, on_rows, arg);
}

/* --- saves --- */

int store_save_moment(struct txn *txn, const Moment__V1__Moment *message, bool is_open,
                      int64_t changed_at, int64_t skew_us)
{
    bool is_over = !is_open && message->merged_into[0] == '\0';
    struct db_args args;

    db_args_init(&args);
    db_id(&args, message->moment_id);
    db_i32(&args, (int32_t)message->revision);
    db_bool(&args, is_open);
    db_time(&args, changed_at);
    db_i64(&args, skew_us);
    db_time(&args, is_over ? message->ended_at : 0);
    db_text(&args, message->site);
    db_text(&args, message->team_id);
    db_text(&args, message->person_id);
    db_text(&args, message->queue);
    db_i32(&args, (int32_t)message->channel);
    db_i32(&args, (int32_t)message->direction);
    if (message->talk_known_case != 0) {
        db_i64(&args, message->talk_ms);
    } else {
        db_null(&args);
    }
    return txn_write_body(
        txn,
        "insert into moment (moment_id, revision, is_open, changed_at, skew_us, ended_at, site,"
        " team_id, person_id, queue, channel, direction, talk_ms, body) values ($1, $2, $3, $4, $5,"
        " $6, $7, $8, $9, $10, $11, $12, $13::bigint, $14) on conflict (moment_id) do update set"
        " revision = excluded.revision, is_open = excluded.is_open,"
        " changed_at = excluded.changed_at, skew_us = excluded.skew_us,"
        " ended_at = excluded.ended_at, site = excluded.site, team_id = excluded.team_id,"
        " person_id = excluded.person_id, queue = excluded.queue, channel = excluded.channel,"
        " direction = excluded.direction, talk_ms = excluded.talk_ms, body = excluded.body",
        &args, &message->base);
}

void store_save_served(struct txn *txn, const struct stored_served *served)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, served->moment_id.bytes);
    db_i32(&args, (int32_t)served->visit);
    db_text(&args, served->site);
    db_text(&args, served->queue);
    db_time(&args, served->served.at);
    db_i64(&args, served->served.wait_us);
    db_bool(&args, served->served.answered);
    txn_write(txn,
              "insert into served_visit (moment_id, visit, site, queue, at, wait_us, answered)"
              " values ($1, $2, $3, $4, $5, $6, $7) on conflict (moment_id, visit) do update set"
              " site = excluded.site, queue = excluded.queue, at = excluded.at,"
              " wait_us = excluded.wait_us, answered = excluded.answered",
              &args);
}

void store_drop_served_of(struct txn *txn, const struct id *moment_id)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    txn_write(txn, "delete from served_visit where moment_id = $1", &args);
}

void store_drop_served_before(struct txn *txn, int64_t before_us)
{
    struct db_args args;

    db_args_init(&args);
    db_time(&args, before_us);
    txn_write(txn, "delete from served_visit where at < $1", &args);
}
