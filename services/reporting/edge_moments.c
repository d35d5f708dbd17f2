#include "reporting/edge_moments.h"

#include "base/keyset.h"
#include "base/log.h"
#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/ingest.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "reporting/access.h"
#include "reporting/query.h"
#include "reporting/store.h"
#include "reporting/transcode.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define OWNER_DEADLINE_MS 3000
#define SECTION_ITEMS "200"

/* --- the list ------------------------------------------------------------------------------ */

struct page {
    struct http_request *request;
    int32_t limit;
};

static bool read_ids(struct http_request *request, struct moment_filter *filter)
{
    return query_text(request, "source", &filter->source) &&
           query_text(request, "site", &filter->site) &&
           query_text(request, "queue", &filter->queue) &&
           query_text(request, "team", &filter->team) &&
           query_text(request, "person", &filter->person);
}

static bool read_words(struct http_request *request, struct moment_filter *filter)
{
    static const char *const parts[] = {"site", "queue", "team", "person", "channel"};
    int number;

    return query_value(request, "channel", codec_channel, &filter->channel, &number) &&
           query_value(request, "outcome", codec_outcome, &filter->outcome, &number) &&
           query_value(request, "visit_outcome", codec_outcome, &filter->visit_outcome, &number) &&
           query_value(request, "state", codec_moment_state, &filter->state, &number) &&
           query_word(request, "none", parts, countof(parts), &filter->none);
}

static bool read_times(struct http_request *request, struct moment_filter *filter)
{
    return query_time(request, "from", &filter->from) && query_time(request, "to", &filter->to) &&
           query_time(request, "entered_from", &filter->entered_from) &&
           query_time(request, "entered_to", &filter->entered_to);
}

static bool read_page(struct http_request *request, struct moment_filter *filter)
{
    const char *cursor;
    int64_t limit;

    if (!query_integer(request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit) ||
        !query_text(request, "cursor", &cursor))
        return false;
    filter->limit = (int32_t)limit;
    if (cursor == NULL || keyset_parse(cursor, &filter->after_at, &filter->after_id) == 0)
        return true;
    http_problem(request, 400, "invalid-field", "cursor", "That is no cursor of this list.");
    return false;
}

static bool read_filter(struct http_request *request, struct moment_filter *filter)
{
    static const char *const known[] = {
        "source",        "site",  "queue", "team",   "person",       "channel",
        "outcome",       "state", "from",  "to",     "entered_from", "entered_to",
        "visit_outcome", "none",  "limit", "cursor",
    };

    if (!query_only(request, known, countof(known)) || !read_ids(request, filter) ||
        !read_words(request, filter) || !read_times(request, filter) || !read_page(request, filter))
        return false;
    filter->is_visit = filter->entered_from > 0 || filter->entered_to > 0 ||
                       filter->visit_outcome != NULL || filter->none != NULL;
    return true;
}

static json_t *next_of(const struct db_rows *rows, size_t shown)
{
    char text[KEYSET_TEXT_SIZE];
    struct id id;

    if (db_count(rows) <= shown)
        return json_null();
    db_get_uuid(rows, shown - 1, 2, id.bytes);
    return json_string(keyset_print(db_get_time(rows, shown - 1, 1), &id, text));
}

static void on_page(void *arg, int status, const struct db_rows *rows, const struct db_error *error)
{
    struct page *page = arg;
    struct http_request *request = page->request;
    size_t limit = (size_t)page->limit;

    free(page);
    if (status < 0) {
        log_warn("moments_failed", "error=%d sqlstate=%s", status,
                 error != NULL ? error->sqlstate : "-");
        access_unavailable(request);
        return;
    }
    size_t shown = db_count(rows) < limit ? db_count(rows) : limit;
    json_t *items = json_array();

    for (size_t i = 0; i < shown; i++) {
        json_t *moment = codec_moment_json(db_get_bytes(rows, i, 0));

        if (moment != NULL)
            json_array_append_new(items, moment);
    }
    query_reply(request, json_pack("{s:o,s:o}", "items", items, "next", next_of(rows, shown)));
}

static void list(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    struct moment_filter filter = {0};
    struct page *page = NULL;

    if (read_filter(request, &filter)) {
        page = calloc(1, sizeof(*page));
        if (page != NULL)
            *page = (struct page){request, filter.limit};
        if (page == NULL || store_list_moments(service_reader(reporting->service), &viewer->reader,
                                               &filter, on_page, page) < 0) {
            free(page);
            access_unavailable(request);
        }
    }
    viewer_free(&viewer);
}

void moments_list(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_CONTENT, list);
}

/* --- one moment: its snapshot from here, the rest from the owners -------------------------- */

