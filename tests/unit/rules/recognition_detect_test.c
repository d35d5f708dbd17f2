/* Caught right: what is a reason for praise, and what takes it away. */
#include "recognition/rules/detect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct detect_limits limits = {.hard_wait_ms = 30000,
                                            .hard_hold_ms = 60000,
                                            .hard_transfers = 1,
                                            .hard_repeat_contacts = 2,
                                            .top_survey = 5,
                                            .low_survey = 2};
static const struct appraisal no_appraisal = {.standard_title = ""};

static struct sighting handled(void)
{
    return (struct sighting){
        .is_known = true, .is_ended = true, .agent = "Alice Moreno", .wait_ms = 3000, .hold_ms = 0};
}

static struct result results[3];

static struct appraisal full_score(void)
{
    results[0] = (struct result){.criterion_id = "wait",
                                 .title = "Short wait",
                                 .metric = "wait_ms",
                                 .applies = true,
                                 .met = true,
                                 .actual = 1400,
                                 .value = 20000,
                                 .comparison = RESULT_AT_MOST};
    results[1] = (struct result){.criterion_id = "csat",
                                 .title = "Satisfied",
                                 .metric = "csat",
                                 .applies = true,
                                 .met = true,
                                 .critical = true,
                                 .actual = 4,
                                 .value = 4,
                                 .comparison = RESULT_AT_LEAST};
    results[2] = (struct result){
        .criterion_id = "hold", .title = "Hold", .metric = "hold_ms", .applies = false};
    return (struct appraisal){.is_known = true,
                              .standard_title = "Sales",
                              .standard_version = 2,
                              .has_final = true,
                              .final = 100,
                              .has_critical = true,
                              .critical = 100,
                              .results = results,
                              .result_count = 3};
}

static struct evidence evidence[DETECT_EVIDENCE_MAX];

static size_t run(const struct sighting *sighting, const struct appraisal *appraisal)
{
    return detect(sighting, appraisal, &limits, evidence);
}

static void an_ordinary_moment_is_no_candidate(void **state)
{
    struct sighting sighting = handled();

    (void)state;
    assert_int_equal(run(&sighting, &no_appraisal), 0);
    sighting.has_csat = true;
    sighting.csat = 5; /* a top answer to an easy moment */
    assert_int_equal(run(&sighting, &no_appraisal), 0);
}

static void a_top_survey_after_a_hard_moment_is_a_reason(void **state)
{
    struct sighting sighting = handled();

    (void)state;
    sighting.has_csat = true;
    sighting.csat = 5;
    sighting.wait_ms = 72000;
    assert_int_equal(run(&sighting, &no_appraisal), 2);
    assert_string_equal(evidence[0].text,
                        "The customer gave the top answer, 5, after a hard moment.");
    assert_int_equal(evidence[0].kind, EVIDENCE_TOP_SURVEY);
    assert_int_equal(evidence[1].kind, EVIDENCE_HARD_MOMENT);
    assert_string_equal(evidence[1].text, "The customer had waited 1 min 12 s before.");
    sighting.hold_ms = 61000;
    sighting.transfers = 2;
    sighting.repeat_contacts = 2;
    assert_int_equal(run(&sighting, &no_appraisal), 5);
    assert_string_equal(evidence[2].text, "The customer was on hold for 1 min 1 s.");
    assert_string_equal(evidence[3].text, "The customer had been passed on 2 times.");
    assert_string_equal(evidence[4].text, "It was the customer's contact number 3 within days.");
    sighting.csat = 4;
    assert_int_equal(run(&sighting, &no_appraisal), 0);
}

static void hardness_has_its_limits(void **state)
{
    struct sighting sighting = handled();

    (void)state;
    sighting.has_csat = true;
    sighting.csat = 5;
    sighting.wait_ms = 29999;
    sighting.hold_ms = 59999;
    sighting.repeat_contacts = 1;
    assert_int_equal(run(&sighting, &no_appraisal), 0);
    sighting.wait_ms = 30000;
    assert_int_equal(run(&sighting, &no_appraisal), 2);
    sighting.wait_ms = -1;
    assert_int_equal(run(&sighting, &no_appraisal), 0);
    sighting.hold_ms = 60000;
    assert_int_equal(run(&sighting, &no_appraisal), 2);
    sighting.hold_ms = 0;
    sighting.transfers = 1;
    assert_int_equal(run(&sighting, &no_appraisal), 2);
    assert_string_equal(evidence[1].text, "The customer had been passed on once.");
}

