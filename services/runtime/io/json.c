#include "io/json.h"

#include "base/clock.h"
#include "base/seal.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this a JavaScript number is no longer exact. */
#define EXACT_MAX (INT64_C(1) << 53)

enum { REAL_DIGITS = 15, ENUM_NAME_SIZE = 96 };

static struct json_error *clear(struct json_error *error, struct json_error *spare)
{
    struct json_error *used = error ? error : spare;
    used->path[0] = 0;
    used->message[0] = 0;
    return used;
}

/* --- text to values ------------------------------------------------------------------------ */

/* Before parsing, so that depth costs nothing: brackets outside of strings. */
static bool is_too_deep(struct slice text)
{
    size_t depth = 0;
    bool is_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (is_string && c == '\\')
            i++;
        else if (c == '"')
            is_string = !is_string;
        else if (!is_string && (c == '{' || c == '['))
            depth++;
        else if (!is_string && (c == '}' || c == ']') && depth)
            depth--;
        if (depth > JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

int json_parse(struct slice text, json_t **ret_json, struct json_error *error)
{
    struct json_error spare;
    error = clear(error, &spare);
    if (is_too_deep(text)) {
        snprintf(error->message, sizeof error->message, "is nested more than %d deep",
                 JSON_DEPTH_MAX);
        return -EINVAL;
    }
    json_error_t cause;
    json_t *json = json_loadb(text.len ? text.at : "", text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &cause);
    if (!json) {
        snprintf(error->message, sizeof error->message, "line %d, column %d: %s", cause.line,
                 cause.column, cause.text);
        /* It quotes what was sent, and may have been cut inside a character. */
        (void)text_repair_utf8(error->message, strlen(error->message));
        return json_error_code(&cause) == json_error_out_of_memory ? -ENOMEM : -EINVAL;
    }
    *ret_json = json;
    return 0;
}

char *json_text(const json_t *json)
{
    return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));
}

void json_unref(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

json_t *json_time(int64_t wall_us)
{
    char text[CLOCK_RFC3339_SIZE];
    return wall_us ? json_string(clock_to_rfc3339(wall_us, text)) : json_null();
}

json_t *json_text_or_null(const char *text)
{
    return text && text[0] ? json_string(text) : json_null();
}

/* --- what a descriptor says ---------------------------------------------------------------- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t suffix_len = strlen(suffix);
    return len >= suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static bool is_signed_64(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
           type == PROTOBUF_C_TYPE_SFIXED64;
}

static bool is_time(const ProtobufCFieldDescriptor *field)
{
    return is_signed_64(field->type) &&
           (ends_with(field->name, "_at") || ends_with(field->name, "_since") ||
            strcmp(field->name, "at") == 0 || strcmp(field->name, "since") == 0);
}

static bool zero_is_null(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_ENUM || is_time(field);
}

static bool is_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static bool is_pointer(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_MESSAGE;
}

static size_t size_of_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    }
    abort(); /* a type that libprotobuf-c does not know either */
}

static const void *at_const(const ProtobufCMessage *message, size_t offset)
{
    return (const char *)message + offset;
}

static void *at(ProtobufCMessage *message, size_t offset)
{
    return (char *)message + offset;
}

/* "EventType" -> "EVENT_TYPE_": what the names of its values begin with. */
static size_t enum_prefix(const ProtobufCEnumDescriptor *descriptor, char to[ENUM_NAME_SIZE])
{
    size_t len = 0;
    for (const char *c = descriptor->short_name; *c && len + 3 < ENUM_NAME_SIZE; c++) {
        if (len && isupper((unsigned char)*c) && !isupper((unsigned char)c[-1]))
            to[len++] = '_';
        to[len++] = (char)toupper((unsigned char)*c);
    }
    to[len++] = '_';
    to[len] = 0;
    return len;
}

static void enum_value_name(const ProtobufCEnumDescriptor *descriptor,
                            const ProtobufCEnumValue *value, char to[ENUM_NAME_SIZE])
{
    size_t prefix_len = enum_prefix(descriptor, to);
    const char *name = value->name;
    if (strncmp(name, to, prefix_len) == 0)
        name += prefix_len;
    size_t len = 0;
    for (; name[len] && len + 1 < ENUM_NAME_SIZE; len++)
        to[len] = (char)tolower((unsigned char)name[len]);
    to[len] = 0;
}

