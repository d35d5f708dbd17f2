/* alerts - what becomes of an alert: every step of it kept, its owner, its end. */
#include "feedback/feedback.h"

#include "base/log.h"
#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLOSING_NOTE_MAX 2000 /* characters */

void alerts_add_step(struct txn *txn, const Moment__V1__Alert *alert, const struct step_by *by)
{
    Moment__V1__AlertStep step;

    moment__v1__alert_step__init(&step);
    step.at = txn_now_us(txn);
    step.state = alert->state;
    step.escalation_level = alert->escalation_level;
    step.actor = (char *)(uintptr_t)by->user_id;
    step.actor_name = (char *)(uintptr_t)by->name;
    step.actual = by->value;
    step.comment = (char *)(uintptr_t)by->comment;
    feedback_need(store_add_step(txn, alert->alert_id, &step));
}

void alerts_save(struct feedback *feedback, struct txn *txn, const struct stored_alert *alert,
                 const char *change, const struct step_by *by)
{
    const Moment__V1__Alert *message = alert->message;
    Moment__V1__AlertChanged changed;

    feedback_need(store_save_alert(txn, alert));
    moment__v1__alert_changed__init(&changed);
    changed.alert = alert->message;
    feedback_emit(feedback, txn, message->site, message->alert_id, "AlertChanged", &changed.base);
    if (by != NULL) {
        alerts_add_step(txn, message, by);
    }
    if (change != NULL) {
        metric_add(&feedback_alerts_total, change, 1);
    }
}

/* --- AcknowledgeAlert, CloseAlert --- */

/* Who waits has no team yet, and a queue never has. */
static bool may_touch(struct call *call, const char *site, const char *team, const char *person_id)
{
    const struct place place = {
        .site = site, .team = team, .person_id = person_id, .is_of_every_team = true};

    return call_allows(call, &place);
}

static int find_for(struct command *command, const char *alert_id, struct spot *ret_spot,
                    struct problem *problem)
{
    if (!watch_find_open(command->state, alert_id, ret_spot) ||
        !may_touch(command->call, ret_spot->message->site, ret_spot->message->team_id,
                   ret_spot->message->person_id)) {
        problem_set(problem, 404, "no-open-alert", "alert_id", "There is no such open alert.");
        return -ENOENT;
    }
    return 0;
}

static void load_change(struct command *command, struct txn *txn)
{
    feedback_load_all(command->state, txn);
}

/* A person did something about it: it climbs no more. */
static void save_change(struct command *command, struct txn *txn, const struct spot *spot,
                        const char *change, const char *comment)
{
    const struct caller *caller = call_caller(command->call);
    const struct step_by by = {
        .user_id = caller->id, .name = caller->name, .value = spot->value, .comment = comment};
    const struct stored_alert alert = {
        .message = spot->message, .subject = spot->subject, .crossing = spot->crossing};

    *spot->escalate_at = 0;
    alerts_save(command->state, txn, &alert, change, &by);
}

