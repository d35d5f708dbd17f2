/* When a line is crossed: once, at its time, live or late, and once only across restarts. */
#include "feedback/rules/alert.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000)
#define START (INT64_C(1795307636) * S)

/* --- a small floor: one moment, one rule, the alerts that exist --- */

struct floor {
    struct alert_rule rule;
    struct moment moment;
    struct visit visits[4];
    struct alerted alerted[ALERT_CROSSINGS_MAX];
    int64_t raised_at[ALERT_CROSSINGS_MAX], cleared_at[ALERT_CROSSINGS_MAX];
    size_t count;
    int64_t next_at;
};

static struct visit new_visit(int64_t entered_at)
{
    return (struct visit){.queue = "sales",
                          .agent = "",
                          .entered_at = entered_at,
                          .wait_ms = -1,
                          .ring_ms = -1,
                          .hold_ms = -1,
                          .hold_longest_ms = -1,
                          .hold_count = -1};
}

static void set_up(struct floor *floor, enum alert_subject subject, double threshold)
{
    memset(floor, 0, sizeof(*floor));
    floor->rule = (struct alert_rule){
        .subject = subject, .threshold = threshold, .clear = threshold, .signal = ""};
    floor->visits[0] = new_visit(START);
    floor->moment = (struct moment){.moment_id = "",
                                    .site = "main",
                                    .queue = "sales",
                                    .agent = "",
                                    .person_id = "",
                                    .team_id = "",
                                    .state = STATE_WAITING,
                                    .state_since = START,
                                    .started_at = START,
                                    .wait_ms = -1,
                                    .ring_ms = -1,
                                    .talk_ms = -1,
                                    .hold_ms = -1,
                                    .wrap_ms = -1,
                                    .hold_count = -1,
                                    .visits = floor->visits,
                                    .visit_count = 1};
    floor->next_at = ALERT_NEVER;
}

/* What the service does at every change and at every tick. */
static void look(struct floor *floor, int64_t now)
{
    struct crossing crossings[ALERT_CROSSINGS_MAX];
    struct verdict verdict;
    size_t count = alert_crossings(&floor->rule, &floor->moment, now, crossings, &floor->next_at);

    alert_decide(&floor->rule, &floor->moment, crossings, count, floor->alerted, floor->count, now,
                 &verdict);
    for (size_t i = 0; i < verdict.clear_count; i++) {
        floor->alerted[verdict.clear[i]].is_open = false;
        floor->cleared_at[verdict.clear[i]] = verdict.clear_at[i];
    }
    for (size_t i = 0; i < verdict.raise_count; i++) {
        const struct crossing *crossing = &crossings[verdict.raise[i]];

        floor->raised_at[floor->count] = now;
        floor->cleared_at[floor->count] = crossing->over_at;
        floor->alerted[floor->count++] = (struct alerted){.number = crossing->number,
                                                          .crossed_at = crossing->crossed_at,
                                                          .is_open = crossing->over_at == 0};
    }
    if (verdict.next_at < floor->next_at) {
        floor->next_at = verdict.next_at;
    }
}

/* Time goes on by itself: the timer fires whenever it is due. */
static void run_until(struct floor *floor, int64_t until)
{
    int64_t now;

    look(floor, START);
    while (floor->next_at <= until) {
        now = floor->next_at;
        look(floor, now);
        assert_true(floor->next_at > now); /* or the timer would spin */
    }
}

static void answer(struct floor *floor, int64_t at)
{
    struct visit *visit = &floor->visits[floor->moment.visit_count - 1];

    visit->answered_at = at;
    visit->wait_ms = (at - visit->entered_at) / 1000;
    floor->moment.state = STATE_TALKING;
    floor->moment.state_since = floor->moment.changed_at = at;
    look(floor, at);
}

static void hold(struct floor *floor, int64_t at, int32_t count)
{
    floor->visits[floor->moment.visit_count - 1].hold_count = count;
    floor->moment.state = STATE_HELD;
    floor->moment.state_since = floor->moment.changed_at = at;
    look(floor, at);
}

static void resume(struct floor *floor, int64_t at, int64_t longest_ms)
{
    floor->visits[floor->moment.visit_count - 1].hold_longest_ms = longest_ms;
    floor->moment.state = STATE_TALKING;
    floor->moment.state_since = floor->moment.changed_at = at;
    look(floor, at);
}

static void end(struct floor *floor, int64_t at)
{
    floor->visits[floor->moment.visit_count - 1].ended_at = at;
    floor->moment.state = STATE_ENDED;
    floor->moment.state_since = floor->moment.changed_at = floor->moment.ended_at = at;
    look(floor, at);
}

/* --- waiting --- */

static void a_wait_is_raised_by_time_alone_at_its_crossing(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    look(&floor, START + 5 * S);
    assert_int_equal(floor.count, 0);
    assert_true(floor.next_at == START + 20 * S);
    look(&floor, START + 20 * S - 1);
    assert_int_equal(floor.count, 0);
    look(&floor, START + 20 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.alerted[0].crossed_at == START + 20 * S);
    look(&floor, START + 400 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.next_at == ALERT_NEVER);
}

static void a_wait_is_over_when_answered(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    run_until(&floor, START + 25 * S);
    assert_true(floor.alerted[0].is_open);
    answer(&floor, START + 29 * S);
    assert_false(floor.alerted[0].is_open);
    assert_true(floor.cleared_at[0] == START + 29 * S);
}

