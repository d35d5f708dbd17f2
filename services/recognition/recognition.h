/* recognition - catching people doing it right: candidates for praise, the wall, webhooks.
 *
 * A candidate needs two halves that come by two streams: the moment with its survey (ingest) and
 * its evaluation (feedback). Neither waits for the other: each is written to its half of the row,
 * and the detector looks at what is there. When later facts take the reason away the candidate is
 * withdrawn by a revision that says so. A public praise note (feedback) becomes a post on the wall
 * and settles the candidate of its moment, whichever of the two comes first.
 *
 * Memory holds a moment's halves only between the load of its records and their apply. Running out
 * of memory in the middle of an apply ends the process. Loop thread. */
#ifndef MOMENT_RECOGNITION_RECOGNITION_H
#define MOMENT_RECOGNITION_RECOGNITION_H

#include "io/entity.h"
#include "io/service.h"
#include "recognition/store.h"

#define RECOGNITION_BUCKETS 1024u

struct entry;
struct wall;
struct webhooks;
struct refusal;

struct recognition {
    struct service *service; /* borrowed */
    struct detect_limits limits;
    struct entry *entries[RECOGNITION_BUCKETS]; /* owned: moments between load and apply */
    struct entities *candidates;                /* owned, as all below */
    struct wall *wall;
    struct webhooks *webhooks;
};

int recognition_start(struct service *service, void **ret_state);
void recognition_load(void *state, struct txn *txn, const struct record *record);
int recognition_apply(void *state, struct txn *txn, const char *producer,
                      const struct record *record);
void recognition_forget(void *state);
void recognition_reload(void *state);
void recognition_drain(void *state);
void recognition_stop(void *state);

/* --- for its parts --- */

/* Ends the process if error is not 0: out of memory in the middle of an apply. */
void recognition_need(int error);
/* Zeroed memory, never null; free() it. */
void *recognition_new(size_t size);
/* A record of message's type on our stream; site "" is the service's own. Returns its seq. */
uint64_t recognition_emit(struct recognition *recognition, struct txn *txn, const char *site,
                          const char *key, const ProtobufCMessage *message);
/* False: the call was refused, since this is the id of nothing. what: "post". */
must_check bool recognition_check_id(struct call *call, const char *field, const char *id,
                                     const char *what);
/* True: the call was refused for that reason. Null is none. */
must_check bool recognition_refused(struct call *call, const struct refusal *refusal);
/* The same in apply: fills problem, returns negative. */
int recognition_refuse(struct problem *problem, const struct refusal *refusal);
/* A command without memory of its own; its state is the recognition. */
void recognition_command(struct recognition *recognition, struct call *call, command_load_fn *load,
                         command_apply_fn *apply);

#endif
