#include "base/date.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct date day(const char *text)
{
    struct date date = {0};

    assert_int_equal(date_parse(text, &date), 0);
    return date;
}

static void check(struct date date, const char *expected)
{
    char text[DATE_TEXT_SIZE];

    assert_string_equal(date_print(date, text), expected);
}

static void every_day_of_four_centuries_has_its_own_number(void **state)
{
    struct date last = day("1799-12-31");

    (void)state;
    for (int64_t number = date_number(last) + 1; last.year < 2210; number++) {
        struct date date = date_of_number(number);

        assert_int_equal(date_number(date), number);
        assert_int_equal(date_compare(date, last), 1);
        assert_true(date.day == last.day + 1 || date.day == 1);
        assert_int_equal(date_weekday(date), date_weekday(last) % 7 + 1);
        last = date;
    }
    assert_int_equal(date_number(day("1970-01-01")), 0);
    assert_int_equal(date_number(day("2000-03-01")), 11017);
}

static void weeks_begin_on_monday_and_months_on_their_first(void **state)
{
    (void)state;
    assert_int_equal(date_weekday(day("1970-01-01")), 4);
    assert_int_equal(date_weekday(day("2026-03-29")), 7);
    assert_int_equal(date_weekday(day("1969-12-29")), 1);
    check(date_monday(day("2027-01-03")),
          "2026-12-28"); /* the last week of 2026 has four days of 2027 */
    check(date_monday(day("2026-03-30")), "2026-03-30");
    check(date_month(day("2024-02-29")), "2024-02-01");
    check(date_next_month(day("2026-12-31")), "2027-01-01");
    check(date_next_month(day("2026-11-30")), "2026-12-01");
    check(date_add(day("2024-02-28"), 1), "2024-02-29");
    check(date_add(day("2026-01-01"), -1), "2025-12-31");
}

static void what_is_no_day_is_refused(void **state)
{
    static const char *const bad[] = {
        "",           "2026-02-29", "2026-04-31", "1900-02-29", "2026-13-01",  "2026-00-10",
        "2026-01-00", "2026-1-01",  "2026/01/01", "0000-01-01", "2026-01-01 ", "+026-01-01",
    };
    struct date date;

    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        assert_int_equal(date_parse(bad[i], &date), -EINVAL);
    }
    check(day("2000-02-29"), "2000-02-29");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_four_centuries_has_its_own_number),
        cmocka_unit_test(weeks_begin_on_monday_and_months_on_their_first),
        cmocka_unit_test(what_is_no_day_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
