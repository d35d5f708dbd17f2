/* runtime_calls - what every service answers to an operator: Status, SetLogLevel, Drain, and the
 * quarantine. */
#include "base/clock.h"
#include "base/log.h"
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

/* --- Status --- */

static void fill_cursor(const struct service *service, size_t i, Moment__V1__CursorStatus *status)
{
    const struct consumer *consumer = service->consumers[i];
    struct position position = consumer_position(consumer);
    uint64_t head = consumer_head(consumer);

    moment__v1__cursor_status__init(status);
    status->producer = borrow(consumer_producer(consumer));
    status->epoch = position.epoch;
    status->seq = position.seq;
    status->head = head == UINT64_MAX ? 0 : head;
    status->state = borrow(consumer_state(consumer));
}

static void on_status(void *state, struct call *call)
{
    const struct service *service = state;
    Moment__V1__StatusResponse response;
    Moment__V1__CursorStatus cursors[CONSUMERS_MAX];
    Moment__V1__CursorStatus *list[CONSUMERS_MAX];
    struct position head = stream_head(service->stream);

    for (size_t i = 0; i < service->consumer_count; i++) {
        fill_cursor(service, i, &cursors[i]);
        list[i] = &cursors[i];
    }
    moment__v1__status_response__init(&response);
    response.service = borrow(service->spec->name);
    response.version = borrow(SERVICE_VERSION);
    response.state = borrow(service_phase(service));
    response.epoch = head.epoch;
    response.head = head.seq;
    response.tail = stream_tail(service->stream);
    response.cursors = list;
    response.n_cursors = service->consumer_count;
    response.quarantined = service->quarantined;
    response.uptime_s = (uint64_t)((clock_mono_us() - service->started_us) / US_PER_S);
    response.durability = borrow(service->is_replicated ? "replicated" : "local");
    call_reply(call, &response.base);
}

/* --- SetLogLevel, Drain --- */

static void on_set_log_level(void *state, struct call *call)
{
    struct service *service = state;
    const Moment__V1__SetLogLevelRequest *request =
        (const Moment__V1__SetLogLevelRequest *)(const void *)call_request(call);
    Moment__V1__SetLogLevelResponse response;
    struct problem problem;
    enum log_level level;

    if (log_level_parse(request->level, &level) < 0) {
        problem_set(&problem, 400, "invalid-field", "level",
                    "the level is debug, info, warn or error");
        call_fail(call, &problem);
        return;
    }
    moment__v1__set_log_level_response__init(&response);
    response.previous = borrow(log_level_name(log_level()));
    log_set_level(level);
    timer_stop(service->revert);
    if (request->revert_s) {
        timer_start(service->revert, (uint64_t)request->revert_s * 1000, 0);
    }
    call_reply(call, &response.base);
}

static void on_drain(void *state, struct call *call)
{
    Moment__V1__DrainResponse response;

    moment__v1__drain_response__init(&response);
    call_reply(call, &response.base);
    service_drain(state);
}

/* --- quarantine: reading --- */

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
    struct problem problem;

    problem_set(&problem, 503, "database", NULL, "the database cannot be read now: %.300s",
                error ? error->message : "not connected");
    call_fail(call, &problem);
}

static void fail_by_id(struct call *call)
{
    struct problem problem;

    problem_set(&problem, 404, "not-found", "id", "no such record is in quarantine");
    call_fail(call, &problem);
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

static void on_list(void *state, struct call *call)
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

static void on_show(void *state, struct call *call)
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

/* --- quarantine: settling. A settled row stays; only its settled_* columns are filled. --- */

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

    service_count_quarantine(settle->service);
    free((void *)(uintptr_t)settle->record.site);
    free((void *)(uintptr_t)settle->record.key);
    free((void *)(uintptr_t)settle->record.type);
    free((void *)(uintptr_t)settle->record.body.at);
    free(settle->producer);
}

static struct settle *make_settle(struct service *service, struct call *call, int64_t id)
{
    struct settle *settle = calloc(1, sizeof(*settle));

    if (settle) {
        settle->command.call = call;
        settle->command.load = settle_load;
        settle->command.apply = settle_apply;
        settle->command.finish = settle_finish;
        settle->service = service;
        settle->id = id;
    }
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
static void on_redrive(void *state, struct call *call)
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

static void on_drop(void *state, struct call *call)
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
    if (!settle) {
        fail_by_database(call, NULL);
        return;
    }
    text_copy(settle->why, sizeof(settle->why), request->reason);
    command_start(service->bus, &settle->command);
}

#define RUNTIME_CALL(method_name, open_to, stem, function)                                         \
    {                                                                                              \
        .method = "runtime." method_name, .roles = (open_to),                                      \
        .request = &moment__v1__##stem##_request__descriptor,                                      \
        .response = &moment__v1__##stem##_response__descriptor, .handler = (function)              \
    }

const struct call_route runtime_calls[] = {
    RUNTIME_CALL("Status", ROLE_OPERATOR | ROLE_SERVICE | ROLE_LEADER, status, on_status),
    RUNTIME_CALL("SetLogLevel", ROLE_OPERATOR, set_log_level, on_set_log_level),
    RUNTIME_CALL("Drain", ROLE_OPERATOR, drain, on_drain),
    RUNTIME_CALL("ListQuarantine", ROLE_OPERATOR, list_quarantine, on_list),
    RUNTIME_CALL("ShowQuarantine", ROLE_OPERATOR, show_quarantine, on_show),
    RUNTIME_CALL("RedriveQuarantine", ROLE_OPERATOR, redrive_quarantine, on_redrive),
    RUNTIME_CALL("DropQuarantine", ROLE_OPERATOR, drop_quarantine, on_drop),
};
const size_t runtime_call_count = countof(runtime_calls);
