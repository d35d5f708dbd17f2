/* The server of pg.h, and db.h as its client: a connection that breaks anywhere. */
#include "pg.h"

#include "base/retry.h"
#include "base/seal.h"
#include "io/db_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    bool is_null;
    int64_t number;
    const void *bytes; /* with a NUL behind */
    size_t len;
};

struct db_rows {
    size_t count;
    size_t columns;
    size_t capacity;
    struct cell *cells;
};

struct op {
    struct op *next;
    const char *sql;
    size_t arg_count;
    struct cell args[DB_ARGS_MAX];
    db_result_fn *on_result;
    void *arg;
    int status;
    struct db_rows rows;
    struct db_error error;
};

/* Everything between two syncs. */
struct batch {
    struct batch *next;      /* at the server */
    struct batch *sent_next; /* at the client */
    struct session *session;
    struct op *first;
    struct op **last_at;
    bool is_query;
    db_result_fn *on_done;
    void *arg;
    int status;
    struct db_error error;
    bool is_warned;
    bool is_done;  /* at the server */
    size_t log_to; /* the log's end after it */
    bool has_written;
};

/* A connection as the server sees it; it may outlive the client's end. */
struct session {
    struct session *next;
    struct pg *pg;
    struct node *node;
    uint32_t life;
    struct db *client;
    struct batch *first; /* arrived and not done */
    struct batch **last_at;
    bool is_gone; /* the client went away; it does not know yet */
    bool is_over;
    bool is_waiting;    /* for the lock */
    int64_t last_us[2]; /* what is sent keeps its order: to the server, to the client */
};

/* A time for the next message of a connection. */
static int64_t in_order(struct session *session, bool to_client, int64_t delay_us)
{
    int64_t *last_us = &session->last_us[to_client];
    int64_t at_us = world.now_us + delay_us;
    *last_us = at_us > *last_us ? at_us : *last_us + 1;
    return *last_us - world.now_us;
}

enum db_state { DB_WAITING, DB_CONNECTING, DB_UP, DB_LOST };

struct db {
    struct node *node;
    struct pg *pg;
    char role[64];
    void (*on_state)(void *arg, bool is_up);
    void *arg;
    enum db_state state;
    bool was_up;
    bool is_closing;
    bool got_notice;
    struct timer *timer;
    struct retry retry;
    struct session *session;
    struct batch *open; /* between db_begin and db_commit */
    struct batch *sent; /* in order, not answered */
    struct batch **sent_at;
    size_t in_flight;
};

static void serve(struct session *session);

static void *room(size_t size)
{
    void *at = calloc(1, size ? size : 1);
    assert(at);
    return at;
}

static const void *copy_bytes(const void *bytes, size_t len)
{
    char *copy = room(len + 1);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

/* --- tables and the log ----------------------------------------------------------------------- */

static void put(struct pg *pg, const struct row *row)
{
    struct table_rows *table = &pg->tables[row->table];
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 32;
        table->rows = realloc(table->rows, table->capacity * sizeof *table->rows);
        assert(table->rows);
    }
    table->rows[table->count++] = row;
}

static void take(struct pg *pg, const struct row *row)
{
    struct table_rows *table = &pg->tables[row->table];
    size_t at = table->count;
    while (at > 0 && table->rows[at - 1] != row)
        at--;
    assert(at > 0);
    memmove(&table->rows[at - 1], &table->rows[at], (table->count - at) * sizeof *table->rows);
    table->count--;
}

static void change(struct pg *pg, const struct row *row, bool is_delete)
{
    if (pg->log_count == pg->log_capacity) {
        pg->log_capacity = pg->log_capacity ? pg->log_capacity * 2 : 128;
        pg->log = realloc(pg->log, pg->log_capacity * sizeof *pg->log);
        assert(pg->log);
    }
    pg->log[pg->log_count++] = (struct change){.row = row, .is_delete = is_delete};
    if (is_delete)
        take(pg, row);
    else
        put(pg, row);
}

/* Undoes what the log says after this. */
static void cut_log(struct pg *pg, size_t keep)
{
    while (pg->log_count > keep) {
        const struct change *last = &pg->log[--pg->log_count];
        if (last->is_delete)
            put(pg, last->row);
        else
            take(pg, last->row);
    }
    if (pg->replicated > keep)
        pg->replicated = keep;
}

