#include "io/txn.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_KEPT 1024

static const char append_sql[] =
    "insert into stream (shard, seq, epoch, site, key, type, at, body, hash)"
    " select $1, $2 + n - 1, $3, site, key, type, at, body, hash"
    " from unnest($4, $5, $6, $7, $8, $9) with ordinality as u(site, key, type, at, body, hash, n)";
static const char mark_sql[] = "insert into mark (shard, epoch, batch) values ($1, $2, $3)";
static const char unmark_sql[] =
    "delete from mark where shard = $1 and (epoch < $2 or (epoch = $2 and batch < $3))";

int txn_init(struct txn *txn, struct db *writer, struct work *works, size_t count)
{
    static uint64_t serial;

    serial++;
    *txn = (struct txn){.writer = writer, .serial = serial, .works = works, .work_count = count};
    txn->refusals = calloc(count, sizeof *txn->refusals);
    txn->now_us = clock_wall_us();
    txn->began_us = clock_mono_us();
    return txn->refusals ? 0 : -ENOMEM;
}

void txn_done(struct txn *txn)
{
    for (size_t i = 0; i < txn->item_count; i++)
        free(txn->items[i]);
    free(txn->items);
    free(txn->refusals);
    *txn = (struct txn){0};
}

int64_t txn_now_us(const struct txn *txn)
{
    return txn->now_us;
}

uint64_t txn_serial(const struct txn *txn)
{
    return txn->serial;
}

/* --- load ------------------------------------------------------------------------------------- */

struct read {
    db_result_fn *on_rows;
    void *arg;
};

static void on_read(void *arg, int status, const struct db_rows *rows, const struct db_error *error)
{
    struct read *read = arg;
    if (status == 0)
        read->on_rows(read->arg, status, rows, error);
    free(read);
}

static int add_read(struct txn *txn, const char *sql, struct db_args *args, struct read *read)
{
    if (txn->reads == 0) {
        int status = db_begin(txn->writer);
        if (status < 0) {
            db_args_done(args);
            return status;
        }
    }
    txn->reads++;
    return db_add(txn->writer, sql, args, on_read, read);
}

void txn_read(struct txn *txn, const char *sql, struct db_args *args, db_result_fn *on_rows,
              void *arg)
{
    assert(txn->phase == TXN_LOADING);
    assert(on_rows);
    struct db_args none;
    db_args_init(&none);
    if (!args)
        args = &none;
    struct read *read = txn->status < 0 ? NULL : malloc(sizeof *read);
    if (!read) {
        db_args_done(args);
        txn->status = txn->status < 0 ? txn->status : -ENOMEM;
        return;
    }
    *read = (struct read){on_rows, arg};
    int status = add_read(txn, sql, args, read);
    if (status < 0) {
        free(read);
        txn->status = status;
    }
}

int txn_load(struct txn *txn, db_result_fn *on_loaded, void *arg)
{
    txn->phase = TXN_LOADING;
    for (struct work *work = txn->works; work; work = work->next)
        if (work->ops->load)
            work->ops->load(work, txn);
    if (txn->status < 0) {
        db_reset(txn->writer); /* half of the reads are sent: their sync will never come */
        return txn->status;
    }
    if (txn->reads == 0)
        return 0;
    int status = db_commit(txn->writer, on_loaded, arg);
    return status < 0 ? status : 1;
}

/* --- apply ------------------------------------------------------------------------------------ */

void txn_write(struct txn *txn, const char *sql, struct db_args *args)
{
    assert(txn->phase == TXN_APPLYING);
    txn->writes++;
    int status = db_add(txn->writer, sql, args, NULL, NULL);
    if (status < 0)
        txn->status = status;
}

int txn_write_body(struct txn *txn, const char *sql, struct db_args *args,
                   const ProtobufCMessage *message)
{
    db_message(args, message);
    if (args->failed) {
        db_args_done(args);
        return -ENOMEM;
    }
    txn_write(txn, sql, args);
    return 0;
}

static bool has_room(struct txn *txn)
{
    if (txn->item_count < txn->item_capacity)
        return true;
    size_t capacity = txn->item_capacity ? txn->item_capacity * 2 : 64;
    struct ring_item **items = realloc(txn->items, capacity * sizeof(struct ring_item *));
    if (!items)
        return false;
    txn->items = items;
    txn->item_capacity = capacity;
    return true;
}

