#include "base/conf.h"

#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64, ORIGIN_SIZE = 192, FILE_BYTES_MAX = 1024 * 1024 };

struct value {
    const struct conf_row *row;
    char *text; /* owned */
    int64_t number;
    char origin[ORIGIN_SIZE];
    bool is_in_file; /* seen in the settings file of the load that runs */
};

struct conf {
    struct value *values; /* owned, one for each row */
    size_t count;
    char *file; /* owned; null: none */
};

struct problem_text {
    char *text;
    size_t size;
};

static int fail(struct problem_text problem, int error, const char *format, ...) printf_like(3, 4);

static int fail(struct problem_text problem, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(problem.text, problem.size, format, args);
    va_end(args);
    return error;
}

static void upper(char to[NAME_SIZE], const char *name)
{
    size_t i = 0;
    for (; name[i]; i++) {
        assert(i + 1 < NAME_SIZE);
        to[i] = (char)toupper((unsigned char)name[i]);
    }
    to[i] = 0;
}

static struct value *find(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->count; i++)
        if (strcmp(conf->values[i].row->name, name) == 0)
            return &conf->values[i];
    return NULL;
}

/* --- checking one value -------------------------------------------------------------------- */

static int parse_boolean(const char *text, int64_t *ret_number)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < countof(words); i++) {
        if (slice_is_nocase(slice_of(text), words[i])) {
            *ret_number = (int64_t)(i % 2);
            return 0;
        }
    }
    return -EINVAL;
}

/* host:port, [v6]:port, *:port, each with or without a scheme; or ipc://path. */
static bool is_address(const char *text)
{
    const char *scheme_end = strstr(text, "://");
    if (scheme_end && strncmp(text, "tcp", 3) != 0)
        return scheme_end[3] != 0;
    const char *host = scheme_end ? scheme_end + 3 : text;
    const char *colon = strrchr(host, ':');
    int64_t port;
    if (!colon || colon == host || text_to_i64(slice_of(colon + 1), 0, 65535, &port) < 0)
        return false;
    if (host[0] == '[')
        return colon[-1] == ']';
    return memchr(host, ':', (size_t)(colon - host)) == NULL;
}

static bool is_printable(const char *text)
{
    if (!text_is_utf8(text, strlen(text)))
        return false;
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static int check_value(const struct conf_row *row, const char *text, int64_t *ret_number, char *why,
                       size_t size)
{
    struct problem_text problem = {why, size};
    bool may_be_empty = row->fallback && !row->fallback[0];
    if (!text[0] && !may_be_empty && row->type != CONF_TEXT && row->type != CONF_SECRET)
        return fail(problem, -EINVAL, "must not be empty");
    if (!text[0] && !row->fallback)
        return fail(problem, -EINVAL, "must not be empty");
    if (!is_printable(text))
        return fail(problem, -EINVAL, "is not one line of UTF-8 text");
    switch (row->type) {
    case CONF_TEXT:
    case CONF_SECRET:
    case CONF_PATH:
        return 0;
    case CONF_ADDRESS:
        if (text[0] && !is_address(text))
            return fail(problem, -EINVAL, "is not host:port or scheme://host:port");
        return 0;
    case CONF_BOOLEAN:
        if (parse_boolean(text, ret_number) < 0)
            return fail(problem, -EINVAL, "is neither true nor false");
        return 0;
    case CONF_INTEGER:
        if (text_to_i64(slice_of(text), row->min, row->max, ret_number) < 0)
            return fail(problem, -EINVAL, "is not a whole number from %lld to %lld",
                        (long long)row->min, (long long)row->max);
        return 0;
    }
    return -EINVAL;
}

static int set_value(struct value *value, struct slice text, const char *origin,
                     struct problem_text problem)
{
    char name[NAME_SIZE];
    upper(name, value->row->name);
    if (memchr(text.at, 0, text.len))
        return fail(problem, -EINVAL, "%s: %s holds a NUL", origin, name);
    char *copy = strndup(text.at, text.len);
    if (!copy)
        return fail(problem, -ENOMEM, "out of memory");
    char why[96] = "";
    int64_t number = 0;
    int rc = check_value(value->row, copy, &number, why, sizeof why);
    if (rc < 0) {
        /* A secret must not reach the log by way of an error message. */
        rc = value->row->type == CONF_SECRET
                 ? fail(problem, rc, "%s: %s %s", origin, name, why)
                 : fail(problem, rc, "%s: %s=%s %s", origin, name, copy, why);
        free(copy);
        return rc;
    }
    free(value->text);
    value->text = copy;
    value->number = number;
    text_copy(value->origin, sizeof value->origin, origin);
    return 0;
}

/* --- layers -------------------------------------------------------------------------------- */

static int read_whole(const char *path, char **ret_text, size_t *ret_len,
                      struct problem_text problem)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return fail(problem, -errno, "%s: %s", path, strerror(errno));
    char *text = malloc(FILE_BYTES_MAX);
    size_t len = text ? fread(text, 1, FILE_BYTES_MAX, file) : 0;
    int rc = 0;
    if (!text)
        rc = fail(problem, -ENOMEM, "out of memory");
    else if (ferror(file))
        rc = fail(problem, -EIO, "%s: cannot be read", path);
    else if (len == FILE_BYTES_MAX)
        rc = fail(problem, -EFBIG, "%s: is larger than 1 MiB", path);
    fclose(file);
    if (rc < 0) {
        free(text);
        return rc;
    }
    *ret_text = text;
    *ret_len = len;
    return 0;
}

