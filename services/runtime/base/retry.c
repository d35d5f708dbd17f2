#include "base/retry.h"

uint32_t retry_next_ms(struct retry *retry, uint32_t random)
{
    uint64_t whole = retry->attempt < 32 ? (uint64_t)retry->base_ms << retry->attempt : UINT64_MAX;
    if (whole > retry->max_ms)
        whole = retry->max_ms;
    else
        retry->attempt++;
    uint64_t half = whole / 2;
    /* Scaled, not modulo: every value in [half, whole] is equally likely. */
    return (uint32_t)(half + (((whole - half + 1) * random) >> 32));
}

void retry_reset(struct retry *retry)
{
    retry->attempt = 0;
}
