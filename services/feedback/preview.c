/* preview - how often would a rule have fired over the stored past?
 *
 * Page by page on the reading connection, so that nobody waits for it; what is heavy about queues
 * is done on a worker thread. The decisions are those of rules/replay.h. */
#include "feedback/feedback.h"
#include "feedback/rules/replay.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_DEFAULT 7
#define DAYS_MAX 31
#define PAGE_ROWS 500
#define MOMENTS_MAX 200000
/* Each may hold some 60 MB. */
#define PREVIEWS_MAX 2
#define CAVEAT_SIZE 512

struct preview {
    struct preview *next;
    struct feedback *feedback; /* null: the service ends, and the call was answered */
    struct call *call;
    struct held_rule rule;
    struct replay *replay; /* owned */
    struct past_page page;
    size_t day_count;
    char dates[DAYS_MAX][DATE_TEXT_SIZE];
    int64_t days[DAYS_MAX + 1];
    size_t read;
    int64_t oldest_kept_at; /* 0: nothing is kept */
    bool is_cut;            /* there were more than may be looked at */
};

static size_t count_previews(const struct feedback *feedback)
{
    size_t count = 0;

    for (const struct preview *at = feedback->previews; at != NULL; at = at->next) {
        count++;
    }
    return count;
}

static void preview_end(struct preview *preview)
{
    if (preview->feedback != NULL) {
        struct preview **link = &preview->feedback->previews;

        while (*link != preview) {
            link = &(*link)->next;
        }
        *link = preview->next;
    }
    codec_rule_done(&preview->rule);
    replay_free(&preview->replay);
    free(preview);
}

static void preview_refuse(struct preview *preview, uint32_t status, const char *type,
                           const char *detail)
{
    call_refuse(preview->call, status, type, "", "%s", detail);
    preview_end(preview);
}

void previews_drop(struct feedback *feedback)
{
    while (feedback->previews != NULL) {
        struct preview *preview = feedback->previews;

        feedback->previews = preview->next;
        preview->feedback = NULL; /* whoever comes back to it ends it */
        call_refuse(preview->call, 503, "draining", "", "feedback is going away");
    }
}

/* --- the answer --- */

static void add_caveat(char *caveat, const char *sentence)
{
    size_t len = strlen(caveat);

    (void)snprintf(caveat + len, CAVEAT_SIZE - len, "%s%s", len > 0 ? " " : "", sentence);
}

static void add_caveat_since(char *caveat, const char *format, int64_t at)
{
    char sentence[160], time[CLOCK_RFC3339_SIZE];

    clock_to_rfc3339(at, time);
    (void)snprintf(sentence, sizeof(sentence), "%s %s.", format, time);
    add_caveat(caveat, sentence);
}

static void say_what_is_not_known(const struct preview *preview, char *caveat)
{
    const struct replay_result *result = replay_result(preview->replay);

    caveat[0] = '\0';
    if (preview->is_cut) {
        add_caveat_since(caveat, "There are too many moments: counted only since",
                         preview->page.before_at);
    } else if (preview->oldest_kept_at > preview->days[0]) {
        add_caveat_since(caveat, "Moments are kept only since", preview->oldest_kept_at);
    }
    if (result->may_be_more) {
        add_caveat(caveat, preview->rule.plain.subject == ALERT_HELD
                               ? "Of several holds in one conversation only the longest is known: "
                                 "it may have fired more often."
                               : "Of several offers only how long the answered one rang is known: "
                                 "it may have fired more often.");
    }
    if (alert_is_about_queue(&preview->rule.plain)) {
        add_caveat(caveat, "Who is still in progress is not counted.");
    }
}

static void preview_reply(struct preview *preview)
{
    const struct replay_result *result = replay_result(preview->replay);
    Moment__V1__PreviewAlertRuleResponse response;
    Moment__V1__PreviewDay days[DAYS_MAX], *day_pointers[DAYS_MAX];
    char ids[REPLAY_EXAMPLES_MAX][ID_TEXT_SIZE], *id_pointers[REPLAY_EXAMPLES_MAX];
    char caveat[CAVEAT_SIZE];

    moment__v1__preview_alert_rule_response__init(&response);
    for (size_t i = 0; i < preview->day_count; i++) {
        moment__v1__preview_day__init(&days[i]);
        days[i].date = preview->dates[i];
        days[i].fired = result->fired_on[i];
        day_pointers[i] = &days[i];
    }
    for (size_t i = 0; i < result->example_count; i++) {
        (void)id_print(&result->examples[i].moment_id, ids[i]);
        id_pointers[i] = ids[i];
    }
    say_what_is_not_known(preview, caveat);
    response.fired = result->fired;
    response.moments = result->moments;
    response.n_days = preview->day_count;
    response.days = day_pointers;
    response.n_moment_ids = result->example_count;
    response.moment_ids = id_pointers;
    response.caveat = caveat;
    call_reply(preview->call, &response.base);
}

/* --- reading --- */

static void run(void *arg)
{
    struct preview *preview = arg;

    replay_run(preview->replay);
}

static void on_run(void *arg)
{
    struct preview *preview = arg;

    if (preview->feedback == NULL) {
        preview_end(preview);
        return;
    }
    if (replay_result(preview->replay)->failed) {
        preview_refuse(preview, 503, "out-of-memory", "There is not enough memory for that now.");
        return;
    }
    preview_reply(preview);
    preview_end(preview);
}

