#include "ingest/rules/directory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    struct directory_entry entries[16];
    size_t count;
    char errors[4096];
};

static void on_entry(void *context, const struct directory_entry *entry)
{
    struct seen *seen = context;
    assert_true(seen->count < countof(seen->entries));
    seen->entries[seen->count++] = *entry;
}

static void on_error(void *context, uint32_t line, const char *field, const char *message)
{
    struct seen *seen = context;
    size_t len = strlen(seen->errors);
    (void)snprintf(seen->errors + len, sizeof(seen->errors) - len, "%u %s %s\n", line, field,
                   message);
}

static struct seen seen;
static char text[8192];

static size_t parse(const char *csv)
{
    memset(&seen, 0, sizeof(seen));
    text_copy(text, sizeof(text), csv);
    const struct directory_sinks sinks = {on_entry, on_error, &seen};
    return directory_parse_csv(text, strlen(text), &sinks);
}

static void test_a_whole_directory(void **state)
{
    (void)state;
    assert_int_equal(parse("\xEF\xBB\xBFkind,id,name,site,team,role,coach,agent_ids,time_zone,open_"
                           "hours,holidays\r\n"
                           "site,lis,Lisbon,,,,,,Europe/Lisbon,\"Mon-Fri 08:00-12:00,13:00-17:00; "
                           "Sat 09:00-12:00\","
                           "\"2026-12-25 Christmas Day; 2027-01-01\"\r\n"
                           "\r\n"
                           "team,lis-a,\"Team \"\"A\"\"\nLisbon, day\",lis,,,,,,,\r\n"
                           "queue,sales,,lis,,,,,,,\n"
                           "person,ana,Ana Sá,lis,lis-a,coach,,,,,\r\n"
                           "person,bob,Bob Okafor,lis,lis-a,,ana,pbx=Bob Okafor; PJSIP/102 ,,,"),
                     1);
    assert_string_equal(seen.errors, "4 name has control characters\n");
    assert_int_equal(seen.count, 4);
    const struct directory_entry *site = &seen.entries[0];
    assert_int_equal(site->kind, DIRECTORY_SITE);
    assert_string_equal(site->time_zone, "Europe/Lisbon");
    assert_int_equal(site->hours_count, 11);
    assert_int_equal(site->hours[1].weekday, 1);
    assert_int_equal(site->hours[1].opens_minute, 13 * 60);
    assert_int_equal(site->hours[10].weekday, 6);
    assert_int_equal(site->hours[10].closes_minute, 12 * 60);
    assert_int_equal(site->holiday_count, 2);
    assert_string_equal(site->holidays[0].name, "Christmas Day");
    assert_string_equal(site->holidays[1].date, "2027-01-01");
    assert_string_equal(seen.entries[1].name, "sales"); /* a queue's name is its id */
    assert_string_equal(seen.entries[2].role, "coach");
    const struct directory_entry *bob = &seen.entries[3];
    assert_int_equal(bob->line, 8);
    assert_string_equal(bob->role, "agent");
    assert_string_equal(bob->coach_id, "ana");
    assert_int_equal(bob->agent_id_count, 2);
    assert_string_equal(bob->agent_ids[0].source, "pbx");
    assert_string_equal(bob->agent_ids[0].agent, "Bob Okafor");
    assert_string_equal(bob->agent_ids[1].source, "");
    assert_string_equal(bob->agent_ids[1].agent, "PJSIP/102");
}

static void test_every_error_is_told(void **state)
{
    (void)state;
    assert_int_equal(parse("id,kind,site,time_zone,role,open_hours,holidays\n"
                           "x,planet,,,,,\n"
                           ",site,,Nowhere land,,Mon 9-17,25.12.2026\n"
                           "q,queue,,UTC,,,\n"
                           "p,person,s,,boss,,\n"
                           "p,person\n"
                           "\"p,person,s,,,,\n"),
                     12);
    assert_string_equal(
        seen.errors,
        "2 kind is not one of site, team, person, queue\n"
        "3 open_hours is not like \"Mon-Fri 08:00-12:00,13:00-17:00; Sat 09:00-12:00\"\n"
        "3 id is required\n"
        "3 name is required\n"
        "3 time_zone is not an IANA name such as \"Europe/Berlin\"\n"
        "3 holidays has something that is not a date like 2026-12-25\n"
        "4 time_zone does not belong to a queue\n"
        "4 site is required\n"
        "5 role is not one of leader, coach, agent, integrator, operator\n"
        "6  has another number of fields than the header\n"
        "7  has quotes that do not match\n"
        "7  has another number of fields than the header\n");
}

