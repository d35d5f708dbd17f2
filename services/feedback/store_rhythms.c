/* store_rhythms - see the header. */
#include "feedback/store_rhythms.h"

#define TEXT(number) #number
#define NUMBER(number) TEXT(number)

void store_load_rhythms(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn,
             "select body from rhythm where until_date is null or until_date > current_date - 7"
             " order by user_id, practice, from_date",
             &args, on_rows, arg);
}

int store_save_rhythm(struct txn *txn, const Moment__V1__Rhythm *rhythm)
{
    struct db_args args;
    struct id id;
    int error = id_parse(rhythm->rhythm_id, &id);

    if (error != 0) {
        return error;
    }
    db_args_init(&args);
    db_uuid(&args, id.bytes);
    db_text(&args, rhythm->user_id);
    db_i32(&args, (int32_t)rhythm->practice);
    db_text(&args, rhythm->from_date);
    db_text_or_null(&args, rhythm->until_date);
    return txn_write_body(
        txn,
        "insert into rhythm (rhythm_id, user_id, practice, from_date, until_date, body)"
        " values ($1, $2, $3, $4::text::date, $5::text::date, $6)"
        " on conflict (rhythm_id) do update set until_date = excluded.until_date,"
        " body = excluded.body",
        &args, &rhythm->base);
}

void store_list_rhythms(struct call *call, struct db *db, const char *user_id)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, user_id);
    listing_answer(call, db,
                   "select body from rhythm where $1 = '' or user_id = $1"
                   " order by user_id, practice, from_date desc limit " NUMBER(STORE_RHYTHMS_MAX),
                   &args, NULL, NULL);
}
