/* clock - wall and monotonic time in microseconds, settable by tests, and RFC 3339 in and out.
 *
 * Time is an input: rules take it as a parameter; everything else asks here. Timers and timeouts
 * use clock_mono_us; only facts that people read use clock_wall_us. Thread safe unless a test sets
 * it. */
#ifndef MOMENT_BASE_CLOCK_H
#define MOMENT_BASE_CLOCK_H

#include "base/macros.h"
#include "base/text.h"

#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)

int64_t clock_wall_us(void);
int64_t clock_mono_us(void);
/* From now on both clocks stand at these values. wall_us < 0 gives the real ones back. */
void clock_set_for_test(int64_t wall_us, int64_t mono_us);

#define CLOCK_RFC3339_SIZE 32
/* "2026-03-02T14:06:05.000Z", milliseconds, UTC. Returns text. */
const char *clock_to_rfc3339(int64_t wall_us, char text[CLOCK_RFC3339_SIZE]);
/* RFC 3339 date-time with any offset and up to nanoseconds (cut to microseconds). -EINVAL. */
must_check int clock_from_rfc3339(struct slice text, int64_t *ret_wall_us);

#endif
