/* watch - alerts: raised, cleared and climbing.
 *
 * What crossed a line is decided by rules/alert.c from facts; here the facts are put beside the
 * alerts that exist and the difference is written down. This happens on every change of a moment
 * and, when nothing arrives, by one timer that is set to the next time at which anything can
 * change.
 *
 * Which time it is. A wait is measured by the source's clock, so it is compared with the source's
 * now: ours minus the source's skew (rules/source_clock.h). And only what is known counts: while
 * this service has not applied all that ingest has, it is as late as the last record applied, not
 * as late as the wall clock; a caller who was answered in a record that is still to come must not
 * be called waiting. So an outage raises what really was crossed during it, marked late, and
 * nothing else; replayed history likewise. A crossing older than alert_history_ms is history and
 * raises nothing. */
#include "feedback/feedback.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A crossing that we notice later than this was noticed after an outage. */
#define LATE_US (INT64_C(2) * US_PER_S)
/* How soon to look again while ingest is ahead of us. */
#define BEHIND_MS 200
#define TIDY_US (INT64_C(600) * US_PER_S)

struct metric feedback_alerts_total = {
    .name = "moment_alerts_total",
    .kind = METRIC_COUNTER,
    .help = "Changes of alerts: raised, late, cleared, escalated, acknowledged, closed.",
    .label = "change",
};
struct metric feedback_alert_delay_seconds = {
    .name = "moment_alert_delay_seconds",
    .kind = METRIC_HISTOGRAM,
    .help = "From the crossing of a threshold to the alert, without those noticed late.",
    .first_bound = 0.0005,
};
struct metric feedback_open_moments = {
    .name = "moment_watched_moments",
    .kind = METRIC_GAUGE,
    .help = "Moments in progress, or over with an open alert.",
};

static void arm(struct feedback *feedback);

static bool is_caught_up(const struct feedback *feedback)
{
    return service_lag(feedback->service, "ingest") == 0;
}

/* How late it is as far as this service knows, by our clock: what happened just now is still on its
 * way here. */
static int64_t known_now(const struct feedback *feedback)
{
    return is_caught_up(feedback) ? clock_wall_us() - feedback->grace_us : feedback->applied_at;
}

/* --- one alert --- */

static void save_alert(struct feedback *feedback, struct txn *txn, Moment__V1__Alert *message,
                       const char *subject, uint32_t crossing, int64_t escalate_at,
                       const char *change, const struct step_by *by)
{
    const struct stored_alert alert = {
        .message = message, .subject = subject, .crossing = crossing, .escalate_at = escalate_at};

    alerts_save(feedback, txn, &alert, change, by);
}

/* The service itself saw it, or did what follows from a rule that somebody changed. */
static struct step_by by_service(double value)
{
    return (struct step_by){.user_id = "", .name = "", .value = value, .comment = ""};
}

static struct step_by by_editor(const struct held_rule *rule, double value)
{
    struct step_by by = by_service(value);

    if (rule != NULL) {
        by.user_id = rule->message->edited_by;
        by.name = rule->message->edited_by_name;
    }
    return by;
}

static int64_t first_escalation(const Moment__V1__AlertRule *rule, int64_t now)
{
    return rule->escalate_after_ms != 0 ? now + rule->escalate_after_ms * US_PER_MS : 0;
}

/* What changes now changes because the rule did. */
static bool is_revised(const struct feedback *feedback, const struct held_rule *rule)
{
    return feedback->is_revising && rule->is_changed;
}

/* What every new alert has; the strings are borrowed until the message is copied. */
static void fill_alert(Moment__V1__Alert *alert, const Moment__V1__AlertRule *rule,
                       char id_text[ID_TEXT_SIZE], const char *subject, uint32_t number)
{
    char number_text[16];
    const char *const parts[] = {"alert", rule->rule_id, subject, number_text};
    struct id id;

    (void)snprintf(number_text, sizeof(number_text), "%u", number);
    id = id_of(parts, countof(parts));
    moment__v1__alert__init(alert);
    alert->alert_id = (char *)(uintptr_t)id_print(&id, id_text);
    alert->rule_id = rule->rule_id;
    alert->title = rule->title;
    alert->subject = rule->subject;
    alert->severity = rule->severity;
    alert->threshold = rule->threshold;
    alert->state = MOMENT__V1__ALERT_STATE__ALERT_STATE_RAISED;
}

