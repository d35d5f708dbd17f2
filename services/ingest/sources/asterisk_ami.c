/* asterisk_ami - see the header.
 *
 *   recalling -> waiting -> connecting -> logging in -> ready
 *                   ^------------- any failure ----------|
 */
#include "ingest/sources/asterisk_ami.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "ingest/counters.h"
#include "ingest/rules/ami_action.h"
#include "ingest/rules/asterisk_ami.h"
#include "ingest/store.h"
#include "io/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PING_MS 15000
#define SILENCE_US (40 * US_PER_S)
#define LOGIN_US (20 * US_PER_S)
#define RETRY_BASE_MS 500
#define RETRY_MAX_MS 30000
#define RESUBMIT_MS 50
#define ACTION_MAX 4096
#define LOGIN_REFUSED "login refused"
/* How exactly the time of the last word is known after a restart. */
#define HEARD_US US_PER_S

enum step { STEP_RECALLING, STEP_WAITING, STEP_CONNECTING, STEP_LOGIN, STEP_READY };

struct ami_source {
    struct ingest *ingest; /* borrowed, as is the source */
    struct source *source;
    enum step step;
    bool is_stopped; /* freed when the recall has answered */
    struct tcp *tcp;
    struct timer *timer;    /* reconnect, or ping */
    struct timer *resubmit; /* a batch found no room */
    struct retry retry;
    struct ami_reader reader;
    struct asterisk_ami *interpreter;
    struct event_work *batch;  /* of this turn; or the one that waits for room */
    uint64_t connection;       /* counts them: part of the action ids */
    int64_t login_at, data_at; /* monotonic */
    int64_t arrived_at;        /* wall, of what is being read */
    int64_t ahead_us;          /* its clock minus ours; for packets without a stamp */
    int64_t heard_written_at;  /* source->heard_at as last given to the table */
    struct asterisk_ami_counts told;
    uint64_t told_dropped;
    bool is_feeding;   /* the reader must not be reset under its own feet: */
    char failure[120]; /* why to disconnect after this read */
};

/* --- batches -----------------------------------------------------------------------------------
 */

static void write_heard(struct event_work *work, struct txn *txn)
{
    const struct source *source = work->arg;

    if (work->number != 0)
        store_source_heard(txn, source->source_id, (int64_t)work->number, source->received_at);
}

static void on_batch_done(struct event_work *work, int status, const struct db_error *error)
{
    struct source *source = work->arg;

    if (status == 0) {
        source_count(source, work->accepted, work->duplicate, 0);
        return;
    }
    source_count(source, 0, 0, work->events.count);
    log_error("events_refused", "source=%s events=%zu error=\"%.100s\"", source->name,
              work->events.count, error ? error->message : strerror(-status));
}

static bool begin_batch(struct ami_source *ami)
{
    if (!ami->batch) {
        ami->batch = event_work_new(ami->ingest->moments, on_batch_done, ami->source);
        if (ami->batch)
            ami->batch->write_more = write_heard;
    }
    return ami->batch != NULL;
}

static void submit_batch(struct ami_source *ami)
{
    int r;

    if (!ami->batch)
        return;
    if (ami->source->heard_at - ami->heard_written_at >= HEARD_US) {
        ami->batch->number = (uint64_t)ami->source->heard_at;
        ami->heard_written_at = ami->source->heard_at;
    }
    r = event_work_submit(ami->ingest->stream, ami->batch);
    if (r == 0) {
        ami->batch = NULL;
        return;
    }
    if (ami->tcp)
        tcp_pause(ami->tcp);
    timer_start(ami->resubmit, RESUBMIT_MS, 0);
}

static void on_resubmit(void *arg)
{
    struct ami_source *ami = arg;

    submit_batch(ami);
    if (!ami->batch && ami->tcp)
        tcp_resume(ami->tcp);
}

static void on_event(void *context, const struct event *event)
{
    struct ami_source *ami = context;
    struct event heard = *event;

    heard.received_at = ami->arrived_at;
    if (event->type == SOURCE_GAP)
        metric_add(&counter_gaps, ami->source->name, 1);
    if (!begin_batch(ami) || event_list_add(&ami->batch->events, &heard) < 0)
        abort(); /* nothing is skipped silently */
}

