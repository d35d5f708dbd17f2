/* listing - see the header. */
#include "io/listing.h"

#include "base/keyset.h"
#include "base/log.h"
#include "io/bus_parts.h"
#include "io/json.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An answer is at most FRAME_BYTES_MAX with what surrounds it; an element has its tag and length.
 */
#define PAGE_BYTES_MAX (FRAME_BYTES_MAX - 16384)
#define ELEMENT_BYTES 8

/* What is asked for, until the rows are there. */
struct question {
    struct call *call;
    listing_adjust_fn *adjust;
    uint32_t limit; /* elements of a page; 0: all there are */
    /* Of one thing: */
    const char *field;
    const char *what; /* null: a list */
};

bool listing_read(struct call *call, uint32_t limit, const char *cursor,
                  struct listing *ret_listing)
{
    *ret_listing = (struct listing){.limit = limit ? limit : LISTING_PAGE_DEFAULT};
    if (ret_listing->limit > LISTING_PAGE_MAX) {
        call_refuse(call, 422, "invalid-field", "limit", "At most %d.", LISTING_PAGE_MAX);
        return false;
    }
    if (cursor[0] && keyset_parse(cursor, &ret_listing->before_at, &ret_listing->before_id) < 0) {
        call_refuse(call, 422, "invalid-field", "cursor", "This is no cursor of this list.");
        return false;
    }
    return true;
}

void listing_push(struct db_args *args, const struct listing *listing)
{
    db_time(args, listing->before_at);
    if (listing->before_at) {
        db_uuid(args, listing->before_id.bytes);
    } else {
        db_null(args);
    }
    db_i32(args, (int32_t)listing->limit + 1);
}

void listing_push_reach(struct db_args *args, const struct reach *reach)
{
    db_texts(args, reach->sites, reach->site_count);
    db_texts(args, reach->teams, reach->team_count);
    db_bool(args, reach->is_own_only);
    db_text(args, reach->person_id);
}

/* --- the answer, whose type only the route knows --- */

/* The first field of messages with this label. */
static const ProtobufCFieldDescriptor *message_field(const ProtobufCMessageDescriptor *type,
                                                     bool is_repeated)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            (field->label == PROTOBUF_C_LABEL_REPEATED) == is_repeated) {
            return field;
        }
    }
    return NULL;
}

static void *member(ProtobufCMessage *message, unsigned offset)
{
    return (char *)message + offset;
}

/* Null: out of memory. */
static ProtobufCMessage *new_answer(const struct call *call)
{
    const ProtobufCMessageDescriptor *type = call_route(call)->response;
    ProtobufCMessage *answer = calloc(1, type->sizeof_message);

    if (answer) {
        protobuf_c_message_init(type, answer);
    }
    return answer;
}

/* The element of a row, as the caller may see it. Null: it is left out. */
static ProtobufCMessage *read_element(const struct question *question,
                                      const ProtobufCFieldDescriptor *field,
                                      const struct db_rows *rows, size_t row)
{
    ProtobufCMessage *element = NULL;
    int rc = protobuf_read(field->descriptor, db_get_bytes(rows, row, 0), &element);

    if (rc < 0) {
        log_error("body_unreadable", "method=%s row=%zu error=%d", call_method(question->call), row,
                  rc);
        return NULL;
    }
    if (question->adjust && !question->adjust(question->call, element)) {
        protobuf_c_message_free_unpacked(element, NULL);
        return NULL;
    }
    return element;
}

/* No more than an answer can hold: what does not fit is on the next page. One always fits. */
static size_t rows_of_page(const struct question *question, const struct db_rows *rows)
{
    size_t count = db_count(rows);
    size_t most = question->limit && count > question->limit ? question->limit : count;
    size_t bytes = 0;

    for (size_t i = 0; question->limit && i < most; i++) {
        bytes += db_get_bytes(rows, i, 0).len + ELEMENT_BYTES;
        if (bytes > PAGE_BYTES_MAX && i > 0) {
            return i;
        }
    }
    return most;
}

