/* edge_sources - see the header. What a source needs is checked against its kind's table of
 * options; secrets are made here, shown once and stored apart. */
#include "ingest/edge_sources.h"

#include "base/clock.h"
#include "ingest/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEBHOOK_KEY_BYTES 32
#define WEBHOOK_SECRET_SIZE 64
#define KINDS "asterisk-ami, asterisk-queue-log, events"

/* struct command is first, and command.c frees the whole. */
struct source_command {
    struct command command;
    struct ingest *ingest;
    bool exists; /* found by load */
    int64_t source_id;
};

static char *text(const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        abort();
    return copy;
}

static struct source_command *command_of(struct command *command)
{
    return container_of(command, struct source_command, command);
}

static void on_taken_over(void *command)
{
    command_settled(command);
}

/* Who has been given a secret may use it at once: a refused handshake is not tried again. */
static bool settle(struct command *command)
{
    registry_reload_then(&command_of(command)->ingest->registry, on_taken_over, command);
    return true;
}

static void on_source(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct source_command *self = arg;

    (void)error;
    self->exists = status == 0 && db_count(rows) > 0;
    if (self->exists)
        self->source_id = db_get_i64(rows, 0, 0);
}

static void start(struct ingest *ingest, struct call *call, command_load_fn *load,
                  command_apply_fn *apply)
{
    struct source_command *self = command_new(sizeof(*self), call, ingest, load, apply);

    self->ingest = ingest;
    self->command.settle = settle;
    command_start(ingest->bus, &self->command);
}

/* --- checks ------------------------------------------------------------------------------------
 */

static int refuse(struct problem *problem, const char *field, const char *detail)
{
    problem_set(problem, 422, "invalid-field", field, "%s", detail);
    return -EINVAL;
}

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= SOURCE_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static const struct source_option_spec *spec_of(const struct source_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->option_count; i++)
        if (strcmp(kind->options[i].name, name) == 0)
            return &kind->options[i];
    return NULL;
}

static const char *given(const Moment__V1__AddSourceRequest *request, const char *name)
{
    for (size_t i = 0; i < request->n_options; i++)
        if (strcmp(request->options[i]->name, name) == 0)
            return request->options[i]->value;
    return "";
}

