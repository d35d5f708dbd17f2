/* conf - settings: one table row each; file, environment and *_FILE secrets; check, print,
 * document.
 *
 * Layers, later wins: default, KEY=VALUE file, MOMENT_<NAME> environment, MOMENT_<NAME>_FILE
 * (content of that file, for CONF_SECRET rows and DSNs). Names in the table are lower_case; in
 * files and the environment upper case. Unknown keys in the file are errors that name the line.
 * Values live until conf_free or the next successful conf_reload. Not thread safe. */
#ifndef MOMENT_BASE_CONF_H
#define MOMENT_BASE_CONF_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type { CONF_TEXT, CONF_INTEGER, CONF_BOOLEAN, CONF_SECRET, CONF_PATH, CONF_ADDRESS };

struct conf_row {
    const char *name;
    enum conf_type type;
    const char *fallback; /* the default, as text; null: required */
    int64_t min, max;     /* CONF_INTEGER */
    const char *unit;     /* "ms", "bytes", "" */
    const char *help;     /* one sentence */
    bool reloads;         /* takes effect on SIGHUP; otherwise only at the next start */
};

struct conf;

/* error receives a sentence that names file, line and setting. file may be null. The tables are
 * borrowed for the life of the conf. */
must_check int conf_load(const struct conf_row *const *tables, const size_t *counts,
                         size_t table_count, const char *file, struct conf **ret_conf, char *error,
                         size_t error_size);
void conf_free(struct conf **conf);
/* Reads everything again; on failure the old values stay. Counts settings that need a restart. */
must_check int conf_reload(struct conf *conf, size_t *ret_pending_restart, char *error,
                           size_t error_size);

/* Asking for a setting that is in no table is a bug: assert. */
const char *conf_text(const struct conf *conf, const char *name);
int64_t conf_integer(const struct conf *conf, const char *name);
bool conf_boolean(const struct conf *conf, const char *name);

/* --print-config: NAME=value  # origin, secrets masked. */
void conf_print(const struct conf *conf, FILE *out);
/* The README's table, from the rows alone. */
void conf_document(const struct conf_row *rows, size_t count, FILE *out);

#endif
