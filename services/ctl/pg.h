/* pg - one blocking connection to PostgreSQL, for migrate and verify.
 *
 * The only other user of libpq is runtime/io/db.c, which never blocks; a command-line tool may.
 * Every failure prints one sentence and returns non-zero. */
#ifndef MOMENT_CTL_PG_H
#define MOMENT_CTL_PG_H

#include "base/macros.h"

#include <libpq-fe.h>
#include <stdbool.h>

/* As moment_owner. wait_s: how long a server that does not answer yet is waited for. Null: told
 * why. Close with PQfinish. */
PGconn *pg_open_owner(unsigned wait_s);
/* As the superuser of settings admin_database; *ret_is_set is false, and null is returned, if there
 * is none. */
PGconn *pg_open_admin(unsigned wait_s, bool *ret_is_set);
/* The password of a role from secrets_dir. */
must_check int pg_password(const char *role, char *password, size_t size);

/* 0, or CTL_FAILED after printing "what: the server's words". */
must_check int pg_run(PGconn *pg, const char *what, const char *sql);
/* A query with text parameters; null after printing. Free with PQclear. */
PGresult *pg_ask(PGconn *pg, const char *what, const char *sql, int count,
                 const char *const *values);
/* Waits for the lock that one migrate at a time holds on this database; says so if it waits. It is
 * gone with the connection. */
must_check int pg_lock_migration(PGconn *pg);

#endif
