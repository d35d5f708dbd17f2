#include "io/service.h"

#include "base/clock.h"
#include "base/log.h"
#include "io/counters.h"
#include "io/service_parts.h"
#include "io/settings.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_AT_ONCE 2
#define TICK_MS 1000
#define COMPLAIN_US (5 * US_PER_S)
#define COUNT_QUARANTINE_TICKS 30
#define ADMIN_CONNECTIONS 16
/* Between the last commit and the closing of sockets: answers leave. */
#define LAST_BREATH_MS 200
#define LAST_RESORT_MS 2000
#define ERROR_SIZE 512
#define DSN_SIZE 2048

/* --- what the service asks --- */

struct loop *service_loop(struct service *service)
{
    return service->loop;
}

const struct conf *service_conf(struct service *service)
{
    return service->conf;
}

struct stream *service_stream(struct service *service)
{
    return service->stream;
}

struct db *service_reader(struct service *service)
{
    return service->reader;
}

struct bus *service_bus(struct service *service)
{
    return service->bus;
}

const char *service_site(struct service *service)
{
    return conf_text(service->conf, "site");
}

uint64_t service_lag(struct service *service, const char *producer)
{
    for (size_t i = 0; i < service->consumer_count; i++) {
        if (strcmp(consumer_producer(service->consumers[i]), producer) != 0) {
            continue;
        }
        /* What the producer has made since the link went down, nobody knows. */
        return bus_link_is_up(service->bus, producer) ? consumer_lag(service->consumers[i])
                                                      : UINT64_MAX;
    }
    return UINT64_MAX;
}

const char *service_phase(const struct service *service)
{
    if (service->phase == SERVICE_SERVING && !stream_is_ready(service->stream)) {
        return "reading";
    }
    switch (service->phase) {
    case SERVICE_WAITING:
        return "waiting";
    case SERVICE_SERVING:
        return "serving";
    case SERVICE_DRAINING:
        return "draining";
    case SERVICE_CLOSED:
        return "closed";
    }
    return "";
}

/* --- the end --- */

static void on_handle_closed(uv_handle_t *handle unused_arg)
{
}

static void on_last_resort(uv_timer_t *timer)
{
    const struct service *service = timer->data;

    loop_stop(service->loop); /* loop_free names what is still open */
}

/* The loop ends by itself when everything is closed. */
static void await_the_end(struct service *service)
{
    uv_timer_init(loop_uv(service->loop), &service->last_resort);
    service->last_resort.data = service;
    uv_timer_start(&service->last_resort, on_last_resort, LAST_RESORT_MS, 0);
    uv_unref((uv_handle_t *)&service->last_resort);
}

/* Mirrors open_all and serve, backwards. */
static void close_all(struct service *service)
{
    service->phase = SERVICE_CLOSED;
    if (service->http) {
        http_close(&service->http);
    }
    for (size_t i = 0; i < service->consumer_count; i++) {
        consumer_close(&service->consumers[i]);
    }
    service->consumer_count = 0;
    if (service->is_started && service->spec->stop) {
        service->spec->stop(service->state);
    }
    service->is_started = false;
    if (service->admin) {
        http_close(&service->admin);
    }
    bus_close(&service->bus);
    if (service->stream) {
        stream_close(&service->stream);
    }
    if (service->reader) {
        db_close(&service->reader);
    }
    timer_free(&service->tick);
    timer_free(&service->deadline);
    timer_free(&service->revert);
    for (size_t i = 0; i < SIGNALS; i++) {
        if (service->signals[i].data) {
            uv_close((uv_handle_t *)&service->signals[i], on_handle_closed);
        }
    }
    await_the_end(service);
}

static void on_last_breath(void *arg)
{
    close_all(arg);
}

