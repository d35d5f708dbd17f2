#include "base/clock.h"
#include "base/metric.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct {
    struct loop *loop;
    struct timer *one;
    struct timer *two;
    char trace[64];
    int count;
    int64_t started_us;
    uint64_t delay_ms;
} t;

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    return loop_new(&t.loop);
}

static int stop(void **state)
{
    (void)state;
    timer_free(&t.one);
    timer_free(&t.two);
    loop_free(&t.loop);
    return t.loop ? -1 : 0;
}

static void note(const char *what)
{
    strcat(t.trace, what);
}

static void on_one(void *arg)
{
    note(arg);
}

static void on_two(void *arg)
{
    note(arg);
    loop_stop(t.loop);
}

static void timers_fire_in_the_order_of_their_delays(void **state)
{
    (void)state;
    char first[] = "1";
    char second[] = "2";
    assert_int_equal(timer_new(t.loop, on_two, second, &t.two), 0);
    assert_int_equal(timer_new(t.loop, on_one, first, &t.one), 0);
    timer_start(t.two, 50, 0);
    timer_start(t.one, 1, 0);
    assert_true(timer_is_active(t.two));
    loop_run(t.loop);
    assert_string_equal(t.trace, "12");
    assert_false(timer_is_active(t.two));
}

static void starting_again_replaces_and_stopping_stops(void **state)
{
    (void)state;
    char first[] = "1";
    char second[] = "2";
    assert_int_equal(timer_new(t.loop, on_one, first, &t.one), 0);
    assert_int_equal(timer_new(t.loop, on_two, second, &t.two), 0);
    timer_start(t.one, 1, 0);
    timer_stop(t.one);
    timer_start(t.two, 1000000, 0);
    timer_start(t.two, 2, 0);
    loop_run(t.loop);
    assert_string_equal(t.trace, "2");
}

static void on_third(void *arg)
{
    (void)arg;
    if (++t.count == 3)
        timer_free(&t.one);
}

static void a_repeating_timer_may_free_itself(void **state)
{
    (void)state;
    assert_int_equal(timer_new(t.loop, on_third, NULL, &t.one), 0);
    timer_start(t.one, 0, 1);
    loop_run(t.loop); /* ends because nothing is left to wait for */
    assert_int_equal(t.count, 3);
    assert_null(t.one);
}

struct task {
    int worked; /* written by the other thread; read here only after done */
    int done;
};

static void work(void *arg)
{
    struct task *task = arg;
    task->worked = 42;
}

static void on_worked(void *arg)
{
    struct task *task = arg;
    task->done = task->worked;
}

static void work_runs_elsewhere_and_is_done_here(void **state)
{
    (void)state;
    struct task task = {0};
    assert_int_equal(loop_work(t.loop, work, on_worked, &task), 0);
    assert_int_equal(task.done, 0);
    loop_run(t.loop);
    assert_int_equal(task.done, 42);
}

static void a_loop_can_be_freed_while_work_is_under_way(void **state)
{
    (void)state;
    struct task task = {0};
    assert_int_equal(loop_work(t.loop, work, on_worked, &task), 0);
    loop_free(&t.loop);
    assert_int_equal(task.done, 42);
}

static void busy(void *arg)
{
    (void)arg;
    struct timespec from, now;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < 20000000L);
}

static double lag_sum(void)
{
    struct buf out;
    buf_init(&out, 1000000);
    assert_int_equal(metric_write(&out), 0);
    const char *at = strstr(buf_text(&out), "\nmoment_loop_lag_seconds_sum ");
    assert_non_null(at);
    double sum = strtod(at + strlen("\nmoment_loop_lag_seconds_sum "), NULL);
    buf_done(&out);
    return sum;
}

static void on_busy_then_start(void *arg)
{
    busy(arg);
    t.started_us = clock_mono_us();
    timer_start(t.two, t.delay_ms, 0);
}

static void a_delay_counts_from_the_call_and_not_from_the_turn(void **state)
{
    (void)state;
    char second[] = "2";
    assert_int_equal(timer_new(t.loop, on_busy_then_start, NULL, &t.one), 0);
    assert_int_equal(timer_new(t.loop, on_two, second, &t.two), 0);
    timer_start(t.one, 0, 0);
    t.delay_ms = 10;
    loop_run(t.loop);
    /* libuv counts whole milliseconds. */
    assert_true(clock_mono_us() - t.started_us > 8900);
}

static void a_callback_that_blocks_shows_in_the_lag_but_waiting_does_not(void **state)
{
    (void)state;
    char second[] = "2";
    double before_s = lag_sum();
    int64_t from_us = clock_mono_us();
    assert_int_equal(timer_new(t.loop, on_busy_then_start, NULL, &t.one), 0);
    assert_int_equal(timer_new(t.loop, on_two, second, &t.two), 0);
    timer_start(t.one, 0, 0);
    t.delay_ms = 100;
    loop_run(t.loop);
    double lag_s = lag_sum() - before_s;
    double whole_s = (double)(clock_mono_us() - from_us) / 1e6;
    assert_true(lag_s >= 0.020);
    assert_true(whole_s - lag_s > 0.050); /* however slow the machine is: 100 ms were waited */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_the_order_of_their_delays, start, stop),
        cmocka_unit_test_setup_teardown(starting_again_replaces_and_stopping_stops, start, stop),
        cmocka_unit_test_setup_teardown(a_repeating_timer_may_free_itself, start, stop),
        cmocka_unit_test_setup_teardown(work_runs_elsewhere_and_is_done_here, start, stop),
        cmocka_unit_test_setup_teardown(a_loop_can_be_freed_while_work_is_under_way, start, stop),
        cmocka_unit_test_setup_teardown(a_delay_counts_from_the_call_and_not_from_the_turn, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            a_callback_that_blocks_shows_in_the_lag_but_waiting_does_not, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
