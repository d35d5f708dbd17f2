/* curve - key files and the options that every ZeroMQ socket of Moment carries.
 *
 * <keys_dir>/<name>.secret and <name>.public hold one key in z85 each. No socket is made elsewhere,
 * so none can go without CURVE, limits and heartbeats. Errors are whole sentences that name the
 * file and the command that mends it. */
#ifndef MOMENT_IO_CURVE_H
#define MOMENT_IO_CURVE_H

#include "base/macros.h"

#include <stddef.h>

#define CURVE_KEY_SIZE 41 /* 40 characters of z85 and NUL */
#define CURVE_ZAP_DOMAIN "moment"

struct curve_keys {
    char public_key[CURVE_KEY_SIZE];
    char secret_key[CURVE_KEY_SIZE];
};

must_check int curve_load_pair(const char *keys_dir, const char *name, struct curve_keys *ret_keys,
                               char *error, size_t error_size);
must_check int curve_load_public(const char *keys_dir, const char *name,
                                 char ret_key[CURVE_KEY_SIZE], char *error, size_t error_size);

/* A socket bound or connected to address. Null with errno set on failure. */
void *curve_server(void *context, const char *address, const struct curve_keys *keys);
void *curve_client(void *context, const char *address, const struct curve_keys *keys,
                   const char *server_key);

#endif