static void ringing_is_still_waiting(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    floor.moment.state = STATE_RINGING;
    floor.moment.state_since = START + 15 * S;
    run_until(&floor, START + 25 * S);
    assert_int_equal(floor.count, 1);
}

static void an_ended_moment_that_waited_too_little_raises_nothing(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    floor.visits[0].answered_at = START + 19 * S;
    floor.visits[0].ended_at = floor.moment.ended_at = START + 60 * S;
    floor.moment.state = STATE_ENDED;
    look(&floor, START + 86400 * S); /* seen for the first time a day later */
    assert_int_equal(floor.count, 0);
}

static void an_ended_moment_that_waited_too_long_is_raised_and_over_at_once(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    floor.visits[0].answered_at = START + 29 * S;
    floor.visits[0].ended_at = floor.moment.ended_at = START + 60 * S;
    floor.moment.state = STATE_ENDED;
    look(&floor, START + 3600 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.alerted[0].crossed_at == START + 20 * S);
    assert_false(floor.alerted[0].is_open);
    assert_true(floor.cleared_at[0] == START + 29 * S);
    look(&floor, START + 7200 * S);
    assert_int_equal(floor.count, 1);
}

static void a_stay_without_an_end_ends_with_its_moment(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    floor.moment.state = STATE_ENDED;
    floor.moment.ended_at = START + 10 * S;
    look(&floor, START + 3600 * S);
    assert_int_equal(floor.count, 0);
}

static void each_stay_in_a_queue_is_an_episode_of_its_own(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    run_until(&floor, START + 30 * S);
    floor.visits[0].ended_at = START + 30 * S;
    floor.visits[1] = new_visit(START + 30 * S);
    floor.moment.visit_count = 2;
    look(&floor, START + 30 * S);
    assert_int_equal(floor.count, 1);
    look(&floor, START + 50 * S);
    assert_int_equal(floor.count, 2);
    assert_int_not_equal(floor.alerted[0].number, floor.alerted[1].number);
}

/* The log tells the time of entry in whole seconds, the live stream to the millisecond. */
static void a_finer_time_does_not_raise_twice(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    run_until(&floor, START + 20 * S);
    assert_int_equal(floor.count, 1);
    floor.visits[0].entered_at = START + 900000;
    look(&floor, START + 20 * S + 100000);
    look(&floor, START + 21 * S);
    assert_int_equal(floor.count, 1);
}

static void a_wait_that_later_facts_made_shorter_is_cleared(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    run_until(&floor, START + 22 * S);
    answer(&floor, START + 18 * S); /* told late */
    look(&floor, START + 23 * S);
    assert_int_equal(floor.count, 1);
    assert_false(floor.alerted[0].is_open);
}

/* --- ringing, holds, talk --- */

static void each_hold_is_told_once(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_HELD, 60000);
    answer(&floor, START + 5 * S);
    hold(&floor, START + 10 * S, 1);
    assert_true(floor.next_at == START + 70 * S);
    look(&floor, START + 70 * S);
    assert_int_equal(floor.count, 1);
    resume(&floor, START + 80 * S, 70000);
    assert_int_equal(floor.count, 1);
    assert_false(floor.alerted[0].is_open);
    assert_true(floor.cleared_at[0] == START + 80 * S);
    hold(&floor, START + 100 * S, 2);
    look(&floor, START + 160 * S);
    assert_int_equal(floor.count, 2);
    resume(&floor, START + 170 * S, 70000);
    end(&floor, START + 200 * S);
    assert_int_equal(floor.count, 2);
    assert_true(floor.cleared_at[0] == START + 80 * S); /* what is over stays as it was */
}

static void a_long_hold_that_is_over_is_told_while_the_talk_goes_on(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_HELD, 60000);
    answer(&floor, START + 5 * S);
    resume(&floor, START + 100 * S, 61000); /* the hold itself was not seen */
    assert_int_equal(floor.count, 1);
    assert_true(floor.cleared_at[0] == START + 100 * S);
    assert_true(floor.alerted[0].crossed_at == START + 99 * S);
    resume(&floor, START + 150 * S, 61000);
    assert_int_equal(floor.count, 1);
}

static void a_hold_seen_only_afterwards_is_told_by_its_length(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_HELD, 60000);
    floor.visits[0].answered_at = START + 5 * S;
    floor.visits[0].ended_at = floor.moment.ended_at = START + 200 * S;
    floor.visits[0].hold_longest_ms = 61000;
    floor.moment.state = STATE_ENDED;
    look(&floor, START + 900 * S);
    assert_int_equal(floor.count, 1);
    assert_false(floor.alerted[0].is_open);
    floor.visits[0].hold_longest_ms = 59000;
    floor.count = 0;
    look(&floor, START + 900 * S);
    assert_int_equal(floor.count, 0);
}

static void a_short_hold_is_nothing(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_HELD, 60000);
    answer(&floor, START + 5 * S);
    hold(&floor, START + 10 * S, 1);
    resume(&floor, START + 40 * S, 30000);
    look(&floor, START + 400 * S);
    assert_int_equal(floor.count, 0);
    assert_true(floor.next_at == ALERT_NEVER);
}

