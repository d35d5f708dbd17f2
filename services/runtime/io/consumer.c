#include "io/consumer.h"

#include "base/clock.h"
#include "io/bus_parts.h"
#include "io/counters.h"
#include "io/intake.h"
#include "io/quarantine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREDIT_BYTES (4 * 1024 * 1024)
#define CHUNK_RECORDS_MAX 1000
#define CHUNK_BYTES_MAX (1024 * 1024)
#define SHARD 0
#define RETRY_MS 1000
#define STALL_US (5 * US_PER_S)
#define CURSOR_ROWS_KEPT 1000
/* So often may a start end before what it was to apply is committed. */
#define TRIES_IN_COMPANY 3

enum state {
    CONSUMER_WAITING,  /* no link */
    CONSUMER_LOCATING, /* asking the database how far we are */
    CONSUMER_FLOWING,
    CONSUMER_STUCK, /* halted */
    CONSUMER_STOPPED,
};

/* A record that failed alone: the next time it goes to quarantine. */
struct suspect {
    uint64_t seq; /* 0: none */
    char sqlstate[6];
    char error[512];
};

/* Whether one of the next records may end the process. */
struct wariness {
    bool is_wary;     /* what comes next is written down first; so it begins */
    bool is_writing;  /* that, just now */
    uint64_t written; /* the place that was written down; UINT64_MAX: none */
    size_t alone;     /* so many more records one by one */
};

struct consumer {
    struct consumer_options options;
    enum state state;
    char reason[200];
    struct intake intake;
    bool is_subscribed; /* the intake's nonce is one that the producer knows */
    struct position committed;
    bool is_located; /* committed was read from the database at least once */
    uint64_t head;   /* the producer's; UINT64_MAX: not heard */
    int64_t data_us; /* when DATA or a subscription last happened */
    uint64_t last_nonce;
    size_t chunk_max;
    struct suspect suspect;
    struct wariness wariness;
    struct chunk *chunk; /* in flight; the stream's until done */
    bool is_asking;      /* a cursor query is under way */
    bool is_closed;      /* free when it ends */
    unsigned chunks_until_trim;
    struct timer *timer; /* tries again after trouble */
};

struct chunk {
    struct work work; /* first */
    struct consumer *consumer;
    struct intake_item *items; /* owned */
    struct intake_item *last;
    size_t count;
    size_t weight;
    uint64_t nonce;
    bool is_poison;     /* straight to quarantine */
    size_t quarantined; /* of this attempt */
    char detail[300];   /* of the last one */
};

/* Where we are, and how often a process has tried in vain to get on from there. One row. */
static const char SQL_CURSOR[] =
    "select place.seq, place.epoch, count(attempt.at), coalesce(bool_or(is_alone), false) from "
    "(select coalesce(max(to_seq), 0) as seq, coalesce(max(epoch), 0) as epoch from "
    "(select to_seq, epoch from cursor where consumer = $1 and producer = $2 and shard = $3 "
    "order by from_seq desc limit 1) last) place "
    "left join attempt on consumer = $1 and producer = $2 and shard = $3 and from_seq = place.seq "
    "group by place.seq, place.epoch";
static const char SQL_ATTEMPT[] =
    "insert into attempt (consumer, producer, shard, from_seq, is_alone) "
    "values ($1, $2, $3, $4, $5)";
static const char SQL_ADVANCE[] =
    "insert into cursor (consumer, producer, shard, from_seq, to_seq, epoch) "
    "values ($1, $2, $3, $4, $5, $6)";
static const char SQL_TRIM[] =
    "delete from cursor where consumer = $1 and producer = $2 and shard = $3 and from_seq < "
    "(select from_seq from cursor where consumer = $1 and producer = $2 and shard = $3 "
    "order by from_seq desc offset $4 limit 1)";
static const char SQL_TRIM_ATTEMPTS[] =
    "delete from attempt where consumer = $1 and producer = $2 and shard = $3 and from_seq < $4";

