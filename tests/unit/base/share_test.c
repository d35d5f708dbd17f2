#include "base/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double value, double expected, double within)
{
    assert_true(value >= expected - within);
    assert_true(value <= expected + within);
}

static void few_answers_have_a_wide_interval(void **state)
{
    struct share few = share_of(4, 5);
    struct share more = share_of(16, 20);

    (void)state;
    assert_true(few.has_value);
    assert_near(few.value, 0.80, 1e-12);
    assert_int_equal(few.n, 5);
    assert_near(few.low, 0.376, 0.0005);
    assert_near(few.high, 0.964, 0.0005);
    assert_near(more.low, 0.584, 0.0005);
    assert_near(more.high, 0.919, 0.0005);
}

static void the_interval_never_leaves_the_range(void **state)
{
    (void)state;
    assert_near(share_of(0, 10).low, 0, 0);
    assert_near(share_of(10, 10).high, 1, 1e-12);
    assert_true(share_of(10, 10).high <= 1);
    assert_true(share_of(0, 10).high > 0.2);
    assert_true(share_of(10, 10).low < 0.8);
}

static void a_share_of_nothing_is_no_figure(void **state)
{
    (void)state;
    assert_false(share_of(0, 0).has_value);
    assert_int_equal(share_of(0, 0).n, 0);
    assert_false(share_of(1, -1).has_value);
    assert_int_equal(share_of(1, -1).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_answers_have_a_wide_interval),
        cmocka_unit_test(the_interval_never_leaves_the_range),
        cmocka_unit_test(a_share_of_nothing_is_no_figure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
