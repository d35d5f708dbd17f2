/* edge_directory - see the header. A file is taken whole or, when anything in it is wrong, not at
 * all; then every error is told with its line. What is the same as before leaves no trace. */
#include "ingest/edge_directory.h"

#include "base/buf.h"
#include "base/clock.h"
#include "ingest/rules/directory.h"
#include "ingest/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_MAX 1000
#define IMPORT_BYTES_MAX (2 * 1024 * 1024)
#define ZONES_BYTES_MAX (256 * 1024)

struct import {
    struct command command; /* must be first: command.c frees it */
    struct ingest *ingest;
    struct people current; /* as in the table, by load */
    struct buf zones;      /* "\nEurope/Berlin\nEurope/...\n", what the database knows, by load */
    bool is_changed;       /* something was written */
    /* Of one attempt: */
    char *text; /* owned; the entries point into it, or into parsed */
    ProtobufCMessage *parsed;
    struct directory_entry **entries;
    size_t count, capacity;
    Moment__V1__ImportDirectoryResponse *response;
};

static void *or_die(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static char *lent(const char *value)
{
    union {
        const char *in;
        char *out;
    } cast = {.in = value};

    return cast.out;
}

static struct import *import_of(struct command *command)
{
    return container_of(command, struct import, command);
}

static const Moment__V1__ImportDirectoryRequest *request_of(const struct import *import)
{
    return (const Moment__V1__ImportDirectoryRequest *)(const void *)call_request(
        import->command.call);
}

/* --- reading the file --------------------------------------------------------------------------
 */

static void on_entry(void *context, const struct directory_entry *entry)
{
    struct import *import = context;

    if (import->count == import->capacity) {
        import->capacity = import->capacity ? import->capacity * 2 : 64;
        import->entries = or_die(
            reallocarray(import->entries, import->capacity, sizeof(struct directory_entry *)));
    }
    import->entries[import->count] = or_die(malloc(sizeof(*entry)));
    *import->entries[import->count++] = *entry;
}

static void on_error(void *context, uint32_t line, const char *field, const char *message)
{
    struct import *import = context;
    Moment__V1__ImportDirectoryResponse *response = import->response;
    Moment__V1__ImportError *error;

    if (response->n_errors == ERRORS_MAX)
        return;
    error = or_die(calloc(1, sizeof(*error)));
    moment__v1__import_error__init(error);
    error->line = line;
    error->field = or_die(strdup(field));
    error->message = or_die(strdup(message));
    response->errors = or_die(
        reallocarray(response->errors, response->n_errors + 1, sizeof(Moment__V1__ImportError *)));
    response->errors[response->n_errors++] = error;
}

static struct directory_sinks sinks_of(struct import *import)
{
    return (struct directory_sinks){.entry = on_entry, .error = on_error, .context = import};
}

static void take_checked(struct import *import, struct directory_entry *entry)
{
    const struct directory_sinks sinks = sinks_of(import);

    entry->line = (uint32_t)import->count + (uint32_t)import->response->n_errors + 1;
    if (directory_check(entry, &sinks) == 0)
        on_entry(import, entry);
}

static void take_site(struct import *import, const Moment__V1__Site *site)
{
    struct directory_entry entry;

    directory_entry_init(&entry);
    entry.kind = DIRECTORY_SITE;
    entry.id = site->site_id;
    entry.name = site->name;
    entry.time_zone = site->time_zone;
    if (site->n_open_hours > DIRECTORY_HOURS_MAX || site->n_holidays > DIRECTORY_HOLIDAYS_MAX) {
        on_error(import, (uint32_t)import->count + 1, "open_hours", "too many");
        return;
    }
    for (size_t i = 0; i < site->n_open_hours; i++)
        entry.hours[entry.hours_count++] = (struct directory_hours){
            .weekday = (uint8_t)(site->open_hours[i]->weekday & 0xff),
            .opens_minute = (uint16_t)(site->open_hours[i]->opens_minute & 0xffff),
            .closes_minute = (uint16_t)(site->open_hours[i]->closes_minute & 0xffff)};
    for (size_t i = 0; i < site->n_holidays; i++)
        entry.holidays[entry.holiday_count++] = (struct directory_holiday){
            .date = site->holidays[i]->date, .name = site->holidays[i]->name};
    take_checked(import, &entry);
}

static void take_team(struct import *import, const Moment__V1__Team *team)
{
    struct directory_entry entry;

    directory_entry_init(&entry);
    entry.kind = DIRECTORY_TEAM;
    entry.id = team->team_id;
    entry.name = team->name;
    entry.site_id = team->site_id;
    take_checked(import, &entry);
}

static void take_person(struct import *import, const Moment__V1__Person *person)
{
    struct directory_entry entry;

    directory_entry_init(&entry);
    entry.kind = DIRECTORY_PERSON;
    entry.id = person->person_id;
    entry.name = person->name;
    entry.site_id = person->site_id;
    entry.team_id = person->team_id;
    entry.role = person->role[0] != '\0' ? person->role : "agent";
    entry.coach_id = person->coach_id;
    if (person->n_agent_ids > DIRECTORY_AGENT_IDS_MAX) {
        on_error(import, (uint32_t)import->count + 1, "agent_ids", "too many");
        return;
    }
    for (size_t i = 0; i < person->n_agent_ids; i++)
        entry.agent_ids[entry.agent_id_count++] = (struct directory_agent_id){
            .source = person->agent_ids[i]->source, .agent = person->agent_ids[i]->agent};
    take_checked(import, &entry);
}

static void take_queue(struct import *import, const Moment__V1__Queue *queue)
{
    struct directory_entry entry;

    directory_entry_init(&entry);
    entry.kind = DIRECTORY_QUEUE;
    entry.id = queue->queue_id;
    entry.name = queue->name[0] != '\0' ? queue->name : queue->queue_id;
    entry.site_id = queue->site_id;
    take_checked(import, &entry);
}

/* JSON has the shape of ListDirectoryResponse: sites, teams, people, queues. */
static void parse_json(struct import *import, struct slice content)
{
    const Moment__V1__ListDirectoryResponse *list;
    struct json_error error = {.message = ""};
    json_t *json cleanup_with(json_unref) = NULL;

    if (json_parse(content, &json, &error) < 0 ||
        json_to_protobuf(json, &moment__v1__list_directory_response__descriptor, &import->parsed,
                         &error) < 0) {
        on_error(import, 0, error.path, error.message);
        return;
    }
    list = (const Moment__V1__ListDirectoryResponse *)(const void *)import->parsed;
    for (size_t i = 0; i < list->n_sites; i++)
        take_site(import, list->sites[i]);
    for (size_t i = 0; i < list->n_teams; i++)
        take_team(import, list->teams[i]);
    for (size_t i = 0; i < list->n_people; i++)
        take_person(import, list->people[i]);
    for (size_t i = 0; i < list->n_queues; i++)
        take_queue(import, list->queues[i]);
}

static bool is_known(void *context, enum directory_kind kind, const char *id)
{
    const struct import *import = context;

    for (size_t i = 0; i < import->count; i++)
        if (import->entries[i]->kind == kind && strcmp(import->entries[i]->id, id) == 0)
            return true;
    return people_entry(&import->current, kind, id) != NULL;
}

/* The shape of a name is the rule's business; whether there is such a zone, only the time zone
 * database tells, and the one that counts is PostgreSQL's: it cuts the days of the reports. */
static void check_zones(struct import *import)
{
    for (size_t i = 0; i < import->count; i++) {
        const struct directory_entry *entry = import->entries[i];
        char line[256];

        (void)snprintf(line, sizeof(line), "\n%s\n", entry->time_zone);
        if (entry->kind == DIRECTORY_SITE && !strstr(buf_text(&import->zones), line))
            on_error(import, entry->line, "time_zone",
                     "is not in the time zone database; a name such as \"Europe/Berlin\" is");
    }
}

static int parse(struct import *import, struct problem *problem)
{
    const Moment__V1__ImportDirectoryRequest *request = request_of(import);
    const struct directory_sinks sinks = sinks_of(import);
    struct slice content = {.at = (const char *)request->content.data, .len = request->content.len};

    if (content.len > IMPORT_BYTES_MAX) {
        problem_set(problem, 413, "too-large", "content", "At most %d bytes.", IMPORT_BYTES_MAX);
        return -EINVAL;
    }
    if (strcmp(request->format, "json") == 0) {
        parse_json(import, content);
    } else if (strcmp(request->format, "csv") == 0) {
        import->text = or_die(calloc(1, content.len + 1));
        if (content.len > 0)
            memcpy(import->text, content.at, content.len);
        (void)directory_parse_csv(import->text, content.len, &sinks);
    } else {
        problem_set(problem, 422, "invalid-field", "format", "\"csv\" or \"json\".");
        return -EINVAL;
    }
    (void)directory_check_references((const struct directory_entry *const *)import->entries,
                                     import->count, is_known, &sinks);
    check_zones(import);
    return 0;
}

/* --- entries as messages -----------------------------------------------------------------------
 */

/* A message with all that it may point to. */
struct entry_message {
    Moment__V1__DirectoryChanged changed;
    Moment__V1__Site site;
    Moment__V1__Team team;
    Moment__V1__Person person;
    Moment__V1__Queue queue;
    Moment__V1__OpenHours hours[DIRECTORY_HOURS_MAX];
    Moment__V1__OpenHours *hours_pointers[DIRECTORY_HOURS_MAX];
    Moment__V1__Holiday holidays[DIRECTORY_HOLIDAYS_MAX];
    Moment__V1__Holiday *holiday_pointers[DIRECTORY_HOLIDAYS_MAX];
    Moment__V1__AgentId agents[DIRECTORY_AGENT_IDS_MAX];
    Moment__V1__AgentId *agent_pointers[DIRECTORY_AGENT_IDS_MAX];
};

static void say_site(const struct directory_entry *entry, struct entry_message *message)
{
    Moment__V1__Site *site = &message->site;

    moment__v1__site__init(site);
    site->site_id = lent(entry->id);
    site->name = lent(entry->name);
    site->time_zone = lent(entry->time_zone);
    for (size_t i = 0; i < entry->hours_count; i++) {
        moment__v1__open_hours__init(&message->hours[i]);
        message->hours[i].weekday = entry->hours[i].weekday;
        message->hours[i].opens_minute = entry->hours[i].opens_minute;
        message->hours[i].closes_minute = entry->hours[i].closes_minute;
        message->hours_pointers[i] = &message->hours[i];
    }
    site->n_open_hours = entry->hours_count;
    site->open_hours = message->hours_pointers;
    for (size_t i = 0; i < entry->holiday_count; i++) {
        moment__v1__holiday__init(&message->holidays[i]);
        message->holidays[i].date = lent(entry->holidays[i].date);
        message->holidays[i].name = lent(entry->holidays[i].name);
        message->holiday_pointers[i] = &message->holidays[i];
    }
    site->n_holidays = entry->holiday_count;
    site->holidays = message->holiday_pointers;
    message->changed.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_SITE;
    message->changed.site = site;
}

static void say_person(const struct directory_entry *entry, struct entry_message *message)
{
    Moment__V1__Person *person = &message->person;

    moment__v1__person__init(person);
    person->person_id = lent(entry->id);
    person->name = lent(entry->name);
    person->site_id = lent(entry->site_id);
    person->team_id = lent(entry->team_id);
    person->role = lent(entry->role);
    person->coach_id = lent(entry->coach_id);
    for (size_t i = 0; i < entry->agent_id_count; i++) {
        moment__v1__agent_id__init(&message->agents[i]);
        message->agents[i].source = lent(entry->agent_ids[i].source);
        message->agents[i].agent = lent(entry->agent_ids[i].agent);
        message->agent_pointers[i] = &message->agents[i];
    }
    person->n_agent_ids = entry->agent_id_count;
    person->agent_ids = message->agent_pointers;
    message->changed.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_PERSON;
    message->changed.person = person;
}

static void say(const struct directory_entry *entry, struct entry_message *message)
{
    moment__v1__directory_changed__init(&message->changed);
    if (entry->kind == DIRECTORY_SITE) {
        say_site(entry, message);
    } else if (entry->kind == DIRECTORY_PERSON) {
        say_person(entry, message);
    } else if (entry->kind == DIRECTORY_TEAM) {
        moment__v1__team__init(&message->team);
        message->team.team_id = lent(entry->id);
        message->team.name = lent(entry->name);
        message->team.site_id = lent(entry->site_id);
        message->changed.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_TEAM;
        message->changed.team = &message->team;
    } else {
        moment__v1__queue__init(&message->queue);
        message->queue.queue_id = lent(entry->id);
        message->queue.name = lent(entry->name);
        message->queue.site_id = lent(entry->site_id);
        message->changed.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_QUEUE;
        message->changed.queue = &message->queue;
    }
}

static bool is_same(const Moment__V1__DirectoryChanged *before, const uint8_t *bytes, size_t len)
{
    uint8_t *old;
    size_t old_len;
    bool same;

    if (protobuf_write(&before->base, &old, &old_len) < 0)
        abort();
    same = old_len == len && memcmp(old, bytes, len) == 0;
    free(old);
    return same;
}

/* --- import ------------------------------------------------------------------------------------
 */

static const char *site_of(const struct import *import, const struct directory_entry *entry)
{
    if (entry->kind == DIRECTORY_SITE)
        return entry->id;
    return entry->site_id[0] != '\0' ? entry->site_id : service_site(import->ingest->service);
}

static void write_entry(struct import *import, struct txn *txn, const struct directory_entry *entry,
                        struct entry_message *message)
{
    const Moment__V1__DirectoryChanged *before =
        people_entry(&import->current, entry->kind, entry->id);
    const char *kind = directory_kind_name(entry->kind);
    char key[DIRECTORY_ID_MAX + 16];
    struct slice body;
    uint8_t *bytes;
    size_t len;

    say(entry, message);
    if (protobuf_write(&message->changed.base, &bytes, &len) < 0)
        abort();
    body = (struct slice){.at = (const char *)bytes, .len = len};
    if (before && is_same(before, bytes, len)) {
        import->response->unchanged++;
    } else {
        *(before ? &import->response->updated : &import->response->created) += 1;
        if (!request_of(import)->dry_run) {
            import->is_changed = true;
            store_write_directory(txn, kind, entry->id, &body,
                                  call_caller(import->command.call)->id, txn_now_us(txn));
            snprintf(key, sizeof(key), "%s/%s", kind, entry->id);
            txn_emit(txn, site_of(import, entry), key, "DirectoryChanged", txn_now_us(txn), bytes,
                     len);
        }
    }
    free(bytes);
}

static void forget_attempt(struct import *import)
{
    for (size_t i = 0; i < import->count; i++)
        free(import->entries[i]);
    free(import->entries);
    free(import->text);
    if (import->parsed)
        protobuf_c_message_free_unpacked(import->parsed, NULL);
    import->entries = NULL;
    import->text = NULL;
    import->parsed = NULL;
    import->count = import->capacity = 0;
}

static void on_current(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error)
{
    struct import *import = arg;

    (void)error;
    for (size_t row = 0; status == 0 && row < db_count(rows); row++)
        if (people_add(&import->current, db_get_bytes(rows, row, 0)) < 0)
            abort();
}

static void on_zones(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error)
{
    struct import *import = arg;

    (void)error;
    for (size_t row = 0; status == 0 && row < db_count(rows); row++)
        if (buf_printf(&import->zones, "%s\n", db_get_text(rows, row, 0)) < 0)
            abort();
}

static void load(struct command *command, struct txn *txn)
{
    struct import *import = import_of(command);

    people_done(&import->current);
    buf_clear(&import->zones);
    if (buf_append(&import->zones, "\n", 1) < 0)
        abort();
    store_read_time_zones(txn, on_zones, import);
    store_read_directory(txn, on_current, import);
}

static int apply(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                 struct problem *problem)
{
    struct import *import = import_of(command);
    struct entry_message *message = or_die(calloc(1, sizeof(*message)));
    int r;

    import->response = or_die(calloc(1, sizeof(*import->response)));
    moment__v1__import_directory_response__init(import->response);
    r = parse(import, problem);
    for (size_t i = 0; r == 0 && import->response->n_errors == 0 && i < import->count; i++)
        write_entry(import, txn, import->entries[i], message);
    forget_attempt(import);
    free(message);
    if (r < 0)
        protobuf_c_message_free_unpacked(&import->response->base, NULL);
    else
        *ret_response = &import->response->base;
    import->response = NULL;
    return r;
}

static void on_taken_over(void *command)
{
    command_settled(command);
}

/* What was imported holds for whatever its sender does next. */
static bool settle(struct command *command)
{
    struct import *import = import_of(command);

    if (import->is_changed)
        ingest_read_people_then(import->ingest, on_taken_over, command);
    return import->is_changed;
}

static void finish(struct command *command)
{
    people_done(&import_of(command)->current);
    buf_done(&import_of(command)->zones);
}

void edge_directory_import(void *state, struct call *call)
{
    struct ingest *ingest = state;
    struct import *import = command_new(sizeof(*import), call, ingest, load, apply);

    import->ingest = ingest;
    people_init(&import->current);
    buf_init(&import->zones, ZONES_BYTES_MAX);
    import->command.settle = settle;
    import->command.finish = finish;
    command_start(ingest->bus, &import->command);
}

/* --- list --------------------------------------------------------------------------------------
 */

struct listing {
    const struct ingest *ingest;
    Moment__V1__ListDirectoryResponse response;
};

static void add_unknown(void *arg, const char *system, const char *agent)
{
    struct listing *listing = arg;
    Moment__V1__ListDirectoryResponse *response = &listing->response;
    Moment__V1__AgentId *id;

    if (people_find(&listing->ingest->people, system, system, agent))
        return;
    id = or_die(calloc(1, sizeof(*id)));
    moment__v1__agent_id__init(id);
    id->source = lent(system);
    id->agent = lent(agent);
    response->unknown_agents[response->n_unknown_agents++] = id;
}

static void count_agent(void *arg, const char *system, const char *agent)
{
    size_t *count = arg;

    (void)system;
    (void)agent;
    (*count)++;
}

static void add_entry(struct listing *listing, const Moment__V1__DirectoryChanged *entry)
{
    Moment__V1__ListDirectoryResponse *response = &listing->response;

    switch (people_kind(entry)) {
    case DIRECTORY_SITE:
        response->sites[response->n_sites++] = entry->site;
        break;
    case DIRECTORY_TEAM:
        response->teams[response->n_teams++] = entry->team;
        break;
    case DIRECTORY_PERSON:
        response->people[response->n_people++] = entry->person;
        break;
    case DIRECTORY_QUEUE:
        response->queues[response->n_queues++] = entry->queue;
        break;
    case DIRECTORY_NONE:
    default:
        break;
    }
}

void edge_directory_list(void *state, struct call *call)
{
    struct ingest *ingest = state;
    struct listing listing = {.ingest = ingest};
    Moment__V1__ListDirectoryResponse *response = &listing.response;
    size_t count = ingest->people.count + 1, agents = 1;

    moment__v1__list_directory_response__init(response);
    moments_each_agent(ingest->moments, count_agent, &agents);
    response->sites = or_die(calloc(count, sizeof(Moment__V1__Site *)));
    response->teams = or_die(calloc(count, sizeof(Moment__V1__Team *)));
    response->people = or_die(calloc(count, sizeof(Moment__V1__Person *)));
    response->queues = or_die(calloc(count, sizeof(Moment__V1__Queue *)));
    response->unknown_agents = or_die(calloc(agents, sizeof(Moment__V1__AgentId *)));
    for (size_t i = 0; i < ingest->people.count; i++)
        add_entry(&listing, ingest->people.entries[i]);
    moments_each_agent(ingest->moments, add_unknown, &listing);
    call_reply(call, &response->base);
    for (size_t i = 0; i < response->n_unknown_agents; i++)
        free(response->unknown_agents[i]);
    free(response->sites);
    free(response->teams);
    free(response->people);
    free(response->queues);
    free(response->unknown_agents);
}