static void locate(struct consumer *consumer);
static void pump(struct consumer *consumer);

static void tell(struct consumer *consumer, enum consumer_event event, const char *detail)
{
    consumer->options.on_event(consumer->options.arg, consumer->options.producer, event, detail);
}

/* The only way to another state. */
static void change_state(struct consumer *consumer, enum state state, const char *reason)
{
    const char *producer = consumer->options.producer;

    consumer->state = state;
    snprintf(consumer->reason, sizeof(consumer->reason), "%s", reason);
    metric_set(&counter_consumer_connected, producer, state == CONSUMER_FLOWING ? 1 : 0);
    metric_set(&counter_consumer_halted, producer, state == CONSUMER_STUCK ? 1 : 0);
}

static void show_lag(const struct consumer *consumer)
{
    uint64_t lag = consumer_lag(consumer);

    if (lag != UINT64_MAX) {
        metric_set(&counter_consumer_lag, consumer->options.producer, (double)lag);
    }
}

static void retry_later(struct consumer *consumer)
{
    if (!timer_is_active(consumer->timer)) {
        timer_start(consumer->timer, RETRY_MS, 0);
    }
}

/* --- chunks --- */

static void add_identity(struct db_args *args, const struct consumer *consumer)
{
    db_args_init(args);
    db_text(args, consumer->options.consumer);
    db_text(args, consumer->options.producer);
    db_i32(args, SHARD);
}

static void chunk_load(struct work *work, struct txn *txn)
{
    const struct chunk *chunk = container_of(work, struct chunk, work);
    const struct consumer_options *options = &chunk->consumer->options;

    for (const struct intake_item *item = chunk->items; item && options->load && !chunk->is_poison;
         item = item->next) {
        options->load(options->state, txn, &item->record);
    }
}

static void write_quarantine(struct chunk *chunk, struct txn *txn, const struct record *record,
                             const char *sqlstate, const char *error)
{
    quarantine_write(txn, chunk->consumer->options.consumer, chunk->consumer->options.producer,
                     record, sqlstate, error);
    chunk->quarantined++;
    snprintf(chunk->detail, sizeof(chunk->detail), "seq=%llu type=%.60s key=%.60s: %.140s",
             (unsigned long long)record->seq, record->type, record->key, error);
}

static void apply_item(struct chunk *chunk, struct txn *txn, const struct record *record)
{
    const struct consumer *consumer = chunk->consumer;

    if (chunk->is_poison) {
        write_quarantine(chunk, txn, record, consumer->suspect.sqlstate, consumer->suspect.error);
        return;
    }
    int rc =
        consumer->options.apply(consumer->options.state, txn, consumer->options.producer, record);
    if (rc < 0) {
        write_quarantine(chunk, txn, record, "", strerror(-rc));
    }
}

static int chunk_apply(struct work *work, struct txn *txn)
{
    struct chunk *chunk = container_of(work, struct chunk, work);
    const struct consumer *consumer = chunk->consumer;
    struct db_args args;

    chunk->quarantined = 0;
    for (const struct intake_item *item = chunk->items; item; item = item->next) {
        apply_item(chunk, txn, &item->record);
    }
    add_identity(&args, consumer);
    db_i64(&args, (int64_t)consumer->committed.seq);
    db_i64(&args, (int64_t)chunk->last->record.seq);
    db_i32(&args, (int32_t)chunk->last->record.epoch);
    txn_write(txn, SQL_ADVANCE, &args);
    return 0;
}

static void send_credit(struct consumer *consumer, const struct chunk *chunk)
{
    struct peer_link *at = bus_peer(consumer->options.bus, consumer->options.producer);
    Moment__V1__Frame frame;
    Moment__V1__Credit credit;

    if (!at || !consumer->is_subscribed || chunk->nonce != consumer->intake.nonce) {
        return;
    }
    moment__v1__credit__init(&credit);
    credit.nonce = chunk->nonce;
    credit.bytes = chunk->weight;
    credit.durable_seq = consumer->committed.seq;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_CREDIT;
    frame.credit = &credit;
    if (link_send(at->link, &frame) < 0) {
        consumer->is_subscribed = false; /* the link notices by itself */
    }
}

