#include "io/db_parts.h"

#include "base/clock.h"
#include "base/retry.h"
#include "base/seal.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define CONNECT_TIMEOUT_MS 10000
#define STATEMENTS_MAX 1024 /* prepared per connection; more are sent unprepared */
#define STATEMENT_BUCKETS 256

struct metric db_connects_total = {
    .name = "moment_db_connects_total",
    .kind = METRIC_COUNTER,
    .help = "Connections to PostgreSQL that became ready; more than one per pool: reconnects.",
};
struct metric db_losses_total = {
    .name = "moment_db_losses_total",
    .kind = METRIC_COUNTER,
    .help = "Connections to PostgreSQL that were lost or dropped after they had been ready.",
};

/* --- the connection --------------------------------------------------------------------------- */

/* A text with its argument types. The server knows it under the name m<id>. A Parse that runs in a
 * sync which fails may never have happened, so a name counts only after its result came back. */
struct statement {
    struct statement *next; /* same bucket */
    uint64_t hash;
    char *sql;
    Oid types[DB_ARGS_MAX];
    int type_count;
    uint64_t id;
    uint64_t sync; /* in which the Parse was sent */
    enum { STATEMENT_NEW, STATEMENT_SENT, STATEMENT_READY } state;
};

/* One command in the pipeline, in the order in which its result will come. */
struct op {
    struct op *next;
    enum { OP_PREPARE, OP_EXECUTE, OP_SYNC } kind;
    bool is_query; /* OP_EXECUTE of db_query: its result waits for the sync */
    bool got_result;
    uint32_t nulls;              /* OP_SYNC: ends of results met while waiting for it */
    struct statement *statement; /* OP_PREPARE */
    uint64_t statement_id;
    db_result_fn *on_result;
    void *arg;
    PGresult *kept; /* the result of a query until its sync has come */
};

/* A socket generation: libpq may change its socket at any step of connecting, even to one with the
 * same number, and libuv wants a fresh handle for each. */
struct watch {
    uv_poll_t poll;
    struct db *db; /* null once the db has let go */
    int events;    /* asked of libuv now */
};

enum db_state { DB_WAITING, DB_CONNECTING, DB_UP, DB_LOST };

struct db {
    struct loop *loop; /* borrowed */
    char *dsn;
    void (*on_state)(void *arg, bool is_up);
    void *arg;

    enum db_state state;
    bool was_up; /* the owner was told */
    int64_t up_since_us;
    PGconn *conn;
    struct watch *watch;
    struct timer *timer; /* back-off, connect timeout, or the way out of a lost connection */
    struct retry retry;
    bool got_notice;

    struct statement *statements[STATEMENT_BUCKETS];
    size_t statement_count;
    uint64_t last_statement_id;
    uint64_t sync; /* number of the sync being filled */

    struct op *first;
    struct op *last;
    size_t in_flight; /* OP_EXECUTE in the list */
    struct op *query; /* out of the list: has its result, waits for its sync */
    bool in_txn;
    bool is_txn_broken;
    bool is_closing;

    int sync_status; /* of the sync whose results are coming */
    struct db_error sync_error;
    char trouble[256]; /* why the last connection failed or ended */
};

static void connect_now(struct db *db);
static void on_socket(uv_poll_t *poll, int status, int events);

static void on_watch_closed(uv_handle_t *handle)
{
    free(container_of((uv_poll_t *)(void *)handle, struct watch, poll));
}

static void unwatch(struct db *db)
{
    if (!db->watch)
        return;
    db->watch->db = NULL;
    uv_close((uv_handle_t *)&db->watch->poll, on_watch_closed);
    db->watch = NULL;
}

static int watch_socket(struct db *db, int events)
{
    if (!db->watch) {
        struct watch *watch = calloc(1, sizeof *watch);
        if (!watch)
            return -ENOMEM;
        int status = uv_poll_init(loop_uv(db->loop), &watch->poll, PQsocket(db->conn));
        if (status < 0) {
            free(watch);
            return status;
        }
        watch->db = db;
        watch->poll.data = watch;
        db->watch = watch;
    }
    if (db->watch->events == events)
        return 0;
    db->watch->events = events;
    return uv_poll_start(&db->watch->poll, events, on_socket);
}

