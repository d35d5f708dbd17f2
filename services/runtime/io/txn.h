/* txn - one batch of works on its way through load, apply and COMMIT.
 *
 * Inside of stream: stream.c drives it, works add to it. It holds the works and the records they
 * emitted until stream.c knows the outcome. Loop thread only. */
#ifndef MOMENT_IO_TXN_H
#define MOMENT_IO_TXN_H

#include "io/ring.h"

struct txn {
    struct db *writer; /* borrowed */
    enum { TXN_EMPTY, TXN_LOADING, TXN_APPLYING, TXN_SENT } phase;
    uint64_t serial; /* tells transactions of this process apart, those that failed too */
    uint16_t shard;
    uint32_t epoch;
    uint64_t number; /* of the batch within its epoch */
    int64_t now_us;
    int64_t began_us; /* monotonic */
    uint64_t first_seq;
    uint8_t hash[SEAL_HASH_SIZE]; /* of the last record emitted, or of the head */

    struct work *works; /* in order of submission */
    size_t work_count;
    int *refusals; /* owned; what each apply returned */
    size_t applied;
    size_t reads;
    size_t writes;
    int status; /* negative: a part of it could not be added; it must not commit */

    struct ring_item **items; /* owned */
    size_t item_count;
    size_t item_capacity;
    size_t item_bytes;
    /* A rival wrote these numbers, or they have no partition. That is no work's fault, and is cured
     * by claiming the stream anew. */
    bool has_no_place;
};

/* Takes the works over. base: the head to append to. -ENOMEM: the works are still the caller's. */
must_check int txn_init(struct txn *txn, struct db *writer, struct work *works, size_t count);
/* Frees records and refusals; the works have been taken out before. */
void txn_done(struct txn *txn);
/* Calls every load. 1: on_loaded will be called; 0: there was nothing to read; negative: lost. */
must_check int txn_load(struct txn *txn, db_result_fn *on_loaded, void *arg);
/* Calls every apply and sends the whole. Negative: not sent, so surely not committed. */
must_check int txn_apply(struct txn *txn, db_result_fn *on_done, void *arg);

#endif
