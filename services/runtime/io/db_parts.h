/* db_parts - what db.c, db_args.c and db_rows.c know of each other. Nobody else includes this. */
#ifndef MOMENT_IO_DB_PARTS_H
#define MOMENT_IO_DB_PARTS_H

#include "base/clock.h"
#include "io/db.h"

#include <libpq-fe.h>

/* Type numbers of PostgreSQL's catalog, which are fixed for ever (pg_type.dat). */
enum oid {
    OID_NONE = 0,
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_DATE = 1082,
    OID_TIMESTAMPTZ = 1184,
    OID_NUMERIC = 1700,
    OID_UUID = 2950,
    OID_JSONB = 3802,
};

#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01, where PostgreSQL's time starts */
#define US_PER_DAY (INT64_C(86400) * US_PER_S)

/* What libpq wants: parallel arrays, which point into the arguments. */
struct wire_args {
    int count;
    Oid types[DB_ARGS_MAX];
    const char *values[DB_ARGS_MAX];
    int lengths[DB_ARGS_MAX];
    int formats[DB_ARGS_MAX];
};
void db_args_to_wire(struct db_args *args, struct wire_args *wire);

#endif
