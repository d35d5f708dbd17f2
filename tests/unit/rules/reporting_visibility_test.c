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
static char *sites_oslo[] = {oslo};
static char *teams_red[] = {red};
static char *both[] = {bert, anna};

static const struct subject unanswered_lyon = {.site = "lyon", .team = "", .author_id = ""};
static const struct subject unanswered_oslo = {.site = "oslo", .team = "", .author_id = ""};
static const struct subject red_in_lyon = {
    .site = "lyon", .team = "red", .author_id = "", .people = both, .people_count = 2};
static const struct subject blue_in_lyon = {.site = "lyon", .team = "blue", .author_id = ""};
static const struct subject nowhere = {.site = "", .team = "", .author_id = ""};

static void nobody_sees_nothing(void **state)
{
    const struct reader reader = {.reach = REACH_NOTHING, .user_id = "u", .person_id = "anna"};

    (void)state;
    assert_false(reader_sees(&reader, &red_in_lyon));
    assert_false(reader_sees(&reader, &nowhere));
}

static void no_limits_means_everything(void **state)
{
    const struct reader reader = {.reach = REACH_SCOPE, .user_id = "u", .person_id = ""};

    (void)state;
    assert_true(reader_sees(&reader, &red_in_lyon));
    assert_true(reader_sees(&reader, &nowhere));
}

static void a_site_limits(void **state)
{
    const struct reader reader = {
        .reach = REACH_SCOPE, .user_id = "u", .person_id = "", .sites = {sites_lyon, 1}};

    (void)state;
    assert_true(reader_sees(&reader, &unanswered_lyon));
    assert_true(reader_sees(&reader, &blue_in_lyon));
    assert_false(reader_sees(&reader, &unanswered_oslo));
    assert_false(reader_sees(&reader, &nowhere));
}

