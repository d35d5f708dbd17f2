#include "reporting/rules/visit_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void who_was_answered_counts_as_answered_however_it_ended(void **state)
{
    (void)state;
    assert_int_equal(visit_class_of(1, "", false), VISIT_ANSWERED);
    assert_int_equal(visit_class_of(1, "transferred", true), VISIT_ANSWERED);
    assert_int_equal(visit_class_of(1, "lost_track", true), VISIT_ANSWERED);
    /* A source may not tell when. */
    assert_int_equal(visit_class_of(0, "completed_by_agent", true), VISIT_ANSWERED);
    assert_int_equal(visit_class_of(0, "blind_transfer", true), VISIT_ANSWERED);
}

static void who_gave_up_is_abandoned(void **state)
{
    (void)state;
    assert_int_equal(visit_class_of(0, "abandoned", true), VISIT_ABANDONED);
}

static void every_other_way_out_is_left(void **state)
{
    static const char *const outcomes[] = {"timeout",    "exit_key",   "left_empty",
                                           "withdrawn",  "overflowed", "called_back",
                                           "lost_track", "transferred"};

    (void)state;
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        assert_int_equal(visit_class_of(0, outcomes[i], true), VISIT_LEFT);
    assert_int_equal(visit_class_of(0, "", true), VISIT_LEFT);
}

static void who_still_waits_is_open(void **state)
{
    (void)state;
    assert_int_equal(visit_class_of(0, "", false), VISIT_OPEN);
}

static void transfers_are_told_apart(void **state)
{
    (void)state;
    assert_true(visit_is_transfer("attended_transfer"));
    assert_true(visit_is_transfer("transferred"));
    assert_false(visit_is_transfer("completed_by_agent"));
    assert_false(visit_is_transfer(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_answered_counts_as_answered_however_it_ended),
        cmocka_unit_test(who_gave_up_is_abandoned),
        cmocka_unit_test(every_other_way_out_is_left),
        cmocka_unit_test(who_still_waits_is_open),
        cmocka_unit_test(transfers_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
