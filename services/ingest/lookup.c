/* lookup - linear probing with backward shift on removal, grown at two thirds. */
#include "ingest/lookup.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

struct lookup_slot {
    struct slice key; /* at null: free */
    uint64_t hash;
    void *value;
};

static uint64_t hash_of(struct slice key)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (uint8_t)key.at[i]) * UINT64_C(1099511628211);
    return hash ^ (hash >> 29);
}

void lookup_done(struct lookup *lookup)
{
    free(lookup->slots);
    memset(lookup, 0, sizeof(*lookup));
}

/* The slot of key, or the free one where it would go. */
static size_t slot_of(const struct lookup *lookup, struct slice key, uint64_t hash)
{
    size_t i = hash & (lookup->size - 1);

    while (lookup->slots[i].key.at) {
        const struct lookup_slot *slot = &lookup->slots[i];

        if (slot->hash == hash && slot->key.len == key.len &&
            memcmp(slot->key.at, key.at, key.len) == 0)
            break;
        i = (i + 1) & (lookup->size - 1);
    }
    return i;
}

void *lookup_find(const struct lookup *lookup, struct slice key)
{
    if (lookup->count == 0)
        return NULL;
    return lookup->slots[slot_of(lookup, key, hash_of(key))].value;
}

static int grow(struct lookup *lookup)
{
    struct lookup larger = {.size = lookup->size ? lookup->size * 2 : FIRST_SIZE};

    larger.slots = calloc(larger.size, sizeof(*larger.slots));
    if (!larger.slots)
        return -ENOMEM;
    larger.count = lookup->count;
    for (size_t i = 0; i < lookup->size; i++) {
        const struct lookup_slot *slot = &lookup->slots[i];

        if (slot->key.at)
            larger.slots[slot_of(&larger, slot->key, slot->hash)] = *slot;
    }
    free(lookup->slots);
    *lookup = larger;
    return 0;
}

int lookup_put(struct lookup *lookup, struct slice key, void *value)
{
    uint64_t hash = hash_of(key);
    struct lookup_slot *slot;

    if ((lookup->count + 1) * 3 > lookup->size * 2 && grow(lookup) < 0)
        return -ENOMEM;
    slot = &lookup->slots[slot_of(lookup, key, hash)];
    assert(!slot->key.at);
    *slot = (struct lookup_slot){.key = key, .hash = hash, .value = value};
    lookup->count++;
    return 0;
}

void lookup_remove(struct lookup *lookup, struct slice key)
{
    size_t hole, i;

    if (lookup->count == 0)
        return;
    hole = slot_of(lookup, key, hash_of(key));
    if (!lookup->slots[hole].key.at)
        return;
    for (i = (hole + 1) & (lookup->size - 1); lookup->slots[i].key.at;
         i = (i + 1) & (lookup->size - 1)) {
        size_t home = lookup->slots[i].hash & (lookup->size - 1);

        /* Move it back unless its home lies behind the hole. */
        if (((i - home) & (lookup->size - 1)) >= ((i - hole) & (lookup->size - 1))) {
            lookup->slots[hole] = lookup->slots[i];
            hole = i;
        }
    }
    memset(&lookup->slots[hole], 0, sizeof(lookup->slots[hole]));
    lookup->count--;
}

/* --- ids ------------------------------------------------------------------------------------- */

static const struct id no_id;

void id_set_done(struct id_set *set)
{
    free(set->slots);
    memset(set, 0, sizeof(*set));
}

/* Ids are hashes already. */
static size_t id_slot(const struct id_set *set, const struct id *id)
{
    uint64_t hash;
    size_t i;

    memcpy(&hash, id->bytes + 8, sizeof(hash));
    i = (hash >> 8) & (set->size - 1);
    while (memcmp(&set->slots[i], &no_id, sizeof(no_id)) != 0 &&
           memcmp(&set->slots[i], id, sizeof(*id)) != 0)
        i = (i + 1) & (set->size - 1);
    return i;
}

bool id_set_has(const struct id_set *set, const struct id *id)
{
    return set->count > 0 && memcmp(&set->slots[id_slot(set, id)], id, sizeof(*id)) == 0;
}

static int id_set_grow(struct id_set *set)
{
    struct id_set larger = {.size = set->size ? set->size * 2 : FIRST_SIZE, .count = set->count};

    larger.slots = calloc(larger.size, sizeof(*larger.slots));
    if (!larger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < set->size; i++)
        if (memcmp(&set->slots[i], &no_id, sizeof(no_id)) != 0)
            larger.slots[id_slot(&larger, &set->slots[i])] = set->slots[i];
    free(set->slots);
    *set = larger;
    return 0;
}

int id_set_add(struct id_set *set, const struct id *id)
{
    size_t slot;

    if (id_set_has(set, id))
        return 0;
    if ((set->count + 1) * 3 > set->size * 2 && id_set_grow(set) < 0)
        return -ENOMEM;
    slot = id_slot(set, id);
    set->slots[slot] = *id;
    set->count++;
    return 0;
}
