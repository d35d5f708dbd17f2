/* retry - exponential back-off with full jitter. Pure: takes random bits, returns a delay. */
#ifndef MOMENT_BASE_RETRY_H
#define MOMENT_BASE_RETRY_H

#include <stdint.h>

struct retry {
    uint32_t base_ms;
    uint32_t max_ms;
    uint32_t attempt;
};

/* Milliseconds until the next try: uniform in [half, whole] of min(max, base * 2^attempt). */
uint32_t retry_next_ms(struct retry *retry, uint32_t random);
void retry_reset(struct retry *retry);

#endif
