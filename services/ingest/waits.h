/* waits - who waits until what is committed now has been read from the tables again.
 *
 * A reading that is already under way may miss it, so that one waits for the next reading. Owned
 * by who reads; one thread. */
#ifndef MOMENT_INGEST_WAITS_H
#define MOMENT_INGEST_WAITS_H

struct wait;

/* All zero is empty. */
struct waits {
    struct wait *now;   /* for the reading under way */
    struct wait *later; /* for the one after it */
};

/* done(arg) is called once. It may not add to the same waits. */
void waits_add(struct waits *waits, void (*done)(void *arg), void *arg);
/* A reading begins; one that fails keeps its waits for the next. */
void waits_begin(struct waits *waits);
/* It succeeded and its result is in place. */
void waits_end(struct waits *waits);
/* Nothing will be read any more: tells everybody. */
void waits_give_up(struct waits *waits);

#endif
