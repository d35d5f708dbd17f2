#include "ingest/codec.h"

#include "base/clock.h"
#include "io/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1772460000000000)

static const struct codec_sender sender = {
    .source = "dialer", .system = "shop", .site = "berlin", .now_us = NOW};

static struct event full_event(void)
{
    struct event event;

    event_init(&event);
    event.event_id = event_id_of("s", "k");
    event.source = "s";
    event.system = "y";
    event.contact_id = "c";
    event.type = CONTACT_SUMMARISED;
    event.evidence = EVIDENCE_RECORD;
    event.occurred_at = NOW - 1;
    event.received_at = NOW;
    event.sequence = 7;
    event.site = "main";
    event.channel = CHANNEL_CHAT;
    event.direction = DIRECTION_OUTBOUND;
    event.customer_id = "id";
    event.entry_point = "ep";
    event.queue = "q";
    event.agent = "a";
    event.reason = "r";
    event.ended_by = PARTY_SYSTEM;
    event.outcome = OUTCOME_BOT_RESOLVED;
    event.to_queue = "tq";
    event.to_agent = "ta";
    event.to_address = "to";
    event.root_contact_id = "rc";
    event.presence = PRESENCE_OFFLINE;
    event.instrument = "csat";
    event.comment = "co";
    event.disposition = "d";
    event.customer_signal = "complaint";
    event.started_at = 1;
    event.queued_at = 2;
    event.answered_at = 3;
    event.ended_at = 4;
    event.gap_from_at = 5;
    event.wait_ms = 0;
    event.ring_ms = 11;
    event.talk_ms = 12;
    event.hold_ms = 13;
    event.wrap_ms = 14;
    event.has_score = true;
    event.score = 4;
    event.score_min = 1;
    event.score_max = 5;
    event.position = 9;
    event.talk_includes_hold = true;
    return event;
}

static void an_event_survives_the_wire_whole(void **state)
{
    struct event before = full_event();
    struct event_list list;
    Moment__V1__Event wire;
    char id_text[ID_TEXT_SIZE];
    uint8_t *bytes, *again;
    size_t len, again_len;

    (void)state;
    event_list_init(&list);
    codec_event_to_wire(&before, id_text, &wire);
    assert_int_equal(protobuf_write(&wire.base, &bytes, &len), 0);
    assert_int_equal(codec_event_load((struct slice){(const char *)bytes, len}, &list), 0);
    assert_memory_equal(&list.items[0].event_id, &before.event_id, sizeof(struct id));
    assert_int_equal(list.items[0].wait_ms, 0);
    assert_int_equal(list.items[0].outcome, OUTCOME_BOT_RESOLVED);
    assert_string_equal(list.items[0].disposition, "d");
    assert_string_equal(list.items[0].customer_signal, "complaint");
    codec_event_to_wire(&list.items[0], id_text, &wire);
    assert_int_equal(protobuf_write(&wire.base, &again, &again_len), 0);
    assert_int_equal(again_len, len);
    assert_memory_equal(again, bytes, len);
    free(bytes);
    free(again);
    event_list_done(&list);
}

static void an_unset_duration_stays_unknown(void **state)
{
    struct event event;
    struct event_list list;
    Moment__V1__Event wire;
    char id_text[ID_TEXT_SIZE];
    uint8_t *bytes;
    size_t len;

    (void)state;
    event_init(&event);
    event_list_init(&list);
    codec_event_to_wire(&event, id_text, &wire);
    assert_int_equal(protobuf_write(&wire.base, &bytes, &len), 0);
    assert_int_equal(codec_event_load((struct slice){(const char *)bytes, len}, &list), 0);
    assert_int_equal(list.items[0].wait_ms, -1);
    assert_int_equal(list.items[0].wrap_ms, -1);
    assert_false(list.items[0].has_score);
    free(bytes);
    event_list_done(&list);
    assert_int_equal(codec_event_load((struct slice){"\xff\xff", 2}, &list), -EBADMSG);
}

