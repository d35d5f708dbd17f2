#include "base/clock.h"
#include "base/id.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void ids_only_go_up_whatever_the_clock_does(void **state)
{
    (void)state;
    struct id last = {{0}};
    for (int i = 0; i < 30000; i++) {
        /* Stands still for thousands of ids, jumps ahead, falls back. */
        int64_t wall_ms = INT64_C(1772460365000) + (i / 10000 == 1 ? 5000 : 0) + i / 9000;
        clock_set_for_test(wall_ms * US_PER_MS, 0);
        struct id id = id_v7();
        assert_true(memcmp(last.bytes, id.bytes, 16) < 0);
        assert_int_equal(id.bytes[6] >> 4, 7);
        assert_int_equal(id.bytes[8] >> 6, 2);
        last = id;
    }
    clock_set_for_test(-1, 0);
}

static void the_first_six_bytes_are_the_time(void **state)
{
    (void)state;
    clock_set_for_test(INT64_C(0x019d00000001) * US_PER_MS, 0);
    struct id id = id_v7();
    clock_set_for_test(-1, 0);
    assert_memory_equal(id.bytes, "\x01\x9d\x00\x00\x00\x01", 6);
}

static void the_same_parts_give_the_same_id_for_ever(void **state)
{
    (void)state;
    char text[ID_TEXT_SIZE];
    const char *const parts[] = {"moment", "pbx", "1772460365.42"};
    const char *const moved[] = {"moment", "pbx1", "772460365.42"};
    struct id id = id_of(parts, 3);
    struct id other = id_of(moved, 3);
    /* Fixed: a change here renames everything that was ever stored. */
    assert_string_equal(id_print(&id, text), "6ef6156c-28dd-86fc-9f53-ba09e54864f9");
    assert_memory_not_equal(id.bytes, other.bytes, 16);
    assert_int_equal(id.bytes[6] >> 4, 8);
    assert_int_equal(id.bytes[8] >> 6, 2);
}

static void printing_and_parsing_are_inverse(void **state)
{
    (void)state;
    char text[ID_TEXT_SIZE];
    for (int i = 0; i < 1000; i++) {
        struct id id = id_v7();
        struct id back;
        assert_int_equal(id_parse(id_print(&id, text), &back), 0);
        assert_memory_equal(id.bytes, back.bytes, 16);
    }
    struct id upper;
    assert_int_equal(id_parse("0190A0B1-C2D3-7E4F-8A5B-6C7D8E9FAABB", &upper), 0);
    assert_string_equal(id_print(&upper, text), "0190a0b1-c2d3-7e4f-8a5b-6c7d8e9faabb");
}

static void what_is_no_uuid_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0190a0b1-c2d3-7e4f-8a5b-6c7d8e9faab",
                                      "0190a0b1-c2d3-7e4f-8a5b-6c7d8e9faabbc",
                                      "0190a0b1xc2d3-7e4f-8a5b-6c7d8e9faabb",
                                      "0190a0b1-c2d3-7e4f-8a5b-6c7d8e9faabg",
                                      "{190a0b1-c2d3-7e4f-8a5b-6c7d8e9faab}",
                                      "0190a0b1c-2d3-7e4f-8a5b-6c7d8e9faabb"};
    struct id id;
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_equal(id_parse(bad[i], &id), -EINVAL);
    assert_int_equal(id_parse(NULL, &id), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_six_bytes_are_the_time),
        cmocka_unit_test(ids_only_go_up_whatever_the_clock_does),
        cmocka_unit_test(the_same_parts_give_the_same_id_for_ever),
        cmocka_unit_test(printing_and_parsing_are_inverse),
        cmocka_unit_test(what_is_no_uuid_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
