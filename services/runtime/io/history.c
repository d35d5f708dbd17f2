#include "io/history.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void history_init(struct history *history, struct loop *loop, uint16_t shard, size_t ring_bytes)
{
    *history = (struct history){.loop = loop, .shard = shard, .tail = 1};
    ring_init(&history->ring, ring_bytes);
}

void history_done(struct history *history)
{
    assert(!history->followers);
    ring_done(&history->ring);
    free(history->epochs);
    history->epochs = NULL;
    history->epoch_count = 0;
}

int history_add_epoch(struct history *history, uint32_t epoch, uint64_t start_seq)
{
    if (history->epoch_count > 0) {
        const struct epoch_start *last = &history->epochs[history->epoch_count - 1];
        if (epoch <= last->epoch)
            return 0;
    }
    struct epoch_start *epochs =
        realloc(history->epochs, (history->epoch_count + 1) * sizeof(struct epoch_start));
    if (!epochs)
        return -ENOMEM;
    history->epochs = epochs;
    epochs[history->epoch_count++] = (struct epoch_start){epoch, start_seq};
    return 0;
}

int history_check(const struct history *history, struct position from)
{
    if (from.seq == 0)
        return history->tail > 1 ? -ERANGE : 0;
    const struct epoch_start *own = NULL;
    uint64_t end = history->head.seq;
    for (size_t i = 0; i < history->epoch_count; i++) {
        const struct epoch_start *one = &history->epochs[i];
        if (one->epoch == from.epoch)
            own = one;
        if (one->epoch > from.epoch) {
            end = one->start_seq - 1;
            break;
        }
    }
    if (!own || from.seq > end)
        return -EILSEQ;
    return from.seq + 1 < history->tail ? -ERANGE : 0;
}
