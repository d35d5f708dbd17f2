/* source - `momentctl source`: what ingest listens to, added and removed while it runs. */
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/secret_file.h"
#include "ctl/table.h"
#include "io/json.h"
#include "moment/v1/ingest.pb-c.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 32
#define SECRET_SIZE 512

/* What an AddSourceRequest points to. */
struct options {
    Moment__V1__Option items[OPTIONS_MAX];
    Moment__V1__Option *pointers[OPTIONS_MAX];
    size_t count;
    char secret[SECRET_SIZE];
    char path[CTL_PATH_SIZE];
};

static bool add_option(struct options *options, const char *name, const char *value)
{
    if (options->count == OPTIONS_MAX)
        return false;
    Moment__V1__Option *item = &options->items[options->count];
    moment__v1__option__init(item);
    item->name = (char *)(uintptr_t)name;
    item->value = (char *)(uintptr_t)value;
    options->pointers[options->count++] = item;
    return true;
}

/* K=V; cuts the word in two. */
static bool add_pair(struct options *options, char *pair)
{
    char *equals = strchr(pair, '=');
    if (equals == NULL || equals == pair)
        return false;
    *equals = '\0';
    return add_option(options, pair, equals + 1);
}

/* A secret never stands on a command line, where everybody could read it. */
static bool add_secret(struct options *options, const char *path)
{
    int error = secret_file_read(path, options->secret, sizeof(options->secret));
    if (error < 0) {
        (void)ctl_fail("cannot read the secret from %s: %s", path, strerror(-error));
        return false;
    }
    return add_option(options, "secret", options->secret);
}

/* Ingest runs elsewhere in the file system: it gets the whole path. The file need not exist yet. */
static bool add_path(struct options *options, const char *path)
{
    if (path[0] == '/')
        return add_option(options, "path", path);
    char *here = realpath(".", NULL);
    bool fits = here != NULL && ctl_path(options->path, "%s/%s", here, path) == 0;
    free(here);
    return fits && add_option(options, "path", options->path);
}

enum { SYSTEM = 1, SITE, OPTION, HOST, PORT, USER, SECRET_FILE, PATH, NATIVE };

static bool take_option(int option, Moment__V1__AddSourceRequest *request, struct options *options)
{
    switch (option) {
    case SYSTEM:
        request->system = optarg;
        return true;
    case SITE:
        request->site = optarg;
        return true;
    case OPTION:
        return add_pair(options, optarg);
    case HOST:
        return add_option(options, "host", optarg);
    case PORT:
        return add_option(options, "port", optarg);
    case USER:
        return add_option(options, "user", optarg);
    case SECRET_FILE:
        return add_secret(options, optarg);
    case PATH:
        return add_path(options, optarg);
    case NATIVE:
        return add_option(options, "native", "true");
    default:
        return false;
    }
}

static int add(const Moment__V1__AddSourceRequest *request)
{
    const struct question question =
        QUESTION("ingest", "ingest.AddSource", true, request, add_source);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    const Moment__V1__AddSourceResponse *added = (Moment__V1__AddSourceResponse *)response;
    ctl_say("source %s added", added->name);
    ctl_print_secret("token", added->token);
    ctl_print_secret("webhook secret", added->webhook_secret);
    if (added->curve_public_key[0] != '\0')
        (void)printf("CURVE public key: %s\n", added->curve_public_key);
    ctl_print_secret("CURVE secret key", added->curve_secret_key);
    ask_free(response);
    return CTL_OK;
}

