/* edge_users - calls of the operators: users and API tokens; and who works here, for the others.
 * Secrets are answered once and kept nowhere: these calls are no `struct command`, whose answers
 * are stored. */
#ifndef MOMENT_REPORTING_EDGE_USERS_H
#define MOMENT_REPORTING_EDGE_USERS_H

#include "io/bus.h"

void users_add(void *state, struct call *call);
void users_list(void *state, struct call *call);
void users_set_password(void *state, struct call *call);
/* Takes the place of name, roles, sites, teams and person; live streams start anew with them. */
void users_edit(void *state, struct call *call);
void users_remove(void *state, struct call *call);
/* With one of the roles asked for; none: leaders and coaches. */
void colleagues_list(void *state, struct call *call);
void tokens_add(void *state, struct call *call);
void tokens_list(void *state, struct call *call);
void tokens_remove(void *state, struct call *call);

#endif
