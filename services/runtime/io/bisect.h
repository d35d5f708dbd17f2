/* bisect - which works of a batch to try next when one of them makes the database refuse it.
 *
 * After a batch of n failed for good, its works are suspects. Halves are tried until one work fails
 * alone: that is the culprit. A half that passes clears its works, so nothing is lost and nothing
 * is done twice, and a culprit costs about log2(n) transactions. Pure. */
#ifndef MOMENT_IO_BISECT_H
#define MOMENT_IO_BISECT_H

#include <stdbool.h>
#include <stddef.h>

struct bisect {
    size_t suspects; /* at the front of the queue; one of them at least is to blame */
};

/* How many works the next batch may hold. */
size_t bisect_take(const struct bisect *bisect, size_t most);
/* The batch of the count first works failed. True: the one work in it is the culprit. */
bool bisect_failed(struct bisect *bisect, size_t count);
void bisect_passed(struct bisect *bisect, size_t count);

#endif
