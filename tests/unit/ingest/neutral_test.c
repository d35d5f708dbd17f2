#include "ingest/neutral.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1772460000000000) /* 2026-03-02T14:00:00Z */

static const struct codec_sender sender = {
    .source = "crm", .system = "shop", .site = "main", .now_us = NOW};

struct reading {
    struct event_list list;
    struct neutral_result result;
    struct problem problem;
    int r;
};

static void read_text(const char *text, bool is_batch, struct reading *reading)
{
    struct json_error error;
    json_t *json = NULL;

    memset(reading, 0, sizeof(*reading));
    event_list_init(&reading->list);
    reading->result.list = &reading->list;
    assert_int_equal(json_parse(slice_of(text), &json, &error), 0);
    reading->r =
        is_batch ? neutral_read_batch(json, &sender, &reading->result, &reading->problem)
                 : neutral_read_cloudevent(json, "", &sender, &reading->result, &reading->problem);
    json_unref(&json);
}

/* A CloudEvent of this type whose data are "contact_id" and what is given. */
static void read_event(const char *type, const char *data, struct reading *reading)
{
    char text[2048];

    snprintf(text, sizeof(text),
             "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/s\",\"type\":\"%s\","
             "\"time\":\"2026-03-02T13:59:00.250Z\",\"data\":{\"contact_id\":\"c-1\"%s}}",
             type, data);
    read_text(text, false, reading);
}

static void expect_refused(const char *type, const char *data, const char *field)
{
    struct reading reading;

    read_event(type, data, &reading);
    assert_int_equal(reading.r, -EINVAL);
    assert_int_equal(reading.problem.status, 422);
    assert_string_equal(reading.problem.field, field);
    assert_int_equal(reading.list.count, 0);
    event_list_done(&reading.list);
}

static void a_whole_contact_is_read_field_by_field(void **state)
{
    struct reading reading;
    const struct event *event;

    (void)state;
    read_event("com.example.cx.contact.ended",
               ",\"channel\":\"voice\",\"direction\":\"inbound\","
               "\"queue\":{\"id\":\"billing\",\"name\":\"Billing\"},"
               "\"agent\":{\"id\":\"agent17\",\"name\":\"Ann\"},\"customer_ref\":\"cust-1\","
               "\"customer_address\":\"+49170\",\"answered_at\":\"2026-03-02T13:58:00Z\","
               "\"durations_ms\":{\"wait\":75000,\"talk\":248000,\"hold\":22000,\"acw\":40000,"
               "\"ring\":5},\"outcome\":\"answered\",\"end_party\":\"caller\","
               "\"disposition\":{\"code\":\"refund\"},\"later_field\":[1]",
               &reading);
    assert_int_equal(reading.r, 0);
    assert_int_equal(reading.list.count, 1);
    event = &reading.list.items[0];
    assert_int_equal(event->type, CONTACT_ENDED);
    assert_int_equal(event->occurred_at, NOW - 60 * US_PER_S + 250 * US_PER_MS);
    assert_int_equal(event->received_at, NOW);
    assert_string_equal(event->source, "crm");
    assert_string_equal(event->system, "shop");
    assert_string_equal(event->contact_id, "c-1");
    assert_int_equal(event->channel, CHANNEL_VOICE);
    assert_int_equal(event->direction, DIRECTION_INBOUND);
    assert_string_equal(event->queue, "billing");
    assert_string_equal(event->agent, "agent17");
    assert_string_equal(event->agent_name, "Ann");
    assert_string_equal(event->customer_ref, "cust-1");
    assert_string_equal(event->customer_address, "+49170");
    assert_string_equal(event->customer_id, "");
    assert_int_equal(event->answered_at, NOW - 120 * US_PER_S);
    assert_int_equal(event->wait_ms, 75000);
    assert_int_equal(event->talk_ms, 248000);
    assert_int_equal(event->hold_ms, 22000);
    assert_int_equal(event->wrap_ms, 40000);
    assert_int_equal(event->ring_ms, 5);
    assert_int_equal(event->outcome, OUTCOME_ANSWERED);
    assert_int_equal(event->ended_by, PARTY_CUSTOMER);
    assert_string_equal(event->disposition, "refund");
    assert_int_equal(event->evidence, EVIDENCE_LIVE);
    event_list_done(&reading.list);
}

