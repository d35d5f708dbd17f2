/* lists - the calls that only read: standards, rules, evaluations, alerts.
 *
 * Each asks on the reading connection, so that it sees what is committed and nothing else. */
#include "feedback/feedback.h"

#include "base/keyset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fails the call unless the rows are there. */
static bool has_rows(struct call *call, int status)
{
    if (status != 0) {
        call_refuse(call, 503, "database-unavailable", "", "The database can't answer now.");
    }
    return status == 0;
}

static void answer_standards(void *arg, int status, const struct db_rows *rows,
                             const struct db_error *error unused_arg)
{
    struct call *call = arg;
    Moment__V1__ListStandardsResponse response;
    Moment__V1__Standard **standards;
    size_t count = 0;

    if (!has_rows(call, status)) {
        return;
    }
    standards = calloc(db_count(rows) + 1, sizeof(Moment__V1__Standard *));
    feedback_need(standards != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < db_count(rows); i++) {
        count += store_read_standard(rows, i, &standards[count]) == 0;
    }
    moment__v1__list_standards_response__init(&response);
    response.n_standards = count;
    response.standards = standards;
    call_reply(call, &response.base);
    for (size_t i = 0; i < count; i++) {
        codec_free(&standards[i]->base);
    }
    free(standards);
}

void feedback_list_standards(void *state, struct call *call)
{
    struct feedback *feedback = state;
    int error = store_list_standards(service_reader(feedback->service), answer_standards, call);

    if (error != 0) {
        (void)has_rows(call, error);
    }
}

static void answer_rules(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error unused_arg)
{
    struct call *call = arg;
    Moment__V1__ListAlertRulesResponse response;
    Moment__V1__AlertRule **rules;
    size_t count = 0;

    if (!has_rows(call, status)) {
        return;
    }
    rules = calloc(db_count(rows) + 1, sizeof(Moment__V1__AlertRule *));
    feedback_need(rules != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct held_rule rule;

        if (store_read_rule(rows, i, &rule) == 0) {
            rules[count++] = rule.message;
        }
    }
    moment__v1__list_alert_rules_response__init(&response);
    response.n_rules = count;
    response.rules = rules;
    call_reply(call, &response.base);
    for (size_t i = 0; i < count; i++) {
        codec_free(&rules[i]->base);
    }
    free(rules);
}

void feedback_list_alert_rules(void *state, struct call *call)
{
    struct feedback *feedback = state;
    int error = store_list_rules(service_reader(feedback->service), answer_rules, call);

    if (error != 0) {
        (void)has_rows(call, error);
    }
}

static void answer_evaluations(void *arg, int status, const struct db_rows *rows,
                               const struct db_error *error unused_arg)
{
    struct call *call = arg;
    Moment__V1__ListEvaluationsResponse response;
    Moment__V1__Evaluation **evaluations;
    size_t count = 0;

    if (!has_rows(call, status)) {
        return;
    }
    evaluations = calloc(db_count(rows) + 1, sizeof(Moment__V1__Evaluation *));
    feedback_need(evaluations != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < db_count(rows); i++) {
        count += store_read_evaluation(rows, i, &evaluations[count]) == 0;
    }
    moment__v1__list_evaluations_response__init(&response);
    response.n_evaluations = count;
    response.evaluations = evaluations;
    call_reply(call, &response.base);
    for (size_t i = 0; i < count; i++) {
        codec_free(&evaluations[i]->base);
    }
    free(evaluations);
}

void feedback_list_evaluations(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListEvaluationsRequest *request =
        (const Moment__V1__ListEvaluationsRequest *)call_request(call);
    struct reach reach = call_reach(call);
    struct id id;
    int error;

    if (id_parse(request->moment_id, &id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
        return;
    }
    error = store_list_evaluations(service_reader(feedback->service), &id, request->history != 0,
                                   &reach, answer_evaluations, call);
    if (error != 0) {
        (void)has_rows(call, error);
    }
}

/* --- ListAlerts: pages, newest first; the cursor is the last one's time and id --- */

struct alert_page {
    struct call *call;
    uint32_t limit;
};

static void reply_alerts(struct alert_page *page, const struct db_rows *rows)
{
    Moment__V1__ListAlertsResponse response;
    Moment__V1__Alert **alerts = calloc(db_count(rows) + 1, sizeof(Moment__V1__Alert *));
    char next[KEYSET_TEXT_SIZE];
    struct id last;
    size_t count = 0;

    feedback_need(alerts != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < db_count(rows) && i < page->limit; i++) {
        struct stored_alert stored;

        if (store_read_alert(rows, i, &stored) == 0) {
            alerts[count++] = stored.message;
        }
    }
    moment__v1__list_alerts_response__init(&response);
    response.n_alerts = count;
    response.alerts = alerts;
    if (db_count(rows) > page->limit && count > 0) {
        feedback_need(id_parse(alerts[count - 1]->alert_id, &last));
        keyset_print(alerts[count - 1]->raised_at, &last, next);
        response.next = next;
    }
    call_reply(page->call, &response.base);
    for (size_t i = 0; i < count; i++) {
        codec_free(&alerts[i]->base);
    }
    free(alerts);
}

static void answer_alerts(void *arg, int status, const struct db_rows *rows,
                          const struct db_error *error unused_arg)
{
    struct alert_page *page = arg;

    if (has_rows(page->call, status)) {
        reply_alerts(page, rows);
    }
    free(page);
}

static bool read_cursor(const char *cursor, struct alert_filter *filter)
{
    return cursor[0] == '\0' ||
           keyset_parse(cursor, &filter->before_raised_at, &filter->before_alert_id) == 0;
}

static bool read_alert_filter(struct call *call, const Moment__V1__ListAlertsRequest *request,
                              struct alert_filter *filter)
{
    struct id id;

    *filter = (struct alert_filter){
        .moment_id = request->moment_id,
        .queue = request->queue,
        .site = request->site,
        .state = (int)request->state,
        .open_only = request->open_only != 0,
        .limit = request->limit != 0 ? request->limit : STORE_PAGE_DEFAULT,
    };
    if (request->moment_id[0] != '\0' && id_parse(request->moment_id, &id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
        return false;
    }
    if (filter->limit > STORE_PAGE_MAX) {
        call_refuse(call, 422, "invalid-field", "limit", "At most 500.");
        return false;
    }
    if (!read_cursor(request->cursor, filter)) {
        call_refuse(call, 422, "invalid-field", "cursor", "This is no cursor of this list.");
        return false;
    }
    return true;
}

void feedback_list_alerts(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListAlertsRequest *request =
        (const Moment__V1__ListAlertsRequest *)call_request(call);
    struct reach reach = call_reach(call);
    struct alert_filter filter;
    struct alert_page *page;
    int error;

    if (!read_alert_filter(call, request, &filter)) {
        return;
    }
    page = calloc(1, sizeof(*page));
    feedback_need(page != NULL ? 0 : -ENOMEM);
    page->call = call;
    page->limit = filter.limit;
    filter.limit++; /* one more tells whether there is a next page */
    error =
        store_list_alerts(service_reader(feedback->service), &filter, &reach, answer_alerts, page);
    if (error != 0) {
        free(page);
        (void)has_rows(call, error);
    }
}
