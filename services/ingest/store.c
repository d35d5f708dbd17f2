/* store - see the header. Whatever can be many goes as arrays through unnest: one statement, one
 * plan, one round trip. */
#include "ingest/store.h"

/* --- events ---------------------------------------------------------------------------------- */

static void push_ids(struct db_args *args, const struct id *ids, size_t count)
{
    db_array(args, DB_UUID);
    for (size_t i = 0; i < count; i++)
        db_push_uuid(args, ids[i].bytes);
}

void store_read_known(struct txn *txn, const struct id *ids, size_t count, db_result_fn *on_rows,
                      void *arg)
{
    struct db_args args;

    db_args_init(&args);
    push_ids(&args, ids, count);
    txn_read(txn, "select event_id from event where event_id = any($1::uuid[])", &args, on_rows,
             arg);
}

void store_read_moments(struct txn *txn, const struct id *ids, size_t count, db_result_fn *on_rows,
                        void *arg)
{
    struct db_args args;

    db_args_init(&args);
    push_ids(&args, ids, count);
    txn_read(txn,
             "with root as ("
             "  select distinct coalesce(m.root_id, a.id) as id"
             "  from unnest($1::uuid[]) as a(id) left join moment m on m.moment_id = a.id),"
             " part as ("
             "  select id as root_id, id as moment_id from root"
             "  union all"
             "  select r.id, m.moment_id from root r"
             "  join moment m on m.root_id = r.id and m.root_id <> m.moment_id)"
             " select p.root_id, p.moment_id, m.system, m.contact_id, m.repeat_contacts, e.body"
             " from part p left join moment m on m.moment_id = p.moment_id"
             " left join event e on e.moment_id = p.moment_id",
             &args, on_rows, arg);
}

void store_read_customers(struct txn *txn, const struct customer_row *rows, size_t count,
                          db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_array(&args, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_push_text(&args, rows[i].system);
    db_array(&args, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_push_text(&args, rows[i].address);
    txn_read(txn,
             "select c.system, c.address, c.customer_id, m.moment_id, m.started_at"
             " from unnest($1::text[], $2::text[]) as a(system, address)"
             " join customer c on c.system = a.system and c.address = a.address"
             " left join lateral ("
             "  select moment_id, started_at from moment"
             "  where customer_id = c.customer_id and root_id = moment_id"
             "  order by started_at desc limit 200) m on true",
             &args, on_rows, arg);
}

void store_read_agents(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn,
             "select system, agent, name, site, presence, since, last_at, reason, queues"
             " from agent",
             &args, on_rows, arg);
}

/* Pushes one column of an array of rows as an array argument. */
#define PUSH_COLUMN(args, type, push, rows, count, expression)                                     \
    do {                                                                                           \
        db_array((args), (type));                                                                  \
        for (size_t i_ = 0; i_ < (count); i_++) {                                                  \
            const typeof(*(rows)) *row = &(rows)[i_];                                              \
            push((args), expression);                                                              \
        }                                                                                          \
    } while (0)

void store_write_events(struct txn *txn, const struct event_row *rows, size_t count)
{
    struct db_args args;

    if (count == 0)
        return;
    db_args_init(&args);
    PUSH_COLUMN(&args, DB_UUID, db_push_uuid, rows, count, row->event_id.bytes);
    db_array(&args, DB_UUID);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].has_moment)
            db_push_uuid(&args, rows[i].moment_id.bytes);
        else
            db_push_null(&args);
    }
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->source);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->system);
    PUSH_COLUMN(&args, DB_I32, db_push_i32, rows, count, row->type);
    PUSH_COLUMN(&args, DB_TIME, db_push_time, rows, count, row->occurred_at);
    PUSH_COLUMN(&args, DB_TIME, db_push_time, rows, count, row->received_at);
    db_array(&args, DB_BYTES);
    for (size_t i = 0; i < count; i++)
        db_push_bytes(&args, rows[i].body, rows[i].len);
    txn_write(txn,
              "insert into event (event_id, moment_id, source, system, type, occurred_at,"
              " received_at, body)"
              " select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int4[],"
              " $6::timestamptz[], $7::timestamptz[], $8::bytea[])",
              &args);
}