static void the_same_id_from_the_same_source_is_the_same_fact(void **state)
{
    struct reading a, b;

    (void)state;
    read_event("contact.started", "", &a);
    read_event("contact.started", ",\"channel\":\"chat\"", &b);
    assert_memory_equal(&a.list.items[0].event_id, &b.list.items[0].event_id, sizeof(struct id));
    event_list_done(&b.list);
    read_text("{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/other\",\"type\":\"contact."
              "started\",\"data\":{\"contact_id\":\"c-1\"}}",
              false, &b);
    assert_int_equal(b.r, 0);
    assert_memory_not_equal(&a.list.items[0].event_id, &b.list.items[0].event_id,
                            sizeof(struct id));
    assert_int_equal(b.list.items[0].occurred_at, NOW); /* without a time: when it came */
    event_list_done(&a.list);
    event_list_done(&b.list);
}

static void a_refusal_names_the_member(void **state)
{
    (void)state;
    expect_refused("contact.queued", ",\"queue\":{\"id\":5}", "data.queue.id");
    expect_refused("contact.started", ",\"channel\":\"smoke\"", "data.channel");
    expect_refused("contact.started", ",\"direction\":\"up\"", "data.direction");
    expect_refused("contact.ended", ",\"outcome\":\"fine\"", "data.outcome");
    expect_refused("contact.ended", ",\"end_party\":\"dog\"", "data.end_party");
    expect_refused("contact.ended", ",\"durations_ms\":{\"wait\":-1}", "data.durations_ms.wait");
    expect_refused("contact.ended", ",\"durations_ms\":[]", "data.durations_ms");
    expect_refused("contact.ended", ",\"started_at\":\"yesterday\"", "data.started_at");
    expect_refused("contact.ended", ",\"started_at\":\"2199-01-01T00:00:00Z\"", "data.started_at");
    expect_refused("agent.state_changed", ",\"agent_id\":\"a\",\"state\":\"asleep\"", "data.state");
    expect_refused("agent.state_changed", ",\"state\":\"break\"", "data.agent.id");
    expect_refused("agent.state_changed", ",\"agent_id\":\"a\"", "data.state");
    expect_refused("contact.linked", "", "data.root_contact_id");
    expect_refused("feedback.received", ",\"score\":9,\"scale_min\":1,\"scale_max\":5",
                   "data.score");
}

static void a_batch_names_the_item(void **state)
{
    struct reading reading;

    (void)state;
    read_text(
        "[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"contact.started\","
        "\"data\":{\"contact_id\":\"c\"}},"
        "{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"s\",\"type\":\"contact.started\","
        "\"data\":{}}]",
        true, &reading);
    assert_int_equal(reading.r, -EINVAL);
    assert_string_equal(reading.problem.field, "events[1].data.contact_id");
    event_list_done(&reading.list);
    read_text("[{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}]", true,
              &reading);
    assert_string_equal(reading.problem.field, "events[0].specversion");
    event_list_done(&reading.list);
    read_text("[]", true, &reading);
    assert_int_equal(reading.r, 0);
    event_list_done(&reading.list);
}

static void expect_emotion(const char *data, const char *field)
{
    struct reading reading;

    read_event("contact.answered", data, &reading);
    assert_int_equal(reading.r, -EINVAL);
    assert_string_equal(reading.problem.type, "agent-emotion-refused");
    assert_string_equal(reading.problem.field, field);
    event_list_done(&reading.list);
}

static void an_agents_emotion_is_refused_wherever_it_stands(void **state)
{
    struct reading reading;

    (void)state;
    expect_emotion(",\"agent\":{\"id\":\"a\",\"emotion\":\"angry\"}", "data.agent.emotion");
    expect_emotion(",\"agent_mood\":\"low\"", "data.agent_mood");
    expect_emotion(",\"agentSentiment\":1", "data.agentSentiment");
    expect_emotion(",\"x\":[{\"agent\":{\"voice\":{\"Mood\":1}}}]", "data.x[0].agent.voice.Mood");
    /* A customer's own signal is theirs to give. */
    read_event("contact.answered",
               ",\"agent\":{\"id\":\"a\"},\"customer\":{\"sentiment\":\"angry\"},"
               "\"customer_mood\":\"low\"",
               &reading);
    assert_int_equal(reading.r, 0);
    event_list_done(&reading.list);
}

