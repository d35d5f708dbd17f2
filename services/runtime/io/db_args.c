/* db_args - the arguments of a statement, in PostgreSQL's binary format. */
#include "base/buf.h"
#include "base/id.h"
#include "io/db_parts.h"
#include "io/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ARG_BYTES_MAX (256U * 1024 * 1024)

/* Scalars up to 16 bytes are kept inside, everything longer on the heap. */
struct db_arg {
    enum oid oid;
    bool is_null;
    bool is_text; /* wire format: text lets the server choose the type, so uuid and jsonb work */
    bool is_array;
    bool has_null_items;
    enum db_type item_type;
    uint32_t item_count;
    uint8_t small[16];
    size_t small_len;
    struct buf bytes;
};

static const Oid item_oids[] = {
    [DB_BOOL] = OID_BOOL,        [DB_I32] = OID_INT4,  [DB_I64] = OID_INT8,
    [DB_DOUBLE] = OID_FLOAT8,    [DB_TEXT] = OID_TEXT, [DB_BYTES] = OID_BYTEA,
    [DB_TIME] = OID_TIMESTAMPTZ, [DB_UUID] = OID_UUID,
};
static const Oid array_oids[] = {
    [DB_BOOL] = 1000, [DB_I32] = 1007,   [DB_I64] = 1016,  [DB_DOUBLE] = 1022,
    [DB_TEXT] = 1009, [DB_BYTES] = 1001, [DB_TIME] = 1185, [DB_UUID] = 2951,
};

static void put_u32(uint8_t to[4], uint32_t value)
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
}

static void put_u64(uint8_t to[8], uint64_t value)
{
    put_u32(to, (uint32_t)(value >> 32));
    put_u32(to + 4, (uint32_t)value);
}

static uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void db_args_init(struct db_args *args)
{
    *args = (struct db_args){0};
}

void db_args_done(struct db_args *args)
{
    for (size_t i = 0; i < args->count; i++)
        buf_done(&args->items[i].bytes);
    free(args->items);
    *args = (struct db_args){0};
}

static struct db_arg *add_arg(struct db_args *args, enum oid oid)
{
    if (args->failed)
        return NULL;
    if (args->count == DB_ARGS_MAX) {
        args->failed = true;
        return NULL;
    }
    /* The table grows by doubling: 0, 8, 16, 32, 64. */
    if (args->count == 0 || (args->count >= 8 && (args->count & (args->count - 1)) == 0)) {
        size_t room = args->count ? args->count * 2 : 8;
        struct db_arg *items = realloc(args->items, room * sizeof *items);
        if (!items) {
            args->failed = true;
            return NULL;
        }
        args->items = items;
    }
    struct db_arg *arg = &args->items[args->count++];
    *arg = (struct db_arg){.oid = oid};
    buf_init(&arg->bytes, ARG_BYTES_MAX);
    return arg;
}

static void add_small(struct db_args *args, enum oid oid, const void *bytes, size_t len)
{
    struct db_arg *arg = add_arg(args, oid);
    if (!arg)
        return;
    assert(len <= sizeof arg->small);
    memcpy(arg->small, bytes, len);
    arg->small_len = len;
}

static void add_bytes(struct db_args *args, enum oid oid, bool is_text, const void *bytes,
                      size_t len)
{
    struct db_arg *arg = add_arg(args, oid);
    if (!arg)
        return;
    arg->is_text = is_text;
    if (buf_append(&arg->bytes, bytes, len) < 0)
        args->failed = true;
}

static void add_null(struct db_args *args, enum oid oid, bool is_text)
{
    struct db_arg *arg = add_arg(args, oid);
    if (!arg)
        return;
    arg->is_null = true;
    arg->is_text = is_text;
}

void db_null(struct db_args *args)
{
    add_null(args, OID_NONE, true);
}

void db_bool(struct db_args *args, bool value)
{
    uint8_t byte = value;
    add_small(args, OID_BOOL, &byte, 1);
}

void db_i32(struct db_args *args, int32_t value)
{
    uint8_t wire[4];
    put_u32(wire, (uint32_t)value);
    add_small(args, OID_INT4, wire, sizeof wire);
}

void db_i64(struct db_args *args, int64_t value)
{
    uint8_t wire[8];
    put_u64(wire, (uint64_t)value);
    add_small(args, OID_INT8, wire, sizeof wire);
}

void db_double(struct db_args *args, double value)
{
    uint8_t wire[8];
    put_u64(wire, double_bits(value));
    add_small(args, OID_FLOAT8, wire, sizeof wire);
}

void db_text(struct db_args *args, const char *value)
{
    if (!value)
        add_null(args, OID_NONE, true);
    else
        /* libpq takes text parameters as C strings: the NUL goes along. */
        add_bytes(args, OID_NONE, true, value, strlen(value) + 1);
}

void db_text_or_null(struct db_args *args, const char *value)
{
    db_text(args, value && *value ? value : NULL);
}

void db_bytes(struct db_args *args, const void *bytes, size_t len)
{
    add_bytes(args, OID_BYTEA, false, bytes, len);
}