static int read_batch(Moment__V1__Event **events, size_t count, struct event_list *list,
                      struct problem *problem)
{
    Moment__V1__EventBatch batch;
    uint8_t *bytes;
    size_t len;
    int r;

    moment__v1__event_batch__init(&batch);
    batch.events = events;
    batch.n_events = count;
    memset(problem, 0, sizeof(*problem));
    event_list_init(list);
    assert_int_equal(protobuf_write(&batch.base, &bytes, &len), 0);
    r = codec_batch_read((struct slice){(const char *)bytes, len}, &sender, list, problem);
    free(bytes);
    return r;
}

static void a_native_batch_is_the_senders_whatever_it_claims(void **state)
{
    char contact[] = "c-1", key[] = "k-1", other[] = "other", customer[] = "+4917";
    Moment__V1__Event a, b, *events[] = {&a, &b};
    struct event_list list;
    struct problem problem;
    struct id expected = event_id_of("dialer", "k-1");

    (void)state;
    moment__v1__event__init(&a);
    a.event_id = key;
    a.contact_id = contact;
    a.type = MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_STARTED;
    a.occurred_at = NOW;
    a.source = other;
    a.system = other;
    a.site = other;
    a.customer_id = customer;
    b = a;
    b.event_id = contact + strlen(contact); /* "": derived from what it says */
    assert_int_equal(read_batch(events, 2, &list, &problem), 0);
    assert_memory_equal(&list.items[0].event_id, &expected, sizeof(expected));
    assert_memory_not_equal(&list.items[1].event_id, &expected, sizeof(expected));
    assert_string_equal(list.items[0].source, "dialer");
    assert_string_equal(list.items[0].system, "shop");
    assert_string_equal(list.items[0].site, "berlin");
    assert_string_equal(list.items[0].customer_address, "+4917");
    assert_string_equal(list.items[0].customer_id, "");
    assert_int_equal(list.items[0].received_at, NOW);
    event_list_done(&list);
}

static void a_native_refusal_names_item_and_field(void **state)
{
    char contact[] = "c-1";
    Moment__V1__Event good, bad, *events[] = {&good, &bad};
    struct event_list list;
    struct problem problem;

    (void)state;
    moment__v1__event__init(&good);
    good.contact_id = contact;
    good.type = MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_STARTED;
    good.occurred_at = NOW;
    bad = good;
    bad.occurred_at = NOW + 2 * 86400 * US_PER_S;
    assert_int_equal(read_batch(events, 2, &list, &problem), -EINVAL);
    assert_int_equal(problem.status, 422);
    assert_string_equal(problem.field, "events[1].occurred_at");
    event_list_done(&list);
    bad = good;
    bad.type = (Moment__V1__EventType)99;
    assert_int_equal(read_batch(events, 2, &list, &problem), -EINVAL);
    assert_string_equal(problem.field, "events[1].type");
    event_list_done(&list);
    event_list_init(&list);
    assert_int_equal(codec_batch_read(slice_of("\xff\xff\xff"), &sender, &list, &problem), -EINVAL);
    assert_int_equal(problem.status, 400);
    event_list_done(&list);
}

static void what_is_too_long_is_refused(void **state)
{
    char text[CODEC_ID_MAX + 2];
    struct event event = full_event();
    struct problem problem;

    (void)state;
    event.started_at = event.queued_at = event.answered_at = event.ended_at = event.gap_from_at = 0;
    assert_int_equal(codec_check(&event, NOW, "", &problem), 0);
    memset(text, 'x', sizeof(text));
    text[CODEC_ID_MAX + 1] = '\0';
    event.queue = text;
    assert_int_equal(codec_check(&event, NOW, "x.", &problem), -EINVAL);
    assert_string_equal(problem.field, "x.queue");
    text[CODEC_ID_MAX] = '\0';
    assert_int_equal(codec_check(&event, NOW, "", &problem), 0);
    event.started_at = 1; /* 1970 */
    assert_int_equal(codec_check(&event, NOW, "", &problem), -EINVAL);
    assert_string_equal(problem.field, "started_at");
}