static void forget_statements(struct db *db)
{
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++) {
        for (struct statement *s = db->statements[i], *next; s; s = next) {
            next = s->next;
            free(s->sql);
            free(s);
        }
        db->statements[i] = NULL;
    }
    db->statement_count = 0;
}

/* From here on nothing works; what was in flight fails in the next turn of the loop, so that no
 * callback runs inside a call of the owner. */
/* libpq ends its messages with a newline and breaks them into lines. */
static void remember_trouble(struct db *db)
{
    const char *message = db->conn ? PQerrorMessage(db->conn) : "out of memory";
    if (!message[0])
        message = "timeout";
    text_copy(db->trouble, sizeof db->trouble, message);
    for (char *at = db->trouble; *at; at++)
        if (*at == '\n')
            *at = at[1] ? ' ' : 0;
}

const char *db_trouble(const struct db *db)
{
    return db->trouble;
}

static void mark_lost(struct db *db)
{
    if (db->state == DB_LOST)
        return;
    db->state = DB_LOST;
    remember_trouble(db);
    unwatch(db);
    PQfinish(db->conn);
    db->conn = NULL;
    timer_start(db->timer, 0, 0);
}

static void report(db_result_fn *on_result, void *arg, int status, const PGresult *result,
                   const struct db_error *error)
{
    if (on_result)
        on_result(arg, status, status == 0 ? (const struct db_rows *)result : NULL,
                  status == 0 ? NULL : error);
}

static struct op *pop(struct db *db)
{
    struct op *op = db->first;
    db->first = op->next;
    if (!db->first)
        db->last = NULL;
    if (op->kind == OP_EXECUTE)
        db->in_flight--;
    return op;
}

static void fail_all(struct db *db)
{
    static const struct db_error lost = {"08006", "connection lost"};
    while (db->query || db->first) {
        struct op *op = db->query ? db->query : pop(db);
        db->query = NULL;
        if (op->kind != OP_PREPARE && (!op->got_result || op->is_query || op->kind == OP_SYNC))
            report(op->on_result, op->arg, -ECONNRESET, NULL, &lost);
        PQclear(op->kept);
        free(op);
    }
}

static void tell_state(struct db *db, bool is_up)
{
    if (db->was_up == is_up)
        return;
    db->was_up = is_up;
    /* A connection that lasted was no failed try, even if nobody asked anything over it. */
    if (!is_up && clock_mono_us() - db->up_since_us > (int64_t)db->retry.max_ms * US_PER_MS)
        retry_reset(&db->retry);
    db->up_since_us = clock_mono_us();
    metric_add(is_up ? &db_connects_total : &db_losses_total, NULL, 1);
    db->on_state(db->arg, is_up);
}

static void wait_to_connect(struct db *db)
{
    uint32_t random;
    seal_random(&random, sizeof random);
    db->state = DB_WAITING;
    timer_start(db->timer, retry_next_ms(&db->retry, random), 0);
}

static void free_db(struct db *db)
{
    timer_free(&db->timer);
    free(db->dsn);
    free(db);
}

static void settle_lost(struct db *db)
{
    forget_statements(db);
    db->in_txn = false;
    db->is_txn_broken = false;
    db->sync_status = 0;
    fail_all(db);
    if (!db->is_closing)
        tell_state(db, false);
    if (!db->is_closing)
        wait_to_connect(db);
}

static void on_timer(void *arg)
{
    struct db *db = arg;
    switch (db->state) {
    case DB_WAITING:
        connect_now(db);
        break;
    case DB_CONNECTING: /* the connect timeout */
        mark_lost(db);
        break;
    case DB_LOST:
        if (db->is_closing)
            free_db(db);
        else
            settle_lost(db);
        break;
    case DB_UP:
        break;
    }
}

