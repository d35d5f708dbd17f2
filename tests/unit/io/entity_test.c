/* What commands change, kept between the load and the commit. Transactions are fakes made here, and
 * so are the rows: one row is the name of a log level. */
#include "io/entity.h"
#include "io/json.h"
#include "moment/v1/stream.pb-c.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READS_MAX 64

typedef Moment__V1__SetLogLevelRequest Thing;

struct txn {
    uint64_t serial;
};

struct db_rows {
    struct slice body; /* at null: no row */
};

static struct {
    db_result_fn *on_rows;
    void *arg;
    char id[ENTITY_ID_MAX + 1];
} reads[READS_MAX];
static size_t read_count;
static size_t save_count;
static char last_saved[64];
static char last_read[ENTITY_ID_MAX + 1];
static struct entities *things;

uint64_t txn_serial(const struct txn *txn)
{
    return txn->serial;
}

void txn_read(struct txn *txn, const char *sql, struct db_args *args, db_result_fn *on_rows,
              void *arg)
{
    (void)txn;
    assert_string_equal(sql, "select body from thing where thing_id = $1");
    assert_int_equal(args->count, 1);
    assert_true(read_count < READS_MAX);
    reads[read_count].on_rows = on_rows;
    reads[read_count].arg = arg;
    snprintf(reads[read_count].id, sizeof(reads[read_count].id), "%s", last_read);
    read_count++;
    db_args_done(args);
}

void db_args_init(struct db_args *args)
{
    memset(args, 0, sizeof(*args));
}

void db_args_done(struct db_args *args)
{
    (void)args;
}

void db_text(struct db_args *args, const char *value)
{
    args->count++;
    snprintf(last_read, sizeof(last_read), "%s", value);
}

size_t db_count(const struct db_rows *rows)
{
    return rows->body.at != NULL;
}

struct slice db_get_bytes(const struct db_rows *rows, size_t row, size_t column)
{
    assert_int_equal(row, 0);
    assert_int_equal(column, 0);
    return rows->body;
}

static int save(struct txn *txn, const char *id, const ProtobufCMessage *message)
{
    const Thing *thing = (const Thing *)(const void *)message;

    (void)txn;
    snprintf(last_saved, sizeof(last_saved), "%s=%s", id, thing->level);
    save_count++;
    return 0;
}

static const struct entity_kind kind = {
    .name = "thing",
    .descriptor = &moment__v1__set_log_level_request__descriptor,
    .select = "select body from thing where thing_id = $1",
    .save = save,
};

/* --- in the tests --- */

static int set_up(void **state)
{
    (void)state;
    read_count = save_count = 0;
    last_saved[0] = '\0';
    return entities_new(&kind, 2000, &things);
}

static int tear_down(void **state)
{
    (void)state;
    entities_free(&things);
    assert_null(things);
    entities_free(&things);
    return 0;
}

/* Answers every read: "absent..." is not there, others have their id as level. */
static void answer(void)
{
    for (size_t i = 0; i < read_count; i++) {
        Thing thing;
        uint8_t *bytes = NULL;
        size_t len = 0;
        bool is_absent = strncmp(reads[i].id, "absent", 6) == 0;

        moment__v1__set_log_level_request__init(&thing);
        thing.level = reads[i].id;
        assert_int_equal(protobuf_write(&thing.base, &bytes, &len), 0);
        const struct db_rows rows = {{is_absent ? NULL : (const char *)bytes, len}};
        reads[i].on_rows(reads[i].arg, 0, &rows, NULL);
        free(bytes);
    }
    read_count = 0;
}

static const char *level_of(const char *id)
{
    const Thing *thing = (const Thing *)(const void *)entity_get(things, id);

    return thing ? thing->level : NULL;
}

static void load(uint64_t serial, const char *id)
{
    struct txn txn = {serial};

    entity_load(things, &txn, id);
}

/* Reads it, appends a letter, puts it. */
static void change(uint64_t serial, const char *id)
{
    struct txn txn = {serial};
    Thing *thing = (Thing *)(void *)entity_edit(entity_get(things, id));
    char level[64];

    snprintf(level, sizeof(level), "%s+", thing->level);
    entity_set_text(&thing->level, level);
    entity_put(things, &txn, id, &thing->base);
}

static void create(uint64_t serial, const char *id, const char *level)
{
    struct txn txn = {serial};
    Thing *thing = calloc(1, sizeof(*thing));

    assert_non_null(thing);
    moment__v1__set_log_level_request__init(thing);
    entity_set_text(&thing->level, level);
    entity_put(things, &txn, id, &thing->base);
}

static void the_second_command_of_a_batch_sees_the_change_of_the_first(void **state)
{
    (void)state;
    load(1, "a");
    load(1, "a");
    assert_int_equal(read_count, 1);
    answer();
    change(1, "a");
    assert_string_equal(last_saved, "a=a+");
    change(1, "a");
    assert_string_equal(last_saved, "a=a++");
    assert_int_equal(save_count, 2);
}

static void the_next_batch_does_not_ask_again(void **state)
{
    (void)state;
    load(1, "a");
    answer();
    change(1, "a");
    load(2, "a");
    assert_int_equal(read_count, 0);
    assert_string_equal(level_of("a"), "a+");
}

static void what_did_not_commit_is_forgotten(void **state)
{
    (void)state;
    load(1, "a");
    answer();
    change(1, "a");
    entities_forget(things);
    load(2, "a");
    assert_int_equal(read_count, 1);
    answer();
    assert_string_equal(level_of("a"), "a");
}

