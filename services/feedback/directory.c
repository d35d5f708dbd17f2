/* directory - see the header. */
#include "feedback/directory.h"

#include "base/log.h"
#include "feedback/feedback.h"
#include "feedback/store_directory.h"
#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096u
#define ASK_AGAIN_MS 5000
#define ASK_DEADLINE_MS 10000
#define ZONE_OF_NOBODY "UTC"

enum kind { KIND_NONE, KIND_SITE, KIND_TEAM, KIND_PERSON };

struct entry {
    struct entry *next; /* in its bucket */
    enum kind kind;
    const char *id;                        /* in message */
    Moment__V1__DirectoryChanged *message; /* owned */
    /* Of a site: */
    struct calendar calendar;
    struct open_window *windows; /* owned */
    struct date *holidays;       /* owned */
};

/* ingest is being asked; lives until it answers, also when the directory is gone by then. */
struct question {
    struct directory *directory; /* null: gone */
};

struct directory {
    struct service *service;
    struct timer *timer;       /* owned */
    struct question *question; /* the bus owns it; null: none under way */
    struct calendar unknown;   /* of a site that nobody knows */
    bool is_asked_for;         /* the reads were added or are done */
    bool is_answered;          /* ingest gave its list, or there was no need */
    size_t loaded;             /* rows that were read */
    size_t count;
    struct entry *buckets[BUCKETS];
};

/* --- entries --- */

static enum kind kind_of(const Moment__V1__DirectoryChanged *message, const char **ret_id)
{
    switch (message->entry_case) {
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_SITE:
        *ret_id = message->site->site_id;
        return KIND_SITE;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_TEAM:
        *ret_id = message->team->team_id;
        return KIND_TEAM;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_PERSON:
        *ret_id = message->person->person_id;
        return KIND_PERSON;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_QUEUE:
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY__NOT_SET:
    default:
        *ret_id = "";
        return KIND_NONE;
    }
}

static size_t bucket_of(enum kind kind, const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037) + (uint64_t)kind;

    for (; *id != '\0'; id++) {
        hash = (hash ^ (uint8_t)*id) * UINT64_C(1099511628211);
    }
    return hash % BUCKETS;
}

static struct entry *find(const struct directory *directory, enum kind kind, const char *id)
{
    struct entry *entry = directory->buckets[bucket_of(kind, id)];

    while (entry != NULL && (entry->kind != kind || strcmp(entry->id, id) != 0)) {
        entry = entry->next;
    }
    return entry;
}

static void entry_clear(struct entry *entry)
{
    codec_free(&entry->message->base);
    zone_close(&entry->calendar.zone);
    free(entry->windows);
    free(entry->holidays);
    entry->windows = NULL;
    entry->holidays = NULL;
}

static void open_zone(const char *name, const char *site_id, struct zone **ret_zone)
{
    int error = zone_open(name, ret_zone);

    if (error == -ENOENT) {
        log_error("time_zone_unknown", "site=%s time_zone=%s", site_id, name);
        error = zone_open(ZONE_OF_NOBODY, ret_zone);
    }
    feedback_need(error);
}

static void read_calendar(struct entry *entry, const Moment__V1__Site *site)
{
    struct calendar *calendar = &entry->calendar;

    *calendar = (struct calendar){0};
    open_zone(site->time_zone, site->site_id, &calendar->zone);
    entry->windows = calloc(site->n_open_hours + 1, sizeof(*entry->windows));
    entry->holidays = calloc(site->n_holidays + 1, sizeof(*entry->holidays));
    feedback_need(entry->windows != NULL && entry->holidays != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < site->n_open_hours; i++) {
        const Moment__V1__OpenHours *hours = site->open_hours[i];

        entry->windows[calendar->window_count++] =
            (struct open_window){.weekday = (int)hours->weekday,
                                 .opens_minute = (int)hours->opens_minute,
                                 .closes_minute = (int)hours->closes_minute};
    }
    for (size_t i = 0; i < site->n_holidays; i++) {
        /* ingest checked it */
        calendar->holiday_count +=
            date_parse(site->holidays[i]->date, &entry->holidays[calendar->holiday_count]) == 0;
    }
    calendar->windows = entry->windows;
    calendar->holidays = entry->holidays;
}

