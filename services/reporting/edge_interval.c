#include "reporting/edge_interval.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "reporting/access.h"
#include "reporting/figures_json.h"
#include "reporting/query.h"
#include "reporting/store.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MAX 5000
#define ROWS_MAX 20000
#define CSV_BYTES_MAX (32 * 1024 * 1024)

/* One report from question to answer. The texts of the question are the request's. */
struct report {
    struct reporting *reporting;
    struct http_request *request;
    struct viewer *viewer; /* owned */
    struct interval_question question;
    struct figure_choice choice;
    bool is_csv;
    int64_t from, to;
};

static void report_free(struct report *report)
{
    viewer_free(&report->viewer);
    free(report);
}

/* --- the question -------------------------------------------------------------------------- */

static bool is_date(const char *text)
{
    static const char form[] = "dddd-dd-dd";

    if (strlen(text) != strlen(form))
        return false;
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    }
    return true;
}

/* A date or a date-time; both required. */
static bool read_bound(struct http_request *request, const char *name, const char **ret_text,
                       bool *ret_is_date)
{
    int64_t unused_us;

    if (!query_text(request, name, ret_text))
        return false;
    if (*ret_text == NULL) {
        http_problem(request, 400, "missing-field", name, "%s is required.", name);
        return false;
    }
    *ret_is_date = is_date(*ret_text);
    return *ret_is_date || query_time(request, name, &unused_us);
}

static bool read_definition(struct http_request *request, struct report *report)
{
    const char *name;

    if (!query_text(request, "definition", &name))
        return false;
    report->choice.definition = ABANDONS_IGNORED;
    if (name != NULL && service_level_parse(name, &report->choice.definition) < 0) {
        http_problem(request, 400, "invalid-field", "definition",
                     "There is no such definition; see /api/v1/definitions.");
        return false;
    }
    return query_flag(request, "exclude_short", true, &report->choice.switches.exclude_short) &&
           query_flag(request, "exclude_abandons", false,
                      &report->choice.switches.exclude_abandons) &&
           query_flag(request, "include_left", false, &report->choice.switches.include_left);
}

static bool read_cut(struct http_request *request, struct interval_question *question)
{
    static const char *const buckets[] = {"15m", "30m", "hour", "day", "week", "all"};
    static const char *const keys[] = {"none", "site", "queue", "team", "person", "channel"};

    if (!query_word(request, "bucket", buckets, countof(buckets), &question->bucket) ||
        !query_word(request, "by", keys, countof(keys), &question->by))
        return false;
    if (question->bucket == NULL)
        question->bucket = "hour";
    if (question->by == NULL)
        question->by = "none";
    return query_time_zone(request, &question->tz);
}

static bool read_filters(struct http_request *request, struct interval_question *question)
{
    int number;

    return query_text(request, "site", &question->site) &&
           query_text(request, "queue", &question->queue) &&
           query_text(request, "team", &question->team) &&
           query_text(request, "person", &question->person) &&
           query_value(request, "channel", codec_channel, &question->channel, &number);
}

static bool read_format(struct http_request *request, struct report *report)
{
    static const char *const formats[] = {"json", "csv"};
    const char *format;

    if (!query_word(request, "format", formats, countof(formats), &format))
        return false;
    report->is_csv = format != NULL ? strcmp(format, "csv") == 0
                                    : strstr(http_header(request, "Accept"), "text/csv") != NULL;
    return true;
}

static bool read_question(struct http_request *request, struct report *report)
{
    static const char *const known[] = {
        "from",
        "to",
        "bucket",
        "by",
        "tz",
        "definition",
        "threshold_s",
        "short_abandon_s",
        "exclude_short",
        "exclude_abandons",
        "include_left",
        "site",
        "queue",
        "team",
        "person",
        "channel",
        "format",
    };
    struct interval_question *question = &report->question;
    const struct conf *conf = service_conf(report->reporting->service);
    int64_t threshold_s, short_s;

    if (!query_only(request, known, countof(known)) ||
        !read_bound(request, "from", &question->from, &question->from_is_date) ||
        !read_bound(request, "to", &question->to, &question->to_is_date) ||
        !read_cut(request, question) || !read_definition(request, report) ||
        !query_integer(request, "threshold_s", 1, 86400,
                       conf_integer(conf, "service_level_threshold_s"), &threshold_s) ||
        !query_integer(request, "short_abandon_s", 0, 3600, conf_integer(conf, "short_abandon_s"),
                       &short_s) ||
        !read_filters(request, question) || !read_format(request, report))
        return false;
    question->threshold_ms = threshold_s * 1000;
    question->short_ms = short_s * 1000;
    return true;
}

