#include "reporting/rules/figures.h"

#include <math.h>

/* Two-sided 95 % of the normal distribution. */
#define Z95 1.959963984540054

void counts_add(struct counts *sum, const struct counts *more)
{
    sum->offered += more->offered;
    sum->answered += more->answered;
    sum->abandoned += more->abandoned;
    sum->left_otherwise += more->left_otherwise;
    sum->open += more->open;
    sum->answered_within += more->answered_within;
    sum->abandoned_within += more->abandoned_within;
    sum->short_abandoned += more->short_abandoned;
    sum->handled += more->handled;
    sum->wait_answered_n += more->wait_answered_n;
    sum->wait_answered_ms += more->wait_answered_ms;
    if (more->wait_longest_ms > sum->wait_longest_ms)
        sum->wait_longest_ms = more->wait_longest_ms;
    sum->talk_ms += more->talk_ms;
    sum->hold_ms += more->hold_ms;
    sum->wrap_ms += more->wrap_ms;
    sum->csat_n += more->csat_n;
    sum->csat_sum += more->csat_sum;
    sum->csat_satisfied += more->csat_satisfied;
    sum->holds += more->holds;
    sum->transfers += more->transfers;
}

struct share figure_share(int64_t part, int64_t whole)
{
    struct share share = {.n = whole > 0 ? whole : 0};

    if (whole <= 0)
        return share;
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

struct share figure_abandon_rate(const struct counts *counts)
{
    return figure_share(counts->abandoned, counts->offered);
}

struct share figure_csat(const struct counts *counts)
{
    return figure_share(counts->csat_satisfied, counts->csat_n);
}

static struct mean mean_of(int64_t sum, int64_t n)
{
    struct mean mean = {.n = n};

    if (n <= 0)
        return mean;
    mean.has_value = true;
    mean.value = (double)sum / (double)n;
    return mean;
}

struct mean figure_asa(const struct counts *counts)
{
    return mean_of(counts->wait_answered_ms, counts->wait_answered_n);
}

struct mean figure_aht(const struct counts *counts)
{
    return mean_of(counts->talk_ms + counts->hold_ms + counts->wrap_ms, counts->handled);
}
