#include "feedback/rules/alert.h"

#include <assert.h>
#include <string.h>

#define US_OF_MS 1000.0
#define VISIT_STEP 1000u
#define ORDINAL_MAX 998u
#define ORDINAL_TRACE 999u

struct list {
    struct crossing *items;
    size_t count;
    int64_t next_at;
};

static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return count == 0;
}

bool alert_is_about_queue(const struct alert_rule *rule)
{
    return rule->subject == ALERT_QUEUE_LENGTH || rule->subject == ALERT_LONGEST_WAIT ||
           rule->subject == ALERT_SERVICE_LEVEL;
}

bool alert_is_before_team(const struct alert_rule *rule)
{
    return alert_is_about_queue(rule) || rule->subject == ALERT_WAITING ||
           rule->subject == ALERT_RINGING;
}

bool alert_is_beyond(const struct alert_rule *rule, double value)
{
    if (rule->subject == ALERT_SERVICE_LEVEL) {
        return value < rule->threshold;
    }
    return rule->subject == ALERT_LOW_SURVEY ? value <= rule->threshold : value >= rule->threshold;
}

bool alert_covers(const struct alert_rule *rule, const char *site, const char *queue,
                  const char *team)
{
    return has_name(rule->sites, rule->site_count, site) &&
           has_name(rule->queues, rule->queue_count, queue) &&
           has_name(rule->teams, rule->team_count, team);
}

static int64_t threshold_us(const struct alert_rule *rule)
{
    return (int64_t)(rule->threshold * US_OF_MS);
}

static uint32_t number_of(size_t visit, uint32_t ordinal)
{
    return ((uint32_t)visit + 1) * VISIT_STEP + ordinal;
}

static void push(struct list *list, const struct crossing *crossing)
{
    if (list->count < ALERT_CROSSINGS_MAX) {
        list->items[list->count++] = *crossing;
    }
}

/* Something that lasts from `from` to `to` (0: it still lasts) crosses once it lasted as long as
 * the threshold. */
static void push_duration(struct list *list, const struct alert_rule *rule, struct crossing *about,
                          int64_t from, int64_t to, int64_t now)
{
    int64_t until = to != 0 ? to : now;

    if (from == 0) {
        return;
    }
    about->crossed_at = from + threshold_us(rule);
    about->over_at = to;
    about->actual = (double)(until - from) / US_OF_MS;
    if (about->crossed_at <= until) {
        push(list, about);
    } else if (to == 0 && about->crossed_at < list->next_at) {
        list->next_at = about->crossed_at;
    }
}

/* When a stay that has no end of its own must have ended: at the latest with its moment. */
static int64_t end_of(int64_t ended_at, const struct moment *moment)
{
    if (ended_at != 0 || moment->state != STATE_ENDED) {
        return ended_at;
    }
    return moment->ended_at != 0 ? moment->ended_at : moment->state_since;
}

static struct crossing about_visit(const struct moment *moment, size_t index, uint32_t ordinal)
{
    const struct visit *visit = &moment->visits[index];
    struct crossing about = {
        .number = number_of(index, ordinal < ORDINAL_MAX ? ordinal : ORDINAL_MAX),
        .queue = visit->queue,
        .agent = visit->agent,
        .signal = "",
    };
    return about;
}

static void waiting(struct list *list, const struct alert_rule *rule, const struct moment *moment,
                    int64_t now)
{
    for (size_t i = 0; i < moment->visit_count; i++) {
        const struct visit *visit = &moment->visits[i];
        struct crossing about = about_visit(moment, i, 0);
        int64_t left_at = visit->answered_at != 0 ? visit->answered_at : visit->ended_at;

        push_duration(list, rule, &about, visit->entered_at, end_of(left_at, moment), now);
    }
}

static void talking(struct list *list, const struct alert_rule *rule, const struct moment *moment,
                    int64_t now)
{
    for (size_t i = 0; i < moment->visit_count; i++) {
        const struct visit *visit = &moment->visits[i];
        struct crossing about = about_visit(moment, i, 0);

        push_duration(list, rule, &about, visit->answered_at, end_of(visit->ended_at, moment), now);
    }
}

/* What lasts now: the moment's state tells since when, its last visit which it is. */
static void push_current(struct list *list, const struct alert_rule *rule,
                         const struct moment *moment, uint32_t ordinal, int64_t now)
{
    if (moment->visit_count > 0) {
        struct crossing about = about_visit(moment, moment->visit_count - 1, ordinal);

        push_duration(list, rule, &about, moment->state_since, 0, now);
    } else {
        struct crossing about = {.number = ordinal < ORDINAL_MAX ? ordinal : ORDINAL_MAX,
                                 .queue = moment->queue,
                                 .agent = moment->agent,
                                 .signal = ""};

        push_duration(list, rule, &about, moment->state_since, 0, now);
    }
}

