/* stream against a real PostgreSQL, killed and confused in every way that matters: run by
 * tests/support/with-postgres.sh from the top of the tree. */
#include "base/clock.h"
#include "io/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_US (60 * US_PER_S)

struct job {
    struct work work;
    struct fixture *fixture;
    int64_t n;
    int records;
    int refusal;
    const char *sql; /* one more write; null: none */
    bool reads;
    int64_t found;
    int done;
    int status;
    char sqlstate[6];
};

/* A reader that checks what it is told: dense, in order, once, chained. */
struct reader {
    struct fixture *fixture;
    struct follower *follower;
    struct position at;
    uint8_t hash[SEAL_HASH_SIZE];
    bool has_hash;
    uint64_t count;
    int error;
    unsigned pause_every;
    bool is_paused;
};

struct fixture {
    struct loop *loop;
    struct timer *turn;
    struct db *admin;
    bool is_admin_up;
    struct stream *stream;
    struct stream *rival;
    int readies;
    int losses;
    int forgets;
    int answers;
    int64_t answer;
    char dsn[512];
    struct job *jobs;
    size_t job_count;
    size_t jobs_done;
    int drained;
    struct reader readers[4]; /* here, so that a failed test is torn down as well */
};

static void shell(const char *command)
{
    int status = system(command);
    assert_int_equal(status, 0);
}

/* --- the loop in small steps ------------------------------------------------------------------ */

static void on_turn(void *arg)
{
    loop_stop(arg);
}

static void run_for(struct fixture *f, uint64_t delay_ms)
{
    timer_start(f->turn, delay_ms, 0);
    loop_run(f->loop);
}

#define wait_until(f, condition)                                                                   \
    do {                                                                                           \
        int64_t until = clock_mono_us() + PATIENCE_US;                                             \
        while (!(condition)) {                                                                     \
            run_for(f, 1);                                                                         \
            assert_true(clock_mono_us() < until);                                                  \
        }                                                                                          \
    } while (0)

static void on_admin(void *arg, bool is_up)
{
    ((struct fixture *)arg)->is_admin_up = is_up;
}

static void on_answer(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct fixture *f = arg;
    if (error)
        print_error("%s %s\n", error->sqlstate, error->message);
    assert_int_equal(status, 0);
    f->answers++;
    f->answer = db_count(rows) > 0 ? db_get_i64(rows, 0, 0) : 0;
}

static int64_t ask(struct fixture *f, const char *sql)
{
    int before = f->answers;
    wait_until(f, f->is_admin_up);
    assert_int_equal(db_query(f->admin, sql, NULL, on_answer, f), 0);
    wait_until(f, f->answers > before);
    return f->answer;
}

/* --- fixture ---------------------------------------------------------------------------------- */

static void on_ready(void *arg, bool is_ready)
{
    struct fixture *f = arg;
    if (is_ready)
        f->readies++;
    else
        f->losses++;
}

static void on_forget(void *arg)
{
    ((struct fixture *)arg)->forgets++;
}

static void open_stream(struct fixture *f, size_t ring_bytes, struct stream **ret_stream)
{
    const struct stream_options options = {
        .service = "test",
        .shard = 0,
        .site = "main",
        .dsn = f->dsn,
        .ring_bytes_max = ring_bytes,
        .queue_bytes_max = 1000000,
        .on_ready = on_ready,
        .forget = on_forget,
        .arg = f,
    };
    assert_int_equal(stream_open(f->loop, &options, ret_stream), 0);
}

static void open_ready(struct fixture *f, size_t ring_bytes)
{
    open_stream(f, ring_bytes, &f->stream);
    wait_until(f, stream_is_ready(f->stream));
}

