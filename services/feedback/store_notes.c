/* store_notes - see the header. */
#include "feedback/store_notes.h"

#include "feedback/rules/note.h"
#include "moment/v1/feedback.pb-c.h"

/* --- notes as commands change them --- */

static void push_words(struct db_args *args, const Moment__V1__Note *note)
{
    if (note->kind == MOMENT__V1__NOTE_KIND__NOTE_KIND_PRAISE) {
        struct id words = note_words(note->text);

        db_uuid(args, words.bytes);
    } else {
        db_null(args);
    }
}

static int save_note(struct txn *txn, const char *id, const ProtobufCMessage *message)
{
    const Moment__V1__Note *note = (const Moment__V1__Note *)message;
    struct db_args args;

    db_args_init(&args);
    db_id(&args, id);
    db_i32(&args, (int32_t)note->kind);
    db_id(&args, note->moment_id);
    db_text(&args, note->giver);
    db_text(&args, note->receiver);
    db_text(&args, note->site);
    db_text(&args, note->team_id);
    db_bool(&args, note->is_private);
    db_time(&args, note->given_at);
    db_time(&args, note->acknowledged_at);
    push_words(&args, note);
    return txn_write_body(
        txn,
        "insert into note (note_id, kind, moment_id, giver, receiver, site, team_id,"
        " is_private, given_at, acknowledged_at, words, body) values ($1, $2, $3, $4, $5, $6,"
        " $7, $8, $9, $10, $11::uuid, $12) on conflict (note_id) do update set"
        " acknowledged_at = excluded.acknowledged_at, body = excluded.body",
        &args, message);
}

const struct entity_kind store_notes = {
    .name = "note",
    .descriptor = &moment__v1__note__descriptor,
    .select = "select body from note where note_id = $1::uuid",
    .save = save_note,
};

/* --- what a note is checked against --- */

#define TEXT(number) #number
#define NUMBER(number) TEXT(number)

void store_load_recent_praise(struct txn *txn, const char *giver, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, giver);
    txn_read(txn,
             "select words from note where giver = $1 and words is not null"
             " order by given_at desc, note_id desc limit " NUMBER(NOTE_RECENT),
             &args, on_rows, arg);
}

void store_load_standards_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                             void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    txn_read(txn,
             "select standard_id, standard_version from (select distinct on (evaluation_id)"
             " standard_id, standard_version, evaluated_at, withdrawn from evaluation"
             " where moment_id = $1 order by evaluation_id, revision desc) newest"
             " where not withdrawn order by evaluated_at desc",
             &args, on_rows, arg);
}

void store_load_alert(struct txn *txn, const struct id *alert_id, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, alert_id->bytes);
    txn_read(txn, "select body from alert where alert_id = $1", &args, on_rows, arg);
}

/* --- lists --- */

/* sites, teams, own and person are listing_push_reach's. */
#define MAY_READ(sites, teams, own, person, user, improvement)                                     \
    " (giver = " user " or (receiver = " person " and " person " <> '') or (not " own              \
    " and (cardinality(" sites "::text[]) = 0 or site = any(" sites "))"                           \
    " and (cardinality(" teams "::text[]) = 0 or team_id = any(" teams "))"                        \
    " and case kind when 1 then not is_private else " improvement " end))"

static void push_reader(struct db_args *args, const struct reach *reach, bool sees_improvement)
{
    listing_push_reach(args, reach);
    db_text(args, reach->user_id);
    db_bool(args, sees_improvement);
}

void store_list_notes(struct call *call, struct db *db, const struct note_filter *filter,
                      const struct reach *reach, bool sees_improvement,
                      const struct listing *listing)
{
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, listing);
    push_reader(&args, reach, sees_improvement);
    db_id(&args, filter->moment_id);
    db_text(&args, filter->receiver);
    db_text(&args, filter->giver);
    db_i32(&args, filter->kind);
    db_bool(&args, filter->unacknowledged);
    listing_answer(call, db,
                   "select body, given_at, note_id from note where ($1::timestamptz is null or"
                   " (given_at, note_id) < ($1, $2::uuid)) and" MAY_READ(
                       "$4", "$5", "$6", "$7", "$8",
                       "$9") " and ($10::uuid is null or moment_id = $10)"
                             " and ($11 = '' or receiver = $11) and ($12 = '' or giver = $12)"
                             " and ($13 = 0 or kind = $13)"
                             " and (not $14 or acknowledged_at is null)"
                             " order by given_at desc, note_id desc limit $3",
                   &args, listing, NULL);
}

void store_get_note(struct call *call, struct db *db, const struct id *note_id,
                    const struct reach *reach, bool sees_improvement)
{
    struct db_args args;

    db_args_init(&args);
    push_reader(&args, reach, sees_improvement);
    db_uuid(&args, note_id->bytes);
    listing_answer_one(
        call, db,
        "select body from note where note_id = $7 and" MAY_READ("$1", "$2", "$3", "$4", "$5", "$6"),
        &args, "note_id", "note", NULL);
}
