/* Golden messages: what this version and every released one wrote must be read for ever.
 *
 * tests/contract/golden has the bytes of each message and the same as canonical proto3 JSON, made
 * once by another implementation (golden.py). Here they are read by descriptor, so that nothing
 * knows a message by name; the list of all descriptors is made from the protocol by the Makefile.
 */
#include "base/seal.h"
#include "io/frame.h"
#include "io/json.h"
#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "moment/v1/reporting.pb-c.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER "tests/contract/golden/"
#define PATH_SIZE 512
#define GOLDENS_MAX 1000
#define NEWER_FIELD 15000 /* of a later version of the protocol */
#define NEWER_VALUE 4711

static const ProtobufCMessageDescriptor *const messages[] = {
#define MESSAGE(descriptor) &descriptor,
#include "messages.h"
#undef MESSAGE
};

struct golden {
    char name[128]; /* "Frame-3" */
    const ProtobufCMessageDescriptor *descriptor;
    json_t *json;
    uint8_t *bytes;
    size_t len;
    ProtobufCMessage *message;
};

static char *names[GOLDENS_MAX]; /* of all goldens, without an ending */
static size_t name_count;

/* --- what a descriptor says ------------------------------------------------------------------ */

static const void *at(const ProtobufCMessage *message, size_t offset)
{
    return (const char *)message + offset;
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_FLOAT:
        break;
    }
    fail_msg("%s has a type that the protocol did not use before", field->name);
    return 0;
}

static bool is_default(const ProtobufCFieldDescriptor *field, const void *value)
{
    static const char zeros[16];

    if (field->type == PROTOBUF_C_TYPE_STRING)
        return **(char *const *)value == '\0';
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)value)->len == 0;
    return memcmp(value, zeros, size_of(field)) == 0;
}

static size_t count_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)at(message, field->quantifier_offset);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)at(message, field->quantifier_offset) == field->id;
    return !is_default(field, at(message, field->offset));
}

/* The value of this number, or the only one. */
static const void *item_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           size_t number)
{
    const void *value = at(message, field->offset);

    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return value;
    return *(const char *const *)value + number * size_of(field);
}

/* --- the files ------------------------------------------------------------------------------- */

static uint8_t *read_file(const char *name, const char *ending, size_t *ret_len)
{
    char path[PATH_SIZE];
    uint8_t *bytes = malloc(1 << 20);

    assert(bytes);
    snprintf(path, sizeof(path), FOLDER "%s.%s", name, ending);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is missing", path);
    *ret_len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* Null: no such message. */
static const ProtobufCMessageDescriptor *find_message(const char *golden)
{
    size_t len = strcspn(golden, "-");

    for (size_t i = 0; i < countof(messages); i++) {
        const char *name = messages[i]->name + strlen("moment.v1.");
        if (strlen(name) == len && strncmp(name, golden, len) == 0)
            return messages[i];
    }
    return NULL;
}

static int open_golden(void **state)
{
    struct golden *golden = calloc(1, sizeof(*golden));
    struct json_error error;
    size_t len = 0;

    assert(golden);
    text_copy(golden->name, sizeof(golden->name), *state);
    *state = golden;
    golden->descriptor = find_message(golden->name);
    if (!golden->descriptor)
        fail_msg("%s is a golden of no message: what was released may not go away", golden->name);
    char *text = (char *)read_file(golden->name, "json", &len);
    if (json_parse((struct slice){text, len}, &golden->json, &error) < 0)
        fail_msg("%s.json: %s", golden->name, error.message);
    free(text);
    golden->bytes = read_file(golden->name, "bin", &golden->len);
    struct slice bytes = {(const char *)golden->bytes, golden->len};
    if (protobuf_read(golden->descriptor, bytes, &golden->message) < 0)
        fail_msg("%s.bin cannot be read", golden->name);
    return 0;
}

static int close_golden(void **state)
{
    struct golden *golden = *state;

    json_unref(&golden->json);
    protobuf_c_message_free_unpacked(golden->message, NULL);
    free(golden->bytes);
    free(golden);
    return 0;
}

/* --- a message against its JSON -------------------------------------------------------------- */

static void check_message(const char *path, const json_t *json, const ProtobufCMessage *message);

static void check_text(const char *path, const json_t *json, const char *value)
{
    const char *expected = json_string_value(json);

    if (!expected || strcmp(expected, value) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", path, value, expected ? expected : "(no text)");
}

static void check_bytes(const char *path, const json_t *json, const ProtobufCBinaryData *value)
{
    char text[1024];

    assert_true(seal_base64(value->data, value->len, text, sizeof(text)) >= 0);
    check_text(path, json, text);
}

static void check_enum(const char *path, const json_t *json,
                       const ProtobufCEnumDescriptor *descriptor, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(descriptor, value);

    if (!known)
        fail_msg("%s has a value without a name: %d", path, value);
    check_text(path, json, known->name);
}

/* Canonical JSON writes 64 bits as text, since JavaScript would round them. */
static void check_number(const char *path, const json_t *json,
                         const ProtobufCFieldDescriptor *field, const void *value)
{
    char text[32];

    if (field->type == PROTOBUF_C_TYPE_INT64)
        snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)value);
    else if (field->type == PROTOBUF_C_TYPE_UINT64)
        snprintf(text, sizeof(text), "%" PRIu64, *(const uint64_t *)value);
    else
        fail_msg("%s has a type that no golden was checked of yet", path);
    check_text(path, json, text);
}

