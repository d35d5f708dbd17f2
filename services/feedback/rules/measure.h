/* measure - the metrics of a moment, and whether a measured criterion is met by them.
 *
 * A metric that is unknown for a moment (nobody rated it, it was never answered) makes its
 * criterion not applicable. Pure; thread safe. */
#ifndef MOMENT_FEEDBACK_MEASURE_H
#define MOMENT_FEEDBACK_MEASURE_H

#include "feedback/rules/moment.h"
#include "feedback/rules/standard.h"

struct measurement {
    bool applies;
    double actual; /* valid if it applies */
    bool met;
    bool wow;
};

bool measure_knows(const char *metric);
/* The value of a known metric; false if this moment has none. */
bool measure_value(const struct moment *moment, const char *metric, double *ret_value);
struct measurement measure(const struct moment *moment, const struct criterion *criterion);

#endif
