/* metric - counters, gauges and histograms, one static row each, in Prometheus text format.
 *
 * Names follow Prometheus: moment_<thing>_<base unit>[_total]. At most one label per row, with at
 * most METRIC_SERIES_MAX values ever (further values count as "other"), so a scrape stays small.
 * Rows are static structs listed in one table per service and given to metric_register once.
 * Not thread safe: loop thread only. */
#ifndef MOMENT_BASE_METRIC_H
#define MOMENT_BASE_METRIC_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define METRIC_SERIES_MAX 32
#define METRIC_LABEL_SIZE 64
#define METRIC_BUCKETS 16

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_series {
    char label[METRIC_LABEL_SIZE];
    double value; /* of a histogram: the sum */
    uint64_t count;
    uint64_t buckets[METRIC_BUCKETS];
};

struct metric {
    const char *name;
    enum metric_kind kind;
    const char *help;  /* one sentence */
    const char *label; /* label name; null: none */
    /* Histogram: upper bounds are first_bound * 4^i; the default 0.0005 s covers 0.5 ms .. 134 s
     * in 10. */
    double first_bound;
    struct metric_series series[METRIC_SERIES_MAX];
    size_t series_count;
};

void metric_register(struct metric *const *rows, size_t count);
/* label_value is ignored when the row has no label; null then. */
void metric_add(struct metric *metric, const char *label_value, double by);
void metric_set(struct metric *metric, const char *label_value, double value);
void metric_observe(struct metric *metric, const char *label_value, double value);
double metric_get(const struct metric *metric, const char *label_value);
must_check int metric_write(struct buf *out); /* everything registered */
/* The README's table. */
must_check int metric_document(struct metric *const *rows, size_t count, struct buf *out);

#endif
