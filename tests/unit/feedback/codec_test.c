/* Moments, standards and evaluations between protobuf and plain structs. */
#include "feedback/codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOMENT_ID "01890a5d-ac96-774b-bcce-b302099a8057"

static void *deep(const void *message)
{
    ProtobufCMessage *copy = NULL;

    assert_int_equal(codec_copy(message, &copy), 0);
    return copy;
}

static Moment__V1__Moment *a_moment(const char *id)
{
    Moment__V1__Moment moment;
    Moment__V1__Visit visit, *visits[] = {&visit};

    moment__v1__visit__init(&visit);
    visit.queue = (char *)(uintptr_t) "sales";
    visit.entered_at = 1000;
    visit.answered_at = 3000;
    visit.wait_known_case = MOMENT__V1__VISIT__WAIT_KNOWN_WAIT_MS;
    visit.wait_ms = 2000;
    moment__v1__moment__init(&moment);
    moment.moment_id = (char *)(uintptr_t)id;
    moment.site = (char *)(uintptr_t) "main";
    moment.queue = visit.queue;
    moment.agent = (char *)(uintptr_t) "Alice";
    moment.revision = 4;
    moment.state = MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED;
    moment.ended_at = 9000;
    moment.wait_known_case = MOMENT__V1__MOMENT__WAIT_KNOWN_WAIT_MS;
    moment.wait_ms = 2000;
    moment.n_visits = 1;
    moment.visits = visits;
    return deep(&moment);
}

static struct snapshot snapshot_of(const char *id)
{
    Moment__V1__Moment *message = a_moment(id);
    struct snapshot snapshot = {0};

    assert_int_equal(codec_snapshot(&message, 8000, &snapshot), 0);
    assert_null(message);
    return snapshot;
}

static void an_unknown_duration_is_minus_one_and_never_four_billion(void **state)
{
    struct snapshot snapshot = snapshot_of(MOMENT_ID);

    (void)state;
    assert_int_equal(snapshot.plain.wait_ms, 2000);
    assert_int_equal(snapshot.plain.talk_ms, -1);
    assert_int_equal(snapshot.plain.hold_count, -1);
    assert_int_equal(snapshot.visits[0].wait_ms, 2000);
    assert_int_equal(snapshot.visits[0].ring_ms, -1);
    assert_int_equal(snapshot.visits[0].hold_longest_ms, -1);
    assert_false(snapshot.plain.has_csat);
    assert_int_equal(snapshot.plain.changed_at, 8000);
    assert_string_equal(snapshot.plain.visits[0].queue, "sales");
    codec_snapshot_done(&snapshot);
    codec_snapshot_done(&snapshot);
}

static void a_moment_id_that_is_no_uuid_is_refused(void **state)
{
    Moment__V1__Moment *message = a_moment("moment-1");
    struct snapshot snapshot;

    (void)state;
    assert_int_equal(codec_snapshot(&message, 0, &snapshot), -EBADMSG);
    assert_null(message);
}

static void a_moment_is_over_by_state_or_by_outcome(void **state)
{
    struct snapshot snapshot = snapshot_of(MOMENT_ID);

    (void)state;
    assert_true(codec_is_ended(&snapshot));
    snapshot.plain.state = STATE_TALKING;
    assert_false(codec_is_ended(&snapshot));
    snapshot.plain.outcome = OUTCOME_ABANDONED;
    assert_true(codec_is_ended(&snapshot));
    assert_false(codec_is_merged(&snapshot));
    codec_snapshot_done(&snapshot);
}

/* --- evaluations --- */

static struct held_standard a_standard(void)
{
    Moment__V1__Criterion wait, csat, *criteria[] = {&wait, &csat};
    Moment__V1__StandardScope scope;
    Moment__V1__Standard standard, *message;
    char *queues[] = {(char *)(uintptr_t) "sales"};
    struct held_standard held;

