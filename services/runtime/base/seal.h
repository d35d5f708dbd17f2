/* seal - hashes, MACs, tokens, passwords, encodings: thin over libsodium, constant-time compares.
 *
 * seal_init once before anything else. seal_password_* take tens of milliseconds and 19 MiB: never
 * on the loop thread. All functions are thread safe after seal_init. */
#ifndef MOMENT_BASE_SEAL_H
#define MOMENT_BASE_SEAL_H

#include "base/macros.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_HASH_SIZE 32
#define SEAL_TOKEN_SIZE 64     /* printable, with its NUL */
#define SEAL_PASSWORD_SIZE 128 /* Argon2id string, crypto_pwhash_STRBYTES */

must_check int seal_init(void);
void seal_random(void *to, size_t len);
/* BLAKE2b-256 over the concatenation of parts: the chain of a stream. */
void seal_hash(const struct slice *parts, size_t count, uint8_t ret_hash[SEAL_HASH_SIZE]);
void seal_sha256(const void *bytes, size_t len, uint8_t ret_hash[SEAL_HASH_SIZE]);
void seal_hmac_sha256(const void *key, size_t key_len, const struct slice *parts, size_t count,
                      uint8_t ret_mac[32]);
bool seal_equal(const void *a, const void *b, size_t len); /* constant time */

/* "<prefix>_<43 base64url characters>": 256 random bits. */
void seal_token(const char *prefix, char ret_token[SEAL_TOKEN_SIZE]);
must_check int seal_password_hash(const char *password, char ret_hash[SEAL_PASSWORD_SIZE]);
bool seal_password_verify(const char *hash, const char *password);

/* Standard base64 with padding, and hex. Encoders return the length without NUL, or -ENOSPC. */
int seal_base64(const void *bytes, size_t len, char *to, size_t size);
must_check int seal_unbase64(struct slice text, void *to, size_t size, size_t *ret_len);
int seal_hex(const void *bytes, size_t len, char *to, size_t size);

#endif
