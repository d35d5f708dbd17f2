/* What goes on right now, in memory. */
#include "feedback/floor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000)
#define TRUST (300 * S)

static struct floor hall;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(floor_init(&hall), 0);
    hall.rule_count = 2;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    floor_done(&hall);
    floor_done(&hall);
    return 0;
}

static struct id id_number(unsigned number)
{
    char text[16];
    const char *const parts[] = {text};

    (void)snprintf(text, sizeof(text), "%u", number);
    return id_of(parts, 1);
}

static struct contact *waiting_contact(unsigned number, const char *queue, int64_t entered_at)
{
    struct id id = id_number(number);
    struct contact *contact = floor_find_or_add(&hall, &id);
    char text[ID_TEXT_SIZE];
    Moment__V1__Visit visit, *visits[] = {&visit};
    Moment__V1__Moment moment, *message;
    ProtobufCMessage *copy;

    moment__v1__visit__init(&visit);
    visit.queue = (char *)(uintptr_t)queue;
    visit.entered_at = entered_at;
    moment__v1__moment__init(&moment);
    moment.moment_id = (char *)(uintptr_t)id_print(&id, text);
    moment.source = (char *)(uintptr_t) "pbx";
    moment.site = (char *)(uintptr_t) "main";
    moment.state = MOMENT__V1__MOMENT_STATE__MOMENT_STATE_WAITING;
    moment.n_visits = 1;
    moment.visits = visits;
    assert_int_equal(codec_copy(&moment.base, &copy), 0);
    message = (Moment__V1__Moment *)copy;
    assert_int_equal(codec_snapshot(&message, entered_at, &contact->snapshot), 0);
    return contact;
}

static void a_contact_is_found_again_among_many(void **state)
{
    static struct contact *contacts[5000];

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        struct id id = id_number(i);

        assert_null(floor_find(&hall, &id));
        contacts[i] = floor_find_or_add(&hall, &id);
    }
    for (unsigned i = 0; i < 5000; i++) {
        struct id id = id_number(i);

        assert_ptr_equal(floor_find(&hall, &id), contacts[i]);
        assert_ptr_equal(floor_find_or_add(&hall, &id), contacts[i]);
    }
    assert_int_equal(hall.contact_count, 5000);
}

static void only_what_is_over_and_not_in_use_is_dropped(void **state)
{
    struct id used_id = id_number(2), idle_id = id_number(3), alerted_id = id_number(4);
    Moment__V1__Alert *alert = calloc(1, sizeof(*alert));
    struct contact *alerted;

    (void)state;
    waiting_contact(1, "sales", S);
    floor_find_or_add(&hall, &used_id)->used_by = 7;
    floor_find_or_add(&hall, &idle_id);
    alerted = floor_find_or_add(&hall, &alerted_id);
    moment__v1__alert__init(alert);
    alert->state = MOMENT__V1__ALERT_STATE__ALERT_STATE_RAISED;
    assert_int_equal(contact_add_alert(alerted, &alert, 1, 0), 0);
    floor_tidy(&hall, 7);
    assert_int_equal(hall.contact_count, 3);
    assert_null(floor_find(&hall, &idle_id));
    alerted->alerts[0].message->state = MOMENT__V1__ALERT_STATE__ALERT_STATE_CLEARED;
    floor_tidy(&hall, 8);
    assert_int_equal(hall.contact_count, 1);
}

static void a_queue_counts_who_waits_in_it(void **state)
{
    struct queue *sales = floor_queue(&hall, "main", "sales");
    struct contact *answered = waiting_contact(3, "sales", 5 * S);
    int64_t oldest_at;

    (void)state;
    waiting_contact(1, "sales", 20 * S);
    waiting_contact(2, "sales", 10 * S);
    waiting_contact(4, "support", S);
    answered->snapshot.visits[0].answered_at = 9 * S;
    assert_int_equal(floor_waiting(&hall, sales, TRUST, &oldest_at), 2);
    assert_true(oldest_at == 10 * S);
    assert_int_equal(floor_waiting(&hall, floor_queue(&hall, "north", "sales"), TRUST, &oldest_at),
                     0);
    assert_true(oldest_at == 0);
}

