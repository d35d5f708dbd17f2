/* What a rule would have done is what it did: the replay against a watcher that sees things happen.
 */
#include "feedback/rules/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000)
#define HOUR (3600 * S)
#define START (INT64_C(1795307636) * S)
#define CALLS 120
#define QUEUES 2

static unsigned int seed = 11;

static int64_t some(int64_t most)
{
    return (rand_r(&seed) % most) * S + rand_r(&seed) % 1000000 + 1;
}

static bool everywhere(void *arg, const char *site, const char *queue, const char *team)
{
    (void)arg, (void)site, (void)queue, (void)team;
    return true;
}

static bool in_sales(void *arg, const char *site, const char *queue, const char *team)
{
    (void)arg, (void)team;
    return strcmp(site, "main") == 0 && strcmp(queue, "sales") == 0;
}

/* --- calls --- */

struct past {
    struct moment moments[CALLS];
    struct visit visits[CALLS];
    struct id ids[CALLS];
};

static void make_call(struct past *past, size_t i)
{
    static const char *const queues[QUEUES] = {"sales", "support"};
    struct visit *visit = &past->visits[i];
    int64_t entered_at = START + some(4 * 3600);

    *visit = (struct visit){.queue = queues[rand_r(&seed) % QUEUES],
                            .agent = "",
                            .entered_at = entered_at,
                            .wait_ms = -1,
                            .ring_ms = -1,
                            .hold_ms = -1,
                            .hold_longest_ms = -1,
                            .hold_count = -1};
    if (rand_r(&seed) % 4 == 0) {
        visit->ended_at = entered_at + some(400);
        visit->outcome = OUTCOME_ABANDONED;
    } else {
        visit->answered_at = entered_at + some(300);
        visit->ended_at = visit->answered_at + some(900);
        visit->hold_count = rand_r(&seed) % 2;
        visit->hold_longest_ms = visit->hold_count > 0 ? some(100) / 1000 : 0;
    }
    memset(&past->ids[i], 0, sizeof(past->ids[i]));
    past->ids[i].bytes[0] = (uint8_t)i;
    past->moments[i] = (struct moment){.moment_id = "",
                                       .site = "main",
                                       .queue = visit->queue,
                                       .agent = "",
                                       .person_id = "",
                                       .team_id = "",
                                       .state = STATE_ENDED,
                                       .state_since = visit->ended_at,
                                       .started_at = entered_at,
                                       .ended_at = visit->ended_at,
                                       .changed_at = visit->ended_at,
                                       .wait_ms = -1,
                                       .ring_ms = -1,
                                       .talk_ms = -1,
                                       .hold_ms = -1,
                                       .wrap_ms = -1,
                                       .hold_count = visit->hold_count,
                                       .transfers = (uint32_t)rand_r(&seed) % 4,
                                       .repeat_contacts = (uint32_t)rand_r(&seed) % 4,
                                       .has_csat = rand_r(&seed) % 2 == 0,
                                       .csat = 1 + rand_r(&seed) % 5,
                                       .visits = visit,
                                       .visit_count = 1};
}

static void make_past(struct past *past)
{
    for (size_t i = 0; i < CALLS; i++) {
        make_call(past, i);
    }
}

static const int64_t days[] = {START - HOUR, START + 2 * HOUR, START + 12 * HOUR};

static const struct replay_result *replayed(const struct alert_rule *rule, const struct past *past,
                                            bool backwards, struct replay **ret_replay)
{
    assert_int_equal(replay_new(rule, days, 2, ret_replay), 0);
    for (size_t n = 0; n < CALLS; n++) {
        size_t i = backwards ? CALLS - 1 - n : n;

        assert_int_equal(
            replay_take(*ret_replay, &past->ids[i], &past->moments[i], everywhere, NULL), 0);
    }
    replay_run(*ret_replay);
    assert_false(replay_result(*ret_replay)->failed);
    return replay_result(*ret_replay);
}

/* --- a watcher of one queue, as it goes: it counts anew each time --- */

struct watcher {
    const struct alert_rule *rule;
    const struct past *past;
    const char *queue;
    struct alarm alarm;
    int64_t next_at;
    uint32_t fired;
};

static int64_t left_at(const struct visit *visit)
{
    return visit->answered_at != 0 ? visit->answered_at : visit->ended_at;
}

/* As things stand after all that happened up to `known`. */
static struct level level_of(const struct watcher *watcher, int64_t now, int64_t known)
{
    struct served served[CALLS];
    size_t waiting = 0, out = 0;
    int64_t oldest = 0;

