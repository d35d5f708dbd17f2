/* service - the skeleton of every process: a table and one call.
 *
 * service_main owns argv (--config FILE, --check, --print-config, --print-settings,
 * --print-counters, --version), settings, log, signals, loop, admin listener, bus, stream,
 * consumers, drain and exit code.
 *
 *   start   settings read, stream ready (the epoch is ours), reader connected: build the state.
 *   apply   one record of a consumed stream, inside the transaction that also commits the cursor.
 *           0, or negative errno: the record goes to quarantine and the stream goes on.
 *   load    optional: reads that apply will need, called for a whole chunk before any apply.
 *   forget  a transaction did not commit: drop caches.
 *   reload  SIGHUP took new settings.
 *   drain   SIGTERM: stop taking in; the runtime then waits for queued work.
 *   stop    tear down; nothing runs after it.
 *
 * Exit codes: 0 drained, 1 failure, 2 second SIGTERM, 64 usage, 78 settings. */
#ifndef MOMENT_IO_SERVICE_H
#define MOMENT_IO_SERVICE_H

#include "base/conf.h"
#include "base/metric.h"
#include "io/bus.h"
#include "io/http.h"

#define SERVICE_VERSION "0.1.0"

struct service;

struct service_spec {
    const char *name;
    const struct conf_row *settings;
    size_t setting_count;
    struct metric *const *metrics;
    size_t metric_count;
    const struct call_route *calls;
    size_t call_count;
    const struct http_route *routes; /* public HTTP on setting http_address; null: none */
    size_t route_count;
    const char *const *consumes; /* producers, null-terminated; null: none */

    int (*start)(struct service *service, void **ret_state);
    void (*load)(void *state, struct txn *txn, const struct record *record);
    int (*apply)(void *state, struct txn *txn, const char *producer, const struct record *record);
    void (*forget)(void *state);
    void (*reload)(void *state);
    void (*drain)(void *state);
    void (*stop)(void *state);
    void (*submitted)(void *state, struct submission *submission); /* null: SUBMIT refused */
    /* Extra readiness: null, or a reason why not yet. */
    const char *(*not_ready)(void *state);
};

int service_main(const struct service_spec *spec, int argc, char **argv);

struct loop *service_loop(struct service *service);
const struct conf *service_conf(struct service *service);
struct stream *service_stream(struct service *service);
/* For queries outside the writer's transactions. */
struct db *service_reader(struct service *service);
struct bus *service_bus(struct service *service);
const char *service_site(struct service *service);
/* The head of a consumed stream as last heard minus what is applied here; UINT64_MAX if unknown,
 * which it is while the producer is not connected. */
uint64_t service_lag(struct service *service, const char *producer);

#endif
