/* What a call centre does that the recorded one did not: transfers by agents behind Local channels,
 * races, restarts, refused lists, other dialplans. */
#include "ingest/rules/asterisk_ami.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every event that came out, one line each: type contact queue agent reason|outcome|presence... */
static char heard[8192];
static struct asterisk_ami *ami;
static unsigned now_s;
static int64_t occurred_at, talk_ms; /* of the last event */

static void hear(void *context, const struct event *event)
{
    (void)context;
    size_t len = strlen(heard);
    assert_string_equal(event->source, "pbx");
    occurred_at = event->occurred_at;
    talk_ms = event->talk_ms;
    assert_int_equal(event->evidence, EVIDENCE_LIVE);
    const char *detail = event->type == AGENT_STATE_CHANGED ? event_presence_name(event->presence)
                                                            : event_outcome_name(event->outcome);
    const char *const words[] = {event_type_name(event->type),
                                 event->contact_id,
                                 event->queue,
                                 event->agent,
                                 event->reason,
                                 detail,
                                 event->root_contact_id,
                                 event->to_address,
                                 event->disposition,
                                 event->customer_address};
    for (size_t i = 0; i < countof(words); i++) {
        if (*words[i])
            len +=
                (size_t)snprintf(heard + len, sizeof(heard) - len, "%s%s", i ? " " : "", words[i]);
    }
    (void)snprintf(heard + len, sizeof(heard) - len, "\n");
}

static int start(void **state)
{
    (void)state;
    const struct asterisk_ami_options options = {.source = "pbx",
                                                 .inbound_contexts = "from-trunk, outside"};
    ami = asterisk_ami_new(&options, hear, NULL);
    heard[0] = 0;
    now_s = 100;
    return ami ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    asterisk_ami_free(ami);
    return 0;
}

/* "Event=Hangup Uniqueid=1.1": a packet one second after the one before. */
static void say(const char *text)
{
    static char copy[1024];
    static char stamp[32];
    static struct ami_packet packet;
    text_copy(copy, sizeof(copy), text);
    packet.count = 0;
    char *save;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(word, '=');
        assert_non_null(equals);
        *equals = 0;
        packet.headers[packet.count++] = (struct ami_header){word, equals + 1};
    }
    now_s++;
    if (!ami_packet_has(&packet, "ActionID") && !ami_packet_has(&packet, "Timestamp")) {
        (void)snprintf(stamp, sizeof(stamp), "%u.000000", now_s);
        packet.headers[packet.count++] = (struct ami_header){"Timestamp", stamp};
    }
    asterisk_ami_packet(ami, &packet, now_s * US_PER_S);
}

static void expect(const char *wanted)
{
    assert_string_equal(heard, wanted);
    heard[0] = 0;
}

static void add_members(void)
{
    say("Event=QueueMemberAdded Queue=q MemberName=Joe Interface=Local/104@legs/n "
        "StateInterface=PJSIP/104 Status=1 Paused=0");
    say("Event=QueueMemberAdded Queue=r MemberName=Ann Interface=PJSIP/101 "
        "StateInterface=PJSIP/101 "
        "Status=1 Paused=0");
    heard[0] = 0;
}

static void call(const char *id, const char *queue)
{
    char text[256];
    (void)snprintf(text, sizeof(text),
                   "Event=Newchannel ChannelState=4 Context=from-trunk Exten=1 CallerIDNum=123 "
                   "Channel=PJSIP/t-1 Uniqueid=%s Linkedid=%s",
                   id, id);
    say(text);
    (void)snprintf(text, sizeof(text), "Event=QueueCallerJoin Uniqueid=%s Linkedid=%s Queue=%s", id,
                   id, queue);
    say(text);
    heard[0] = 0;
}

static void answer(const char *id, const char *queue, const char *agent, const char *interface)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "Event=QueueCallerLeave Uniqueid=%s Queue=%s", id, queue);
    say(text);
    (void)snprintf(text, sizeof(text),
                   "Event=AgentConnect Uniqueid=%s Queue=%s MemberName=%s Interface=%s HoldTime=2 "
                   "RingTime=1",
                   id, queue, agent, interface);
    say(text);
    heard[0] = 0;
}

/* asterisk/README, 25: the Local half moves on, the first visit's AgentComplete comes at the end
 * and says nothing of the transfer. */
