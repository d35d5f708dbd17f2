#include "reporting/rules/visibility.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char lyon[] = "lyon";
static char oslo[] = "oslo";
static char red[] = "red";
static char anna[] = "anna";
static char bert[] = "bert";

static char *sites_lyon[] = {lyon};
static char *teams_red[] = {red};
static char *both[] = {bert, anna};

static const struct subject unanswered_lyon = {.site = "lyon", .team = ""};
static const struct subject unanswered_oslo = {.site = "oslo", .team = ""};
static const struct subject red_in_lyon = {
    .site = "lyon", .team = "red", .people = both, .people_count = 2};
static const struct subject blue_in_lyon = {.site = "lyon", .team = "blue"};
static const struct subject nowhere = {.site = "", .team = ""};

static void nobody_sees_nothing(void **state)
{
    const struct reader reader = {.reach = REACH_NOTHING, .person_id = "anna"};

    (void)state;
    assert_false(reader_sees(&reader, &red_in_lyon));
    assert_false(reader_sees(&reader, &nowhere));
}

static void no_limits_means_everything(void **state)
{
    const struct reader reader = {.reach = REACH_SCOPE, .person_id = ""};

    (void)state;
    assert_true(reader_sees(&reader, &red_in_lyon));
    assert_true(reader_sees(&reader, &nowhere));
}

static void a_site_limits(void **state)
{
    const struct reader reader = {.reach = REACH_SCOPE, .person_id = "", .sites = {sites_lyon, 1}};

    (void)state;
    assert_true(reader_sees(&reader, &unanswered_lyon));
    assert_true(reader_sees(&reader, &blue_in_lyon));
    assert_false(reader_sees(&reader, &unanswered_oslo));
    assert_false(reader_sees(&reader, &nowhere));
}

static void a_team_limits_and_shows_who_waits_at_its_site(void **state)
{
    const struct reader reader = {.reach = REACH_SCOPE,
                                  .person_id = "",
                                  .teams = {teams_red, 1},
                                  .team_sites = {sites_lyon, 1}};

    (void)state;
    assert_true(reader_sees(&reader, &red_in_lyon));
    assert_false(reader_sees(&reader, &blue_in_lyon));
    assert_true(reader_sees(&reader, &unanswered_lyon));
    assert_false(reader_sees(&reader, &unanswered_oslo));
    assert_false(reader_sees(&reader, &nowhere));
}

static void a_site_and_a_team_limit_both(void **state)
{
    static char *sites_oslo[] = {oslo};
    const struct reader reader = {.reach = REACH_SCOPE,
                                  .person_id = "",
                                  .sites = {sites_oslo, 1},
                                  .teams = {teams_red, 1},
                                  .team_sites = {sites_lyon, 1}};

    (void)state;
    assert_false(reader_sees(&reader, &red_in_lyon));
    assert_false(reader_sees(&reader, &unanswered_oslo));
}

static void an_agent_sees_only_what_they_took_part_in(void **state)
{
    const struct reader anna_reads = {.reach = REACH_OWN, .person_id = "anna"};
    const struct reader carl_reads = {.reach = REACH_OWN, .person_id = "carl"};
    const struct reader unnamed = {.reach = REACH_OWN, .person_id = ""};

    (void)state;
    assert_true(reader_sees(&anna_reads, &red_in_lyon));
    assert_false(reader_sees(&carl_reads, &red_in_lyon));
    assert_false(reader_sees(&anna_reads, &unanswered_lyon));
    assert_false(reader_sees(&unnamed, &unanswered_lyon));
    assert_false(reader_sees(&unnamed, &red_in_lyon));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_sees_nothing),
        cmocka_unit_test(no_limits_means_everything),
        cmocka_unit_test(a_site_limits),
        cmocka_unit_test(a_team_limits_and_shows_who_waits_at_its_site),
        cmocka_unit_test(a_site_and_a_team_limit_both),
        cmocka_unit_test(an_agent_sees_only_what_they_took_part_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