static bool takes_file(const struct conf_row *row)
{
    return row->type == CONF_SECRET || row->type == CONF_TEXT;
}

static int set_from_file(struct value *value, const char *path, const char *origin,
                         struct problem_text problem)
{
    char *text = NULL;
    size_t len = 0;
    int rc = read_whole(path, &text, &len, problem);
    if (rc < 0)
        return rc;
    /* Editors and printf disagree about the last newline; a secret never ends in one. */
    rc = set_value(value, slice_trim((struct slice){text, len}), origin, problem);
    free(text);
    return rc;
}

static int apply_defaults(struct conf *conf, struct problem_text problem)
{
    for (size_t i = 0; i < conf->count; i++) {
        const struct conf_row *row = conf->values[i].row;
        int rc = row->fallback
                     ? set_value(&conf->values[i], slice_of(row->fallback), "default", problem)
                     : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A line's key names a row, with or without MOMENT_, or a row and _FILE. */
static struct value *find_key(const struct conf *conf, struct slice key, bool *ret_is_file)
{
    static const char prefix[] = "MOMENT_";
    static const char suffix[] = "_FILE";
    char name[NAME_SIZE];
    if (key.len > sizeof prefix - 1 && memcmp(key.at, prefix, sizeof prefix - 1) == 0) {
        key.at += sizeof prefix - 1;
        key.len -= sizeof prefix - 1;
    }
    if (!text_copy_slice(name, sizeof name, key))
        return NULL;
    for (char *at = name; *at; at++) {
        if (*at >= 'a' && *at <= 'z')
            return NULL;
        *at = (char)tolower((unsigned char)*at);
    }
    *ret_is_file = false;
    struct value *value = find(conf, name);
    if (value || key.len < sizeof suffix ||
        memcmp(key.at + key.len - (sizeof suffix - 1), suffix, sizeof suffix - 1) != 0)
        return value;
    name[key.len - (sizeof suffix - 1)] = 0;
    *ret_is_file = true;
    value = find(conf, name);
    return value && takes_file(value->row) ? value : NULL;
}

static int apply_line(struct conf *conf, struct slice line, size_t number,
                      struct problem_text problem)
{
    char origin[ORIGIN_SIZE];
    snprintf(origin, sizeof origin, "%.160s:%zu", conf->file, number);
    line = slice_trim(line);
    if (!line.len || line.at[0] == '#')
        return 0;
    const char *equals = memchr(line.at, '=', line.len);
    if (!equals)
        return fail(problem, -EINVAL, "%s: is not NAME=value", origin);
    struct slice key = slice_trim((struct slice){line.at, (size_t)(equals - line.at)});
    struct slice text =
        slice_trim((struct slice){equals + 1, line.len - (size_t)(equals - line.at) - 1});
    if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
        text = (struct slice){text.at + 1, text.len - 2};

    bool is_file = false;
    struct value *value = find_key(conf, key, &is_file);
    if (!value)
        return fail(problem, -EINVAL, "%s: no such setting: %.*s", origin,
                    (int)(key.len < 80 ? key.len : 80), key.at);
    if (value->is_in_file)
        return fail(problem, -EINVAL, "%s: %.*s is set twice", origin, (int)key.len, key.at);
    value->is_in_file = true;
    if (!is_file)
        return set_value(value, text, origin, problem);
    char path[4096];
    if (!text_copy_slice(path, sizeof path, text))
        return fail(problem, -ENAMETOOLONG, "%s: the path is too long", origin);
    return set_from_file(value, path, origin, problem);
}

static int apply_file(struct conf *conf, struct problem_text problem)
{
    char *text = NULL;
    size_t len = 0;
    if (!conf->file)
        return 0;
    int rc = read_whole(conf->file, &text, &len, problem);
    if (rc < 0)
        return rc;
    const char *at = text;
    const char *end = text + len;
    for (size_t number = 1; rc == 0 && at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end;
        rc = apply_line(conf, (struct slice){at, (size_t)(line_end - at)}, number, problem);
        at = newline ? newline + 1 : end;
    }
    free(text);
    return rc;
}

static int apply_environment(struct conf *conf, struct problem_text problem)
{
    for (size_t i = 0; i < conf->count; i++) {
        struct value *value = &conf->values[i];
        char name[NAME_SIZE];
        char variable[NAME_SIZE + 16];
        upper(name, value->row->name);
        snprintf(variable, sizeof variable, "MOMENT_%s", name);
        const char *text = getenv(variable);
        int rc = text ? set_value(value, slice_of(text), variable, problem) : 0;
        if (rc < 0)
            return rc;
        snprintf(variable, sizeof variable, "MOMENT_%s_FILE", name);
        const char *path = takes_file(value->row) ? getenv(variable) : NULL;
        rc = path && path[0] ? set_from_file(value, path, variable, problem) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int apply_all(struct conf *conf, struct problem_text problem)
{
    int rc = apply_defaults(conf, problem);
    if (rc == 0)
        rc = apply_file(conf, problem);
    if (rc == 0)
        rc = apply_environment(conf, problem);
    for (size_t i = 0; rc == 0 && i < conf->count; i++) {
        char name[NAME_SIZE];
        upper(name, conf->values[i].row->name);
        if (!conf->values[i].text)
            rc = fail(problem, -EINVAL, "%s is required: %s", name, conf->values[i].row->help);
    }
    return rc;
}

/* --- life ---------------------------------------------------------------------------------- */

static struct conf *conf_new(size_t count, const char *file)
{
    struct conf *conf = calloc(1, sizeof *conf);
    if (!conf)
        return NULL;
    conf->count = count;
    conf->values = calloc(count ? count : 1, sizeof *conf->values);
    conf->file = file ? strdup(file) : NULL;
    if (!conf->values || (file && !conf->file))
        conf_free(&conf);
    return conf;
}

void conf_free(struct conf **conf)
{
    if (!*conf)
        return;
    for (size_t i = 0; (*conf)->values && i < (*conf)->count; i++)
        free((*conf)->values[i].text);
    free((*conf)->values);
    free((*conf)->file);
    free(*conf);
    *conf = NULL;
}

int conf_load(const struct conf_row *const *tables, const size_t *counts, size_t table_count,
              const char *file, struct conf **ret_conf, char *error, size_t error_size)
{
    struct problem_text problem = {error, error_size};
    size_t count = 0;
    for (size_t i = 0; i < table_count; i++)
        count += counts[i];
    struct conf *conf = conf_new(count, file);
    if (!conf)
        return fail(problem, -ENOMEM, "out of memory");
    size_t at = 0;
    for (size_t i = 0; i < table_count; i++) {
        for (size_t j = 0; j < counts[i]; j++) {
            for (size_t k = 0; k < at; k++)
                assert(strcmp(conf->values[k].row->name, tables[i][j].name) != 0);
            conf->values[at++].row = &tables[i][j];
        }
    }
    int rc = apply_all(conf, problem);
    if (rc < 0) {
        conf_free(&conf);
        return rc;
    }
    *ret_conf = conf;
    return 0;
}

int conf_reload(struct conf *conf, size_t *ret_pending_restart, char *error, size_t error_size)
{
    struct problem_text problem = {error, error_size};
    struct conf *fresh = conf_new(conf->count, conf->file);
    if (!fresh)
        return fail(problem, -ENOMEM, "out of memory");
    for (size_t i = 0; i < conf->count; i++)
        fresh->values[i].row = conf->values[i].row;
    int rc = apply_all(fresh, problem);
    if (rc < 0) {
        conf_free(&fresh);
        return rc;
    }
    size_t pending = 0;
    for (size_t i = 0; i < conf->count; i++) {
        struct value *old = &conf->values[i];
        struct value *new = &fresh->values[i];
        assert(old->text);
        assert(new->text);
        bool is_changed = strcmp(old->text, new->text) != 0;
        if (is_changed && !old->row->reloads) {
            pending++;
            continue;
        }
        struct value swapped = *old;
        *old = *new;
        *new = swapped;
    }
    conf_free(&fresh);
    *ret_pending_restart = pending;
    return 0;
}

/* --- asking -------------------------------------------------------------------------------- */

const char *conf_text(const struct conf *conf, const char *name)
{
    const struct value *value = find(conf, name);
    assert(value);
    return value->text;
}

int64_t conf_integer(const struct conf *conf, const char *name)
{
    const struct value *value = find(conf, name);
    assert(value);
    assert(value->row->type == CONF_INTEGER);
    return value->number;
}

bool conf_boolean(const struct conf *conf, const char *name)
{
    const struct value *value = find(conf, name);
    assert(value);
    assert(value->row->type == CONF_BOOLEAN);
    return value->number != 0;
}

void conf_print(const struct conf *conf, FILE *out)
{
    for (size_t i = 0; i < conf->count; i++) {
        const struct value *value = &conf->values[i];
        char name[NAME_SIZE];
        upper(name, value->row->name);
        bool is_masked = value->row->type == CONF_SECRET && value->text[0];
        fprintf(out, "%s=%s  # %s\n", name, is_masked ? "********" : value->text, value->origin);
    }
}

static const char *type_name(enum conf_type type)
{
    switch (type) {
    case CONF_TEXT:
        return "text";
    case CONF_INTEGER:
        return "number";
    case CONF_BOOLEAN:
        return "true or false";
    case CONF_SECRET:
        return "secret";
    case CONF_PATH:
        return "path";
    case CONF_ADDRESS:
        return "address";
    }
    return "";
}

void conf_document(const struct conf_row *rows, size_t count, FILE *out)
{
    fprintf(out, "| Setting | Type | Default | Takes effect | Meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        const struct conf_row *row = &rows[i];
        char name[NAME_SIZE];
        upper(name, row->name);
        fprintf(out, "| `%s` | %s", name, type_name(row->type));
        if (row->type == CONF_INTEGER)
            fprintf(out, " %lld to %lld", (long long)row->min, (long long)row->max);
        if (row->unit && row->unit[0])
            fprintf(out, " %s", row->unit);
        if (!row->fallback)
            fputs(" | *required*", out);
        else if (!row->fallback[0])
            fputs(" | *empty*", out);
        else
            fprintf(out, " | `%s`", row->fallback);
        fprintf(out, " | %s | %s |\n", row->reloads ? "on SIGHUP" : "at start", row->help);
    }
}