static void push_moment_facts(struct db_args *args, const struct moment_row *rows, size_t count)
{
    PUSH_COLUMN(args, DB_I32, db_push_i32, rows, count, (int32_t)row->revision);
    PUSH_COLUMN(args, DB_BOOL, db_push_bool, rows, count, row->is_open);
    PUSH_COLUMN(args, DB_TIME, db_push_time, rows, count, row->started_at);
    PUSH_COLUMN(args, DB_TIME, db_push_time, rows, count, row->last_event_at);
    PUSH_COLUMN(args, DB_TIME, db_push_time, rows, count, row->heard_at);
    PUSH_COLUMN(args, DB_I32, db_push_i32, rows, count, (int32_t)row->repeat_contacts);
    db_array(args, DB_BYTES);
    for (size_t i = 0; i < count; i++)
        db_push_bytes(args, rows[i].snapshot, rows[i].len);
}

void store_write_moments(struct txn *txn, const struct moment_row *rows, size_t count)
{
    struct db_args args;

    if (count == 0)
        return;
    db_args_init(&args);
    PUSH_COLUMN(&args, DB_UUID, db_push_uuid, rows, count, row->moment_id.bytes);
    PUSH_COLUMN(&args, DB_UUID, db_push_uuid, rows, count, row->root_id.bytes);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->system);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->contact_id);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->site);
    db_array(&args, DB_UUID);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].has_customer)
            db_push_uuid(&args, rows[i].customer_id.bytes);
        else
            db_push_null(&args);
    }
    push_moment_facts(&args, rows, count);
    txn_write(txn,
              "insert into moment (moment_id, root_id, system, contact_id, site, customer_id,"
              " revision, is_open, started_at, last_event_at, heard_at, repeat_contacts, snapshot)"
              " select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[],"
              " $6::uuid[], $7::int4[], $8::bool[], $9::timestamptz[], $10::timestamptz[],"
              " $11::timestamptz[], $12::int4[], $13::bytea[])"
              " on conflict (moment_id) do update set root_id = excluded.root_id,"
              " site = excluded.site, customer_id = excluded.customer_id,"
              " revision = excluded.revision, is_open = excluded.is_open,"
              " started_at = excluded.started_at, last_event_at = excluded.last_event_at,"
              " heard_at = excluded.heard_at, repeat_contacts = excluded.repeat_contacts,"
              " snapshot = excluded.snapshot",
              &args);
}

void store_write_merge(struct txn *txn, const struct id *part, const struct id *whole)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, part->bytes);
    db_uuid(&args, whole->bytes);
    txn_write(txn,
              "update moment set root_id = $2::uuid"
              " where root_id = $1::uuid and moment_id <> $2::uuid",
              &args);
}

void store_write_customers(struct txn *txn, const struct customer_row *rows, size_t count,
                           int64_t now_us)
{
    struct db_args args;

    if (count == 0)
        return;
    db_args_init(&args);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->system);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->address);
    PUSH_COLUMN(&args, DB_UUID, db_push_uuid, rows, count, row->customer_id.bytes);
    db_time(&args, now_us);
    txn_write(txn,
              "insert into customer (system, address, customer_id, first_seen_at)"
              " select system, address, id, $4::timestamptz"
              " from unnest($1::text[], $2::text[], $3::uuid[]) as c(system, address, id)",
              &args);
}

