/* store - all the SQL of ingest.
 *
 * Functions that take a txn only add statements to it; callbacks run as io/stream.h says. Those
 * that take a db are queries outside the writer's transactions. Rows given to writers are borrowed
 * for the call. Loop thread only. */
#ifndef MOMENT_INGEST_STORE_H
#define MOMENT_INGEST_STORE_H

#include "base/id.h"
#include "io/stream.h"

struct event_row {
    struct id event_id;
    bool has_moment;
    struct id moment_id;
    const char *source, *system;
    int type;
    int64_t occurred_at, received_at;
    uint8_t *body; /* malloc'd; the owner frees it */
    size_t len;
};

struct moment_row {
    struct id moment_id, root_id;
    const char *system, *contact_id, *site;
    bool has_customer;
    struct id customer_id;
    uint32_t revision;
    bool is_open;
    int64_t started_at, last_event_at, heard_at;
    uint32_t repeat_contacts;
    uint8_t *snapshot; /* malloc'd; the owner frees it */
    size_t len;
};

struct customer_row {
    const char *system, *address;
    struct id customer_id;
};

struct agent_row {
    const char *system, *agent, *name, *site, *reason, *queues;
    int presence;
    int64_t since, last_at;
};

/* --- events ---------------------------------------------------------------------------------- */

/* Columns: event_id. */
void store_read_known(struct txn *txn, const struct id *ids, size_t count, db_result_fn *on_rows,
                      void *arg);
/* All events of the moments and of what is merged with them; a row with nulls for a new one.
 * Columns: root_id, moment_id, system, contact_id, repeat_contacts, body. */
void store_read_moments(struct txn *txn, const struct id *ids, size_t count, db_result_fn *on_rows,
                        void *arg);
/* Columns: system, address, customer_id, moment_id, started_at: their last contacts. */
void store_read_customers(struct txn *txn, const struct customer_row *rows, size_t count,
                          db_result_fn *on_rows, void *arg);
/* Columns: system, agent, name, site, presence, since, last_at, reason, queues. */
void store_read_agents(struct txn *txn, db_result_fn *on_rows, void *arg);

void store_write_events(struct txn *txn, const struct event_row *rows, size_t count);
void store_write_moments(struct txn *txn, const struct moment_row *rows, size_t count);
/* What was part of one moment is now part of another. */
void store_write_merge(struct txn *txn, const struct id *part, const struct id *whole);
void store_write_customers(struct txn *txn, const struct customer_row *rows, size_t count,
                           int64_t now_us);
void store_write_agents(struct txn *txn, const struct agent_row *rows, size_t count,
                        int64_t now_us);

/* Open moments not heard of since before: system, contact_id, last_event_at. */
must_check int store_silent_moments(struct db *db, int64_t before_us, db_result_fn *on_rows,
                                    void *arg);
/* Open moments of a system, newest first: contact_id, snapshot. */
must_check int store_open_moments(struct db *db, const char *system, db_result_fn *on_rows,
                                  void *arg);
/* Columns: site, snapshot. */
must_check int store_moment(struct db *db, const struct id *moment_id, db_result_fn *on_rows,
                            void *arg);
/* Columns: body; of the moment and of what was merged into it. */
must_check int store_moment_events(struct db *db, const struct id *moment_id, db_result_fn *on_rows,
                                   void *arg);

/* --- sources --------------------------------------------------------------------------------- */

enum secret_kind { SECRET_TOKEN, SECRET_WEBHOOK, SECRET_PASSWORD, SECRET_CURVE };

/* Columns: source_id, kind, name, system, site, options (json text), heard_at, received_at. Not
 * removed ones. */
must_check int store_sources(struct db *db, db_result_fn *on_rows, void *arg);
/* Columns: source_id, kind, value; valid ones, oldest first. */
must_check int store_secrets(struct db *db, db_result_fn *on_rows, void *arg);
/* Columns: source_id. */
void store_read_source(struct txn *txn, const char *name, db_result_fn *on_rows, void *arg);

struct new_source {
    const char *kind, *name, *system, *site, *options_json, *added_by;
    int64_t now_us;
};
void store_add_source(struct txn *txn, const struct new_source *source);
void store_add_secret(struct txn *txn, const char *name, enum secret_kind kind, const void *value,
                      size_t len, int64_t now_us);
/* Keeps the newest `keep` secrets of the kind. */
void store_retire_secrets(struct txn *txn, const char *name, enum secret_kind kind, int keep,
                          int64_t now_us);
void store_remove_source(struct txn *txn, const char *name, const char *removed_by, int64_t now_us);
void store_source_heard(struct txn *txn, int64_t source_id, int64_t heard_at, int64_t received_at);

/* --- files ----------------------------------------------------------------------------------- */

struct file_position {
    const char *source;
    uint64_t device, inode;
    const void *fingerprint;
    size_t fingerprint_len;
    uint64_t read_to;
};
/* Columns: device, inode, fingerprint, read_to; newest first. */
must_check int store_cursors(struct db *db, const char *source, db_result_fn *on_rows, void *arg);
void store_write_cursor(struct txn *txn, const struct file_position *position, int64_t now_us);

/* --- directory ------------------------------------------------------------------------------- */

/* Columns: body. */
must_check int store_directory(struct db *db, db_result_fn *on_rows, void *arg);
/* Columns: kind, id, body; all current rows. */
void store_read_directory(struct txn *txn, db_result_fn *on_rows, void *arg);
/* Columns: name; every time zone that the database can reckon with. */
void store_read_time_zones(struct txn *txn, db_result_fn *on_rows, void *arg);
void store_write_directory(struct txn *txn, const char *kind, const char *id,
                           const struct slice *body, const char *changed_by, int64_t now_us);

#endif
