/* listing - a page of a list: rows of the reading connection become the answer of a call.
 *
 * The statement selects, in this order: body (bytea, the packed element), at (timestamptz) and id
 * (uuid) by which it is ordered, both descending, and asks for one row more than the page holds:
 *
 *   select body, given_at, note_id from note
 *   where ($1::timestamptz is null or (given_at, note_id) < ($1, $2::uuid)) and ...
 *   order by given_at desc, note_id desc limit $3
 *
 * The answer's type is that of the call's route; its first repeated message field takes the
 * elements, its text field "next", where it has one, the cursor of the last row of a full page. A
 * page whose elements are too long for one answer has fewer of them. A body that cannot be read is
 * logged and left out. Out of memory is 503. Loop thread only. */
#ifndef MOMENT_IO_LISTING_H
#define MOMENT_IO_LISTING_H

#include "base/id.h"
#include "io/bus.h"

#define LISTING_PAGE_DEFAULT 50
#define LISTING_PAGE_MAX 500

struct listing {
    int64_t before_at; /* 0: from the start */
    struct id before_id;
    uint32_t limit;
};

/* May change an element before it goes out (take away what the caller may not see), or leave it out
 * by returning false. The fields of element are malloc'd, as protobuf_read makes them. */
typedef bool listing_adjust_fn(struct call *call, ProtobufCMessage *element);

/* Reads limit and cursor of a request; false: the call was refused with 422 and the field's name.
 */
must_check bool listing_read(struct call *call, uint32_t limit, const char *cursor,
                             struct listing *ret_listing);
/* Pushes before_at, before_id (null at the start) and limit + 1: the statement's first three
 * arguments. */
void listing_push(struct db_args *args, const struct listing *listing);
/* Pushes four arguments: sites and teams (text[]), is_own_only, person_id. user_id is for lists of
 * what somebody made; see reach_holds for the condition. */
void listing_push_reach(struct db_args *args, const struct reach *reach);
/* Asks, and answers the call: a page, or 503. args are consumed, listing is copied. A statement of
 * a whole list: listing null, and body is all it need select. adjust may be null. */
void listing_answer(struct call *call, struct db *reader, const char *sql, struct db_args *args,
                    const struct listing *listing, listing_adjust_fn *adjust);
/* One thing, or 404 as call_not_found says it: the answer's first message field that is not
 * repeated takes the body of the first row. field and what are literals. adjust (may be null) is
 * the place for call_allows: false is 404 as well. */
void listing_answer_one(struct call *call, struct db *reader, const char *sql, struct db_args *args,
                        const char *field, const char *what, listing_adjust_fn *adjust);

#endif