void store_write_agents(struct txn *txn, const struct agent_row *rows, size_t count, int64_t now_us)
{
    struct db_args args;

    if (count == 0)
        return;
    db_args_init(&args);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->system);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->agent);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->name);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->site);
    PUSH_COLUMN(&args, DB_I32, db_push_i32, rows, count, row->presence);
    PUSH_COLUMN(&args, DB_TIME, db_push_time, rows, count, row->since);
    PUSH_COLUMN(&args, DB_TIME, db_push_time, rows, count, row->last_at);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->reason);
    PUSH_COLUMN(&args, DB_TEXT, db_push_text, rows, count, row->queues);
    db_time(&args, now_us);
    txn_write(txn,
              "insert into agent (system, agent, name, site, presence, since, last_at, reason,"
              " queues, first_seen_at)"
              " select a.*, $10::timestamptz from unnest($1::text[], $2::text[], $3::text[],"
              " $4::text[], $5::int4[], $6::timestamptz[], $7::timestamptz[], $8::text[],"
              " $9::text[]) as a"
              " on conflict (system, agent) do update set name = excluded.name,"
              " site = excluded.site, presence = excluded.presence, since = excluded.since,"
              " last_at = excluded.last_at, reason = excluded.reason, queues = excluded.queues",
              &args);
}

int store_silent_moments(struct db *db, int64_t before_us, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_time(&args, before_us);
    return db_query(db,
                    "select system, contact_id, last_event_at, site from moment"
                    " where is_open and heard_at < $1::timestamptz"
                    " order by started_at limit 200",
                    &args, on_rows, arg);
}

int store_open_moments(struct db *db, const char *system, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, system);
    return db_query(db,
                    "select contact_id, snapshot from moment"
                    " where is_open and system = $1::text order by started_at desc limit 4000",
                    &args, on_rows, arg);
}

int store_moment(struct db *db, const struct id *moment_id, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    return db_query(db, "select site, snapshot from moment where moment_id = $1::uuid", &args,
                    on_rows, arg);
}

int store_moment_events(struct db *db, const struct id *moment_id, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    return db_query(db,
                    "select e.body from event e where e.moment_id in ("
                    "  select $1::uuid union all"
                    "  select moment_id from moment where root_id = $1::uuid"
                    "  and root_id <> moment_id)"
                    " order by e.occurred_at, e.received_at, e.event_id limit 4096",
                    &args, on_rows, arg);
}

/* --- sources --------------------------------------------------------------------------------- */

static const char *const secret_kinds[] = {
    [SECRET_TOKEN] = "token",
    [SECRET_WEBHOOK] = "webhook",
    [SECRET_PASSWORD] = "password",
    [SECRET_CURVE] = "curve",
};

int store_sources(struct db *db, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    return db_query(
        db,
        "select s.source_id, s.kind, s.name, s.system, s.site, s.options::text,"
        " h.heard_at, h.received_at from source s left join source_heard h using (source_id)"
        " where s.removed_at is null order by s.source_id",
        &args, on_rows, arg);
}

int store_secrets(struct db *db, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    return db_query(db,
                    "select source_id, kind, value from source_secret where retired_at is null"
                    " order by secret_id",
                    &args, on_rows, arg);
}

void store_read_source(struct txn *txn, const char *name, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, name);
    txn_read(txn, "select source_id from source where name = $1::text and removed_at is null",
             &args, on_rows, arg);
}

void store_add_source(struct txn *txn, const struct new_source *source)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, source->kind);
    db_text(&args, source->name);
    db_text(&args, source->system);
    db_text(&args, source->site);
    db_text(&args, source->options_json);
    db_time(&args, source->now_us);
    db_text(&args, source->added_by);
    txn_write(txn,
              "insert into source (kind, name, system, site, options, added_at, added_by)"
              " values ($1::text, $2::text, $3::text, $4::text, $5::text::jsonb,"
              " $6::timestamptz, $7::text)",
              &args);
}

void store_add_secret(struct txn *txn, const char *name, enum secret_kind kind, const void *value,
                      size_t len, int64_t now_us)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, name);
    db_text(&args, secret_kinds[kind]);
    db_bytes(&args, value, len);
    db_time(&args, now_us);
    txn_write(txn,
              "insert into source_secret (source_id, kind, value, added_at)"
              " select source_id, $2::text, $3::bytea, $4::timestamptz from source"
              " where name = $1::text and removed_at is null",
              &args);
}

