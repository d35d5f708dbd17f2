/* Any set of events makes a moment, and in any order, with any repetition, the same one. The events
 * are drawn from the input, with few different names so that they meet. */
#include "base/clock.h"
#include "fuzz_event.h"
#include "ingest/rules/fold.h"

#define EVENTS 96
#define DRAWN 9 /* bytes of the input for an event */

static const char *pick(uint8_t byte, const char *const *names, size_t count)
{
    return names[byte % count];
}

static int64_t duration(uint8_t byte)
{
    return byte < 128 ? -1 : (int64_t)(byte - 128) * 250;
}

static void draw_event(struct fuzz_input *input, size_t number, struct event *event)
{
    static const char *const queues[] = {"", "sales", "support"};
    static const char *const agents[] = {"", "Alice", "Bob"};
    static const char *const contacts[] = {"1.0", "1.0", "1.0", "2.0"};
    static const char *const signals[] = {"", "", "complaint", "wants to cancel"};
    static const char *const instruments[] = {"csat", "nps", "ces", ""};
    uint8_t bytes[DRAWN];

    for (size_t i = 0; i < DRAWN; i++)
        bytes[i] = fuzz_byte(input);
    event_init(event);
    event->event_id.bytes[0] = (uint8_t)number;
    event->type = (enum event_type)(1 + bytes[0] % (EVENT_TYPES - 1));
    event->source = bytes[0] & 0x80 ? "pbx-log" : "pbx-ami";
    event->evidence = bytes[0] & 0x40 ? EVIDENCE_RECORD : EVIDENCE_LIVE;
    event->contact_id = pick(bytes[1], contacts, countof(contacts));
    event->root_contact_id = event->type == CONTACT_LINKED ? "1.0" : "";
    event->occurred_at = INT64_C(1795307636000000) + (int64_t)bytes[2] * 500000 + (bytes[1] >> 6);
    event->received_at = event->occurred_at + 1000;
    event->sequence = bytes[1] >> 4 & 3;
    event->queue = pick(bytes[3], queues, countof(queues));
    event->to_queue = pick(bytes[3] >> 4, queues, countof(queues));
    event->agent = pick(bytes[4], agents, countof(agents));
    event->to_agent = pick(bytes[4] >> 4, agents, countof(agents));
    event->outcome = (enum outcome)(bytes[5] % (OUTCOME_BOT_RESOLVED + 1));
    event->ended_by = (enum party)(bytes[5] >> 6);
    event->channel = (enum channel)(bytes[6] % (CHANNEL_OTHER + 1));
    event->direction = (enum direction)(bytes[6] >> 6);
    event->wait_ms = duration(bytes[7]);
    event->talk_ms = duration(bytes[8]);
    event->hold_ms = duration((uint8_t)(bytes[7] ^ bytes[8]));
    event->wrap_ms = duration((uint8_t)(bytes[7] + bytes[8]));
    event->talk_includes_hold = bytes[7] & 1;
    if (event->type == CONTACT_SUMMARISED && bytes[6] & 1) {
        event->started_at = event->occurred_at - bytes[7] * US_PER_S;
        event->ended_at = event->occurred_at;
        event->answered_at = bytes[8] & 1 ? event->started_at + bytes[8] * 1000 : 0;
    }
    event->customer_signal = pick(bytes[2], signals, countof(signals));
    event->instrument = pick(bytes[5], instruments, countof(instruments));
    event->has_score = event->type == FEEDBACK_RECEIVED;
    event->score = bytes[7] % 12;
    event->score_max = bytes[8] & 1 ? 10 : 0;
}

static void pack(const struct event *events, size_t count, uint8_t **ret_bytes, size_t *ret_len)
{
    static uint32_t order[EVENTS * 2];
    static struct moment moment;
    static struct moment_frame frame;
    static struct wire_moment wire;

    fold(events, count, order, &moment);
    FUZZ_CHECK(moment.visit_count <= FOLD_VISITS_MAX);
    FUZZ_CHECK(moment.quality_count <= FOLD_QUALITY_MAX);
    frame.system = frame.contact_id = frame.site = frame.person_id = frame.team_id = "";
    for (size_t i = 0; i < FOLD_VISITS_MAX; i++)
        frame.visit_people[i] = "";
    codec_moment_to_wire(&moment, &frame, &wire);
    FUZZ_CHECK(protobuf_write(&wire.moment.base, ret_bytes, ret_len) == 0);
}

/* The same events, shuffled, the first of them up to doubled again. */
static size_t shuffle(const struct event *events, size_t count, size_t doubled, uint32_t seed,
                      struct event *shuffled)
{
    memcpy(shuffled, events, count * sizeof(*events));
    memcpy(shuffled + count, events, doubled * sizeof(*events));
    count += doubled;
    for (size_t i = count; i > 1; i--) {
        seed = seed * 1664525u + 1013904223u;
        size_t j = (seed >> 8) % i;
        struct event other = shuffled[j];

        shuffled[j] = shuffled[i - 1];
        shuffled[i - 1] = other;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event events[EVENTS];
    static struct event shuffled[EVENTS * 2];
    struct fuzz_input input = {data, size};
    uint32_t seed = fuzz_byte(&input);
    size_t count = 0;
    uint8_t *bytes;
    size_t len;

    while (input.len && count < EVENTS) {
        draw_event(&input, count, &events[count]);
        count++;
    }
    if (!count)
        return 0;
    pack(events, count, &bytes, &len);
    for (uint32_t i = 0; i < 4; i++) {
        size_t doubled = i * count / 4;
        uint8_t *again;
        size_t again_len;

        size_t more = shuffle(events, count, doubled, seed + i * 977, shuffled);
        pack(shuffled, more, &again, &again_len);
        FUZZ_CHECK(again_len == len && memcmp(again, bytes, len) == 0);
        free(again);
    }
    free(bytes);
    return 0;
}
