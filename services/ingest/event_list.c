/* event_list - see the header. Strings lie in chunks that never move. */
#include "ingest/event_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 1024
#define FIRST_CAPACITY 8

struct event_chunk {
    struct event_chunk *next;
    size_t used, size;
    char bytes[];
};

static const size_t string_fields[] = {
    offsetof(struct event, source),          offsetof(struct event, system),
    offsetof(struct event, contact_id),      offsetof(struct event, site),
    offsetof(struct event, customer_id),     offsetof(struct event, entry_point),
    offsetof(struct event, queue),           offsetof(struct event, agent),
    offsetof(struct event, reason),          offsetof(struct event, to_queue),
    offsetof(struct event, to_agent),        offsetof(struct event, to_address),
    offsetof(struct event, instrument),      offsetof(struct event, root_contact_id),
    offsetof(struct event, comment),         offsetof(struct event, disposition),
    offsetof(struct event, agent_name),      offsetof(struct event, customer_address),
    offsetof(struct event, customer_ref),    offsetof(struct event, agent_queues),
    offsetof(struct event, customer_signal),
};

static const char **field_of(struct event *event, size_t offset)
{
    return (const char **)(void *)((char *)event + offset);
}

void event_list_init(struct event_list *list)
{
    memset(list, 0, sizeof(*list));
}

void event_list_done(struct event_list *list)
{
    while (list->chunks) {
        struct event_chunk *next = list->chunks->next;

        free(list->chunks);
        list->chunks = next;
    }
    free(list->items);
    event_list_init(list);
}

static char *reserve(struct event_list *list, size_t len)
{
    struct event_chunk *chunk = list->chunks;

    if (!chunk || chunk->size - chunk->used < len) {
        size_t size = len > CHUNK_BYTES ? len : CHUNK_BYTES;

        chunk = malloc(sizeof(*chunk) + size);
        if (!chunk)
            return NULL;
        chunk->next = list->chunks;
        chunk->used = 0;
        chunk->size = size;
        list->chunks = chunk;
        list->bytes += sizeof(*chunk) + size;
    }
    chunk->used += len;
    return chunk->bytes + chunk->used - len;
}

const char *event_list_text(struct event_list *list, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy;

    if (len == 1)
        return "";
    copy = reserve(list, len);
    return copy ? memcpy(copy, text, len) : NULL;
}

static int grow(struct event_list *list)
{
    size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    struct event *items = reallocarray(list->items, capacity, sizeof(*items));

    if (!items)
        return -ENOMEM;
    list->bytes += (capacity - list->capacity) * sizeof(*items);
    list->items = items;
    list->capacity = capacity;
    return 0;
}

int event_list_add(struct event_list *list, const struct event *event)
{
    struct event *copy;

    if (list->count == list->capacity && grow(list) < 0)
        return -ENOMEM;
    copy = &list->items[list->count];
    *copy = *event;
    for (size_t i = 0; i < countof(string_fields); i++) {
        const char **field = field_of(copy, string_fields[i]);

        if (list->count > 0) {
            const char *before = *field_of(copy - 1, string_fields[i]);

            if (strcmp(before, *field) == 0) {
                *field = before;
                continue;
            }
        }
        *field = event_list_text(list, *field);
        if (!*field)
            return -ENOMEM;
    }
    list->count++;
    return 0;
}
