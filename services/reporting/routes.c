#include "reporting/routes.h"

#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "moment/v1/reporting.pb-c.h"
#include "reporting/access.h"
#include "reporting/edge_atom.h"
#include "reporting/edge_calls.h"
#include "reporting/edge_directory.h"
#include "reporting/edge_floor.h"
#include "reporting/edge_interval.h"
#include "reporting/edge_live.h"
#include "reporting/edge_moments.h"
#include "reporting/edge_page.h"
#include "reporting/edge_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Bodies: ids and a sentence; texts; whole forms with a comment on each line. */
enum { BODY_SMALL = 8 * 1024, BODY_TEXT = 64 * 1024, BODY_FORM = 1024 * 1024 };

enum { PREVIEW_DEADLINE_MS = 20000 };

#define LEADERS ROLE_LEADER
#define AGENTS ROLE_AGENT
#define OPERATORS ROLE_OPERATOR
#define COACHING (ROLE_LEADER | ROLE_COACH)
#define PEOPLE (ROLE_LEADER | ROLE_COACH | ROLE_AGENT)
#define MACHINES (ROLE_LEADER | ROLE_INTEGRATOR)

/* A route that is a call of its owner. To add one: write the rpc and its messages in the owner's
 * proto file, its row in the owner's call table, a row here, and run `make docs`. */
#define CALL(verb, path, body, service, rpc, message, may, command, deadline)                      \
    {                                                                                              \
        verb, "/api/v1/" path, body, calls_handle, &(const struct edge_call)                       \
        {                                                                                          \
            service, service "." rpc, &moment__v1__##message##_request__descriptor,                \
                &moment__v1__##message##_response__descriptor, may, command, deadline              \
        }                                                                                          \
    }
#define ASK(path, service, rpc, message, may)                                                      \
    CALL("GET", path, 0, service, rpc, message, may, false, 0)
#define POST(path, body, service, rpc, message, may)                                               \
    CALL("POST", path, body, service, rpc, message, may, true, 0)
#define PUT(path, body, service, rpc, message, may)                                                \
    CALL("PUT", path, body, service, rpc, message, may, true, 0)
#define DELETE(path, service, rpc, message, may)                                                   \
    CALL("DELETE", path, BODY_SMALL, service, rpc, message, may, true, 0)