    for (size_t i = 0; i < CALLS; i++) {
        const struct visit *visit = &watcher->past->visits[i];

        if (strcmp(visit->queue, watcher->queue) != 0) {
            continue;
        }
        if (visit->entered_at <= known && left_at(visit) > known) {
            waiting++;
            oldest = oldest == 0 || visit->entered_at < oldest ? visit->entered_at : oldest;
        }
        if (left_at(visit) <= known && alert_came_out(visit, &served[out])) {
            out++;
        }
    }
    if (watcher->rule->subject == ALERT_QUEUE_LENGTH) {
        return alert_queue_length(waiting, now);
    }
    if (watcher->rule->subject == ALERT_LONGEST_WAIT) {
        return alert_longest_wait(watcher->rule, oldest, now);
    }
    return alert_service_level(watcher->rule, served, out, now);
}

static void look(struct watcher *watcher, int64_t now, int64_t known)
{
    struct level level = level_of(watcher, now, known);
    enum alarm_step step =
        alert_step(watcher->rule, &watcher->alarm, &level, now, &watcher->next_at);

    if (step == ALARM_RAISE) {
        watcher->alarm = (struct alarm){.is_raised = true, .crossed_at = level.crossed_at};
        watcher->fired++;
    } else if (step == ALARM_CLEAR) {
        watcher->alarm.is_raised = false;
    }
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static uint32_t watched(const struct alert_rule *rule, const struct past *past, const char *queue)
{
    struct watcher watcher = {.rule = rule, .past = past, .queue = queue, .next_at = ALERT_NEVER};
    int64_t times[CALLS * 2];
    size_t count = 0;

    for (size_t i = 0; i < CALLS; i++) {
        if (strcmp(past->visits[i].queue, queue) == 0) {
            times[count++] = past->visits[i].entered_at;
            times[count++] = left_at(&past->visits[i]);
        }
    }
    qsort(times, count, sizeof(times[0]), compare_times);
    for (size_t i = 0; i < count; i++) {
        while (watcher.next_at <= times[i]) {
            look(&watcher, watcher.next_at, times[i] - 1);
        }
        look(&watcher, times[i], times[i]);
    }
    while (watcher.next_at < days[2]) {
        look(&watcher, watcher.next_at, days[2]);
    }
    return watcher.fired;
}

static struct alert_rule some_queue_rule(unsigned round)
{
    static const enum alert_subject subjects[] = {ALERT_QUEUE_LENGTH, ALERT_LONGEST_WAIT,
                                                  ALERT_SERVICE_LEVEL};
    struct alert_rule rule = {.subject = subjects[round % 3], .signal = ""};

    rule.cooldown_us = rand_r(&seed) % 2 == 0 ? some(1200) : 0;
    if (rule.subject == ALERT_QUEUE_LENGTH) {
        rule.threshold = 1 + rand_r(&seed) % 4;
        rule.clear = rule.threshold - rand_r(&seed) % 2;
    } else if (rule.subject == ALERT_LONGEST_WAIT) {
        rule.threshold = 1000.0 * (10 + rand_r(&seed) % 200);
        rule.clear = rule.threshold / (1 + rand_r(&seed) % 3);
    } else {
        rule.threshold = 20 + rand_r(&seed) % 60;
        rule.clear = rule.threshold + rand_r(&seed) % 20;
        rule.minimum_count = 1 + (uint32_t)rand_r(&seed) % 5;
        rule.window_us = 600 * S + some(3000);
        rule.target_us = 20 * S + some(60);
    }
    return rule;
}

static void a_queue_of_the_past_fires_as_it_did(void **state)
{
    static struct past past;
    uint32_t fired = 0;

    (void)state;
    for (unsigned round = 0; round < 600; round++) {
        struct alert_rule rule = some_queue_rule(round);
        const struct replay_result *result;
        struct replay *replay;
        uint32_t expected;

        make_past(&past);
        expected = watched(&rule, &past, "sales") + watched(&rule, &past, "support");
        result = replayed(&rule, &past, round % 2 == 0, &replay);
        assert_int_equal(result->fired, expected);
        assert_int_equal(result->fired_on[0] + result->fired_on[1], expected);
        assert_int_equal(result->moments, CALLS);
        assert_int_equal(result->example_count > 0, expected > 0);
        fired += expected;
        replay_free(&replay);
    }
    assert_true(fired > 1000); /* or the test shows nothing */
}

/* --- moments, as they went --- */

static uint32_t watched_moment(const struct alert_rule *rule, const struct past *past, size_t which)
{
    struct alerted alerted[ALERT_CROSSINGS_MAX];
    struct visit visit = past->visits[which];
    struct moment moment = past->moments[which];
    size_t count = 0;

    const int64_t looks[] = {visit.entered_at, left_at(&visit), visit.ended_at};

    moment.visits = &visit;
    for (size_t i = 0; i < 3; i++) {
        struct crossing crossings[ALERT_CROSSINGS_MAX];
        int64_t now = looks[i], until = i < 2 ? looks[i + 1] : now, next_at;
        struct verdict verdict;

        visit = past->visits[which];
        visit.answered_at = visit.answered_at <= now ? visit.answered_at : 0;
        visit.ended_at = visit.ended_at <= now ? visit.ended_at : 0;
        visit.hold_longest_ms = i == 2 ? visit.hold_longest_ms : -1;
        moment.state = i == 2 ? STATE_ENDED : i == 1 ? STATE_TALKING : STATE_WAITING;
        moment.state_since = moment.changed_at = now;
        moment.ended_at = i == 2 ? now : 0;
        moment.has_csat = i == 2 && past->moments[which].has_csat;
        do {
            size_t crossed = alert_crossings(rule, &moment, now, crossings, &next_at);

            alert_decide(rule, &moment, crossings, crossed, alerted, count, now, &verdict);
            for (size_t r = 0; r < verdict.raise_count; r++) {
                const struct crossing *crossing = &crossings[verdict.raise[r]];

                alerted[count++] = (struct alerted){.number = crossing->number,
                                                    .crossed_at = crossing->crossed_at};
            }
            now = next_at;
        } while (now < until);
    }
    return (uint32_t)count;
}

static void a_moment_of_the_past_fires_as_it_did(void **state)
{
    static const struct {
        enum alert_subject subject;
        double threshold;
    } rules[] = {{ALERT_WAITING, 120000},   {ALERT_TALKING, 400000}, {ALERT_TRANSFERS, 2},
                 {ALERT_REPEAT_CONTACT, 3}, {ALERT_LOW_SURVEY, 2},   {ALERT_HELD, 50000}};
    static struct past past;

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct alert_rule rule = {.subject = rules[round % 6].subject,
                                  .threshold = rules[round % 6].threshold,
                                  .signal = ""};
        struct replay *replay;
        const struct replay_result *result;
        uint32_t expected = 0;

        make_past(&past);
        for (size_t i = 0; i < CALLS; i++) {
            expected += watched_moment(&rule, &past, i);
        }
        result = replayed(&rule, &past, false, &replay);
        assert_true(expected > 0);
        assert_int_equal(result->fired, expected);
        assert_false(result->may_be_more);
        replay_free(&replay);
    }
}