static void insert(struct pg *pg, const struct row *row)
{
    struct row *copy = room(sizeof *copy);
    *copy = *row;
    change(pg, copy, false);
}

/* --- statements ------------------------------------------------------------------------------- */

static struct cell *add_row(struct op *op, size_t columns)
{
    struct db_rows *rows = &op->rows;
    rows->columns = columns;
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity ? rows->capacity * 2 : 4;
        rows->cells = realloc(rows->cells, rows->capacity * columns * sizeof *rows->cells);
        assert(rows->cells);
    }
    struct cell *row = &rows->cells[rows->count++ * columns];
    memset(row, 0, columns * sizeof *row);
    return row;
}

static struct cell number_cell(int64_t number)
{
    return (struct cell){.number = number};
}

static struct cell text_cell(const char *text)
{
    return (struct cell){.bytes = text, .len = strlen(text)};
}

static struct cell bytes_cell(const void *bytes, size_t len)
{
    return (struct cell){.bytes = bytes, .len = len};
}

static int refuse(struct op *op, const char *sqlstate, const char *message)
{
    text_copy(op->error.sqlstate, sizeof op->error.sqlstate, sqlstate);
    text_copy(op->error.message, sizeof op->error.message, message);
    return strcmp(sqlstate, "23505") == 0       ? -EEXIST
           : strchr("045", sqlstate[0]) != NULL ? -EAGAIN
                                                : -EBADMSG;
}

static int64_t arg_number(const struct op *op, size_t at)
{
    assert(at >= 1 && at <= op->arg_count);
    return op->args[at - 1].number;
}

static const char *arg_text(const struct op *op, size_t at)
{
    assert(at >= 1 && at <= op->arg_count);
    return op->args[at - 1].is_null ? "" : op->args[at - 1].bytes;
}

