/* Pages of lists. The call, the database and its rows are fakes made here. */
#include "io/listing.h"

#include "base/keyset.h"
#include "io/bus_parts.h"
#include "io/json.h"
#include "moment/v1/recognition.pb-c.h"
#include "moment/v1/stream.pb-c.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_MAX 8

struct call {
    struct call_route route;
    struct problem problem; /* status 0: none */
    int answers;
    char names[200];
    char next[KEYSET_TEXT_SIZE];
};

struct db_rows {
    size_t count;
    const char *names[ROWS_MAX]; /* null: a body that cannot be read */
    size_t padding;              /* bytes that each candidate has more */
};

static struct call call;
static int query_status;
static db_result_fn *asked;
static void *asked_arg;
static char pushed[200];

/* --- fakes --- */

const struct call_route *call_route(const struct call *one)
{
    return &one->route;
}

const char *call_method(const struct call *one)
{
    return one->route.method;
}

void call_fail(struct call *one, const struct problem *problem)
{
    one->answers++;
    one->problem = *problem;
}

static void add_name(const char *name)
{
    size_t len = strlen(call.names);

    snprintf(call.names + len, sizeof(call.names) - len, "%s ", name);
}

static void show_page(const ProtobufCMessage *response)
{
    const Moment__V1__ListCandidatesResponse *page =
        (const Moment__V1__ListCandidatesResponse *)(const void *)response;

    for (size_t i = 0; i < page->n_candidates; i++) {
        add_name(page->candidates[i]->agent);
    }
    snprintf(call.next, sizeof(call.next), "%s", page->next);
}

static void show_whole(const ProtobufCMessage *response)
{
    const Moment__V1__ListQuarantineResponse *list =
        (const Moment__V1__ListQuarantineResponse *)(const void *)response;

    for (size_t i = 0; i < list->n_entries; i++) {
        add_name(list->entries[i]->key);
    }
}

void call_reply(struct call *one, const ProtobufCMessage *response)
{
    assert_ptr_equal(response->descriptor, one->route.response);
    one->answers++;
    if (response->descriptor == &moment__v1__list_candidates_response__descriptor) {
        show_page(response);
    } else if (response->descriptor == &moment__v1__list_quarantine_response__descriptor) {
        show_whole(response);
    } else {
        add_name(((const Moment__V1__ShowQuarantineResponse *)(const void *)response)->entry->key);
    }
}

void db_args_init(struct db_args *args)
{
    memset(args, 0, sizeof(*args));
}

void db_args_done(struct db_args *args)
{
    (void)args;
}

static void push_text(const char *text)
{
    strncat(pushed, text, sizeof(pushed) - strlen(pushed) - 1);
}

static void push(struct db_args *args, long long value)
{
    char text[24];

    args->count++;
    snprintf(text, sizeof(text), " %lld", value);
    push_text(text);
}

void db_time(struct db_args *args, int64_t wall_us)
{
    pushed[0] = '\0';
    push(args, wall_us);
}

void db_null(struct db_args *args)
{
    args->count++;
    push_text(" null");
}

void db_uuid(struct db_args *args, const uint8_t bytes[16])
{
    push(args, bytes[15]);
}

void db_i32(struct db_args *args, int32_t value)
{
    push(args, value);
}

void db_texts(struct db_args *args, const char *const *texts, size_t count)
{
    args->count++;
    push_text(" of");
    for (size_t i = 0; i < count; i++) {
        push_text(" ");
        push_text(texts[i]);
    }
}

void db_text(struct db_args *args, const char *value)
{
    args->count++;
    push_text(" ");
    push_text(value);
}

void db_bool(struct db_args *args, bool value)
{
    args->count++;
    push_text(value ? " true" : " false");
}

int db_query(struct db *db, const char *sql, struct db_args *args, db_result_fn *on_result,
             void *arg)
{
    (void)db;
    (void)args;
    assert_string_equal(sql, "select");
    asked = on_result;
    asked_arg = arg;
    return query_status;
}

size_t db_count(const struct db_rows *rows)
{
    return rows->count;
}

/* An entry and a candidate have their name at different numbers. */
struct slice db_get_bytes(const struct db_rows *rows, size_t row, size_t column)
{
    static uint8_t bytes[FRAME_BYTES_MAX];
    static char padding[FRAME_BYTES_MAX];
    Moment__V1__Candidate candidate;
    Moment__V1__QuarantineEntry entry;
    char name[20];