static void trim_done(struct work *work, int status unused_arg,
                      const struct db_error *error unused_arg)
{
    free(work); /* housekeeping: the next one will do it */
}

struct trim {
    struct work work;
    const struct consumer *consumer; /* outlives the stream's works */
};

static int trim_apply(struct work *work, struct txn *txn)
{
    const struct trim *trim = container_of(work, struct trim, work);
    struct db_args args;

    add_identity(&args, trim->consumer);
    db_i64(&args, CURSOR_ROWS_KEPT);
    txn_write(txn, SQL_TRIM, &args);
    add_identity(&args, trim->consumer);
    db_i64(&args, (int64_t)trim->consumer->committed.seq);
    txn_write(txn, SQL_TRIM_ATTEMPTS, &args);
    return 0;
}

static const struct work_ops trim_ops = {.apply = trim_apply, .done = trim_done};

static void trim_now_and_then(struct consumer *consumer)
{
    if (consumer->chunks_until_trim-- > 0) {
        return;
    }
    consumer->chunks_until_trim = CURSOR_ROWS_KEPT;
    struct trim *trim = calloc(1, sizeof(*trim));
    if (trim) {
        trim->work.ops = &trim_ops;
        trim->work.bytes = sizeof(*trim);
        trim->consumer = consumer;
        if (stream_submit(consumer->options.stream, &trim->work) < 0) {
            free(trim);
        }
    }
}

/* --- a record that ends the process --- */

/* At the first sight of our place: what did the processes before us leave there? A chunk has at
 * most CHUNK_RECORDS_MAX records, so what ended them is among so many. */
static void grow_wary(struct consumer *consumer, uint64_t tries, bool ended_alone)
{
    struct wariness *wariness = &consumer->wariness;

    *wariness = (struct wariness){.is_wary = true, .written = UINT64_MAX};
    if (tries >= TRIES_IN_COMPANY || ended_alone) {
        wariness->alone = CHUNK_RECORDS_MAX;
    }
    if (ended_alone) {
        consumer->suspect.seq = consumer->committed.seq + 1;
        text_copy(consumer->suspect.sqlstate, sizeof(consumer->suspect.sqlstate), "");
        text_copy(consumer->suspect.error, sizeof(consumer->suspect.error),
                  "crashed: the process ended while it applied this record alone");
    }
}

static void grow_calm(struct wariness *wariness, size_t applied)
{
    wariness->alone -= applied < wariness->alone ? applied : wariness->alone;
    wariness->is_wary = wariness->alone > 0;
}

struct attempt {
    struct work work;          /* first */
    struct consumer *consumer; /* outlives the stream's works */
    uint64_t from_seq;
    bool is_alone;
};

static int attempt_apply(struct work *work, struct txn *txn)
{
    const struct attempt *attempt = container_of(work, struct attempt, work);
    struct db_args args;

    add_identity(&args, attempt->consumer);
    db_i64(&args, (int64_t)attempt->from_seq);
    db_bool(&args, attempt->is_alone);
    txn_write(txn, SQL_ATTEMPT, &args);
    return 0;
}

static void attempt_done(struct work *work, int status, const struct db_error *error unused_arg)
{
    struct attempt *attempt = container_of(work, struct attempt, work);
    struct consumer *consumer = attempt->consumer;

    consumer->wariness.is_writing = false;
    if (status == 0) {
        consumer->wariness.written = attempt->from_seq;
        pump(consumer);
    } else if (consumer->state != CONSUMER_STOPPED) {
        retry_later(consumer);
    }
    free(attempt);
}

static const struct work_ops attempt_ops = {.apply = attempt_apply, .done = attempt_done};