/* Consumes message, which has a kind. -ENOSPC. */
static int put(struct directory *directory, Moment__V1__DirectoryChanged *message)
{
    const char *id;
    enum kind kind = kind_of(message, &id);
    struct entry *entry = find(directory, kind, id);

    if (entry != NULL) {
        entry_clear(entry);
    } else if (directory->count == DIRECTORY_ENTRIES_MAX) {
        codec_free(&message->base);
        return -ENOSPC;
    } else {
        struct entry **bucket = &directory->buckets[bucket_of(kind, id)];

        entry = calloc(1, sizeof(*entry));
        feedback_need(entry != NULL ? 0 : -ENOMEM);
        entry->next = *bucket;
        *bucket = entry;
        directory->count++;
    }
    entry->kind = kind;
    entry->id = id;
    entry->message = message;
    if (kind == KIND_SITE) {
        read_calendar(entry, message->site);
    }
    return 0;
}

static void save(struct txn *txn, const Moment__V1__DirectoryChanged *message)
{
    const char *id;

    switch (kind_of(message, &id)) {
    case KIND_SITE:
        feedback_need(store_save_site(txn, message->site));
        break;
    case KIND_TEAM:
        feedback_need(store_save_team(txn, message->team));
        break;
    case KIND_PERSON:
        feedback_need(store_save_person(txn, message->person));
        break;
    case KIND_NONE:
    default:
        break;
    }
}

/* --- one record --- */

int directory_apply(struct directory *directory, struct txn *txn, const struct record *record)
{
    Moment__V1__DirectoryChanged *message;
    ProtobufCMessage *read;
    const char *id;
    int error = protobuf_read(&moment__v1__directory_changed__descriptor, record->body, &read);

    if (error != 0) {
        return error;
    }
    message = (Moment__V1__DirectoryChanged *)read;
    if (kind_of(message, &id) == KIND_NONE) {
        codec_free(read); /* a queue: nothing here asks for it */
        return 0;
    }
    error = put(directory, message);
    if (error == 0) {
        save(txn, message);
    }
    return error;
}

/* --- what ingest told before feedback kept it --- */

struct catch_up {
    struct work work; /* first */
    struct directory *directory;
    Moment__V1__ListDirectoryResponse *list; /* owned */
};

/* What came as a record meanwhile is newer. Consumes message. */
static void take_older(struct directory *directory, struct txn *txn,
                       Moment__V1__DirectoryChanged *message)
{
    const char *id;
    enum kind kind = kind_of(message, &id);

    if (find(directory, kind, id) != NULL) {
        codec_free(&message->base);
        return;
    }
    if (put(directory, message) == 0) {
        save(txn, message);
    }
}

/* The entry is borrowed. */
static Moment__V1__DirectoryChanged *copy_of(const Moment__V1__DirectoryChanged *message)
{
    ProtobufCMessage *copy;

    feedback_need(codec_copy(&message->base, &copy));
    return (Moment__V1__DirectoryChanged *)copy;
}

static void load_catch_up(struct work *work, struct txn *txn)
{
    struct catch_up *catch_up = (struct catch_up *)work;

    directory_load(catch_up->directory, txn);
}

static int apply_catch_up(struct work *work, struct txn *txn)
{
    const struct catch_up *catch_up = (const struct catch_up *)work;
    const Moment__V1__ListDirectoryResponse *list = catch_up->list;
    Moment__V1__DirectoryChanged message;

    moment__v1__directory_changed__init(&message);
    message.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_SITE;
    for (size_t i = 0; i < list->n_sites; i++) {
        message.site = list->sites[i];
        take_older(catch_up->directory, txn, copy_of(&message));
    }
    message.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_TEAM;
    for (size_t i = 0; i < list->n_teams; i++) {
        message.team = list->teams[i];
        take_older(catch_up->directory, txn, copy_of(&message));
    }
    message.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_PERSON;
    for (size_t i = 0; i < list->n_people; i++) {
        message.person = list->people[i];
        take_older(catch_up->directory, txn, copy_of(&message));
    }
    return 0;
}

