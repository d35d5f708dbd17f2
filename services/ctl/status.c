/* status - `momentctl status`, `loglevel`, `drain`: what every service answers to an operator. */
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/table.h"
#include "io/json.h"
#include "moment/v1/ingest.pb-c.h"
#include "moment/v1/stream.pb-c.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One service's answer: status is null and problem filled if there was none. */
struct answer {
    const char *service;
    Moment__V1__StatusResponse *status;
    struct problem problem;
};

struct floor {
    struct answer answers[CTL_SERVICES];
    Moment__V1__ListSourcesResponse *sources; /* null: ingest did not say */
    unsigned up;
};

static void ask_all(struct floor *floor)
{
    Moment__V1__StatusRequest request;
    Moment__V1__ListSourcesRequest list;
    struct problem problem;
    ProtobufCMessage *response = NULL;
    moment__v1__status_request__init(&request);
    moment__v1__list_sources_request__init(&list);
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        struct answer *answer = &floor->answers[i];
        answer->service = ctl_services[i];
        const struct question question =
            QUESTION(answer->service, "runtime.Status", false, &request, status);
        if (ask(&question, &response, &answer->problem) == 0) {
            answer->status = (Moment__V1__StatusResponse *)response;
            floor->up++;
        }
    }
    const struct question question =
        QUESTION("ingest", "ingest.ListSources", false, &list, list_sources);
    if (floor->answers[0].status != NULL && ask(&question, &response, &problem) == 0)
        floor->sources = (Moment__V1__ListSourcesResponse *)response;
}

static void free_all(struct floor *floor)
{
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        if (floor->answers[i].status != NULL)
            ask_free(&floor->answers[i].status->base);
    }
    if (floor->sources != NULL)
        ask_free(&floor->sources->base);
}

/* --- for people
 * ---------------------------------------------------------------------------------*/

static void print_services(const struct floor *floor)
{
    static const char *const headings[] = {"SERVICE", "STATE",       "EPOCH",  "HEAD",
                                           "TAIL",    "QUARANTINED", "UPTIME", "DURABILITY"};
    struct table table;
    table_init(&table, countof(headings), headings);
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        const struct answer *answer = &floor->answers[i];
        const Moment__V1__StatusResponse *status = answer->status;
        char numbers[5][32];
        if (status == NULL) {
            table_add(&table, (const char *const[]){answer->service, "down", NULL, NULL, NULL, NULL,
                                                    NULL, answer->problem.detail});
            continue;
        }
        (void)snprintf(numbers[0], sizeof(numbers[0]), "%" PRIu32, status->epoch);
        (void)snprintf(numbers[1], sizeof(numbers[1]), "%" PRIu64, status->head);
        (void)snprintf(numbers[2], sizeof(numbers[2]), "%" PRIu64, status->tail);
        (void)snprintf(numbers[3], sizeof(numbers[3]), "%" PRIu64, status->quarantined);
        (void)snprintf(numbers[4], sizeof(numbers[4]), "%" PRIu64 " s", status->uptime_s);
        table_add(&table,
                  (const char *const[]){answer->service, status->state, numbers[0], numbers[1],
                                        numbers[2], numbers[3], numbers[4], status->durability});
    }
    table_print(&table, "");
}

static void print_cursors(const struct floor *floor)
{
    static const char *const headings[] = {"CONSUMER", "OF", "AT", "HEAD", "LAG", "STATE"};
    struct table table;
    table_init(&table, countof(headings), headings);
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        const Moment__V1__StatusResponse *status = floor->answers[i].status;
        for (size_t c = 0; status != NULL && c < status->n_cursors; c++) {
            const Moment__V1__CursorStatus *cursor = status->cursors[c];
            char numbers[3][32];
            uint64_t lag = cursor->head > cursor->seq ? cursor->head - cursor->seq : 0;
            (void)snprintf(numbers[0], sizeof(numbers[0]), "%" PRIu64, cursor->seq);
            (void)snprintf(numbers[1], sizeof(numbers[1]), "%" PRIu64, cursor->head);
            (void)snprintf(numbers[2], sizeof(numbers[2]), "%" PRIu64, lag);
            table_add(&table,
                      (const char *const[]){floor->answers[i].service, cursor->producer, numbers[0],
                                            numbers[1], numbers[2], cursor->state});
        }
    }
    (void)putchar('\n');
    table_print(&table, "No service consumes another's stream.");
}

