#include "io/history.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* One turn of the loop delivers so much at most, that other things get their turn too. */
#define TURN_RECORDS 512
#define TURN_BYTES (256 * 1024)
#define COLD_RETRY_MS 200

struct metric stream_cold_reads_total = {
    .name = "moment_stream_cold_reads_total",
    .kind = METRIC_COUNTER,
    .help = "Chunks of records read from the table because the memory ring had rolled over.",
};

/* A chunk is at most 512 records and, but for its first record, about a megabyte. */
static const char cold_sql[] = "select seq, epoch, site, key, type, at, body, hash from ("
                               " select c.*, sum(length(body)) over (order by seq) as total from ("
                               "  select * from stream where shard = $1 and seq > $2 and seq <= $3 "
                               "order by seq limit 512) c) d"
                               " where total - length(body) < 1048576 order by seq";

struct follower {
    struct follower *next; /* in its history */
    struct history *history;
    const struct follower_ops *ops; /* borrowed */
    void *arg;
    struct position at; /* last delivered */
    struct timer *turn;
    bool is_paused;
    bool has_failed;
    bool is_reading;
    bool is_delivering;
    bool is_closed;

    /* Cold records not yet delivered; owned. */
    struct ring_item **chunk;
    size_t chunk_count;
    size_t chunk_at;
};

static void drop_chunk(struct follower *follower)
{
    for (size_t i = 0; i < follower->chunk_count; i++)
        free(follower->chunk[i]);
    free(follower->chunk);
    follower->chunk = NULL;
    follower->chunk_count = 0;
    follower->chunk_at = 0;
}

static void free_follower(struct follower *follower)
{
    drop_chunk(follower);
    timer_free(&follower->turn);
    free(follower);
}

static void wake(struct follower *follower, uint64_t delay_ms)
{
    if (!follower->is_paused && !follower->has_failed && !follower->is_closed)
        timer_start(follower->turn, delay_ms, 0);
}

static void fail(struct follower *follower, int error)
{
    follower->has_failed = true;
    timer_stop(follower->turn);
    follower->ops->on_error(follower->arg, error);
}

static int take_chunk(struct follower *follower, const struct db_rows *rows)
{
    size_t count = db_count(rows);
    drop_chunk(follower);
    follower->chunk = calloc(count ? count : 1, sizeof(struct ring_item *));
    if (!follower->chunk)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct record record = {
            .shard = follower->history->shard,
            .seq = (uint64_t)db_get_i64(rows, i, 0),
            .epoch = (uint32_t)db_get_i64(rows, i, 1),
            .site = db_get_text(rows, i, 2),
            .key = db_get_text(rows, i, 3),
            .type = db_get_text(rows, i, 4),
            .at_us = db_get_time(rows, i, 5),
            .body = db_get_bytes(rows, i, 6),
        };
        struct slice hash = db_get_bytes(rows, i, 7);
        for (size_t byte = 0; byte < hash.len && byte < SEAL_HASH_SIZE; byte++)
            record.hash[byte] = (uint8_t)hash.at[byte];
        follower->chunk[i] = ring_item_new(&record);
        if (!follower->chunk[i])
            return -ENOMEM;
        follower->chunk_count++;
    }
    /* Numbers are dense: whatever is missing at the front has been dropped by retention. */
    bool is_next = count > 0 && follower->chunk[0]->record.seq == follower->at.seq + 1;
    return is_next ? 0 : -ERANGE;
}

static void on_chunk(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error)
{
    (void)error;
    struct follower *follower = arg;
    follower->is_reading = false;
    if (follower->is_closed) {
        free_follower(follower);
        return;
    }
    if (status == 0)
        status = take_chunk(follower, rows);
    if (status == -ERANGE)
        fail(follower, -ERANGE);
    else
        wake(follower, status == 0 ? 0 : COLD_RETRY_MS);
}

static void read_cold(struct follower *follower)
{
    const struct history *history = follower->history;
    if (follower->is_reading)
        return;
    struct db_args args;
    db_args_init(&args);
    db_i32(&args, history->shard);
    db_i64(&args, (int64_t)follower->at.seq);
    db_i64(&args, (int64_t)history->head.seq);
    if (!history->reader || db_query(history->reader, cold_sql, &args, on_chunk, follower) < 0) {
        if (!history->reader)
            db_args_done(&args);
        wake(follower, COLD_RETRY_MS);
        return;
    }
    follower->is_reading = true;
    metric_add(&stream_cold_reads_total, NULL, 1);
}

/* The record after the last one delivered, from the ring or from what was read; null: neither. */
static const struct record *next_record(struct follower *follower)
{
    uint64_t seq = follower->at.seq + 1;
    while (follower->chunk_at < follower->chunk_count) {
        const struct record *record = &follower->chunk[follower->chunk_at]->record;
        if (record->seq == seq)
            return record;
        follower->chunk_at++;
    }
    drop_chunk(follower);
    return ring_get(&follower->history->ring, seq);
}

static bool is_running(const struct follower *follower)
{
    return !follower->is_paused && !follower->is_closed && !follower->has_failed;
}

static void deliver(struct follower *follower)
{
    size_t bytes = 0;
    for (size_t i = 0; i < TURN_RECORDS && bytes < TURN_BYTES && is_running(follower); i++) {
        if (follower->at.seq >= follower->history->head.seq) {
            if (follower->ops->on_idle)
                follower->ops->on_idle(follower->arg);
            return;
        }
        const struct record *record = next_record(follower);
        if (!record) {
            read_cold(follower);
            return;
        }
        bytes += record->body.len;
        follower->at = (struct position){record->epoch, record->seq};
        if (!follower->ops->on_record(follower->arg, record))
            follower->is_paused = true;
    }
    wake(follower, 0);
}

static void on_turn(void *arg)
{
    struct follower *follower = arg;
    if (!follower->history->is_known || !is_running(follower))
        return;
    int status = history_check(follower->history, follower->at);
    if (status < 0) {
        fail(follower, status);
        return;
    }
    follower->is_delivering = true;
    deliver(follower);
    follower->is_delivering = false;
    if (follower->is_closed && !follower->is_reading)
        free_follower(follower);
}

void follower_wake_all(struct history *history)
{
    for (struct follower *follower = history->followers; follower; follower = follower->next)
        wake(follower, 0);
}

int follower_open(struct stream *stream, struct position from, const struct follower_ops *ops,
                  void *arg, struct follower **ret_follower)
{
    assert(ops->on_record);
    assert(ops->on_error);
    struct history *history = stream_history(stream);
    struct follower *follower = calloc(1, sizeof *follower);
    if (!follower)
        return -ENOMEM;
    int status = timer_new(history->loop, on_turn, follower, &follower->turn);
    if (status < 0) {
        free(follower);
        return status;
    }
    follower->history = history;
    follower->ops = ops;
    follower->arg = arg;
    follower->at = from;
    follower->next = history->followers;
    history->followers = follower;
    wake(follower, 0);
    *ret_follower = follower;
    return 0;
}

void follower_resume(struct follower *follower)
{
    follower->is_paused = false;
    wake(follower, 0);
}

void follower_close(struct follower **ret_follower)
{
    struct follower *follower = *ret_follower;
    *ret_follower = NULL;
    if (!follower)
        return;
    struct follower **link = &follower->history->followers;
    while (*link != follower)
        link = &(*link)->next;
    *link = follower->next;
    follower->is_closed = true;
    timer_stop(follower->turn);
    if (!follower->is_reading && !follower->is_delivering)
        free_follower(follower);
}
