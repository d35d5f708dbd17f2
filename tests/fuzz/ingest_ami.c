/* The byte stream of an Asterisk Manager connection, whole and in pieces, with snapshots and cuts
 * in the middle: never a crash, every event can be stored, the pieces make no difference. */
#include "fuzz_event.h"
#include "ingest/rules/asterisk_ami.h"

struct session {
    struct ami_reader reader;
    struct asterisk_ami *ami;
    uint64_t told; /* of the events so far, in order */
    size_t count;
};

static void on_event(void *context, const struct event *event)
{
    struct session *session = context;

    fuzz_check_event(event);
    session->count++;
    for (size_t i = 0; i < sizeof(event->event_id.bytes); i++)
        session->told = session->told * 1099511628211u + event->event_id.bytes[i];
}

static void on_packet(void *context, const struct ami_packet *packet)
{
    struct session *session = context;

    FUZZ_CHECK(packet->count <= AMI_HEADERS_MAX);
    asterisk_ami_packet(session->ami, packet, INT64_C(1795307631000000));
}

/* 0xff in the stream, which no text has, cuts the connection and logs in again. */
static void run(const uint8_t *data, size_t size, size_t piece, struct session *session)
{
    const struct asterisk_ami_options options = {.source = "pbx-ami", .system = "pbx"};
    size_t at = 0;

    ami_reader_init(&session->reader);
    session->ami = asterisk_ami_new(&options, on_event, session);
    FUZZ_CHECK(session->ami);
    asterisk_ami_recall(session->ami, "1795307636.0", "sales", INT64_C(1795307636000000), "");
    asterisk_ami_snapshot(session->ami, "ami-2", "ami-3", 0);
    while (at < size) {
        const uint8_t *cut = memchr(data + at, 0xff, size - at);
        size_t end = cut ? (size_t)(cut - data) : size;

        while (at < end) {
            size_t len = end - at < piece ? end - at : piece;

            FUZZ_CHECK(ami_reader_feed(&session->reader, data + at, len, on_packet, session) == 0);
            at += len;
        }
        at++;
        if (cut) {
            asterisk_ami_disconnected(session->ami);
            ami_reader_reset(&session->reader);
            asterisk_ami_snapshot(session->ami, "ami-2", "ami-3", 0);
        }
    }
    asterisk_ami_free(session->ami);
    ami_reader_done(&session->reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session whole;
    static struct session pieces;
    size_t piece = size ? data[size - 1] % 13 + 1 : 1;

    whole.told = pieces.told = 0;
    whole.count = pieces.count = 0;
    run(data, size, SIZE_MAX, &whole);
    run(data, size, piece, &pieces);
    FUZZ_CHECK(whole.count == pieces.count && whole.told == pieces.told);
    return 0;
}
