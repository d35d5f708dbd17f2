/* edge_moments - GET /api/v1/moments and /api/v1/moments/{moment_id}. */
#ifndef MOMENT_REPORTING_EDGE_MOMENTS_H
#define MOMENT_REPORTING_EDGE_MOMENTS_H

#include "io/http.h"

void moments_list(void *state, struct http_request *request);
void moments_show(void *state, struct http_request *request);

#endif
