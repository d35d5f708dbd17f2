/* webhook_signature - may this request speak for this source? Standard Webhooks v1 signatures and
 * bearer tokens. Pure (time is a parameter); compares in constant time; thread safe. */
#ifndef MOMENT_INGEST_WEBHOOK_SIGNATURE_H
#define MOMENT_INGEST_WEBHOOK_SIGNATURE_H

#include "base/seal.h"
#include "base/text.h"

#define WEBHOOK_TOLERANCE_S 300
#define WEBHOOK_SECRET_MAX 256 /* decoded bytes */

enum webhook_verdict {
    WEBHOOK_OK,
    WEBHOOK_UNSIGNED,      /* one of the three headers is missing or empty */
    WEBHOOK_BAD_TIMESTAMP, /* not a number of seconds */
    WEBHOOK_STALE,         /* more than WEBHOOK_TOLERANCE_S away from now, either way */
    WEBHOOK_BAD_SIGNATURE, /* no v1 signature fits any secret */
    WEBHOOK_BAD_SECRET     /* none of our secrets can be read: our fault, not the sender's */
};

struct webhook_headers {
    struct slice id;        /* webhook-id */
    struct slice timestamp; /* webhook-timestamp: seconds since the epoch */
    struct slice signature; /* webhook-signature: "v1,<base64>" separated by spaces */
};

/* secrets: "whsec_" and base64, or base64 alone; any of them may fit. body is the raw body. */
enum webhook_verdict webhook_verify(const struct webhook_headers *headers, struct slice body,
                                    const char *const *secrets, size_t secret_count,
                                    int64_t now_us);
/* Sentence for the problem document. */
const char *webhook_verdict_text(enum webhook_verdict verdict);
/* "v1,<base64>" for id, timestamp and body. The text needs 48 bytes. -EINVAL for the secret. */
must_check int webhook_sign(const char *secret, struct slice id, struct slice timestamp,
                            struct slice body, char *to, size_t size);

/* What is stored of a token. */
void webhook_token_hash(struct slice token, uint8_t ret_hash[SEAL_HASH_SIZE]);
/* authorization: the header's value, "Bearer <token>" (scheme in any case). True if the token has
 * one of the hashes; which one is in *ret_index unless that is null. */
bool webhook_bearer_fits(struct slice authorization, const uint8_t (*hashes)[SEAL_HASH_SIZE],
                         size_t count, size_t *ret_index);

#endif
