/* netaddr - see the header. */
#include "base/netaddr.h"

#include "base/macros.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Not public, of IPv4: RFC 6890 and what the IANA registry added. */
static const struct {
    uint8_t at[4];
    unsigned bits;
} closed_v4[] = {
    {{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10}, {{127, 0, 0, 0}, 8},
    {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},  {{192, 0, 0, 0}, 24},  {{192, 0, 2, 0}, 24},
    {{192, 88, 99, 0}, 24}, {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15}, {{198, 51, 100, 0}, 24},
    {{203, 0, 113, 0}, 24}, {{224, 0, 0, 0}, 3},
};

/* Where an IPv4 address stands inside an IPv6 one. */
static const struct {
    uint8_t prefix[12];
    size_t prefix_len;
    size_t offset;
} carriers[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12, 12}, /* ::ffff:0:0/96 */
    {{0, 0x64, 0xff, 0x9b}, 12, 12},                      /* 64:ff9b::/96, NAT64 */
    {{0x20, 0x02}, 2, 2},                                 /* 2002::/16, 6to4 */
};

static bool has_prefix(const uint8_t *bytes, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;

    return memcmp(bytes, prefix, whole) == 0 &&
           (rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0);
}

static bool is_public_v4(const uint8_t bytes[4])
{
    for (size_t i = 0; i < countof(closed_v4); i++) {
        if (has_prefix(bytes, closed_v4[i].at, closed_v4[i].bits)) {
            return false;
        }
    }
    return true;
}

/* Global unicast is 2000::/3; in it, documentation, and the block of Teredo and benchmarks. */
static bool is_public_v6(const uint8_t bytes[16])
{
    static const uint8_t global[] = {0x20};
    static const uint8_t documentation[] = {0x20, 0x01, 0x0d, 0xb8};
    static const uint8_t protocols[] = {0x20, 0x01, 0x00};

    for (size_t i = 0; i < countof(carriers); i++) {
        if (memcmp(bytes, carriers[i].prefix, carriers[i].prefix_len) == 0) {
            return is_public_v4(bytes + carriers[i].offset);
        }
    }
    return has_prefix(bytes, global, 3) && !has_prefix(bytes, documentation, 32) &&
           !has_prefix(bytes, protocols, 23);
}

bool netaddr_is_public(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    switch (address->sa_family) {
    case AF_INET:
        memcpy(&v4, address, sizeof(v4));
        return is_public_v4((const uint8_t *)&v4.sin_addr);
    case AF_INET6:
        memcpy(&v6, address, sizeof(v6));
        return is_public_v6(v6.sin6_addr.s6_addr);
    default:
        return false;
    }
}
