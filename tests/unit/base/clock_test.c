#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static int64_t parsed(const char *text)
{
    int64_t us = INT64_MIN;
    assert_int_equal(clock_from_rfc3339(slice_of(text), &us), 0);
    return us;
}

static void a_set_clock_stands_still_and_can_be_given_back(void **state)
{
    (void)state;
    clock_set_for_test(1000, 77);
    assert_int_equal(clock_wall_us(), 1000);
    assert_int_equal(clock_mono_us(), 77);
    clock_set_for_test(-1, 0);
    assert_true(clock_wall_us() > INT64_C(1500000000) * US_PER_S);
    int64_t first = clock_mono_us();
    assert_true(clock_mono_us() >= first && first > 77);
}

static void known_times_print_and_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"1970-01-01T00:00:00.000Z", 0},
        {"2026-03-02T14:06:05.123Z", INT64_C(1772460365123000)},
        {"2000-02-29T23:59:59.999Z", INT64_C(951868799999000)},
        {"1969-12-31T23:59:59.999Z", -1000},
        {"0000-01-01T00:00:00.000Z", INT64_C(-62167219200000000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999000)},
    };
    char text[CLOCK_RFC3339_SIZE];
    for (size_t i = 0; i < countof(cases); i++) {
        assert_string_equal(clock_to_rfc3339(cases[i].us, text), cases[i].text);
        assert_true(parsed(cases[i].text) == cases[i].us);
    }
    /* Below a millisecond is cut towards the past, also before 1970; far ends are clamped. */
    assert_string_equal(clock_to_rfc3339(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(clock_to_rfc3339(1999, text), "1970-01-01T00:00:00.001Z");
    assert_string_equal(clock_to_rfc3339(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(clock_to_rfc3339(INT64_MIN, text), "0000-01-01T00:00:00.000Z");
}

static void every_day_agrees_with_the_c_library(void **state)
{
    (void)state;
    char text[CLOCK_RFC3339_SIZE];
    char wanted[CLOCK_RFC3339_SIZE];
    for (int64_t day = -200000; day <= 200000; day += 1) {
        time_t seconds = (time_t)(day * 86400 + 3661);
        struct tm parts;
        gmtime_r(&seconds, &parts);
        strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
        clock_to_rfc3339(seconds * US_PER_S, text);
        assert_string_equal(text, wanted);
        assert_true(parsed(text) == seconds * US_PER_S);
    }
}

static void offsets_and_fractions_count(void **state)
{
    (void)state;
    int64_t base = parsed("2026-03-02T14:06:05Z");
    assert_true(parsed("2026-03-02T15:06:05+01:00") == base);
    assert_true(parsed("2026-03-01T23:36:05-14:30") == base);
    assert_true(parsed("2026-03-02t14:06:05z") == base);
    assert_true(parsed("2026-03-02 14:06:05-00:00") == base);
    assert_true(parsed("2026-03-02T14:06:05.5Z") == base + 500000);
    assert_true(parsed("2026-03-02T14:06:05.123456789Z") == base + 123456);
    assert_true(parsed("2026-01-01T00:30:00+01:00") == parsed("2025-12-31T23:30:00Z"));
    assert_true(parsed("2016-12-31T23:59:60Z") == parsed("2017-01-01T00:00:00Z"));
    assert_true(parsed("2017-01-01T00:59:60+01:00") == parsed("2017-01-01T00:00:00Z"));
}

static void nonsense_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-03-02",
                                      "0000-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59-00:01",
                                      "2026-03-02T14:06:05",
                                      "2026-03-02T14:06Z",
                                      "2026-3-02T14:06:05Z",
                                      "2026-00-02T14:06:05Z",
                                      "2026-13-02T14:06:05Z",
                                      "2026-03-00T14:06:05Z",
                                      "2026-03-32T14:06:05Z",
                                      "2026-04-31T14:06:05Z",
                                      "2026-02-29T14:06:05Z",
                                      "1900-02-29T14:06:05Z",
                                      "2026-03-02T24:00:00Z",
                                      "2026-03-02T14:60:05Z",
                                      "2026-03-02T14:06:61Z",
                                      "2026-03-02T14:06:60Z",
                                      "2026-03-02T14:06:05.Z",
                                      "2026-03-02T14:06:05.1234567890Z",
                                      "2026-03-02T14:06:05,5Z",
                                      "2026-03-02T14:06:05+1:00",
                                      "2026-03-02T14:06:05+0100",
                                      "2026-03-02T14:06:05+24:00",
                                      "2026-03-02T14:06:05+01:60",
                                      "2026-03-02T14:06:05+01",
                                      "2026-03-02T14:06:05ZZ",
                                      " 2026-03-02T14:06:05Z",
                                      "2026-03-02T14:06:05Z ",
                                      "+026-03-02T14:06:05Z",
                                      "2026-03-02X14:06:05Z"};
    for (size_t i = 0; i < countof(bad); i++) {
        int64_t us = 42;
        assert_int_equal(clock_from_rfc3339(slice_of(bad[i]), &us), -EINVAL);
        assert_int_equal(us, 42);
    }
    /* Every cut of a good one is bad. */
    const char *good = "2026-03-02T14:06:05+01:00";
    for (size_t len = 0; len < 25; len++) {
        int64_t us;
        assert_int_equal(clock_from_rfc3339((struct slice){good, len}, &us), -EINVAL);
    }
    assert_true(parsed("2000-02-29T00:00:00Z") > 0);
    assert_true(parsed("2024-02-29T00:00:00Z") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_clock_stands_still_and_can_be_given_back),
        cmocka_unit_test(known_times_print_and_parse),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(offsets_and_fractions_count),
        cmocka_unit_test(nonsense_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
