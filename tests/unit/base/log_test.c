#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct {
    char last[5000];
    enum log_level level;
    size_t count;
} heard;

static void on_line(void *arg, enum log_level level, const char *line)
{
    (void)arg;
    snprintf(heard.last, sizeof heard.last, "%s", line);
    heard.level = level;
    heard.count++;
}

static int start(void **state)
{
    (void)state;
    memset(&heard, 0, sizeof heard);
    clock_set_for_test(INT64_C(1772460365123000), 1000);
    log_setup("ingest", LOG_INFO);
    log_to(on_line, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    log_to(NULL, NULL);
    clock_set_for_test(-1, 0);
    return 0;
}

static void a_line_says_when_how_bad_who_and_what(void **state)
{
    (void)state;
    log_warn("source_lost", "source=%s attempt=%d", "pbx", 3);
    assert_string_equal(heard.last,
                        "2026-03-02T14:06:05.123Z warn ingest source_lost source=pbx attempt=3");
    assert_int_equal(heard.level, LOG_WARN);
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    log_debug("quiet", "a=1");
    assert_int_equal(heard.count, 0);
    log_set_level(LOG_DEBUG);
    assert_int_equal(log_level(), LOG_DEBUG);
    log_debug("quiet", "a=1");
    assert_int_equal(heard.count, 1);
}

static void a_value_cannot_forge_a_line(void **state)
{
    (void)state;
    log_info("login", "name=%s", "eve\n2026 error ingest forged\x1b[31m");
    assert_null(strchr(heard.last, '\n'));
    assert_null(strchr(heard.last, '\x1b'));
    assert_int_equal(heard.count, 1);
}

static void repeats_are_counted_and_summed_up(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        log_info("refused", "n=%d", i);
    assert_int_equal(heard.count, 20);
    log_info("other", "n=1");
    assert_int_equal(heard.count, 21);
    clock_set_for_test(INT64_C(1772460365123000), 1000 + 11 * US_PER_S);
    log_info("another", "n=1");
    assert_int_equal(heard.count, 23); /* the sum and the line itself */
    for (int i = 0; i < 20; i++)
        log_info("refused", "n=%d", i);
    assert_int_equal(heard.count, 43);
}

static void the_sum_says_how_many_were_left_out(void **state)
{
    (void)state;
    for (int i = 0; i < 27; i++)
        log_error("refused", "n=%d", i);
    clock_set_for_test(INT64_C(1772460365123000), 1000 + 11 * US_PER_S);
    log_set_level(LOG_ERROR);
    log_error("refused", "n=%d", 99);
    assert_int_equal(heard.count, 22);
    assert_non_null(strstr(heard.last, "n=99"));
    for (int i = 0; i < 200; i++) {
        char event[16];
        snprintf(event, sizeof event, "event%d", i);
        log_error(event, "n=%d", i); /* more events than windows: nothing is lost */
    }
    assert_int_equal(heard.count, 222);
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    (void)state;
    char text[6000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    log_info("long", "text=%s", text);
    size_t len = strlen(heard.last);
    assert_in_range(len, 4000, 4095);
    assert_string_equal(heard.last + len - 4, "x...");
}

static void quoting_escapes_and_always_closes(void **state)
{
    (void)state;
    char to[16];
    assert_string_equal(log_quote("a b", to, sizeof to), "\"a b\"");
    assert_string_equal(log_quote("a\"\\\n\t\x01", to, sizeof to), "\"a\\\"\\\\\\n\\t\\x01\"");
    assert_string_equal(log_quote("0123456789abcdef", to, sizeof to), "\"0123456789abc\"");
    assert_string_equal(log_quote("0123456789ab\xc3\xa4", to, sizeof to), "\"0123456789ab\"");
    assert_string_equal(log_quote(NULL, to, sizeof to), "\"\"");
    assert_string_equal(log_quote("abc", to, 3), "\"\"");
}

static void levels_have_names(void **state)
{
    (void)state;
    enum log_level level;
    assert_int_equal(log_level_parse("warn", &level), 0);
    assert_int_equal(level, LOG_WARN);
    assert_int_equal(log_level_parse("loud", &level), -EINVAL);
    assert_string_equal(log_level_name(LOG_ERROR), "error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_says_when_how_bad_who_and_what, start, stop),
        cmocka_unit_test_setup_teardown(lines_below_the_level_are_not_written, start, stop),
        cmocka_unit_test_setup_teardown(a_value_cannot_forge_a_line, start, stop),
        cmocka_unit_test_setup_teardown(repeats_are_counted_and_summed_up, start, stop),
        cmocka_unit_test_setup_teardown(the_sum_says_how_many_were_left_out, start, stop),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_and_says_so, start, stop),
        cmocka_unit_test(quoting_escapes_and_always_closes),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
