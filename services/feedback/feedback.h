/* feedback - what leaders and coaches do about moments: standards, evaluations, alerts.
 *
 *   feedback.c     start and stop, what is loaded, one moment's change applied
 *   directory.c    who is who, and when a site is open (see directory.h)
 *   moments.c      one moment for a command
 *   notes.c        praise and improvement, given and acknowledged (see notes.h)
 *   coaching.c     sessions, planned, held and followed up; coaching_read.c: and their effect
 *   rhythms.c      what leaders and coaches promise to do
 *   calibrations.c several people answer the same standard, and compare (see calibrations.h)
 *   sampling.c     which moments are looked at next (see sampling.h)
 *   lists.c        the calls that only read
 *   standards.c    publishing a standard, choosing one
 *   evaluations.c  evaluating an ended moment, again when later facts change the result; by people:
 *                  evaluations_*.c (see evaluations.h)
 *   watch.c        alerts: on every change and, by one timer, when time alone crosses a line
 *   alerts.c       what becomes of an alert: its steps, its owner, its end
 *   alert_rules.c  the rules of alerts, edited and removed
 *   preview.c      how often a rule would have fired
 *
 * Memory (floor) and tables change together inside a transaction's apply. After a transaction that
 * did not commit everything in memory is dropped and loaded again. Running out of memory in the
 * middle of an apply ends the process: the committed cursor is the only clean place to go on from.
 * Loop thread. */
#ifndef MOMENT_FEEDBACK_FEEDBACK_H
#define MOMENT_FEEDBACK_FEEDBACK_H

#include "feedback/directory.h"
#include "feedback/floor.h"
#include "feedback/store_alerts.h"
#include "io/service.h"

#define FEEDBACK_EVALUATOR "moment"
/* Visits that came out are kept so long for service levels: no window is longer. */
#define FEEDBACK_SERVED_KEPT_US (INT64_C(86400) * 1000000)

struct calibrations;
struct feedback;
struct preview;
struct notes;
struct sampling;
struct coaching;
struct rhythms;

/* The one piece of work that time submits. */
struct tick {
    struct work work; /* first */
    struct feedback *feedback;
    bool is_in_flight;
};

struct feedback {
    struct service *service;
    struct timer *timer; /* owned */
    struct tick tick;
    struct floor floor;
    struct directory *directory;       /* owned */
    struct rhythms *rhythms;           /* owned */
    struct coaching *coaching;         /* owned */
    struct notes *notes;               /* owned */
    struct calibrations *calibrations; /* owned */
    struct sampling *sampling;         /* owned */

    struct held_rule *rules; /* owned */
    size_t rule_count;
    struct held_standard *standards; /* owned */
    struct standard *choices;        /* owned, the plain forms of standards, parallel */
    size_t standard_count;
    struct entities *standard_drafts; /* owned */

    bool is_loaded, is_loading;
    bool wants_rules;         /* SIGHUP: read the rules again */
    bool has_new_rules;       /* some are marked as changed */
    bool is_revising;         /* what follows from that is being done */
    int64_t applied_at;       /* `at` of the last record applied */
    int64_t next_at;          /* when the timer has to look again, our clock */
    int64_t tidied_at;        /* when old rows were dropped last */
    struct preview *previews; /* under way */

    /* Settings. */
    int64_t history_us;
    int64_t trust_us;
    int64_t grace_us;
    uint32_t escalation_levels;
    uint32_t praise_text_min; /* characters */
    uint64_t sampling_every_ms;
    uint32_t dispute_working_days;
};

/* --- feedback.c --- */
_Noreturn void feedback_no_memory(int error);
/* Ends the process when out of memory; inline, so that an analyser sees that it does. */
static inline void feedback_need(int error)
{
    if (error != 0)
        feedback_no_memory(error);
}
void feedback_emit(struct feedback *feedback, struct txn *txn, const char *site, const char *key,
                   const char *type, const ProtobufCMessage *message);
/* Adds the reads of everything that is kept in memory, unless it is there. */
void feedback_load_all(struct feedback *feedback, struct txn *txn);

/* The same, and what is kept of one moment: the contact is full in apply, also when nobody has
 * heard of that moment (then its revision is 0). */
void feedback_load_contact(struct feedback *feedback, struct txn *txn, const struct id *id);

int feedback_start(struct service *service, void **ret_state);
void feedback_load(void *state, struct txn *txn, const struct record *record);
int feedback_apply(void *state, struct txn *txn, const char *producer, const struct record *record);
void feedback_forget(void *state);
void feedback_reload(void *state);
void feedback_drain(void *state);
void feedback_stop(void *state);
const char *feedback_not_ready(void *state);

