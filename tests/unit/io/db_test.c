/* db without a database: arguments and their limits, and a server that is not there.
 * What goes over the wire is held against a real server in tests/system/db_test.c. */
#include "base/clock.h"
#include "io/db.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void arguments_are_counted_and_bounded(void **state)
{
    (void)state;
    struct db_args args;
    db_args_init(&args);
    for (int i = 0; i < DB_ARGS_MAX; i++) {
        if (i % 2)
            db_text(&args, "a text that is longer than sixteen bytes");
        else
            db_i64(&args, i);
        assert_int_equal(args.count, i + 1);
        assert_false(args.failed);
    }
    db_null(&args);
    assert_true(args.failed);
    assert_int_equal(args.count, DB_ARGS_MAX);
    db_args_done(&args);
    assert_int_equal(args.count, 0);
    assert_false(args.failed);
    db_args_done(&args);
}

static void arrays_take_items_of_every_type(void **state)
{
    (void)state;
    static const uint8_t id[16];
    struct db_args args;
    db_args_init(&args);
    db_array(&args, DB_BOOL);
    db_push_bool(&args, true);
    db_array(&args, DB_I32);
    db_push_i32(&args, -1);
    db_array(&args, DB_DOUBLE);
    db_push_double(&args, 0.5);
    db_array(&args, DB_UUID);
    db_push_uuid(&args, id);
    db_push_null(&args);
    db_array(&args, DB_BYTES);
    for (int i = 0; i < 10000; i++)
        db_push_bytes(&args, "0123456789", 10);
    db_texts(&args, (const char *const[]){"one", "two"}, 2);
    assert_false(args.failed);
    assert_int_equal(args.count, 6);
    db_args_done(&args);
}

static void on_state(void *arg, bool is_up)
{
    (void)is_up;
    (*(int *)arg)++;
}

static void on_result(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    (void)status;
    (void)rows;
    (void)error;
    (*(int *)arg)++;
}

static void on_time(void *arg)
{
    loop_stop(arg);
}

static void a_server_that_is_not_there_is_down_and_nothing_is_called(void **state)
{
    (void)state;
    int states = 0;
    int results = 0;
    struct loop *loop = NULL;
    struct timer *timer = NULL;
    struct db *db = NULL;
    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(timer_new(loop, on_time, loop, &timer), 0);
    assert_int_equal(db_open(loop, "host=/nonexistent dbname=none", on_state, &states, &db), 0);
    timer_start(timer, 20, 0);
    loop_run(loop);
    struct db_args args;
    db_args_init(&args);
    db_text(&args, "a text that is longer than sixteen bytes");
    assert_int_equal(db_query(db, "select $1", &args, on_result, &results), -ENOTCONN);
    assert_int_equal(args.count, 0); /* consumed all the same */
    assert_int_equal(db_begin(db), -ENOTCONN);
    assert_int_equal(db_commit(db, on_result, &results), -ENOTCONN);
    assert_false(db_is_up(db));
    assert_int_equal(db_in_flight(db), 0);
    db_reset(db);
    db_close(&db);
    assert_null(db);
    db_close(&db);
    timer_free(&timer);
    loop_run(loop);
    loop_free(&loop);
    assert_int_equal(states, 0);
    assert_int_equal(results, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_counted_and_bounded),
        cmocka_unit_test(arrays_take_items_of_every_type),
        cmocka_unit_test(a_server_that_is_not_there_is_down_and_nothing_is_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