static void print_sources(const struct floor *floor)
{
    static const char *const headings[] = {"SOURCE", "KIND",       "STATE", "LAST EVENT",
                                           "EVENTS", "DUPLICATES", "DETAIL"};
    struct table table;
    table_init(&table, countof(headings), headings);
    for (size_t i = 0; floor->sources != NULL && i < floor->sources->n_sources; i++) {
        const Moment__V1__SourceInfo *source = floor->sources->sources[i];
        char when[TABLE_TIME_SIZE];
        char events[32];
        char duplicates[32];
        (void)snprintf(events, sizeof(events), "%" PRIu64, source->events);
        (void)snprintf(duplicates, sizeof(duplicates), "%" PRIu64, source->duplicates);
        table_add(&table, (const char *const[]){source->name, source->kind, source->state,
                                                table_time(source->last_event_at, when), events,
                                                duplicates, source->detail});
    }
    (void)putchar('\n');
    table_print(&table, floor->sources != NULL
                            ? "No sources yet; `momentctl help source` shows how to add one."
                            : "Sources: unknown while ingest is down.");
}

/* --- for programs
 * -------------------------------------------------------------------------------*/

static json_t *json_of(const struct answer *answer)
{
    json_t *json = answer->status != NULL
                       ? json_from_protobuf(&answer->status->base)
                       : json_pack("{s:s, s:s, s:s}", "service", answer->service, "state", "down",
                                   "detail", answer->problem.detail);
    json_t *cursors = json_object_get(json, "cursors");
    size_t i;
    json_t *cursor;
    json_array_foreach(cursors, i, cursor)
    {
        const Moment__V1__CursorStatus *status = answer->status->cursors[i];
        uint64_t lag = status->head > status->seq ? status->head - status->seq : 0;
        (void)json_object_set_new(cursor, "lag", json_integer((json_int_t)lag));
    }
    return json;
}

static void print_json(const struct floor *floor)
{
    json_t *services = json_array();
    for (size_t i = 0; i < CTL_SERVICES; i++)
        (void)json_array_append_new(services, json_of(&floor->answers[i]));
    json_t *root = floor->sources != NULL ? json_from_protobuf(&floor->sources->base)
                                          : json_pack("{s:n}", "sources");
    (void)json_object_set_new(root, "services", services);
    (void)json_dumpf(root, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(root);
}

int status_run(const struct ctl_command *command, int argc, char **argv)
{
    bool wants_json;
    struct floor floor = {0};
    int code = ctl_words(command, argc, argv, 0, 0, &wants_json);
    if (code != 0)
        return code;
    if (ctl_conf() == NULL)
        return CTL_FAILED;
    ask_all(&floor);
    if (wants_json) {
        print_json(&floor);
    } else {
        print_services(&floor);
        print_cursors(&floor);
        print_sources(&floor);
    }
    code = floor.up == CTL_SERVICES ? CTL_OK : floor.up > 0 ? CTL_PARTLY : CTL_FAILED;
    free_all(&floor);
    return code;
}

/* --- loglevel and drain
 * -------------------------------------------------------------------------*/

static const char *service_named(const char *name)
{
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        if (strcmp(ctl_services[i], name) == 0)
            return ctl_services[i];
    }
    return NULL;
}

int loglevel_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option options[] = {{"for", required_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    int64_t seconds = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'f' || text_to_i64(slice_of(optarg), 1, 86400, &seconds) < 0)
            return ctl_usage(command, "--for takes seconds from 1 to 86400");
    }
    if (argc - optind != 2)
        return ctl_usage(command, "loglevel takes a service and a level");
    const char *service = service_named(argv[optind]);
    if (service == NULL)
        return ctl_usage(command, "there is no service %s", argv[optind]);
    Moment__V1__SetLogLevelRequest request;
    moment__v1__set_log_level_request__init(&request);
    request.level = argv[optind + 1];
    request.revert_s = (uint32_t)seconds;
    const struct question question =
        QUESTION(service, "runtime.SetLogLevel", true, &request, set_log_level);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("%s: %s, before: %s", service, request.level,
            ((Moment__V1__SetLogLevelResponse *)response)->previous);
    ask_free(response);
    return CTL_OK;
}

int drain_run(const struct ctl_command *command, int argc, char **argv)
{
    bool unused;
    int code = ctl_words(command, argc, argv, 1, 1, &unused);
    if (code != 0)
        return code;
    const char *service = service_named(argv[optind]);
    if (service == NULL)
        return ctl_usage(command, "there is no service %s", argv[optind]);
    Moment__V1__DrainRequest request;
    moment__v1__drain_request__init(&request);
    const struct question question = QUESTION(service, "runtime.Drain", true, &request, drain);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("%s drains and ends; `make run` starts it again", service);
    ask_free(response);
    return CTL_OK;
}
