/* rhythm - what a leader promises to do, how often, and from when to when that counts.
 *
 * A promise counts in whole weeks (from Monday) or whole months, in the days of its time zone. It
 * begins with the first of them that starts after the day on which it was declared: nothing that is
 * under way or over is promised afterwards. It ends with the one under way: what was promised is
 * kept to the end. One that ends before it began never counted: until is the day before from. Pure,
 * but for the zone. */
#ifndef MOMENT_FEEDBACK_RHYTHM_H
#define MOMENT_FEEDBACK_RHYTHM_H

#include "base/zone.h"
#include "feedback/rules/standard.h"

#define RHYTHM_TIMES_MAX 50
#define RHYTHM_PRACTICE_MAX 7

/* Numbers of the protocol. */
enum rhythm_period { RHYTHM_UNKNOWN, RHYTHM_WEEK, RHYTHM_MONTH };

/* -EINVAL with what is wrong. */
must_check int rhythm_check(int practice, uint32_t times, int period,
                            struct objection *ret_objection);
/* The first day that counts of what is declared now. */
struct date rhythm_from(struct zone *zone, enum rhythm_period period, int64_t now);
/* The last day that counts of what began, or will begin, on `from` and is ended now. */
struct date rhythm_until(struct zone *zone, enum rhythm_period period, struct date from,
                         int64_t now);

#endif
