/* What may be published, and which standard a moment is held against. */
#include "feedback/rules/standard.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool knows(const char *metric)
{
    return strcmp(metric, "wait_ms") == 0 || strcmp(metric, "csat") == 0;
}

static struct criterion criterion(const char *id, const char *section, double weight)
{
    return (struct criterion){.criterion_id = id,
                              .section = section,
                              .title = "Title",
                              .kind = CRITERION_MEASURED,
                              .weight = weight,
                              .metric = "wait_ms",
                              .comparison = AT_MOST,
                              .value = 20000};
}

static struct criterion criteria[4];

static struct standard sound(void)
{
    criteria[0] = criterion("wait", "speed", 60);
    criteria[1] = criterion("rest", "speed", 40);
    criteria[2] = criterion("word", "care", 100);
    return (struct standard){.standard_id = "sales",
                             .title = "Sales",
                             .signed_by = "A leader",
                             .why = "Because.",
                             .example = "Like this.",
                             .criteria = criteria,
                             .criterion_count = 3};
}

static void assert_refused(const struct standard *standard, const char *field, const char *word)
{
    struct objection objection = {0};

    assert_int_not_equal(standard_check(standard, knows, &objection), 0);
    assert_string_equal(objection.field, field);
    if (strstr(objection.detail, word) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", objection.detail, word);
    }
}

static void a_sound_standard_may_be_published(void **state)
{
    struct standard standard = sound();
    struct objection objection;

    (void)state;
    assert_int_equal(standard_check(&standard, knows, &objection), 0);
}

static void a_standard_is_signed_with_a_why_and_an_example(void **state)
{
    struct standard standard = sound();

    (void)state;
    standard.signed_by = "  ";
    assert_refused(&standard, "standard.signed_by", "leader");
    standard = sound();
    standard.why = "";
    assert_refused(&standard, "standard.why", "why");
    standard = sound();
    standard.example = "\n";
    assert_refused(&standard, "standard.example", "example");
    standard = sound();
    standard.title = "";
    assert_refused(&standard, "standard.title", "title");
    standard = sound();
    standard.standard_id = "not a name";
    assert_refused(&standard, "standard.standard_id", "standard_id");
}

static void weights_that_do_not_total_100_name_their_section(void **state)
{
    struct standard standard = sound();

    (void)state;
    criteria[2].weight = 90;
    assert_refused(&standard, "standard.criteria[2].weight", "\"care\" total 90");
    standard = sound();
    criteria[1].weight = 40.5;
    assert_refused(&standard, "standard.criteria[0].weight", "\"speed\" total 100.5");
    standard = sound();
    criteria[0].weight = -60;
    assert_refused(&standard, "standard.criteria[0].weight", "0 to 100");
    standard = sound();
    criteria[0].weight = (double)NAN;
    assert_refused(&standard, "standard.criteria[0].weight", "0 to 100");
}

static void observed_criteria_are_refused_for_now(void **state)
{
    struct standard standard = sound();

    (void)state;
    criteria[1].kind = CRITERION_OBSERVED;
    assert_refused(&standard, "standard.criteria[1].kind", "Observed");
    criteria[1].kind = CRITERION_UNKNOWN;
    assert_refused(&standard, "standard.criteria[1].kind", "measured");
}

static void an_unknown_metric_is_refused(void **state)
{
    struct standard standard = sound();

    (void)state;
    criteria[2].metric = "agent_mood";
    assert_refused(&standard, "standard.criteria[2].metric", "metric");
}

static void a_criterion_says_how_it_compares(void **state)
{
    struct standard standard = sound();

    (void)state;
    criteria[0].comparison = COMPARISON_UNKNOWN;
    assert_refused(&standard, "standard.criteria[0].comparison", "at_most");
    standard = sound();
    criteria[0].value = (double)INFINITY;
    assert_refused(&standard, "standard.criteria[0].value", "finite");
    standard = sound();
    criteria[1].criterion_id = "wait";
    assert_refused(&standard, "standard.criteria[1].criterion_id", "Two criteria");
}

static void brilliant_is_at_least_as_good_as_met(void **state)
{
    struct standard standard = sound();
    struct objection objection;

    (void)state;
    criteria[0].has_wow = true;
    criteria[0].wow_value = 20001;
    assert_refused(&standard, "standard.criteria[0].wow_value", "at least as good");
    criteria[0].wow_value = 20000;
    assert_int_equal(standard_check(&standard, knows, &objection), 0);
    criteria[0].comparison = AT_LEAST;
    criteria[0].wow_value = 19999;
    assert_refused(&standard, "standard.criteria[0].wow_value", "at least as good");
    criteria[0].comparison = EQUAL;
    assert_refused(&standard, "standard.criteria[0].wow_value", "equal");
}

static void a_standard_without_criteria_says_nothing(void **state)
{
    struct standard standard = sound();

    (void)state;
    standard.criterion_count = 0;
    assert_refused(&standard, "standard.criteria", "criteria");
}

/* --- scope --- */

static const char *const sales[] = {"sales", "shop"};
static const char *const support[] = {"support"};
static const char *const north[] = {"north"};
static const int voice[] = {1};

static struct standard scoped(const char *id, const char *const *queues, size_t queue_count,
                              const char *const *sites, size_t site_count)
{
    return (struct standard){.standard_id = id,
                             .version = 1,
                             .title = id,
                             .scope = {.queues = queues,
                                       .queue_count = queue_count,
                                       .sites = sites,
                                       .site_count = site_count}};
}

static struct moment in_queue(const char *queue, const char *site)
{
    return (struct moment){.moment_id = "",
                           .queue = queue,
                           .site = site,
                           .agent = "",
                           .person_id = "",
                           .team_id = "",
                           .channel = 1};
}

