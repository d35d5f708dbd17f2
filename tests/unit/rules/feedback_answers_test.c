/* From answers and measurements to results: what counts, what is not asked, what is missing. */
#include "feedback/rules/answers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double actual, double expected)
{
    if (fabs(actual - expected) > 0.005) {
        fail_msg("%f is not %f", actual, expected);
    }
}

/* --- a standard of every kind --- */

enum { WAIT, GREETED, TONE, CARE, SORRY };

static const struct choice tones[] = {
    {.choice_id = "cold", .title = "Cold", .unacceptable = true, .comment_required = true},
    {.choice_id = "polite", .title = "Polite", .points = 3},
    {.choice_id = "warm", .title = "Warm", .points = 4, .wow = true},
};
static const char *const no[] = {"no"};
static const char *const not_met[] = {"not_met"};

static struct criterion criteria[5];
static struct standard standard;
static struct judgement judgement;
static struct objections objections;
static struct measurement measured[5];

static struct criterion criterion(const char *id, const char *section, double weight,
                                  enum answer_scale scale)
{
    return (struct criterion){.criterion_id = id,
                              .section = section,
                              .title = id,
                              .description = "",
                              .example_good = "",
                              .example_bad = "",
                              .condition_id = "",
                              .metric = "",
                              .kind = CRITERION_OBSERVED,
                              .weight = weight,
                              .scale = scale};
}

static int begin(void **state)
{
    (void)state;
    criteria[WAIT] = criterion("wait", "speed", 100, SCALE_UNKNOWN);
    criteria[WAIT].kind = CRITERION_MEASURED;
    criteria[GREETED] = criterion("greeted", "word", 20, SCALE_YES_NO);
    criteria[TONE] = criterion("tone", "word", 40, SCALE_CHOICE);
    criteria[TONE].choices = tones;
    criteria[TONE].choice_count = 3;
    criteria[CARE] = criterion("care", "word", 30, SCALE_RANGE);
    criteria[CARE].scale_max = 10;
    criteria[CARE].not_applicable_allowed = true;
    criteria[SORRY] = criterion("sorry", "word", 10, SCALE_YES_NO);
    standard = (struct standard){
        .standard_id = "s", .title = "S", .criteria = criteria, .criterion_count = 5};
    memset(measured, 0, sizeof(measured));
    measured[WAIT] = (struct measurement){.applies = true, .actual = 7, .met = true};
    objections = (struct objections){0};
    return 0;
}

static struct answer answer(const char *criterion_id, const char *text)
{
    return (struct answer){.criterion_id = criterion_id, .answer = text, .comment = ""};
}

static void judge(const struct answer *answers, size_t count)
{
    answers_judge(&standard, measured, answers, count, &judgement);
}

static void missing(const struct answer *answers, size_t count)
{
    judge(answers, count);
    objections = (struct objections){0};
    answers_missing(&standard, &judgement, &objections);
}

static void assert_objection(size_t index, const char *field, const char *word)
{
    assert_true(index < objections.count);
    assert_string_equal(objections.items[index].field, field);
    if (strstr(objections.items[index].detail, word) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", objections.items[index].detail, word);
    }
}

/* --- what counts --- */

static void every_scale_counts_by_its_share_of_the_best(void **state)
{
    struct answer answers[] = {answer("greeted", "yes"), answer("tone", "polite"),
                               answer("care", "5"), answer("sorry", "no")};

    (void)state;
    judge(answers, 4);
    /* (100 + 20 + 40 x 3/4 + 30 x 5/10 + 0) of 200 */
    assert_near(judgement.score.raw, 82.5);
    assert_near(judgement.criteria[TONE].points, 3.0);
    assert_near(judgement.criteria[TONE].points_possible, 4.0);
    assert_near(judgement.criteria[CARE].points, 5.0);
    assert_near(judgement.criteria[CARE].points_possible, 10.0);
    assert_true(judgement.criteria[GREETED].met);
    assert_false(judgement.criteria[TONE].met);
    assert_string_equal(judgement.criteria[WAIT].answer, "met");
    assert_true(judgement.criteria[WAIT].has_actual);
    assert_near(judgement.criteria[WAIT].actual, 7.0);
}

