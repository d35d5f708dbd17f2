/* store_calibrations - see the header. */
#include "feedback/store_calibrations.h"

#include "feedback/store.h"

/* --- as commands change them --- */

static void push_participants(struct db_args *args, const Moment__V1__Calibration *calibration)
{
    db_array(args, DB_TEXT);
    for (size_t i = 0; i < calibration->n_participants; i++) {
        db_push_text(args, calibration->participants[i]->user_id);
    }
}

static void push_entries(struct db_args *args, const Moment__V1__Calibration *calibration)
{
    Moment__V1__Calibration entries;

    moment__v1__calibration__init(&entries);
    entries.n_entries = calibration->n_entries;
    entries.entries = calibration->entries;
    db_message(args, &entries.base);
}

static int save_calibration(struct txn *txn, const char *id, const ProtobufCMessage *message)
{
    const Moment__V1__Calibration *calibration = (const Moment__V1__Calibration *)message;
    Moment__V1__Calibration head = *calibration;
    struct db_args args;

    head.n_entries = 0;
    db_args_init(&args);
    db_id(&args, id);
    db_i32(&args, (int32_t)calibration->state);
    db_time(&args, calibration->created_at);
    db_text(&args, calibration->created_by);
    db_time(&args, calibration->deadline_at);
    db_text(&args, calibration->site);
    push_participants(&args, calibration);
    push_entries(&args, calibration);
    return txn_write_body(
        txn,
        "insert into calibration (calibration_id, state, created_at, created_by,"
        " deadline_at, site, participants, entries, body) values ($1, $2, $3, $4,"
        " $5, $6, $7, $8, $9) on conflict (calibration_id) do update set"
        " state = excluded.state, entries = excluded.entries, body = excluded.body",
        &args, &head.base);
}

const struct entity_kind store_calibrations = {
    .name = "calibration",
    .descriptor = &moment__v1__calibration__descriptor,
    .select = "select body || entries from calibration where calibration_id = $1::uuid",
    .save = save_calibration,
};

void store_load_due_calibrations(struct txn *txn, int64_t now, int32_t limit, db_result_fn *on_rows,
                                 void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_time(&args, now);
    db_i32(&args, limit);
    txn_read(txn,
             "select calibration_id::text, body || entries from calibration"
             " where state = 1 and deadline_at <= $1 order by deadline_at limit $2",
             &args, on_rows, arg);
}

void store_load_next_deadline(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select min(deadline_at) from calibration where state = 1", &args, on_rows, arg);
}

/* --- lists --- */

/* Three arguments; who is limited to teams looks after no whole site. */
static void push_reader(struct db_args *args, const struct calibration_reader *reader)
{
    const struct reach *reach = reader->reach;

    db_text(args, reach->user_id);
    db_bool(args, reader->is_leader && reach->team_count == 0);
    db_texts(args, reach->sites, reach->site_count);
}

#define MAY_READ(user, leader, sites)                                                              \
    " (created_by = " user " or " user " = any(participants) or (" leader                          \
    " and (cardinality(" sites "::text[]) = 0 or site = any(" sites "))))"

void store_list_calibrations(struct call *call, struct db *db,
                             const struct calibration_reader *reader, const struct listing *listing)
{
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, listing);
    push_reader(&args, reader);
    listing_answer(call, db,
                   "select body, created_at, calibration_id from calibration"
                   " where ($1::timestamptz is null or (created_at, calibration_id)"
                   " < ($1, $2::uuid)) and" MAY_READ(
                       "$4", "$5", "$6") " order by created_at desc, calibration_id desc limit $3",
                   &args, listing, NULL);
}

int store_get_calibration(struct db *db, const struct id *calibration_id,
                          const struct calibration_reader *reader, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    push_reader(&args, reader);
    db_uuid(&args, calibration_id->bytes);
    return db_query(db,
                    "select body || entries from calibration"
                    " where calibration_id = $4 and" MAY_READ("$1", "$2", "$3"),
                    &args, on_rows, arg);
}