    moment__v1__criterion__init(&wait);
    wait.criterion_id = (char *)(uintptr_t) "wait";
    wait.section = (char *)(uintptr_t) "speed";
    wait.kind = MOMENT__V1__CRITERION_KIND__CRITERION_KIND_MEASURED;
    wait.weight = 100;
    wait.metric = (char *)(uintptr_t) "wait_ms";
    wait.comparison = MOMENT__V1__COMPARISON__COMPARISON_AT_MOST;
    wait.value = 20000;
    wait.wow_known_case = MOMENT__V1__CRITERION__WOW_KNOWN_WOW_VALUE;
    wait.wow_value = 3000;
    csat = wait;
    csat.criterion_id = (char *)(uintptr_t) "csat";
    csat.section = (char *)(uintptr_t) "word";
    csat.metric = (char *)(uintptr_t) "csat";
    csat.comparison = MOMENT__V1__COMPARISON__COMPARISON_AT_LEAST;
    csat.value = 4;
    csat.critical = true;
    csat.wow_known_case = MOMENT__V1__CRITERION__WOW_KNOWN__NOT_SET;
    moment__v1__standard_scope__init(&scope);
    scope.n_queues = 1;
    scope.queues = queues;
    moment__v1__standard__init(&standard);
    standard.standard_id = (char *)(uintptr_t) "sales-call";
    standard.version = 3;
    standard.scope = &scope;
    standard.n_criteria = 2;
    standard.criteria = criteria;
    message = deep(&standard);
    assert_int_equal(codec_standard(&message, &held), 0);
    assert_null(message);
    return held;
}

static Moment__V1__Evaluation *evaluate(const struct snapshot *snapshot,
                                        const struct held_standard *standard)
{
    Moment__V1__Evaluation *message = NULL;

    assert_int_equal(
        codec_evaluation(snapshot, standard, &(struct said){.evaluator = "moment"}, &message), 0);
    return message;
}

/* "wait" was disputed and decided; consumes evaluation. */
static Moment__V1__Evaluation *decided(Moment__V1__Evaluation *evaluation, const char *before,
                                       const char *proposed)
{
    Moment__V1__Dispute dispute, *disputes[] = {&dispute};
    ProtobufCMessage *copy;

    moment__v1__dispute__init(&dispute);
    dispute.criterion_id = (char *)(uintptr_t) "wait";
    dispute.answer_before = (char *)(uintptr_t)before;
    dispute.proposed_answer = (char *)(uintptr_t)proposed;
    dispute.state = MOMENT__V1__DISPUTE_STATE__DISPUTE_STATE_ACCEPTED;
    evaluation->n_disputes = 1;
    evaluation->disputes = disputes;
    assert_int_equal(codec_copy(&evaluation->base, &copy), 0);
    evaluation->n_disputes = 0;
    evaluation->disputes = NULL;
    codec_free(&evaluation->base);
    return (Moment__V1__Evaluation *)copy;
}

static Moment__V1__Evaluation *evaluate_again(const struct snapshot *snapshot,
                                              const struct held_standard *standard,
                                              const Moment__V1__Evaluation *last)
{
    Moment__V1__Evaluation *message = NULL;

    assert_int_equal(codec_evaluation(snapshot, standard,
                                      &(struct said){.evaluator = "moment", .last = last},
                                      &message),
                     0);
    return message;
}

static void what_was_decided_outlives_new_facts(void **state)
{
    struct held_standard standard = a_standard();
    struct snapshot snapshot = {.plain = {.moment_id = "m-1", .wait_ms = 30000}};
    Moment__V1__Moment moment;
    Moment__V1__Evaluation *last, *now;

    (void)state;
    moment__v1__moment__init(&moment);
    snapshot.message = &moment;
    last = decided(evaluate(&snapshot, &standard), "not_met", "met");
    now = evaluate_again(&snapshot, &standard, last);
    assert_string_equal(now->results[0]->answer, "met");
    assert_true(now->results[0]->actual >= 30000); /* what was measured is still said */
    assert_true(now->final_score >= 100);
    assert_false(now->disputes[0]->score_kept);
    codec_free(&last->base);
    last = now;
    snapshot.plain.wait_ms = 90000;
    snapshot.plain.has_csat = true;
    snapshot.plain.csat = 5;
    now = evaluate_again(&snapshot, &standard, last);
    assert_string_equal(now->results[0]->answer, "met");
    assert_string_equal(now->results[1]->answer, "met");
    assert_true(now->results[0]->actual < 90000);
    codec_free(&last->base);
    now->disputes[0]->state = MOMENT__V1__DISPUTE_STATE__DISPUTE_STATE_DECLINED;
    last = now;
    snapshot.plain.wait_ms = -1;
    now = evaluate_again(&snapshot, &standard, last);
    assert_string_equal(now->results[0]->answer, "met"); /* as it was when that was decided */
    codec_free(&last->base);
    codec_free(&now->base);
    codec_standard_done(&standard);
}