static int apply_acknowledge(struct command *command, struct txn *txn,
                             ProtobufCMessage **ret_response, struct problem *problem)
{
    const Moment__V1__AcknowledgeAlertRequest *request =
        (const Moment__V1__AcknowledgeAlertRequest *)call_request(command->call);
    const struct caller *caller = call_caller(command->call);
    Moment__V1__AcknowledgeAlertResponse response;
    struct spot spot;
    int error = find_for(command, request->alert_id, &spot, problem);

    if (error != 0) {
        return error;
    }
    if (spot.message->state != MOMENT__V1__ALERT_STATE__ALERT_STATE_ACKNOWLEDGED ||
        strcmp(spot.message->owner, caller->id) != 0) {
        spot.message->state = MOMENT__V1__ALERT_STATE__ALERT_STATE_ACKNOWLEDGED;
        spot.message->acknowledged_at = txn_now_us(txn);
        feedback_need(codec_set(&spot.message->acknowledged_by, caller->id));
        feedback_need(codec_set(&spot.message->owner, caller->id));
        feedback_need(codec_set(&spot.message->owner_name, caller->name));
        save_change(command, txn, &spot, "acknowledged", "");
    }
    moment__v1__acknowledge_alert_response__init(&response);
    response.alert = spot.message;
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

static int apply_close(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                       struct problem *problem)
{
    const Moment__V1__CloseAlertRequest *request =
        (const Moment__V1__CloseAlertRequest *)call_request(command->call);
    const struct caller *caller = call_caller(command->call);
    Moment__V1__CloseAlertResponse response;
    struct spot spot;
    int error = find_for(command, request->alert_id, &spot, problem);

    if (error != 0) {
        return error;
    }
    if (text_characters(request->closing_note) > CLOSING_NOTE_MAX) {
        problem_set(problem, 422, "invalid-field", "closing_note", "At most 2000 characters.");
        return -EINVAL;
    }
    spot.message->state = MOMENT__V1__ALERT_STATE__ALERT_STATE_CLOSED;
    spot.message->closed_at = txn_now_us(txn);
    feedback_need(codec_set(&spot.message->closed_by, caller->id));
    feedback_need(codec_set(&spot.message->closed_by_name, caller->name));
    feedback_need(codec_set(&spot.message->closing_note, request->closing_note));
    save_change(command, txn, &spot, "closed", request->closing_note);
    moment__v1__close_alert_response__init(&response);
    response.alert = spot.message;
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

static void start_change(struct feedback *feedback, struct call *call, command_apply_fn *apply)
{
    command_start(service_bus(feedback->service),
                  command_new(sizeof(struct command), call, feedback, load_change, apply));
}

void feedback_acknowledge_alert(void *state, struct call *call)
{
    start_change(state, call, apply_acknowledge);
}

void feedback_close_alert(void *state, struct call *call)
{
    start_change(state, call, apply_close);
}

/* --- ListAlerts, ListAlertSteps --- */

void feedback_list_alerts(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListAlertsRequest *request =
        (const Moment__V1__ListAlertsRequest *)call_request(call);
    struct alert_filter filter = {
        .moment_id = request->moment_id,
        .queue = request->queue,
        .site = request->site,
        .rule_id = request->rule_id,
        .owner = request->mine ? call_caller(call)->id : "",
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

static void no_such_alert(struct call *call)
{
    struct problem problem;

    (void)call_not_found(&problem, "alert_id", "alert");
    call_fail(call, &problem);
}

static void reply_steps(struct call *call, const struct db_rows *rows)
{
    Moment__V1__ListAlertStepsResponse response;
    Moment__V1__AlertStep **steps = calloc(db_count(rows), sizeof(Moment__V1__AlertStep *));

    feedback_need(steps != NULL ? 0 : -ENOMEM);
    moment__v1__list_alert_steps_response__init(&response);
    response.steps = steps;
    for (size_t i = 0; i < db_count(rows); i++) {
        ProtobufCMessage *step;

        if (db_is_null(rows, i, 3)) {
            continue; /* the alert is from before steps were kept */
        }
        if (protobuf_read(&moment__v1__alert_step__descriptor, db_get_bytes(rows, i, 3), &step) !=
            0) {
            log_error("alert_step_unreadable", "row=%zu", i);
            continue;
        }
        steps[response.n_steps++] = (Moment__V1__AlertStep *)step;
    }
    call_reply(call, &response.base);
    for (size_t i = 0; i < response.n_steps; i++) {
        codec_free(&steps[i]->base);
    }
    free(steps);
}

static void answer_steps(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error unused_arg)
{
    struct call *call = arg;

    if (status != 0) {
        call_refuse(call, 503, "database-unavailable", "", "The database can't answer now.");
    } else if (db_count(rows) == 0 ||
               !may_touch(call, db_get_text(rows, 0, 0), db_get_text(rows, 0, 1),
                          db_get_text(rows, 0, 2))) {
        no_such_alert(call);
    } else {
        reply_steps(call, rows);
    }
}

void feedback_list_alert_steps(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListAlertStepsRequest *request =
        (const Moment__V1__ListAlertStepsRequest *)call_request(call);
    struct id id;
    int error;

    if (id_parse(request->alert_id, &id) != 0) {
        no_such_alert(call);
        return;
    }
    error = store_list_steps(service_reader(feedback->service), &id, answer_steps, call);
    if (error != 0) {
        answer_steps(call, error, NULL, NULL);
    }
}
