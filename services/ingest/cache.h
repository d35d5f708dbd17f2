/* cache - moments lately touched, each with all its events and the contacts merged into it.
 *
 * cache_trim is called only between transactions: within one every group that was loaded stays.
 * Loop thread only. Out of memory ends the process (see moments.h). */
#ifndef MOMENT_INGEST_CACHE_H
#define MOMENT_INGEST_CACHE_H

#include "ingest/event_list.h"
#include "ingest/lookup.h"
#include "io/db.h"

struct member {
    struct member *next;
    struct id id; /* the key in the cache's lookup */
};

/* A moment with what was merged into it. */
struct group {
    struct id root;
    struct member *members; /* owned; the root is one of them */
    struct event_list events;
    char *system, *contact_id; /* owned; null until the first event */
    uint32_t repeat_contacts;
    uint64_t loaded_by; /* the read that made it */
    uint64_t row_stamp; /* of the work that has a row for it, */
    size_t row;         /* and which one */
    size_t counted_bytes;
    struct group *newer, *older;
};

struct cache {
    struct lookup by_moment;
    struct group *newest, *oldest;
    size_t bytes, bytes_max;
    uint64_t reads;
};

void cache_init(struct cache *cache, size_t bytes_max);
void cache_clear(struct cache *cache);
void cache_trim(struct cache *cache);
/* Null if not there; touches it. */
struct group *cache_find(struct cache *cache, const struct id *moment_id);
/* Rows of store_read_moments. read is a number that no other call has. */
void cache_take_rows(struct cache *cache, uint64_t read, const struct db_rows *rows);
void cache_add_event(struct cache *cache, struct group *group, const struct event *event);
/* Everything of part goes to whole; part is gone. */
void cache_merge(struct cache *cache, struct group *part, struct group *whole);

#endif
