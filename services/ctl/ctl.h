/* ctl - what every command of momentctl shares: the call of a command, settings, messages, exit
 * codes.
 *
 * A command is one row of the table in main.c and one function in the file of its subject. It
 * prints results on stdout, progress and errors on stderr, and returns an exit code. Errors say
 * what is wrong and what mends it. momentctl is a short-lived tool on one thread: it may block. */
#ifndef MOMENT_CTL_CTL_H
#define MOMENT_CTL_CTL_H

#include "base/conf.h"
#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit codes, a public contract: 0 done, 1 failed, 2 partly done, 64 usage. */
enum ctl_exit { CTL_OK = 0, CTL_FAILED = 1, CTL_PARTLY = 2, CTL_USAGE = 64 };

#define CTL_PATH_SIZE 1024
#define CTL_SERVICES 4
extern const char *const ctl_services[CTL_SERVICES];

struct ctl_command {
    const char *subject;   /* "source" */
    const char *verb;      /* "add"; null: the subject is the whole command */
    const char *arguments; /* "KIND NAME [--site S]" */
    const char *summary;   /* one sentence */
    const char *details;   /* more for `momentctl help SUBJECT`; may be null */
    int (*run)(const struct ctl_command *command, int argc, char **argv);
};

/* Folder of keys, secrets and settings: --dir, MOMENT_DIR, or var. */
const char *ctl_dir(void);
void ctl_set_dir(const char *dir);
/* path = dir/name; a path that does not fit is an error. */
must_check int ctl_path(char path[CTL_PATH_SIZE], const char *format, ...) printf_like(2, 3);

/* The operator's settings from <dir>/etc/operator.conf and the environment; read once, kept until
 * exit. Null after an error has been printed. */
const struct conf *ctl_conf(void);

/* "momentctl: ..." on stderr. Returns CTL_FAILED. */
int ctl_fail(const char *format, ...) printf_like(1, 2);
/* A line of progress on stderr, unless --quiet. */
void ctl_say(const char *format, ...) printf_like(1, 2);
void ctl_set_quiet(bool is_quiet);
/* What exists in clear only in this answer: "label: value" on stdout, so that a script can take it,
 * and beside it that it will not be shown again. Nothing for "". */
void ctl_print_secret(const char *label, const char *value);
/* The command's usage on stderr, after a reason. Returns CTL_USAGE. */
int ctl_usage(const struct ctl_command *command, const char *reason, ...) printf_like(2, 3);
/* For commands whose only option is --json: parses it and checks how many words there are; the
 * first of them is argv[optind]. 0 or CTL_USAGE. */
must_check int ctl_words(const struct ctl_command *command, int argc, char **argv, int words_min,
                         int words_max, bool *ret_json);

#endif