static void a_customers_signal_is_a_short_text(void **state)
{
    /* 64 characters, some of which are longer than a byte. */
    static const char longest[] = ",\"customer_signal\":\"\u20ac\u20ac\u20ac\u20ac"
                                  "0123456789012345678901234567890123456789012345678901234567%s9\"";
    struct reading reading;
    char data[256];

    (void)state;
    read_event("contact.updated", ",\"customer_signal\":\"wants to cancel\"", &reading);
    assert_int_equal(reading.r, 0);
    assert_string_equal(reading.list.items[0].customer_signal, "wants to cancel");
    event_list_done(&reading.list);
    snprintf(data, sizeof(data), longest, "8");
    read_event("feedback.received", data, &reading);
    assert_int_equal(reading.r, 0);
    event_list_done(&reading.list);
    snprintf(data, sizeof(data), longest, "88");
    expect_refused("feedback.received", data, "data.customer_signal");
    expect_refused("contact.updated", ",\"customer_signal\":[\"a\"]", "data.customer_signal");
    expect_emotion(",\"agent\":{\"id\":\"a\",\"mood\":\"low\"},\"customer_signal\":\"complaint\"",
                   "data.agent.mood");
}

static void types_without_use_are_counted_not_refused(void **state)
{
    struct reading reading;

    (void)state;
    read_event("com.example.order.shipped", "", &reading);
    assert_int_equal(reading.r, 0);
    assert_int_equal(reading.result.ignored, 1);
    assert_int_equal(reading.list.count, 0);
    event_list_done(&reading.list);
    read_event("contact.lost", "", &reading); /* ours alone to say */
    assert_int_equal(reading.result.ignored, 1);
    event_list_done(&reading.list);
}

static void a_transfer_says_its_kind(void **state)
{
    struct reading reading;

    (void)state;
    read_event("contact.transferred", ",\"kind\":\"blind\",\"to_queue\":{\"id\":\"sales\"}",
               &reading);
    assert_int_equal(reading.r, 0);
    assert_int_equal(reading.list.items[0].outcome, OUTCOME_BLIND_TRANSFER);
    assert_string_equal(reading.list.items[0].to_queue, "sales");
    event_list_done(&reading.list);
}

static void surveys_come_in_two_shapes(void **state)
{
    struct reading reading;

    (void)state;
    read_event("feedback.received",
               ",\"instrument\":\"nps\",\"score\":9,\"scale_min\":0,\"scale_max\":10", &reading);
    assert_int_equal(reading.r, 0);
    assert_string_equal(reading.list.items[0].instrument, "nps");
    assert_true(reading.list.items[0].has_score);
    assert_true(reading.list.items[0].score > 8.99 && reading.list.items[0].score < 9.01);
    event_list_done(&reading.list);
    read_event("feedback.received", ",\"csat\":{\"score\":4,\"max\":5,\"comment\":\"ok\"}",
               &reading);
    assert_int_equal(reading.r, 0);
    assert_string_equal(reading.list.items[0].instrument, "csat");
    assert_string_equal(reading.list.items[0].comment, "ok");
    assert_true(reading.list.items[0].score_max > 4.99);
    event_list_done(&reading.list);
}

static void a_webhook_body_is_keyed_by_its_message(void **state)
{
    struct reading reading = {.r = 0};
    struct json_error error;
    json_t *json = NULL;

    (void)state;
    event_list_init(&reading.list);
    reading.result.list = &reading.list;
    assert_int_equal(json_parse(slice_of("{\"type\":\"contact.ended\",\"timestamp\":"
                                         "\"2026-03-02T13:00:00Z\",\"data\":{\"contact_id\":"
                                         "\"c-9\"}}"),
                                &json, &error),
                     0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(neutral_read_webhook(json, i == 2 ? "msg_2" : "msg_1", &sender,
                                              &reading.result, &reading.problem),
                         0);
    assert_memory_equal(&reading.list.items[0].event_id, &reading.list.items[1].event_id,
                        sizeof(struct id));
    assert_memory_not_equal(&reading.list.items[0].event_id, &reading.list.items[2].event_id,
                            sizeof(struct id));
    assert_int_equal(reading.list.items[0].occurred_at, NOW - 3600 * US_PER_S);
    json_unref(&json);
    event_list_done(&reading.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_contact_is_read_field_by_field),
        cmocka_unit_test(the_same_id_from_the_same_source_is_the_same_fact),
        cmocka_unit_test(a_refusal_names_the_member),
        cmocka_unit_test(a_batch_names_the_item),
        cmocka_unit_test(an_agents_emotion_is_refused_wherever_it_stands),
        cmocka_unit_test(a_customers_signal_is_a_short_text),
        cmocka_unit_test(types_without_use_are_counted_not_refused),
        cmocka_unit_test(a_transfer_says_its_kind),
        cmocka_unit_test(surveys_come_in_two_shapes),
        cmocka_unit_test(a_webhook_body_is_keyed_by_its_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
