/* edge_floor - GET /api/v1/floor: the live floor in one consistent picture, with the position from
 * which the live feed goes on. */
#ifndef MOMENT_REPORTING_EDGE_FLOOR_H
#define MOMENT_REPORTING_EDGE_FLOOR_H

#include "io/http.h"

void floor_show(void *state, struct http_request *request);

#endif
