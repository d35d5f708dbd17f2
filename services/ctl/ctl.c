/* ctl - see ctl.h. */
#include "ctl/ctl.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const ctl_services[CTL_SERVICES] = {"ingest", "feedback", "recognition", "reporting"};

static const struct conf_row settings[] = {
    {.name = "database",
     .type = CONF_TEXT,
     .fallback = "dbname=moment user=moment_owner",
     .unit = "",
     .help = "How migrate and verify reach the database as moment_owner (libpq keywords)."},
    {.name = "database_password",
     .type = CONF_SECRET,
     .fallback = "",
     .unit = "",
     .help = "Password of moment_owner; empty: secrets_dir/moment_owner.password."},
    {.name = "admin_database",
     .type = CONF_TEXT,
     .fallback = "",
     .unit = "",
     .help = "How migrate reaches the cluster as a superuser to make roles and the database; "
             "empty: they exist already."},
    {.name = "admin_database_password",
     .type = CONF_SECRET,
     .fallback = "",
     .unit = "",
     .help = "Password of that superuser; empty: secrets_dir/postgres.password."},
    {.name = "secrets_dir",
     .type = CONF_PATH,
     .fallback = "var/secrets",
     .unit = "",
     .help = "Folder of the database roles' passwords, one file <role>.password each."},
    {.name = "keys_dir",
     .type = CONF_PATH,
     .fallback = "var/keys",
     .unit = "",
     .help = "Folder of the CURVE keys; calls are made with the key pair operator."},
    {.name = "peer_ingest",
     .type = CONF_ADDRESS,
     .fallback = "tcp://127.0.0.1:7101",
     .unit = "",
     .help = "Where ingest answers calls."},
    {.name = "peer_feedback",
     .type = CONF_ADDRESS,
     .fallback = "tcp://127.0.0.1:7102",
     .unit = "",
     .help = "Where feedback answers calls."},
    {.name = "peer_recognition",
     .type = CONF_ADDRESS,
     .fallback = "tcp://127.0.0.1:7103",
     .unit = "",
     .help = "Where recognition answers calls."},
    {.name = "peer_reporting",
     .type = CONF_ADDRESS,
     .fallback = "tcp://127.0.0.1:7104",
     .unit = "",
     .help = "Where reporting answers calls."},
};

static char chosen_dir[CTL_PATH_SIZE] = "";
static bool quiet = false;
static struct conf *conf = NULL;

const char *ctl_dir(void)
{
    if (chosen_dir[0] != '\0')
        return chosen_dir;
    const char *from_environment = getenv("MOMENT_DIR");
    return from_environment != NULL && from_environment[0] != '\0' ? from_environment : "var";
}

void ctl_set_dir(const char *dir)
{
    (void)snprintf(chosen_dir, sizeof(chosen_dir), "%s", dir);
}

int ctl_path(char path[CTL_PATH_SIZE], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(path, CTL_PATH_SIZE, format, arguments);
    va_end(arguments);
    return wanted < 0 || wanted >= CTL_PATH_SIZE ? -ENAMETOOLONG : 0;
}

static void free_conf(void)
{
    conf_free(&conf);
}

const struct conf *ctl_conf(void)
{
    static const struct conf_row *const tables[] = {settings};
    static const size_t counts[] = {countof(settings)};
    if (conf != NULL)
        return conf;
    char path[CTL_PATH_SIZE];
    char error[512] = "";
    if (ctl_path(path, "%s/etc/operator.conf", ctl_dir()) < 0) {
        (void)ctl_fail("the path of --dir is too long");
        return NULL;
    }
    /* In a container everything may come from the environment; then there is no file. */
    bool has_file = access(path, F_OK) == 0;
    if (!has_file && getenv("MOMENT_DATABASE") == NULL && getenv("MOMENT_KEYS_DIR") == NULL) {
        (void)ctl_fail("there is no %s; run `momentctl init %s` (or `make run`) first, or name "
                       "the folder with --dir",
                       path, ctl_dir());
        return NULL;
    }
    if (conf_load(tables, counts, 1, has_file ? path : NULL, &conf, error, sizeof(error)) < 0) {
        (void)ctl_fail("%s", error);
        return NULL;
    }
    (void)atexit(free_conf);
    return conf;
}

static void printf_like(2, 0) print(const char *prefix, const char *format, va_list arguments)
{
    (void)fputs(prefix, stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
}

int ctl_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print("momentctl: ", format, arguments);
    va_end(arguments);
    return CTL_FAILED;
}

void ctl_say(const char *format, ...)
{
    if (quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    print("", format, arguments);
    va_end(arguments);
}

void ctl_print_secret(const char *label, const char *value)
{
    if (value[0] == '\0')
        return;
    (void)printf("%s: %s\n", label, value);
    (void)fflush(stdout);
    ctl_say("(the %s is shown only now)", label);
}

void ctl_set_quiet(bool is_quiet)
{
    quiet = is_quiet;
}

int ctl_usage(const struct ctl_command *command, const char *reason, ...)
{
    va_list arguments;
    va_start(arguments, reason);
    print("momentctl: ", reason, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "usage: momentctl %s%s%s %s\n", command->subject,
                  command->verb != NULL ? " " : "", command->verb != NULL ? command->verb : "",
                  command->arguments);
    return CTL_USAGE;
}

int ctl_words(const struct ctl_command *command, int argc, char **argv, int words_min,
              int words_max, bool *ret_json)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    *ret_json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'j')
            return ctl_usage(command, "that is no option here");
        *ret_json = true;
    }
    if (argc - optind < words_min)
        return ctl_usage(command, "something is missing");
    if (argc - optind > words_max)
        return ctl_usage(command, "%s is one word too many", argv[optind + words_max]);
    return 0;
}
