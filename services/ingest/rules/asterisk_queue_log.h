/* asterisk_queue_log - what the lines of Asterisk's queue_log say. Every event has EVIDENCE_RECORD.
 *
 * The idempotency key of a line is its text plus how often the same text stood among the
 * ASTERISK_QUEUE_LOG_MEMORY lines before it ("nth"), not its place in a file: a rotated, copied or
 * re-imported file then repeats nothing, and two identical lines (legal: two RINGNOANSWER of 0 ms
 * in a second) still count twice. So a reader that starts in the middle of a file must first be
 * given the lines before (asterisk_queue_log_prime; the last 64 KiB are enough).
 *
 * Columns: epoch|callid|queue|agent|VERB|data... Nothing is escaped, so a '|' inside a name moves
 * columns: agent names are found by looking for the verb, the data columns are counted from
 * whichever end has the fixed ones. Unknown verbs are ignored and counted.
 *
 * Bytes that are no UTF-8 become '?', as in ami_packet.h, so that both tell of the same agent.
 *
 * A line gives at most one event. Pure; not thread safe. */
#ifndef MOMENT_INGEST_ASTERISK_QUEUE_LOG_H
#define MOMENT_INGEST_ASTERISK_QUEUE_LOG_H

#include "ingest/rules/event.h"

#define ASTERISK_QUEUE_LOG_LINE_MAX 8192
#define ASTERISK_QUEUE_LOG_MEMORY 256

struct asterisk_queue_log {
    const char *source; /* borrowed for the life of the reader */
    const char *system;
    const char *site;
    uint64_t recent[ASTERISK_QUEUE_LOG_MEMORY]; /* hashes of the lines before */
    size_t next;
    uint64_t lines;
    uint64_t events;
    uint64_t ignored;   /* lines with a verb that says nothing about contacts or agents */
    uint64_t malformed; /* lines that are no queue_log lines */
    char line[ASTERISK_QUEUE_LOG_LINE_MAX + 1];
};

/* system null or "": the source. */
void asterisk_queue_log_init(struct asterisk_queue_log *reader, const char *source,
                             const char *system, const char *site);

/* One line without its LF. sequence orders lines of the same second: (file generation << 40) +
 * offset of the line, where the owner counts a generation whenever it starts on another file.
 * -EINVAL for what is no queue_log line; the caller goes on with the next one. */
must_check int asterisk_queue_log_line(struct asterisk_queue_log *reader, struct slice line,
                                       uint64_t sequence, int64_t received_at, event_sink *sink,
                                       void *context);
/* A line that was handled in an earlier life. */
void asterisk_queue_log_prime(struct asterisk_queue_log *reader, struct slice line);

/* Takes the first complete line (without LF, a CR before it also goes) off the front of rest. False
 * when there is only a partial one left; if that partial line is longer than
 * ASTERISK_QUEUE_LOG_LINE_MAX it can never become a line: the owner skips to the next LF. */
bool asterisk_queue_log_next(struct slice *rest, struct slice *ret_line);

#endif
