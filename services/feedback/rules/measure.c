#include "feedback/rules/measure.h"

#include "base/macros.h"

#include <math.h>
#include <string.h>

#define SAME_VALUE 1e-9

static bool was_answered(const struct moment *moment)
{
    for (size_t i = 0; i < moment->visit_count; i++) {
        if (moment->visits[i].answered_at != 0) {
            return true;
        }
    }
    return moment->talk_ms >= 0;
}

static bool take(int64_t value, double *ret_value)
{
    *ret_value = (double)value;
    return value >= 0;
}

static bool wait_ms(const struct moment *moment, double *ret_value)
{
    return take(moment->wait_ms, ret_value);
}

static bool ring_ms(const struct moment *moment, double *ret_value)
{
    return take(moment->ring_ms, ret_value);
}

static bool talk_ms(const struct moment *moment, double *ret_value)
{
    return take(moment->talk_ms, ret_value);
}

static bool hold_ms(const struct moment *moment, double *ret_value)
{
    return take(moment->hold_ms, ret_value);
}

static bool hold_longest_ms(const struct moment *moment, double *ret_value)
{
    int64_t longest = -1;

    for (size_t i = 0; i < moment->visit_count; i++) {
        if (moment->visits[i].hold_longest_ms > longest) {
            longest = moment->visits[i].hold_longest_ms;
        }
    }
    return take(longest, ret_value);
}

static bool hold_count(const struct moment *moment, double *ret_value)
{
    return take(moment->hold_count, ret_value);
}

static bool wrap_ms(const struct moment *moment, double *ret_value)
{
    return take(moment->wrap_ms, ret_value);
}

/* What the source doesn't tell of hold and wrap counts as nothing; without talk there was no
 * handling. */
static bool handle_ms(const struct moment *moment, double *ret_value)
{
    if (moment->talk_ms < 0) {
        return false;
    }
    return take(moment->talk_ms + (moment->hold_ms > 0 ? moment->hold_ms : 0) +
                    (moment->wrap_ms > 0 ? moment->wrap_ms : 0),
                ret_value);
}

/* Nobody can pass on a caller whom nobody answered. */
static bool transfers(const struct moment *moment, double *ret_value)
{
    return take(moment->transfers, ret_value) && was_answered(moment);
}

static bool visits(const struct moment *moment, double *ret_value)
{
    return take((int64_t)moment->visit_count, ret_value);
}

static bool offers(const struct moment *moment, double *ret_value)
{
    int64_t count = 0;

    for (size_t i = 0; i < moment->visit_count; i++) {
        count += moment->visits[i].offers;
    }
    return take(count, ret_value) && moment->visit_count > 0;
}

static bool offer_failures(const struct moment *moment, double *ret_value)
{
    int64_t count = 0;

    for (size_t i = 0; i < moment->visit_count; i++) {
        count += moment->visits[i].offer_failures;
    }
    return take(count, ret_value) && moment->visit_count > 0;
}

static bool repeat_contacts(const struct moment *moment, double *ret_value)
{
    return take(moment->repeat_contacts, ret_value);
}

static bool csat(const struct moment *moment, double *ret_value)
{
    *ret_value = moment->csat;
    return moment->has_csat;
}

static bool nps(const struct moment *moment, double *ret_value)
{
    *ret_value = moment->nps;
    return moment->has_nps;
}

static bool answered(const struct moment *moment, double *ret_value)
{
    return take(was_answered(moment) ? 1 : 0, ret_value);
}

static bool abandoned(const struct moment *moment, double *ret_value)
{
    return take(moment->outcome == OUTCOME_ABANDONED ? 1 : 0, ret_value);
}

static const struct metric_row {
    const char *name;
    bool (*read)(const struct moment *moment, double *ret_value);
} metrics[] = {
    {"wait_ms", wait_ms},
    {"ring_ms", ring_ms},
    {"talk_ms", talk_ms},
    {"hold_ms", hold_ms},
    {"hold_longest_ms", hold_longest_ms},
    {"hold_count", hold_count},
    {"wrap_ms", wrap_ms},
    {"handle_ms", handle_ms},
    {"transfers", transfers},
    {"visits", visits},
    {"offers", offers},
    {"offer_failures", offer_failures},
    {"repeat_contacts", repeat_contacts},
    {"csat", csat},
    {"nps", nps},
    {"answered", answered},
    {"abandoned", abandoned},
};

static const struct metric_row *find(const char *metric)
{
    for (size_t i = 0; i < countof(metrics); i++) {
        if (strcmp(metrics[i].name, metric) == 0) {
            return &metrics[i];
        }
    }
    return NULL;
}

bool measure_knows(const char *metric)
{
    return find(metric) != NULL;
}

bool measure_value(const struct moment *moment, const char *metric, double *ret_value)
{
    const struct metric_row *row = find(metric);
    double value;

    if (row == NULL || !row->read(moment, &value)) {
        return false;
    }
    *ret_value = value;
    return true;
}

static bool compare(enum comparison comparison, double actual, double value)
{
    switch (comparison) {
    case AT_MOST:
        return actual <= value;
    case AT_LEAST:
        return actual >= value;
    case EQUAL:
        return fabs(actual - value) < SAME_VALUE;
    case COMPARISON_UNKNOWN:
        break;
    }
    return false;
}

struct measurement measure(const struct moment *moment, const struct criterion *criterion)
{
    struct measurement result = {0};

    if (!measure_value(moment, criterion->metric, &result.actual)) {
        return result;
    }
    result.applies = true;
    result.met = compare(criterion->comparison, result.actual, criterion->value);
    result.wow = criterion->has_wow && result.met &&
                 compare(criterion->comparison, result.actual, criterion->wow_value);
    return result;
}
