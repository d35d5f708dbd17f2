#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void an_empty_buf_is_an_empty_text(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_string_equal(buf_text(&buf), "");
    buf_consume(&buf, 0);
    buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    buf_done(&buf);
}

static void the_limit_is_exact_and_a_refused_append_changes_nothing(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5);
    assert_int_equal(buf_append(&buf, "abcd", 4), 0);
    assert_int_equal(buf_append(&buf, "xy", 2), -EMSGSIZE);
    assert_int_equal(buf_printf(&buf, "%s", "xy"), -EMSGSIZE);
    assert_int_equal(buf_append(&buf, "x", SIZE_MAX), -EMSGSIZE);
    assert_string_equal(buf_text(&buf), "abcd");
    assert_int_equal(buf_append(&buf, "e", 1), 0);
    assert_int_equal(buf_append(&buf, "f", 1), -EMSGSIZE);
    assert_string_equal(buf_text(&buf), "abcde");
    buf_done(&buf);
}

static void bytes_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct buf buf;
    uint8_t wanted[5000];
    size_t eaten = 0;
    for (size_t i = 0; i < sizeof wanted; i++)
        wanted[i] = (uint8_t)(i * 7);
    buf_init(&buf, sizeof wanted);
    for (size_t at = 0, len = 1; at < sizeof wanted; at += len, len = len % 97 + 1) {
        len = at + len > sizeof wanted ? sizeof wanted - at : len;
        assert_int_equal(buf_append(&buf, wanted + at, len), 0);
        assert_true(buf.cap > buf.len); /* room for the NUL */
        if (len % 3 == 0) {
            assert_memory_equal(buf.data, wanted + eaten, len);
            buf_consume(&buf, len);
            eaten += len;
        }
    }
    assert_int_equal(buf.len, sizeof wanted - eaten);
    assert_memory_equal(buf.data, wanted + eaten, buf.len);
    buf_done(&buf);
}

static void printf_appends_and_terminates(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    assert_int_equal(buf_printf(&buf, "%256d", 1), 0);
    assert_true(buf.cap > 256);
    buf_clear(&buf);
    assert_int_equal(buf_printf(&buf, "%d-%s", 42, "x"), 0);
    assert_int_equal(buf_printf(&buf, "%300d", 7), 0);
    assert_int_equal(buf.len, 304);
    assert_int_equal(strlen(buf_text(&buf)), 304);
    assert_memory_equal(buf.data, "42-x ", 5);
    buf_consume(&buf, 303);
    assert_string_equal(buf_text(&buf), "7");
    buf_clear(&buf);
    assert_string_equal(buf_text(&buf), "");
    buf_done(&buf);
    assert_null(buf.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buf_is_an_empty_text),
        cmocka_unit_test(the_limit_is_exact_and_a_refused_append_changes_nothing),
        cmocka_unit_test(bytes_come_out_as_they_went_in),
        cmocka_unit_test(printf_appends_and_terminates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
