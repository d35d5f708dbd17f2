/* intake - what a consumer received and has not applied: checks order, holds records, cuts chunks.
 *
 * Pure: no socket, no database. DATA counts only with the subscription's nonce and when first_seq
 * is the expected number; so ZeroMQ may lose, repeat and reorder. Not thread safe. */
#ifndef MOMENT_IO_INTAKE_H
#define MOMENT_IO_INTAKE_H

#include "io/stream.h"
#include "moment/v1/stream.pb-c.h"

/* One record with its own memory. */
struct intake_item {
    struct intake_item *next;
    struct record record; /* points into text and body behind it */
    size_t weight;        /* in credit */
};

struct intake {
    uint64_t nonce;
    uint64_t expected; /* seq of the next record */
    struct intake_item *first;
    struct intake_item **last_at;
    size_t count;
    size_t weight;
};

void intake_init(struct intake *intake);
void intake_done(struct intake *intake);
/* A new subscription: forget everything, expect after + 1. */
void intake_restart(struct intake *intake, uint64_t nonce, uint64_t after);
/* -ESTALE: of an older subscription, ignore. -EPROTO: not what follows, subscribe again. -ENOMEM.
 * After -EPROTO and -ENOMEM nothing of the frame was taken. */
must_check int intake_take(struct intake *intake, const Moment__V1__Data *data);
/* Cut the next at most max records and about max_weight from the front; null if there are none. */
struct intake_item *intake_cut(struct intake *intake, size_t max, size_t max_weight);
/* Give a cut back to the front. */
void intake_put_back(struct intake *intake, struct intake_item *items);
void intake_free_items(struct intake_item *items);

#endif
