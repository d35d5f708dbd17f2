/* ring - the newest committed records of a stream in memory, bounded in bytes.
 *
 * Numbers in the ring are dense. Pushing drops the oldest records until the ring is within its
 * bound again, so one record larger than the bound is not kept at all. Not thread safe. */
#ifndef MOMENT_IO_RING_H
#define MOMENT_IO_RING_H

#include "io/stream.h"

/* A record that owns its content, in one block of memory. */
struct ring_item {
    struct record record;
    size_t bytes; /* of the whole block */
    char content[];
};

/* Copies everything that record points to. Null: out of memory. Free with free(). */
struct ring_item *ring_item_new(const struct record *record);

struct ring {
    struct ring_item **slots; /* owned; capacity is a power of two */
    size_t capacity;
    size_t first; /* slot of the oldest */
    size_t count;
    size_t bytes;
    size_t bytes_max;
};

void ring_init(struct ring *ring, size_t bytes_max);
void ring_done(struct ring *ring);
void ring_clear(struct ring *ring);
/* Takes the item. Its number must follow the newest one's, else (or out of memory) the ring starts
 * anew with this item: it is a cache. */
void ring_push(struct ring *ring, struct ring_item *item);
/* Borrowed until the next push or clear; null if it is not here. */
const struct record *ring_get(const struct ring *ring, uint64_t seq);

#endif
