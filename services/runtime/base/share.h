/* share - a part of a whole, with the interval that small numbers deserve. A share of nothing does
 * not exist: has_value is false, never 0 and never 100 %. Pure; thread safe. */
#ifndef MOMENT_BASE_SHARE_H
#define MOMENT_BASE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct share {
    bool has_value;
    double value; /* 0..1 */
    int64_t n;
    double low, high; /* Wilson score interval, 95 % */
};

struct share share_of(int64_t part, int64_t whole);

#endif
