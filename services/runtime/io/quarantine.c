#include "io/quarantine.h"

#include "base/log.h"
#include "io/counters.h"
#include "io/service_parts.h"
#include "moment/v1/stream.pb-c.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUARANTINE_LIST_MAX 1000

/* protobuf-c has no const; packing does not write. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* --- writing and counting --- */

static const char SQL_WRITE[] =
    "insert into quarantine (consumer, producer, shard, seq, epoch, site, key, type, record_at, "
    "body, sqlstate, error) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

void quarantine_write(struct txn *txn, const char *consumer, const char *producer,
                      const struct record *record, const char *sqlstate, const char *error)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, consumer);
    db_text(&args, producer);
    db_i32(&args, record->shard);
    db_i64(&args, (int64_t)record->seq);
    db_i32(&args, (int32_t)record->epoch);
    db_text(&args, record->site);
    db_text(&args, record->key);
    db_text(&args, record->type);
    /* Not db_time's null for 0: the column takes none. */
    db_time(&args, record->at_us ? record->at_us : 1);
    db_bytes(&args, record->body.at, record->body.len);
    db_text(&args, sqlstate);
    db_text(&args, error);
    txn_write(txn, SQL_WRITE, &args);
}

static const char SQL_COUNT[] =
    "select count(*), current_setting('synchronous_standby_names') <> '' from quarantine "
    "where settled_at is null";

static void on_count(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    struct service *service = arg;

    if (status == 0) {
        service->quarantined = (uint64_t)db_get_i64(rows, 0, 0);
        service->is_replicated = db_get_bool(rows, 0, 1);
        metric_set(&counter_quarantine, NULL, (double)service->quarantined);
    }
}

void quarantine_count(struct service *service)
{
    struct db_args args;

    db_args_init(&args);
    if (service->reader && db_is_up(service->reader) &&
        db_query(service->reader, SQL_COUNT, &args, on_count, service) < 0) {
        log_debug("quarantine_not_counted", "reason=reader");
    }
    db_args_done(&args);
}

/* --- reading --- */

static const char SQL_LIST[] =
    "select id, producer, shard, seq, key, type, sqlstate, error, at from quarantine "
    "where settled_at is null order by id limit $1";
static const char SQL_SHOW[] =
    "select id, producer, shard, seq, key, type, sqlstate, error, at, body from quarantine "
    "where id = $1";

static void fill_entry(const struct db_rows *rows, size_t row, Moment__V1__QuarantineEntry *entry)
{
    moment__v1__quarantine_entry__init(entry);
    entry->id = db_get_i64(rows, row, 0);
    entry->producer = borrow(db_get_text(rows, row, 1));
    entry->shard = (uint32_t)db_get_i64(rows, row, 2);
    entry->seq = (uint64_t)db_get_i64(rows, row, 3);
    entry->key = borrow(db_get_text(rows, row, 4));
    entry->type = borrow(db_get_text(rows, row, 5));
    entry->sqlstate = borrow(db_get_text(rows, row, 6));
    entry->error = borrow(db_get_text(rows, row, 7));
    entry->quarantined_at = db_get_time(rows, row, 8);
}

static void fail_by_database(struct call *call, const struct db_error *error)
{
    call_refuse(call, 503, "database", NULL, "the database cannot be read now: %.300s",
                error ? error->message : "not connected");
}

static void fail_by_id(struct call *call)
{
    call_refuse(call, 404, "not-found", "id", "no such record is in quarantine");
}

static void on_list_rows(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error)
{
    struct call *call = arg;
    Moment__V1__ListQuarantineResponse response;

    if (status < 0) {
        fail_by_database(call, error);
        return;
    }
    size_t count = db_count(rows);
    Moment__V1__QuarantineEntry *entries = calloc(count + 1, sizeof(*entries));
    Moment__V1__QuarantineEntry **list = calloc(count + 1, sizeof(*list));
    if (entries && list) {
        for (size_t i = 0; i < count; i++) {
            fill_entry(rows, i, &entries[i]);
            list[i] = &entries[i];
        }
        moment__v1__list_quarantine_response__init(&response);
        response.entries = list;
        response.n_entries = count;
        call_reply(call, &response.base);
    } else {
        fail_by_database(call, NULL);
    }
    free(entries);
    free(list);
}