/* How late it is, and says so: since it crossed, or since the rule says that it does. */
static void note_delay(const struct feedback *feedback, const struct held_rule *rule,
                       Moment__V1__Alert *alert, int64_t crossed_at)
{
    if (is_revised(feedback, rule)) {
        crossed_at = alert->raised_at;
    }
    alert->late = alert->raised_at - crossed_at > LATE_US;
    metric_add(&feedback_alerts_total, alert->late ? "late" : "raised", 1);
    if (!alert->late) {
        double delay = (double)(alert->raised_at - crossed_at) / (double)US_PER_S;

        metric_observe(&feedback_alert_delay_seconds, NULL, delay > 0.0 ? delay : 0.0);
    }
}

/* The level rises; false if it rises no further. */
static bool climb(const struct feedback *feedback, Moment__V1__Alert *alert, int64_t *escalate_at,
                  int64_t now)
{
    const struct held_rule *rule = rules_find(feedback, alert->rule_id);

    if (alert->state != MOMENT__V1__ALERT_STATE__ALERT_STATE_RAISED || *escalate_at == 0 ||
        *escalate_at > now) {
        return false;
    }
    alert->escalation_level++;
    *escalate_at = rule != NULL && alert->escalation_level < feedback->escalation_levels
                       ? first_escalation(rule->message, now)
                       : 0;
    return true;
}

/* A changed rule may have other times to climb at. True if that changed something. */
static bool retime(const struct feedback *feedback, const struct held_rule *rule,
                   const Moment__V1__Alert *alert, int64_t *escalate_at, int64_t now)
{
    int64_t before = *escalate_at, first = first_escalation(rule->message, now);

    if (!is_revised(feedback, rule) ||
        alert->state != MOMENT__V1__ALERT_STATE__ALERT_STATE_RAISED) {
        return false;
    }
    if (first == 0 || alert->escalation_level >= feedback->escalation_levels) {
        *escalate_at = 0;
    } else if (before == 0 || before > first) {
        *escalate_at = first;
    }
    return *escalate_at != before;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- moments --- */

static struct held_alert *find_held(const struct contact *contact, const struct held_rule *rule,
                                    uint32_t number)
{
    for (size_t i = 0; i < contact->alert_count; i++) {
        struct held_alert *held = &contact->alerts[i];

        if (held->number == number && strcmp(held->message->rule_id, rule->message->rule_id) == 0) {
            return held;
        }
    }
    return NULL;
}

/* A withdrawn one is there already and is raised again. */
static void keep_raised(struct contact *contact, const struct held_rule *rule,
                        Moment__V1__Alert **message, uint32_t number, int64_t escalate_at)
{
    struct held_alert *held = find_held(contact, rule, number);

    if (held == NULL) {
        feedback_need(contact_add_alert(contact, message, number, escalate_at));
        return;
    }
    codec_free(&held->message->base);
    held->message = *message;
    held->escalate_at = escalate_at;
    *message = NULL;
}

static void fill_contact_alert(Moment__V1__Alert *alert, const Moment__V1__Moment *moment,
                               const struct crossing *crossing)
{
    alert->moment_id = moment->moment_id;
    alert->source_contact_id = moment->source_contact_id;
    alert->site = moment->site;
    alert->queue =
        (char *)(uintptr_t)(crossing->queue[0] != '\0' ? crossing->queue : moment->queue);
    alert->agent = (char *)(uintptr_t)crossing->agent;
    alert->signal = (char *)(uintptr_t)crossing->signal;
    alert->person_id = moment->person_id;
    alert->team_id = moment->team_id;
    alert->actual = crossing->actual;
    alert->crossed_at = crossing->crossed_at;
}

static void raise_contact(struct feedback *feedback, struct txn *txn, struct contact *contact,
                          const struct held_rule *rule, const struct crossing *crossing,
                          int64_t skew)
{
    const Moment__V1__Moment *moment = contact->snapshot.message;
    const struct step_by by = by_service(crossing->actual);
    char id_text[ID_TEXT_SIZE];
    Moment__V1__Alert alert, *held;
    ProtobufCMessage *copy;
    int64_t escalate_at;

    fill_alert(&alert, rule->message, id_text, moment->moment_id, crossing->number);
    fill_contact_alert(&alert, moment, crossing);
    alert.raised_at = txn_now_us(txn);
    note_delay(feedback, rule, &alert, crossing->crossed_at + skew);
    escalate_at = first_escalation(rule->message, alert.raised_at);
    if (crossing->over_at != 0) {
        alerts_add_step(txn, &alert, &by);
        alert.state = MOMENT__V1__ALERT_STATE__ALERT_STATE_CLEARED;
        alert.cleared_at = crossing->over_at;
        escalate_at = 0;
    }
    feedback_need(codec_copy(&alert.base, &copy));
    held = (Moment__V1__Alert *)copy;
    save_alert(feedback, txn, held, moment->moment_id, crossing->number, escalate_at,
               alert.cleared_at != 0 ? "cleared" : NULL, &by);
    keep_raised(contact, rule, &held, crossing->number, escalate_at);
}

static void clear_held(struct feedback *feedback, struct txn *txn, struct held_alert *held,
                       int64_t at, const struct step_by *by)
{
    held->message->state = MOMENT__V1__ALERT_STATE__ALERT_STATE_CLEARED;
    held->message->cleared_at = at;
    held->escalate_at = 0;
    save_alert(feedback, txn, held->message, held->message->moment_id, held->number, 0, "cleared",
               by);
}

/* Its rule is not what it was. */
static void withdraw_held(struct feedback *feedback, struct txn *txn, struct held_alert *held,
                          int64_t at)
{
    const struct step_by by =
        by_editor(rules_find(feedback, held->message->rule_id), held->message->actual);

    held->message->withdrawn = true;
    clear_held(feedback, txn, held, at, &by);
}

/* Crossings in a queue, a site or a team that the rule is not about are none. */
static size_t keep_covered(const struct feedback *feedback, const struct held_rule *rule,
                           const struct contact *contact, struct crossing *crossings, size_t count)
{
    const struct moment *moment = &contact->snapshot.plain;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (rules_cover(feedback, rule, moment->site, crossings[i].queue, moment->team_id)) {
            crossings[kept++] = crossings[i];
        }
    }
    return kept;
}