static void what_nobody_answered_leaves_both_sums(void **state)
{
    (void)state;
    judge(NULL, 0);
    assert_near(judgement.score.raw, 100.0);
    for (size_t i = GREETED; i <= SORRY; i++) {
        assert_false(judgement.criteria[i].applies);
        assert_true(judgement.criteria[i].is_asked);
        assert_string_equal(judgement.criteria[i].answer, "");
    }
    answers_judge(&standard, NULL, NULL, 0, &judgement);
    assert_false(judgement.score.is_known);
    assert_string_equal(judgement.criteria[WAIT].answer, "n/a");
}

static void not_applicable_leaves_both_sums(void **state)
{
    struct answer answers[] = {answer("greeted", "no"), answer("care", "n/a")};

    (void)state;
    judge(answers, 2);
    assert_near(judgement.score.raw, 100.0 * 100 / 120);
    assert_false(judgement.criteria[CARE].applies);
    assert_string_equal(judgement.criteria[CARE].answer, "n/a");
    answers[1].answer = "0";
    judge(answers, 2);
    assert_near(judgement.score.raw, 100.0 * 100 / 150);
}

static void an_answer_says_what_is_brilliant_and_what_unacceptable(void **state)
{
    struct answer answers[] = {answer("greeted", "no"), answer("tone", "warm"),
                               answer("care", "9")};

    (void)state;
    criteria[GREETED].unacceptable = true;
    criteria[CARE].has_wow_at = criteria[CARE].has_unacceptable_at = true;
    criteria[CARE].wow_at = 9;
    criteria[CARE].unacceptable_at = 2;
    judge(answers, 3);
    assert_true(judgement.criteria[GREETED].unacceptable);
    assert_true(judgement.criteria[TONE].wow);
    assert_true(judgement.criteria[CARE].wow);
    assert_false(judgement.criteria[CARE].unacceptable);
    assert_int_equal(judgement.score.wow_count, 2);
    answers[0].answer = "yes";
    answers[1].answer = "cold";
    answers[2].answer = "2";
    judge(answers, 3);
    assert_false(judgement.criteria[GREETED].unacceptable);
    assert_true(judgement.criteria[TONE].unacceptable);
    assert_false(judgement.criteria[TONE].wow);
    assert_true(judgement.criteria[CARE].unacceptable);
    answers[0].answer = "no";
    answers[2].answer = "8";
    criteria[GREETED].unacceptable = false;
    judge(answers, 3);
    assert_false(judgement.criteria[GREETED].unacceptable);
    assert_false(judgement.criteria[CARE].wow);
    answers[2].answer = "3";
    judge(answers, 3);
    assert_false(judgement.criteria[CARE].unacceptable);
}

static void what_was_measured_may_be_unacceptable_too(void **state)
{
    (void)state;
    criteria[WAIT].unacceptable = true;
    measured[WAIT].wow = true;
    judge(NULL, 0);
    assert_false(judgement.criteria[WAIT].unacceptable);
    assert_true(judgement.criteria[WAIT].wow);
    measured[WAIT].met = measured[WAIT].wow = false;
    judge(NULL, 0);
    assert_true(judgement.criteria[WAIT].unacceptable);
    assert_string_equal(judgement.criteria[WAIT].answer, "not_met");
}

static void a_fatal_answer_below_its_best_names_itself(void **state)
{
    struct answer answers[] = {answer("tone", "polite"), answer("greeted", "yes")};

    (void)state;
    criteria[TONE].fatal = FATAL_WHOLE;
    criteria[GREETED].fatal = FATAL_SECTION;
    judge(answers, 2);
    assert_near(judgement.score.raw, 100.0 * 150 / 160);
    assert_near(judgement.score.final, 0.0);
    assert_true(judgement.criteria[TONE].fatal_failed);
    assert_false(judgement.criteria[GREETED].fatal_failed);
    assert_int_equal(judgement.score.fatal_count, 1);
    assert_int_equal(judgement.score.fatal_items[0], TONE);
    answers[0].answer = "warm";
    judge(answers, 2);
    assert_near(judgement.score.final, 100.0);
    answers[1].answer = "no"; /* takes its section, and leaves the other one */
    judge(answers, 2);
    assert_near(judgement.score.final, 100.0 * 100 / 160);
}

