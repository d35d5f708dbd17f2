/* migrate - `momentctl migrate`: every schema file once, in order, as moment_owner.
 *
 * Each file is one transaction together with its row in <schema>.schema_version. A file that is
 * known to the database and not to this program, or whose text has changed since it ran, stops
 * everything before anything is changed. */
#include "ctl/commands.h"

#include "base/seal.h"
#include "base/text.h"
#include "ctl/cluster.h"
#include "ctl/pg.h"
#include "ctl/schema.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_SIZE 65

static void digest_of(const struct schema_file *file, char digest[DIGEST_SIZE])
{
    uint8_t hash[SEAL_HASH_SIZE];
    seal_sha256(file->sql, strlen(file->sql), hash);
    (void)seal_hex(hash, sizeof(hash), digest, DIGEST_SIZE);
}

/* Runs statement with every %s replaced by the service: names are ours, never a user's. */
static int run_for(PGconn *pg, const char *service, const char *what, const char *statement)
{
    char sql[4096];
    size_t len = 0;
    for (const char *at = statement; *at != '\0'; at++) {
        bool is_name = at[0] == '%' && at[1] == 's';
        int added =
            snprintf(sql + len, sizeof(sql) - len, is_name ? "%s" : "%.1s", is_name ? service : at);
        len += (size_t)added;
        at += is_name ? 1 : 0;
        if (len >= sizeof(sql))
            return ctl_fail("%s: the statement is too long", what);
    }
    return pg_run(pg, what, sql);
}

static int make_version_table(PGconn *pg, const char *service)
{
    return run_for(pg, service, service,
                   "create schema if not exists %s authorization moment_owner;"
                   "revoke all on schema %s from public;"
                   "create table if not exists %s.schema_version ("
                   " version integer not null,"
                   " name text primary key,"
                   " digest text not null,"
                   " applied_at timestamptz not null default clock_timestamp())");
}

/* --- what the database has had
 * ------------------------------------------------------------------*/

static const struct schema_file *file_named(const char *name)
{
    for (size_t i = 0; i < schema_file_count; i++) {
        if (strcmp(schema_files[i].name, name) == 0)
            return &schema_files[i];
    }
    return NULL;
}

static PGresult *applied_files(PGconn *pg, const char *service)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "select name, digest, to_char(applied_at, 'YYYY-MM-DD HH24:MI') "
                   "from %s.schema_version order by name",
                   service);
    return pg_ask(pg, "reading schema_version", sql, 0, NULL);
}

static int check_row(const char *service, const char *name, const char *digest, const char *when)
{
    char ours[DIGEST_SIZE];
    const struct schema_file *file = file_named(name);
    if (file == NULL)
        return ctl_fail("schema %s of the database is newer than this program: %s was applied on "
                        "%s. Use the momentctl that belongs to it; nothing was changed",
                        service, name, when);
    digest_of(file, ours);
    if (strcmp(ours, digest) != 0)
        return ctl_fail("%s was changed after it ran in schema %s on %s. What has run stays as it "
                        "is: put the change into a new file (or, while developing, start with an "
                        "empty database); nothing was changed",
                        name, service, when);
    return CTL_OK;
}

static int check_schema(PGconn *pg, const char *service)
{
    PGresult *applied = applied_files(pg, service);
    if (applied == NULL)
        return CTL_FAILED;
    int code = CTL_OK;
    for (int row = 0; row < PQntuples(applied) && code == CTL_OK; row++)
        code = check_row(service, PQgetvalue(applied, row, 0), PQgetvalue(applied, row, 1),
                         PQgetvalue(applied, row, 2));
    PQclear(applied);
    return code;
}

static bool was_applied(const PGresult *applied, const char *name)
{
    for (int row = 0; row < PQntuples(applied); row++) {
        if (strcmp(PQgetvalue(applied, row, 0), name) == 0)
            return true;
    }
    return false;
}

/* --- what it still lacks
 * ------------------------------------------------------------------------*/

static int remember(PGconn *pg, const char *service, const struct schema_file *file)
{
    char sql[256];
    char version[16];
    char digest[DIGEST_SIZE];
    (void)snprintf(sql, sizeof(sql),
                   "insert into %s.schema_version (version, name, digest) values ($1, $2, $3)",
                   service);
    (void)snprintf(version, sizeof(version), "%d", file->version);
    digest_of(file, digest);
    const char *values[] = {version, file->name, digest};
    PGresult *result = pg_ask(pg, "writing schema_version", sql, 3, values);
    PQclear(result);
    return result == NULL ? CTL_FAILED : CTL_OK;
}