static size_t collect(const struct contact *contact, const struct held_rule *rule,
                      struct alerted *ret_alerted, size_t *ret_indexes)
{
    size_t count = 0;

    for (size_t i = 0; i < contact->alert_count && count < ALERT_CROSSINGS_MAX; i++) {
        const struct held_alert *held = &contact->alerts[i];

        if (strcmp(held->message->rule_id, rule->message->rule_id) == 0) {
            ret_indexes[count] = i;
            ret_alerted[count++] = (struct alerted){
                .number = held->number,
                .crossed_at = held->message->crossed_at,
                .is_open = alert_is_open(held->message),
                .is_withdrawn = held->message->withdrawn != 0,
            };
        }
    }
    return count;
}

/* The crossings of a contact that a rule is about, now. */
static size_t cross(const struct feedback *feedback, const struct contact *contact,
                    const struct held_rule *rule, int64_t source_now,
                    struct crossing crossings[ALERT_CROSSINGS_MAX], int64_t *ret_next_at)
{
    size_t count =
        alert_crossings(&rule->plain, &contact->snapshot.plain, source_now, crossings, ret_next_at);

    return keep_covered(feedback, rule, contact, crossings, count);
}

/* The value that an alert of a contact tells of, as it is now. */
static double value_now(const struct crossing *crossings, size_t count,
                        const struct held_alert *held)
{
    for (size_t i = 0; i < count; i++) {
        if (crossings[i].number == held->number) {
            return crossings[i].actual;
        }
    }
    return held->message->actual;
}

static void clear_rule(struct feedback *feedback, struct txn *txn, const struct held_rule *rule,
                       struct held_alert *held, double value, int64_t at)
{
    const struct step_by by = by_service(value);

    if (is_revised(feedback, rule)) {
        withdraw_held(feedback, txn, held, at);
    } else {
        clear_held(feedback, txn, held, at, &by);
    }
}