static void critical_answers_have_a_score_of_their_own(void **state)
{
    struct answer answers[] = {answer("greeted", "no"), answer("tone", "polite")};

    (void)state;
    criteria[TONE].critical = true;
    judge(answers, 2);
    assert_true(judgement.score.is_critical_known);
    assert_near(judgement.score.critical, 75.0);
}

static void nobody_answered_is_no_fatal_failure(void **state)
{
    (void)state;
    criteria[TONE].fatal = FATAL_WHOLE;
    judge(NULL, 0);
    assert_near(judgement.score.final, 100.0);
    assert_false(judgement.criteria[TONE].fatal_failed);
}

/* --- conditions --- */

static void what_is_not_asked_does_not_count(void **state)
{
    struct answer answers[] = {answer("greeted", "yes"), answer("sorry", "no")};

    (void)state;
    criteria[SORRY].condition_id = "greeted";
    criteria[SORRY].condition_answers = no;
    criteria[SORRY].condition_answer_count = 1;
    judge(answers, 2);
    assert_false(judgement.criteria[SORRY].is_asked);
    assert_false(judgement.criteria[SORRY].applies);
    assert_string_equal(judgement.criteria[SORRY].answer, "");
    assert_near(judgement.score.raw, 100.0);
    answers[0].answer = "no";
    judge(answers, 2);
    assert_true(judgement.criteria[SORRY].is_asked);
    assert_near(judgement.score.raw, 100.0 * 100 / 130);
    answers[0].answer = "";
    judge(answers, 2);
    assert_false(judgement.criteria[SORRY].is_asked); /* nobody knows yet */
}

static void what_hangs_on_something_not_asked_is_not_asked(void **state)
{
    struct answer answers[] = {answer("greeted", "yes"), answer("care", "3"),
                               answer("sorry", "yes")};
    static const char *const three[] = {"2", "3"};

    (void)state;
    criteria[CARE].condition_id = "greeted";
    criteria[CARE].condition_answers = no;
    criteria[CARE].condition_answer_count = 1;
    criteria[SORRY].condition_id = "care";
    criteria[SORRY].condition_answers = three;
    criteria[SORRY].condition_answer_count = 2;
    judge(answers, 3);
    assert_false(judgement.criteria[CARE].is_asked);
    assert_false(judgement.criteria[SORRY].is_asked);
    answers[0].answer = "no";
    judge(answers, 3);
    assert_true(judgement.criteria[SORRY].is_asked);
}

static void a_condition_may_hang_on_what_was_measured(void **state)
{
    struct answer answers[] = {answer("sorry", "yes")};

    (void)state;
    criteria[SORRY].condition_id = "wait";
    criteria[SORRY].condition_answers = not_met;
    criteria[SORRY].condition_answer_count = 1;
    judge(answers, 1);
    assert_false(judgement.criteria[SORRY].is_asked);
    measured[WAIT].met = false;
    judge(answers, 1);
    assert_true(judgement.criteria[SORRY].is_asked);
    measured[WAIT].applies = false;
    judge(answers, 1);
    assert_false(judgement.criteria[SORRY].is_asked);
}

static void a_condition_looks_back_only(void **state)
{
    struct answer answers[] = {answer("greeted", "yes"), answer("sorry", "no")};

    (void)state;
    criteria[GREETED].condition_id = "sorry";
    criteria[GREETED].condition_answers = no;
    criteria[GREETED].condition_answer_count = 1;
    judge(answers, 2);
    assert_false(judgement.criteria[GREETED].is_asked);
}

/* --- objections --- */

static void what_was_asked_has_to_be_answered(void **state)
{
    struct answer answers[] = {answer("greeted", "yes"), answer("tone", "warm"),
                               answer("care", "n/a"), answer("sorry", "yes")};

    (void)state;
    missing(answers, 4);
    assert_int_equal(objections.total, 0);
    answers[1].answer = "";
    missing(answers, 3);
    assert_int_equal(objections.total, 2);
    assert_objection(0, "answers.tone.answer", "\"tone\" has no answer yet");
    assert_objection(1, "answers.sorry.answer", "no answer");
    criteria[SORRY].condition_id = "greeted";
    criteria[SORRY].condition_answers = no;
    criteria[SORRY].condition_answer_count = 1;
    missing(answers, 3);
    assert_int_equal(objections.total, 1);
}

