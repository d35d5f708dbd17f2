#include "reporting/edge_directory.h"

#include "reporting/access.h"
#include "reporting/query.h"
#include "reporting/rules/definition.h"
#include "reporting/store.h"

#include <string.h>

enum column { KIND, ID, NAME, SITE, TEAM, EXTRA, LISTED, COACH };

static json_t *text(const struct db_rows *rows, size_t row, enum column column)
{
    return json_text_or_null(db_get_text(rows, row, column));
}

static json_t *entry_json(const struct db_rows *rows, size_t i)
{
    const char *kind = db_get_text(rows, i, KIND);

    if (strcmp(kind, "site") == 0)
        return json_pack("{s:o,s:o,s:o}", "site_id", text(rows, i, ID), "name", text(rows, i, NAME),
                         "time_zone", text(rows, i, EXTRA));
    if (strcmp(kind, "team") == 0)
        return json_pack("{s:o,s:o,s:o}", "team_id", text(rows, i, ID), "name", text(rows, i, NAME),
                         "site_id", text(rows, i, SITE));
    if (strcmp(kind, "person") == 0)
        return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "person_id", text(rows, i, ID), "name",
                         text(rows, i, NAME), "site_id", text(rows, i, SITE), "team_id",
                         text(rows, i, TEAM), "role", text(rows, i, EXTRA), "coach_id",
                         text(rows, i, COACH));
    return json_pack("{s:o,s:o,s:o,s:b}", "queue_id", text(rows, i, ID), "name",
                     text(rows, i, NAME), "site_id", text(rows, i, SITE), "listed",
                     (int)db_get_bool(rows, i, LISTED));
}

static json_t *list_of(const struct db_rows *rows, const char *kind)
{
    json_t *list = json_array();

    for (size_t i = 0; i < db_count(rows); i++) {
        if (strcmp(db_get_text(rows, i, KIND), kind) == 0)
            json_array_append_new(list, entry_json(rows, i));
    }
    return list;
}

static void on_directory(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error)
{
    (void)error;
    if (status < 0) {
        access_unavailable(arg);
        return;
    }
    query_reply(arg, json_pack("{s:o,s:o,s:o,s:o}", "sites", list_of(rows, "site"), "teams",
                               list_of(rows, "team"), "people", list_of(rows, "person"), "queues",
                               list_of(rows, "queue")));
}

static void show_directory(struct reporting *reporting, struct http_request *request,
                           struct viewer *viewer)
{
    struct reader reader = viewer->reader;

    /* Operators see no moments, but the names that they give accounts a scope by. */
    if (reader.reach == REACH_NOTHING)
        reader.reach = REACH_SCOPE;
    if (query_only(request, NULL, 0) && store_list_directory(service_reader(reporting->service),
                                                             &reader, on_directory, request) < 0)
        access_unavailable(request);
    viewer_free(&viewer);
}

void directory_show(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_ANY, show_directory);
}

static void show_definitions(struct reporting *reporting, struct http_request *request,
                             struct viewer *viewer)
{
    size_t definition_count, note_count;
    const struct definition *definitions = definition_all(&definition_count);
    const struct count_note *notes = definition_counts(&note_count);
    json_t *items = json_array();
    json_t *counts = json_array();

    (void)reporting;
    viewer_free(&viewer);
    for (size_t i = 0; i < definition_count; i++)
        json_array_append_new(
            items, json_pack("{s:s,s:s,s:s,s:s,s:s}", "definition", definitions[i].name, "title",
                             definitions[i].title, "kind", definitions[i].kind, "formula",
                             definitions[i].formula, "note", definitions[i].note));
    for (size_t i = 0; i < note_count; i++)
        json_array_append_new(counts,
                              json_pack("{s:s,s:s}", "name", notes[i].name, "note", notes[i].note));
    query_reply(request, json_pack("{s:o,s:o}", "items", items, "counts", counts));
}

void definitions_show(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_ANY, show_definitions);
}