static void on_drain_deadline(void *arg)
{
    const struct service *service = arg;

    log_error("drain_timeout", "drain_ms=%lld queued_bytes=%zu",
              (long long)conf_integer(service->conf, "drain_ms"),
              stream_queued_bytes(service->stream));
    /* Works are in flight and nobody knows what hangs on them: the database keeps the truth. */
    _exit(EXIT_FAILURE);
}

static void breathe_out(struct service *service)
{
    int rc;

    timer_free(&service->deadline);
    rc = timer_new(service->loop, on_last_breath, service, &service->deadline);
    assert(rc == 0);
    timer_start(service->deadline, LAST_BREATH_MS, 0);
}

static void on_drained(void *arg)
{
    struct service *service = arg;

    log_info("drained", "queued_bytes=0");
    breathe_out(service);
}

void service_drain(struct service *service)
{
    if (service->phase == SERVICE_DRAINING || service->phase == SERVICE_CLOSED) {
        return;
    }
    bool was_started = service->is_started;

    log_info("draining", "drain_ms=%lld", (long long)conf_integer(service->conf, "drain_ms"));
    service->phase = SERVICE_DRAINING;
    bus_drain(service->bus);
    if (service->http) {
        http_drain(service->http);
    }
    if (was_started && service->spec->drain) {
        service->spec->drain(service->state);
    }
    for (size_t i = 0; i < service->consumer_count; i++) {
        consumer_stop(service->consumers[i]);
    }
    timer_start(service->deadline, (uint64_t)conf_integer(service->conf, "drain_ms"), 0);
    if (was_started) {
        stream_drain(service->stream, on_drained, service);
    } else {
        breathe_out(service); /* nothing was ever taken in */
    }
}

/* A start-up step failed: say so, take down what stands. */
static void fail(struct service *service, const char *event, const char *why)
{
    char quoted[ERROR_SIZE + 64];

    log_error(event, "reason=%s", log_quote(why, quoted, sizeof(quoted)));
    service->exit_code = EXIT_FAILURE;
    close_all(service);
}

/* --- serving --- */

static void on_consumer_event(void *arg, const char *producer, enum consumer_event event,
                              const char *detail)
{
    char quoted[ERROR_SIZE];

    log_quote(detail, quoted, sizeof(quoted));
    switch (event) {
    case CONSUMER_SUBSCRIBED:
        log_info("subscribed", "producer=%s", producer);
        break;
    case CONSUMER_RIVAL:
        log_warn("consumer_rival", "producer=%s detail=%s", producer, quoted);
        break;
    case CONSUMER_QUARANTINED:
        log_error("quarantined", "producer=%s detail=%s", producer, quoted);
        quarantine_count(arg);
        break;
    case CONSUMER_HALTED:
        log_error("consumer_halted", "producer=%s reason=%s", producer, quoted);
        break;
    case CONSUMER_TROUBLE:
        log_warn("consumer_trouble", "producer=%s detail=%s", producer, quoted);
        break;
    }
}

static int consume(struct service *service, const char *producer, char *error, size_t error_size)
{
    const struct consumer_options options = {
        .loop = service->loop,
        .bus = service->bus,
        .stream = service->stream,
        .reader = service->reader,
        .consumer = service->spec->name,
        .producer = producer,
        .state = service->state,
        .load = service->spec->load,
        .apply = service->spec->apply,
        .on_event = on_consumer_event,
        .arg = service,
    };
    const char *address = settings_peer_address(service->conf, producer);

    if (!address[0]) {
        snprintf(error, error_size, "MOMENT_PEER_%s is empty: where does %s listen?", producer,
                 producer);
        return -EINVAL;
    }
    int rc = bus_connect(service->bus, producer, address, error, error_size);
    if (rc == 0) {
        rc = consumer_open(&options, &service->consumers[service->consumer_count]);
        service->consumer_count += rc == 0;
    }
    return rc;
}

