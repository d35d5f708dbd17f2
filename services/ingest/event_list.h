/* event_list - events together with their strings, owned.
 *
 * Events arrive with strings borrowed from a packet, a line or a JSON document that will be gone
 * when they are applied; a list keeps them. A string equal to the same one of the event before is
 * kept once. Not thread safe. */
#ifndef MOMENT_INGEST_EVENT_LIST_H
#define MOMENT_INGEST_EVENT_LIST_H

#include "base/macros.h"
#include "ingest/rules/event.h"

#include <stddef.h>

struct event_chunk;

struct event_list {
    struct event *items; /* owned; moves when the list grows */
    size_t count;
    size_t capacity;
    struct event_chunk *chunks; /* owned */
    size_t bytes;               /* of heap memory */
};

void event_list_init(struct event_list *list);
void event_list_done(struct event_list *list);
/* A deep copy of the event becomes the last item. -ENOMEM; the list is then unchanged. */
must_check int event_list_add(struct event_list *list, const struct event *event);
/* A copy of text that lives as long as the list; null when out of memory. */
const char *event_list_text(struct event_list *list, const char *text);

#endif