static void a_score_that_would_fall_is_kept(void **state)
{
    struct held_standard standard = a_standard();
    struct snapshot snapshot = {
        .plain = {.moment_id = "m-1", .wait_ms = 10000, .has_csat = true, .csat = 1}};
    Moment__V1__Moment moment;
    Moment__V1__Evaluation *last, *now;

    (void)state;
    moment__v1__moment__init(&moment);
    snapshot.message = &moment;
    last = decided(evaluate(&snapshot, &standard), "met", "n/a");
    assert_true(last->final_score >= 50 && last->final_score <= 50);
    now = evaluate_again(&snapshot, &standard, last);
    assert_true(now->results[0]->not_applicable);
    assert_true(now->final_score >= 50);
    assert_true(now->disputes[0]->score_kept);
    codec_free(&last->base);
    codec_free(&now->base);
    codec_standard_done(&standard);
}

static void a_standard_is_read_whole(void **state)
{
    struct held_standard standard = a_standard();

    (void)state;
    assert_int_equal(standard.plain.criterion_count, 2);
    assert_int_equal(standard.plain.version, 3);
    assert_int_equal(standard.plain.scope.queue_count, 1);
    assert_int_equal(standard.plain.scope.channel_count, 0);
    assert_true(standard.plain.criteria[0].has_wow);
    assert_false(standard.plain.criteria[1].has_wow);
    assert_true(standard.plain.criteria[1].critical);
    codec_standard_done(&standard);
}

static void what_people_answer_is_read_with_every_limit(void **state)
{
    Moment__V1__Choice cold, warm, *choices[] = {&cold, &warm};
    Moment__V1__Condition condition;
    Moment__V1__Criterion message, *criteria[] = {&message};
    Moment__V1__Standard standard, *copy;
    Moment__V1__StandardScope scope;
    Moment__V1__Direction directions[] = {MOMENT__V1__DIRECTION__DIRECTION_OUTBOUND};
    Moment__V1__Channel channels[] = {MOMENT__V1__CHANNEL__CHANNEL_VOICE};
    char *answers[] = {(char *)(uintptr_t) "no"}, *sites[] = {(char *)(uintptr_t) "lyon"};
    struct held_standard held;
    const struct criterion *read;

    (void)state;
    moment__v1__choice__init(&cold);
    cold.choice_id = (char *)(uintptr_t) "cold";
    cold.unacceptable = cold.comment_required = true;
    moment__v1__choice__init(&warm);
    warm.choice_id = (char *)(uintptr_t) "warm";
    warm.points = 2;
    warm.wow = true;
    moment__v1__condition__init(&condition);
    condition.criterion_id = (char *)(uintptr_t) "before";
    condition.n_answers = 1;
    condition.answers = answers;
    moment__v1__criterion__init(&message);
    message.kind = MOMENT__V1__CRITERION_KIND__CRITERION_KIND_OBSERVED;
    message.scale = MOMENT__V1__ANSWER_SCALE__ANSWER_SCALE_CHOICE;
    message.n_choices = 2;
    message.choices = choices;
    message.condition = &condition;
    message.not_applicable_allowed = message.unacceptable = true;
    message.scale_max = 9;
    message.comment_known_case = MOMENT__V1__CRITERION__COMMENT_KNOWN_COMMENT_BELOW;
    message.comment_below = 50;
    message.wow_scale_known_case = MOMENT__V1__CRITERION__WOW_SCALE_KNOWN_WOW_AT;
    message.wow_at = 8;
    message.unacceptable_scale_known_case =
        MOMENT__V1__CRITERION__UNACCEPTABLE_SCALE_KNOWN_UNACCEPTABLE_AT;
    message.unacceptable_at = 1;
    moment__v1__standard_scope__init(&scope);
    scope.n_directions = scope.n_channels = 1;
    scope.directions = directions;
    scope.channels = channels;
    moment__v1__standard__init(&standard);
    standard.scope = &scope;
    standard.n_criteria = 1;
    standard.criteria = criteria;
    standard.n_canary_sites = 1;
    standard.canary_sites = sites;
    standard.rolled_out_at = 5;
    standard.retired_at = 6;
    copy = deep(&standard);
    assert_int_equal(codec_standard(&copy, &held), 0);
    read = &held.plain.criteria[0];
    assert_int_equal(read->scale, SCALE_CHOICE);
    assert_int_equal(read->choice_count, 2);
    assert_true(read->choices[0].unacceptable && read->choices[0].comment_required);
    assert_true(read->choices[1].wow && !read->choices[1].unacceptable);
    assert_int_equal((int)read->choices[1].points, 2);
    assert_string_equal(read->choices[1].choice_id, "warm");
    assert_string_equal(read->condition_id, "before");
    assert_string_equal(read->condition_answers[0], "no");
    assert_true(read->not_applicable_allowed && read->unacceptable);
    assert_true(read->has_comment_below && read->has_wow_at && read->has_unacceptable_at);
    assert_int_equal((int)read->comment_below, 50);
    assert_int_equal(read->wow_at, 8);
    assert_int_equal(read->unacceptable_at, 1);
    assert_int_equal(read->scale_max, 9);
    assert_int_equal(held.plain.scope.directions[0], 2);
    assert_int_equal(held.plain.scope.channels[0], (int)channels[0]);
    assert_string_equal(held.plain.canary_sites[0], "lyon");
    assert_int_equal(held.plain.rolled_out_at, 5);
    assert_int_equal(held.plain.retired_at, 6);
    codec_standard_done(&held);
}

