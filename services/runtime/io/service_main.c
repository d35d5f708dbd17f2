/* service_main - argv, settings and keys, before anything runs. */
#include "base/log.h"
#include "base/seal.h"
#include "io/counters.h"
#include "io/curve.h"
#include "io/service_parts.h"
#include "io/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 64
#define EXIT_SETTINGS 78
#define ERROR_SIZE 512
#define COUNTERS_MAX 512
#define OWN_SETTINGS_MAX 64

enum action { RUN, CHECK, PRINT_CONFIG, PRINT_SETTINGS, PRINT_COUNTERS, PRINT_VERSION };

struct arguments {
    const char *file;
    enum action action;
};

static int usage(const struct service_spec *spec)
{
    fprintf(stderr,
            "usage: moment-%s [--config FILE] [--check | --print-config | --print-settings | "
            "--print-counters | --version]\n",
            spec->name);
    return EXIT_USAGE;
}

static int read_arguments(int argc, char **argv, struct arguments *ret_arguments)
{
    static const struct {
        const char *name;
        enum action action;
    } actions[] = {
        {"--check", CHECK},
        {"--print-config", PRINT_CONFIG},
        {"--print-settings", PRINT_SETTINGS},
        {"--print-counters", PRINT_COUNTERS},
        {"--version", PRINT_VERSION},
    };

    *ret_arguments = (struct arguments){.action = RUN};
    for (int i = 1; i < argc; i++) {
        size_t found = 0;
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            ret_arguments->file = argv[++i];
            continue;
        }
        while (found < countof(actions) && strcmp(actions[found].name, argv[i]) != 0) {
            found++;
        }
        if (found == countof(actions)) {
            return -EINVAL;
        }
        ret_arguments->action = actions[found].action;
    }
    return 0;
}

static size_t add_counters(struct metric **all, size_t at, struct metric *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(at < COUNTERS_MAX);
        all[at++] = rows[i];
    }
    return at;
}

/* One table of all, whoever counts them. */
static int print_counters(const struct service_spec *spec)
{
    static struct metric *all[COUNTERS_MAX];
    struct buf text;
    size_t count = add_counters(all, 0, counters_all, counters_count);

    count = add_counters(all, count, loop_metrics, loop_metric_count);
    count = add_counters(all, count, http_metrics, http_metric_count);
    count = add_counters(all, count, stream_metrics, stream_metric_count);
    count = add_counters(all, count, spec->metrics, spec->metric_count);
    buf_init(&text, 1024 * 1024);
    int rc = metric_document(all, count, &text);
    if (rc == 0) {
        fputs(buf_text(&text), stdout);
    }
    buf_done(&text);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print_settings(const struct service_spec *spec)
{
    static struct conf_row all[SETTINGS_MAX + OWN_SETTINGS_MAX];
    size_t count = 0;
    const struct conf_row *rows = settings_rows(spec->name, spec->routes != NULL, &count);

    assert(spec->setting_count <= OWN_SETTINGS_MAX);
    memcpy(all, rows, count * sizeof(*rows));
    if (spec->setting_count) {
        memcpy(all + count, spec->settings, spec->setting_count * sizeof(*rows));
    }
    conf_document(all, count + spec->setting_count, stdout);
    return EXIT_SUCCESS;
}

static int load_settings(const struct service_spec *spec, const char *file, struct conf **ret_conf,
                         char *error, size_t error_size)
{
    size_t counts[2] = {0, spec->setting_count};
    const struct conf_row *tables[2] = {settings_rows(spec->name, spec->routes != NULL, &counts[0]),
                                        spec->settings};
    enum log_level level = LOG_INFO;
    int rc = conf_load(tables, counts, 2, file, ret_conf, error, error_size);

    if (rc == 0 && log_level_parse(conf_text(*ret_conf, "log_level"), &level) < 0) {
        snprintf(error, error_size, "LOG_LEVEL is debug, info, warn or error");
        conf_free(ret_conf);
        rc = -EINVAL;
    }
    if (rc == 0) {
        log_setup(spec->name, level);
    }
    return rc;
}

/* Everything that a start needs and that can be known without starting. */
static int check_keys(const struct service_spec *spec, const struct conf *conf, char *error,
                      size_t error_size)
{
    const char *keys_dir = conf_text(conf, "keys_dir");
    struct curve_keys keys;
    char peer_key[CURVE_KEY_SIZE];
    int rc = curve_load_pair(keys_dir, spec->name, &keys, error, error_size);

    explicit_bzero(&keys, sizeof(keys));
    for (const char *const *peer = spec->consumes; rc == 0 && peer && *peer; peer++) {
        rc = curve_load_public(keys_dir, *peer, peer_key, error, error_size);
    }
    return rc;
}

static int say(const struct service_spec *spec, const char *error, int code)
{
    fprintf(stderr, "moment-%s: %s\n", spec->name, error);
    return code;
}

static int act(const struct service_spec *spec, const struct arguments *arguments,
               struct conf *conf)
{
    char error[ERROR_SIZE] = "";

    if (arguments->action == PRINT_CONFIG) {
        conf_print(conf, stdout);
        return EXIT_SUCCESS;
    }
    if (check_keys(spec, conf, error, sizeof(error)) < 0) {
        return say(spec, error, EXIT_SETTINGS);
    }
    if (arguments->action == CHECK) {
        puts("settings and keys are valid");
        return EXIT_SUCCESS;
    }
    return service_run(spec, conf);
}

int service_main(const struct service_spec *spec, int argc, char **argv)
{
    struct arguments arguments;
    struct conf *conf = NULL;
    char error[ERROR_SIZE] = "";

    if (read_arguments(argc, argv, &arguments) < 0) {
        return usage(spec);
    }
    switch (arguments.action) {
    case PRINT_VERSION:
        puts(SERVICE_VERSION);
        return EXIT_SUCCESS;
    case PRINT_SETTINGS:
        return print_settings(spec);
    case PRINT_COUNTERS:
        return print_counters(spec);
    case RUN:
    case CHECK:
    case PRINT_CONFIG:
        break;
    }
    if (seal_init() < 0) {
        return say(spec, "libsodium cannot start", EXIT_FAILURE);
    }
    if (load_settings(spec, arguments.file, &conf, error, sizeof(error)) < 0) {
        return say(spec, error, EXIT_SETTINGS);
    }
    int code = act(spec, &arguments, conf);
    conf_free(&conf);
    return code;
}
