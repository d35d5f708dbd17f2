/* What the recorded call centre does not have: other vocabularies, contradictions, lost moments. */
#include "base/clock.h"
#include "ingest/rules/fold.h"
#include "ingest/rules/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T0 (INT64_C(1772460000) * US_PER_S)

static struct event events[FOLD_EVENTS_MAX + 10];
static size_t count;
static struct moment moment;

static int start(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

/* An event of a live source ms after T0. */
static struct event *live(enum event_type type, int64_t ms)
{
    struct event *event = &events[count];
    event_init(event);
    char key[32];
    (void)snprintf(key, sizeof(key), "%zu", count++);
    event->event_id = event_id_of("src", key);
    event->source = "src";
    event->system = "sys";
    event->contact_id = "c-1";
    event->type = type;
    event->evidence = EVIDENCE_LIVE;
    event->occurred_at = T0 + ms * US_PER_MS;
    return event;
}

static struct event *recorded(enum event_type type, int64_t s)
{
    struct event *event = live(type, s * 1000);
    event->evidence = EVIDENCE_RECORD;
    event->source = "log";
    return event;
}

static struct event *in(struct event *event, const char *queue, const char *agent)
{
    event->queue = queue;
    event->agent = agent;
    return event;
}

static void fold_all(void)
{
    static uint32_t order[countof(events)];
    fold(events, count, order, &moment);
}

static bool has(const char *flag)
{
    for (size_t i = 0; i < moment.quality_count; i++) {
        assert_true(i == 0 || strcmp(moment.quality[i - 1], moment.quality[i]) < 0);
        if (strcmp(moment.quality[i], flag) == 0)
            return true;
    }
    return false;
}

/* tests/fixtures/cloudevents/batch.json */
static void test_a_contact_told_by_its_end(void **state)
{
    (void)state;
    struct event *ended = in(live(CONTACT_ENDED, 365000), "billing", "agent17");
    ended->channel = CHANNEL_VOICE;
    ended->direction = DIRECTION_INBOUND;
    ended->started_at = T0;
    ended->queued_at = T0 + 20 * US_PER_S;
    ended->answered_at = T0 + 95 * US_PER_S;
    ended->ended_at = T0 + 365 * US_PER_S;
    ended->wait_ms = 75000;
    ended->talk_ms = 248000;
    ended->hold_ms = 22000;
    ended->wrap_ms = 40000;
    ended->outcome = OUTCOME_ANSWERED;
    ended->disposition = "billing-refund-issued";
    struct event *wrapped = in(live(CONTACT_WRAPPED_UP, 405000), "", "agent17");
    wrapped->wrap_ms = 40000;
    fold_all();
    assert_int_equal(moment.state, STATE_ENDED);
    assert_int_equal(moment.outcome, OUTCOME_ANSWERED);
    assert_int_equal(moment.started_at, T0);
    assert_int_equal(moment.ended_at, T0 + 365 * US_PER_S);
    assert_int_equal(moment.wait_ms, 75000);
    assert_int_equal(moment.talk_ms, 248000);
    assert_int_equal(moment.hold_ms, 22000);
    assert_int_equal(moment.wrap_ms, 40000); /* told twice, counted once */
    assert_string_equal(moment.disposition, "billing-refund-issued");
    assert_int_equal(moment.visit_count, 1);
    assert_string_equal(moment.visits[0].queue, "billing");
    assert_string_equal(moment.visits[0].agent, "agent17");
    assert_int_equal(moment.visits[0].outcome, OUTCOME_COMPLETED);
    assert_int_equal(moment.quality_count, 0);
    /* The step by step account of the same contact adds no second visit. */
    in(live(CONTACT_QUEUED, 20100), "billing", "");
    in(live(CONTACT_ANSWERED, 95100), "billing", "agent17");
    fold_all();
    assert_int_equal(moment.visit_count, 1);
    assert_int_equal(moment.wait_ms, 75000);
}

static void test_a_summary_has_the_last_word(void **state)
{
    (void)state;
    in(live(CONTACT_QUEUED, 0), "billing", "");
    in(live(CONTACT_ANSWERED, 5000), "billing", "ann");
    in(live(CONTACT_AGENT_ENDED, 60000), "billing", "ann")->ended_by = PARTY_AGENT;
    live(CONTACT_ENDED, 60500);
    struct event *summary = in(live(CONTACT_SUMMARISED, 90000), "billing", "bob");
    summary->queued_at = T0 + 300 * US_PER_MS;
    summary->answered_at = T0 + 6 * US_PER_S;
    summary->ended_at = T0 + 70 * US_PER_S;
    summary->ended_by = PARTY_CUSTOMER;
    summary->talk_ms = 50000;
    fold_all();
    assert_int_equal(moment.visit_count, 1);
    assert_string_equal(moment.agent, "bob");
    assert_int_equal(moment.ended_at, T0 + 70 * US_PER_S);
    assert_int_equal(moment.ended_by, PARTY_CUSTOMER);
}

static void test_the_live_floor_step_by_step(void **state)
{
    (void)state;
    live(CONTACT_STARTED, 0);
    fold_all();
    assert_int_equal(moment.state, STATE_STARTED);
    in(live(CONTACT_QUEUED, 1000), "q", "");
    fold_all();
    assert_int_equal(moment.state, STATE_WAITING);
    assert_int_equal(moment.state_since, T0 + US_PER_S);
    in(live(CONTACT_OFFERED, 2000), "q", "a");
    in(live(CONTACT_OFFERED, 2500), "q", "b");
    fold_all();
    assert_int_equal(moment.state, STATE_RINGING);
    assert_int_equal(moment.state_since, T0 + 2 * US_PER_S);
    in(live(CONTACT_OFFER_FAILED, 3000), "q", "a");
    fold_all();
    assert_int_equal(moment.state, STATE_RINGING);
    in(live(CONTACT_OFFER_FAILED, 3500), "q", "b");
    fold_all();
    assert_int_equal(moment.state, STATE_WAITING);
    in(live(CONTACT_OFFERED, 4000), "q", "c");
    in(live(CONTACT_ANSWERED, 5000), "q", "c")->hold_ms = 0;
    fold_all();
    assert_int_equal(moment.state, STATE_TALKING);
    assert_int_equal(moment.wait_ms, 4000);
    assert_int_equal(moment.talk_ms, -1); /* nobody knows yet */
    assert_int_equal(moment.outcome, OUTCOME_OPEN);
    in(live(CONTACT_RESUMED, 5500), "q", "c"); /* without a hold: nothing */
    in(live(CONTACT_HELD, 6000), "q", "c");
    in(live(CONTACT_HELD, 6500), "q", "c");
    fold_all();
    assert_int_equal(moment.state, STATE_HELD);
    assert_int_equal(moment.state_since, T0 + 6 * US_PER_S);
    in(live(CONTACT_RESUMED, 7000), "q", "c");
    fold_all();
    assert_int_equal(moment.state, STATE_TALKING);
    in(live(CONTACT_HELD, 8000), "q", "c"); /* ends with the leg */
    in(live(CONTACT_AGENT_ENDED, 11000), "q", "c")->ended_by = PARTY_CUSTOMER;
    fold_all();
    assert_int_equal(moment.state, STATE_STARTED);
    assert_int_equal(moment.hold_count, 2);
    assert_int_equal(moment.hold_ms, 4000);
    assert_int_equal(moment.visits[0].hold_longest_ms, 3000);
    assert_int_equal(moment.talk_ms, 2000);
    assert_int_equal(moment.visits[0].offers, 3);
    assert_int_equal(moment.visits[0].offer_failures, 2);
    live(CONTACT_ENDED, 12000);
    fold_all();
    assert_int_equal(moment.state, STATE_ENDED);
    /* The record of an answer, come late, brings nobody back. */
    in(recorded(CONTACT_QUEUED, 1), "q", "");
    in(recorded(CONTACT_ANSWERED, 5), "q", "c")->wait_ms = 4000;
    fold_all();
    assert_int_equal(moment.state, STATE_ENDED);
    assert_int_equal(moment.visit_count, 1);
}

static void test_the_record_decides(void **state)
{
    (void)state;
    in(live(CONTACT_QUEUED, 100), "q", "");
    in(live(CONTACT_ANSWERED, 5100), "q", "wrong")->hold_ms = 0;
    in(live(CONTACT_AGENT_ENDED, 9100), "q", "wrong")->outcome = OUTCOME_COMPLETED_BY_AGENT;
    in(live(CONTACT_OFFERED, 1000), "q", "wrong");
    in(live(CONTACT_OFFERED, 1000), "q", "right");
    in(live(CONTACT_QUEUED, 20000), "never", "");
    in(recorded(CONTACT_QUEUED, 0), "q", "");
    struct event *answered = in(recorded(CONTACT_ANSWERED, 5), "q", "right");
    answered->wait_ms = 5000;
    struct event *ended = in(recorded(CONTACT_AGENT_ENDED, 30), "q", "right");
    ended->outcome = OUTCOME_COMPLETED_BY_CALLER;
    ended->ended_by = PARTY_CUSTOMER;
    ended->wait_ms = 5000;
    ended->talk_ms = 25000;
    fold_all();
    assert_int_equal(moment.visit_count, 1);
    assert_string_equal(moment.visits[0].agent, "right");
    assert_int_equal(moment.visits[0].outcome, OUTCOME_COMPLETED_BY_CALLER);
    assert_int_equal(moment.visits[0].entered_at, T0 + 100 * US_PER_MS); /* agrees: finer */
    assert_int_equal(moment.visits[0].ended_at, T0 + 30 * US_PER_S);     /* does not */
    assert_int_equal(moment.talk_ms, 25000);
    assert_int_equal(moment.hold_count, -1);      /* another agent's holds */
    assert_int_equal(moment.visits[0].offers, 2); /* of which the record knows one */
    assert_true(has("clock_skew"));
    assert_true(has("contradicted"));
    assert_true(has("talk_includes_hold"));
}

/* Lines of one second: their order in the file is all there is. */
static void test_the_order_within_a_second(void **state)
{
    (void)state;
    for (unsigned salt = 0; salt < 16; salt++) {
        count = salt; /* other ids, hence another order of ids */
        struct event *second = in(recorded(CONTACT_QUEUED, 5), "q", "");
        second->sequence = 3;
        struct event *left = in(recorded(CONTACT_LEFT_QUEUE, 5), "q", "");
        left->sequence = 2;
        left->outcome = OUTCOME_TIMEOUT;
        in(recorded(CONTACT_QUEUED, 5), "q", "")->sequence = 1;
        uint32_t order[3];
        fold(events + salt, 3, order, &moment);
        assert_int_equal(moment.visit_count, 2);
        assert_int_equal(moment.visits[0].outcome, OUTCOME_TIMEOUT);
        assert_int_equal(moment.visits[1].ended_at, 0);
        assert_int_equal(moment.state, STATE_WAITING);
    }
}

/* A record of whole seconds looks newer than it is. */
static void test_a_record_of_the_same_second_is_not_newer(void **state)
{
    (void)state;
    in(live(CONTACT_QUEUED, 800), "q", "");
    in(live(CONTACT_OFFERED, 900), "q", "a");
    in(recorded(CONTACT_QUEUED, 1), "q", "");
    fold_all();
    assert_int_equal(moment.state, STATE_RINGING);
    in(recorded(CONTACT_ANSWERED, 9), "q", "a");
    fold_all();
    assert_int_equal(moment.state, STATE_TALKING); /* live evidence has missed it */
}

static void test_the_same_queue_twice(void **state)
{
    (void)state;
    /* The race: the second visit's Join before the first visit's Complete. */
    in(live(CONTACT_QUEUED, 0), "q", "");
    in(live(CONTACT_ANSWERED, 2000), "q", "a");
    in(live(CONTACT_QUEUED, 10000), "q", "");
    in(live(CONTACT_TRANSFERRED, 10001), "q", "a")->outcome = OUTCOME_BLIND_TRANSFER;
    fold_all();
    assert_int_equal(moment.state, STATE_WAITING);
    assert_int_equal(moment.state_since, T0 + 10 * US_PER_S);
    in(live(CONTACT_ANSWERED, 13000), "q", "b");
    struct event *ended = in(live(CONTACT_AGENT_ENDED, 20000), "q", "b");
    ended->outcome = OUTCOME_COMPLETED_BY_AGENT;
    live(CONTACT_ENDED, 21000);
    fold_all();
    assert_int_equal(moment.visit_count, 2);
    assert_int_equal(moment.visits[0].outcome, OUTCOME_BLIND_TRANSFER);
    assert_int_equal(moment.visits[0].talk_ms, 8001);
    assert_int_equal(moment.visits[1].outcome, OUTCOME_COMPLETED_BY_AGENT);
    assert_int_equal(moment.transfers, 1);
    assert_string_equal(moment.agent, "b");
}

static void test_surveys_find_their_visit(void **state)
{
    (void)state;
    in(live(CONTACT_QUEUED, 0), "one", "");
    in(live(CONTACT_ANSWERED, 1000), "one", "a");
    in(live(CONTACT_AGENT_ENDED, 2000), "one", "a");
    in(live(CONTACT_QUEUED, 3000), "two", "");
    in(live(CONTACT_ANSWERED, 4000), "two", "b");
    in(live(CONTACT_AGENT_ENDED, 5000), "two", "b");
    live(CONTACT_ENDED, 6000);
    struct event *first = in(live(FEEDBACK_RECEIVED, 7000), "one", "a");
    first->instrument = "csat";
    first->has_score = true;
    first->score = 2;
    first->score_min = 1;
    first->score_max = 5;
    struct event *second = in(live(FEEDBACK_RECEIVED, 8000), "", "");
    second->instrument = "csat";
    second->has_score = true;
    second->score = 10;
    second->score_max = 10;
    struct event *nps = live(FEEDBACK_RECEIVED, 9000);
    nps->instrument = "nps";
    nps->has_score = true;
    nps->score = 9;
    nps->score_max = 10;
    fold_all();
    assert_true(moment.visits[0].has_csat);
    assert_int_equal((int)moment.visits[0].csat, 2);
    assert_int_equal((int)moment.visits[1].csat, 5);
    assert_int_equal((int)moment.csat, 5);
    assert_int_equal(moment.nps, 9);
}

static void test_a_survey_is_not_of_a_later_visit(void **state)
{
    (void)state;
    for (int64_t at = 0; at <= 60000; at += 60000) {
        in(live(CONTACT_QUEUED, at), "q", "");
        in(live(CONTACT_ANSWERED, at + 1000), "q", "a");
        in(live(CONTACT_AGENT_ENDED, at + 2000), "q", "a");
    }
    struct event *survey = in(live(FEEDBACK_RECEIVED, 30000), "q", "a");
    survey->has_score = true;
    survey->score = 3;
    fold_all();
    assert_true(moment.visits[0].has_csat);
    assert_false(moment.visits[1].has_csat);
}

static void test_a_lost_moment_comes_back(void **state)
{
    (void)state;
    int64_t limit = IDLE_LIMIT_DEFAULT_S * US_PER_S;
    in(live(CONTACT_QUEUED, 0), "q", "");
    fold_all();
    assert_false(idle_is_lost(moment.state, T0, T0 + limit - 1, limit));
    assert_true(idle_is_lost(moment.state, T0, T0 + limit, limit));
    assert_int_equal(idle_due_at(moment.state, T0, limit), T0 + limit);
    assert_false(idle_is_lost(STATE_ENDED, T0, T0 + 2 * limit, limit));
    assert_false(idle_is_lost(moment.state, T0, INT64_MAX, 0));
    idle_lost_event("src", "sys", "c-1", T0, T0 + limit, &events[count++]);
    fold_all();
    assert_int_equal(moment.state, STATE_ENDED);
    assert_int_equal(moment.outcome, OUTCOME_LOST_TRACK);
    assert_int_equal(moment.visits[0].outcome, OUTCOME_LOST_TRACK);
    assert_int_equal(moment.wait_ms, -1);
    assert_true(has("lost_track"));
    in(live(CONTACT_ANSWERED, 9000), "q", "a");
    fold_all();
    assert_int_equal(moment.state, STATE_TALKING);
    assert_int_equal(moment.outcome, OUTCOME_OPEN);
    assert_false(has("lost_track"));
}

/* A call whose end was lost, but whose record is whole, is no lost moment. */
static void test_a_whole_record_is_enough(void **state)
{
    (void)state;
    in(live(CONTACT_QUEUED, 0), "q", "");
    in(recorded(CONTACT_QUEUED, 0), "q", "");
    struct event *left = in(recorded(CONTACT_ABANDONED, 7), "q", "");
    left->outcome = OUTCOME_ABANDONED;
    left->wait_ms = 7000;
    idle_lost_event("src", "sys", "c-1", T0 + 7 * US_PER_S, T0 + 99 * US_PER_S, &events[count++]);
    fold_all();
    assert_int_equal(moment.outcome, OUTCOME_ABANDONED);
    assert_int_equal(moment.wait_ms, 7000);
}

static void test_ended_in_a_gap(void **state)
{
    (void)state;
    in(live(CONTACT_QUEUED, 0), "q", "");
    live(CONTACT_ENDED, 60000)->reason = "ended_in_gap";
    fold_all();
    assert_int_equal(moment.visits[0].outcome, OUTCOME_LOST_TRACK);
    assert_true(has("ended_in_gap"));
    assert_true(has("incomplete"));
}

static void test_a_record_that_begins_in_the_middle(void **state)
{
    (void)state;
    struct event *ended = in(recorded(CONTACT_AGENT_ENDED, 100), "q", "a");
    ended->outcome = OUTCOME_COMPLETED_BY_CALLER;
    ended->wait_ms = 30000;
    ended->talk_ms = 20000;
    fold_all();
    assert_int_equal(moment.visit_count, 1);
    assert_int_equal(moment.visits[0].entered_at, T0 + 50 * US_PER_S);
    assert_int_equal(moment.visits[0].answered_at, T0 + 80 * US_PER_S);
    assert_true(has("derived_answered_at"));
    assert_true(has("second_resolution"));
}

static void test_linked_contacts_are_one_moment(void **state)
{
    (void)state;
    struct event *linked = live(CONTACT_LINKED, 5000);
    linked->contact_id = "c-2";
    linked->root_contact_id = "c-1";
    struct event *queued = in(live(CONTACT_QUEUED, 5000), "two", "");
    queued->contact_id = "c-2";
    fold_all();
    assert_string_equal(moment.merged_into_contact, "c-1");
    in(live(CONTACT_QUEUED, 0), "one", "");
    in(live(CONTACT_ANSWERED, 1000), "one", "a");
    in(live(CONTACT_TRANSFERRED, 5000), "one", "a")->outcome = OUTCOME_BLIND_TRANSFER;
    fold_all();
    assert_string_equal(moment.merged_into_contact, "");
    assert_int_equal(moment.visit_count, 2);
    assert_string_equal(moment.queue, "one");
    assert_int_equal(moment.state, STATE_WAITING);
    /* The record has the second conversation inside the first visit: asterisk/README, 25. */
    in(recorded(CONTACT_QUEUED, 0), "one", "");
    in(recorded(CONTACT_ANSWERED, 1), "one", "a");
    struct event *ended = in(recorded(CONTACT_AGENT_ENDED, 60), "one", "a");
    ended->outcome = OUTCOME_COMPLETED_BY_CALLER;
    ended->talk_ms = 59000;
    fold_all();
    assert_int_equal(moment.visits[0].outcome, OUTCOME_BLIND_TRANSFER);
    assert_int_equal(moment.visits[0].talk_ms, 4000);
}

static struct event *of_contact(struct event *event, const char *contact)
{
    event->contact_id = contact;
    return event;
}

static void test_a_moment_of_two_channels_goes_on_until_both_are_over(void **state)
{
    (void)state;
    of_contact(live(CONTACT_LINKED, 2000), "c-2")->root_contact_id = "c-1";
    in(live(CONTACT_QUEUED, 0), "one", "");
    in(live(CONTACT_ANSWERED, 1000), "one", "a");
    of_contact(in(live(CONTACT_QUEUED, 2000), "two", ""), "c-2");
    of_contact(in(live(CONTACT_ANSWERED, 3000), "two", "b"), "c-2");
    live(CONTACT_ENDED, 4000)->ended_by = PARTY_CUSTOMER;
    fold_all();
    assert_int_equal(moment.state, STATE_TALKING);
    assert_int_equal(moment.state_since, T0 + 3 * US_PER_S);
    assert_int_equal(moment.ended_at, 0);
    assert_int_equal(moment.visits[0].talk_ms, 3000);
    assert_int_equal(moment.visits[0].outcome, OUTCOME_COMPLETED_BY_CALLER);
    assert_false(has("incomplete"));
    of_contact(live(CONTACT_ENDED, 9000), "c-2")->ended_by = PARTY_AGENT;
    fold_all();
    assert_int_equal(moment.state, STATE_ENDED);
    assert_int_equal(moment.ended_at, T0 + 9 * US_PER_S);
    assert_int_equal(moment.visits[1].talk_ms, 6000);
    assert_int_equal(moment.visits[1].outcome, OUTCOME_COMPLETED_BY_AGENT);
}

static void test_a_moment_that_comes_back_in_another_channel_is_open_again(void **state)
{
    (void)state;
    of_contact(live(CONTACT_LINKED, 2000), "c-2")->root_contact_id = "c-1";
    in(live(CONTACT_QUEUED, 0), "one", "");
    in(live(CONTACT_ANSWERED, 1000), "one", "a");
    live(CONTACT_ENDED, 4000);
    of_contact(in(live(CONTACT_QUEUED, 60000), "two", ""), "c-2");
    fold_all();
    assert_int_equal(moment.state, STATE_WAITING);
    assert_int_equal(moment.ended_at, 0);
    assert_int_equal(moment.visits[0].talk_ms, 3000);
    of_contact(live(CONTACT_ABANDONED, 65000), "c-2");
    fold_all();
    assert_int_equal(moment.state, STATE_ENDED);
    assert_int_equal(moment.visits[1].outcome, OUTCOME_ABANDONED);
    assert_int_equal(moment.visits[1].wait_ms, 5000);
}

static void test_a_talk_time_that_includes_holds(void **state)
{
    (void)state;
    in(live(CONTACT_QUEUED, 0), "q", "");
    in(live(CONTACT_ANSWERED, 1000), "q", "a")->hold_ms = 0;
    in(live(CONTACT_HELD, 2000), "q", "a");
    in(live(CONTACT_RESUMED, 5000), "q", "a");
    struct event *ended = in(live(CONTACT_AGENT_ENDED, 11000), "q", "a");
    ended->talk_ms = 10000;
    ended->talk_includes_hold = true;
    fold_all();
    assert_int_equal(moment.talk_ms, 7000);
    assert_int_equal(moment.hold_ms, 3000);
}

/* No timestamps in the live stream, and our clock is 5 s off. */
static void test_clocks_that_disagree(void **state)
{
    (void)state;
    in(live(CONTACT_QUEUED, 5000), "q", "");
    in(live(CONTACT_ANSWERED, 9000), "q", "a")->hold_ms = 0;
    in(recorded(CONTACT_QUEUED, 0), "q", "");
    struct event *answered = in(recorded(CONTACT_ANSWERED, 4), "q", "a");
    answered->wait_ms = 4000;
    fold_all();
    assert_int_equal(moment.visit_count, 1);
    assert_int_equal(moment.wait_ms, 4000);
    assert_int_equal(moment.visits[0].entered_at, T0);
    assert_true(has("clock_skew"));
}

static void test_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < FOLD_VISITS_MAX + 1; i++)
        in(live(CONTACT_QUEUED, (int64_t)i * 10000), "q", "");
    fold_all();
    assert_int_equal(moment.visit_count, FOLD_VISITS_MAX);
    assert_true(has("too_many_visits"));
    count = 0;
    for (size_t i = 0; i < FOLD_EVENTS_MAX + 1; i++)
        in(live(CONTACT_HELD, (int64_t)i), "q", "");
    fold_all();
    assert_true(has("too_many_events"));
    count = 0;
    fold_all();
    assert_int_equal(moment.visit_count, 0);
    assert_int_equal(moment.state, STATE_UNKNOWN);
}