static int64_t big_endian(const uint8_t *at, size_t len)
{
    uint64_t value = len && (at[0] & 0x80) ? UINT64_MAX : 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

/* One item of an array on the wire; null at its end. */
static bool next_item(const struct cell *array, size_t *at, struct cell *ret_item)
{
    const uint8_t *bytes = array->bytes;
    if (*at == 0)
        *at = 20;
    if (*at >= array->len)
        return false;
    size_t len = (size_t)big_endian(bytes + *at, 4);
    *ret_item = (struct cell){.bytes = copy_bytes(bytes + *at + 4, len), .len = len};
    ret_item->number = len <= 8 ? big_endian(bytes + *at + 4, len) : 0;
    *at += 4 + len;
    return true;
}

static const struct row *find_number(const struct pg *pg, enum table table, size_t column,
                                     int64_t number)
{
    const struct table_rows *rows = &pg->tables[table];
    for (size_t i = rows->count; i > 0; i--)
        if (rows->rows[i - 1]->numbers[column] == number)
            return rows->rows[i - 1];
    return NULL;
}

static int run_append(struct pg *pg, struct op *op)
{
    size_t at[6] = {0};
    struct cell item[6];
    for (int64_t n = 0; next_item(&op->args[3], &at[0], &item[0]); n++) {
        for (size_t i = 1; i < countof(at); i++)
            if (!next_item(&op->args[3 + i], &at[i], &item[i]))
                violated("arrays of a different length in append");
        struct row row = {
            .table = TABLE_STREAM,
            .numbers = {arg_number(op, 2) + n, arg_number(op, 3), item[3].number + PG_EPOCH_US},
            .texts = {item[0].bytes, item[1].bytes, item[2].bytes},
            .body = item[4].bytes,
            .len = item[4].len,
        };
        memcpy(row.hash, item[5].bytes, sizeof row.hash);
        if (find_number(pg, TABLE_STREAM, 0, row.numbers[0]))
            return refuse(op, "23505", "duplicate key in stream");
        insert(pg, &row);
    }
    return 0;
}

static int run_mark(struct pg *pg, struct op *op)
{
    insert(pg,
           &(struct row){.table = TABLE_MARK, .numbers = {arg_number(op, 2), arg_number(op, 3)}});
    return 0;
}

static int run_unmark(struct pg *pg, struct op *op)
{
    struct table_rows *marks = &pg->tables[TABLE_MARK];
    for (size_t i = marks->count; i > 0; i--) {
        const struct row *row = marks->rows[i - 1];
        if (row->numbers[0] < arg_number(op, 2) ||
            (row->numbers[0] == arg_number(op, 2) && row->numbers[1] < arg_number(op, 3)))
            change(pg, row, true);
    }
    return 0;
}

static int run_nothing(struct pg *pg unused_arg, struct op *op unused_arg)
{
    return 0;
}

static int run_places(struct pg *pg unused_arg, struct op *op)
{
    add_row(op, 1)[0] = number_cell(INT64_C(4000000));
    return 0;
}

static int run_epochs(struct pg *pg, struct op *op)
{
    const struct table_rows *epochs = &pg->tables[TABLE_EPOCH];
    for (size_t i = 0; i < epochs->count; i++) {
        struct cell *row = add_row(op, 2);
        row[0] = number_cell(epochs->rows[i]->numbers[0]);
        row[1] = number_cell(epochs->rows[i]->numbers[1]);
    }
    return 0;
}

static int run_epoch(struct pg *pg, struct op *op)
{
    if (find_number(pg, TABLE_EPOCH, 0, arg_number(op, 2)))
        return refuse(op, "23505", "duplicate key in epoch");
    insert(pg,
           &(struct row){.table = TABLE_EPOCH, .numbers = {arg_number(op, 2), arg_number(op, 3)}});
    return 0;
}

static int run_head(struct pg *pg, struct op *op)
{
    const struct table_rows *stream = &pg->tables[TABLE_STREAM];
    if (stream->count > 0) {
        const struct row *last = stream->rows[stream->count - 1];
        struct cell *row = add_row(op, 2);
        row[0] = number_cell(last->numbers[0]);
        row[1] = bytes_cell(last->hash, sizeof last->hash);
    }
    return 0;
}

static int run_tail(struct pg *pg, struct op *op)
{
    if (pg->tables[TABLE_STREAM].count > 0)
        add_row(op, 1)[0] = number_cell(pg->tables[TABLE_STREAM].rows[0]->numbers[0]);
    return 0;
}

static int run_doubt(struct pg *pg, struct op *op)
{
    bool is_there = false;
    if (arg_number(op, 6)) {
        const struct row *row = find_number(pg, TABLE_STREAM, 0, arg_number(op, 2));
        is_there = row && memcmp(row->hash, op->args[2].bytes, sizeof row->hash) == 0;
    } else {
        const struct table_rows *marks = &pg->tables[TABLE_MARK];
        for (size_t i = 0; i < marks->count; i++)
            is_there |= marks->rows[i]->numbers[0] == arg_number(op, 4) &&
                        marks->rows[i]->numbers[1] == arg_number(op, 5);
    }
    add_row(op, 1)[0] = number_cell(is_there);
    return 0;
}

static int run_cold(struct pg *pg, struct op *op)
{
    const struct table_rows *stream = &pg->tables[TABLE_STREAM];
    size_t count = 0;
    for (size_t i = 0; i < stream->count && count < 512; i++) {
        const struct row *from = stream->rows[i];
        if (from->numbers[0] <= arg_number(op, 2) || from->numbers[0] > arg_number(op, 3))
            continue;
        struct cell *row = add_row(op, 8);
        row[0] = number_cell(from->numbers[0]);
        row[1] = number_cell(from->numbers[1]);
        for (size_t t = 0; t < 3; t++)
            row[2 + t] = text_cell(from->texts[t]);
        row[5] = number_cell(from->numbers[2]);
        row[6] = bytes_cell(from->body, from->len);
        row[7] = bytes_cell(from->hash, sizeof from->hash);
        count++;
    }
    return 0;
}

static const struct row *find_seen(const struct pg *pg, const struct op *op)
{
    const struct table_rows *seen = &pg->tables[TABLE_SEEN];
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->rows[i]->texts[0], arg_text(op, 1)) == 0 &&
            strcmp(seen->rows[i]->texts[1], arg_text(op, 2)) == 0)
            return seen->rows[i];
    return NULL;
}

static int run_seen(struct pg *pg, struct op *op)
{
    const struct row *row = find_seen(pg, op);
    if (row)
        add_row(op, 1)[0] = bytes_cell(row->body, row->len);
    return 0;
}

static int run_remember(struct pg *pg, struct op *op)
{
    if (find_seen(pg, op))
        return refuse(op, "23505", "duplicate key in seen");
    insert(pg, &(struct row){.table = TABLE_SEEN,
                             .texts = {arg_text(op, 1), arg_text(op, 2)},
                             .body = op->args[2].bytes,
                             .len = op->args[2].len});
    return 0;
}

