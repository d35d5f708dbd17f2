/* store_sampling - the SQL of sampling plans and of what they draw. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_SAMPLING_H
#define MOMENT_FEEDBACK_STORE_SAMPLING_H

#include "feedback/rules/sampling.h"
#include "io/entity.h"
#include "io/listing.h"
#include "moment/v1/feedback.pb-c.h"

#define STORE_PLANS_HELD_BYTES ((size_t)1024 * 1024)
#define STORE_SAMPLES_HELD_BYTES ((size_t)16 * 1024 * 1024)

/* Plans by plan_id, any text; samples by sample_id, UUIDs. */
extern const struct entity_kind store_sampling_plans;
extern const struct entity_kind store_samples;

/* One column, how many plans there are that were not removed. */
void store_load_plan_count(struct txn *txn, db_result_fn *on_rows, void *arg);
/* From when on the plan's periods are to be settled; 0: from the one under way on. */
void store_save_plan_period(struct txn *txn, const char *plan_id, int64_t period_at);
/* Columns body, period_at: the plans that draw. */
void store_load_drawing_plans(struct txn *txn, db_result_fn *on_rows, void *arg);
/* Answers the call with the plans that draw from what the caller may see. */
void store_list_plans(struct call *call, struct db *db, const struct reach *reach);

/* Columns sample_id (text), body: open ones whose period is over at `now`. */
void store_load_expiring_samples(struct txn *txn, int64_t now, int32_t limit, db_result_fn *on_rows,
                                 void *arg);
/* What a plan is asked for a period; everything is borrowed. */
struct sampling_question {
    const Moment__V1__SamplingPlan *plan;
    const char *const *person_ids;
    size_t person_count;
    struct sampling_span span;
    int64_t now;
    int32_t limit; /* people */
    /* Of a draw: when each slot's window begins, for as many as are open. */
    const int64_t *since;
    uint32_t due;
    /* Of settling: from when on the moments are looked at. */
    int64_t since_at;
};
/* The people with the greatest debt for whom fewer than `due` were drawn in the period and whose
 * next slot has a candidate, with all candidates. Columns person_id, when they were last evaluated
 * by a person (null: never), how many were drawn, moment_id (text), ended_at, site, team_id, queue;
 * each person's rows stand together. */
void store_load_candidates(struct txn *txn, const struct sampling_question *question,
                           db_result_fn *on_rows, void *arg);
/* The people for whom fewer than the quota were drawn in a period that is over, as long as nothing
 * says so yet. Columns person_id, last evaluated, how many were drawn, moments, of these passed, of
 * these unseen (see sampling_shortage). */
void store_load_shortages(struct txn *txn, const struct sampling_question *question,
                          db_result_fn *on_rows, void *arg);

/* "" and 0: any; state 0: open and taken ones. */
struct sample_filter {
    struct listing page;
    int state;
    const char *plan_id;
    const char *person_id;
};
/* Answers the call with what its caller may see; see sampling_rank for the order. */
void store_list_samples(struct call *call, struct db *db, const struct sample_filter *filter);

#endif
