/* cluster - see cluster.h. */
#include "ctl/cluster.h"

#include "ctl/ctl.h"
#include "ctl/pg.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD_SIZE 512

/* The password travels as its SCRAM verifier, so that no log of the server ever shows it. */
static int make_role(PGconn *admin, const char *role)
{
    char password[PASSWORD_SIZE];
    char sql[1024];
    if (pg_password(role, password, sizeof(password)) != CTL_OK)
        return CTL_FAILED;
    char *verifier = PQencryptPasswordConn(admin, password, role, "scram-sha-256");
    if (verifier == NULL)
        return ctl_fail("password of %s: %s", role, PQerrorMessage(admin));
    int len = snprintf(sql, sizeof(sql),
                       "do $$ begin if not exists (select from pg_roles where rolname = '%s') then "
                       "create role %s login nosuperuser nocreatedb nocreaterole noinherit; "
                       "end if; end $$; alter role %s password '%s'",
                       role, role, role, verifier);
    PQfreemem(verifier);
    if (len < 0 || (size_t)len >= sizeof(sql))
        return ctl_fail("the password of %s is too long", role);
    return pg_run(admin, role, sql);
}

static int make_database(PGconn *admin)
{
    PGresult *result = pg_ask(admin, "looking for the database",
                              "select from pg_database where datname = 'moment'", 0, NULL);
    if (result == NULL)
        return CTL_FAILED;
    bool is_there = PQntuples(result) > 0;
    PQclear(result);
    if (!is_there) {
        /* An administrator who is no superuser must belong to the owner that he appoints. */
        if (pg_run(admin, "membership",
                   "do $$ begin if not (select rolsuper from pg_roles where rolname = "
                   "current_user) then execute format('grant moment_owner to %I', current_user); "
                   "end if; end $$") != CTL_OK)
            return CTL_FAILED;
        if (pg_run(admin, "making the database",
                   "create database moment owner moment_owner encoding 'UTF8' "
                   "template template0 lc_collate 'C' lc_ctype 'C'") != CTL_OK)
            return CTL_FAILED;
        ctl_say("database moment made");
    }
    return pg_run(admin, "rights on the database",
                  "revoke all on database moment from public; "
                  "grant create on database moment to moment_owner; "
                  "grant connect on database moment to moment_owner, moment_ingest, "
                  "moment_feedback, moment_recognition, moment_reporting");
}

static int set_search_path(PGconn *admin, const char *service)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "alter role moment_%s in database moment set search_path = %s",
                   service, service);
    return pg_run(admin, "search path", sql);
}

int cluster_prepare(PGconn *admin)
{
    if (pg_lock_migration(admin) != CTL_OK || make_role(admin, "moment_owner") != CTL_OK)
        return CTL_FAILED;
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        char role[64];
        (void)snprintf(role, sizeof(role), "moment_%s", ctl_services[i]);
        if (make_role(admin, role) != CTL_OK)
            return CTL_FAILED;
    }
    if (make_database(admin) != CTL_OK)
        return CTL_FAILED;
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        if (set_search_path(admin, ctl_services[i]) != CTL_OK)
            return CTL_FAILED;
    }
    return CTL_OK;
}
