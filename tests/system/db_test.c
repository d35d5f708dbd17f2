/* db against a real PostgreSQL: run by tests/support/with-postgres.sh. */
#include "base/buf.h"
#include "base/seal.h"
#include "io/db.h"
#include "moment/v1/stream.pb-c.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct answer {
    int calls;
    int status;
    char sqlstate[6];
    int64_t value;
    char text[64];
};

struct fixture {
    struct loop *loop;
    struct db *db;
    struct db *other;
    struct timer *guard;
    int ups;
    int downs;
};

static void on_guard(void *arg)
{
    (void)arg;
    fail_msg("%s", "nothing happened for 20 s");
}

static void on_state(void *arg, bool is_up)
{
    struct fixture *f = arg;
    if (is_up)
        f->ups++;
    else
        f->downs++;
    loop_stop(f->loop);
}

static void on_answer(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct answer *answer = arg;
    answer->calls++;
    answer->status = status;
    text_copy(answer->sqlstate, sizeof answer->sqlstate, error ? error->sqlstate : "");
    if (rows && db_count(rows) > 0 && !db_is_null(rows, 0, 0))
        answer->value = db_get_i64(rows, 0, 0);
}

static void on_turn(void *arg)
{
    loop_stop(arg);
}

static void wait_for(struct fixture *f, const int *calls, int count)
{
    while (*calls < count) {
        timer_start(f->guard, 20000, 0);
        struct timer *turn = NULL;
        assert_int_equal(timer_new(f->loop, on_turn, f->loop, &turn), 0);
        timer_start(turn, 1, 0);
        loop_run(f->loop);
        timer_free(&turn);
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(seal_init(), 0);
    assert_int_equal(loop_new(&f->loop), 0);
    assert_int_equal(timer_new(f->loop, on_guard, f, &f->guard), 0);
    assert_int_equal(db_open(f->loop, getenv("MOMENT_TEST_DSN"), on_state, f, &f->db), 0);
    wait_for(f, &f->ups, 1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    db_close(&f->db);
    db_close(&f->other);
    timer_free(&f->guard);
    loop_run(f->loop); /* returns when nothing is left */
    loop_free(&f->loop);
    free(f);
    return 0;
}

static void run(struct fixture *f, const char *sql)
{
    struct answer answer = {0};
    assert_int_equal(db_query(f->db, sql, NULL, on_answer, &answer), 0);
    wait_for(f, &answer.calls, 1);
    assert_int_equal(answer.status, 0);
}

static int64_t value_of(struct fixture *f, const char *sql)
{
    struct answer answer = {0};
    assert_int_equal(db_query(f->db, sql, NULL, on_answer, &answer), 0);
    wait_for(f, &answer.calls, 1);
    assert_int_equal(answer.status, 0);
    return answer.value;
}

static void on_all_types(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error)
{
    struct answer *answer = arg;
    answer->calls++;
    if (error)
        print_error("%s %s\n", error->sqlstate, error->message);
    assert_int_equal(status, 0);
    assert_int_equal(db_count(rows), 1);
    assert_true(db_get_bool(rows, 0, 0));
    assert_int_equal(db_get_i64(rows, 0, 1), -7);
    assert_int_equal(db_get_i64(rows, 0, 2), INT64_MIN);
    assert_true(db_get_double(rows, 0, 3) > 2.49 && db_get_double(rows, 0, 3) < 2.51);
    assert_string_equal(db_get_text(rows, 0, 4), "gr\xc3\xbc\xc3\x9f");
    assert_true(db_is_null(rows, 0, 5));
    assert_string_equal(db_get_text(rows, 0, 5), "");
    assert_int_equal(db_get_bytes(rows, 0, 6).len, 3);
    assert_memory_equal(db_get_bytes(rows, 0, 6).at, "a\0b", 3);
    assert_int_equal(db_get_time(rows, 0, 7), INT64_C(1767225600123456));
    assert_int_equal(db_get_time(rows, 0, 8), 0);
    uint8_t id[16];
    db_get_uuid(rows, 0, 9, id);
    assert_memory_equal(id, "0123456789abcdef", 16);
    assert_int_equal(db_get_i64(rows, 0, 10), 60001);
    assert_string_equal(db_get_text(rows, 0, 11), "{\"a\": 1}");
    assert_true(db_get_double(rows, 0, 12) < -1234567.88);
    assert_true(db_get_double(rows, 0, 12) > -1234567.90);
    assert_int_equal(db_get_time(rows, 0, 13), INT64_C(1767225600000000));
    assert_true(db_get_double(rows, 0, 14) > 0.24 && db_get_double(rows, 0, 14) < 0.26);
    assert_string_equal(db_get_text(rows, 0, 15), "30313233-3435-3637-3839-616263646566");
}

static void every_type_goes_there_and_back(void **state)
{
    struct fixture *f = *state;
    struct db_args args;
    db_args_init(&args);
    db_bool(&args, true);
    db_i32(&args, -7);
    db_i64(&args, INT64_MIN);
    db_double(&args, 2.5);
    db_text(&args, "gr\xc3\xbc\xc3\x9f");
    db_text_or_null(&args, "");
    db_bytes(&args, "a\0b", 3);
    db_time(&args, INT64_C(1767225600123456));
    db_time(&args, 0);
    db_uuid(&args, (const uint8_t *)"0123456789abcdef");
    db_text(&args, "{\"a\":1}");
    db_text(&args, "30313233-3435-3637-3839-616263646566");
    struct answer answer = {0};
    assert_int_equal(
        db_query(f->db,
                 "select $1, $2, $3, $4, $5::text, $6::text, $7, $8, $9, $10, 60001::numeric, "
                 "$11::jsonb, -1234567.89::numeric, date '2026-01-01', 0.25::real, $12::uuid::text",
                 &args, on_all_types, &answer),
        0);
    wait_for(f, &answer.calls, 1);
}

static void on_body(void *arg, int status, const struct db_rows *rows, const struct db_error *error)
{
    struct answer *answer = arg;
    struct slice body;
    Moment__V1__Call *call;

    (void)error;
    answer->calls++;
    assert_int_equal(status, 0);
    body = db_get_bytes(rows, 0, 0);
    call = moment__v1__call__unpack(NULL, body.len, (const uint8_t *)body.at);
    assert_non_null(call);
    assert_string_equal(call->method, "feedback.ListNotes");
    moment__v1__call__free_unpacked(call, NULL);
    assert_string_equal(db_get_text(rows, 0, 1), "30313233-3435-3637-3839-616263646566");
    assert_true(db_is_null(rows, 0, 2));
    assert_string_equal(db_get_text(rows, 0, 3), "one/two");
}

static void messages_ids_and_texts_go_there(void **state)
{
    struct fixture *f = *state;
    char method[] = "feedback.ListNotes";
    struct answer answer = {0};
    Moment__V1__Call call;
    struct db_args args;

    moment__v1__call__init(&call);
    call.method = method;
    db_args_init(&args);
    db_message(&args, &call.base);
    db_id(&args, "30313233-3435-3637-3839-616263646566");
    db_id(&args, "note-1");
    db_texts(&args, (const char *const[]){"one", "two"}, 2);
    assert_int_equal(db_query(f->db,
                              "select $1, $2::uuid::text, $3::uuid::text, array_to_string($4, '/')",
                              &args, on_body, &answer),
                     0);
    wait_for(f, &answer.calls, 1);
}

static void on_items(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error)
{
    struct answer *answer = arg;
    answer->calls++;
    if (error)
        print_error("%s %s\n", error->sqlstate, error->message);
    assert_int_equal(status, 0);
    assert_int_equal(db_count(rows), 3);
    assert_int_equal(db_get_i64(rows, 0, 0), 1);
    assert_string_equal(db_get_text(rows, 0, 1), "one");
    assert_true(db_is_null(rows, 1, 1));
    assert_true(db_is_null(rows, 1, 2));
    assert_int_equal(db_get_time(rows, 2, 2), 5);
    assert_int_equal(db_get_bytes(rows, 2, 3).len, 0);
    assert_false(db_is_null(rows, 2, 3));
}

static void arrays_carry_items_and_nulls(void **state)
{
    struct fixture *f = *state;
    struct db_args args;
    db_args_init(&args);
    db_array(&args, DB_I64);
    for (int i = 1; i <= 3; i++)
        db_push_i64(&args, i);
    db_array(&args, DB_TEXT);
    db_push_text(&args, "one");
    db_push_text(&args, NULL);
    db_push_text(&args, "");
    db_array(&args, DB_TIME);
    db_push_time(&args, 5);
    db_push_time(&args, 0);
    db_push_time(&args, 5);
    db_array(&args, DB_BYTES);
    db_push_bytes(&args, "x", 1);
    db_push_null(&args);
    db_push_bytes(&args, "", 0);
    db_array(&args, DB_UUID);
    struct answer answer = {0};
    assert_int_equal(db_query(f->db,
                              "select a, b, c, d from unnest($1, $2, $3, $4) as u(a, b, c, d) "
                              "where cardinality($5) = 0",
                              &args, on_items, &answer),
                     0);
    wait_for(f, &answer.calls, 1);
}

static void a_failed_statement_rolls_back_its_transaction(void **state)
{
    struct fixture *f = *state;
    run(f, "create table rolled (n int primary key)");
    struct answer first = {0};
    struct answer twice = {0};
    struct answer after = {0};
    struct answer done = {0};
    assert_int_equal(db_begin(f->db), 0);
    assert_int_equal(db_add(f->db, "insert into rolled values (1)", NULL, on_answer, &first), 0);
    assert_int_equal(db_add(f->db, "insert into rolled values (1)", NULL, on_answer, &twice), 0);
    assert_int_equal(db_add(f->db, "insert into rolled values (2)", NULL, on_answer, &after), 0);
    assert_int_equal(db_commit(f->db, on_answer, &done), 0);
    assert_int_equal(done.calls, 0); /* never from inside the call */
    wait_for(f, &done.calls, 1);
    assert_int_equal(first.status, 0);
    assert_int_equal(twice.status, -EEXIST);
    assert_string_equal(twice.sqlstate, "23505");
    assert_int_equal(after.status, -ECANCELED);
    assert_int_equal(done.status, -EEXIST);
    assert_int_equal(value_of(f, "select count(*) from rolled"), 0);
}

static void a_statement_prepared_in_a_failed_transaction_works_again(void **state)
{
    struct fixture *f = *state;
    run(f, "create table again (n int primary key)");
    for (int i = 0; i < 3; i++) {
        struct answer bad = {0};
        struct answer good = {0};
        assert_int_equal(db_begin(f->db), 0);
        if (i < 2)
            assert_int_equal(db_add(f->db, "select 1/0", NULL, NULL, NULL), 0);
        assert_int_equal(db_add(f->db, "insert into again values (41)", NULL, NULL, NULL), 0);
        assert_int_equal(db_add(f->db, "select 40 + 2", NULL, NULL, NULL), 0);
        assert_int_equal(db_commit(f->db, on_answer, &bad), 0);
        /* Sent before the outcome of the first is known. */
        assert_int_equal(db_query(f->db, "select 40 + 2", NULL, on_answer, &good), 0);
        wait_for(f, &good.calls, 1);
        assert_int_equal(bad.status, i < 2 ? -EBADMSG : 0);
        assert_int_equal(good.status, 0);
        assert_int_equal(good.value, 42);
    }
    assert_int_equal(value_of(f, "select n from again"), 41);
}

static void a_deferred_constraint_fails_the_commit(void **state)
{
    struct fixture *f = *state;
    run(f, "create table late (n int unique deferrable initially deferred)");
    struct answer twice = {0};
    struct answer done = {0};
    struct answer query = {0};
    struct answer next = {0};
    assert_int_equal(db_begin(f->db), 0);
    assert_int_equal(db_add(f->db, "insert into late values (1), (1)", NULL, on_answer, &twice), 0);
    assert_int_equal(db_commit(f->db, on_answer, &done), 0);
    assert_int_equal(db_query(f->db, "insert into late values (2), (2)", NULL, on_answer, &query),
                     0);
    assert_int_equal(db_query(f->db, "select 5", NULL, on_answer, &next), 0);
    wait_for(f, &next.calls, 1);
    assert_int_equal(twice.status, 0);
    assert_int_equal(done.status, -EEXIST);
    assert_int_equal(query.status, -EEXIST); /* a query's status is that of its commit */
    assert_int_equal(next.value, 5);
    assert_int_equal(f->downs, 0);
    assert_int_equal(value_of(f, "select count(*) from late"), 0);
}

static void a_large_pipeline_is_written_while_results_are_read(void **state)
{
    struct fixture *f = *state;
    static char body[4000];
    memset(body, 'x', sizeof body - 1);
    struct answer each = {0};
    struct answer done = {0};
    assert_int_equal(db_begin(f->db), 0);
    for (int i = 0; i < 5000; i++) {
        struct db_args args;
        db_args_init(&args);
        db_text(&args, body);
        assert_int_equal(
            db_add(f->db, "select length($1::text), $1::text", &args, on_answer, &each), 0);
    }
    assert_int_equal(db_commit(f->db, on_answer, &done), 0);
    wait_for(f, &done.calls, 1);
    assert_int_equal(done.status, 0);
    assert_int_equal(each.calls, 5000);
    assert_int_equal(each.value, 3999);
    assert_int_equal(db_in_flight(f->db), 0);
}

static void a_killed_backend_fails_what_is_in_flight_and_comes_back(void **state)
{
    struct fixture *f = *state;
    int64_t pid = value_of(f, "select pg_backend_pid()");
    struct answer sleep = {0};
    struct answer kill = {0};
    int ups = f->ups;
    assert_int_equal(db_open(f->loop, getenv("MOMENT_TEST_DSN"), on_state, f, &f->other), 0);
    wait_for(f, &f->ups, ups + 1);
    assert_int_equal(db_query(f->db, "select pg_sleep(30)", NULL, on_answer, &sleep), 0);
    struct db_args args;
    db_args_init(&args);
    db_i64(&args, pid);
    assert_int_equal(
        db_query(f->other, "select pg_terminate_backend($1::int)::int", &args, on_answer, &kill),
        0);
    wait_for(f, &sleep.calls, 1);
    assert_int_equal(sleep.status, -ECONNRESET);
    wait_for(f, &f->ups, ups + 2);
    assert_int_equal(f->downs, 1);
    assert_int_equal(value_of(f, "select 3"), 3);
}

static void a_statement_survives_a_change_of_its_table(void **state)
{
    struct fixture *f = *state;
    run(f, "create table changing (n int)");
    run(f, "insert into changing values (6)");
    assert_int_equal(value_of(f, "select * from changing"), 6);
    run(f, "alter table changing alter n type bigint");
    struct answer answer = {0};
    assert_int_equal(db_query(f->db, "select * from changing", NULL, on_answer, &answer), 0);
    wait_for(f, &answer.calls, 1);
    assert_int_equal(answer.status, -EAGAIN);
    assert_int_equal(value_of(f, "select * from changing"), 6);
    run(f, "deallocate all");
    assert_int_equal(db_query(f->db, "select * from changing", NULL, on_answer, &answer), 0);
    wait_for(f, &answer.calls, 2);
    assert_int_equal(answer.status, -EAGAIN);
    assert_int_equal(value_of(f, "select * from changing"), 6);
}

static void a_refused_connection_says_why(void **state)
{
    struct fixture *f = *state;
    char dsn[512];
    snprintf(dsn, sizeof dsn, "%s user=nobody_here", getenv("MOMENT_TEST_DSN"));
    assert_int_equal(db_open(f->loop, dsn, on_state, f, &f->other), 0);
    for (int i = 0; i < 1000 && !db_trouble(f->other)[0]; i++) {
        struct answer answer = {0};
        assert_int_equal(db_query(f->db, "select 1", NULL, on_answer, &answer), 0);
        wait_for(f, &answer.calls, 1);
    }
    assert_non_null(strstr(db_trouble(f->other), "nobody_here"));
    assert_string_equal(db_trouble(f->db), "");
}

static void reset_makes_a_new_connection(void **state)
{
    struct fixture *f = *state;
    int64_t pid = value_of(f, "select pg_backend_pid()");
    struct answer lost = {0};
    int ups = f->ups;
    assert_int_equal(db_query(f->db, "select 1", NULL, on_answer, &lost), 0);
    db_reset(f->db);
    assert_false(db_is_up(f->db));
    assert_int_equal(lost.calls, 0);
    assert_int_equal(db_query(f->db, "select 1", NULL, on_answer, &lost), -ENOTCONN);
    wait_for(f, &f->ups, ups + 1);
    assert_int_equal(lost.calls, 1);
    assert_int_equal(lost.status, -ECONNRESET);
    assert_int_not_equal(value_of(f, "select pg_backend_pid()"), pid);
}

static void a_warning_is_noticed_once(void **state)
{
    struct fixture *f = *state;
    assert_false(db_take_notice(f->db));
    run(f, "do $$ begin raise warning 'look'; end $$");
    assert_true(db_take_notice(f->db));
    assert_false(db_take_notice(f->db));
}

static void too_many_arguments_are_refused(void **state)
{
    struct fixture *f = *state;
    struct db_args args;
    db_args_init(&args);
    for (int i = 0; i < DB_ARGS_MAX + 1; i++)
        db_i32(&args, i);
    assert_int_equal(db_query(f->db, "select 1", &args, NULL, NULL), -ENOMEM);
    assert_int_equal(value_of(f, "select 9"), 9);
}

static void a_transaction_with_a_statement_missing_does_not_commit(void **state)
{
    struct fixture *f = *state;
    run(f, "create table part (n int)");
    struct db_args args;
    db_args_init(&args);
    for (int i = 0; i < DB_ARGS_MAX + 1; i++)
        db_i32(&args, i);
    int ups = f->ups;
    assert_int_equal(db_begin(f->db), 0);
    assert_int_equal(db_add(f->db, "insert into part values (1)", NULL, NULL, NULL), 0);
    assert_int_equal(db_add(f->db, "insert into part values (2)", &args, NULL, NULL), -ENOMEM);
    assert_int_equal(db_commit(f->db, NULL, NULL), -ENOMEM);
    wait_for(f, &f->ups, ups + 1);
    assert_int_equal(value_of(f, "select count(*) from part"), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type_goes_there_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_ids_and_texts_go_there, setup, teardown),
        cmocka_unit_test_setup_teardown(arrays_carry_items_and_nulls, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_statement_rolls_back_its_transaction, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_statement_prepared_in_a_failed_transaction_works_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_deferred_constraint_fails_the_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_pipeline_is_written_while_results_are_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_killed_backend_fails_what_is_in_flight_and_comes_back,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_statement_survives_a_change_of_its_table, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_refused_connection_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_makes_a_new_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(a_warning_is_noticed_once, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_arguments_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transaction_with_a_statement_missing_does_not_commit,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
