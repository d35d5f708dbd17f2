/* webhook - when to try again, what an answer means, and the signature.
 *
 * Standard Webhooks: "webhook-signature: v1,<base64 of HMAC-SHA256 over id.timestamp.body>"; the
 * secret is "whsec_" and base64 of its key. Pure (random bits are a parameter); thread safe. */
#ifndef MOMENT_RECOGNITION_WEBHOOK_H
#define MOMENT_RECOGNITION_WEBHOOK_H

#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

#define WEBHOOK_KEY_BYTES 32
#define WEBHOOK_SECRET_SIZE 64
#define WEBHOOK_SIGNATURE_SIZE 48
#define WEBHOOK_FACTOR 2.8 /* 5 s and 10 times are 23 hours in all */
#define WEBHOOK_WAIT_MAX_MS (24 * 60 * 60 * 1000)
#define WEBHOOK_RETRY_AFTER_MAX_S 3600

enum webhook_verdict {
    WEBHOOK_DELIVERED, /* 2xx */
    WEBHOOK_RETRY,     /* everything else, also a redirect: that is another address */
    WEBHOOK_GONE       /* 410: the receiver wants no more */
};
/* status: HTTP; 0: no answer. */
enum webhook_verdict webhook_judge(uint32_t status);

struct webhook_patience {
    uint32_t first_ms; /* before the first retry; each later one waits WEBHOOK_FACTOR as long */
    uint32_t retries;
};
/* Milliseconds after so many failed attempts (from 1), a fifth more or less by random, and not
 * before the receiver said (retry_after_s; 0: nothing). Negative: given up. */
int64_t webhook_wait_ms(const struct webhook_patience *patience, uint32_t attempts,
                        uint32_t retry_after_s, uint32_t random);

void webhook_print_secret(const uint8_t key[WEBHOOK_KEY_BYTES], char secret[WEBHOOK_SECRET_SIZE]);
/* key of any length. */
void webhook_sign(const void *key, size_t key_len, const char *id, const char *timestamp,
                  struct slice body, char signature[WEBHOOK_SIGNATURE_SIZE]);

#endif