int source_add_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option words[] = {{"system", required_argument, NULL, SYSTEM},
                                          {"site", required_argument, NULL, SITE},
                                          {"option", required_argument, NULL, OPTION},
                                          {"host", required_argument, NULL, HOST},
                                          {"port", required_argument, NULL, PORT},
                                          {"user", required_argument, NULL, USER},
                                          {"secret-file", required_argument, NULL, SECRET_FILE},
                                          {"path", required_argument, NULL, PATH},
                                          {"native", no_argument, NULL, NATIVE},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.count = 0};
    Moment__V1__AddSourceRequest request;
    moment__v1__add_source_request__init(&request);
    for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (!take_option(option, &request, &options))
            return ctl_usage(command, "an option is not understood; --option takes NAME=VALUE");
    }
    if (argc - optind != 2)
        return ctl_usage(command, "source add takes a kind and a name");
    request.kind = argv[optind];
    request.name = argv[optind + 1];
    request.n_options = options.count;
    request.options = options.pointers;
    return add(&request);
}

static void add_source_row(struct table *table, const Moment__V1__SourceInfo *source)
{
    char numbers[4][32];
    char when[TABLE_TIME_SIZE];
    (void)snprintf(numbers[0], sizeof(numbers[0]), "%" PRIu64, source->events);
    (void)snprintf(numbers[1], sizeof(numbers[1]), "%" PRIu64, source->duplicates);
    (void)snprintf(numbers[2], sizeof(numbers[2]), "%" PRIu64, source->refused);
    (void)snprintf(numbers[3], sizeof(numbers[3]), "%" PRIu32, source->secrets);
    table_add(table, (const char *const[]){source->name, source->kind, source->system, source->site,
                                           source->state, table_time(source->last_event_at, when),
                                           numbers[0], numbers[1], numbers[2], numbers[3],
                                           source->detail});
}

int source_list_run(const struct ctl_command *command, int argc, char **argv)
{
    static const char *const headings[] = {"NAME",    "KIND",       "SYSTEM", "SITE",
                                           "STATE",   "LAST EVENT", "EVENTS", "DUPLICATES",
                                           "REFUSED", "SECRETS",    "DETAIL"};
    bool wants_json;
    Moment__V1__ListSourcesRequest request;
    moment__v1__list_sources_request__init(&request);
    int code = ctl_words(command, argc, argv, 0, 0, &wants_json);
    if (code != 0)
        return code;
    const struct question question =
        QUESTION("ingest", "ingest.ListSources", false, &request, list_sources);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    const Moment__V1__ListSourcesResponse *list = (Moment__V1__ListSourcesResponse *)response;
    struct table table;
    if (wants_json) {
        ask_print_json(response);
    } else {
        table_init(&table, countof(headings), headings);
        for (size_t i = 0; i < list->n_sources; i++)
            add_source_row(&table, list->sources[i]);
        table_print(&table, "No sources yet; `momentctl help source` shows how to add one.");
    }
    ask_free(response);
    return CTL_OK;
}

int source_remove_run(const struct ctl_command *command, int argc, char **argv)
{
    bool unused;
    Moment__V1__RemoveSourceRequest request;
    moment__v1__remove_source_request__init(&request);
    int code = ctl_words(command, argc, argv, 1, 1, &unused);
    if (code != 0)
        return code;
    request.name = argv[optind];
    const struct question question =
        QUESTION("ingest", "ingest.RemoveSource", true, &request, remove_source);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("source %s removed; its moments stay", request.name);
    ask_free(response);
    return CTL_OK;
}

int source_rotate_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option options[] = {{"retire-old", no_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    Moment__V1__RotateSourceRequest request;
    moment__v1__rotate_source_request__init(&request);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'r')
            return ctl_usage(command, "that is no option here");
        request.retire_old = true;
    }
    if (argc - optind != 1)
        return ctl_usage(command, "source rotate takes the name of a source");
    request.name = argv[optind];
    const struct question question =
        QUESTION("ingest", "ingest.RotateSource", true, &request, rotate_source);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    const Moment__V1__RotateSourceResponse *rotated = (Moment__V1__RotateSourceResponse *)response;
    ctl_print_secret("token", rotated->token);
    ctl_print_secret("webhook secret", rotated->webhook_secret);
    ctl_say("%s",
            request.retire_old
                ? "Older secrets are refused from now on."
                : "The one before stays valid beside it; rotating with --retire-old makes one "
                  "that stands alone.");
    ask_free(response);
    return CTL_OK;
}
