/* registry - see the header. A reload is two queries, then the difference to what is in memory. */
#include "ingest/registry.h"

#include "base/clock.h"
#include "ingest/counters.h"
#include "ingest/ingest.h"
#include "ingest/sources/asterisk_ami.h"
#include "ingest/sources/asterisk_queue_log.h"
#include "ingest/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 1000

static const struct source_option_spec ami_options[] = {
    {.name = "host", .required = true},
    {.name = "port", .is_port = true, .fallback = "5038"},
    {.name = "user", .required = true},
    {.name = "secret", .required = true, .is_secret = true},
    {.name = "auth", .choices = "plain|md5", .fallback = "md5"},
    {.name = "inbound_contexts"},
};

static const struct source_option_spec queue_log_options[] = {
    {.name = "path", .required = true},
};

static const struct source_option_spec events_options[] = {
    /* Submits over ZeroMQ too: it gets a CURVE key. */
    {.name = "native", .choices = "true|false", .fallback = "false"},
};

static const struct source_kind kinds[] = {
    {.name = "asterisk-ami",
     .options = ami_options,
     .option_count = countof(ami_options),
     .start = ami_source_start,
     .stop = ami_source_stop},
    {.name = "asterisk-queue-log",
     .options = queue_log_options,
     .option_count = countof(queue_log_options),
     .start = queue_log_source_start,
     .stop = queue_log_source_stop},
    {.name = "events",
     .options = events_options,
     .option_count = countof(events_options),
     .has_token = true},
};

