#include "base/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void delays_double_up_to_the_maximum(void **state)
{
    (void)state;
    struct retry retry = {.base_ms = 100, .max_ms = 1000};
    static const uint32_t wanted[] = {100, 200, 400, 800, 1000, 1000, 1000};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_int_equal(retry_next_ms(&retry, UINT32_MAX), wanted[i]);
    retry_reset(&retry);
    assert_int_equal(retry_next_ms(&retry, 0), 50);
    assert_int_equal(retry_next_ms(&retry, 0), 100);
}

static void jitter_covers_the_upper_half_and_no_more(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        struct retry retry = {.base_ms = 64, .max_ms = 100000};
        uint32_t delay = retry_next_ms(&retry, i * 4294967u);
        assert_in_range(delay, 32, 64);
    }
}

static void it_never_overflows(void **state)
{
    (void)state;
    struct retry retry = {.base_ms = UINT32_MAX, .max_ms = UINT32_MAX};
    for (int i = 0; i < 100; i++)
        assert_in_range(retry_next_ms(&retry, UINT32_MAX), UINT32_MAX / 2, UINT32_MAX);
    struct retry tiny = {.base_ms = 0, .max_ms = 10};
    for (int i = 0; i < 100; i++)
        assert_in_range(retry_next_ms(&tiny, UINT32_MAX), 0, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_maximum),
        cmocka_unit_test(jitter_covers_the_upper_half_and_no_more),
        cmocka_unit_test(it_never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