static void finish(struct preview *preview)
{
    if (loop_work(service_loop(preview->feedback->service), run, on_run, preview) < 0) {
        preview_refuse(preview, 503, "busy", "The service is busy: try again.");
    }
}

static bool covers(void *arg, const char *site, const char *queue, const char *team)
{
    const struct preview *preview = arg;

    return rules_cover(preview->feedback, &preview->rule, site, queue, team);
}

/* False: no more than what was taken until now. */
static bool take_row(struct preview *preview, const struct db_rows *rows, size_t row)
{
    struct stored_moment stored;
    struct snapshot snapshot;
    struct id id;
    int error = store_read_moment(rows, row, &stored);

    if (error == 0) {
        error = codec_snapshot(&stored.message, stored.changed_at, &snapshot);
    }
    if (error != 0) {
        log_error("moment_unreadable", "row=%zu error=%d", row, error);
        return true;
    }
    db_get_uuid(rows, row, 4, id.bytes);
    error = replay_take(preview->replay, &id, &snapshot.plain, covers, preview);
    codec_snapshot_done(&snapshot);
    feedback_need(error == -ENOBUFS ? 0 : error);
    return error == 0;
}

static void on_page(void *arg, int status, const struct db_rows *rows,
                    const struct db_error *error);

static void ask_page(struct preview *preview)
{
    int error = store_list_past(service_reader(preview->feedback->service), &preview->page, on_page,
                                preview);

    if (error != 0) {
        on_page(preview, error, NULL, NULL);
    }
}

static void on_page(void *arg, int status, const struct db_rows *rows,
                    const struct db_error *error unused_arg)
{
    struct preview *preview = arg;
    size_t count;

    if (preview->feedback == NULL) {
        preview_end(preview);
        return;
    }
    if (status != 0) {
        preview_refuse(preview, 503, "database-unavailable", "The database can't answer now.");
        return;
    }
    count = db_count(rows);
    for (size_t i = 0; i < count && !preview->is_cut; i++) {
        preview->is_cut = preview->read == MOMENTS_MAX || !take_row(preview, rows, i);
        if (!preview->is_cut) {
            preview->read++;
            preview->page.before_at = db_get_time(rows, i, 3);
            preview->oldest_kept_at = db_get_time(rows, i, 5);
            db_get_uuid(rows, i, 4, preview->page.before_id.bytes);
        }
    }
    if (count < preview->page.limit || preview->is_cut) {
        finish(preview);
    } else {
        ask_page(preview);
    }
}

/* --- PreviewAlertRule --- */

static bool cut_days(struct preview *preview, const char *time_zone, uint32_t days)
{
    struct zone *zone;
    int64_t today;

    if (zone_open(time_zone, &zone) != 0) {
        return false;
    }
    today = zone_day_start(zone, clock_wall_us());
    preview->day_count = days;
    for (uint32_t i = 0; i <= days; i++) {
        preview->days[i] = zone_add_days(zone, today, (int64_t)i - (int64_t)days + 1);
        if (i < days) {
            (void)date_print(zone_civil(zone, preview->days[i]).date, preview->dates[i]);
        }
    }
    zone_close(&zone);
    return true;
}

static bool read_request(struct preview *preview, struct problem *problem)
{
    const Moment__V1__PreviewAlertRuleRequest *request =
        (const Moment__V1__PreviewAlertRuleRequest *)call_request(preview->call);
    uint32_t days = request->days != 0 ? request->days : DAYS_DEFAULT;
    /* A rule that is only asked about needs no name yet. */
    bool is_named = request->rule != NULL && request->rule->rule_id[0] != '\0';

    if (days > DAYS_MAX) {
        problem_set(problem, 422, "invalid-field", "days", "At most 31.");
        return false;
    }
    if (!rules_read(request->rule, is_named ? request->rule->rule_id : "preview", problem,
                    &preview->rule)) {
        return false;
    }
    if (!rules_may_write(preview->call, preview->rule.message, problem)) {
        return false;
    }
    preview->rule.plain.changed_at = 0; /* it counts for the past, too */
    if (!cut_days(preview, request->time_zone, days)) {
        problem_set(problem, 422, "invalid-field", "time_zone",
                    "An IANA time zone is needed, such as Europe/Berlin: its midnight cuts the "
                    "days.");
        return false;
    }
    return true;
}

void feedback_preview_alert_rule(void *state, struct call *call)
{
    struct feedback *feedback = state;
    struct preview *preview;
    struct problem problem;

    if (count_previews(feedback) >= PREVIEWS_MAX) {
        call_refuse(call, 503, "busy", "", "Two previews are being made: try again in a moment.");
        return;
    }
    preview = calloc(1, sizeof(*preview));
    feedback_need(preview != NULL ? 0 : -ENOMEM);
    preview->feedback = feedback;
    preview->call = call;
    preview->next = feedback->previews;
    feedback->previews = preview;
    if (!read_request(preview, &problem)) {
        call_fail(call, &problem);
        preview_end(preview);
        return;
    }
    feedback_need(
        replay_new(&preview->rule.plain, preview->days, preview->day_count, &preview->replay));
    preview->page.since_at = preview->days[0] - replay_lead_us(&preview->rule.plain);
    preview->page.limit = PAGE_ROWS;
    ask_page(preview);
}
