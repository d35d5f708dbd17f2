/* settings - the runtime's own settings, the same for every service but for default addresses. */
#ifndef MOMENT_IO_SETTINGS_H
#define MOMENT_IO_SETTINGS_H

#include "base/conf.h"

#define SETTINGS_MAX 24

/* The rows with the defaults of that service; the same static table at each call. */
const struct conf_row *settings_rows(const char *service, bool serves_http, size_t *ret_count);
/* database and database_password as one DSN. -ENAMETOOLONG. */
must_check int settings_dsn(const struct conf *conf, char *to, size_t size);
/* The address of a peer; "" if it is not set. */
const char *settings_peer_address(const struct conf *conf, const char *peer);

#endif