/* What is over left only its length: it is taken to have ended at `to`. */
static void push_trace(struct list *list, const struct alert_rule *rule,
                       const struct moment *moment, size_t visit, int64_t length_ms, int64_t to)
{
    struct crossing about = about_visit(moment, visit, 0);

    about.number = number_of(visit, ORDINAL_TRACE);
    about.is_trace = true;
    if (length_ms >= 0 && to != 0) {
        push_duration(list, rule, &about, to - length_ms * (int64_t)US_OF_MS, to, to);
    }
}

static void ringing(struct list *list, const struct alert_rule *rule, const struct moment *moment,
                    int64_t now)
{
    for (size_t i = 0; i < moment->visit_count; i++) {
        const struct visit *visit = &moment->visits[i];

        push_trace(list, rule, moment, i, visit->ring_ms, visit->answered_at);
    }
    if (moment->state == STATE_RINGING) {
        uint32_t failures =
            moment->visit_count > 0 ? moment->visits[moment->visit_count - 1].offer_failures : 0;

        push_current(list, rule, moment, failures + 1, now);
    }
}

static void held(struct list *list, const struct alert_rule *rule, const struct moment *moment,
                 int64_t now)
{
    bool is_held = moment->state == STATE_HELD;

    for (size_t i = 0; i < moment->visit_count; i++) {
        const struct visit *visit = &moment->visits[i];
        bool is_last = i + 1 == moment->visit_count;
        int64_t to = end_of(visit->ended_at, moment);

        if (is_held && is_last) {
            continue; /* the longest may be the one that lasts; its own crossing tells */
        }
        if (to == 0) {
            to = moment->changed_at != 0 ? moment->changed_at : now;
        }
        push_trace(list, rule, moment, i, visit->hold_longest_ms, to);
    }
    if (is_held) {
        int32_t count =
            moment->visit_count > 0 ? moment->visits[moment->visit_count - 1].hold_count : 0;

        push_current(list, rule, moment, count > 0 ? (uint32_t)count : 0, now);
    }
}

/* A fact of the whole moment, true since `since`. */
static void push_fact(struct list *list, const struct alert_rule *rule, const struct moment *moment,
                      double value, int64_t since, const char *signal)
{
    /* What a customer said stays until somebody sees to it. */
    bool ends_with_moment =
        rule->subject == ALERT_TRANSFERS || rule->subject == ALERT_REPEAT_CONTACT;
    struct crossing crossing = {.number = 1,
                                .crossed_at = since,
                                .actual = value,
                                .queue = moment->queue,
                                .agent = moment->agent,
                                .signal = signal};

    if (!alert_is_beyond(rule, value)) {
        return;
    }
    if (ends_with_moment && moment->state == STATE_ENDED) {
        crossing.over_at = moment->ended_at > since ? moment->ended_at : since;
    }
    push(list, &crossing);
}

/* How many different signals count, and the first of them. */
static size_t count_signals(const struct alert_rule *rule, const struct moment *moment,
                            const char **ret_first)
{
    size_t count = 0;

    for (size_t i = 0; i < moment->signal_count; i++) {
        if (rule->signal[0] == '\0' || strcmp(moment->signals[i], rule->signal) == 0) {
            *ret_first = count == 0 ? moment->signals[i] : *ret_first;
            count++;
        }
    }
    return count;
}

static void facts(struct list *list, const struct alert_rule *rule, const struct moment *moment,
                  int64_t now)
{
    int64_t changed_at = moment->changed_at != 0 ? moment->changed_at : now;
    const char *signal = "";
    size_t signals;

    if (rule->subject == ALERT_TRANSFERS) {
        push_fact(list, rule, moment, moment->transfers, changed_at, "");
    }
    if (rule->subject == ALERT_REPEAT_CONTACT) {
        push_fact(list, rule, moment, (double)moment->repeat_contacts + 1.0,
                  moment->started_at != 0 ? moment->started_at : changed_at, "");
    }
    if (rule->subject == ALERT_LOW_SURVEY && moment->has_csat) {
        push_fact(list, rule, moment, moment->csat, changed_at, "");
    }
    if (rule->subject == ALERT_CUSTOMER_SIGNAL) {
        signals = count_signals(rule, moment, &signal);
        if (signals > 0) {
            push_fact(list, rule, moment, (double)signals, changed_at, signal);
        }
    }
}