static void that_it_is_not_there_is_remembered(void **state)
{
    (void)state;
    load(1, "absent");
    answer();
    assert_null(level_of("absent"));
    load(2, "absent");
    assert_int_equal(read_count, 0);
    assert_null(level_of("absent"));
}

static void of_no_id_there_is_nothing(void **state)
{
    char id[ENTITY_ID_MAX + 2];

    (void)state;
    memset(id, 'x', sizeof(id));
    id[ENTITY_ID_MAX + 1] = '\0';
    load(1, id);
    load(1, "");
    assert_int_equal(read_count, 0);
    assert_null(entity_get(things, id));
    assert_null(entity_get(things, ""));
    load(1, id + 1);
    assert_int_equal(read_count, 1);
}

static void put_creates(void **state)
{
    (void)state;
    load(1, "absent");
    answer();
    create(1, "absent", "new");
    assert_string_equal(last_saved, "absent=new");
    assert_string_equal(level_of("absent"), "new");
    create(1, "unloaded", "too");
    assert_string_equal(level_of("unloaded"), "too");
    load(2, "unloaded");
    assert_int_equal(read_count, 0);
}

static void offer(uint64_t serial, const char *id, const char *level)
{
    struct txn txn = {serial};
    Thing *thing = calloc(1, sizeof(*thing));

    assert_non_null(thing);
    moment__v1__set_log_level_request__init(thing);
    entity_set_text(&thing->level, level);
    entity_offer(things, &txn, id, &thing->base);
}

static void what_another_read_finds_is_there_too(void **state)
{
    (void)state;
    offer(1, "a", "found");
    assert_string_equal(level_of("a"), "found");
    load(1, "a");
    assert_int_equal(read_count, 0);
    assert_int_equal(save_count, 0);
    change(1, "a");
    offer(2, "a", "found"); /* read before that committed */
    assert_string_equal(level_of("a"), "found+");
    load(3, "b");
    offer(3, "b", "b");
    assert_string_equal(level_of("b"), "b");
    answer();
    assert_string_equal(level_of("b"), "b");
}

static const char *number(char text[100], unsigned n)
{
    snprintf(text, 100, "%060u", n);
    return text;
}

static void load_many(uint64_t serial, unsigned first, unsigned count)
{
    char id[100];

    for (unsigned i = first; i < first + count; i++) {
        load(serial, number(id, i));
    }
}

static void the_transaction_under_way_loses_nothing(void **state)
{
    char id[100];

    (void)state;
    load_many(1, 0, 40); /* far more than the limit */
    create(1, "put", "put");
    load_many(1, 40, 10);
    assert_int_equal(read_count, 50);
    answer();
    for (unsigned i = 0; i < 50; i++) {
        assert_string_equal(level_of(number(id, i)), id);
    }
    assert_string_equal(level_of("put"), "put");
}

static void what_was_used_long_ago_makes_room(void **state)
{
    char id[100];

    (void)state;
    load_many(1, 0, 40);
    answer();
    load(2, number(id, 0)); /* used again: it stays */
    assert_int_equal(read_count, 0);
    load(2, "b");
    answer();
    assert_string_equal(level_of(number(id, 0)), id);
    load(3, number(id, 1));
    assert_int_equal(read_count, 1);
    answer();
    load(3, number(id, 0));
    assert_int_equal(read_count, 0);
}

static void a_copy_is_changed_and_not_the_original(void **state)
{
    (void)state;
    load(1, "a");
    answer();
    Thing *copy = (Thing *)(void *)entity_edit(entity_get(things, "a"));
    entity_set_text(&copy->level, copy->level);
    assert_string_equal(copy->level, "a");
    entity_set_text(&copy->level, NULL);
    assert_string_equal(copy->level, "");
    assert_string_equal(level_of("a"), "a");
    protobuf_c_message_free_unpacked(&copy->base, NULL);
}

static void an_element_is_appended(void **state)
{
    Moment__V1__StatusResponse *list = calloc(1, sizeof(*list));
    Moment__V1__CursorStatus *cursors[2];

    (void)state;
    assert_non_null(list);
    moment__v1__status_response__init(list);
    for (size_t i = 0; i < countof(cursors); i++) {
        cursors[i] = calloc(1, sizeof(*cursors[i]));
        assert_non_null(cursors[i]);
        moment__v1__cursor_status__init(cursors[i]);
        entity_append(&list->n_cursors, &list->cursors, cursors[i]);
    }
    assert_int_equal(list->n_cursors, 2);
    assert_ptr_equal(list->cursors[0], cursors[0]);
    assert_ptr_equal(list->cursors[1], cursors[1]);
    protobuf_c_message_free_unpacked(&list->base, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_second_command_of_a_batch_sees_the_change_of_the_first),
        TEST(the_next_batch_does_not_ask_again),
        TEST(what_did_not_commit_is_forgotten),
        TEST(that_it_is_not_there_is_remembered),
        TEST(of_no_id_there_is_nothing),
        TEST(put_creates),
        TEST(what_another_read_finds_is_there_too),
        TEST(the_transaction_under_way_loses_nothing),
        TEST(what_was_used_long_ago_makes_room),
        TEST(a_copy_is_changed_and_not_the_original),
        TEST(an_element_is_appended),
    };

    return cmocka_run_group_tests_name("entity", tests, NULL, NULL);
}