/* --- the calls, one handler each --- */
void feedback_publish_standard(void *state, struct call *call);
void feedback_list_standards(void *state, struct call *call);
void feedback_save_standard_draft(void *state, struct call *call);
void feedback_discard_standard_draft(void *state, struct call *call);
void feedback_roll_out_standard(void *state, struct call *call);
void feedback_roll_back_standard(void *state, struct call *call);
void feedback_retire_standard(void *state, struct call *call);
void feedback_list_evaluations(void *state, struct call *call);
void feedback_get_evaluation(void *state, struct call *call);
void feedback_save_evaluation(void *state, struct call *call);
void feedback_release_evaluation(void *state, struct call *call);
void feedback_discard_evaluation(void *state, struct call *call);
void feedback_acknowledge_evaluation(void *state, struct call *call);
void feedback_dispute_evaluation(void *state, struct call *call);
void feedback_decide_dispute(void *state, struct call *call);
void feedback_list_alerts(void *state, struct call *call);
void feedback_list_alert_rules(void *state, struct call *call);
void feedback_acknowledge_alert(void *state, struct call *call);
void feedback_close_alert(void *state, struct call *call);
void feedback_list_alert_steps(void *state, struct call *call);
void feedback_save_alert_rule(void *state, struct call *call);
void feedback_remove_alert_rule(void *state, struct call *call);
void feedback_preview_alert_rule(void *state, struct call *call);

/* --- moments.c --- */
/* One moment for a command, in progress or over. In the command's state, zeroed: moment_load in its
 * load, moment_find in its apply, moment_done in its finish. */
struct wanted_moment {
    struct stored_moment stored; /* message null: not there; owned */
};
/* Any text: what is no UUID is not there. */
void moment_load(struct wanted_moment *wanted, struct txn *txn, const char *moment_id);
/* The newest that is known, as of the begin of the transaction or later; null: no such moment, or
 * its content is from before feedback kept it. It may have been merged into another one. Borrowed
 * until the end of the apply. */
const Moment__V1__Moment *moment_find(const struct feedback *feedback,
                                      const struct wanted_moment *wanted, const char *moment_id);
void moment_done(struct wanted_moment *wanted);

/* --- standards.c --- */
/* Consumes *message. */
must_check int standards_add(struct feedback *feedback, Moment__V1__Standard **message);
void standards_clear(struct feedback *feedback);
/* A criterion of one version, version 0: of the newest that has it; or null. */
const struct criterion *standards_criterion(const struct feedback *feedback,
                                            const char *standard_id, uint32_t version,
                                            const char *criterion_id);
/* The standard for an ended moment, or null; pinned: what it is evaluated on now, or null. */
const struct held_standard *standards_for(const struct feedback *feedback,
                                          const struct snapshot *snapshot,
                                          const Moment__V1__Evaluation *pinned);

/* --- evaluations.c --- */
void evaluations_update(struct feedback *feedback, struct txn *txn, struct contact *contact);

/* --- watch.c --- */
must_check int watch_start(struct feedback *feedback);
void watch_stop(struct feedback *feedback);
/* Ask again at once: something was dropped or learned. */
void watch_soon(struct feedback *feedback);
/* Make the alerts of a contact, of a queue, agree with the facts as of `at` (our clock). */
void watch_contact(struct feedback *feedback, struct txn *txn, struct contact *contact, int64_t at);
void watch_queue(struct feedback *feedback, struct txn *txn, struct queue *queue, int64_t at);
/* A queue's last alert of a rule, as stored. Consumes alert->message. */
void watch_restore_alarm(struct feedback *feedback, struct stored_alert *alert);
/* Rules are marked as changed: what no longer crosses is withdrawn, what crosses now is raised. At
 * the next tick if nothing was heard since the start. */
void watch_changed_rules(struct feedback *feedback, struct txn *txn);

/* An alert that is in memory, as every open one is. */
struct spot {
    Moment__V1__Alert *message;
    int64_t *escalate_at;
    const char *subject;
    uint32_t crossing;
    double value; /* what the rule looks at, as it is now */
};
/* False: there is no such open alert. */
bool watch_find_open(struct feedback *feedback, const char *alert_id, struct spot *ret_spot);

/* --- alerts.c --- */
/* Who took a step, and what was seen then. */
struct step_by {
    const char *user_id, *name; /* "": the service */
    double value;
    const char *comment;
};
/* One step in the state that the alert has now. */
void alerts_add_step(struct txn *txn, const Moment__V1__Alert *alert, const struct step_by *by);
/* Row, stream record and, unless by is null, the step. change is counted; may be null. */
void alerts_save(struct feedback *feedback, struct txn *txn, const struct stored_alert *alert,
                 const char *change, const struct step_by *by);

/* --- preview.c --- */
/* Answers those under way with 503 and forgets them. */
void previews_drop(struct feedback *feedback);

/* --- alert_rules.c --- */
/* Null: there is no such rule. Removed ones are found. */
struct held_rule *rules_find(const struct feedback *feedback, const char *rule_id);
/* Neither removed nor switched off. */
bool rules_is_on(const struct held_rule *rule);
/* alert_covers; who waits, and a queue, is covered by the teams of its site. */
bool rules_cover(const struct feedback *feedback, const struct held_rule *rule, const char *site,
                 const char *queue, const char *team);
/* Whether a rule with that scope is the caller's to write; refuses into problem. */
bool rules_may_write(struct call *call, const Moment__V1__AlertRule *rule, struct problem *problem);
/* The rule of a request, checked; rule_id is that of the path, "" for what only asks. */
bool rules_read(const Moment__V1__AlertRule *request, const char *rule_id, struct problem *problem,
                struct held_rule *ret_rule);

/* --- counters --- */
extern struct metric feedback_evaluations_total;
extern struct metric feedback_alerts_total;
extern struct metric feedback_open_moments;
extern struct metric feedback_alert_delay_seconds;
extern struct metric feedback_standards_published_total;

#endif