size_t alert_crossings(const struct alert_rule *rule, const struct moment *moment, int64_t now,
                       struct crossing *ret_crossings, int64_t *ret_next_at)
{
    struct list list = {.items = ret_crossings, .next_at = ALERT_NEVER};

    switch (rule->subject) {
    case ALERT_WAITING:
        waiting(&list, rule, moment, now);
        break;
    case ALERT_RINGING:
        ringing(&list, rule, moment, now);
        break;
    case ALERT_HELD:
        held(&list, rule, moment, now);
        break;
    case ALERT_TALKING:
        talking(&list, rule, moment, now);
        break;
    case ALERT_TRANSFERS:
    case ALERT_REPEAT_CONTACT:
    case ALERT_LOW_SURVEY:
    case ALERT_CUSTOMER_SIGNAL:
        facts(&list, rule, moment, now);
        break;
    case ALERT_QUEUE_LENGTH:
    case ALERT_LONGEST_WAIT:
    case ALERT_SERVICE_LEVEL:
    case ALERT_UNKNOWN:
    case ALERT_SUBJECTS:
        break;
    }
    *ret_next_at = list.next_at;
    return list.count;
}

static const struct crossing *find_crossing(const struct crossing *crossings, size_t count,
                                            uint32_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (crossings[i].number == number) {
            return &crossings[i];
        }
    }
    return NULL;
}

/* Is this crossing told already, by itself or (a trace) by another of its visit? */
static bool is_told(const struct crossing *crossing, const struct alerted *alerted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (alerted[i].number == crossing->number ||
            (crossing->is_trace &&
             alerted[i].number / VISIT_STEP == crossing->number / VISIT_STEP)) {
            return true;
        }
    }
    return false;
}

/* The end of the quiet time that covers a crossing, or 0. */
static int64_t quiet_until(const struct alert_rule *rule, int64_t crossed_at,
                           const struct alerted *alerted, size_t count)
{
    int64_t until = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t end = alerted[i].crossed_at + rule->cooldown_us;

        if (alerted[i].crossed_at <= crossed_at && end > crossed_at && end > until) {
            until = end;
        }
    }
    return until;
}

static void decide_raise(const struct alert_rule *rule, const struct crossing *crossings,
                         size_t count, struct alerted *told, size_t told_count, int64_t now,
                         struct verdict *verdict)
{
    for (size_t i = 0; i < count; i++) {
        const struct crossing *crossing = &crossings[i];
        int64_t quiet;

        if (told_count == ALERT_CROSSINGS_MAX || is_told(crossing, told, told_count)) {
            continue;
        }
        if (crossing->over_at != 0 && crossing->over_at < rule->changed_at) {
            continue; /* the rule as it is now never saw it */
        }
        quiet = quiet_until(rule, crossing->crossed_at, told, told_count);
        if (quiet != 0 && crossing->over_at != 0 && crossing->over_at < quiet) {
            continue; /* came and went within the quiet time */
        }
        if (quiet > now) {
            verdict->next_at = quiet < verdict->next_at ? quiet : verdict->next_at;
            continue;
        }
        verdict->raise[verdict->raise_count++] = (uint8_t)i;
        told[told_count++] =
            (struct alerted){.number = crossing->number, .crossed_at = crossing->crossed_at};
    }
}

/* An open alert whose episode is over, or no longer there: a hold that was resumed, a wait that
 * later facts made shorter. */
static void decide_clear(const struct moment *moment, const struct crossing *crossings,
                         size_t count, const struct alerted *alerted, size_t alerted_count,
                         int64_t now, struct verdict *verdict)
{
    for (size_t i = 0; i < alerted_count; i++) {
        const struct crossing *crossing = find_crossing(crossings, count, alerted[i].number);
        int64_t at;

        if (!alerted[i].is_open || (crossing != NULL && crossing->over_at == 0)) {
            continue;
        }
        at = crossing != NULL ? crossing->over_at : moment->state_since;
        if (at < alerted[i].crossed_at) {
            at = alerted[i].crossed_at > now ? alerted[i].crossed_at : now;
        }
        verdict->clear_at[verdict->clear_count] = at;
        verdict->clear[verdict->clear_count++] = (uint8_t)i;
    }
}

void alert_decide(const struct alert_rule *rule, const struct moment *moment,
                  const struct crossing *crossings, size_t count, const struct alerted *alerted,
                  size_t alerted_count, int64_t now, struct verdict *ret_verdict)
{
    struct alerted told[ALERT_CROSSINGS_MAX];
    size_t told_count = 0;

    assert(count <= ALERT_CROSSINGS_MAX);
    assert(alerted_count <= ALERT_CROSSINGS_MAX);
    ret_verdict->raise_count = 0;
    ret_verdict->clear_count = 0;
    ret_verdict->next_at = ALERT_NEVER;
    for (size_t i = 0; i < alerted_count; i++) {
        if (!alerted[i].is_withdrawn) {
            told[told_count++] = alerted[i];
        }
    }
    decide_raise(rule, crossings, count, told, told_count, now, ret_verdict);
    decide_clear(moment, crossings, count, alerted, alerted_count, now, ret_verdict);
}

