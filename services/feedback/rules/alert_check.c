/* alert_check - is a rule that somebody wrote one that can be followed? */
#include "feedback/rules/alert.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US (INT64_C(86400) * SECOND_US)
#define DURATION_MAX_MS 2592000000.0 /* 30 days */

struct check {
    const struct alert_rule *rule;
    struct objection *objection; /* the first one is kept */
    bool failed;
};

static void object(struct check *check, const char *field, const char *detail)
{
    if (check->failed) {
        return;
    }
    check->failed = true;
    (void)snprintf(check->objection->field, sizeof(check->objection->field), "rule.%s", field);
    (void)snprintf(check->objection->detail, sizeof(check->objection->detail), "%s", detail);
}

static bool is_id(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && len <= ALERT_ID_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool is_within(double value, double low, double high)
{
    return isfinite(value) && value >= low && value <= high;
}

static bool is_whole(double value)
{
    return fabs(value - nearbyint(value)) < 1e-9;
}

static void check_names(struct check *check, const char *field, const char *const *names,
                        size_t count)
{
    if (count > ALERT_NAMES_MAX) {
        object(check, field, "At most 64.");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(names[i]);

        if (len == 0 || len > ALERT_NAME_BYTES_MAX) {
            object(check, field, "Each has 1 to 256 bytes.");
        }
        for (size_t at = 0; at < len; at++) {
            if ((unsigned char)names[i][at] < ' ') {
                object(check, field, "Control characters are no part of a name.");
            }
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) {
                object(check, field, "Each at most once.");
            }
        }
    }
}

static void check_value(struct check *check, const char *field, double value)
{
    switch (check->rule->subject) {
    case ALERT_WAITING:
    case ALERT_RINGING:
    case ALERT_HELD:
    case ALERT_TALKING:
    case ALERT_LONGEST_WAIT:
        if (!is_within(value, 0, DURATION_MAX_MS)) {
            object(check, field, "Milliseconds: 0 to 2592000000, which is 30 days.");
        }
        break;
    case ALERT_TRANSFERS:
    case ALERT_REPEAT_CONTACT:
    case ALERT_QUEUE_LENGTH:
        if (!is_within(value, 1, ALERT_COUNT_MAX) || !is_whole(value)) {
            object(check, field, "A count: 1 to 100000.");
        }
        break;
    case ALERT_LOW_SURVEY:
        if (!is_within(value, 1, 5)) {
            object(check, field, "A score on the scale of 1 to 5.");
        }
        break;
    case ALERT_SERVICE_LEVEL:
        if (!is_within(value, 0, 100)) {
            object(check, field, "Per cent: 0 to 100.");
        }
        break;
    case ALERT_CUSTOMER_SIGNAL:
        if (!is_within(value, 1, ALERT_SIGNALS_MAX) || !is_whole(value)) {
            object(check, field, "How many different signals: 1 to 16.");
        }
        break;
    case ALERT_UNKNOWN:
    case ALERT_SUBJECTS:
        break;
    }
}

static void check_hysteresis(struct check *check)
{
    const struct alert_rule *rule = check->rule;

    if (!rule->has_clear) {
        return;
    }
    if (!alert_is_about_queue(rule)) {
        object(check, "clear_threshold",
               "Only for queues: an alert about a moment is over when what it tells of is.");
        return;
    }
    check_value(check, "clear_threshold", rule->clear);
    if (rule->subject == ALERT_SERVICE_LEVEL ? rule->clear < rule->threshold
                                             : rule->clear > rule->threshold) {
        object(check, "clear_threshold", "It lies on the good side of the threshold.");
    }
}

static void check_service_level(struct check *check)
{
    const struct alert_rule *rule = check->rule;

    if (rule->subject != ALERT_SERVICE_LEVEL) {
        if (rule->minimum_count != 0) {
            object(check, "minimum_count", "Only a service level has one.");
        }
        if (rule->window_us != 0) {
            object(check, "window_ms", "Only a service level has one.");
        }
        if (rule->target_us != 0) {
            object(check, "target_ms", "Only a service level has one.");
        }
        return;
    }
    if (rule->minimum_count < 1 || rule->minimum_count > ALERT_COUNT_MAX) {
        object(check, "minimum_count", "Of how many moments at least: 1 to 100000.");
    }
    if (rule->window_us < 60 * SECOND_US || rule->window_us > DAY_US) {
        object(check, "window_ms", "How far back it looks: 60000 to 86400000, which is a day.");
    }
    if (rule->target_us < 1 || rule->target_us > DAY_US) {
        object(check, "target_ms", "The wait that is in time: 1 to 86400000, which is a day.");
    }
}

static void check_signal(struct check *check)
{
    const struct alert_rule *rule = check->rule;

    if (rule->signal[0] == '\0') {
        return;
    }
    if (rule->subject != ALERT_CUSTOMER_SIGNAL) {
        object(check, "signal", "Only a rule about a customer's signal has one.");
    }
    if (text_characters(rule->signal) > ALERT_SIGNAL_MAX) {
        object(check, "signal", "At most 64 characters.");
    }
    if (rule->threshold > 1) {
        object(check, "threshold", "One signal is told once: 1.");
    }
}

static void check_frame(struct check *check)
{
    const struct alert_rule *rule = check->rule;
    size_t title = text_characters(rule->title);

    if (!is_id(rule->rule_id)) {
        object(check, "rule_id", "1 to 63 of a-z, 0-9 and -.");
    }
    if (title < 1 || title > ALERT_TITLE_MAX) {
        object(check, "title", "1 to 200 characters.");
    }
    if (rule->subject <= ALERT_UNKNOWN || rule->subject >= ALERT_SUBJECTS) {
        object(check, "subject", "There is no such subject.");
    }
    if (rule->severity < 1 || rule->severity > 3) {
        object(check, "severity", "One of notice, warning, critical.");
    }
    if (rule->cooldown_us > DAY_US) {
        object(check, "cooldown_ms", "At most 86400000, which is a day.");
    }
    if (rule->escalate_us > 7 * DAY_US) {
        object(check, "escalate_after_ms", "At most 604800000, which is seven days.");
    }
}

bool alert_is_sound(const struct alert_rule *rule, struct objection *ret_objection)
{
    struct check check = {.rule = rule, .objection = ret_objection};

    check_frame(&check);
    check_value(&check, "threshold", rule->threshold);
    check_hysteresis(&check);
    check_service_level(&check);
    check_signal(&check);
    check_names(&check, "sites", rule->sites, rule->site_count);
    check_names(&check, "queues", rule->queues, rule->queue_count);
    check_names(&check, "teams", rule->teams, rule->team_count);
    return !check.failed;
}