static void test_headers(void **state)
{
    (void)state;
    assert_int_equal(parse("kind,name\n"), 1);
    assert_int_equal(parse("kind,id,colour\n"), 1);
    assert_string_equal(seen.errors, "1 colour is not a column of a directory\n");
    assert_int_equal(parse("kind,id,id\n"), 1);
    assert_int_equal(parse(""), 2);
    assert_int_equal(parse("Kind,ID\n"), 0);
    assert_int_equal(seen.count, 0);
}

static bool knows_lisbon(void *context, enum directory_kind kind, const char *id)
{
    (void)context;
    return kind == DIRECTORY_SITE && strcmp(id, "lis") == 0;
}

static void test_text_that_is_none(void **state)
{
    (void)state;
    assert_int_equal(parse("kind,id,n\xe4me\n"), 1);
    assert_string_equal(seen.errors, "1  the file is not UTF-8\n");
    assert_int_equal(parse("kind,id,site\nqueue,q,m\x99in\n"), 1);
    assert_int_equal(seen.count, 0);
    char csv[512];
    (void)snprintf(csv, sizeof(csv), "kind,id,site\nqueue,q,%0200d\n", 0);
    assert_int_equal(parse(csv), 1);
    assert_string_equal(seen.errors, "2 site is too long\n");
}

static void test_references(void **state)
{
    (void)state;
    assert_int_equal(parse("kind,id,site,team,coach,agent_ids\n"
                           "team,a,lis,,,\n"
                           "person,p,lis,a,q,pbx=1\n"
                           "person,q,osl,b,z,pbx=1;1\n"
                           "person,p,lis,a,,pbx=2\n"),
                     0);
    const struct directory_entry *entries[4];
    for (size_t i = 0; i < 4; i++)
        entries[i] = &seen.entries[i];
    const struct directory_sinks sinks = {on_entry, on_error, &seen};
    assert_int_equal(directory_check_references(entries, 4, knows_lisbon, &sinks), 5);
    assert_string_equal(seen.errors, "4 site names a site that does not exist: osl\n"
                                     "4 team names a team that does not exist: b\n"
                                     "4 coach names a person that does not exist: z\n"
                                     "4 agent_ids claims an agent id that another person has\n"
                                     "5 id is given twice\n");
}

static void test_hours(void **state)
{
    (void)state;
    struct directory_hours hours[8];
    size_t count = 9;
    assert_int_equal(directory_parse_hours("", hours, 8, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(
        directory_parse_hours("Sun 00:00-24:00; mon,Wed 09:30-10:00", hours, 8, &count), 0);
    assert_int_equal(count, 3);
    assert_int_equal(hours[1].weekday, 3);
    assert_int_equal(hours[2].closes_minute, 1440);
    assert_int_equal(directory_parse_hours("Mon-Fri 08:00-12:00,13:00-17:00", hours, 8, &count),
                     -E2BIG);
    static const char *const overlapping[] = {"Mon 08:00-12:00,11:59-13:00", "Mon 12:00-08:00",
                                              "Mon 08:00-08:00",
                                              "Mon-Wed 08:00-12:00; Tue 09:00-10:00"};
    for (size_t i = 0; i < countof(overlapping); i++)
        assert_int_equal(directory_parse_hours(overlapping[i], hours, 8, &count), -ERANGE);
    static const char *const bad[] = {"Mon",
                                      "Fri-Mon 08:00-09:00",
                                      "Mon 8:00-09:00",
                                      "Mon 08:60-09:00",
                                      "Mon 08:00-24:01",
                                      "Mon 08:00-09:00 x",
                                      "Mon 08:00",
                                      "08:00-09:00",
                                      "Mon-08:00-09:00"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_equal(directory_parse_hours(bad[i], hours, 8, &count), -EINVAL);
}

static void test_values(void **state)
{
    (void)state;
    assert_true(directory_date_is_valid("2028-02-29"));
    assert_true(directory_date_is_valid("2000-02-29"));
    static const char *const dates[] = {"2026-02-29", "2100-02-29", "2026-13-01", "2026-00-01",
                                        "2026-04-31", "2026-1-01",  "",           "2026-01-010"};
    for (size_t i = 0; i < countof(dates); i++)
        assert_false(directory_date_is_valid(dates[i]));
    static const char *const zones[] = {"UTC", "Europe/Lisbon", "America/Argentina/Buenos_Aires",
                                        "Etc/GMT+5", "America/Port-au-Prince"};
    for (size_t i = 0; i < countof(zones); i++)
        assert_true(directory_time_zone_is_valid(zones[i]));
    static const char *const not_zones[] = {
        "",        "/etc/passwd", "../x",          "Europe//Lisbon",
        "Europe/", "lisbon",      "Europe Lisbon", "A/../B"};
    for (size_t i = 0; i < countof(not_zones); i++)
        assert_false(directory_time_zone_is_valid(not_zones[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_directory),
        cmocka_unit_test(test_every_error_is_told),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_text_that_is_none),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