static void an_evaluation_says_what_was_measured(void **state)
{
    struct snapshot snapshot = snapshot_of(MOMENT_ID);
    struct held_standard standard = a_standard();
    Moment__V1__Evaluation *evaluation = evaluate(&snapshot, &standard);

    (void)state;
    assert_int_equal(evaluation->n_results, 2);
    assert_true(evaluation->results[0]->met);
    assert_true(evaluation->results[0]->wow);
    assert_int_equal((int)evaluation->results[0]->actual, 2000);
    assert_true(evaluation->results[1]->not_applicable);
    assert_int_equal(evaluation->results[1]->actual_known_case, 0);
    assert_int_equal((int)evaluation->final_score, 100);
    assert_int_equal(evaluation->critical_known_case, 0); /* nobody answered: unknown, not 0 */
    assert_string_equal(evaluation->agent, "Alice");
    assert_int_equal(evaluation->moment_revision, 4);
    assert_int_equal(evaluation->standard_version, 3);
    codec_free(&evaluation->base);
    codec_standard_done(&standard);
    codec_snapshot_done(&snapshot);
}

static void the_same_facts_are_the_same_evaluation(void **state)
{
    struct snapshot snapshot = snapshot_of(MOMENT_ID);
    struct held_standard standard = a_standard();
    Moment__V1__Evaluation *first = evaluate(&snapshot, &standard), *second;

    (void)state;
    snapshot.message->revision = 9; /* another event that changed nothing here */
    second = evaluate(&snapshot, &standard);
    assert_string_equal(first->evaluation_id, second->evaluation_id);
    assert_true(codec_is_same_evaluation(first, second));
    codec_free(&second->base);
    snapshot.plain.has_csat = true;
    snapshot.plain.csat = 5;
    second = evaluate(&snapshot, &standard);
    assert_string_equal(first->evaluation_id, second->evaluation_id);
    assert_false(codec_is_same_evaluation(first, second));
    codec_free(&second->base);
    codec_free(&first->base);
    codec_standard_done(&standard);
    codec_snapshot_done(&snapshot);
}

static void every_part_of_a_result_counts(void **state)
{
    struct snapshot snapshot = snapshot_of(MOMENT_ID);
    struct held_standard standard = a_standard();
    Moment__V1__Evaluation *first = evaluate(&snapshot, &standard);
    Moment__V1__Evaluation *other = evaluate(&snapshot, &standard);

    (void)state;
    other->withdrawn = true;
    assert_false(codec_is_same_evaluation(first, other));
    other->withdrawn = false;
    other->results[0]->actual += 1;
    assert_false(codec_is_same_evaluation(first, other));
    other->results[0]->actual -= 1;
    assert_int_equal(codec_set(&other->agent, "Bob"), 0);
    assert_false(codec_is_same_evaluation(first, other));
    assert_int_equal(codec_set(&other->agent, "Alice"), 0);
    assert_true(codec_is_same_evaluation(first, other));
    other->moment_ended_at++;
    assert_false(codec_is_same_evaluation(first, other));
    codec_free(&first->base);
    codec_free(&other->base);
    codec_standard_done(&standard);
    codec_snapshot_done(&snapshot);
}

