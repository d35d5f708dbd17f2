/* What HTTP clients say, as a request message: it is read, or refused with a problem that can be
 * sent. The first byte picks the message, the second how often something is said in the address. */
#include "fuzz.h"
#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "moment/v1/reporting.pb-c.h"
#include "reporting/transcode.h"

static const ProtobufCMessageDescriptor *const descriptors[] = {
    &moment__v1__list_alerts_request__descriptor,
    &moment__v1__save_standard_draft_request__descriptor,
    &moment__v1__save_evaluation_request__descriptor,
    &moment__v1__list_colleagues_request__descriptor,
    &moment__v1__get_accountability_request__descriptor,
    &moment__v1__add_webhook_request__descriptor,
};

static void say_address(struct transcode_form *form, struct fuzz_input *input, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        const ProtobufCMessageDescriptor *request = form->request;
        uint8_t which = fuzz_byte(input);
        const char *field = request->fields[which % request->n_fields].name;
        char *name = fuzz_text(input);
        char *value = fuzz_text(input);

        if (text_is_utf8(name, strlen(name)))
            transcode_query(form, which & 0x80 ? name : field, value);
        free(name);
        free(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct transcode_form form;
    ProtobufCMessage *message = NULL;
    uint8_t which = fuzz_byte(&input);
    unsigned times = fuzz_byte(&input) % 8;

    transcode_begin(&form, descriptors[which % (sizeof(descriptors) / sizeof(descriptors[0]))]);
    if (which & 0x80) {
        char *tag = fuzz_text(&input);
        transcode_if_match(&form, tag);
        free(tag);
    }
    say_address(&form, &input, times);
    if (which & 0x40)
        transcode_body(&form, (struct slice){(const char *)input.at, input.len});
    if (transcode_end(&form, &message) < 0) {
        FUZZ_CHECK(form.problem.status >= 400 && form.problem.type[0] && form.problem.detail[0]);
        FUZZ_CHECK(text_is_utf8(form.problem.detail, strlen(form.problem.detail)));
        FUZZ_CHECK(text_is_utf8(form.problem.field, strlen(form.problem.field)));
        return 0;
    }
    json_t *json = transcode_answer(message);
    FUZZ_CHECK(json);
    json_decref(json);
    protobuf_c_message_free_unpacked(message, NULL);
    return 0;
}
