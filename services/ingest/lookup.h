/* lookup - finds things by their key: a hash table of pointers, and a set of ids.
 *
 * A lookup borrows keys and values from their owner, who removes an entry before freeing either.
 * Not thread safe. */
#ifndef MOMENT_INGEST_LOOKUP_H
#define MOMENT_INGEST_LOOKUP_H

#include "base/id.h"
#include "base/macros.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct lookup_slot;

struct lookup {
    struct lookup_slot *slots; /* owned */
    size_t size;               /* a power of two, or 0 */
    size_t count;
};

void lookup_done(struct lookup *lookup); /* forgets everything; a zeroed struct is empty */
void *lookup_find(const struct lookup *lookup, struct slice key);
/* The key must not be there yet. -ENOMEM. */
must_check int lookup_put(struct lookup *lookup, struct slice key, void *value);
void lookup_remove(struct lookup *lookup, struct slice key);

struct id_set {
    struct id *slots; /* owned; all zero: free */
    size_t size;
    size_t count;
};

void id_set_done(struct id_set *set);
bool id_set_has(const struct id_set *set, const struct id *id);
/* Adding twice is fine. -ENOMEM. */
must_check int id_set_add(struct id_set *set, const struct id *id);

static inline struct slice id_slice(const struct id *id)
{
    return (struct slice){.at = (const char *)id->bytes, .len = sizeof(id->bytes)};
}

#endif
