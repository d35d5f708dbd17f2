/* json - bounded parsing with duplicate keys rejected, and protobuf <-> JSON by descriptor.
 *
 * The mapping is canonical proto3 JSON but for what makes it pleasant to read:
 *   - names are the proto's own snake_case;
 *   - an int64 field named *_at, since or state_since is a time: RFC 3339 with milliseconds, 0 is
 * null;
 *   - other 64-bit integers are numbers when within 2^53, else strings;
 *   - an enum value is its name without the enum's prefix, in lower case; the zero value is null;
 *   - an unset member of a oneof and an unset message are null, a set one stands under its own
 * name;
 *   - bytes are base64; a text is a string, also when empty; NaN and infinities are null.
 * Every field is always present. Reading accepts what writing makes, and leaves out what is absent
 * or null; unknown names are errors that carry the JSON path. Jansson is included here only. Thread
 * safe for separate values. */
#ifndef MOMENT_IO_JSON_H
#define MOMENT_IO_JSON_H

#include "base/text.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#define JSON_DEPTH_MAX 32

struct json_error {
    char path[160]; /* "visits[2].queue", "" for the whole */
    char message[200];
};

/* Refuses duplicates, NUL, invalid UTF-8, nesting over JSON_DEPTH_MAX. */
must_check int json_parse(struct slice text, json_t **ret_json, struct json_error *error);
/* A new reference. Null: out of memory, or a text of the message is not UTF-8. */
json_t *json_from_protobuf(const ProtobufCMessage *message);
/* malloc'd, free with protobuf_c_message_free_unpacked(…, NULL). -EINVAL with error filled. */
must_check int json_to_protobuf(const json_t *json, const ProtobufCMessageDescriptor *descriptor,
                                ProtobufCMessage **ret_message, struct json_error *error);
/* Compact text, numbers with at most 15 digits; free() it. Null: out of memory. */
char *json_text(const json_t *json);
void json_unref(json_t **json);     /* for cleanup_with */
json_t *json_time(int64_t wall_us); /* RFC 3339 or null */
json_t *json_text_or_null(const char *text);

/* Unpacks with a memory budget of 16 x len + 64 KiB and checks every string (UTF-8, no NUL) and the
 * nesting (JSON_DEPTH_MAX). -EBADMSG, -ENOMEM. Free with protobuf_c_message_free_unpacked(…, NULL).
 */
must_check int protobuf_read(const ProtobufCMessageDescriptor *descriptor, struct slice bytes,
                             ProtobufCMessage **ret_message);
/* malloc'd bytes; free() them. */
must_check int protobuf_write(const ProtobufCMessage *message, uint8_t **ret_bytes,
                              size_t *ret_len);

#endif