/* --- protobuf to JSON ---------------------------------------------------------------------- */

static json_t *integer_json(int64_t value)
{
    char text[24];
    if (value >= -EXACT_MAX && value <= EXACT_MAX)
        return json_integer(value);
    snprintf(text, sizeof text, "%" PRId64, value);
    return json_string(text);
}

static json_t *unsigned_json(uint64_t value)
{
    char text[24];
    if (value <= (uint64_t)EXACT_MAX)
        return json_integer((json_int_t)value);
    snprintf(text, sizeof text, "%" PRIu64, value);
    return json_string(text);
}

static json_t *real_json(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *enum_json(const ProtobufCEnumDescriptor *descriptor, int number)
{
    char name[ENUM_NAME_SIZE];
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);
    if (!number)
        return json_null();
    if (!value)
        return json_integer(number); /* of a newer protocol: keep what is known of it */
    enum_value_name(descriptor, value, name);
    return json_string(name);
}

static json_t *bytes_json(const ProtobufCBinaryData *bytes)
{
    size_t size = bytes->len / 3 * 4 + 8;
    char *text = malloc(size);
    int len = text ? seal_base64(bytes->data, bytes->len, text, size) : -ENOMEM;
    json_t *json = len < 0 ? NULL : json_stringn_nocheck(text, (size_t)len);
    free(text);
    return json;
}

static json_t *value_json(const ProtobufCFieldDescriptor *field, const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return json_integer(*(const int32_t *)value);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(*(const uint32_t *)value);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return is_time(field) ? json_time(*(const int64_t *)value)
                              : integer_json(*(const int64_t *)value);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return unsigned_json(*(const uint64_t *)value);
    case PROTOBUF_C_TYPE_FLOAT:
        return real_json((double)*(const float *)value);
    case PROTOBUF_C_TYPE_DOUBLE:
        return real_json(*(const double *)value);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)value);
    case PROTOBUF_C_TYPE_ENUM:
        return enum_json(field->descriptor, *(const int *)value);
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)value;
        return json_string(text ? text : "");
    }
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_json(value);
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)value;
        return inner ? json_from_protobuf(inner) : json_null();
    }
    }
    return NULL;
}

static json_t *repeated_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    size_t count = *(const size_t *)at_const(message, field->quantifier_offset);
    const char *items = *(const char *const *)at_const(message, field->offset);
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++)
        if (json_array_append_new(array, value_json(field, items + i * size_of_type(field->type))))
            json_unref(&array);
    return array;
}

static json_t *field_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return repeated_json(message, field);
    const void *quantifier = at_const(message, field->quantifier_offset);
    if (is_oneof(field) && *(const uint32_t *)quantifier != field->id)
        return json_null();
    bool has_flag = field->label == PROTOBUF_C_LABEL_OPTIONAL && !is_oneof(field) &&
                    !is_pointer(field->type) && field->quantifier_offset;
    if (has_flag && !*(const protobuf_c_boolean *)quantifier)
        return json_null();
    return value_json(field, at_const(message, field->offset));
}

json_t *json_from_protobuf(const ProtobufCMessage *message)
{
    json_t *object = json_object();
    for (unsigned i = 0; object && i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (json_object_set_new_nocheck(object, field->name, field_json(message, field)))
            json_unref(&object);
    }
    return object;
}

/* --- JSON to protobuf ---------------------------------------------------------------------- */

/* Where the reader stands, so that an error can say it: the path up to path_len; what is entered
 * next overwrites the rest. */
struct place {
    struct json_error *error;
    size_t path_len;
    unsigned depth;
};

static int refuse(const struct place *place, const char *format, ...) printf_like(2, 3);

static int refuse(const struct place *place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = place->error->message;
    vsnprintf(message, sizeof place->error->message, format, args);
    va_end(args);
    /* It quotes what was sent, and may have been cut inside a character. */
    for (size_t len = strlen(message); len && !text_is_utf8(message, len);)
        message[--len] = 0;
    return -EINVAL;
}

