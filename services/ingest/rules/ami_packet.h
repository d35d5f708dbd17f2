/* ami_packet - packets out of the byte stream of an Asterisk Manager connection.
 *
 * A packet is "Key: Value" lines up to an empty line; lines end in CR LF or LF. The reader takes
 * the stream in any pieces, drops what no packet can be (the banner, lines without a colon, NUL
 * bytes) and never holds more than one packet. A packet over AMI_PACKET_MAX bytes or with more than
 * AMI_HEADERS_MAX headers is dropped whole and counted; the stream goes on at the next empty line.
 * Repeated headers (Output) stay, in order, with their spaces; only one space after the colon and
 * the line end are taken off. Bytes that are no UTF-8 become '?': a caller chooses the name that a
 * call shows, in whatever encoding. Pure; not thread safe. */
#ifndef MOMENT_INGEST_AMI_PACKET_H
#define MOMENT_INGEST_AMI_PACKET_H

#include "base/buf.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AMI_PACKET_MAX 65536
#define AMI_HEADERS_MAX 256

struct ami_header {
    const char *name; /* NUL-terminated, borrowed from the reader */
    const char *value;
};

/* Valid until the function it was given to returns. */
struct ami_packet {
    struct ami_header headers[AMI_HEADERS_MAX];
    size_t count;
};

struct ami_reader {
    struct buf bytes; /* the packet so far, lines NUL-terminated */
    size_t line_at;   /* where the current line begins in bytes */
    bool skipping;    /* the packet was too large: wait for its end */
    struct ami_packet packet;
    char version[64]; /* from the banner: "11.0.0"; "" before */
    uint64_t packets;
    uint64_t oversized; /* packets dropped for their size */
    uint64_t garbage;   /* lines without a colon, banner excepted */
};

typedef void ami_packet_sink(void *context, const struct ami_packet *packet);

void ami_reader_init(struct ami_reader *reader);
void ami_reader_done(struct ami_reader *reader);
/* A new connection: forget the unfinished packet. Counters stay. */
void ami_reader_reset(struct ami_reader *reader);
/* -ENOMEM; the reader then waits for the next packet as after an oversized one. */
must_check int ami_reader_feed(struct ami_reader *reader, const void *bytes, size_t len,
                               ami_packet_sink *sink, void *context);

/* First value of a header, names compared without case; "" if absent. */
const char *ami_packet_get(const struct ami_packet *packet, const char *name);
bool ami_packet_has(const struct ami_packet *packet, const char *name);
/* The same with Asterisk's backslash escapes undone and "<unknown>" as "": names and numbers of
 * channel snapshots and VarSet values. Writes to, cut at a character. Returns to. */
const char *ami_packet_unescaped(const struct ami_packet *packet, const char *name, char *to,
                                 size_t size);

#endif
