/* db - one libpq connection as a state machine: connect, prepare, pipeline, reconnect.
 *
 * Never blocks: names are not resolved here (the DSN carries a socket directory or hostaddr),
 * writes are flushed as the socket allows while results are read. Each SQL text is prepared once
 * per connection. Everything between db_begin and db_commit is one transaction and one pipeline
 * sync. Results are binary; read them with db_get_*. A lost connection fails everything in flight
 * with -ECONNRESET and is re-made with back-off. The only file that includes libpq is db.c.
 *
 * Status of a result: 0, -ECONNRESET (outcome unknown if it was a commit), -EAGAIN (transient:
 * SQLSTATE class 08 40 53 55 57 58), -EEXIST (23505), -EBADMSG (any other SQL error), -ECANCELED
 * (an earlier statement of the same sync failed). Loop thread only. */
#ifndef MOMENT_IO_DB_H
#define MOMENT_IO_DB_H

#include "base/metric.h"
#include "base/text.h"
#include "io/loop.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_ARGS_MAX 64

struct db;
struct db_rows; /* valid during the callback only */

/* Rows for a table of metrics; counted over all connections of the process. */
extern struct metric db_connects_total;
extern struct metric db_losses_total;

struct db_error {
    char sqlstate[6];
    char message[512];
};

/* Arguments are copied as they are added; db_args_done frees them (also after use). */
struct db_args {
    struct db_arg *items; /* owned */
    size_t count;
    bool failed; /* out of memory, or too many: the query is refused with -ENOMEM */
};

void db_args_init(struct db_args *args);
void db_args_done(struct db_args *args);
void db_null(struct db_args *args);
void db_bool(struct db_args *args, bool value);
void db_i32(struct db_args *args, int32_t value);
void db_i64(struct db_args *args, int64_t value);
void db_double(struct db_args *args, double value);
void db_text(struct db_args *args, const char *value);         /* null: SQL NULL */
void db_text_or_null(struct db_args *args, const char *value); /* "" too: SQL NULL */
void db_bytes(struct db_args *args, const void *bytes, size_t len);
void db_time(struct db_args *args, int64_t wall_us); /* timestamptz; 0: SQL NULL */
void db_uuid(struct db_args *args, const uint8_t bytes[16]);
void db_id(struct db_args *args, const char *text); /* a UUID; any other text: SQL NULL */
void db_texts(struct db_args *args, const char *const *texts, size_t count); /* an array */
void db_message(struct db_args *args, const ProtobufCMessage *message);      /* packed */

/* An array argument: open one, push its items, then go on with the next argument. */
enum db_type { DB_BOOL, DB_I32, DB_I64, DB_DOUBLE, DB_TEXT, DB_BYTES, DB_TIME, DB_UUID };
void db_array(struct db_args *args, enum db_type type);
void db_push_null(struct db_args *args);
void db_push_bool(struct db_args *args, bool value);
void db_push_i32(struct db_args *args, int32_t value);
void db_push_i64(struct db_args *args, int64_t value);
void db_push_double(struct db_args *args, double value);
void db_push_text(struct db_args *args, const char *value); /* null: NULL */
void db_push_bytes(struct db_args *args, const void *bytes, size_t len);
void db_push_time(struct db_args *args, int64_t wall_us); /* 0: NULL */
void db_push_uuid(struct db_args *args, const uint8_t bytes[16]);

typedef void db_result_fn(void *arg, int status, const struct db_rows *rows, /* null unless 0 */
                          const struct db_error *error);                     /* null if 0 */

/* on_state(true) when connected and ready (after on_connect's own statements may be sent),
 * on_state(false) when lost. */
must_check int db_open(struct loop *loop, const char *dsn, void (*on_state)(void *arg, bool is_up),
                       void *arg, struct db **ret_db);
/* Fails what is in flight, closes, frees when libuv is done. */
void db_close(struct db **db);
bool db_is_up(const struct db *db);
/* Why the last connection failed or ended, in the words of libpq on one line; "" if none did. */
const char *db_trouble(const struct db *db);
size_t db_in_flight(const struct db *db); /* statements without a result yet */
/* Drop the connection and make it again: the only way out of a state nobody understands. */
void db_reset(struct db *db);
/* A NOTICE or WARNING seen since the last call with true; on a writer's COMMIT it means unknown. */
bool db_take_notice(struct db *db);

/* One statement, its own transaction. args are consumed (db_args_done is called). on_result may be
 * null. Never calls on_result before returning. -ENOTCONN when down, -ENOMEM. */
must_check int db_query(struct db *db, const char *sql, struct db_args *args,
                        db_result_fn *on_result, void *arg);

/* One transaction in one sync: db_begin, any db_add, db_commit. on_result of each statement may be
 * null; on_done gets the status of the COMMIT's sync: 0 is durable. */
must_check int db_begin(struct db *db);
must_check int db_add(struct db *db, const char *sql, struct db_args *args, db_result_fn *on_result,
                      void *arg);
must_check int db_commit(struct db *db, db_result_fn *on_done, void *arg);

size_t db_count(const struct db_rows *rows);
bool db_is_null(const struct db_rows *rows, size_t row, size_t column);
bool db_get_bool(const struct db_rows *rows, size_t row, size_t column);
int64_t db_get_i64(const struct db_rows *rows, size_t row, size_t column);   /* int2, int4, int8 */
double db_get_double(const struct db_rows *rows, size_t row, size_t column); /* float4, float8 */
/* NUL-terminated; "" for NULL. text, varchar, name, json. */
const char *db_get_text(const struct db_rows *rows, size_t row, size_t column);
struct slice db_get_bytes(const struct db_rows *rows, size_t row, size_t column);
int64_t db_get_time(const struct db_rows *rows, size_t row, size_t column); /* us; 0 for NULL */
void db_get_uuid(const struct db_rows *rows, size_t row, size_t column, uint8_t ret_bytes[16]);

#endif