void store_retire_secrets(struct txn *txn, const char *name, enum secret_kind kind, int keep,
                          int64_t now_us)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, name);
    db_text(&args, secret_kinds[kind]);
    db_i32(&args, keep);
    db_time(&args, now_us);
    txn_write(txn,
              "update source_secret set retired_at = $4::timestamptz where secret_id in ("
              " select x.secret_id from source_secret x join source s using (source_id)"
              " where s.name = $1::text and s.removed_at is null and x.kind = $2::text"
              " and x.retired_at is null order by x.secret_id desc offset $3::int4)",
              &args);
}

void store_remove_source(struct txn *txn, const char *name, const char *removed_by, int64_t now_us)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, name);
    db_time(&args, now_us);
    txn_write(txn,
              "update source_secret set retired_at = $2::timestamptz where retired_at is null"
              " and source_id = (select source_id from source"
              "  where name = $1::text and removed_at is null)",
              &args);
    db_args_init(&args);
    db_text(&args, name);
    db_time(&args, now_us);
    db_text(&args, removed_by);
    txn_write(txn,
              "update source set removed_at = $2::timestamptz, removed_by = $3::text"
              " where name = $1::text and removed_at is null",
              &args);
}

void store_source_heard(struct txn *txn, int64_t source_id, int64_t heard_at, int64_t received_at)
{
    struct db_args args;

    db_args_init(&args);
    db_i64(&args, source_id);
    db_time(&args, heard_at);
    db_time(&args, received_at);
    txn_write(txn,
              "insert into source_heard (source_id, heard_at, received_at)"
              " values ($1::int8, $2::timestamptz, $3::timestamptz)"
              " on conflict (source_id) do update set heard_at = excluded.heard_at,"
              " received_at = excluded.received_at",
              &args);
}

/* --- files ----------------------------------------------------------------------------------- */

int store_cursors(struct db *db, const char *source, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, source);
    return db_query(db,
                    "select device, inode, fingerprint, read_to from file_cursor"
                    " where source = $1::text order by at desc limit 100",
                    &args, on_rows, arg);
}

void store_write_cursor(struct txn *txn, const struct file_position *position, int64_t now_us)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, position->source);
    db_i64(&args, (int64_t)position->device);
    db_i64(&args, (int64_t)position->inode);
    db_bytes(&args, position->fingerprint, position->fingerprint_len);
    db_i64(&args, (int64_t)position->read_to);
    db_time(&args, now_us);
    txn_write(txn,
              "insert into file_cursor (source, device, inode, fingerprint, read_to, at)"
              " values ($1::text, $2::int8, $3::int8, $4::bytea, $5::int8, $6::timestamptz)"
              " on conflict (source, device, inode, fingerprint)"
              " do update set read_to = excluded.read_to, at = excluded.at",
              &args);
}

/* --- directory ------------------------------------------------------------------------------- */

int store_directory(struct db *db, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    return db_query(db, "select body from directory where valid_to is null order by kind, id",
                    &args, on_rows, arg);
}

void store_read_directory(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select body from directory where valid_to is null", &args, on_rows, arg);
}

void store_read_time_zones(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select name from pg_timezone_names", &args, on_rows, arg);
}

void store_write_directory(struct txn *txn, const char *kind, const char *id,
                           const struct slice *body, const char *changed_by, int64_t now_us)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, kind);
    db_text(&args, id);
    db_time(&args, now_us);
    txn_write(txn,
              "update directory set valid_to = $3::timestamptz"
              " where kind = $1::text and id = $2::text and valid_to is null",
              &args);
    db_args_init(&args);
    db_text(&args, kind);
    db_text(&args, id);
    db_bytes(&args, body->at, body->len);
    db_time(&args, now_us);
    db_text(&args, changed_by);
    txn_write(txn,
              "insert into directory (kind, id, body, valid_from, changed_by)"
              " values ($1::text, $2::text, $3::bytea, $4::timestamptz, $5::text)",
              &args);
}
