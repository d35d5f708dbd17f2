/* verify - `momentctl verify`: follows the hash chain of each stream in the database, as its owner
 * and without any service. Each record's hash covers its predecessor's, so a record that was
 * altered, removed or put in breaks the chain where it stands. */
#include "ctl/commands.h"
#include "ctl/pg.h"
#include "io/json.h"
#include "io/stream.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_EACH 100000

struct chain {
    const char *service;
    uint64_t records;
    uint64_t first_seq; /* over 1: what came before was removed by retention */
    uint64_t last_seq;
    uint8_t hash[SEAL_HASH_SIZE];
    int shard; /* -1: none yet */
    uint64_t bad_seq;
    char complaint[160]; /* "": whole */
};

enum column { SHARD, SEQ, EPOCH, SITE, KEY, TYPE, AT, BODY, HASH };

/* Every number comes as a binary int8. */
static uint64_t number(const PGresult *row, enum column column)
{
    const unsigned char *bytes = (const unsigned char *)PQgetvalue(row, 0, (int)column);
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

static struct record record_of(const PGresult *row)
{
    struct record record = {.shard = (uint16_t)number(row, SHARD),
                            .seq = number(row, SEQ),
                            .epoch = (uint32_t)number(row, EPOCH),
                            .site = PQgetvalue(row, 0, SITE),
                            .key = PQgetvalue(row, 0, KEY),
                            .type = PQgetvalue(row, 0, TYPE),
                            .at_us = (int64_t)number(row, AT)};
    record.body = (struct slice){PQgetvalue(row, 0, BODY), (size_t)PQgetlength(row, 0, BODY)};
    if (PQgetlength(row, 0, HASH) == SEAL_HASH_SIZE)
        memcpy(record.hash, PQgetvalue(row, 0, HASH), SEAL_HASH_SIZE);
    return record;
}

static void complain(struct chain *chain, uint64_t seq, const char *what)
{
    chain->bad_seq = seq;
    (void)snprintf(chain->complaint, sizeof(chain->complaint), "record %" PRIu64 " %s", seq, what);
}

static void follow(struct chain *chain, const struct record *record)
{
    uint8_t expected[SEAL_HASH_SIZE];
    bool is_first = chain->shard != record->shard;
    if (is_first) {
        memset(chain->hash, 0, sizeof(chain->hash));
        chain->shard = record->shard;
        chain->first_seq = record->seq;
    } else if (record->seq != chain->last_seq + 1) {
        complain(chain, chain->last_seq + 1, "is missing");
        return;
    }
    stream_chain(chain->hash, record, expected);
    /* Retention takes the oldest away; then the first that is left vouches for itself only. */
    bool has_predecessor = !is_first || record->seq == 1;
    if (has_predecessor && memcmp(expected, record->hash, sizeof(expected)) != 0)
        complain(chain, record->seq, "was altered, or one before it was");
    memcpy(chain->hash, record->hash, sizeof(chain->hash));
    chain->last_seq = record->seq;
    chain->records++;
}

static void tell_progress(const struct chain *chain)
{
    if (chain->records % PROGRESS_EACH == 0 && isatty(STDERR_FILENO))
        ctl_say("%s: %" PRIu64 " records", chain->service, chain->records);
}

/* Row by row, so that a stream of any length fits. */
static int walk(PGconn *pg, struct chain *chain)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "select shard::int8, seq, epoch::int8, site, key, type,"
                   " (extract(epoch from at) * 1000000)::int8, body, hash"
                   " from %s.stream order by shard, seq",
                   chain->service);
    if (PQsendQueryParams(pg, sql, 0, NULL, NULL, NULL, NULL, 1) != 1 ||
        PQsetSingleRowMode(pg) != 1)
        return ctl_fail("%s: %s", chain->service, PQerrorMessage(pg));
    int code = CTL_OK;
    for (PGresult *row; (row = PQgetResult(pg)) != NULL; PQclear(row)) {
        ExecStatusType status = PQresultStatus(row);
        if (status == PGRES_SINGLE_TUPLE && chain->complaint[0] == '\0') {
            struct record record = record_of(row);
            follow(chain, &record);
            tell_progress(chain);
        } else if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
            code = ctl_fail("%s: %s", chain->service, PQerrorMessage(pg));
        }
    }
    return code;
}

static void print(const struct chain *chain, json_t *json)
{
    if (json != NULL) {
        (void)json_object_set_new(
            json, chain->service,
            json_pack("{s:b, s:I, s:I, s:I, s:o, s:s?}", "whole", chain->complaint[0] == '\0',
                      "records", (json_int_t)chain->records, "first_seq",
                      (json_int_t)chain->first_seq, "last_seq", (json_int_t)chain->last_seq,
                      "bad_seq",
                      chain->bad_seq > 0 ? json_integer((json_int_t)chain->bad_seq) : json_null(),
                      "detail", chain->complaint[0] != '\0' ? chain->complaint : NULL));
        return;
    }
    if (chain->complaint[0] != '\0')
        (void)printf("%s: BROKEN: %s\n", chain->service, chain->complaint);
    else if (chain->records == 0)
        (void)printf("%s: empty\n", chain->service);
    else
        (void)printf("%s: whole, %" PRIu64 " records, %" PRIu64 " to %" PRIu64 "\n", chain->service,
                     chain->records, chain->first_seq, chain->last_seq);
}

static int verify(PGconn *pg, const char *only, json_t *json)
{
    int code = CTL_OK;
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        struct chain chain = {.service = ctl_services[i], .shard = -1};
        if (only != NULL && strcmp(only, ctl_services[i]) != 0)
            continue;
        if (walk(pg, &chain) != CTL_OK)
            return CTL_FAILED;
        print(&chain, json);
        if (chain.complaint[0] != '\0')
            code = CTL_FAILED;
    }
    return code;
}

int verify_run(const struct ctl_command *command, int argc, char **argv)
{
    bool wants_json;
    int code = ctl_words(command, argc, argv, 0, 1, &wants_json);
    if (code != 0)
        return code;
    const char *only = optind < argc ? argv[optind] : NULL;
    bool is_known = only == NULL;
    for (size_t i = 0; i < CTL_SERVICES; i++)
        is_known = is_known || strcmp(only, ctl_services[i]) == 0;
    if (!is_known)
        return ctl_usage(command, "there is no service %s", only);
    PGconn *pg = pg_open_owner(0);
    if (pg == NULL)
        return CTL_FAILED;
    json_t *json = wants_json ? json_object() : NULL;
    code = verify(pg, only, json);
    PQfinish(pg);
    if (json != NULL) {
        (void)json_dumpf(json, stdout, JSON_INDENT(2));
        (void)putchar('\n');
        json_decref(json);
    }
    return code;
}
