/* standard - what a moment should look like: checked when published, chosen for a moment.
 *
 * Choice. A standard applies to a moment when each part of its scope that is given (queues, sites,
 * channels) holds the moment's value. The most specific wins: naming the queue outweighs naming the
 * site, which outweighs naming the channel, and each also outweighs all below it together. So two
 * standards can only tie when they name the same parts and share a value in each; such a pair is
 * refused when the second one is published.
 *
 * Weights total 100 within each section, and every section counts the same. Allocates nothing;
 * strings are borrowed; thread safe. */
#ifndef MOMENT_FEEDBACK_STANDARD_H
#define MOMENT_FEEDBACK_STANDARD_H

#include "feedback/rules/moment.h"
#include "feedback/rules/score.h"

enum criterion_kind { CRITERION_UNKNOWN, CRITERION_MEASURED, CRITERION_OBSERVED };
enum comparison { COMPARISON_UNKNOWN, AT_MOST, AT_LEAST, EQUAL };

struct criterion {
    const char *criterion_id;
    const char *section;
    const char *title;
    enum criterion_kind kind;
    double weight;
    bool critical;
    enum fatal_scope fatal;
    const char *metric;
    enum comparison comparison;
    double value;
    bool has_wow;
    double wow_value;
};

struct scope {
    const char *const *sites;
    size_t site_count;
    const char *const *queues;
    size_t queue_count;
    const int *channels;
    size_t channel_count;
};

struct standard {
    const char *standard_id;
    uint32_t version;
    const char *title;
    struct scope scope;
    const struct criterion *criteria;
    size_t criterion_count;
    const char *signed_by;
    const char *why;
    const char *example;
    int64_t effective_at;
    bool is_retired;
};

/* What is wrong with a standard: a sentence and the path of the field. */
struct objection {
    char field[128]; /* "standard.criteria[2].weight" */
    char detail[400];
};

/* May this be published? knows_metric tells which metrics can be measured. Returns 0, or -EINVAL
 * with the first objection. */
int standard_check(const struct standard *standard, bool (*knows_metric)(const char *metric),
                   struct objection *ret_objection);

/* Would a moment exist for which neither of the two is the more specific? */
bool standard_ties(const struct standard *a, const struct standard *b);

/* The standard to evaluate a moment on, or null. Of several versions of one standard_id the newest
 * that was in effect at `at` counts. pinned_id/pinned_version: what the moment was evaluated on
 * before; if that standard_id wins again its version stays ("" for none). */
const struct standard *standard_choose(const struct standard *standards, size_t count,
                                       const struct moment *moment, int64_t at,
                                       const char *pinned_id, uint32_t pinned_version);

#endif
