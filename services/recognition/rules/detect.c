#include "recognition/rules/detect.h"

#include "base/macros.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FULL_SCORE 100.0
#define NEARLY 1e-9
#define MS_PER_S 1000
#define S_PER_MINUTE 60

struct list {
    struct evidence *items;
    size_t count;
};

static void add(struct list *list, enum evidence_kind kind, const char *criterion_id, double value,
                const char *format, ...) printf_like(5, 6);

static void add(struct list *list, enum evidence_kind kind, const char *criterion_id, double value,
                const char *format, ...)
{
    struct evidence *evidence;
    va_list arguments;

    if (list->count == DETECT_EVIDENCE_MAX) {
        return;
    }
    evidence = &list->items[list->count++];
    evidence->kind = kind;
    evidence->criterion_id = criterion_id;
    evidence->value = value;
    va_start(arguments, format);
    (void)vsnprintf(evidence->text, sizeof(evidence->text), format, arguments);
    va_end(arguments);
}

#define DURATION_SIZE 40
/* "1.4 s", "42 s", "2 min 5 s" */
static const char *print_duration(int64_t ms, char text[DURATION_SIZE])
{
    int64_t seconds = (ms + MS_PER_S / 2) / MS_PER_S;

    if (ms < 10 * MS_PER_S) {
        (void)snprintf(text, DURATION_SIZE, "%lld.%lld s", (long long)(ms / MS_PER_S),
                       (long long)(ms % MS_PER_S / 100));
    } else if (seconds < S_PER_MINUTE) {
        (void)snprintf(text, DURATION_SIZE, "%lld s", (long long)seconds);
    } else {
        (void)snprintf(text, DURATION_SIZE, "%lld min %lld s", (long long)(seconds / S_PER_MINUTE),
                       (long long)(seconds % S_PER_MINUTE));
    }
    return text;
}

static bool is_duration(const char *metric)
{
    size_t length = strlen(metric);

    return length > 3 && strcmp(metric + length - 3, "_ms") == 0;
}

static const char *print_value(const char *metric, double value, char text[DURATION_SIZE])
{
    if (is_duration(metric)) {
        return print_duration((int64_t)value, text);
    }
    (void)snprintf(text, DURATION_SIZE, "%g", value);
    return text;
}

static bool has_top_survey(const struct sighting *sighting, const struct detect_limits *limits)
{
    return sighting->has_csat && sighting->csat >= limits->top_survey;
}

static bool has_low_survey(const struct sighting *sighting, const struct detect_limits *limits)
{
    return sighting->has_csat && sighting->csat <= limits->low_survey;
}

static void add_hardships(struct list *list, const struct sighting *sighting,
                          const struct detect_limits *limits)
{
    char text[DURATION_SIZE];

    if (sighting->wait_ms >= limits->hard_wait_ms) {
        add(list, EVIDENCE_HARD_MOMENT, "", (double)sighting->wait_ms,
            "The customer had waited %s before.", print_duration(sighting->wait_ms, text));
    }
    if (sighting->hold_ms >= limits->hard_hold_ms) {
        add(list, EVIDENCE_HARD_MOMENT, "", (double)sighting->hold_ms,
            "The customer was on hold for %s.", print_duration(sighting->hold_ms, text));
    }
    if (limits->hard_transfers != 0 && sighting->transfers >= limits->hard_transfers) {
        add(list, EVIDENCE_HARD_MOMENT, "", sighting->transfers,
            sighting->transfers == 1 ? "The customer had been passed on once."
                                     : "The customer had been passed on %u times.",
            sighting->transfers);
    }
    if (limits->hard_repeat_contacts != 0 &&
        sighting->repeat_contacts >= limits->hard_repeat_contacts) {
        add(list, EVIDENCE_HARD_MOMENT, "", sighting->repeat_contacts,
            "It was the customer's contact number %u within days.", sighting->repeat_contacts + 1);
    }
}

