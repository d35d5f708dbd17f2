#include "base/metric.h"

#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 512, FINITE_BUCKETS = METRIC_BUCKETS - 1 };
#define FIRST_BOUND_S 0.0005

static struct metric *registered[ROWS_MAX];
static size_t registered_count;

void metric_register(struct metric *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_known = false;
        for (size_t j = 0; j < registered_count; j++) {
            is_known = is_known || registered[j] == rows[i];
            assert(registered[j] == rows[i] || strcmp(registered[j]->name, rows[i]->name) != 0);
        }
        if (is_known)
            continue;
        assert(registered_count < ROWS_MAX);
        registered[registered_count++] = rows[i];
    }
}

static struct metric_series *find_series(const struct metric *metric, const char *label)
{
    for (size_t i = 0; i < metric->series_count; i++)
        if (strncmp(metric->series[i].label, label, METRIC_LABEL_SIZE - 1) == 0)
            return (struct metric_series *)(uintptr_t)&metric->series[i];
    return NULL;
}

static struct metric_series *series_of(struct metric *metric, const char *label_value)
{
    const char *label = metric->label && label_value ? label_value : "";
    struct metric_series *series = find_series(metric, label);
    /* The last place is kept for all further values together. */
    if (!series && metric->series_count >= METRIC_SERIES_MAX - 1) {
        label = "other";
        series = find_series(metric, label);
    }
    if (!series) {
        series = &metric->series[metric->series_count++];
        text_copy(series->label, sizeof series->label, label);
    }
    return series;
}

void metric_add(struct metric *metric, const char *label_value, double by)
{
    assert(metric->kind != METRIC_HISTOGRAM);
    assert(metric->kind == METRIC_GAUGE || by >= 0);
    series_of(metric, label_value)->value += by;
}

void metric_set(struct metric *metric, const char *label_value, double value)
{
    assert(metric->kind == METRIC_GAUGE);
    series_of(metric, label_value)->value = value;
}

static double first_bound(const struct metric *metric)
{
    return metric->first_bound > 0 ? metric->first_bound : FIRST_BOUND_S;
}

void metric_observe(struct metric *metric, const char *label_value, double value)
{
    assert(metric->kind == METRIC_HISTOGRAM);
    struct metric_series *series = series_of(metric, label_value);
    double bound = first_bound(metric);
    size_t bucket = 0;
    while (bucket < FINITE_BUCKETS && value > bound) {
        bound *= 4;
        bucket++;
    }
    series->buckets[bucket]++;
    series->count++;
    series->value += value;
}

double metric_get(const struct metric *metric, const char *label_value)
{
    const struct metric_series *series =
        find_series(metric, metric->label && label_value ? label_value : "");
    return series ? series->value : 0;
}

static const char *kind_name(enum metric_kind kind)
{
    switch (kind) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_HISTOGRAM:
        return "histogram";
    }
    return "untyped";
}

static int write_number(struct buf *out, double value)
{
    /* Counts stay exact; everything else is rounded to what a reader can use. */
    bool is_whole = fabs(value) < 9007199254740992.0 && !(floor(value) < value);
    return is_whole ? buf_printf(out, "%.0f\n", value) : buf_printf(out, "%.9g\n", value);
}

/* name[suffix]{label="value",le="bound"}; le null: not a bucket. */
static int write_name(struct buf *out, const struct metric *metric, const char *suffix,
                      const char *label_value, const char *le)
{
    int rc = buf_printf(out, "%s%s", metric->name, suffix);
    const char *open = "{";
    if (rc == 0 && metric->label) {
        rc = buf_printf(out, "{%s=\"", metric->label);
        for (const char *at = label_value; rc == 0 && *at; at++) {
            if (*at == '"' || *at == '\\')
                rc = buf_printf(out, "\\%c", *at);
            else if (*at == '\n')
                rc = buf_append(out, "\\n", 2);
            else
                rc = buf_append(out, at, 1);
        }
        if (rc == 0)
            rc = buf_append(out, "\"", 1);
        open = ",";
    }
    if (rc == 0 && le)
        rc = buf_printf(out, "%sle=\"%s\"", open, le);
    if (rc == 0 && (metric->label || le))
        rc = buf_append(out, "}", 1);
    return rc < 0 ? rc : buf_append(out, " ", 1);
}

static int write_histogram(struct buf *out, const struct metric *metric,
                           const struct metric_series *series)
{
    uint64_t below = 0;
    double bound = first_bound(metric);
    for (size_t i = 0; i < METRIC_BUCKETS; i++) {
        char le[32] = "+Inf";
        if (i < FINITE_BUCKETS)
            snprintf(le, sizeof le, "%.9g", bound);
        below += series->buckets[i];
        bound *= 4;
        int rc = write_name(out, metric, "_bucket", series->label, le);
        if (rc == 0)
            rc = buf_printf(out, "%llu\n", (unsigned long long)below);
        if (rc < 0)
            return rc;
    }
    int rc = write_name(out, metric, "_sum", series->label, NULL);
    if (rc == 0)
        rc = write_number(out, series->value);
    if (rc == 0)
        rc = write_name(out, metric, "_count", series->label, NULL);
    return rc < 0 ? rc : buf_printf(out, "%llu\n", (unsigned long long)series->count);
}

static int write_series(struct buf *out, const struct metric *metric,
                        const struct metric_series *series)
{
    if (metric->kind == METRIC_HISTOGRAM)
        return write_histogram(out, metric, series);
    int rc = write_name(out, metric, "", series->label, NULL);
    return rc < 0 ? rc : write_number(out, series->value);
}

int metric_write(struct buf *out)
{
    static const struct metric_series nothing;
    for (size_t i = 0; i < registered_count; i++) {
        const struct metric *metric = registered[i];
        int rc = buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
                            metric->name, kind_name(metric->kind));
        for (size_t j = 0; rc == 0 && j < metric->series_count; j++)
            rc = write_series(out, metric, &metric->series[j]);
        /* A series without label exists from the start: 0 is a fact, absence is not. */
        if (rc == 0 && !metric->series_count && !metric->label)
            rc = write_series(out, metric, &nothing);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int metric_document(struct metric *const *rows, size_t count, struct buf *out)
{
    int rc = buf_printf(out, "| Metric | Kind | Label | Meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct metric *metric = rows[i];
        rc = buf_printf(out, "| `%s` | %s | %s | %s |\n", metric->name, kind_name(metric->kind),
                        metric->label ? metric->label : "", metric->help);
    }
    return rc;
}
