/* post - see the header. */
#include "recognition/rules/post.h"

#include "base/fold.h"

#include <string.h>

#define REFUSAL(name, a_status, a_type, a_field, a_detail)                                         \
    static const struct refusal name = {                                                           \
        .status = (a_status), .type = (a_type), .field = (a_field), .detail = (a_detail)}
#define WRONG(name, a_field, a_detail) REFUSAL(name, 422, "invalid-field", a_field, a_detail)

REFUSAL(is_withdrawn, 409, "post-withdrawn", "post_id", "This post was withdrawn.");

/* Line ends and tabs are text; other control characters are nothing that people write. */
static bool is_writing(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;

        if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool fits(const char *text, size_t min, size_t max)
{
    size_t characters = fold_characters(text);

    /* No more bytes than so many characters can have, with the space around them. */
    return characters >= min && characters <= max && strlen(text) <= 4 * max && is_writing(text);
}

/* --- writing --- */

const struct refusal *post_check_story(const char *text)
{
    WRONG(wrong, "text", "1 to 4000 characters, without control characters.");

    return fits(text, 1, POST_TEXT_MAX) ? NULL : &wrong;
}

const struct refusal *post_check_comment(const char *text)
{
    WRONG(wrong, "text", "1 to 1000 characters, without control characters.");

    return fits(text, 1, POST_COMMENT_MAX) ? NULL : &wrong;
}

const struct refusal *post_check_because(const char *because)
{
    WRONG(wrong, "because", "Say why, in 1 to 1000 characters, without control characters.");

    return fits(because, 1, POST_BECAUSE_MAX) ? NULL : &wrong;
}

static const struct refusal *check_kind(const struct post_draft *draft)
{
    WRONG(made, "kind",
          "Praise is given with a note on a moment, and a story is told to the praise that asks "
          "for it; written here are journal and celebration.");
    REFUSAL(not_leader, 403, "forbidden", "kind", "Only leaders write in the journal.");

    if (draft->kind == POST_CELEBRATION) {
        return NULL;
    }
    if (draft->kind != POST_JOURNAL) {
        return &made;
    }
    return draft->is_leader ? NULL : &not_leader;
}

static const struct refusal *check_about(const struct post_draft *draft)
{
    WRONG(journal, "about", "A journal entry is about nobody but its writer: leave this out.");
    WRONG(person, "about", "At most 120 characters.");
    WRONG(name, "about_name", "At most 120 characters, and only with about.");
    REFUSAL(self, 409, "self-praise", "about", "Nobody celebrates themselves.");

    if (draft->kind == POST_JOURNAL && draft->about[0] != '\0') {
        return &journal;
    }
    if (!fits(draft->about, 0, POST_NAME_MAX)) {
        return &person;
    }
    if (!fits(draft->about_name, 0, POST_NAME_MAX) ||
        (draft->about[0] == '\0' && draft->about_name[0] != '\0')) {
        return &name;
    }
    return draft->about[0] != '\0' && strcmp(draft->about, draft->writer_person_id) == 0 ? &self
                                                                                         : NULL;
}

const struct refusal *post_check_draft(const struct post_draft *draft)
{
    WRONG(title, "title", "At most 120 characters, without control characters.");
    const struct refusal *refusal = check_kind(draft);

    if (refusal == NULL && !fits(draft->title, 0, POST_TITLE_MAX)) {
        refusal = &title;
    }
    if (refusal == NULL) {
        refusal = post_check_story(draft->text);
    }
    return refusal != NULL ? refusal : check_about(draft);
}

/* --- what is there already --- */

const struct refusal *post_may_tell(const struct post_view *view)
{
    REFUSAL(no_praise, 409, "not-a-praise", "post_id", "Only a praise asks for a story.");
    REFUSAL(not_asked, 403, "forbidden", "post_id",
            "Only who was praised tells the story; write a comment instead.");
    REFUSAL(told, 409, "already-told", "post_id", "This story was told already.");

    if (view->kind != POST_PRAISE) {
        return &no_praise;
    }
    if (!view->is_about_me) {
        return &not_asked;
    }
    if (view->is_withdrawn) {
        return &is_withdrawn;
    }
    return view->has_story ? &told : NULL;
}

const struct refusal *post_may_react(const struct post_view *view, int reaction, bool removes)
{
    WRONG(unknown, "kind", "One of thanks, applause, heart, laugh, inspired.");
    REFUSAL(own, 409, "own-post", "post_id", "Nobody reacts to what they wrote themselves.");
    REFUSAL(full, 409, "too-many-reactions", "post_id", "This post has 500 reactions already.");

    if (reaction < 1 || reaction > REACTION_KIND_MAX) {
        return &unknown;
    }
    if (view->is_withdrawn) {
        return &is_withdrawn;
    }
    if (view->is_mine) {
        return &own;
    }
    return !removes && view->reactions >= POST_REACTIONS_MAX ? &full : NULL;
}

const struct refusal *post_may_comment(const struct post_view *view)
{
    REFUSAL(full, 409, "too-many-comments", "post_id", "This post has 500 comments already.");

    REFUSAL(long_enough, 409, "too-many-comments", "post_id",
            "The comments on this post are together as long as they may be.");

    if (view->is_withdrawn) {
        return &is_withdrawn;
    }
    if (view->bytes >= POST_BYTES_MAX) {
        return &long_enough;
    }
    return view->comments >= POST_COMMENTS_MAX ? &full : NULL;
}

const struct refusal *post_may_withdraw(const struct post_view *view)
{
    REFUSAL(not_mine, 403, "forbidden", "post_id", "Only who wrote it or a leader withdraws it.");

    if (!view->is_mine && !view->is_leader) {
        return &not_mine;
    }
    return view->is_withdrawn ? &is_withdrawn : NULL;
}

const struct refusal *post_may_withdraw_comment(const struct post_view *view, bool is_mine)
{
    REFUSAL(not_mine, 403, "forbidden", "comment_id", "Only who wrote it withdraws a comment.");

    if (view->is_withdrawn) {
        return &is_withdrawn;
    }
    return is_mine ? NULL : &not_mine;
}

const struct refusal *post_may_pin(const struct post_view *view, bool pins, size_t pinned)
{
    REFUSAL(full, 409, "too-many-pinned", "post_id",
            "5 posts are pinned; unpin one of them first.");

    if (view->is_withdrawn) {
        return &is_withdrawn;
    }
    return pins && !view->is_pinned && pinned >= POST_PINNED_MAX ? &full : NULL;
}

bool post_is_shown(const struct post_view *view)
{
    return !view->is_withdrawn || view->is_mine || view->is_leader;
}
