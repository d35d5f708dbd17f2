/* The parts of a stream that need no database: chain, ring, epochs, bisecting. */
#include "io/bisect.h"
#include "io/history.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t zeroes[SEAL_HASH_SIZE];

static struct record make_record(uint64_t seq)
{
    return (struct record){
        .shard = 1,
        .epoch = 2,
        .seq = seq,
        .site = "main",
        .key = "key",
        .type = "Type",
        .at_us = 5,
        .body = {"body", 4},
    };
}

static struct ring_item *make_item(uint64_t seq)
{
    struct record record = make_record(seq);
    struct ring_item *item = ring_item_new(&record);
    assert_non_null(item);
    return item;
}

/* --- chain ------------------------------------------------------------------------------------ */

static void the_chain_covers_every_field(void **state)
{
    (void)state;
    struct record same = make_record(3);
    uint8_t expected[SEAL_HASH_SIZE];
    stream_chain(zeroes, &same, expected);
    uint8_t hash[SEAL_HASH_SIZE];
    stream_chain(zeroes, &same, hash);
    assert_memory_equal(hash, expected, sizeof hash);

    struct record others[10];
    for (size_t i = 0; i < countof(others); i++)
        others[i] = make_record(3);
    others[0].shard = 2;
    others[1].epoch = 3;
    others[2].seq = 4;
    others[3].site = "mai";
    others[4].key = "Key";
    others[5].type = "Typ";
    others[6].at_us = 6;
    others[7].body = (struct slice){"bod", 3};
    /* The same bytes in a row, cut elsewhere. */
    others[8].site = "mainkey";
    others[8].key = "";
    others[9].key = "keyT";
    others[9].type = "ype";
    for (size_t i = 0; i < countof(others); i++) {
        stream_chain(zeroes, &others[i], hash);
        assert_memory_not_equal(hash, expected, sizeof hash);
    }
    stream_chain(expected, &same, hash);
    assert_memory_not_equal(hash, expected, sizeof hash);
}

/* The form is written down in stream.h for everyone who verifies: it may never change. */
static void the_chain_has_a_form_for_ever(void **state)
{
    (void)state;
    struct record record = make_record(3);
    uint8_t hash[SEAL_HASH_SIZE];
    stream_chain(zeroes, &record, hash);
    static const char canonical[] =
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* previous */
        "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\5"
        "\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\4"
        "mainkeyTypebody";
    uint8_t expected[SEAL_HASH_SIZE];
    seal_hash(&(struct slice){canonical, sizeof canonical - 1}, 1, expected);
    assert_memory_equal(hash, expected, sizeof hash);
}

/* --- ring ------------------------------------------------------------------------------------- */

static void a_ring_item_owns_its_content(void **state)
{
    (void)state;
    char site[] = "site";
    char body[] = "a\0b";
    struct record record = make_record(9);
    record.site = site;
    record.body = (struct slice){body, 3};
    struct ring_item *item = ring_item_new(&record);
    assert_non_null(item);
    memset(site, 'x', sizeof site - 1);
    memset(body, 'x', sizeof body - 1);
    assert_string_equal(item->record.site, "site");
    assert_string_equal(item->record.key, "key");
    assert_string_equal(item->record.type, "Type");
    assert_int_equal(item->record.body.len, 3);
    assert_memory_equal(item->record.body.at, "a\0b", 3);
    free(item);
}

static void the_ring_keeps_the_newest_within_its_bytes(void **state)
{
    (void)state;
    struct ring_item *item = make_item(1);
    size_t each = item->bytes;
    struct ring ring;
    ring_init(&ring, 3 * each);
    assert_null(ring_get(&ring, 1));
    ring_push(&ring, item);
    for (uint64_t seq = 2; seq <= 200; seq++) {
        ring_push(&ring, make_item(seq));
        assert_true(ring.bytes <= 3 * each);
        assert_int_equal(ring_get(&ring, seq)->seq, seq);
        assert_null(ring_get(&ring, seq + 1));
    }
    assert_null(ring_get(&ring, 197));
    assert_int_equal(ring_get(&ring, 198)->seq, 198);
    ring_done(&ring);
}

static void the_ring_grows_with_many_small_records(void **state)
{
    (void)state;
    struct ring ring;
    ring_init(&ring, 1 << 20);
    for (uint64_t seq = 50; seq <= 1050; seq++)
        ring_push(&ring, make_item(seq));
    for (uint64_t seq = 50; seq <= 1050; seq++)
        assert_int_equal(ring_get(&ring, seq)->seq, seq);
    assert_null(ring_get(&ring, 49));
    ring_done(&ring);
}

