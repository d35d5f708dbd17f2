/* store_standards - see the header. */
#include "feedback/store_standards.h"

#include "feedback/store.h"
#include "io/json.h"

int store_read_standard(const struct db_rows *rows, size_t row, Moment__V1__Standard **ret_message)
{
    ProtobufCMessage *message;
    int error =
        protobuf_read(&moment__v1__standard__descriptor, db_get_bytes(rows, row, 0), &message);

    if (error == 0) {
        *ret_message = (Moment__V1__Standard *)message;
    }
    return error;
}

void store_load_standards(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select body || fate from standard order by standard_id, version", &args, on_rows,
             arg);
}

void store_load_draft_count(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select count(*) from standard_draft where is_open", &args, on_rows, arg);
}

int store_save_standard(struct txn *txn, const Moment__V1__Standard *message,
                        const char *published_by)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, message->standard_id);
    db_i32(&args, (int32_t)message->version);
    db_text(&args, message->title);
    db_text(&args, message->signed_by);
    db_time(&args, message->effective_at);
    db_time(&args, message->published_at);
    db_text(&args, published_by);
    db_bool(&args, message->n_canary_sites > 0);
    return txn_write_body(txn,
                          "insert into standard (standard_id, version, title, signed_by,"
                          " effective_at, published_at, published_by, canary, body)"
                          " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                          &args, &message->base);
}

int store_save_fate(struct txn *txn, const Moment__V1__Standard *message)
{
    Moment__V1__Standard fate;
    struct db_args args;

    moment__v1__standard__init(&fate);
    fate.state = message->state;
    fate.rolled_out_at = message->rolled_out_at;
    fate.rolled_out_by = message->rolled_out_by;
    fate.rolled_out_by_name = message->rolled_out_by_name;
    fate.retired_at = message->retired_at;
    fate.retired_by = message->retired_by;
    fate.retired_by_name = message->retired_by_name;
    fate.retired_because = message->retired_because;
    db_args_init(&args);
    db_text(&args, message->standard_id);
    db_i32(&args, (int32_t)message->version);
    db_bool(&args, message->n_canary_sites > 0 && message->rolled_out_at == 0);
    return txn_write_body(txn,
                          "update standard set canary = $3, fate = $4"
                          " where standard_id = $1 and version = $2",
                          &args, &fate.base);
}

static int save_draft(struct txn *txn, const char *id, const ProtobufCMessage *message)
{
    const Moment__V1__Standard *draft = (const Moment__V1__Standard *)message;
    struct db_args args;

    db_args_init(&args);
    db_text(&args, id);
    db_i32(&args, (int32_t)draft->revision);
    db_bool(&args, draft->state == MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DRAFT);
    db_text(&args, draft->edited_by);
    db_time(&args, draft->edited_at);
    return txn_write_body(txn,
                          "insert into standard_draft (standard_id, revision, is_open, edited_by,"
                          " edited_at, body) values ($1, $2, $3, $4, $5, $6)"
                          " on conflict (standard_id) do update set revision = excluded.revision,"
                          " is_open = excluded.is_open, edited_by = excluded.edited_by,"
                          " edited_at = excluded.edited_at, body = excluded.body",
                          &args, message);
}

const struct entity_kind store_standard_drafts = {
    .name = "standard draft",
    .descriptor = &moment__v1__standard__descriptor,
    .select = "select body from standard_draft where standard_id = $1",
    .save = save_draft,
};

int store_list_standards(struct db *db, const char *standard_id, bool history, bool with_drafts,
                         db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, standard_id);
    db_bool(&args, history);
    db_bool(&args, with_drafts);
    return db_query(db,
                    "select body || fate, false, standard_id, version from standard s"
                    " where ($1 = '' or standard_id = $1) and ($2 or not exists"
                    " (select 1 from standard n where n.standard_id = s.standard_id"
                    " and n.version > s.version and not n.canary and n.effective_at <= now()))"
                    " union all"
                    " select body, true, standard_id, 0 from standard_draft"
                    " where $3 and is_open and ($1 = '' or standard_id = $1)"
                    " order by 2, 3, 4",
                    &args, on_rows, arg);
}