static void each_ringing_is_told_once(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_RINGING, 15000);
    floor.moment.state = STATE_RINGING;
    floor.moment.state_since = START + 2 * S;
    run_until(&floor, START + 20 * S);
    assert_int_equal(floor.count, 1);
    floor.visits[0].offer_failures = 1; /* nobody took it; the next one rings */
    floor.moment.state_since = START + 21 * S;
    look(&floor, START + 21 * S);
    assert_false(floor.alerted[0].is_open);
    look(&floor, START + 36 * S);
    assert_int_equal(floor.count, 2);
    floor.visits[0].ring_ms = 17000;
    answer(&floor, START + 38 * S);
    assert_int_equal(floor.count, 2);
}

static void talking_counts_from_the_answer_and_goes_on_while_held(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_TALKING, 900000);
    answer(&floor, START + 5 * S);
    hold(&floor, START + 600 * S, 1);
    assert_true(floor.next_at == START + 905 * S);
    look(&floor, START + 905 * S);
    assert_int_equal(floor.count, 1);
    resume(&floor, START + 910 * S, 310000);
    look(&floor, START + 2000 * S);
    assert_int_equal(floor.count, 1);
    end(&floor, START + 2100 * S);
    assert_true(floor.cleared_at[0] == START + 2100 * S);
}

/* --- facts of the whole moment --- */

static void transfers_are_told_when_they_are_too_many(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_TRANSFERS, 2);
    floor.moment.transfers = 1;
    look(&floor, START + 30 * S);
    assert_int_equal(floor.count, 0);
    floor.moment.transfers = 2;
    floor.moment.changed_at = START + 40 * S;
    look(&floor, START + 41 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.alerted[0].crossed_at == START + 40 * S);
    assert_true(floor.alerted[0].is_open);
    floor.moment.transfers = 3;
    look(&floor, START + 50 * S);
    assert_int_equal(floor.count, 1);
    end(&floor, START + 60 * S);
    assert_false(floor.alerted[0].is_open);
}

static void the_third_contact_is_the_third(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_REPEAT_CONTACT, 3);
    floor.moment.repeat_contacts = 1;
    look(&floor, START + S);
    assert_int_equal(floor.count, 0);
    floor.moment.repeat_contacts = 2;
    look(&floor, START + S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.alerted[0].crossed_at == START);
    assert_true(floor.alerted[0].is_open);
    end(&floor, START + 60 * S);
    assert_true(floor.cleared_at[0] == START + 60 * S);
}

static void a_low_survey_stays_open_after_the_end(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_LOW_SURVEY, 2);
    end(&floor, START + 60 * S);
    assert_int_equal(floor.count, 0);
    floor.moment.has_csat = true;
    floor.moment.csat = 3;
    look(&floor, START + 70 * S);
    assert_int_equal(floor.count, 0);
    floor.moment.csat = 2;
    floor.moment.changed_at = START + 75 * S;
    look(&floor, START + 76 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.alerted[0].is_open);
    floor.moment.csat = 4; /* corrected */
    look(&floor, START + 90 * S);
    assert_false(floor.alerted[0].is_open);
}

/* --- cooldown --- */

static void a_rule_stays_quiet_for_its_cooldown(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_HELD, 60000);
    floor.rule.cooldown_us = 300 * S;
    answer(&floor, START);
    hold(&floor, START + 10 * S, 1);
    look(&floor, START + 70 * S);
    resume(&floor, START + 80 * S, 70000);
    hold(&floor, START + 90 * S, 2);
    look(&floor, START + 160 * S); /* comes and goes within the quiet time */
    resume(&floor, START + 170 * S, 80000);
    assert_int_equal(floor.count, 1);
    hold(&floor, START + 300 * S, 3);
    look(&floor, START + 360 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.next_at == START + 370 * S);
    look(&floor, START + 370 * S); /* still held when the quiet time is over */
    assert_int_equal(floor.count, 2);
}

/* Two stays in queues: the second crosses within the quiet time of the first. */
static void wait_twice(struct floor *floor, int64_t second_answered_at)
{
    set_up(floor, ALERT_WAITING, 20000);
    floor->rule.cooldown_us = 300 * S;
    floor->visits[0].ended_at = START + 30 * S;
    floor->visits[1] = new_visit(START + 30 * S);
    floor->visits[1].answered_at = second_answered_at;
    floor->moment.visit_count = 2;
    floor->moment.state = STATE_TALKING;
}

static void what_came_and_went_in_the_quiet_time_is_never_told(void **state)
{
    struct floor floor;

    (void)state;
    wait_twice(&floor, START + 60 * S);
    look(&floor, START + 70 * S);
    look(&floor, START + 500 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.next_at == ALERT_NEVER);
}

static void what_outlasted_the_quiet_time_is_told_though_it_is_over(void **state)
{
    struct floor floor;

    (void)state;
    wait_twice(&floor, START + 320 * S);
    look(&floor, START + 900 * S);
    assert_int_equal(floor.count, 2);
    assert_true(floor.alerted[1].crossed_at == START + 50 * S);
    assert_true(floor.cleared_at[1] == START + 320 * S);
}

static void a_later_alert_does_not_quiet_an_earlier_crossing(void **state)
{
    struct floor floor;

    (void)state;
    wait_twice(&floor, START + 60 * S);
    floor.alerted[floor.count++] = (struct alerted){.number = 2000, .crossed_at = START + 50 * S};
    look(&floor, START + 70 * S); /* the first stay became known after the second */
    assert_int_equal(floor.count, 2);
    assert_int_equal(floor.alerted[1].number, 1000);
}