static int consume_all(struct service *service, char *error, size_t error_size)
{
    int rc = 0;

    for (const char *const *producer = service->spec->consumes; rc == 0 && producer && *producer;
         producer++) {
        assert(service->consumer_count < CONSUMERS_MAX);
        rc = consume(service, *producer, error, error_size);
    }
    return rc;
}

static void say_why_no_http(const char *setting, const char *address, int rc, char *error,
                            size_t error_size)
{
    const char *hint = "";

    if (rc == -EADDRINUSE) {
        hint = "; another process listens there: stop it, or set ";
    } else if (rc == -EACCES) {
        hint = "; ports below 1024 need a right: set ";
    } else {
        hint = "; it is the setting ";
    }
    snprintf(error, error_size, "cannot listen on %s: %s%s%s", address, strerror(-rc), hint,
             setting);
}

static int open_http(struct service *service, char *error, size_t error_size)
{
    if (!service->spec->routes) {
        return 0;
    }
    const char *address = conf_text(service->conf, "http_address");
    int rc = http_open(service->loop, address, service->spec->routes, service->spec->route_count,
                       service->state, (size_t)conf_integer(service->conf, "http_connections"),
                       &service->http);
    if (rc < 0) {
        say_why_no_http("MOMENT_HTTP_ADDRESS", address, rc, error, error_size);
    }
    return rc;
}

/* The state stands; open the doors. */
static void serve(struct service *service)
{
    char error[ERROR_SIZE] = "";

    bus_set_state(service->bus, service->state);
    if (bus_bind(service->bus, conf_text(service->conf, "bus_address"), error, sizeof(error)) < 0 ||
        consume_all(service, error, sizeof(error)) < 0 ||
        open_http(service, error, sizeof(error)) < 0) {
        fail(service, "start_failed", error);
        return;
    }
    service->phase = SERVICE_SERVING;
    quarantine_count(service);
    log_info("serving", "bus=%s http=%s epoch=%u head=%llu", bus_endpoint(service->bus),
             service->http ? conf_text(service->conf, "http_address") : "-",
             stream_head(service->stream).epoch,
             (unsigned long long)stream_head(service->stream).seq);
}

static void start_when_possible(struct service *service)
{
    int rc;

    if (service->phase != SERVICE_WAITING || !stream_is_ready(service->stream) ||
        !db_is_up(service->reader)) {
        return;
    }
    rc = service->spec->start ? service->spec->start(service, &service->state) : 0;
    if (rc < 0) {
        fail(service, "start_failed", strerror(-rc));
        return;
    }
    service->is_started = true;
    serve(service);
}

static void on_stream_ready(void *arg, bool is_ready)
{
    struct service *service = arg;

    if (is_ready) {
        log_info("stream_ready", "epoch=%u head=%llu", stream_head(service->stream).epoch,
                 (unsigned long long)stream_head(service->stream).seq);
    } else if (service->phase != SERVICE_CLOSED) {
        log_warn("stream_lost", "detail=\"reads go on, writes wait\"");
    }
    /* From the tick: the stream is in the middle of something. */
    service->ticks = 0;
    if (service->tick) {
        timer_start(service->tick, 0, TICK_MS);
    }
}

static void on_stream_forget(void *arg)
{
    struct service *service = arg;

    if (service->is_started && service->spec->forget) {
        service->spec->forget(service->state);
    }
}

static void on_reader_state(void *arg, bool is_up)
{
    struct service *service = arg;

    if (!is_up && service->phase != SERVICE_CLOSED) {
        char quoted[ERROR_SIZE];
        log_warn("database_lost", "reason=%s",
                 log_quote(db_trouble(service->reader), quoted, sizeof(quoted)));
    }
    if (service->tick) {
        timer_start(service->tick, 0, TICK_MS);
    }
}

static void on_link(void *arg unused_arg, const char *peer, bool is_up, const char *reason)
{
    char quoted[ERROR_SIZE];

    if (is_up) {
        log_info("link_up", "peer=%s", peer);
    } else {
        log_warn("link_down", "peer=%s reason=%s", peer, log_quote(reason, quoted, sizeof(quoted)));
    }
}

