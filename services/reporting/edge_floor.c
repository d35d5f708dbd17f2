#include "reporting/edge_floor.h"

#include "base/clock.h"
#include "base/log.h"
#include "reporting/access.h"
#include "reporting/figures_json.h"
#include "reporting/query.h"
#include "reporting/rules/place.h"
#include "reporting/store.h"

#include <stdlib.h>
#include <string.h>

#define MOMENTS_MAX 2000

/* One picture being put together, section by section. */
struct picture {
    struct reporting *reporting;
    struct http_request *request;
    struct viewer *viewer; /* owned */
    const char *tz;        /* of the request */
    struct floor_question question;
    struct figure_choice choice;
    struct counts today;
    json_t *floor; /* owned */
    bool has_failed;
    unsigned pending; /* callbacks to come, and ask() while it runs; the last one answers */
};

static void picture_free(struct picture *picture)
{
    viewer_free(&picture->viewer);
    json_decref(picture->floor);
    free(picture);
}

static void put(struct picture *picture, const char *name, json_t *json)
{
    if (json == NULL || json_object_set_new(picture->floor, name, json) < 0)
        picture->has_failed = true;
}

static void put_service_level(struct picture *picture)
{
    struct share share = service_level_share(&picture->today, &picture->choice);
    json_t *json = share_json(share, service_level_name(picture->choice.definition));

    json_object_set_new(json, "threshold_s", json_integer(picture->question.threshold_ms / 1000));
    json_object_set_new(json, "window",
                        json_pack("{s:o,s:o,s:s}", "from", json_time(picture->question.day_start),
                                  "to", json_time(picture->question.now), "tz", picture->tz));
    put(picture, "service_level", json);
}

/* One callback less to come; after the last one the picture is whole, or never will be. */
static void settle(struct picture *picture)
{
    if (--picture->pending > 0)
        return;
    if (!picture->has_failed) {
        put_service_level(picture);
        put(picture, "server_time", json_time(clock_wall_us()));
        put(picture, "lag", reporting_lag(picture->reporting));
    }
    if (picture->has_failed)
        access_unavailable(picture->request);
    else
        query_reply(picture->request, json_incref(picture->floor));
    picture_free(picture);
}

/* --- sections ------------------------------------------------------------------------------ */

static bool has_failed(struct picture *picture, int status, const struct db_error *error)
{
    if (status == 0)
        return false;
    if (!picture->has_failed)
        log_warn("floor_failed", "error=%d sqlstate=%s", status,
                 error != NULL ? error->sqlstate : "-");
    picture->has_failed = true;
    return true;
}

static void on_position(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error)
{
    struct picture *picture = arg;

    if (!has_failed(picture, status, error)) {
        char text[PLACE_POSITION_SIZE];

        put(picture, "position",
            json_string(place_print_position((uint32_t)db_get_i64(rows, 0, 0),
                                             (uint64_t)db_get_i64(rows, 0, 1), text)));
        put(picture, "data_at", json_time(db_get_time(rows, 0, 2)));
    }
    settle(picture);
}

static json_t *queue_json(const struct picture *picture, const struct db_rows *rows, size_t row,
                          const struct counts *counts)
{
    return json_pack("{s:s,s:s,s:o,s:I,s:o,s:I,s:I,s:I,s:I,s:o}", "queue",
                     db_get_text(rows, row, 0), "name", db_get_text(rows, row, 1), "site",
                     json_text_or_null(db_get_text(rows, row, 2)), "waiting",
                     (json_int_t)db_get_i64(rows, row, 3), "longest_wait_since",
                     json_time(db_get_time(rows, row, 4)), "in_progress",
                     (json_int_t)db_get_i64(rows, row, 5), "offered_today",
                     (json_int_t)counts->offered, "answered_today", (json_int_t)counts->answered,
                     "abandoned_today", (json_int_t)counts->abandoned, "service_level",
                     share_json(service_level_share(counts, &picture->choice),
                                service_level_name(picture->choice.definition)));
}

static void on_queues(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct picture *picture = arg;
    json_t *queues = json_array();

    for (size_t i = 0; !has_failed(picture, status, error) && i < db_count(rows); i++) {
        struct counts counts = {0};

        /* A queue that nobody entered today has no counts. */
        if (!db_is_null(rows, i, 6))
            store_get_counts(rows, i, 6, &counts);
        counts_add(&picture->today, &counts);
        json_array_append_new(queues, queue_json(picture, rows, i, &counts));
    }
    put(picture, "queues", queues);
    settle(picture);
}

