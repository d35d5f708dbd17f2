/* store_webhooks - see the header. */
#include "recognition/store_webhooks.h"

/* Records of posts that changed since $2, of the kinds that the webhook $1 wants. */
#define CHANGES_SINCE                                                                              \
    " from webhook w join post p on cardinality(w.kinds) = 0 or p.kind = any(w.kinds)"             \
    " join stream s on s.shard = 0 and s.key = p.post_id::text"                                    \
    " where w.webhook_id = $1 and p.changed_at >= $2 and s.type = 'PostChanged' and s.at >= $2"

static void add_kinds(struct db_args *args, const Moment__V1__Webhook *webhook)
{
    db_array(args, DB_I32);
    for (size_t i = 0; i < webhook->n_kinds; i++) {
        db_push_i32(args, (int32_t)webhook->kinds[i]);
    }
}

/* --- webhooks --- */

int store_save_webhook(struct txn *txn, const Moment__V1__Webhook *webhook)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, webhook->webhook_id);
    db_bool(&args, webhook->enabled != 0);
    db_bool(&args, webhook->removed != 0);
    add_kinds(&args, webhook);
    db_time(&args, webhook->created_at);
    return txn_write_body(
        txn,
        "insert into webhook (webhook_id, is_enabled, is_removed, kinds, created_at, body)"
        " values ($1, $2, $3, $4, $5, $6)"
        " on conflict (webhook_id) do update set is_enabled = excluded.is_enabled,"
        " is_removed = excluded.is_removed, body = excluded.body",
        &args, &webhook->base);
}

void store_save_webhook_key(struct txn *txn, const char *webhook_id, const void *key, size_t len)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, webhook_id);
    db_bytes(&args, key, len);
    txn_write(txn, "insert into webhook_secret (webhook_id, value) values ($1, $2)", &args);
}

void store_strip_webhook(struct txn *txn, const char *webhook_id)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, webhook_id);
    txn_write(txn, "delete from webhook_secret where webhook_id = $1", &args);
    db_args_init(&args);
    db_id(&args, webhook_id);
    txn_write(txn, "delete from delivery where webhook_id = $1", &args);
}

void store_load_webhook_count(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    txn_read(txn, "select count(*) from webhook where not is_removed", NULL, on_rows, arg);
}

int store_webhooks(struct db *db, db_result_fn *on_rows, void *arg)
{
    return db_query(db,
                    "select body, value from webhook join webhook_secret using (webhook_id)"
                    " where not is_removed",
                    NULL, on_rows, arg);
}

void store_list_webhooks(struct db *db, struct call *call)
{
    listing_answer(call, db,
                   "select body from webhook where not is_removed order by created_at, webhook_id",
                   NULL, NULL, NULL);
}

/* --- deliveries --- */

void store_queue_deliveries(struct txn *txn, int32_t kind, uint64_t seq)
{
    struct db_args args;

    db_args_init(&args);
    db_i64(&args, (int64_t)seq);
    db_i32(&args, kind);
    txn_write(txn,
              "insert into delivery (webhook_id, seq) select webhook_id, $1::int8 from webhook"
              " where is_enabled and not is_removed"
              " and (cardinality(kinds) = 0 or $2::int4 = any(kinds))",
              &args);
}

int store_next_delivery(struct db *db, const struct id *webhook_id, db_result_fn *on_rows,
                        void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, webhook_id->bytes);
    return db_query(db,
                    "select d.seq, d.attempts, d.next_at, s.at, s.body"
                    " from delivery d join stream s on s.shard = 0 and s.seq = d.seq"
                    " where d.webhook_id = $1 and d.died_at is null order by d.seq limit 1",
                    &args, on_rows, arg);
}

static void add_delivery(struct db_args *args, const struct id *webhook_id, uint64_t seq)
{
    db_args_init(args);
    db_uuid(args, webhook_id->bytes);
    db_i64(args, (int64_t)seq);
}

void store_delivered(struct txn *txn, const struct id *webhook_id, uint64_t seq)
{
    struct db_args args;

    add_delivery(&args, webhook_id, seq);
    txn_write(txn, "delete from delivery where webhook_id = $1 and seq = $2", &args);
}

void store_retry_delivery(struct txn *txn, const struct id *webhook_id, uint64_t seq,
                          uint32_t attempts, int64_t next_at)
{
    struct db_args args;

    add_delivery(&args, webhook_id, seq);
    db_i32(&args, (int32_t)attempts);
    db_time(&args, next_at);
    txn_write(txn,
              "update delivery set attempts = $3, next_at = $4 where webhook_id = $1 and seq = $2",
              &args);
}

int store_bury_delivery(struct txn *txn, const struct id *webhook_id, uint64_t seq,
                        const Moment__V1__DeadLetter *letter)
{
    struct db_args args;

    add_delivery(&args, webhook_id, seq);
    db_i32(&args, (int32_t)letter->attempts);
    db_time(&args, letter->died_at);
    db_id(&args, letter->delivery_id);
    return txn_write_body(
        txn,
        "update delivery set attempts = $3, died_at = $4, delivery_id = $5, body = $6"
        " where webhook_id = $1 and seq = $2",
        &args, &letter->base);
}

void store_list_dead_letters(struct db *db, struct call *call, const struct listing *page,
                             const struct id *webhook_id)
{
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, page);
    db_uuid(&args, webhook_id->bytes);
    listing_answer(call, db,
                   "select body, died_at, delivery_id from delivery"
                   " where ($1::timestamptz is null or (died_at, delivery_id) < ($1, $2::uuid))"
                   " and webhook_id = $4 and died_at is not null"
                   " order by died_at desc, delivery_id desc limit $3",
                   &args, page, NULL);
}

int store_count_dead_letters(struct db *db, db_result_fn *on_rows, void *arg)
{
    return db_query(db, "select count(*) from delivery where died_at is not null", NULL, on_rows,
                    arg);
}

/* --- replay --- */

static void add_replay(struct db_args *args, const char *webhook_id, int64_t since_at)
{
    db_args_init(args);
    db_id(args, webhook_id);
    if (since_at != 0) {
        db_time(args, since_at);
    }
}

void store_load_replay_count(struct txn *txn, const char *webhook_id, int64_t since_at,
                             db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    add_replay(&args, webhook_id, since_at);
    txn_read(txn,
             since_at != 0
                 ? "select count(*)" CHANGES_SINCE
                 : "select count(*) from delivery where webhook_id = $1 and died_at is not null",
             &args, on_rows, arg);
}

void store_replay(struct txn *txn, const char *webhook_id, int64_t since_at)
{
    struct db_args args;

    add_replay(&args, webhook_id, since_at);
    txn_write(
        txn,
        since_at != 0
            ? "insert into delivery (webhook_id, seq) select w.webhook_id, s.seq" CHANGES_SINCE
              " on conflict (webhook_id, seq) do update set attempts = 0, next_at = null,"
              " died_at = null, delivery_id = null, body = null"
            : "update delivery set attempts = 0, next_at = null, died_at = null,"
              " delivery_id = null, body = null"
              " where webhook_id = $1 and died_at is not null",
        &args);
}
