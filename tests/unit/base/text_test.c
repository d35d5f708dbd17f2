#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void slices_compare_whole_and_without_case_in_ascii_only(void **state)
{
    (void)state;
    struct slice slice = {"Content-Type: x", 12};
    assert_true(slice_is(slice, "Content-Type"));
    assert_false(slice_is(slice, "Content-Typ"));
    assert_false(slice_is(slice, "content-type"));
    assert_true(slice_is_nocase(slice, "content-TYPE"));
    assert_false(slice_is_nocase(slice, "content-typf"));
    assert_false(slice_is_nocase(slice_of("@"), "`"));
    assert_false(slice_is_nocase(slice_of("\xc3\xa4"), "\xc3\x84"));
    assert_true(slice_is(slice_of(NULL), ""));
}

static void trim_takes_blanks_from_both_ends_only(void **state)
{
    (void)state;
    assert_true(slice_is(slice_trim(slice_of(" \t a b\r\n")), "a b"));
    assert_true(slice_is(slice_trim(slice_of(" \n")), ""));
    assert_true(slice_is(slice_trim(slice_of("")), ""));
}

static void copy_cuts_between_characters(void **state)
{
    (void)state;
    char to[6];
    assert_true(text_copy(to, sizeof to, "abcde"));
    assert_string_equal(to, "abcde");
    assert_false(text_copy(to, sizeof to, "abcdef"));
    assert_string_equal(to, "abcde");
    assert_false(text_copy(to, sizeof to, "abcd\xc3\xa4"));
    assert_string_equal(to, "abcd");
    assert_false(text_copy(to, sizeof to, "abc\xe2\x82\xac"));
    assert_string_equal(to, "abc");
    assert_true(text_copy(to, sizeof to, "ab\xe2\x82\xac"));
    assert_string_equal(to, "ab\xe2\x82\xac");
    assert_true(text_copy(to, sizeof to, NULL));
    assert_string_equal(to, "");
    assert_false(text_copy(to, 1, "a"));
    assert_string_equal(to, "");
}

static void null_is_the_empty_text(void **state)
{
    (void)state;
    assert_true(text_is(NULL, ""));
    assert_true(text_is("a", "a"));
    assert_false(text_is("a", NULL));
}

static void utf8_is_checked_to_the_letter(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xe2\x82",
                                      "\xe2\x28\xa1",
                                      "\xe2\x82\x28",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xf0\x9f\x98\x28",
                                      "\xf0\x9f\x98"};
    for (size_t i = 0; i < countof(good); i++)
        assert_true(text_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < countof(bad); i++)
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
    assert_false(text_is_utf8("a\0b", 3));
}

static void what_is_no_utf8_is_repaired_in_place(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        size_t repaired;
    } cases[] = {
        {"", "", 0},
        {"Jos\xc3\xa9", "Jos\xc3\xa9", 0},
        {"M\xfcller", "M?ller", 1},
        {"\xe2\x82", "??", 2},
        {"a\xe2\x82\xacz\xc3", "a\xe2\x82\xacz?", 1},
        {"\xed\xa0\x80", "???", 3},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        char text[16];
        assert_true(text_copy(text, sizeof text, cases[i].from));
        assert_int_equal(text_repair_utf8(text, strlen(text)), cases[i].repaired);
        assert_string_equal(text, cases[i].to);
    }
}

static void numbers_are_whole_decimal_and_in_range(void **state)
{
    (void)state;
    int64_t value = 99;
    assert_int_equal(text_to_i64(slice_of("-9223372036854775808"), INT64_MIN, INT64_MAX, &value),
                     0);
    assert_true(value == INT64_MIN);
    assert_int_equal(text_to_i64(slice_of("9223372036854775807"), INT64_MIN, INT64_MAX, &value), 0);
    assert_true(value == INT64_MAX);
    assert_int_equal(text_to_i64(slice_of("007"), 0, 10, &value), 0);
    assert_int_equal(value, 7);
    static const char *const too_large[] = {"9223372036854775808", "-9223372036854775809", "11",
                                            "-1", "99999999999999999999999"};
    for (size_t i = 0; i < countof(too_large); i++)
        assert_int_equal(text_to_i64(slice_of(too_large[i]), 0, 10, &value), -ERANGE);
    assert_int_equal(text_to_i64(slice_of("9223372036854775808"), INT64_MIN, INT64_MAX, &value),
                     -ERANGE);
    static const char *const nonsense[] = {"", "-", "+1", " 1", "1 ", "0x10", "1.0", "1e3", "--1"};
    for (size_t i = 0; i < countof(nonsense); i++)
        assert_int_equal(text_to_i64(slice_of(nonsense[i]), INT64_MIN, INT64_MAX, &value), -EINVAL);
    assert_int_equal(value, 7);
}

static void doubles_take_decimals_and_nothing_else(void **state)
{
    (void)state;
    double value = 0;
    assert_int_equal(text_to_double(slice_of("-12.5e-1"), &value), 0);
    assert_true(value > -1.2500001 && value < -1.2499999);
    assert_int_equal(text_to_double((struct slice){"3.25xyz", 4}, &value), 0);
    assert_true(value > 3.2499999 && value < 3.2500001);
    static const char *const nonsense[] = {"",    "-",   ".5", "1.", "1e",  "1e+", "inf",
                                           "nan", "0x1", " 1", "1 ", "1,5", "+1"};
    for (size_t i = 0; i < countof(nonsense); i++)
        assert_int_equal(text_to_double(slice_of(nonsense[i]), &value), -EINVAL);
    assert_int_equal(text_to_double(slice_of("1e999"), &value), -ERANGE);
}

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_characters(""), 0);
    assert_int_equal(text_characters("abc"), 3);
    assert_int_equal(text_characters("a\u00e9\u20ac\U0001f600"), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_whole_and_without_case_in_ascii_only),
        cmocka_unit_test(trim_takes_blanks_from_both_ends_only),
        cmocka_unit_test(copy_cuts_between_characters),
        cmocka_unit_test(null_is_the_empty_text),
        cmocka_unit_test(utf8_is_checked_to_the_letter),
        cmocka_unit_test(what_is_no_utf8_is_repaired_in_place),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(numbers_are_whole_decimal_and_in_range),
        cmocka_unit_test(doubles_take_decimals_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