const struct source_kind *source_kind_of(const char *name)
{
    for (size_t i = 0; i < countof(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const char *source_option(const struct source *source, const char *name)
{
    const char *value = json_string_value(json_object_get(source->options, name));

    for (size_t i = 0; !value && i < source->kind->option_count; i++)
        if (strcmp(source->kind->options[i].name, name) == 0)
            value = source->kind->options[i].fallback;
    return value ? value : "";
}

void source_say(struct source *source, const char *state, const char *detail, ...)
{
    va_list args;

    text_copy(source->state, sizeof(source->state), state);
    va_start(args, detail);
    vsnprintf(source->detail, sizeof(source->detail), detail, args);
    va_end(args);
}

void source_count(struct source *source, uint64_t accepted, uint64_t duplicate, uint64_t refused)
{
    source->events += accepted;
    source->duplicates += duplicate;
    source->refused += refused;
    if (accepted > 0)
        source->last_event_at = clock_wall_us();
    if (accepted > 0)
        metric_add(&counter_events, source->name, (double)accepted);
    if (duplicate > 0)
        metric_add(&counter_duplicates, source->name, (double)duplicate);
    if (refused > 0)
        metric_add(&counter_refused, source->name, (double)refused);
}

static void source_free(struct source *source)
{
    json_unref(&source->options);
    free(source);
}

static void free_all(struct source **list)
{
    while (*list) {
        struct source *next = (*list)->next;

        source_free(*list);
        *list = next;
    }
}

/* --- reading --------------------------------------------------------------------------------- */

static struct source *by_id(struct source *list, int64_t source_id)
{
    while (list && list->source_id != source_id)
        list = list->next;
    return list;
}

static void read_source(struct registry *registry, const struct db_rows *rows, size_t row)
{
    const struct source_kind *kind = source_kind_of(db_get_text(rows, row, 1));
    struct source *source;
    struct json_error error;

    if (!kind)
        return; /* of a newer version */
    source = calloc(1, sizeof(*source));
    if (!source)
        abort();
    source->ingest = registry->ingest;
    source->kind = kind;
    source->source_id = db_get_i64(rows, row, 0);
    text_copy(source->name, sizeof(source->name), db_get_text(rows, row, 2));
    text_copy(source->system, sizeof(source->system), db_get_text(rows, row, 3));
    text_copy(source->site, sizeof(source->site), db_get_text(rows, row, 4));
    if (json_parse(slice_of(db_get_text(rows, row, 5)), &source->options, &error) < 0)
        source->options = json_object();
    source->last_event_at = source->heard_at = db_get_time(rows, row, 6);
    source->received_at = db_get_time(rows, row, 7);
    source->allowance = -1;
    source->next = registry->incoming;
    registry->incoming = source;
}

static void read_secret(struct registry *registry, const struct db_rows *rows, size_t row)
{
    struct source *source = by_id(registry->incoming, db_get_i64(rows, row, 0));
    const char *kind = db_get_text(rows, row, 1);
    struct slice value = db_get_bytes(rows, row, 2);

    if (!source)
        return;
    if (strcmp(kind, "token") == 0 && source->token_count < SOURCE_SECRETS_MAX &&
        value.len == SEAL_HASH_SIZE)
        memcpy(source->tokens[source->token_count++], value.at, SEAL_HASH_SIZE);
    else if (strcmp(kind, "webhook") == 0 && source->webhook_count < SOURCE_SECRETS_MAX)
        text_copy_slice(source->webhooks[source->webhook_count++], SOURCE_SECRET_SIZE, value);
    else if (strcmp(kind, "password") == 0 && ++source->password_count)
        text_copy_slice(source->password, sizeof(source->password), value);
    else if (strcmp(kind, "curve") == 0)
        text_copy_slice(source->curve, sizeof(source->curve), value);
}

/* --- the difference -------------------------------------------------------------------------- */

static void stop_source(struct source *source)
{
    if (source->kind->stop && source->runner)
        source->kind->stop(source);
    source->runner = NULL;
}

static void allow_native(struct source *source)
{
    char user[SOURCE_NAME_MAX + 16];

    if (source->curve[0] == '\0')
        return;
    snprintf(user, sizeof(user), "source:%s", source->name);
    if (bus_allow(source->ingest->bus, source->curve, user) < 0)
        source_say(source, "failed", "its CURVE key is not usable");
}

static void disallow_native(struct source *source)
{
    char user[SOURCE_NAME_MAX + 16];

    if (source->curve[0] == '\0')
        return;
    snprintf(user, sizeof(user), "source:%s", source->name);
    bus_disallow(source->ingest->bus, user);
}

static void start_source(struct source *source)
{
    int r;

    source_say(source, source->kind->start ? "starting" : "listening", "%s", "");
    if (source->kind->has_token)
        allow_native(source);
    if (!source->kind->start)
        return;
    r = source->kind->start(source->ingest, source);
    if (r < 0)
        source_say(source, "failed", "%s", strerror(-r));
}

static void take_secrets(struct source *to, const struct source *from)
{
    memcpy(to->tokens, from->tokens, sizeof(to->tokens));
    to->token_count = from->token_count;
    memcpy(to->webhooks, from->webhooks, sizeof(to->webhooks));
    to->webhook_count = from->webhook_count;
    memcpy(to->password, from->password, sizeof(to->password));
    to->password_count = from->password_count;
}

static void remove_gone(struct registry *registry)
{
    for (struct source *source = registry->all; source; source = source->next) {
        struct source *now = by_id(registry->incoming, source->source_id);

        if (source->removed)
            continue;
        if (now) {
            take_secrets(source, now);
            continue;
        }
        source->removed = true;
        stop_source(source);
        disallow_native(source);
    }
}

static void adopt_new(struct registry *registry)
{
    while (registry->incoming) {
        struct source *source = registry->incoming;

        registry->incoming = source->next;
        source->next = NULL;
        if (by_id(registry->all, source->source_id)) {
            source_free(source);
            continue;
        }
        source->next = registry->all;
        registry->all = source;
        start_source(source);
    }
}

static void finish(struct registry *registry)
{
    registry->is_loading = false;
    registry->is_loaded = true;
    remove_gone(registry);
    adopt_new(registry);
    waits_end(&registry->waits);
    if (registry->again)
        registry_reload(registry);
    else if (registry->on_loaded)
        registry->on_loaded(registry->arg);
}

static void fail(struct registry *registry)
{
    free_all(&registry->incoming);
    timer_start(registry->retry, RETRY_MS, 0);
}

static void on_secrets(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error)
{
    struct registry *registry = arg;

    (void)error;
    if (status < 0) {
        fail(registry);
        return;
    }
    for (size_t row = 0; row < db_count(rows); row++)
        read_secret(registry, rows, row);
    finish(registry);
}

static void on_sources(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error)
{
    struct registry *registry = arg;

    (void)error;
    if (status < 0) {
        fail(registry);
        return;
    }
    for (size_t row = 0; row < db_count(rows); row++)
        read_source(registry, rows, row);
    if (store_secrets(registry->ingest->reader, on_secrets, registry) < 0)
        fail(registry);
}

static void start_reload(void *arg)
{
    struct registry *registry = arg;

    registry->again = false;
    waits_begin(&registry->waits);
    if (store_sources(registry->ingest->reader, on_sources, registry) < 0)
        fail(registry);
}

void registry_reload(struct registry *registry)
{
    if (registry->is_loading) {
        registry->again = true;
        return;
    }
    registry->is_loading = true;
    start_reload(registry);
}

void registry_reload_then(struct registry *registry, void (*done)(void *arg), void *arg)
{
    waits_add(&registry->waits, done, arg);
    registry_reload(registry);
}

/* --- life ------------------------------------------------------------------------------------ */

int registry_open(struct registry *registry, struct ingest *ingest, void (*on_loaded)(void *arg),
                  void *arg)
{
    memset(registry, 0, sizeof(*registry));
    registry->ingest = ingest;
    registry->on_loaded = on_loaded;
    registry->arg = arg;
    return timer_new(ingest->loop, start_reload, registry, &registry->retry);
}

void registry_stop_sources(struct registry *registry)
{
    for (struct source *source = registry->all; source; source = source->next)
        stop_source(source);
}

void registry_close(struct registry *registry)
{
    registry_stop_sources(registry);
    timer_free(&registry->retry);
    waits_give_up(&registry->waits);
    free_all(&registry->all);
    free_all(&registry->incoming);
}

struct source *registry_find(const struct registry *registry, const char *name)
{
    for (struct source *source = registry->all; source; source = source->next)
        if (!source->removed && strcmp(source->name, name) == 0)
            return source;
    return NULL;
}
