#include "ingest/rules/ami_action.h"
#include "ingest/rules/md5.h"

#include "base/seal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* RFC 1321, A.5, and both sides of the padding's edge. */
static void test_md5(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } vectors[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
        {"1234567890123456789012345678901234567890123456789012345",
         "c9ccf168914a1bcfc3229f1948e67da0"},
        {"12345678901234567890123456789012345678901234567890123456",
         "49f193adce178490e34d1b3a4ec0064c"},
        {"1234567890123456789012345678901234567890123456789012345678901234",
         "eb6c4179c0a7c82cc2828c1e6338e165"},
    };
    for (size_t i = 0; i < countof(vectors); i++) {
        uint8_t digest[MD5_SIZE];
        char hex[2 * MD5_SIZE + 1];
        md5(vectors[i].text, strlen(vectors[i].text), digest);
        assert_int_equal(seal_hex(digest, sizeof(digest), hex, sizeof(hex)), 32);
        assert_string_equal(hex, vectors[i].digest);
    }
}

static void test_actions(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(ami_action_login(&out, "1", "ingest", "s: e", "on"), 0);
    assert_int_equal(ami_action_queue_status(&out, "2"), 0);
    assert_string_equal(buf_text(&out),
                        "Action: Login\r\nActionID: 1\r\nUsername: ingest\r\nSecret: s: e\r\n"
                        "Events: on\r\n\r\nAction: QueueStatus\r\nActionID: 2\r\n\r\n");
    buf_clear(&out);
    assert_int_equal(ami_action_challenge(&out, "3"), 0);
    assert_int_equal(ami_action_core_show_channels(&out, "4"), 0);
    assert_int_equal(ami_action_ping(&out, "5"), 0);
    assert_int_equal(ami_action_logoff(&out, "6"), 0);
    assert_string_equal(buf_text(&out), "Action: Challenge\r\nActionID: 3\r\nAuthType: MD5\r\n\r\n"
                                        "Action: CoreShowChannels\r\nActionID: 4\r\n\r\n"
                                        "Action: Ping\r\nActionID: 5\r\n\r\n"
                                        "Action: Logoff\r\nActionID: 6\r\n\r\n");
    buf_done(&out);
}

/* md5("840415273" "mark"), the digest as `printf 840415273mark | md5sum` prints it. */
static void test_the_answer_to_a_challenge(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(ami_action_login_md5(&out, "7", "mark", "mark", "840415273", "call,agent"), 0);
    assert_string_equal(buf_text(&out),
                        "Action: Login\r\nActionID: 7\r\nAuthType: MD5\r\n"
                        "Username: mark\r\nKey: e3dc234432c3f15d62524fba929e8279\r\n"
                        "Events: call,agent\r\n\r\n");
    buf_done(&out);
}

static void test_nothing_can_be_injected(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(ami_action_login(&out, "1", "a\r\nAction: Originate", "s", "on"), -EINVAL);
    assert_int_equal(ami_action_login(&out, "1", "a", "s\n", "on"), -EINVAL);
    assert_int_equal(ami_action_login_md5(&out, "1\r", "a", "s", "1", "on"), -EINVAL);
    assert_int_equal(ami_action_ping(&out, "1\n\nAction: Logoff"), -EINVAL);
    assert_int_equal(out.len, 0);
    struct buf small;
    buf_init(&small, 20);
    assert_int_not_equal(ami_action_ping(&small, "1"), 0);
    assert_int_equal(small.len, 0);
    buf_done(&small);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_md5),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_the_answer_to_a_challenge),
        cmocka_unit_test(test_nothing_can_be_injected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