static void test_transfer_by_an_agent_behind_a_local_channel(void **state)
{
    (void)state;
    add_members();
    call("1.1", "q");
    answer("1.1", "q", "Joe", "Local/104@legs/n");
    say("Event=BlindTransfer Result=Success TransfererChannel=PJSIP/104-0a TransfererUniqueid=1.4 "
        "TransfererLinkedid=1.1 TransfereeUniqueid=1.3 Extension=802");
    expect("contact.transferred 1.1 q Joe blind_transfer 802\n");
    say("Event=QueueCallerJoin Uniqueid=1.3 Linkedid=1.1 Queue=r CallerIDNum=123");
    expect("contact.linked 1.3 1.1\ncontact.queued 1.3 r 123\n");
    answer("1.3", "r", "Ann", "PJSIP/101");
    say("Event=Hold Channel=PJSIP/101-0b Uniqueid=1.7 Linkedid=1.1");
    expect("contact.held 1.3 r Ann\n");
    say("Event=AgentComplete Uniqueid=1.1 Queue=q MemberName=Joe Interface=Local/104@legs/n "
        "HoldTime=2 TalkTime=40 Reason=caller");
    expect("");
}

/* 11: the second Join before the first AgentComplete. */
static void test_the_race_of_join_and_complete(void **state)
{
    (void)state;
    add_members();
    call("1.1", "r");
    answer("1.1", "r", "Ann", "PJSIP/101");
    say("Event=BlindTransfer Result=Success TransfererChannel=PJSIP/101-0a TransfererLinkedid=1.1 "
        "TransfereeUniqueid=1.1 Extension=801");
    say("Event=QueueCallerJoin Uniqueid=1.1 Linkedid=1.1 Queue=r");
    expect("contact.transferred 1.1 r Ann blind_transfer 801\ncontact.queued 1.1 r\n");
    say("Event=AgentComplete Uniqueid=1.1 Queue=r MemberName=Ann Interface=PJSIP/101 "
        "Reason=transfer");
    expect("");
    answer("1.1", "r", "Ann", "PJSIP/101");
    say("Event=AgentComplete Uniqueid=1.1 Queue=r MemberName=Ann Interface=PJSIP/101 Reason=agent");
    expect("contact.agent_ended 1.1 r Ann completed_by_agent\n");
}

static void test_a_transfer_that_failed_is_none(void **state)
{
    (void)state;
    add_members();
    call("1.1", "r");
    answer("1.1", "r", "Ann", "PJSIP/101");
    say("Event=BlindTransfer Result=Invalid TransfererChannel=PJSIP/101-0a TransfererLinkedid=1.1");
    say("Event=AttendedTransfer Result=Fail OrigTransfererChannel=PJSIP/101-0a "
        "OrigTransfererLinkedid=1.1");
    expect("");
    say("Event=AgentComplete Uniqueid=1.1 Queue=r MemberName=Ann Interface=PJSIP/101 "
        "Reason=transfer");
    expect("contact.transferred 1.1 r Ann transferred\n");
}

/* 15: only QUEUESTATUS tells the ways out of a queue apart. */
static void test_ways_out_of_a_queue(void **state)
{
    (void)state;
    static const struct {
        const char *id, *status, *wanted;
    } ways[] = {
        {"1.1", "TIMEOUT", "contact.left_queue 1.1 q TIMEOUT timeout\n"},
        {"1.2", "LEAVEEMPTY", "contact.left_queue 1.2 q LEAVEEMPTY left_empty\n"},
        {"1.3", "LEAVEUNAVAIL", "contact.left_queue 1.3 q LEAVEUNAVAIL left_empty\n"},
        {"1.4", "WITHDRAW", "contact.left_queue 1.4 q WITHDRAW withdrawn\n"},
        {"1.5", "CONTINUE", "contact.abandoned 1.5 q abandoned\n"},
    };
    for (size_t i = 0; i < countof(ways); i++) {
        char text[256];
        call(ways[i].id, "q");
        /* The value of an earlier visit means nothing. */
        (void)snprintf(text, sizeof(text), "Event=VarSet Uniqueid=%s Variable=QUEUESTATUS Value=%s",
                       ways[i].id, ways[i].status);
        say(text);
        expect("");
        (void)snprintf(text, sizeof(text), "Event=QueueCallerAbandon Uniqueid=%s Queue=q",
                       ways[i].id);
        say(text);
        (void)snprintf(text, sizeof(text), "Event=QueueCallerLeave Uniqueid=%s Queue=q",
                       ways[i].id);
        say(text);
        expect("");
        (void)snprintf(text, sizeof(text), "Event=VarSet Uniqueid=%s Variable=QUEUESTATUS Value=%s",
                       ways[i].id, ways[i].status);
        say(text);
        expect(ways[i].wanted);
    }
    call("2.1", "q");
    say("Event=QueueCallerAbandon Uniqueid=2.1 Queue=q");
    say("Event=Hangup Uniqueid=2.1");
    expect("contact.abandoned 2.1 q abandoned\ncontact.ended 2.1\n");
    call("2.2", "q");
    say("Event=QueueCallerLeave Uniqueid=2.2 Queue=q");
    say("Event=Newexten Uniqueid=2.2 Extension=9 Application=Playback");
    expect("contact.left_queue 2.2 q 9 exit_key\n");
    say("Event=UserEvent UserEvent=CallbackRequested Uniqueid=2.2 Key=9");
    expect("contact.updated 2.2 callback_requested\n");
    say("Event=Newexten Uniqueid=2.3 Extension=s Application=Queue AppData=q,ct");
    say("Event=VarSet Uniqueid=2.3 Linkedid=2.3 Variable=QUEUESTATUS Value=FULL");
    expect("contact.refused 2.3 FULL refused\n");
}