/* A top answer alone is fine; after a hard moment it is somebody's doing. */
static void add_survey(struct list *list, const struct sighting *sighting,
                       const struct detect_limits *limits)
{
    struct list hardships = {.items = list->items + list->count + 1};

    if (!has_top_survey(sighting, limits) || list->count + 5 > DETECT_EVIDENCE_MAX) {
        return;
    }
    add_hardships(&hardships, sighting, limits);
    if (hardships.count == 0) {
        return;
    }
    add(list, EVIDENCE_TOP_SURVEY, "", sighting->csat,
        "The customer gave the top answer, %g, after a hard moment.", sighting->csat);
    list->count += hardships.count;
}

/* A critical or fatal criterion that was missed weighs more than any brilliance. */
static bool is_spoilt(const struct appraisal *appraisal)
{
    for (size_t i = 0; i < appraisal->result_count; i++) {
        const struct result *result = &appraisal->results[i];

        if (result->applies && !result->met && (result->critical || result->fatal)) {
            return true;
        }
    }
    return false;
}

static void add_wow(struct list *list, const struct result *result)
{
    static const char *const words[] = {[RESULT_UNKNOWN] = "",
                                        [RESULT_AT_MOST] = "at most ",
                                        [RESULT_AT_LEAST] = "at least ",
                                        [RESULT_EQUAL] = ""};
    char actual[DURATION_SIZE], value[DURATION_SIZE];

    add(list, EVIDENCE_WOW_CRITERION, result->criterion_id, result->actual,
        "\"%.120s\" was met brilliantly: %s, where %s%s is the standard.", result->title,
        print_value(result->metric, result->actual, actual), words[result->comparison],
        print_value(result->metric, result->value, value));
}

/* In the order of criterion_id, so that the order of the results says nothing. */
static const struct result *next_wow(const struct appraisal *appraisal, const char *after)
{
    const struct result *next = NULL;

    for (size_t i = 0; i < appraisal->result_count; i++) {
        const struct result *result = &appraisal->results[i];

        if (result->wow && result->applies && strcmp(result->criterion_id, after) > 0 &&
            (next == NULL || strcmp(result->criterion_id, next->criterion_id) < 0)) {
            next = result;
        }
    }
    return next;
}

static void add_appraisal(struct list *list, const struct appraisal *appraisal)
{
    const struct result *wow = next_wow(appraisal, "");

    while (wow != NULL) {
        add_wow(list, wow);
        wow = next_wow(appraisal, wow->criterion_id);
    }
    if (appraisal->has_final && appraisal->final >= FULL_SCORE - NEARLY &&
        appraisal->has_critical && appraisal->critical >= FULL_SCORE - NEARLY) {
        add(list, EVIDENCE_FULL_SCORE, "", appraisal->final,
            "Everything that \"%.120s\" (version %u) asks for was there, the critical points "
            "included.",
            appraisal->standard_title, appraisal->standard_version);
    }
}

size_t detect(const struct sighting *sighting, const struct appraisal *appraisal,
              const struct detect_limits *limits, struct evidence ret_evidence[DETECT_EVIDENCE_MAX])
{
    struct list list = {.items = ret_evidence};

    if (!sighting->is_known || !sighting->is_ended || sighting->is_merged ||
        sighting->agent[0] == '\0') {
        return 0;
    }
    add_survey(&list, sighting, limits);
    if (appraisal->is_known && !is_spoilt(appraisal) && !has_low_survey(sighting, limits)) {
        add_appraisal(&list, appraisal);
    }
    return list.count;
}

const char *evidence_kind_name(enum evidence_kind kind)
{
    static const char *const names[] = {
        [EVIDENCE_TOP_SURVEY] = "top_survey",
        [EVIDENCE_HARD_MOMENT] = "hard_moment",
        [EVIDENCE_WOW_CRITERION] = "wow_criterion",
        [EVIDENCE_FULL_SCORE] = "full_score",
    };

    return names[kind];
}
