/* directory - `momentctl directory`: sites, teams, people and queues, from a file that somebody
 * keeps. Entries that the file does not mention stay. */
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/table.h"
#include "ctl/whole_file.h"
#include "moment/v1/ingest.pb-c.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char *format_of(const char *path)
{
    const char *suffix = strrchr(path, '.');
    return suffix != NULL && strcmp(suffix, ".json") == 0 ? "json" : "csv";
}

static int tell_import(const Moment__V1__ImportDirectoryResponse *done, bool dry_run,
                       const char *path)
{
    for (size_t i = 0; i < done->n_errors; i++) {
        const Moment__V1__ImportError *error = done->errors[i];
        (void)fprintf(stderr, "%s:%u: %s%s%s\n", path, error->line, error->field,
                      error->field[0] != '\0' ? ": " : "", error->message);
    }
    ctl_say("%s%u created, %u updated, %u unchanged, %zu lines refused",
            dry_run ? "nothing done; would be: " : "", done->created, done->updated,
            done->unchanged, done->n_errors);
    if (done->n_errors == 0)
        return CTL_OK;
    return done->created + done->updated + done->unchanged > 0 ? CTL_PARTLY : CTL_FAILED;
}

static int import(const char *path, Moment__V1__ImportDirectoryRequest *request)
{
    struct buf buf;
    int code = whole_file_read(path, &buf);
    ProtobufCMessage *response = NULL;
    if (code == CTL_OK) {
        request->content.data = buf.data;
        request->content.len = buf.len;
        const struct question question =
            QUESTION("ingest", "ingest.ImportDirectory", true, request, import_directory);
        response = ask_or_tell(&question);
    }
    buf_done(&buf);
    if (response == NULL)
        return CTL_FAILED;
    code = tell_import((Moment__V1__ImportDirectoryResponse *)response, request->dry_run, path);
    ask_free(response);
    return code;
}

int directory_import_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option options[] = {{"dry-run", no_argument, NULL, 'd'},
                                            {"format", required_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    Moment__V1__ImportDirectoryRequest request;
    moment__v1__import_directory_request__init(&request);
    const char *format = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'd')
            request.dry_run = true;
        else if (option == 'f')
            format = optarg;
        else
            return ctl_usage(command, "that is no option here");
    }
    if (argc - optind != 1)
        return ctl_usage(command, "directory import takes one file");
    if (format == NULL)
        format = format_of(argv[optind]);
    request.format = (char *)(uintptr_t)format;
    return import(argv[optind], &request);
}

static void print_places(const Moment__V1__ListDirectoryResponse *list)
{
    struct table table;
    table_init(&table, 3, (const char *const[]){"SITE", "NAME", "TIME ZONE"});
    for (size_t i = 0; i < list->n_sites; i++)
        table_add(&table, (const char *const[]){list->sites[i]->site_id, list->sites[i]->name,
                                                list->sites[i]->time_zone});
    table_print(&table, "No sites.");
    (void)putchar('\n');
    table_init(&table, 3, (const char *const[]){"TEAM", "NAME", "SITE"});
    for (size_t i = 0; i < list->n_teams; i++)
        table_add(&table, (const char *const[]){list->teams[i]->team_id, list->teams[i]->name,
                                                list->teams[i]->site_id});
    table_print(&table, "No teams.");
    (void)putchar('\n');
    table_init(&table, 3, (const char *const[]){"QUEUE", "NAME", "SITE"});
    for (size_t i = 0; i < list->n_queues; i++)
        table_add(&table, (const char *const[]){list->queues[i]->queue_id, list->queues[i]->name,
                                                list->queues[i]->site_id});
    table_print(&table, "No queues.");
}

/* "pbx:Alice Moreno, 1017" */
static void print_agents(const Moment__V1__Person *person, struct buf *buf)
{
    int error = 0;
    for (size_t i = 0; i < person->n_agent_ids && error == 0; i++) {
        const Moment__V1__AgentId *agent = person->agent_ids[i];
        error = buf_printf(buf, "%s%s%s%s", i > 0 ? ", " : "", agent->source,
                           agent->source[0] != '\0' ? ":" : "", agent->agent);
    }
}

static void add_person(struct table *table, const Moment__V1__Person *person)
{
    struct buf agents;
    buf_init(&agents, 1024);
    print_agents(person, &agents);
    table_add(table,
              (const char *const[]){person->person_id, person->name, person->role, person->site_id,
                                    person->team_id, person->coach_id, buf_text(&agents)});
    buf_done(&agents);
}

static void print_people(const Moment__V1__ListDirectoryResponse *list)
{
    static const char *const headings[] = {"PERSON", "NAME",  "ROLE",    "SITE",
                                           "TEAM",   "COACH", "KNOWN AS"};
    struct table table;
    (void)putchar('\n');
    table_init(&table, countof(headings), headings);
    for (size_t i = 0; i < list->n_people; i++)
        add_person(&table, list->people[i]);
    table_print(&table, "No people.");
    if (list->n_unknown_agents == 0)
        return;
    (void)putchar('\n');
    table_init(&table, 2, (const char *const[]){"UNKNOWN AGENT", "SEEN AT"});
    for (size_t i = 0; i < list->n_unknown_agents; i++)
        table_add(&table, (const char *const[]){list->unknown_agents[i]->agent,
                                                list->unknown_agents[i]->source});
    table_print(&table, "");
}

int directory_list_run(const struct ctl_command *command, int argc, char **argv)
{
    bool wants_json;
    Moment__V1__ListDirectoryRequest request;
    moment__v1__list_directory_request__init(&request);
    int code = ctl_words(command, argc, argv, 0, 0, &wants_json);
    if (code != 0)
        return code;
    const struct question question =
        QUESTION("ingest", "ingest.ListDirectory", false, &request, list_directory);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    if (wants_json) {
        ask_print_json(response);
    } else {
        print_places((Moment__V1__ListDirectoryResponse *)response);
        print_people((Moment__V1__ListDirectoryResponse *)response);
    }
    ask_free(response);
    return CTL_OK;
}
