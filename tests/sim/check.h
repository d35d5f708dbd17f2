/* check - what must hold: after each commit, and when everything has come to rest. */
#ifndef MOMENT_SIM_CHECK_H
#define MOMENT_SIM_CHECK_H

#include "toy.h"

extern struct pg ingest_pg;
extern struct pg feedback_pg;

void check_ingest_commit(struct pg *pg, const struct change *changes, size_t count);
void check_feedback_commit(struct pg *pg, const struct change *changes, size_t count);
/* After a restore of ingest: what was answered and is no longer there is nobody's fault. */
void check_forgive(void);
/* Every command answered, every record applied or in quarantine. */
bool check_is_at_rest(const struct node *feedback);
void check_end(const struct node *feedback);
/* Records in quarantine for no fault of theirs: chance ended the process while they came alone. */
size_t check_innocent(void);

#endif