    assert_int_equal(column, 0);
    if (!rows->names[row]) {
        return (struct slice){"\xff", 1};
    }
    snprintf(name, sizeof(name), "%s", rows->names[row]);
    moment__v1__candidate__init(&candidate);
    candidate.agent = name;
    memset(padding, 'x', rows->padding);
    padding[rows->padding] = '\0';
    candidate.dismissed_because = padding;
    moment__v1__quarantine_entry__init(&entry);
    entry.key = name;
    bool is_candidate = call.route.response == &moment__v1__list_candidates_response__descriptor;
    return (struct slice){
        (const char *)bytes,
        protobuf_c_message_pack(is_candidate ? &candidate.base : &entry.base, bytes)};
}

int64_t db_get_time(const struct db_rows *rows, size_t row, size_t column)
{
    (void)rows;
    assert_int_equal(column, 1);
    return 1000 - (int64_t)row;
}

void db_get_uuid(const struct db_rows *rows, size_t row, size_t column, uint8_t ret_bytes[16])
{
    (void)rows;
    assert_int_equal(column, 2);
    memset(ret_bytes, 0, 16);
    ret_bytes[15] = (uint8_t)row;
}

/* --- in the tests --- */

static int set_up(void **state)
{
    (void)state;
    memset(&call, 0, sizeof(call));
    call.route.method = "recognition.ListCandidates";
    call.route.response = &moment__v1__list_candidates_response__descriptor;
    query_status = 0;
    asked = NULL;
    pushed[0] = '\0';
    return 0;
}

static void answer_with(const struct db_rows *rows)
{
    assert_int_equal(call.answers, 0);
    asked(asked_arg, 0, rows, NULL);
    assert_int_equal(call.answers, 1);
}

static void list(const struct listing *listing, listing_adjust_fn *adjust)
{
    struct db_args args;

    db_args_init(&args);
    listing_answer(&call, NULL, "select", &args, listing, adjust);
}

static void a_cursor_leads_to_the_next_page(void **state)
{
    const struct db_rows rows = {3, {"anna", "bob", "carl"}, 0};
    struct listing listing;
    struct db_args args;

    (void)state;
    assert_true(listing_read(&call, 2, "", &listing));
    db_args_init(&args);
    listing_push(&args, &listing);
    assert_string_equal(pushed, " 0 null 3");
    list(&listing, NULL);
    answer_with(&rows);
    assert_string_equal(call.names, "anna bob ");
    assert_true(listing_read(&call, 0, call.next, &listing));
    listing_push(&args, &listing);
    assert_string_equal(pushed, " 999 1 51");
}

static void a_reach_is_four_arguments(void **state)
{
    static const char *const sites[] = {"lyon", "metz"};
    const struct reach reach = {.sites = sites,
                                .site_count = 2,
                                .is_own_only = true,
                                .person_id = "anna",
                                .user_id = "user:1"};
    struct db_args args;

    (void)state;
    db_args_init(&args);
    listing_push_reach(&args, &reach);
    assert_int_equal(args.count, 4);
    assert_string_equal(pushed, " of lyon metz of true anna");
}

static void what_does_not_fit_an_answer_is_on_the_next_page(void **state)
{
    const struct listing listing = {.limit = 4};
    const struct db_rows rows = {3, {"anna", "bob", "carl"}, FRAME_BYTES_MAX / 3};
    const struct db_rows huge = {2, {"anna", "bob"}, FRAME_BYTES_MAX - 100};
    struct listing next;

    (void)state;
    list(&listing, NULL);
    answer_with(&rows);
    assert_string_equal(call.names, "anna bob ");
    assert_true(listing_read(&call, 4, call.next, &next));
    assert_int_equal(next.before_id.bytes[15], 1);
    set_up(NULL);
    list(&listing, NULL);
    answer_with(&huge);
    assert_string_equal(call.names, "anna ");
}

static void the_last_page_has_no_cursor(void **state)
{
    const struct listing listing = {.limit = 2};
    const struct db_rows rows = {2, {"anna", "bob"}, 0};

    (void)state;
    list(&listing, NULL);
    answer_with(&rows);
    assert_string_equal(call.names, "anna bob ");
    assert_string_equal(call.next, "");
}

