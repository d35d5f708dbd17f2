#include "ingest/rules/ami_packet.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char banner[] = "Asterisk Call Manager/";

void ami_reader_init(struct ami_reader *reader)
{
    memset(reader, 0, sizeof(*reader));
    buf_init(&reader->bytes, AMI_PACKET_MAX);
}

void ami_reader_done(struct ami_reader *reader)
{
    buf_done(&reader->bytes);
}

static void start_packet(struct ami_reader *reader)
{
    buf_clear(&reader->bytes);
    reader->line_at = 0;
    reader->skipping = false;
    reader->packet.count = 0;
}

void ami_reader_reset(struct ami_reader *reader)
{
    start_packet(reader);
    reader->version[0] = 0;
}

/* Headers are found only now, when the buffer moves no more. */
static void split_lines(struct ami_reader *reader)
{
    char *at = (char *)reader->bytes.data;
    const char *end = at + reader->bytes.len;
    reader->packet.count = 0;
    while (at < end) {
        char *next = at + strlen(at) + 1;
        char *colon = strchr(at, ':');
        *colon = 0;
        const char *value = colon[1] == ' ' ? colon + 2 : colon + 1;
        reader->packet.headers[reader->packet.count].name = at;
        reader->packet.headers[reader->packet.count].value = value;
        reader->packet.count++;
        at = next;
    }
}

static void finish_packet(struct ami_reader *reader, ami_packet_sink *sink, void *context)
{
    if (reader->bytes.len > 0) {
        split_lines(reader);
        reader->packets++;
        sink(context, &reader->packet);
    }
    start_packet(reader);
}

static void drop_line(struct ami_reader *reader)
{
    reader->bytes.len = reader->line_at;
}

/* A line is complete in bytes from line_at, without its line end. */
static int finish_line(struct ami_reader *reader, ami_packet_sink *sink, void *context)
{
    uint8_t *line = reader->bytes.data + reader->line_at;
    size_t len = reader->bytes.len - reader->line_at;
    if (len > 0 && line[len - 1] == '\r') {
        reader->bytes.len--;
        len--;
    }
    if (len == 0) {
        finish_packet(reader, sink, context);
        return 0;
    }
    if (len >= sizeof(banner) - 1 && memcmp(line, banner, sizeof(banner) - 1) == 0) {
        struct slice version = {(const char *)line + sizeof(banner) - 1,
                                len - (sizeof(banner) - 1)};
        text_copy_slice(reader->version, sizeof(reader->version), version);
        /* It begins a connection: nothing before it belongs to a packet. */
        start_packet(reader);
        return 0;
    }
    if (line[0] == ':' || !memchr(line, ':', len) || memchr(line, 0, len)) {
        reader->garbage++;
        drop_line(reader);
        return 0;
    }
    (void)text_repair_utf8((char *)line, len);
    if (++reader->packet.count > AMI_HEADERS_MAX)
        return -EMSGSIZE;
    int error = buf_append(&reader->bytes, "", 1);
    if (error)
        return error;
    reader->line_at = reader->bytes.len;
    return 0;
}

/* In an oversized packet only whether the current line is empty matters: line_at counts its
 * characters. */
static void skip(struct ami_reader *reader, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\r')
            reader->line_at++;
    }
}

static void begin_skipping(struct ami_reader *reader)
{
    size_t at = reader->line_at;
    size_t len = reader->bytes.len - at;
    reader->skipping = true;
    reader->line_at = 0;
    skip(reader, reader->bytes.data + at, len);
    buf_clear(&reader->bytes);
}

static void end_skipped_line(struct ami_reader *reader)
{
    if (reader->line_at == 0) {
        reader->oversized++;
        start_packet(reader);
    } else {
        reader->line_at = 0;
    }
}

int ami_reader_feed(struct ami_reader *reader, const void *bytes, size_t len, ami_packet_sink *sink,
                    void *context)
{
    const uint8_t *at = bytes;
    int result = 0;
    while (len > 0) {
        const uint8_t *newline = memchr(at, '\n', len);
        size_t piece = newline ? (size_t)(newline - at) : len;
        if (!reader->skipping) {
            int error = buf_append(&reader->bytes, at, piece);
            if (!error && newline)
                error = finish_line(reader, sink, context);
            if (error) {
                if (error == -ENOMEM)
                    result = error;
                begin_skipping(reader);
                reader->line_at += piece;
                if (newline)
                    reader->line_at = 0;
            }
        } else {
            skip(reader, at, piece);
            if (newline)
                end_skipped_line(reader);
        }
        size_t taken = piece + (newline ? 1 : 0);
        at += taken;
        len -= taken;
    }
    return result;
}

const char *ami_packet_get(const struct ami_packet *packet, const char *name)
{
    for (size_t i = 0; i < packet->count; i++) {
        if (strcasecmp(packet->headers[i].name, name) == 0)
            return packet->headers[i].value;
    }
    return "";
}

bool ami_packet_has(const struct ami_packet *packet, const char *name)
{
    for (size_t i = 0; i < packet->count; i++) {
        if (strcasecmp(packet->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

const char *ami_packet_unescaped(const struct ami_packet *packet, const char *name, char *to,
                                 size_t size)
{
    const char *from = ami_packet_get(packet, name);
    if (text_is(from, "<unknown>") || size == 0)
        from = "";
    text_copy(to, size, from);
    char *write = to;
    for (const char *read = to; *read; read++) {
        if (*read == '\\' && (read[1] == '\\' || read[1] == '\'' || read[1] == '"'))
            read++;
        *write++ = *read;
    }
    *write = 0;
    return to;
}
