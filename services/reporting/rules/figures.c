#include "reporting/rules/figures.h"

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

struct share figure_abandon_rate(const struct counts *counts)
{
    return share_of(counts->abandoned, counts->offered);
}

struct share figure_csat(const struct counts *counts)
{
    return share_of(counts->csat_satisfied, counts->csat_n);
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