static void an_empty_list_is_an_answer(void **state)
{
    const struct listing listing = {.limit = 2};
    const struct db_rows rows = {0, {NULL}, 0};

    (void)state;
    list(&listing, NULL);
    answer_with(&rows);
    assert_int_equal(call.problem.status, 0);
    assert_string_equal(call.names, "");
}

static void too_much_and_a_false_cursor_are_refused(void **state)
{
    struct listing listing;

    (void)state;
    assert_false(listing_read(&call, LISTING_PAGE_MAX + 1, "", &listing));
    assert_int_equal(call.problem.status, 422);
    assert_string_equal(call.problem.field, "limit");
    assert_false(listing_read(&call, 1, "rubbish", &listing));
    assert_int_equal(call.problem.status, 422);
    assert_string_equal(call.problem.field, "cursor");
    assert_true(listing_read(&call, LISTING_PAGE_MAX, "", &listing));
}

static bool hide_bob(struct call *one, ProtobufCMessage *element)
{
    Moment__V1__Candidate *candidate = (Moment__V1__Candidate *)(void *)element;

    assert_ptr_equal(one, &call);
    candidate->agent[0] = (char)(candidate->agent[0] - 'a' + 'A');
    return strcmp(candidate->agent, "Bob") != 0;
}

static void each_element_is_adjusted_or_left_out(void **state)
{
    const struct listing listing = {.limit = 2};
    const struct db_rows rows = {3, {"anna", "bob", "carl"}, 0};

    (void)state;
    list(&listing, hide_bob);
    answer_with(&rows);
    assert_string_equal(call.names, "Anna ");
    assert_string_not_equal(call.next, "");
}

static void what_cannot_be_read_is_left_out(void **state)
{
    const struct listing listing = {.limit = 2};
    const struct db_rows rows = {3, {"anna", NULL, "carl"}, 0};

    (void)state;
    list(&listing, NULL);
    answer_with(&rows);
    assert_string_equal(call.names, "anna ");
    assert_string_not_equal(call.next, "");
}

static void a_whole_list_needs_no_more_than_bodies(void **state)
{
    const struct db_rows rows = {3, {"anna", "bob", "carl"}, 0};

    (void)state;
    call.route.response = &moment__v1__list_quarantine_response__descriptor;
    list(NULL, NULL);
    answer_with(&rows);
    assert_string_equal(call.names, "anna bob carl ");
}

static void a_database_that_is_away_is_503(void **state)
{
    (void)state;
    query_status = -ENOTCONN;
    list(NULL, NULL);
    assert_int_equal(call.answers, 1);
    assert_int_equal(call.problem.status, 503);
    query_status = 0;
    list(NULL, NULL);
    asked(asked_arg, -ECONNRESET, NULL, NULL);
    assert_int_equal(call.answers, 2);
    assert_int_equal(call.problem.status, 503);
}

static bool forbid(struct call *one, ProtobufCMessage *element)
{
    (void)one;
    (void)element;
    return false;
}

static void ask_one(const struct db_rows *rows, listing_adjust_fn *adjust)
{
    struct db_args args;

    db_args_init(&args);
    set_up(NULL);
    call.route.response = &moment__v1__show_quarantine_response__descriptor;
    listing_answer_one(&call, NULL, "select", &args, "id", "entry", adjust);
    answer_with(rows);
}

static void one_thing_is_there_or_404(void **state)
{
    const struct db_rows there = {1, {"anna"}, 0};
    const struct db_rows absent = {0, {NULL}, 0};

    (void)state;
    ask_one(&there, NULL);
    assert_string_equal(call.names, "anna ");
    ask_one(&absent, NULL);
    assert_int_equal(call.problem.status, 404);
    assert_string_equal(call.problem.field, "id");
    assert_non_null(strstr(call.problem.detail, "no such entry"));
    ask_one(&there, forbid);
    assert_int_equal(call.problem.status, 404);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cursor_leads_to_the_next_page),
        TEST(a_reach_is_four_arguments),
        TEST(what_does_not_fit_an_answer_is_on_the_next_page),
        TEST(the_last_page_has_no_cursor),
        TEST(an_empty_list_is_an_answer),
        TEST(too_much_and_a_false_cursor_are_refused),
        TEST(each_element_is_adjusted_or_left_out),
        TEST(what_cannot_be_read_is_left_out),
        TEST(a_whole_list_needs_no_more_than_bodies),
        TEST(a_database_that_is_away_is_503),
        TEST(one_thing_is_there_or_404),
    };

    return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
