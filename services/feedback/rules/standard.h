/* standard - what a moment should look like: checked when published, chosen for a moment.
 *
 * Choice. A standard applies to a moment when each part of its scope that is given (queues, sites,
 * channels, directions) holds the moment's value. The most specific wins: naming the queue
 * outweighs naming the site, which outweighs naming the channel, which outweighs naming the
 * direction, and each also outweighs all below it together. So two standards can only tie when they
 * name the same parts and share a value in each; such a pair is refused when the second one is
 * published.
 *
 * Versions. Of one standard_id the newest version that is in force at the moment's site and time
 * counts: in effect by then and, while it is a canary, at its canary sites only. Elsewhere the
 * version before it goes on until the canary is rolled out. What is retired applies to nothing that
 * ended later.
 *
 * Weights total 100 within each section, and every section counts the same. Allocates nothing;
 * strings are borrowed; thread safe. */
#ifndef MOMENT_FEEDBACK_STANDARD_H
#define MOMENT_FEEDBACK_STANDARD_H

#include "base/macros.h"
#include "feedback/rules/moment.h"
#include "feedback/rules/score.h"

/* What a standard may hold; texts in bytes. */
#define STANDARD_CRITERIA_MAX SCORE_ITEMS_MAX
#define STANDARD_CHOICES_MIN 2
#define STANDARD_CHOICES_MAX 20
#define STANDARD_NAMES_MAX 100 /* sites, queues, ... of a scope; answers of a condition */
#define STANDARD_SCALE_MAX 100
#define STANDARD_POINTS_MAX 1000.0
#define STANDARD_NAME_BYTES_MAX 120
#define STANDARD_TITLE_BYTES_MAX 300
#define STANDARD_TEXT_BYTES_MAX 4000

enum criterion_kind { CRITERION_UNKNOWN, CRITERION_MEASURED, CRITERION_OBSERVED };
enum answer_scale { SCALE_UNKNOWN, SCALE_YES_NO, SCALE_CHOICE, SCALE_RANGE };
enum comparison { COMPARISON_UNKNOWN, AT_MOST, AT_LEAST, EQUAL };

struct choice {
    const char *choice_id;
    const char *title;
    double points; /* >= 0; the most of a criterion's choices is its best answer */
    bool comment_required;
    bool unacceptable;
    bool wow;
};

struct criterion {
    const char *criterion_id;
    const char *section;
    const char *title;
    const char *description; /* a sentence for whoever answers */
    const char *example_good;
    const char *example_bad;
    enum criterion_kind kind;
    double weight;
    bool critical;
    enum fatal_scope fatal;
    bool unacceptable; /* measured, yes/no: not met, "no" can't be accepted */
    /* Asked only when that earlier criterion got one of these answers; "": always. */
    const char *condition_id;
    const char *const *condition_answers;
    size_t condition_answer_count;

    /* Measured. */
    const char *metric;
    enum comparison comparison;
    double value;
    bool has_wow;
    double wow_value;

    /* Observed. */
    enum answer_scale scale;
    bool not_applicable_allowed;
    const struct choice *choices;
    size_t choice_count;
    uint32_t scale_max; /* a range is 0 .. this */
    /* Yes/no, range: a comment is needed when the answer is worth less of the best, per cent. */
    bool has_comment_below;
    double comment_below;
    /* Range: answers from here on are brilliant, up to here unacceptable. */
    bool has_wow_at, has_unacceptable_at;
    uint32_t wow_at, unacceptable_at;
};

struct scope {
    const char *const *sites;
    size_t site_count;
    const char *const *queues;
    size_t queue_count;
    const int *channels;
    size_t channel_count;
    const int *directions;
    size_t direction_count;
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
    /* A canary: in force at these sites only until rolled_out_at (0: not yet). */
    const char *const *canary_sites;
    size_t canary_site_count;
    int64_t rolled_out_at;
    int64_t retired_at; /* 0: not */
};

/* What is wrong: a sentence and the path of the field. */
struct objection {
    char field[128]; /* "standard.criteria[2].weight" */
    char detail[256];
};

/* The first of what is wrong; total counts those that found no room, too. */
#define OBJECTIONS_MAX 16
struct objections {
    struct objection items[OBJECTIONS_MAX];
    size_t count;
    size_t total;
};
void objections_add(struct objections *objections, const char *field, const char *detail, ...)
    printf_like(3, 4);

/* Adds what keeps a standard from being kept, even as a draft: what is too long, too many, no
 * number. The numbers of messages come from outside: enumerations may hold anything. */
void standard_check_bounds(const struct standard *standard, struct objections *objections);
/* Adds what keeps its content from being published, the bounds too. knows_metric tells which
 * metrics can be measured. */
void standard_check(const struct standard *standard, bool (*knows_metric)(const char *metric),
                    struct objections *objections);
/* Adds what is missing where it is signed: who, why, an example; canary sites within the scope. */
void standard_check_signature(const struct standard *standard, struct objections *objections);

/* Would a moment exist for which neither of the two is the more specific? */
bool standard_ties(const struct standard *a, const struct standard *b);

/* Is this version in force somewhere at that time, or will it be? */
bool standard_is_live(const struct standard *standards, size_t count,
                      const struct standard *standard, int64_t at);
/* Still on trial, at its canary sites only? */
bool standard_is_canary(const struct standard *standard);

/* The standard to evaluate a moment on that ended at `at`, or null. pinned_id/pinned_version: what
 * the moment was evaluated on before; if that standard_id wins again its version stays ("" for
 * none). */
const struct standard *standard_choose(const struct standard *standards, size_t count,
                                       const struct moment *moment, int64_t at,
                                       const char *pinned_id, uint32_t pinned_version);

#endif
