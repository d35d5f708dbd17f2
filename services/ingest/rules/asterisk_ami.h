/* asterisk_ami - what the packets of an Asterisk Manager connection say about contacts and agents.
 *
 * One interpreter per source; it outlives connections, so that it can tell after a reconnect what
 * was missed. Memory is bounded: ASTERISK_AMI_CHANNELS channels, contacts and memberships; what
 * does not fit is counted in `overflows` and lives by the record (queue_log) alone.
 *
 * How its owner drives a connection:
 *   1. log in (ami_action), then feed every packet to asterisk_ami_packet;
 *   2. after "Response: Success" of the login send QueueStatus and CoreShowChannels and tell their
 *      ActionIDs to asterisk_ami_snapshot. When both lists are complete the interpreter emits, for
 *      what was missed: SOURCE_GAP, CONTACT_STARTED/QUEUED with derived times, CONTACT_ANSWERED or
 *      CONTACT_LEFT_QUEUE (reason "gap") and CONTACT_ENDED (reason "ended_in_gap");
 *   3. after a restart of the process give the contacts that were open to asterisk_ami_recall
 * before the first packet.
 *
 * Contacts: contact_id is the Uniqueid of the queue caller's channel (as in queue_log). An inbound
 * call (first seen ringing in one of inbound_contexts) is a contact even without a queue. Calls
 * between agents, agents' outbound calls, feature codes, ChanSpy and Cdr are no contacts.
 *
 * Every event has EVIDENCE_LIVE and an event_id made from the packet's content (event name,
 * Uniqueid, Timestamp, queue, agent), so the same bytes give the same ids; without
 * timestampevents=yes the time is the arrival and the id counts occurrences instead. Times never go
 * back within a connection by less than a second (Asterisk's neighbours do, by a millisecond); the
 * order of the stream stays.
 *
 * Pure: no clock, no socket. Not thread safe. */
#ifndef MOMENT_INGEST_ASTERISK_AMI_H
#define MOMENT_INGEST_ASTERISK_AMI_H

#include "ingest/rules/ami_packet.h"
#include "ingest/rules/event.h"

#define ASTERISK_AMI_CONTACTS 4096
#define ASTERISK_AMI_MEMBERS 4096
#define ASTERISK_AMI_CONTEXTS                                                                      \
    "from-carrier,from-trunk,from-pstn,from-external,from-provider,incoming,public"

struct asterisk_ami_options {
    const char *source;
    const char *system; /* null or "": the source */
    const char *site;
    const char *inbound_contexts; /* comma separated; null or "": ASTERISK_AMI_CONTEXTS */
};

struct asterisk_ami_counts {
    uint64_t packets;
    uint64_t events;
    uint64_t overflows;        /* things that found no room in a table */
    uint64_t snapshots;        /* completed */
    uint64_t snapshot_refused; /* lists answered by an error */
    size_t contacts;
    size_t members;
};

struct asterisk_ami;

/* Copies the options. Null when out of memory. */
struct asterisk_ami *asterisk_ami_new(const struct asterisk_ami_options *options, event_sink *sink,
                                      void *context);
void asterisk_ami_free(struct asterisk_ami *ami); /* null is fine */

void asterisk_ami_packet(struct asterisk_ami *ami, const struct ami_packet *packet,
                         int64_t arrived_at);

/* A contact that was open when the process stopped: its queue while waiting or talking ("" before
 * any), when it entered it, and the agent when answered ("" while waiting). */
void asterisk_ami_recall(struct asterisk_ami *ami, const char *contact_id, const char *queue,
                         int64_t entered_at, const char *agent);

/* QueueStatus and CoreShowChannels were just sent. heard_until: when the source was last heard
 * before this connection by its own clock (the greatest occurred_at), 0 if never; the greater of it
 * and what the interpreter knows begins the gap, the end of the lists ends it. */
void asterisk_ami_snapshot(struct asterisk_ami *ami, const char *queues_action_id,
                           const char *channels_action_id, int64_t heard_until);
/* The connection is gone. Says nothing about contacts: the next snapshot does. */
void asterisk_ami_disconnected(struct asterisk_ami *ami);
/* No snapshot is awaited. */
bool asterisk_ami_is_settled(const struct asterisk_ami *ami);

struct asterisk_ami_counts asterisk_ami_counts(const struct asterisk_ami *ami);

#endif
