#include "base/seal.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PASSWORD_PASSES = 2, PASSWORD_MEMORY_BYTES = 19 * 1024 * 1024 };

static_assert(SEAL_PASSWORD_SIZE == crypto_pwhash_STRBYTES, "the size that libsodium writes");

int seal_init(void)
{
    return sodium_init() < 0 ? -EIO : 0;
}

void seal_random(void *to, size_t len)
{
    randombytes_buf(to, len);
}

void seal_hash(const struct slice *parts, size_t count, uint8_t ret_hash[SEAL_HASH_SIZE])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, SEAL_HASH_SIZE);
    for (size_t i = 0; i < count; i++)
        crypto_generichash_update(&state, (const unsigned char *)parts[i].at, parts[i].len);
    crypto_generichash_final(&state, ret_hash, SEAL_HASH_SIZE);
}

void seal_sha256(const void *bytes, size_t len, uint8_t ret_hash[SEAL_HASH_SIZE])
{
    crypto_hash_sha256(ret_hash, bytes, len);
}

void seal_hmac_sha256(const void *key, size_t key_len, const struct slice *parts, size_t count,
                      uint8_t ret_mac[32])
{
    /* The incremental form takes a key of any length; the one-shot form wants 32 bytes. */
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_len);
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)parts[i].at, parts[i].len);
    crypto_auth_hmacsha256_final(&state, ret_mac);
}

bool seal_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

void seal_token(const char *prefix, char ret_token[SEAL_TOKEN_SIZE])
{
    enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };
    uint8_t secret[32];
    char text[sodium_base64_ENCODED_LEN(sizeof secret, VARIANT)];
    size_t prefix_len = strlen(prefix);
    assert(prefix_len + 1 + sizeof text <= SEAL_TOKEN_SIZE);

    seal_random(secret, sizeof secret);
    sodium_bin2base64(text, sizeof text, secret, sizeof secret, VARIANT);
    memcpy(ret_token, prefix, prefix_len);
    ret_token[prefix_len] = '_';
    memcpy(ret_token + prefix_len + 1, text, sizeof text);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
}

int seal_password_hash(const char *password, char ret_hash[SEAL_PASSWORD_SIZE])
{
    /* Argon2id with m=19 MiB, t=2, p=1: the OWASP Password Storage Cheat Sheet's second row, which
     * keeps a service that checks one password at a time under 40 MB. */
    char hash[SEAL_PASSWORD_SIZE];
    if (crypto_pwhash_str(hash, password, strlen(password), PASSWORD_PASSES,
                          PASSWORD_MEMORY_BYTES) != 0)
        return -ENOMEM;
    memcpy(ret_hash, hash, sizeof hash);
    return 0;
}

bool seal_password_verify(const char *hash, const char *password)
{
    return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}

int seal_base64(const void *bytes, size_t len, char *to, size_t size)
{
    if (len > INT32_MAX / 2 ||
        sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL) > size)
        return -ENOSPC;
    sodium_bin2base64(to, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
    return (int)(sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL) - 1);
}

int seal_unbase64(struct slice text, void *to, size_t size, size_t *ret_len)
{
    size_t len = 0;
    if (sodium_base642bin(to, size, text.at, text.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        size_t padding = 0;
        while (padding < 2 && padding < text.len && text.at[text.len - 1 - padding] == '=')
            padding++;
        return text.len / 4 * 3 > size + padding ? -ENOSPC : -EINVAL;
    }
    *ret_len = len;
    return 0;
}

int seal_hex(const void *bytes, size_t len, char *to, size_t size)
{
    if (len > INT32_MAX / 2 - 1 || size < len * 2 + 1)
        return -ENOSPC;
    sodium_bin2hex(to, size, bytes, len);
    return (int)(len * 2);
}
