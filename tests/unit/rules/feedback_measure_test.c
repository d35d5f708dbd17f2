/* Metrics of a moment, and measured criteria. */
#include "feedback/rules/measure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct visit visits[] = {
    {.queue = "support",
     .agent = "",
     .entered_at = 1000,
     .ended_at = 2000,
     .wait_ms = 8000,
     .ring_ms = -1,
     .hold_ms = -1,
     .hold_longest_ms = -1,
     .hold_count = -1,
     .offers = 2,
     .offer_failures = 2},
    {.queue = "sales",
     .agent = "Alice",
     .entered_at = 2000,
     .answered_at = 5000,
     .ended_at = 9000,
     .wait_ms = 3000,
     .ring_ms = 1500,
     .hold_ms = 2500,
     .hold_longest_ms = 2000,
     .hold_count = 2,
     .offers = 1},
};

static struct moment answered_moment(void)
{
    return (struct moment){
        .moment_id = "",
        .site = "main",
        .queue = "support",
        .agent = "Alice",
        .person_id = "",
        .team_id = "",
        .state = STATE_ENDED,
        .outcome = 15,
        .wait_ms = 11000,
        .ring_ms = 1500,
        .talk_ms = 4000,
        .hold_ms = 2500,
        .wrap_ms = -1,
        .hold_count = 2,
        .transfers = 1,
        .repeat_contacts = 3,
        .visits = visits,
        .visit_count = 2,
    };
}

static struct moment abandoned_moment(void)
{
    struct moment moment = answered_moment();

    moment.outcome = OUTCOME_ABANDONED;
    moment.talk_ms = moment.ring_ms = moment.hold_ms = -1;
    moment.hold_count = -1;
    moment.visit_count = 1;
    return moment;
}

static void assert_metric(const struct moment *moment, const char *metric, double expected)
{
    double value = -1.0;

    assert_true(measure_value(moment, metric, &value));
    if (fabs(value - expected) > 1e-9) {
        fail_msg("%s is %f, not %f", metric, value, expected);
    }
}

static void every_metric_is_read_from_its_fact(void **state)
{
    struct moment moment = answered_moment();

    (void)state;
    moment.has_csat = moment.has_nps = true;
    moment.csat = 4.5;
    moment.nps = 9;
    assert_metric(&moment, "wait_ms", 11000);
    assert_metric(&moment, "ring_ms", 1500);
    assert_metric(&moment, "talk_ms", 4000);
    assert_metric(&moment, "hold_ms", 2500);
    assert_metric(&moment, "hold_longest_ms", 2000);
    assert_metric(&moment, "hold_count", 2);
    assert_metric(&moment, "handle_ms", 6500);
    assert_metric(&moment, "transfers", 1);
    assert_metric(&moment, "visits", 2);
    assert_metric(&moment, "offers", 3);
    assert_metric(&moment, "offer_failures", 2);
    assert_metric(&moment, "repeat_contacts", 3);
    assert_metric(&moment, "csat", 4.5);
    assert_metric(&moment, "nps", 9);
    assert_metric(&moment, "answered", 1);
    assert_metric(&moment, "abandoned", 0);
}

static void what_is_unknown_has_no_value(void **state)
{
    struct moment moment = abandoned_moment();
    double value;

    (void)state;
    assert_false(measure_value(&moment, "talk_ms", &value));
    assert_false(measure_value(&moment, "hold_ms", &value));
    assert_false(measure_value(&moment, "hold_longest_ms", &value));
    assert_false(measure_value(&moment, "wrap_ms", &value));
    assert_false(measure_value(&moment, "handle_ms", &value));
    assert_false(measure_value(&moment, "csat", &value));
    assert_false(measure_value(&moment, "nps", &value));
    assert_metric(&moment, "answered", 0);
    assert_metric(&moment, "abandoned", 1);
}

