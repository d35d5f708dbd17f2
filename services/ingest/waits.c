/* waits - see the header. */
#include "ingest/waits.h"

#include <stdlib.h>

struct wait {
    struct wait *next;
    void (*done)(void *arg);
    void *arg;
};

static struct wait **end_of(struct wait **at)
{
    while (*at)
        at = &(*at)->next;
    return at;
}

void waits_add(struct waits *waits, void (*done)(void *arg), void *arg)
{
    struct wait *wait = calloc(1, sizeof(*wait));

    if (!wait)
        abort();
    wait->done = done;
    wait->arg = arg;
    *end_of(&waits->later) = wait;
}

void waits_begin(struct waits *waits)
{
    *end_of(&waits->now) = waits->later;
    waits->later = NULL;
}

void waits_end(struct waits *waits)
{
    struct wait *wait = waits->now;

    waits->now = NULL;
    while (wait) {
        struct wait *next = wait->next;

        wait->done(wait->arg);
        free(wait);
        wait = next;
    }
}

void waits_give_up(struct waits *waits)
{
    waits_begin(waits);
    waits_end(waits);
}