/* --- connection --------------------------------------------------------------------------------
 */

static void disconnect(struct ami_source *ami, const char *why)
{
    uint32_t random, delay_ms;

    if (ami->is_feeding) {
        text_copy(ami->failure, sizeof(ami->failure), why);
        return;
    }
    if (ami->step == STEP_READY) {
        log_warn("ami_lost", "source=%s why=\"%s\"", ami->source->name, why);
        asterisk_ami_disconnected(ami->interpreter);
        submit_batch(ami);
    }
    metric_set(&gauge_ami_connected, ami->source->name, 0);
    tcp_close(&ami->tcp);
    ami_reader_reset(&ami->reader);
    ami->step = STEP_WAITING;
    seal_random(&random, sizeof(random));
    delay_ms = retry_next_ms(&ami->retry, random);
    source_say(ami->source, "waiting", "%s; again in %u.%u s", why, delay_ms / 1000,
               delay_ms % 1000 / 100);
    if (strncmp(why, LOGIN_REFUSED, strlen(LOGIN_REFUSED)) == 0)
        source_say(ami->source, "failed", "%s", why);
    timer_start(ami->timer, delay_ms, 0);
}

static void send_action(struct ami_source *ami, struct buf *action, int built)
{
    int r = built;

    if (r == 0)
        r = tcp_send(ami->tcp,
                     (struct slice){.at = (const char *)action->data, .len = action->len});
    buf_done(action);
    if (r < 0)
        disconnect(ami, "it takes no more bytes");
}

static void send_login(struct ami_source *ami)
{
    const char *user = source_option(ami->source, "user");
    struct buf action;
    int built;

    buf_init(&action, ACTION_MAX);
    if (strcmp(source_option(ami->source, "auth"), "plain") == 0)
        built = ami_action_login(&action, "login", user, ami->source->password, "on");
    else
        built = ami_action_challenge(&action, "challenge");
    send_action(ami, &action, built);
}

static void answer_challenge(struct ami_source *ami, const char *challenge)
{
    struct buf action;
    int built;

    buf_init(&action, ACTION_MAX);
    built = ami_action_login_md5(&action, "login", source_option(ami->source, "user"),
                                 ami->source->password, challenge, "on");
    send_action(ami, &action, built);
}

static void ask_for_snapshot(struct ami_source *ami)
{
    char queues[32], channels[32];
    struct buf action;
    int built;

    snprintf(queues, sizeof(queues), "queues-%llu", (unsigned long long)ami->connection);
    snprintf(channels, sizeof(channels), "channels-%llu", (unsigned long long)ami->connection);
    asterisk_ami_snapshot(ami->interpreter, queues, channels, ami->source->heard_at);
    buf_init(&action, ACTION_MAX);
    built = ami_action_queue_status(&action, queues);
    if (built == 0)
        built = ami_action_core_show_channels(&action, channels);
    send_action(ami, &action, built);
}

static void on_logged_in(struct ami_source *ami)
{
    ami->step = STEP_READY;
    retry_reset(&ami->retry);
    source_say(ami->source, "connected", "Asterisk manager %s", ami->reader.version);
    metric_set(&gauge_ami_connected, ami->source->name, 1);
    log_info("ami_connected", "source=%s version=%s", ami->source->name, ami->reader.version);
    timer_start(ami->timer, PING_MS, PING_MS);
    ask_for_snapshot(ami);
}

static void on_login_answer(struct ami_source *ami, const struct ami_packet *packet)
{
    const char *id = ami_packet_get(packet, "ActionID");
    bool is_success = strcasecmp(ami_packet_get(packet, "Response"), "Success") == 0;

    if (strcmp(id, "challenge") != 0 && strcmp(id, "login") != 0)
        return;
    if (!is_success) {
        char why[100];

        snprintf(why, sizeof(why), LOGIN_REFUSED ": %.80s", ami_packet_get(packet, "Message"));
        log_warn("ami_login_refused", "source=%s", ami->source->name);
        disconnect(ami, why);
    } else if (strcmp(id, "challenge") == 0) {
        answer_challenge(ami, ami_packet_get(packet, "Challenge"));
    } else {
        on_logged_in(ami);
    }
}