static int apply_inside(PGconn *pg, const char *service, const struct schema_file *file)
{
    /* A lock that does not come soon would make every service wait behind this one. */
    if (run_for(pg, service, file->name,
                "begin; set local lock_timeout = '10s'; set local search_path = %s") != CTL_OK)
        return CTL_FAILED;
    if (pg_run(pg, file->name, file->sql) != CTL_OK || remember(pg, service, file) != CTL_OK)
        return CTL_FAILED;
    return pg_run(pg, file->name, "commit");
}

static int apply(PGconn *pg, const char *service, const struct schema_file *file)
{
    int code = apply_inside(pg, service, file);
    if (code != CTL_OK)
        (void)PQclear(PQexec(pg, "rollback"));
    else
        ctl_say("%s: %s", service, file->name);
    return code;
}

/* A service may read and write its tables, yet not alter what has been said: streams, epochs and
 * versions only grow. Partitions are reached through their parents. */
static int grant(PGconn *pg, const char *service)
{
    if (run_for(pg, service, "rights",
                "grant usage on schema %s to moment_%s;"
                "grant execute on all functions in schema %s to moment_%s;"
                "grant usage, select on all sequences in schema %s to moment_%s") != CTL_OK)
        return CTL_FAILED;
    return run_for(
        pg, service, "rights",
        "do $$ declare t name; begin"
        " for t in select relname from pg_class where relnamespace = '%s'::regnamespace"
        "  and relkind in ('r', 'p', 'v', 'm') and not relispartition loop"
        "  execute format('grant select, insert, update, delete on %s.%I to moment_%s', t);"
        " end loop; end $$;"
        "revoke update, delete on %s.stream, %s.epoch from moment_%s;"
        "revoke insert, update, delete on %s.schema_version from moment_%s");
}

/* The first partitions, so that the schema is usable before its service has started. */
static int make_partitions(PGconn *pg, const char *service)
{
    return run_for(pg, service, "partitions",
                   "do $$ begin if to_regprocedure('%s.ensure_partitions()') is not null then"
                   " perform %s.ensure_partitions(); end if; end $$");
}

/* The files of one owner that are not there yet. */
static int apply_of(PGconn *pg, const char *service, const char *owner, const PGresult *applied,
                    unsigned *count)
{
    for (size_t i = 0; i < schema_file_count; i++) {
        const struct schema_file *file = &schema_files[i];
        if (strcmp(file->owner, owner) != 0 || was_applied(applied, file->name))
            continue;
        if (apply(pg, service, file) != CTL_OK)
            return CTL_FAILED;
        (*count)++;
    }
    return CTL_OK;
}

static int migrate_schema(PGconn *pg, const char *service, unsigned *count)
{
    PGresult *applied = applied_files(pg, service);
    if (applied == NULL)
        return CTL_FAILED;
    int code = apply_of(pg, service, "runtime", applied, count);
    if (code == CTL_OK)
        code = apply_of(pg, service, service, applied, count);
    PQclear(applied);
    if (code != CTL_OK || grant(pg, service) != CTL_OK)
        return CTL_FAILED;
    return make_partitions(pg, service);
}

static int migrate_all(PGconn *pg)
{
    unsigned count = 0;
    if (pg_lock_migration(pg) != CTL_OK)
        return CTL_FAILED;
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        if (make_version_table(pg, ctl_services[i]) != CTL_OK ||
            check_schema(pg, ctl_services[i]) != CTL_OK)
            return CTL_FAILED;
    }
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        if (migrate_schema(pg, ctl_services[i], &count) != CTL_OK)
            return CTL_FAILED;
    }
    if (count == 0)
        ctl_say("the database is up to date");
    else
        ctl_say("%u schema files applied", count);
    return CTL_OK;
}

static int prepare_cluster(unsigned wait_s)
{
    bool is_set = false;
    PGconn *admin = pg_open_admin(wait_s, &is_set);
    if (admin == NULL)
        return is_set ? CTL_FAILED : CTL_OK;
    int code = cluster_prepare(admin);
    PQfinish(admin);
    return code;
}

int migrate_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option options[] = {{"wait", required_argument, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    int64_t wait_s = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'w' || text_to_i64(slice_of(optarg), 0, 3600, &wait_s) < 0)
            return ctl_usage(command, "--wait takes seconds from 0 to 3600");
    }
    if (optind < argc)
        return ctl_usage(command, "migrate takes no %s", argv[optind]);
    if (ctl_conf() == NULL || prepare_cluster((unsigned)wait_s) != CTL_OK)
        return CTL_FAILED;
    PGconn *pg = pg_open_owner((unsigned)wait_s);
    if (pg == NULL)
        return CTL_FAILED;
    int code = migrate_all(pg);
    PQfinish(pg);
    return code;
}
