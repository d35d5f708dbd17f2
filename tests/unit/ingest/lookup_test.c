#include "ingest/event_list.h"
#include "ingest/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MANY 2000

static void what_was_put_is_found_until_it_is_removed(void **state)
{
    static char keys[MANY][16];
    struct lookup lookup = {.slots = NULL};

    (void)state;
    assert_null(lookup_find(&lookup, slice_of("nothing")));
    for (size_t i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key-%zu", i);
        assert_int_equal(lookup_put(&lookup, slice_of(keys[i]), keys[i]), 0);
    }
    /* Removing every third must not hide any other: chains are closed again. */
    for (size_t i = 0; i < MANY; i += 3)
        lookup_remove(&lookup, slice_of(keys[i]));
    lookup_remove(&lookup, slice_of("never there"));
    for (size_t i = 0; i < MANY; i++) {
        const char *found = lookup_find(&lookup, slice_of(keys[i]));

        if (i % 3 == 0)
            assert_null(found);
        else
            assert_ptr_equal(found, keys[i]);
    }
    assert_int_equal(lookup.count, MANY - (MANY + 2) / 3);
    lookup_done(&lookup);
}

static void ids_are_in_the_set_once_added(void **state)
{
    struct id_set set = {.slots = NULL};
    char text[16];

    (void)state;
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < MANY; i++) {
            const char *const parts[] = {text};
            struct id id;

            snprintf(text, sizeof(text), "%zu", i);
            id = id_of(parts, 1);
            assert_true(id_set_has(&set, &id) == (round == 1));
            assert_int_equal(id_set_add(&set, &id), 0);
        }
    assert_int_equal(set.count, MANY);
    id_set_done(&set);
}

static void a_list_keeps_what_its_events_pointed_to(void **state)
{
    struct event_list list;
    struct event event;
    char text[2000];

    (void)state;
    event_list_init(&list);
    for (int i = 0; i < 100; i++) {
        event_init(&event);
        event.source = "same";
        snprintf(text, sizeof(text), "contact %d", i);
        event.contact_id = text;
        event.sequence = (uint64_t)i;
        assert_int_equal(event_list_add(&list, &event), 0);
    }
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    event.comment = text; /* longer than a chunk */
    assert_int_equal(event_list_add(&list, &event), 0);
    memset(text, 'y', sizeof(text) - 1);
    assert_string_equal(list.items[0].contact_id, "contact 0");
    assert_string_equal(list.items[99].contact_id, "contact 99");
    assert_ptr_equal(list.items[0].source, list.items[99].source);
    assert_int_equal(strspn(list.items[100].comment, "x"), sizeof(text) - 1);
    assert_string_equal(list.items[5].comment, "");
    event_list_done(&list);
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_until_it_is_removed),
        cmocka_unit_test(ids_are_in_the_set_once_added),
        cmocka_unit_test(a_list_keeps_what_its_events_pointed_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
