/* detect - caught right: which moments deserve praise, and the evidence for it.
 *
 * Other systems look for what went wrong; this looks for what went right by the same facts and with
 * the same care. A moment is a candidate when somebody handled it and
 *
 *   - the customer gave a top answer although the moment was hard (a long wait, a long hold, a
 *     transfer, not the first contact about it), or
 *   - it met criteria brilliantly, or had the full score with every critical criterion met; both
 *     only if no critical or fatal criterion was missed and the customer was not displeased.
 *
 * The same facts give the same evidence in the same order, whatever order the results come in.
 * Pure; thread safe. Durations are milliseconds, -1 unknown. */
#ifndef MOMENT_RECOGNITION_DETECT_H
#define MOMENT_RECOGNITION_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DETECT_EVIDENCE_MAX 24
#define DETECT_TEXT_SIZE 320

/* The moment's half; is_known false: not heard yet. */
struct sighting {
    bool is_known;
    bool is_ended;
    bool is_merged; /* part of another moment: counts nowhere by itself */
    const char *agent;
    int64_t wait_ms, hold_ms;
    uint32_t transfers, repeat_contacts;
    bool has_csat;
    double csat;
};

enum result_comparison { RESULT_UNKNOWN, RESULT_AT_MOST, RESULT_AT_LEAST, RESULT_EQUAL };

struct result {
    const char *criterion_id;
    const char *title;
    const char *metric;
    bool applies, met, wow, critical, fatal;
    double actual, value;
    enum result_comparison comparison;
};

/* The evaluation's half; is_known false: none yet, or withdrawn. */
struct appraisal {
    bool is_known;
    const char *standard_title;
    uint32_t standard_version;
    bool has_final, has_critical;
    double final, critical;
    const struct result *results;
    size_t result_count;
};

struct detect_limits {
    int64_t hard_wait_ms, hard_hold_ms;
    uint32_t hard_transfers, hard_repeat_contacts; /* 0: never hard for that */
    double top_survey, low_survey;                 /* at least, at most */
};

enum evidence_kind {
    EVIDENCE_TOP_SURVEY,
    EVIDENCE_HARD_MOMENT,
    EVIDENCE_WOW_CRITERION,
    EVIDENCE_FULL_SCORE
};

struct evidence {
    enum evidence_kind kind;
    char text[DETECT_TEXT_SIZE]; /* a sentence that can be read out */
    const char *criterion_id;    /* borrowed; "" */
    double value;
};

/* How many pieces of evidence; 0: no candidate. */
size_t detect(const struct sighting *sighting, const struct appraisal *appraisal,
              const struct detect_limits *limits,
              struct evidence ret_evidence[DETECT_EVIDENCE_MAX]);

/* "top_survey" */
const char *evidence_kind_name(enum evidence_kind kind);

#endif
