/* The scoring function: the vectors of features.md 2.12 to 2.15, and what has to hold for all. */
#include "feedback/rules/score.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double actual, double expected)
{
    if (fabs(actual - expected) > 0.005) {
        fail_msg("%f is not %f", actual, expected);
    }
}

static struct score_item item(double weight, double earned, double possible)
{
    return (struct score_item){.weight = weight, .earned = earned, .possible = possible};
}

static void vector_2_12_weighted_points_give_sixty(void **state)
{
    struct score_item items[] = {item(40, 1, 2), item(20, 1, 1)};
    struct score result;

    (void)state;
    score(items, 2, &result);
    assert_true(result.is_known);
    assert_near(result.raw, 60.0);
    assert_near(result.final, 60.0);
    assert_false(result.is_critical_known);
}

static void vector_2_12_not_applicable_leaves_both_sums(void **state)
{
    struct score_item items[] = {item(40, 1, 1), item(30, 0, 1), item(30, 1, 1)};
    struct score result;

    (void)state;
    items[2].not_applicable = true;
    score(items, 3, &result);
    assert_near(result.raw, 57.14); /* and not 55, as where the freed weight is split equally */
}

static void vector_2_13_one_fatal_item_makes_the_whole_nothing(void **state)
{
    struct score_item items[] = {item(50, 1, 2), item(50, 1, 1)};
    struct score result;

    (void)state;
    items[0].fatal = FATAL_WHOLE; /* half of its best answer is not its best answer */
    score(items, 2, &result);
    assert_near(result.raw, 66.67);
    assert_near(result.final, 0.0);
    assert_int_equal(result.fatal_count, 1);
    assert_int_equal(result.fatal_items[0], 0);
}

static void vector_2_13_a_fatal_item_at_its_best_does_nothing(void **state)
{
    struct score_item items[] = {item(50, 2, 2), item(50, 0, 1)};
    struct score result;

    (void)state;
    items[0].fatal = FATAL_WHOLE;
    score(items, 2, &result);
    assert_near(result.final, 66.67);
    assert_int_equal(result.fatal_count, 0);
}

static void vector_2_13_a_fatal_item_may_take_its_section_alone(void **state)
{
    struct score_item items[] = {item(50, 0, 1), item(50, 1, 1), item(60, 1, 1), item(40, 1, 1)};
    struct score result;

    (void)state;
    items[2].section = items[3].section = 1;
    items[0].fatal = FATAL_SECTION;
    score(items, 4, &result);
    assert_near(result.raw, 75.0);
    assert_near(result.final, 50.0);
}

static void vector_2_13_a_fatal_item_that_does_not_apply_is_no_failure(void **state)
{
    struct score_item items[] = {item(50, 0, 1), item(50, 1, 1)};
    struct score result;

    (void)state;
    items[0].fatal = FATAL_WHOLE;
    items[0].not_applicable = true;
    score(items, 2, &result);
    assert_near(result.final, 100.0);
}

static void vector_2_14_the_critical_score_is_over_critical_items_alone(void **state)
{
    struct score_item items[] = {item(60, 1, 1), item(30, 0, 1), item(10, 1, 1)};
    struct score result;

    (void)state;
    items[1].critical = items[2].critical = true;
    score(items, 3, &result);
    assert_near(result.raw, 70.0);
    assert_true(result.is_critical_known);
    assert_near(result.critical, 25.0);
}

static void vector_2_15_nothing_applicable_is_unknown(void **state)
{
    struct score_item items[] = {item(60, 1, 1), item(40, 0, 1)};
    struct score result;

    (void)state;
    items[0].not_applicable = items[1].not_applicable = true;
    items[0].critical = true;
    score(items, 2, &result);
    assert_false(result.is_known);
    assert_false(result.is_critical_known);
    score(items, 0, &result);
    assert_false(result.is_known);
}

static void wow_items_are_named(void **state)
{
    struct score_item items[] = {item(60, 1, 1), item(40, 1, 1), item(0, 1, 1)};
    struct score result;

    (void)state;
    items[1].wow = items[2].wow = true;
    items[2].not_applicable = true;
    score(items, 3, &result);
    assert_int_equal(result.wow_count, 1);
    assert_int_equal(result.wow_items[0], 1);
}

/* --- properties --- */

static unsigned int seed = 20260302;

static double random_share(void)
{
    return (double)rand_r(&seed) / RAND_MAX;
}

static size_t random_items(struct score_item *items)
{
    size_t count = 1 + (size_t)rand_r(&seed) % 20;

    for (size_t i = 0; i < count; i++) {
        double possible = 1.0 + rand_r(&seed) % 5;

        items[i] = item(rand_r(&seed) % 101, possible * random_share(), possible);
        if (rand_r(&seed) % 2 == 0) {
            items[i].earned = possible;
        }
        items[i].section = (uint32_t)rand_r(&seed) % 3;
        items[i].fatal =
            rand_r(&seed) % 4 == 0 ? (enum fatal_scope)(rand_r(&seed) % 3) : FATAL_NONE;
        items[i].critical = rand_r(&seed) % 3 == 0;
        items[i].not_applicable = rand_r(&seed) % 4 == 0;
    }
    return count;
}

static void shuffle(struct score_item *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)rand_r(&seed) % i;
        struct score_item swapped = items[i - 1];

        items[i - 1] = items[other];
        items[other] = swapped;
    }
}

static void the_order_of_items_says_nothing(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct score_item items[20];
        size_t count = random_items(items);
        struct score before, after;

        score(items, count, &before);
        shuffle(items, count);
        score(items, count, &after);
        assert_int_equal(before.is_known, after.is_known);
        assert_int_equal(before.is_critical_known, after.is_critical_known);
        assert_int_equal(before.fatal_count, after.fatal_count);
        assert_near(after.raw, before.raw);
        assert_near(after.final, before.final);
        assert_near(after.critical, before.critical);
    }
}

