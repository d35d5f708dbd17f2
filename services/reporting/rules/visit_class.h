/* visit_class - how a stay in a queue counts: exactly one of four ways, so that they add up to
 * those offered. Pure. */
#ifndef MOMENT_REPORTING_VISIT_CLASS_H
#define MOMENT_REPORTING_VISIT_CLASS_H

#include <stdbool.h>
#include <stdint.h>

enum visit_class { VISIT_OPEN, VISIT_ANSWERED, VISIT_ABANDONED, VISIT_LEFT };

/* outcome is the name as in the API, "" while going on. A completed visit or one that an agent
 * passed on was answered even where the source did not say when. has_ended: the visit or its
 * moment. */
enum visit_class visit_class_of(int64_t answered_at, const char *outcome, bool has_ended);
const char *visit_class_name(enum visit_class visit_class);
bool visit_is_transfer(const char *outcome);

#endif
