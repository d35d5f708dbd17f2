/* counters - one row each. */
#include "ingest/counters.h"

#include "base/macros.h"

#define COUNTER(variable, name_, label_, help_)                                                    \
    struct metric variable = {                                                                     \
        .name = (name_), .kind = METRIC_COUNTER, .label = (label_), .help = (help_)}
#define GAUGE(variable, name_, label_, help_)                                                      \
    struct metric variable = {                                                                     \
        .name = (name_), .kind = METRIC_GAUGE, .label = (label_), .help = (help_)}

COUNTER(counter_events, "moment_ingest_events_total", "source", "Events accepted.");
COUNTER(counter_duplicates, "moment_ingest_duplicates_total", "source",
        "Events that were there already and had no effect.");
COUNTER(counter_refused, "moment_ingest_refused_total", "source",
        "Events refused before any write.");
COUNTER(counter_ignored, "moment_ingest_ignored_total", "source",
        "Well-formed events of a type that says nothing about contacts or agents.");
COUNTER(counter_requests, "moment_ingest_requests_total", "status",
        "Requests to /v1/events by HTTP status.");
COUNTER(counter_gaps, "moment_ingest_gaps_total", "source",
        "Times that a live source was away and events may be missing.");
COUNTER(counter_lost, "moment_ingest_lost_track_total", NULL,
        "Moments closed because nothing more was heard of them.");
COUNTER(counter_redactions, "moment_ingest_redactions_total", NULL,
        "Texts from which card numbers or national ids were taken out.");
COUNTER(counter_folds, "moment_ingest_folds_total", NULL, "Moments folded from their events.");
COUNTER(counter_fold_seconds, "moment_ingest_fold_seconds_total", NULL, "Time spent folding.");
GAUGE(gauge_cache_bytes, "moment_ingest_cache_bytes", NULL,
      "Memory held by moments lately touched.");
COUNTER(counter_cache_misses, "moment_ingest_cache_misses_total", NULL,
        "Moments whose events had to be read.");
GAUGE(gauge_ami_connected, "moment_ingest_ami_connected", "source",
      "1 while logged in to the Asterisk manager.");
COUNTER(counter_ami_packets, "moment_ingest_ami_packets_total", "source",
        "Packets read from the Asterisk manager.");
COUNTER(counter_ami_dropped, "moment_ingest_ami_dropped_total", "source",
        "Packets over the size limit, lines that are none, and things that found no room.");
GAUGE(gauge_queue_log_lag, "moment_ingest_queue_log_lag_bytes", "source",
      "Bytes of the queue_log that are not committed yet.");
COUNTER(counter_queue_log_ignored, "moment_ingest_queue_log_malformed_total", "source",
        "Lines of the queue_log that could not be read.");

struct metric *const ingest_metrics[] = {
    &counter_events,       &counter_duplicates,        &counter_refused,
    &counter_ignored,      &counter_requests,          &counter_gaps,
    &counter_lost,         &counter_redactions,        &counter_folds,
    &counter_fold_seconds, &gauge_cache_bytes,         &counter_cache_misses,
    &gauge_ami_connected,  &counter_ami_packets,       &counter_ami_dropped,
    &gauge_queue_log_lag,  &counter_queue_log_ignored,
};
const size_t ingest_metric_count = countof(ingest_metrics);