static void who_waits_by_a_clock_that_is_behind_waits_since_our_time(void **state)
{
    struct queue *sales = floor_queue(&hall, "main", "sales");
    int64_t oldest_at;

    (void)state;
    waiting_contact(1, "sales", 20 * S);
    source_clock_hear(&floor_source(&hall, "pbx")->clock, 20 * S, 5020 * S);
    assert_int_equal(floor_waiting(&hall, sales, TRUST, &oldest_at), 1);
    assert_true(oldest_at == 5020 * S);
}

static void a_queue_is_one_per_site_and_name(void **state)
{
    struct queue *sales = floor_queue(&hall, "main", "sales");

    (void)state;
    assert_ptr_equal(floor_queue(&hall, "main", "sales"), sales);
    assert_ptr_not_equal(floor_queue(&hall, "north", "sales"), sales);
    assert_string_equal(sales->subject, "queue:main/sales");
    assert_int_equal(sales->alarm_count, 2);
    sales->alarms[1].alarm.is_raised = true;
    hall.rule_count = 3;
    assert_int_equal(floor_reset_alarms(&hall), 0);
    assert_int_equal(sales->alarm_count, 3);
    assert_false(sales->alarms[1].alarm.is_raised);
}

static void one_more_rule_has_a_place_in_every_queue(void **state)
{
    struct queue *sales = floor_queue(&hall, "main", "sales");
    struct queue *later;

    (void)state;
    sales->alarms[1].crossings = 7;
    sales->next_at = ALERT_NEVER;
    assert_int_equal(floor_add_alarm(&hall), 0);
    assert_int_equal(sales->alarm_count, 3);
    assert_int_equal(sales->alarms[1].crossings, 7);
    assert_int_equal(sales->alarms[2].crossings, 0);
    assert_null(sales->alarms[2].message);
    assert_int_equal(sales->next_at, 0);
    later = floor_queue(&hall, "main", "later");
    assert_int_equal(later->alarm_count, 3);
}

static void a_visit_counts_once_for_the_service_level(void **state)
{
    struct queue *queue = floor_queue(&hall, "main", "sales");
    struct served served = {.at = 10 * S, .wait_us = S, .answered = true};
    bool is_changed;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct served_visit visit = {.moment_id = id_number(i), .visit = 0};

        assert_int_equal(queue_put_served(queue, &visit, &served, &is_changed), 0);
        assert_true(is_changed);
        assert_int_equal(queue_put_served(queue, &visit, &served, &is_changed), 0);
        assert_false(is_changed);
    }
    assert_int_equal(queue->served_count, 200);
    served.wait_us = 2 * S;
    served.at = 20 * S;
    assert_int_equal(queue_put_served(queue, &(struct served_visit){.moment_id = id_number(7)},
                                      &served, &is_changed),
                     0);
    assert_true(is_changed);
    assert_int_equal(queue->served_count, 200);
    queue_drop_served_before(queue, 15 * S);
    assert_int_equal(queue->served_count, 1);
    assert_true(queue->served[0].wait_us == 2 * S);
    assert_true(queue_drop_served_of(queue, &(struct id[]){id_number(7)}[0]));
    assert_int_equal(queue->served_count, 0);
}

static void the_last_revision_takes_the_place_of_the_one_before(void **state)
{
    struct id id = id_number(1);
    struct contact *contact = floor_find_or_add(&hall, &id);

    (void)state;
    for (uint32_t revision = 1; revision <= 3; revision++) {
        Moment__V1__Evaluation *evaluation = calloc(1, sizeof(*evaluation));

        moment__v1__evaluation__init(evaluation);
        assert_int_equal(codec_set(&evaluation->evaluation_id, revision < 3 ? "a" : "b"), 0);
        evaluation->revision = revision;
        assert_int_equal(contact_put_evaluation(contact, &evaluation), 0);
        assert_null(evaluation);
    }
    assert_int_equal(contact->evaluation_count, 2);
    assert_int_equal(contact->evaluations[0]->revision, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_contact_is_found_again_among_many),
        TEST(only_what_is_over_and_not_in_use_is_dropped),
        TEST(a_queue_counts_who_waits_in_it),
        TEST(who_waits_by_a_clock_that_is_behind_waits_since_our_time),
        TEST(a_queue_is_one_per_site_and_name),
        TEST(one_more_rule_has_a_place_in_every_queue),
        TEST(a_visit_counts_once_for_the_service_level),
        TEST(the_last_revision_takes_the_place_of_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
