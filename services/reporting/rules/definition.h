/* definition - the registry of figures: what each means, in words and as a formula, by version.
 *
 * A changed meaning is a new version beside the old one, so that a saved link keeps its meaning. */
#ifndef MOMENT_REPORTING_DEFINITION_H
#define MOMENT_REPORTING_DEFINITION_H

#include <stddef.h>

struct definition {
    const char *name; /* "asa@1" */
    const char *title;
    const char *kind; /* share, duration_ms, days */
    const char *formula;
    const char *note;
};

struct count_note {
    const char *name;
    const char *note;
};

const struct definition *definition_all(size_t *ret_count);
const struct count_note *definition_counts(size_t *ret_count);

#endif