static void watch_rule(struct feedback *feedback, struct txn *txn, struct contact *contact,
                       const struct held_rule *rule, int64_t source_now, int64_t skew)
{
    struct crossing crossings[ALERT_CROSSINGS_MAX];
    struct alerted alerted[ALERT_CROSSINGS_MAX];
    size_t indexes[ALERT_CROSSINGS_MAX];
    struct alert_rule plain = rule->plain;
    struct verdict verdict;
    int64_t next_at;
    size_t count = cross(feedback, contact, rule, source_now, crossings, &next_at);
    size_t alerted_count = collect(contact, rule, alerted, indexes);
    int64_t oldest = clock_wall_us() - feedback->history_us - skew;

    plain.changed_at -= skew;
    alert_decide(&plain, &contact->snapshot.plain, crossings, count, alerted, alerted_count,
                 source_now, &verdict);
    for (size_t i = 0; i < verdict.clear_count; i++) {
        struct held_alert *held = &contact->alerts[indexes[verdict.clear[i]]];

        clear_rule(feedback, txn, rule, held, value_now(crossings, count, held),
                   verdict.clear_at[i]);
    }
    for (size_t i = 0; i < verdict.raise_count; i++) {
        const struct crossing *crossing = &crossings[verdict.raise[i]];

        if (crossing->crossed_at >= oldest) {
            raise_contact(feedback, txn, contact, rule, crossing, skew);
        }
    }
    contact->next_source_at = sooner(contact->next_source_at, sooner(next_at, verdict.next_at));
}

/* Does an alert about a moment that is over still stand under its rule? */
static bool stands(const struct feedback *feedback, const struct held_rule *rule,
                   const Moment__V1__Alert *alert)
{
    return (int)alert->subject == (int)rule->plain.subject &&
           rules_cover(feedback, rule, alert->site, alert->queue, alert->team_id) &&
           alert_is_beyond(&rule->plain, alert->actual) &&
           (rule->plain.signal[0] == '\0' || strcmp(rule->plain.signal, alert->signal) == 0);
}

/* The moment counts nowhere by itself any more, or the rule is gone or is about something else. */
static void clear_orphans(struct feedback *feedback, struct txn *txn, struct contact *contact,
                          bool is_merged, int64_t now)
{
    bool is_over = contact->snapshot.message == NULL;

    for (size_t i = 0; i < contact->alert_count; i++) {
        struct held_alert *held = &contact->alerts[i];
        const struct held_rule *rule = rules_find(feedback, held->message->rule_id);
        const struct step_by by = by_service(held->message->actual);

        if (!alert_is_open(held->message)) {
            continue;
        }
        if (is_merged) {
            clear_held(feedback, txn, held, now, &by);
        } else if (rule == NULL || !rules_is_on(rule) ||
                   (is_revised(feedback, rule) && is_over &&
                    !stands(feedback, rule, held->message))) {
            withdraw_held(feedback, txn, held, now);
        }
    }
}

/* The value of an alert of a contact that is in progress; else what it was when it was raised. */
static double held_value(const struct feedback *feedback, const struct contact *contact,
                         const struct held_alert *held, int64_t source_now)
{
    struct crossing crossings[ALERT_CROSSINGS_MAX];
    const struct held_rule *rule = rules_find(feedback, held->message->rule_id);
    int64_t next_at;
    size_t count;

    if (contact->snapshot.message == NULL || rule == NULL) {
        return held->message->actual;
    }
    count = cross(feedback, contact, rule, source_now, crossings, &next_at);
    return value_now(crossings, count, held);
}

static void climb_contact(struct feedback *feedback, struct txn *txn, struct contact *contact,
                          int64_t source_now)
{
    contact->next_at = ALERT_NEVER;
    for (size_t i = 0; i < contact->alert_count; i++) {
        struct held_alert *held = &contact->alerts[i];
        const struct held_rule *rule = rules_find(feedback, held->message->rule_id);

        if (rule != NULL &&
            retime(feedback, rule, held->message, &held->escalate_at, txn_now_us(txn))) {
            save_alert(feedback, txn, held->message, held->message->moment_id, held->number,
                       held->escalate_at, NULL, NULL);
        }
        if (climb(feedback, held->message, &held->escalate_at, txn_now_us(txn))) {
            const struct step_by by = by_service(held_value(feedback, contact, held, source_now));

            save_alert(feedback, txn, held->message, held->message->moment_id, held->number,
                       held->escalate_at, "escalated", &by);
        }
        if (held->escalate_at != 0 && alert_is_open(held->message)) {
            contact->next_at = sooner(contact->next_at, held->escalate_at);
        }
    }
}

