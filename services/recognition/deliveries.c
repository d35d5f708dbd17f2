/* deliveries - see the header. A hook looks for its next delivery, waits until it is due, sends it,
 * records what became of it, and looks again. */
#include "recognition/deliveries.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/seal.h"
#include "io/fetch.h"
#include "io/json.h"
#include "recognition/rules/webhook.h"
#include "recognition/store_webhooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MS 1000       /* after a trouble of our own */
#define WAIT_MAX_MS 3600000 /* then it looks again */
#define TROUBLE_SIZE 320
#define PRIVATE_HINT " An operator may allow such addresses with the setting webhook_allow_private."

struct metric recognition_deliveries_total = {
    .name = "moment_webhook_deliveries_total",
    .kind = METRIC_COUNTER,
    .help = "Attempts to deliver a post to a webhook, by result.",
    .label = "result",
};
struct metric recognition_dead_letters = {
    .name = "moment_webhook_dead_letters",
    .kind = METRIC_GAUGE,
    .help = "Deliveries that were given up and that nobody replayed.",
};

enum step {
    STEP_IDLE,      /* there was nothing to deliver */
    STEP_LOOKING,   /* in the table */
    STEP_WAITING,   /* for its time */
    STEP_SENDING,   /* and waiting for the answer */
    STEP_RECORDING, /* what became of it */
};

struct hook {
    struct hook *next;
    struct deliveries *deliveries; /* borrowed */
    struct id id;
    char *url; /* owned */
    uint8_t key[WEBHOOK_KEY_BYTES];
    size_t key_len;
    bool is_enabled;
    bool is_listed; /* in the refresh under way */
    enum step step;
    bool looks_again; /* woken while it was looking */
    struct timer *timer;
    struct fetch *fetch; /* while sending */
    /* The delivery under way: */
    uint64_t seq;
    uint32_t attempts;
    char delivery_id[ID_TEXT_SIZE];
    char post_id[ID_TEXT_SIZE];
};

struct deliveries {
    struct recognition *recognition; /* borrowed; not after close */
    struct fetcher *fetcher;
    struct follower *follower;
    struct timer *timer; /* reads the webhooks again after a trouble */
    struct hook *hooks;  /* owned; removed ones too, until the end */
    size_t pending;      /* queries and works that will call back */
    bool is_refreshing;
    bool refreshes_again;
    bool is_draining;
    bool is_closed;
};

/* What became of an attempt. */
struct outcome {
    struct work work; /* first */
    struct hook *hook;
    enum webhook_verdict verdict;
    int64_t wait_ms; /* of a retry; negative: given up */
    char trouble[TROUBLE_SIZE];
};

static void look(struct hook *hook);
static void refresh(struct deliveries *deliveries);

/* --- life and memory: what was asked calls back after the close --- */

static void free_all(struct deliveries *deliveries)
{
    while (deliveries->hooks != NULL) {
        struct hook *hook = deliveries->hooks;

        deliveries->hooks = hook->next;
        free(hook->url);
        free(hook);
    }
    free(deliveries);
}

/* True: nothing is to be done with what came. */
static bool is_over(struct deliveries *deliveries)
{
    deliveries->pending--;
    if (!deliveries->is_closed) {
        return deliveries->is_draining;
    }
    if (deliveries->pending == 0) {
        free_all(deliveries);
    }
    return true;
}

static struct db *reader_of(const struct deliveries *deliveries)
{
    return service_reader(deliveries->recognition->service);
}

/* --- dead letters, counted --- */

static void on_dead_letters(void *arg, int status, const struct db_rows *rows,
                            const struct db_error *error unused_arg)
{
    if (!is_over(arg) && status == 0) {
        metric_set(&recognition_dead_letters, NULL, (double)db_get_i64(rows, 0, 0));
    }
}

static void count_dead_letters(struct deliveries *deliveries)
{
    if (store_count_dead_letters(reader_of(deliveries), on_dead_letters, deliveries) == 0) {
        deliveries->pending++;
    }
}

/* --- recording --- */

static void pause(struct hook *hook, int64_t wait_ms)
{
    hook->step = STEP_WAITING;
    timer_start(hook->timer, (uint64_t)(wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS), 0);
}

static struct outcome *outcome_of(struct work *work)
{
    return container_of(work, struct outcome, work);
}

static const char *webhook_id(const struct hook *hook, char text[ID_TEXT_SIZE])
{
    return id_print(&hook->id, text);
}

