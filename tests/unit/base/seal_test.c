#include "base/seal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int start(void **state)
{
    (void)state;
    return seal_init();
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *wanted)
{
    char hex[129];
    assert_int_equal(seal_hex(bytes, len, hex, sizeof hex), len * 2);
    assert_string_equal(hex, wanted);
}

static void hashes_match_published_vectors(void **state)
{
    (void)state;
    uint8_t hash[SEAL_HASH_SIZE];
    seal_sha256("abc", 3, hash);
    assert_hex(hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const struct slice parts[] = {{"a", 1}, {"", 0}, {"bc", 2}};
    seal_hash(parts, 3, hash);
    assert_hex(hash, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void macs_take_keys_of_any_length(void **state)
{
    (void)state;
    uint8_t mac[32];
    uint8_t long_key[131];
    /* RFC 4231, test cases 2 and 6. */
    const struct slice parts[] = {slice_of("what do ya want "), slice_of("for nothing?")};
    seal_hmac_sha256("Jefe", 4, parts, 2, mac);
    assert_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(long_key, 0xaa, sizeof long_key);
    const struct slice text = slice_of("Test Using Larger Than Block-Size Key - Hash Key First");
    seal_hmac_sha256(long_key, sizeof long_key, &text, 1, mac);
    assert_hex(mac, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void tokens_are_prefixed_long_and_never_the_same(void **state)
{
    (void)state;
    char one[SEAL_TOKEN_SIZE];
    char two[SEAL_TOKEN_SIZE];
    seal_token("mnt", one);
    seal_token("mnt", two);
    assert_memory_equal(one, "mnt_", 4);
    assert_int_equal(strlen(one), 4 + 43);
    assert_int_equal(
        strspn(one + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    assert_string_not_equal(one, two);
}

static void a_password_opens_only_its_own_hash(void **state)
{
    (void)state;
    char hash[SEAL_PASSWORD_SIZE];
    assert_int_equal(seal_password_hash("correct horse", hash), 0);
    assert_memory_equal(hash, "$argon2id$", 10);
    assert_true(seal_password_verify(hash, "correct horse"));
    assert_false(seal_password_verify(hash, "correct horsf"));
    assert_false(seal_password_verify("", "correct horse"));
    assert_false(seal_password_verify("$argon2id$nonsense", "correct horse"));
}

static void base64_is_strict_both_ways(void **state)
{
    (void)state;
    char text[64];
    char bytes[64];
    size_t len = 99;
    assert_int_equal(seal_base64("foobar", 6, text, sizeof text), 8);
    assert_string_equal(text, "Zm9vYmFy");
    assert_int_equal(seal_base64("fooba", 5, text, sizeof text), 8);
    assert_string_equal(text, "Zm9vYmE=");
    assert_int_equal(seal_base64("fooba", 5, text, 8), -ENOSPC);
    assert_int_equal(seal_base64("fooba", 5, text, 9), 8);
    assert_int_equal(seal_base64("", 0, text, sizeof text), 0);

    assert_int_equal(seal_unbase64(slice_of("Zm9vYmE="), bytes, sizeof bytes, &len), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(bytes, "fooba", 5);
    assert_int_equal(seal_unbase64(slice_of("Zm9vYmE="), bytes, 4, &len), -ENOSPC);
    static const char *const bad[] = {
        "Zm9vYmE", "Zm9vYmE==", "Zm9v YmE=", "Zm9v-_E=", "Z", "====", "Zm9vYmF="};
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_equal(seal_unbase64(slice_of(bad[i]), bytes, sizeof bytes, &len), -EINVAL);
    assert_int_equal(seal_unbase64(slice_of(""), bytes, sizeof bytes, &len), 0);
    assert_int_equal(len, 0);
}

static void hex_needs_room_for_its_nul(void **state)
{
    (void)state;
    char text[5];
    assert_int_equal(seal_hex("\x0f\xa0", 2, text, 5), 4);
    assert_string_equal(text, "0fa0");
    assert_int_equal(seal_hex("\x0f\xa0", 2, text, 4), -ENOSPC);
}

static void equality_looks_at_every_byte(void **state)
{
    (void)state;
    assert_true(seal_equal("abc", "abc", 3));
    assert_false(seal_equal("abc", "abd", 3));
    assert_false(seal_equal("abc", "bbc", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_match_published_vectors),
        cmocka_unit_test(macs_take_keys_of_any_length),
        cmocka_unit_test(tokens_are_prefixed_long_and_never_the_same),
        cmocka_unit_test(a_password_opens_only_its_own_hash),
        cmocka_unit_test(base64_is_strict_both_ways),
        cmocka_unit_test(hex_needs_room_for_its_nul),
        cmocka_unit_test(equality_looks_at_every_byte),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