static int setup(void **state)
{
    /* The service's role owns nothing, as in production. */
    shell("psql -qX -v ON_ERROR_STOP=1 \"$MOMENT_TEST_DSN\""
          " -c 'set client_min_messages = warning'"
          " -c 'drop schema if exists test cascade' -c 'create schema test'"
          " -c 'set search_path = test' -c \"do \\$\\$ begin create role service login;"
          " exception when duplicate_object then null; end \\$\\$\""
          " -f services/runtime/io/schema/000_runtime.sql"
          " -c 'create table effect (n bigint)' -c 'create sequence once'"
          " -c 'grant usage on schema test to service'"
          " -c 'grant select, insert on all tables in schema test to service'"
          " -c 'grant delete on mark to service'"
          " -c 'grant usage on all sequences in schema test to service'"
          " -c 'alter role service set search_path = test' > /dev/null");
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(seal_init(), 0);
    snprintf(f->dsn, sizeof f->dsn, "%s user=service", getenv("MOMENT_TEST_DSN"));
    assert_int_equal(loop_new(&f->loop), 0);
    assert_int_equal(timer_new(f->loop, on_turn, f->loop, &f->turn), 0);
    char dsn[600];
    snprintf(dsn, sizeof dsn, "%s options='-c search_path=test'", getenv("MOMENT_TEST_DSN"));
    assert_int_equal(db_open(f->loop, dsn, on_admin, f, &f->admin), 0);
    wait_until(f, f->is_admin_up);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(f->readers); i++)
        follower_close(&f->readers[i].follower);
    stream_close(&f->stream);
    stream_close(&f->rival);
    db_close(&f->admin);
    timer_free(&f->turn);
    loop_run(f->loop);
    loop_free(&f->loop);
    free(f->jobs);
    free(f);
    return 0;
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void on_found(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error)
{
    struct job *job = arg;
    assert_int_equal(status, 0);
    assert_null(error);
    job->found = db_get_i64(rows, 0, 0);
}

static void load_job(struct work *work, struct txn *txn)
{
    struct job *job = container_of(work, struct job, work);
    if (!job->reads)
        return;
    struct db_args args;
    db_args_init(&args);
    db_i64(&args, job->n);
    txn_read(txn, "select $1 * 2", &args, on_found, job);
}

static int apply_job(struct work *work, struct txn *txn)
{
    struct job *job = container_of(work, struct job, work);
    if (job->reads)
        assert_int_equal(job->found, job->n * 2);
    if (job->refusal)
        return job->refusal;
    struct db_args args;
    db_args_init(&args);
    db_i64(&args, job->n);
    txn_write(txn, "insert into effect values ($1)", &args);
    if (job->sql)
        txn_write(txn, job->sql, NULL);
    for (int i = 0; i < job->records; i++)
        txn_emit(txn, "main", "key", "Test", 0, &job->n, sizeof job->n);
    return 0;
}

static void job_done(struct work *work, int status, const struct db_error *error)
{
    struct job *job = container_of(work, struct job, work);
    job->done++;
    job->status = status;
    text_copy(job->sqlstate, sizeof job->sqlstate, error ? error->sqlstate : "");
    job->fixture->jobs_done++;
}

static const struct work_ops job_ops = {load_job, apply_job, job_done};

static void make_jobs(struct fixture *f, size_t count)
{
    f->jobs = calloc(count, sizeof *f->jobs);
    assert_non_null(f->jobs);
    f->job_count = count;
    for (size_t i = 0; i < count; i++)
        f->jobs[i] = (struct job){.work = {.ops = &job_ops, .bytes = 100},
                                  .fixture = f,
                                  .n = (int64_t)i + 1,
                                  .records = 1};
}

static void submit(struct fixture *f, struct stream *stream, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_int_equal(stream_submit(stream, &f->jobs[i].work), 0);
}

/* Every job had its effect once and heard of it once; the stream is dense and its chain holds. */
static void assert_exactly_once(struct fixture *f)
{
    int64_t records = 0;
    for (size_t i = 0; i < f->job_count; i++) {
        assert_int_equal(f->jobs[i].done, 1);
        assert_int_equal(f->jobs[i].status, 0);
        records += f->jobs[i].records;
    }
    assert_int_equal(ask(f, "select count(*) from effect"), f->job_count);
    assert_int_equal(ask(f, "select count(distinct n) from effect"), f->job_count);
    assert_int_equal(ask(f, "select count(*) from stream"), records);
    assert_int_equal(ask(f, "select coalesce(max(seq), 0) from stream"), records);
}

/* --- readers ---------------------------------------------------------------------------------- */