static void some_answers_need_a_comment(void **state)
{
    struct answer answers[] = {answer("greeted", "no"), answer("tone", "cold"), answer("care", "4"),
                               answer("sorry", "no")};

    (void)state;
    criteria[GREETED].has_comment_below = criteria[CARE].has_comment_below = true;
    criteria[GREETED].comment_below = 100;
    criteria[CARE].comment_below = 50;
    answers[0].comment = "  ";
    missing(answers, 4);
    assert_int_equal(objections.total, 3);
    assert_objection(0, "answers.greeted.comment", "needs a comment");
    assert_objection(1, "answers.tone.comment", "\"tone\"");
    assert_objection(2, "answers.care.comment", "comment");
    answers[0].comment = answers[1].comment = "Because.";
    answers[2].answer = "5";
    missing(answers, 4);
    assert_int_equal(objections.total, 0);
    assert_string_equal(judgement.criteria[GREETED].comment, "Because.");
    answers[2].answer = "n/a";
    missing(answers, 4);
    assert_int_equal(objections.total, 0);
}

static void check(const struct answer *answers, size_t count)
{
    objections = (struct objections){0};
    answers_check(&standard, answers, count, &objections);
}

static void an_answer_that_cannot_be_is_refused(void **state)
{
    struct answer answers[] = {answer("greeted", "maybe"), answer("tone", "nice"),
                               answer("care", "11"), answer("sorry", "n/a")};

    (void)state;
    check(answers, 4);
    assert_int_equal(objections.total, 4);
    assert_objection(0, "answers[0].answer", "none of");
    assert_objection(1, "answers[1].answer", "none of");
    assert_objection(2, "answers[2].answer", "none of");
    assert_objection(3, "answers[3].answer", "Not applicable");
    for (size_t i = 0; i < 4; i++) {
        answers[i].answer = "";
    }
    check(answers, 4);
    assert_int_equal(objections.total, 0);
}

static void an_answer_to_nothing_is_refused(void **state)
{
    static char text[ANSWER_COMMENT_BYTES_MAX + 2];
    struct answer answers[] = {answer("greeted", "yes"), answer("nothing", "yes"),
                               answer("wait", "met"), answer("greeted", "no")};

    (void)state;
    check(answers, 4);
    assert_int_equal(objections.total, 3);
    assert_objection(0, "answers[1].criterion_id", "no such");
    assert_objection(1, "answers[2].criterion_id", "measured");
    assert_objection(2, "answers[3].criterion_id", "already");
    memset(text, 'a', sizeof(text) - 1);
    answers[0].comment = text;
    check(answers, 1);
    assert_objection(0, "answers[0].comment", "4000");
    text[ANSWER_COMMENT_BYTES_MAX] = '\0';
    check(answers, 1);
    assert_int_equal(objections.total, 0);
}