void db_time(struct db_args *args, int64_t wall_us)
{
    if (wall_us == 0) {
        add_null(args, OID_TIMESTAMPTZ, false);
        return;
    }
    uint8_t wire[8];
    put_u64(wire, (uint64_t)(wall_us - PG_EPOCH_US));
    add_small(args, OID_TIMESTAMPTZ, wire, sizeof wire);
}

void db_uuid(struct db_args *args, const uint8_t bytes[16])
{
    add_small(args, OID_UUID, bytes, 16);
}

void db_id(struct db_args *args, const char *text)
{
    struct id id;

    if (id_parse(text, &id) == 0)
        db_uuid(args, id.bytes);
    else
        db_null(args);
}

void db_message(struct db_args *args, const ProtobufCMessage *message)
{
    uint8_t *bytes = NULL;
    size_t len = 0;

    if (protobuf_write(message, &bytes, &len) == 0)
        db_bytes(args, bytes, len);
    else
        args->failed = true;
    free(bytes);
}

void db_texts(struct db_args *args, const char *const *texts, size_t count)
{
    db_array(args, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_push_text(args, texts[i]);
}

/* Header of an array on the wire: dimensions, has nulls, item type, length, lower bound. */
#define ARRAY_HEADER 20
#define ARRAY_HEADER_EMPTY 12

void db_array(struct db_args *args, enum db_type type)
{
    struct db_arg *arg = add_arg(args, array_oids[type]);
    if (!arg)
        return;
    static const uint8_t header[ARRAY_HEADER];
    arg->is_array = true;
    arg->item_type = type;
    if (buf_append(&arg->bytes, header, sizeof header) < 0)
        args->failed = true;
}

static void push(struct db_args *args, enum db_type type, const void *bytes, size_t len,
                 bool is_null)
{
    if (args->failed)
        return;
    assert(args->count > 0);
    struct db_arg *arg = &args->items[args->count - 1];
    assert(arg->is_array);
    assert(is_null || arg->item_type == type);
    uint8_t wire[4];
    put_u32(wire, is_null ? UINT32_MAX : (uint32_t)len);
    if (buf_append(&arg->bytes, wire, sizeof wire) < 0 ||
        (!is_null && len > 0 && buf_append(&arg->bytes, bytes, len) < 0)) {
        args->failed = true;
        return;
    }
    arg->item_count++;
    arg->has_null_items |= is_null;
}

void db_push_null(struct db_args *args)
{
    push(args, DB_TEXT, NULL, 0, true);
}

void db_push_bool(struct db_args *args, bool value)
{
    uint8_t byte = value;
    push(args, DB_BOOL, &byte, 1, false);
}

void db_push_i32(struct db_args *args, int32_t value)
{
    uint8_t wire[4];
    put_u32(wire, (uint32_t)value);
    push(args, DB_I32, wire, sizeof wire, false);
}

void db_push_i64(struct db_args *args, int64_t value)
{
    uint8_t wire[8];
    put_u64(wire, (uint64_t)value);
    push(args, DB_I64, wire, sizeof wire, false);
}

void db_push_double(struct db_args *args, double value)
{
    uint8_t wire[8];
    put_u64(wire, double_bits(value));
    push(args, DB_DOUBLE, wire, sizeof wire, false);
}

void db_push_text(struct db_args *args, const char *value)
{
    push(args, DB_TEXT, value, value ? strlen(value) : 0, !value);
}

void db_push_bytes(struct db_args *args, const void *bytes, size_t len)
{
    push(args, DB_BYTES, bytes, len, false);
}

void db_push_time(struct db_args *args, int64_t wall_us)
{
    uint8_t wire[8];
    put_u64(wire, (uint64_t)(wall_us - PG_EPOCH_US));
    push(args, DB_TIME, wire, sizeof wire, wall_us == 0);
}

void db_push_uuid(struct db_args *args, const uint8_t bytes[16])
{
    push(args, DB_UUID, bytes, 16, false);
}

static void close_array(struct db_arg *arg)
{
    uint8_t *header = arg->bytes.data;
    put_u32(header, arg->item_count > 0);
    put_u32(header + 4, arg->has_null_items);
    put_u32(header + 8, item_oids[arg->item_type]);
    put_u32(header + 12, arg->item_count);
    put_u32(header + 16, 1);
}

void db_args_to_wire(struct db_args *args, struct wire_args *wire)
{
    wire->count = (int)args->count;
    for (size_t i = 0; i < args->count; i++) {
        struct db_arg *arg = &args->items[i];
        if (arg->is_array)
            close_array(arg);
        const uint8_t *value = arg->bytes.len ? arg->bytes.data : arg->small;
        size_t len = arg->bytes.len ? arg->bytes.len : arg->small_len;
        if (arg->is_array && arg->item_count == 0)
            len = ARRAY_HEADER_EMPTY;
        wire->types[i] = (Oid)arg->oid;
        wire->values[i] = arg->is_null ? NULL : (const char *)value;
        wire->lengths[i] = (int)len;
        wire->formats[i] = arg->is_text ? 0 : 1;
    }
}
