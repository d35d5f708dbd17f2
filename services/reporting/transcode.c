#include "reporting/transcode.h"

#include "reporting/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REVISION "if_revision"

static void refuse(struct transcode_form *form, unsigned status, const char *type,
                   const char *field, const char *format, ...) printf_like(5, 6);

static void refuse(struct transcode_form *form, unsigned status, const char *type,
                   const char *field, const char *format, ...)
{
    char detail[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    /* It may quote what was sent, and have been cut inside a character. */
    (void)text_repair_utf8(detail, strlen(detail));
    problem_set(&form->problem, status, type, field, "%s", detail);
}

static bool is_over(const struct transcode_form *form)
{
    return form->problem.status != 0;
}

void transcode_begin(struct transcode_form *form, const ProtobufCMessageDescriptor *request)
{
    *form = (struct transcode_form){.request = request, .said = json_object()};
    if (form->said == NULL)
        refuse(form, 503, "unavailable", NULL, "Out of memory; try again.");
}

/* --- the body ------------------------------------------------------------------------------ */

void transcode_body(struct transcode_form *form, struct slice body)
{
    struct json_error error;
    json_t *json = NULL;

    form->is_body = true;
    if (is_over(form) || body.len == 0)
        return;
    if (json_parse(body, &json, &error) < 0)
        refuse(form, 400, "malformed", NULL, "The body is no JSON: %s", error.message);
    else if (!json_is_object(json))
        refuse(form, 400, "malformed", NULL, "The body must be a JSON object.");
    else if (json_object_get(json, REVISION) != NULL)
        refuse(form, 422, "invalid-field", REVISION,
               "The revision is said in the header If-Match, not in the body.");
    else if (json_object_update(form->said, json) < 0)
        refuse(form, 503, "unavailable", NULL, "Out of memory; try again.");
    json_decref(json);
}

/* --- the address --------------------------------------------------------------------------- */

static bool is_text(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_ENUM;
}

static bool is_whole_number(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return true;
    default:
        return false;
    }
}

/* Messages, bytes and fractions have no form in an address. */
static const ProtobufCFieldDescriptor *find_field(const struct transcode_form *form,
                                                  const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(form->request, name);

    if (field == NULL || strcmp(name, REVISION) == 0)
        return NULL;
    if (is_text(field) || is_whole_number(field) || field->type == PROTOBUF_C_TYPE_BOOL)
        return field;
    return NULL;
}

/* Null and refused when the text is none of the field's type. What is left to check, json_to_
 * protobuf does: names of enumerations, ranges, times. */
static json_t *value_json(struct transcode_form *form, const ProtobufCFieldDescriptor *field,
                          const char *text)
{
    size_t len = strlen(text);
    bool is_true = strcmp(text, "true") == 0;

    if (len == 0 || len > TRANSCODE_VALUE_MAX || !text_is_utf8(text, len)) {
        refuse(form, 400, "invalid-field", field->name, "%s must be a text of 1 to %d bytes.",
               field->name, TRANSCODE_VALUE_MAX);
        return NULL;
    }
    if (field->type != PROTOBUF_C_TYPE_BOOL)
        return json_string(text);
    if (is_true || strcmp(text, "false") == 0)
        return json_boolean(is_true);
    refuse(form, 400, "invalid-field", field->name, "%s must be true or false.", field->name);
    return NULL;
}

static void say_again(struct transcode_form *form, const ProtobufCFieldDescriptor *field,
                      json_t *value)
{
    json_t *list = json_object_get(form->said, field->name);

    if (list == NULL) {
        list = json_array();
        if (json_object_set_new(form->said, field->name, list) < 0)
            list = NULL;
    }
    if (json_array_append_new(list, value) < 0)
        refuse(form, 503, "unavailable", NULL, "Out of memory; try again.");
    else if (json_array_size(list) > TRANSCODE_REPEATS_MAX)
        refuse(form, 400, "invalid-field", field->name, "%s may be said %d times.", field->name,
               TRANSCODE_REPEATS_MAX);
}

static void say(struct transcode_form *form, const ProtobufCFieldDescriptor *field,
                const char *text)
{
    json_t *value = value_json(form, field, text);

    if (value == NULL)
        return;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        say_again(form, field, value);
    } else if (json_object_get(form->said, field->name) != NULL) {
        json_decref(value);
        refuse(form, form->is_body ? 422 : 400, "invalid-field", field->name,
               "%s is said twice: once is enough, and what the path says is said there only.",
               field->name);
    } else if (json_object_set_new(form->said, field->name, value) < 0) {
        refuse(form, 503, "unavailable", NULL, "Out of memory; try again.");
    }
}

