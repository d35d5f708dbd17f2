/* JSON from outside, as a value and as a message. What a message was read from, it writes again.
 * The first byte picks the message. */
#include "fuzz.h"
#include "io/json.h"
#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/ingest.pb-c.h"
#include "moment/v1/reporting.pb-c.h"
#include "moment/v1/stream.pb-c.h"

static const ProtobufCMessageDescriptor *const descriptors[] = {
    &moment__v1__event_batch__descriptor,
    &moment__v1__moment__descriptor,
    &moment__v1__list_directory_response__descriptor,
    &moment__v1__frame__descriptor,
    &moment__v1__standard__descriptor,
    &moment__v1__quarantine_entry__descriptor,
};

static void check_message(const json_t *json, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = NULL;
    ProtobufCMessage *again = NULL;
    struct json_error error;

    if (json_to_protobuf(json, descriptor, &message, &error) < 0) {
        FUZZ_CHECK(error.message[0]);
        FUZZ_CHECK(text_is_utf8(error.message, strlen(error.message)));
        FUZZ_CHECK(text_is_utf8(error.path, strlen(error.path)));
        return;
    }
    json_t *written = json_from_protobuf(message);
    FUZZ_CHECK(written);
    FUZZ_CHECK(json_to_protobuf(written, descriptor, &again, &error) == 0);
    json_t *written_again = json_from_protobuf(again);
    FUZZ_CHECK(written_again && json_equal(written, written_again));
    json_unref(&written);
    json_unref(&written_again);
    protobuf_c_message_free_unpacked(message, NULL);
    protobuf_c_message_free_unpacked(again, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t which = fuzz_byte(&input);
    struct json_error error;
    json_t *json = NULL;

    if (json_parse((struct slice){(const char *)input.at, input.len}, &json, &error) < 0) {
        FUZZ_CHECK(text_is_utf8(error.message, strlen(error.message)));
        return 0;
    }
    char *text = json_text(json);
    FUZZ_CHECK(text);
    free(text);
    check_message(json, descriptors[which % (sizeof(descriptors) / sizeof(descriptors[0]))]);
    json_unref(&json);
    return 0;
}
