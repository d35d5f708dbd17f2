/* candidates - proposals to praise, each settled by a person once: praised or dismissed.
 *
 * A candidate belongs to one moment and derives its id from it. Later facts revise or withdraw it
 * until a person decided; that stays. Loop thread. */
#ifndef MOMENT_RECOGNITION_CANDIDATES_H
#define MOMENT_RECOGNITION_CANDIDATES_H

#include "io/entity.h"
#include "recognition/recognition.h"

extern const struct entity_kind candidate_kind;
extern struct metric recognition_candidates_total;

/* In load, of a moment. */
void candidates_load(struct recognition *recognition, struct txn *txn, const struct id *moment_id);
/* In apply. now (consumed) is what the facts say; praise (may be null) the note that praised
 * somebody for this moment. */
void candidates_update(struct recognition *recognition, struct txn *txn, Moment__V1__Candidate *now,
                       const Moment__V1__Note *praise);
/* In apply, of this moment: an open candidate of whom the note praises is settled by it. */
void candidates_praise(struct recognition *recognition, struct txn *txn, const struct id *moment_id,
                       const Moment__V1__Note *praise);

void recognition_list_candidates(void *state, struct call *call);
void recognition_dismiss_candidate(void *state, struct call *call);

#endif
