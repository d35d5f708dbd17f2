#include "base/clock.h"
#include "io/json.h"
#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/ingest.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "moment/v1/reporting.pb-c.h"
#include "moment/v1/stream.pb-c.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const ProtobufCMessageDescriptor *const descriptors[] = {
    &moment__v1__moment_changed__descriptor,
    &moment__v1__event_batch__descriptor,
    &moment__v1__live_update__descriptor,
    &moment__v1__directory_changed__descriptor,
    &moment__v1__list_directory_response__descriptor,
    &moment__v1__import_directory_request__descriptor,
    &moment__v1__standard_changed__descriptor,
    &moment__v1__evaluation_made__descriptor,
    &moment__v1__alert_changed__descriptor,
    &moment__v1__list_alert_rules_response__descriptor,
    &moment__v1__candidate_changed__descriptor,
    &moment__v1__add_source_request__descriptor,
    &moment__v1__frame__descriptor,
    &moment__v1__status_response__descriptor,
    &moment__v1__list_quarantine_response__descriptor,
};

/* --- random messages ------------------------------------------------------------------------- */

static uint64_t seed = 88172645463325252u;

static uint64_t dice(uint64_t sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % sides;
}

static void fill(ProtobufCMessage *message, unsigned depth);

static char *random_text(void)
{
    static const char *const pieces[] = {
        "a", "Z", " ", "\"", "\\", "\n", "\x7f", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
        "/", "0"};
    char text[64] = "";
    for (uint64_t i = dice(12); i > 0; i--)
        strcat(text, pieces[dice(sizeof pieces / sizeof *pieces)]);
    return strdup(text);
}

static uint64_t random_integer(void)
{
    return (dice(UINT64_MAX) * 2 + dice(2)) >> dice(64);
}

static bool is_time(const ProtobufCFieldDescriptor *field)
{
    size_t len = strlen(field->name);
    return field->type == PROTOBUF_C_TYPE_INT64 &&
           ((len > 3 && strcmp(field->name + len - 3, "_at") == 0) ||
            strcmp(field->name, "at") == 0 || strcmp(field->name, "since") == 0 ||
            strcmp(field->name, "state_since") == 0);
}

static size_t fill_value(const ProtobufCFieldDescriptor *field, void *to, unsigned depth)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: {
        *(char **)to = random_text();
        return sizeof(char *);
    }
    case PROTOBUF_C_TYPE_BYTES: {
        ProtobufCBinaryData *bytes = to;
        bytes->len = 1 + dice(40);
        bytes->data = malloc(bytes->len);
        for (size_t i = 0; i < bytes->len; i++)
            bytes->data[i] = (uint8_t)dice(256);
        return sizeof *bytes;
    }
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessageDescriptor *descriptor = field->descriptor;
        ProtobufCMessage *inner = calloc(1, descriptor->sizeof_message);
        descriptor->message_init(inner);
        fill(inner, depth + 1);
        *(ProtobufCMessage **)to = inner;
        return sizeof inner;
    }
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumDescriptor *descriptor = field->descriptor;
        *(int *)to = descriptor->values[dice(descriptor->n_values)].value;
        return sizeof(int);
    }
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)to = (protobuf_c_boolean)dice(2);
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)to = (double)dice(1u << 30) / 7;
        return sizeof(double);
    case PROTOBUF_C_TYPE_UINT32:
        *(uint32_t *)to = (uint32_t)random_integer();
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)to = random_integer();
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_INT64:
        *(int64_t *)to =
            is_time(field) ? (int64_t)dice(253402300800000u) * 1000 : (int64_t)random_integer();
        return sizeof(int64_t);
    default:
        fail_msg("a field type that no proto file used so far: %d", (int)field->type);
        return 0;
    }
}

static void fill(ProtobufCMessage *message, unsigned depth)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        char *base = (char *)message;
        void *quantifier = base + field->quantifier_offset;
        if (dice(4) == 0)
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t count = 1 + dice(3);
            char *items = calloc(count, sizeof(ProtobufCBinaryData));
            size_t at = 0;
            for (size_t j = 0; j < count; j++)
                at += fill_value(field, items + at, depth);
            *(size_t *)quantifier = count;
            *(char **)(void *)(base + field->offset) = items;
        } else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            if (*(uint32_t *)quantifier)
                continue;
            fill_value(field, base + field->offset, depth);
            *(uint32_t *)quantifier = field->id;
        } else {
            fill_value(field, base + field->offset, depth);
        }
    }
}