static void load_outcome(struct work *work, struct txn *txn)
{
    const struct hook *hook = outcome_of(work)->hook;
    char id[ID_TEXT_SIZE];

    entity_load(hook->deliveries->recognition->webhooks->entities, txn, webhook_id(hook, id));
}

static void bury(const struct outcome *outcome, struct txn *txn)
{
    struct hook *hook = outcome->hook;
    Moment__V1__DeadLetter letter;
    char id[ID_TEXT_SIZE];

    moment__v1__dead_letter__init(&letter);
    letter.delivery_id = hook->delivery_id;
    letter.webhook_id = (char *)(uintptr_t)webhook_id(hook, id);
    letter.post_id = hook->post_id;
    letter.attempts = hook->attempts + 1;
    letter.error = (char *)(uintptr_t)outcome->trouble;
    letter.died_at = txn_now_us(txn);
    recognition_need(store_bury_delivery(txn, &hook->id, hook->seq, &letter));
}

/* The delivery's row, and what the webhook says of itself. */
static void write_outcome(const struct outcome *outcome, struct txn *txn,
                          Moment__V1__Webhook *webhook)
{
    const struct hook *hook = outcome->hook;

    entity_set_text(&webhook->detail, outcome->trouble);
    if (outcome->verdict == WEBHOOK_DELIVERED) {
        store_delivered(txn, &hook->id, hook->seq);
        webhook->delivered++;
        webhook->last_delivered_at = txn_now_us(txn);
        webhook->state = MOMENT__V1__WEBHOOK_STATE__WEBHOOK_STATE_WORKING;
    } else if (outcome->verdict == WEBHOOK_GONE) {
        webhook->enabled = false;
        entity_set_text(&webhook->changed_by, "");
    } else {
        webhook->state = MOMENT__V1__WEBHOOK_STATE__WEBHOOK_STATE_FAILING;
        if (outcome->wait_ms < 0) {
            bury(outcome, txn);
            webhook->dead++;
        } else {
            store_retry_delivery(txn, &hook->id, hook->seq, hook->attempts + 1,
                                 txn_now_us(txn) + outcome->wait_ms * US_PER_MS);
        }
    }
    if (!webhook->enabled) {
        webhook->state = MOMENT__V1__WEBHOOK_STATE__WEBHOOK_STATE_DISABLED;
    }
}

static int apply_outcome(struct work *work, struct txn *txn)
{
    const struct outcome *outcome = outcome_of(work);
    struct recognition *recognition = outcome->hook->deliveries->recognition;
    char id[ID_TEXT_SIZE];
    const ProtobufCMessage *stored =
        entity_get(recognition->webhooks->entities, webhook_id(outcome->hook, id));
    Moment__V1__Webhook *webhook;

    if (stored == NULL || ((const Moment__V1__Webhook *)stored)->removed) {
        return 0; /* meanwhile; its deliveries are gone */
    }
    webhook = (Moment__V1__Webhook *)entity_edit(stored);
    write_outcome(outcome, txn, webhook);
    webhooks_put(recognition, txn, webhook, outcome->verdict == WEBHOOK_GONE);
    return 0;
}

static const char *result_of(const struct outcome *outcome)
{
    switch (outcome->verdict) {
    case WEBHOOK_DELIVERED:
        return "delivered";
    case WEBHOOK_GONE:
        return "gone";
    case WEBHOOK_RETRY:
        break;
    }
    return outcome->wait_ms < 0 ? "dead" : "failed";
}

static void done_outcome(struct work *work, int status, const struct db_error *error unused_arg)
{
    struct outcome *outcome = outcome_of(work);
    struct hook *hook = outcome->hook;

    if (!is_over(hook->deliveries)) {
        if (status == 0) {
            metric_add(&recognition_deliveries_total, result_of(outcome), 1);
            if (outcome->verdict == WEBHOOK_RETRY && outcome->wait_ms < 0) {
                count_dead_letters(hook->deliveries);
            }
            if (outcome->verdict == WEBHOOK_GONE) {
                hook->is_enabled = false;
            }
            look(hook);
        } else {
            log_warn("delivery_not_recorded", "seq=%llu error=%d", (unsigned long long)hook->seq,
                     status);
            pause(hook, PAUSE_MS); /* and is sent again */
        }
    }
    free(outcome);
}

static struct webhook_patience patience_of(const struct deliveries *deliveries)
{
    const struct conf *conf = service_conf(deliveries->recognition->service);