static int fill_elements(const struct question *question, const struct db_rows *rows,
                         ProtobufCMessage *answer)
{
    const ProtobufCFieldDescriptor *field = message_field(answer->descriptor, true);
    size_t count = rows_of_page(question, rows);
    ProtobufCMessage **elements = count ? calloc(count, sizeof(*elements)) : NULL;
    size_t used = 0;

    assert(field);
    if (count && !elements) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        elements[used] = read_element(question, field, rows, i);
        used += elements[used] != NULL;
    }
    memcpy(member(answer, field->offset), &elements, sizeof(elements));
    memcpy(member(answer, field->quantifier_offset), &used, sizeof(used));
    return 0;
}

/* By the last row, whether its element was left out or not. */
static int fill_next(const struct question *question, const struct db_rows *rows,
                     ProtobufCMessage *answer)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(answer->descriptor, "next");
    size_t count = rows_of_page(question, rows);
    char text[KEYSET_TEXT_SIZE];
    struct id id;

    if (!field || count == db_count(rows)) {
        return 0;
    }
    db_get_uuid(rows, count - 1, 2, id.bytes);
    char *next = strdup(keyset_print(db_get_time(rows, count - 1, 1), &id, text));
    if (!next) {
        return -ENOMEM;
    }
    memcpy(member(answer, field->offset), &next, sizeof(next));
    return 0;
}

static void refuse_unavailable(struct call *call)
{
    call_refuse(call, 503, "database-unavailable", NULL, "The database can't answer now.");
}

static void reply_list(const struct question *question, const struct db_rows *rows)
{
    ProtobufCMessage *answer = new_answer(question->call);

    if (answer && fill_elements(question, rows, answer) == 0 &&
        fill_next(question, rows, answer) == 0) {
        call_reply(question->call, answer);
    } else {
        refuse_unavailable(question->call);
    }
    if (answer) {
        protobuf_c_message_free_unpacked(answer, NULL);
    }
}

static void reply_one(const struct question *question, const struct db_rows *rows)
{
    const ProtobufCFieldDescriptor *field =
        message_field(call_route(question->call)->response, false);
    assert(field);
    ProtobufCMessage *element = db_count(rows) > 0 ? read_element(question, field, rows, 0) : NULL;

    if (!element) {
        struct problem problem;
        (void)call_not_found(&problem, question->field, question->what);
        call_fail(question->call, &problem);
        return;
    }
    ProtobufCMessage *answer = new_answer(question->call);
    if (!answer) {
        protobuf_c_message_free_unpacked(element, NULL);
        refuse_unavailable(question->call);
        return;
    }
    memcpy(member(answer, field->offset), &element, sizeof(element));
    call_reply(question->call, answer);
    protobuf_c_message_free_unpacked(answer, NULL);
}

static void on_rows(void *arg, int status, const struct db_rows *rows,
                    const struct db_error *error unused_arg)
{
    struct question *question = arg;

    if (status < 0) {
        refuse_unavailable(question->call);
    } else if (question->what) {
        reply_one(question, rows);
    } else {
        reply_list(question, rows);
    }
    free(question);
}

static void ask(const struct question *question, struct db *reader, const char *sql,
                struct db_args *args)
{
    struct question *copy = malloc(sizeof(*copy));

    if (!copy) {
        db_args_done(args);
        refuse_unavailable(question->call);
        return;
    }
    *copy = *question;
    int rc = db_query(reader, sql, args, on_rows, copy);
    if (rc < 0) {
        on_rows(copy, rc, NULL, NULL);
    }
}

void listing_answer(struct call *call, struct db *reader, const char *sql, struct db_args *args,
                    const struct listing *listing, listing_adjust_fn *adjust)
{
    const struct question question = {
        .call = call, .adjust = adjust, .limit = listing ? listing->limit : 0};

    ask(&question, reader, sql, args);
}

void listing_answer_one(struct call *call, struct db *reader, const char *sql, struct db_args *args,
                        const char *field, const char *what, listing_adjust_fn *adjust)
{
    const struct question question = {.call = call, .adjust = adjust, .field = field, .what = what};

    ask(&question, reader, sql, args);
}
