/* moment-feedback - standards, evaluations and alerts. */
#include "feedback/feedback.h"

#include "feedback/calibrations.h"
#include "feedback/coaching.h"
#include "feedback/notes.h"
#include "feedback/rhythms.h"
#include "feedback/sampling.h"

static const struct conf_row settings[] = {
    {"alert_history_ms", CONF_INTEGER, "86400000", 0, INT64_C(31536000000), "ms",
     "A threshold that was crossed longer ago than this raises no alert: it is history.", true},
    {"alert_grace_ms", CONF_INTEGER, "250", 0, 900, "ms",
     "How long after a threshold was crossed the alert waits for an event that is on its way.",
     true},
    {"clock_trust_ms", CONF_INTEGER, "300000", 0, 86400000, "ms",
     "Events that arrive later than this all the time come from a clock that is behind, not from a "
     "slow line.",
     true},
    {"escalation_levels", CONF_INTEGER, "3", 0, 10, "",
     "How many levels an alert climbs that nobody acknowledges.", true},
    {"praise_text_min", CONF_INTEGER, "20", 1, 500, "",
     "How many characters of their own words who praises must write.", true},
    {"sampling_every_s", CONF_INTEGER, "60", 1, 86400, "s",
     "How often the sampling plans are looked at: what is due is drawn then.", true},
    {"dispute_working_days", CONF_INTEGER, "10", 0, 250, "",
     "For how many working days of the site an evaluation can be disputed after it was released.",
     true},
};

static struct metric *const metrics[] = {
    &feedback_standards_published_total,
    &feedback_evaluations_total,
    &feedback_alerts_total,
    &feedback_open_moments,
    &feedback_alert_delay_seconds,
    &feedback_notes_total,
    &feedback_calibrations_total,
    &feedback_samples_total,
};

#define EVERYBODY                                                                                  \
    (ROLE_LEADER | ROLE_COACH | ROLE_AGENT | ROLE_INTEGRATOR | ROLE_OPERATOR | ROLE_SERVICE)
/* Agents see their own, integrators read within their sites; operators see no customer content. */
#define PEOPLE (ROLE_LEADER | ROLE_COACH | ROLE_AGENT | ROLE_INTEGRATOR | ROLE_SERVICE)

#define LEADERS (ROLE_LEADER | ROLE_COACH)
#define LEADERS_AND_AGENTS (ROLE_LEADER | ROLE_COACH | ROLE_AGENT)

#define MESSAGES(name)                                                                             \
    &moment__v1__##name##_request__descriptor, &moment__v1__##name##_response__descriptor