/* True: not before attempt_done. What goes to quarantine is not applied and cannot end us. */
static bool must_write_down_first(struct consumer *consumer)
{
    struct wariness *wariness = &consumer->wariness;
    uint64_t place = consumer->committed.seq;

    if (!wariness->is_wary || wariness->written == place || consumer->suspect.seq == place + 1) {
        return false;
    }
    if (wariness->is_writing) {
        return true;
    }
    struct attempt *attempt = calloc(1, sizeof(*attempt));
    if (!attempt) {
        retry_later(consumer);
        return true;
    }
    attempt->work.ops = &attempt_ops;
    attempt->work.bytes = sizeof(*attempt);
    attempt->consumer = consumer;
    attempt->from_seq = place;
    attempt->is_alone = wariness->alone > 0;
    wariness->is_writing = true;
    if (stream_submit(consumer->options.stream, &attempt->work) < 0) {
        wariness->is_writing = false;
        free(attempt);
        retry_later(consumer);
    }
    return true;
}

static void chunk_committed(struct consumer *consumer, struct chunk *chunk)
{
    const struct record *last = &chunk->last->record;

    consumer->committed = (struct position){.epoch = last->epoch, .seq = last->seq};
    consumer->suspect.seq = 0;
    grow_calm(&consumer->wariness, chunk->count);
    consumer->chunk_max *= 2;
    if (consumer->chunk_max > CHUNK_RECORDS_MAX) {
        consumer->chunk_max = CHUNK_RECORDS_MAX;
    }
    metric_add(&counter_consumer_records, consumer->options.producer,
               (double)(chunk->count - chunk->quarantined));
    if (chunk->quarantined) {
        metric_add(&counter_quarantined, consumer->options.producer, (double)chunk->quarantined);
        tell(consumer, CONSUMER_QUARANTINED, chunk->detail);
    }
    send_credit(consumer, chunk);
    show_lag(consumer);
    trim_now_and_then(consumer);
}

static void suspect_record(struct suspect *suspect, const struct record *record, int status,
                           const struct db_error *error)
{
    suspect->seq = record->seq;
    text_copy(suspect->sqlstate, sizeof(suspect->sqlstate), error ? error->sqlstate : "");
    text_copy(suspect->error, sizeof(suspect->error), error ? error->message : strerror(-status));
}

/* Is it a rival, or a record that cannot be applied? The cursor tells. */
static void chunk_failed(struct consumer *consumer, struct chunk *chunk, int status,
                         const struct db_error *error)
{
    char detail[200];

    if (chunk->count == 1) {
        suspect_record(&consumer->suspect, &chunk->items->record, status, error);
    }
    consumer->chunk_max = chunk->count > 1 ? chunk->count / 2 : 1;
    snprintf(detail, sizeof(detail), "%zu records from seq %llu: %.120s", chunk->count,
             (unsigned long long)chunk->items->record.seq,
             error ? error->message : strerror(-status));
    tell(consumer, CONSUMER_TROUBLE, detail);
    if (chunk->nonce == consumer->intake.nonce) {
        intake_put_back(&consumer->intake, chunk->items);
        chunk->items = NULL;
    }
    if (consumer->state == CONSUMER_STOPPED) {
        return;
    }
    if (chunk->is_poison) {
        change_state(consumer, CONSUMER_WAITING, "");
        retry_later(consumer); /* not even quarantine takes it: no hurry */
    } else if (consumer->state == CONSUMER_FLOWING) {
        locate(consumer);
    }
}

static void chunk_done(struct work *work, int status, const struct db_error *error)
{
    struct chunk *chunk = container_of(work, struct chunk, work);
    struct consumer *consumer = chunk->consumer;
    bool was_asked = consumer->state == CONSUMER_LOCATING;

    assert(consumer->chunk == chunk);
    consumer->chunk = NULL;
    if (status == 0) {
        chunk_committed(consumer, chunk);
    } else {
        chunk_failed(consumer, chunk, status, error);
    }
    intake_free_items(chunk->items);
    free(chunk);
    if (was_asked) {
        locate(consumer); /* it waited for this chunk */
    } else {
        pump(consumer);
    }
}

