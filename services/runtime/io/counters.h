/* counters - every counter of the runtime, one row each; registered by service_main. */
#ifndef MOMENT_IO_COUNTERS_H
#define MOMENT_IO_COUNTERS_H

#include "base/metric.h"

extern struct metric counter_handshakes;
extern struct metric counter_sessions;
extern struct metric counter_frames_refused;
extern struct metric counter_link_up;
extern struct metric counter_link_opened;
extern struct metric counter_calls;
extern struct metric counter_asked;
extern struct metric counter_submissions;
extern struct metric counter_records_sent;
extern struct metric counter_consumer_records;
extern struct metric counter_consumer_lag;
extern struct metric counter_consumer_connected;
extern struct metric counter_consumer_halted;
extern struct metric counter_consumer_resubscribed;
extern struct metric counter_quarantined;
extern struct metric counter_quarantine;
extern struct metric counter_stream_ready;
extern struct metric counter_stream_head;
extern struct metric counter_stream_epoch;
extern struct metric counter_stream_queued_bytes;
extern struct metric counter_reload_ok;
extern struct metric counter_build_info;
extern struct metric counter_resident_bytes;
extern struct metric counter_cpu_seconds;
extern struct metric counter_start_time;

extern struct metric *const counters_all[];
extern const size_t counters_count;

#endif