/* --- where a rule counts --- */

static void some_subjects_are_about_a_queue(void **state)
{
    (void)state;
    for (int subject = ALERT_WAITING; subject < ALERT_SUBJECTS; subject++) {
        struct alert_rule rule = {.subject = (enum alert_subject)subject};

        bool is_about_queue = subject >= ALERT_QUEUE_LENGTH && subject <= ALERT_SERVICE_LEVEL;

        assert_int_equal(alert_is_about_queue(&rule), is_about_queue);
        assert_int_equal(alert_is_before_team(&rule),
                         is_about_queue || subject == ALERT_WAITING || subject == ALERT_RINGING);
    }
}

static void a_rule_covers_what_its_scope_names(void **state)
{
    static const char *const sales[] = {"sales"};
    static const char *const north[] = {"north"};
    struct alert_rule rule = {.subject = ALERT_WAITING};

    (void)state;
    assert_true(alert_covers(&rule, "main", "sales", ""));
    rule.queues = sales;
    rule.queue_count = 1;
    assert_true(alert_covers(&rule, "main", "sales", ""));
    assert_false(alert_covers(&rule, "main", "support", ""));
    rule.sites = north;
    rule.site_count = 1;
    assert_false(alert_covers(&rule, "main", "sales", ""));
    assert_true(alert_covers(&rule, "north", "sales", ""));
    rule.teams = north;
    rule.team_count = 1;
    assert_false(alert_covers(&rule, "north", "sales", "south"));
}

/* --- queues --- */

static enum alarm_step step(const struct alert_rule *rule, struct alarm *alarm,
                            const struct level *level, int64_t now, int64_t *ret_next_at)
{
    enum alarm_step result = alert_step(rule, alarm, level, now, ret_next_at);

    if (result == ALARM_RAISE) {
        *alarm = (struct alarm){true, level->crossed_at};
    } else if (result == ALARM_CLEAR) {
        alarm->is_raised = false;
    }
    return result;
}

static void a_queue_alarm_has_hysteresis(void **state)
{
    struct alert_rule rule = {.subject = ALERT_QUEUE_LENGTH, .threshold = 5, .clear = 4};
    static const struct {
        size_t waiting;
        enum alarm_step expected;
    } steps[] = {{4, ALARM_STAY}, {5, ALARM_RAISE}, {6, ALARM_STAY}, {4, ALARM_STAY},
                 {5, ALARM_STAY}, {3, ALARM_CLEAR}, {4, ALARM_STAY}, {5, ALARM_RAISE}};
    struct alarm alarm = {0};
    int64_t next_at;

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int64_t now = START + (int64_t)i * S;
        struct level level = alert_queue_length(steps[i].waiting, now);

        assert_int_equal(step(&rule, &alarm, &level, now, &next_at), steps[i].expected);
        assert_true(next_at == ALERT_NEVER);
    }
}

static void a_queue_alarm_has_a_cooldown(void **state)
{
    struct alert_rule rule = {
        .subject = ALERT_QUEUE_LENGTH, .threshold = 5, .clear = 5, .cooldown_us = 60 * S};
    struct alarm alarm = {0};
    struct level level = alert_queue_length(5, START);
    int64_t next_at;

    (void)state;
    assert_int_equal(step(&rule, &alarm, &level, START, &next_at), ALARM_RAISE);
    level = alert_queue_length(4, START + S);
    assert_int_equal(step(&rule, &alarm, &level, START + S, &next_at), ALARM_CLEAR);
    level = alert_queue_length(7, START + 2 * S);
    assert_int_equal(step(&rule, &alarm, &level, START + 2 * S, &next_at), ALARM_STAY);
    assert_true(next_at == START + 60 * S);
    level = alert_queue_length(7, next_at);
    assert_int_equal(step(&rule, &alarm, &level, next_at, &next_at), ALARM_RAISE);
}

static void the_longest_wait_is_raised_by_time_alone(void **state)
{
    struct alert_rule rule = {.subject = ALERT_LONGEST_WAIT, .threshold = 45000, .clear = 30000};
    struct alarm alarm = {0};
    struct level level = alert_longest_wait(&rule, START, START + 10 * S);
    int64_t next_at;

    (void)state;
    assert_int_equal(step(&rule, &alarm, &level, START + 10 * S, &next_at), ALARM_STAY);
    assert_true(next_at == START + 45 * S);
    level = alert_longest_wait(&rule, START, START + 45 * S);
    assert_int_equal(step(&rule, &alarm, &level, START + 45 * S, &next_at), ALARM_RAISE);
    assert_true(alarm.crossed_at == START + 45 * S);
    /* The next in line waits since 35 s: not past the clear threshold. */
    level = alert_longest_wait(&rule, START + 15 * S, START + 50 * S);
    assert_int_equal(step(&rule, &alarm, &level, START + 50 * S, &next_at), ALARM_STAY);
    level = alert_longest_wait(&rule, START + 41 * S, START + 60 * S);
    assert_int_equal(step(&rule, &alarm, &level, START + 60 * S, &next_at), ALARM_CLEAR);
    level = alert_longest_wait(&rule, 0, START + 61 * S);
    assert_true(level.value < 1.0);
    assert_true(level.next_at == ALERT_NEVER);
}