static void check_value(const char *path, const json_t *json, const ProtobufCFieldDescriptor *field,
                        const void *value)
{
    double real = json_number_value(json);

    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        check_message(path, json, *(ProtobufCMessage *const *)value);
        break;
    case PROTOBUF_C_TYPE_STRING:
        check_text(path, json, *(char *const *)value);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        check_bytes(path, json, value);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        check_enum(path, json, field->descriptor, *(const int *)value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(json) || json_is_true(json) != *(const protobuf_c_boolean *)value)
            fail_msg("%s is another truth", path);
        break;
    case PROTOBUF_C_TYPE_INT32:
        if (!json_is_integer(json) || json_integer_value(json) != *(const int32_t *)value)
            fail_msg("%s is %d", path, *(const int32_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
        if (!json_is_integer(json) || json_integer_value(json) != *(const uint32_t *)value)
            fail_msg("%s is %u", path, *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        if (!json_is_number(json) || memcmp(&real, value, sizeof(real)) != 0)
            fail_msg("%s is %.17g, not %.17g", path, *(const double *)value, real);
        break;
    default:
        check_number(path, json, field, value);
        break;
    }
}

static void check_field(const char *path, const json_t *json, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field)
{
    char item[PATH_SIZE];
    bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
    size_t expected = is_list ? json_array_size(json) : json ? 1 : 0;

    if (count_of(message, field) != expected)
        fail_msg("%s has %zu values, not %zu", path, count_of(message, field), expected);
    for (size_t i = 0; i < expected; i++) {
        snprintf(item, sizeof(item), is_list ? "%.400s[%zu]" : "%.400s", path, i);
        check_value(item, is_list ? json_array_get(json, i) : json, field,
                    item_of(message, field, i));
    }
}

static void check_message(const char *path, const json_t *json, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    char inner[PATH_SIZE];
    size_t found = 0;

    if (!json_is_object(json))
        fail_msg("%s is no message", path);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const json_t *member = json_object_get(json, descriptor->fields[i].name);
        found += member != NULL;
        snprintf(inner, sizeof(inner), "%.400s.%.90s", path, descriptor->fields[i].name);
        check_field(inner, member, message, &descriptor->fields[i]);
    }
    if (found != json_object_size(json))
        fail_msg("%s has members that the message does not know", path);
}

static void a_golden_says_what_it_said(void **state)
{
    const struct golden *golden = *state;

    check_message(golden->name, golden->json, golden->message);
    assert_int_equal(golden->message->n_unknown_fields, 0);
}

static void a_golden_is_written_to_the_same_bytes(void **state)
{
    const struct golden *golden = *state;
    uint8_t *bytes = NULL;
    size_t len = 0;

    assert_int_equal(protobuf_write(golden->message, &bytes, &len), 0);
    assert_int_equal(len, golden->len);
    assert_memory_equal(bytes, golden->bytes, len);
    free(bytes);
}

static void a_golden_survives_the_json_of_the_api(void **state)
{
    const struct golden *golden = *state;
    json_t *json = json_from_protobuf(golden->message);
    ProtobufCMessage *message = NULL;
    struct json_error error;

    assert_non_null(json);
    assert_int_equal(json_object_size(json), golden->descriptor->n_fields);
    if (json_to_protobuf(json, golden->descriptor, &message, &error) < 0)
        fail_msg("%s: %s %s", golden->name, error.path, error.message);
    /* Not the same bytes: a time has milliseconds there. */
    json_t *again = json_from_protobuf(message);
    assert_true(json_equal(json, again));
    json_unref(&again);
    json_unref(&json);
    protobuf_c_message_free_unpacked(message, NULL);
}

/* --- a later version ------------------------------------------------------------------------- */

/* What a later version would send in the place of message: a field of each wire type that we do not
 * know, and every enumeration with a value that we have no name for. Recursive. */
static void make_newer(ProtobufCMessage *message);

static void make_field_newer(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    for (size_t i = 0; i < count_of(message, field); i++) {
        union {
            const void *in;
            void *out;
        } value = {item_of(message, field, i)};
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            make_newer(*(ProtobufCMessage **)value.out);
        else if (field->type == PROTOBUF_C_TYPE_ENUM)
            *(int *)value.out = NEWER_VALUE;
    }
}

static void make_newer(ProtobufCMessage *message)
{
    static const struct {
        ProtobufCWireType type;
        size_t len;
        const char *bytes;
    } fields[] = {
        {PROTOBUF_C_WIRE_TYPE_VARINT, 2, "\x96\x01"},
        {PROTOBUF_C_WIRE_TYPE_64BIT, 8, "\0\0\0\0\0\0\xf8\x3f"},
        {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 4, "\x03new"},
        {PROTOBUF_C_WIRE_TYPE_32BIT, 4, "\1\2\3\4"},
    };

    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        make_field_newer(message, &message->descriptor->fields[i]);
    assert_int_equal(message->n_unknown_fields, 0);
    message->unknown_fields = calloc(countof(fields), sizeof(*message->unknown_fields));
    assert_non_null(message->unknown_fields);
    message->n_unknown_fields = countof(fields);
    for (size_t i = 0; i < countof(fields); i++) {
        ProtobufCMessageUnknownField *field = &message->unknown_fields[i];
        field->tag = NEWER_FIELD + (uint32_t)i;
        field->wire_type = fields[i].type;
        field->len = fields[i].len;
        field->data = malloc(field->len);
        assert_non_null(field->data);
        memcpy(field->data, fields[i].bytes, field->len);
    }
}

/* The values that make_newer left alone. */
static void forget_enums(json_t *json, const ProtobufCMessageDescriptor *descriptor)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        json_t *value = json_object_get(json, field->name);
        if (field->type == PROTOBUF_C_TYPE_ENUM)
            json_object_del(json, field->name);
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (json_is_object(value))
            forget_enums(value, field->descriptor);
        for (size_t j = 0; j < json_array_size(value); j++)
            forget_enums(json_array_get(value, j), field->descriptor);
    }
}