static void on_notice(void *arg, const PGresult *result)
{
    (void)result;
    struct db *db = arg;
    db->got_notice = true;
}

static void finish_connecting(struct db *db)
{
    timer_stop(db->timer);
    if (PQsetnonblocking(db->conn, 1) != 0 || PQenterPipelineMode(db->conn) != 1 ||
        watch_socket(db, UV_READABLE) < 0) {
        mark_lost(db);
        return;
    }
    db->state = DB_UP;
    db->got_notice = false;
    tell_state(db, true);
}

static void step_connecting(struct db *db)
{
    PostgresPollingStatusType step = PQconnectPoll(db->conn);
    unwatch(db);
    switch (step) {
    case PGRES_POLLING_OK:
        finish_connecting(db);
        return;
    case PGRES_POLLING_READING:
        if (watch_socket(db, UV_READABLE) < 0)
            mark_lost(db);
        return;
    case PGRES_POLLING_WRITING:
        if (watch_socket(db, UV_WRITABLE) < 0)
            mark_lost(db);
        return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        mark_lost(db);
        return;
    }
}

static void connect_now(struct db *db)
{
    /* Rows before dbname are defaults which the DSN may override. */
    static const char *const names[] = {
        "fallback_application_name",
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "options",
        "client_encoding",
        "dbname",
        NULL,
    };
    const char *const values[] = {
        "moment",
        "1",
        "5",
        "2",
        "3",
        "10000",
        "-c client_connection_check_interval=5s -c client_min_messages=warning",
        "UTF8",
        db->dsn,
        NULL,
    };
    db->state = DB_CONNECTING;
    db->conn = PQconnectStartParams(names, values, 1);
    if (!db->conn || PQstatus(db->conn) == CONNECTION_BAD || watch_socket(db, UV_WRITABLE) < 0) {
        mark_lost(db);
        return;
    }
    PQsetNoticeReceiver(db->conn, on_notice, db);
    timer_start(db->timer, CONNECT_TIMEOUT_MS, 0);
}

/* --- sending ---------------------------------------------------------------------------------- */