/* --- once a second --- */

static void complain(struct service *service)
{
    char quoted[ERROR_SIZE];
    const char *why = db_trouble(service->reader);

    if (clock_mono_us() - service->complained_us < COMPLAIN_US) {
        return;
    }
    service->complained_us = clock_mono_us();
    if (db_is_up(service->reader)) {
        why = "the database answers, but this process cannot become the writer: another one runs, "
              "or `momentctl migrate` was not run";
    }
    log_warn("waiting_for_database", "reason=%s setting=MOMENT_DATABASE",
             log_quote(why[0] ? why : "no answer yet", quoted, sizeof(quoted)));
}

static void on_tick(void *arg)
{
    struct service *service = arg;

    service->tick_us = clock_mono_us();
    if (service->phase == SERVICE_WAITING) {
        start_when_possible(service);
        if (service->phase == SERVICE_WAITING) {
            complain(service);
        }
    } else if (service->phase == SERVICE_SERVING && ++service->ticks >= COUNT_QUARANTINE_TICKS) {
        service->ticks = 0;
        quarantine_count(service);
    }
}

static void on_revert(void *arg)
{
    const struct service *service = arg;
    enum log_level level;

    if (log_level_parse(conf_text(service->conf, "log_level"), &level) == 0) {
        log_set_level(level);
    }
}

/* --- signals --- */

static void on_term(uv_signal_t *handle, int number unused_arg)
{
    struct service *service = handle->data;

    if (service->phase == SERVICE_DRAINING) {
        log_warn("killed", "reason=\"second SIGTERM\"");
        _exit(EXIT_AT_ONCE);
    }
    service_drain(service);
}

static int reload(struct service *service, char *error, size_t error_size)
{
    enum log_level level = LOG_INFO;
    size_t pending = 0;
    int rc = conf_reload(service->conf, &pending, error, error_size);

    if (rc == 0 && log_level_parse(conf_text(service->conf, "log_level"), &level) < 0) {
        snprintf(error, error_size, "LOG_LEVEL is debug, info, warn or error");
        rc = -EINVAL;
    }
    if (rc == 0) {
        log_set_level(level);
        rc = bus_reload(service->bus, error, error_size);
    }
    if (rc == 0) {
        log_info("reloaded", "need_restart=%zu", pending);
    }
    return rc;
}

static void on_hup(uv_signal_t *handle, int number unused_arg)
{
    struct service *service = handle->data;
    char error[ERROR_SIZE] = "";
    char quoted[ERROR_SIZE + 64];
    int rc = reload(service, error, sizeof(error));

    metric_set(&counter_reload_ok, NULL, rc == 0 ? 1 : 0);
    if (rc < 0) {
        log_error("reload_failed", "reason=%s", log_quote(error, quoted, sizeof(quoted)));
    } else if (service->is_started && service->spec->reload) {
        service->spec->reload(service->state);
    }
}

static void watch_signals(struct service *service)
{
    static const struct {
        int number;
        uv_signal_cb handler;
    } table[SIGNALS] = {{SIGTERM, on_term}, {SIGINT, on_term}, {SIGHUP, on_hup}};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(loop_uv(service->loop), &service->signals[i]);
        service->signals[i].data = service;
        uv_signal_start(&service->signals[i], table[i].handler, table[i].number);
    }
}

/* --- the beginning --- */

static int open_admin(struct service *service, char *error, size_t error_size)
{
    const char *address = conf_text(service->conf, "admin_address");
    int rc = http_open(service->loop, address, admin_routes, admin_route_count, service,
                       ADMIN_CONNECTIONS, &service->admin);

    if (rc < 0) {
        say_why_no_http("MOMENT_ADMIN_ADDRESS", address, rc, error, error_size);
    }
    return rc;
}