static const struct work_ops chunk_ops = {
    .load = chunk_load,
    .apply = chunk_apply,
    .done = chunk_done,
};

static struct chunk *make_chunk(struct consumer *consumer)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk));

    if (!chunk) {
        return NULL;
    }
    chunk->items = intake_cut(&consumer->intake, consumer->wariness.alone ? 1 : consumer->chunk_max,
                              CHUNK_BYTES_MAX);
    for (struct intake_item *item = chunk->items; item; item = item->next) {
        chunk->last = item;
        chunk->count++;
        chunk->weight += item->weight;
    }
    chunk->work.ops = &chunk_ops;
    chunk->work.bytes = chunk->weight;
    chunk->consumer = consumer;
    chunk->nonce = consumer->intake.nonce;
    chunk->is_poison = chunk->count == 1 && chunk->items->record.seq == consumer->suspect.seq;
    return chunk;
}

static void pump(struct consumer *consumer)
{
    if (consumer->state != CONSUMER_FLOWING || consumer->chunk || consumer->intake.count == 0) {
        return;
    }
    assert(consumer->intake.first->record.seq == consumer->committed.seq + 1);
    if (must_write_down_first(consumer)) {
        return;
    }
    struct chunk *chunk = make_chunk(consumer);
    if (!chunk) {
        retry_later(consumer);
        return;
    }
    consumer->chunk = chunk;
    if (stream_submit(consumer->options.stream, &chunk->work) < 0) {
        /* Our own queue is full, or we drain: the records stay here and hold their credit. */
        consumer->chunk = NULL;
        intake_put_back(&consumer->intake, chunk->items);
        free(chunk);
        retry_later(consumer);
    }
}

/* --- finding the place --- */

static void subscribe(struct consumer *consumer)
{
    struct peer_link *at = bus_peer(consumer->options.bus, consumer->options.producer);
    Moment__V1__Frame frame;
    Moment__V1__Subscribe message;

    intake_restart(&consumer->intake, ++consumer->last_nonce, consumer->committed.seq);
    consumer->data_us = clock_mono_us();
    moment__v1__subscribe__init(&message);
    message.nonce = consumer->intake.nonce;
    message.shard = SHARD;
    message.epoch = consumer->committed.epoch;
    message.seq = consumer->committed.seq;
    message.credit = CREDIT_BYTES;
    message.consumer = (char *)(uintptr_t)consumer->options.consumer;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_SUBSCRIBE;
    frame.subscribe = &message;
    if (!at || link_send(at->link, &frame) < 0) {
        change_state(consumer, CONSUMER_WAITING, "");
        return;
    }
    consumer->is_subscribed = true;
    metric_add(&counter_consumer_resubscribed, consumer->options.producer, 1);
    change_state(consumer, CONSUMER_FLOWING, "");
    tell(consumer, CONSUMER_SUBSCRIBED, "");
}

static void located(struct consumer *consumer, struct position position)
{
    bool fits = consumer->is_subscribed && consumer->intake.first &&
                consumer->intake.first->record.seq == position.seq + 1;

    if (consumer->is_located && position.seq != consumer->committed.seq) {
        consumer->suspect.seq = 0;
        tell(consumer, CONSUMER_RIVAL, "another process moved our cursor");
    }
    consumer->committed = position;
    consumer->is_located = true;
    show_lag(consumer);
    if (fits) {
        change_state(consumer, CONSUMER_FLOWING, "");
        pump(consumer);
    } else {
        subscribe(consumer);
    }
}

