#include "reporting/rules/service_level.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* answered 1000, abandoned 60, answered within 860, abandoned within 20, under five seconds 10 */
static const struct counts reference = {
    .offered = 1060,
    .answered = 1000,
    .abandoned = 60,
    .left_otherwise = 40,
    .answered_within = 860,
    .abandoned_within = 20,
    .short_abandoned = 10,
};

static void assert_ratio(enum service_level definition, struct service_level_switches switches,
                         int64_t part, int64_t whole)
{
    struct ratio ratio = service_level_of(definition, &reference, &switches);

    assert_int_equal(ratio.part, part);
    assert_int_equal(ratio.whole, whole);
}

static void abandons_in_time_count_for_you(void **state)
{
    (void)state;
    assert_ratio(ABANDONS_COUNT_FOR, (struct service_level_switches){0}, 880, 1060);
}

static void abandons_count_against_you(void **state)
{
    (void)state;
    assert_ratio(ABANDONS_COUNT_AGAINST, (struct service_level_switches){0}, 860, 1060);
}

static void abandons_in_time_are_ignored(void **state)
{
    (void)state;
    assert_ratio(ABANDONS_IGNORED, (struct service_level_switches){0}, 860, 1040);
}

static void answered_only_forgets_who_gave_up(void **state)
{
    (void)state;
    assert_ratio(ANSWERED_ONLY, (struct service_level_switches){0}, 860, 1000);
}

static void the_switches_restate_the_denominator(void **state)
{
    (void)state;
    assert_ratio(SWITCHABLE, (struct service_level_switches){0}, 860, 1060);
    assert_ratio(SWITCHABLE, (struct service_level_switches){.exclude_short = true}, 860, 1050);
    assert_ratio(SWITCHABLE, (struct service_level_switches){.exclude_abandons = true}, 860, 1000);
    /* Short ones are among all abandons: they do not leave twice. */
    assert_ratio(SWITCHABLE,
                 (struct service_level_switches){.exclude_short = true, .exclude_abandons = true},
                 860, 1000);
    assert_ratio(SWITCHABLE,
                 (struct service_level_switches){.exclude_short = true, .include_left = true}, 860,
                 1090);
}

/* Service-level events of another vendor: 70 answered in time, 20 not, 10 abandoned in time. */
static void the_three_cisco_ways_agree(void **state)
{
    const struct counts cisco = {
        .answered = 90, .abandoned = 10, .answered_within = 70, .abandoned_within = 10};
    const struct service_level_switches none = {0};

    (void)state;
    assert_int_equal(service_level_of(ABANDONS_COUNT_FOR, &cisco, &none).part, 80);
    assert_int_equal(service_level_of(ABANDONS_COUNT_AGAINST, &cisco, &none).part, 70);
    assert_int_equal(service_level_of(ABANDONS_COUNT_AGAINST, &cisco, &none).whole, 100);
    assert_int_equal(service_level_of(ABANDONS_IGNORED, &cisco, &none).whole, 90);
}

static void nothing_happened_is_no_figure(void **state)
{
    const struct counts none = {0};
    const struct service_level_switches switches = {0};

    (void)state;
    for (enum service_level i = ABANDONS_COUNT_FOR; i < SERVICE_LEVELS; i++)
        assert_int_equal(service_level_of(i, &none, &switches).whole, 0);
}

static void names_parse_with_and_without_version(void **state)
{
    enum service_level parsed;

    (void)state;
    for (enum service_level i = ABANDONS_COUNT_FOR; i < SERVICE_LEVELS; i++) {
        assert_int_equal(service_level_parse(service_level_name(i), &parsed), 0);
        assert_int_equal(parsed, i);
    }
    assert_int_equal(service_level_parse("answered_only", &parsed), 0);
    assert_int_equal(parsed, ANSWERED_ONLY);
    assert_int_equal(service_level_parse("switchable@1", &parsed), 0);
    assert_int_equal(parsed, SWITCHABLE);
    assert_true(service_level_parse("answered_only@2", &parsed) < 0);
    assert_true(service_level_parse("answered_onl", &parsed) < 0);
    assert_true(service_level_parse("answered_onlyx", &parsed) < 0);
    assert_true(service_level_parse("", &parsed) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abandons_in_time_count_for_you),
        cmocka_unit_test(abandons_count_against_you),
        cmocka_unit_test(abandons_in_time_are_ignored),
        cmocka_unit_test(answered_only_forgets_who_gave_up),
        cmocka_unit_test(the_switches_restate_the_denominator),
        cmocka_unit_test(the_three_cisco_ways_agree),
        cmocka_unit_test(nothing_happened_is_no_figure),
        cmocka_unit_test(names_parse_with_and_without_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