static const char *chosen(const struct standard *standards, size_t count, const char *queue,
                          const char *site)
{
    struct moment moment = in_queue(queue, site);
    const struct standard *choice = standard_choose(standards, count, &moment, 1000, "", 0);

    return choice != NULL ? choice->standard_id : "";
}

static void the_most_specific_standard_wins(void **state)
{
    struct standard standards[] = {
        scoped("all", NULL, 0, NULL, 0),
        scoped("site", NULL, 0, north, 1),
        scoped("queue", sales, 2, NULL, 0),
        scoped("both", support, 1, north, 1),
    };

    (void)state;
    assert_string_equal(chosen(standards, 4, "sales", "south"), "queue");
    assert_string_equal(chosen(standards, 4, "shop", "north"), "queue");
    assert_string_equal(chosen(standards, 4, "support", "north"), "both");
    assert_string_equal(chosen(standards, 4, "support", "south"), "all");
    assert_string_equal(chosen(standards, 4, "", "north"), "site");
    assert_string_equal(chosen(standards + 2, 2, "billing", "north"), "");
}

static void a_channel_narrows_a_scope(void **state)
{
    struct standard standards[] = {scoped("all", NULL, 0, NULL, 0),
                                   scoped("voice", NULL, 0, NULL, 0)};
    struct moment chat = in_queue("sales", "north");

    (void)state;
    standards[1].scope.channels = voice;
    standards[1].scope.channel_count = 1;
    assert_string_equal(chosen(standards, 2, "sales", "north"), "voice");
    chat.channel = 2;
    assert_string_equal(standard_choose(standards, 2, &chat, 1000, "", 0)->standard_id, "all");
}

static void two_that_could_both_be_meant_tie(void **state)
{
    struct standard a = scoped("a", sales, 2, NULL, 0), b = scoped("b", sales + 1, 1, NULL, 0);
    struct standard c = scoped("c", support, 1, NULL, 0), d = scoped("d", sales, 1, north, 1);
    struct standard e = scoped("e", NULL, 0, NULL, 0), f = scoped("f", NULL, 0, NULL, 0);

    (void)state;
    assert_true(standard_ties(&a, &b));
    assert_true(standard_ties(&b, &a));
    assert_false(standard_ties(&a, &c));
    assert_false(standard_ties(&a, &d)); /* d is the more specific */
    assert_true(standard_ties(&e, &f));
    f.standard_id = "e"; /* another version of the same */
    assert_false(standard_ties(&e, &f));
    b.is_retired = true;
    assert_false(standard_ties(&a, &b));
}

static void the_version_in_effect_at_the_end_counts(void **state)
{
    struct standard standards[] = {scoped("s", NULL, 0, NULL, 0), scoped("s", NULL, 0, NULL, 0)};
    struct moment moment = in_queue("sales", "north");

    (void)state;
    standards[0].effective_at = 100;
    standards[1].effective_at = 500;
    standards[1].version = 2;
    assert_null(standard_choose(standards, 2, &moment, 99, "", 0));
    assert_int_equal(standard_choose(standards, 2, &moment, 100, "", 0)->version, 1);
    assert_int_equal(standard_choose(standards, 2, &moment, 499, "", 0)->version, 1);
    assert_int_equal(standard_choose(standards, 2, &moment, 500, "", 0)->version, 2);
    /* What was evaluated on version 1 stays there. */
    assert_int_equal(standard_choose(standards, 2, &moment, 500, "s", 1)->version, 1);
    assert_int_equal(standard_choose(standards, 2, &moment, 500, "other", 1)->version, 2);
}

static void a_newer_version_takes_the_older_ones_scope_away(void **state)
{
    struct standard standards[] = {scoped("s", sales, 2, NULL, 0),
                                   scoped("s", support, 1, NULL, 0)};

    (void)state;
    standards[1].version = 2;
    assert_string_equal(chosen(standards, 2, "sales", "north"), "");
    assert_string_equal(chosen(standards, 2, "support", "north"), "s");
}

/* Whatever standards were let through by standard_ties, the order they stand in never decides. */
static void the_choice_does_not_depend_on_order(void **state)
{
    struct standard standards[] = {
        scoped("all", NULL, 0, NULL, 0), scoped("site", NULL, 0, north, 1),
        scoped("queue", sales, 2, NULL, 0), scoped("both", sales, 1, north, 1)};
    static const char *const queues[] = {"sales", "shop", "support", ""};

    (void)state;
    for (size_t first = 0; first < 4; first++) {
        struct standard turned[4];

        for (size_t i = 0; i < 4; i++) {
            turned[i] = standards[(first + i) % 4];
        }
        for (size_t q = 0; q < 4; q++) {
            assert_string_equal(chosen(turned, 4, queues[q], "north"),
                                chosen(standards, 4, queues[q], "north"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_standard_may_be_published),
        cmocka_unit_test(a_standard_is_signed_with_a_why_and_an_example),
        cmocka_unit_test(weights_that_do_not_total_100_name_their_section),
        cmocka_unit_test(observed_criteria_are_refused_for_now),
        cmocka_unit_test(an_unknown_metric_is_refused),
        cmocka_unit_test(a_criterion_says_how_it_compares),
        cmocka_unit_test(brilliant_is_at_least_as_good_as_met),
        cmocka_unit_test(a_standard_without_criteria_says_nothing),
        cmocka_unit_test(the_most_specific_standard_wins),
        cmocka_unit_test(a_channel_narrows_a_scope),
        cmocka_unit_test(two_that_could_both_be_meant_tie),
        cmocka_unit_test(the_version_in_effect_at_the_end_counts),
        cmocka_unit_test(a_newer_version_takes_the_older_ones_scope_away),
        cmocka_unit_test(the_choice_does_not_depend_on_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
