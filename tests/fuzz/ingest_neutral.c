/* The body of POST /v1/events in each of its shapes: refused with a problem that can be told, or
 * events that can be stored. The first byte picks the shape. */
#include "fuzz_event.h"
#include "ingest/neutral.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const struct codec_sender sender = {
        .source = "crm", .system = "crm", .site = "main", .now_us = INT64_C(1795307636000000)};
    struct problem problem = {.status = 0};
    struct json_error error;
    struct event_list list;
    struct neutral_result result = {.list = &list};
    uint8_t shape = fuzz_byte(&input);
    json_t *json = NULL;
    int r;

    if (json_parse((struct slice){(const char *)input.at, input.len}, &json, &error) < 0) {
        FUZZ_CHECK(text_is_utf8(error.message, strlen(error.message)));
        return 0;
    }
    event_list_init(&list);
    if (shape % 3 == 0)
        r = neutral_read_batch(json, &sender, &result, &problem);
    else if (shape % 3 == 1)
        r = neutral_read_cloudevent(json, "", &sender, &result, &problem);
    else
        r = neutral_read_webhook(json, "msg_1", &sender, &result, &problem);
    FUZZ_CHECK((r < 0) == (problem.status >= 400));
    FUZZ_CHECK(text_is_utf8(problem.field, strlen(problem.field)));
    FUZZ_CHECK(text_is_utf8(problem.detail, strlen(problem.detail)));
    for (size_t i = 0; i < list.count; i++) {
        fuzz_check_event(&list.items[i]);
        FUZZ_CHECK(codec_check(&list.items[i], sender.now_us, "", &problem) == 0);
    }
    event_list_done(&list);
    json_unref(&json);
    return 0;
}
