/* admin - /livez, /readyz and /metrics on the private listener. */
#include "base/clock.h"
#include "io/counters.h"
#include "io/service_parts.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TICK_LATE_US (5 * US_PER_S)
#define METRICS_BYTES_MAX (1024 * 1024)

static void on_livez(void *state, struct http_request *request)
{
    const struct service *service = state;
    int64_t age_us = clock_mono_us() - service->tick_us;
    json_t *body = json_object();

    json_object_set_new(body, "alive", json_boolean(age_us < TICK_LATE_US));
    json_object_set_new(body, "tick_age_ms", json_integer(age_us / US_PER_MS));
    http_reply_json(request, age_us < TICK_LATE_US ? 200 : 503, body);
}

static void add_failure(json_t *failed, const char *check, const char *reason)
{
    json_t *one = json_object();

    json_object_set_new(one, "check", json_string(check));
    json_object_set_new(one, "reason", json_string(reason));
    json_array_append_new(failed, one);
}

static void check_database(const struct service *service, json_t *failed)
{
    if (!db_is_up(service->reader)) {
        const char *trouble = db_trouble(service->reader);
        add_failure(failed, "database", trouble[0] ? trouble : "not connected yet");
    }
    if (!stream_is_ready(service->stream)) {
        add_failure(failed, "stream", "this process is not the writer (no epoch)");
    }
}

static void check_consumers(const struct service *service, json_t *failed)
{
    char check[80];

    for (size_t i = 0; i < service->consumer_count; i++) {
        const struct consumer *consumer = service->consumers[i];
        const char *producer = consumer_producer(consumer);
        const char *reason = consumer_reason(consumer);

        if (strcmp(consumer_state(consumer), "flowing") == 0) {
            continue;
        }
        snprintf(check, sizeof(check), "consumer %s", producer);
        if (!reason[0]) {
            reason = bus_link_reason(service->bus, producer);
        }
        add_failure(failed, check, reason[0] ? reason : consumer_state(consumer));
    }
}

static void check_service(const struct service *service, json_t *failed)
{
    if (service->phase == SERVICE_DRAINING || service->phase == SERVICE_CLOSED) {
        add_failure(failed, "draining", "SIGTERM or an operator asked for it");
    }
    if (!service->is_started) {
        add_failure(failed, "started", "waiting for the database");
    } else if (service->spec->not_ready) {
        const char *reason = service->spec->not_ready(service->state);
        if (reason) {
            add_failure(failed, service->spec->name, reason);
        }
    }
}

static void on_readyz(void *state, struct http_request *request)
{
    const struct service *service = state;
    json_t *failed = json_array();
    json_t *body = json_object();

    check_database(service, failed);
    check_consumers(service, failed);
    check_service(service, failed);
    bool is_ready = json_array_size(failed) == 0;
    json_object_set_new(body, "ready", json_boolean(is_ready));
    json_object_set_new(body, "failed", failed);
    http_reply_json(request, is_ready ? 200 : 503, body);
}

static void measure_process(void)
{
    struct rusage usage;
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file) {
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes it. */
        if (fscanf(file, "%*u %llu", &pages) == 1) {
            metric_set(&counter_resident_bytes, NULL,
                       (double)pages * (double)sysconf(_SC_PAGESIZE));
        }
        fclose(file);
    }
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        metric_add(&counter_cpu_seconds, NULL, seconds - metric_get(&counter_cpu_seconds, NULL));
    }
}

static void measure_stream(const struct service *service)
{
    struct position head = stream_head(service->stream);

    metric_set(&counter_stream_ready, NULL, stream_is_ready(service->stream) ? 1 : 0);
    metric_set(&counter_stream_head, NULL, (double)head.seq);
    metric_set(&counter_stream_epoch, NULL, (double)head.epoch);
    metric_set(&counter_stream_queued_bytes, NULL, (double)stream_queued_bytes(service->stream));
}

static void on_metrics(void *state, struct http_request *request)
{
    struct buf text;

    measure_process();
    measure_stream(state);
    buf_init(&text, METRICS_BYTES_MAX);
    if (metric_write(&text) < 0) {
        http_problem(request, 500, "too-large", NULL, "the counters do not fit 1 MiB");
    } else {
        http_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
    }
    buf_done(&text);
}

const struct http_route admin_routes[] = {
    {"GET", "/livez", 0, on_livez, NULL},
    {"GET", "/readyz", 0, on_readyz, NULL},
    {"GET", "/metrics", 0, on_metrics, NULL},
};
const size_t admin_route_count = countof(admin_routes);
