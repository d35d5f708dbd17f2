/* fuzz_event - what must hold for an event that a reader of foreign bytes hands on: it can be
 * written down and read again. */
#ifndef MOMENT_TESTS_FUZZ_EVENT_H
#define MOMENT_TESTS_FUZZ_EVENT_H

#include "fuzz.h"

#include "ingest/codec.h"
#include "io/json.h"

static inline void fuzz_check_texts(const struct event *event)
{
    const char *const texts[] = {
        event->source,           event->system,      event->contact_id,   event->site,
        event->customer_id,      event->entry_point, event->queue,        event->agent,
        event->reason,           event->to_queue,    event->to_agent,     event->to_address,
        event->root_contact_id,  event->instrument,  event->comment,      event->disposition,
        event->customer_address, event->agent_name,  event->agent_queues, event->customer_ref,
        event->customer_signal,
    };

    for (size_t i = 0; i < countof(texts); i++) {
        FUZZ_CHECK(texts[i]);
        FUZZ_CHECK(text_is_utf8(texts[i], strlen(texts[i])));
    }
}

static inline void fuzz_check_event(const struct event *event)
{
    char id_text[ID_TEXT_SIZE];
    Moment__V1__Event wire;
    struct event_list list;
    uint8_t *bytes;
    size_t len;

    fuzz_check_texts(event);
    FUZZ_CHECK(event->type > EVENT_UNKNOWN && event->type < EVENT_TYPES);
    codec_event_to_wire(event, id_text, &wire);
    FUZZ_CHECK(protobuf_write(&wire.base, &bytes, &len) == 0);
    event_list_init(&list);
    FUZZ_CHECK(codec_event_load((struct slice){(const char *)bytes, len}, &list) == 0);
    FUZZ_CHECK(list.count == 1);
    FUZZ_CHECK(list.items[0].occurred_at == event->occurred_at);
    FUZZ_CHECK(list.items[0].talk_ms == event->talk_ms);
    FUZZ_CHECK(strcmp(list.items[0].contact_id, event->contact_id) == 0);
    FUZZ_CHECK(strcmp(list.items[0].comment, event->comment) == 0);
    event_list_done(&list);
    free(bytes);
}

#endif