static bool on_record(void *arg, const struct record *record)
{
    struct reader *reader = arg;
    assert_false(reader->is_paused);
    assert_int_equal(record->seq, reader->at.seq + 1);
    assert_true(record->epoch >= reader->at.epoch);
    if (reader->has_hash) {
        uint8_t hash[SEAL_HASH_SIZE];
        stream_chain(reader->hash, record, hash);
        assert_memory_equal(hash, record->hash, SEAL_HASH_SIZE);
    }
    memcpy(reader->hash, record->hash, SEAL_HASH_SIZE);
    reader->has_hash = true;
    reader->at = (struct position){record->epoch, record->seq};
    reader->count++;
    reader->is_paused = reader->pause_every && reader->count % reader->pause_every == 0;
    return !reader->is_paused;
}

static void on_reader_error(void *arg, int error)
{
    ((struct reader *)arg)->error = error;
}

static const struct follower_ops reader_ops = {on_record, NULL, on_reader_error};

static void open_reader(struct fixture *f, struct position from, struct reader *reader)
{
    *reader = (struct reader){.fixture = f, .at = from, .has_hash = from.seq == 0};
    assert_int_equal(follower_open(f->stream, from, &reader_ops, reader, &reader->follower), 0);
}

static void resume(struct reader *reader)
{
    if (!reader->is_paused)
        return;
    reader->is_paused = false;
    follower_resume(reader->follower);
}

/* Reads the table from its start and checks the chain, as momentctl verify does. */
static void assert_chain_holds(struct fixture *f)
{
    struct reader *reader = &f->readers[0];
    open_reader(f, (struct position){0, 0}, reader);
    wait_until(f, reader->count == stream_head(f->stream).seq || reader->error);
    assert_int_equal(reader->error, 0);
    follower_close(&reader->follower);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void numbers_are_dense_and_chained(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 1 << 20);
    make_jobs(f, 5000);
    for (size_t i = 0; i < 5000; i++) {
        f->jobs[i].records = (int)(i % 3);
        f->jobs[i].reads = i % 7 == 0;
    }
    struct reader *reader = &f->readers[0];
    open_reader(f, (struct position){0, 0}, reader);
    submit(f, f->stream, 0, 1);
    assert_int_equal(f->jobs_done, 0);
    run_for(f, 3);
    submit(f, f->stream, 1, 5000);
    wait_until(f, f->jobs_done == 5000);
    wait_until(f, reader->count == 4999);
    assert_int_equal(stream_head(f->stream).seq, 4999);
    assert_int_equal(stream_queued_bytes(f->stream), 0);
    follower_close(&reader->follower);
    assert_exactly_once(f);
    assert_string_equal(stream_trouble(f->stream), "");
}

static void killed_connections_lose_and_double_nothing(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 4096);
    make_jobs(f, 2000);
    for (size_t i = 0; i < 2000; i++)
        f->jobs[i].records = (int)(i / 10 % 3);
    struct reader *reader = &f->readers[0];
    open_reader(f, (struct position){0, 0}, reader);
    srandom(7);
    for (size_t kill = 0; kill < 25; kill++) {
        wait_until(f, stream_is_ready(f->stream));
        int losses = f->losses;
        submit(f, f->stream, kill * 80, kill * 80 + 40);
        run_for(f, (uint64_t)random() % 3);
        /* Not waited for: it hits the next batch anywhere between its load and its commit. */
        assert_int_equal(db_query(f->admin,
                                  "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                                  " where application_name = 'moment-test writer'",
                                  NULL, on_answer, f),
                         0);
        submit(f, f->stream, kill * 80 + 40, kill * 80 + 80);
        wait_until(f, f->losses > losses);
    }
    wait_until(f, f->jobs_done == 2000);
    wait_until(f, reader->count == stream_head(f->stream).seq);
    follower_close(&reader->follower);
    assert_int_equal(f->losses, 25);
    assert_int_equal(ask(f, "select count(*) from epoch"), f->readies);
    assert_exactly_once(f);
    assert_chain_holds(f);
}