/* --- by hand --- */

/* The first call of a past. */
static void make_one_call(struct past *past, int64_t wait_s, int64_t talk_s)
{
    make_past(past);
    past->visits[0].queue = "sales";
    past->visits[0].entered_at = START;
    past->visits[0].answered_at = START + wait_s * S;
    past->visits[0].ended_at = START + (wait_s + talk_s) * S;
    past->visits[0].hold_count = 0;
    past->visits[0].outcome = 0;
    past->moments[0].ended_at = past->visits[0].ended_at;
}

static void what_crossed_is_counted_on_its_day(void **state)
{
    static struct past past;
    struct alert_rule rule = {
        .subject = ALERT_TALKING, .threshold = 2.0 * 3600 * 1000, .signal = ""};
    struct replay *replay;

    (void)state;
    make_one_call(&past, 10, 3 * 3600);
    assert_int_equal(replay_new(&rule, days, 2, &replay), 0);
    assert_int_equal(replay_take(replay, &past.ids[0], &past.moments[0], everywhere, NULL), 0);
    replay_run(replay);
    /* It crossed 10 s after the second day began. */
    assert_int_equal(replay_result(replay)->fired, 1);
    assert_int_equal(replay_result(replay)->fired_on[0], 0);
    assert_int_equal(replay_result(replay)->fired_on[1], 1);
    assert_memory_equal(&replay_result(replay)->examples[0].moment_id, &past.ids[0],
                        sizeof(struct id));
    replay_free(&replay);
}

/* Who is answered in the instant in which the line is reached has crossed it. */
static void a_wait_of_just_the_threshold_crosses(void **state)
{
    static struct past past;

    (void)state;
    make_one_call(&past, 20, 60);
    for (int more = 0; more < 2; more++) {
        struct alert_rule rule = {.subject = ALERT_LONGEST_WAIT,
                                  .threshold = 20000 + more,
                                  .clear = 20000 + more,
                                  .signal = ""};
        struct replay *replay;

        assert_int_equal(replay_new(&rule, days, 2, &replay), 0);
        assert_int_equal(replay_take(replay, &past.ids[0], &past.moments[0], everywhere, NULL), 0);
        replay_run(replay);
        assert_int_equal(replay_result(replay)->fired, more == 0);
        replay_free(&replay);
    }
}

