/* service_parts - what service_main.c, service.c, admin.c and runtime_calls.c know of each other.
 * Nobody else includes this. */
#ifndef MOMENT_IO_SERVICE_PARTS_H
#define MOMENT_IO_SERVICE_PARTS_H

#include "io/consumer.h"
#include "io/quarantine.h"
#include "io/service.h"

#include <uv.h>

#define CONSUMERS_MAX 8
#define SIGNALS 3

enum phase {
    SERVICE_WAITING, /* for the database and the epoch */
    SERVICE_SERVING,
    SERVICE_DRAINING,
    SERVICE_CLOSED,
};

struct service {
    const struct service_spec *spec; /* borrowed */
    struct conf *conf;
    struct loop *loop;
    struct http *admin;
    struct db *reader;
    struct stream *stream;
    struct bus *bus;
    struct http *http;
    struct consumer *consumers[CONSUMERS_MAX];
    size_t consumer_count;
    uv_signal_t signals[SIGNALS];
    struct timer *tick;
    struct timer *deadline; /* of the drain; afterwards the last breath before closing */
    struct timer *revert;   /* of a log level set for a while */
    uv_timer_t last_resort; /* unreferenced: ends the loop if somebody left a handle open */
    enum phase phase;
    bool is_started; /* state is the service's own */
    void *state;
    int64_t started_us;
    int64_t tick_us;
    int64_t complained_us; /* last line about waiting for the database */
    unsigned ticks;
    uint64_t quarantined;
    bool is_replicated; /* a synchronous standby is configured */
    int exit_code;
};

/* --- service.c --- */
/* Until everything is closed; the exit code. */
int service_run(const struct service_spec *spec, struct conf *conf);
void service_drain(struct service *service);
const char *service_phase(const struct service *service);

/* --- admin.c --- */
extern const struct http_route admin_routes[];
extern const size_t admin_route_count;

/* --- runtime_calls.c: Status, SetLogLevel, Drain, and the handlers of quarantine.h. The bus's
 * state is the struct service; the service's own handlers get its own state. --- */
extern const struct call_route runtime_calls[];
extern const size_t runtime_call_count;

#endif