/* Each once, sorted; of too many the first ones, whatever order they come in. */
static void test_what_a_customer_signals(void **state)
{
    (void)state;
    live(CONTACT_UPDATED, 2000)->customer_signal = "wants to cancel";
    live(CONTACT_UPDATED, 1000)->customer_signal = "complaint";
    live(FEEDBACK_RECEIVED, 9000)->customer_signal = "complaint";
    live(CONTACT_UPDATED, 3000);
    fold_all();
    assert_int_equal(moment.signal_count, 2);
    assert_string_equal(moment.signals[0], "complaint");
    assert_string_equal(moment.signals[1], "wants to cancel");
}

static void test_of_too_many_signals_the_first_count(void **state)
{
    static char names[FOLD_SIGNALS_MAX * 3][8];
    (void)state;
    for (unsigned seed = 0; seed < 50; seed++) {
        count = 0;
        srand(seed);
        for (size_t i = 0; i < countof(names); i++) {
            size_t number = i * 29 % countof(names); /* the later, the earlier in the alphabet */
            (void)snprintf(names[i], sizeof(names[i]), "s%02zu", countof(names) - 1 - number);
            live(CONTACT_UPDATED, (int64_t)number)->customer_signal = names[i];
        }
        for (size_t i = count; i > 1; i--) {
            size_t j = (size_t)rand() % i;
            struct event kept = events[i - 1];
            events[i - 1] = events[j];
            events[j] = kept;
        }
        fold_all();
        assert_int_equal(moment.signal_count, FOLD_SIGNALS_MAX);
        assert_string_equal(moment.signals[0], "s32");
        for (size_t i = 1; i < FOLD_SIGNALS_MAX; i++)
            assert_true(strcmp(moment.signals[i - 1], moment.signals[i]) < 0);
    }
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 1; i < EVENT_TYPES; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "com.example.cx.%s",
                       event_type_name((enum event_type)i));
        assert_int_equal(event_type_of(slice_of(name)), i);
        assert_int_equal(event_type_of(slice_of(name + 15)), i);
    }
    assert_int_equal(event_type_of(slice_of("xcontact.ended")), EVENT_UNKNOWN);
    assert_int_equal(event_type_of(slice_of("contact.ended.")), EVENT_UNKNOWN);
    assert_int_equal(event_presence_of(slice_of("acw")), PRESENCE_WRAP);
    assert_int_equal(event_outcome_of(slice_of("exit_key")), OUTCOME_EXIT_KEY);
    assert_int_equal(event_channel_of(slice_of("fax")), CHANNEL_UNKNOWN);
    assert_string_equal(event_address_of("Anonymous"), "");
    assert_string_equal(event_address_of("+442079460123"), "+442079460123");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_contact_told_by_its_end, start),
        cmocka_unit_test_setup(test_a_summary_has_the_last_word, start),
        cmocka_unit_test_setup(test_the_live_floor_step_by_step, start),
        cmocka_unit_test_setup(test_the_record_decides, start),
        cmocka_unit_test_setup(test_the_same_queue_twice, start),
        cmocka_unit_test_setup(test_surveys_find_their_visit, start),
        cmocka_unit_test_setup(test_a_lost_moment_comes_back, start),
        cmocka_unit_test_setup(test_a_whole_record_is_enough, start),
        cmocka_unit_test_setup(test_ended_in_a_gap, start),
        cmocka_unit_test_setup(test_a_record_that_begins_in_the_middle, start),
        cmocka_unit_test_setup(test_linked_contacts_are_one_moment, start),
        cmocka_unit_test_setup(test_a_moment_of_two_channels_goes_on_until_both_are_over, start),
        cmocka_unit_test_setup(test_a_moment_that_comes_back_in_another_channel_is_open_again,
                               start),
        cmocka_unit_test_setup(test_a_talk_time_that_includes_holds, start),
        cmocka_unit_test_setup(test_clocks_that_disagree, start),
        cmocka_unit_test_setup(test_the_order_within_a_second, start),
        cmocka_unit_test_setup(test_a_record_of_the_same_second_is_not_newer, start),
        cmocka_unit_test_setup(test_a_survey_is_not_of_a_later_visit, start),
        cmocka_unit_test_setup(test_what_a_customer_signals, start),
        cmocka_unit_test_setup(test_of_too_many_signals_the_first_count, start),
        cmocka_unit_test_setup(test_bounds, start),
        cmocka_unit_test_setup(test_names, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