static void what_crossed_outside_the_days_is_not_counted(void **state)
{
    static struct past past;
    const int64_t later[] = {START + 60 * S, START + HOUR};
    struct alert_rule rule = {.subject = ALERT_WAITING, .threshold = 20000, .signal = ""};
    struct replay *replay;

    (void)state;
    make_one_call(&past, 100, 60);
    assert_int_equal(replay_new(&rule, later, 1, &replay), 0);
    assert_int_equal(replay_take(replay, &past.ids[0], &past.moments[0], everywhere, NULL), 0);
    assert_int_equal(replay_result(replay)->fired, 0);
    assert_int_equal(replay_result(replay)->moments, 1);
    replay_free(&replay);
}

static void only_where_the_rule_counts(void **state)
{
    static struct past past;
    struct alert_rule rules[] = {
        {.subject = ALERT_WAITING, .threshold = 0, .signal = ""},
        {.subject = ALERT_QUEUE_LENGTH, .threshold = 1, .clear = 1, .signal = ""}};

    (void)state;
    make_past(&past);
    for (size_t r = 0; r < 2; r++) {
        struct replay *replay;
        uint32_t expected = 0;

        for (size_t i = 0; i < CALLS; i++) {
            expected += strcmp(past.visits[i].queue, "sales") == 0;
        }
        expected = r == 0 ? expected : watched(&rules[r], &past, "sales");
        assert_int_equal(replay_new(&rules[r], days, 2, &replay), 0);
        for (size_t i = 0; i < CALLS; i++) {
            assert_int_equal(replay_take(replay, &past.ids[i], &past.moments[i], in_sales, NULL),
                             0);
        }
        replay_run(replay);
        assert_int_equal(replay_result(replay)->fired, expected);
        replay_free(&replay);
    }
}

static void the_newest_examples_are_kept(void **state)
{
    static struct past past;
    struct alert_rule rule = {.subject = ALERT_WAITING, .threshold = 0, .signal = ""};
    const struct replay_result *result;
    struct replay *replay;
    int64_t newest = 0;

    (void)state;
    make_past(&past);
    for (size_t i = 0; i < CALLS; i++) {
        newest = past.visits[i].entered_at > newest ? past.visits[i].entered_at : newest;
    }
    result = replayed(&rule, &past, false, &replay);
    assert_int_equal(result->fired, CALLS);
    assert_int_equal(result->example_count, REPLAY_EXAMPLES_MAX);
    assert_true(result->examples[0].at == newest);
    for (size_t i = 1; i < result->example_count; i++) {
        assert_true(result->examples[i - 1].at >= result->examples[i].at);
    }
    replay_free(&replay);
}

static void what_left_no_trace_is_said(void **state)
{
    static struct past past;
    struct alert_rule rule = {.subject = ALERT_HELD, .threshold = 1000, .signal = ""};
    struct replay *replay;

    (void)state;
    make_one_call(&past, 10, 600);
    past.visits[0].hold_count = 2;
    past.visits[0].hold_longest_ms = 5000;
    assert_int_equal(replay_new(&rule, days, 2, &replay), 0);
    assert_int_equal(replay_take(replay, &past.ids[0], &past.moments[0], everywhere, NULL), 0);
    assert_int_equal(replay_result(replay)->fired, 1);
    assert_true(replay_result(replay)->may_be_more);
    replay_free(&replay);
}

static void queues_need_what_leads_up_to_them(void **state)
{
    struct alert_rule rule = {.subject = ALERT_SERVICE_LEVEL,
                              .window_us = 1800 * S,
                              .cooldown_us = 600 * S,
                              .signal = ""};

    (void)state;
    assert_int_equal(replay_lead_us(&rule), 1800 * S + HOUR);
    rule.cooldown_us = 7200 * S;
    assert_int_equal(replay_lead_us(&rule), 7200 * S + HOUR);
    rule.subject = ALERT_WAITING;
    assert_int_equal(replay_lead_us(&rule), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_of_the_past_fires_as_it_did),
        cmocka_unit_test(a_moment_of_the_past_fires_as_it_did),
        cmocka_unit_test(what_crossed_is_counted_on_its_day),
        cmocka_unit_test(a_wait_of_just_the_threshold_crosses),
        cmocka_unit_test(what_crossed_outside_the_days_is_not_counted),
        cmocka_unit_test(only_where_the_rule_counts),
        cmocka_unit_test(the_newest_examples_are_kept),
        cmocka_unit_test(what_left_no_trace_is_said),
        cmocka_unit_test(queues_need_what_leads_up_to_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
