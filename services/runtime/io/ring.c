#include "io/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

static const char *copy_text(char **to, const char *from)
{
    size_t size = strlen(from) + 1;
    char *at = *to;
    memcpy(at, from, size);
    *to += size;
    return at;
}

struct ring_item *ring_item_new(const struct record *record)
{
    size_t content = strlen(record->site) + strlen(record->key) + strlen(record->type) + 3 +
                     record->body.len + 1;
    struct ring_item *item = malloc(sizeof *item + content);
    if (!item)
        return NULL;
    char *to = item->content;
    item->record = *record;
    item->bytes = sizeof *item + content;
    item->record.site = copy_text(&to, record->site);
    item->record.key = copy_text(&to, record->key);
    item->record.type = copy_text(&to, record->type);
    if (record->body.len > 0)
        memcpy(to, record->body.at, record->body.len);
    to[record->body.len] = 0;
    item->record.body = (struct slice){to, record->body.len};
    return item;
}

void ring_init(struct ring *ring, size_t bytes_max)
{
    *ring = (struct ring){.bytes_max = bytes_max};
}

static struct ring_item **slot(const struct ring *ring, size_t index)
{
    return &ring->slots[(ring->first + index) & (ring->capacity - 1)];
}

static void drop_oldest(struct ring *ring)
{
    assert(ring->count > 0);
    struct ring_item *item = *slot(ring, 0);
    /* The analyser takes the next slot for the one freed before. */
    ring->bytes -= item->bytes; /* NOLINT(clang-analyzer-unix.Malloc) */
    ring->first = (ring->first + 1) & (ring->capacity - 1);
    ring->count--;
    free(item);
}

void ring_clear(struct ring *ring)
{
    while (ring->count > 0)
        drop_oldest(ring);
    assert(ring->bytes == 0);
}

void ring_done(struct ring *ring)
{
    ring_clear(ring);
    free(ring->slots);
    *ring = (struct ring){0};
}

static bool grow(struct ring *ring)
{
    size_t capacity = ring->capacity ? ring->capacity * 2 : CAPACITY_MIN;
    struct ring_item **slots = calloc(capacity, sizeof(struct ring_item *));
    if (!slots)
        return false;
    for (size_t i = 0; i < ring->count; i++)
        slots[i] = *slot(ring, i);
    free(ring->slots);
    ring->slots = slots;
    ring->capacity = capacity;
    ring->first = 0;
    return true;
}

void ring_push(struct ring *ring, struct ring_item *item)
{
    if (ring->count > 0) {
        uint64_t newest = (*slot(ring, ring->count - 1))->record.seq;
        if (item->record.seq != newest + 1)
            ring_clear(ring);
    }
    if (ring->count == ring->capacity && !grow(ring)) {
        ring_clear(ring);
        free(item);
        return;
    }
    *slot(ring, ring->count++) = item;
    ring->bytes += item->bytes;
    while (ring->bytes > ring->bytes_max)
        drop_oldest(ring);
}

const struct record *ring_get(const struct ring *ring, uint64_t seq)
{
    if (ring->count == 0)
        return NULL;
    uint64_t oldest = (*slot(ring, 0))->record.seq;
    if (seq < oldest || seq - oldest >= ring->count)
        return NULL;
    return &(*slot(ring, (size_t)(seq - oldest)))->record;
}