static int out_of_memory(const struct place *place)
{
    refuse(place, "out of memory");
    return -ENOMEM;
}

static struct place enter_field(const struct place *place, const char *name)
{
    struct place inner = *place;
    char *path = place->error->path;
    size_t size = sizeof place->error->path;
    if (inner.path_len && inner.path_len + 1 < size)
        path[inner.path_len++] = '.';
    text_copy(path + inner.path_len, size - inner.path_len, name);
    inner.path_len += strlen(path + inner.path_len);
    return inner;
}

static struct place enter_item(const struct place *place, size_t index)
{
    struct place inner = *place;
    char *path = place->error->path;
    size_t size = sizeof place->error->path;
    snprintf(path + place->path_len, size - place->path_len, "[%zu]", index);
    inner.path_len = strlen(path);
    return inner;
}

static int read_message(const struct place *place, const json_t *json,
                        const ProtobufCMessageDescriptor *descriptor,
                        ProtobufCMessage **ret_message);

static int read_integer(const struct place *place, const json_t *json, int64_t min, int64_t max,
                        int64_t *ret_value)
{
    int64_t value;
    if (json_is_integer(json)) {
        value = json_integer_value(json);
    } else if (json_is_string(json)) {
        struct slice text = {json_string_value(json), json_string_length(json)};
        int rc = text_to_i64(text, INT64_MIN, INT64_MAX, &value);
        if (rc == -ERANGE)
            return refuse(place, "is out of range");
        if (rc < 0)
            return refuse(place, "is not a whole number");
    } else {
        return refuse(place, "is not a whole number");
    }
    if (value < min || value > max)
        return refuse(place, "is not between %" PRId64 " and %" PRId64, min, max);
    *ret_value = value;
    return 0;
}

static int read_unsigned_64(const struct place *place, const json_t *json, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (!json_is_string(json)) {
        int64_t small;
        int rc = read_integer(place, json, 0, INT64_MAX, &small);
        if (rc == 0)
            *ret_value = (uint64_t)small;
        return rc;
    }
    const char *text = json_string_value(json);
    if (!*text)
        return refuse(place, "is not a whole number");
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return refuse(place, "is not a whole number");
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (unsigned)(*text - '0'), &value))
            return refuse(place, "is out of range");
    }
    *ret_value = value;
    return 0;
}

static int read_time(const struct place *place, const json_t *json, int64_t *ret_value)
{
    if (!json_is_string(json) ||
        clock_from_rfc3339((struct slice){json_string_value(json), json_string_length(json)},
                           ret_value) < 0)
        return refuse(place, "is not an RFC 3339 time");
    return 0;
}

static int read_enum(const struct place *place, const json_t *json,
                     const ProtobufCEnumDescriptor *descriptor, int *ret_value)
{
    char name[ENUM_NAME_SIZE];
    if (json_is_integer(json)) {
        int64_t number;
        int rc = read_integer(place, json, INT32_MIN, INT32_MAX, &number);
        if (rc == 0)
            *ret_value = (int)number;
        return rc;
    }
    if (!json_is_string(json))
        return refuse(place, "is not a name");
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        enum_value_name(descriptor, &descriptor->values[i], name);
        if (strcmp(name, json_string_value(json)) == 0) {
            *ret_value = descriptor->values[i].value;
            return 0;
        }
    }
    return refuse(place, "is none of the known names: %.80s", json_string_value(json));
}

static int read_string(const struct place *place, const json_t *json, char **ret_text)
{
    if (!json_is_string(json))
        return refuse(place, "is not a text");
    if (strlen(json_string_value(json)) != json_string_length(json))
        return refuse(place, "holds a NUL");
    char *text = strdup(json_string_value(json));
    if (!text)
        return out_of_memory(place);
    *ret_text = text;
    return 0;
}

