/* store_wall - the SQL of the wall: one function per statement. Loop thread only. */
#ifndef MOMENT_RECOGNITION_STORE_WALL_H
#define MOMENT_RECOGNITION_STORE_WALL_H

#include "io/listing.h"
#include "recognition/codec.h"

#define STORE_SELECT_POST "select body from post where post_id = $1::uuid"
#define STORE_STORY_REQUESTS_MAX 100

/* -ENOMEM. */
must_check int store_save_post(struct txn *txn, const Moment__V1__Post *post);
/* One row: how many posts are pinned. */
void store_load_pinned(struct txn *txn, db_result_fn *on_rows, void *arg);

struct post_filter {
    struct listing page;
    int32_t kind;       /* 0 any */
    const char *about;  /* "" any, as below */
    const char *author; /* a user */
    bool pinned_only;
};
/* Answers the call, newest first, without those that were withdrawn. */
void store_list_posts(struct db *db, struct call *call, const struct post_filter *filter);
/* Answers the call with one post, or with 404 where adjust says so. */
void store_get_post(struct db *db, struct call *call, const struct id *post_id,
                    listing_adjust_fn *adjust);
/* Bodies of the praise that waits for this person's story, newest first. */
must_check int store_story_requests(struct db *db, const char *person_id, db_result_fn *on_rows,
                                    void *arg);

#endif
