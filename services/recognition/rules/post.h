/* post - who may do what on the wall, and how long its texts are.
 *
 * Praise comes from praise notes alone, a story from the praised alone, once. Leaders keep the
 * journal; leaders and coaches celebrate. What was withdrawn takes nothing more. Nobody applauds
 * themselves: who wrote a post does not react to it. Texts are valid UTF-8 and counted in
 * characters, without the space around them. Pure; thread safe. */
#ifndef MOMENT_RECOGNITION_POST_H
#define MOMENT_RECOGNITION_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POST_TEXT_MAX 4000 /* characters, as all of these */
#define POST_TITLE_MAX 120
#define POST_NAME_MAX 120
#define POST_COMMENT_MAX 1000
#define POST_BECAUSE_MAX 1000
#define POST_REACTIONS_MAX 500
#define POST_COMMENTS_MAX 500
/* A post that has as much takes no more comments: each change is a record of all of it. */
#define POST_BYTES_MAX (128 * 1024)
#define POST_PINNED_MAX 5

/* Numbers of the protocol. */
enum post_kind { POST_UNKNOWN, POST_PRAISE, POST_STORY, POST_JOURNAL, POST_CELEBRATION };
enum { REACTION_KIND_MAX = 5 };

/* Why not; static. */
struct refusal {
    uint32_t status; /* HTTP */
    const char *type;
    const char *field;
    const char *detail;
};

/* A post as somebody looks at it. */
struct post_view {
    int kind; /* enum post_kind, or anything */
    bool is_withdrawn;
    bool is_pinned;
    bool has_story;
    bool is_mine;     /* the looker wrote it */
    bool is_about_me; /* the looker is who it is about */
    bool is_leader;   /* the looker is */
    size_t reactions;
    size_t comments; /* withdrawn ones count: the record stays */
    size_t bytes;    /* of all of it */
};

/* What is to be written. Strings are never null; "" is none. */
struct post_draft {
    int kind; /* enum post_kind, or anything */
    bool is_leader;
    const char *title;
    const char *text;
    const char *about;
    const char *about_name;
    const char *writer_person_id;
};

/* All of these: null if it is fine, else the first reason why not. */
const struct refusal *post_check_draft(const struct post_draft *draft);
const struct refusal *post_check_story(const char *text);
const struct refusal *post_check_comment(const char *text);
const struct refusal *post_check_because(const char *because);

const struct refusal *post_may_tell(const struct post_view *view);
const struct refusal *post_may_react(const struct post_view *view, int reaction, bool removes);
const struct refusal *post_may_comment(const struct post_view *view);
const struct refusal *post_may_withdraw(const struct post_view *view);
const struct refusal *post_may_withdraw_comment(const struct post_view *view, bool is_mine);
/* pinned: how many posts are. */
const struct refusal *post_may_pin(const struct post_view *view, bool pins, size_t pinned);
/* Withdrawn ones are still seen by who wrote them and by leaders. */
bool post_is_shown(const struct post_view *view);

#endif
