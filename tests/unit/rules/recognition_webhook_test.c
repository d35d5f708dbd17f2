/* When a webhook is tried again, and its signature. */
#include "recognition/rules/webhook.h"

#include "base/macros.h"
#include "base/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIDDLE (UINT32_MAX / 2)
#define HOUR_MS INT64_C(3600000)

static const struct webhook_patience usual = {.first_ms = 5000, .retries = 10};

static void answers_are_taken_failed_or_the_last(void **state)
{
    static const uint32_t failed[] = {0,   100, 199, 300, 301, 302, 400,
                                      401, 404, 429, 500, 503, 599};

    (void)state;
    for (uint32_t status = 200; status < 300; status++) {
        assert_int_equal(webhook_judge(status), WEBHOOK_DELIVERED);
    }
    for (size_t i = 0; i < countof(failed); i++) {
        assert_int_equal(webhook_judge(failed[i]), WEBHOOK_RETRY);
    }
    assert_int_equal(webhook_judge(410), WEBHOOK_GONE);
}

static void ten_retries_are_about_a_day(void **state)
{
    int64_t sum_ms = 0;

    (void)state;
    assert_in_range(webhook_wait_ms(&usual, 1, 0, MIDDLE), 4999, 5001);
    for (uint32_t attempts = 1; attempts <= 10; attempts++) {
        int64_t wait_ms = webhook_wait_ms(&usual, attempts, 0, MIDDLE);

        assert_true(wait_ms > 0);
        sum_ms += wait_ms;
    }
    assert_in_range(sum_ms, 22 * HOUR_MS, 24 * HOUR_MS);
    assert_true(webhook_wait_ms(&usual, 11, 0, MIDDLE) < 0);
    assert_true(webhook_wait_ms(&usual, UINT32_MAX, 0, MIDDLE) < 0);
}

static void chance_is_a_fifth_more_or_less(void **state)
{
    (void)state;
    assert_in_range(webhook_wait_ms(&usual, 1, 0, 0), 3999, 4001);
    assert_in_range(webhook_wait_ms(&usual, 1, 0, UINT32_MAX), 5999, 6001);
}

static void no_wait_is_longer_than_a_day(void **state)
{
    const struct webhook_patience long_one = {.first_ms = 3600000, .retries = 20};

    (void)state;
    assert_in_range(webhook_wait_ms(&long_one, 20, 0, MIDDLE), 24 * HOUR_MS - 2, 24 * HOUR_MS + 2);
    assert_in_range(webhook_wait_ms(&long_one, 20, 0, UINT32_MAX), 24 * HOUR_MS, 29 * HOUR_MS);
}

static void the_receiver_may_ask_for_an_hour_at_most(void **state)
{
    (void)state;
    assert_int_equal(webhook_wait_ms(&usual, 1, 60, MIDDLE), 60000);
    assert_int_equal(webhook_wait_ms(&usual, 1, 3600, MIDDLE), HOUR_MS);
    assert_int_equal(webhook_wait_ms(&usual, 1, UINT32_MAX, MIDDLE), HOUR_MS);
    assert_in_range(webhook_wait_ms(&usual, 1, 1, MIDDLE), 4999, 5001);
    assert_true(webhook_wait_ms(&usual, 11, 60, MIDDLE) < 0);
}

static void nobody_has_to_be_patient(void **state)
{
    const struct webhook_patience none = {.first_ms = 5000, .retries = 0};

    (void)state;
    assert_true(webhook_wait_ms(&none, 1, 0, MIDDLE) < 0);
}

/* From standard-webhooks/standard-webhooks, libraries/go/webhook_test.go. */
static void the_signature_is_that_of_the_standard(void **state)
{
    char signature[WEBHOOK_SIGNATURE_SIZE];
    uint8_t key[WEBHOOK_KEY_BYTES];
    size_t len;

    (void)state;
    assert_int_equal(seal_init(), 0);
    assert_int_equal(
        seal_unbase64(slice_of("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), key, sizeof(key), &len), 0);
    webhook_sign(key, len, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                 slice_of("{\"test\": 2432232314}"), signature);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void a_secret_is_its_key_in_base64(void **state)
{
    uint8_t key[WEBHOOK_KEY_BYTES], again[WEBHOOK_KEY_BYTES];
    char secret[WEBHOOK_SECRET_SIZE];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)(255 - i);
    }
    webhook_print_secret(key, secret);
    assert_memory_equal(secret, "whsec_", 6);
    assert_int_equal(seal_unbase64(slice_of(secret + 6), again, sizeof(again), &len), 0);
    assert_int_equal(len, sizeof(key));
    assert_memory_equal(key, again, sizeof(key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_taken_failed_or_the_last),
        cmocka_unit_test(ten_retries_are_about_a_day),
        cmocka_unit_test(chance_is_a_fifth_more_or_less),
        cmocka_unit_test(no_wait_is_longer_than_a_day),
        cmocka_unit_test(the_receiver_may_ask_for_an_hour_at_most),
        cmocka_unit_test(nobody_has_to_be_patient),
        cmocka_unit_test(the_signature_is_that_of_the_standard),
        cmocka_unit_test(a_secret_is_its_key_in_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