uint64_t txn_emit(struct txn *txn, const char *site, const char *key, const char *type,
                  int64_t at_us, const void *body, size_t len)
{
    assert(txn->phase == TXN_APPLYING);
    struct record record = {
        .shard = txn->shard,
        .epoch = txn->epoch,
        .seq = txn->first_seq + txn->item_count,
        .site = site,
        .key = key,
        .type = type,
        .at_us = at_us ? at_us : txn->now_us,
        .body = {body, len},
    };
    stream_chain(txn->hash, &record, record.hash);
    struct ring_item *item = has_room(txn) ? ring_item_new(&record) : NULL;
    if (!item) {
        txn->status = -ENOMEM;
        return record.seq;
    }
    memcpy(txn->hash, record.hash, sizeof txn->hash);
    txn->items[txn->item_count++] = item;
    txn->item_bytes += len;
    return record.seq;
}

static void on_appended(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error)
{
    (void)rows;
    struct txn *txn = arg;
    /* Cancelled is not failed: then the error is another statement's. */
    txn->has_no_place =
        status != -ECANCELED && error &&
        (strcmp(error->sqlstate, "23505") == 0 || strcmp(error->sqlstate, "23514") == 0);
}

static void push_items(const struct txn *txn, struct db_args *args)
{
    db_array(args, DB_TEXT);
    for (size_t i = 0; i < txn->item_count; i++)
        db_push_text(args, txn->items[i]->record.site);
    db_array(args, DB_TEXT);
    for (size_t i = 0; i < txn->item_count; i++)
        db_push_text(args, txn->items[i]->record.key);
    db_array(args, DB_TEXT);
    for (size_t i = 0; i < txn->item_count; i++)
        db_push_text(args, txn->items[i]->record.type);
    db_array(args, DB_TIME);
    for (size_t i = 0; i < txn->item_count; i++)
        db_push_time(args, txn->items[i]->record.at_us);
    db_array(args, DB_BYTES);
    for (size_t i = 0; i < txn->item_count; i++)
        db_push_bytes(args, txn->items[i]->record.body.at, txn->items[i]->record.body.len);
    db_array(args, DB_BYTES);
    for (size_t i = 0; i < txn->item_count; i++)
        db_push_bytes(args, txn->items[i]->record.hash, SEAL_HASH_SIZE);
}

static int append(struct txn *txn)
{
    struct db_args args;
    db_args_init(&args);
    db_i32(&args, txn->shard);
    db_i64(&args, (int64_t)txn->first_seq);
    db_i32(&args, (int32_t)txn->epoch);
    push_items(txn, &args);
    return db_add(txn->writer, append_sql, &args, on_appended, txn);
}

static int add_mark(struct txn *txn, const char *sql, uint64_t number)
{
    struct db_args args;
    db_args_init(&args);
    db_i32(&args, txn->shard);
    db_i32(&args, (int32_t)txn->epoch);
    db_i64(&args, (int64_t)number);
    return db_add(txn->writer, sql, &args, NULL, NULL);
}

/* What makes the outcome of this transaction durable and decidable. */
static int seal_off(struct txn *txn)
{
    if (txn->item_count > 0)
        return append(txn);
    if (txn->applied == 0)
        return 0;
    int status = add_mark(txn, mark_sql, txn->number);
    if (status == 0 && txn->number % MARKS_KEPT == 0)
        status = add_mark(txn, unmark_sql, txn->number - MARKS_KEPT);
    return status;
}

int txn_apply(struct txn *txn, db_result_fn *on_done, void *arg)
{
    int status = db_begin(txn->writer);
    if (status < 0)
        return status;
    txn->phase = TXN_APPLYING;
    size_t i = 0;
    for (struct work *work = txn->works; work && txn->status == 0; work = work->next, i++) {
        size_t before = txn->writes + txn->item_count;
        txn->refusals[i] = work->ops->apply(work, txn);
        if (txn->refusals[i] < 0)
            assert(txn->writes + txn->item_count == before);
        else
            txn->applied++;
    }
    txn->phase = TXN_SENT;
    if (txn->status == 0)
        txn->status = seal_off(txn);
    if (txn->status < 0) {
        db_reset(txn->writer); /* half a transaction is sent: nothing may ever commit it */
        return txn->status;
    }
    return db_commit(txn->writer, on_done, arg);
}
