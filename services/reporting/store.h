/* store - all SQL of reporting, one function per statement.
 *
 * store_put_* and the other functions that take a txn write inside the stream's transaction; those
 * that take a db read on the reading connection and return what db_query or db_add returns.
 * Columns of results are listed with each reader. Loop thread only. */
#ifndef MOMENT_REPORTING_STORE_H
#define MOMENT_REPORTING_STORE_H

#include "io/db.h"
#include "io/stream.h"
#include "reporting/codec.h"
#include "reporting/names.h"
#include "reporting/rules/counts.h"
#include "reporting/rules/visibility.h"

/* --- projections --------------------------------------------------------------------------- */

void store_load_names(struct txn *txn, struct names *names);
/* names: for the teams of visits that the last person did not serve. */
void store_put_moment(struct txn *txn, const struct fact *fact, const struct names *names,
                      struct slice snapshot);
void store_put_agent(struct txn *txn, const struct fact *fact, struct slice body);
void store_put_alert(struct txn *txn, const struct fact *fact, const char *team, struct slice body);
void store_put_candidate(struct txn *txn, const struct fact *fact, const char *team,
                         struct slice body);
void store_put_site(struct txn *txn, const struct fact *fact);
void store_put_team(struct txn *txn, const struct fact *fact);
void store_put_person(struct txn *txn, const struct fact *fact);
void store_put_queue(struct txn *txn, const struct fact *fact);
void store_see_queue(struct txn *txn, const char *queue, const char *site);

/* --- moments ------------------------------------------------------------------------------- */

/* Null or 0: no filter. With is_visit the filters site to channel, visit_outcome and none are about
 * one visit that entered in [entered_from, entered_to). */
struct moment_filter {
    const char *source, *site, *queue, *team, *person, *channel;
    const char *outcome, *state, *visit_outcome;
    const char *none; /* site, queue, team, person or channel: the visit has none */
    int64_t from, to, entered_from, entered_to;
    bool is_visit;
    int64_t after_at; /* the last row of the page before; 0: the first page */
    struct id after_id;
    int32_t limit;
};

/* snapshot, listed_at, moment_id; newest first, limit + 1 rows. */
must_check int store_list_moments(struct db *db, const struct reader *reader,
                                  const struct moment_filter *filter, db_result_fn *on_rows,
                                  void *arg);
/* snapshot; no row: absent, or not for this reader. */
must_check int store_find_moment(struct db *db, const struct reader *reader, const struct id *id,
                                 db_result_fn *on_rows, void *arg);

/* --- figures ------------------------------------------------------------------------------- */

struct interval_question {
    const char *from, *to; /* RFC 3339, or a date: midnight in tz */
    bool from_is_date, to_is_date;
    const char *tz;
    const char *bucket;                                 /* 15m 30m hour day week all */
    const char *by;                                     /* none site queue team person channel */
    const char *site, *queue, *team, *person, *channel; /* null: no filter */
    int64_t threshold_ms, short_ms;
};

#define STORE_COUNTS 20
/* from, to, number of buckets at most. A time zone that is none fails with SQLSTATE 22023. */
must_check int store_resolve_interval(struct db *db, const struct interval_question *question,
                                      db_result_fn *on_rows, void *arg);
/* start, end, key, name, then STORE_COUNTS columns for store_get_counts. */
must_check int store_count_interval(struct db *db, const struct reader *reader,
                                    const struct interval_question *question, int64_t from,
                                    int64_t to, db_result_fn *on_rows, void *arg);
void store_get_counts(const struct db_rows *rows, size_t row, size_t first_column,
                      struct counts *ret_counts);

/* --- the floor: one snapshot, so that position, lists and counts belong together ----------- */

struct floor_question {
    int64_t day_start;
    int64_t now;
    int64_t threshold_ms, short_ms;
    int32_t moments_max;
};

/* When the day of now began in tz. A time zone that is none fails with SQLSTATE 22023. */
must_check int store_day_start(struct db *db, const char *tz, int64_t now, db_result_fn *on_rows,
                               void *arg);