static int64_t contact_due(const struct feedback *feedback, const struct contact *contact)
{
    int64_t at = contact->next_source_at;

    if (at != ALERT_NEVER) {
        at += floor_skew(&feedback->floor, contact, feedback->trust_us);
    }
    return sooner(at, contact->next_at);
}

/* Time never goes back for a contact: what was crossed once would look as if it were not. After a
 * restart its open alerts tell how late it was. */
static int64_t forward(const struct contact *contact, int64_t now, int64_t skew)
{
    if (now < contact->watched_at) {
        now = contact->watched_at;
    }
    for (size_t i = 0; i < contact->alert_count; i++) {
        const Moment__V1__Alert *alert = contact->alerts[i].message;

        if (alert_is_open(alert) && now < alert->crossed_at + skew) {
            now = alert->crossed_at + skew;
        }
    }
    return now;
}

void watch_contact(struct feedback *feedback, struct txn *txn, struct contact *contact, int64_t at)
{
    int64_t skew = floor_skew(&feedback->floor, contact, feedback->trust_us);
    int64_t now = forward(contact, at, skew);
    bool is_merged = contact->snapshot.message != NULL && codec_is_merged(&contact->snapshot);

    contact->watched_at = now;
    contact->next_source_at = ALERT_NEVER;
    if (contact->snapshot.message != NULL && !is_merged) {
        for (size_t i = 0; i < feedback->rule_count; i++) {
            const struct held_rule *rule = &feedback->rules[i];

            if (rules_is_on(rule) && !alert_is_about_queue(&rule->plain)) {
                watch_rule(feedback, txn, contact, rule, now - skew, skew);
            }
        }
    }
    clear_orphans(feedback, txn, contact, is_merged, now - skew);
    climb_contact(feedback, txn, contact, now - skew);
    if (contact_due(feedback, contact) < feedback->next_at) {
        feedback->next_at = contact_due(feedback, contact);
        arm(feedback);
    }
}

/* --- queues --- */

static struct level level_of(const struct feedback *feedback, const struct queue *queue,
                             const struct alert_rule *rule, int64_t now)
{
    int64_t oldest_at;

    if (rule->subject == ALERT_SERVICE_LEVEL) {
        return alert_service_level(rule, queue->served, queue->served_count, now);
    }
    if (rule->subject == ALERT_LONGEST_WAIT) {
        (void)floor_waiting(&feedback->floor, queue, feedback->trust_us, &oldest_at);
        return alert_longest_wait(rule, oldest_at, now);
    }
    return alert_queue_length(
        floor_waiting(&feedback->floor, queue, feedback->trust_us, &oldest_at), now);
}

static void raise_queue(struct feedback *feedback, struct txn *txn, const struct queue *queue,
                        struct queue_alarm *alarm, const struct held_rule *rule,
                        const struct level *level)
{
    const struct step_by by = by_service(level->value);
    char id_text[ID_TEXT_SIZE];
    Moment__V1__Alert alert;
    ProtobufCMessage *copy;

    alarm->crossings++;
    alarm->alarm.is_raised = true;
    alarm->alarm.crossed_at = level->crossed_at;
    fill_alert(&alert, rule->message, id_text, queue->subject, alarm->crossings);
    alert.site = queue->site;
    alert.queue = queue->name;
    alert.actual = level->value;
    alert.crossed_at = level->crossed_at;
    alert.raised_at = txn_now_us(txn);
    note_delay(feedback, rule, &alert, alert.crossed_at);
    alarm->escalate_at = first_escalation(rule->message, alert.raised_at);
    feedback_need(codec_copy(&alert.base, &copy));
    if (alarm->message != NULL) {
        codec_free(&alarm->message->base);
    }
    alarm->message = (Moment__V1__Alert *)copy;
    save_alert(feedback, txn, alarm->message, queue->subject, alarm->crossings, alarm->escalate_at,
               NULL, &by);
}

/* One that a person closed stays closed; from now on the rule may raise again. */
static void clear_queue(struct feedback *feedback, struct txn *txn, const struct queue *queue,
                        struct queue_alarm *alarm, int64_t now, const struct step_by *by)
{
    bool is_open = alarm->message != NULL && alert_is_open(alarm->message);

