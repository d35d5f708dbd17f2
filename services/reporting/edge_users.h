/* edge_users - calls of the operator's tool: users and API tokens. Secrets are answered once and
 * kept nowhere: these calls are no `struct command`, whose answers are stored. */
#ifndef MOMENT_REPORTING_EDGE_USERS_H
#define MOMENT_REPORTING_EDGE_USERS_H

#include "io/bus.h"

void users_add(void *state, struct call *call);
void users_list(void *state, struct call *call);
void users_set_password(void *state, struct call *call);
void users_remove(void *state, struct call *call);
void tokens_add(void *state, struct call *call);
void tokens_list(void *state, struct call *call);
void tokens_remove(void *state, struct call *call);

#endif