static void a_gap_starts_the_ring_anew(void **state)
{
    (void)state;
    struct ring ring;
    ring_init(&ring, 1 << 20);
    ring_push(&ring, make_item(1));
    ring_push(&ring, make_item(2));
    ring_push(&ring, make_item(4));
    assert_null(ring_get(&ring, 2));
    assert_int_equal(ring_get(&ring, 4)->seq, 4);
    ring_push(&ring, make_item(4)); /* a number that was taken back and given again */
    assert_int_equal(ring.count, 1);
    ring_done(&ring);
}

static void a_record_larger_than_the_ring_is_not_kept(void **state)
{
    (void)state;
    struct ring ring;
    ring_init(&ring, 10);
    ring_push(&ring, make_item(1));
    assert_null(ring_get(&ring, 1));
    assert_int_equal(ring.bytes, 0);
    ring_push(&ring, make_item(2));
    ring_done(&ring);
}

/* --- epochs ----------------------------------------------------------------------------------- */

static void a_position_is_checked_against_its_epoch(void **state)
{
    (void)state;
    struct history history;
    history_init(&history, NULL, 0, 0);
    assert_int_equal(history_check(&history, (struct position){0, 0}), 0);
    assert_int_equal(history_check(&history, (struct position){1, 1}), -EILSEQ);
    assert_int_equal(history_add_epoch(&history, 1, 1), 0);
    assert_int_equal(history_add_epoch(&history, 3, 11), 0);
    assert_int_equal(history_add_epoch(&history, 3, 12), 0); /* known already */
    assert_int_equal(history_add_epoch(&history, 4, 11), 0); /* epoch 3 wrote nothing */
    history.head = (struct position){4, 20};
    static const struct {
        uint32_t epoch;
        uint64_t seq;
        int expected;
    } cases[] = {
        {1, 1, 0},        {1, 10, 0}, {1, 11, -EILSEQ}, {2, 5, -EILSEQ}, {3, 10, 0},
        {3, 11, -EILSEQ}, {4, 20, 0}, {4, 21, -EILSEQ}, {5, 1, -EILSEQ}, {0, 0, 0},
    };
    for (size_t i = 0; i < countof(cases); i++)
        assert_int_equal(history_check(&history, (struct position){cases[i].epoch, cases[i].seq}),
                         cases[i].expected);
    history.tail = 6;
    assert_int_equal(history_check(&history, (struct position){0, 0}), -ERANGE);
    assert_int_equal(history_check(&history, (struct position){1, 4}), -ERANGE);
    assert_int_equal(history_check(&history, (struct position){1, 5}), 0);
    history_done(&history);
}

/* --- bisecting -------------------------------------------------------------------------------- */

/* Runs a queue of works of which some are poison; counts what each one went through. */
static size_t run_queue(size_t count, const bool *poison, unsigned *committed, unsigned *refused)
{
    struct bisect bisect = {0};
    size_t front = 0;
    size_t tries = 0;
    while (front < count) {
        size_t take = bisect_take(&bisect, count - front < 100 ? count - front : 100);
        assert_in_range(take, 1, count - front);
        bool fails = false;
        for (size_t i = front; i < front + take; i++)
            fails |= poison[i];
        assert_in_range(++tries, 1, 100000);
        if (!fails) {
            for (size_t i = front; i < front + take; i++)
                committed[i]++;
            bisect_passed(&bisect, take);
            front += take;
        } else if (bisect_failed(&bisect, take)) {
            refused[front++]++;
        }
    }
    return tries;
}

static void each_culprit_is_found_and_nothing_is_lost_or_doubled(void **state)
{
    (void)state;
    srandom(1);
    for (int round = 0; round < 2000; round++) {
        bool poison[300] = {false};
        unsigned committed[300] = {0};
        unsigned refused[300] = {0};
        size_t count = 1 + (size_t)random() % 300;
        size_t culprits = (size_t)random() % 5;
        for (size_t i = 0; i < culprits; i++)
            poison[(size_t)random() % count] = true;
        size_t tries = run_queue(count, poison, committed, refused);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(committed[i], !poison[i]);
            assert_int_equal(refused[i], poison[i]);
        }
        /* A culprit among a hundred costs a failed batch and its halves, both ways down. */
        assert_true(tries <= 3 + culprits * 16);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_covers_every_field),
        cmocka_unit_test(the_chain_has_a_form_for_ever),
        cmocka_unit_test(a_ring_item_owns_its_content),
        cmocka_unit_test(the_ring_keeps_the_newest_within_its_bytes),
        cmocka_unit_test(the_ring_grows_with_many_small_records),
        cmocka_unit_test(a_gap_starts_the_ring_anew),
        cmocka_unit_test(a_record_larger_than_the_ring_is_not_kept),
        cmocka_unit_test(a_position_is_checked_against_its_epoch),
        cmocka_unit_test(each_culprit_is_found_and_nothing_is_lost_or_doubled),
    };
    if (seal_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
