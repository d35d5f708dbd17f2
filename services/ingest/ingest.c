/* ingest - see the header. */
#include "ingest/ingest.h"

#include "base/clock.h"
#include "base/log.h"
#include "ingest/counters.h"
#include "ingest/edge_events.h"
#include "ingest/rules/idle.h"
#include "ingest/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 1000
#define OWN_SOURCE "ingest"

/* --- the directory in memory ------------------------------------------------------------------ */

static void people_failed(struct ingest *ingest)
{
    people_done(&ingest->incoming_people);
    ingest->people_loading = false;
    ingest->people_again = true; /* the tick tries again */
}

static void on_directory(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error)
{
    struct ingest *ingest = arg;

    (void)error;
    for (size_t row = 0; status == 0 && row < db_count(rows); row++)
        status = people_add(&ingest->incoming_people, db_get_bytes(rows, row, 0));
    if (status < 0) {
        people_failed(ingest);
        return;
    }
    people_done(&ingest->people);
    ingest->people = ingest->incoming_people;
    people_init(&ingest->incoming_people);
    ingest->people_loading = false;
    ingest->people_loaded = true;
    waits_end(&ingest->people_waits);
    if (ingest->people_again)
        ingest_read_people(ingest);
}

void ingest_read_people(struct ingest *ingest)
{
    ingest->people_again = ingest->people_loading;
    if (ingest->people_loading)
        return;
    ingest->people_loading = true;
    waits_begin(&ingest->people_waits);
    if (store_directory(ingest->reader, on_directory, ingest) < 0)
        people_failed(ingest);
}

void ingest_read_people_then(struct ingest *ingest, void (*done)(void *arg), void *arg)
{
    waits_add(&ingest->people_waits, done, arg);
    ingest_read_people(ingest);
}

/* --- moments of which nothing more is heard ----------------------------------------------------
 */

static void on_lost_applied(struct event_work *work, int status, const struct db_error *error)
{
    struct ingest *ingest = work->arg;

    (void)error;
    ingest->is_sweeping = false;
    if (status == 0)
        metric_add(&counter_lost, NULL, work->accepted);
}

static int add_lost(struct ingest *ingest, struct event_work *work, const struct db_rows *rows,
                    size_t row)
{
    const char *contact_id = db_get_text(rows, row, 1);
    struct event event;

    (void)ingest;
    idle_lost_event(OWN_SOURCE, db_get_text(rows, row, 0), contact_id, db_get_time(rows, row, 2),
                    clock_wall_us(), &event);
    event.site = db_get_text(rows, row, 3);
    return event_list_add(&work->events, &event);
}

static void on_silent(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct ingest *ingest = arg;
    struct event_work *work;

    (void)error;
    ingest->is_sweeping = false;
    if (status < 0 || db_count(rows) == 0 || ingest->is_draining)
        return;
    work = event_work_new(ingest->moments, on_lost_applied, ingest);
    if (!work)
        return;
    for (size_t row = 0; status == 0 && row < db_count(rows); row++)
        status = add_lost(ingest, work, rows, row);
    if (status == 0 && event_work_submit(ingest->stream, work) == 0)
        ingest->is_sweeping = true;
    else
        event_work_free(work);
}

static void sweep(struct ingest *ingest)
{
    int64_t limit_us = conf_integer(ingest->conf, "lost_track_s") * US_PER_S;

    if (limit_us == 0 || ingest->is_sweeping || !stream_is_ready(ingest->stream))
        return;
    if (store_silent_moments(ingest->reader, clock_wall_us() - limit_us, on_silent, ingest) == 0)
        ingest->is_sweeping = true;
}

static void tell_counters(struct ingest *ingest)
{
    struct moments_counts now = moments_counts(ingest->moments);

    metric_add(&counter_folds, NULL, (double)(now.folds - ingest->told.folds));
    metric_add(&counter_fold_seconds, NULL, now.fold_seconds - ingest->told.fold_seconds);
    metric_add(&counter_cache_misses, NULL, (double)(now.cache_misses - ingest->told.cache_misses));
    metric_add(&counter_redactions, NULL, (double)(now.redactions - ingest->told.redactions));
    metric_set(&gauge_cache_bytes, NULL, (double)now.cached_bytes);
    ingest->told = now;
}

