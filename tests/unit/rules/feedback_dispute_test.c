/* Who may dispute what, who decides, and that no decision ever lowers a score. */
#include "feedback/rules/dispute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ITEMS 6
#define SEQUENCES 20000

static struct worth share(double value)
{
    return (struct worth){.is_possible = true, .share = value};
}

static const struct worth not_applicable = {.is_possible = true, .not_applicable = true};

static void better_is_nearer_to_the_best_answer(void **state)
{
    struct worth none = share(0), half = share(0.5), best = share(1);

    (void)state;
    assert_true(dispute_is_better(&half, &none));
    assert_true(dispute_is_better(&best, &half));
    assert_false(dispute_is_better(&half, &half));
    assert_false(dispute_is_better(&none, &half));
    assert_false(dispute_is_better(&best, &best));
}

static void not_applicable_is_better_than_all_but_the_best(void **state)
{
    struct worth half = share(0.5), best = share(1);

    (void)state;
    assert_true(dispute_is_better(&not_applicable, &half));
    assert_false(dispute_is_better(&not_applicable, &best));
    assert_true(dispute_is_better(&best, &not_applicable));
    assert_false(dispute_is_better(&half, &not_applicable));
    assert_false(dispute_is_better(&not_applicable, &not_applicable));
}

static struct dispute_wish sound(void)
{
    return (struct dispute_wish){
        .is_theirs = true,
        .now_us = 99,
        .until_us = 100,
        .has_criterion = true,
        .is_answered = true,
        .proposed = share(1),
        .present = share(0),
    };
}

static void assert_wish(const struct dispute_wish *wish, enum dispute_refusal expected)
{
    assert_int_equal(dispute_may_raise(wish), expected);
}

static void a_better_answer_within_the_window_may_be_proposed(void **state)
{
    struct dispute_wish wish = sound();

    (void)state;
    assert_wish(&wish, DISPUTE_GRANTED);
}

static void each_reason_against_is_named(void **state)
{
    struct dispute_wish wish;

    (void)state;
    wish = sound();
    wish.is_theirs = false;
    assert_wish(&wish, DISPUTE_NOT_THEIRS);
    wish = sound();
    wish.has_criterion = false;
    assert_wish(&wish, DISPUTE_NO_CRITERION);
    wish = sound();
    wish.is_answered = false;
    assert_wish(&wish, DISPUTE_NOT_ANSWERED);
    wish = sound();
    wish.is_open = true;
    assert_wish(&wish, DISPUTE_IS_OPEN);
    wish = sound();
    wish.was_decided = true;
    assert_wish(&wish, DISPUTE_WAS_DECIDED);
    wish = sound();
    wish.proposed.is_possible = false;
    assert_wish(&wish, DISPUTE_IMPOSSIBLE);
    wish = sound();
    wish.proposed = share(0);
    assert_wish(&wish, DISPUTE_NOT_BETTER);
}

static void the_window_ends_at_its_first_late_moment(void **state)
{
    struct dispute_wish wish = sound();

    (void)state;
    wish.now_us = wish.until_us;
    assert_wish(&wish, DISPUTE_TOO_LATE);
    wish.until_us = 0; /* evaluated before there were windows */
    assert_wish(&wish, DISPUTE_TOO_LATE);
}

static struct dispute_arbiter outsider(void)
{
    return (struct dispute_arbiter){
        .user_id = "u-arbiter",
        .person_id = "p-arbiter",
        .evaluator = "u-coach",
        .evaluator_person = "p-coach",
        .raised_by = "u-agent",
        .evaluated_person = "p-agent",
    };
}

static void an_outsider_decides(void **state)
{
    struct dispute_arbiter arbiter = outsider();

    (void)state;
    assert_true(dispute_may_decide(&arbiter));
    arbiter.person_id = arbiter.evaluator_person = arbiter.evaluated_person = "";
    assert_true(dispute_may_decide(&arbiter)); /* two who are unknown are not the same */
    arbiter.evaluator = "moment";
    assert_true(dispute_may_decide(&arbiter));
}