static void the_service_level_needs_enough_moments(void **state)
{
    struct alert_rule rule = {.subject = ALERT_SERVICE_LEVEL,
                              .threshold = 80,
                              .clear = 85,
                              .minimum_count = 4,
                              .window_us = 1800 * S,
                              .target_us = 20 * S};
    struct served served[] = {
        {START, 10 * S, true}, {START, 30 * S, true}, {START, 30 * S, true}, {START, 5 * S, false}};
    struct alarm alarm = {0};
    struct level level = alert_service_level(&rule, served, 3, START);
    int64_t next_at;

    (void)state;
    assert_false(level.is_known);
    level = alert_service_level(&rule, served, 4, START);
    assert_true(level.is_known); /* 1 of 3: who gave up within the 20 s is not counted */
    assert_true(fabs(level.value - 33.3333) < 0.001);
    assert_int_equal(step(&rule, &alarm, &level, START, &next_at), ALARM_RAISE);
    assert_true(next_at == START + 1800 * S);
    level = alert_service_level(&rule, served, 4, START + 1800 * S);
    assert_false(level.is_known); /* all of it is too long ago */
    assert_int_equal(step(&rule, &alarm, &level, START + 1800 * S, &next_at), ALARM_CLEAR);
}

static void the_service_level_is_crossed_below_and_clear_at_its_lines(void **state)
{
    struct alert_rule rule = {.subject = ALERT_SERVICE_LEVEL, .threshold = 80, .clear = 85};
    struct level level = {.is_known = true, .value = 80, .next_at = ALERT_NEVER};
    struct alarm alarm = {0};
    int64_t next_at;

    (void)state;
    assert_int_equal(step(&rule, &alarm, &level, START, &next_at), ALARM_STAY);
    level.value = 79.9;
    level.is_known = false;
    assert_int_equal(step(&rule, &alarm, &level, START, &next_at), ALARM_STAY);
    level.is_known = true;
    assert_int_equal(step(&rule, &alarm, &level, START, &next_at), ALARM_RAISE);
    level.value = 84.9;
    assert_int_equal(step(&rule, &alarm, &level, START, &next_at), ALARM_STAY);
    level.value = 85;
    assert_int_equal(step(&rule, &alarm, &level, START, &next_at), ALARM_CLEAR);
}

static void only_short_abandons_are_no_service_level(void **state)
{
    struct alert_rule rule = {.subject = ALERT_SERVICE_LEVEL,
                              .minimum_count = 2,
                              .window_us = 1800 * S,
                              .target_us = 20 * S};
    struct served served[] = {{START, 5 * S, false}, {START, 5 * S, false}};

    (void)state;
    assert_false(alert_service_level(&rule, served, 2, START + S).is_known);
}

/* features.md 2.1c: 860 / 1040. */
static void the_service_level_is_the_one_that_ignores_short_abandons(void **state)
{
    static struct served served[1060];
    struct alert_rule rule = {.subject = ALERT_SERVICE_LEVEL,
                              .minimum_count = 20,
                              .window_us = 1800 * S,
                              .target_us = 20 * S};
    struct level level;

    (void)state;
    for (size_t i = 0; i < 1060; i++) {
        bool is_answered = i < 1000;
        bool is_in_time = is_answered ? i < 860 : i < 1020;

        served[i] = (struct served){START, is_in_time ? 20 * S : 20 * S + 1, is_answered};
    }
    level = alert_service_level(&rule, served, 1060, START + S);
    assert_true(fabs(level.value - 82.6923) < 0.0001);
}

/* --- a customer's signal --- */

static void a_signal_is_told_once_and_stays(void **state)
{
    static const char *const signals[] = {"complaint", "wants to cancel"};
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_CUSTOMER_SIGNAL, 1);
    look(&floor, START);
    assert_int_equal(floor.count, 0);
    floor.moment.signals = signals;
    floor.moment.signal_count = 1;
    floor.moment.changed_at = START + 9 * S;
    look(&floor, START + 9 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.alerted[0].crossed_at == START + 9 * S);
    floor.moment.signal_count = 2;
    end(&floor, START + 20 * S);
    assert_int_equal(floor.count, 1);
    assert_true(floor.alerted[0].is_open);
}

static void a_rule_may_wait_for_one_signal_or_for_several(void **state)
{
    static const char *const signals[] = {"complaint", "wants to cancel"};
    struct crossing crossings[ALERT_CROSSINGS_MAX];
    struct floor floor;
    int64_t next_at;

    (void)state;
    set_up(&floor, ALERT_CUSTOMER_SIGNAL, 1);
    floor.moment.signals = signals;
    floor.moment.signal_count = 2;
    floor.rule.signal = "praise";
    assert_int_equal(alert_crossings(&floor.rule, &floor.moment, START, crossings, &next_at), 0);
    floor.rule.signal = "wants to cancel";
    assert_int_equal(alert_crossings(&floor.rule, &floor.moment, START, crossings, &next_at), 1);
    assert_string_equal(crossings[0].signal, "wants to cancel");
    floor.rule.signal = "";
    floor.rule.threshold = 2;
    assert_int_equal(alert_crossings(&floor.rule, &floor.moment, START, crossings, &next_at), 1);
    assert_string_equal(crossings[0].signal, "complaint");
    floor.rule.threshold = 3;
    assert_int_equal(alert_crossings(&floor.rule, &floor.moment, START, crossings, &next_at), 0);
}

