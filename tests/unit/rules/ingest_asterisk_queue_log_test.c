/* Verbs and columns that the recorded call centre does not have. */
#include "ingest/rules/asterisk_queue_log.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct asterisk_queue_log reader;
static struct event last;
static char contact[256], queue[256], agent[256], reason[256], address[256];
static size_t events;

static void on_event(void *context, const struct event *event)
{
    (void)context;
    events++;
    last = *event;
    text_copy(contact, sizeof(contact), event->contact_id);
    text_copy(queue, sizeof(queue), event->queue);
    text_copy(agent, sizeof(agent), event->agent);
    text_copy(reason, sizeof(reason), event->reason);
    text_copy(address, sizeof(address),
              *event->to_address ? event->to_address : event->customer_address);
}

static int start(void **state)
{
    (void)state;
    asterisk_queue_log_init(&reader, "log", NULL, NULL);
    events = 0;
    memset(&last, 0, sizeof(last));
    return 0;
}

static int read_line(const char *line)
{
    return asterisk_queue_log_line(&reader, slice_of(line), 7, 9, on_event, NULL);
}

static enum event_type type_of(const char *line)
{
    size_t before = events;
    assert_int_equal(read_line(line), 0);
    assert_int_equal(events, before + 1);
    return last.type;
}

static void test_verbs(void **state)
{
    (void)state;
    assert_int_equal(type_of("1772460020|1.2|billing|NONE|ENTERQUEUE|http://x|12025550123|3|Ann|B"),
                     CONTACT_QUEUED);
    assert_string_equal(contact, "1.2");
    assert_string_equal(queue, "billing");
    assert_string_equal(agent, "");
    assert_string_equal(address, "12025550123");
    assert_int_equal(last.position, 3);
    assert_int_equal(last.occurred_at, INT64_C(1772460020) * US_PER_S);
    assert_int_equal(last.evidence, EVIDENCE_RECORD);
    assert_int_equal(last.sequence, 7);
    assert_string_equal(last.system, "log");
    assert_int_equal(type_of("1|1.2|q|A|CONNECT|75|1.3|10"), CONTACT_ANSWERED);
    assert_int_equal(last.wait_ms, 75000);
    assert_int_equal(last.ring_ms, 10000);
    assert_int_equal(type_of("1|1.2|q|A|COMPLETEAGENT|30|140|1"), CONTACT_AGENT_ENDED);
    assert_int_equal(last.outcome, OUTCOME_COMPLETED_BY_AGENT);
    assert_int_equal(last.ended_by, PARTY_AGENT);
    assert_int_equal(last.talk_ms, 140000);
    assert_true(last.talk_includes_hold);
    static const char *const attended[] = {"1|1.2|q|A|ATTENDEDTRANSFER|BRIDGE|b-1|12|95|1",
                                           "1|1.2|q|A|ATTENDEDTRANSFER|LINK|a|b|12|95|1",
                                           "1|1.2|q|A|ATTENDEDTRANSFER|APP|Queue|12|95|1"};
    for (size_t i = 0; i < countof(attended); i++) {
        assert_int_equal(type_of(attended[i]), CONTACT_TRANSFERRED);
        assert_int_equal(last.outcome, OUTCOME_ATTENDED_TRANSFER);
        assert_int_equal(last.wait_ms, 12000);
        assert_int_equal(last.talk_ms, 95000);
    }
    assert_int_equal(type_of("1|1.2|q|A|TRANSFER|6002|queues|30|140|1"), CONTACT_TRANSFERRED);
    assert_int_equal(last.outcome, OUTCOME_BLIND_TRANSFER);
    assert_string_equal(address, "6002");
    assert_int_equal(type_of("1|1.2|q|NONE|EXITWITHKEY|9|2|2|33"), CONTACT_LEFT_QUEUE);
    assert_int_equal(last.outcome, OUTCOME_EXIT_KEY);
    assert_string_equal(reason, "9");
    assert_int_equal(last.wait_ms, 33000);
    assert_int_equal(type_of("1|1.2|q|NONE|WITHDRAW|1|1|9|moved|to chat"), CONTACT_LEFT_QUEUE);
    assert_int_equal(last.outcome, OUTCOME_WITHDRAWN);
    assert_int_equal(last.wait_ms, 9000);
    assert_int_equal(type_of("1|1.2|q|A|RINGNOANSWER|0"), CONTACT_OFFER_FAILED);
    assert_int_equal(last.ring_ms, 0);
    assert_int_equal(type_of("1|1.2|q|A|CSAT|4"), FEEDBACK_RECEIVED);
    assert_true(last.has_score);
    assert_int_equal((int)last.score, 4);
    assert_int_equal(type_of("1|REALTIME|q|A|ADDMEMBER|"), AGENT_STATE_CHANGED);
    assert_string_equal(contact, "");
    assert_int_equal(last.presence, PRESENCE_AVAILABLE);
    assert_int_equal(type_of("1|NONE|NONE|A|PAUSEALL|Lunch, late: 30m"), AGENT_STATE_CHANGED);
    assert_int_equal(last.presence, PRESENCE_BREAK);
    assert_string_equal(queue, "");
    assert_string_equal(reason, "Lunch, late: 30m");
}

