#include "reporting/atom.h"

#include "base/clock.h"

#include <string.h>

/* --- text ---------------------------------------------------------------------------------- */

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\r': /* a parser would make it a line feed */
        return "&#13;";
    case '\t':
    case '\n':
        return NULL;
    default:
        return (unsigned char)c < 0x20 || c == 0x7f ? "\xef\xbf\xbd" : NULL; /* U+FFFD */
    }
}

/* U+FFFE and U+FFFF are valid UTF-8 and no characters of XML. */
static bool is_no_character(const char *at)
{
    return strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0;
}

static int write_text(struct buf *to, const char *text)
{
    int rc = 0;

    while (*text != '\0' && rc == 0) {
        size_t plain = 0;
        const char *escape = NULL;
        bool is_gap = false;

        while (text[plain] != '\0' && escape == NULL && !is_gap) {
            escape = escape_of(text[plain]);
            is_gap = is_no_character(text + plain);
            plain += escape == NULL && !is_gap;
        }
        rc = buf_append(to, text, plain);
        text += plain;
        if (rc == 0 && is_gap)
            rc = buf_append(to, "\xef\xbf\xbd", 3);
        else if (rc == 0 && escape != NULL)
            rc = buf_append(to, escape, strlen(escape));
        text += is_gap ? 3 : escape != NULL;
    }
    return rc;
}

static int write_element(struct buf *to, const char *name, const char *text)
{
    int rc = buf_printf(to, "<%s>", name);

    if (rc == 0)
        rc = write_text(to, text);
    return rc == 0 ? buf_printf(to, "</%s>\n", name) : rc;
}

static int write_time(struct buf *to, const char *name, int64_t at_us)
{
    char text[CLOCK_RFC3339_SIZE];

    return write_element(to, name, clock_to_rfc3339(at_us, text));
}

static int write_attribute(struct buf *to, const char *before, const char *value)
{
    int rc = buf_printf(to, "%s", before);

    if (rc == 0)
        rc = write_text(to, value);
    return rc == 0 ? buf_printf(to, "\"/>\n") : rc;
}

static int write_id(struct buf *to, const char *id)
{
    int rc = buf_printf(to, "<id>urn:uuid:");

    if (rc == 0)
        rc = write_text(to, id);
    return rc == 0 ? buf_printf(to, "</id>\n") : rc;
}

/* --- the feed ------------------------------------------------------------------------------ */

static int write_author(struct buf *to, const char *name)
{
    int rc = buf_printf(to, "<author>");

    if (rc == 0)
        rc = write_element(to, "name", name);
    return rc == 0 ? buf_printf(to, "</author>\n") : rc;
}

static int write_entry(struct buf *to, const struct atom_entry *entry)
{
    int rc = buf_printf(to, "<entry>\n");

    if (rc == 0)
        rc = write_id(to, entry->id);
    if (rc == 0)
        rc = write_element(to, "title", entry->title);
    if (rc == 0)
        rc = write_time(to, "updated", entry->updated_at);
    if (rc == 0)
        rc = write_time(to, "published", entry->published_at);
    if (rc == 0 && entry->author[0] != '\0')
        rc = write_author(to, entry->author);
    if (rc == 0 && entry->category[0] != '\0')
        rc = write_attribute(to, "<category term=\"", entry->category);
    if (rc == 0)
        rc = write_element(to, "content", entry->text);
    return rc == 0 ? buf_printf(to, "</entry>\n") : rc;
}

static int64_t newest(const struct atom_feed *feed)
{
    int64_t at = 0;

    for (size_t i = 0; i < feed->count; i++) {
        if (feed->entries[i].updated_at > at)
            at = feed->entries[i].updated_at;
    }
    return at;
}

/* An entry without an author has the feed's. */
int atom_write(struct buf *to, const struct atom_feed *feed)
{
    int rc = buf_printf(to, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                            "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");

    if (rc == 0)
        rc = write_id(to, feed->id);
    if (rc == 0)
        rc = write_element(to, "title", feed->title);
    if (rc == 0)
        rc = write_time(to, "updated", newest(feed));
    if (rc == 0)
        rc = write_author(to, feed->title);
    if (rc == 0)
        rc = write_attribute(to, "<link rel=\"self\" href=\"", feed->self);
    for (size_t i = 0; rc == 0 && i < feed->count; i++)
        rc = write_entry(to, &feed->entries[i]);
    return rc == 0 ? buf_printf(to, "</feed>\n") : rc;
}