bool alert_came_out(const struct visit *visit, struct served *ret_served)
{
    int64_t at = visit->answered_at;

    ret_served->answered = at != 0;
    if (at == 0) {
        at = visit->outcome == OUTCOME_ABANDONED ? visit->ended_at : 0;
    }
    if (at == 0 || visit->entered_at == 0) {
        return false;
    }
    ret_served->at = at;
    ret_served->wait_us =
        visit->wait_ms >= 0 ? visit->wait_ms * (int64_t)US_OF_MS : at - visit->entered_at;
    return true;
}

struct level alert_queue_length(size_t waiting_count, int64_t now)
{
    return (struct level){.is_known = true,
                          .value = (double)waiting_count,
                          .crossed_at = now,
                          .next_at = ALERT_NEVER};
}

struct level alert_longest_wait(const struct alert_rule *rule, int64_t oldest_entered_at,
                                int64_t now)
{
    struct level level = {.is_known = true, .crossed_at = now, .next_at = ALERT_NEVER};

    if (oldest_entered_at == 0) {
        return level;
    }
    level.value = (double)(now - oldest_entered_at) / US_OF_MS;
    level.crossed_at = oldest_entered_at + threshold_us(rule);
    if (level.crossed_at > now) {
        level.next_at = level.crossed_at;
    }
    return level;
}

static void add_served(const struct alert_rule *rule, const struct served *served, uint64_t one,
                       struct served_count *count)
{
    bool is_in_time = served->wait_us <= rule->target_us;

    count->seen += one;
    count->in_time += served->answered && is_in_time ? one : 0;
    count->counted += served->answered || !is_in_time ? one : 0;
}

void alert_count_served(const struct alert_rule *rule, const struct served *served,
                        struct served_count *count)
{
    add_served(rule, served, 1, count);
}

void alert_uncount_served(const struct alert_rule *rule, const struct served *served,
                          struct served_count *count)
{
    add_served(rule, served, UINT64_MAX, count); /* -1: unsigned numbers wrap */
}

struct level alert_service_level_of(const struct alert_rule *rule, const struct served_count *count,
                                    int64_t now, int64_t next_at)
{
    struct level level = {.crossed_at = now, .next_at = next_at};

    if (count->seen >= rule->minimum_count && count->counted > 0) {
        level.is_known = true;
        level.value = 100.0 * (double)count->in_time / (double)count->counted;
    }
    return level;
}

struct level alert_service_level(const struct alert_rule *rule, const struct served *served,
                                 size_t count, int64_t now)
{
    struct served_count counted = {0};
    int64_t next_at = ALERT_NEVER;

    for (size_t i = 0; i < count; i++) {
        int64_t leaves_at = served[i].at + rule->window_us;

        if (leaves_at > now) {
            next_at = leaves_at < next_at ? leaves_at : next_at;
            alert_count_served(rule, &served[i], &counted);
        }
    }
    return alert_service_level_of(rule, &counted, now, next_at);
}

bool alert_is_crossed(const struct alert_rule *rule, const struct level *level)
{
    return level->is_known && alert_is_beyond(rule, level->value);
}

static bool is_past_clear(const struct alert_rule *rule, const struct level *level)
{
    if (!level->is_known) {
        return true; /* nothing says so any more */
    }
    return rule->subject == ALERT_SERVICE_LEVEL ? level->value >= rule->clear
                                                : level->value < rule->clear;
}

enum alarm_step alert_step(const struct alert_rule *rule, const struct alarm *alarm,
                           const struct level *level, int64_t now, int64_t *ret_next_at)
{
    *ret_next_at = level->next_at;
    if (alarm->is_raised) {
        return is_past_clear(rule, level) ? ALARM_CLEAR : ALARM_STAY;
    }
    if (!alert_is_crossed(rule, level)) {
        return ALARM_STAY;
    }
    if (alarm->crossed_at != 0 && now < alarm->crossed_at + rule->cooldown_us) {
        int64_t quiet = alarm->crossed_at + rule->cooldown_us;

        *ret_next_at = quiet < *ret_next_at ? quiet : *ret_next_at;
        return ALARM_STAY;
    }
    return ALARM_RAISE;
}