static void on_cursor(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error unused_arg)
{
    struct consumer *consumer = arg;
    struct position position = {0};

    consumer->is_asking = false;
    if (consumer->is_closed) {
        free(consumer);
        return;
    }
    if (consumer->state != CONSUMER_LOCATING) {
        return;
    }
    if (status < 0) {
        retry_later(consumer);
        return;
    }
    position.seq = (uint64_t)db_get_i64(rows, 0, 0);
    position.epoch = (uint32_t)db_get_i64(rows, 0, 1);
    if (!consumer->is_located) {
        consumer->committed = position;
        grow_wary(consumer, (uint64_t)db_get_i64(rows, 0, 2), db_get_bool(rows, 0, 3));
    }
    located(consumer, position);
}

/* Ask the database, once no chunk of ours can move the cursor any more. */
static void locate(struct consumer *consumer)
{
    struct db_args args;

    if (consumer->state == CONSUMER_STOPPED) {
        return;
    }
    change_state(consumer, CONSUMER_LOCATING, "");
    if (consumer->chunk || consumer->is_asking) {
        return;
    }
    add_identity(&args, consumer);
    if (db_query(consumer->options.reader, SQL_CURSOR, &args, on_cursor, consumer) < 0) {
        retry_later(consumer);
    } else {
        consumer->is_asking = true;
    }
}

static void subscribe_again(struct consumer *consumer)
{
    consumer->is_subscribed = false;
    locate(consumer);
}

static void on_retry(void *arg)
{
    struct consumer *consumer = arg;

    if (consumer->state == CONSUMER_FLOWING) {
        pump(consumer);
    } else if (consumer->state != CONSUMER_STUCK &&
               bus_link_is_up(consumer->options.bus, consumer->options.producer)) {
        locate(consumer);
    }
}

/* --- what the producer says --- */

static void on_up(void *arg, const Moment__V1__Welcome *welcome)
{
    struct consumer *consumer = arg;

    consumer->head = welcome->head;
    subscribe_again(consumer);
}

static void on_down(void *arg)
{
    struct consumer *consumer = arg;

    consumer->is_subscribed = false;
    if (consumer->state != CONSUMER_STOPPED && consumer->state != CONSUMER_STUCK) {
        change_state(consumer, CONSUMER_WAITING, "");
    }
}

static void on_data(void *arg, const Moment__V1__Data *data)
{
    struct consumer *consumer = arg;

    if (!consumer->is_subscribed || consumer->state == CONSUMER_STOPPED) {
        return;
    }
    int rc = intake_take(&consumer->intake, data);
    if (rc == -ESTALE) {
        return;
    }
    consumer->data_us = clock_mono_us();
    /* Twice the credit: the producer does not keep to it. */
    if (rc < 0 || consumer->intake.weight > 2 * (size_t)CREDIT_BYTES) {
        subscribe_again(consumer);
        return;
    }
    if (consumer->head == UINT64_MAX || consumer->head < consumer->intake.expected - 1) {
        consumer->head = consumer->intake.expected - 1;
    }
    pump(consumer);
}

/* There is more, we could take it, and nothing comes: something was lost on the way. */
static bool is_stalled(const struct consumer *consumer)
{
    return consumer->state == CONSUMER_FLOWING && consumer->intake.count == 0 && !consumer->chunk &&
           consumer->head >= consumer->intake.expected &&
           clock_mono_us() - consumer->data_us > STALL_US;
}

static void on_beat(void *arg, const Moment__V1__Beat *beat)
{
    struct consumer *consumer = arg;

    consumer->head = beat->head;
    show_lag(consumer);
    if (is_stalled(consumer)) {
        subscribe_again(consumer);
    }
}

static void halt(struct consumer *consumer, const char *reason)
{
    consumer->is_subscribed = false;
    change_state(consumer, CONSUMER_STUCK, reason);
    tell(consumer, CONSUMER_HALTED, reason);
}

