/* edge_directory - GET /api/v1/directory, the names, and /api/v1/definitions, what figures mean. */
#ifndef MOMENT_REPORTING_EDGE_DIRECTORY_H
#define MOMENT_REPORTING_EDGE_DIRECTORY_H

#include "io/http.h"

void directory_show(void *state, struct http_request *request);
void definitions_show(void *state, struct http_request *request);

#endif
