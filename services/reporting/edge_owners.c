#include "reporting/edge_owners.h"

#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "reporting/access.h"
#include "reporting/codec.h"
#include "reporting/query.h"

#include <string.h>

#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define DEADLINE_MS 3000
#define COMMAND_ID_SIZE 65

/* protobuf-c has no const texts; requests are only packed. */
static void set_text(char **member, const char *text)
{
    if (text != NULL)
        *member = (char *)(uintptr_t)text;
}

static bool read_moment_id(struct http_request *request, const char **ret_moment_id)
{
    struct id id;

    if (!query_text(request, "moment_id", ret_moment_id))
        return false;
    if (*ret_moment_id == NULL || id_parse(*ret_moment_id, &id) == 0)
        return true;
    http_problem(request, 400, "invalid-field", "moment_id", "A moment's id is a UUID.");
    return false;
}

static json_t *list_json(ProtobufCMessage *const *items, size_t count, const char *next)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, codec_json(items[i]));
    return json_pack("{s:o,s:o}", "items", array, "next", json_text_or_null(next));
}

/* --- alerts -------------------------------------------------------------------------------- */

static void on_alerts(void *arg, const ProtobufCMessage *response, const struct problem *problem)
{
    if (problem != NULL) {
        query_reply_problem(arg, problem);
        return;
    }
    const Moment__V1__ListAlertsResponse *alerts = (const void *)response;

    query_reply(arg, list_json((ProtobufCMessage *const *)(const void *)alerts->alerts,
                               alerts->n_alerts, alerts->next));
}

static bool read_alerts_request(struct http_request *request, Moment__V1__ListAlertsRequest *ask)
{
    static const char *const known[] = {"state",     "open",  "queue", "site",
                                        "moment_id", "limit", "cursor"};
    const char *state, *queue, *site, *moment_id, *cursor;
    int number = 0;
    int64_t limit;
    bool is_open;

    moment__v1__list_alerts_request__init(ask);
    if (!query_only(request, known, countof(known)) ||
        !query_value(request, "state", codec_alert_state, &state, &number) ||
        !query_flag(request, "open", false, &is_open) || !query_text(request, "queue", &queue) ||
        !query_text(request, "site", &site) || !read_moment_id(request, &moment_id) ||
        !query_integer(request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit) ||
        !query_text(request, "cursor", &cursor))
        return false;
    ask->state = (Moment__V1__AlertState)number;
    ask->open_only = is_open;
    ask->limit = (uint32_t)limit;
    set_text(&ask->queue, queue);
    set_text(&ask->site, site);
    set_text(&ask->moment_id, moment_id);
    set_text(&ask->cursor, cursor);
    return true;
}

static void ask_alerts(struct reporting *reporting, struct http_request *request,
                       struct viewer *viewer)
{
    struct caller caller = viewer_caller(viewer);
    Moment__V1__ListAlertsRequest ask;

    if (read_alerts_request(request, &ask))
        bus_call(service_bus(reporting->service), "feedback", "feedback.ListAlerts", &caller, NULL,
                 &ask.base, &moment__v1__list_alerts_response__descriptor, DEADLINE_MS, on_alerts,
                 request);
    viewer_free(&viewer);
}

void alerts_list(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_SCOPED, ask_alerts);
}

/* --- taking and closing an alert ----------------------------------------------------------- */

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

static void on_acknowledged(void *arg, const ProtobufCMessage *response,
                            const struct problem *problem)
{
    if (problem != NULL) {
        query_reply_problem(arg, problem);
        return;
    }
    const Moment__V1__AcknowledgeAlertResponse *done = (const void *)response;

    query_reply(arg, done->alert != NULL ? codec_json(&done->alert->base) : NULL);
}

