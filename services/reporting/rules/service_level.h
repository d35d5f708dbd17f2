/* service_level - the five definitions of service level in use, each over the same raw counts.
 *
 * None is more right than another; they answer different questions about people who hang up.
 * Pure. Vectors: design, features 2.1. */
#ifndef MOMENT_REPORTING_SERVICE_LEVEL_H
#define MOMENT_REPORTING_SERVICE_LEVEL_H

#include "base/macros.h"
#include "reporting/rules/counts.h"

#include <stdbool.h>

enum service_level {
    ABANDONS_COUNT_FOR,     /* (answered within + abandoned within) / (answered + abandoned) */
    ABANDONS_COUNT_AGAINST, /* answered within / (answered + abandoned) */
    ABANDONS_IGNORED,       /* answered within / (answered + abandoned - abandoned within) */
    ANSWERED_ONLY,          /* answered within / answered */
    SWITCHABLE,             /* answered within / (answered + abandoned, as the switches say) */
    SERVICE_LEVELS
};

/* Only SWITCHABLE looks at them. */
struct service_level_switches {
    bool exclude_short;    /* abandons before the short limit leave the denominator */
    bool exclude_abandons; /* all of them do */
    bool include_left;     /* visits that left otherwise join it */
};

struct ratio {
    int64_t part;
    int64_t whole; /* 0: there is no figure */
};

struct ratio service_level_of(enum service_level definition, const struct counts *counts,
                              const struct service_level_switches *switches);
/* "abandons_ignored", also with "@1" behind. -EINVAL. */
must_check int service_level_parse(const char *name, enum service_level *ret_definition);
/* "service_level.abandons_ignored@1" */
const char *service_level_name(enum service_level definition);

#endif
