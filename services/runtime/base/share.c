#include "base/share.h"

#include <math.h>

/* Two-sided 95 % of the normal distribution. */
#define Z95 1.959963984540054

struct share share_of(int64_t part, int64_t whole)
{
    struct share share = {.n = whole > 0 ? whole : 0};

    if (whole <= 0) {
        return share;
    }
    double n = (double)whole;
    double p = (double)part / n;
    double z2 = Z95 * Z95;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double reach = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));

    share.has_value = true;
    share.value = p;
    /* At p = 0 and 1 the bound is exactly 0 and 1; rounding must not leave the range. */
    share.low = fmax(0.0, middle - reach);
    share.high = fmin(1.0, middle + reach);
    return share;
}
