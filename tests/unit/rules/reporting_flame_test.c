#include "reporting/rules/flame.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR (INT64_C(3600) * 1000000)

static struct zone *zone;

static void assert_near(double value, double expected)
{
    assert_true(value > expected - 1e-9 && value < expected + 1e-9);
}

/* The instant at which clocks there show that hour. */
static int64_t at(int year, int month, int day, int hour)
{
    return zone_instant(zone, (struct date){year, month, day}, hour * 60);
}

/* Twice a week since Monday 2 March 2026. */
static const struct promise twice[] = {{.from = {2026, 3, 2}, .times = 2}};

static void weeks_are_promised_and_kept(void **state)
{
    const int64_t acts[] = {at(2026, 3, 2, 9), at(2026, 3, 8, 23), at(2026, 3, 9, 0),
                            at(2026, 3, 18, 12)};
    const struct flame_question question = {FLAME_WEEK,          twice, 1, acts, countof(acts),
                                            at(2026, 3, 19, 12), 4};
    struct flame flame;

    (void)state;
    flame_compute(zone, &question, &flame);
    assert_int_equal(flame.period_count, 4);
    /* Before the promise nothing is owed, and an act there would not count for it. */
    assert_int_equal(flame.periods[0].promised, 0);
    assert_int_equal(flame.periods[1].promised, 2);
    assert_int_equal(flame.periods[1].kept, 2);
    assert_int_equal(flame.periods[2].kept, 1);
    assert_true(flame.periods[2].is_over);
    assert_int_equal(flame.periods[3].kept, 1);
    assert_false(flame.periods[3].is_over);
    assert_int_equal(flame.promised, 4);
    assert_int_equal(flame.kept, 3);
    assert_near(flame.ewma, 0.3 * 0.5 + 0.7 * 1.0);
}

static void doing_more_does_not_make_up_for_another_week(void **state)
{
    const int64_t acts[] = {at(2026, 3, 2, 9), at(2026, 3, 2, 10), at(2026, 3, 2, 11),
                            at(2026, 3, 2, 12)};
    const struct flame_question question = {FLAME_WEEK,          twice, 1, acts, countof(acts),
                                            at(2026, 3, 16, 12), 3};
    struct flame flame;

    (void)state;
    flame_compute(zone, &question, &flame);
    assert_int_equal(flame.periods[0].kept, 4);
    assert_int_equal(flame.promised, 4);
    assert_int_equal(flame.kept, 2);
}

static void the_longest_gap_counts_from_the_promise_and_until_now(void **state)
{
    const int64_t acts[] = {at(2026, 3, 4, 0), at(2026, 3, 5, 0)};
    struct flame_question question = {FLAME_WEEK,        twice, 1, acts, countof(acts),
                                      at(2026, 3, 7, 0), 3};
    struct flame flame;

    (void)state;
    flame_compute(zone, &question, &flame);
    assert_true(flame.has_gap);
    assert_near(flame.longest_gap_days, 2); /* Monday to Wednesday, and Thursday to Saturday */
    question.now = at(2026, 3, 15, 0);
    flame_compute(zone, &question, &flame);
    assert_near(flame.longest_gap_days, 10);
    question.act_count = 0;
    flame_compute(zone, &question, &flame);
    assert_near(flame.longest_gap_days, 13);
}

/* The week of 29 March 2026 has 167 hours at Amsterdam: its last hour belongs to it. */
static void a_week_with_a_day_of_23_hours_ends_at_midnight(void **state)
{
    const int64_t acts[] = {at(2026, 3, 29, 23), at(2026, 3, 30, 0)};
    const struct flame_question question = {FLAME_WEEK,        twice, 1, acts, countof(acts),
                                            at(2026, 4, 1, 0), 2};
    struct flame flame;

    (void)state;
    flame_compute(zone, &question, &flame);
    assert_int_equal(flame.periods[0].kept, 1);
    assert_int_equal(flame.periods[1].kept, 1);
    assert_true(flame.periods[0].end_at - flame.periods[0].from_at == 167 * HOUR);
}

static void months_and_a_promise_that_was_changed(void **state)
{
    const struct promise promises[] = {
        {.from = {2026, 1, 1}, .until = {2026, 2, 28}, .times = 1},
        {.from = {2026, 3, 1}, .times = 3},
    };
    const int64_t acts[] = {at(2026, 2, 28, 23), at(2026, 3, 1, 1)};
    const struct flame_question question = {
        FLAME_MONTH, promises, countof(promises), acts, countof(acts), at(2026, 4, 2, 0), 4};
    struct flame flame;

    (void)state;
    flame_compute(zone, &question, &flame);
    assert_int_equal(flame.periods[0].promised, 1);
    assert_int_equal(flame.periods[0].kept, 0);
    assert_int_equal(flame.periods[1].promised, 1);
    assert_int_equal(flame.periods[1].kept, 1);
    assert_int_equal(flame.periods[2].promised, 3);
    assert_int_equal(flame.periods[2].kept, 1);
    assert_int_equal(flame.periods[3].promised, 3);
    assert_int_equal(flame.promised, 5);
    assert_int_equal(flame.kept, 2);
    assert_true(flame_begin(zone, FLAME_MONTH, 4, question.now) == flame.periods[0].from_at);
}

static void a_promise_that_ended_asks_nothing(void **state)
{
    const struct promise ended[] = {{.from = {2026, 3, 2}, .until = {2026, 3, 8}, .times = 2}};
    const struct flame_question question = {FLAME_WEEK, ended, 1, NULL, 0, at(2026, 3, 25, 0), 4};
    struct flame flame;

    (void)state;
    flame_compute(zone, &question, &flame);
    assert_int_equal(flame.periods[0].promised, 2);
    assert_int_equal(flame.periods[1].promised, 0);
    assert_near(flame.longest_gap_days, 7);
    assert_near(flame.ewma, 0);
    assert_int_equal(flame.promised, 2);
}

static void without_a_promise_there_is_no_figure(void **state)
{
    const int64_t acts[] = {at(2026, 3, 4, 0)};
    const struct flame_question question = {FLAME_WEEK, NULL, 0, acts, 1, at(2026, 3, 25, 0), 4};
    struct flame flame;

    (void)state;
    flame_compute(zone, &question, &flame);
    assert_false(flame.has_gap);
    assert_false(flame.has_ewma);
    assert_int_equal(flame.promised, 0);
}

static int open_zone(void **state)
{
    (void)state;
    return zone_open("Europe/Amsterdam", &zone);
}

static int close_zone(void **state)
{
    (void)state;
    zone_close(&zone);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weeks_are_promised_and_kept),
        cmocka_unit_test(doing_more_does_not_make_up_for_another_week),
        cmocka_unit_test(the_longest_gap_counts_from_the_promise_and_until_now),
        cmocka_unit_test(a_week_with_a_day_of_23_hours_ends_at_midnight),
        cmocka_unit_test(months_and_a_promise_that_was_changed),
        cmocka_unit_test(a_promise_that_ended_asks_nothing),
        cmocka_unit_test(without_a_promise_there_is_no_figure),
    };

    return cmocka_run_group_tests(tests, open_zone, close_zone);
}