static void a_later_version_is_read_and_handed_on(void **state)
{
    const struct golden *golden = *state;
    ProtobufCMessage *read = NULL;
    uint8_t *bytes = NULL;
    uint8_t *again = NULL;
    size_t len = 0;
    size_t again_len = 0;
    json_t *known = json_from_protobuf(golden->message);

    make_newer(golden->message);
    assert_int_equal(protobuf_write(golden->message, &bytes, &len), 0);
    assert_true(len > golden->len);
    struct slice slice = {(const char *)bytes, len};
    assert_int_equal(protobuf_read(golden->descriptor, slice, &read), 0);
    /* What we know of it is what it was, enumerations are their numbers ... */
    json_t *newer = json_from_protobuf(read);
    json_t *expected = json_from_protobuf(golden->message);
    assert_true(json_equal(newer, expected));
    forget_enums(newer, golden->descriptor);
    forget_enums(known, golden->descriptor);
    assert_true(json_equal(newer, known));
    /* ... and what we do not know is not lost on the way through us. */
    assert_int_equal(protobuf_write(read, &again, &again_len), 0);
    assert_int_equal(again_len, len);
    assert_memory_equal(again, bytes, len);
    json_unref(&expected);
    json_unref(&newer);
    json_unref(&known);
    protobuf_c_message_free_unpacked(read, NULL);
    free(again);
    free(bytes);
}

