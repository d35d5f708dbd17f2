#include "io/counters.h"

#define COUNTER(thing, text, label_name)                                                           \
    {                                                                                              \
        .name = "moment_" thing, .kind = METRIC_COUNTER, .help = (text), .label = (label_name)     \
    }
#define GAUGE(thing, text, label_name)                                                             \
    {                                                                                              \
        .name = "moment_" thing, .kind = METRIC_GAUGE, .help = (text), .label = (label_name)       \
    }

struct metric counter_handshakes =
    COUNTER("handshakes_total", "CURVE handshakes by outcome.", "outcome");
struct metric counter_sessions = GAUGE("sessions", "Peers that have said HELLO here.", NULL);
struct metric counter_frames_refused =
    COUNTER("frames_refused_total", "Frames that were refused, by reason.", "reason");
struct metric counter_link_up =
    GAUGE("link_up", "1 while the link to the peer is greeted and heard.", "peer");
struct metric counter_link_opened =
    COUNTER("link_opened_total", "Sockets opened towards the peer.", "peer");
struct metric counter_calls = COUNTER("calls_total", "Calls answered, by outcome.", "outcome");
struct metric counter_asked =
    COUNTER("calls_asked_total", "Calls made to peers, by outcome.", "outcome");
struct metric counter_submissions =
    COUNTER("submissions_total", "Batches submitted over ZeroMQ, by outcome.", "outcome");
struct metric counter_records_sent =
    COUNTER("records_sent_total", "Stream records sent, by consumer.", "consumer");
struct metric counter_consumer_records =
    COUNTER("consumer_records_total", "Records applied, by producer.", "producer");
struct metric counter_consumer_lag = GAUGE(
    "consumer_lag_records", "Records that the producer has and we have not applied.", "producer");
struct metric counter_consumer_connected =
    GAUGE("consumer_connected", "1 while subscribed to the producer.", "producer");
struct metric counter_consumer_halted =
    GAUGE("consumer_halted", "1 while an operator must decide how to go on.", "producer");
struct metric counter_consumer_resubscribed =
    COUNTER("consumer_resubscribed_total", "Subscriptions made, by producer.", "producer");
struct metric counter_quarantined =
    COUNTER("quarantined_total", "Records put into quarantine, by producer.", "producer");
struct metric counter_quarantine =
    GAUGE("quarantine_records", "Records in quarantine that nobody has settled.", NULL);
struct metric counter_stream_ready =
    GAUGE("stream_ready", "1 while this process is the stream's one writer.", NULL);
struct metric counter_stream_head = GAUGE("stream_head", "Last committed record.", NULL);
struct metric counter_stream_epoch = GAUGE("stream_epoch", "Epoch of the writer.", NULL);
struct metric counter_stream_queued_bytes =
    GAUGE("stream_queued_bytes", "Work waiting for a transaction.", NULL);
struct metric counter_reload_ok =
    GAUGE("config_last_reload_successful", "1 if the last SIGHUP took effect.", NULL);
struct metric counter_build_info = GAUGE("build_info", "1, with the version as label.", "version");
struct metric counter_resident_bytes = {
    .name = "process_resident_memory_bytes",
    .kind = METRIC_GAUGE,
    .help = "Memory resident.",
};
struct metric counter_cpu_seconds = {
    .name = "process_cpu_seconds_total",
    .kind = METRIC_COUNTER,
    .help = "CPU time of user and system.",
};
struct metric counter_start_time = {
    .name = "process_start_time_seconds",
    .kind = METRIC_GAUGE,
    .help = "Start of the process, seconds since 1970.",
};

struct metric *const counters_all[] = {
    &counter_handshakes,      &counter_sessions,
    &counter_frames_refused,  &counter_link_up,
    &counter_link_opened,     &counter_calls,
    &counter_asked,           &counter_submissions,
    &counter_records_sent,    &counter_consumer_records,
    &counter_consumer_lag,    &counter_consumer_connected,
    &counter_consumer_halted, &counter_consumer_resubscribed,
    &counter_quarantined,     &counter_quarantine,
    &counter_stream_ready,    &counter_stream_head,
    &counter_stream_epoch,    &counter_stream_queued_bytes,
    &counter_reload_ok,       &counter_build_info,
    &counter_resident_bytes,  &counter_cpu_seconds,
    &counter_start_time,
};
const size_t counters_count = sizeof(counters_all) / sizeof(counters_all[0]);
