/* edge_flame - the calls about the leaders' own consistency: GetFlame, ListActs, GetAccountability.
 *
 * Handlers of the call table: state is struct reporting, each answers its call once, 422 naming the
 * field or 503 while the database does not answer. Figures are those of rules/definition.c; out of
 * memory ends the process. Loop thread only. */
#ifndef MOMENT_REPORTING_EDGE_FLAME_H
#define MOMENT_REPORTING_EDGE_FLAME_H

#include "io/bus.h"

void flame_get(void *state, struct call *call);
void flame_list_acts(void *state, struct call *call);
void accountability_get(void *state, struct call *call);

#endif
