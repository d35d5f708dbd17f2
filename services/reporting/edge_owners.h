/* edge_owners - alerts and candidates over /api/v1: calls to the owners of those facts, in
 * the form of the API. The owner authorises; nothing is copied here. */
#ifndef MOMENT_REPORTING_EDGE_OWNERS_H
#define MOMENT_REPORTING_EDGE_OWNERS_H

#include "io/http.h"

void alerts_list(void *state, struct http_request *request);
void alerts_acknowledge(void *state, struct http_request *request);
void alerts_close(void *state, struct http_request *request);
void candidates_list(void *state, struct http_request *request);

#endif