static void done_catch_up(struct work *work, int status, const struct db_error *error)
{
    struct catch_up *catch_up = (struct catch_up *)work;

    if (status != 0 && status != -ECANCELED) {
        log_error("directory_not_kept", "error=%d %s", status, error != NULL ? error->message : "");
    }
    codec_free(&catch_up->list->base);
    free(catch_up);
}

static const struct work_ops catch_up_ops = {
    .load = load_catch_up, .apply = apply_catch_up, .done = done_catch_up};

static bool keep_list(struct directory *directory, const ProtobufCMessage *response)
{
    struct catch_up *catch_up = calloc(1, sizeof(*catch_up));
    ProtobufCMessage *copy;

    feedback_need(catch_up != NULL ? 0 : -ENOMEM);
    feedback_need(codec_copy(response, &copy));
    catch_up->work.ops = &catch_up_ops;
    catch_up->work.bytes = protobuf_c_message_get_packed_size(response);
    catch_up->directory = directory;
    catch_up->list = (Moment__V1__ListDirectoryResponse *)copy;
    if (stream_submit(service_stream(directory->service), &catch_up->work) != 0) {
        codec_free(copy);
        free(catch_up);
        return false;
    }
    return true;
}

static void on_list(void *arg, const ProtobufCMessage *response,
                    const struct problem *problem unused_arg)
{
    struct question *question = arg;
    struct directory *directory = question->directory;

    free(question);
    if (directory == NULL) {
        return;
    }
    directory->question = NULL;
    directory->is_answered = response != NULL && keep_list(directory, response);
    if (!directory->is_answered && directory->timer != NULL) {
        timer_start(directory->timer, ASK_AGAIN_MS, 0); /* ingest is not up yet */
    }
}

static void ask(void *arg)
{
    struct directory *directory = arg;
    struct question *question = calloc(1, sizeof(*question));
    Moment__V1__ListDirectoryRequest request;

    feedback_need(question != NULL ? 0 : -ENOMEM);
    question->directory = directory;
    directory->question = question;
    moment__v1__list_directory_request__init(&request);
    bus_call(service_bus(directory->service), "ingest", "ingest.ListDirectory", NULL, NULL,
             &request.base, &moment__v1__list_directory_response__descriptor, ASK_DEADLINE_MS,
             on_list, question);
}

/* --- rows --- */

static void take_row(struct directory *directory, const struct db_rows *rows, size_t row,
                     Moment__V1__DirectoryChanged__EntryCase entry_case,
                     const ProtobufCMessageDescriptor *descriptor)
{
    Moment__V1__DirectoryChanged *message;
    ProtobufCMessage *entry;

    if (protobuf_read(descriptor, db_get_bytes(rows, row, 0), &entry) != 0) {
        log_error("directory_unreadable", "kind=%s row=%zu", descriptor->short_name, row);
        return;
    }
    message = calloc(1, sizeof(*message));
    feedback_need(message != NULL ? 0 : -ENOMEM);
    moment__v1__directory_changed__init(message);
    message->entry_case = entry_case;
    message->site = (Moment__V1__Site *)entry; /* the members are one pointer */
    (void)put(directory, message);
}

static void on_rows(struct directory *directory, int status, const struct db_rows *rows,
                    Moment__V1__DirectoryChanged__EntryCase entry_case,
                    const ProtobufCMessageDescriptor *descriptor)
{
    if (status != 0) {
        return; /* the transaction fails and forget drops everything */
    }
    for (size_t i = 0; i < db_count(rows); i++) {
        take_row(directory, rows, i, entry_case, descriptor);
    }
    directory->loaded += db_count(rows);
}

static void on_sites(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    on_rows(arg, status, rows, MOMENT__V1__DIRECTORY_CHANGED__ENTRY_SITE,
            &moment__v1__site__descriptor);
}

