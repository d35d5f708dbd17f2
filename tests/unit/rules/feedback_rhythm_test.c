/* From when to when a promise counts. */
#include "feedback/rules/rhythm.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t instant(const char *text)
{
    int64_t us = 0;

    assert_int_equal(clock_from_rfc3339(slice_of(text), &us), 0);
    return us;
}

static void check_from(const char *name, enum rhythm_period period, const char *now,
                       const char *expected)
{
    char text[DATE_TEXT_SIZE];
    struct zone *zone = NULL;

    assert_int_equal(zone_open(name, &zone), 0);
    assert_string_equal(date_print(rhythm_from(zone, period, instant(now)), text), expected);
    zone_close(&zone);
}

static void check_until(enum rhythm_period period, const char *from, const char *now,
                        const char *expected)
{
    char text[DATE_TEXT_SIZE];
    struct zone *zone = NULL;
    struct date date = {0};

    assert_int_equal(zone_open("America/New_York", &zone), 0);
    assert_int_equal(date_parse(from, &date), 0);
    assert_string_equal(date_print(rhythm_until(zone, period, date, instant(now)), text), expected);
    zone_close(&zone);
}

static void it_begins_after_the_day_it_was_declared_on(void **state)
{
    (void)state;
    check_from("Europe/Paris", RHYTHM_WEEK, "2026-11-22T12:00:00Z", "2026-11-23");
    check_from("Europe/Paris", RHYTHM_WEEK, "2026-11-23T12:00:00Z", "2026-11-30"); /* a Monday */
    check_from("Europe/Paris", RHYTHM_MONTH, "2026-12-31T12:00:00Z", "2027-01-01");
    check_from("Europe/Paris", RHYTHM_MONTH, "2026-12-01T12:00:00Z", "2027-01-01");
}

static void days_are_those_of_its_time_zone(void **state)
{
    (void)state;
    check_from("Europe/Paris", RHYTHM_WEEK, "2026-11-22T23:30:00Z", "2026-11-30");
    check_from("America/New_York", RHYTHM_WEEK, "2026-11-23T04:30:00Z", "2026-11-23");
    check_from("Asia/Kathmandu", RHYTHM_MONTH, "2026-11-30T18:15:00Z", "2027-01-01");
    check_from("Europe/Paris", RHYTHM_WEEK, "2026-03-29T00:30:00Z", "2026-03-30"); /* 23 hours */
}

static void it_ends_with_what_is_under_way(void **state)
{
    (void)state;
    check_until(RHYTHM_WEEK, "2026-11-02", "2026-11-18T12:00:00Z", "2026-11-22");
    check_until(RHYTHM_WEEK, "2026-11-02", "2026-11-22T12:00:00Z", "2026-11-22");
    check_until(RHYTHM_WEEK, "2026-11-16", "2026-11-16T12:00:00Z", "2026-11-22");
    check_until(RHYTHM_MONTH, "2026-11-01", "2026-12-01T04:59:59Z", "2026-11-30");
    check_until(RHYTHM_MONTH, "2024-02-01", "2024-02-10T12:00:00Z", "2024-02-29");
}

static void what_ends_before_it_began_never_counted(void **state)
{
    (void)state;
    check_until(RHYTHM_WEEK, "2026-11-23", "2026-11-22T12:00:00Z", "2026-11-22");
    check_until(RHYTHM_MONTH, "2026-12-01", "2026-11-22T12:00:00Z", "2026-11-30");
}

static void check_refused(int practice, uint32_t times, int period, const char *field)
{
    struct objection objection = {0};

    assert_int_equal(rhythm_check(practice, times, period, &objection),
                     field[0] != '\0' ? -EINVAL : 0);
    assert_string_equal(objection.field, field);
}

static void a_promise_has_bounds(void **state)
{
    (void)state;
    check_refused(1, 1, RHYTHM_WEEK, "");
    check_refused(7, 50, RHYTHM_MONTH, "");
    check_refused(0, 1, RHYTHM_WEEK, "practice");
    check_refused(8, 1, RHYTHM_WEEK, "practice");
    check_refused(1, 0, RHYTHM_WEEK, "times");
    check_refused(1, 51, RHYTHM_WEEK, "times");
    check_refused(1, 1, RHYTHM_UNKNOWN, "period");
    check_refused(1, 1, 3, "period");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_after_the_day_it_was_declared_on),
        cmocka_unit_test(days_are_those_of_its_time_zone),
        cmocka_unit_test(it_ends_with_what_is_under_way),
        cmocka_unit_test(what_ends_before_it_began_never_counted),
        cmocka_unit_test(a_promise_has_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
