/* intake: DATA counts only when it is what was expected; chunks keep order. */
#include "io/frame.h"
#include "io/intake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONCE 7

static uint8_t hash[SEAL_HASH_SIZE];

struct frame_of {
    Moment__V1__Data data;
    Moment__V1__Record records[16];
    Moment__V1__Record *list[16];
};

/* count records from first on. */
static void fill(struct frame_of *frame, uint64_t nonce, uint64_t first, size_t count)
{
    moment__v1__data__init(&frame->data);
    frame->data.nonce = nonce;
    frame->data.first_seq = first;
    frame->data.epoch = 1;
    frame->data.records = frame->list;
    frame->data.n_records = count;
    for (size_t i = 0; i < count; i++) {
        static char type[] = "Text";
        static uint8_t body[] = "body";
        moment__v1__record__init(&frame->records[i]);
        frame->records[i].seq = first + i;
        frame->records[i].epoch = 1;
        frame->records[i].type = type;
        frame->records[i].body = (ProtobufCBinaryData){4, body};
        frame->records[i].hash = (ProtobufCBinaryData){sizeof(hash), hash};
        frame->list[i] = &frame->records[i];
    }
}

static int take(struct intake *intake, uint64_t nonce, uint64_t first, size_t count)
{
    struct frame_of frame;

    fill(&frame, nonce, first, count);
    return intake_take(intake, &frame.data);
}

static int set_up(void **state)
{
    struct intake *intake = calloc(1, sizeof(*intake));

    intake_init(intake);
    intake_restart(intake, NONCE, 10);
    *state = intake;
    return 0;
}

static int tear_down(void **state)
{
    intake_done(*state);
    free(*state);
    return 0;
}

static void what_follows_is_taken(void **state)
{
    struct intake *intake = *state;

    assert_int_equal(take(intake, NONCE, 11, 3), 0);
    assert_int_equal(take(intake, NONCE, 14, 2), 0);
    assert_int_equal(intake->count, 5);
    assert_int_equal(intake->expected, 16);
    assert_int_equal(intake->weight, 5 * frame_record_weight(4));
    assert_int_equal(intake->first->record.seq, 11);
    assert_memory_equal(intake->first->record.body.at, "body", 4);
}

static void an_older_subscription_counts_for_nothing(void **state)
{
    struct intake *intake = *state;

    assert_int_equal(take(intake, NONCE - 1, 11, 3), -ESTALE);
    assert_int_equal(intake->count, 0);
    assert_int_equal(intake->expected, 11);
}

static void a_gap_and_a_repetition_are_refused(void **state)
{
    struct intake *intake = *state;

    assert_int_equal(take(intake, NONCE, 12, 1), -EPROTO);
    assert_int_equal(take(intake, NONCE, 10, 2), -EPROTO);
    assert_int_equal(take(intake, NONCE, 11, 1), 0);
    assert_int_equal(take(intake, NONCE, 11, 1), -EPROTO);
    assert_int_equal(take(intake, NONCE, 12, 0), -EPROTO);
    assert_int_equal(intake->count, 1);
}

static void a_frame_with_a_hole_inside_is_refused_whole(void **state)
{
    struct intake *intake = *state;
    struct frame_of frame;

    fill(&frame, NONCE, 11, 4);
    frame.records[2].seq = 20;
    assert_int_equal(intake_take(intake, &frame.data), -EPROTO);
    assert_int_equal(intake->count, 0);
    fill(&frame, NONCE, 11, 4);
    frame.data.first_seq = 10; /* and yet the records are right */
    assert_int_equal(intake_take(intake, &frame.data), -EPROTO);
    fill(&frame, NONCE, 11, 4);
    frame.records[3].hash.len = 5;
    assert_int_equal(intake_take(intake, &frame.data), -EPROTO);
    assert_int_equal(intake->count, 0);
    assert_int_equal(intake->expected, 11);
}

static size_t length(const struct intake_item *items, uint64_t first)
{
    size_t count = 0;

    for (; items; items = items->next) {
        assert_int_equal(items->record.seq, first + count);
        count++;
    }
    return count;
}

static void a_cut_keeps_to_count_and_weight(void **state)
{
    struct intake *intake = *state;
    struct intake_item *items;

    assert_null(intake_cut(intake, 10, 1000));
    assert_int_equal(take(intake, NONCE, 11, 10), 0);
    items = intake_cut(intake, 4, SIZE_MAX);
    assert_int_equal(length(items, 11), 4);
    intake_free_items(items);
    items = intake_cut(intake, 10, 2 * frame_record_weight(4));
    assert_int_equal(length(items, 15), 2);
    intake_free_items(items);
    /* Even one that is heavier than allowed, or the stream would stand still. */
    items = intake_cut(intake, 10, 1);
    assert_int_equal(length(items, 17), 1);
    intake_free_items(items);
    assert_int_equal(intake->count, 3);
    assert_int_equal(intake->weight, 3 * frame_record_weight(4));
}

static void what_is_put_back_comes_first_again(void **state)
{
    struct intake *intake = *state;
    struct intake_item *items;

    assert_int_equal(take(intake, NONCE, 11, 5), 0);
    items = intake_cut(intake, 3, SIZE_MAX);
    intake_put_back(intake, items);
    assert_int_equal(length(intake->first, 11), 5);
    items = intake_cut(intake, 5, SIZE_MAX);
    intake_put_back(intake, items);
    assert_int_equal(intake->count, 5);
    assert_int_equal(take(intake, NONCE, 16, 2), 0);
    items = intake_cut(intake, 100, SIZE_MAX);
    assert_int_equal(length(items, 11), 7);
    intake_free_items(items);
    assert_int_equal(intake->weight, 0);
    assert_int_equal(take(intake, NONCE, 18, 1), 0);
    assert_int_equal(length(intake->first, 18), 1);
}

static void a_restart_forgets_everything(void **state)
{
    struct intake *intake = *state;

    assert_int_equal(take(intake, NONCE, 11, 5), 0);
    intake_restart(intake, NONCE + 1, 3);
    assert_int_equal(intake->count, 0);
    assert_int_equal(take(intake, NONCE, 16, 1), -ESTALE);
    assert_int_equal(take(intake, NONCE + 1, 4, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_follows_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_older_subscription_counts_for_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_gap_and_a_repetition_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frame_with_a_hole_inside_is_refused_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_cut_keeps_to_count_and_weight, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_put_back_comes_first_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_forgets_everything, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