static void on_refuse(void *arg, const Moment__V1__Refuse *refuse)
{
    struct consumer *consumer = arg;
    char reason[200];

    if (consumer->state == CONSUMER_STOPPED) {
        return;
    }
    if (refuse->reason == MOMENT__V1__REFUSE__REASON__REASON_DIVERGED) {
        snprintf(reason, sizeof(reason), "diverged at epoch %u seq %llu: %.100s",
                 consumer->committed.epoch, (unsigned long long)consumer->committed.seq,
                 refuse->detail);
        halt(consumer, reason);
    } else if (refuse->reason == MOMENT__V1__REFUSE__REASON__REASON_TRUNCATED) {
        snprintf(reason, sizeof(reason), "truncated after epoch %u seq %llu: %.100s",
                 consumer->committed.epoch, (unsigned long long)consumer->committed.seq,
                 refuse->detail);
        halt(consumer, reason);
    } else {
        consumer->is_subscribed = false;
        change_state(consumer, CONSUMER_LOCATING, "");
        retry_later(consumer);
    }
}

static const struct subscriber subscriber = {
    .on_up = on_up,
    .on_down = on_down,
    .on_data = on_data,
    .on_beat = on_beat,
    .on_refuse = on_refuse,
};

/* --- life --- */

int consumer_open(const struct consumer_options *options, struct consumer **ret_consumer)
{
    struct consumer *consumer = calloc(1, sizeof(*consumer));

    assert(options->apply && options->on_event);
    if (!consumer) {
        return -ENOMEM;
    }
    consumer->options = *options;
    consumer->head = UINT64_MAX;
    consumer->chunk_max = CHUNK_RECORDS_MAX;
    consumer->chunks_until_trim = CURSOR_ROWS_KEPT;
    /* A nonce of an earlier process of ours means nothing to the producer: its session is gone. */
    consumer->last_nonce = (uint64_t)clock_wall_us();
    intake_init(&consumer->intake);
    int rc = timer_new(options->loop, on_retry, consumer, &consumer->timer);
    if (rc == 0) {
        rc = bus_subscribe(options->bus, options->producer, &subscriber, consumer);
    }
    if (rc < 0) {
        timer_free(&consumer->timer);
        free(consumer);
        return rc;
    }
    change_state(consumer, CONSUMER_WAITING, "");
    *ret_consumer = consumer;
    return 0;
}

void consumer_stop(struct consumer *consumer)
{
    change_state(consumer, CONSUMER_STOPPED, "");
    timer_stop(consumer->timer);
}

void consumer_close(struct consumer **consumer_at)
{
    struct consumer *consumer = *consumer_at;

    *consumer_at = NULL;
    if (!consumer) {
        return;
    }
    assert(!consumer->chunk); /* the stream has ended its works */
    bus_unsubscribe(consumer->options.bus, consumer->options.producer);
    timer_free(&consumer->timer);
    intake_done(&consumer->intake);
    if (consumer->is_asking) {
        consumer->is_closed = true;
    } else {
        free(consumer);
    }
}

const char *consumer_producer(const struct consumer *consumer)
{
    return consumer->options.producer;
}

const char *consumer_state(const struct consumer *consumer)
{
    static const char *const names[] = {
        [CONSUMER_WAITING] = "waiting", [CONSUMER_LOCATING] = "locating",
        [CONSUMER_FLOWING] = "flowing", [CONSUMER_STUCK] = "halted",
        [CONSUMER_STOPPED] = "stopped",
    };

    return names[consumer->state];
}

const char *consumer_reason(const struct consumer *consumer)
{
    return consumer->reason;
}

struct position consumer_position(const struct consumer *consumer)
{
    return consumer->committed;
}

uint64_t consumer_head(const struct consumer *consumer)
{
    return consumer->head;
}

uint64_t consumer_lag(const struct consumer *consumer)
{
    if (consumer->head == UINT64_MAX || !consumer->is_located) {
        return UINT64_MAX;
    }
    return consumer->head > consumer->committed.seq ? consumer->head - consumer->committed.seq : 0;
}
