#include "ingest/rules/webhook_signature.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAC_SIZE 32

static const char secret_prefix[] = "whsec_";
static const char scheme[] = "v1,";

/* Length of the decoded secret, or -EINVAL. */
static int decode_secret(const char *secret, uint8_t key[WEBHOOK_SECRET_MAX])
{
    struct slice text = slice_of(secret);
    size_t prefix = sizeof(secret_prefix) - 1;
    if (text.len >= prefix && memcmp(text.at, secret_prefix, prefix) == 0)
        text = (struct slice){text.at + prefix, text.len - prefix};
    size_t len;
    if (seal_unbase64(text, key, WEBHOOK_SECRET_MAX, &len) || len == 0)
        return -EINVAL;
    return (int)len;
}

static int compute_mac(const char *secret, const struct slice signed_parts[5],
                       uint8_t mac[MAC_SIZE])
{
    uint8_t key[WEBHOOK_SECRET_MAX];
    int len = decode_secret(secret, key);
    if (len < 0)
        return len;
    seal_hmac_sha256(key, (size_t)len, signed_parts, 5, mac);
    return 0;
}

/* Looks at every signature of the list, so that the time says nothing about which one fits. */
static bool list_has(struct slice list, const uint8_t mac[MAC_SIZE])
{
    bool found = false;
    const char *at = list.at;
    const char *end = list.at + list.len;
    while (at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        struct slice item = {at, (size_t)((space ? space : end) - at)};
        at = space ? space + 1 : end;
        size_t prefix = sizeof(scheme) - 1;
        if (item.len <= prefix || memcmp(item.at, scheme, prefix) != 0)
            continue;
        uint8_t given[MAC_SIZE];
        size_t len;
        struct slice text = {item.at + prefix, item.len - prefix};
        if (seal_unbase64(text, given, sizeof(given), &len) || len != sizeof(given))
            continue;
        found |= seal_equal(given, mac, sizeof(given));
    }
    return found;
}

enum webhook_verdict webhook_verify(const struct webhook_headers *headers, struct slice body,
                                    const char *const *secrets, size_t secret_count, int64_t now_us)
{
    if (headers->id.len == 0 || headers->timestamp.len == 0 || headers->signature.len == 0)
        return WEBHOOK_UNSIGNED;
    int64_t sent_s;
    if (text_to_i64(headers->timestamp, 0, INT64_C(99999999999), &sent_s))
        return WEBHOOK_BAD_TIMESTAMP;
    int64_t age_us = now_us - sent_s * US_PER_S;
    if (age_us > WEBHOOK_TOLERANCE_S * US_PER_S || age_us < -WEBHOOK_TOLERANCE_S * US_PER_S)
        return WEBHOOK_STALE;
    const struct slice dot = slice_of(".");
    const struct slice parts[5] = {headers->id, dot, headers->timestamp, dot, body};
    bool found = false;
    size_t readable = 0;
    for (size_t i = 0; i < secret_count; i++) {
        uint8_t mac[MAC_SIZE];
        if (compute_mac(secrets[i], parts, mac))
            continue;
        readable++;
        found |= list_has(headers->signature, mac);
    }
    if (readable == 0)
        return WEBHOOK_BAD_SECRET;
    return found ? WEBHOOK_OK : WEBHOOK_BAD_SIGNATURE;
}

const char *webhook_verdict_text(enum webhook_verdict verdict)
{
    switch (verdict) {
    case WEBHOOK_OK:
        return "The signature is good.";
    case WEBHOOK_UNSIGNED:
        return "webhook-id, webhook-timestamp and webhook-signature are required.";
    case WEBHOOK_BAD_TIMESTAMP:
        return "webhook-timestamp is not a number of seconds since 1970.";
    case WEBHOOK_STALE:
        return "webhook-timestamp is more than 5 minutes away from our clock.";
    case WEBHOOK_BAD_SIGNATURE:
        return "No v1 signature in webhook-signature fits the body and the source's secrets.";
    case WEBHOOK_BAD_SECRET:
        return "The source has no secret that can be used.";
    }
    return "";
}

int webhook_sign(const char *secret, struct slice id, struct slice timestamp, struct slice body,
                 char *to, size_t size)
{
    const struct slice dot = slice_of(".");
    const struct slice parts[5] = {id, dot, timestamp, dot, body};
    uint8_t mac[MAC_SIZE];
    int error = compute_mac(secret, parts, mac);
    if (error)
        return error;
    size_t prefix = sizeof(scheme) - 1;
    if (size <= prefix)
        return -ENOSPC;
    memcpy(to, scheme, prefix);
    int written = seal_base64(mac, sizeof(mac), to + prefix, size - prefix);
    return written < 0 ? written : 0;
}

void webhook_token_hash(struct slice token, uint8_t ret_hash[SEAL_HASH_SIZE])
{
    seal_sha256(token.at, token.len, ret_hash);
}

bool webhook_bearer_fits(struct slice authorization, const uint8_t (*hashes)[SEAL_HASH_SIZE],
                         size_t count, size_t *ret_index)
{
    static const char bearer[] = "Bearer ";
    size_t prefix = sizeof(bearer) - 1;
    if (authorization.len <= prefix ||
        !slice_is_nocase((struct slice){authorization.at, prefix}, bearer))
        return false;
    struct slice token =
        slice_trim((struct slice){authorization.at + prefix, authorization.len - prefix});
    if (token.len == 0)
        return false;
    uint8_t hash[SEAL_HASH_SIZE];
    webhook_token_hash(token, hash);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (!seal_equal(hash, hashes[i], SEAL_HASH_SIZE))
            continue;
        found = true;
        if (ret_index)
            *ret_index = i;
    }
    return found;
}
