/* What feedback keeps of standards in memory, and what of them may be published again. */
#include "feedback/standards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct feedback feedback;

static int begin(void **state)
{
    (void)state;
    memset(&feedback, 0, sizeof(feedback));
    return 0;
}

static int end(void **state)
{
    (void)state;
    standards_clear(&feedback);
    return 0;
}

static Moment__V1__Standard *standard(const char *id, uint32_t version, const char *queue)
{
    Moment__V1__Criterion criterion, *criteria[] = {&criterion};
    Moment__V1__StandardScope scope;
    Moment__V1__Standard message;
    char *queues[] = {(char *)(uintptr_t)queue};

    moment__v1__criterion__init(&criterion);
    criterion.criterion_id = (char *)(uintptr_t) "wait";
    criterion.title = (char *)(uintptr_t) "Short wait";
    criterion.section = (char *)(uintptr_t) "speed";
    criterion.kind = MOMENT__V1__CRITERION_KIND__CRITERION_KIND_MEASURED;
    criterion.weight = 100;
    criterion.metric = (char *)(uintptr_t) "wait_ms";
    criterion.comparison = MOMENT__V1__COMPARISON__COMPARISON_AT_MOST;
    moment__v1__standard_scope__init(&scope);
    scope.n_queues = 1;
    scope.queues = queues;
    moment__v1__standard__init(&message);
    message.standard_id = (char *)(uintptr_t)id;
    message.version = version;
    message.title = (char *)(uintptr_t)id;
    message.scope = &scope;
    message.n_criteria = 1;
    message.criteria = criteria;
    message.effective_at = 100 * (int64_t)version;
    return (Moment__V1__Standard *)entity_edit(&message.base);
}

static void add(Moment__V1__Standard *message)
{
    assert_int_equal(standards_add(&feedback, &message), 0);
    assert_null(message);
}

static void make_canary(Moment__V1__Standard *message, const char *site)
{
    char *copy = NULL;

    entity_set_text(&copy, site);
    entity_append(&message->n_canary_sites, &message->canary_sites, copy);
}

static void versions_are_found_by_name_and_number(void **state)
{
    (void)state;
    add(standard("sales", 2, "sales"));
    add(standard("sales", 1, "sales"));
    add(standard("support", 7, "support"));
    assert_int_equal(standards_newest(&feedback, "sales")->plain.version, 2);
    assert_int_equal(standards_find(&feedback, "sales", 1)->plain.version, 1);
    assert_null(standards_find(&feedback, "sales", 7));
    assert_null(standards_newest(&feedback, "billing"));
    assert_int_equal(feedback.choices[2].version, 7);
}

static void a_tie_is_found_with_what_is_in_force(void **state)
{
    Moment__V1__Standard *rival = standard("rival", 1, "sales");
    struct held_standard held;

    (void)state;
    add(standard("sales", 1, "sales"));
    add(standard("sales", 2, "shop"));
    assert_int_equal(codec_standard(&rival, &held), 0);
    assert_int_equal(standards_find_tie(&feedback, &held.plain, 199)->version, 1);
    assert_null(standards_find_tie(&feedback, &held.plain, 200)); /* it has left that queue */
    codec_standard_done(&held);
}

static void a_canary_leaves_the_version_before_it_in_force(void **state)
{
    Moment__V1__Standard *rival = standard("rival", 1, "sales"), *canary;
    struct held_standard held;

    (void)state;
    canary = standard("sales", 2, "shop");
    make_canary(canary, "lyon");
    add(standard("sales", 1, "sales"));
    add(canary);
    assert_int_equal(codec_standard(&rival, &held), 0);
    assert_int_equal(standards_find_tie(&feedback, &held.plain, 500)->version, 1);
    assert_true(standards_is_live(&feedback, standards_find(&feedback, "sales", 2), 500));
    codec_standard_done(&held);
}

static void every_objection_to_the_content_comes_with_the_tie(void **state)
{
    static struct objections objections;
    Moment__V1__Standard *rival = standard("rival", 1, "sales");
    struct held_standard held;

    (void)state;
    add(standard("sales", 1, "sales"));
    rival->criteria[0]->weight = 50;
    assert_int_equal(codec_standard(&rival, &held), 0);
    standards_object(&feedback, &held, 500, &objections);
    assert_int_equal(objections.count, 2);
    assert_string_equal(objections.items[0].field, "standard.criteria[0].weight");
    assert_string_equal(objections.items[1].field, "standard.scope");
    assert_non_null(strstr(objections.items[1].detail, "sales version 1"));
    codec_standard_done(&held);
}

static void nothing_of_what_came_after_is_published_again(void **state)
{
    Moment__V1__Standard *message = standard("sales", 3, "sales"), *copy, *plain;

    (void)state;
    make_canary(message, "lyon");
    message->state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_RETIRED;
    message->published_at = message->rolled_out_at = message->retired_at = message->edited_at = 5;
    message->copy_of_version = message->revision = 2;
    entity_set_text(&message->rolled_out_by, "u-1");
    entity_set_text(&message->rolled_out_by_name, "Lea");
    entity_set_text(&message->retired_by, "u-1");
    entity_set_text(&message->retired_by_name, "Lea");
    entity_set_text(&message->retired_because, "Over.");
    entity_set_text(&message->edited_by, "u-1");
    entity_set_text(&message->edited_by_name, "Lea");
    entity_set_text(&message->signed_by_id, "u-1");
    copy = standards_copy(message);
    plain = standard("sales", 0, "sales");
    plain->effective_at = 0;
    assert_true(codec_is_same(&copy->base, &plain->base));
    assert_false(codec_is_same(&copy->base, &message->base));
    codec_free(&copy->base);
    codec_free(&plain->base);
    codec_free(&message->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(versions_are_found_by_name_and_number, begin, end),
        cmocka_unit_test_setup_teardown(a_tie_is_found_with_what_is_in_force, begin, end),
        cmocka_unit_test_setup_teardown(a_canary_leaves_the_version_before_it_in_force, begin, end),
        cmocka_unit_test_setup_teardown(every_objection_to_the_content_comes_with_the_tie, begin,
                                        end),
        cmocka_unit_test(nothing_of_what_came_after_is_published_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