static void who_evaluated_or_is_concerned_never_decides(void **state)
{
    struct dispute_arbiter arbiter;

    (void)state;
    arbiter = outsider();
    arbiter.user_id = arbiter.evaluator;
    assert_false(dispute_may_decide(&arbiter));
    arbiter = outsider();
    arbiter.person_id = arbiter.evaluator_person;
    assert_false(dispute_may_decide(&arbiter));
    arbiter = outsider();
    arbiter.user_id = arbiter.raised_by;
    assert_false(dispute_may_decide(&arbiter));
    arbiter = outsider();
    arbiter.person_id = arbiter.evaluated_person;
    assert_false(dispute_may_decide(&arbiter));
}

static void scores_are_kept_up_one_by_one(void **state)
{
    struct score before = {.is_known = true, .raw = 60, .final = 0};
    struct score after = {.is_known = true, .raw = 50, .final = 50};

    (void)state;
    assert_true(dispute_keep_up(&before, &after));
    assert_true(after.raw >= 60 && after.final >= 50);
    after = (struct score){.is_known = true, .raw = 70, .final = 70};
    assert_false(dispute_keep_up(&before, &after));
    assert_true(after.raw >= 70 && after.final >= 70 && !after.is_critical_known);
}

static void what_was_known_stays_known(void **state)
{
    struct score before = {.is_known = true, .raw = 40, .final = 40};
    struct score after = {0};

    (void)state;
    before.is_critical_known = true;
    before.critical = 30;
    assert_true(dispute_keep_up(&before, &after));
    assert_true(after.is_known && after.is_critical_known);
    assert_true(after.raw >= 40 && after.final >= 40 && after.critical >= 30);
    before = (struct score){0};
    after = (struct score){.is_known = true};
    assert_false(dispute_keep_up(&before, &after)); /* nothing is not more than 0 */
    assert_true(after.is_known);
}

static unsigned below(unsigned limit)
{
    return (unsigned)rand() % limit;
}

/* Any change at all, also one that a better answer to another criterion brings about: it is no
 * longer asked, or it is asked and counts as nothing. */
static void change(struct score_item *item)
{
    item->earned = below(4);
    item->not_applicable = below(3) == 0;
}

static void random_item(struct score_item *item)
{
    *item = (struct score_item){
        .weight = below(5) * 10,
        .possible = 3,
        .section = below(2),
        .fatal = below(4) == 0 ? (enum fatal_scope)below(3) : FATAL_NONE,
        .critical = below(3) == 0,
    };
    change(item);
}

static void assert_no_lower(bool was_known, double before, bool is_known, double after)
{
    assert_true(!was_known || (is_known && after >= before));
}

static void no_sequence_of_decisions_lowers_a_score(void **state)
{
    unsigned kept = 0;

    (void)state;
    srand(3);
    for (unsigned i = 0; i < SEQUENCES; i++) {
        struct score_item items[ITEMS];
        struct score before, after;

        for (size_t k = 0; k < ITEMS; k++) {
            random_item(&items[k]);
        }
        score(items, ITEMS, &before);
        for (unsigned decision = 0; decision < ITEMS; decision++) {
            for (unsigned changes = below(3); changes > 0; changes--) {
                change(&items[below(ITEMS)]);
            }
            score(items, ITEMS, &after);
            kept += dispute_keep_up(&before, &after);
            assert_no_lower(before.is_known, before.raw, after.is_known, after.raw);
            assert_no_lower(before.is_known, before.final, after.is_known, after.final);
            assert_no_lower(before.is_critical_known, before.critical, after.is_critical_known,
                            after.critical);
            assert_true(!after.is_known || after.final <= after.raw);
            before = after;
        }
    }
    assert_true(kept > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(better_is_nearer_to_the_best_answer),
        cmocka_unit_test(not_applicable_is_better_than_all_but_the_best),
        cmocka_unit_test(a_better_answer_within_the_window_may_be_proposed),
        cmocka_unit_test(each_reason_against_is_named),
        cmocka_unit_test(the_window_ends_at_its_first_late_moment),
        cmocka_unit_test(an_outsider_decides),
        cmocka_unit_test(who_evaluated_or_is_concerned_never_decides),
        cmocka_unit_test(scores_are_kept_up_one_by_one),
        cmocka_unit_test(what_was_known_stays_known),
        cmocka_unit_test(no_sequence_of_decisions_lowers_a_score),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
