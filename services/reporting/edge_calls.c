#include "reporting/edge_calls.h"

#include "reporting/access.h"
#include "reporting/query.h"
#include "reporting/transcode.h"

#include <string.h>

#define DEADLINE_MS 3000
#define COMMAND_ID_SIZE 65

static const struct edge_call *row_of(const struct http_request *request)
{
    return http_route_of(request)->about;
}

/* --- the request --------------------------------------------------------------------------- */

/* The key that the client gave, so that its retry is the same command; else one of our own. */
static bool read_command_id(struct http_request *request, char *to, size_t size)
{
    const char *key = http_header(request, "Idempotency-Key");
    struct id id = id_v7();

    if (key[0] == '\0') {
        id_print(&id, to);
        return true;
    }
    if (strlen(key) < size && text_is_utf8(key, strlen(key))) {
        text_copy(to, size, key);
        return true;
    }
    http_problem(request, 400, "invalid-field", "Idempotency-Key", "A key has 1 to 64 bytes.");
    return false;
}

/* The parameters that the route's pattern names. */
static void say_path(const struct http_request *request, struct transcode_form *form)
{
    const char *at = http_route_of(request)->path;
    char name[64];

    while ((at = strchr(at, '{')) != NULL) {
        size_t len = strcspn(++at, "}");

        text_copy(name, len < sizeof(name) ? len + 1 : sizeof(name), at);
        transcode_path(form, name, http_parameter(request, name));
    }
}

static void say_query(void *arg, const char *name, const char *value)
{
    transcode_query(arg, name, value);
}

static bool is_query(const struct http_request *request)
{
    const char *method = http_method(request);

    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Null, and answered, when the request is not what the message takes. */
static ProtobufCMessage *read_request(struct http_request *request)
{
    struct slice body = http_body(request);
    struct transcode_form form;
    ProtobufCMessage *message = NULL;

    if (body.len > 0 && !query_is_json(request))
        return NULL;
    if (!is_query(request) && !query_only(request, NULL, 0))
        return NULL;
    transcode_begin(&form, row_of(request)->request);
    if (!is_query(request))
        transcode_body(&form, body);
    say_path(request, &form);
    http_each_query(request, say_query, &form);
    transcode_if_match(&form, http_header(request, "If-Match"));
    if (transcode_end(&form, &message) == 0)
        return message;
    query_reply_problem(request, &form.problem);
    return NULL;
}

/* --- the answer ---------------------------------------------------------------------------- */

static void on_answer(void *arg, const ProtobufCMessage *response, const struct problem *problem)
{
    struct http_request *request = arg;
    char tag[TRANSCODE_TAG_SIZE];

    if (problem != NULL) {
        query_reply_problem(request, problem);
        return;
    }
    if (transcode_tag(response, tag))
        http_add_header(request, "ETag", tag);
    query_reply(request, transcode_answer(response));
}

static void ask(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    const struct edge_call *row = row_of(request);
    struct caller caller = viewer_caller(viewer);
    char command_id[COMMAND_ID_SIZE] = "";
    ProtobufCMessage *message = NULL;

    if (!row->is_command || read_command_id(request, command_id, sizeof(command_id)))
        message = read_request(request);
    if (message != NULL) {
        bus_call(service_bus(reporting->service), row->owner, row->method, &caller, command_id,
                 message, row->response, row->deadline_ms ? row->deadline_ms : DEADLINE_MS,
                 on_answer, request);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    viewer_free(&viewer);
}

void calls_handle(void *state, struct http_request *request)
{
    access_check(state, request, row_of(request)->roles, ask);
}