static void a_crashed_server_loses_and_doubles_nothing(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 4096);
    make_jobs(f, 3000);
    struct reader *reader = &f->readers[0];
    open_reader(f, (struct position){0, 0}, reader);
    size_t submitted = 0;
    for (size_t crash = 1; crash <= 3; crash++) {
        wait_until(f, stream_is_ready(f->stream));
        int losses = f->losses;
        shell("\"$MOMENT_TEST_PG\" restart &");
        while (f->losses == losses) {
            size_t to = submitted + 20 > crash * 1000 ? crash * 1000 : submitted + 20;
            submit(f, f->stream, submitted, to);
            submitted = to;
            run_for(f, 1);
        }
        submit(f, f->stream, submitted, crash * 1000);
        submitted = crash * 1000;
        wait_until(f, f->jobs_done == submitted);
    }
    wait_until(f, reader->count == 3000);
    follower_close(&reader->follower);
    assert_exactly_once(f);
    assert_chain_holds(f);
}

static void of_two_writers_one_commits(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 4096);
    open_stream(f, 4096, &f->rival);
    make_jobs(f, 1200);
    for (size_t i = 0; i < 1200; i++)
        f->jobs[i].records = i % 5 != 0;
    struct reader *reader = &f->readers[0];
    open_reader(f, (struct position){0, 0}, reader);
    for (size_t i = 0; i < 12; i++) {
        submit(f, f->stream, i * 100, i * 100 + 50);
        submit(f, f->rival, i * 100 + 50, i * 100 + 100);
        run_for(f, i);
        assert_false(stream_is_ready(f->stream) && stream_is_ready(f->rival));
        (void)ask(f, "select count(pg_terminate_backend(l.pid)) from pg_locks l"
                     " where locktype = 'advisory' and granted and objsubid = 2");
        int readies = f->readies;
        wait_until(f, f->readies > readies);
    }
    /* Whoever has it hands over when it goes; the other has the rest to do. */
    while (f->jobs_done < 1200) {
        run_for(f, 50);
        (void)ask(f, "select count(pg_terminate_backend(l.pid)) from pg_locks l"
                     " where locktype = 'advisory' and granted and objsubid = 2");
    }
    stream_close(&f->rival);
    wait_until(f, stream_is_ready(f->stream));
    wait_until(f, reader->count == stream_head(f->stream).seq);
    follower_close(&reader->follower);
    assert_exactly_once(f);
    assert_chain_holds(f);
}

static void a_writer_without_the_lock_is_noticed(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 1 << 20);
    make_jobs(f, 2);
    submit(f, f->stream, 0, 1);
    wait_until(f, f->jobs_done == 1);
    (void)ask(f, "insert into stream select shard, 2, epoch, site, key, type, at, body, hash"
                 " from stream");
    submit(f, f->stream, 1, 2);
    wait_until(f, f->jobs_done == 2);
    assert_int_equal(f->jobs[1].status, 0);
    assert_int_equal(stream_head(f->stream).seq, 3);
    assert_int_equal(f->readies, 2);
    assert_int_equal(ask(f, "select count(*) from effect"), 2);
}

static void poison_is_found_and_hurts_nobody_else(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 1 << 20);
    make_jobs(f, 100);
    f->jobs[37].sql = "select 1 / 0";
    f->jobs[38].sql = "insert into stream select shard, 1, 1, '', '', '', at, '', '' from stream";
    f->jobs[99].sql = "insert into epoch values (0, 1, 1, '', 1)";
    submit(f, f->stream, 0, 100);
    wait_until(f, f->jobs_done == 100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(f->jobs[i].done, 1);
        assert_int_equal(f->jobs[i].status, i == 37 ? -EBADMSG : i == 38 || i == 99 ? -EEXIST : 0);
    }
    assert_string_equal(f->jobs[37].sqlstate, "22012");
    assert_string_equal(f->jobs[99].sqlstate, "23505");
    assert_int_equal(ask(f, "select count(distinct n) from effect"), 97);
    assert_int_equal(ask(f, "select count(*) from effect"), 97);
    assert_int_equal(ask(f, "select max(seq) from stream"), 97);
    assert_true(f->forgets >= 3);
    assert_int_equal(f->readies, 1);
    assert_chain_holds(f);
}

static void a_refused_work_leaves_the_others_alone(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 1 << 20);
    make_jobs(f, 3);
    f->jobs[1].refusal = -EPERM;
    submit(f, f->stream, 0, 3);
    wait_until(f, f->jobs_done == 3);
    assert_int_equal(f->jobs[0].status, 0);
    assert_int_equal(f->jobs[1].status, -EPERM);
    assert_int_equal(f->jobs[2].status, 0);
    assert_int_equal(stream_head(f->stream).seq, 2);
    assert_int_equal(f->forgets, 0);
}