static void test_what_is_no_contact(void **state)
{
    (void)state;
    add_members();
    /* Dialled legs, calls of our own people, an outbound call over the trunk, somebody's Cdr. */
    say("Event=Newchannel ChannelState=0 Context=from-trunk Uniqueid=1.1 Linkedid=1.1");
    say("Event=Newchannel ChannelState=4 Context=from-agents Uniqueid=1.2 Linkedid=1.2");
    say("Event=Newchannel ChannelState=4 Context=trunk Uniqueid=1.3 Linkedid=1.3");
    say("Event=Newchannel ChannelState=4 Context=from-trunk,outside Uniqueid=1.3 Linkedid=1.3");
    say("Event=Hold Channel=PJSIP/101-0a Uniqueid=1.4 Linkedid=1.2");
    say("Event=Cdr UniqueID=1.2 LinkedID=1.2");
    say("Event=ChanSpyStart SpyeeUniqueid=1.2");
    say("Event=OriginateResponse Response=Failure Uniqueid=<unknown>");
    say("Event=Hangup Uniqueid=1.2");
    expect("");
    assert_int_equal(asterisk_ami_counts(ami).contacts, 0);
    say("Event=Newchannel ChannelState=4 Context=outside Uniqueid=1.5 Linkedid=1.5 "
        "CallerIDNum=anonymous");
    expect("contact.started 1.5\n");
}

static void test_presence(void **state)
{
    (void)state;
    say("Event=QueueMemberAdded Queue=q MemberName=Ann Interface=PJSIP/101 Status=1 Paused=0");
    expect("agent.state_changed Ann available\n");
    say("Event=QueueMemberAdded Queue=r MemberName=Ann Interface=PJSIP/101 Status=1 Paused=0");
    heard[0] = 0;
    say("Event=QueueMemberPause Queue=q MemberName=Ann Interface=PJSIP/101 Status=1 Paused=1 "
        "PausedReason=Lunch");
    expect(""); /* still takes calls of r */
    say("Event=QueueMemberPause Queue=r MemberName=Ann Interface=PJSIP/101 Status=1 Paused=1 "
        "PausedReason=Lunch");
    expect("agent.state_changed Ann Lunch break\n");
    say("Event=DeviceStateChange Device=PJSIP/101 State=INUSE");
    expect("agent.state_changed Ann Lunch busy\n");
    say("Event=DeviceStateChange Device=PJSIP/101 State=RINGING ActionID=x");
    expect(""); /* an item of a list */
    say("Event=DeviceStateChange Device=PJSIP/101 State=NOT_INUSE");
    expect("agent.state_changed Ann Lunch break\n");
    say("Event=QueueMemberRemoved Queue=q MemberName=Ann Interface=PJSIP/101");
    heard[0] = 0;
    say("Event=QueueMemberRemoved Queue=r MemberName=Ann Interface=PJSIP/101");
    expect("agent.state_changed Ann offline\n");
    assert_int_equal(asterisk_ami_counts(ami).members, 0);
    say("Event=QueueMemberStatus Queue=q Interface=PJSIP/102 StateInterface=PJSIP/102 Status=6 "
        "Paused=0");
    expect("agent.state_changed PJSIP/102 ringing\n");
}

static void end_lists(void)
{
    say("Event=QueueStatusComplete ActionID=s1");
    assert_false(asterisk_ami_is_settled(ami));
    say("Event=CoreShowChannelsComplete ActionID=s2");
    assert_true(asterisk_ami_is_settled(ami));
}