/* By the clock of the source, which Timestamp tells if it is configured to. */
static void note_heard(struct ami_source *ami, const struct ami_packet *packet)
{
    const char *stamp = ami_packet_get(packet, "Timestamp");
    int64_t at = ami->arrived_at;
    double seconds;

    if (stamp[0] != '\0' && text_to_double(slice_of(stamp), &seconds) == 0 && seconds > 0 &&
        seconds < 1e11)
        at = (int64_t)(seconds * 1e6);
    else if (!ami_packet_has(packet, "Privilege") ||
             strcasecmp(ami_packet_get(packet, "Event"), "FullyBooted") == 0)
        return; /* answers, items of lists and the greeting never have a stamp */
    ami->ahead_us = at - ami->arrived_at;
    if (at > ami->source->heard_at) {
        ami->source->heard_at = at;
        ami->source->received_at = ami->arrived_at;
    }
}

static void on_packet(void *context, const struct ami_packet *packet)
{
    struct ami_source *ami = context;

    if (ami->failure[0] != '\0')
        return;
    if (ami->step == STEP_LOGIN && ami_packet_has(packet, "Response") &&
        !ami_packet_has(packet, "Event"))
        on_login_answer(ami, packet);
    else if (ami->step == STEP_READY) {
        note_heard(ami, packet);
        asterisk_ami_packet(ami->interpreter, packet, ami->arrived_at + ami->ahead_us);
    }
}

static void tell_counters(struct ami_source *ami)
{
    struct asterisk_ami_counts now = asterisk_ami_counts(ami->interpreter);
    uint64_t dropped = ami->reader.oversized + ami->reader.garbage + now.overflows;

    metric_add(&counter_ami_packets, ami->source->name, (double)(now.packets - ami->told.packets));
    metric_add(&counter_ami_dropped, ami->source->name, (double)(dropped - ami->told_dropped));
    ami->told = now;
    ami->told_dropped = dropped;
}

static void on_data(void *arg, struct slice bytes)
{
    struct ami_source *ami = arg;

    ami->data_at = clock_mono_us();
    ami->arrived_at = clock_wall_us();
    ami->is_feeding = true;
    ami->failure[0] = '\0';
    if (ami_reader_feed(&ami->reader, bytes.at, bytes.len, on_packet, ami) < 0)
        disconnect(ami, "out of memory");
    ami->is_feeding = false;
    tell_counters(ami);
    if (!timer_is_active(ami->resubmit))
        submit_batch(ami);
    if (ami->failure[0] != '\0') {
        char why[sizeof(ami->failure)];

        memcpy(why, ami->failure, sizeof(why));
        disconnect(ami, why);
    }
}

static void on_open(void *arg)
{
    struct ami_source *ami = arg;

    ami->step = STEP_LOGIN;
    ami->login_at = clock_mono_us();
    timer_start(ami->timer, PING_MS, PING_MS);
    source_say(ami->source, "connecting", "logging in");
    send_login(ami);
}

static void on_close(void *arg, int error)
{
    disconnect(arg, error == 0 ? "it closed the connection" : strerror(-error));
}

static const struct tcp_ops tcp_ops = {
    .on_open = on_open, .on_data = on_data, .on_close = on_close};

static void connect_now(struct ami_source *ami)
{
    const char *host = source_option(ami->source, "host");
    int64_t port = 0;
    int r = text_to_i64(slice_of(source_option(ami->source, "port")), 1, 65535, &port);

    ami->step = STEP_CONNECTING;
    ami->connection++;
    source_say(ami->source, "connecting", "to %s:%d", host, (int)port);
    if (r == 0)
        r = tcp_open(ami->ingest->loop, host, (uint16_t)port, &tcp_ops, ami, &ami->tcp);
    if (r < 0)
        disconnect(ami, strerror(-r));
    else
        timer_start(ami->timer, PING_MS, PING_MS);
}

/* Also when nothing happens in the call centre it is known until when nothing did. */
static void ping(struct ami_source *ami)
{
    struct buf action;

    if (!ami->batch && begin_batch(ami))
        submit_batch(ami);
    buf_init(&action, ACTION_MAX);
    send_action(ami, &action, ami_action_ping(&action, "ping"));
}