static const struct call_route calls[] = {
    {"feedback.PublishStandard", ROLE_LEADER | ROLE_OPERATOR, SCOPE_THING,
     MESSAGES(publish_standard), feedback_publish_standard},
    {"feedback.ListStandards", EVERYBODY, SCOPE_EVERYBODY, MESSAGES(list_standards),
     feedback_list_standards},
    {"feedback.SaveStandardDraft", LEADERS, SCOPE_THING, MESSAGES(save_standard_draft),
     feedback_save_standard_draft},
    {"feedback.DiscardStandardDraft", LEADERS, SCOPE_THING, MESSAGES(discard_standard_draft),
     feedback_discard_standard_draft},
    {"feedback.RollOutStandard", ROLE_LEADER, SCOPE_THING, MESSAGES(roll_out_standard),
     feedback_roll_out_standard},
    {"feedback.RollBackStandard", ROLE_LEADER, SCOPE_THING, MESSAGES(roll_back_standard),
     feedback_roll_back_standard},
    {"feedback.RetireStandard", ROLE_LEADER, SCOPE_THING, MESSAGES(retire_standard),
     feedback_retire_standard},
    {"feedback.ListEvaluations", PEOPLE, SCOPE_LIST, MESSAGES(list_evaluations),
     feedback_list_evaluations},
    {"feedback.GetEvaluation", PEOPLE, SCOPE_THING, MESSAGES(get_evaluation),
     feedback_get_evaluation},
    {"feedback.SaveEvaluation", LEADERS, SCOPE_THING, MESSAGES(save_evaluation),
     feedback_save_evaluation},
    {"feedback.ReleaseEvaluation", LEADERS, SCOPE_THING, MESSAGES(release_evaluation),
     feedback_release_evaluation},
    {"feedback.DiscardEvaluation", LEADERS, SCOPE_THING, MESSAGES(discard_evaluation),
     feedback_discard_evaluation},
    {"feedback.AcknowledgeEvaluation", ROLE_AGENT, SCOPE_SELF, MESSAGES(acknowledge_evaluation),
     feedback_acknowledge_evaluation},
    {"feedback.DisputeEvaluation", ROLE_AGENT, SCOPE_SELF, MESSAGES(dispute_evaluation),
     feedback_dispute_evaluation},
    {"feedback.DecideDispute", LEADERS, SCOPE_THING, MESSAGES(decide_dispute),
     feedback_decide_dispute},
    {"feedback.ListAlerts", PEOPLE, SCOPE_LIST, MESSAGES(list_alerts), feedback_list_alerts},
    {"feedback.ListAlertRules", EVERYBODY, SCOPE_EVERYBODY, MESSAGES(list_alert_rules),
     feedback_list_alert_rules},
    {"feedback.ListAlertSteps", PEOPLE, SCOPE_THING, MESSAGES(list_alert_steps),
     feedback_list_alert_steps},
    {"feedback.SaveAlertRule", ROLE_LEADER | ROLE_COACH, SCOPE_THING, MESSAGES(save_alert_rule),
     feedback_save_alert_rule},
    {"feedback.RemoveAlertRule", ROLE_LEADER | ROLE_COACH, SCOPE_THING, MESSAGES(remove_alert_rule),
     feedback_remove_alert_rule},
    {"feedback.PreviewAlertRule", ROLE_LEADER | ROLE_COACH, SCOPE_THING,
     MESSAGES(preview_alert_rule), feedback_preview_alert_rule},
    {"feedback.AcknowledgeAlert", ROLE_LEADER | ROLE_COACH, SCOPE_THING,
     MESSAGES(acknowledge_alert), feedback_acknowledge_alert},
    {"feedback.CloseAlert", ROLE_LEADER | ROLE_COACH, SCOPE_THING, MESSAGES(close_alert),
     feedback_close_alert},
    {"feedback.GiveNote", LEADERS, SCOPE_THING, MESSAGES(give_note), notes_give},
    {"feedback.AcknowledgeNote", ROLE_AGENT, SCOPE_SELF, MESSAGES(acknowledge_note),
     notes_acknowledge},
    {"feedback.ListNotes", LEADERS_AND_AGENTS, SCOPE_LIST, MESSAGES(list_notes), notes_list},
    {"feedback.CreateCalibration", LEADERS, SCOPE_THING, MESSAGES(create_calibration),
     calibrations_create},
    {"feedback.SubmitCalibration", LEADERS, SCOPE_SELF, MESSAGES(submit_calibration),
     calibrations_submit},
    {"feedback.CancelCalibration", LEADERS, SCOPE_SELF, MESSAGES(cancel_calibration),
     calibrations_cancel},
    {"feedback.ListCalibrations", LEADERS, SCOPE_LIST, MESSAGES(list_calibrations),
     calibrations_list},
    {"feedback.GetCalibration", LEADERS, SCOPE_LIST, MESSAGES(get_calibration), calibrations_get},
    {"feedback.SaveSamplingPlan", LEADERS, SCOPE_THING, MESSAGES(save_sampling_plan),
     sampling_save_plan},
    {"feedback.RemoveSamplingPlan", LEADERS, SCOPE_THING, MESSAGES(remove_sampling_plan),
     sampling_remove_plan},
    {"feedback.ListSamplingPlans", LEADERS, SCOPE_LIST, MESSAGES(list_sampling_plans),
     sampling_list_plans},
    {"feedback.ListSamples", LEADERS, SCOPE_LIST, MESSAGES(list_samples), sampling_list_samples},
    {"feedback.GetNote", LEADERS_AND_AGENTS, SCOPE_LIST, MESSAGES(get_note), notes_get},
    {"feedback.PlanCoaching", LEADERS, SCOPE_THING, MESSAGES(plan_coaching), coaching_plan},
    {"feedback.EditCoaching", LEADERS, SCOPE_THING, MESSAGES(edit_coaching), coaching_edit},
    {"feedback.MoveCoaching", LEADERS, SCOPE_THING, MESSAGES(move_coaching), coaching_move},
    {"feedback.AcknowledgeCoaching", ROLE_AGENT, SCOPE_SELF, MESSAGES(acknowledge_coaching),
     coaching_acknowledge},
    {"feedback.ListCoaching", LEADERS_AND_AGENTS, SCOPE_LIST, MESSAGES(list_coaching),
     coaching_list},
    {"feedback.GetCoaching", LEADERS_AND_AGENTS, SCOPE_LIST, MESSAGES(get_coaching), coaching_get},
    {"feedback.DeclareRhythm", LEADERS, SCOPE_SELF, MESSAGES(declare_rhythm), rhythms_declare},
    {"feedback.EndRhythm", LEADERS, SCOPE_SELF, MESSAGES(end_rhythm), rhythms_end},
    {"feedback.ListRhythms", LEADERS_AND_AGENTS, SCOPE_EVERYBODY, MESSAGES(list_rhythms),
     rhythms_list},
};

static const char *const consumes[] = {"ingest", NULL};

static const struct service_spec spec = {
    .name = "feedback",
    .settings = settings,
    .setting_count = countof(settings),
    .metrics = metrics,
    .metric_count = countof(metrics),
    .calls = calls,
    .call_count = countof(calls),
    .consumes = consumes,
    .start = feedback_start,
    .load = feedback_load,
    .apply = feedback_apply,
    .forget = feedback_forget,
    .reload = feedback_reload,
    .drain = feedback_drain,
    .stop = feedback_stop,
    .not_ready = feedback_not_ready,
};

int main(int argc, char **argv)
{
    return service_main(&spec, argc, argv);
}
