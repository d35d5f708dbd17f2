/* asterisk_queue_log - the source kind asterisk-queue-log: the file that Asterisk's queues write.
 *
 * The file is looked at five times a second and read in pieces of at most 256 KiB, each of which
 * becomes durable together with the position after it. A file that was renamed away is read to its
 * end before its successor is begun; a truncated one is read from its start; a line is taken when
 * its end is there. Loop thread only. */
#ifndef MOMENT_INGEST_SOURCES_ASTERISK_QUEUE_LOG_H
#define MOMENT_INGEST_SOURCES_ASTERISK_QUEUE_LOG_H

#include "ingest/ingest.h"

must_check int queue_log_source_start(struct ingest *ingest, struct source *source);
void queue_log_source_stop(struct source *source);

#endif
