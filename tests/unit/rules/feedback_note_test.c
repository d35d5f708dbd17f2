/* What one person may say to another about a moment. */
#include "feedback/rules/note.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct note_wish praise(void)
{
    return (struct note_wish){.kind = NOTE_PRAISE,
                              .text = "You let her finish: she thanked you twice.",
                              .moment_ms = 60000,
                              .giver_person_id = "p-lea",
                              .receiver = "p-nora",
                              .candidate_id = "",
                              .praise_text_min = 20};
}

static void check(const struct note_wish *wish, const char *field)
{
    struct objection objection = {0};
    int error = note_check(wish, &objection);

    assert_string_equal(objection.field, field);
    assert_int_equal(error, field[0] != '\0' ? -EINVAL : 0);
    assert_int_equal(objection.detail[0] != '\0', field[0] != '\0');
}

static void a_good_note_is_let_through(void **state)
{
    struct note_wish wish = praise();

    (void)state;
    check(&wish, "");
    wish.is_private = true;
    wish.candidate_id = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
    wish.giver_person_id = ""; /* the giver is nobody of the directory */
    check(&wish, "");
    wish = praise();
    wish.kind = NOTE_IMPROVEMENT;
    wish.text = "x";
    check(&wish, "");
}

static void praise_takes_words_counted_as_people_do(void **state)
{
    struct note_wish wish = praise();

    (void)state;
    wish.text = "éééééééééééééééééééé"; /* 20 characters, 40 bytes */
    check(&wish, "");
    wish.text = "ééééééééééééééééééé";
    check(&wish, "text");
    wish.text = "   nineteen characters   ";
    check(&wish, "text");
    wish.kind = NOTE_IMPROVEMENT;
    check(&wish, "");
    wish.text = " \n ";
    check(&wish, "text");
}

static void a_text_has_a_maximum(void **state)
{
    char text[2 * NOTE_TEXT_MAX + 3] = "";
    struct note_wish wish = praise();
    struct objection objection;

    (void)state;
    for (size_t i = 0; i < NOTE_TEXT_MAX; i++) {
        strcat(text, "é");
    }
    wish.text = text;
    check(&wish, "");
    assert_int_equal(note_check_answer(text, &objection), 0);
    assert_int_equal(note_check_answer("", &objection), 0);
    strcat(text, "é");
    check(&wish, "text");
    assert_int_equal(note_check_answer(text, &objection), -EINVAL);
    assert_string_equal(objection.field, "answer");
}

static void nobody_praises_themselves(void **state)
{
    struct note_wish wish = praise();

    (void)state;
    wish.receiver = wish.giver_person_id;
    check(&wish, "receiver");
    wish.receiver = wish.giver_person_id = "";
    check(&wish, "receiver");
}

static void only_praise_is_private_or_answers_a_candidate(void **state)
{
    struct note_wish wish = praise();

    (void)state;
    wish.kind = NOTE_IMPROVEMENT;
    wish.is_private = true;
    check(&wish, "is_private");
    wish.is_private = false;
    wish.candidate_id = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
    check(&wish, "candidate_id");
    wish.kind = 0;
    check(&wish, "kind");
    wish.kind = 3;
    check(&wish, "kind");
}

static void a_part_lies_within_the_moment(void **state)
{
    struct note_wish wish = praise();

    (void)state;
    wish.from_ms = 1000;
    wish.to_ms = 60000;
    check(&wish, "");
    wish.to_ms = 60001;
    check(&wish, "to_ms");
    wish.moment_ms = -1;
    check(&wish, "");
    wish.to_ms = 1000;
    check(&wish, "to_ms");
    wish.to_ms = 0;
    check(&wish, "to_ms");
}

static void praise_is_the_same_whatever_its_case_space_and_points(void **state)
{
    struct id a = note_words("Thank you -- WELL done!");
    struct id b = note_words("thank you,\nwell done");
    struct id c = note_words("thank you, well done today");

    (void)state;
    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_not_equal(&a, &c, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_note_is_let_through),
        cmocka_unit_test(praise_takes_words_counted_as_people_do),
        cmocka_unit_test(a_text_has_a_maximum),
        cmocka_unit_test(nobody_praises_themselves),
        cmocka_unit_test(only_praise_is_private_or_answers_a_candidate),
        cmocka_unit_test(a_part_lies_within_the_moment),
        cmocka_unit_test(praise_is_the_same_whatever_its_case_space_and_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