static void on_people(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct picture *picture = arg;
    json_t *people = json_array();

    for (size_t i = 0; !has_failed(picture, status, error) && i < db_count(rows); i++) {
        json_t *agent = codec_agent_json(db_get_bytes(rows, i, 0), db_get_text(rows, i, 1),
                                         db_get_text(rows, i, 2));

        if (agent != NULL)
            json_array_append_new(people, agent);
    }
    put(picture, "people", people);
    settle(picture);
}

static json_t *list_of(const struct db_rows *rows, size_t max, json_t *(*read)(struct slice bytes))
{
    json_t *list = json_array();

    for (size_t i = 0; i < db_count(rows) && i < max; i++) {
        json_t *json = read(db_get_bytes(rows, i, 0));

        if (json != NULL)
            json_array_append_new(list, json);
    }
    return list;
}

static void on_moments(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error)
{
    struct picture *picture = arg;

    if (!has_failed(picture, status, error)) {
        put(picture, "moments", list_of(rows, MOMENTS_MAX, codec_moment_json));
        put(picture, "truncated", json_boolean(db_count(rows) > MOMENTS_MAX));
    }
    settle(picture);
}

static void on_alerts(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    if (!has_failed(arg, status, error))
        put(arg, "alerts", list_of(rows, SIZE_MAX, codec_alert_json));
    settle(arg);
}

static void on_commit(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    (void)rows;
    (void)has_failed(arg, status, error);
    settle(arg);
}

static void on_candidates(void *arg, int status, const struct db_rows *rows,
                          const struct db_error *error)
{
    if (!has_failed(arg, status, error))
        put(arg, "candidates", list_of(rows, SIZE_MAX, codec_candidate_json));
    settle(arg);
}

/* --- asking -------------------------------------------------------------------------------- */

static void count(struct picture *picture, int rc)
{
    if (rc < 0)
        picture->has_failed = true;
    else
        picture->pending++;
}

static void ask(struct picture *picture)
{
    struct db *db = service_reader(picture->reporting->service);
    const struct reader *reader = &picture->viewer->reader;
    const struct floor_question *question = &picture->question;

    picture->pending = 1;
    if (store_begin_snapshot(db) == 0) {
        count(picture, store_floor_position(db, on_position, picture));
        count(picture, store_floor_queues(db, reader, question, on_queues, picture));
        count(picture, store_floor_people(db, reader, question, on_people, picture));
        count(picture, store_floor_moments(db, reader, question, on_moments, picture));
        count(picture, store_floor_alerts(db, reader, on_alerts, picture));
        count(picture, store_floor_candidates(db, reader, on_candidates, picture));
        count(picture, db_commit(db, on_commit, picture));
    } else {
        picture->has_failed = true;
    }
    settle(picture);
}

static void on_day_start(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error)
{
    struct picture *picture = arg;

    if (status < 0 && error != NULL && strcmp(error->sqlstate, "22023") == 0) {
        http_problem(picture->request, 400, "invalid-field", "tz", "There is no time zone %s.",
                     picture->tz);
        picture_free(picture);
        return;
    }
    if (status < 0) {
        access_unavailable(picture->request);
        picture_free(picture);
        return;
    }
    picture->question.day_start = db_get_time(rows, 0, 0);
    ask(picture);
}

static struct picture *picture_new(struct reporting *reporting, struct http_request *request,
                                   struct viewer *viewer)
{
    const struct conf *conf = service_conf(reporting->service);
    struct picture *picture = calloc(1, sizeof(*picture));

    if (picture == NULL)
        return NULL;
    picture->floor = json_object();
    picture->reporting = reporting;
    picture->request = request;
    picture->viewer = viewer;
    picture->question = (struct floor_question){
        .now = clock_wall_us(),
        .threshold_ms = conf_integer(conf, "service_level_threshold_s") * 1000,
        .short_ms = conf_integer(conf, "short_abandon_s") * 1000,
        .moments_max = MOMENTS_MAX,
    };
    picture->choice = (struct figure_choice){ABANDONS_IGNORED, {.exclude_short = true}};
    if (service_level_parse(conf_text(conf, "service_level"), &picture->choice.definition) < 0)
        log_warn("setting_ignored", "setting=service_level value=%s",
                 conf_text(conf, "service_level"));
    return picture;
}

static void show(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    static const char *const known[] = {"tz"};
    const char *tz;

    if (!query_only(request, known, countof(known)) || !query_time_zone(request, &tz)) {
        viewer_free(&viewer);
        return;
    }
    struct picture *picture = picture_new(reporting, request, viewer);

    if (picture == NULL) {
        viewer_free(&viewer);
        access_unavailable(request);
        return;
    }
    picture->tz = tz;
    if (store_day_start(service_reader(reporting->service), tz, picture->question.now, on_day_start,
                        picture) < 0) {
        access_unavailable(request);
        picture_free(picture);
    }
}

void floor_show(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_CONTENT, show);
}
