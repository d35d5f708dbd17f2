/* Who may do what on the wall. */
#include "recognition/rules/post.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct post_draft journal = {.kind = POST_JOURNAL,
                                          .is_leader = true,
                                          .title = "",
                                          .text = "I saw.",
                                          .about = "",
                                          .about_name = "",
                                          .writer_person_id = "p-lea"};

static void expect(const struct refusal *refusal, uint32_t status, const char *type,
                   const char *field)
{
    assert_non_null(refusal);
    assert_int_equal(refusal->status, status);
    assert_string_equal(refusal->type, type);
    assert_string_equal(refusal->field, field);
    assert_true(refusal->detail[0] != '\0');
}

/* So many times that character. */
static const char *repeat(const char *character, size_t times)
{
    static char text[5 * POST_TEXT_MAX];
    size_t len = strlen(character);

    for (size_t i = 0; i < times; i++) {
        memcpy(text + i * len, character, len);
    }
    text[times * len] = '\0';
    return text;
}

static void leaders_write_journals_and_coaches_celebrate(void **state)
{
    struct post_draft draft = journal;

    (void)state;
    assert_null(post_check_draft(&draft));
    draft.is_leader = false;
    expect(post_check_draft(&draft), 403, "forbidden", "kind");
    draft.kind = POST_CELEBRATION;
    assert_null(post_check_draft(&draft));
}

static void nothing_else_is_written(void **state)
{
    static const int kinds[] = {POST_UNKNOWN, POST_PRAISE, POST_STORY, POST_CELEBRATION + 1, -1};

    (void)state;
    for (size_t i = 0; i < countof(kinds); i++) {
        struct post_draft draft = journal;

        draft.kind = kinds[i];
        expect(post_check_draft(&draft), 422, "invalid-field", "kind");
    }
}

static void texts_are_counted_in_characters(void **state)
{
    (void)state;
    assert_null(post_check_story(repeat("\xf0\x9f\x98\x80", POST_TEXT_MAX)));
    expect(post_check_story(repeat("x", POST_TEXT_MAX + 1)), 422, "invalid-field", "text");
    expect(post_check_story(""), 422, "invalid-field", "text");
    expect(post_check_story(" \n\t "), 422, "invalid-field", "text");
    assert_null(post_check_comment(repeat("\xc3\xa9", POST_COMMENT_MAX)));
    expect(post_check_comment(repeat("x", POST_COMMENT_MAX + 1)), 422, "invalid-field", "text");
    assert_null(post_check_because("It names a customer."));
    expect(post_check_because(""), 422, "invalid-field", "because");
    expect(post_check_because(repeat("x", POST_BECAUSE_MAX + 1)), 422, "invalid-field", "because");
}

static void endless_space_is_no_way_around_the_bound(void **state)
{
    char *text = malloc(4 * POST_COMMENT_MAX + 2);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', 4 * POST_COMMENT_MAX + 1);
    text[0] = 'x';
    text[4 * POST_COMMENT_MAX + 1] = '\0';
    expect(post_check_comment(text), 422, "invalid-field", "text");
    free(text);
}

static void control_characters_are_no_writing(void **state)
{
    (void)state;
    assert_null(post_check_comment("one\r\n\ttwo"));
    expect(post_check_comment("bell \x07"), 422, "invalid-field", "text");
    expect(post_check_comment("del \x7f"), 422, "invalid-field", "text");
}

static void a_title_is_short_or_none(void **state)
{
    struct post_draft draft = journal;

    (void)state;
    draft.title = repeat("x", POST_TITLE_MAX);
    assert_null(post_check_draft(&draft));
    draft.title = repeat("x", POST_TITLE_MAX + 1);
    expect(post_check_draft(&draft), 422, "invalid-field", "title");
}

static void whom_it_is_about(void **state)
{
    struct post_draft draft = journal;

    (void)state;
    draft.about = "p-nora";
    expect(post_check_draft(&draft), 422, "invalid-field", "about");
    draft.kind = POST_CELEBRATION;
    assert_null(post_check_draft(&draft));
    draft.about_name = "Nora";
    assert_null(post_check_draft(&draft));
    draft.about = "";
    expect(post_check_draft(&draft), 422, "invalid-field", "about_name");
    draft.about = "p-lea";
    expect(post_check_draft(&draft), 409, "self-praise", "about");
    draft.writer_person_id = ""; /* nobody of the directory celebrates nobody */
    draft.about = draft.about_name = "";
    assert_null(post_check_draft(&draft));
}

