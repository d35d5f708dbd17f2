/* store_webhooks - the SQL of webhooks and deliveries: one function per statement. Loop thread. */
#ifndef MOMENT_RECOGNITION_STORE_WEBHOOKS_H
#define MOMENT_RECOGNITION_STORE_WEBHOOKS_H

#include "io/listing.h"
#include "recognition/codec.h"

#define STORE_SELECT_WEBHOOK "select body from webhook where webhook_id = $1::uuid"

/* -ENOMEM. */
must_check int store_save_webhook(struct txn *txn, const Moment__V1__Webhook *webhook);
void store_save_webhook_key(struct txn *txn, const char *webhook_id, const void *key, size_t len);
/* Its key and its deliveries; the webhook itself stays as removed. */
void store_strip_webhook(struct txn *txn, const char *webhook_id);
/* One row: how many there are. */
void store_load_webhook_count(struct txn *txn, db_result_fn *on_rows, void *arg);
/* Rows: body, key. */
must_check int store_webhooks(struct db *db, db_result_fn *on_rows, void *arg);
/* Answers the call, oldest first. */
void store_list_webhooks(struct db *db, struct call *call);

/* For each enabled webhook that wants this kind of post. */
void store_queue_deliveries(struct txn *txn, int32_t kind, uint64_t seq);
/* At most one row: seq, attempts, next_at, at, body (a PostChanged). */
must_check int store_next_delivery(struct db *db, const struct id *webhook_id,
                                   db_result_fn *on_rows, void *arg);
void store_delivered(struct txn *txn, const struct id *webhook_id, uint64_t seq);
void store_retry_delivery(struct txn *txn, const struct id *webhook_id, uint64_t seq,
                          uint32_t attempts, int64_t next_at);
/* -ENOMEM. */
must_check int store_bury_delivery(struct txn *txn, const struct id *webhook_id, uint64_t seq,
                                   const Moment__V1__DeadLetter *letter);
/* Answers the call, newest first. */
void store_list_dead_letters(struct db *db, struct call *call, const struct listing *page,
                             const struct id *webhook_id);
/* One row: how many. */
must_check int store_count_dead_letters(struct db *db, db_result_fn *on_rows, void *arg);

/* One row: how many deliveries a replay will make. since_at 0: of the dead letters. */
void store_load_replay_count(struct txn *txn, const char *webhook_id, int64_t since_at,
                             db_result_fn *on_rows, void *arg);
void store_replay(struct txn *txn, const char *webhook_id, int64_t since_at);

#endif
