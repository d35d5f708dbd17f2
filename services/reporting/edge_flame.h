/* edge_flame - the calls about the leaders' own consistency: GetFlame, ListActs, GetAccountability.
 */
#ifndef MOMENT_REPORTING_EDGE_FLAME_H
#define MOMENT_REPORTING_EDGE_FLAME_H

#include "io/bus.h"

void flame_get(void *state, struct call *call);
void flame_list_acts(void *state, struct call *call);
void accountability_get(void *state, struct call *call);

#endif