static int open_database(struct service *service, char *error, size_t error_size)
{
    char dsn[DSN_SIZE];
    int rc = settings_dsn(service->conf, dsn, sizeof(dsn));
    const struct stream_options options = {
        .service = service->spec->name,
        .shard = 0,
        .site = conf_text(service->conf, "site"),
        .dsn = dsn,
        .ring_bytes_max = (size_t)conf_integer(service->conf, "ring_bytes"),
        .queue_bytes_max = (size_t)conf_integer(service->conf, "queue_bytes"),
        .on_ready = on_stream_ready,
        .forget = on_stream_forget,
        .arg = service,
    };

    if (rc == 0) {
        rc = db_open(service->loop, dsn, on_reader_state, service, &service->reader);
    }
    if (rc == 0) {
        rc = stream_open(service->loop, &options, &service->stream);
    }
    if (rc < 0) {
        snprintf(error, error_size, "cannot use MOMENT_DATABASE: %s", strerror(-rc));
    }
    explicit_bzero(dsn, sizeof(dsn));
    return rc;
}

static int open_bus(struct service *service, struct call_table tables[2], char *error,
                    size_t error_size)
{
    tables[0] = (struct call_table){runtime_calls, runtime_call_count, service};
    tables[1] = (struct call_table){service->spec->calls, service->spec->call_count, NULL};
    const struct bus_options options = {
        .name = service->spec->name,
        .keys_dir = conf_text(service->conf, "keys_dir"),
        .stream = service->stream,
        .tables = tables,
        .table_count = 2,
        .submitted = service->spec->submitted,
        .on_link = on_link,
        .arg = service,
    };

    return bus_open(service->loop, &options, &service->bus, error, error_size);
}

static int open_timers(struct service *service)
{
    int rc = timer_new(service->loop, on_tick, service, &service->tick);

    if (rc == 0) {
        rc = timer_new(service->loop, on_drain_deadline, service, &service->deadline);
    }
    if (rc == 0) {
        rc = timer_new(service->loop, on_revert, service, &service->revert);
    }
    return rc;
}

static int open_all(struct service *service, struct call_table tables[2])
{
    char error[ERROR_SIZE] = "out of memory";
    int rc = open_timers(service);

    if (rc == 0) {
        rc = open_database(service, error, sizeof(error));
    }
    if (rc == 0) {
        rc = open_bus(service, tables, error, sizeof(error));
    }
    if (rc == 0) {
        rc = open_admin(service, error, sizeof(error));
    }
    if (rc < 0) {
        fail(service, "start_failed", error);
        return rc;
    }
    watch_signals(service);
    service->complained_us = clock_mono_us();
    service->tick_us = clock_mono_us();
    timer_start(service->tick, TICK_MS, TICK_MS);
    return 0;
}

int service_run(const struct service_spec *spec, struct conf *conf)
{
    struct service service = {.spec = spec, .conf = conf, .started_us = clock_mono_us()};
    struct call_table tables[2];

    metric_register(counters_all, counters_count);
    metric_register(spec->metrics, spec->metric_count);
    metric_set(&counter_build_info, SERVICE_VERSION, 1);
    metric_set(&counter_start_time, NULL, (double)clock_wall_us() / 1e6);
    metric_set(&counter_reload_ok, NULL, 1);
    if (loop_new(&service.loop) < 0) {
        return EXIT_FAILURE;
    }
    log_info("starting", "version=%s site=%s pid=%d", SERVICE_VERSION, conf_text(conf, "site"),
             (int)getpid());
    if (open_all(&service, tables) < 0) {
        log_debug("not_started", "exit=%d", service.exit_code);
    }
    loop_run(service.loop);
    uv_close((uv_handle_t *)&service.last_resort, on_handle_closed);
    loop_free(&service.loop);
    log_info("stopped", "exit=%d", service.exit_code);
    return service.exit_code;
}
