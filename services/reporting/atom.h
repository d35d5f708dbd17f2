/* atom - a feed in Atom 1.0 (RFC 4287). Any text may be given: what XML can not hold is replaced.
 */
#ifndef MOMENT_REPORTING_ATOM_H
#define MOMENT_REPORTING_ATOM_H

#include "base/buf.h"

struct atom_entry {
    const char *id; /* a UUID; the same for ever */
    const char *title;
    const char *author;   /* "" is nobody */
    const char *category; /* "" for none */
    const char *text;
    int64_t published_at;
    int64_t updated_at; /* of its last change */
};

struct atom_feed {
    const char *id; /* a UUID */
    const char *title;
    const char *self; /* where it is read */
    const struct atom_entry *entries;
    size_t count;
};

/* Appends. What buf_append returns. */
must_check int atom_write(struct buf *to, const struct atom_feed *feed);

#endif