static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);

    for (const char *at = choices; at; at = strchr(at, '|')) {
        at += at[0] == '|';
        if (strncmp(at, value, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    }
    return false;
}

static int check_value(const struct source_option_spec *spec, const char *value,
                       struct problem *problem)
{
    char field[64];
    int64_t port;

    snprintf(field, sizeof(field), "options.%.40s", spec->name);
    if (spec->required && value[0] == '\0')
        return refuse(problem, field, "Required.");
    if (value[0] == '\0')
        return 0;
    if (strlen(value) >= SOURCE_SECRET_SIZE || strpbrk(value, "\r\n"))
        return refuse(problem, field, "Too long, or with a line end in it.");
    if (spec->is_port && text_to_i64(slice_of(value), 1, 65535, &port) < 0)
        return refuse(problem, field, "A port is a number from 1 to 65535.");
    if (spec->choices && !is_choice(spec->choices, value))
        return refuse(problem, field, spec->choices);
    if (strcmp(spec->name, "path") == 0 && value[0] != '/')
        return refuse(problem, field, "The path must be absolute.");
    return 0;
}

static int check_options(const struct source_kind *kind,
                         const Moment__V1__AddSourceRequest *request, struct problem *problem)
{
    int r = 0;

    for (size_t i = 0; i < request->n_options; i++) {
        const char *name = request->options[i]->name;
        char field[64];

        snprintf(field, sizeof(field), "options.%.40s", name);
        if (!spec_of(kind, name)) {
            problem_set(problem, 422, "invalid-field", field,
                        "A source of kind %s has no such option.", kind->name);
            return -EINVAL;
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(request->options[j]->name, name) == 0)
                return refuse(problem, field, "Given twice.");
    }
    for (size_t i = 0; i < kind->option_count && r == 0; i++)
        r = check_value(&kind->options[i], given(request, kind->options[i].name), problem);
    return r;
}

static int check_request(const Moment__V1__AddSourceRequest *request,
                         const struct source_kind **ret_kind, struct problem *problem)
{
    const struct source_kind *kind = source_kind_of(request->kind);

    if (!kind)
        return refuse(problem, "kind", "One of " KINDS ".");
    if (!is_name(request->name))
        return refuse(problem, "name", "1 to 64 letters, digits, dots, dashes and underscores.");
    if (strcmp(request->name, "ingest") == 0)
        return refuse(problem, "name", "Reserved.");
    if (request->system[0] != '\0' && !is_name(request->system))
        return refuse(problem, "system", "1 to 64 letters, digits, dots, dashes and underscores.");
    if (request->site[0] != '\0' && !is_name(request->site))
        return refuse(problem, "site", "1 to 64 letters, digits, dots, dashes and underscores.");
    *ret_kind = kind;
    return check_options(kind, request, problem);
}

/* --- add ---------------------------------------------------------------------------------------
 */

static const Moment__V1__AddSourceRequest *add_request(const struct command *command)
{
    return (const Moment__V1__AddSourceRequest *)(const void *)call_request(command->call);
}

static void load_add(struct command *command, struct txn *txn)
{
    struct source_command *self = command_of(command);

    self->exists = false;
    store_read_source(txn, add_request(command)->name, on_source, self);
}

static void new_token(const char *name, struct txn *txn, char **ret_token)
{
    char token[SEAL_TOKEN_SIZE];
    uint8_t hash[SEAL_HASH_SIZE];

    seal_token("mst", token);
    seal_sha256(token, strlen(token), hash);
    store_add_secret(txn, name, SECRET_TOKEN, hash, sizeof(hash), txn_now_us(txn));
    *ret_token = text(token);
}

static void new_webhook_secret(const char *name, struct txn *txn, char **ret_secret)
{
    uint8_t key[WEBHOOK_KEY_BYTES];
    char secret[WEBHOOK_SECRET_SIZE] = "whsec_";
    size_t prefix = strlen(secret);
    int len;

    seal_random(key, sizeof(key));
    len = seal_base64(key, sizeof(key), secret + prefix, sizeof(secret) - prefix);
    assert(len > 0);
    store_add_secret(txn, name, SECRET_WEBHOOK, secret, strlen(secret), txn_now_us(txn));
    *ret_secret = text(secret);
}

static char *options_json(const struct source_kind *kind,
                          const Moment__V1__AddSourceRequest *request)
{
    json_t *json cleanup_with(json_unref) = json_object();
    char *out;

    for (size_t i = 0; i < request->n_options; i++)
        if (!spec_of(kind, request->options[i]->name)->is_secret &&
            request->options[i]->value[0] != '\0')
            json_object_set_new(json, request->options[i]->name,
                                json_string(request->options[i]->value));
    out = json_text(json);
    if (!out)
        abort();
    return out;
}

static void store_source(const struct source_command *self, const struct source_kind *kind,
                         struct txn *txn)
{
    const Moment__V1__AddSourceRequest *request = add_request(&self->command);
    char *options = options_json(kind, request);
    const struct new_source source = {
        .kind = kind->name,
        .name = request->name,
        .system = request->system[0] != '\0' ? request->system : request->name,
        .site = request->site[0] != '\0' ? request->site : service_site(self->ingest->service),
        .options_json = options,
        .added_by = call_caller(self->command.call)->id,
        .now_us = txn_now_us(txn),
    };

    store_add_source(txn, &source);
    for (size_t i = 0; i < request->n_options; i++)
        if (spec_of(kind, request->options[i]->name)->is_secret)
            store_add_secret(txn, request->name, SECRET_PASSWORD, request->options[i]->value,
                             strlen(request->options[i]->value), txn_now_us(txn));
    free(options);
}

static void new_curve_keys(const char *name, struct txn *txn,
                           Moment__V1__AddSourceResponse *response)
{
    char public_key[41], secret_key[41];

    bus_new_keys(public_key, secret_key);
    store_add_secret(txn, name, SECRET_CURVE, public_key, strlen(public_key), txn_now_us(txn));
    response->curve_public_key = text(public_key);
    response->curve_secret_key = text(secret_key);
}

static int apply_add(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                     struct problem *problem)
{
    struct source_command *self = command_of(command);
    const Moment__V1__AddSourceRequest *request = add_request(command);
    const struct source_kind *kind = NULL;
    Moment__V1__AddSourceResponse *response;

    if (check_request(request, &kind, problem) < 0)
        return -EINVAL;
    if (self->exists) {
        problem_set(problem, 409, "name-taken", "name", "There is a source of this name.");
        return -EEXIST;
    }
    store_source(self, kind, txn);
    response = calloc(1, sizeof(*response));
    if (!response)
        abort();
    moment__v1__add_source_response__init(response);
    response->name = text(request->name);
    if (kind->has_token) {
        new_token(request->name, txn, &response->token);
        new_webhook_secret(request->name, txn, &response->webhook_secret);
    }
    if (strcmp(given(request, "native"), "true") == 0)
        new_curve_keys(request->name, txn, response);
    *ret_response = &response->base;
    return 0;
}

void edge_sources_add(void *state, struct call *call)
{
    start(state, call, load_add, apply_add);
}

/* --- remove ------------------------------------------------------------------------------------
 */

static int refuse_unknown(struct problem *problem)
{
    problem_set(problem, 404, "unknown-source", "name", "There is no source of this name.");
    return -ENOENT;
}

static void load_remove(struct command *command, struct txn *txn)
{
    const Moment__V1__RemoveSourceRequest *request =
        (const Moment__V1__RemoveSourceRequest *)(const void *)call_request(command->call);

    store_read_source(txn, request->name, on_source, command_of(command));
}

static int apply_remove(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    const Moment__V1__RemoveSourceRequest *request =
        (const Moment__V1__RemoveSourceRequest *)(const void *)call_request(command->call);
    Moment__V1__RemoveSourceResponse *response;

    if (!command_of(command)->exists)
        return refuse_unknown(problem);
    store_remove_source(txn, request->name, call_caller(command->call)->id, txn_now_us(txn));
    response = calloc(1, sizeof(*response));
    if (!response)
        abort();
    moment__v1__remove_source_response__init(response);
    *ret_response = &response->base;
    return 0;
}

void edge_sources_remove(void *state, struct call *call)
{
    start(state, call, load_remove, apply_remove);
}

/* --- rotate ------------------------------------------------------------------------------------
 */

static void load_rotate(struct command *command, struct txn *txn)
{
    const Moment__V1__RotateSourceRequest *request =
        (const Moment__V1__RotateSourceRequest *)(const void *)call_request(command->call);

    store_read_source(txn, request->name, on_source, command_of(command));
}

static int apply_rotate(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    const Moment__V1__RotateSourceRequest *request =
        (const Moment__V1__RotateSourceRequest *)(const void *)call_request(command->call);
    const struct source *source =
        registry_find(&command_of(command)->ingest->registry, request->name);
    Moment__V1__RotateSourceResponse *response;
    int keep = request->retire_old ? 1 : SOURCE_SECRETS_MAX;

    if (!command_of(command)->exists || !source)
        return refuse_unknown(problem);
    if (!source->kind->has_token) {
        problem_set(problem, 422, "invalid-field", "name",
                    "Its secret belongs to the call centre: change it there, then remove and add.");
        return -EINVAL;
    }
    response = calloc(1, sizeof(*response));
    if (!response)
        abort();
    moment__v1__rotate_source_response__init(response);
    new_token(request->name, txn, &response->token);
    new_webhook_secret(request->name, txn, &response->webhook_secret);
    store_retire_secrets(txn, request->name, SECRET_TOKEN, keep, txn_now_us(txn));
    store_retire_secrets(txn, request->name, SECRET_WEBHOOK, keep, txn_now_us(txn));
    *ret_response = &response->base;
    return 0;
}

void edge_sources_rotate(void *state, struct call *call)
{
    start(state, call, load_rotate, apply_rotate);
}

/* --- list --------------------------------------------------------------------------------------
 */

static char *lent(const char *value)
{
    union {
        const char *in;
        char *out;
    } cast = {.in = value};

    return cast.out;
}

static void add_option(Moment__V1__SourceInfo *info, const char *name, const char *value)
{
    Moment__V1__Option *option = calloc(1, sizeof(*option));

    if (!option)
        abort();
    moment__v1__option__init(option);
    option->name = lent(name);
    option->value = lent(value);
    info->options = reallocarray(info->options, info->n_options + 1, sizeof(Moment__V1__Option *));
    if (!info->options)
        abort();
    info->options[info->n_options++] = option;
}

static Moment__V1__SourceInfo *info_of(const struct source *source)
{
    Moment__V1__SourceInfo *info = calloc(1, sizeof(*info));

    if (!info)
        abort();
    moment__v1__source_info__init(info);
    info->kind = lent(source->kind->name);
    info->name = lent(source->name);
    info->system = lent(source->system);
    info->site = lent(source->site);
    info->state = lent(source->state);
    info->detail = lent(source->detail);
    info->last_event_at = source->last_event_at;
    info->events = source->events;
    info->duplicates = source->duplicates;
    info->refused = source->refused;
    info->secrets = (uint32_t)(source->token_count + source->password_count);
    for (size_t i = 0; i < source->kind->option_count; i++) {
        const char *name = source->kind->options[i].name;

        if (!source->kind->options[i].is_secret && source_option(source, name)[0] != '\0')
            add_option(info, name, source_option(source, name));
    }
    return info;
}

static void info_free(Moment__V1__SourceInfo *info)
{
    for (size_t i = 0; i < info->n_options; i++)
        free(info->options[i]);
    free(info->options);
    free(info);
}

void edge_sources_list(void *state, struct call *call)
{
    struct ingest *ingest = state;
    struct reach reach = call_reach(call);
    Moment__V1__ListSourcesResponse response;

    moment__v1__list_sources_response__init(&response);
    for (struct source *source = ingest->registry.all; source; source = source->next) {
        const struct place place = {.site = source->site, .is_of_every_team = true};

        if (source->removed || !reach_holds(&reach, &place))
            continue;
        response.sources = reallocarray(response.sources, response.n_sources + 1,
                                        sizeof(Moment__V1__SourceInfo *));
        if (!response.sources)
            abort();
        response.sources[response.n_sources++] = info_of(source);
    }
    call_reply(call, &response.base);
    for (size_t i = 0; i < response.n_sources; i++)
        info_free(response.sources[i]);
    free(response.sources);
}