static void on_closed(void *arg, const ProtobufCMessage *response, const struct problem *problem)
{
    if (problem != NULL) {
        query_reply_problem(arg, problem);
        return;
    }
    const Moment__V1__CloseAlertResponse *done = (const void *)response;

    query_reply(arg, done->alert != NULL ? codec_json(&done->alert->base) : NULL);
}

static void acknowledge(struct reporting *reporting, struct http_request *request,
                        struct viewer *viewer)
{
    struct caller caller = viewer_caller(viewer);
    Moment__V1__AcknowledgeAlertRequest ask;
    char command_id[COMMAND_ID_SIZE];

    moment__v1__acknowledge_alert_request__init(&ask);
    set_text(&ask.alert_id, http_parameter(request, "alert_id"));
    if (query_only(request, NULL, 0) && read_command_id(request, command_id, sizeof(command_id)))
        bus_call(service_bus(reporting->service), "feedback", "feedback.AcknowledgeAlert", &caller,
                 command_id, &ask.base, &moment__v1__acknowledge_alert_response__descriptor,
                 DEADLINE_MS, on_acknowledged, request);
    viewer_free(&viewer);
}

static void close_alert(struct reporting *reporting, struct http_request *request,
                        struct viewer *viewer)
{
    struct caller caller = viewer_caller(viewer);
    Moment__V1__CloseAlertRequest ask;
    char command_id[COMMAND_ID_SIZE];

    moment__v1__close_alert_request__init(&ask);
    set_text(&ask.alert_id, http_parameter(request, "alert_id"));
    if (query_only(request, NULL, 0) && read_command_id(request, command_id, sizeof(command_id)))
        bus_call(service_bus(reporting->service), "feedback", "feedback.CloseAlert", &caller,
                 command_id, &ask.base, &moment__v1__close_alert_response__descriptor, DEADLINE_MS,
                 on_closed, request);
    viewer_free(&viewer);
}

void alerts_acknowledge(void *state, struct http_request *request)
{
    access_check(state, request, ROLE_LEADER | ROLE_COACH, acknowledge);
}

void alerts_close(void *state, struct http_request *request)
{
    access_check(state, request, ROLE_LEADER | ROLE_COACH, close_alert);
}

/* --- candidates ---------------------------------------------------------------------------- */

static void on_candidates(void *arg, const ProtobufCMessage *response,
                          const struct problem *problem)
{
    if (problem != NULL) {
        query_reply_problem(arg, problem);
        return;
    }
    const Moment__V1__ListCandidatesResponse *candidates = (const void *)response;

    query_reply(arg, list_json((ProtobufCMessage *const *)(const void *)candidates->candidates,
                               candidates->n_candidates, candidates->next));
}

static bool read_candidates_request(struct http_request *request,
                                    Moment__V1__ListCandidatesRequest *ask)
{
    static const char *const known[] = {"person", "moment_id", "limit", "cursor"};
    const char *person, *moment_id, *cursor;
    int64_t limit;

    moment__v1__list_candidates_request__init(ask);
    if (!query_only(request, known, countof(known)) || !query_text(request, "person", &person) ||
        !read_moment_id(request, &moment_id) ||
        !query_integer(request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit) ||
        !query_text(request, "cursor", &cursor))
        return false;
    ask->limit = (uint32_t)limit;
    set_text(&ask->person_id, person);
    set_text(&ask->moment_id, moment_id);
    set_text(&ask->cursor, cursor);
    return true;
}

static void ask_candidates(struct reporting *reporting, struct http_request *request,
                           struct viewer *viewer)
{
    struct caller caller = viewer_caller(viewer);
    Moment__V1__ListCandidatesRequest ask;

    if (read_candidates_request(request, &ask))
        bus_call(service_bus(reporting->service), "recognition", "recognition.ListCandidates",
                 &caller, NULL, &ask.base, &moment__v1__list_candidates_response__descriptor,
                 DEADLINE_MS, on_candidates, request);
    viewer_free(&viewer);
}

void candidates_list(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_SCOPED, ask_candidates);
}
