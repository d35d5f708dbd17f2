/* counters - what ingest counts; the rows are in main.c. */
#ifndef MOMENT_INGEST_COUNTERS_H
#define MOMENT_INGEST_COUNTERS_H

#include "base/metric.h"

extern struct metric counter_events;
extern struct metric counter_duplicates;
extern struct metric counter_refused;
extern struct metric counter_ignored;
extern struct metric counter_requests;
extern struct metric counter_gaps;
extern struct metric counter_lost;
extern struct metric counter_redactions;
extern struct metric counter_folds;
extern struct metric counter_fold_seconds;
extern struct metric gauge_cache_bytes;
extern struct metric counter_cache_misses;
extern struct metric gauge_ami_connected;
extern struct metric counter_ami_packets;
extern struct metric counter_ami_dropped;
extern struct metric gauge_queue_log_lag;
extern struct metric counter_queue_log_ignored;

extern struct metric *const ingest_metrics[];
extern const size_t ingest_metric_count;

#endif
