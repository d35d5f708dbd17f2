/* What a stranger writes into the headers of a webhook: never taken for the source, and never a
 * crash; what the source itself signs is taken. */
#include "fuzz.h"
#include "ingest/rules/webhook_signature.h"

#define NOW_US INT64_C(1795307636000000)

static void check_stranger(const struct webhook_headers *headers, struct slice body)
{
    static const char *const ours[] = {"whsec_bm90IHRvIGJlIGd1ZXNzZWQgYnkgYW55Ym9keQ==",
                                       "YW5vdGhlciBvbmUgdGhhdCBub2JvZHkga25vd3M="};
    static const uint8_t hashes[2][SEAL_HASH_SIZE] = {{1}, {2}};
    size_t index;

    FUZZ_CHECK(webhook_verify(headers, body, ours, 2, NOW_US) != WEBHOOK_OK);
    FUZZ_CHECK(!webhook_bearer_fits(headers->signature, hashes, 2, &index));
}

/* A secret out of the input signs; it fits itself, and nothing of it fits another body. */
static void check_source(const char *secret, struct slice id, struct slice body)
{
    char signature[64];
    char *other = malloc(body.len + 1);
    const struct webhook_headers headers = {
        .id = id, .timestamp = slice_of("1795307636"), .signature = {signature, 0}};
    struct webhook_headers signed_headers = headers;

    FUZZ_CHECK(other);
    if (webhook_sign(secret, id, headers.timestamp, body, signature, sizeof(signature)) == 0) {
        signed_headers.signature = slice_of(signature);
        if (id.len)
            FUZZ_CHECK(webhook_verify(&signed_headers, body, &secret, 1, NOW_US) == WEBHOOK_OK);
        if (body.len)
            memcpy(other, body.at, body.len);
        other[body.len] = 'x';
        FUZZ_CHECK(webhook_verify(&signed_headers, (struct slice){other, body.len + 1}, &secret, 1,
                                  NOW_US) != WEBHOOK_OK);
    }
    free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *id = fuzz_text(&input);
    char *timestamp = fuzz_text(&input);
    char *signature = fuzz_text(&input);
    char *secret = fuzz_text(&input);
    struct slice body = {(const char *)input.at, input.len};
    const struct webhook_headers headers = {
        .id = slice_of(id), .timestamp = slice_of(timestamp), .signature = slice_of(signature)};

    FUZZ_CHECK(seal_init() == 0);
    check_stranger(&headers, body);
    check_source(secret, headers.id, body);
    free(id);
    free(timestamp);
    free(signature);
    free(secret);
    return 0;
}
