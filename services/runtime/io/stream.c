#include "io/stream.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "io/bisect.h"
#include "io/history.h"
#include "io/txn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEND_EVERY_MS (UINT64_C(3600) * 1000)
#define RECORDS_AHEAD UINT64_C(2000000) /* partitions are made this far before they are needed */

/* --- metrics ---------------------------------------------------------------------------------- */

static struct metric records_total = {
    .name = "moment_stream_records_total",
    .kind = METRIC_COUNTER,
    .help = "Records appended and committed.",
};
static struct metric record_bytes_total = {
    .name = "moment_stream_record_bytes_total",
    .kind = METRIC_COUNTER,
    .help = "Bytes of the bodies of records appended and committed.",
};
static struct metric batch_works = {
    .name = "moment_stream_batch_works",
    .kind = METRIC_HISTOGRAM,
    .help = "Works in one committed transaction.",
    .first_bound = 1,
};
static struct metric commit_seconds = {
    .name = "moment_stream_commit_seconds",
    .kind = METRIC_HISTOGRAM,
    .help = "From the start of a batch to its durable commit.",
    .first_bound = 0.0005,
};
static struct metric retries_total = {
    .name = "moment_stream_retries_total",
    .kind = METRIC_COUNTER,
    .help = "Batches tried again after a transient error.",
};
static struct metric bisections_total = {
    .name = "moment_stream_bisections_total",
    .kind = METRIC_COUNTER,
    .help = "Batches split because the database refused something in them.",
};
static struct metric refused_total = {
    .name = "moment_stream_refused_works_total",
    .kind = METRIC_COUNTER,
    .help = "Works that the database refused when they were tried alone.",
};
static struct metric in_doubt_total = {
    .name = "moment_stream_in_doubt_total",
    .kind = METRIC_COUNTER,
    .help = "Commits whose outcome was cut off, by what it turned out to be.",
    .label = "outcome",
};
static struct metric epochs_total = {
    .name = "moment_stream_epochs_total",
    .kind = METRIC_COUNTER,
    .help = "Times that this process became the stream's writer.",
};
static struct metric ring_bytes = {
    .name = "moment_stream_ring_bytes",
    .kind = METRIC_GAUGE,
    .help = "Memory that the newest records take.",
};

struct metric *const stream_metrics[] = {
    &records_total,
    &record_bytes_total,
    &batch_works,
    &commit_seconds,
    &retries_total,
    &bisections_total,
    &refused_total,
    &in_doubt_total,
    &epochs_total,
    &ring_bytes,
    &db_connects_total,
    &db_losses_total,
    &stream_cold_reads_total,
};
const size_t stream_metric_count = countof(stream_metrics);

/* --- the writer ------------------------------------------------------------------------------- */

enum stream_state {
    STREAM_DOWN,     /* no connection */
    STREAM_CLAIMING, /* waits for the lock, reads where the stream stands, takes an epoch */
    STREAM_IDLE,     /* ready, nothing in flight */
    STREAM_LOADING,  /* reads of a batch are in flight */
    STREAM_WRITING,  /* its transaction is in flight */
    STREAM_TENDING,  /* partitions are being made */
    STREAM_BACKOFF,  /* ready, but waits after a transient error */
};

/* What was read under the lock. */
struct claim {
    uint64_t head_seq;
    uint64_t tail_seq;
    uint8_t head_hash[SEAL_HASH_SIZE];
    uint32_t epoch;
    bool has_landed; /* the batch in doubt is there */
    int status;      /* of what the callbacks did with the rows */
};

struct stream {
    struct loop *loop; /* borrowed */
    char *service;
    uint16_t shard;
    size_t queue_bytes_max;
    void (*on_ready)(void *arg, bool is_ready);
    void (*forget)(void *arg);
    void *arg;

    enum stream_state state;
    struct db *writer;
    struct timer *turn; /* the next step, now or after a back-off */
    struct timer *tend; /* every hour: partitions for the days to come */
    struct retry retry;
    char trouble[sizeof((struct db_error *)0)->message];

    struct history history;
    uint32_t epoch;
    uint8_t head_hash[SEAL_HASH_SIZE];
    uint64_t batches;    /* in this epoch */
    uint64_t places_end; /* first number without a partition */
    bool wants_tending;
    bool cannot_tend; /* the last try failed; go on with the places that there are */
    struct claim claim;