/* Then the store_floor_* of one picture, then db_commit. */
must_check int store_begin_snapshot(struct db *db);
/* epoch, seq, at of the newest record; always one row, seq 0 if there is none. */
must_check int store_floor_position(struct db *db, db_result_fn *on_rows, void *arg);
/* queue, name, site, waiting, longest wait since, in progress, then STORE_COUNTS columns. */
must_check int store_floor_queues(struct db *db, const struct reader *reader,
                                  const struct floor_question *question, db_result_fn *on_rows,
                                  void *arg);
/* body, name, team */
must_check int store_floor_people(struct db *db, const struct reader *reader,
                                  const struct floor_question *question, db_result_fn *on_rows,
                                  void *arg);
/* snapshot; moments_max + 1 rows */
must_check int store_floor_moments(struct db *db, const struct reader *reader,
                                   const struct floor_question *question, db_result_fn *on_rows,
                                   void *arg);
/* body */
must_check int store_floor_alerts(struct db *db, const struct reader *reader, db_result_fn *on_rows,
                                  void *arg);
must_check int store_floor_candidates(struct db *db, const struct reader *reader,
                                      db_result_fn *on_rows, void *arg);
/* The same position outside of a snapshot. */
must_check int store_newest(struct db *db, db_result_fn *on_rows, void *arg);

/* --- directory ----------------------------------------------------------------------------- */

/* kind (site, team, person, queue), id, name, site, team, time zone or role, is_listed, coach; as
 * far as the reader's scope goes, an agent's own site */
must_check int store_list_directory(struct db *db, const struct reader *reader,
                                    db_result_fn *on_rows, void *arg);

/* --- accounts, sessions, tokens ------------------------------------------------------------ */

struct account {
    struct id user_id;
    const char *login, *name, *password_hash, *person_id, *by;
    const char *const *roles, *const *sites, *const *teams;
    size_t role_count, site_count, team_count;
};

struct token_row {
    struct id token_id;
    const char *name, *by;
    const uint8_t *hash;
    const char *const *roles, *const *sites, *const *teams;
    size_t role_count, site_count, team_count;
    int64_t expires_at; /* 0: never */
};

#define STORE_HASH_SIZE 32
/* user_id, login, name, roles, sites, teams, team_sites (JSON arrays), person_id, expires_at,
 * seen_at */
must_check int store_find_session(struct db *db, const uint8_t hash[STORE_HASH_SIZE], int64_t now,
                                  int64_t idle_us, db_result_fn *on_rows, void *arg);
must_check int store_find_token(struct db *db, const uint8_t hash[STORE_HASH_SIZE], int64_t now,
                                db_result_fn *on_rows, void *arg);
/* user_id, password_hash */
must_check int store_find_account(struct db *db, const char *login, db_result_fn *on_rows,
                                  void *arg);
/* user_id, login, name, roles, sites, teams, person_id, created_at, last_login_at, is removed */
must_check int store_list_accounts(struct db *db, db_result_fn *on_rows, void *arg);
/* token_id, name, roles, sites, teams, created_at, expires_at, last_used_at */
must_check int store_list_tokens(struct db *db, db_result_fn *on_rows, void *arg);

/* user_id, created_at, last_login_at; one row if that login is taken. */
void store_load_account(struct txn *txn, const char *login, db_result_fn *on_rows, void *arg);
/* One row if there is such a token. */
void store_load_token(struct txn *txn, const struct id *token_id, db_result_fn *on_rows, void *arg);
void store_add_account(struct txn *txn, const struct account *account);
/* By user_id; login, password_hash stay. What was before is kept. */
void store_edit_account(struct txn *txn, const struct account *account);
/* Ends every session of that login, too. */
void store_set_password(struct txn *txn, const char *login, const char *password_hash);
void store_remove_account(struct txn *txn, const char *login, const char *by);
void store_add_token(struct txn *txn, const struct token_row *token);
void store_remove_token(struct txn *txn, const struct id *token_id, const char *by);
void store_add_session(struct txn *txn, const uint8_t hash[STORE_HASH_SIZE],
                       const struct id *user_id, int64_t expires_at);
void store_touch_session(struct txn *txn, const uint8_t hash[STORE_HASH_SIZE]);
void store_touch_token(struct txn *txn, const uint8_t hash[STORE_HASH_SIZE]);
void store_end_session(struct txn *txn, const uint8_t hash[STORE_HASH_SIZE]);

#endif
