/* recognition - catching people doing it right: candidates for praise.
 *
 * A candidate needs two halves that come by two streams: the moment with its survey (ingest) and
 * its evaluation (feedback). Neither waits for the other: each is written to its half of the row,
 * and the detector looks at what is there. When later facts take the reason away the candidate is
 * withdrawn by a revision that says so.
 *
 * Memory holds a moment's halves only between the load of its records and their apply. Running out
 * of memory in the middle of an apply ends the process. Loop thread. */
#ifndef MOMENT_RECOGNITION_RECOGNITION_H
#define MOMENT_RECOGNITION_RECOGNITION_H

#include "io/service.h"
#include "recognition/store.h"

extern struct metric recognition_candidates_total;

int recognition_start(struct service *service, void **ret_state);
void recognition_load(void *state, struct txn *txn, const struct record *record);
int recognition_apply(void *state, struct txn *txn, const char *producer,
                      const struct record *record);
void recognition_forget(void *state);
void recognition_reload(void *state);
void recognition_stop(void *state);

void recognition_list_candidates(void *state, struct call *call);

#endif