static void on_tick(void *arg)
{
    struct ingest *ingest = arg;

    tell_counters(ingest);
    if (!stream_is_ready(ingest->stream))
        edge_events_give_up(ingest);
    if (ingest->is_draining)
        return;
    if (ingest->people_again && !ingest->people_loading)
        ingest_read_people(ingest);
    sweep(ingest);
}

/* --- life ------------------------------------------------------------------------------------ */

static int open_moments(struct ingest *ingest)
{
    struct moments_options options = {
        .site = service_site(ingest->service),
        .people = &ingest->people,
        .redact = &ingest->redact,
        .cache_bytes = (size_t)conf_integer(ingest->conf, "cache_bytes"),
        .repeat_window_us = conf_integer(ingest->conf, "repeat_window_h") * 3600 * US_PER_S,
    };

    return moments_new(&options, &ingest->moments);
}

/* Several expressions are separated by two semicolons, so that they fit into one line. */
static int open_redact(struct ingest *ingest)
{
    char *patterns = strdup(conf_text(ingest->conf, "redact_patterns"));
    size_t bad = 0;
    int r;

    if (!patterns)
        return -ENOMEM;
    for (char *at = strstr(patterns, ";;"); at; at = strstr(at, ";;"))
        at[0] = at[1] = '\n';
    r = redact_init(&ingest->redact, patterns, &bad);
    if (r < 0)
        log_error("settings", "setting=redact_patterns expression=%zu error=\"%s\"", bad,
                  strerror(-r));
    free(patterns);
    return r;
}

static void on_sources_read(void *arg)
{
    edge_events_go_on(arg);
}

static int open_parts(struct ingest *ingest)
{
    int r = open_redact(ingest);

    if (r < 0)
        return r;
    r = open_moments(ingest);
    if (r == 0)
        r = registry_open(&ingest->registry, ingest, on_sources_read, ingest);
    if (r == 0)
        r = timer_new(ingest->loop, on_tick, ingest, &ingest->tick);
    return r;
}

int ingest_start(struct service *service, void **ret_state)
{
    struct ingest *ingest = calloc(1, sizeof(*ingest));
    int r;

    if (!ingest)
        return -ENOMEM;
    ingest->service = service;
    ingest->loop = service_loop(service);
    ingest->stream = service_stream(service);
    ingest->reader = service_reader(service);
    ingest->bus = service_bus(service);
    ingest->conf = service_conf(service);
    people_init(&ingest->people);
    people_init(&ingest->incoming_people);
    r = open_parts(ingest);
    if (r < 0) {
        free(ingest);
        return r;
    }
    ingest_read_people(ingest);
    registry_reload(&ingest->registry);
    timer_start(ingest->tick, TICK_MS, TICK_MS);
    *ret_state = ingest;
    return 0;
}

void ingest_forget(void *state)
{
    struct ingest *ingest = state;

    moments_forget(ingest->moments);
}

void ingest_reload(void *state)
{
    struct ingest *ingest = state;

    moments_set_repeat_window(ingest->moments,
                              conf_integer(ingest->conf, "repeat_window_h") * 3600 * US_PER_S);
    registry_reload(&ingest->registry);
    ingest_read_people(ingest);
}

void ingest_drain(void *state)
{
    struct ingest *ingest = state;

    ingest->is_draining = true;
    registry_stop_sources(&ingest->registry);
    edge_events_go_on(ingest);
}

void ingest_stop(void *state)
{
    struct ingest *ingest = state;

    if (!ingest)
        return;
    timer_free(&ingest->tick);
    registry_close(&ingest->registry);
    waits_give_up(&ingest->people_waits);
    moments_free(&ingest->moments);
    people_done(&ingest->people);
    people_done(&ingest->incoming_people);
    redact_done(&ingest->redact);
    free(ingest);
}

const char *ingest_not_ready(void *state)
{
    const struct ingest *ingest = state;

    if (!ingest->registry.is_loaded)
        return "the sources have not been read yet";
    if (!ingest->people_loaded)
        return "the directory has not been read yet";
    return NULL;
}
