/* zap - who may connect: the allow list and the ZAP handler of one ZeroMQ context.
 *
 * The handler must be open before the first bind: libzmq without one lets every key in. It answers
 * with the user id of the key and with the key itself as property, so that a session can be checked
 * again whenever the list changes. Loop thread only. */
#ifndef MOMENT_IO_ZAP_H
#define MOMENT_IO_ZAP_H

#include "io/loop.h"

#include <stddef.h>

#define ZAP_KEY_PROPERTY "X-Key"

struct zap;

must_check int zap_open(struct loop *loop, void *context, struct zap **ret_zap);
void zap_close(struct zap **zap);

/* Lines "public_key_z85 user_id", # comments; replaces what an earlier file gave, keeps what
 * zap_allow added. On failure the old list stays and error is a sentence. */
must_check int zap_load(struct zap *zap, const char *path, char *error, size_t error_size);
must_check int zap_allow(struct zap *zap, const char *public_key, const char *user_id);
void zap_disallow(struct zap *zap, const char *user_id);
bool zap_knows(const struct zap *zap, const char *public_key, const char *user_id);

#endif
