/* counts - the raw counts of an interval: what every figure is made of, and all that is stored.
 *
 * offered = answered + abandoned + left_otherwise + open. All add up over intervals but
 * wait_longest_ms, which is a maximum. Durations are milliseconds. */
#ifndef MOMENT_REPORTING_COUNTS_H
#define MOMENT_REPORTING_COUNTS_H

#include <stdint.h>

struct counts {
    int64_t offered;
    int64_t answered;
    int64_t abandoned;
    int64_t left_otherwise;
    int64_t open;
    int64_t answered_within;
    int64_t abandoned_within;
    int64_t short_abandoned;
    int64_t handled;
    int64_t wait_answered_n;
    int64_t wait_answered_ms;
    int64_t wait_longest_ms;
    int64_t talk_ms;
    int64_t hold_ms;
    int64_t wrap_ms;
    int64_t csat_n;
    double csat_sum;
    int64_t csat_satisfied;
    int64_t holds;
    int64_t transfers;
};

#endif