/* --- rules that are changed --- */

static void a_withdrawn_alert_comes_back_with_its_crossing(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 20000);
    floor.rule.cooldown_us = 600 * S;
    run_until(&floor, START + 25 * S);
    assert_int_equal(floor.count, 1);
    floor.rule.threshold = 60000;
    look(&floor, START + 30 * S);
    assert_false(floor.alerted[0].is_open);
    floor.alerted[0].is_withdrawn = true;
    look(&floor, START + 59 * S);
    assert_int_equal(floor.count, 1);
    look(&floor, START + 60 * S); /* its cooldown was the old rule's */
    assert_int_equal(floor.count, 2);
    assert_int_equal(floor.alerted[1].number, floor.alerted[0].number);
    look(&floor, START + 70 * S);
    assert_int_equal(floor.count, 2);
}

static void what_was_over_before_the_change_raises_nothing(void **state)
{
    struct floor floor;

    (void)state;
    set_up(&floor, ALERT_WAITING, 60000);
    run_until(&floor, START + 25 * S);
    answer(&floor, START + 30 * S);
    floor.rule.threshold = 20000;
    floor.rule.changed_at = START + 40 * S;
    look(&floor, START + 40 * S);
    assert_int_equal(floor.count, 0);
    floor.rule.changed_at = START + 30 * S;
    look(&floor, START + 40 * S);
    assert_int_equal(floor.count, 1);
}

/* --- is a rule sound? --- */

static struct alert_rule sound(enum alert_subject subject, double threshold)
{
    struct alert_rule rule = {.subject = subject,
                              .threshold = threshold,
                              .clear = threshold,
                              .signal = "",
                              .rule_id = "a-rule-1",
                              .title = "A rule",
                              .severity = 2};

    if (subject == ALERT_SERVICE_LEVEL) {
        rule.minimum_count = 20;
        rule.window_us = 1800 * S;
        rule.target_us = 20 * S;
    }
    return rule;
}

static void assert_refused(const struct alert_rule *rule, const char *field)
{
    struct objection objection = {.field = ""};

    assert_false(alert_is_sound(rule, &objection));
    assert_string_equal(objection.field, field);
    assert_true(objection.detail[0] != '\0');
}

static void every_subject_has_its_thresholds(void **state)
{
    static const struct {
        enum alert_subject subject;
        double good[2], bad[3];
    } cases[] = {
        {ALERT_WAITING, {0, 2592000000.0}, {-1, 2592000001.0, (double)NAN}},
        {ALERT_RINGING, {1, 15000}, {-0.5, (double)INFINITY, (double)NAN}},
        {ALERT_HELD, {0.5, 60000}, {-1, 1e300, (double)NAN}},
        {ALERT_TALKING, {1, 900000}, {-1, 1e12, (double)NAN}},
        {ALERT_TRANSFERS, {1, 2}, {0, 1.5, 100001}},
        {ALERT_REPEAT_CONTACT, {2, 100000}, {0, 2.5, -3}},
        {ALERT_LOW_SURVEY, {1, 4.5}, {0.9, 5.1, (double)NAN}},
        {ALERT_QUEUE_LENGTH, {1, 100000}, {0, 4.5, (double)NAN}},
        {ALERT_LONGEST_WAIT, {0, 45000}, {-1, 1e12, (double)NAN}},
        {ALERT_SERVICE_LEVEL, {0, 100}, {-0.1, 100.1, (double)NAN}},
        {ALERT_CUSTOMER_SIGNAL, {1, 16}, {0, 17, 1.5}},
    };
    struct objection objection;

    (void)state;
    assert_int_equal(sizeof(cases) / sizeof(cases[0]), ALERT_SUBJECTS - 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t j = 0; j < 2; j++) {
            struct alert_rule rule = sound(cases[i].subject, cases[i].good[j]);

            assert_true(alert_is_sound(&rule, &objection));
        }
        for (size_t j = 0; j < 3; j++) {
            struct alert_rule rule = sound(cases[i].subject, cases[i].bad[j]);

            assert_refused(&rule, "rule.threshold");
        }
    }
}

