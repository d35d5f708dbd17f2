/* Lists of words: bounded, and printed as one cell that is cut with a sign of it. */
#include "ctl/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_list_has_room_for_its_maximum_and_no_more(void **state)
{
    (void)state;
    struct words words = {.count = 0};
    char word[] = "leader";
    for (int i = 0; i < WORDS_MAX; i++)
        assert_true(words_add(&words, word));
    assert_false(words_add(&words, word));
    assert_int_equal(words.count, WORDS_MAX);
}

static void a_cell_names_all_words(void **state)
{
    (void)state;
    char leader[] = "leader";
    char coach[] = "coach";
    char *items[] = {leader, coach};
    char cell[WORDS_CELL_SIZE];
    assert_string_equal(words_cell(items, 2, cell), "leader, coach");
    assert_string_equal(words_cell(items, 0, cell), "");
}

static void a_cell_that_is_cut_says_so_and_stays_inside(void **state)
{
    (void)state;
    char word[60];
    char *items[] = {word, word, word};
    struct {
        char cell[WORDS_CELL_SIZE];
        char guard;
    } to = {.guard = 'g'};
    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    const char *cell = words_cell(items, 3, to.cell);
    assert_true(strlen(cell) < WORDS_CELL_SIZE);
    assert_string_equal(cell + strlen(cell) - 4, " ...");
    assert_int_equal(to.guard, 'g');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_room_for_its_maximum_and_no_more),
        cmocka_unit_test(a_cell_names_all_words),
        cmocka_unit_test(a_cell_that_is_cut_says_so_and_stays_inside),
    };
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
