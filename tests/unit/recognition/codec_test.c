/* The halves of a candidate between protobuf and plain structs. */
#include "recognition/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOMENT_ID "01890a5d-ac96-774b-bcce-b302099a8057"

static Moment__V1__Moment moment_with_wait(void)
{
    Moment__V1__Moment moment;

    moment__v1__moment__init(&moment);
    moment.moment_id = (char *)(uintptr_t)MOMENT_ID;
    moment.agent = (char *)(uintptr_t) "Alice";
    moment.site = (char *)(uintptr_t) "main";
    moment.state = MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED;
    moment.wait_known_case = MOMENT__V1__MOMENT__WAIT_KNOWN_WAIT_MS;
    moment.wait_ms = 31000;
    return moment;
}

static void what_was_not_heard_is_unknown(void **state)
{
    Moment__V1__Moment moment = moment_with_wait();
    struct sighting sighting;

    (void)state;
    codec_sighting(NULL, &sighting);
    assert_false(sighting.is_known);
    assert_string_equal(sighting.agent, "");
    codec_sighting(&moment, &sighting);
    assert_true(sighting.is_known);
    assert_true(sighting.is_ended);
    assert_int_equal(sighting.wait_ms, 31000);
    assert_int_equal(sighting.hold_ms, -1);
    assert_false(sighting.has_csat);
}

static void a_withdrawn_evaluation_is_none(void **state)
{
    Moment__V1__Evaluation evaluation;
    Moment__V1__CriterionResult result, *results_of[] = {&result};
    struct appraisal appraisal;
    struct result *results;

    (void)state;
    moment__v1__criterion_result__init(&result);
    result.met = true;
    result.comparison = MOMENT__V1__COMPARISON__COMPARISON_AT_LEAST;
    moment__v1__evaluation__init(&evaluation);
    evaluation.n_results = 1;
    evaluation.results = results_of;
    evaluation.final_known_case = MOMENT__V1__EVALUATION__FINAL_KNOWN_FINAL_SCORE;
    evaluation.final_score = 90;
    assert_int_equal(codec_appraisal(&evaluation, &appraisal, &results), 0);
    assert_true(appraisal.is_known);
    assert_true(appraisal.has_final);
    assert_false(appraisal.has_critical);
    assert_true(appraisal.results[0].applies);
    assert_int_equal(appraisal.results[0].comparison, RESULT_AT_LEAST);
    free(results);
    evaluation.withdrawn = true;
    assert_int_equal(codec_appraisal(&evaluation, &appraisal, &results), 0);
    assert_false(appraisal.is_known);
    free(results);
    assert_int_equal(codec_appraisal(NULL, &appraisal, &results), 0);
    assert_false(appraisal.is_known);
    free(results);
}

static Moment__V1__Candidate *candidate_of(const Moment__V1__Moment *moment, size_t count)
{
    const struct evidence evidence[] = {
        {.kind = EVIDENCE_TOP_SURVEY, .text = "5 of 5.", .criterion_id = "", .value = 5}};
    Moment__V1__Candidate *candidate = NULL;

    assert_int_equal(codec_candidate(MOMENT_ID, moment, evidence, count, &candidate), 0);
    return candidate;
}

static void a_candidate_carries_its_evidence(void **state)
{
    Moment__V1__Moment moment = moment_with_wait();
    Moment__V1__Candidate *candidate = candidate_of(&moment, 1);

    (void)state;
    assert_int_equal(candidate->state, MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_PROPOSED);
    assert_string_equal(candidate->moment_id, MOMENT_ID);
    assert_string_equal(candidate->agent, "Alice");
    assert_string_equal(candidate->evidence[0]->kind, "top_survey");
    assert_string_equal(candidate->evidence[0]->text, "5 of 5.");
    codec_free(&candidate->base);
}

static void without_evidence_it_is_withdrawn_under_the_same_id(void **state)
{
    Moment__V1__Moment moment = moment_with_wait();
    Moment__V1__Candidate *proposed = candidate_of(&moment, 1),
                          *withdrawn = candidate_of(&moment, 0);

    (void)state;
    assert_int_equal(withdrawn->state, MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_WITHDRAWN);
    assert_string_equal(withdrawn->candidate_id, proposed->candidate_id);
    assert_false(codec_is_same_candidate(proposed, withdrawn));
    codec_free(&proposed->base);
    codec_free(&withdrawn->base);
}

static void another_person_is_another_candidate(void **state)
{
    Moment__V1__Moment moment = moment_with_wait();
    Moment__V1__Candidate *first = candidate_of(&moment, 1), *same = candidate_of(&moment, 1),
                          *other;

    (void)state;
    same->revision = 7;
    assert_true(codec_is_same_candidate(first, same));
    moment.agent = (char *)(uintptr_t) "Bob";
    other = candidate_of(&moment, 1);
    assert_false(codec_is_same_candidate(first, other));
    codec_free(&first->base);
    codec_free(&same->base);
    codec_free(&other->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_heard_is_unknown),
        cmocka_unit_test(a_withdrawn_evaluation_is_none),
        cmocka_unit_test(a_candidate_carries_its_evidence),
        cmocka_unit_test(without_evidence_it_is_withdrawn_under_the_same_id),
        cmocka_unit_test(another_person_is_another_candidate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
