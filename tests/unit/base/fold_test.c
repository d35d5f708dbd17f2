#include "base/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(const char *text, const char *expected)
{
    char to[256];

    assert_string_equal(fold_words(text, to, sizeof(to)), expected);
}

static void only_words_count(void **state)
{
    (void)state;
    check("Well done, Nora!", "welldonenora");
    check("WELL\tDONE -- nora…", "welldonenora");
    check("Élan ÇA va ?", "élançava");
    check("Ä\xc2\xa0Ö \xe2\x80\x9cÜ\xe2\x80\x9d", "äöü"); /* no-break space, curly quotes */
    check("10 % more", "10more");
    check("great 🎉", "great🎉");
    check("Στο", "στο");
    check("你好，世界！", "你好世界");
    check(" ?!. ", "");
}

static void what_has_no_room_is_cut_at_a_character(void **state)
{
    char to[5];

    (void)state;
    assert_string_equal(fold_words("abcÉf", to, sizeof(to)), "abc");
    assert_string_equal(fold_words("abcdef", to, sizeof(to)), "abcd");
}

static void characters_are_no_bytes(void **state)
{
    (void)state;
    assert_int_equal(fold_characters(""), 0);
    assert_int_equal(fold_characters(" \n\t "), 0);
    assert_int_equal(fold_characters("  été là \n"), 6);
    assert_int_equal(fold_characters("🎉🎉"), 2);
    assert_int_equal(fold_characters("\xc2\xa0x\xe3\x80\x80"),
                     1); /* white space of other scripts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_words_count),
        cmocka_unit_test(what_has_no_room_is_cut_at_a_character),
        cmocka_unit_test(characters_are_no_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