static void a_score_is_a_number(void **state)
{
    const double none[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    struct event event = full_event();
    struct problem problem;

    (void)state;
    event.type = FEEDBACK_RECEIVED;
    event.started_at = event.queued_at = event.answered_at = event.ended_at = event.gap_from_at = 0;
    assert_int_equal(codec_check(&event, NOW, "", &problem), 0);
    for (size_t i = 0; i < countof(none); i++) {
        double *const numbers[] = {&event.score, &event.score_min, &event.score_max};

        for (size_t j = 0; j < countof(numbers); j++) {
            double before = *numbers[j];

            *numbers[j] = none[i];
            assert_int_equal(codec_check(&event, NOW, "x.", &problem), -EINVAL);
            assert_string_equal(problem.field, "x.score");
            *numbers[j] = before;
        }
    }
}

static void a_snapshot_says_what_was_folded_and_where_it_belongs(void **state)
{
    struct wire_moment *wire = calloc(1, sizeof(*wire));
    struct moment *moment = calloc(1, sizeof(*moment));
    struct moment_frame *frame = calloc(1, sizeof(*frame));

    (void)state;
    moment->customer_id = moment->queue = moment->agent = moment->disposition = "";
    moment->wait_ms = 5;
    moment->ring_ms = moment->talk_ms = moment->hold_ms = moment->wrap_ms = -1;
    moment->hold_count = moment->nps = -1;
    moment->visit_count = 1;
    moment->talk_ms = (INT64_C(1) << 32) + 7;
    moment->visits[0] = (struct visit){.queue = "sales",
                                       .agent = "Ann",
                                       .wait_ms = 5,
                                       .ring_ms = -1,
                                       .talk_ms = -1,
                                       .hold_ms = -1,
                                       .hold_longest_ms = -1,
                                       .hold_count = 2};
    moment->quality[0] = "incomplete";
    moment->quality_count = 1;
    moment->signals[0] = "complaint";
    moment->signal_count = 1;
    frame->system = "pbx";
    frame->contact_id = "1.2";
    frame->site = "main";
    frame->person_id = "p1";
    frame->team_id = "t1";
    frame->visit_people[0] = "p1";
    frame->revision = 3;
    codec_moment_to_wire(moment, frame, wire);
    assert_string_equal(wire->moment.source, "pbx");
    assert_string_equal(wire->moment.source_contact_id, "1.2");
    assert_string_equal(wire->moment.team_id, "t1");
    assert_int_equal(wire->moment.revision, 3);
    assert_int_equal(wire->moment.wait_known_case, MOMENT__V1__MOMENT__WAIT_KNOWN_WAIT_MS);
    assert_int_equal(wire->moment.hold_known_case, MOMENT__V1__MOMENT__HOLD_KNOWN__NOT_SET);
    assert_int_equal(wire->moment.talk_ms, UINT32_MAX);
    assert_int_equal(wire->moment.nps_known_case, MOMENT__V1__MOMENT__NPS_KNOWN__NOT_SET);
    assert_int_equal(wire->moment.n_visits, 1);
    assert_string_equal(wire->moment.visits[0]->person_id, "p1");
    assert_int_equal(wire->moment.visits[0]->hold_count, 2);
    assert_string_equal(wire->moment.quality[0], "incomplete");
    assert_int_equal(wire->moment.n_customer_signals, 1);
    assert_string_equal(wire->moment.customer_signals[0], "complaint");
    free(wire);
    free(moment);
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_survives_the_wire_whole),
        cmocka_unit_test(an_unset_duration_stays_unknown),
        cmocka_unit_test(a_native_batch_is_the_senders_whatever_it_claims),
        cmocka_unit_test(a_native_refusal_names_item_and_field),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_score_is_a_number),
        cmocka_unit_test(a_snapshot_says_what_was_folded_and_where_it_belongs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