static void a_team_limits_and_shows_who_waits_at_its_site(void **state)
{
    const struct reader reader = {.reach = REACH_SCOPE,
                                  .user_id = "u",
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
    const struct reader reader = {.reach = REACH_SCOPE,
                                  .user_id = "u",
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
    const struct reader anna_reads = {.reach = REACH_OWN, .user_id = "u", .person_id = "anna"};
    const struct reader carl_reads = {.reach = REACH_OWN, .user_id = "u", .person_id = "carl"};
    const struct reader unnamed = {.reach = REACH_OWN, .user_id = "u", .person_id = ""};

    (void)state;
    assert_true(reader_sees(&anna_reads, &red_in_lyon));
    assert_false(reader_sees(&carl_reads, &red_in_lyon));
    assert_false(reader_sees(&anna_reads, &unanswered_lyon));
    assert_false(reader_sees(&unnamed, &unanswered_lyon));
    assert_false(reader_sees(&unnamed, &red_in_lyon));
}

/* --- audiences: who of the house sees a thing of the red team in Lyon, about Anna, by "author" ---
 */

static char *about_anna[] = {anna};
static char blue[] = "blue";
static char *teams_blue[] = {blue};

#define LEADER(...)                                                                                \
    {                                                                                              \
        .reach = REACH_SCOPE, .is_leader = true, .person_id = "", __VA_ARGS__                      \
    }
#define COACH(...)                                                                                 \
    {                                                                                              \
        .reach = REACH_SCOPE, .is_coach = true, .person_id = "", __VA_ARGS__                       \
    }
#define INTEGRATOR(...)                                                                            \
    {                                                                                              \
        .reach = REACH_SCOPE, .person_id = "", __VA_ARGS__                                         \
    }
#define OTHER .user_id = "other"
#define AUTHOR .user_id = "author"
#define LYON .sites = {sites_lyon, 1}
#define OSLO .sites = {sites_oslo, 1}
#define RED .teams = {teams_red, 1}, .team_sites = {sites_lyon, 1}
#define BLUE .teams = {teams_blue, 1}, .team_sites = {sites_lyon, 1}

enum { SCOPE = 1, HOUSE = 2, PRIVATE = 4, LEADERS = 8, PARTIES = 16 };

static const struct {
    const char *who;
    struct reader reader;
    unsigned sees;
} table[] = {
    {"leader, everywhere", LEADER(OTHER), SCOPE | HOUSE | LEADERS},
    {"leader, its site", LEADER(OTHER, LYON), SCOPE | HOUSE | LEADERS},
    {"leader, another site", LEADER(OTHER, OSLO), HOUSE},
    {"leader, its team", LEADER(OTHER, RED), SCOPE | HOUSE | LEADERS},
    {"leader, another team", LEADER(OTHER, BLUE), HOUSE},
    {"leader, the author", LEADER(AUTHOR), SCOPE | HOUSE | PRIVATE | LEADERS | PARTIES},
    {"leader, the author, another site", LEADER(AUTHOR, OSLO), HOUSE | PRIVATE | PARTIES},
    {"coach, everywhere", COACH(OTHER), SCOPE | HOUSE | PRIVATE | LEADERS},
    {"coach, its site", COACH(OTHER, LYON), SCOPE | HOUSE | PRIVATE | LEADERS},
    {"coach, another site", COACH(OTHER, OSLO), HOUSE},
    {"coach, its team", COACH(OTHER, RED), SCOPE | HOUSE | PRIVATE | LEADERS},
    {"coach, another team", COACH(OTHER, BLUE), HOUSE},
    {"coach, the author, another site", COACH(AUTHOR, OSLO), HOUSE | PRIVATE | PARTIES},
    {"the agent",
     {.reach = REACH_OWN, OTHER, .person_id = "anna"},
     SCOPE | HOUSE | PRIVATE | PARTIES},
    {"another agent", {.reach = REACH_OWN, OTHER, .person_id = "bert"}, HOUSE},
    {"an agent who is nobody", {.reach = REACH_OWN, OTHER, .person_id = ""}, HOUSE},
    {"an agent, the author",
     {.reach = REACH_OWN, AUTHOR, .person_id = "bert"},
     HOUSE | PRIVATE | PARTIES},
    {"integrator, everywhere", INTEGRATOR(OTHER), SCOPE | HOUSE},
    {"integrator, another site", INTEGRATOR(OTHER, OSLO), HOUSE},
    {"operator", {.reach = REACH_NOTHING, OTHER, .person_id = ""}, 0},
    {"operator, the author and the person",
     {.reach = REACH_NOTHING, AUTHOR, .person_id = "anna"},
     0},
};

static void each_audience_is_who_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (unsigned audience = AUDIENCE_SCOPE; audience <= AUDIENCE_PARTIES; audience++) {
            const struct subject subject = {.audience = (enum audience)audience,
                                            .site = "lyon",
                                            .team = "red",
                                            .author_id = "author",
                                            .people = about_anna,
                                            .people_count = 1};

            print_message("%s, audience %u\n", table[i].who, audience);
            assert_int_equal(reader_sees(&table[i].reader, &subject),
                             (table[i].sees & 1u << audience) != 0);
        }
    }
}

static void what_has_no_place_is_for_who_has_no_limit(void **state)
{
    const struct reader everywhere = COACH(OTHER);
    const struct reader lyon_only = COACH(OTHER, LYON);
    const struct reader red_only = COACH(OTHER, RED);
    struct subject subject = {.site = "", .team = "", .author_id = ""};

    (void)state;
    for (unsigned audience = AUDIENCE_PRIVATE; audience <= AUDIENCE_LEADERS; audience++) {
        subject.audience = (enum audience)audience;
        assert_true(reader_sees(&everywhere, &subject));
        assert_false(reader_sees(&lyon_only, &subject));
        assert_false(reader_sees(&red_only, &subject));
    }
    /* Unlike who waits, a note without a team is nobody's in a team. */
    subject.site = "lyon";
    assert_false(reader_sees(&red_only, &subject));
}

static void an_audience_of_a_newer_protocol_is_nobody(void **state)
{
    const struct reader coach = COACH(AUTHOR);
    const struct subject subject = {
        .audience = (enum audience)9, .site = "lyon", .team = "red", .author_id = "author"};

    (void)state;
    assert_false(reader_sees(&coach, &subject));
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
        cmocka_unit_test(each_audience_is_who_the_table_says),
        cmocka_unit_test(what_has_no_place_is_for_who_has_no_limit),
        cmocka_unit_test(an_audience_of_a_newer_protocol_is_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