static void a_rule_that_cannot_be_followed_is_refused_by_field(void **state)
{
    static const char long_id[] =
        "0123456789012345678901234567890123456789012345678901234567890123";
    static const char *const names[] = {"main", "north", "main"};
    static const char *const nothing[] = {""};
    static const char *const control[] = {"a\x1f"};
    struct objection objection;
    struct alert_rule rule;

    (void)state;
#define REFUSED(subject_, threshold_, field_, ...)                                                 \
    do {                                                                                           \
        rule = sound(subject_, threshold_);                                                        \
        __VA_ARGS__;                                                                               \
        assert_refused(&rule, "rule." field_);                                                     \
    } while (0)
    REFUSED(ALERT_WAITING, 1, "rule_id", rule.rule_id = "");
    REFUSED(ALERT_WAITING, 1, "rule_id", rule.rule_id = "Rule");
    REFUSED(ALERT_WAITING, 1, "rule_id", rule.rule_id = long_id);
    REFUSED(ALERT_WAITING, 1, "title", rule.title = "");
    REFUSED(ALERT_UNKNOWN, 1, "subject", (void)0);
    REFUSED(ALERT_SUBJECTS, 1, "subject", (void)0);
    REFUSED(ALERT_WAITING, 1, "severity", rule.severity = 0);
    REFUSED(ALERT_WAITING, 1, "severity", rule.severity = 4);
    REFUSED(ALERT_WAITING, 1, "cooldown_ms", rule.cooldown_us = 86400 * S + 1);
    REFUSED(ALERT_WAITING, 1, "escalate_after_ms", rule.escalate_us = 7 * 86400 * S + 1);
    REFUSED(ALERT_WAITING, 1, "minimum_count", rule.minimum_count = 1);
    REFUSED(ALERT_WAITING, 1, "window_ms", rule.window_us = 1);
    REFUSED(ALERT_WAITING, 1, "target_ms", rule.target_us = 1);
    REFUSED(ALERT_WAITING, 1, "signal", rule.signal = "complaint");
    REFUSED(ALERT_CUSTOMER_SIGNAL, 1, "signal",
            rule.signal = "0123456789012345678901234567890123456789012345678901234567890123x");
    REFUSED(ALERT_CUSTOMER_SIGNAL, 2, "threshold", rule.signal = "complaint");
    REFUSED(ALERT_SERVICE_LEVEL, 80, "minimum_count", rule.minimum_count = 0);
    REFUSED(ALERT_SERVICE_LEVEL, 80, "window_ms", rule.window_us = 59 * S);
    REFUSED(ALERT_SERVICE_LEVEL, 80, "window_ms", rule.window_us = 86401 * S);
    REFUSED(ALERT_SERVICE_LEVEL, 80, "target_ms", rule.target_us = 0);
    REFUSED(ALERT_WAITING, 9, "clear_threshold", rule.has_clear = true);
    REFUSED(ALERT_QUEUE_LENGTH, 5, "clear_threshold", rule.has_clear = true; rule.clear = 6);
    REFUSED(ALERT_SERVICE_LEVEL, 80, "clear_threshold", rule.has_clear = true; rule.clear = 79);
    REFUSED(ALERT_WAITING, 1, "sites", rule.sites = names; rule.site_count = 3);
    REFUSED(ALERT_WAITING, 1, "queues", rule.queues = nothing; rule.queue_count = 1);
    REFUSED(ALERT_WAITING, 1, "teams", rule.teams = control; rule.team_count = 1);
    REFUSED(ALERT_WAITING, 1, "teams", rule.teams = names; rule.team_count = 65);
#undef REFUSED
    rule = sound(ALERT_QUEUE_LENGTH, 5);
    rule.has_clear = true;
    rule.clear = 4;
    rule.sites = names;
    rule.site_count = 2;
    assert_true(alert_is_sound(&rule, &objection));
}

/* --- properties: any call, any rule --- */

static unsigned int seed = 7;

static int64_t some(int64_t most)
{
    return (rand_r(&seed) % most + 1) * S + rand_r(&seed) % 1000 * 1000;
}

/* A call of one visit as a list of snapshots, each with its time. */
struct step {
    struct visit visit;
    enum moment_state state;
    int64_t at;
};

static size_t random_call(struct step *steps)
{
    struct visit visit = new_visit(START);
    int64_t at = START;
    size_t count = 0;
    int holds = rand_r(&seed) % 3;

    steps[count++] = (struct step){visit, STATE_WAITING, at};
    at += some(40);
    steps[count++] = (struct step){visit, STATE_RINGING, at};
    visit.ring_ms = some(25) / 1000;
    at += visit.ring_ms * 1000;
    visit.answered_at = at;
    visit.wait_ms = (at - START) / 1000;
    steps[count++] = (struct step){visit, STATE_TALKING, at};
    for (int i = 0; i < holds; i++) {
        int64_t length = some(90);

        at += some(100);
        visit.hold_count = i + 1;
        steps[count++] = (struct step){visit, STATE_HELD, at};
        at += length;
        if (length / 1000 > visit.hold_longest_ms) {
            visit.hold_longest_ms = length / 1000;
        }
        steps[count++] = (struct step){visit, STATE_TALKING, at};
    }
    at += some(100);
    visit.ended_at = at;
    steps[count++] = (struct step){visit, STATE_ENDED, at};
    return count;
}

static void take(struct floor *floor, const struct step *step)
{
    floor->visits[0] = step->visit;
    floor->moment.state = step->state;
    floor->moment.state_since = floor->moment.changed_at = step->at;
    floor->moment.ended_at = step->visit.ended_at;
}

/* Time passes until the next snapshot; the timer fires when due unless the service is down. */
static void play(struct floor *floor, const struct step *steps, size_t count, bool with_outages)
{
    for (size_t i = 0; i < count; i++) {
        int64_t until = i + 1 < count ? steps[i + 1].at : steps[i].at + 3600 * S;
        bool is_down = with_outages && rand_r(&seed) % 2 == 0;

        take(floor, &steps[i]);
        look(floor, steps[i].at);
        while (!is_down && floor->next_at < until) {
            look(floor, floor->next_at);
        }
        if (with_outages) {
            look(floor, steps[i].at); /* told again after a restart */
        }
    }
}

