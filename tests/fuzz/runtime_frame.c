/* What a peer sends: a frame, or refused. What was read can be told as JSON, and written and read
 * again it is the same. */
#include "fuzz.h"
#include "io/frame.h"
#include "io/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Moment__V1__Frame *frame = NULL;
    Moment__V1__Frame *again = NULL;
    uint8_t *bytes, *bytes_again;
    size_t len, len_again;
    json_t *json;

    if (frame_read((struct slice){(const char *)data, size}, &frame) < 0)
        return 0;
    json = json_from_protobuf(&frame->base);
    FUZZ_CHECK(json);
    json_unref(&json);
    FUZZ_CHECK(protobuf_write(&frame->base, &bytes, &len) == 0);
    FUZZ_CHECK(frame_read((struct slice){(const char *)bytes, len}, &again) == 0);
    FUZZ_CHECK(protobuf_write(&again->base, &bytes_again, &len_again) == 0);
    FUZZ_CHECK(len == len_again && memcmp(bytes, bytes_again, len) == 0);
    free(bytes);
    free(bytes_again);
    frame_free(&frame);
    frame_free(&again);
    return 0;
}
