#include "base/keyset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void a_place_survives_the_client(void **state)
{
    const struct id id = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}};
    char text[KEYSET_TEXT_SIZE];
    struct id back;
    int64_t at = 0;

    (void)state;
    assert_int_equal(strlen(keyset_print(INT64_C(1795307771724843), &id, text)), 48);
    assert_int_equal(keyset_parse(text, &at, &back), 0);
    assert_int_equal(at, INT64_C(1795307771724843));
    assert_memory_equal(&back, &id, sizeof(id));
}

static void what_is_no_place_is_refused(void **state)
{
    char text[KEYSET_TEXT_SIZE];
    const struct id id = {{0}};
    struct id back = {{7}};
    int64_t at = 7;

    (void)state;
    assert_true(keyset_parse("", &at, &back) < 0);
    keyset_print(1, &id, text);
    text[5] = 'g';
    assert_true(keyset_parse(text, &at, &back) < 0);
    keyset_print(1, &id, text);
    text[47] = '\0';
    assert_true(keyset_parse(text, &at, &back) < 0);
    /* No time is before the first and after the last. */
    assert_true(keyset_parse(keyset_print(0, &id, text), &at, &back) < 0);
    assert_true(keyset_parse(keyset_print(-1, &id, text), &at, &back) < 0);
    assert_int_equal(at, 7);
    assert_int_equal(back.bytes[0], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_survives_the_client),
        cmocka_unit_test(what_is_no_place_is_refused),
    };

    return cmocka_run_group_tests_name("keyset", tests, NULL, NULL);
}