    return (struct webhook_patience){
        .first_ms = (uint32_t)conf_integer(conf, "webhook_first_retry_ms"),
        .retries = (uint32_t)conf_integer(conf, "webhook_retries"),
    };
}

static void explain(const struct fetch_answer *answer, char *to, size_t size)
{
    if (answer->status == 0) {
        snprintf(to, size, "%s%s", answer->trouble, answer->was_private ? PRIVATE_HINT : "");
    } else {
        snprintf(to, size, "The receiver answered %u.", answer->status);
    }
}

static void record(struct hook *hook, const struct fetch_answer *answer)
{
    static const struct work_ops ops = {
        .load = load_outcome, .apply = apply_outcome, .done = done_outcome};
    struct webhook_patience patience = patience_of(hook->deliveries);
    struct outcome *outcome = recognition_new(sizeof(*outcome));
    uint32_t random;
    seal_random(&random, sizeof(random));
    outcome->work.ops = &ops;
    outcome->work.bytes = sizeof(*outcome);
    outcome->hook = hook;
    outcome->verdict = webhook_judge(answer->status);
    if (outcome->verdict != WEBHOOK_DELIVERED) {
        explain(answer, outcome->trouble, sizeof(outcome->trouble));
        outcome->wait_ms =
            webhook_wait_ms(&patience, hook->attempts + 1, answer->retry_after_s, random);
    }
    hook->step = STEP_RECORDING;
    if (stream_submit(service_stream(hook->deliveries->recognition->service), &outcome->work) ==
        0) {
        hook->deliveries->pending++;
    } else {
        free(outcome);
        pause(hook, PAUSE_MS);
    }
}

/* --- sending --- */

static void on_answer(void *arg, const struct fetch_answer *answer)
{
    struct hook *hook = arg;

    hook->fetch = NULL;
    record(hook, answer);
}

/* The body of a delivery: the same for each attempt. Null: out of memory. */
static char *body_of(const Moment__V1__Post *post, int64_t at)
{
    json_t *json cleanup_with(json_unref) = json_object();
    json_t *data = json_from_protobuf(&post->base);

    if (data == NULL || json_object_set_new(json, "type", json_string("post.changed")) != 0 ||
        json_object_set_new(json, "timestamp", json_time(at)) != 0 ||
        json_object_set(json, "data", data) != 0) {
        json_unref(&data);
        return NULL;
    }
    json_unref(&data);
    return json_text(json);
}

static int post_signed(struct hook *hook, const char *body)
{
    char id[64], timestamp[32], at[64], signature[WEBHOOK_SIGNATURE_SIZE], signed_as[96];
    const char *const headers[] = {"content-type: application/json", id, at, signed_as};
    const struct fetch_request request = {.url = hook->url,
                                          .headers = headers,
                                          .header_count = countof(headers),
                                          .body = slice_of(body)};

    snprintf(timestamp, sizeof(timestamp), "%lld", (long long)(clock_wall_us() / US_PER_S));
    webhook_sign(hook->key, hook->key_len, hook->delivery_id, timestamp, request.body, signature);
    snprintf(id, sizeof(id), "webhook-id: %s", hook->delivery_id);
    snprintf(at, sizeof(at), "webhook-timestamp: %s", timestamp);
    snprintf(signed_as, sizeof(signed_as), "webhook-signature: %s", signature);
    return fetch_post(hook->deliveries->fetcher, &request, on_answer, hook, &hook->fetch);
}

static void name_delivery(struct hook *hook)
{
    char id[ID_TEXT_SIZE], seq[24];
    const char *const parts[] = {"delivery", webhook_id(hook, id), seq};

    snprintf(seq, sizeof(seq), "%llu", (unsigned long long)hook->seq);
    const struct id derived = id_of(parts, countof(parts));
    (void)id_print(&derived, hook->delivery_id);
}

static void send_post(struct hook *hook, const Moment__V1__Post *post, int64_t at)
{
    char *body = body_of(post, at);
    int error = body != NULL ? post_signed(hook, body) : -ENOMEM;
    struct fetch_answer answer = {.status = 0};

    free(body);
    if (error == 0) {
        hook->step = STEP_SENDING;
    } else if (error == -EBUSY || error == -ENOMEM) {
        pause(hook, PAUSE_MS);
    } else {
        snprintf(answer.trouble, sizeof(answer.trouble), "It could not be sent: %s.",
                 strerror(-error));
        record(hook, &answer);
    }
}

