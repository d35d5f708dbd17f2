#include "base/zone.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define US_PER_HOUR (3600 * US_PER_S)

static struct zone *zone_of(const char *name)
{
    struct zone *zone = NULL;

    assert_int_equal(zone_open(name, &zone), 0);
    return zone;
}

static int64_t at(const char *text)
{
    int64_t us = 0;

    assert_int_equal(clock_from_rfc3339(slice_of(text), &us), 0);
    return us;
}

static struct date day(const char *text)
{
    struct date date = {0};

    assert_int_equal(date_parse(text, &date), 0);
    return date;
}

static void check_civil(const char *name, const char *instant, const char *expected)
{
    struct zone *zone = zone_of(name);
    struct civil civil = zone_civil(zone, at(instant));
    char date[DATE_TEXT_SIZE], text[64];

    (void)snprintf(text, sizeof(text), "%s %d %02d:%02d:%02d", date_print(civil.date, date),
                   civil.weekday, civil.minute / 60, civil.minute % 60, civil.second);
    assert_string_equal(text, expected);
    zone_close(&zone);
}

static void check_instant(const char *name, const char *date, int minute, const char *expected)
{
    struct zone *zone = zone_of(name);
    char text[CLOCK_RFC3339_SIZE];

    assert_string_equal(clock_to_rfc3339(zone_instant(zone, day(date), minute), text), expected);
    zone_close(&zone);
}

static int64_t hours_of(const char *name, const char *date)
{
    struct zone *zone = zone_of(name);
    int64_t from = zone_instant(zone, day(date), 0);
    int64_t to = zone_instant(zone, day(date), ZONE_DAY_MINUTES);

    zone_close(&zone);
    assert_int_equal((to - from) % US_PER_HOUR, 0);
    return (to - from) / US_PER_HOUR;
}

static void names_that_no_zone_has_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "Europe/Amsterdm",
        "Mars/Olympus",
        "GMT+3",
        "europe",
        "Etc/Unknown",
        "Europe/\xc3\x84msterdam",
        "A/very/long/name/that/no/zone/of/this/world/could/ever/possibly/have"};
    struct zone *zone = NULL;

    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        assert_int_equal(zone_open(bad[i], &zone), -ENOENT);
        assert_null(zone);
    }
    zone_close(&zone);
    zone = zone_of("UTC");
    zone_close(&zone);
    assert_null(zone);
}

static void clocks_show_the_time_of_their_place(void **state)
{
    (void)state;
    check_civil("Europe/Amsterdam", "2026-03-02T14:06:05Z", "2026-03-02 1 15:06:05");
    check_civil("Europe/Amsterdam", "2026-07-05T22:00:00Z", "2026-07-06 1 00:00:00");
    check_civil("America/New_York", "2026-01-01T04:59:59.999Z", "2025-12-31 3 23:59:59");
    check_civil("Asia/Kathmandu", "2026-12-31T18:15:00Z", "2027-01-01 5 00:00:00");
    check_civil("UTC", "1969-12-31T23:59:59.999999Z", "1969-12-31 3 23:59:59");
    check_instant("Asia/Kathmandu", "2026-11-22", 9 * 60 + 30, "2026-11-22T03:45:00.000Z");
    check_instant("America/New_York", "2026-07-04", 0, "2026-07-04T04:00:00.000Z");
}

static void days_are_as_long_as_clocks_make_them(void **state)
{
    (void)state;
    assert_int_equal(hours_of("Europe/Amsterdam", "2026-03-29"), 23);
    assert_int_equal(hours_of("Europe/Amsterdam", "2026-10-25"), 25);
    assert_int_equal(hours_of("America/New_York", "2026-03-08"), 23);
    assert_int_equal(hours_of("America/New_York", "2026-11-01"), 25);
    assert_int_equal(hours_of("Asia/Kathmandu", "2026-03-29"), 24);
    assert_int_equal(hours_of("America/Sao_Paulo", "2018-11-04"), 23); /* has no midnight */
    assert_int_equal(hours_of("America/Sao_Paulo", "2018-02-17"), 25);
}

static void a_time_in_the_gap_is_read_with_the_offset_before(void **state)
{
    (void)state;
    check_instant("Europe/Amsterdam", "2026-03-29", 119, "2026-03-29T00:59:00.000Z");
    check_instant("Europe/Amsterdam", "2026-03-29", 150, "2026-03-29T01:30:00.000Z");
    check_civil("Europe/Amsterdam", "2026-03-29T01:30:00Z", "2026-03-29 7 03:30:00");
    check_instant("Europe/Amsterdam", "2026-03-29", 180, "2026-03-29T01:00:00.000Z");
    check_instant("America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00:00.000Z");
}

static void a_time_that_comes_twice_is_its_first_coming(void **state)
{
    (void)state;
    check_instant("Europe/Amsterdam", "2026-10-25", 150, "2026-10-25T00:30:00.000Z");
    check_civil("Europe/Amsterdam", "2026-10-25T01:30:00Z", "2026-10-25 7 02:30:00");
    check_instant("Europe/Amsterdam", "2026-10-25", 180, "2026-10-25T02:00:00.000Z");
}

static void starts_of_day_week_and_month(void **state)
{
    struct zone *zone = zone_of("Europe/Amsterdam");
    int64_t sunday = at("2026-03-29T21:59:59.999999Z"); /* clocks are an hour further already */

    (void)state;
    assert_int_equal(zone_day_start(zone, sunday), at("2026-03-28T23:00:00Z"));
    assert_int_equal(zone_week_start(zone, sunday), at("2026-03-22T23:00:00Z"));
    assert_int_equal(zone_month_start(zone, sunday), at("2026-02-28T23:00:00Z"));
    assert_int_equal(zone_week_start(zone, sunday + 1), at("2026-03-29T22:00:00Z"));
    assert_int_equal(zone_week_start(zone, at("2027-01-02T12:00:00Z")), at("2026-12-27T23:00:00Z"));
    assert_int_equal(zone_month_start(zone, at("2026-12-31T23:00:00Z")),
                     at("2026-12-31T23:00:00Z"));
    zone_close(&zone);
}

static void days_are_added_on_the_calendar(void **state)
{
    struct zone *zone = zone_of("Europe/Amsterdam");

    (void)state;
    assert_int_equal(zone_add_days(zone, at("2026-03-28T11:00:00.000007Z"), 1),
                     at("2026-03-29T10:00:00.000007Z"));
    assert_int_equal(zone_add_days(zone, at("2026-10-26T11:00:00Z"), -2),
                     at("2026-10-24T10:00:00Z"));
    zone_close(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_no_zone_has_are_refused),
        cmocka_unit_test(clocks_show_the_time_of_their_place),
        cmocka_unit_test(days_are_as_long_as_clocks_make_them),
        cmocka_unit_test(a_time_in_the_gap_is_read_with_the_offset_before),
        cmocka_unit_test(a_time_that_comes_twice_is_its_first_coming),
        cmocka_unit_test(starts_of_day_week_and_month),
        cmocka_unit_test(days_are_added_on_the_calendar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