void quarantine_list(void *state, struct call *call)
{
    const struct service *service = state;
    struct db_args args;

    db_args_init(&args);
    db_i64(&args, QUARANTINE_LIST_MAX);
    if (db_query(service->reader, SQL_LIST, &args, on_list_rows, call) < 0) {
        fail_by_database(call, NULL);
    }
}

static void on_show_rows(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error)
{
    struct call *call = arg;
    Moment__V1__ShowQuarantineResponse response;
    Moment__V1__QuarantineEntry entry;

    if (status < 0) {
        fail_by_database(call, error);
    } else if (db_count(rows) == 0) {
        fail_by_id(call);
    } else {
        fill_entry(rows, 0, &entry);
        struct slice body = db_get_bytes(rows, 0, 9);
        entry.body.data = (uint8_t *)(uintptr_t)body.at;
        entry.body.len = body.len;
        moment__v1__show_quarantine_response__init(&response);
        response.entry = &entry;
        call_reply(call, &response.base);
    }
}

void quarantine_show(void *state, struct call *call)
{
    const struct service *service = state;
    const Moment__V1__ShowQuarantineRequest *request =
        (const Moment__V1__ShowQuarantineRequest *)(const void *)call_request(call);
    struct db_args args;

    db_args_init(&args);
    db_i64(&args, request->id);
    if (db_query(service->reader, SQL_SHOW, &args, on_show_rows, call) < 0) {
        fail_by_database(call, NULL);
    }
}

/* --- settling --- */

static const char SQL_RECORD[] =
    "select producer, shard, epoch, seq, site, key, type, record_at, body from quarantine "
    "where id = $1 and settled_at is null";
static const char SQL_SETTLE[] =
    "update quarantine set settled_at = clock_timestamp(), settled_as = $2, settled_why = $3 "
    "where id = $1 and settled_at is null";
static const char SQL_IS_OPEN[] = "select 1 from quarantine where id = $1 and settled_at is null";

struct settle {
    struct command command; /* must be first */
    struct service *service;
    int64_t id;
    bool is_redrive;
    bool is_open; /* still unsettled, of this attempt */
    char why[512];
    struct record record; /* of a redrive; texts are owned */
    char *producer;
};

static void on_is_open(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error unused_arg)
{
    struct settle *settle = arg;

    settle->is_open = status == 0 && db_count(rows) > 0;
}

static void settle_load(struct command *command, struct txn *txn)
{
    struct settle *settle = container_of(command, struct settle, command);
    const struct service_spec *spec = settle->service->spec;
    struct db_args args;

    settle->is_open = false;
    db_args_init(&args);
    db_i64(&args, settle->id);
    txn_read(txn, SQL_IS_OPEN, &args, on_is_open, settle);
    if (settle->is_redrive && spec->load) {
        spec->load(settle->service->state, txn, &settle->record);
    }
}

static ProtobufCMessage *settle_response(bool is_redrive)
{
    const ProtobufCMessageDescriptor *descriptor =
        is_redrive ? &moment__v1__redrive_quarantine_response__descriptor
                   : &moment__v1__drop_quarantine_response__descriptor;
    ProtobufCMessage *response = calloc(1, descriptor->sizeof_message);

    if (response) {
        protobuf_c_message_init(descriptor, response);
    }
    return response;
}

static int settle_apply(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    struct settle *settle = container_of(command, struct settle, command);
    struct service *service = settle->service;
    struct db_args args;

    if (!settle->is_open) {
        problem_set(problem, 404, "not-found", "id", "no such record is in quarantine");
        return -ENOENT;
    }
    ProtobufCMessage *response = settle_response(settle->is_redrive);
    if (!response) {
        return -ENOMEM;
    }
    int rc = settle->is_redrive
                 ? service->spec->apply(service->state, txn, settle->producer, &settle->record)
                 : 0;
    if (rc < 0) {
        free(response);
        problem_set(problem, 422, "still-fails", "id", "the record still cannot be applied: %s",
                    strerror(-rc));
        return rc;
    }
    db_args_init(&args);
    db_i64(&args, settle->id);
    db_text(&args, settle->is_redrive ? "redriven" : "dropped");
    db_text(&args, settle->why);
    txn_write(txn, SQL_SETTLE, &args);
    *ret_response = response;
    return 0;
}

