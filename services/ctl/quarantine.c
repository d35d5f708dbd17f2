/* quarantine - `momentctl quarantine`: records that a service could not apply, and what becomes of
 * them. Nothing is deleted: dropping is a decision with a reason. */
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/table.h"
#include "io/json.h"
#include "moment/v1/stream.pb-c.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static Moment__V1__ListQuarantineResponse *list_of(const char *service)
{
    Moment__V1__ListQuarantineRequest request;
    moment__v1__list_quarantine_request__init(&request);
    const struct question question =
        QUESTION(service, "runtime.ListQuarantine", false, &request, list_quarantine);
    return (Moment__V1__ListQuarantineResponse *)ask_or_tell(&question);
}

static void add_entry(struct table *table, const char *service,
                      const Moment__V1__QuarantineEntry *entry)
{
    char id[32];
    char seq[32];
    char when[TABLE_TIME_SIZE];
    (void)snprintf(id, sizeof(id), "%" PRId64, entry->id);
    (void)snprintf(seq, sizeof(seq), "%" PRIu64, entry->seq);
    table_add(table, (const char *const[]){service, id, entry->producer, seq, entry->type,
                                           entry->key, table_time(entry->quarantined_at, when),
                                           entry->sqlstate, entry->error});
}

static void add_json(json_t *json, const char *service,
                     const Moment__V1__ListQuarantineResponse *list)
{
    for (size_t i = 0; i < list->n_entries; i++) {
        json_t *entry = json_from_protobuf(&list->entries[i]->base);
        (void)json_object_set_new(entry, "service", json_string(service));
        (void)json_array_append_new(json, entry);
    }
}

/* Asks the service of that name, or all; counts. */
static void collect(const char *only, struct table *table, json_t *json, unsigned *ret_asked,
                    unsigned *ret_answered)
{
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        if (only != NULL && strcmp(only, ctl_services[i]) != 0)
            continue;
        (*ret_asked)++;
        Moment__V1__ListQuarantineResponse *list = list_of(ctl_services[i]);
        if (list == NULL)
            continue;
        (*ret_answered)++;
        for (size_t e = 0; e < list->n_entries; e++)
            add_entry(table, ctl_services[i], list->entries[e]);
        add_json(json, ctl_services[i], list);
        ask_free(&list->base);
    }
}

int quarantine_list_run(const struct ctl_command *command, int argc, char **argv)
{
    static const char *const headings[] = {"SERVICE", "ID",   "FROM",     "SEQ",  "TYPE",
                                           "KEY",     "WHEN", "SQLSTATE", "ERROR"};
    bool wants_json;
    int code = ctl_words(command, argc, argv, 0, 1, &wants_json);
    if (code != 0)
        return code;
    const char *only = optind < argc ? argv[optind] : NULL;
    unsigned asked = 0;
    unsigned answered = 0;
    struct table table;
    json_t *json = json_array();
    table_init(&table, countof(headings), headings);
    collect(only, &table, json, &asked, &answered);
    if (wants_json) {
        (void)json_dumpf(json, stdout, JSON_INDENT(2));
        (void)putchar('\n');
    } else if (answered > 0) {
        table_print(&table, "Nothing is in quarantine.");
    }
    json_decref(json);
    if (asked == 0)
        return ctl_usage(command, "there is no service %s", only);
    return answered == asked ? CTL_OK : answered > 0 ? CTL_PARTLY : CTL_FAILED;
}

/* SERVICE ID; 0 or CTL_USAGE. */
static int parse_entry(const struct ctl_command *command, int argc, char **argv,
                       const char **ret_service, int64_t *ret_id)
{
    if (argc - optind != 2)
        return ctl_usage(command, "it takes a service and the id that quarantine list shows");
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        if (strcmp(argv[optind], ctl_services[i]) == 0)
            *ret_service = ctl_services[i];
    }
    if (*ret_service == NULL)
        return ctl_usage(command, "there is no service %s", argv[optind]);
    if (text_to_i64(slice_of(argv[optind + 1]), 1, INT64_MAX, ret_id) < 0)
        return ctl_usage(command, "%s is no id", argv[optind + 1]);
    return 0;
}

static void print_body(const Moment__V1__QuarantineEntry *entry)
{
    (void)printf("body: %zu bytes", entry->body.len);
    for (size_t i = 0; i < entry->body.len; i++)
        (void)printf("%s%02x", i % 32 == 0 ? "\n  " : "", entry->body.data[i]);
    (void)putchar('\n');
}

int quarantine_show_run(const struct ctl_command *command, int argc, char **argv)
{
    bool wants_json;
    const char *service = NULL;
    Moment__V1__ShowQuarantineRequest request;
    moment__v1__show_quarantine_request__init(&request);
    int code = ctl_words(command, argc, argv, 2, 2, &wants_json);
    if (code == 0)
        code = parse_entry(command, argc, argv, &service, &request.id);
    if (code != 0)
        return code;
    const struct question question =
        QUESTION(service, "runtime.ShowQuarantine", false, &request, show_quarantine);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    const Moment__V1__QuarantineEntry *entry =
        ((Moment__V1__ShowQuarantineResponse *)response)->entry;
    if (wants_json || entry == NULL) {
        ask_print_json(response);
    } else {
        char when[TABLE_TIME_SIZE];
        (void)printf("%s of %s, seq %" PRIu64 ", key %s\nquarantined: %s\nerror: %s (%s)\n",
                     entry->type, entry->producer, entry->seq, entry->key,
                     table_time(entry->quarantined_at, when), entry->error, entry->sqlstate);
        print_body(entry);
    }
    ask_free(response);
    return CTL_OK;
}

int quarantine_redrive_run(const struct ctl_command *command, int argc, char **argv)
{
    bool unused;
    const char *service = NULL;
    Moment__V1__RedriveQuarantineRequest request;
    moment__v1__redrive_quarantine_request__init(&request);
    int code = ctl_words(command, argc, argv, 2, 2, &unused);
    if (code == 0)
        code = parse_entry(command, argc, argv, &service, &request.id);
    if (code != 0)
        return code;
    const struct question question =
        QUESTION(service, "runtime.RedriveQuarantine", true, &request, redrive_quarantine);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("applied");
    ask_free(response);
    return CTL_OK;
}

int quarantine_drop_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option options[] = {{"reason", required_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    const char *service = NULL;
    Moment__V1__DropQuarantineRequest request;
    moment__v1__drop_quarantine_request__init(&request);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'r')
            return ctl_usage(command, "that is no option here");
        request.reason = optarg;
    }
    int code = parse_entry(command, argc, argv, &service, &request.id);
    if (code != 0)
        return code;
    if (request.reason[0] == '\0')
        return ctl_usage(command, "dropping a fact needs a --reason");
    const struct question question =
        QUESTION(service, "runtime.DropQuarantine", true, &request, drop_quarantine);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("dropped; the record stays in the table with your reason");
    ask_free(response);
    return CTL_OK;
}