    alarm->alarm.is_raised = false;
    alarm->escalate_at = 0;
    if (alarm->message == NULL) {
        return;
    }
    if (is_open) {
        alarm->message->state = MOMENT__V1__ALERT_STATE__ALERT_STATE_CLEARED;
    }
    alarm->message->cleared_at = now;
    save_alert(feedback, txn, alarm->message, queue->subject, alarm->crossings, 0, "cleared",
               is_open ? by : NULL);
}

/* Its rule is not what it was: nothing is kept quiet by it. */
static void withdraw_queue(struct feedback *feedback, struct txn *txn, const struct queue *queue,
                           struct queue_alarm *alarm, const struct held_rule *rule, double value,
                           int64_t now)
{
    const struct step_by by = by_editor(rule, value);

    if (alarm->message != NULL) {
        alarm->message->withdrawn = true;
    }
    alarm->alarm.crossed_at = 0;
    clear_queue(feedback, txn, queue, alarm, now, &by);
}

/* Raised or cleared, as the level has it. */
static void step_alarm(struct feedback *feedback, struct txn *txn, struct queue *queue,
                       struct queue_alarm *alarm, const struct held_rule *rule,
                       const struct level *level, int64_t now)
{
    const struct step_by by = by_service(level->value);
    int64_t next_at;
    enum alarm_step step = alert_step(&rule->plain, &alarm->alarm, level, now, &next_at);

    if (step == ALARM_RAISE && level->crossed_at >= clock_wall_us() - feedback->history_us) {
        raise_queue(feedback, txn, queue, alarm, rule, level);
    } else if (step == ALARM_CLEAR) {
        clear_queue(feedback, txn, queue, alarm, now, &by);
    }
    queue->next_at = sooner(queue->next_at, next_at);
}

static void watch_alarm(struct feedback *feedback, struct txn *txn, struct queue *queue,
                        struct queue_alarm *alarm, const struct held_rule *rule, int64_t now)
{
    struct level level = level_of(feedback, queue, &rule->plain, now);
    const struct step_by by = by_service(level.value);

    if (is_revised(feedback, rule) && alarm->alarm.is_raised &&
        !alert_is_crossed(&rule->plain, &level)) {
        withdraw_queue(feedback, txn, queue, alarm, rule, level.value, now);
    }
    step_alarm(feedback, txn, queue, alarm, rule, &level, now);
    if (alarm->message != NULL &&
        retime(feedback, rule, alarm->message, &alarm->escalate_at, txn_now_us(txn))) {
        save_alert(feedback, txn, alarm->message, queue->subject, alarm->crossings,
                   alarm->escalate_at, NULL, NULL);
    }
    if (alarm->message != NULL &&
        climb(feedback, alarm->message, &alarm->escalate_at, txn_now_us(txn))) {
        save_alert(feedback, txn, alarm->message, queue->subject, alarm->crossings,
                   alarm->escalate_at, "escalated", &by);
    }
    if (alarm->escalate_at != 0) {
        queue->next_at = sooner(queue->next_at, alarm->escalate_at);
    }
}

void watch_queue(struct feedback *feedback, struct txn *txn, struct queue *queue, int64_t at)
{
    int64_t now = at > queue->stepped_at ? at : queue->stepped_at; /* time never goes back */

    queue->stepped_at = now;
    queue->next_at = ALERT_NEVER;
    for (size_t i = 0; i < feedback->rule_count && i < queue->alarm_count; i++) {
        const struct held_rule *rule = &feedback->rules[i];
        struct queue_alarm *alarm = &queue->alarms[i];

        if (alert_is_about_queue(&rule->plain) && rules_is_on(rule) &&
            rules_cover(feedback, rule, queue->site, queue->name, "")) {
            watch_alarm(feedback, txn, queue, alarm, rule, now);
        } else if (alarm->alarm.is_raised) {
            withdraw_queue(feedback, txn, queue, alarm, rule, alarm->message->actual, now);
        }
    }
    if (queue->next_at < feedback->next_at) {
        feedback->next_at = queue->next_at;
        arm(feedback);
    }
}

