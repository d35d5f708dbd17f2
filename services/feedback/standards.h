/* standards - what is kept of standards in memory, and what its commands share.
 *
 *   standards.c          every published version in memory, one for a moment, the list
 *   standards_draft.c    saving and discarding what is being edited
 *   standards_publish.c  publishing, rolling out, going back, retiring
 *
 * Every published version is in feedback->standards from the first load on. An apply changes table
 * and memory together; forget drops it all. Drafts are entities. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STANDARDS_H
#define MOMENT_FEEDBACK_STANDARDS_H

#include "feedback/feedback.h"
#include "feedback/store_standards.h"

/* Of each, in the whole house: a list of standards is no page. */
#define STANDARDS_MAX 200
#define STANDARD_BYTES_MAX ((size_t)128 * 1024)

/* Null: there is none. Valid until the next standards_add. */
struct held_standard *standards_newest(const struct feedback *feedback, const char *standard_id);
struct held_standard *standards_find(const struct feedback *feedback, const char *standard_id,
                                     uint32_t version);
/* Is it in force somewhere, or will it be? */
bool standards_is_live(const struct feedback *feedback, const struct held_standard *standard,
                       int64_t at);
/* Its message was changed: where it is rolled out, retired. Saves, tells the stream. */
void standards_put_fate(struct feedback *feedback, struct txn *txn, struct held_standard *standard);
/* A copy of a published version without what came after publishing, and without its signature's
 * place in time: ready to be published again. */
Moment__V1__Standard *standards_copy(const Moment__V1__Standard *standard);
/* Empties what only this service writes. */
void standards_strip(Moment__V1__Standard *standard);

/* May the caller change what applies there? Every site of the scope has to be within theirs;
 * without sites they need to be without limits. -EACCES: 403 into problem. */
must_check int standards_allow(struct call *call, const Moment__V1__Standard *standard,
                               struct problem *problem);
/* The same for every version of it that is in force, and the newest one. */
must_check int standards_allow_all(const struct feedback *feedback, struct call *call,
                                   const char *standard_id, int64_t at, struct problem *problem);

/* The standard that a new version would tie with, or null. */
const struct standard *standards_find_tie(const struct feedback *feedback,
                                          const struct standard *standard, int64_t at);
/* Adds what keeps the content from being published, ties among it. */
void standards_object(const struct feedback *feedback, const struct held_standard *standard,
                      int64_t at, struct objections *objections);
/* Fields that this version doesn't know: 422 into problem. */
must_check int standards_refuse_unknown(const Moment__V1__Standard *standard,
                                        struct problem *problem);

void standards_emit(struct feedback *feedback, struct txn *txn,
                    const Moment__V1__Standard *standard);

/* What is being edited, or null: never begun, published, discarded. After entity_load. */
const Moment__V1__Standard *standards_draft(const struct feedback *feedback,
                                            const char *standard_id);
/* The draft is over: published or discarded, as its state says. Consumes it. */
void standards_put_draft(struct feedback *feedback, struct txn *txn, Moment__V1__Standard *draft);

/* Everything in memory and the draft of the request's standard_id. */
void standards_load(struct feedback *feedback, struct txn *txn, const char *standard_id);
/* Starts a command with these. */
void standards_start(struct feedback *feedback, struct call *call, command_load_fn *load,
                     command_apply_fn *apply);

#endif