/* The toys have one consumer of one producer each. */
static int run_cursor(struct pg *pg, struct op *op)
{
    const struct table_rows *cursors = &pg->tables[TABLE_CURSOR];
    const struct table_rows *attempts = &pg->tables[TABLE_ATTEMPT];
    const struct row *last = NULL;
    for (size_t i = 0; i < cursors->count; i++)
        if (!last || cursors->rows[i]->numbers[0] > last->numbers[0])
            last = cursors->rows[i];
    struct cell *row = add_row(op, 4);
    row[0] = number_cell(last ? last->numbers[1] : 0);
    row[1] = number_cell(last ? last->numbers[2] : 0);
    for (size_t i = 0; i < attempts->count; i++) {
        if (attempts->rows[i]->numbers[0] != row[0].number)
            continue;
        row[2].number++;
        row[3].number |= attempts->rows[i]->numbers[1];
    }
    return 0;
}

static int run_advance(struct pg *pg, struct op *op)
{
    if (find_number(pg, TABLE_CURSOR, 0, arg_number(op, 4)))
        return refuse(op, "23505", "duplicate key in cursor");
    insert(pg, &(struct row){.table = TABLE_CURSOR,
                             .numbers = {arg_number(op, 4), arg_number(op, 5), arg_number(op, 6)},
                             .texts = {arg_text(op, 1), arg_text(op, 2)}});
    return 0;
}

static int run_attempt(struct pg *pg, struct op *op)
{
    insert(pg, &(struct row){.table = TABLE_ATTEMPT,
                             .numbers = {arg_number(op, 4), arg_number(op, 5)}});
    return 0;
}

static int run_quarantine(struct pg *pg, struct op *op)
{
    if (find_number(pg, TABLE_QUARANTINE, 0, arg_number(op, 4)))
        return refuse(op, "23505", "duplicate key in quarantine");
    insert(pg, &(struct row){.table = TABLE_QUARANTINE,
                             .numbers = {arg_number(op, 4), arg_number(op, 5),
                                         arg_number(op, 9) + PG_EPOCH_US, ++pg->last_id},
                             .texts = {arg_text(op, 6), arg_text(op, 7), arg_text(op, 8),
                                       arg_text(op, 11), arg_text(op, 12)},
                             .body = op->args[9].bytes,
                             .len = op->args[9].len});
    return 0;
}

static int run_toy_count(struct pg *pg, struct op *op)
{
    add_row(op, 1)[0] = number_cell((int64_t)pg->tables[TABLE_TOY].count);
    return 0;
}

static int run_toy(struct pg *pg, struct op *op)
{
    const char *text = arg_text(op, 3);
    if (strncmp(text, "bad", 3) == 0)
        return refuse(op, "22P02", "invalid input");
    if (strncmp(text, "dup", 3) == 0 || find_number(pg, TABLE_TOY, 0, arg_number(op, 1)))
        return refuse(op, "23505", "duplicate key in toy");
    insert(pg, &(struct row){.table = TABLE_TOY,
                             .numbers = {arg_number(op, 1), arg_number(op, 2)},
                             .texts = {text}});
    return 0;
}

/* By how the text begins. */
static const struct statement {
    const char *sql;
    int (*run)(struct pg *pg, struct op *op);
} statements[] = {
    {"insert into stream (shard, seq, epoch, site, key, type, at, body, hash) select", run_append},
    {"insert into mark", run_mark},
    {"delete from mark", run_unmark},
    {"set statement_timeout", run_nothing},
    {"select pg_advisory_lock(hashtext(current_schema()), $1)", run_nothing},
    {"select ensure_partitions()", run_places},
    {"select epoch, start_seq from epoch where shard = $1 order by 1", run_epochs},
    {"insert into epoch", run_epoch},
    {"select seq, hash from stream where shard = $1 order by seq desc limit 1", run_head},
    {"select seq from stream where shard = $1 order by seq limit 1", run_tail},
    {"select case when $6", run_doubt},
    {"select seq, epoch, site, key, type, at, body, hash from (", run_cold},
    {"select answer from seen where source = $1 and key = $2", run_seen},
    {"insert into seen", run_remember},
    {"select place.seq, place.epoch, count(attempt.at)", run_cursor},
    {"insert into cursor", run_advance},
    {"insert into attempt", run_attempt},
    {"insert into quarantine", run_quarantine},
    {"select count(*) from toy", run_toy_count},
    {"insert into toy", run_toy},
};