/* --- links --------------------------------------------------------------------------------- */

static int add_parameter(struct buf *to, const char *name, const char *value)
{
    int rc = buf_printf(to, "%s%s=", strchr(buf_text(to), '?') != NULL ? "&" : "?", name);

    for (const char *c = value; rc == 0 && *c != '\0'; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~", *c) != NULL)
            rc = buf_printf(to, "%c", *c);
        else
            rc = buf_printf(to, "%%%02X", (unsigned)(unsigned char)*c);
    }
    return rc;
}

static int add_time(struct buf *to, const char *name, int64_t at_us)
{
    char text[CLOCK_RFC3339_SIZE];

    return add_parameter(to, name, clock_to_rfc3339(at_us, text));
}

/* The moments of a visit that entered in [start, end), was filtered like the report and has that
 * key. key null without by, or for the visits that have none. */
static json_t *moments_link(const struct report *report, int64_t start, int64_t end,
                            const char *key, bool is_row)
{
    const struct interval_question *question = &report->question;
    const char *const filters[][2] = {
        {"site", question->site},     {"queue", question->queue},     {"team", question->team},
        {"person", question->person}, {"channel", question->channel},
    };
    bool is_keyed = is_row && strcmp(question->by, "none") != 0;
    struct buf link;

    buf_init(&link, 8192);
    int rc = buf_printf(&link, "/api/v1/moments");

    if (rc == 0)
        rc = add_time(&link, "entered_from", start);
    if (rc == 0)
        rc = add_time(&link, "entered_to", end);
    for (size_t i = 0; i < countof(filters) && rc == 0; i++) {
        bool is_key = is_keyed && strcmp(filters[i][0], question->by) == 0;

        if (filters[i][1] != NULL && !is_key)
            rc = add_parameter(&link, filters[i][0], filters[i][1]);
    }
    if (rc == 0 && is_keyed)
        rc = add_parameter(&link, key != NULL ? question->by : "none",
                           key != NULL ? key : question->by);
    json_t *json = rc == 0 ? json_string(buf_text(&link)) : json_null();

    buf_done(&link);
    return json;
}

/* --- JSON ---------------------------------------------------------------------------------- */

static json_t *row_json(const struct report *report, const struct db_rows *rows, size_t row,
                        const struct counts *counts)
{
    int64_t start = db_get_time(rows, row, 0);
    int64_t end = db_get_time(rows, row, 1);
    const char *key = db_is_null(rows, row, 2) ? NULL : db_get_text(rows, row, 2);

    return json_pack("{s:o,s:o,s:s?,s:o,s:o,s:o,s:o}", "start", json_time(start), "end",
                     json_time(end), "key", key, "name",
                     json_text_or_null(db_get_text(rows, row, 3)), "counts", counts_json(counts),
                     "figures", figures_json(counts, &report->choice), "moments",
                     moments_link(report, start, end, key, true));
}

static json_t *filters_json(const struct interval_question *question)
{
    return json_pack("{s:s*,s:s*,s:s*,s:s*,s:s*}", "site", question->site, "queue", question->queue,
                     "team", question->team, "person", question->person, "channel",
                     question->channel);
}