static void another_version_is_another_evaluation(void **state)
{
    struct snapshot snapshot = snapshot_of(MOMENT_ID);
    struct held_standard standard = a_standard();
    Moment__V1__Evaluation *first = evaluate(&snapshot, &standard), *second;

    (void)state;
    standard.plain.version = 4;
    second = evaluate(&snapshot, &standard);
    assert_string_not_equal(first->evaluation_id, second->evaluation_id);
    codec_free(&first->base);
    codec_free(&second->base);
    codec_standard_done(&standard);
    codec_snapshot_done(&snapshot);
}

static void fields_that_nobody_knows_are_seen_at_any_depth(void **state)
{
    static const uint8_t unknown[] = {0xfa, 0x07, 0x01, 0x41}; /* field 127: "A" */
    uint8_t bytes[8] = {0x32, sizeof(unknown)};                /* criteria */
    Moment__V1__Standard *standard = moment__v1__standard__unpack(NULL, sizeof(unknown), unknown);
    char field[64] = "";

    (void)state;
    assert_non_null(standard);
    assert_true(codec_standard_has_unknown(standard, field, sizeof(field)));
    assert_string_equal(field, "standard");
    codec_free(&standard->base);
    memcpy(bytes + 2, unknown, sizeof(unknown));
    standard = moment__v1__standard__unpack(NULL, 2 + sizeof(unknown), bytes);
    assert_non_null(standard);
    assert_true(codec_standard_has_unknown(standard, field, sizeof(field)));
    assert_string_equal(field, "standard.criteria[0]");
    codec_free(&standard->base);
    standard = moment__v1__standard__unpack(NULL, 0, NULL);
    assert_false(codec_standard_has_unknown(standard, field, sizeof(field)));
    codec_free(&standard->base);
}

static void a_rule_without_a_clear_threshold_clears_at_its_threshold(void **state)
{
    Moment__V1__AlertRule rule, *message;
    struct held_rule held;

    (void)state;
    moment__v1__alert_rule__init(&rule);
    rule.subject = MOMENT__V1__ALERT_SUBJECT__ALERT_SUBJECT_QUEUE_LENGTH;
    rule.threshold = 5;
    rule.cooldown_ms = 1500;
    message = deep(&rule);
    assert_int_equal(codec_rule(&message, &held), 0);
    assert_int_equal((int)held.plain.clear, 5);
    assert_int_equal(held.plain.cooldown_us, 1500000);
    codec_rule_done(&held);
    rule.clear_known_case = MOMENT__V1__ALERT_RULE__CLEAR_KNOWN_CLEAR_THRESHOLD;
    rule.clear_threshold = 3;
    message = deep(&rule);
    assert_int_equal(codec_rule(&message, &held), 0);
    assert_int_equal((int)held.plain.clear, 3);
    codec_rule_done(&held);
    rule.subject = MOMENT__V1__ALERT_SUBJECT__ALERT_SUBJECT_UNSPECIFIED;
    message = deep(&rule);
    assert_int_equal(codec_rule(&message, &held), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_duration_is_minus_one_and_never_four_billion),
        cmocka_unit_test(a_moment_id_that_is_no_uuid_is_refused),
        cmocka_unit_test(a_moment_is_over_by_state_or_by_outcome),
        cmocka_unit_test(what_was_decided_outlives_new_facts),
        cmocka_unit_test(a_score_that_would_fall_is_kept),
        cmocka_unit_test(a_standard_is_read_whole),
        cmocka_unit_test(what_people_answer_is_read_with_every_limit),
        cmocka_unit_test(an_evaluation_says_what_was_measured),
        cmocka_unit_test(the_same_facts_are_the_same_evaluation),
        cmocka_unit_test(every_part_of_a_result_counts),
        cmocka_unit_test(another_version_is_another_evaluation),
        cmocka_unit_test(fields_that_nobody_knows_are_seen_at_any_depth),
        cmocka_unit_test(a_rule_without_a_clear_threshold_clears_at_its_threshold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