static void on_teams(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    on_rows(arg, status, rows, MOMENT__V1__DIRECTORY_CHANGED__ENTRY_TEAM,
            &moment__v1__team__descriptor);
}

/* The last of the three. */
static void on_people(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error unused_arg)
{
    struct directory *directory = arg;

    on_rows(directory, status, rows, MOMENT__V1__DIRECTORY_CHANGED__ENTRY_PERSON,
            &moment__v1__person__descriptor);
    if (status == 0 && directory->loaded > 0) {
        directory->is_answered = true;
    }
    if (status == 0 && !directory->is_answered && directory->question == NULL &&
        directory->timer != NULL && !timer_is_active(directory->timer)) {
        timer_start(directory->timer, 0, 0);
    }
}

void directory_load(struct directory *directory, struct txn *txn)
{
    if (directory->is_asked_for) {
        return;
    }
    directory->is_asked_for = true;
    store_load_sites(txn, on_sites, directory);
    store_load_teams(txn, on_teams, directory);
    store_load_people(txn, on_people, directory);
}

void directory_forget(struct directory *directory)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (directory->buckets[i] != NULL) {
            struct entry *entry = directory->buckets[i];

            directory->buckets[i] = entry->next;
            entry_clear(entry);
            free(entry);
        }
    }
    directory->count = 0;
    directory->loaded = 0;
    directory->is_asked_for = false;
}

/* --- who is who --- */

const Moment__V1__Person *directory_person(const struct directory *directory, const char *person_id)
{
    const struct entry *entry = find(directory, KIND_PERSON, person_id);

    return entry != NULL ? entry->message->person : NULL;
}

const Moment__V1__Team *directory_team(const struct directory *directory, const char *team_id)
{
    const struct entry *entry = find(directory, KIND_TEAM, team_id);

    return entry != NULL ? entry->message->team : NULL;
}

const Moment__V1__Site *directory_site(const struct directory *directory, const char *site_id)
{
    const struct entry *entry = find(directory, KIND_SITE, site_id);

    return entry != NULL ? entry->message->site : NULL;
}

const char *directory_name_of(const struct directory *directory, const char *person_id)
{
    const Moment__V1__Person *person = directory_person(directory, person_id);

    return person != NULL ? person->name : "";
}

struct place directory_place_of(const Moment__V1__Person *person)
{
    return (struct place){
        .site = person->site_id, .team = person->team_id, .person_id = person->person_id};
}

void directory_each_person(const struct directory *directory,
                           void (*visit)(void *arg, const Moment__V1__Person *person), void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const struct entry *entry = directory->buckets[i]; entry != NULL;
             entry = entry->next) {
            if (entry->kind == KIND_PERSON) {
                visit(arg, entry->message->person);
            }
        }
    }
}

const struct calendar *directory_calendar(const struct directory *directory, const char *site_id)
{
    const struct entry *entry = find(directory, KIND_SITE, site_id);

    return entry != NULL ? &entry->calendar : &directory->unknown;
}

/* --- life --- */

int directory_new(struct service *service, struct directory **ret_directory)
{
    struct directory *directory = calloc(1, sizeof(*directory));
    int error;

    if (directory == NULL) {
        return -ENOMEM;
    }
    directory->service = service;
    error = zone_open(ZONE_OF_NOBODY, &directory->unknown.zone);
    if (error == 0) {
        error = timer_new(service_loop(service), ask, directory, &directory->timer);
    }
    if (error != 0) {
        directory_free(&directory);
        return error;
    }
    *ret_directory = directory;
    return 0;
}

void directory_stop(struct directory *directory)
{
    timer_free(&directory->timer);
}

void directory_free(struct directory **ret_directory)
{
    struct directory *directory = *ret_directory;

    if (directory == NULL) {
        return;
    }
    if (directory->question != NULL) {
        directory->question->directory = NULL;
    }
    directory_stop(directory);
    directory_forget(directory);
    zone_close(&directory->unknown.zone);
    free(directory);
    *ret_directory = NULL;
}