static void reply_json(const struct report *report, const struct db_rows *rows)
{
    const struct interval_question *question = &report->question;
    struct counts totals = {0};
    json_t *array = json_array();

    for (size_t i = 0; i < db_count(rows); i++) {
        struct counts counts = {0};

        store_get_counts(rows, i, 4, &counts);
        counts_add(&totals, &counts);
        json_array_append_new(array, row_json(report, rows, i, &counts));
    }
    json_t *sum = json_pack("{s:o,s:o,s:o}", "counts", counts_json(&totals), "figures",
                            figures_json(&totals, &report->choice), "moments",
                            moments_link(report, report->from, report->to, NULL, false));

    query_reply(report->request,
                json_pack("{s:s,s:I,s:I,s:s,s:o,s:o,s:s,s:s,s:o,s:o,s:o,s:o}", "definition",
                          service_level_name(report->choice.definition), "threshold_s",
                          (json_int_t)(question->threshold_ms / 1000), "short_abandon_s",
                          (json_int_t)(question->short_ms / 1000), "tz", question->tz, "from",
                          json_time(report->from), "to", json_time(report->to), "bucket",
                          question->bucket, "by", question->by, "filters", filters_json(question),
                          "data_at", json_time(report->reporting->data_at), "rows", array, "totals",
                          sum));
}

/* --- CSV ----------------------------------------------------------------------------------- */

/* A spreadsheet must not take a name for a formula. */
static int add_csv_text(struct buf *to, const char *text)
{
    int rc = buf_printf(to, "\"%s", text[0] != '\0' && strchr("=+-@\t\r", text[0]) ? "'" : "");

    for (const char *c = text; rc == 0 && *c != '\0'; c++)
        rc = buf_printf(to, *c == '"' ? "\"%c" : "%c", *c);
    return rc == 0 ? buf_printf(to, "\"") : rc;
}

static int add_csv_number(struct buf *to, bool has_value, double value)
{
    return has_value ? buf_printf(to, ",%.15g", value) : buf_printf(to, ",");
}

static int add_csv_share(struct buf *to, struct share share)
{
    int rc = add_csv_number(to, share.has_value, share.value);

    if (rc == 0)
        rc = add_csv_number(to, share.has_value, share.low);
    if (rc == 0)
        rc = add_csv_number(to, share.has_value, share.high);
    return rc == 0 ? buf_printf(to, ",%lld", (long long)share.n) : rc;
}

static int add_csv_counts(struct buf *to, const struct counts *counts)
{
    json_t *json = counts_json(counts);
    const char *name;
    json_t *value;
    int rc = json != NULL ? 0 : -1;

    json_object_foreach(json, name, value)
    {
        if (rc == 0)
            rc = add_csv_number(to, true, json_number_value(value));
    }
    json_decref(json);
    return rc;
}

static int add_csv_figures(struct buf *to, const struct counts *counts, const struct report *report)
{
    struct mean asa = figure_asa(counts);
    struct mean aht = figure_aht(counts);
    int rc = add_csv_share(to, service_level_share(counts, &report->choice));

    if (rc == 0)
        rc = add_csv_share(to, figure_abandon_rate(counts));
    if (rc == 0)
        rc = add_csv_share(to, figure_csat(counts));
    if (rc == 0)
        rc = add_csv_number(to, asa.has_value, asa.value);
    if (rc == 0)
        rc = add_csv_number(to, aht.has_value, aht.value);
    return rc == 0
               ? buf_printf(to, ",%s,%lld,%s\r\n", service_level_name(report->choice.definition),
                            (long long)(report->question.threshold_ms / 1000), report->question.tz)
               : rc;
}

static int add_csv_row(struct buf *to, const struct report *report, const struct db_rows *rows,
                       size_t row)
{
    char start[CLOCK_RFC3339_SIZE], end[CLOCK_RFC3339_SIZE];
    struct counts counts = {0};
    int rc = buf_printf(to, "%s,%s,", clock_to_rfc3339(db_get_time(rows, row, 0), start),
                        clock_to_rfc3339(db_get_time(rows, row, 1), end));

    store_get_counts(rows, row, 4, &counts);
    if (rc == 0)
        rc = add_csv_text(to, db_get_text(rows, row, 2));
    if (rc == 0)
        rc = buf_printf(to, ",");
    if (rc == 0)
        rc = add_csv_text(to, db_get_text(rows, row, 3));
    if (rc == 0)
        rc = add_csv_counts(to, &counts);
    return rc == 0 ? add_csv_figures(to, &counts, report) : rc;
}

