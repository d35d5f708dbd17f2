#include "reporting/rules/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void our_own_page_may_write(void **state)
{
    (void)state;
    assert_true(origin_is_ours("https://moment.example", "same-origin", "moment.example"));
    assert_true(origin_is_ours("http://127.0.0.1:8080", "", "127.0.0.1:8080"));
    assert_true(origin_is_ours("https://Moment.example", "same-origin", "moment.EXAMPLE"));
}

static void a_machine_sends_neither(void **state)
{
    (void)state;
    assert_true(origin_is_ours("", "", "moment.example"));
}

static void another_site_may_not(void **state)
{
    (void)state;
    assert_false(origin_is_ours("https://evil.example", "", "moment.example"));
    assert_false(origin_is_ours("https://evil.example", "cross-site", "moment.example"));
    assert_false(origin_is_ours("", "cross-site", "moment.example"));
    assert_false(origin_is_ours("https://moment.example", "same-site", "moment.example"));
    /* The beginning or the end of our name is not our name. */
    assert_false(origin_is_ours("https://moment.example.evil", "", "moment.example"));
    assert_false(origin_is_ours("https://evil-moment.example", "", "moment.example"));
    assert_false(origin_is_ours("http://127.0.0.1:9999", "", "127.0.0.1:8080"));
}

static void an_opaque_origin_is_nobody(void **state)
{
    (void)state;
    assert_false(origin_is_ours("null", "", "moment.example"));
    assert_false(origin_is_ours("https://", "", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_page_may_write),
        cmocka_unit_test(a_machine_sends_neither),
        cmocka_unit_test(another_site_may_not),
        cmocka_unit_test(an_opaque_origin_is_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
