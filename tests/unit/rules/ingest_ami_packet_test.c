/* Framing: whatever arrives, in whatever pieces, only whole packets come out, and the stream goes
 * on. */
#include "ingest/rules/ami_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Everything that came out, one line per header, "." after a packet. */
struct heard {
    char text[8192];
    size_t packets;
};

static void hear(void *context, const struct ami_packet *packet)
{
    struct heard *heard = context;
    heard->packets++;
    for (size_t i = 0; i < packet->count; i++) {
        size_t len = strlen(heard->text);
        (void)snprintf(heard->text + len, sizeof(heard->text) - len, "%s=%s\n",
                       packet->headers[i].name, packet->headers[i].value);
    }
    size_t len = strlen(heard->text);
    (void)snprintf(heard->text + len, sizeof(heard->text) - len, ".\n");
}

static void feed(struct ami_reader *reader, const char *bytes, size_t len, struct heard *heard)
{
    assert_int_equal(ami_reader_feed(reader, bytes, len, hear, heard), 0);
}

static void test_splits(void **state)
{
    (void)state;
    static const char stream[] =
        "Asterisk Call Manager/11.0.0\r\n"
        "Response: Success\r\nActionID: a:b\r\nMessage: \r\n\r\n"
        "\r\n"
        "Response: Success\r\nOutput:  two  spaces \r\nOutput: \r\nOutput: x=1,<y>: z\r\n\r\n"
        "Event: Bare\nKey:v\n\n"
        "Event: Cut";
    static const char wanted[] =
        "Response=Success\nActionID=a:b\nMessage=\n.\n"
        "Response=Success\nOutput= two  spaces \nOutput=\nOutput=x=1,<y>: z\n.\n"
        "Event=Bare\nKey=v\n.\n";
    size_t len = sizeof(stream) - 1;
    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second++) {
            struct ami_reader reader;
            ami_reader_init(&reader);
            struct heard heard = {0};
            feed(&reader, stream, first, &heard);
            feed(&reader, stream + first, second - first, &heard);
            feed(&reader, stream + second, len - second, &heard);
            assert_string_equal(heard.text, wanted);
            assert_string_equal(reader.version, "11.0.0");
            assert_int_equal(reader.garbage, 0);
            ami_reader_done(&reader);
        }
    }
}

static void test_garbage_costs_its_line_only(void **state)
{
    (void)state;
    struct ami_reader reader;
    ami_reader_init(&reader);
    struct heard heard = {0};
    static const char stream[] = "no colon here\r\n: no name\r\nEvent: A\r\nB: \0\r\nC: d\r\n\r\n";
    feed(&reader, stream, sizeof(stream) - 1, &heard);
    assert_string_equal(heard.text, "Event=A\nC=d\n.\n");
    assert_int_equal(reader.garbage, 3);
    ami_reader_done(&reader);
}

static void test_a_cut_connection_leaves_nothing_behind(void **state)
{
    (void)state;
    struct ami_reader reader;
    ami_reader_init(&reader);
    struct heard heard = {0};
    feed(&reader, "Event: Half\r\nQueue: sa", 22, &heard);
    ami_reader_reset(&reader);
    feed(&reader, "Asterisk Call Manager/2.0\r\nEvent: B\r\n\r\n", 40, &heard);
    assert_string_equal(heard.text, "Event=B\n.\n");
    /* A server that was restarted behind a proxy sends its banner in the middle of a packet. */
    feed(&reader, "Event: Half\r\nAsterisk Call Manager/2.0\r\nEvent: C\r\n\r\n", 52, &heard);
    assert_string_equal(heard.text, "Event=B\n.\nEvent=C\n.\n");
    ami_reader_done(&reader);
}

