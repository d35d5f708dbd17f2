#include "reporting/edge_atom.h"

#include "base/seal.h"
#include "moment/v1/recognition.pb-c.h"
#include "reporting/access.h"
#include "reporting/atom.h"
#include "reporting/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/api/v1/wall.atom"
#define POSTS 50
#define DEADLINE_MS 3000
#define BYTES_MAX ((size_t)4 * 1024 * 1024)
#define TITLE_SIZE 256

struct reading {
    struct reporting *reporting;
    struct http_request *request;
};

/* --- posts as entries ---------------------------------------------------------------------- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t last_change(const Moment__V1__Post *post)
{
    int64_t at = post->posted_at;

    for (size_t i = 0; i < post->n_comments; i++)
        at = later(at, post->comments[i]->at);
    for (size_t i = 0; i < post->n_reactions; i++)
        at = later(at, post->reactions[i]->at);
    return at;
}

static const char *kind_word(Moment__V1__PostKind kind)
{
    switch (kind) {
    case MOMENT__V1__POST_KIND__POST_KIND_PRAISE:
        return "praise";
    case MOMENT__V1__POST_KIND__POST_KIND_STORY:
        return "story";
    case MOMENT__V1__POST_KIND__POST_KIND_JOURNAL:
        return "journal";
    case MOMENT__V1__POST_KIND__POST_KIND_CELEBRATION:
        return "celebration";
    default:
        return "post";
    }
}

/* What has no title of its own: "Praise for Anna", "Story by Anna". */
static void make_title(const Moment__V1__Post *post, char to[TITLE_SIZE])
{
    bool is_praise = post->kind == MOMENT__V1__POST_KIND__POST_KIND_PRAISE;
    const char *word = kind_word(post->kind);

    if (post->title[0] != '\0')
        text_copy(to, TITLE_SIZE, post->title);
    else if (snprintf(to, TITLE_SIZE, "%s %s %s", word, is_praise ? "for" : "by",
                      is_praise ? post->about_name : post->author_name) > 0)
        to[0] = (char)(to[0] - 'a' + 'A');
    (void)text_repair_utf8(to, strlen(to)); /* a long name may have been cut inside a character */
}

static void make_entry(const Moment__V1__Post *post, char title[TITLE_SIZE],
                       struct atom_entry *ret_entry)
{
    make_title(post, title);
    *ret_entry = (struct atom_entry){
        .id = post->post_id,
        .title = title,
        .author = post->author_name,
        .category = kind_word(post->kind),
        .text = post->text,
        .published_at = post->posted_at,
        .updated_at = last_change(post),
    };
}

static int write_feed(const struct reporting *reporting, const Moment__V1__ListPostsResponse *page,
                      struct buf *to)
{
    const char *const parts[] = {"wall", service_site(reporting->service)};
    struct id id = id_of(parts, countof(parts));
    char id_text[ID_TEXT_SIZE];
    struct atom_entry entries[POSTS];
    char titles[POSTS][TITLE_SIZE];
    struct atom_feed feed = {.id = id_print(&id, id_text),
                             .title = "Wall",
                             .self = PATH,
                             .entries = entries,
                             .count = page->n_posts < POSTS ? page->n_posts : POSTS};

    for (size_t i = 0; i < feed.count; i++)
        make_entry(page->posts[i], titles[i], &entries[i]);
    return atom_write(to, &feed);
}

/* --- the answer ---------------------------------------------------------------------------- */

static void reply(struct http_request *request, const struct buf *text)
{
    uint8_t hash[SEAL_HASH_SIZE];
    char hex[2 * SEAL_HASH_SIZE + 1];
    char tag[40];

    seal_sha256(text->data, text->len, hash);
    (void)seal_hex(hash, sizeof(hash), hex, sizeof(hex));
    (void)snprintf(tag, sizeof(tag), "\"%.32s\"", hex);
    http_add_header(request, "ETag", tag);
    http_add_header(request, "Cache-Control", "private, no-cache");
    if (http_is_known(request, tag))
        http_reply(request, 304, NULL, NULL, 0);
    else
        http_reply(request, 200, "application/atom+xml; charset=utf-8", text->data, text->len);
}

static void on_posts(void *arg, const ProtobufCMessage *response, const struct problem *problem)
{
    struct reading *reading = arg;
    struct buf text;

    buf_init(&text, BYTES_MAX);
    if (problem != NULL)
        query_reply_problem(reading->request, problem);
    else if (write_feed(reading->reporting, (const void *)response, &text) < 0)
        access_unavailable(reading->request);
    else
        reply(reading->request, &text);
    buf_done(&text);
    free(reading);
}

static void ask(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    struct caller caller = viewer_caller(viewer);
    struct reading *reading = NULL;
    Moment__V1__ListPostsRequest posts;

    if (query_only(request, NULL, 0)) {
        reading = malloc(sizeof(*reading));
        if (reading == NULL)
            access_unavailable(request);
    }
    if (reading != NULL) {
        *reading = (struct reading){reporting, request};
        moment__v1__list_posts_request__init(&posts);
        posts.limit = POSTS;
        bus_call(service_bus(reporting->service), "recognition", "recognition.ListPosts", &caller,
                 NULL, &posts.base, &moment__v1__list_posts_response__descriptor, DEADLINE_MS,
                 on_posts, reading);
    }
    viewer_free(&viewer);
}

void atom_show(void *state, struct http_request *request)
{
    access_check_reader(state, request, ROLES_CONTENT, ask);
}
