/* pg - see pg.h. */
#include "ctl/pg.h"

#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/secret_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Any number, as long as every momentctl uses the same. */
#define MIGRATION_LOCK "7305196"

#define PASSWORD_SIZE 512

int pg_password(const char *role, char *password, size_t size)
{
    const struct conf *conf = ctl_conf();
    char path[CTL_PATH_SIZE];
    if (conf == NULL)
        return CTL_FAILED;
    if (ctl_path(path, "%s/%s.password", conf_text(conf, "secrets_dir"), role) < 0)
        return ctl_fail("the path of the password of %s is too long", role);
    int error = secret_file_read(path, password, size);
    if (error < 0)
        return ctl_fail("cannot read the password of %s from %s: %s; `momentctl init` makes it",
                        role, path, strerror(-error));
    return CTL_OK;
}

static PGconn *connect_once(const char *dsn, const char *password)
{
    const char *names[] = {"dbname",          "password",        "application_name",
                           "connect_timeout", "client_encoding", NULL};
    const char *values[] = {dsn, password, "momentctl", "10", "UTF8", NULL};
    return PQconnectdbParams(names, values, 1);
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

/* Only a server that is not there or still starting is worth waiting for: a wrong password stays
 * wrong. Without a connection there is no SQLSTATE, so the words decide. */
static bool may_come(PGconn *pg)
{
    const char *why = PQerrorMessage(pg);
    return strstr(why, "starting up") != NULL || strstr(why, "shutting down") != NULL ||
           strstr(why, "recovery mode") != NULL || strstr(why, "onnection refused") != NULL ||
           strstr(why, "No such file") != NULL || strstr(why, "could not translate") != NULL ||
           strstr(why, "timeout expired") != NULL;
}

static PGconn *open_waiting(const char *dsn, const char *password, unsigned wait_s)
{
    int64_t until_us = clock_mono_us() + (int64_t)wait_s * US_PER_S;
    bool told = false;
    for (;;) {
        PGconn *pg = connect_once(dsn, password);
        if (PQstatus(pg) == CONNECTION_OK) {
            (void)PQsetNoticeReceiver(pg, ignore_notice, NULL);
            return pg;
        }
        if (!may_come(pg) || clock_mono_us() >= until_us) {
            (void)ctl_fail("no connection to PostgreSQL (%s): %s"
                           "is it running? `make run` starts the private one; the address stands "
                           "in %s/etc/operator.conf",
                           dsn, PQerrorMessage(pg), ctl_dir());
            PQfinish(pg);
            return NULL;
        }
        PQfinish(pg);
        if (!told)
            ctl_say("waiting for PostgreSQL (up to %u s)", wait_s);
        told = true;
        (void)usleep(200 * 1000);
    }
}

static PGconn *open_as(const char *setting, const char *password_setting, const char *role,
                       unsigned wait_s)
{
    const struct conf *conf = ctl_conf();
    char from_file[PASSWORD_SIZE];
    const char *password = conf_text(conf, password_setting);
    if (password[0] == '\0') {
        if (pg_password(role, from_file, sizeof(from_file)) != CTL_OK)
            return NULL;
        password = from_file;
    }
    return open_waiting(conf_text(conf, setting), password, wait_s);
}

PGconn *pg_open_owner(unsigned wait_s)
{
    if (ctl_conf() == NULL)
        return NULL;
    return open_as("database", "database_password", "moment_owner", wait_s);
}

PGconn *pg_open_admin(unsigned wait_s, bool *ret_is_set)
{
    *ret_is_set = true;
    const struct conf *conf = ctl_conf();
    if (conf == NULL)
        return NULL;
    *ret_is_set = conf_text(conf, "admin_database")[0] != '\0';
    if (!*ret_is_set)
        return NULL;
    return open_as("admin_database", "admin_database_password", "postgres", wait_s);
}

int pg_run(PGconn *pg, const char *what, const char *sql)
{
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
        return CTL_OK;
    return ctl_fail("%s: %s", what, PQerrorMessage(pg));
}

PGresult *pg_ask(PGconn *pg, const char *what, const char *sql, int count,
                 const char *const *values)
{
    PGresult *result = PQexecParams(pg, sql, count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK)
        return result;
    (void)ctl_fail("%s: %s", what, PQerrorMessage(pg));
    PQclear(result);
    return NULL;
}

int pg_lock_migration(PGconn *pg)
{
    PGresult *result = pg_ask(pg, "asking for the migration lock",
                              "select pg_try_advisory_lock(" MIGRATION_LOCK ")", 0, NULL);
    if (result == NULL)
        return CTL_FAILED;
    bool is_ours = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
    PQclear(result);
    if (is_ours)
        return CTL_OK;
    ctl_say("another momentctl migrates this database; waiting for it");
    return pg_run(pg, "waiting for the migration lock",
                  "select pg_advisory_lock(" MIGRATION_LOCK ")");
}
