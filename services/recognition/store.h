/* store - all SQL of recognition: one function per statement. Loop thread only. */
#ifndef MOMENT_RECOGNITION_STORE_H
#define MOMENT_RECOGNITION_STORE_H

#include "io/listing.h"
#include "io/stream.h"
#include "recognition/codec.h"

#define STORE_SELECT_CANDIDATE "select body from candidate where candidate_id = $1::uuid"

/* Both halves of a moment and its first praise, each owned and null where there is none. */
struct stored_sighting {
    Moment__V1__Moment *moment;
    Moment__V1__Evaluation *evaluation;
    Moment__V1__Note *praise;
};

void store_load_sighting(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                         void *arg);
/* -EBADMSG, -ENOMEM; what was read before the failure stays in ret_sighting. */
must_check int store_read_sighting(const struct db_rows *rows, size_t row,
                                   struct stored_sighting *ret_sighting);

/* Any of them may be there first: an upsert that touches its own column only. -ENOMEM. */
must_check int store_save_moment(struct txn *txn, const struct id *moment_id,
                                 const Moment__V1__Moment *moment);
must_check int store_save_evaluation(struct txn *txn, const struct id *moment_id,
                                     const Moment__V1__Evaluation *evaluation);
must_check int store_save_praise(struct txn *txn, const struct id *moment_id,
                                 const Moment__V1__Note *praise);
must_check int store_save_candidate(struct txn *txn, const Moment__V1__Candidate *candidate);

struct candidate_filter {
    struct listing page;
    const char *moment_id; /* "" any; a UUID. Asked for by moment, a withdrawn one is shown too */
    const char *person_id; /* "" any */
    bool open_only;
};

/* Answers the call with what its caller may see, newest first. */
void store_list_candidates(struct db *db, struct call *call, const struct candidate_filter *filter);

#endif
