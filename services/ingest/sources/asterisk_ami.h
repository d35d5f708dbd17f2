/* asterisk_ami - the source kind asterisk-ami: a logged-in connection to an Asterisk manager.
 *
 * Connects, logs in, asks for a snapshot, then turns packets into events as they come; pings, and
 * connects again with back-off when the peer is gone. What one read of the socket brought becomes
 * durable together; when the queue is full the socket is not read. What was missed while away is
 * the interpreter's business (rules/asterisk_ami.h). Loop thread only. */
#ifndef MOMENT_INGEST_SOURCES_ASTERISK_AMI_H
#define MOMENT_INGEST_SOURCES_ASTERISK_AMI_H

#include "ingest/ingest.h"

must_check int ami_source_start(struct ingest *ingest, struct source *source);
void ami_source_stop(struct source *source);

#endif