static void settle_finish(struct command *command)
{
    struct settle *settle = container_of(command, struct settle, command);

    quarantine_count(settle->service);
    free((void *)(uintptr_t)settle->record.site);
    free((void *)(uintptr_t)settle->record.key);
    free((void *)(uintptr_t)settle->record.type);
    free((void *)(uintptr_t)settle->record.body.at);
    free(settle->producer);
}

static struct settle *make_settle(struct service *service, struct call *call, int64_t id)
{
    struct settle *settle = command_new(sizeof(*settle), call, service, settle_load, settle_apply);

    settle->command.finish = settle_finish;
    settle->service = service;
    settle->id = id;
    return settle;
}

static bool copy_stored(struct settle *settle, const struct db_rows *rows)
{
    struct slice body = db_get_bytes(rows, 0, 8);
    char *copy = malloc(body.len + 1);

    settle->producer = strdup(db_get_text(rows, 0, 0));
    settle->record = (struct record){
        .shard = (uint16_t)db_get_i64(rows, 0, 1),
        .epoch = (uint32_t)db_get_i64(rows, 0, 2),
        .seq = (uint64_t)db_get_i64(rows, 0, 3),
        .site = strdup(db_get_text(rows, 0, 4)),
        .key = strdup(db_get_text(rows, 0, 5)),
        .type = strdup(db_get_text(rows, 0, 6)),
        .at_us = db_get_time(rows, 0, 7),
        .body = {copy, body.len},
    };
    if (copy && body.len) {
        memcpy(copy, body.at, body.len);
    }
    return copy && settle->producer && settle->record.site && settle->record.key &&
           settle->record.type;
}

static void on_stored_record(void *arg, int status, const struct db_rows *rows,
                             const struct db_error *error)
{
    struct settle *settle = arg;
    struct call *call = settle->command.call;

    if (status == 0 && db_count(rows) > 0 && copy_stored(settle, rows)) {
        command_start(settle->service->bus, &settle->command);
        return;
    }
    if (status == 0 && db_count(rows) == 0) {
        fail_by_id(call);
    } else {
        fail_by_database(call, error);
    }
    settle_finish(&settle->command);
    free(settle);
}

/* The record is read first, so that the service's own load can ask for what it needs. */
void quarantine_redrive(void *state, struct call *call)
{
    struct service *service = state;
    const Moment__V1__RedriveQuarantineRequest *request =
        (const Moment__V1__RedriveQuarantineRequest *)(const void *)call_request(call);
    struct settle *settle = service->spec->apply ? make_settle(service, call, request->id) : NULL;
    struct db_args args;

    if (!settle) {
        fail_by_id(call);
        return;
    }
    settle->is_redrive = true;
    db_args_init(&args);
    db_i64(&args, settle->id);
    if (db_query(service->reader, SQL_RECORD, &args, on_stored_record, settle) < 0) {
        fail_by_database(call, NULL);
        free(settle);
    }
}

void quarantine_drop(void *state, struct call *call)
{
    const Moment__V1__DropQuarantineRequest *request =
        (const Moment__V1__DropQuarantineRequest *)(const void *)call_request(call);
    struct service *service = state;
    struct problem problem;

    if (!request->reason[0]) {
        problem_set(&problem, 400, "invalid-field", "reason",
                    "say why the record may be dropped; it is kept with the record");
        call_fail(call, &problem);
        return;
    }
    struct settle *settle = make_settle(service, call, request->id);
    text_copy(settle->why, sizeof(settle->why), request->reason);
    command_start(service->bus, &settle->command);
}