/* --- looking --- */

static void take(struct hook *hook, const struct db_rows *rows)
{
    Moment__V1__PostChanged *changed;
    ProtobufCMessage *message;
    int64_t early_us = db_get_time(rows, 0, 2) - clock_wall_us();

    if (early_us > 0) {
        pause(hook, early_us / US_PER_MS + 1);
        return;
    }
    if (protobuf_read(&moment__v1__post_changed__descriptor, db_get_bytes(rows, 0, 4), &message) !=
        0) {
        log_error("delivery_unreadable", "seq=%lld", (long long)db_get_i64(rows, 0, 0));
        pause(hook, WAIT_MAX_MS);
        return;
    }
    changed = (Moment__V1__PostChanged *)message;
    hook->seq = (uint64_t)db_get_i64(rows, 0, 0);
    hook->attempts = (uint32_t)db_get_i64(rows, 0, 1);
    (void)text_copy(hook->post_id, sizeof(hook->post_id), changed->post->post_id);
    name_delivery(hook);
    send_post(hook, changed->post, db_get_time(rows, 0, 3));
    codec_free(message);
}

static void on_next(void *arg, int status, const struct db_rows *rows,
                    const struct db_error *error unused_arg)
{
    struct hook *hook = arg;

    if (is_over(hook->deliveries)) {
        return;
    }
    hook->step = STEP_IDLE;
    if (status != 0) {
        pause(hook, PAUSE_MS);
    } else if (db_count(rows) > 0) {
        take(hook, rows);
    } else if (hook->looks_again) {
        look(hook);
    }
}

static void look(struct hook *hook)
{
    hook->looks_again = false;
    hook->step = STEP_IDLE;
    timer_stop(hook->timer);
    if (!hook->is_enabled || hook->deliveries->is_draining) {
        return;
    }
    if (store_next_delivery(reader_of(hook->deliveries), &hook->id, on_next, hook) == 0) {
        hook->deliveries->pending++;
        hook->step = STEP_LOOKING;
    } else {
        pause(hook, PAUSE_MS);
    }
}

static void on_hook_time(void *arg)
{
    look(arg);
}

static void wake(struct hook *hook)
{
    if (hook->step == STEP_IDLE || hook->step == STEP_WAITING) {
        look(hook);
    } else {
        hook->looks_again = true;
    }
}

static void wake_all(struct deliveries *deliveries)
{
    for (struct hook *hook = deliveries->hooks; hook != NULL; hook = hook->next) {
        wake(hook);
    }
}

void deliveries_wake(struct deliveries *deliveries)
{
    if (!deliveries->is_draining) {
        count_dead_letters(deliveries);
        wake_all(deliveries);
    }
}

/* --- which webhooks there are --- */

static struct hook *hook_of(struct deliveries *deliveries, const struct id *id)
{
    struct hook *hook = deliveries->hooks;

    while (hook != NULL && memcmp(&hook->id, id, sizeof(*id)) != 0) {
        hook = hook->next;
    }
    if (hook == NULL) {
        hook = recognition_new(sizeof(*hook));
        hook->deliveries = deliveries;
        hook->id = *id;
        recognition_need(timer_new(service_loop(deliveries->recognition->service), on_hook_time,
                                   hook, &hook->timer));
        hook->next = deliveries->hooks;
        deliveries->hooks = hook;
    }
    return hook;
}

static void list_hook(struct deliveries *deliveries, const struct db_rows *rows, size_t row)
{
    struct slice key = db_get_bytes(rows, row, 1);
    ProtobufCMessage *message;
    struct hook *hook;
    struct id id;

    if (protobuf_read(&moment__v1__webhook__descriptor, db_get_bytes(rows, row, 0), &message) !=
        0) {
        log_error("webhook_unreadable", "row=%zu", row);
        return;
    }
    const Moment__V1__Webhook *webhook = (const Moment__V1__Webhook *)message;
    if (id_parse(webhook->webhook_id, &id) == 0 && key.len <= WEBHOOK_KEY_BYTES) {
        hook = hook_of(deliveries, &id);
        free(hook->url);
        hook->url = strdup(webhook->url);
        recognition_need(hook->url != NULL ? 0 : -ENOMEM);
        memcpy(hook->key, key.at, key.len);
        hook->key_len = key.len;
        hook->is_enabled = webhook->enabled != 0;
        hook->is_listed = true;
    }
    codec_free(message);
}

