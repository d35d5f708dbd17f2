/* throttle - failures per key (a login, an address) in a sliding window: when to say "later".
 *
 * A fixed table: the key that failed longest ago makes room, so memory is bounded and a flood of
 * new keys can only make it forget. Time is an input. Not thread safe. */
#ifndef MOMENT_REPORTING_THROTTLE_H
#define MOMENT_REPORTING_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#define THROTTLE_KEYS 1024
#define THROTTLE_FAILURES_MAX 32

struct throttle_entry {
    uint64_t key;                         /* hash of kind and name */
    int64_t at_us[THROTTLE_FAILURES_MAX]; /* ring of the last failures */
    uint32_t count;
};

struct throttle {
    struct throttle_entry entries[THROTTLE_KEYS];
    uint32_t limit; /* failures within window_us that are allowed */
    int64_t window_us;
};

/* limit <= THROTTLE_FAILURES_MAX */
void throttle_init(struct throttle *throttle, uint32_t limit, int64_t window_us);
/* 0: go ahead; else microseconds until it may be tried again. */
int64_t throttle_wait_us(const struct throttle *throttle, const char *key, int64_t now_us);
/* An attempt counts as a failure from its beginning, so that many at once are no more than the
 * limit either; take it back when it was none. */
void throttle_fail(struct throttle *throttle, const char *key, int64_t now_us);
void throttle_take_back(struct throttle *throttle, const char *key);
void throttle_forgive(struct throttle *throttle, const char *key);

#endif