static int add_csv_head(struct buf *to)
{
    const struct counts none = {0};
    json_t *json = counts_json(&none);
    const char *name;
    json_t *value;
    int rc = buf_printf(to, "start,end,key,name");

    json_object_foreach(json, name, value)
    {
        if (rc == 0)
            rc = buf_printf(to, ",%s", name);
    }
    json_decref(json);
    if (rc < 0)
        return rc;
    return buf_printf(to, ",service_level,service_level_low,service_level_high,service_level_n"
                          ",abandon_rate,abandon_rate_low,abandon_rate_high,abandon_rate_n"
                          ",csat,csat_low,csat_high,csat_figure_n,asa_ms,aht_ms"
                          ",definition,threshold_s,tz\r\n");
}

static void reply_csv(const struct report *report, const struct db_rows *rows)
{
    struct buf csv;

    buf_init(&csv, CSV_BYTES_MAX);
    int rc = add_csv_head(&csv);

    for (size_t i = 0; rc == 0 && i < db_count(rows); i++)
        rc = add_csv_row(&csv, report, rows, i);
    if (rc == 0) {
        http_add_header(report->request, "Cache-Control", "no-store");
        http_add_header(report->request, "Content-Disposition",
                        "attachment; filename=\"interval.csv\"");
        http_reply(report->request, 200, "text/csv; charset=utf-8", csv.data, csv.len);
    } else {
        access_unavailable(report->request);
    }
    buf_done(&csv);
}

/* --- the steps ----------------------------------------------------------------------------- */

static bool has_failed(struct report *report, int status, const struct db_error *error)
{
    if (status == 0)
        return false;
    const char *sqlstate = error != NULL ? error->sqlstate : "-";

    if (strcmp(sqlstate, "22023") == 0) {
        http_problem(report->request, 400, "invalid-field", "tz", "There is no time zone %s.",
                     report->question.tz);
    } else if (strncmp(sqlstate, "22", 2) == 0) {
        http_problem(report->request, 400, "invalid-field", "from",
                     "from or to is no day of the calendar.");
    } else {
        log_warn("report_failed", "error=%d sqlstate=%s", status, sqlstate);
        access_unavailable(report->request);
    }
    report_free(report);
    return true;
}

static void on_counted(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error)
{
    struct report *report = arg;

    if (has_failed(report, status, error))
        return;
    if (db_count(rows) > ROWS_MAX)
        http_problem(report->request, 400, "too-many-rows", "bucket",
                     "That would be more than %d rows: choose longer intervals or filter.",
                     ROWS_MAX);
    else if (report->is_csv)
        reply_csv(report, rows);
    else
        reply_json(report, rows);
    report_free(report);
}

static void on_resolved(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error)
{
    struct report *report = arg;

    if (has_failed(report, status, error))
        return;
    report->from = db_get_time(rows, 0, 0);
    report->to = db_get_time(rows, 0, 1);
    report->from -= report->from % US_PER_MS;
    report->to -= report->to % US_PER_MS;
    if (report->from >= report->to) {
        http_problem(report->request, 400, "invalid-field", "to", "to must be after from.");
        report_free(report);
        return;
    }
    if (db_get_i64(rows, 0, 2) > BUCKETS_MAX) {
        http_problem(report->request, 400, "too-many-rows", "bucket",
                     "That would be more than %d intervals: choose longer ones.", BUCKETS_MAX);
        report_free(report);
        return;
    }
    if (store_count_interval(service_reader(report->reporting->service), &report->viewer->reader,
                             &report->question, report->from, report->to, on_counted, report) < 0) {
        access_unavailable(report->request);
        report_free(report);
    }
}

static void show(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    struct report *report = calloc(1, sizeof(*report));

    if (report == NULL) {
        viewer_free(&viewer);
        access_unavailable(request);
        return;
    }
    report->reporting = reporting;
    report->request = request;
    report->viewer = viewer;
    if (!read_question(request, report)) {
        report_free(report);
        return;
    }
    if (store_resolve_interval(service_reader(reporting->service), &report->question, on_resolved,
                               report) < 0) {
        access_unavailable(request);
        report_free(report);
    }
}

void interval_show(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_CONTENT, show);
}
