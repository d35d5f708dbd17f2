/* listing - a page of a list: rows of the reading connection become the answer of a call.
 *
 * The statement selects, in this order: body (bytea, the packed element), at (timestamptz) and id
 * (uuid) by which it is ordered, both descending, and asks for one row more than the page holds:
 *
 *   select body, given_at, note_id from note
 *   where ($1::timestamptz is null or (given_at, note_id) < ($1, $2)) and ... order by 2 desc, 3 desc limit $3
 *
 * The answer's descriptor is that of the call's route; its first repeated message field takes the
 * elements, its text field "next", where it has one, the cursor of the last. A body that cannot be
 * read is logged and left out. Loop thread only. */
#ifndef MOMENT_IO_LISTING_H
#define MOMENT_IO_LISTING_H

#include "io/bus.h"

#define LISTING_PAGE_DEFAULT 50
#define LISTING_PAGE_MAX 500

struct listing {
    int64_t before_at; /* 0: from the start */
    struct id before_id;
    uint32_t limit;
};

/* Reads limit and cursor of a request; false: the call was refused with the field's name. */
must_check bool listing_read(struct call *call, uint32_t limit, const char *cursor,
                             struct listing *ret_listing);
/* Pushes before_at, before_id (null at the start) and limit + 1: the statement's first three
 * arguments. */
void listing_push(struct db_args *args, const struct listing *listing);
/* Asks, and answers the call: a page, or 503. args are consumed. Statements without at and id give
 * a whole list: listing null. adjust, where not null, may change each element before it goes out
 * (what the caller may not see), or leave it out by returning false. */
void listing_answer(struct call *call, struct db *reader, const char *sql, struct db_args *args,
                    const struct listing *listing,
                    bool (*adjust)(struct call *call, ProtobufCMessage *element));
/* One thing, or 404 with this sentence: the answer's first message field takes the body. */
void listing_answer_one(struct call *call, struct db *reader, const char *sql, struct db_args *args,
                        const char *not_found,
                        bool (*adjust)(struct call *call, ProtobufCMessage *element));

#endif