const struct http_route reporting_routes[] = {
    {"POST", "/api/v1/session", 4096, session_create, NULL},
    {"GET", "/api/v1/session", 0, session_show, NULL},
    {"DELETE", "/api/v1/session", 0, session_end, NULL},
    {"GET", "/api/v1/moments", 0, moments_list, NULL},
    {"GET", "/api/v1/moments/{moment_id}", 0, moments_show, NULL},
    {"GET", "/api/v1/directory", 0, directory_show, NULL},
    {"GET", "/api/v1/definitions", 0, definitions_show, NULL},
    {"GET", "/api/v1/reports/interval", 0, interval_show, NULL},
    {"GET", "/api/v1/floor", 0, floor_show, NULL},
    {"GET", "/api/v1/live", 0, live_open, NULL},
    {"GET", "/api/v1/wall.atom", 0, atom_show, NULL},

    ASK("standards", "feedback", "ListStandards", list_standards, ROLES_ANY),
    PUT("standards/{standard_id}/draft", BODY_FORM, "feedback", "SaveStandardDraft",
        save_standard_draft, COACHING),
    DELETE("standards/{standard_id}/draft", "feedback", "DiscardStandardDraft",
           discard_standard_draft, COACHING),
    POST("standards/{standard_id}/publish", BODY_TEXT, "feedback", "PublishStandard",
         publish_standard, LEADERS),
    POST("standards/{standard_id}/roll-out", BODY_SMALL, "feedback", "RollOutStandard",
         roll_out_standard, LEADERS),
    POST("standards/{standard_id}/roll-back", BODY_SMALL, "feedback", "RollBackStandard",
         roll_back_standard, LEADERS),
    POST("standards/{standard_id}/retire", BODY_SMALL, "feedback", "RetireStandard",
         retire_standard, LEADERS),

    ASK("evaluations", "feedback", "ListEvaluations", list_evaluations, ROLES_CONTENT),
    ASK("evaluations/{evaluation_id}", "feedback", "GetEvaluation", get_evaluation, ROLES_CONTENT),
    PUT("moments/{moment_id}/evaluation", BODY_FORM, "feedback", "SaveEvaluation", save_evaluation,
        COACHING),
    POST("evaluations/{evaluation_id}/release", BODY_SMALL, "feedback", "ReleaseEvaluation",
         release_evaluation, COACHING),
    DELETE("evaluations/{evaluation_id}", "feedback", "DiscardEvaluation", discard_evaluation,
           COACHING),
    POST("evaluations/{evaluation_id}/acknowledge", BODY_TEXT, "feedback", "AcknowledgeEvaluation",
         acknowledge_evaluation, AGENTS),
    POST("evaluations/{evaluation_id}/disputes", BODY_TEXT, "feedback", "DisputeEvaluation",
         dispute_evaluation, AGENTS),
    POST("evaluations/{evaluation_id}/disputes/{dispute_id}/decide", BODY_TEXT, "feedback",
         "DecideDispute", decide_dispute, COACHING),

    ASK("calibrations", "feedback", "ListCalibrations", list_calibrations, COACHING),
    POST("calibrations", BODY_FORM, "feedback", "CreateCalibration", create_calibration, COACHING),
    ASK("calibrations/{calibration_id}", "feedback", "GetCalibration", get_calibration, COACHING),
    POST("calibrations/{calibration_id}/submit", BODY_FORM, "feedback", "SubmitCalibration",
         submit_calibration, COACHING),
    POST("calibrations/{calibration_id}/cancel", BODY_SMALL, "feedback", "CancelCalibration",
         cancel_calibration, COACHING),
    ASK("sampling-plans", "feedback", "ListSamplingPlans", list_sampling_plans, COACHING),
    PUT("sampling-plans/{plan_id}", BODY_TEXT, "feedback", "SaveSamplingPlan", save_sampling_plan,
        COACHING),
    DELETE("sampling-plans/{plan_id}", "feedback", "RemoveSamplingPlan", remove_sampling_plan,
           COACHING),
    ASK("samples", "feedback", "ListSamples", list_samples, COACHING),

    ASK("alerts", "feedback", "ListAlerts", list_alerts, ROLES_CONTENT),
    ASK("alerts/{alert_id}/steps", "feedback", "ListAlertSteps", list_alert_steps, ROLES_CONTENT),
    POST("alerts/{alert_id}/acknowledge", BODY_SMALL, "feedback", "AcknowledgeAlert",
         acknowledge_alert, COACHING),
    POST("alerts/{alert_id}/close", BODY_SMALL, "feedback", "CloseAlert", close_alert, COACHING),
    ASK("alert-rules", "feedback", "ListAlertRules", list_alert_rules, ROLES_ANY),
    PUT("alert-rules/{rule_id}", BODY_TEXT, "feedback", "SaveAlertRule", save_alert_rule, COACHING),
    DELETE("alert-rules/{rule_id}", "feedback", "RemoveAlertRule", remove_alert_rule, COACHING),
    CALL("POST", "alert-rules/preview", BODY_TEXT, "feedback", "PreviewAlertRule",
         preview_alert_rule, COACHING, false, PREVIEW_DEADLINE_MS),

    ASK("notes", "feedback", "ListNotes", list_notes, PEOPLE),
    POST("notes", BODY_TEXT, "feedback", "GiveNote", give_note, COACHING),
    ASK("notes/{note_id}", "feedback", "GetNote", get_note, PEOPLE),
    POST("notes/{note_id}/acknowledge", BODY_TEXT, "feedback", "AcknowledgeNote", acknowledge_note,
         AGENTS),
    ASK("coaching", "feedback", "ListCoaching", list_coaching, PEOPLE),
    POST("coaching", BODY_TEXT, "feedback", "PlanCoaching", plan_coaching, COACHING),
    ASK("coaching/{session_id}", "feedback", "GetCoaching", get_coaching, PEOPLE),
    PUT("coaching/{session_id}", BODY_TEXT, "feedback", "EditCoaching", edit_coaching, COACHING),
    POST("coaching/{session_id}/move", BODY_TEXT, "feedback", "MoveCoaching", move_coaching,
         COACHING),
    POST("coaching/{session_id}/acknowledge", BODY_TEXT, "feedback", "AcknowledgeCoaching",
         acknowledge_coaching, AGENTS),
    ASK("rhythms", "feedback", "ListRhythms", list_rhythms, PEOPLE),
    POST("rhythms", BODY_SMALL, "feedback", "DeclareRhythm", declare_rhythm, COACHING),
    POST("rhythms/{rhythm_id}/end", BODY_SMALL, "feedback", "EndRhythm", end_rhythm, COACHING),

    ASK("candidates", "recognition", "ListCandidates", list_candidates, ROLES_CONTENT),
    POST("candidates/{candidate_id}/dismiss", BODY_SMALL, "recognition", "DismissCandidate",
         dismiss_candidate, COACHING),
    ASK("posts", "recognition", "ListPosts", list_posts, ROLES_CONTENT),
    POST("posts", BODY_TEXT, "recognition", "WritePost", write_post, COACHING),
    ASK("posts/{post_id}", "recognition", "GetPost", get_post, ROLES_CONTENT),
    POST("posts/{post_id}/story", BODY_TEXT, "recognition", "TellStory", tell_story, AGENTS),
    POST("posts/{post_id}/reactions", BODY_SMALL, "recognition", "React", react, PEOPLE),
    POST("posts/{post_id}/comments", BODY_TEXT, "recognition", "Comment", comment, PEOPLE),
    DELETE("posts/{post_id}/comments/{comment_id}", "recognition", "WithdrawComment",
           withdraw_comment, PEOPLE),
    POST("posts/{post_id}/withdraw", BODY_SMALL, "recognition", "WithdrawPost", withdraw_post,
         PEOPLE),
    POST("posts/{post_id}/pin", BODY_SMALL, "recognition", "PinPost", pin_post, LEADERS),
    ASK("story-requests", "recognition", "ListStoryRequests", list_story_requests, AGENTS),
    ASK("webhooks", "recognition", "ListWebhooks", list_webhooks, MACHINES),
    POST("webhooks", BODY_SMALL, "recognition", "AddWebhook", add_webhook, MACHINES),
    DELETE("webhooks/{webhook_id}", "recognition", "RemoveWebhook", remove_webhook, MACHINES),
    POST("webhooks/{webhook_id}/enable", BODY_SMALL, "recognition", "EnableWebhook", enable_webhook,
         MACHINES),
    ASK("webhooks/{webhook_id}/dead-letters", "recognition", "ListDeadLetters", list_dead_letters,
        MACHINES),
    POST("webhooks/{webhook_id}/replay", BODY_SMALL, "recognition", "ReplayWebhook", replay_webhook,
         MACHINES),

    ASK("users", "reporting", "ListUsers", list_users, OPERATORS),
    POST("users", BODY_TEXT, "reporting", "AddUser", add_user, OPERATORS),
    PUT("users/{login}", BODY_TEXT, "reporting", "EditUser", edit_user, OPERATORS),
    DELETE("users/{login}", "reporting", "RemoveUser", remove_user, OPERATORS),
    POST("users/{login}/password", BODY_SMALL, "reporting", "SetPassword", set_password, OPERATORS),
    ASK("flame", "reporting", "GetFlame", get_flame, PEOPLE),
    ASK("acts", "reporting", "ListActs", list_acts, PEOPLE),
    ASK("accountability", "reporting", "GetAccountability", get_accountability, COACHING),
    ASK("colleagues", "reporting", "ListColleagues", list_colleagues, COACHING),

    {"GET", "/api/openapi.json", 0, page_show_api, NULL},
    {"GET", "/{path...}", 0, page_show, NULL},
};
const size_t reporting_route_count = countof(reporting_routes);

/* --- telling ------------------------------------------------------------------------------- */

static json_t *roles_json(uint32_t roles)
{
    json_t *list = json_array();

    for (uint32_t bit = 1; bit <= ROLE_OPERATOR; bit <<= 1) {
        if ((roles & bit) != 0)
            json_array_append_new(list, json_string(role_name((enum role)bit)));
    }
    return list;
}

static json_t *route_json(const struct http_route *route)
{
    const struct edge_call *row = route->about;

    if (row == NULL)
        return json_pack("{s:s,s:s}", "method", route->method, "path", route->path);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:I,s:o}", "method", route->method, "path",
                     route->path, "call", row->method, "request", row->request->short_name,
                     "response", row->response->short_name, "is_command", (int)row->is_command,
                     "body_max", (json_int_t)route->body_max, "roles", roles_json(row->roles));
}

int routes_print(void)
{
    for (size_t i = 0; i < reporting_route_count; i++) {
        json_t *json = route_json(&reporting_routes[i]);
        char *text = json != NULL ? json_text(json) : NULL;

        json_decref(json);
        if (text == NULL)
            return -ENOMEM;
        (void)puts(text);
        free(text);
    }
    return 0;
}
