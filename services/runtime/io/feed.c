/* feed - the sending side of one subscription: records of our stream, as far as credit goes. */
#include "io/bus_parts.h"
#include "io/counters.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATA_BYTES_MAX (256 * 1024)
#define DATA_RECORDS_MAX 1000
/* One record may be larger than a whole DATA frame should be; nothing may pass a frame's limit. */
#define DATA_BYTES_HARD_MAX (FRAME_BYTES_MAX - 1024)
#define CREDIT_MAX (64 * 1024 * 1024)
#define CONSUMER_SIZE 64

struct feed {
    struct session *session; /* borrowed: it owns the feed */
    struct follower *follower;
    char consumer[CONSUMER_SIZE];
    uint64_t nonce;
    int64_t credit;       /* bytes; below zero after a record larger than the rest */
    bool is_paused;       /* the follower waits for credit */
    uint64_t durable_seq; /* committed at the consumer */
    struct frame_data data;
    struct buf out;
};

static void flush(struct feed *feed)
{
    size_t count = feed->data.count;

    if (count == 0) {
        return;
    }
    /* Out of memory, or a record over the limit of a frame: the consumer sees a gap or silence and
     * subscribes again. */
    if (frame_data_finish(&feed->data, feed->nonce, &feed->out) == 0) {
        session_send_bytes(feed->session, feed->out.data, feed->out.len);
        metric_add(&counter_records_sent, feed->consumer, (double)count);
    }
}

static void to_message(const struct record *record, Moment__V1__Record *message)
{
    moment__v1__record__init(message);
    message->shard = record->shard;
    message->seq = record->seq;
    message->epoch = record->epoch;
    /* protobuf-c has no const, packing does not write. */
    message->site = (char *)(uintptr_t)record->site;
    message->key = (char *)(uintptr_t)record->key;
    message->type = (char *)(uintptr_t)record->type;
    message->at = record->at_us;
    message->body.data = (uint8_t *)(uintptr_t)record->body.at;
    message->body.len = record->body.len;
    message->hash.data = (uint8_t *)(uintptr_t)record->hash;
    message->hash.len = sizeof(record->hash);
}

static bool on_record(void *arg, const struct record *record)
{
    struct feed *feed = arg;
    Moment__V1__Record message;

    to_message(record, &message);
    if (feed->data.count > 0 &&
        (feed->data.epoch != record->epoch || feed->data.count >= DATA_RECORDS_MAX ||
         feed->data.records.len + record->body.len > DATA_BYTES_MAX)) {
        flush(feed);
    }
    if (frame_data_add(&feed->data, &message) < 0) {
        flush(feed);
    }
    feed->credit -= (int64_t)frame_record_weight(record->body.len);
    feed->is_paused = feed->credit <= 0;
    if (feed->is_paused) {
        flush(feed);
    }
    return !feed->is_paused;
}

static void on_idle(void *arg)
{
    flush(arg);
}

static void on_error(void *arg, int error)
{
    struct feed *feed = arg;

    flush(feed);
    if (error == -EILSEQ) {
        session_refuse(feed->session, MOMENT__V1__REFUSE__REASON__REASON_DIVERGED,
                       "the position is past the end of its epoch here");
    } else if (error == -ERANGE) {
        session_refuse(feed->session, MOMENT__V1__REFUSE__REASON__REASON_TRUNCATED,
                       "the records after the position are no longer kept");
    } else {
        session_refuse(feed->session, MOMENT__V1__REFUSE__REASON__REASON_BUSY,
                       "the stream cannot be read now");
    }
}

static const struct follower_ops follower_ops = {
    .on_record = on_record,
    .on_idle = on_idle,
    .on_error = on_error,
};

static bool is_sane(const Moment__V1__Subscribe *subscribe)
{
    return subscribe->shard == 0 && subscribe->credit > 0 && subscribe->credit <= CREDIT_MAX &&
           subscribe->consumer[0] && strlen(subscribe->consumer) < CONSUMER_SIZE;
}

static struct feed *make_feed(struct session *session, const Moment__V1__Subscribe *subscribe)
{
    struct feed *feed = calloc(1, sizeof(*feed));

    if (!feed) {
        return NULL;
    }
    feed->session = session;
    feed->nonce = subscribe->nonce;
    feed->credit = (int64_t)subscribe->credit;
    feed->durable_seq = subscribe->seq;
    text_copy(feed->consumer, sizeof(feed->consumer), subscribe->consumer);
    buf_init(&feed->data.records, DATA_BYTES_HARD_MAX);
    buf_init(&feed->out, FRAME_BYTES_MAX);
    return feed;
}

void feed_open(struct session *session, const Moment__V1__Subscribe *subscribe)
{
    struct position from = {.epoch = subscribe->epoch, .seq = subscribe->seq};

    feed_close(&session->feed);
    if (!is_sane(subscribe)) {
        session_refuse(session, MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL,
                       "SUBSCRIBE needs shard 0, a consumer and a credit of 1 B to 64 MiB");
        return;
    }
    session->feed = make_feed(session, subscribe);
    if (!session->feed || follower_open(session->bus->options.stream, from, &follower_ops,
                                        session->feed, &session->feed->follower) < 0) {
        feed_close(&session->feed);
        session_refuse(session, MOMENT__V1__REFUSE__REASON__REASON_BUSY, "out of memory");
    }
}

void feed_credit(struct feed *feed, const Moment__V1__Credit *credit)
{
    /* A credit of an older subscription counts for nothing. */
    if (credit->nonce != feed->nonce || credit->bytes > CREDIT_MAX) {
        return;
    }
    if (credit->durable_seq > feed->durable_seq) {
        feed->durable_seq = credit->durable_seq;
    }
    feed->credit += (int64_t)credit->bytes;
    if (feed->credit > CREDIT_MAX) {
        feed->credit = CREDIT_MAX;
    }
    if (feed->is_paused && feed->credit > 0) {
        feed->is_paused = false;
        follower_resume(feed->follower);
    }
}

void feed_close(struct feed **feed_at)
{
    struct feed *feed = *feed_at;

    *feed_at = NULL;
    if (!feed) {
        return;
    }
    if (feed->follower) {
        follower_close(&feed->follower);
    }
    buf_done(&feed->data.records);
    buf_done(&feed->out);
    free(feed);
}