static bool is_lock(const struct op *op)
{
    return strncmp(op->sql, "select pg_advisory_lock", 23) == 0;
}

static int run_statement(struct pg *pg, struct op *op)
{
    if (chance_fault(world.rates.db_serialization))
        return refuse(op, "40001", "could not serialize access");
    for (size_t i = 0; i < countof(statements); i++)
        if (strncmp(op->sql, statements[i].sql, strlen(statements[i].sql)) == 0)
            return statements[i].run(pg, op);
    violated("this statement is unknown here: %s", op->sql);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void on_serve(void *arg, uint64_t number unused_arg)
{
    serve(arg);
}

/* The advisory lock is there for the next one. */
static void unlock(struct pg *pg)
{
    pg->lock = NULL;
    for (struct session *session = pg->sessions; session; session = session->next) {
        if (session->is_waiting && !session->is_over) {
            session->is_waiting = false;
            event_after(chance_us(10, 500), NULL, on_serve, session, 0);
        }
    }
}

static void end_session(struct session *session)
{
    if (session->is_over)
        return;
    session->is_over = true;
    session->first = NULL;
    if (session->pg->lock == session)
        unlock(session->pg);
}

static void on_session_end(void *arg, uint64_t number unused_arg)
{
    end_session(arg);
}

/* What was sent may run still; then the server finds out. */
static void client_left(struct session *session)
{
    session->is_gone = true;
    event_after(chance_below(3) ? chance_us(100, 20000) : chance_us(100, 6 * US_PER_S), NULL,
                on_session_end, session, 0);
}

static void seal_transaction(struct batch *batch, size_t before)
{
    struct pg *pg = batch->session->pg;
    batch->has_written = pg->log_count > before;
    batch->log_to = pg->log_count;
    if (!batch->has_written) {
        /* Only what is replicated can be seen, but for commits that warned. */
        size_t at = pg->replicated;
        while (at < pg->log_count && !pg->log[at].is_warned)
            at++;
        pg->replicated = at;
        return;
    }
    struct change *last = &pg->log[pg->log_count - 1];
    last->is_last = true;
    batch->is_warned = chance_fault(world.rates.db_warning);
    for (size_t i = before; i < pg->log_count; i++)
        pg->log[i].is_warned = batch->is_warned;
    trace("%s: commits %zu changes%s", pg->name, pg->log_count - before,
          batch->is_warned ? ", not replicated" : "");
    if (pg->on_commit)
        pg->on_commit(pg, pg->log + before, pg->log_count - before);
}

/* False: it waits for the lock. */
static bool run_batch(struct batch *batch)
{
    struct session *session = batch->session;
    struct pg *pg = session->pg;
    size_t before = pg->log_count;
    for (struct op *op = batch->first; op; op = op->next)
        if (is_lock(op) && pg->lock && pg->lock != session) {
            session->is_waiting = true;
            return false;
        }
    for (struct op *op = batch->first; op; op = op->next) {
        if (batch->status != 0) {
            op->status = -ECANCELED;
            op->error = batch->error;
            continue;
        }
        op->status = run_statement(pg, op);
        if (is_lock(op) && op->status == 0)
            pg->lock = session;
        batch->status = op->status;
        batch->error = op->error;
    }
    batch->is_done = true;
    if (batch->status == 0) {
        seal_transaction(batch, before);
    } else {
        trace("%s: %s %s", pg->name, batch->error.sqlstate, batch->error.message);
        cut_log(pg, before);
    }
    return true;
}

static void on_answer(void *arg, uint64_t number);

static void serve(struct session *session)
{
    struct batch *batch = session->first;
    if (session->is_over || session->is_waiting || !batch || session->pg->is_down)
        return;
    if (!run_batch(batch))
        return;
    session->first = batch->next;
    if (!session->first)
        session->last_at = &session->first;
    else
        event_after(chance_us(20, 400), NULL, on_serve, session, 0);
    batch->next = NULL;
    event_after(in_order(session, true, chance_us(100, 3000)), NULL, on_answer, batch, 0);
}

static void on_batch_arrival(void *arg, uint64_t number unused_arg)
{
    struct batch *batch = arg;
    struct session *session = batch->session;
    if (session->is_over)
        return;
    bool is_idle = !session->first;
    *session->last_at = batch;
    session->last_at = &batch->next;
    if (is_idle)
        serve(session);
}

/* --- the client: what db.c does, without libpq ------------------------------------------------ */

static void mark_lost(struct db *db)
{
    if (db->state == DB_LOST)
        return;
    if (db->session) {
        db->session->client = NULL;
        client_left(db->session);
        db->session = NULL;
    }
    db->state = DB_LOST;
    timer_start(db->timer, 0, 0);
}

static void report(db_result_fn *on_result, void *arg, int status, const struct db_rows *rows,
                   const struct db_error *error)
{
    if (on_result)
        on_result(arg, status, status == 0 ? rows : NULL, status == 0 ? NULL : error);
}

static void fail_batch(struct batch *batch)
{
    static const struct db_error lost = {"08006", "connection lost"};
    struct op *op;
    while ((op = batch->first)) {
        batch->first = op->next;
        report(op->on_result, op->arg, -ECONNRESET, NULL, &lost);
    }
    report(batch->on_done, batch->arg, -ECONNRESET, NULL, &lost);
}

static void fail_all(struct db *db)
{
    struct batch *open = db->open;
    db->open = NULL;
    while (db->sent) {
        struct batch *batch = db->sent;
        db->sent = batch->sent_next;
        /* The server may hold the very batch: what fails here is a copy. */
        struct batch copy = *batch;
        fail_batch(&copy);
    }
    db->sent_at = &db->sent;
    db->in_flight = 0;
    if (open) {
        open->on_done = NULL;
        fail_batch(open);
    }
}

static void tell_state(struct db *db, bool is_up)
{
    if (db->was_up == is_up)
        return;
    db->was_up = is_up;
    trace("%s: %s", db->role, is_up ? "connected" : "lost");
    db->on_state(db->arg, is_up);
}

static void wait_to_connect(struct db *db)
{
    db->state = DB_WAITING;
    timer_start(db->timer, retry_next_ms(&db->retry, (uint32_t)chance_next()), 0);
}

static void connect_now(struct db *db)
{
    db->state = DB_CONNECTING;
    timer_start(db->timer, (uint64_t)chance_us(1, 20), 0);
}

static void connected(struct db *db)
{
    if (db->pg->is_down || chance_fault(world.rates.db_cut)) {
        wait_to_connect(db);
        return;
    }
    struct session *session = room(sizeof *session);
    *session = (struct session){
        .next = db->pg->sessions,
        .pg = db->pg,
        .node = db->node,
        .life = db->node->life,
        .client = db,
    };
    session->last_at = &session->first;
    db->pg->sessions = session;
    db->session = session;
    db->state = DB_UP;
    db->got_notice = false;
    tell_state(db, true);
}

static void on_timer(void *arg)
{
    struct db *db = arg;
    switch (db->state) {
    case DB_WAITING:
        connect_now(db);
        break;
    case DB_CONNECTING:
        connected(db);
        break;
    case DB_LOST:
        if (db->is_closing) {
            timer_free(&db->timer);
            break;
        }
        fail_all(db);
        tell_state(db, false);
        wait_to_connect(db);
        break;
    case DB_UP:
        break;
    }
}

/* Callbacks may reset or close the db: the state tells. */
static void take_answer(void *arg, uint64_t number unused_arg)
{
    struct batch *batch = arg;
    struct db *db = batch->session->client;
    struct session *session = batch->session;
    if (!db || db->session != session || db->state != DB_UP)
        return;
    assert(db->sent == batch);
    if (batch->is_warned)
        db->got_notice = true;
    struct op *op;
    while ((op = batch->first)) {
        if (!batch->is_query && chance_fault(world.rates.db_cut / 4)) {
            trace("%s: lost in the middle of its results", db->role);
            mark_lost(db);
            return;
        }
        batch->first = op->next;
        db->in_flight--;
        int status = batch->is_query ? batch->status : op->status;
        report(op->on_result, op->arg, status, &op->rows,
               batch->is_query ? &batch->error : &op->error);
        if (db->state != DB_UP || db->session != session)
            return;
        crash_point("between two results");
    }
    if (chance_fault(world.rates.db_cut / 4)) {
        trace("%s: lost before the end of its sync", db->role);
        mark_lost(db);
        return;
    }
    db->sent = batch->sent_next;
    if (!db->sent)
        db->sent_at = &db->sent;
    db->retry.attempt = 0;
    report(batch->on_done, batch->arg, batch->status, NULL, &batch->error);
}

/* On the way back: from here on a failover keeps what the client may rely on. */
static void on_answer(void *arg, uint64_t number unused_arg)
{
    struct batch *batch = arg;
    struct session *session = batch->session;
    struct pg *pg = session->pg;
    if (session->is_over || session->is_gone)
        return;
    if (batch->has_written && !batch->is_warned && batch->log_to > pg->replicated)
        pg->replicated = batch->log_to;
    if (chance_fault(world.rates.db_cut)) {
        trace("%s: an answer is lost with its connection", pg->name);
        struct db *db = session->client;
        if (db && db->node->is_up && db->node->life == session->life)
            mark_lost(db);
        return;
    }
    event_after(0, session->node, take_answer, batch, 0);
}

/* On the way there. */
static int send_batch(struct db *db, struct batch *batch)
{
    batch->session = db->session;
    *db->sent_at = batch;
    db->sent_at = &batch->sent_next;
    if (chance_fault(world.rates.db_cut)) {
        bool is_there = chance_below(2);
        trace("%s: lost while sending, %s", db->role, is_there ? "but it arrives" : "for good");
        if (is_there)
            event_after(in_order(batch->session, false, chance_us(20, 2000)), NULL,
                        on_batch_arrival, batch, 0);
        mark_lost(db);
        return 0;
    }
    crash_point("before a sync is sent");
    event_after(in_order(db->session, false, chance_us(20, 500)), NULL, on_batch_arrival, batch, 0);
    crash_point("after a sync is sent");
    return 0;
}

static struct batch *new_batch(void)
{
    struct batch *batch = room(sizeof *batch);
    batch->last_at = &batch->first;
    return batch;
}

static void copy_args(struct op *op, struct db_args *args)
{
    struct wire_args wire;
    db_args_to_wire(args, &wire);
    op->arg_count = (size_t)wire.count;
    for (int i = 0; i < wire.count; i++) {
        struct cell *cell = &op->args[i];
        size_t len = (size_t)wire.lengths[i];
        cell->is_null = !wire.values[i];
        if (cell->is_null)
            continue;
        cell->bytes = copy_bytes(wire.values[i], len);
        cell->len = len;
        if (wire.formats[i] == 1 && len <= 8)
            cell->number = big_endian((const uint8_t *)wire.values[i], len);
    }
}

static void add(struct db *db, struct batch *batch, const char *sql, struct db_args *args,
                db_result_fn *on_result, void *arg)
{
    struct op *op = room(sizeof *op);
    op->sql = sql;
    op->on_result = on_result;
    op->arg = arg;
    if (args) {
        copy_args(op, args);
        db_args_done(args);
    }
    *batch->last_at = op;
    batch->last_at = &op->next;
    db->in_flight++;
}

int db_query(struct db *db, const char *sql, struct db_args *args, db_result_fn *on_result,
             void *arg)
{
    assert(!db->open);
    if (db->state != DB_UP) {
        if (args)
            db_args_done(args);
        return -ENOTCONN;
    }
    struct batch *batch = new_batch();
    batch->is_query = true;
    add(db, batch, sql, args, on_result, arg);
    return send_batch(db, batch);
}

int db_begin(struct db *db)
{
    assert(!db->open);
    if (db->state != DB_UP)
        return -ENOTCONN;
    db->open = new_batch();
    return 0;
}

int db_add(struct db *db, const char *sql, struct db_args *args, db_result_fn *on_result, void *arg)
{
    if (db->state != DB_UP) {
        if (args)
            db_args_done(args);
        return -ENOTCONN;
    }
    assert(db->open);
    add(db, db->open, sql, args, on_result, arg);
    crash_point("after a statement");
    return 0;
}

int db_commit(struct db *db, db_result_fn *on_done, void *arg)
{
    if (db->state != DB_UP)
        return -ENOTCONN;
    assert(db->open);
    struct batch *batch = db->open;
    db->open = NULL;
    batch->on_done = on_done;
    batch->arg = arg;
    return send_batch(db, batch);
}

int db_open(struct loop *loop, const char *dsn, void (*on_state)(void *arg, bool is_up), void *arg,
            struct db **ret_db)
{
    struct db *db = room(sizeof *db);
    db->node = world.current;
    db->pg = world.current->pg;
    const char *role = strrchr(dsn, ' ');
    text_copy(db->role, sizeof db->role, role ? role + 1 : dsn);
    db->on_state = on_state;
    db->arg = arg;
    db->retry = (struct retry){.base_ms = 100, .max_ms = 5000};
    db->sent_at = &db->sent;
    int status = timer_new(loop, on_timer, db, &db->timer);
    assert(status == 0);
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
    db->is_closing = true;
    mark_lost(db);
    fail_all(db);
    timer_start(db->timer, 0, 0);
}

bool db_is_up(const struct db *db)
{
    return db->state == DB_UP;
}

size_t db_in_flight(const struct db *db)
{
    return db->in_flight;
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

const char *db_trouble(const struct db *db unused_arg)
{
    return "";
}

struct metric db_connects_total;
struct metric db_losses_total;

/* --- rows ------------------------------------------------------------------------------------- */

static const struct cell *cell_at(const struct db_rows *rows, size_t row, size_t column)
{
    assert(row < rows->count && column < rows->columns);
    return &rows->cells[row * rows->columns + column];
}

size_t db_count(const struct db_rows *rows)
{
    return rows->count;
}

bool db_is_null(const struct db_rows *rows, size_t row, size_t column)
{
    return cell_at(rows, row, column)->is_null;
}

bool db_get_bool(const struct db_rows *rows, size_t row, size_t column)
{
    return cell_at(rows, row, column)->number != 0;
}

int64_t db_get_i64(const struct db_rows *rows, size_t row, size_t column)
{
    return cell_at(rows, row, column)->number;
}

const char *db_get_text(const struct db_rows *rows, size_t row, size_t column)
{
    return cell_at(rows, row, column)->bytes;
}

struct slice db_get_bytes(const struct db_rows *rows, size_t row, size_t column)
{
    const struct cell *cell = cell_at(rows, row, column);
    return (struct slice){cell->bytes, cell->len};
}

int64_t db_get_time(const struct db_rows *rows, size_t row, size_t column)
{
    return cell_at(rows, row, column)->number;
}

/* --- what happens to the server --------------------------------------------------------------- */

void pg_begin(struct pg *pg, const char *name)
{
    *pg = (struct pg){.name = name};
}

void pg_node_ended(const struct node *node)
{
    if (!node->pg)
        return;
    for (struct session *session = node->pg->sessions; session; session = session->next)
        if (session->node == node && session->client && !session->is_over) {
            session->client = NULL;
            client_left(session);
        }
}

static void break_client(struct session *session)
{
    struct db *db = session->client;
    if (db && session->node->is_up && session->node->life == session->life &&
        db->session == session)
        mark_lost(db);
}

static void on_back(void *arg, uint64_t number unused_arg)
{
    ((struct pg *)arg)->is_down = false;
}

void pg_restart(struct pg *pg, int64_t down_us)
{
    pg->is_down = true;
    for (struct session *session = pg->sessions; session; session = session->next) {
        if (session->is_over)
            continue;
        break_client(session);
        end_session(session);
    }
    event_after(down_us, NULL, on_back, pg, 0);
}

void pg_failover(struct pg *pg)
{
    size_t end = pg->log_count;
    pg_restart(pg, chance_us(10 * US_PER_MS, 8 * US_PER_S));
    pg->failovers++;
    size_t keep = pg->replicated + chance_below(end - pg->replicated + 1);
    while (keep > pg->replicated && !pg->log[keep - 1].is_last)
        keep--;
    cut_log(pg, keep);
    pg->replicated = keep;
    trace("%s: failover, %zu changes were not replicated", pg->name, end - keep);
}

void pg_restore(struct pg *pg, size_t keep)
{
    pg_restart(pg, chance_us(100 * US_PER_MS, 8 * US_PER_S));
    while (keep > 0 && !pg->log[keep - 1].is_last)
        keep--;
    trace("%s: restored to %zu changes of %zu", pg->name, keep, pg->log_count);
    cut_log(pg, keep);
    pg->replicated = keep;
    pg->restores++;
}

void pg_fault(struct pg *pg)
{
    size_t count = 0;
    for (struct session *session = pg->sessions; session; session = session->next)
        count += !session->is_over && session->client;
    size_t chosen = chance_below(count + 1);
    for (struct session *session = pg->sessions; session; session = session->next)
        if (!session->is_over && session->client && chosen-- == 0) {
            trace("%s: a connection breaks", pg->name);
            break_client(session);
            return;
        }
}
