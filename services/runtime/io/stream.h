/* stream - STREAM and EPOCH: the durable, ordered facts of one service, its one writer, its
 * readers.
 *
 * Work. Everything that changes a service's tables is a struct work given to stream_submit: an
 * event batch, a command, a timer's decision, a chunk of another service's stream. Whatever queued
 * while the last commit ran becomes the next transaction (natural batching):
 *
 * - load, for each work: add reads. All run in one round trip before any apply.
 * - apply, for each work, in order of submission: add writes and records. Uses what load found,
 *   kept in the service's own cache, as changed by the applies before it. Returns 0, or negative:
 *   this work alone is refused, nothing of it may have been added.
 * - COMMIT, with the stream records, the hash chain, and always something in the WAL, in one
 *   pipeline sync.
 * - done: 0 is durable. Negative: refused (apply's error, told when the rest of the batch has
 *   settled), or -EBADMSG or -EEXIST with the SQL error after the batch was bisected down to this
 *   work, or -ECANCELED because the stream was closed first: the work may or may not be durable.
 *   Transient errors are not reported: the batch is tried again. done owns the work from then on.
 *
 * When a transaction did not commit, forget() is called before anything else runs: drop every cache
 * that an apply may have changed; load will be called again.
 *
 * EPOCH. The writer's connection holds pg_advisory_lock(hashtext(schema), shard) for as long as it
 * can commit. At each (re)connect it inserts an epoch row and commits: that fences a rival, waits
 * for replication, and tells whether a batch whose COMMIT was cut off is there. At most one batch
 * is in flight, so this is decidable. A warning on a COMMIT counts as a cut.
 *
 * Readers (struct follower) get every committed record after a position exactly once and in order,
 * from the memory ring or, when that has rolled over, from the table on a connection of their own.
 *
 * Loop thread only. Limits: STREAM_BATCH_WORKS works or STREAM_BATCH_BYTES per transaction;
 * stream_submit refuses with -ENOBUFS when more than queue_bytes_max are waiting, and with
 * -ESHUTDOWN after stream_drain. */
#ifndef MOMENT_IO_STREAM_H
#define MOMENT_IO_STREAM_H

#include "base/seal.h"
#include "io/db.h"

#define STREAM_BATCH_WORKS 2000
#define STREAM_BATCH_BYTES (4 * 1024 * 1024)

struct stream;
struct txn;

struct position {
    uint32_t epoch;
    uint64_t seq; /* 0: before the first record */
};

/* Everything is borrowed for the call. */
struct record {
    uint16_t shard;
    uint32_t epoch;
    uint64_t seq;
    const char *site;
    const char *key;
    const char *type; /* protobuf message name without package */
    int64_t at_us;
    struct slice body;
    uint8_t hash[SEAL_HASH_SIZE];
};

struct work;
struct work_ops {
    void (*load)(struct work *work, struct txn *txn); /* may be null */
    int (*apply)(struct work *work, struct txn *txn);
    void (*done)(struct work *work, int status,
                 const struct db_error *error); /* error may be null */
};

/* Embed in your own struct; zero it but for ops and bytes. */
struct work {
    const struct work_ops *ops;
    size_t bytes;      /* weight in queues: about its size on the wire */
    struct work *next; /* the stream's */
    uint32_t attempts; /* the stream's */
};

/* --- inside load --- */
/* on_rows is called before any apply, and only with status 0: if a read fails, no apply is called
 * and the batch is tried again or bisected. args consumed; null: none. */
void txn_read(struct txn *txn, const char *sql, struct db_args *args, db_result_fn *on_rows,
              void *arg);
/* --- inside apply --- */
/* args consumed; null: none. */
void txn_write(struct txn *txn, const char *sql, struct db_args *args);
/* A row with a body: the packed message is the last argument. -ENOMEM: nothing was added. */
must_check int txn_write_body(struct txn *txn, const char *sql, struct db_args *args,
                              const ProtobufCMessage *message);
/* Append a record; seq, epoch, shard and hash are filled in by the stream. Content is copied.
 * Returns the seq that it will have if this transaction commits. at_us 0: txn_now_us. */
uint64_t txn_emit(struct txn *txn, const char *site, const char *key, const char *type,
                  int64_t at_us, const void *body, size_t len);
/* The one time of this transaction. */
int64_t txn_now_us(const struct txn *txn);
/* Tells one transaction from another, also in load; never 0. */
uint64_t txn_serial(const struct txn *txn);

must_check int stream_submit(struct stream *stream, struct work *work);
struct position stream_head(const struct stream *stream);
uint64_t stream_tail(const struct stream *stream);
bool stream_is_ready(const struct stream *stream); /* has the lock and an epoch */
size_t stream_queued_bytes(const struct stream *stream);
/* The last error that kept the writer from working, "" since it works again. */
const char *stream_trouble(const struct stream *stream);

/* The chain: hash of a record from its predecessor's (zeroes before the first) and every field.
 * Canonical form: previous hash; shard, seq, epoch, at and the lengths of site, key, type, body as
 * 8 big-endian bytes each; then site, key, type, body. Pure. */
void stream_chain(const uint8_t previous[SEAL_HASH_SIZE], const struct record *record,
                  uint8_t ret_hash[SEAL_HASH_SIZE]);

/* For the README's table; stream_open registers them. Head and queue are the service's gauges. */
extern struct metric *const stream_metrics[];
extern const size_t stream_metric_count;

struct stream_options {
    const char *service; /* name, also the schema */
    uint16_t shard;
    const char *site;
    const char *dsn; /* keyword form; the stream makes two connections: writer, cold reads */
    size_t ring_bytes_max;
    size_t queue_bytes_max;
    void (*on_ready)(void *arg, bool is_ready); /* writer has its epoch / lost it */
    void (*forget)(void *arg);                  /* may be null */
    void *arg;
};

must_check int stream_open(struct loop *loop, const struct stream_options *options,
                           struct stream **ret_stream);
/* No new work; on_drained (never from inside this call) when the last batch has committed; the
 * stream may be closed in it. */
void stream_drain(struct stream *stream, void (*on_drained)(void *arg), void *arg);
/* Followers must be closed before. Works that are not done yet get -ECANCELED. */
void stream_close(struct stream **stream);

/* --- readers --- */
struct follower;
struct follower_ops {
    /* One committed record. Return false to pause: call follower_resume later; this record counts
     * as delivered. */
    bool (*on_record)(void *arg, const struct record *record);
    /* Caught up with the head (may be called often); may be null. */
    void (*on_idle)(void *arg);
    /* -ERANGE: position is older than the tail; -EILSEQ: past the end of its epoch (diverged);
     * the follower delivers nothing more. */
    void (*on_error)(void *arg, int error);
};

/* Delivery starts after the call returns. `from` is the last record the reader already has. */
must_check int follower_open(struct stream *stream, struct position from,
                             const struct follower_ops *ops, void *arg,
                             struct follower **ret_follower);
void follower_resume(struct follower *follower);
void follower_close(struct follower **follower);

#endif
