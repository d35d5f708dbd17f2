/* How far a source's clock is behind ours. */
#include "feedback/rules/source_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define S INT64_C(1000000)
#define TRUST (300 * S)

static void a_small_difference_is_delay(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    assert_int_equal(source_clock_skew(&clock, TRUST), 0);
    source_clock_hear(&clock, 1000 * S, 1025 * S);
    assert_int_equal(source_clock_difference(&clock), 25 * S);
    assert_int_equal(source_clock_skew(&clock, TRUST), 0);
}

static void a_replay_of_old_events_shifts_the_clock(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_hear(&clock, 1000 * S, 5000 * S);
    source_clock_hear(&clock, 1010 * S, 5010 * S + 300);
    assert_int_equal(source_clock_skew(&clock, TRUST), 4000 * S);
}

static void a_clock_that_is_ahead_is_always_corrected(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_hear(&clock, 1000 * S, 997 * S);
    assert_int_equal(source_clock_skew(&clock, TRUST), -3 * S);
}

static void one_late_event_changes_nothing(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_hear(&clock, 1000 * S, 1000 * S);
    source_clock_hear(&clock, 10 * S, 1001 * S);
    assert_int_equal(source_clock_difference(&clock), 0);
}

static void one_event_from_the_future_changes_nothing(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_hear(&clock, 1000 * S, 1000 * S + 2000);
    source_clock_hear(&clock, 90000 * S, 1001 * S);
    assert_int_equal(source_clock_difference(&clock), 2000);
    /* Two of them make a clock that is ahead. */
    source_clock_hear(&clock, 90002 * S, 1003 * S);
    assert_int_equal(source_clock_difference(&clock), -88999 * S);
}

static void catching_up_moves_the_clock_with_the_events(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_hear(&clock, 1000 * S, 9000 * S);
    source_clock_hear(&clock, 5000 * S, 9001 * S);
    assert_int_equal(source_clock_skew(&clock, TRUST), 4001 * S);
    source_clock_hear(&clock, 9001 * S, 9002 * S);
    assert_int_equal(source_clock_skew(&clock, TRUST), 0);
}

static void a_clock_that_was_set_back_is_believed_after_two_windows(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_hear(&clock, 1000 * S, 1000 * S);
    for (int64_t at = 1000; at < 1000 + 2 * 300 + 10; at += 5) {
        source_clock_hear(&clock, (at - 900) * S, at * S);
    }
    assert_int_equal(source_clock_skew(&clock, TRUST), 900 * S);
}

static void an_outlier_is_left_out_across_windows_too(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_hear(&clock, 1000 * S, 1000 * S + 5);
    source_clock_hear(&clock, 1001 * S, 1001 * S + 4);
    source_clock_hear(&clock, 1002 * S, 1002 * S + 6);
    assert_int_equal(source_clock_difference(&clock), 4);
    source_clock_hear(&clock, 90000 * S, 1301 * S); /* begins a window */
    assert_int_equal(source_clock_difference(&clock), 4);
    /* A minute ahead is believed at once, more is not. */
    clock = (struct source_clock){0};
    source_clock_hear(&clock, 1000 * S, 1000 * S);
    source_clock_hear(&clock, 1061 * S, 1001 * S);
    assert_int_equal(source_clock_difference(&clock), -60 * S);
    clock = (struct source_clock){0};
    source_clock_hear(&clock, 1000 * S, 1000 * S);
    source_clock_hear(&clock, 1062 * S, 1001 * S);
    assert_int_equal(source_clock_difference(&clock), 0);
}

static void the_trust_is_a_limit(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_hear(&clock, 1000 * S, 1300 * S - 1);
    assert_int_equal(source_clock_skew(&clock, TRUST), 0);
    clock = (struct source_clock){0};
    source_clock_hear(&clock, 1000 * S, 1300 * S);
    assert_int_equal(source_clock_skew(&clock, TRUST), TRUST);
}

static void a_seed_holds_until_something_better_is_heard(void **state)
{
    struct source_clock clock = {0};

    (void)state;
    source_clock_seed(&clock, 4000 * S);
    source_clock_seed(&clock, 4100 * S);
    assert_int_equal(source_clock_skew(&clock, TRUST), 4000 * S);
    source_clock_hear(&clock, 1000 * S, 1001 * S);
    assert_int_equal(source_clock_skew(&clock, TRUST), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_difference_is_delay),
        cmocka_unit_test(a_replay_of_old_events_shifts_the_clock),
        cmocka_unit_test(a_clock_that_is_ahead_is_always_corrected),
        cmocka_unit_test(one_late_event_changes_nothing),
        cmocka_unit_test(one_event_from_the_future_changes_nothing),
        cmocka_unit_test(catching_up_moves_the_clock_with_the_events),
        cmocka_unit_test(a_clock_that_was_set_back_is_believed_after_two_windows),
        cmocka_unit_test(an_outlier_is_left_out_across_windows_too),
        cmocka_unit_test(the_trust_is_a_limit),
        cmocka_unit_test(a_seed_holds_until_something_better_is_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