/* A kind of frame that only a later grammar has: that is what HELLO's protocol is for. */
static void a_frame_of_an_unknown_kind_is_no_frame(void **state)
{
    static const char beat_of_tomorrow[] = {'\x9a', '\x06', '\0'}; /* field 99, empty */
    struct slice bytes = {beat_of_tomorrow, sizeof(beat_of_tomorrow)};
    Moment__V1__Frame *frame = NULL;

    (void)state;
    assert_int_equal(frame_read(bytes, &frame), -EBADMSG);
    assert_null(frame);
}

/* --- all of them ----------------------------------------------------------------------------- */

static void mark_fields(const char *name, bool *has_field)
{
    void *state = (void *)(uintptr_t)name;

    open_golden(&state);
    const struct golden *golden = state;
    for (unsigned i = 0; i < golden->descriptor->n_fields; i++)
        has_field[i] |= count_of(golden->message, &golden->descriptor->fields[i]) > 0;
    close_golden(&state);
}

static void every_field_of_every_message_has_a_golden(void **state)
{
    (void)state;
    assert_true(countof(messages) > 100);
    for (size_t i = 0; i < countof(messages); i++) {
        bool has_field[256] = {false};
        size_t goldens = 0;
        for (size_t j = 0; j < name_count; j++) {
            if (find_message(names[j]) == messages[i]) {
                mark_fields(names[j], has_field);
                goldens++;
            }
        }
        if (goldens == 0)
            fail_msg("%s has no golden: make golden", messages[i]->short_name);
        for (unsigned j = 0; j < messages[i]->n_fields; j++)
            if (!has_field[j])
                fail_msg("no golden of %s has its %s: make golden", messages[i]->short_name,
                         messages[i]->fields[j].name);
    }
}

static bool is_taken(const char *name)
{
    for (size_t i = 0; i < name_count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Every file counts, whatever its ending: one of a pair may not get lost. */
static void find_goldens(void)
{
    DIR *folder = opendir(FOLDER);
    const struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        char *name = strdup(entry->d_name);
        assert(name && name_count < GOLDENS_MAX);
        name[strcspn(name, ".")] = '\0';
        if (name[0] == '\0' || is_taken(name))
            free(name);
        else
            names[name_count++] = name;
    }
    if (folder)
        closedir(folder);
}

int main(void)
{
    static const struct CMUnitTest each[] = {
        cmocka_unit_test(a_golden_says_what_it_said),
        cmocka_unit_test(a_golden_is_written_to_the_same_bytes),
        cmocka_unit_test(a_golden_survives_the_json_of_the_api),
        cmocka_unit_test(a_later_version_is_read_and_handed_on),
    };
    static struct CMUnitTest tests[GOLDENS_MAX * countof(each) + 2] = {
        cmocka_unit_test(every_field_of_every_message_has_a_golden),
        cmocka_unit_test(a_frame_of_an_unknown_kind_is_no_frame),
    };
    static char *titles[countof(tests)];
    size_t count = 2;

    find_goldens();
    for (size_t i = 0; i < name_count; i++) {
        for (size_t j = 0; j < countof(each); j++) {
            tests[count] = each[j];
            if (asprintf(&titles[count], "%s:%s", each[j].name, names[i]) < 0)
                return 1;
            tests[count].name = titles[count];
            tests[count].setup_func = open_golden;
            tests[count].teardown_func = close_golden;
            tests[count++].initial_state = names[i];
        }
    }
    int failed = _cmocka_run_group_tests("golden", tests, count, NULL, NULL);
    for (size_t i = 0; i < name_count; i++)
        free(names[i]);
    for (size_t i = 0; i < count; i++)
        free(titles[i]);
    return failed;
}
