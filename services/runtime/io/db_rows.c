/* db_rows - reading a result, binary or text. */
#include "io/db_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Never defined: a struct db_rows is a PGresult under the name that the header may know. */
static const PGresult *result_of(const struct db_rows *rows)
{
    return (const PGresult *)rows;
}

struct cell {
    const uint8_t *at;
    size_t len;
    Oid type;
    bool is_null;
};

static struct cell cell_at(const struct db_rows *rows, size_t row, size_t column)
{
    const PGresult *result = result_of(rows);
    assert(row < (size_t)PQntuples(result));
    assert(column < (size_t)PQnfields(result));
    int r = (int)row;
    int c = (int)column;
    return (struct cell){
        .at = (const uint8_t *)PQgetvalue(result, r, c),
        .len = (size_t)PQgetlength(result, r, c),
        .type = PQftype(result, c),
        .is_null = PQgetisnull(result, r, c) != 0,
    };
}

static uint64_t take_uint(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

static int64_t take_int(const struct cell *cell)
{
    switch (cell->len) {
    case 1:
        return cell->at[0];
    case 2:
        return (int16_t)take_uint(cell->at, 2);
    case 4:
        return (int32_t)take_uint(cell->at, 4);
    default:
        assert(cell->len == 8);
        return (int64_t)take_uint(cell->at, 8);
    }
}

/* numeric on the wire: count, weight, sign, scale, then base-10000 digits, highest first. Sums of
 * bigint come as numeric, so this is not exotic. */
static double take_numeric(const struct cell *cell)
{
    assert(cell->len >= 8);
    size_t count = (size_t)take_uint(cell->at, 2);
    int weight = (int16_t)take_uint(cell->at + 2, 2);
    bool is_negative = take_uint(cell->at + 4, 2) == 0x4000;
    double value = 0;
    for (size_t i = 0; i < count; i++)
        value = value * 10000 + (double)take_uint(cell->at + 8 + 2 * i, 2);
    for (int power = weight + 1 - (int)count; power > 0; power--)
        value *= 10000;
    for (int power = weight + 1 - (int)count; power < 0; power++)
        value /= 10000;
    return is_negative ? -value : value;
}

size_t db_count(const struct db_rows *rows)
{
    return (size_t)PQntuples(result_of(rows));
}

bool db_is_null(const struct db_rows *rows, size_t row, size_t column)
{
    return cell_at(rows, row, column).is_null;
}

bool db_get_bool(const struct db_rows *rows, size_t row, size_t column)
{
    struct cell cell = cell_at(rows, row, column);
    return !cell.is_null && cell.len > 0 && cell.at[0] != 0;
}

int64_t db_get_i64(const struct db_rows *rows, size_t row, size_t column)
{
    struct cell cell = cell_at(rows, row, column);
    if (cell.is_null)
        return 0;
    if (cell.type == OID_NUMERIC)
        return (int64_t)take_numeric(&cell);
    assert(cell.type != OID_FLOAT4);
    assert(cell.type != OID_FLOAT8);
    return take_int(&cell);
}

double db_get_double(const struct db_rows *rows, size_t row, size_t column)
{
    struct cell cell = cell_at(rows, row, column);
    if (cell.is_null)
        return 0;
    if (cell.type == OID_NUMERIC)
        return take_numeric(&cell);
    if (cell.type == OID_FLOAT4) {
        uint32_t bits = (uint32_t)take_uint(cell.at, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    if (cell.type != OID_FLOAT8)
        return (double)take_int(&cell);
    uint64_t bits = take_uint(cell.at, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

const char *db_get_text(const struct db_rows *rows, size_t row, size_t column)
{
    struct cell cell = cell_at(rows, row, column);
    if (cell.is_null)
        return "";
    /* jsonb carries a version byte in front. */
    return (const char *)cell.at + (cell.type == OID_JSONB && cell.len > 0);
}

struct slice db_get_bytes(const struct db_rows *rows, size_t row, size_t column)
{
    struct cell cell = cell_at(rows, row, column);
    return (struct slice){(const char *)cell.at, cell.is_null ? 0 : cell.len};
}

int64_t db_get_time(const struct db_rows *rows, size_t row, size_t column)
{
    struct cell cell = cell_at(rows, row, column);
    if (cell.is_null)
        return 0;
    int64_t value = take_int(&cell);
    return PG_EPOCH_US + (cell.type == OID_DATE ? value * US_PER_DAY : value);
}

void db_get_uuid(const struct db_rows *rows, size_t row, size_t column, uint8_t ret_bytes[16])
{
    struct cell cell = cell_at(rows, row, column);
    memset(ret_bytes, 0, 16);
    if (cell.is_null)
        return;
    assert(cell.len == 16);
    memcpy(ret_bytes, cell.at, 16);
}