static void test_oversized_packets_are_dropped_whole(void **state)
{
    (void)state;
    struct ami_reader reader;
    ami_reader_init(&reader);
    struct heard heard = {0};
    static char big[3 * AMI_PACKET_MAX];
    memset(big, 'x', sizeof(big));
    memcpy(big, "Event: Big\r\nV: ", 15);
    feed(&reader, big, sizeof(big), &heard);
    feed(&reader, "\r\nMore: of it\r", 14, &heard);
    feed(&reader, "\n\r\nEvent: A\r\n\r\n", 15, &heard);
    assert_string_equal(heard.text, "Event=A\n.\n");
    assert_int_equal(reader.oversized, 1);
    for (int i = 0; i < AMI_HEADERS_MAX + 1; i++)
        feed(&reader, "K: v\r\n", 6, &heard);
    feed(&reader, "\r\nEvent: B\r\n\r\n", 14, &heard);
    assert_string_equal(heard.text, "Event=A\n.\nEvent=B\n.\n");
    assert_int_equal(reader.oversized, 2);
    for (int i = 0; i < AMI_HEADERS_MAX; i++)
        feed(&reader, "K: v\r\n", 6, &heard);
    feed(&reader, "\r\n", 2, &heard);
    assert_int_equal(heard.packets, 3); /* just as many as are allowed */
    ami_reader_done(&reader);
}

static void check_names(void *context, const struct ami_packet *packet)
{
    (void)context;
    char text[64];
    assert_string_equal(ami_packet_get(packet, "uniqueID"), "1.2");
    assert_string_equal(ami_packet_get(packet, "Linkedid"), "");
    assert_true(ami_packet_has(packet, "EMPTY"));
    assert_false(ami_packet_has(packet, "Linkedid"));
    assert_string_equal(ami_packet_get(packet, "Twice"), "first");
    assert_string_equal(ami_packet_unescaped(packet, "Name", text, sizeof(text)),
                        "Zoë \"Zed\" O'B\\rien\\n");
    assert_string_equal(ami_packet_unescaped(packet, "None", text, sizeof(text)), "");
    assert_string_equal(ami_packet_unescaped(packet, "Name", text, 4), "Zo");
}

static void test_names_and_escapes(void **state)
{
    (void)state;
    struct ami_reader reader;
    ami_reader_init(&reader);
    static const char packet[] =
        "Event: E\r\nUniqueid: 1.2\r\nEmpty: \r\nTwice: first\r\nTwice: second\r\n"
        "Name: Zoë \\\"Zed\\\" O\\'B\\\\rien\\n\r\nNone: <unknown>\r\n\r\n";
    assert_int_equal(ami_reader_feed(&reader, packet, sizeof(packet) - 1, check_names, NULL), 0);
    assert_int_equal(reader.packets, 1);
    ami_reader_done(&reader);
}

static void test_foreign_encodings_become_question_marks(void **state)
{
    (void)state;
    struct ami_reader reader;
    ami_reader_init(&reader);
    struct heard heard = {0};
    static const char stream[] =
        "Event: Newchannel\r\nCallerIDName: M\xfcller \xe2\x82\xac\r\n\r\n";
    feed(&reader, stream, sizeof(stream) - 1, &heard);
    assert_string_equal(heard.text, "Event=Newchannel\nCallerIDName=M?ller \xe2\x82\xac\n.\n");
    ami_reader_done(&reader);
}

static void test_noise(void **state)
{
    (void)state;
    struct ami_reader reader;
    ami_reader_init(&reader);
    static struct heard heard;
    srand(7);
    for (int i = 0; i < 2000; i++) {
        char bytes[64];
        for (size_t j = 0; j < sizeof(bytes); j++)
            bytes[j] = "\r\n:\0ab \\"[rand() % 8];
        heard.text[0] = 0;
        feed(&reader, bytes, sizeof(bytes), &heard);
    }
    feed(&reader, "\r\n\r\n\r\n", 6, &heard);
    heard.text[0] = 0;
    feed(&reader, "Event: A\r\n\r\n", 12, &heard);
    assert_string_equal(heard.text, "Event=A\n.\n");
    ami_reader_done(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_garbage_costs_its_line_only),
        cmocka_unit_test(test_a_cut_connection_leaves_nothing_behind),
        cmocka_unit_test(test_oversized_packets_are_dropped_whole),
        cmocka_unit_test(test_names_and_escapes),
        cmocka_unit_test(test_foreign_encodings_become_question_marks),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
