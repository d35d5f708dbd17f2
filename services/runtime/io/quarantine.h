/* quarantine - QUARANTINE: records that could not be applied, kept with their bytes and the error.
 *
 * The consumer writes them in the transaction of its cursor; an operator lists, shows, redrives and
 * drops them. A settled row stays; only its settled_* columns are filled. Loop thread only. */
#ifndef MOMENT_IO_QUARANTINE_H
#define MOMENT_IO_QUARANTINE_H

#include "io/bus.h"

struct service;

/* Inside apply. sqlstate "": it was not the database that refused. */
void quarantine_write(struct txn *txn, const char *consumer, const char *producer,
                      const struct record *record, const char *sqlstate, const char *error);
/* Count again what is not settled, for the gauge and Status. */
void quarantine_count(struct service *service);

/* Handlers of runtime.*Quarantine; state is the struct service. */
void quarantine_list(void *state, struct call *call);
void quarantine_show(void *state, struct call *call);
void quarantine_redrive(void *state, struct call *call);
void quarantine_drop(void *state, struct call *call);

#endif