/* Each part of the picture is a call of its owner for the same viewer. */
static const struct section {
    const char *name;
    const char *owner;
    const char *method;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
} sections[] = {
    {"events", "ingest", "ingest.GetMomentEvents",
     &moment__v1__get_moment_events_request__descriptor,
     &moment__v1__get_moment_events_response__descriptor},
    {"evaluations", "feedback", "feedback.ListEvaluations",
     &moment__v1__list_evaluations_request__descriptor,
     &moment__v1__list_evaluations_response__descriptor},
    {"alerts", "feedback", "feedback.ListAlerts", &moment__v1__list_alerts_request__descriptor,
     &moment__v1__list_alerts_response__descriptor},
    {"candidates", "recognition", "recognition.ListCandidates",
     &moment__v1__list_candidates_request__descriptor,
     &moment__v1__list_candidates_response__descriptor},
    {"notes", "feedback", "feedback.ListNotes", &moment__v1__list_notes_request__descriptor,
     &moment__v1__list_notes_response__descriptor},
};

struct detail {
    struct reporting *reporting;
    struct http_request *request;
    struct viewer *viewer; /* owned */
    char moment_id[ID_TEXT_SIZE];
    json_t *answer; /* owned */
    unsigned pending;
};

struct section_call {
    struct detail *detail;
    const struct section *section;
};

static void detail_free(struct detail *detail)
{
    viewer_free(&detail->viewer);
    json_decref(detail->answer);
    free(detail);
}

static void settle(struct detail *detail)
{
    if (--detail->pending > 0)
        return;
    query_reply(detail->request, json_incref(detail->answer));
    detail_free(detail);
}

/* Takes items; null: problem says why not. */
static void put_section(struct detail *detail, const struct section *section, json_t *items,
                        const struct problem *problem)
{
    bool is_there = items != NULL;

    json_object_set_new(detail->answer, section->name,
                        json_pack("{s:o,s:o}", "items", is_there ? items : json_null(), "problem",
                                  is_there ? json_null() : query_problem_json(problem)));
}

static void on_section(void *arg, const ProtobufCMessage *response, const struct problem *problem)
{
    struct section_call *call = arg;
    struct problem lack;

    problem_set(&lack, 503, "unavailable", NULL, "Out of memory.");
    put_section(call->detail, call->section, response != NULL ? transcode_items(response) : NULL,
                problem != NULL ? problem : &lack);
    settle(call->detail);
    free(call);
}

static int make_request(const struct detail *detail, const struct section *section,
                        ProtobufCMessage **ret_message, struct problem *problem)
{
    struct transcode_form form;

    transcode_begin(&form, section->request);
    transcode_query(&form, "moment_id", detail->moment_id);
    if (protobuf_c_message_descriptor_get_field_by_name(section->request, "limit") != NULL)
        transcode_query(&form, "limit", SECTION_ITEMS);
    int rc = transcode_end(&form, ret_message);

    *problem = form.problem;
    return rc;
}

static void ask(struct detail *detail, const struct section *section)
{
    struct caller caller = viewer_caller(detail->viewer);
    struct section_call *call = calloc(1, sizeof(*call));
    ProtobufCMessage *message = NULL;
    struct problem problem;

    if (call == NULL || make_request(detail, section, &message, &problem) < 0) {
        if (call == NULL)
            problem_set(&problem, 503, "unavailable", NULL, "Out of memory.");
        free(call);
        put_section(detail, section, NULL, &problem);
        detail->pending--; /* never the last: ask_owners holds one */
        return;
    }
    *call = (struct section_call){detail, section};
    bus_call(service_bus(detail->reporting->service), section->owner, section->method, &caller,
             NULL, message, section->response, OWNER_DEADLINE_MS, on_section, call);
    protobuf_c_message_free_unpacked(message, NULL);
}

static void ask_owners(struct detail *detail)
{
    /* One more than the calls, so that what fails at once does not end the whole early. */
    detail->pending = countof(sections) + 1;
    for (size_t i = 0; i < countof(sections); i++)
        ask(detail, &sections[i]);
    settle(detail);
}

static void on_snapshot(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error)
{
    struct detail *detail = arg;
    json_t *snapshot = NULL;

    (void)error;
    if (status == 0 && db_count(rows) == 1)
        snapshot = codec_moment_json(db_get_bytes(rows, 0, 0));
    if (snapshot != NULL)
        detail->answer = json_pack("{s:o}", "moment", snapshot);
    if (detail->answer != NULL) {
        ask_owners(detail);
        return;
    }
    if (status == 0 && db_count(rows) == 0)
        http_problem(detail->request, 404, "not-found", NULL,
                     "There is no moment %s, or you may not see it.", detail->moment_id);
    else
        access_unavailable(detail->request);
    detail_free(detail);
}

static void show(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    struct detail *detail = calloc(1, sizeof(*detail));
    struct id id;

    if (detail == NULL || !query_only(request, NULL, 0)) {
        viewer_free(&viewer);
        if (detail == NULL)
            access_unavailable(request);
        free(detail);
        return;
    }
    detail->reporting = reporting;
    detail->request = request;
    detail->viewer = viewer;
    if (id_parse(http_parameter(request, "moment_id"), &id) < 0) {
        http_problem(request, 404, "not-found", "moment_id", "A moment's id is a UUID.");
        detail_free(detail);
        return;
    }
    id_print(&id, detail->moment_id);
    if (store_find_moment(service_reader(reporting->service), &viewer->reader, &id, on_snapshot,
                          detail) < 0) {
        access_unavailable(request);
        detail_free(detail);
    }
}

void moments_show(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_CONTENT, show);
}
