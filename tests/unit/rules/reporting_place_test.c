#include "reporting/rules/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void a_position_survives_the_client(void **state)
{
    char text[PLACE_POSITION_SIZE];
    uint32_t epoch = 0;
    uint64_t seq = 0;

    (void)state;
    assert_string_equal(place_print_position(3, 1042, text), "3-1042");
    assert_int_equal(place_parse_position(text, &epoch, &seq), 0);
    assert_int_equal(epoch, 3);
    assert_int_equal(seq, 1042);
    assert_int_equal(place_parse_position("4294967295-9223372036854775807", &epoch, &seq), 0);
    assert_int_equal(epoch, UINT32_MAX);
    assert_int_equal(seq, INT64_MAX);
}

static void what_is_no_position_is_refused(void **state)
{
    static const char *const bad[] = {"",    "-",    "1",     "1-",   "-1",          "1-x",
                                      "x-1", "1--1", "1-2-3", "1- 2", "4294967296-1"};
    uint32_t epoch = 7;
    uint64_t seq = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_true(place_parse_position(bad[i], &epoch, &seq) < 0);
    assert_int_equal(epoch, 7);
    assert_int_equal(seq, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_survives_the_client),
        cmocka_unit_test(what_is_no_position_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