static void test_after_a_reconnect(void **state)
{
    (void)state;
    add_members();
    call("1.1", "q"); /* will be gone */
    call("1.2", "r"); /* will talk to Ann */
    call("1.3", "q"); /* goes on waiting */
    call("1.4", "q"); /* will be at the survey */
    asterisk_ami_disconnected(ami);
    now_s += 60;
    asterisk_ami_snapshot(ami, "s1", "s2", 0);
    say("Event=QueueMember ActionID=s1 Queue=r Name=Ann Location=PJSIP/101 "
        "StateInterface=PJSIP/101 "
        "Status=2 Paused=0");
    expect("agent.state_changed Ann busy\n");
    say("Event=QueueEntry ActionID=s1 Queue=q Uniqueid=1.3 Wait=70");
    expect("");
    say("Event=QueueEntry ActionID=s1 Queue=q Uniqueid=2.1 Wait=5 CallerIDNum=77");
    expect("contact.started 2.1 snapshot 77\ncontact.queued 2.1 q snapshot\n");
    say("Event=QueueEntry ActionID=other Queue=q Uniqueid=9.9 Wait=5");
    expect("");
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/t-1 Uniqueid=1.2 Linkedid=1.2 "
        "Application=Queue ApplicationData=r,ct BridgeId=b1 Duration=00:01:10");
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/101-0c Uniqueid=1.9 Linkedid=1.2 "
        "Application=AppQueue BridgeId=b1 Duration=00:00:10");
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/t-2 Uniqueid=1.3 Linkedid=1.3 "
        "Application=Queue ApplicationData=q BridgeId= Duration=00:01:10");
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/t-3 Uniqueid=1.4 Linkedid=1.4 "
        "Application=Read BridgeId= Duration=00:01:10");
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/t-4 Uniqueid=2.1 Linkedid=2.1 "
        "Application=Queue ApplicationData=q BridgeId= Duration=00:00:05");
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/t-5 ChannelState=6 Uniqueid=2.2 "
        "Linkedid=2.2 Application=Read BridgeId= Duration=00:00:05");
    expect("contact.started 2.2 snapshot\n"); /* from where inbound calls come */
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/103-01 ChannelState=6 Uniqueid=2.3 "
        "Linkedid=2.3 Application=Dial BridgeId= Duration=00:00:05");
    expect("");
    call("3.1", "q"); /* while the lists come in */
    end_lists();
    expect("source.gap disconnected\n"
           "contact.left_queue 1.4 q gap\n"
           "contact.answered 1.2 r Ann gap\n"
           "contact.ended 1.1 ended_in_gap\n"
           "agent.state_changed Joe offline\n"); /* no longer a member */
    say("Event=AgentComplete Uniqueid=1.2 Queue=r MemberName=Ann Interface=PJSIP/101 "
        "Reason=caller");
    expect("contact.agent_ended 1.2 r Ann completed_by_caller\n");
}

static void test_after_a_restart(void **state)
{
    (void)state;
    asterisk_ami_recall(ami, "1.1", "q", 90 * US_PER_S, "");
    asterisk_ami_recall(ami, "1.2", "q", 90 * US_PER_S, "Ann");
    asterisk_ami_recall(ami, "1.3", "q", 80 * US_PER_S, "Bea");
    asterisk_ami_snapshot(ami, "s1", "s2", 95 * US_PER_S);
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/t-3 Uniqueid=1.3 Linkedid=1.3 "
        "Application=Queue BridgeId=b Duration=00:00:22");
    say("Event=QueueEntry ActionID=s1 Queue=q Uniqueid=1.1 Wait=12");
    say("Event=CoreShowChannel ActionID=s2 Channel=PJSIP/t-1 Uniqueid=1.1 Linkedid=1.1 "
        "Application=Queue BridgeId= Duration=00:00:12");
    end_lists();
    expect("source.gap disconnected\ncontact.ended 1.2 ended_in_gap\n");
    say("Event=AgentComplete Uniqueid=1.3 Queue=q MemberName=Bea Interface=PJSIP/9 HoldTime=1 "
        "TalkTime=20 Reason=agent");
    expect("contact.agent_ended 1.3 q Bea completed_by_agent\n");
    assert_int_equal(talk_ms, -1); /* the fine times are known to the fold */
    say("Event=AgentComplete Uniqueid=1.7 Queue=q MemberName=Bea Interface=PJSIP/9 HoldTime=1 "
        "TalkTime=20 Reason=agent");
    assert_int_equal(talk_ms, 20000); /* nothing else is known of this one */
}

