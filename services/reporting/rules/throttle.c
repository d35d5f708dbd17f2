#include "reporting/rules/throttle.h"

#include <assert.h>
#include <string.h>

/* FNV-1a: spreads, no more; two keys that meet share their failures. Never 0, which is "free". */
static uint64_t key_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
    return hash == 0 ? 1 : hash;
}

static int64_t last_at(const struct throttle_entry *entry)
{
    if (entry->count == 0)
        return INT64_MIN;
    return entry->at_us[(entry->count - 1) % THROTTLE_FAILURES_MAX];
}

void throttle_init(struct throttle *throttle, uint32_t limit, int64_t window_us)
{
    assert(limit > 0);
    assert(limit <= THROTTLE_FAILURES_MAX);
    memset(throttle, 0, sizeof(*throttle));
    throttle->limit = limit;
    throttle->window_us = window_us;
}

static const struct throttle_entry *find(const struct throttle *throttle, const char *key)
{
    uint64_t wanted = key_of(key);

    for (size_t i = 0; i < THROTTLE_KEYS; i++) {
        if (throttle->entries[i].key == wanted)
            return &throttle->entries[i];
    }
    return NULL;
}

int64_t throttle_wait_us(const struct throttle *throttle, const char *key, int64_t now_us)
{
    const struct throttle_entry *entry = find(throttle, key);

    if (entry == NULL || entry->count < throttle->limit)
        return 0;
    /* The limit-th newest failure must leave the window first. */
    int64_t at = entry->at_us[(entry->count - throttle->limit) % THROTTLE_FAILURES_MAX];
    int64_t left = at + throttle->window_us - now_us;

    return left > 0 ? left : 0;
}

static struct throttle_entry *take(struct throttle *throttle, const char *key)
{
    uint64_t wanted = key_of(key);
    struct throttle_entry *oldest = &throttle->entries[0];

    for (size_t i = 0; i < THROTTLE_KEYS; i++) {
        struct throttle_entry *entry = &throttle->entries[i];

        if (entry->key == wanted)
            return entry;
        if (last_at(entry) < last_at(oldest))
            oldest = entry;
    }
    memset(oldest, 0, sizeof(*oldest));
    oldest->key = wanted;
    return oldest;
}

void throttle_fail(struct throttle *throttle, const char *key, int64_t now_us)
{
    struct throttle_entry *entry = take(throttle, key);

    entry->at_us[entry->count % THROTTLE_FAILURES_MAX] = now_us;
    entry->count++;
    /* Keep the ring's phase but never wrap the counter. */
    if (entry->count >= 2 * THROTTLE_FAILURES_MAX)
        entry->count -= THROTTLE_FAILURES_MAX;
}

void throttle_take_back(struct throttle *throttle, const char *key)
{
    uint64_t wanted = key_of(key);

    for (size_t i = 0; i < THROTTLE_KEYS; i++) {
        if (throttle->entries[i].key == wanted && throttle->entries[i].count > 0)
            throttle->entries[i].count--;
    }
}

void throttle_forgive(struct throttle *throttle, const char *key)
{
    uint64_t wanted = key_of(key);

    for (size_t i = 0; i < THROTTLE_KEYS; i++) {
        if (throttle->entries[i].key == wanted)
            memset(&throttle->entries[i], 0, sizeof(throttle->entries[i]));
    }
}