static void durations_read_as_people_say_them(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{30000, "The customer had waited 30 s before."},
                {59499, "The customer had waited 59 s before."},
                {60000, "The customer had waited 1 min 0 s before."},
                {9990, "The customer had waited 9.9 s before."},
                {10000, "The customer had waited 10 s before."}};
    struct detect_limits soft = limits;
    struct sighting sighting = handled();

    (void)state;
    soft.hard_wait_ms = 1;
    sighting.has_csat = true;
    sighting.csat = 5;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sighting.wait_ms = rows[i].ms;
        assert_int_equal(detect(&sighting, &no_appraisal, &soft, evidence), 2);
        assert_string_equal(evidence[1].text, rows[i].text);
    }
}

static void brilliance_is_a_reason(void **state)
{
    struct sighting sighting = handled();
    struct appraisal appraisal = full_score();

    (void)state;
    appraisal.final = 80;
    results[0].wow = true;
    assert_int_equal(run(&sighting, &appraisal), 1);
    assert_int_equal(evidence[0].kind, EVIDENCE_WOW_CRITERION);
    assert_string_equal(evidence[0].criterion_id, "wait");
    assert_string_equal(evidence[0].text, "\"Short wait\" was met brilliantly: 1.4 s, where at "
                                          "most 20 s is the standard.");
}

static void the_full_score_needs_its_critical_part(void **state)
{
    struct sighting sighting = handled();
    struct appraisal appraisal = full_score();

    (void)state;
    assert_int_equal(run(&sighting, &appraisal), 1);
    assert_int_equal(evidence[0].kind, EVIDENCE_FULL_SCORE);
    appraisal.has_critical = false; /* nobody answered the survey */
    assert_int_equal(run(&sighting, &appraisal), 0);
    appraisal = full_score();
    appraisal.final = 99;
    assert_int_equal(run(&sighting, &appraisal), 0);
    appraisal = full_score();
    appraisal.has_final = false;
    assert_int_equal(run(&sighting, &appraisal), 0);
}

static void a_missed_critical_or_fatal_criterion_spoils_it(void **state)
{
    struct sighting sighting = handled();
    struct appraisal appraisal = full_score();

    (void)state;
    results[0].wow = true;
    results[1].met = false;
    assert_int_equal(run(&sighting, &appraisal), 0);
    results[1].applies = false;
    appraisal.has_critical = false;
    assert_int_equal(run(&sighting, &appraisal), 1);
    results[1].applies = true;
    results[1].critical = false;
    results[1].fatal = true;
    assert_int_equal(run(&sighting, &appraisal), 0);
}

static void a_displeased_customer_is_nothing_to_praise(void **state)
{
    struct sighting sighting = handled();
    struct appraisal appraisal = full_score();

    (void)state;
    sighting.has_csat = true;
    sighting.csat = 2;
    assert_int_equal(run(&sighting, &appraisal), 0);
    sighting.csat = 3;
    assert_int_equal(run(&sighting, &appraisal), 1);
}

static void praise_needs_somebody_and_an_end(void **state)
{
    struct sighting sighting = handled();
    struct appraisal appraisal = full_score();

    (void)state;
    sighting.agent = "";
    assert_int_equal(run(&sighting, &appraisal), 0);
    sighting = handled();
    sighting.is_ended = false;
    assert_int_equal(run(&sighting, &appraisal), 0);
    sighting = handled();
    sighting.is_merged = true;
    assert_int_equal(run(&sighting, &appraisal), 0);
    sighting = handled();
    sighting.is_known = false; /* only the evaluation has come */
    assert_int_equal(run(&sighting, &appraisal), 0);
}

static void the_order_of_results_says_nothing(void **state)
{
    struct sighting sighting = handled();
    struct appraisal appraisal = full_score();
    struct evidence first[DETECT_EVIDENCE_MAX];
    struct result swapped;
    size_t count;

    (void)state;
    results[0].wow = results[1].wow = true;
    count = detect(&sighting, &appraisal, &limits, first);
    assert_int_equal(count, 3);
    swapped = results[0];
    results[0] = results[1];
    results[1] = swapped;
    assert_int_equal(run(&sighting, &appraisal), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(evidence[i].kind, first[i].kind);
        assert_string_equal(evidence[i].text, first[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_moment_is_no_candidate),
        cmocka_unit_test(a_top_survey_after_a_hard_moment_is_a_reason),
        cmocka_unit_test(hardness_has_its_limits),
        cmocka_unit_test(durations_read_as_people_say_them),
        cmocka_unit_test(brilliance_is_a_reason),
        cmocka_unit_test(the_full_score_needs_its_critical_part),
        cmocka_unit_test(a_missed_critical_or_fatal_criterion_spoils_it),
        cmocka_unit_test(a_displeased_customer_is_nothing_to_praise),
        cmocka_unit_test(praise_needs_somebody_and_an_end),
        cmocka_unit_test(the_order_of_results_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
