/* source_clock - how far a source's clock is behind ours, told from what it sends.
 *
 * Alerts are decided by the source's clock: something waits since the source's time, so it has to
 * be compared with the source's now. Each event tells received_at - occurred_at, which is the
 * difference of the clocks plus the delay of that event; the least of the last minutes is the best
 * guess. One event from far in the future must not set a whole source ahead: the least is left out
 * when it is negative and the next is a minute more. A guess between 0 and `trust` is taken for
 * delay, not for a difference: the clocks agree then. More than that is a wrong clock or a replay
 * of old events, less than 0 can only be a wrong clock. While a source catches up on old events its
 * now moves with them.
 *
 * All in microseconds. Pure; thread safe. */
#ifndef MOMENT_FEEDBACK_SOURCE_CLOCK_H
#define MOMENT_FEEDBACK_SOURCE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_CLOCK_WINDOW_US INT64_C(300000000)
#define SOURCE_CLOCK_OUTLIER_US INT64_C(60000000)

/* The two least differences that were heard. */
struct source_window {
    uint32_t heard; /* 0, 1, or 2 for more */
    int64_t least, second;
};

/* Zero it before the first use. */
struct source_clock {
    int64_t window_at; /* received_at that began the current window */
    struct source_window current, previous;
};

void source_clock_hear(struct source_clock *clock, int64_t occurred_at, int64_t received_at);
/* What was known before a restart: counts until the next window is over. */
void source_clock_seed(struct source_clock *clock, int64_t difference);
/* The least difference known; 0 if none. */
int64_t source_clock_difference(const struct source_clock *clock);
/* The source's now = our now - skew. */
int64_t source_clock_skew(const struct source_clock *clock, int64_t trust);

#endif