static ProtobufCMessage *random_message(size_t round)
{
    const ProtobufCMessageDescriptor *descriptor =
        descriptors[round % (sizeof descriptors / sizeof *descriptors)];
    ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
    descriptor->message_init(message);
    fill(message, 1);
    return message;
}

static void assert_same(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    uint8_t *a_bytes = NULL, *b_bytes = NULL;
    size_t a_len = 0, b_len = 0;
    assert_int_equal(protobuf_write(a, &a_bytes, &a_len), 0);
    assert_int_equal(protobuf_write(b, &b_bytes, &b_len), 0);
    assert_int_equal(a_len, b_len);
    assert_memory_equal(a_bytes, b_bytes, a_len);
    free(a_bytes);
    free(b_bytes);
}

static void any_message_survives_json_and_back(void **state)
{
    (void)state;
    for (size_t round = 0; round < 3000; round++) {
        ProtobufCMessage *message = random_message(round);
        ProtobufCMessage *back = NULL;
        struct json_error error;
        json_t *json = json_from_protobuf(message);
        assert_non_null(json);
        if (json_to_protobuf(json, message->descriptor, &back, &error) != 0)
            fail_msg("%s: %s %s", message->descriptor->name, error.path, error.message);
        assert_same(message, back);
        json_unref(&json);
        protobuf_c_message_free_unpacked(back, NULL);
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

static void any_message_survives_the_text_of_its_json(void **state)
{
    (void)state;
    for (size_t round = 0; round < 500; round++) {
        ProtobufCMessage *message = random_message(round);
        json_t *json = json_from_protobuf(message);
        char *text = json_text(json);
        json_t *parsed = NULL;
        assert_int_equal(json_parse(slice_of(text), &parsed, NULL), 0);
        char *again = json_text(parsed);
        assert_string_equal(text, again);
        free(text);
        free(again);
        json_unref(&json);
        json_unref(&parsed);
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

static void any_message_survives_the_wire(void **state)
{
    (void)state;
    for (size_t round = 0; round < 1000; round++) {
        ProtobufCMessage *message = random_message(round);
        ProtobufCMessage *back = NULL;
        uint8_t *bytes = NULL;
        size_t len = 0;
        assert_int_equal(protobuf_write(message, &bytes, &len), 0);
        assert_int_equal(
            protobuf_read(message->descriptor, (struct slice){(char *)bytes, len}, &back), 0);
        assert_same(message, back);
        free(bytes);
        protobuf_c_message_free_unpacked(back, NULL);
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

static void damaged_bytes_are_refused_or_read_but_never_harm(void **state)
{
    (void)state;
    size_t read = 0;
    for (size_t round = 0; round < 20000; round++) {
        ProtobufCMessage *message = random_message(round);
        ProtobufCMessage *back = NULL;
        uint8_t *bytes = NULL;
        size_t len = 0;
        assert_int_equal(protobuf_write(message, &bytes, &len), 0);
        for (uint64_t i = dice(4); len && i > 0; i--)
            bytes[dice(len)] = (uint8_t)dice(256);
        len -= dice(3) == 0 && len ? dice(len) : 0;
        if (protobuf_read(message->descriptor, (struct slice){(char *)bytes, len}, &back) == 0) {
            json_t *json = json_from_protobuf(back);
            assert_non_null(json); /* so every text was UTF-8 */
            json_unref(&json);
            protobuf_c_message_free_unpacked(back, NULL);
            read++;
        }
        free(bytes);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    assert_in_range(read, 2000, 19000);
}

/* --- the mapping ----------------------------------------------------------------------------- */

static void a_moment_reads_well(void **state)
{
    (void)state;
    Moment__V1__Moment moment;
    Moment__V1__Visit visit;
    Moment__V1__Visit *visits[] = {&visit};
    char first[] = "talk_includes_hold";
    char *quality[] = {first};
    moment__v1__moment__init(&moment);
    moment__v1__visit__init(&visit);
    moment.moment_id = first;
    moment.channel = MOMENT__V1__CHANNEL__CHANNEL_VOICE;
    moment.outcome = MOMENT__V1__OUTCOME__OUTCOME_COMPLETED_BY_CALLER;
    moment.started_at = INT64_C(1772460365123456);
    moment.state_since = INT64_C(1772460365000000);
    moment.wait_known_case = MOMENT__V1__MOMENT__WAIT_KNOWN_WAIT_MS;
    moment.wait_ms = 0;
    moment.n_quality = 1;
    moment.quality = quality;
    moment.n_visits = 1;
    moment.visits = visits;
    visit.csat_known_case = MOMENT__V1__VISIT__CSAT_KNOWN_CSAT;
    visit.csat = 4.5;

    json_t *json = json_from_protobuf(&moment.base);
    char *text = json_text(json);
    static const char *const parts[] = {"\"moment_id\":\"talk_includes_hold\"",
                                        "\"source\":\"\"",
                                        "\"channel\":\"voice\"",
                                        "\"direction\":null",
                                        "\"outcome\":\"completed_by_caller\"",
                                        "\"started_at\":\"2026-03-02T14:06:05.123Z\"",
                                        "\"ended_at\":null",
                                        "\"state_since\":\"2026-03-02T14:06:05.000Z\"",
                                        "\"wait_ms\":0",
                                        "\"talk_ms\":null",
                                        "\"transfers\":0",
                                        "\"quality\":[\"talk_includes_hold\"]",
                                        "\"csat\":4.5"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("no %s in %s", parts[i], text);
    assert_null(strstr(text, "known"));
    free(text);
    json_unref(&json);
}

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    struct json_error error;
    if (json_parse(slice_of(text), &json, &error) != 0)
        fail_msg("%s: %s", text, error.message);
    return json;
}

static void large_integers_and_bytes_are_texts(void **state)
{
    (void)state;
    Moment__V1__QuarantineEntry entry;
    moment__v1__quarantine_entry__init(&entry);
    uint8_t body[] = {0xff, 0, 1};
    entry.id = INT64_C(9007199254740993);
    entry.seq = UINT64_MAX;
    entry.body = (ProtobufCBinaryData){sizeof body, body};
    json_t *json = json_from_protobuf(&entry.base);
    char *text = json_text(json);
    assert_non_null(strstr(text, "\"id\":\"9007199254740993\""));
    assert_non_null(strstr(text, "\"seq\":\"18446744073709551615\""));
    assert_non_null(strstr(text, "\"body\":\"/wAB\""));
    free(text);
    json_unref(&json);
    entry.id = -(INT64_C(1) << 53);
    json = json_from_protobuf(&entry.base);
    assert_true(json_is_integer(json_object_get(json, "id")));
    json_unref(&json);
}

static void absent_and_null_mean_the_default(void **state)
{
    (void)state;
    ProtobufCMessage *message = NULL;
    json_t *json = parse("{\"moment_id\":null,\"visits\":null,\"wait_ms\":null,\"site\":\"\","
                         "\"channel\":null,\"quality\":[]}");
    assert_int_equal(json_to_protobuf(json, &moment__v1__moment__descriptor, &message, NULL), 0);
    assert_int_equal(protobuf_c_message_get_packed_size(message), 0);
    protobuf_c_message_free_unpacked(message, NULL);
    json_unref(&json);
}

static void what_is_wrong_is_said_with_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *path;
        const char *message;
    } cases[] = {
        {"{\"visits\":[{\"queue\":\"a\"},{},{\"queue\":7}]}", "visits[2].queue", "is not a text"},
        {"{\"visits\":[{},null]}", "visits[1]", "must not be null"},
        {"{\"visits\":{}}", "visits", "is not an array"},
        {"{\"visits\":[[]]}", "visits[0]", "is not an object"},
        {"{\"colour\":1}", "colour", "is not a field of Moment"},
        {"{\"visits\":[{\"colour\":1}]}", "visits[0].colour", "is not a field of Visit"},
        {"{\"channel\":\"pigeon\"}", "channel", "is none of the known names: pigeon"},
        {"{\"channel\":true}", "channel", "is not a name"},
        {"{\"started_at\":\"yesterday\"}", "started_at", "is not an RFC 3339 time"},
        {"{\"started_at\":5}", "started_at", "is not an RFC 3339 time"},
        {"{\"transfers\":-1}", "transfers", "is not between 0 and 4294967295"},
        {"{\"transfers\":4294967296}", "transfers", "is not between 0 and 4294967295"},
        {"{\"transfers\":1.5}", "transfers", "is not a whole number"},
        {"{\"transfers\":\"1x\"}", "transfers", "is not a whole number"},
        {"{\"csat\":\"4\"}", "csat", "is not a number"},
        {"{\"quality\":[\"a\",1]}", "quality[1]", "is not a text"},
        {"[]", "", "is not an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_error error;
        ProtobufCMessage *message = NULL;
        json_t *json = parse(cases[i].text);
        assert_int_equal(json_to_protobuf(json, &moment__v1__moment__descriptor, &message, &error),
                         -EINVAL);
        assert_null(message);
        assert_string_equal(error.path, cases[i].path);
        assert_string_equal(error.message, cases[i].message);
        json_unref(&json);
    }
}

static void two_members_of_a_group_exclude_each_other(void **state)
{
    (void)state;
    struct json_error error;
    ProtobufCMessage *message = NULL;
    json_t *json = parse("{\"moment\":{\"queue\":\"a\"},\"alert\":{}}");
    assert_int_equal(json_to_protobuf(json, &moment__v1__live_update__descriptor, &message, &error),
                     -EINVAL);
    assert_string_equal(error.path, "alert");
    json_unref(&json);
    json = parse("{\"moment\":null,\"alert\":{\"title\":\"x\"}}");
    assert_int_equal(json_to_protobuf(json, &moment__v1__live_update__descriptor, &message, &error),
                     0);
    const Moment__V1__LiveUpdate *update = (const void *)message;
    assert_int_equal(update->update_case, MOMENT__V1__LIVE_UPDATE__UPDATE_ALERT);
    assert_string_equal(update->alert->title, "x");
    protobuf_c_message_free_unpacked(message, NULL);
    json_unref(&json);
}

static void a_hostile_name_cannot_break_the_error(void **state)
{
    (void)state;
    char text[1200];
    struct json_error error;
    ProtobufCMessage *message = NULL;
    strcpy(text, "{\"");
    for (int i = 0; i < 500; i++)
        strcat(text, "\xc3\xa4");
    strcat(text, "\":1}");
    json_t *json = parse(text);
    assert_int_equal(json_to_protobuf(json, &moment__v1__moment__descriptor, &message, &error),
                     -EINVAL);
    assert_true(text_is_utf8(error.path, strlen(error.path)));
    assert_in_range(strlen(error.path), 150, sizeof error.path - 1);
    json_unref(&json);
    memmove(text + 11, text + 1, 1020);
    memcpy(text, "{\"channel\":", 11);
    strcpy(strrchr(text, '"'), "\"}");
    json = parse(text);
    assert_int_equal(json_to_protobuf(json, &moment__v1__moment__descriptor, &message, &error),
                     -EINVAL);
    assert_true(text_is_utf8(error.message, strlen(error.message)));
    json_unref(&json);
}

/* --- parsing --------------------------------------------------------------------------------- */

/* The parser quotes what it could not read, as far as it has room. */
static void a_parse_error_is_text_wherever_it_was_cut(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 2; shift++) {
        char text[600] = "[\"";
        memset(text + 2, 'x', shift);
        for (size_t at = 2 + shift; at < 500; at += 2)
            memcpy(text + at, "\xc3\xa9", 3);
        strcat(text, "\\q\"]");
        json_t *json = NULL;
        struct json_error error;
        assert_int_equal(json_parse(slice_of(text), &json, &error), -EINVAL);
        assert_true(text_is_utf8(error.message, strlen(error.message)));
    }
}

static void hostile_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1} x",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":\"\\ud800\"}",
                                      "{\"a\":NaN}",
                                      "{\"a\":01}",
                                      "{\"a\":99999999999999999999}",
                                      "{'a':1}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct json_error error;
        json_t *json = NULL;
        assert_int_equal(json_parse(slice_of(bad[i]), &json, &error), -EINVAL);
        assert_null(json);
        assert_string_not_equal(error.message, "");
        assert_string_equal(error.path, "");
    }
    json_t *json = NULL;
    assert_int_equal(json_parse((struct slice){"{}\0", 3}, &json, NULL), -EINVAL);
}

static void nesting_has_an_exact_limit_and_strings_do_not_count(void **state)
{
    (void)state;
    char text[256] = "";
    struct json_error error;
    json_t *json = NULL;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_int_equal(json_parse((struct slice){text, 2 * JSON_DEPTH_MAX}, &json, NULL), 0);
    json_unref(&json);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_int_equal(json_parse((struct slice){text, 2 * JSON_DEPTH_MAX + 2}, &json, &error),
                     -EINVAL);
    assert_string_equal(error.message, "is nested more than 32 deep");
    memset(text, '[', 100);
    text[0] = '"';
    strcpy(text + 100, "\\\"[[\"");
    assert_int_equal(json_parse(slice_of(text), &json, NULL), 0);
    json_unref(&json);
}

static void numbers_print_as_people_write_them(void **state)
{
    (void)state;
    json_t *json = json_pack("[f, f, f]", 0.1, 99.7, 100.0);
    char *text = json_text(json);
    assert_string_equal(text, "[0.1,99.7,100.0]");
    free(text);
    json_unref(&json);
    json = json_text_or_null("");
    assert_true(json_is_null(json));
    json_unref(&json);
    json = json_time(0);
    assert_true(json_is_null(json));
    json_unref(&json);
}

/* --- hostile wire data ----------------------------------------------------------------------- */

static int read_bytes(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t len)
{
    ProtobufCMessage *message = NULL;
    int rc = protobuf_read(descriptor, (struct slice){bytes, len}, &message);
    if (rc == 0)
        protobuf_c_message_free_unpacked(message, NULL);
    return rc;
}

static void texts_on_the_wire_are_checked_at_every_depth(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *reply = &moment__v1__reply__descriptor;
    assert_int_equal(read_bytes(reply, NULL, 0), 0);
    /* problem { type: ... } */
    assert_int_equal(read_bytes(reply, "\x1a\x04\x12\x02zz", 6), 0);
    assert_int_equal(read_bytes(reply, "\x1a\x04\x12\x02z\0", 6), -EBADMSG);
    assert_int_equal(read_bytes(reply, "\x1a\x04\x12\x02z\xff", 6), -EBADMSG);
    /* body is bytes: anything goes */
    assert_int_equal(read_bytes(reply, "\x12\x02z\xff", 4), 0);
    /* cut, overlong, group, length past the end */
    assert_int_equal(read_bytes(reply, "\x12\x02z", 3), -EBADMSG);
    assert_int_equal(read_bytes(reply, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12),
                     -EBADMSG);
    assert_int_equal(read_bytes(reply, "\x0b\x0c", 2), -EBADMSG);
    /* No field has the number 0, however long it is written. */
    assert_int_equal(read_bytes(reply, "\x02\0", 2), -EBADMSG);
    assert_int_equal(read_bytes(reply, "\x82\0\0", 3), -EBADMSG);
    assert_int_equal(read_bytes(reply, "\x12\xff\xff\xff\xff\x0f", 6), -EBADMSG);
}

struct node {
    ProtobufCMessage base;
    struct node *child;
};

extern const ProtobufCMessageDescriptor node_descriptor;

static void node_init(ProtobufCMessage *message)
{
    memset(message, 0, sizeof(struct node));
    message->descriptor = &node_descriptor;
}

static const ProtobufCFieldDescriptor node_fields[] = {{
    .name = "child",
    .id = 1,
    .label = PROTOBUF_C_LABEL_NONE,
    .type = PROTOBUF_C_TYPE_MESSAGE,
    .offset = offsetof(struct node, child),
    .descriptor = &node_descriptor,
}};
static const unsigned node_names[] = {0};
static const ProtobufCIntRange node_ranges[] = {{1, 0}, {0, 1}};
const ProtobufCMessageDescriptor node_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "Node",
    .short_name = "Node",
    .c_name = "Node",
    .package_name = "",
    .sizeof_message = sizeof(struct node),
    .n_fields = 1,
    .fields = node_fields,
    .fields_sorted_by_name = node_names,
    .n_field_ranges = 1,
    .field_ranges = node_ranges,
    .message_init = node_init,
};

/* `levels` messages inside each other; each adds its tag and length in front. */
static size_t nest(uint8_t *end, unsigned levels)
{
    size_t len = 0;
    for (unsigned i = 1; i < levels; i++) {
        size_t head = len < 128 ? 2 : 3;
        uint8_t *at = end - len - head;
        at[0] = 0x0a;
        at[1] = (uint8_t)(len < 128 ? len : (len & 0x7f) | 0x80);
        if (head == 3)
            at[2] = (uint8_t)(len >> 7);
        len += head;
    }
    return len;
}

static void nesting_on_the_wire_has_an_exact_limit(void **state)
{
    (void)state;
    uint8_t bytes[16000];
    uint8_t *end = bytes + sizeof bytes;
    size_t len = nest(end, JSON_DEPTH_MAX);
    assert_int_equal(read_bytes(&node_descriptor, end - len, len), 0);
    len = nest(end, JSON_DEPTH_MAX + 1);
    assert_int_equal(read_bytes(&node_descriptor, end - len, len), -EBADMSG);
    len = nest(end, 5000);
    assert_int_equal(read_bytes(&node_descriptor, end - len, len), -EBADMSG);
}

static void a_small_message_cannot_ask_for_much_memory(void **state)
{
    (void)state;
    /* Empty events: two bytes on the wire, hundreds in memory. */
    size_t count = 100000;
    char *bytes = malloc(count * 2);
    for (size_t i = 0; i < count; i++) {
        bytes[2 * i] = 0x0a;
        bytes[2 * i + 1] = 0;
    }
    assert_int_equal(read_bytes(&moment__v1__event_batch__descriptor, bytes, count * 2), -ENOMEM);
    assert_int_equal(read_bytes(&moment__v1__event_batch__descriptor, bytes, 100), 0);
    free(bytes);
}

static void an_honest_batch_of_small_events_fits_the_budget(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static Moment__V1__Event events[COUNT];
    static Moment__V1__Event *list[COUNT];
    Moment__V1__EventBatch batch;
    char contact[] = "17724603";
    char source[] = "pbx1";
    moment__v1__event_batch__init(&batch);
    for (size_t i = 0; i < COUNT; i++) {
        moment__v1__event__init(&events[i]);
        events[i].contact_id = contact;
        events[i].source = source;
        events[i].type = MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_ENDED;
        events[i].occurred_at = INT64_C(1772460365123456);
        list[i] = &events[i];
    }
    batch.n_events = COUNT;
    batch.events = list;
    uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(protobuf_write(&batch.base, &bytes, &len), 0);
    assert_int_equal(read_bytes(&moment__v1__event_batch__descriptor, bytes, len), 0);
    free(bytes);

    /* Twenty fields in fifty bytes: what the parser borrows on its way is given back. */
    for (size_t i = 0; i < COUNT; i++) {
        Moment__V1__Event *event = &events[i];
        moment__v1__event__init(event);
        event->occurred_at = event->received_at = event->started_at = event->queued_at = 1;
        event->answered_at = event->ended_at = event->gap_from_at = 1;
        event->sequence = event->position = 1;
        event->talk_includes_hold = 1;
        event->wait_known_case = MOMENT__V1__EVENT__WAIT_KNOWN_WAIT_MS;
        event->ring_known_case = MOMENT__V1__EVENT__RING_KNOWN_RING_MS;
        event->talk_known_case = MOMENT__V1__EVENT__TALK_KNOWN_TALK_MS;
        event->hold_known_case = MOMENT__V1__EVENT__HOLD_KNOWN_HOLD_MS;
        event->wrap_known_case = MOMENT__V1__EVENT__WRAP_KNOWN_WRAP_MS;
        event->type = MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_ENDED;
        event->channel = MOMENT__V1__CHANNEL__CHANNEL_VOICE;
        event->direction = MOMENT__V1__DIRECTION__DIRECTION_INBOUND;
        event->outcome = MOMENT__V1__OUTCOME__OUTCOME_TIMEOUT;
    }
    assert_int_equal(protobuf_write(&batch.base, &bytes, &len), 0);
    assert_int_equal(read_bytes(&moment__v1__event_batch__descriptor, bytes, len), 0);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_reads_well),
        cmocka_unit_test(large_integers_and_bytes_are_texts),
        cmocka_unit_test(absent_and_null_mean_the_default),
        cmocka_unit_test(what_is_wrong_is_said_with_its_path),
        cmocka_unit_test(two_members_of_a_group_exclude_each_other),
        cmocka_unit_test(a_hostile_name_cannot_break_the_error),
        cmocka_unit_test(a_parse_error_is_text_wherever_it_was_cut),
        cmocka_unit_test(hostile_json_is_refused),
        cmocka_unit_test(nesting_has_an_exact_limit_and_strings_do_not_count),
        cmocka_unit_test(numbers_print_as_people_write_them),
        cmocka_unit_test(texts_on_the_wire_are_checked_at_every_depth),
        cmocka_unit_test(nesting_on_the_wire_has_an_exact_limit),
        cmocka_unit_test(a_small_message_cannot_ask_for_much_memory),
        cmocka_unit_test(an_honest_batch_of_small_events_fits_the_budget),
        cmocka_unit_test(any_message_survives_json_and_back),
        cmocka_unit_test(any_message_survives_the_text_of_its_json),
        cmocka_unit_test(any_message_survives_the_wire),
        cmocka_unit_test(damaged_bytes_are_refused_or_read_but_never_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