static void assert_once_each(const struct floor *floor)
{
    for (size_t i = 0; i < floor->count; i++) {
        assert_false(floor->alerted[i].is_open);
        assert_true(floor->cleared_at[i] >= floor->alerted[i].crossed_at);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(floor->alerted[i].number, floor->alerted[j].number);
        }
    }
}

static size_t expected_count(enum alert_subject subject, double threshold, const struct step *steps,
                             size_t count)
{
    const struct visit *visit = &steps[count - 1].visit;
    int64_t threshold_us = (int64_t)(threshold * 1000.0);
    size_t expected = 0;

    switch ((int)subject) {
    case ALERT_WAITING:
        return visit->answered_at - visit->entered_at >= threshold_us;
    case ALERT_TALKING:
        return visit->ended_at - visit->answered_at >= threshold_us;
    default:
        for (size_t i = 0; i + 1 < count; i++) {
            expected += steps[i].state == (subject == ALERT_HELD ? STATE_HELD : STATE_RINGING) &&
                        steps[i + 1].at - steps[i].at >= threshold_us;
        }
        return expected;
    }
}

static void exactly_one_alert_for_each_crossing(void **state)
{
    static const struct {
        enum alert_subject subject;
        double threshold;
    } rules[] = {{ALERT_WAITING, 20000},
                 {ALERT_RINGING, 15000},
                 {ALERT_HELD, 60000},
                 {ALERT_TALKING, 90000}};

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct step steps[16];
        size_t count = random_call(steps), which = (size_t)round % 4;
        size_t expected =
            expected_count(rules[which].subject, rules[which].threshold, steps, count);
        struct floor live, outages, afterwards;

        set_up(&live, rules[which].subject, rules[which].threshold);
        play(&live, steps, count, false);
        assert_int_equal(live.count, expected);
        assert_once_each(&live);
        for (size_t i = 0; i < live.count; i++) {
            assert_true(live.raised_at[i] == live.alerted[i].crossed_at);
        }

        set_up(&outages, rules[which].subject, rules[which].threshold);
        play(&outages, steps, count, true);
        assert_once_each(&outages);
        assert_true(outages.count <= expected);
        assert_int_equal(outages.count > 0, expected > 0);

        set_up(&afterwards, rules[which].subject, rules[which].threshold);
        take(&afterwards, &steps[count - 1]);
        look(&afterwards, steps[count - 1].at + 86400 * S);
        assert_once_each(&afterwards);
        assert_int_equal(afterwards.count > 0, expected > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_is_raised_by_time_alone_at_its_crossing),
        cmocka_unit_test(a_wait_is_over_when_answered),
        cmocka_unit_test(ringing_is_still_waiting),
        cmocka_unit_test(an_ended_moment_that_waited_too_little_raises_nothing),
        cmocka_unit_test(an_ended_moment_that_waited_too_long_is_raised_and_over_at_once),
        cmocka_unit_test(a_stay_without_an_end_ends_with_its_moment),
        cmocka_unit_test(each_stay_in_a_queue_is_an_episode_of_its_own),
        cmocka_unit_test(a_finer_time_does_not_raise_twice),
        cmocka_unit_test(a_wait_that_later_facts_made_shorter_is_cleared),
        cmocka_unit_test(each_hold_is_told_once),
        cmocka_unit_test(a_hold_seen_only_afterwards_is_told_by_its_length),
        cmocka_unit_test(a_short_hold_is_nothing),
        cmocka_unit_test(each_ringing_is_told_once),
        cmocka_unit_test(talking_counts_from_the_answer_and_goes_on_while_held),
        cmocka_unit_test(transfers_are_told_when_they_are_too_many),
        cmocka_unit_test(the_third_contact_is_the_third),
        cmocka_unit_test(a_low_survey_stays_open_after_the_end),
        cmocka_unit_test(a_rule_stays_quiet_for_its_cooldown),
        cmocka_unit_test(a_long_hold_that_is_over_is_told_while_the_talk_goes_on),
        cmocka_unit_test(what_came_and_went_in_the_quiet_time_is_never_told),
        cmocka_unit_test(what_outlasted_the_quiet_time_is_told_though_it_is_over),
        cmocka_unit_test(a_later_alert_does_not_quiet_an_earlier_crossing),
        cmocka_unit_test(some_subjects_are_about_a_queue),
        cmocka_unit_test(the_service_level_is_crossed_below_and_clear_at_its_lines),
        cmocka_unit_test(only_short_abandons_are_no_service_level),
        cmocka_unit_test(a_rule_covers_what_its_scope_names),
        cmocka_unit_test(a_queue_alarm_has_hysteresis),
        cmocka_unit_test(a_queue_alarm_has_a_cooldown),
        cmocka_unit_test(the_longest_wait_is_raised_by_time_alone),
        cmocka_unit_test(the_service_level_needs_enough_moments),
        cmocka_unit_test(the_service_level_is_the_one_that_ignores_short_abandons),
        cmocka_unit_test(a_signal_is_told_once_and_stays),
        cmocka_unit_test(a_rule_may_wait_for_one_signal_or_for_several),
        cmocka_unit_test(a_withdrawn_alert_comes_back_with_its_crossing),
        cmocka_unit_test(what_was_over_before_the_change_raises_nothing),
        cmocka_unit_test(every_subject_has_its_thresholds),
        cmocka_unit_test(a_rule_that_cannot_be_followed_is_refused_by_field),
        cmocka_unit_test(exactly_one_alert_for_each_crossing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