static uint64_t hash_of(const char *sql, const struct wire_args *wire)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = sql; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    for (int i = 0; i < wire->count; i++)
        hash = (hash ^ wire->types[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* The statement for this text and these types, new if it is not known; null when there is no room,
 * and the text must then be sent whole. */
static struct statement *find_statement(struct db *db, const char *sql,
                                        const struct wire_args *wire)
{
    uint64_t hash = hash_of(sql, wire);
    size_t types_size = (size_t)wire->count * sizeof wire->types[0];
    struct statement **bucket = &db->statements[hash % STATEMENT_BUCKETS];
    for (struct statement *s = *bucket; s; s = s->next)
        if (s->hash == hash && s->type_count == wire->count &&
            memcmp(s->types, wire->types, types_size) == 0 && strcmp(s->sql, sql) == 0)
            return s;
    if (db->statement_count == STATEMENTS_MAX)
        return NULL;
    struct statement *s = calloc(1, sizeof *s);
    if (s)
        s->sql = strdup(sql);
    if (!s || !s->sql) {
        free(s);
        return NULL;
    }
    s->hash = hash;
    s->type_count = wire->count;
    memcpy(s->types, wire->types, types_size);
    s->next = *bucket;
    *bucket = s;
    db->statement_count++;
    return s;
}

static void statement_name(uint64_t id, char name[24])
{
    size_t at = 0;
    name[at++] = 'm';
    for (; id; id >>= 4)
        name[at++] = "0123456789abcdef"[id & 15];
    name[at] = 0;
}

static void enqueue(struct db *db, struct op *op)
{
    if (db->last)
        db->last->next = op;
    else
        db->first = op;
    db->last = op;
    if (op->kind == OP_EXECUTE)
        db->in_flight++;
}

static int send_prepare(struct db *db, struct statement *statement)
{
    struct op *op = calloc(1, sizeof *op);
    if (!op)
        return -ENOMEM;
    char name[24];
    statement_name(++db->last_statement_id, name);
    if (!PQsendPrepare(db->conn, name, statement->sql, statement->type_count, statement->types)) {
        free(op);
        return -ENOTCONN;
    }
    statement->id = db->last_statement_id;
    statement->sync = db->sync;
    statement->state = STATEMENT_SENT;
    op->kind = OP_PREPARE;
    op->statement = statement;
    op->statement_id = statement->id;
    enqueue(db, op);
    return 0;
}

static int send_execute(struct db *db, const char *sql, const struct wire_args *wire)
{
    struct statement *statement = find_statement(db, sql, wire);
    if (!statement)
        return PQsendQueryParams(db->conn, sql, wire->count, wire->types, wire->values,
                                 wire->lengths, wire->formats, 1)
                   ? 0
                   : -ENOTCONN;
    bool is_usable = statement->state == STATEMENT_READY ||
                     (statement->state == STATEMENT_SENT && statement->sync == db->sync);
    if (!is_usable) {
        int status = send_prepare(db, statement);
        if (status < 0)
            return status;
    }
    char name[24];
    statement_name(statement->id, name);
    return PQsendQueryPrepared(db->conn, name, wire->count, wire->values, wire->lengths,
                               wire->formats, 1)
               ? 0
               : -ENOTCONN;
}

static int send_statement(struct db *db, const char *sql, struct db_args *args, struct op *op)
{
    struct wire_args wire;
    db_args_to_wire(args, &wire);
    int status = send_execute(db, sql, &wire);
    if (status < 0)
        return status;
    op->kind = OP_EXECUTE;
    enqueue(db, op);
    return 0;
}

static void flush(struct db *db)
{
    int status = PQflush(db->conn);
    if (status < 0 || watch_socket(db, status == 1 ? UV_READABLE | UV_WRITABLE : UV_READABLE) < 0)
        mark_lost(db);
}

static int send_sync(struct db *db, db_result_fn *on_done, void *arg)
{
    struct op *op = calloc(1, sizeof *op);
    if (!op)
        return -ENOMEM;
    if (!PQpipelineSync(db->conn)) {
        free(op);
        return -ENOTCONN;
    }
    op->kind = OP_SYNC;
    op->on_result = on_done;
    op->arg = arg;
    enqueue(db, op);
    db->sync++;
    flush(db);
    return 0;
}

/* Sends one statement; consumes args. On failure on_result will not be called. */
static int add_statement(struct db *db, const char *sql, struct db_args *args, bool is_query,
                         db_result_fn *on_result, void *arg)
{
    struct db_args none;
    db_args_init(&none);
    struct op *op = args && args->failed ? NULL : calloc(1, sizeof *op);
    int status = -ENOMEM;
    if (op) {
        op->is_query = is_query;
        op->on_result = on_result;
        op->arg = arg;
        status = send_statement(db, sql, args ? args : &none, op);
        if (status < 0)
            free(op);
    }
    if (args)
        db_args_done(args);
    return status;
}

int db_query(struct db *db, const char *sql, struct db_args *args, db_result_fn *on_result,
             void *arg)
{
    assert(!db->in_txn);
    if (db->state != DB_UP) {
        if (args)
            db_args_done(args);
        return -ENOTCONN;
    }
    int status = add_statement(db, sql, args, true, on_result, arg);
    if (status < 0) {
        if (status == -ENOTCONN)
            mark_lost(db);
        return status;
    }
    struct op *query = db->last;
    status = send_sync(db, NULL, NULL);
    if (status < 0) {
        query->on_result = NULL; /* the caller hears it from us now */
        mark_lost(db);
    }
    return status;
}

/* Everything between two syncs is one transaction in PostgreSQL, and the sync commits it: neither
 * BEGIN nor COMMIT is sent, and nothing must be rolled back after an error. */
int db_begin(struct db *db)
{
    assert(!db->in_txn);
    if (db->state != DB_UP)
        return -ENOTCONN;
    db->in_txn = true;
    db->is_txn_broken = false;
    return 0;
}

int db_add(struct db *db, const char *sql, struct db_args *args, db_result_fn *on_result, void *arg)
{
    if (db->state != DB_UP) {
        if (args)
            db_args_done(args);
        return -ENOTCONN;
    }
    assert(db->in_txn);
    int status = add_statement(db, sql, args, false, on_result, arg);
    if (status < 0)
        db->is_txn_broken = true;
    return status;
}

int db_commit(struct db *db, db_result_fn *on_done, void *arg)
{
    if (db->state != DB_UP)
        return -ENOTCONN;
    assert(db->in_txn);
    db->in_txn = false;
    /* A transaction with a statement missing must not commit, and a sync would commit it. */
    int status = db->is_txn_broken ? -ENOMEM : send_sync(db, on_done, arg);
    if (status < 0)
        mark_lost(db);
    return status;
}

/* --- receiving -------------------------------------------------------------------------------- */

static int status_of(const char *sqlstate)
{
    static const char *const transient[] = {"08", "40", "53", "55", "57", "58"};
    if (strcmp(sqlstate, "23505") == 0)
        return -EEXIST;
    for (size_t i = 0; i < countof(transient); i++)
        if (strncmp(sqlstate, transient[i], 2) == 0)
            return -EAGAIN;
    return -EBADMSG;
}

static int read_error(const PGresult *result, struct db_error *error)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    /* An error that libpq made itself has no SQLSTATE: the connection is going. */
    text_copy(error->sqlstate, sizeof error->sqlstate, sqlstate ? sqlstate : "08006");
    text_copy(error->message, sizeof error->message,
              message ? message : PQresultErrorMessage(result));
    size_t len = strlen(error->message);
    if (detail && len + 4 < sizeof error->message) {
        memcpy(error->message + len, ": ", 3);
        text_copy(error->message + len + 2, sizeof error->message - len - 2, detail);
    }
    return status_of(error->sqlstate);
}

static int read_status(struct db *db, const PGresult *result, struct db_error *error)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        return 0;
    case PGRES_PIPELINE_ABORTED:
        *error = db->sync_error;
        return -ECANCELED;
    default:
        return read_error(result, error);
    }
}

