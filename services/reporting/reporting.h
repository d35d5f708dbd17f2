/* reporting - the state of the service and what its edges share.
 *
 * Records of the other services come in by reporting_apply, become rows and live updates in one
 * transaction; the edges (edge_*.c) answer people and machines from the rows, from the owners of
 * the facts, and from the live feed. Loop thread only. */
#ifndef MOMENT_REPORTING_REPORTING_H
#define MOMENT_REPORTING_REPORTING_H

#include "io/service.h"
#include "reporting/names.h"
#include "reporting/rules/throttle.h"

struct live_feed;

struct reporting {
    struct service *service; /* borrowed */
    struct names names;
    struct throttle by_login;
    struct throttle by_remote;
    unsigned hashing;       /* passwords that the worker thread checks or has waiting */
    struct live_feed *live; /* owned */
    int64_t data_at;        /* time of the newest record applied, 0 if none */
    char *web_root;         /* owned */
};

extern struct metric metric_logins;
extern struct metric metric_live_streams;
extern struct metric metric_live_resets;

int reporting_start(struct service *service, void **ret_state);
void reporting_load(void *state, struct txn *txn, const struct record *record);
int reporting_apply(void *state, struct txn *txn, const char *producer,
                    const struct record *record);
void reporting_forget(void *state);
void reporting_stop(void *state);

/* {"ingest": 0, "feedback": null, ...} */
json_t *reporting_lag(const struct reporting *reporting);

#endif
