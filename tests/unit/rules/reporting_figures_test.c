#include "reporting/rules/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double value, double expected, double within)
{
    assert_true(value >= expected - within);
    assert_true(value <= expected + within);
}

static void a_zero_denominator_is_no_figure(void **state)
{
    const struct counts none = {0};

    (void)state;
    assert_false(figure_abandon_rate(&none).has_value);
    assert_false(figure_csat(&none).has_value);
    assert_false(figure_asa(&none).has_value);
    assert_false(figure_aht(&none).has_value);
}

static void speed_of_answer_leaves_out_who_was_not_answered(void **state)
{
    const struct counts counts = {.offered = 10,
                                  .answered = 4,
                                  .abandoned = 6,
                                  .wait_answered_n = 3,
                                  .wait_answered_ms = 30000,
                                  .wait_longest_ms = 90000};

    (void)state;
    assert_near(figure_asa(&counts).value, 10000, 1e-9);
    assert_int_equal(figure_asa(&counts).n, 3);
}

/* 180 + 30 + 60 = 270 s */
static void handle_time_is_talk_hold_and_wrap(void **state)
{
    const struct counts counts = {
        .handled = 2, .talk_ms = 360000, .hold_ms = 60000, .wrap_ms = 120000};

    (void)state;
    assert_near(figure_aht(&counts).value, 270000, 1e-9);
}

static void abandon_rate_is_of_all_offered(void **state)
{
    const struct counts counts = {
        .offered = 8, .answered = 5, .abandoned = 2, .short_abandoned = 1};

    (void)state;
    assert_near(figure_abandon_rate(&counts).value, 0.25, 1e-12);
    assert_int_equal(figure_abandon_rate(&counts).n, 8);
}

static void satisfaction_is_the_share_of_four_and_five(void **state)
{
    const struct counts counts = {.csat_n = 8, .csat_sum = 30, .csat_satisfied = 6};

    (void)state;
    assert_near(figure_csat(&counts).value, 0.75, 1e-12);
}

static void counts_add_up_but_the_longest_is_the_longest(void **state)
{
    const struct counts one = {1,  2,   3,  4,  5,  6,  7,    8,  9,  10,
                               11, 500, 13, 14, 15, 16, 17.5, 18, 19, 20};
    struct counts sum = one;

    (void)state;
    counts_add(&sum, &one);
    const struct counts twice = {2,  4,   6,  8,  10, 12, 14, 16, 18, 20,
                                 22, 500, 26, 28, 30, 32, 35, 36, 38, 40};

    assert_memory_equal(&sum, &twice, sizeof(sum));
    sum.wait_longest_ms = 900;
    counts_add(&sum, &one);
    assert_int_equal(sum.wait_longest_ms, 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zero_denominator_is_no_figure),
        cmocka_unit_test(speed_of_answer_leaves_out_who_was_not_answered),
        cmocka_unit_test(handle_time_is_talk_hold_and_wrap),
        cmocka_unit_test(abandon_rate_is_of_all_offered),
        cmocka_unit_test(satisfaction_is_the_share_of_four_and_five),
        cmocka_unit_test(counts_add_up_but_the_longest_is_the_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