static void only_the_praised_tells_and_once(void **state)
{
    struct post_view view = {.kind = POST_PRAISE, .is_about_me = true};

    (void)state;
    assert_null(post_may_tell(&view));
    view.has_story = true;
    expect(post_may_tell(&view), 409, "already-told", "post_id");
    view.is_withdrawn = true;
    expect(post_may_tell(&view), 409, "post-withdrawn", "post_id");
    view.is_about_me = false;
    expect(post_may_tell(&view), 403, "forbidden", "post_id");
    view.kind = POST_STORY;
    expect(post_may_tell(&view), 409, "not-a-praise", "post_id");
}

static void nobody_reacts_to_their_own(void **state)
{
    struct post_view view = {.kind = POST_JOURNAL};

    (void)state;
    assert_null(post_may_react(&view, 1, false));
    assert_null(post_may_react(&view, REACTION_KIND_MAX, false));
    expect(post_may_react(&view, 0, false), 422, "invalid-field", "kind");
    expect(post_may_react(&view, REACTION_KIND_MAX + 1, false), 422, "invalid-field", "kind");
    view.is_mine = true;
    expect(post_may_react(&view, 1, false), 409, "own-post", "post_id");
    view.is_withdrawn = true;
    expect(post_may_react(&view, 1, true), 409, "post-withdrawn", "post_id");
}

static void a_full_post_takes_no_more_and_gives_back(void **state)
{
    struct post_view view = {.kind = POST_JOURNAL, .reactions = POST_REACTIONS_MAX - 1};

    (void)state;
    assert_null(post_may_react(&view, 1, false));
    view.reactions++;
    expect(post_may_react(&view, 1, false), 409, "too-many-reactions", "post_id");
    assert_null(post_may_react(&view, 1, true));
    view.comments = POST_COMMENTS_MAX - 1;
    assert_null(post_may_comment(&view));
    view.comments++;
    expect(post_may_comment(&view), 409, "too-many-comments", "post_id");
    view.comments = 1;
    view.bytes = POST_BYTES_MAX - 1;
    assert_null(post_may_comment(&view));
    view.bytes++;
    expect(post_may_comment(&view), 409, "too-many-comments", "post_id");
    view.is_withdrawn = true;
    expect(post_may_comment(&view), 409, "post-withdrawn", "post_id");
}

static void who_takes_back(void **state)
{
    struct post_view view = {.kind = POST_PRAISE};

    (void)state;
    expect(post_may_withdraw(&view), 403, "forbidden", "post_id");
    view.is_mine = true;
    assert_null(post_may_withdraw(&view));
    view = (struct post_view){.kind = POST_PRAISE, .is_leader = true};
    assert_null(post_may_withdraw(&view));
    expect(post_may_withdraw_comment(&view, false), 403, "forbidden", "comment_id");
    assert_null(post_may_withdraw_comment(&view, true));
    view.is_withdrawn = true;
    expect(post_may_withdraw(&view), 409, "post-withdrawn", "post_id");
    expect(post_may_withdraw_comment(&view, true), 409, "post-withdrawn", "post_id");
}

static void five_are_pinned(void **state)
{
    struct post_view view = {.kind = POST_JOURNAL, .is_leader = true};

    (void)state;
    assert_null(post_may_pin(&view, true, POST_PINNED_MAX - 1));
    expect(post_may_pin(&view, true, POST_PINNED_MAX), 409, "too-many-pinned", "post_id");
    assert_null(post_may_pin(&view, false, POST_PINNED_MAX));
    view.is_pinned = true;
    assert_null(post_may_pin(&view, true, POST_PINNED_MAX));
    view.is_withdrawn = true;
    expect(post_may_pin(&view, true, 0), 409, "post-withdrawn", "post_id");
}

static void what_is_withdrawn_is_seen_by_few(void **state)
{
    struct post_view view = {.kind = POST_JOURNAL};

    (void)state;
    assert_true(post_is_shown(&view));
    view.is_withdrawn = true;
    assert_false(post_is_shown(&view));
    view.is_mine = true;
    assert_true(post_is_shown(&view));
    view = (struct post_view){.is_withdrawn = true, .is_leader = true};
    assert_true(post_is_shown(&view));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaders_write_journals_and_coaches_celebrate),
        cmocka_unit_test(nothing_else_is_written),
        cmocka_unit_test(texts_are_counted_in_characters),
        cmocka_unit_test(endless_space_is_no_way_around_the_bound),
        cmocka_unit_test(control_characters_are_no_writing),
        cmocka_unit_test(a_title_is_short_or_none),
        cmocka_unit_test(whom_it_is_about),
        cmocka_unit_test(only_the_praised_tells_and_once),
        cmocka_unit_test(nobody_reacts_to_their_own),
        cmocka_unit_test(a_full_post_takes_no_more_and_gives_back),
        cmocka_unit_test(who_takes_back),
        cmocka_unit_test(five_are_pinned),
        cmocka_unit_test(what_is_withdrawn_is_seen_by_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