static void remember_failure(struct db *db, int status, const struct db_error *error)
{
    if (status == 0 || db->sync_status != 0)
        return;
    db->sync_status = status;
    db->sync_error = *error;
}

/* The tables changed under a prepared statement, or somebody discarded it: not the fault of who
 * used it, and cured by preparing again. */
static bool is_stale(const struct db_error *error)
{
    return strcmp(error->sqlstate, "26000") == 0 ||
           (strcmp(error->sqlstate, "0A000") == 0 && strstr(error->message, "cached plan"));
}

static void unprepare_all(struct db *db)
{
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++)
        for (struct statement *s = db->statements[i]; s; s = s->next)
            s->state = STATEMENT_NEW;
}

/* A query's result was kept until its sync: only now is its status final. */
static void settle_query(struct db *db, struct op *query)
{
    struct db_error error = db->sync_error;
    report(query->on_result, query->arg, db->sync_status, query->kept, &error);
    PQclear(query->kept);
    free(query);
}

static void take_sync(struct db *db)
{
    struct op *op = pop(db);
    int status = db->sync_status;
    struct db_error error = db->sync_error;
    db->sync_status = 0;
    retry_reset(&db->retry);
    report(op->on_result, op->arg, status, NULL, &error);
    free(op);
}

/* The first result of a command; the null that ends it comes after. Takes the result. */
static void take_result(struct db *db, struct op *op, PGresult *result)
{
    struct db_error error = {{0}, {0}};
    int status = read_status(db, result, &error);
    if (status == -EBADMSG && is_stale(&error)) {
        unprepare_all(db);
        status = -EAGAIN;
    }
    remember_failure(db, status, &error);
    /* An error of the sync itself, such as a deferred constraint; the sync is still to come. */
    if (op->got_result || op->kind == OP_SYNC) {
        PQclear(result);
        return;
    }
    op->got_result = true;
    if (op->kind == OP_PREPARE) {
        struct statement *statement = op->statement;
        if (statement->id == op->statement_id)
            statement->state = status == 0 ? STATEMENT_READY : STATEMENT_NEW;
        PQclear(result);
    } else if (op->is_query) {
        op->kept = result;
    } else {
        report(op->on_result, op->arg, status, result, &error);
        PQclear(result);
    }
}