static void on_timer(void *arg)
{
    struct ami_source *ami = arg;
    int64_t now = clock_mono_us();

    switch (ami->step) {
    case STEP_RECALLING:
        break;
    case STEP_WAITING:
        connect_now(ami);
        break;
    case STEP_CONNECTING:
        disconnect(ami, "no connection within 15 s");
        break;
    case STEP_LOGIN:
        if (now - ami->login_at > LOGIN_US)
            disconnect(ami, "no answer to the login");
        break;
    case STEP_READY:
        /* While we do not read, silence says nothing. */
        if (!timer_is_active(ami->resubmit) && now - ami->data_at > SILENCE_US)
            disconnect(ami, "nothing heard for 40 s");
        else
            ping(ami);
        break;
    default:
        break;
    }
}

/* --- life --------------------------------------------------------------------------------------
 */

static void ami_free(struct ami_source *ami)
{
    if (ami->batch)
        event_work_free(ami->batch);
    timer_free(&ami->timer);
    timer_free(&ami->resubmit);
    ami_reader_done(&ami->reader);
    asterisk_ami_free(ami->interpreter);
    free(ami);
}

static void recall(struct ami_source *ami, const char *contact_id, struct slice snapshot)
{
    Moment__V1__Moment *moment =
        moment__v1__moment__unpack(NULL, snapshot.len, (const uint8_t *)snapshot.at);
    const Moment__V1__Visit *visit = NULL;

    if (!moment)
        return;
    if (moment->n_visits > 0 && moment->visits[moment->n_visits - 1]->ended_at == 0)
        visit = moment->visits[moment->n_visits - 1];
    if (visit)
        asterisk_ami_recall(ami->interpreter, contact_id, visit->queue, visit->entered_at,
                            visit->answered_at != 0 ? visit->agent : "");
    else
        asterisk_ami_recall(ami->interpreter, contact_id, "", 0, "");
    moment__v1__moment__free_unpacked(moment, NULL);
}

static void on_recalled(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error)
{
    struct ami_source *ami = arg;

    (void)error;
    if (ami->is_stopped) {
        ami_free(ami);
        return;
    }
    if (status < 0) {
        ami->step = STEP_WAITING;
        disconnect(ami, "what was open could not be read");
        return;
    }
    for (size_t row = 0; row < db_count(rows); row++)
        recall(ami, db_get_text(rows, row, 0), db_get_bytes(rows, row, 1));
    connect_now(ami);
}

static int open_parts(struct ami_source *ami)
{
    const struct asterisk_ami_options options = {
        .source = ami->source->name,
        .system = ami->source->system,
        .site = ami->source->site,
        .inbound_contexts = source_option(ami->source, "inbound_contexts"),
    };
    int r = timer_new(ami->ingest->loop, on_timer, ami, &ami->timer);

    if (r == 0)
        r = timer_new(ami->ingest->loop, on_resubmit, ami, &ami->resubmit);
    if (r < 0)
        return r;
    ami->interpreter = asterisk_ami_new(&options, on_event, ami);
    return ami->interpreter ? 0 : -ENOMEM;
}

int ami_source_start(struct ingest *ingest, struct source *source)
{
    struct ami_source *ami = calloc(1, sizeof(*ami));
    int r;

    if (!ami)
        return -ENOMEM;
    ami->ingest = ingest;
    ami->source = source;
    if (source->heard_at != 0 && source->received_at != 0)
        ami->ahead_us = source->heard_at - source->received_at;
    ami->retry = (struct retry){.base_ms = RETRY_BASE_MS, .max_ms = RETRY_MAX_MS};
    ami_reader_init(&ami->reader);
    r = open_parts(ami);
    if (r == 0)
        r = store_open_moments(ingest->reader, source->system, on_recalled, ami);
    if (r < 0) {
        ami_free(ami);
        return r;
    }
    source->runner = ami;
    return 0;
}

void ami_source_stop(struct source *source)
{
    struct ami_source *ami = source->runner;

    tcp_close(&ami->tcp);
    timer_stop(ami->timer);
    timer_stop(ami->resubmit);
    submit_batch(ami);
    timer_stop(ami->resubmit);
    metric_set(&gauge_ami_connected, source->name, 0);
    source_say(source, "stopped", "%s", "");
    if (ami->step == STEP_RECALLING)
        ami->is_stopped = true;
    else
        ami_free(ami);
}