static void a_number_is_written_in_one_way(void **state)
{
    static const struct {
        const char *text;
        bool is_possible;
    } rows[] = {{"0", true},   {"10", true},  {"11", false}, {"", false},
                {"05", false}, {"00", false}, {"-1", false}, {"1.0", false},
                {" 1", false}, {"1 ", false}, {"9x", false}, {"4294967297", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(answer_is_possible(&criteria[CARE], rows[i].text), rows[i].is_possible);
    }
}

static void the_best_answer_is_known(void **state)
{
    (void)state;
    assert_near(answer_best(&criteria[WAIT]), 1.0);
    assert_near(answer_best(&criteria[GREETED]), 1.0);
    assert_near(answer_best(&criteria[TONE]), 4.0);
    assert_near(answer_best(&criteria[CARE]), 10.0);
    assert_near(answer_points(&criteria[TONE], "polite"), 3.0);
    assert_near(answer_points(&criteria[WAIT], "met"), 1.0);
    assert_near(answer_points(&criteria[WAIT], "not_met"), 0.0);
}

/* --- properties --- */

static unsigned int seed = 20260312;

static const char *random_answer(size_t index)
{
    static const char *const all[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};

    switch (index) {
    case TONE:
        return tones[rand_r(&seed) % 3].choice_id;
    case CARE:
        return all[rand_r(&seed) % 11];
    default:
        return rand_r(&seed) % 2 == 0 ? "yes" : "no";
    }
}

static void random_answers(struct answer answers[4])
{
    for (size_t i = 0; i < 4; i++) {
        answers[i] = answer(criteria[GREETED + i].criterion_id, random_answer(GREETED + i));
        if (rand_r(&seed) % 5 == 0) {
            answers[i].answer = "";
        }
        criteria[GREETED + i].fatal = (enum fatal_scope)(rand_r(&seed) % 3);
        criteria[GREETED + i].critical = rand_r(&seed) % 2 == 0;
    }
    measured[WAIT].applies = rand_r(&seed) % 3 != 0;
    measured[WAIT].met = rand_r(&seed) % 2 == 0;
}

static void the_order_of_answers_says_nothing(void **state)
{
    static struct judgement before;

    (void)state;
    for (int round = 0; round < 1000; round++) {
        struct answer answers[4], turned[4];

        random_answers(answers);
        for (size_t i = 0; i < 4; i++) {
            turned[i] = answers[3 - i];
        }
        memset(&before, 0, sizeof(before));
        memset(&judgement, 0, sizeof(judgement));
        answers_judge(&standard, measured, answers, 4, &before);
        judge(turned, 4);
        assert_memory_equal(&before, &judgement, sizeof(before));
    }
}

static void a_better_answer_never_lowers_a_score(void **state)
{
    static struct judgement before;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct answer answers[4];
        size_t raised = (size_t)rand_r(&seed) % 4;
        const char *better;

        random_answers(answers);
        better = random_answer(GREETED + raised);
        if (answers[raised].answer[0] == '\0' ||
            answer_points(&criteria[GREETED + raised], better) <
                answer_points(&criteria[GREETED + raised], answers[raised].answer)) {
            continue;
        }
        answers_judge(&standard, measured, answers, 4, &before);
        answers[raised].answer = better;
        judge(answers, 4);
        assert_true(judgement.score.raw >= before.score.raw);
        assert_true(judgement.score.final >= before.score.final);
        assert_true(judgement.score.critical >= before.score.critical);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_scale_counts_by_its_share_of_the_best, begin),
        cmocka_unit_test_setup(what_nobody_answered_leaves_both_sums, begin),
        cmocka_unit_test_setup(not_applicable_leaves_both_sums, begin),
        cmocka_unit_test_setup(an_answer_says_what_is_brilliant_and_what_unacceptable, begin),
        cmocka_unit_test_setup(what_was_measured_may_be_unacceptable_too, begin),
        cmocka_unit_test_setup(a_fatal_answer_below_its_best_names_itself, begin),
        cmocka_unit_test_setup(critical_answers_have_a_score_of_their_own, begin),
        cmocka_unit_test_setup(nobody_answered_is_no_fatal_failure, begin),
        cmocka_unit_test_setup(what_is_not_asked_does_not_count, begin),
        cmocka_unit_test_setup(what_hangs_on_something_not_asked_is_not_asked, begin),
        cmocka_unit_test_setup(a_condition_may_hang_on_what_was_measured, begin),
        cmocka_unit_test_setup(a_condition_looks_back_only, begin),
        cmocka_unit_test_setup(what_was_asked_has_to_be_answered, begin),
        cmocka_unit_test_setup(some_answers_need_a_comment, begin),
        cmocka_unit_test_setup(an_answer_that_cannot_be_is_refused, begin),
        cmocka_unit_test_setup(an_answer_to_nothing_is_refused, begin),
        cmocka_unit_test_setup(a_number_is_written_in_one_way, begin),
        cmocka_unit_test_setup(the_best_answer_is_known, begin),
        cmocka_unit_test_setup(the_order_of_answers_says_nothing, begin),
        cmocka_unit_test_setup(a_better_answer_never_lowers_a_score, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