void watch_restore_alarm(struct feedback *feedback, struct stored_alert *alert)
{
    struct queue *queue =
        floor_queue(&feedback->floor, alert->message->site, alert->message->queue);

    feedback_need(queue != NULL ? 0 : -1);
    for (size_t i = 0; i < feedback->rule_count; i++) {
        struct queue_alarm *alarm = &queue->alarms[i];

        if (strcmp(feedback->rules[i].message->rule_id, alert->message->rule_id) != 0 ||
            alert->crossing < alarm->crossings) {
            continue;
        }
        if (alarm->message != NULL) {
            codec_free(&alarm->message->base);
        }
        alarm->message = alert->message;
        alarm->crossings = alert->crossing;
        alarm->escalate_at = alert->escalate_at;
        alarm->alarm.crossed_at = alert->message->withdrawn ? 0 : alert->message->crossed_at;
        alarm->alarm.is_raised = alert->message->cleared_at == 0;
        if (queue->stepped_at < alert->message->crossed_at) {
            queue->stepped_at = alert->message->crossed_at;
        }
        return;
    }
    codec_free(&alert->message->base);
}

/* --- rules that were changed --- */

struct look {
    struct feedback *feedback;
    struct txn *txn;
    int64_t now;
};

static void look_again(struct contact *contact, void *arg)
{
    const struct look *look = arg;

    watch_contact(look->feedback, look->txn, contact, look->now);
}

void watch_changed_rules(struct feedback *feedback, struct txn *txn)
{
    struct look look = {.feedback = feedback, .txn = txn, .now = known_now(feedback)};

    if (look.now <= 0) {
        watch_soon(feedback);
        return;
    }
    feedback->is_revising = true;
    floor_each(&feedback->floor, look_again, &look);
    for (struct queue *queue = feedback->floor.queues; queue != NULL; queue = queue->next) {
        watch_queue(feedback, txn, queue, look.now);
    }
    for (size_t i = 0; i < feedback->rule_count; i++) {
        feedback->rules[i].is_changed = false;
    }
    feedback->is_revising = false;
    feedback->has_new_rules = false;
}

/* --- time --- */

struct due {
    struct feedback *feedback;
    struct txn *txn;
    int64_t now;
    size_t watched;
};

static void watch_due(struct contact *contact, void *arg)
{
    struct due *due = arg;
    bool is_late = contact->next_at <= txn_now_us(due->txn);

    due->watched += contact->snapshot.message != NULL || contact->alert_count > 0;
    if (is_late || contact_due(due->feedback, contact) <= due->now) {
        watch_contact(due->feedback, due->txn, contact, due->now);
    }
    due->feedback->next_at = sooner(due->feedback->next_at, contact_due(due->feedback, contact));
}

static void tidy_tables(struct feedback *feedback, struct txn *txn, int64_t now)
{
    if (now - feedback->tidied_at < TIDY_US) {
        return;
    }
    feedback->tidied_at = now;
    store_drop_served_before(txn, now - FEEDBACK_SERVED_KEPT_US);
    for (struct queue *queue = feedback->floor.queues; queue != NULL; queue = queue->next) {
        queue_drop_served_before(queue, now - FEEDBACK_SERVED_KEPT_US);
    }
}

static struct tick *tick_of(struct work *work)
{
    return container_of(work, struct tick, work);
}

static void load_tick(struct work *work, struct txn *txn)
{
    feedback_load_all(tick_of(work)->feedback, txn);
}

static int apply_tick(struct work *work, struct txn *txn)
{
    struct feedback *feedback = tick_of(work)->feedback;
    struct due due = {.feedback = feedback, .txn = txn, .now = known_now(feedback)};

    if (due.now <= 0) {
        feedback->next_at = 0; /* nothing was heard since the start: how late it is, nobody knows */
        return 0;
    }
    if (feedback->has_new_rules) {
        watch_changed_rules(feedback, txn);
    }
    feedback->next_at = ALERT_NEVER;
    floor_each(&feedback->floor, watch_due, &due);
    for (struct queue *queue = feedback->floor.queues; queue != NULL; queue = queue->next) {
        if (queue->next_at <= due.now) {
            watch_queue(feedback, txn, queue, due.now);
        }
        feedback->next_at = sooner(feedback->next_at, queue->next_at);
    }
    tidy_tables(feedback, txn, txn_now_us(txn));
    metric_set(&feedback_open_moments, NULL, (double)due.watched);
    return 0;
}