/* Something happens while the transaction commits: mood is the body of a deferred trigger. */
static void trouble_at_commit(struct fixture *f, const char *mood)
{
    char sql[600];
    snprintf(sql, sizeof sql,
             "create function mood() returns trigger language plpgsql as $$ begin"
             " if nextval('once') = 1 then %s end if; return null; end $$",
             mood);
    (void)ask(f, sql);
    (void)ask(f, "grant usage on sequence once to service");
    (void)ask(f, "create constraint trigger mood after insert on effect"
                 " deferrable initially deferred for each row execute function mood()");
}

static void a_warning_at_commit_is_resolved_as_landed(void **state)
{
    struct fixture *f = *state;
    for (int records = 0; records < 2; records++) {
        (void)ask(f, "drop trigger if exists mood on effect");
        (void)ask(f, "drop function if exists mood");
        (void)ask(f, "alter sequence once restart");
        (void)ask(f, "delete from effect");
        trouble_at_commit(f, "raise warning 'not replicated';");
        open_ready(f, 1 << 20);
        int readies = f->readies;
        make_jobs(f, 1);
        f->jobs_done = 0;
        f->jobs[0].records = records;
        submit(f, f->stream, 0, 1);
        wait_until(f, f->jobs_done == 1);
        assert_int_equal(f->readies, readies + 1);
        assert_int_equal(ask(f, "select last_value from once"), 1); /* applied once */
        assert_exactly_once(f);
        assert_chain_holds(f);
        stream_close(&f->stream);
        free(f->jobs);
        f->jobs = NULL;
    }
}

static void a_commit_that_was_cut_off_is_done_again(void **state)
{
    struct fixture *f = *state;
    trouble_at_commit(f, "perform pg_terminate_backend(pg_backend_pid());");
    open_ready(f, 1 << 20);
    make_jobs(f, 2);
    f->jobs[1].records = 0;
    submit(f, f->stream, 0, 2);
    wait_until(f, f->jobs_done == 2);
    assert_true(f->readies == 2 || f->losses == 1);
    assert_true(f->forgets >= 1);
    assert_int_equal(ask(f, "select last_value from once"), 3); /* cut, and then both */
    assert_exactly_once(f);
}

static void a_transient_error_is_tried_again(void **state)
{
    struct fixture *f = *state;
    trouble_at_commit(f, "raise exception 'busy' using errcode = '40001';");
    open_ready(f, 1 << 20);
    make_jobs(f, 1);
    submit(f, f->stream, 0, 1);
    wait_until(f, f->jobs_done == 1);
    assert_int_equal(f->readies, 1); /* on the same connection */
    assert_int_equal(f->forgets, 1);
    assert_int_equal(f->jobs[0].work.attempts, 2);
    assert_exactly_once(f);
}

static void a_reader_moves_between_table_and_ring(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 600); /* room for two records */
    make_jobs(f, 3000);
    struct reader *readers = f->readers;
    open_reader(f, (struct position){0, 0}, &readers[0]);
    open_reader(f, (struct position){0, 0}, &readers[1]);
    readers[1].pause_every = 7;
    size_t submitted = 0;
    while (submitted < 3000) {
        size_t to = submitted + (size_t)random() % 40;
        to = to > 3000 ? 3000 : to;
        submit(f, f->stream, submitted, to);
        submitted = to;
        run_for(f, (uint64_t)random() % 2);
        resume(&readers[1]);
    }
    wait_until(f, f->jobs_done == 3000);
    open_reader(f, (struct position){1, 2998}, &readers[2]);
    wait_until(f, (resume(&readers[1]), readers[0].count + readers[1].count == 6000));
    wait_until(f, readers[2].count == 2);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(readers[i].error, 0);
        follower_close(&readers[i].follower);
    }
    assert_exactly_once(f);
}

