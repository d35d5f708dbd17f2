/* Which addresses are on the public internet. */
#include "base/netaddr.h"

#include "base/macros.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static bool is_public(const char *text)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        return netaddr_is_public((const struct sockaddr *)(const void *)&v4);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return netaddr_is_public((const struct sockaddr *)(const void *)&v6);
}

static void expect_all(const char *const *texts, size_t count, bool expected)
{
    for (size_t i = 0; i < count; i++) {
        if (is_public(texts[i]) != expected) {
            fail_msg("%s: %s", texts[i], expected ? "is public" : "is not public");
        }
    }
}

static void the_internet_is_public(void **state)
{
    static const char *const texts[] = {
        "1.1.1.1",         "9.255.255.255", "11.0.0.0",       "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0",     "169.253.1.1",    "172.15.255.255", "172.32.0.0",
        "192.167.255.255", "192.169.0.0",   "198.17.255.255", "198.20.0.0",     "223.255.255.255",
        "2606:4700::1111", "2a00::1",       "2001:200::1",    "::ffff:1.1.1.1", "64:ff9b::1.1.1.1",
    };

    (void)state;
    expect_all(texts, countof(texts), true);
}

static void what_is_inside_a_house_is_not(void **state)
{
    static const char *const texts[] = {
        "0.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.1.2.3",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "100::1",
        "5f00::1",
        "::ffff:169.254.169.254",
    };

    (void)state;
    expect_all(texts, countof(texts), false);
}

static void other_families_are_not(void **state)
{
    const struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

    (void)state;
    assert_false(netaddr_is_public((const struct sockaddr *)(const void *)&local));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_internet_is_public),
        cmocka_unit_test(what_is_inside_a_house_is_not),
        cmocka_unit_test(other_families_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
