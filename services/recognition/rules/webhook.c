/* webhook - see the header. */
#include "recognition/rules/webhook.h"

#include "base/seal.h"

#include <assert.h>
#include <string.h>

#define MAC_SIZE 32

enum webhook_verdict webhook_judge(uint32_t status)
{
    if (status >= 200 && status < 300) {
        return WEBHOOK_DELIVERED;
    }
    return status == 410 ? WEBHOOK_GONE : WEBHOOK_RETRY;
}

int64_t webhook_wait_ms(const struct webhook_patience *patience, uint32_t attempts,
                        uint32_t retry_after_s, uint32_t random)
{
    double wait_ms = patience->first_ms;
    int64_t asked_ms =
        (int64_t)(retry_after_s < WEBHOOK_RETRY_AFTER_MAX_S ? retry_after_s
                                                            : WEBHOOK_RETRY_AFTER_MAX_S) *
        1000;

    if (attempts > patience->retries) {
        return -1;
    }
    for (uint32_t i = 1; i < attempts && wait_ms < WEBHOOK_WAIT_MAX_MS; i++) {
        wait_ms *= WEBHOOK_FACTOR;
    }
    if (wait_ms > WEBHOOK_WAIT_MAX_MS) {
        wait_ms = WEBHOOK_WAIT_MAX_MS;
    }
    /* From 0.8 to 1.2: many receivers behind one broken network don't come back as one. */
    wait_ms *= 0.8 + 0.4 * ((double)random / UINT32_MAX);
    return (int64_t)wait_ms > asked_ms ? (int64_t)wait_ms : asked_ms;
}

void webhook_print_secret(const uint8_t key[WEBHOOK_KEY_BYTES], char secret[WEBHOOK_SECRET_SIZE])
{
    static const char prefix[] = "whsec_";
    int len;

    memcpy(secret, prefix, sizeof(prefix));
    len = seal_base64(key, WEBHOOK_KEY_BYTES, secret + sizeof(prefix) - 1,
                      WEBHOOK_SECRET_SIZE - (sizeof(prefix) - 1));
    assert(len > 0);
}

void webhook_sign(const void *key, size_t key_len, const char *id, const char *timestamp,
                  struct slice body, char signature[WEBHOOK_SIGNATURE_SIZE])
{
    static const char scheme[] = "v1,";
    const struct slice dot = slice_of(".");
    const struct slice parts[] = {slice_of(id), dot, slice_of(timestamp), dot, body};
    uint8_t mac[MAC_SIZE];
    int len;

    seal_hmac_sha256(key, key_len, parts, countof(parts), mac);
    memcpy(signature, scheme, sizeof(scheme));
    len = seal_base64(mac, sizeof(mac), signature + sizeof(scheme) - 1,
                      WEBHOOK_SIGNATURE_SIZE - (sizeof(scheme) - 1));
    assert(len > 0);
}