static void nobody_passes_on_a_caller_whom_nobody_answered(void **state)
{
    struct moment moment = abandoned_moment();
    double value;

    (void)state;
    assert_false(measure_value(&moment, "transfers", &value));
}

static void a_moment_without_a_queue_has_no_offers(void **state)
{
    struct moment moment = answered_moment();
    double value;

    (void)state;
    moment.visit_count = 0;
    assert_false(measure_value(&moment, "offers", &value));
    assert_false(measure_value(&moment, "offer_failures", &value));
    assert_metric(&moment, "answered", 1); /* it was talked to all the same */
    moment.talk_ms = 0;
    assert_metric(&moment, "answered", 1);
    assert_metric(&moment, "handle_ms", 2500);
    moment.talk_ms = -1;
    assert_metric(&moment, "answered", 0);
}

static void unknown_metrics_are_not_known(void **state)
{
    struct moment moment = answered_moment();
    double value;

    (void)state;
    assert_true(measure_knows("wait_ms"));
    assert_false(measure_knows("wait"));
    assert_false(measure_knows(""));
    assert_false(measure_knows("agent_mood"));
    assert_false(measure_value(&moment, "agent_mood", &value));
}

static struct criterion at_most(const char *metric, double value)
{
    return (struct criterion){.criterion_id = "c",
                              .section = "",
                              .title = "t",
                              .kind = CRITERION_MEASURED,
                              .metric = metric,
                              .comparison = AT_MOST,
                              .value = value};
}

static void a_criterion_is_met_at_its_value(void **state)
{
    struct moment moment = answered_moment();
    struct criterion wait = at_most("wait_ms", 11000);

    (void)state;
    assert_true(measure(&moment, &wait).met);
    wait.value = 10999;
    assert_true(measure(&moment, &wait).applies);
    assert_false(measure(&moment, &wait).met);
    wait.comparison = AT_LEAST;
    assert_true(measure(&moment, &wait).met);
    wait.value = 11001;
    assert_false(measure(&moment, &wait).met);
    wait.comparison = EQUAL;
    assert_false(measure(&moment, &wait).met);
    wait.value = 11000;
    assert_true(measure(&moment, &wait).met);
    wait.comparison = COMPARISON_UNKNOWN;
    assert_false(measure(&moment, &wait).met);
}

static void brilliance_needs_its_own_threshold(void **state)
{
    struct moment moment = answered_moment();
    struct criterion wait = at_most("wait_ms", 20000);

    (void)state;
    assert_false(measure(&moment, &wait).wow);
    wait.has_wow = true;
    wait.wow_value = 11000;
    assert_true(measure(&moment, &wait).wow);
    wait.wow_value = 10000;
    assert_true(measure(&moment, &wait).met);
    assert_false(measure(&moment, &wait).wow);
}

static void no_answer_to_a_survey_is_not_applicable(void **state)
{
    struct moment moment = answered_moment();
    struct criterion csat = at_most("csat", 4);

    (void)state;
    csat.comparison = AT_LEAST;
    csat.has_wow = true;
    csat.wow_value = 5;
    assert_false(measure(&moment, &csat).applies);
    assert_false(measure(&moment, &csat).met);
    assert_false(measure(&moment, &csat).wow);
    moment.has_csat = true;
    moment.csat = 5;
    assert_true(measure(&moment, &csat).applies);
    assert_true(measure(&moment, &csat).met);
    assert_true(measure(&moment, &csat).wow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_is_read_from_its_fact),
        cmocka_unit_test(what_is_unknown_has_no_value),
        cmocka_unit_test(nobody_passes_on_a_caller_whom_nobody_answered),
        cmocka_unit_test(a_moment_without_a_queue_has_no_offers),
        cmocka_unit_test(unknown_metrics_are_not_known),
        cmocka_unit_test(a_criterion_is_met_at_its_value),
        cmocka_unit_test(brilliance_needs_its_own_threshold),
        cmocka_unit_test(no_answer_to_a_survey_is_not_applicable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
