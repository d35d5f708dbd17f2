/* Clocks that run in open hours only. */
#include "feedback/rules/calendar.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define AT(hour, minute) ((hour)*60 + (minute))

/* Monday to Friday, with a break for lunch on Mondays. */
static const struct open_window weekly[] = {
    {1, AT(9, 0), AT(12, 0)}, {1, AT(13, 0), AT(17, 0)}, {2, AT(9, 0), AT(17, 0)},
    {3, AT(9, 0), AT(17, 0)}, {4, AT(9, 0), AT(17, 0)},  {5, AT(9, 0), AT(17, 0)},
};
static const struct open_window nights[] = {
    {6, AT(1, 0), AT(4, 0)},
    {7, AT(1, 0), AT(4, 0)},
    {7, AT(22, 0), AT(24, 0)},
};
static const struct open_window in_the_gap[] = {{7, AT(2, 0), AT(3, 0)}, {7, AT(2, 30), AT(3, 0)}};
static const struct date christmas[] = {{2026, 12, 25}, {2026, 12, 26}, {2027, 1, 1}};

static int64_t instant(const char *text)
{
    int64_t us = 0;

    assert_int_equal(clock_from_rfc3339(slice_of(text), &us), 0);
    return us;
}

static void check_at(int64_t at, const char *expected)
{
    char text[CLOCK_RFC3339_SIZE];

    assert_string_equal(clock_to_rfc3339(at, text), expected);
}

static struct calendar calendar_of(const char *zone, const struct open_window *windows,
                                   size_t count)
{
    struct calendar calendar = {.windows = windows,
                                .window_count = count,
                                .holidays = christmas,
                                .holiday_count = countof(christmas)};

    assert_int_equal(zone_open(zone, &calendar.zone), 0);
    return calendar;
}

static void the_clock_stops_over_the_weekend(void **state)
{
    struct calendar amsterdam = calendar_of("Europe/Amsterdam", weekly, countof(weekly));
    int64_t friday = instant("2026-11-20T16:30:00+01:00");

    (void)state;
    check_at(calendar_add_open_ms(&amsterdam, friday, HOUR), "2026-11-23T08:30:00.000Z");
    check_at(calendar_add_open_ms(&amsterdam, friday, 30 * MINUTE), "2026-11-20T16:00:00.000Z");
    check_at(calendar_add_open_ms(&amsterdam, friday, 30 * MINUTE + 1), "2026-11-23T08:00:00.001Z");
    assert_int_equal(calendar_open_ms(&amsterdam, friday, instant("2026-11-23T09:30:00+01:00")),
                     HOUR);
    assert_int_equal(calendar_add_open_ms(&amsterdam, friday, 0), friday);
    assert_int_equal(calendar_open_ms(&amsterdam, friday, friday), 0);
    assert_int_equal(calendar_open_ms(&amsterdam, friday, friday - 1), 0);
    zone_close(&amsterdam.zone);
}

static void the_clock_stops_for_lunch(void **state)
{
    struct calendar amsterdam = calendar_of("Europe/Amsterdam", weekly, countof(weekly));
    int64_t monday = instant("2026-11-23T11:45:00+01:00");

    (void)state;
    check_at(calendar_add_open_ms(&amsterdam, monday, 30 * MINUTE), "2026-11-23T12:15:00.000Z");
    check_at(calendar_add_open_ms(&amsterdam, instant("2026-11-23T12:30:00+01:00"), 1),
             "2026-11-23T12:00:00.001Z");
    assert_int_equal(calendar_open_ms(&amsterdam, monday, instant("2026-11-23T13:15:00+01:00")),
                     30 * MINUTE);
    assert_int_equal(calendar_open_ms(&amsterdam, instant("2026-11-16T00:00:00+01:00"),
                                      instant("2026-11-23T00:00:00+01:00")),
                     39 * HOUR);
    zone_close(&amsterdam.zone);
}

static void holidays_are_closed(void **state)
{
    struct calendar amsterdam = calendar_of("Europe/Amsterdam", weekly, countof(weekly));
    int64_t eve = instant("2026-12-24T16:00:00+01:00");

    (void)state;
    check_at(calendar_add_open_ms(&amsterdam, eve, 2 * HOUR), "2026-12-28T09:00:00.000Z");
    assert_false(calendar_is_working_day(&amsterdam, (struct date){2026, 12, 25}));
    assert_false(calendar_is_working_day(&amsterdam, (struct date){2026, 12, 27}));
    assert_true(calendar_is_working_day(&amsterdam, (struct date){2026, 12, 28}));
    zone_close(&amsterdam.zone);
}