static int read_bytes(const struct place *place, const json_t *json, ProtobufCBinaryData *ret_bytes)
{
    if (!json_is_string(json))
        return refuse(place, "is not base64");
    struct slice text = {json_string_value(json), json_string_length(json)};
    size_t size = text.len / 4 * 3 + 3;
    uint8_t *data = malloc(size);
    size_t len = 0;
    if (!data)
        return out_of_memory(place);
    if (seal_unbase64(text, data, size, &len) < 0) {
        free(data);
        return refuse(place, "is not base64");
    }
    if (!len) {
        free(data);
        data = NULL;
    }
    *ret_bytes = (ProtobufCBinaryData){.len = len, .data = data};
    return 0;
}

static int read_real(const struct place *place, const json_t *json, double *ret_value)
{
    if (!json_is_number(json))
        return refuse(place, "is not a number");
    *ret_value = json_number_value(json);
    return 0;
}

/* Into the member or array item at `to`. json is not null. */
static int read_value(const struct place *place, const json_t *json,
                      const ProtobufCFieldDescriptor *field, void *to)
{
    int64_t number = 0;
    double real = 0;
    int rc = 0;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        rc = read_integer(place, json, INT32_MIN, INT32_MAX, &number);
        *(int32_t *)to = (int32_t)number;
        return rc;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        rc = read_integer(place, json, 0, UINT32_MAX, &number);
        *(uint32_t *)to = (uint32_t)number;
        return rc;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return is_time(field) ? read_time(place, json, to)
                              : read_integer(place, json, INT64_MIN, INT64_MAX, to);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_unsigned_64(place, json, to);
    case PROTOBUF_C_TYPE_FLOAT:
        rc = read_real(place, json, &real);
        *(float *)to = (float)real;
        return rc;
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_real(place, json, to);
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(json))
            return refuse(place, "is neither true nor false");
        *(protobuf_c_boolean *)to = json_is_true(json);
        return 0;
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(place, json, field->descriptor, to);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(place, json, to);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(place, json, to);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(place, json, field->descriptor, to);
    }
    return refuse(place, "has an unknown type");
}

static int read_repeated(const struct place *place, const json_t *json,
                         const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
    if (!json_is_array(json))
        return refuse(place, "is not an array");
    size_t count = json_array_size(json);
    if (!count)
        return 0;
    size_t item_size = size_of_type(field->type);
    char *items = calloc(count, item_size);
    if (!items)
        return out_of_memory(place);
    size_t *ret_count = at(message, field->quantifier_offset);
    *(char **)at(message, field->offset) = items;
    for (size_t i = 0; i < count; i++) {
        struct place item = enter_item(place, i);
        const json_t *value = json_array_get(json, i);
        int rc = 0;
        if (!json_is_null(value))
            rc = read_value(&item, value, field, items + i * item_size);
        else if (!zero_is_null(field))
            rc = refuse(&item, "must not be null");
        if (rc < 0)
            return rc;
        /* Grows with what is whole, so that a half-read message can be freed. */
        *ret_count = i + 1;
    }
    return 0;
}

static int read_field(const struct place *place, const json_t *json,
                      const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
    if (json_is_null(json))
        return 0;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return read_repeated(place, json, field, message);
    void *quantifier = at(message, field->quantifier_offset);
    if (is_oneof(field) && *(uint32_t *)quantifier)
        return refuse(place, "cannot be set together with another member of its group");
    int rc = read_value(place, json, field, at(message, field->offset));
    if (rc < 0)
        return rc;
    if (is_oneof(field))
        *(uint32_t *)quantifier = field->id;
    else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !is_pointer(field->type) &&
             field->quantifier_offset)
        *(protobuf_c_boolean *)quantifier = 1;
    return 0;
}