static void test_bars_in_names(void **state)
{
    (void)state;
    assert_int_equal(type_of("1|1.2|q|A|B Trading|CONNECT|3|1.3|1"), CONTACT_ANSWERED);
    assert_string_equal(agent, "A|B Trading");
    assert_int_equal(last.wait_ms, 3000);
    assert_int_equal(type_of("1|1.2|q|NONE|ABANDON|x|y|2|3|112"), CONTACT_ABANDONED);
    assert_int_equal(last.wait_ms, 112000);
}

static void test_durations_of_broken_lines_are_unknown(void **state)
{
    (void)state;
    assert_int_equal(type_of("1|1.2|q|A|COMPLETEAGENT|2592000|2592001|1"), CONTACT_AGENT_ENDED);
    assert_int_equal(last.wait_ms, INT64_C(2592000000));
    assert_int_equal(last.talk_ms, -1);
    assert_int_equal(type_of("1|1.2|q|A|RINGNOANSWER|2592000001"), CONTACT_OFFER_FAILED);
    assert_int_equal(last.ring_ms, -1);
}

static void test_foreign_encodings(void **state)
{
    (void)state;
    assert_int_equal(type_of("1|1.2|q|Jos\xe9|CONNECT|3|1.3|1"), CONTACT_ANSWERED);
    assert_string_equal(agent, "Jos?");
}

static void test_ignored_and_malformed(void **state)
{
    (void)state;
    static const char *const ignored[] = {
        "1|NONE|NONE|NONE|QUEUESTART|", "1|1.2|q|A|MADEUP|x|y", "1|NONE|q|NONE|ENTERQUEUE||123|1",
        "1|NONE|q|NONE|PAUSE|x", "1|1.2|q|A|OUTCALL|ANSWERED|3|x"};
    for (size_t i = 0; i < countof(ignored); i++)
        assert_int_equal(read_line(ignored[i]), 0);
    assert_int_equal(reader.ignored, countof(ignored));
    static const char *const malformed[] = {"", "x|1.2|q|A|CONNECT|1|1|1", "1|1.2|q|CONNECT",
                                            "-1|1.2|q|A|CONNECT|1|1|1",
                                            "|||||||||||||||||||||||||||||||||||||||||||||||"};
    for (size_t i = 0; i < countof(malformed); i++)
        assert_int_equal(read_line(malformed[i]), -EINVAL);
    assert_int_equal(reader.malformed, countof(malformed));
    assert_int_equal(events, 0);
    static char longest[ASTERISK_QUEUE_LOG_LINE_MAX + 2];
    memset(longest, 'x', sizeof(longest) - 1);
    memcpy(longest, "1|1.2|q|A|CSAT|", 15);
    assert_int_equal(read_line(longest), -EINVAL);
    longest[ASTERISK_QUEUE_LOG_LINE_MAX] = 0;
    assert_int_equal(read_line(longest), 0);
    assert_false(last.has_score);
}

/* The same file again gives the same ids; the same line twice is two facts. */
static void test_ids(void **state)
{
    (void)state;
    static const char *const lines[] = {"1|1.2|q|A|RINGNOANSWER|0", "1|1.2|q|A|RINGNOANSWER|0",
                                        "2|1.2|q|A|RINGNOANSWER|0"};
    struct id ids[3];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_line(lines[i]), 0);
        ids[i] = last.event_id;
    }
    assert_memory_not_equal(&ids[0], &ids[1], sizeof(ids[0]));
    assert_memory_not_equal(&ids[0], &ids[2], sizeof(ids[0]));
    asterisk_queue_log_init(&reader, "log", NULL, NULL);
    assert_int_equal(read_line(lines[0]), 0);
    assert_memory_equal(&last.event_id, &ids[0], sizeof(ids[0]));
    /* A new life that begins after the first line. */
    asterisk_queue_log_init(&reader, "log", NULL, NULL);
    asterisk_queue_log_prime(&reader, slice_of(lines[0]));
    assert_int_equal(read_line(lines[1]), 0);
    assert_memory_equal(&last.event_id, &ids[1], sizeof(ids[1]));
    asterisk_queue_log_init(&reader, "other", NULL, NULL);
    assert_int_equal(read_line(lines[0]), 0);
    assert_memory_not_equal(&last.event_id, &ids[0], sizeof(ids[0]));
}

static void test_lines(void **state)
{
    (void)state;
    struct slice rest = slice_of("one\ntwo\r\n\nhal");
    struct slice line;
    assert_true(asterisk_queue_log_next(&rest, &line));
    assert_true(slice_is(line, "one"));
    assert_true(asterisk_queue_log_next(&rest, &line));
    assert_true(slice_is(line, "two"));
    assert_true(asterisk_queue_log_next(&rest, &line));
    assert_true(slice_is(line, ""));
    assert_false(asterisk_queue_log_next(&rest, &line));
    assert_true(slice_is(rest, "hal"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_verbs, start),
        cmocka_unit_test_setup(test_bars_in_names, start),
        cmocka_unit_test_setup(test_durations_of_broken_lines_are_unknown, start),
        cmocka_unit_test_setup(test_foreign_encodings, start),
        cmocka_unit_test_setup(test_ignored_and_malformed, start),
        cmocka_unit_test_setup(test_ids, start),
        cmocka_unit_test_setup(test_lines, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
