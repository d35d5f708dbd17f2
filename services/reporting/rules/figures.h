/* figures - from raw counts to shares and means, with the interval that small numbers deserve.
 *
 * A figure without a denominator does not exist: has_value is false, never 0 and never 100 %.
 * Pure. Vectors: design, features 2.2 to 2.4, 2.9, 2.17. */
#ifndef MOMENT_REPORTING_FIGURES_H
#define MOMENT_REPORTING_FIGURES_H

#include "base/share.h"
#include "reporting/rules/counts.h"

#define FIGURE_ABANDON_RATE "abandon_rate@1"
#define FIGURE_CSAT "csat@1"
#define FIGURE_ASA "asa@1"
#define FIGURE_AHT "aht@1"

struct mean {
    bool has_value;
    double value;
    int64_t n;
};

void counts_add(struct counts *sum, const struct counts *more);

struct share figure_abandon_rate(const struct counts *counts);
struct share figure_csat(const struct counts *counts);
/* Speed of answer: mean wait of those answered whose wait is known, ms. */
struct mean figure_asa(const struct counts *counts);
/* Handle time: (talk + hold + wrap) / handled, ms. */
struct mean figure_aht(const struct counts *counts);

#endif