static void working_days_end_when_their_last_window_closes(void **state)
{
    struct calendar amsterdam = calendar_of("Europe/Amsterdam", weekly, countof(weekly));
    int64_t friday = instant("2026-11-20T23:59:59+01:00");

    (void)state;
    check_at(calendar_add_working_days(&amsterdam, friday, 1), "2026-11-23T16:00:00.000Z");
    check_at(calendar_add_working_days(&amsterdam, friday, 10), "2026-12-04T16:00:00.000Z");
    check_at(calendar_add_working_days(&amsterdam, instant("2026-12-24T10:00:00+01:00"), 5),
             "2027-01-04T16:00:00.000Z"); /* over Christmas, two weekends and New Year */
    check_at(calendar_add_working_days(&amsterdam, instant("2026-03-27T10:00:00+01:00"), 1),
             "2026-03-30T15:00:00.000Z"); /* over the start of summer time */
    zone_close(&amsterdam.zone);
}

static void days_of_23_and_25_hours_are_as_long_as_they_last(void **state)
{
    struct calendar night = calendar_of("Europe/Amsterdam", nights, countof(nights));
    struct calendar always = calendar_of("America/New_York", NULL, 0);
    struct calendar gap = calendar_of("Europe/Amsterdam", in_the_gap, countof(in_the_gap));

    (void)state;
    assert_int_equal(calendar_open_ms(&night, instant("2026-03-29T00:00:00+01:00"),
                                      instant("2026-03-29T12:00:00+02:00")),
                     2 * HOUR);
    assert_int_equal(calendar_open_ms(&night, instant("2026-10-25T00:00:00+02:00"),
                                      instant("2026-10-25T12:00:00+01:00")),
                     4 * HOUR);
    check_at(calendar_add_open_ms(&night, instant("2026-10-25T01:00:00+02:00"), 4 * HOUR),
             "2026-10-25T03:00:00.000Z");
    assert_int_equal(calendar_open_ms(&always, instant("2026-03-08T00:00:00-05:00"),
                                      instant("2026-03-09T00:00:00-04:00")),
                     23 * HOUR);
    assert_int_equal(calendar_open_ms(&always, instant("2026-11-01T00:00:00-04:00"),
                                      instant("2026-11-02T00:00:00-05:00")),
                     25 * HOUR);
    assert_int_equal(calendar_open_ms(&gap, instant("2026-03-29T00:00:00+01:00"),
                                      instant("2026-03-29T12:00:00+02:00")),
                     0);
    check_at(calendar_add_working_days(&night, instant("2026-10-24T12:00:00+02:00"), 1),
             "2026-10-25T23:00:00.000Z");
    zone_close(&night.zone);
    zone_close(&always.zone);
    zone_close(&gap.zone);
}

static void without_windows_every_day_is_open_but_holidays(void **state)
{
    struct calendar kathmandu = calendar_of("Asia/Kathmandu", NULL, 0);
    int64_t eve = instant("2026-12-24T18:00:00+05:45");

    (void)state;
    check_at(calendar_add_open_ms(&kathmandu, eve, 7 * HOUR), "2026-12-26T19:15:00.000Z");
    check_at(calendar_add_working_days(&kathmandu, eve, 1), "2026-12-27T18:15:00.000Z");
    assert_int_equal(calendar_open_ms(&kathmandu, eve, instant("2026-12-27T01:00:00+05:45")),
                     7 * HOUR);
    zone_close(&kathmandu.zone);
}

static void what_never_opens_never_comes(void **state)
{
    static const struct open_window never[] = {{5, AT(9, 0), AT(17, 0)}};
    struct date fridays[600];
    struct calendar calendar = calendar_of("UTC", never, countof(never));
    int64_t now = instant("2026-11-22T00:00:00Z");

    (void)state;
    for (size_t i = 0; i < countof(fridays); i++) {
        fridays[i] = date_add((struct date){2026, 11, 27}, (int64_t)i * 7);
    }
    calendar.holidays = fridays;
    calendar.holiday_count = countof(fridays);
    assert_int_equal(calendar_add_open_ms(&calendar, now, 1), CALENDAR_NEVER);
    assert_int_equal(calendar_add_working_days(&calendar, now, 1), CALENDAR_NEVER);
    zone_close(&calendar.zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_stops_over_the_weekend),
        cmocka_unit_test(the_clock_stops_for_lunch),
        cmocka_unit_test(holidays_are_closed),
        cmocka_unit_test(working_days_end_when_their_last_window_closes),
        cmocka_unit_test(days_of_23_and_25_hours_are_as_long_as_they_last),
        cmocka_unit_test(without_windows_every_day_is_open_but_holidays),
        cmocka_unit_test(what_never_opens_never_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
