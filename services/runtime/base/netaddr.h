/* netaddr - is an address of the public internet? Pure; thread safe. */
#ifndef MOMENT_BASE_NETADDR_H
#define MOMENT_BASE_NETADDR_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for what only means something inside a house or a machine: loopback, private, shared
 * (RFC 6598), link-local, unique local, multicast, reserved and documentation addresses (the IANA
 * special-purpose registries), the same behind an IPv4 address carried in an IPv6 one (mapped,
 * NAT64, 6to4), and for every other family. */
bool netaddr_is_public(const struct sockaddr *address);

#endif
