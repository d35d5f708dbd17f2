/* What a coaching session may say, and how it goes on. */
#include "feedback/rules/coaching.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct coaching_content plan(void)
{
    return (struct coaching_content){
        .planned_at = 1, .topic = "Holds", .standard_id = "", .criterion_id = "", .agreement = ""};
}

static void check(const struct coaching_content *content, enum coaching_state state,
                  const char *field)
{
    struct objection objection = {0};
    int error = coaching_check(content, state, "session.", &objection);

    assert_string_equal(objection.field, field);
    assert_int_equal(error, field[0] != '\0' ? -EINVAL : 0);
}

static void a_plan_says_when_and_what_about(void **state)
{
    struct coaching_content content = plan();

    (void)state;
    check(&content, COACHING_PLANNED, "");
    content.topic = "  ";
    check(&content, COACHING_PLANNED, "session.topic");
    content = plan();
    content.planned_at = 0;
    check(&content, COACHING_PLANNED, "session.planned_at");
    content = plan();
    content.moment_count = COACHING_MOMENTS_MAX + 1;
    check(&content, COACHING_PLANNED, "session.moment_ids");
    content = plan();
    content.criterion_id = "holds";
    check(&content, COACHING_PLANNED, "session.criterion_id");
    content.standard_id = "support";
    check(&content, COACHING_PLANNED, "");
    content.agreement = "Ask first.";
    check(&content, COACHING_PLANNED, "session.agreement");
}

static void what_was_agreed_is_bounded(void **state)
{
    struct coaching_action actions[COACHING_ACTIONS_MAX + 1];
    struct coaching_content content = plan();
    char text[COACHING_ACTION_MAX + 2];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[COACHING_ACTION_MAX + 1] = '\0';
    for (size_t i = 0; i < countof(actions); i++) {
        actions[i] = (struct coaching_action){.action_id = "", .text = "Ask first."};
    }
    check(&content, COACHING_HELD, "session.agreement");
    content.agreement = "Ask first.";
    content.actions = actions;
    content.action_count = COACHING_ACTIONS_MAX;
    check(&content, COACHING_HELD, "");
    content.action_count++;
    check(&content, COACHING_HELD, "session.actions");
    content.action_count = 2;
    actions[1].text = text;
    check(&content, COACHING_HELD, "session.actions[1].text");
    actions[1].text = text + 1;
    check(&content, COACHING_HELD, "");
    actions[1].text = "";
    check(&content, COACHING_HELD, "session.actions[1].text");
    actions[1] = (struct coaching_action){.action_id = text, .text = "x"};
    check(&content, COACHING_HELD, "session.actions[1].action_id");
    actions[0].action_id = actions[1].action_id = "1";
    check(&content, COACHING_HELD, "session.actions[1].action_id");
}

static void it_goes_forward_only(void **state)
{
    static const bool may[5][5] = {
        [COACHING_PLANNED] = {[COACHING_HELD] = true, [COACHING_CANCELLED] = true},
        [COACHING_HELD] = {[COACHING_FOLLOWED_UP] = true, [COACHING_CANCELLED] = true},
    };

    (void)state;
    for (int from = 0; from < 5; from++) {
        for (int to = 0; to < 5; to++) {
            assert_int_equal(coaching_may_move((enum coaching_state)from, to), may[from][to]);
        }
    }
    assert_false(coaching_may_move(COACHING_PLANNED, 7));
}

static void a_move_needs_its_words(void **state)
{
    struct coaching_content content = plan();
    struct objection objection;

    (void)state;
    assert_int_equal(coaching_check_move(COACHING_HELD, &content, "", &objection), -EINVAL);
    assert_string_equal(objection.field, "agreement");
    assert_int_equal(coaching_check_move(COACHING_CANCELLED, &content, " ", &objection), -EINVAL);
    assert_string_equal(objection.field, "because");
    assert_int_equal(coaching_check_move(COACHING_CANCELLED, &content, "ill", &objection), 0);
    assert_int_equal(coaching_check_move(COACHING_FOLLOWED_UP, &content, "", &objection), 0);
    content.agreement = "Ask first.";
    assert_int_equal(coaching_check_move(COACHING_HELD, &content, "", &objection), 0);
}

static void another_agreement_is_another_one(void **state)
{
    struct coaching_action a = {.action_id = "1", .text = "Ask", .due_at = 5}, b = a;
    struct coaching_content before = plan(), after = plan();

    (void)state;
    before.actions = &a;
    after.actions = &b;
    before.action_count = after.action_count = 1;
    after.topic = "Something else";
    assert_false(coaching_agrees_otherwise(&before, &after));
    b.due_at = 6;
    assert_true(coaching_agrees_otherwise(&before, &after));
    b = a;
    b.text = "Ask twice";
    assert_true(coaching_agrees_otherwise(&before, &after));
    after.action_count = 0;
    assert_true(coaching_agrees_otherwise(&before, &after));
    before.action_count = 0;
    after.agreement = "x";
    assert_true(coaching_agrees_otherwise(&before, &after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_says_when_and_what_about),
        cmocka_unit_test(what_was_agreed_is_bounded),
        cmocka_unit_test(it_goes_forward_only),
        cmocka_unit_test(a_move_needs_its_words),
        cmocka_unit_test(another_agreement_is_another_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