static void scores_are_within_bounds_and_final_never_above_raw(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct score_item items[20];
        size_t count = random_items(items);
        struct score result;

        for (size_t i = 0; i < count; i++) {
            items[i].weight *= random_share(); /* what rounds */
            items[i].earned = round % 2 == 0 ? items[i].possible : items[i].earned;
        }
        score(items, count, &result);
        assert_true(result.raw >= 0.0 && result.raw <= 100.0);
        assert_true(result.final >= 0.0 && result.final <= result.raw);
        assert_true(result.critical >= 0.0 && result.critical <= 100.0);
    }
}

static void taking_an_item_away_equals_not_applicable(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct score_item items[20];
        size_t count = random_items(items);
        struct score with, without;

        items[count - 1].not_applicable = true;
        score(items, count, &with);
        score(items, count - 1, &without);
        assert_int_equal(with.is_known, without.is_known);
        assert_near(with.raw, without.raw);
        assert_near(with.final, without.final);
        assert_near(with.critical, without.critical);
    }
}

static void an_item_that_does_not_apply_changes_nothing(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct score_item items[21];
        size_t count = random_items(items);
        struct score before, after;

        score(items, count, &before);
        items[count] = item(1 + rand_r(&seed) % 100, 0, 1);
        items[count].not_applicable = true;
        items[count].fatal = FATAL_WHOLE;
        items[count].critical = items[count].wow = true;
        score(items, count + 1, &after);
        assert_memory_equal(&before, &after, sizeof(before));
    }
}

static void a_better_answer_never_lowers_a_score(void **state)
{
    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct score_item items[20];
        size_t count = random_items(items), raised = (size_t)rand_r(&seed) % count;
        struct score before, after;

        score(items, count, &before);
        items[raised].earned += (items[raised].possible - items[raised].earned) * random_share();
        if (rand_r(&seed) % 2 == 0) {
            items[raised].earned = items[raised].possible;
        }
        score(items, count, &after);
        assert_true(after.raw >= before.raw);
        assert_true(after.final >= before.final);
        assert_true(after.critical >= before.critical);
        assert_true(after.fatal_count <= before.fatal_count);
    }
}

static void a_failed_fatal_item_of_the_whole_leaves_nothing(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct score_item items[20];
        size_t count = random_items(items), failed = (size_t)rand_r(&seed) % count;
        struct score before, after;

        items[failed].not_applicable = false;
        items[failed].fatal = FATAL_NONE;
        items[failed].earned = items[failed].possible * 0.99;
        score(items, count, &before);
        items[failed].fatal = FATAL_WHOLE;
        score(items, count, &after);
        assert_true(!after.is_known || after.final <= 0.0);
        assert_true(fabs(after.raw - before.raw) <= 0.0);
        assert_int_equal(after.fatal_count, before.fatal_count + 1);
    }
}

static void the_critical_score_is_the_score_of_the_critical_items(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct score_item items[20], critical[20];
        size_t count = random_items(items), critical_count = 0;
        struct score all, alone;

        for (size_t i = 0; i < count; i++) {
            if (items[i].critical) {
                critical[critical_count++] = items[i];
            }
        }
        score(items, count, &all);
        score(critical, critical_count, &alone);
        assert_int_equal(all.is_critical_known, alone.is_known);
        assert_true(fabs(all.critical - alone.raw) <= 0.0);
    }
}

static void a_section_that_is_lost_takes_what_it_earned_and_no_more(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct score_item items[20];
        size_t count = random_items(items);
        struct score result, emptied;

        for (size_t i = 0; i < count; i++) {
            items[i].fatal = FATAL_NONE;
        }
        items[0].fatal = FATAL_SECTION;
        items[0].earned = 0.0;
        items[0].not_applicable = false;
        score(items, count, &result);
        for (size_t i = 0; i < count; i++) {
            if (items[i].section == items[0].section) {
                items[i].earned = 0.0;
            }
        }
        score(items, count, &emptied);
        assert_near(result.final, emptied.raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector_2_12_weighted_points_give_sixty),
        cmocka_unit_test(vector_2_12_not_applicable_leaves_both_sums),
        cmocka_unit_test(vector_2_13_one_fatal_item_makes_the_whole_nothing),
        cmocka_unit_test(vector_2_13_a_fatal_item_at_its_best_does_nothing),
        cmocka_unit_test(vector_2_13_a_fatal_item_may_take_its_section_alone),
        cmocka_unit_test(vector_2_13_a_fatal_item_that_does_not_apply_is_no_failure),
        cmocka_unit_test(vector_2_14_the_critical_score_is_over_critical_items_alone),
        cmocka_unit_test(vector_2_15_nothing_applicable_is_unknown),
        cmocka_unit_test(wow_items_are_named),
        cmocka_unit_test(the_order_of_items_says_nothing),
        cmocka_unit_test(scores_are_within_bounds_and_final_never_above_raw),
        cmocka_unit_test(taking_an_item_away_equals_not_applicable),
        cmocka_unit_test(an_item_that_does_not_apply_changes_nothing),
        cmocka_unit_test(a_better_answer_never_lowers_a_score),
        cmocka_unit_test(a_failed_fatal_item_of_the_whole_leaves_nothing),
        cmocka_unit_test(the_critical_score_is_the_score_of_the_critical_items),
        cmocka_unit_test(a_section_that_is_lost_takes_what_it_earned_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
