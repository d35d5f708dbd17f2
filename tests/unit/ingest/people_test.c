#include "base/seal.h"
#include "ingest/agents.h"
#include "ingest/customers.h"
#include "ingest/people.h"
#include "io/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR (INT64_C(3600) * 1000000)

static struct id id_number(const char *text)
{
    const char *const parts[] = {text};

    return id_of(parts, 1);
}

static void a_customer_has_one_id_under_all_their_names(void **state)
{
    struct customers customers = {.all = NULL};
    struct customer *a, *b, *other;

    (void)state;
    assert_int_equal(seal_init(), 0);
    a = customers_add(&customers, "pbx", "+491", NULL);
    b = customers_add(&customers, "pbx", "cust-1", &a->id);
    other = customers_add(&customers, "crm", "+491", NULL);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, other);
    assert_ptr_equal(customers_find(&customers, "pbx", "cust-1"), a);
    assert_ptr_equal(customers_by_id(&customers, a->text), a);
    assert_null(customers_find(&customers, "pbx", "+492"));
    assert_int_equal(a->id.bytes[6] >> 4, 4); /* a random UUID: nothing of the person is in it */
    customers_clear(&customers);
}

static void repeat_contacts_are_others_before_within_the_window(void **state)
{
    struct customers customers = {.all = NULL};
    struct customer *customer = customers_add(&customers, "pbx", "+491", NULL);
    struct id a = id_number("a"), b = id_number("b"), c = id_number("c");

    (void)state;
    customer_was_in(customer, &a, 10 * HOUR);
    customer_was_in(customer, &b, 20 * HOUR);
    customer_was_in(customer, &c, 30 * HOUR);
    customer_was_in(customer, &c, 30 * HOUR); /* the same moment counts once */
    assert_int_equal(customer_contacts_before(customer, &c, 30 * HOUR, 168 * HOUR), 2);
    assert_int_equal(customer_contacts_before(customer, &c, 30 * HOUR, 10 * HOUR), 1);
    assert_int_equal(customer_contacts_before(customer, &c, 30 * HOUR, 9 * HOUR), 0);
    assert_int_equal(customer_contacts_before(customer, &a, 10 * HOUR, 168 * HOUR), 0);
    customer_was_not_in(customer, &b);
    assert_int_equal(customer_contacts_before(customer, &c, 30 * HOUR, 168 * HOUR), 1);
    customers_clear(&customers);
}

static struct event presence(enum presence presence, int64_t at, const char *reason)
{
    struct event event;

    event_init(&event);
    event.type = AGENT_STATE_CHANGED;
    event.system = "pbx";
    event.agent = "Ann";
    event.presence = presence;
    event.occurred_at = at;
    event.reason = reason;
    return event;
}

static void the_newest_presence_stands_whatever_comes_late(void **state)
{
    struct agents agents = {.all = NULL};
    struct event busy = presence(PRESENCE_BUSY, 20, "");
    struct event late = presence(PRESENCE_BREAK, 10, "lunch");
    struct event again = presence(PRESENCE_BUSY, 30, "");
    struct agent *agent;
    bool is_new;

    (void)state;
    agent = agents_of(&agents, &busy, &is_new);
    assert_true(is_new);
    busy.agent_queues = "sales\nsupport";
    assert_true(agent_apply(agent, &busy));
    assert_false(agent_apply(agent, &late));
    assert_int_equal(agent->presence, PRESENCE_BUSY);
    assert_false(agent_apply(agent, &again));
    assert_int_equal(agent->since, 20); /* still the same stay */
    assert_string_equal(agent->queues, "sales\nsupport");
    assert_ptr_equal(agents_of(&agents, &again, &is_new), agent);
    assert_false(is_new);
    agents_clear(&agents);
}

static void add_person(struct people *people, const char *id, const char *source, const char *agent)
{
    Moment__V1__DirectoryChanged changed;
    Moment__V1__Person person;
    Moment__V1__AgentId agent_id, *agent_ids[] = {&agent_id};
    uint8_t *bytes;
    size_t len;

    moment__v1__directory_changed__init(&changed);
    moment__v1__person__init(&person);
    moment__v1__agent_id__init(&agent_id);
    agent_id.source = (char *)(uintptr_t)source;
    agent_id.agent = (char *)(uintptr_t)agent;
    person.person_id = (char *)(uintptr_t)id;
    person.agent_ids = agent_ids;
    person.n_agent_ids = 1;
    changed.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_PERSON;
    changed.person = &person;
    assert_int_equal(protobuf_write(&changed.base, &bytes, &len), 0);
    assert_int_equal(people_add(people, (struct slice){(const char *)bytes, len}), 0);
    free(bytes);
}

static void an_agent_is_found_by_source_then_system_then_anywhere(void **state)
{
    struct people people;

    (void)state;
    people_init(&people);
    add_person(&people, "anywhere", "", "17");
    assert_string_equal(people_find(&people, "ami", "pbx", "17")->person_id, "anywhere");
    add_person(&people, "system", "pbx", "17");
    assert_string_equal(people_find(&people, "ami", "pbx", "17")->person_id, "system");
    add_person(&people, "source", "ami", "17");
    assert_string_equal(people_find(&people, "ami", "pbx", "17")->person_id, "source");
    assert_string_equal(people_find(&people, "log", "pbx", "17")->person_id, "system");
    assert_string_equal(people_find(&people, "x", "y", "17")->person_id, "anywhere");
    assert_null(people_find(&people, "ami", "pbx", "18"));
    assert_null(people_find(&people, "ami", "pbx", ""));
    assert_non_null(people_entry(&people, DIRECTORY_PERSON, "system"));
    assert_null(people_entry(&people, DIRECTORY_TEAM, "system"));
    assert_int_equal(people_add(&people, slice_of("\xff\xff")), -EBADMSG);
    people_done(&people);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_customer_has_one_id_under_all_their_names),
        cmocka_unit_test(repeat_contacts_are_others_before_within_the_window),
        cmocka_unit_test(the_newest_presence_stands_whatever_comes_late),
        cmocka_unit_test(an_agent_is_found_by_source_then_system_then_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