void transcode_path(struct transcode_form *form, const char *name, const char *value)
{
    const ProtobufCFieldDescriptor *field = find_field(form, name);

    if (is_over(form))
        return;
    if (field == NULL)
        refuse(form, 500, "failed", name, "%s has no field %s", form->request->short_name, name);
    else
        say(form, field, value);
}

void transcode_query(struct transcode_form *form, const char *name, const char *value)
{
    const ProtobufCFieldDescriptor *field = find_field(form, name);

    if (is_over(form))
        return;
    if (field == NULL)
        refuse(form, 400, "unknown-parameter", name, "There is no query parameter %.64s here.",
               name);
    else
        say(form, field, value);
}

void transcode_if_match(struct transcode_form *form, const char *header)
{
    size_t len = strlen(header);
    int64_t revision;

    if (is_over(form) || len == 0)
        return;
    if (protobuf_c_message_descriptor_get_field_by_name(form->request, REVISION) == NULL)
        refuse(form, 400, "invalid-field", "If-Match",
               "Nothing is compared here; send no If-Match.");
    else if (len < 3 || header[0] != '"' || header[len - 1] != '"' ||
             text_to_i64((struct slice){header + 1, len - 2}, 1, UINT32_MAX, &revision) < 0)
        refuse(form, 400, "invalid-field", "If-Match",
               "If-Match is the ETag of what was read, like \"3\".");
    else if (json_object_set_new(form->said, REVISION, json_integer(revision)) < 0)
        refuse(form, 503, "unavailable", NULL, "Out of memory; try again.");
}

/* --- the message --------------------------------------------------------------------------- */

/* "limit" -> "limit", "answers[2].answer" stays. A value of a repeated parameter is "kinds[1]". */
static void refuse_value(struct transcode_form *form, int rc, const struct json_error *error)
{
    if (rc == -ENOMEM)
        refuse(form, 503, "unavailable", NULL, "Out of memory; try again.");
    else
        refuse(form, form->is_body ? 422 : 400, "invalid-field", error->path, "%s %s.", error->path,
               error->message);
}

int transcode_end(struct transcode_form *form, ProtobufCMessage **ret_message)
{
    struct json_error error;

    if (!is_over(form)) {
        int rc = json_to_protobuf(form->said, form->request, ret_message, &error);

        if (rc < 0)
            refuse_value(form, rc, &error);
    }
    json_decref(form->said);
    form->said = NULL;
    return is_over(form) ? -EINVAL : 0;
}

/* --- the answer ---------------------------------------------------------------------------- */

/* Of a list, there is one. */
static const char *list_of(const ProtobufCMessageDescriptor *descriptor)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (descriptor->fields[i].label == PROTOBUF_C_LABEL_REPEATED)
            return descriptor->fields[i].name;
    }
    return NULL;
}

static bool is_page(const ProtobufCMessageDescriptor *descriptor)
{
    return protobuf_c_message_descriptor_get_field_by_name(descriptor, "next") != NULL;
}

json_t *transcode_answer(const ProtobufCMessage *response)
{
    const char *name = is_page(response->descriptor) ? list_of(response->descriptor) : NULL;
    json_t *json = codec_json(response);

    if (json == NULL || name == NULL)
        return json;
    if (json_object_set(json, "items", json_object_get(json, name)) < 0 ||
        json_object_del(json, name) < 0)
        json_unref(&json);
    return json;
}

json_t *transcode_items(const ProtobufCMessage *response)
{
    const char *name = list_of(response->descriptor);
    json_t *json = codec_json(response);
    json_t *items = json_incref(json_object_get(json, name));

    json_decref(json);
    return items;
}

static const ProtobufCMessage *first_message(const ProtobufCMessage *response)
{
    const ProtobufCMessageDescriptor *descriptor = response->descriptor;

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

        if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED)
            return *(const ProtobufCMessage *const *)(const void *)((const char *)response +
                                                                    field->offset);
    }
    return NULL;
}

bool transcode_tag(const ProtobufCMessage *response, char to[TRANSCODE_TAG_SIZE])
{
    const ProtobufCMessage *thing = first_message(response);
    const ProtobufCFieldDescriptor *field =
        thing == NULL
            ? NULL
            : protobuf_c_message_descriptor_get_field_by_name(thing->descriptor, "revision");

    if (field == NULL || field->type != PROTOBUF_C_TYPE_UINT32)
        return false;
    (void)snprintf(to, TRANSCODE_TAG_SIZE, "\"%" PRIu32 "\"",
                   *(const uint32_t *)(const void *)((const char *)thing + field->offset));
    return true;
}
