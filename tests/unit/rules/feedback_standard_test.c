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
                              .description = "",
                              .example_good = "",
                              .example_bad = "",
                              .condition_id = "",
                              .kind = CRITERION_MEASURED,
                              .weight = weight,
                              .metric = "wait_ms",
                              .comparison = AT_MOST,
                              .value = 20000};
}

static struct criterion observed(const char *id, const char *section, double weight)
{
    struct criterion result = criterion(id, section, weight);

    result.kind = CRITERION_OBSERVED;
    result.metric = "";
    result.comparison = COMPARISON_UNKNOWN;
    result.value = 0.0;
    result.scale = SCALE_YES_NO;
    return result;
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

static struct objections objections;

static void ask(const struct standard *standard)
{
    objections = (struct objections){0};
    standard_check(standard, knows, &objections);
    standard_check_signature(standard, &objections);
}

static void assert_refused(const struct standard *standard, const char *field, const char *word)
{
    ask(standard);
    assert_int_not_equal(objections.count, 0);
    assert_string_equal(objections.items[0].field, field);
    if (strstr(objections.items[0].detail, word) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", objections.items[0].detail, word);
    }
}

static void assert_sound(const struct standard *standard)
{
    ask(standard);
    if (objections.total != 0) {
        fail_msg("%s: %s", objections.items[0].field, objections.items[0].detail);
    }
}

static void a_sound_standard_may_be_published(void **state)
{
    struct standard standard = sound();

    (void)state;
    assert_sound(&standard);
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
    assert_refused(&standard, "standard.criteria[0].weight", "finite");
}

static void a_criterion_is_measured_or_observed(void **state)
{
    struct standard standard = sound();

    (void)state;
    criteria[1] = observed("rest", "speed", 40);
    assert_sound(&standard);
    criteria[1].kind = CRITERION_UNKNOWN;
    assert_refused(&standard, "standard.criteria[1].kind", "measured or observed");
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

    (void)state;
    criteria[0].has_wow = true;
    criteria[0].wow_value = 20001;
    assert_refused(&standard, "standard.criteria[0].wow_value", "at least as good");
    criteria[0].wow_value = 20000;
    assert_sound(&standard);
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

static void a_criterion_is_named_and_its_fatality_known(void **state)
{
    struct standard standard = sound();
    static char long_title[4002];

    (void)state;
    criteria[1].title = " ";
    assert_refused(&standard, "standard.criteria[1].title", "title");
    memset(long_title, 'a', sizeof(long_title) - 1);
    criteria[1].title = long_title;
    assert_refused(&standard, "standard.criteria[1].title", "300");
    standard = sound();
    standard.why = long_title;
    assert_refused(&standard, "standard.why", "4000");
    standard = sound();
    criteria[1].fatal = (enum fatal_scope)7;
    assert_refused(&standard, "standard.criteria[1].fatal", "whole or section");
    standard = sound();
    criteria[1].criterion_id = "";
    assert_refused(&standard, "standard.criteria[1].criterion_id", "Letters");
}

static void limits_are_part_of_what_is_allowed(void **state)
{
    static struct criterion many[SCORE_ITEMS_MAX + 1];
    static char ids[SCORE_ITEMS_MAX + 1][8];
    struct standard standard = sound();
    char name[122];

    (void)state;
    for (size_t i = 0; i <= SCORE_ITEMS_MAX; i++) {
        ids[i][0] = (char)('a' + i / 26);
        ids[i][1] = (char)('a' + i % 26);
        many[i] = criterion(ids[i], "all", i == 0 ? 100 : 0);
    }
    standard.criteria = many;
    standard.criterion_count = SCORE_ITEMS_MAX;
    assert_sound(&standard);
    standard.criterion_count++;
    many[0].title = ""; /* what is too much is not looked at any further */
    assert_refused(&standard, "standard.criteria", "At most 130");
    assert_int_equal(objections.total, 1);
    standard = sound();
    memset(name, 'n', sizeof(name));
    name[120] = '\0';
    standard.standard_id = name;
    assert_sound(&standard);
    name[120] = 'n';
    name[121] = '\0';
    assert_refused(&standard, "standard.standard_id", "standard_id");
    standard.standard_id = "-x";
    assert_refused(&standard, "standard.standard_id", "begins");
}

static void a_scope_names_each_thing_once(void **state)
{
    static const char *const twice[] = {"sales", "shop", "sales"};
    static const char *const empty[] = {"sales", ""};
    static const int strange[] = {1, 0};
    struct standard standard = sound();

    (void)state;
    standard.scope.queues = twice;
    standard.scope.queue_count = 2;
    assert_sound(&standard);
    standard.scope.queue_count = 3;
    assert_refused(&standard, "standard.scope.queues[2]", "twice");
    standard.scope.queue_count = 0;
    standard.scope.sites = empty;
    standard.scope.site_count = 2;
    assert_refused(&standard, "standard.scope.sites[1]", "empty");
    standard.scope.site_count = 0;
    standard.scope.channels = strange;
    standard.scope.channel_count = 1;
    assert_sound(&standard);
    standard.scope.channel_count = 2;
    assert_refused(&standard, "standard.scope.channels", "channel");
}

/* --- observed criteria --- */

static struct choice choices[21];

static struct standard with_choices(size_t count)
{
    static char ids[21][4];
    struct standard standard = sound();

    for (size_t i = 0; i < 21; i++) {
        ids[i][0] = 'c';
        ids[i][1] = (char)('a' + i);
        choices[i] = (struct choice){.choice_id = ids[i], .title = "So", .points = (double)i};
    }
    criteria[2] = observed("word", "care", 100);
    criteria[2].scale = SCALE_CHOICE;
    criteria[2].choices = choices;
    criteria[2].choice_count = count;
    return standard;
}

static struct standard with_range(uint32_t scale_max)
{
    struct standard standard = sound();

    criteria[2] = observed("word", "care", 100);
    criteria[2].scale = SCALE_RANGE;
    criteria[2].scale_max = scale_max;
    return standard;
}

static void an_observed_criterion_says_how_it_is_answered(void **state)
{
    struct standard standard = sound();

    (void)state;
    criteria[1] = observed("rest", "speed", 40);
    criteria[1].scale = SCALE_UNKNOWN;
    assert_refused(&standard, "standard.criteria[1].scale", "yes_no, choice or range");
    criteria[1].scale = (enum answer_scale)9;
    assert_refused(&standard, "standard.criteria[1].scale", "yes_no, choice or range");
    criteria[1] = observed("rest", "speed", 40);
    criteria[1].metric = "wait_ms";
    assert_refused(&standard, "standard.criteria[1].metric", "no metric");
}

static void two_to_twenty_choices_and_one_that_is_worth_points(void **state)
{
    struct standard standard = with_choices(2);

    (void)state;
    assert_sound(&standard);
    standard = with_choices(20);
    assert_sound(&standard);
    standard = with_choices(21);
    assert_refused(&standard, "standard.criteria[2].choices", "At most 20");
    standard = with_choices(1);
    assert_refused(&standard, "standard.criteria[2].choices", "two");
    standard = with_choices(2);
    choices[1].points = 0;
    assert_refused(&standard, "standard.criteria[2].choices", "points");
    choices[1].points = -1;
    assert_refused(&standard, "standard.criteria[2].choices", "points");
    standard = with_choices(3);
    choices[0].points = -1;
    assert_refused(&standard, "standard.criteria[2].choices[0].points", "0 to 1000");
    choices[0].points = (double)NAN;
    assert_refused(&standard, "standard.criteria[2].choices[0].points", "finite");
}

static void a_choice_is_named_once(void **state)
{
    struct standard standard = with_choices(3);

    (void)state;
    choices[2].choice_id = "ca";
    assert_refused(&standard, "standard.criteria[2].choices[2].choice_id", "Two choices");
    choices[2].choice_id = "n/a";
    assert_refused(&standard, "standard.criteria[2].choices[2].choice_id", "Letters");
    choices[2].choice_id = "cc";
    choices[1].title = "";
    assert_refused(&standard, "standard.criteria[2].choices[1].title", "title");
}

static void the_best_choice_is_brilliant_and_never_unacceptable(void **state)
{
    struct standard standard = with_choices(3);

    (void)state;
    choices[2].wow = true;
    choices[0].unacceptable = choices[0].comment_required = true;
    assert_sound(&standard);
    choices[1].wow = true;
    assert_refused(&standard, "standard.criteria[2].choices[1].wow", "most points");
    choices[1].wow = false;
    choices[2].wow = false;
    choices[2].unacceptable = true;
    assert_refused(&standard, "standard.criteria[2].choices[2].unacceptable", "best");
}

static void a_range_ends_at_1_to_100(void **state)
{
    struct standard standard = with_range(1);

    (void)state;
    assert_sound(&standard);
    criteria[2].scale_max = 100;
    assert_sound(&standard);
    criteria[2].scale_max = 101;
    assert_refused(&standard, "standard.criteria[2].scale_max", "1 to 100");
    criteria[2].scale_max = 0;
    assert_refused(&standard, "standard.criteria[2].scale_max", "1 to 100");
}

static void brilliant_and_unacceptable_lie_within_the_range_and_apart(void **state)
{
    struct standard standard = with_range(5);

    (void)state;
    criteria[2].has_wow_at = criteria[2].has_unacceptable_at = true;
    criteria[2].wow_at = 5;
    criteria[2].unacceptable_at = 4;
    assert_sound(&standard);
    criteria[2].wow_at = 4;
    assert_refused(&standard, "standard.criteria[2].unacceptable_at", "brilliant");
    criteria[2].wow_at = 6;
    assert_refused(&standard, "standard.criteria[2].wow_at", "within");
    criteria[2].wow_at = 0;
    assert_refused(&standard, "standard.criteria[2].wow_at", "within");
    criteria[2].has_wow_at = false;
    criteria[2].unacceptable_at = 5;
    assert_refused(&standard, "standard.criteria[2].unacceptable_at", "best");
}

static void what_belongs_to_another_scale_is_refused(void **state)
{
    struct standard standard = with_range(5);

    (void)state;
    criteria[2].unacceptable = true;
    assert_refused(&standard, "standard.criteria[2].unacceptable", "unacceptable_at");
    standard = with_choices(3);
    criteria[2].unacceptable = true;
    assert_refused(&standard, "standard.criteria[2].unacceptable", "each choice");
    criteria[2].unacceptable = false;
    criteria[2].has_comment_below = true;
    criteria[2].comment_below = 50;
    assert_refused(&standard, "standard.criteria[2].comment_below", "each choice");
    criteria[2].has_comment_below = false;
    criteria[2].scale_max = 5;
    assert_refused(&standard, "standard.criteria[2].scale_max", "range");
    standard = sound();
    criteria[2] = observed("word", "care", 100);
    criteria[2].unacceptable = true;
    assert_sound(&standard);
    criteria[2].has_wow_at = true;
    assert_refused(&standard, "standard.criteria[2].wow_at", "range");
    criteria[2].has_wow_at = false;
    criteria[2].has_unacceptable_at = true;
    assert_refused(&standard, "standard.criteria[2].unacceptable_at", "range");
    criteria[2].has_unacceptable_at = false;
    criteria[2].choices = choices;
    criteria[2].choice_count = 2;
    assert_refused(&standard, "standard.criteria[2].choices", "choice");
}

static void nobody_answers_a_measured_criterion(void **state)
{
    struct standard standard = sound();

    (void)state;
    criteria[0].scale = SCALE_YES_NO;
    assert_refused(&standard, "standard.criteria[0].scale", "Nobody");
    standard = sound();
    criteria[0].has_comment_below = true;
    criteria[0].comment_below = 50;
    assert_refused(&standard, "standard.criteria[0].comment_below", "Nobody");
    standard = sound();
    criteria[0].not_applicable_allowed = true;
    assert_refused(&standard, "standard.criteria[0].not_applicable_allowed", "by itself");
}

static void a_comment_is_needed_below_a_share_of_the_best(void **state)
{
    struct standard standard = with_range(5);

    (void)state;
    criteria[2].has_comment_below = true;
    criteria[2].comment_below = 100;
    assert_sound(&standard);
    criteria[2].comment_below = 101;
    assert_refused(&standard, "standard.criteria[2].comment_below", "per cent");
    criteria[2].comment_below = 0;
    assert_refused(&standard, "standard.criteria[2].comment_below", "per cent");
}

static void a_condition_names_an_earlier_criterion_and_its_answers(void **state)
{
    static const char *const no[] = {"no"}, *const maybe[] = {"no", "maybe"};
    static const char *const not_met[] = {"not_met"}, *const none[] = {"n/a"};
    struct standard standard = sound();

    (void)state;
    criteria[1] = observed("rest", "speed", 40);
    criteria[2].condition_id = "rest";
    criteria[2].condition_answers = no;
    criteria[2].condition_answer_count = 1;
    assert_sound(&standard);
    criteria[2].condition_answers = maybe;
    criteria[2].condition_answer_count = 2;
    assert_refused(&standard, "standard.criteria[2].condition.answers", "never");
    criteria[2].condition_answers = none;
    criteria[2].condition_answer_count = 1;
    assert_refused(&standard, "standard.criteria[2].condition.answers", "never");
    criteria[1].not_applicable_allowed = true;
    assert_sound(&standard);
    criteria[2].condition_answer_count = 0;
    assert_refused(&standard, "standard.criteria[2].condition.answers", "answers that it needs");
    criteria[2].condition_id = "wait";
    criteria[2].condition_answers = not_met;
    criteria[2].condition_answer_count = 1;
    assert_sound(&standard);
    criteria[2].condition_id = "word";
    assert_refused(&standard, "standard.criteria[2].condition.criterion_id", "before it");
    criteria[2].condition_id = "";
    assert_refused(&standard, "standard.criteria[2].condition.criterion_id", "which");
    standard = sound();
    criteria[0].condition_id = "rest";
    criteria[0].condition_answers = not_met;
    criteria[0].condition_answer_count = 1;
    assert_refused(&standard, "standard.criteria[0].condition.criterion_id", "before it");
}

static void every_objection_is_told_at_once(void **state)
{
    struct standard standard = sound();

    (void)state;
    criteria[0].weight = 10;
    criteria[1].title = "";
    criteria[2].metric = "agent_mood";
    standard.why = "";
    ask(&standard);
    assert_int_equal(objections.total, 4);
    assert_string_equal(objections.items[0].field, "standard.criteria[1].title");
    assert_string_equal(objections.items[1].field, "standard.criteria[2].metric");
    assert_string_equal(objections.items[2].field, "standard.criteria[0].weight");
    assert_string_equal(objections.items[3].field, "standard.why");
}

static void objections_are_bounded(void **state)
{
    static struct criterion nothing[40];
    struct standard standard = sound();

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        nothing[i] = criterion("", "s", 0);
    }
    standard.criteria = nothing;
    standard.criterion_count = 40;
    ask(&standard);
    assert_int_equal(objections.count, OBJECTIONS_MAX);
    assert_int_equal(objections.total, 41);
}

static void a_draft_is_kept_unless_it_is_too_much(void **state)
{
    static char text[4002];
    struct standard standard = sound();

    (void)state;
    standard.signed_by = standard.why = standard.example = standard.title = "";
    criteria[0].weight = 1000;
    criteria[1].kind = CRITERION_UNKNOWN;
    objections = (struct objections){0};
    standard_check_bounds(&standard, &objections);
    assert_int_equal(objections.total, 0);
    memset(text, 'a', sizeof(text) - 1);
    criteria[2].example_bad = text;
    standard_check_bounds(&standard, &objections);
    assert_int_equal(objections.total, 1);
    assert_string_equal(objections.items[0].field, "standard.criteria[2].example_bad");
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
    b.retired_at = 5;
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

static void standards_of_one_channel_tie_on_that_channel_only(void **state)
{
    static const int chat[] = {2};
    struct standard a = scoped("a", NULL, 0, NULL, 0), b = scoped("b", NULL, 0, NULL, 0);

    (void)state;
    a.scope.channels = b.scope.channels = voice;
    a.scope.channel_count = b.scope.channel_count = 1;
    assert_true(standard_ties(&a, &b));
    b.scope.channels = chat;
    assert_false(standard_ties(&a, &b));
}

static void what_is_retired_is_not_chosen(void **state)
{
    struct standard standards[] = {scoped("s", NULL, 0, NULL, 0), scoped("t", sales, 2, NULL, 0)};

    (void)state;
    standards[1].retired_at = 999;
    assert_string_equal(chosen(standards, 2, "sales", "north"), "s");
}

static void a_pin_is_the_same_standard_and_version(void **state)
{
    struct standard standards[] = {scoped("r", support, 1, NULL, 0), scoped("s", NULL, 0, NULL, 0),
                                   scoped("s", NULL, 0, NULL, 0)};
    struct moment moment = in_queue("sales", "north");

    (void)state;
    standards[2].version = 2;
    assert_ptr_equal(standard_choose(standards, 3, &moment, 1000, "s", 1), &standards[1]);
    assert_ptr_equal(standard_choose(standards, 3, &moment, 1000, "s", 9), &standards[2]);
    assert_ptr_equal(standard_choose(standards, 3, &moment, 1000, "r", 1), &standards[2]);
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

/* --- canaries, retired standards --- */

static uint32_t version_at(const struct standard *standards, size_t count, const char *site,
                           int64_t at)
{
    struct moment moment = in_queue("sales", site);
    const struct standard *choice = standard_choose(standards, count, &moment, at, "", 0);

    return choice != NULL ? choice->version : 0;
}

static void versions(struct standard *standards, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        standards[i] = scoped("s", NULL, 0, NULL, 0);
        standards[i].version = (uint32_t)i + 1;
        standards[i].effective_at = 100 * (int64_t)(i + 1);
    }
}

static void make_canary(struct standard *standard, const char *const *sites)
{
    standard->canary_sites = sites;
    standard->canary_site_count = 1;
}

static void a_canary_counts_at_its_sites_and_the_version_before_it_elsewhere(void **state)
{
    struct standard standards[2];

    (void)state;
    versions(standards, 2);
    make_canary(&standards[1], north);
    assert_int_equal(version_at(standards, 2, "north", 199), 1);
    assert_int_equal(version_at(standards, 2, "north", 200), 2);
    assert_int_equal(version_at(standards, 2, "south", 200), 1);
    assert_int_equal(version_at(standards, 2, "", 200), 1);
    assert_int_equal(version_at(standards + 1, 1, "south", 200), 0);
}

static void a_canary_that_was_rolled_out_counts_everywhere_from_then_on(void **state)
{
    struct standard standards[2];

    (void)state;
    versions(standards, 2);
    make_canary(&standards[1], north);
    standards[1].rolled_out_at = 300;
    assert_int_equal(version_at(standards, 2, "south", 299), 1);
    assert_int_equal(version_at(standards, 2, "south", 300), 2);
    assert_int_equal(version_at(standards, 2, "north", 200), 2);
    assert_false(standard_is_canary(&standards[1]));
}

static void going_back_ends_the_canary_too(void **state)
{
    struct standard standards[3];

    (void)state;
    versions(standards, 3); /* the third says what the first said */
    make_canary(&standards[1], north);
    assert_int_equal(version_at(standards, 3, "north", 299), 2);
    assert_int_equal(version_at(standards, 3, "north", 300), 3);
    assert_int_equal(version_at(standards, 3, "south", 300), 3);
}

static void two_canaries_are_tried_beside_each_other(void **state)
{
    static const char *const south[] = {"south"};
    struct standard standards[3];

    (void)state;
    versions(standards, 3);
    make_canary(&standards[1], north);
    make_canary(&standards[2], south);
    assert_int_equal(version_at(standards, 3, "north", 300), 2);
    assert_int_equal(version_at(standards, 3, "south", 300), 3);
    assert_int_equal(version_at(standards, 3, "west", 300), 1);
}

static void what_was_evaluated_stays_on_its_version(void **state)
{
    struct standard standards[2];
    struct moment moment = in_queue("sales", "north");

    (void)state;
    versions(standards, 2);
    make_canary(&standards[1], north);
    assert_int_equal(standard_choose(standards, 2, &moment, 400, "s", 1)->version, 1);
    moment.site = "south"; /* the moment turned out to be of another site */
    assert_int_equal(standard_choose(standards, 2, &moment, 400, "s", 2)->version, 2);
}

static void what_is_retired_applies_to_nothing_that_ended_later(void **state)
{
    struct standard standards[2];
    struct moment moment = in_queue("sales", "north");

    (void)state;
    versions(standards, 2);
    standards[0].retired_at = standards[1].retired_at = 500;
    assert_int_equal(version_at(standards, 2, "north", 500), 2);
    assert_int_equal(version_at(standards, 2, "north", 501), 0);
    assert_null(standard_choose(standards, 2, &moment, 501, "s", 1));
    assert_int_equal(standard_choose(standards, 2, &moment, 450, "s", 1)->version, 1);
}

static void a_retired_standard_may_be_declared_again(void **state)
{
    struct standard standards[3];

    (void)state;
    versions(standards, 3);
    standards[0].retired_at = standards[1].retired_at = 250;
    assert_int_equal(version_at(standards, 3, "north", 240), 2);
    assert_int_equal(version_at(standards, 3, "north", 299), 0);
    assert_int_equal(version_at(standards, 3, "north", 300), 3);
}

static void a_version_lives_until_one_took_its_whole_place(void **state)
{
    struct standard standards[3];

    (void)state;
    versions(standards, 3);
    make_canary(&standards[1], north);
    assert_true(standard_is_live(standards, 3, &standards[0], 200));
    assert_true(standard_is_live(standards, 3, &standards[1], 200));
    assert_true(standard_is_live(standards, 3, &standards[2], 200)); /* it will be */
    assert_false(standard_is_live(standards, 3, &standards[0], 300));
    assert_false(standard_is_live(standards, 3, &standards[1], 300));
    standards[1].rolled_out_at = 250;
    assert_false(standard_is_live(standards, 3, &standards[0], 250));
    standards[2].retired_at = 400;
    assert_false(standard_is_live(standards, 3, &standards[2], 400));
}

static void canary_sites_lie_within_the_scope(void **state)
{
    static const char *const twice[] = {"north", "north"};
    struct standard standard = sound();

    (void)state;
    make_canary(&standard, north);
    assert_sound(&standard);
    standard.scope.sites = support;
    standard.scope.site_count = 1;
    assert_refused(&standard, "standard.canary_sites", "\"north\"");
    standard.scope.sites = north;
    assert_sound(&standard);
    standard.canary_sites = twice;
    standard.canary_site_count = 2;
    assert_refused(&standard, "standard.canary_sites[1]", "twice");
}

static void a_direction_narrows_a_scope_less_than_a_channel(void **state)
{
    static const int inbound[] = {1}, outbound[] = {2};
    struct standard standards[] = {scoped("all", NULL, 0, NULL, 0), scoped("in", NULL, 0, NULL, 0),
                                   scoped("voice", NULL, 0, NULL, 0)};
    struct moment moment = in_queue("sales", "north");

    (void)state;
    standards[1].scope.directions = inbound;
    standards[1].scope.direction_count = 1;
    moment.direction = 1;
    moment.channel = 2;
    standards[2].scope.channels = voice;
    standards[2].scope.channel_count = 1;
    assert_string_equal(standard_choose(standards, 3, &moment, 1000, "", 0)->standard_id, "in");
    moment.channel = 1;
    assert_string_equal(standard_choose(standards, 3, &moment, 1000, "", 0)->standard_id, "voice");
    moment.direction = 2;
    assert_string_equal(standard_choose(standards, 2, &moment, 1000, "", 0)->standard_id, "all");
    standards[0].scope.directions = outbound;
    standards[0].scope.direction_count = 1;
    assert_false(standard_ties(&standards[0], &standards[1]));
    standards[0].scope.directions = inbound;
    assert_true(standard_ties(&standards[0], &standards[1]));
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
        cmocka_unit_test(a_criterion_is_measured_or_observed),
        cmocka_unit_test(an_unknown_metric_is_refused),
        cmocka_unit_test(a_criterion_says_how_it_compares),
        cmocka_unit_test(brilliant_is_at_least_as_good_as_met),
        cmocka_unit_test(a_standard_without_criteria_says_nothing),
        cmocka_unit_test(a_criterion_is_named_and_its_fatality_known),
        cmocka_unit_test(limits_are_part_of_what_is_allowed),
        cmocka_unit_test(a_scope_names_each_thing_once),
        cmocka_unit_test(an_observed_criterion_says_how_it_is_answered),
        cmocka_unit_test(two_to_twenty_choices_and_one_that_is_worth_points),
        cmocka_unit_test(a_choice_is_named_once),
        cmocka_unit_test(the_best_choice_is_brilliant_and_never_unacceptable),
        cmocka_unit_test(a_range_ends_at_1_to_100),
        cmocka_unit_test(brilliant_and_unacceptable_lie_within_the_range_and_apart),
        cmocka_unit_test(what_belongs_to_another_scale_is_refused),
        cmocka_unit_test(nobody_answers_a_measured_criterion),
        cmocka_unit_test(a_comment_is_needed_below_a_share_of_the_best),
        cmocka_unit_test(a_condition_names_an_earlier_criterion_and_its_answers),
        cmocka_unit_test(every_objection_is_told_at_once),
        cmocka_unit_test(objections_are_bounded),
        cmocka_unit_test(a_draft_is_kept_unless_it_is_too_much),
        cmocka_unit_test(the_most_specific_standard_wins),
        cmocka_unit_test(a_channel_narrows_a_scope),
        cmocka_unit_test(two_that_could_both_be_meant_tie),
        cmocka_unit_test(the_version_in_effect_at_the_end_counts),
        cmocka_unit_test(standards_of_one_channel_tie_on_that_channel_only),
        cmocka_unit_test(what_is_retired_is_not_chosen),
        cmocka_unit_test(a_pin_is_the_same_standard_and_version),
        cmocka_unit_test(a_newer_version_takes_the_older_ones_scope_away),
        cmocka_unit_test(a_canary_counts_at_its_sites_and_the_version_before_it_elsewhere),
        cmocka_unit_test(a_canary_that_was_rolled_out_counts_everywhere_from_then_on),
        cmocka_unit_test(going_back_ends_the_canary_too),
        cmocka_unit_test(two_canaries_are_tried_beside_each_other),
        cmocka_unit_test(what_was_evaluated_stays_on_its_version),
        cmocka_unit_test(what_is_retired_applies_to_nothing_that_ended_later),
        cmocka_unit_test(a_retired_standard_may_be_declared_again),
        cmocka_unit_test(a_version_lives_until_one_took_its_whole_place),
        cmocka_unit_test(canary_sites_lie_within_the_scope),
        cmocka_unit_test(a_direction_narrows_a_scope_less_than_a_channel),
        cmocka_unit_test(the_choice_does_not_depend_on_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