static void a_reader_of_what_is_gone_or_never_was_is_told(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 600);
    make_jobs(f, 20);
    submit(f, f->stream, 0, 20);
    wait_until(f, f->jobs_done == 20);
    static const struct {
        struct position from;
        int error;
    } cases[] = {
        {{1, 20}, 0},      {{1, 21}, -EILSEQ}, {{2, 20}, 0},      {{2, 21}, -EILSEQ},
        {{9, 1}, -EILSEQ}, {{0, 0}, -ERANGE},  {{1, 5}, -ERANGE}, {{1, 10}, 0},
    };
    stream_close(&f->stream);
    (void)ask(f, "delete from stream where seq <= 10");
    open_ready(f, 600);
    assert_int_equal(stream_tail(f->stream), 11);
    for (size_t i = 0; i < countof(cases); i++) {
        struct reader *reader = &f->readers[0];
        open_reader(f, cases[i].from, reader);
        run_for(f, 50);
        assert_int_equal(reader->error, cases[i].error);
        if (!cases[i].error)
            assert_int_equal(reader->at.seq, 20);
        else
            assert_int_equal(reader->count, 0);
        follower_close(&reader->follower);
    }
}

static void the_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 1 << 20);
    make_jobs(f, 3);
    f->jobs[0].work.bytes = 600000;
    f->jobs[1].work.bytes = 600000;
    assert_int_equal(stream_submit(f->stream, &f->jobs[0].work), 0);
    assert_int_equal(stream_submit(f->stream, &f->jobs[1].work), -ENOBUFS);
    assert_int_equal(stream_submit(f->stream, &f->jobs[2].work), 0);
    wait_until(f, f->jobs_done == 2);
    assert_int_equal(stream_submit(f->stream, &f->jobs[1].work), 0);
    wait_until(f, f->jobs_done == 3);
    assert_exactly_once(f);
}

static void on_drained(void *arg)
{
    struct fixture *f = arg;
    f->drained++;
    stream_close(&f->stream);
}

static void a_drain_ends_when_the_last_batch_has_committed(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 1 << 20);
    make_jobs(f, 10);
    submit(f, f->stream, 0, 9);
    stream_drain(f->stream, on_drained, f);
    assert_int_equal(stream_submit(f->stream, &f->jobs[9].work), -ESHUTDOWN);
    assert_int_equal(f->drained, 0);
    wait_until(f, f->drained == 1);
    assert_int_equal(f->jobs_done, 9);
    assert_null(f->stream);
}

static void closing_tells_every_work(void **state)
{
    struct fixture *f = *state;
    open_ready(f, 1 << 20);
    make_jobs(f, 10);
    submit(f, f->stream, 0, 5);
    run_for(f, 0);
    submit(f, f->stream, 5, 10);
    stream_close(&f->stream);
    assert_int_equal(f->jobs_done, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(f->jobs[i].done, 1);
        assert_true(f->jobs[i].status == 0 || f->jobs[i].status == -ECANCELED);
    }
}

static void places_are_made_ahead(void **state)
{
    struct fixture *f = *state;
    (void)ask(f, "insert into epoch values (0, 1, 3999990, '', 1)");
    (void)ask(f, "select ensure_partitions()");
    (void)ask(f, "insert into stream values (0, 3999990, 1, '', '', '', now(), '', '')");
    open_ready(f, 1 << 20);
    make_jobs(f, 100);
    submit(f, f->stream, 0, 100);
    wait_until(f, f->jobs_done == 100);
    assert_int_equal(f->readies, 1);
    assert_int_equal(stream_head(f->stream).seq, 4000090);
    assert_int_equal(ask(f, "select count(*) from effect"), 100);
}

#define with_stream(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        with_stream(numbers_are_dense_and_chained),
        with_stream(a_refused_work_leaves_the_others_alone),
        with_stream(poison_is_found_and_hurts_nobody_else),
        with_stream(a_warning_at_commit_is_resolved_as_landed),
        with_stream(a_commit_that_was_cut_off_is_done_again),
        with_stream(a_transient_error_is_tried_again),
        with_stream(a_writer_without_the_lock_is_noticed),
        with_stream(a_reader_moves_between_table_and_ring),
        with_stream(a_reader_of_what_is_gone_or_never_was_is_told),
        with_stream(the_queue_is_bounded),
        with_stream(a_drain_ends_when_the_last_batch_has_committed),
        with_stream(closing_tells_every_work),
        with_stream(places_are_made_ahead),
        with_stream(killed_connections_lose_and_double_nothing),
        with_stream(of_two_writers_one_commits),
        with_stream(a_crashed_server_loses_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