    struct work *first;
    struct work *last;
    size_t queued;
    size_t queued_bytes;
    struct bisect bisect;

    struct txn txn;   /* the batch in flight, or the one in doubt */
    bool is_in_doubt; /* its COMMIT was sent and its outcome is not known */

    bool is_draining;
    void (*on_drained)(void *arg);
    void *drained_arg;
    size_t calls; /* of the owner's callbacks, on the stack now */
    bool is_closed;
};

static void claim(struct stream *stream);

struct history *stream_history(struct stream *stream)
{
    return &stream->history;
}

bool stream_is_ready(const struct stream *stream)
{
    return stream->state >= STREAM_IDLE;
}

struct position stream_head(const struct stream *stream)
{
    return stream->history.head;
}

uint64_t stream_tail(const struct stream *stream)
{
    return stream->history.tail;
}

size_t stream_queued_bytes(const struct stream *stream)
{
    return stream->queued_bytes;
}

const char *stream_trouble(const struct stream *stream)
{
    return stream->trouble[0] || db_is_up(stream->writer) ? stream->trouble
                                                          : db_trouble(stream->writer);
}

static void put_u64(uint8_t to[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

void stream_chain(const uint8_t previous[SEAL_HASH_SIZE], const struct record *record,
                  uint8_t ret_hash[SEAL_HASH_SIZE])
{
    const struct slice texts[] = {slice_of(record->site), slice_of(record->key),
                                  slice_of(record->type), record->body};
    const uint64_t numbers[] = {record->shard, record->seq,  record->epoch, (uint64_t)record->at_us,
                                texts[0].len,  texts[1].len, texts[2].len,  texts[3].len};
    uint8_t fixed[sizeof numbers];
    for (size_t i = 0; i < countof(numbers); i++)
        put_u64(fixed + 8 * i, numbers[i]);
    const struct slice parts[] = {
        {(const char *)previous, SEAL_HASH_SIZE},
        {(const char *)fixed, sizeof fixed},
        texts[0],
        texts[1],
        texts[2],
        texts[3],
    };
    seal_hash(parts, countof(parts), ret_hash);
}

static void free_stream(struct stream *stream)
{
    timer_free(&stream->turn);
    timer_free(&stream->tend);
    history_done(&stream->history);
    free(stream->service);
    free(stream);
}

/* Around every call of the owner: it may close the stream inside. After leave the stream may be
 * gone; leave tells. */
static void enter(struct stream *stream)
{
    stream->calls++;
}

static bool leave(struct stream *stream)
{
    stream->calls--;
    if (!stream->is_closed)
        return true;
    if (stream->calls == 0)
        free_stream(stream);
    return false;
}

static void remember_trouble(struct stream *stream, int status, const struct db_error *error)
{
    text_copy(stream->trouble, sizeof stream->trouble, error ? error->message : strerror(-status));
    log_debug("stream_trouble", "service=%s sqlstate=%s status=%d", stream->service,
              error ? error->sqlstate : "", status);
}

static uint32_t next_delay_ms(struct stream *stream)
{
    uint32_t random;
    seal_random(&random, sizeof random);
    return retry_next_ms(&stream->retry, random);
}

static void back_off(struct stream *stream)
{
    timer_start(stream->turn, next_delay_ms(stream), 0);
}

static void kick(struct stream *stream)
{
    if (stream->state == STREAM_IDLE)
        timer_start(stream->turn, 0, 0);
}

static void forget(struct stream *stream)
{
    if (stream->forget)
        stream->forget(stream->arg);
}

/* --- the queue -------------------------------------------------------------------------------- */

int stream_submit(struct stream *stream, struct work *work)
{
    assert(work->ops);
    assert(work->ops->apply);
    assert(work->ops->done);
    if (stream->is_draining || stream->is_closed)
        return -ESHUTDOWN;
    if (work->bytes > stream->queue_bytes_max ||
        stream->queued_bytes > stream->queue_bytes_max - work->bytes)
        return -ENOBUFS;
    work->next = NULL;
    work->attempts = 0;
    if (stream->last)
        stream->last->next = work;
    else
        stream->first = work;
    stream->last = work;
    stream->queued++;
    stream->queued_bytes += work->bytes;
    kick(stream);
    return 0;
}

/* Cuts the next batch off the front of the queue. */
static struct work *take_batch(struct stream *stream, size_t *ret_count)
{
    size_t most = bisect_take(&stream->bisect, STREAM_BATCH_WORKS);
    size_t count = 0;
    size_t bytes = 0;
    struct work *first = stream->first;
    struct work *last = NULL;
    for (struct work *work = first; work && count < most; work = work->next) {
        if (count > 0 && bytes + work->bytes > STREAM_BATCH_BYTES)
            break;
        bytes += work->bytes;
        work->attempts++;
        last = work;
        count++;
    }
    assert(last);
    stream->first = last->next;
    if (!stream->first)
        stream->last = NULL;
    last->next = NULL;
    stream->queued -= count;
    stream->queued_bytes -= bytes;
    *ret_count = count;
    return first;
}

/* The works of a batch that did not commit go back to where they were: the front. */
static void put_back(struct stream *stream, struct work *works)
{
    struct work *last = NULL;
    for (struct work *work = works; work; work = work->next) {
        stream->queued++;
        stream->queued_bytes += work->bytes;
        last = work;
    }
    if (!last)
        return;
    last->next = stream->first;
    if (!stream->first)
        stream->last = last;
    stream->first = works;
}

static void give_back(struct stream *stream)
{
    struct work *works = stream->txn.works;
    txn_done(&stream->txn);
    put_back(stream, works);
    forget(stream);
}

/* --- the end of a batch ----------------------------------------------------------------------- */

/* False: a callback closed the stream, and it is gone. */
static bool finish_works(struct stream *stream, struct work *works, const int *refusals)
{
    enter(stream);
    size_t i = 0;
    for (struct work *work = works, *next; work; work = next, i++) {
        next = work->next;
        work->next = NULL;
        work->ops->done(work, refusals[i] < 0 ? refusals[i] : 0, NULL);
    }
    return leave(stream);
}

static void take_records(struct stream *stream)
{
    struct txn *txn = &stream->txn;
    for (size_t i = 0; i < txn->item_count; i++)
        ring_push(&stream->history.ring, txn->items[i]);
    if (txn->item_count > 0) {
        stream->history.head =
            (struct position){stream->epoch, txn->first_seq + txn->item_count - 1};
        memcpy(stream->head_hash, txn->hash, sizeof stream->head_hash);
    }
    metric_add(&records_total, NULL, (double)txn->item_count);
    metric_add(&record_bytes_total, NULL, (double)txn->item_bytes);
    metric_observe(&batch_works, NULL, (double)txn->work_count);
    metric_observe(&commit_seconds, NULL, (double)(clock_mono_us() - txn->began_us) / 1e6);
    metric_set(&ring_bytes, NULL, (double)stream->history.ring.bytes);
    txn->item_count = 0;
    follower_wake_all(&stream->history);
}

/* The batch is durable. False: the stream is gone. */
static bool finish_batch(struct stream *stream)
{
    struct work *works = stream->txn.works;
    int *refusals = stream->txn.refusals;
    stream->txn.refusals = NULL;
    stream->txn.works = NULL;
    bisect_passed(&stream->bisect, stream->txn.work_count);
    txn_done(&stream->txn);
    stream->trouble[0] = 0;
    retry_reset(&stream->retry);
    bool is_open = finish_works(stream, works, refusals);
    free(refusals);
    return is_open;
}

/* The batch is surely not there, and trying it again as it is would not help. */
static void split_batch(struct stream *stream, int status, const struct db_error *error)
{
    size_t count = stream->txn.work_count;
    give_back(stream);
    if (!bisect_failed(&stream->bisect, count)) {
        metric_add(&bisections_total, NULL, 1);
        return;
    }
    metric_add(&refused_total, NULL, 1);
    struct work *culprit = stream->first;
    stream->first = culprit->next;
    if (!stream->first)
        stream->last = NULL;
    stream->queued--;
    stream->queued_bytes -= culprit->bytes;
    culprit->next = NULL;
    culprit->ops->done(culprit, status, error);
}

static void fail_batch(struct stream *stream, int status, const struct db_error *error)
{
    remember_trouble(stream, status, error);
    if (status == -EBADMSG || status == -EEXIST) {
        stream->state = STREAM_IDLE;
        enter(stream);
        split_batch(stream, status, error);
        if (leave(stream))
            kick(stream);
        return;
    }
    metric_add(&retries_total, NULL, 1);
    give_back(stream);
    stream->state = STREAM_BACKOFF;
    back_off(stream);
}

/* --- a batch ---------------------------------------------------------------------------------- */

static void on_committed(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error)
{
    (void)rows;
    struct stream *stream = arg;
    if (stream->is_closed)
        return;
    bool has_warning = db_take_notice(stream->writer);
    if (status == -ECONNRESET || (status == 0 && has_warning)) {
        /* Decided under the lock of the next connection. */
        stream->is_in_doubt = true;
        db_reset(stream->writer);
        return;
    }
    if (status == 0) {
        take_records(stream);
        stream->state = STREAM_IDLE;
        if (finish_batch(stream))
            kick(stream);
        return;
    }
    if (stream->txn.has_no_place) {
        remember_trouble(stream, status, error);
        give_back(stream);
        db_reset(stream->writer);
        return;
    }
    fail_batch(stream, status, error);
}

static void apply_batch(struct stream *stream)
{
    struct txn *txn = &stream->txn;
    stream->state = STREAM_WRITING;
    txn->shard = stream->shard;
    txn->epoch = stream->epoch;
    txn->number = ++stream->batches;
    txn->first_seq = stream->history.head.seq + 1;
    memcpy(txn->hash, stream->head_hash, sizeof txn->hash);
    (void)db_take_notice(stream->writer);
    int status = txn_apply(txn, on_committed, stream);
    /* The connection is lost now; its end gives the batch back. */
    if (status < 0)
        remember_trouble(stream, status, NULL);
}

static void on_loaded(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    (void)rows;
    struct stream *stream = arg;
    if (stream->is_closed || status == -ECONNRESET)
        return;
    if (status < 0)
        fail_batch(stream, status, error);
    else
        apply_batch(stream);
}

static void start_batch(struct stream *stream)
{
    size_t count;
    struct work *works = take_batch(stream, &count);
    stream->state = STREAM_LOADING;
    int status = txn_init(&stream->txn, stream->writer, works, count);
    if (status < 0) {
        fail_batch(stream, status, NULL);
        return;
    }
    status = txn_load(&stream->txn, on_loaded, stream);
    if (status == 0)
        apply_batch(stream);
    else if (status < 0)
        remember_trouble(stream, status, NULL); /* the connection is lost */
}

/* --- partitions ------------------------------------------------------------------------------- */

static void on_tended(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct stream *stream = arg;
    if (stream->is_closed || status == -ECONNRESET)
        return;
    stream->cannot_tend = status < 0;
    if (status == 0)
        stream->places_end = (uint64_t)db_get_i64(rows, 0, 0);
    else
        remember_trouble(stream, status, error);
    stream->state = STREAM_IDLE;
    kick(stream);
}

static void tend(struct stream *stream)
{
    stream->wants_tending = false;
    stream->state = STREAM_TENDING;
    if (db_query(stream->writer, "select ensure_partitions()", NULL, on_tended, stream) < 0)
        db_reset(stream->writer);
}

static void on_tend_time(void *arg)
{
    struct stream *stream = arg;
    stream->wants_tending = true;
    kick(stream);
}

/* --- claiming the stream ---------------------------------------------------------------------- */

static void on_claim_places(void *arg, int status, const struct db_rows *rows,
                            const struct db_error *error)
{
    (void)error;
    struct stream *stream = arg;
    if (status == 0)
        stream->places_end = (uint64_t)db_get_i64(rows, 0, 0);
}

static void on_claim_epochs(void *arg, int status, const struct db_rows *rows,
                            const struct db_error *error)
{
    (void)error;
    struct stream *stream = arg;
    if (status < 0)
        return;
    for (size_t i = 0; i < db_count(rows); i++) {
        uint32_t epoch = (uint32_t)db_get_i64(rows, i, 0);
        uint64_t start_seq = (uint64_t)db_get_i64(rows, i, 1);
        if (history_add_epoch(&stream->history, epoch, start_seq) < 0)
            stream->claim.status = -ENOMEM;
        stream->claim.epoch = epoch;
    }
}

static void on_claim_head(void *arg, int status, const struct db_rows *rows,
                          const struct db_error *error)
{
    (void)error;
    struct stream *stream = arg;
    if (status < 0 || db_count(rows) == 0)
        return;
    struct slice hash = db_get_bytes(rows, 0, 1);
    stream->claim.head_seq = (uint64_t)db_get_i64(rows, 0, 0);
    if (hash.len == SEAL_HASH_SIZE)
        memcpy(stream->claim.head_hash, hash.at, SEAL_HASH_SIZE);
}

static void on_claim_tail(void *arg, int status, const struct db_rows *rows,
                          const struct db_error *error)
{
    (void)error;
    struct stream *stream = arg;
    if (status == 0 && db_count(rows) > 0)
        stream->claim.tail_seq = (uint64_t)db_get_i64(rows, 0, 0);
}

static void on_claim_doubt(void *arg, int status, const struct db_rows *rows,
                           const struct db_error *error)
{
    (void)error;
    struct stream *stream = arg;
    if (status == 0 && db_count(rows) > 0)
        stream->claim.has_landed = db_get_bool(rows, 0, 0);
}

/* Did the batch in doubt land? The hash of its last record stands for all of them and for their
 * place; a batch without records left a mark instead. */
static int ask_doubt(struct stream *stream)
{
    const struct txn *txn = &stream->txn;
    struct db_args args;
    db_args_init(&args);
    db_i32(&args, stream->shard);
    db_i64(&args, (int64_t)(txn->first_seq + txn->item_count - 1));
    db_bytes(&args, txn->hash, sizeof txn->hash);
    db_i32(&args, (int32_t)txn->epoch);
    db_i64(&args, (int64_t)txn->number);
    db_bool(&args, txn->item_count > 0);
    return db_add(stream->writer,
                  "select case when $6"
                  " then exists (select from stream where shard = $1 and seq = $2 and hash = $3)"
                  " else exists (select from mark where shard = $1 and epoch = $4 and batch = $5)"
                  " end",
                  &args, on_claim_doubt, stream);
}

static int ask_shard(struct stream *stream, const char *sql, db_result_fn *on_result)
{
    struct db_args args;
    db_args_init(&args);
    db_i32(&args, stream->shard);
    return db_add(stream->writer, sql, &args, on_result, stream);
}

static int ask_all(struct stream *stream, db_result_fn *on_done)
{
    int status = db_begin(stream->writer);
    if (status == 0)
        status = db_add(stream->writer, "set statement_timeout = 0", NULL, NULL, NULL);
    /* Waits until a rival, or our own last connection, can commit nothing any more. */
    if (status == 0)
        status = ask_shard(stream, "select pg_advisory_lock(hashtext(current_schema()), $1)", NULL);
    if (status == 0)
        status =
            db_add(stream->writer, "select ensure_partitions()", NULL, on_claim_places, stream);
    if (status == 0)
        status = ask_shard(stream, "select epoch, start_seq from epoch where shard = $1 order by 1",
                           on_claim_epochs);
    if (status == 0)
        status = ask_shard(
            stream, "select seq, hash from stream where shard = $1 order by seq desc limit 1",
            on_claim_head);
    if (status == 0)
        status = ask_shard(stream, "select seq from stream where shard = $1 order by seq limit 1",
                           on_claim_tail);
    if (status == 0 && stream->is_in_doubt)
        status = ask_doubt(stream);
    return status == 0 ? db_commit(stream->writer, on_done, stream) : status;
}

/* True: the connection, and with it the lock, is gone or must be given up. */
static bool claim_failed(struct stream *stream, int status, const struct db_error *error)
{
    if (status == 0 && !db_take_notice(stream->writer))
        return false;
    if (status == -ECONNRESET)
        return true;
    remember_trouble(stream, status < 0 ? status : -EAGAIN, error);
    /* Session locks nest: dropping the connection is how to be sure to hold it once. */
    db_reset(stream->writer);
    return true;
}

/* The batch whose outcome was not known: it is there, or it is done again from its load. */
static bool settle_doubt(struct stream *stream)
{
    if (!stream->is_in_doubt)
        return true;
    stream->is_in_doubt = false;
    metric_add(&in_doubt_total, stream->claim.has_landed ? "landed" : "lost", 1);
    if (!stream->claim.has_landed) {
        struct work *works = stream->txn.works;
        txn_done(&stream->txn);
        put_back(stream, works);
        return true;
    }
    uint32_t epoch = stream->epoch;
    struct position head = stream->history.head;
    stream->epoch = stream->txn.epoch;
    take_records(stream);
    stream->epoch = epoch;
    /* A rival may have gone on from there; what was read under the lock is the truth. */
    stream->history.head = head;
    memcpy(stream->head_hash, stream->claim.head_hash, sizeof stream->head_hash);
    return finish_batch(stream);
}

static void become_ready(struct stream *stream)
{
    const struct claim *claim = &stream->claim;
    struct history *history = &stream->history;
    /* Whoever else wrote meanwhile, or took back what was written: the ring no longer tells. */
    const uint8_t *expected = claim->has_landed ? stream->txn.hash : stream->head_hash;
    if (memcmp(claim->head_hash, expected, SEAL_HASH_SIZE) != 0)
        ring_clear(&history->ring);
    history->head = (struct position){stream->epoch, claim->head_seq};
    history->tail = claim->tail_seq ? claim->tail_seq : claim->head_seq + 1;
    history->is_known = true;
    memcpy(stream->head_hash, claim->head_hash, sizeof stream->head_hash);
    stream->batches = 0;
    stream->cannot_tend = false;
    stream->trouble[0] = 0;
    retry_reset(&stream->retry);
    metric_add(&epochs_total, NULL, 1);
    stream->state = STREAM_IDLE;
    enter(stream);
    bool is_open = settle_doubt(stream);
    if (is_open) {
        follower_wake_all(history);
        if (stream->on_ready)
            stream->on_ready(stream->arg, true);
    }
    /* leave tells whether it is still there; the analyser does not see that. */
    if (leave(stream)) /* NOLINT(clang-analyzer-unix.Malloc) */
        kick(stream);
}

static void on_epoch_taken(void *arg, int status, const struct db_rows *rows,
                           const struct db_error *error)
{
    (void)rows;
    struct stream *stream = arg;
    if (stream->is_closed || claim_failed(stream, status, error))
        return;
    if (history_add_epoch(&stream->history, stream->claim.epoch + 1, stream->claim.head_seq + 1) <
        0) {
        db_reset(stream->writer);
        return;
    }
    stream->epoch = stream->claim.epoch + 1;
    become_ready(stream);
}

static void on_claim_read(void *arg, int status, const struct db_rows *rows,
                          const struct db_error *error)
{
    (void)rows;
    struct stream *stream = arg;
    if (stream->is_closed ||
        claim_failed(stream, status < 0 ? status : stream->claim.status, error))
        return;
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    struct db_args args;
    db_args_init(&args);
    db_i32(&args, stream->shard);
    db_i32(&args, (int32_t)stream->claim.epoch + 1);
    db_i64(&args, (int64_t)stream->claim.head_seq + 1);
    db_text(&args, host);
    db_i32(&args, (int32_t)getpid());
    if (db_query(stream->writer,
                 "insert into epoch (shard, epoch, start_seq, host, pid)"
                 " values ($1, $2, $3, $4, $5)",
                 &args, on_epoch_taken, stream) < 0)
        db_reset(stream->writer);
}

static void claim(struct stream *stream)
{
    stream->claim = (struct claim){0};
    (void)db_take_notice(stream->writer);
    if (ask_all(stream, on_claim_read) < 0)
        db_reset(stream->writer);
}

/* --- connections and turns -------------------------------------------------------------------- */

static void on_writer_lost(struct stream *stream)
{
    bool was_ready = stream_is_ready(stream);
    stream->state = STREAM_DOWN;
    timer_stop(stream->turn);
    if (stream->is_in_doubt || !stream->txn.works)
        forget(stream); /* a rival may write while we are away */
    else
        give_back(stream);
    if (!was_ready || !stream->on_ready)
        return;
    enter(stream);
    stream->on_ready(stream->arg, false);
    (void)leave(stream);
}

static void on_writer(void *arg, bool is_up)
{
    struct stream *stream = arg;
    if (!is_up) {
        on_writer_lost(stream);
        return;
    }
    /* After a claim that failed, the next one waits longer: the database is up but not usable. */
    stream->state = STREAM_CLAIMING;
    timer_start(stream->turn, stream->trouble[0] ? next_delay_ms(stream) : 0, 0);
}

static void on_reader(void *arg, bool is_up)
{
    struct stream *stream = arg;
    if (!is_up)
        return;
    (void)!db_query(stream->history.reader, "set statement_timeout = 30000", NULL, NULL, NULL);
    follower_wake_all(&stream->history);
}

static void next_step(struct stream *stream)
{
    bool lacks_places = stream->history.head.seq + RECORDS_AHEAD > stream->places_end;
    if (stream->wants_tending || (lacks_places && !stream->cannot_tend)) {
        tend(stream);
    } else if (stream->first) {
        start_batch(stream);
    } else if (stream->is_draining && stream->on_drained) {
        void (*on_drained)(void *arg) = stream->on_drained;
        stream->on_drained = NULL;
        enter(stream);
        on_drained(stream->drained_arg);
        (void)leave(stream);
    }
}

static void on_turn(void *arg)
{
    struct stream *stream = arg;
    switch (stream->state) {
    case STREAM_CLAIMING:
        claim(stream);
        break;
    case STREAM_BACKOFF:
        stream->state = STREAM_IDLE;
        next_step(stream);
        break;
    case STREAM_IDLE:
        next_step(stream);
        break;
    case STREAM_DOWN:
    case STREAM_LOADING:
    case STREAM_WRITING:
    case STREAM_TENDING:
        break;
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static int open_db(struct stream *stream, const char *dsn, const char *role,
                   void (*on_state)(void *arg, bool is_up), struct db **ret_db)
{
    char *full = NULL;
    if (asprintf(&full, "%s application_name='moment-%s %s'", dsn, stream->service, role) < 0)
        return -ENOMEM;
    int status = db_open(stream->loop, full, on_state, stream, ret_db);
    free(full);
    return status;
}

static int open_parts(struct stream *stream, const struct stream_options *options)
{
    stream->service = strdup(options->service);
    int status = stream->service ? 0 : -ENOMEM;
    if (status == 0)
        status = timer_new(stream->loop, on_turn, stream, &stream->turn);
    if (status == 0)
        status = timer_new(stream->loop, on_tend_time, stream, &stream->tend);
    if (status == 0)
        status = open_db(stream, options->dsn, "reader", on_reader, &stream->history.reader);
    if (status == 0)
        status = open_db(stream, options->dsn, "writer", on_writer, &stream->writer);
    return status;
}

int stream_open(struct loop *loop, const struct stream_options *options, struct stream **ret_stream)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return -ENOMEM;
    stream->loop = loop;
    stream->shard = options->shard;
    stream->queue_bytes_max = options->queue_bytes_max;
    stream->on_ready = options->on_ready;
    stream->forget = options->forget;
    stream->arg = options->arg;
    stream->retry = (struct retry){.base_ms = 100, .max_ms = 5000};
    history_init(&stream->history, loop, options->shard, options->ring_bytes_max);
    int status = open_parts(stream, options);
    if (status < 0) {
        db_close(&stream->history.reader);
        free_stream(stream);
        return status;
    }
    metric_register(stream_metrics, stream_metric_count);
    timer_start(stream->tend, TEND_EVERY_MS, TEND_EVERY_MS);
    *ret_stream = stream;
    return 0;
}

void stream_drain(struct stream *stream, void (*on_drained)(void *arg), void *arg)
{
    stream->is_draining = true;
    stream->on_drained = on_drained;
    stream->drained_arg = arg;
    kick(stream);
}

static void cancel_works(struct work *works)
{
    for (struct work *work = works, *next; work; work = next) {
        next = work->next;
        work->next = NULL;
        work->ops->done(work, -ECANCELED, NULL);
    }
}

void stream_close(struct stream **ret_stream)
{
    struct stream *stream = *ret_stream;
    *ret_stream = NULL;
    if (!stream)
        return;
    assert(!stream->history.followers);
    stream->is_closed = true;
    timer_stop(stream->turn);
    timer_stop(stream->tend);
    db_close(&stream->writer);
    db_close(&stream->history.reader);
    struct work *in_flight = stream->txn.works;
    struct work *queued = stream->first;
    txn_done(&stream->txn);
    stream->first = NULL;
    stream->last = NULL;
    enter(stream);
    cancel_works(in_flight);
    cancel_works(queued);
    (void)leave(stream);
}