static void take_over(struct deliveries *deliveries, const struct db_rows *rows)
{
    for (struct hook *hook = deliveries->hooks; hook != NULL; hook = hook->next) {
        hook->is_listed = false;
    }
    for (size_t i = 0; i < db_count(rows); i++) {
        list_hook(deliveries, rows, i);
    }
    for (struct hook *hook = deliveries->hooks; hook != NULL; hook = hook->next) {
        hook->is_enabled = hook->is_enabled && hook->is_listed;
    }
    count_dead_letters(deliveries);
    wake_all(deliveries);
}

static void on_webhooks(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error unused_arg)
{
    struct deliveries *deliveries = arg;

    if (is_over(deliveries)) {
        return;
    }
    deliveries->is_refreshing = false;
    if (status != 0) {
        timer_start(deliveries->timer, PAUSE_MS, 0);
    } else if (deliveries->refreshes_again) {
        refresh(deliveries);
    } else {
        take_over(deliveries, rows);
    }
}

static void refresh(struct deliveries *deliveries)
{
    deliveries->refreshes_again = deliveries->is_refreshing;
    if (deliveries->is_refreshing) {
        return;
    }
    if (store_webhooks(reader_of(deliveries), on_webhooks, deliveries) == 0) {
        deliveries->is_refreshing = true;
        deliveries->pending++;
    } else {
        timer_start(deliveries->timer, PAUSE_MS, 0);
    }
}

static void on_refresh_time(void *arg)
{
    refresh(arg);
}

/* --- our own stream --- */

static bool on_record(void *arg, const struct record *record)
{
    struct deliveries *deliveries = arg;

    if (deliveries->is_draining) {
        return true;
    }
    if (strcmp(record->type, "PostChanged") == 0) {
        wake_all(deliveries);
    } else if (strcmp(record->type, "WebhookChanged") == 0) {
        refresh(deliveries);
    }
    return true;
}

static void on_follower_error(void *arg unused_arg, int error)
{
    /* We began at our own head: only another writer of this stream could make it so. */
    log_error("deliveries_lost_the_stream", "error=%d", error);
    abort();
}

static const struct follower_ops follower_ops = {
    .on_record = on_record,
    .on_error = on_follower_error,
};

/* --- life --- */

int deliveries_open(struct recognition *recognition, struct deliveries **ret_deliveries)
{
    const struct conf *conf = service_conf(recognition->service);
    const struct fetcher_options options = {
        .in_flight_max = WEBHOOKS_MAX,
        .allows_private = conf_boolean(conf, "webhook_allow_private"),
        .ca_file = conf_text(conf, "webhook_ca_file"),
    };
    struct stream *stream = service_stream(recognition->service);
    struct loop *loop = service_loop(recognition->service);
    struct deliveries *deliveries = calloc(1, sizeof(*deliveries));

    if (deliveries == NULL) {
        return -ENOMEM;
    }
    deliveries->recognition = recognition;
    int error = fetcher_open(loop, &options, &deliveries->fetcher);
    if (error == 0) {
        error = timer_new(loop, on_refresh_time, deliveries, &deliveries->timer);
    }
    if (error == 0) {
        error = follower_open(stream, stream_head(stream), &follower_ops, deliveries,
                              &deliveries->follower);
    }
    if (error != 0) {
        deliveries_close(&deliveries);
        return error;
    }
    refresh(deliveries);
    *ret_deliveries = deliveries;
    return 0;
}

/* What is under way is sent again after the next start. */
void deliveries_drain(struct deliveries *deliveries)
{
    deliveries->is_draining = true;
    for (struct hook *hook = deliveries->hooks; hook != NULL; hook = hook->next) {
        fetch_cancel(&hook->fetch);
        timer_stop(hook->timer);
    }
    timer_stop(deliveries->timer);
}

void deliveries_close(struct deliveries **deliveries_at)
{
    struct deliveries *deliveries = *deliveries_at;

    if (deliveries == NULL) {
        return;
    }
    *deliveries_at = NULL;
    deliveries->is_closed = true;
    for (struct hook *hook = deliveries->hooks; hook != NULL; hook = hook->next) {
        fetch_cancel(&hook->fetch);
        timer_free(&hook->timer);
    }
    fetcher_close(&deliveries->fetcher);
    timer_free(&deliveries->timer);
    if (deliveries->follower != NULL) {
        follower_close(&deliveries->follower);
    }
    if (deliveries->pending == 0) {
        free_all(deliveries);
    }
}
