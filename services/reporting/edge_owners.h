/* edge_owners - GET /api/v1/alerts and /api/v1/candidates: calls to the owners of those facts, in
 * the form of the API. The owner authorises; nothing is copied here. */
#ifndef MOMENT_REPORTING_EDGE_OWNERS_H
#define MOMENT_REPORTING_EDGE_OWNERS_H

#include "io/http.h"

void alerts_list(void *state, struct http_request *request);
void candidates_list(void *state, struct http_request *request);

#endif
