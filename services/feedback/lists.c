/* lists - the calls that only read: standards, rules, evaluations, alerts.
 *
 * Each asks on the reading connection, so that it sees what is committed and nothing else. */
#include "feedback/feedback.h"

#include <errno.h>
#include <stdlib.h>

/* Fails the call unless the rows are there. */
static bool has_rows(struct call *call, int status)
{
    if (status != 0) {
        call_refuse(call, 503, "database-unavailable", "", "The database can't answer now.");
    }
    return status == 0;
}

void feedback_list_standards(void *state, struct call *call)
{
    struct feedback *feedback = state;

    store_list_standards(service_reader(feedback->service), call);
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

void feedback_list_evaluations(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListEvaluationsRequest *request =
        (const Moment__V1__ListEvaluationsRequest *)call_request(call);
    struct evaluation_filter filter = {.history = request->history != 0};

    if (id_parse(request->moment_id, &filter.moment_id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
    } else if (listing_read(call, request->limit, request->cursor, &filter.page)) {
        store_list_evaluations(service_reader(feedback->service), call, &filter);
    }
}

void feedback_list_alerts(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListAlertsRequest *request =
        (const Moment__V1__ListAlertsRequest *)call_request(call);
    struct alert_filter filter = {
        .moment_id = request->moment_id,
        .queue = request->queue,
        .site = request->site,
        .state = (int)request->state,
        .open_only = request->open_only != 0,
    };
    struct id id;

    if (request->moment_id[0] != '\0' && id_parse(request->moment_id, &id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
    } else if (listing_read(call, request->limit, request->cursor, &filter.page)) {
        store_list_alerts(service_reader(feedback->service), call, &filter);
    }
}