static void test_refused_lists_conclude_nothing(void **state)
{
    (void)state;
    call("1.1", "q");
    asterisk_ami_disconnected(ami);
    asterisk_ami_snapshot(ami, "s1", "s2", 0);
    say("Response=Error ActionID=s1 Message=Denied");
    say("Response=Error ActionID=s2 Message=Denied");
    assert_true(asterisk_ami_is_settled(ami));
    expect("source.gap disconnected\n");
    assert_int_equal(asterisk_ami_counts(ami).contacts, 1);
}

static void test_only_agents_hold(void **state)
{
    (void)state;
    call("1.1", "q");
    answer("1.1", "q", "Bea", "SIP/9");
    say("Event=Hold Channel=PJSIP/t-1 Uniqueid=1.1 Linkedid=1.1"); /* the caller's own telephone */
    expect("");
    say("Event=Hold Channel=SIP/9-01 Uniqueid=1.2 Linkedid=1.1");
    say("Event=Unhold Channel=SIP/9-01 Uniqueid=1.2 Linkedid=1.1");
    expect("contact.held 1.1 q Bea\ncontact.resumed 1.1 q Bea\n");
}

/* 7: neighbours go back by a millisecond, their order is right; a clock that was set goes further.
 */
static void test_time(void **state)
{
    (void)state;
    say("Event=QueueCallerJoin Uniqueid=1.1 Queue=q Timestamp=200.000100");
    say("Event=AgentCalled Uniqueid=1.1 Queue=q MemberName=A Timestamp=200.000050");
    assert_int_equal(occurred_at, 200000100);
    say("Response=Success ActionID=other"); /* has no Timestamp and moves no clock */
    say("Event=AgentRingNoAnswer Uniqueid=1.1 Queue=q MemberName=A Timestamp=200.500000");
    assert_int_equal(occurred_at, 200500000);
    say("Event=AgentCalled Uniqueid=1.1 Queue=q MemberName=A Timestamp=195.000000");
    assert_int_equal(occurred_at, 195000000);
}

static void test_surveys_and_callbacks(void **state)
{
    (void)state;
    say("Event=UserEvent UserEvent=CSAT Uniqueid=8.8 CallUniqueid=1.1 Queue=q Agent=Ann Score=4");
    say("Event=UserEvent UserEvent=CSAT Uniqueid=1.2 Queue=q Agent=Ann Score=");
    expect("feedback.received 1.1 q Ann\n");
    say("Event=OriginateResponse Response=Success Uniqueid=1.3");
    say("Event=QueueCallerJoin Uniqueid=1.3 Linkedid=1.0 Queue=q");
    expect("contact.queued 1.3 q\n");
}

static void test_bounds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ASTERISK_AMI_CONTACTS + 5; i++) {
        char text[128];
        (void)snprintf(text, sizeof(text),
                       "Event=QueueCallerJoin Uniqueid=9.%u Linkedid=9.%u Queue=q", i, i);
        heard[0] = 0;
        say(text);
    }
    assert_int_equal(asterisk_ami_counts(ami).overflows, 5);
    static char longest[400];
    memset(longest, '1', sizeof(longest) - 1);
    memcpy(longest, "Event=Newchannel ChannelState=4 Context=outside Uniqueid=", 57);
    heard[0] = 0;
    say(longest);
    expect("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_transfer_by_an_agent_behind_a_local_channel, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_the_race_of_join_and_complete, start, stop),
        cmocka_unit_test_setup_teardown(test_a_transfer_that_failed_is_none, start, stop),
        cmocka_unit_test_setup_teardown(test_ways_out_of_a_queue, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_no_contact, start, stop),
        cmocka_unit_test_setup_teardown(test_presence, start, stop),
        cmocka_unit_test_setup_teardown(test_after_a_reconnect, start, stop),
        cmocka_unit_test_setup_teardown(test_after_a_restart, start, stop),
        cmocka_unit_test_setup_teardown(test_refused_lists_conclude_nothing, start, stop),
        cmocka_unit_test_setup_teardown(test_surveys_and_callbacks, start, stop),
        cmocka_unit_test_setup_teardown(test_only_agents_hold, start, stop),
        cmocka_unit_test_setup_teardown(test_time, start, stop),
        cmocka_unit_test_setup_teardown(test_bounds, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
