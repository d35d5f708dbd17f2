/* Vectors: tests/fixtures/signatures/vectors.json, vendor standard_webhooks. */
#include "ingest/rules/webhook_signature.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char published_secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char published_body[] = "{\"test\": 2432232314}";
static const char rotated_secret[] = "whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMDAwMSE=";

static struct webhook_headers published(void)
{
    return (struct webhook_headers){slice_of("msg_p5jXN8AQM9LWM0D4loKWxJek"),
                                    slice_of("1614265330"),
                                    slice_of("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")};
}

static enum webhook_verdict verify(struct webhook_headers headers, const char *body,
                                   const char *secret, int64_t now_s)
{
    return webhook_verify(&headers, slice_of(body), &secret, 1, now_s * US_PER_S);
}

static void test_the_published_vector(void **state)
{
    (void)state;
    struct webhook_headers headers = published();
    assert_int_equal(verify(headers, published_body, published_secret, 1614265330), WEBHOOK_OK);
    /* Without its prefix a secret is the same secret. */
    assert_int_equal(verify(headers, published_body, published_secret + 6, 1614265330), WEBHOOK_OK);
    assert_int_equal(verify(headers, "{\"test\": 2432232315}", published_secret, 1614265330),
                     WEBHOOK_BAD_SIGNATURE);
    headers.id = slice_of("msg_p5jXN8AQM9LWM0D4loKWxJeK");
    assert_int_equal(verify(headers, published_body, published_secret, 1614265330),
                     WEBHOOK_BAD_SIGNATURE);
    headers = published();
    headers.signature = slice_of("v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_int_equal(verify(headers, published_body, published_secret, 1614265330),
                     WEBHOOK_BAD_SIGNATURE);
    headers.signature = slice_of("v1, v1,g0 v2,x ,");
    assert_int_equal(verify(headers, published_body, published_secret, 1614265330),
                     WEBHOOK_BAD_SIGNATURE);
}

static void test_rotation(void **state)
{
    (void)state;
    char body[2048];
    FILE *stream = fopen("tests/fixtures/standard_webhooks/contact_ended.json", "r");
    assert_non_null(stream);
    body[fread(body, 1, sizeof(body) - 1, stream)] = 0;
    assert_int_equal(fclose(stream), 0);
    struct webhook_headers headers = {slice_of("msg_test0000000000000000000001"),
                                      slice_of("1772460366"),
                                      slice_of("v1,MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA= "
                                               "v1,AYFiDQzUioHq1dxF0BYpBiaO2wDtoU39HoDyTFoXmA8=")};
    const char *const secrets[] = {published_secret, "whsec_not base64", rotated_secret};
    int64_t now = INT64_C(1772460366) * US_PER_S;
    assert_int_equal(webhook_verify(&headers, slice_of(body), secrets, 3, now), WEBHOOK_OK);
    assert_int_equal(webhook_verify(&headers, slice_of(body), secrets, 2, now),
                     WEBHOOK_BAD_SIGNATURE);
    assert_int_equal(webhook_verify(&headers, slice_of(body), secrets + 1, 1, now),
                     WEBHOOK_BAD_SECRET);
    assert_int_equal(webhook_verify(&headers, slice_of(body), secrets, 0, now), WEBHOOK_BAD_SECRET);
}

static void test_time(void **state)
{
    (void)state;
    struct webhook_headers headers = published();
    static const int64_t good[] = {1614265330 - 300, 1614265330 + 300};
    for (size_t i = 0; i < countof(good); i++)
        assert_int_equal(verify(headers, published_body, published_secret, good[i]), WEBHOOK_OK);
    assert_int_equal(verify(headers, published_body, published_secret, 1614265330 - 301),
                     WEBHOOK_STALE);
    assert_int_equal(verify(headers, published_body, published_secret, 1614265330 + 301),
                     WEBHOOK_STALE);
    static const char *const bad[] = {"-1614265330", "1614265330.0", " 1614265330", "now",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < countof(bad); i++) {
        headers.timestamp = slice_of(bad[i]);
        assert_int_equal(verify(headers, published_body, published_secret, 1614265330),
                         WEBHOOK_BAD_TIMESTAMP);
    }
    headers.timestamp = slice_of("");
    assert_int_equal(verify(headers, published_body, published_secret, 1614265330),
                     WEBHOOK_UNSIGNED);
}

static void test_what_we_sign_we_accept(void **state)
{
    (void)state;
    char text[64];
    struct webhook_headers headers = published();
    assert_int_equal(webhook_sign(published_secret, headers.id, headers.timestamp,
                                  slice_of(published_body), text, sizeof(text)),
                     0);
    assert_string_equal(text, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_int_equal(
        webhook_sign("whsec_", headers.id, headers.timestamp, slice_of(""), text, sizeof(text)),
        -EINVAL);
    assert_int_equal(
        webhook_sign(published_secret, headers.id, headers.timestamp, slice_of(""), text, 20),
        -ENOSPC);
}

static void test_bearer(void **state)
{
    (void)state;
    uint8_t hashes[2][SEAL_HASH_SIZE];
    webhook_token_hash(slice_of("token-one"), hashes[0]);
    webhook_token_hash(slice_of("token-two"), hashes[1]);
    const uint8_t(*stored)[SEAL_HASH_SIZE] = (const uint8_t(*)[SEAL_HASH_SIZE])hashes;
    size_t which = 9;
    assert_true(webhook_bearer_fits(slice_of("Bearer token-two"), stored, 2, &which));
    assert_int_equal(which, 1);
    assert_true(webhook_bearer_fits(slice_of("bearer  token-one"), stored, 2, NULL));
    static const char *const bad[] = {"",
                                      "Bearer",
                                      "Bearer ",
                                      "token-one",
                                      "Basic token-one",
                                      "Bearer token-on",
                                      "Bearer token-one2"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_false(webhook_bearer_fits(slice_of(bad[i]), stored, 2, NULL));
    assert_false(webhook_bearer_fits(slice_of("Bearer token-one"), stored, 0, NULL));
}

static int start(void **state)
{
    (void)state;
    return seal_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_published_vector),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_what_we_sign_we_accept),
        cmocka_unit_test(test_bearer),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
