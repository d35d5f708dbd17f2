/* registry - the sources that are configured now: their options, secrets, counters, and what runs
 * for them.
 *
 * The tables are the truth: registry_reload reads them and starts, changes and stops sources until
 * memory says the same. A struct source lives as long as the registry, also after its removal, so
 * that work under way may point to it. Loop thread only. */
#ifndef MOMENT_INGEST_REGISTRY_H
#define MOMENT_INGEST_REGISTRY_H

#include "base/seal.h"
#include "ingest/waits.h"
#include "io/db.h"
#include "io/json.h"
#include "io/loop.h"

#define SOURCE_NAME_MAX 64
#define SOURCE_SECRETS_MAX 2
#define SOURCE_SECRET_SIZE 256

struct source;
struct ingest;

struct source_option_spec {
    const char *name;
    bool required;
    bool is_secret; /* kept apart from the options and never shown */
    bool is_port;
    const char *choices;  /* "plain|md5"; null: any text */
    const char *fallback; /* null: none */
};

/* What a kind of source is: one static row each. */
struct source_kind {
    const char *name;
    const struct source_option_spec *options;
    size_t option_count;
    bool has_token; /* senders authenticate to us */
    /* Both may be null for a kind that only waits for requests. */
    int (*start)(struct ingest *ingest, struct source *source);
    void (*stop)(struct source *source);
};
const struct source_kind *source_kind_of(const char *name); /* null: no such kind */

struct source {
    struct source *next;
    struct ingest *ingest;
    const struct source_kind *kind;
    int64_t source_id;
    char name[SOURCE_NAME_MAX + 1], system[SOURCE_NAME_MAX + 1], site[SOURCE_NAME_MAX + 1];
    json_t *options; /* owned; an object of texts */
    uint8_t tokens[SOURCE_SECRETS_MAX][SEAL_HASH_SIZE];
    size_t token_count;
    char webhooks[SOURCE_SECRETS_MAX][SOURCE_SECRET_SIZE];
    size_t webhook_count;
    char password[SOURCE_SECRET_SIZE]; /* the newest */
    size_t password_count;
    char curve[41]; /* public key, "" for none */
    bool removed;
    bool is_listed; /* by the reload under way */

    /* For people: connected, waiting, reading, failed; and why. */
    char state[24];
    char detail[200];
    int64_t last_event_at;
    int64_t heard_at, received_at; /* the newest fact: by its clock, and by ours */
    uint64_t events, duplicates, refused;
    double allowance; /* of the token bucket: events that may come now */
    int64_t allowance_at;
    void *runner; /* the kind's own */
};

/* "" or the spec's fallback if it was not given. */
const char *source_option(const struct source *source, const char *name);
void source_say(struct source *source, const char *state, const char *detail, ...)
    printf_like(3, 4);
/* Counters of the source and of the service. */
void source_count(struct source *source, uint64_t accepted, uint64_t duplicate, uint64_t refused);

struct registry {
    struct ingest *ingest;
    struct source *all;
    struct source *incoming; /* read so far by the reload under way */
    bool is_loading, is_loaded, again;
    struct waits waits;
    struct timer *retry;
    void (*on_loaded)(void *arg);
    void *arg;
};

/* on_loaded is called after each reload. */
must_check int registry_open(struct registry *registry, struct ingest *ingest,
                             void (*on_loaded)(void *arg), void *arg);
void registry_close(struct registry *registry);
void registry_stop_sources(struct registry *registry);
void registry_reload(struct registry *registry);
/* The same, and call done(arg) when what is committed now has been taken over, or at the end. */
void registry_reload_then(struct registry *registry, void (*done)(void *arg), void *arg);
/* Null if there is none (removed ones are not found). */
struct source *registry_find(const struct registry *registry, const char *name);

#endif
