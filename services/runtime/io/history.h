/* history - what the readers of a stream stand on: its committed head, its epochs, its ring.
 *
 * Inside of stream: written by stream.c, read by follower.c. Loop thread only. */
#ifndef MOMENT_IO_HISTORY_H
#define MOMENT_IO_HISTORY_H

#include "io/ring.h"

struct epoch_start {
    uint32_t epoch;
    uint64_t start_seq;
};

struct history {
    struct loop *loop; /* borrowed */
    struct db *reader; /* owned; for cold records */
    uint16_t shard;
    bool is_known; /* head, tail and epochs have been read at least once */
    struct position head;
    uint64_t tail;
    struct epoch_start *epochs; /* owned; ascending */
    size_t epoch_count;
    struct ring ring;
    struct follower *followers; /* a list; owned by who opened them */
};

/* The history of this stream: for follower.c. */
struct history *stream_history(struct stream *stream);

void history_init(struct history *history, struct loop *loop, uint16_t shard, size_t ring_bytes);
void history_done(struct history *history);
/* Epochs are added in ascending order; one that is known already is ignored. -ENOMEM. */
must_check int history_add_epoch(struct history *history, uint32_t epoch, uint64_t start_seq);
/* 0: records after this position can be delivered. -ERANGE: they are no longer kept. -EILSEQ: the
 * position is past the end of its epoch, or of an epoch that never was. */
must_check int history_check(const struct history *history, struct position from);

/* follower.c: look again for something to deliver. */
void follower_wake_all(struct history *history);

extern struct metric stream_cold_reads_total;

#endif
