#include "ingest/rules/redact.h"

#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check(const struct redact *redact, const char *text, const char *wanted, size_t places)
{
    char buffer[256];
    text_copy(buffer, sizeof(buffer), text);
    assert_int_equal(redact_text(redact, buffer, sizeof(buffer)), places);
    assert_string_equal(buffer, wanted);
}

static void test_cards(void **state)
{
    (void)state;
    struct redact redact;
    size_t bad;
    assert_int_equal(redact_init(&redact, NULL, &bad), 0);
    check(&redact, "4111111111111111", "[redacted]", 1);
    check(&redact, "card 4111 1111 1111 1111, thanks", "card [redacted], thanks", 1);
    check(&redact, "4111-1111-1111-1111x5500005555555559", "[redacted]x[redacted]", 2);
    check(&redact, "378282246310005", "[redacted]", 1);
    check(&redact, "4222222222222", "[redacted]", 1);          /* 13 digits */
    check(&redact, "6304000000000000000", "[redacted]", 1);    /* 19 digits */
    check(&redact, "4111111111111112", "4111111111111112", 0); /* Luhn */
    check(&redact, "411111111111", "411111111111", 0);
    check(&redact, "44111111111111111111", "44111111111111111111", 0); /* 20 digits in one */
    check(&redact, "4111  1111 1111 1111", "4111  1111 1111 1111", 0);
    check(&redact, "ref 12 4111 1111 1111 1111 9", "ref 12 [redacted] 9", 1);
    check(&redact, "18005550101 +442079460123 1795307636.12",
          "18005550101 +442079460123 1795307636.12", 0);
    check(&redact, "Zoë 4111111111111111 Müller", "Zoë [redacted] Müller", 1);
    check(&redact, "", "", 0);
    redact_done(&redact);
}

static void test_patterns(void **state)
{
    (void)state;
    struct redact redact;
    size_t bad;
    assert_int_equal(
        redact_init(&redact, "[0-9]{3}-[0-9]{2}-[0-9]{4}\n\n\\<[A-Z]{2}[0-9]{6}[A-Z]\\>\n", &bad),
        0);
    assert_int_equal(redact.count, 2);
    check(&redact, "SSN 078-05-1120 and QQ123456C.", "SSN [redacted] and [redacted].", 2);
    check(&redact, "078-05-1120,078-05-1120", "[redacted],[redacted]", 2);
    check(&redact, "078-05-112 XQQ123456CX", "078-05-112 XQQ123456CX", 0);
    redact_done(&redact);
}

static void test_a_text_that_grows_is_cut_at_a_character(void **state)
{
    (void)state;
    struct redact redact;
    size_t bad;
    assert_int_equal(redact_init(&redact, "id[0-9]", &bad), 0);
    for (size_t size = 7; size < 40; size++) {
        char text[40];
        text_copy(text, size, "é id1 ëëëëë id2 é");
        redact_text(&redact, text, size);
        assert_true(strlen(text) < size);
        assert_true(text_is_utf8(text, strlen(text)));
        assert_null(strstr(text, "id1"));
        assert_null(strstr(text, "id2"));
    }
    redact_done(&redact);
}

static void test_bad_patterns(void **state)
{
    (void)state;
    struct redact redact;
    size_t bad = 0;
    assert_int_equal(redact_init(&redact, "a\n[b", &bad), -EINVAL);
    assert_int_equal(bad, 2);
    assert_int_equal(redact_init(&redact, "x*", &bad), -EINVAL); /* would match everywhere */
    assert_int_equal(bad, 1);
    assert_int_equal(
        redact_init(&redact, "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\np\nq", &bad), -E2BIG);
    assert_int_equal(bad, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_a_text_that_grows_is_cut_at_a_character),
        cmocka_unit_test(test_bad_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