/* The null after a command's results. False: libpq and we disagree about the order of results, and
 * nothing that it says can be believed any more. */
static bool take_end(struct db *db, struct op *op)
{
    if (op->kind == OP_SYNC)
        return ++op->nulls < 4;
    if (!op->got_result)
        return false;
    pop(db);
    if (op->is_query)
        db->query = op;
    else
        free(op);
    return true;
}

static bool take_sync_result(struct db *db, struct op *op)
{
    if (op->kind != OP_SYNC)
        return false;
    if (db->query) {
        struct op *query = db->query;
        db->query = NULL;
        settle_query(db, query);
    }
    if (db->state == DB_UP)
        take_sync(db);
    return true;
}

/* Takes one result from libpq. Callbacks may close or reset the db: the state tells. */
static void take_one(struct db *db)
{
    struct op *op = db->first;
    PGresult *result = PQgetResult(db->conn);
    bool is_in_order = true;
    if (!result) {
        is_in_order = take_end(db, op);
    } else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        is_in_order = take_sync_result(db, op);
    } else {
        take_result(db, op, result);
    }
    if (!is_in_order)
        mark_lost(db);
}

static void receive(struct db *db)
{
    if (!PQconsumeInput(db->conn)) {
        mark_lost(db);
        return;
    }
    /* PQisBusy also parses what came without being asked for: notices, a goodbye. */
    while (db->state == DB_UP && !PQisBusy(db->conn) && db->first)
        take_one(db);
    if (db->state != DB_UP)
        return;
    if (PQstatus(db->conn) == CONNECTION_BAD)
        mark_lost(db);
    else
        flush(db);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct watch *watch = poll->data;
    struct db *db = watch->db;
    if (!db)
        return;
    /* On an error libuv has stopped watching; libpq knows what really happened. */
    if (status < 0)
        watch->events = 0;
    if (db->state == DB_CONNECTING)
        step_connecting(db);
    else if (db->state == DB_UP)
        receive(db);
}

/* --- life ------------------------------------------------------------------------------------- */

int db_open(struct loop *loop, const char *dsn, void (*on_state)(void *arg, bool is_up), void *arg,
            struct db **ret_db)
{
    assert(on_state);
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return -ENOMEM;
    db->loop = loop;
    db->on_state = on_state;
    db->arg = arg;
    db->retry = (struct retry){.base_ms = 100, .max_ms = 5000};
    db->dsn = strdup(dsn);
    if (!db->dsn || timer_new(loop, on_timer, db, &db->timer) < 0) {
        free(db->dsn);
        free(db);
        return -ENOMEM;
    }
    db->state = DB_WAITING;
    timer_start(db->timer, 0, 0);
    *ret_db = db;
    return 0;
}

void db_close(struct db **ret_db)
{
    struct db *db = *ret_db;
    *ret_db = NULL;
    if (!db)
        return;
    assert(!db->is_closing);
    db->is_closing = true;
    mark_lost(db);
    forget_statements(db);
    fail_all(db);
    /* A callback of this db may be running below us: the timer frees it in the next turn. */
    timer_start(db->timer, 0, 0);
}

bool db_is_up(const struct db *db)
{
    return db->state == DB_UP;
}

size_t db_in_flight(const struct db *db)
{
    return db->in_flight + (db->query != NULL);
}

void db_reset(struct db *db)
{
    if (db->state == DB_UP || db->state == DB_CONNECTING)
        mark_lost(db);
}

bool db_take_notice(struct db *db)
{
    bool got_notice = db->got_notice;
    db->got_notice = false;
    return got_notice;
}