static void done_tick(struct work *work, int status, const struct db_error *error)
{
    struct feedback *feedback = tick_of(work)->feedback;

    feedback->tick.is_in_flight = false;
    if (status != 0) {
        log_error("watch_failed", "status=%d sqlstate=%s", status,
                  error != NULL ? error->sqlstate : "");
        feedback->next_at = clock_wall_us() + US_PER_S;
    }
    if (feedback->timer != NULL) {
        arm(feedback);
    }
}

static void on_time(void *arg)
{
    static const struct work_ops ops = {.load = load_tick, .apply = apply_tick, .done = done_tick};
    struct feedback *feedback = arg;

    if (feedback->tick.is_in_flight) {
        return;
    }
    feedback->tick.feedback = feedback;
    feedback->tick.work = (struct work){.ops = &ops, .bytes = 64};
    if (stream_submit(service_stream(feedback->service), &feedback->tick.work) != 0) {
        timer_start(feedback->timer, BEHIND_MS, 0);
        return;
    }
    feedback->tick.is_in_flight = true;
}

static void arm(struct feedback *feedback)
{
    int64_t delay_ms;

    if (feedback->timer == NULL || feedback->tick.is_in_flight) {
        return; /* done_tick arms */
    }
    if (feedback->next_at == ALERT_NEVER) {
        timer_stop(feedback->timer);
        return;
    }
    /* One more, so that the rounded delay never ends before its time. */
    delay_ms = (feedback->next_at + feedback->grace_us - clock_wall_us()) / US_PER_MS + 1;
    if (delay_ms < 1) {
        delay_ms = 1;
    }
    if (delay_ms < BEHIND_MS && !is_caught_up(feedback)) {
        delay_ms = BEHIND_MS;
    }
    timer_start(feedback->timer, (uint64_t)delay_ms, 0);
}

void watch_soon(struct feedback *feedback)
{
    feedback->next_at = 0;
    arm(feedback);
}

int watch_start(struct feedback *feedback)
{
    feedback->next_at = ALERT_NEVER;
    return timer_new(service_loop(feedback->service), on_time, feedback, &feedback->timer);
}

void watch_stop(struct feedback *feedback)
{
    timer_free(&feedback->timer);
}

/* --- one alert that is open --- */

struct search {
    const struct feedback *feedback;
    const char *alert_id;
    struct spot *spot;
};

static void search_contact(struct contact *contact, void *arg)
{
    struct search *search = arg;
    const struct feedback *feedback = search->feedback;
    int64_t skew = floor_skew(&feedback->floor, contact, feedback->trust_us);

    for (size_t i = 0; i < contact->alert_count; i++) {
        struct held_alert *held = &contact->alerts[i];

        if (strcmp(held->message->alert_id, search->alert_id) == 0) {
            *search->spot = (struct spot){
                .message = held->message,
                .escalate_at = &held->escalate_at,
                .subject = held->message->moment_id,
                .crossing = held->number,
                .value = held_value(feedback, contact, held, known_now(feedback) - skew),
            };
        }
    }
}

static void search_queue(const struct search *search, struct queue *queue)
{
    for (size_t i = 0; i < queue->alarm_count; i++) {
        struct queue_alarm *alarm = &queue->alarms[i];
        const struct held_rule *rule = &search->feedback->rules[i];

        if (alarm->message != NULL && strcmp(alarm->message->alert_id, search->alert_id) == 0) {
            *search->spot = (struct spot){
                .message = alarm->message,
                .escalate_at = &alarm->escalate_at,
                .subject = queue->subject,
                .crossing = alarm->crossings,
                .value =
                    level_of(search->feedback, queue, &rule->plain, known_now(search->feedback))
                        .value,
            };
        }
    }
}

bool watch_find_open(struct feedback *feedback, const char *alert_id, struct spot *ret_spot)
{
    struct search search = {.feedback = feedback, .alert_id = alert_id, .spot = ret_spot};

    *ret_spot = (struct spot){0};
    floor_each(&feedback->floor, search_contact, &search);
    for (struct queue *queue = feedback->floor.queues; queue != NULL; queue = queue->next) {
        search_queue(&search, queue);
    }
    return ret_spot->message != NULL && alert_is_open(ret_spot->message);
}
