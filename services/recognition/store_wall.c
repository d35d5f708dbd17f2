/* store_wall - see the header. */
#include "recognition/store_wall.h"

static bool awaits_story(const Moment__V1__Post *post)
{
    return post->kind == MOMENT__V1__POST_KIND__POST_KIND_PRAISE && post->about[0] != '\0' &&
           post->story_id[0] == '\0';
}

int store_save_post(struct txn *txn, const Moment__V1__Post *post)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, post->post_id);
    db_i32(&args, (int32_t)post->kind);
    db_text(&args, post->author);
    db_text(&args, post->about);
    db_bool(&args, awaits_story(post));
    db_bool(&args, post->pinned != 0);
    db_bool(&args, post->withdrawn != 0);
    db_time(&args, post->posted_at);
    db_time(&args, txn_now_us(txn));
    return txn_write_body(
        txn,
        "insert into post (post_id, kind, author, about, awaits_story, is_pinned,"
        " is_withdrawn, posted_at, changed_at, body)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " on conflict (post_id) do update set awaits_story = excluded.awaits_story,"
        " is_pinned = excluded.is_pinned, is_withdrawn = excluded.is_withdrawn,"
        " changed_at = excluded.changed_at, body = excluded.body",
        &args, &post->base);
}

void store_load_pinned(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    txn_read(txn, "select count(*) from post where is_pinned", NULL, on_rows, arg);
}

void store_list_posts(struct db *db, struct call *call, const struct post_filter *filter)
{
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, &filter->page);
    db_i32(&args, filter->kind);
    db_text(&args, filter->about);
    db_text(&args, filter->author);
    db_bool(&args, filter->pinned_only);
    listing_answer(call, db,
                   "select body, posted_at, post_id from post"
                   " where ($1::timestamptz is null or (posted_at, post_id) < ($1, $2::uuid))"
                   " and not is_withdrawn and ($4 = 0 or kind = $4)"
                   " and ($5 = '' or about = $5) and ($6 = '' or author = $6)"
                   " and (not $7 or is_pinned)"
                   " order by posted_at desc, post_id desc limit $3",
                   &args, &filter->page, NULL);
}

void store_get_post(struct db *db, struct call *call, const struct id *post_id,
                    listing_adjust_fn *adjust)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, post_id->bytes);
    listing_answer_one(call, db, "select body from post where post_id = $1", &args, "post_id",
                       "post", adjust);
}

int store_story_requests(struct db *db, const char *person_id, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, person_id);
    db_i32(&args, STORE_STORY_REQUESTS_MAX);
    return db_query(db,
                    "select body from post where about = $1 and $1 <> '' and awaits_story"
                    " and not is_withdrawn order by posted_at desc, post_id desc limit $2",
                    &args, on_rows, arg);
}