static int read_fields(const struct place *place, const json_t *json, ProtobufCMessage *message)
{
    for (void *at_member = json_object_iter((json_t *)(uintptr_t)json); at_member;
         at_member = json_object_iter_next((json_t *)(uintptr_t)json, at_member)) {
        const char *name = json_object_iter_key(at_member);
        struct place inner = enter_field(place, name);
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
        int rc = field ? read_field(&inner, json_object_iter_value(at_member), field, message)
                       : refuse(&inner, "is not a field of %s", message->descriptor->short_name);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_message(const struct place *place, const json_t *json,
                        const ProtobufCMessageDescriptor *descriptor,
                        ProtobufCMessage **ret_message)
{
    struct place inner = *place;
    if (!json_is_object(json))
        return refuse(place, "is not an object");
    if (++inner.depth > JSON_DEPTH_MAX)
        return refuse(place, "is nested more than %d deep", JSON_DEPTH_MAX);
    ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
    if (!message)
        return out_of_memory(place);
    descriptor->message_init(message);
    int rc = read_fields(&inner, json, message);
    if (rc < 0) {
        protobuf_c_message_free_unpacked(message, NULL);
        return rc;
    }
    *ret_message = message;
    return 0;
}

int json_to_protobuf(const json_t *json, const ProtobufCMessageDescriptor *descriptor,
                     ProtobufCMessage **ret_message, struct json_error *error)
{
    struct json_error spare;
    struct place place = {.error = clear(error, &spare)};
    return read_message(&place, json, descriptor, ret_message);
}

/* --- protobuf on the wire ------------------------------------------------------------------ */

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static bool take_varint(struct slice *bytes, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && bytes->len; shift += 7) {
        uint8_t byte = (uint8_t)bytes->at[0];
        bytes->at++;
        bytes->len--;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct slice *bytes, uint64_t len, struct slice *ret_taken)
{
    if (len > bytes->len)
        return false;
    *ret_taken = (struct slice){bytes->at, (size_t)len};
    bytes->at += len;
    bytes->len -= (size_t)len;
    return true;
}

/* libprotobuf-c takes any bytes as text, loses what follows a NUL, and recurses without limit: all
 * three can be seen only here, before it runs. */
static bool is_clean(const ProtobufCMessageDescriptor *descriptor, struct slice bytes,
                     unsigned depth)
{
    if (depth > JSON_DEPTH_MAX)
        return false;
    while (bytes.len) {
        uint64_t tag, number;
        struct slice value = {0};
        if (!take_varint(&bytes, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
            return false;
        switch (tag & 7) {
        case WIRE_VARINT:
            if (!take_varint(&bytes, &number))
                return false;
            continue;
        case WIRE_64:
            if (!take_bytes(&bytes, 8, &value))
                return false;
            continue;
        case WIRE_32:
            if (!take_bytes(&bytes, 4, &value))
                return false;
            continue;
        case WIRE_BYTES:
            if (!take_varint(&bytes, &number) || !take_bytes(&bytes, number, &value))
                return false;
            break;
        default:
            return false;
        }
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
        if (field && field->type == PROTOBUF_C_TYPE_STRING && !text_is_utf8(value.at, value.len))
            return false;
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
            !is_clean(field->descriptor, value, depth + 1))
            return false;
    }
    return true;
}

struct budget {
    size_t left;
    bool is_spent;
};

static void *allocate(void *data, size_t size)
{
    struct budget *budget = data;
    void *memory = size <= budget->left ? malloc(size) : NULL;
    size_t used = memory ? malloc_usable_size(memory) : 0;
    if (!memory || used > budget->left) {
        free(memory);
        budget->is_spent = true;
        return NULL;
    }
    budget->left -= used;
    return memory;
}

static void give_back(void *data, void *memory)
{
    struct budget *budget = data;
    budget->left += malloc_usable_size(memory);
    free(memory);
}

int protobuf_read(const ProtobufCMessageDescriptor *descriptor, struct slice bytes,
                  ProtobufCMessage **ret_message)
{
    if (bytes.len > SIZE_MAX / 32 || !is_clean(descriptor, bytes, 1))
        return -EBADMSG;
    struct budget budget = {.left = bytes.len * 16 + (size_t)64 * 1024};
    ProtobufCAllocator allocator = {allocate, give_back, &budget};
    ProtobufCMessage *message = protobuf_c_message_unpack(
        descriptor, &allocator, bytes.len, (const uint8_t *)(bytes.at ? bytes.at : ""));
    if (!message)
        return budget.is_spent ? -ENOMEM : -EBADMSG;
    *ret_message = message;
    return 0;
}

int protobuf_write(const ProtobufCMessage *message, uint8_t **ret_bytes, size_t *ret_len)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(len ? len : 1);
    if (!bytes)
        return -ENOMEM;
    size_t written = protobuf_c_message_pack(message, bytes);
    assert(written == len);
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}
