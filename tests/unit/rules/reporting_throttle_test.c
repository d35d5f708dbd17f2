#include "reporting/rules/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static struct throttle throttle;

static int start(void **state)
{
    (void)state;
    throttle_init(&throttle, 3, 1000);
    return 0;
}

static void the_limit_is_allowed_and_no_more(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(throttle_wait_us(&throttle, "anna", 100 + i), 0);
        throttle_fail(&throttle, "anna", 100 + i);
    }
    /* The first failure leaves the window at 1100. */
    assert_int_equal(throttle_wait_us(&throttle, "anna", 103), 997);
    assert_int_equal(throttle_wait_us(&throttle, "anna", 1099), 1);
    assert_int_equal(throttle_wait_us(&throttle, "anna", 1100), 0);
}

static void the_window_slides(void **state)
{
    (void)state;
    for (int64_t at = 0; at < 500000; at += 400)
        throttle_fail(&throttle, "anna", at);
    /* The newest three: 499600, 499200, 498800. */
    assert_int_equal(throttle_wait_us(&throttle, "anna", 499700), 100);
}

static void others_are_not_held_up(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 5; i++)
        throttle_fail(&throttle, "anna", i);
    assert_int_equal(throttle_wait_us(&throttle, "bert", 5), 0);
}

static void success_forgives(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 5; i++)
        throttle_fail(&throttle, "anna", i);
    throttle_forgive(&throttle, "anna");
    assert_int_equal(throttle_wait_us(&throttle, "anna", 5), 0);
}

static void what_was_no_failure_is_taken_back(void **state)
{
    (void)state;
    throttle_take_back(&throttle, "anna");
    for (int64_t i = 0; i < 3; i++)
        throttle_fail(&throttle, "anna", i);
    throttle_take_back(&throttle, "anna");
    assert_int_equal(throttle_wait_us(&throttle, "anna", 5), 0);
    throttle_fail(&throttle, "anna", 5);
    assert_int_equal(throttle_wait_us(&throttle, "anna", 5), 995);
    for (int64_t i = 0; i < 3; i++)
        throttle_take_back(&throttle, "anna");
    throttle_take_back(&throttle, "anna");
    assert_int_equal(throttle_wait_us(&throttle, "anna", 5), 0);
}

static void a_flood_of_keys_pushes_out_the_oldest_only(void **state)
{
    char key[32];

    (void)state;
    for (int64_t i = 0; i < 3; i++)
        throttle_fail(&throttle, "old", i);
    for (int i = 0; i < THROTTLE_KEYS - 2; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", i);
        throttle_fail(&throttle, key, 10);
    }
    for (int64_t i = 0; i < 3; i++)
        throttle_fail(&throttle, "new", 20 + i);
    assert_true(throttle_wait_us(&throttle, "old", 30) > 0);
    throttle_fail(&throttle, "one too many", 30);
    assert_int_equal(throttle_wait_us(&throttle, "old", 30), 0);
    assert_true(throttle_wait_us(&throttle, "new", 30) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_limit_is_allowed_and_no_more, start),
        cmocka_unit_test_setup(the_window_slides, start),
        cmocka_unit_test_setup(others_are_not_held_up, start),
        cmocka_unit_test_setup(success_forgives, start),
        cmocka_unit_test_setup(what_was_no_failure_is_taken_back, start),
        cmocka_unit_test_setup(a_flood_of_keys_pushes_out_the_oldest_only, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
