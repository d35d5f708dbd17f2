/* routes - every way into reporting over HTTP, in one table. */
#ifndef MOMENT_REPORTING_ROUTES_H
#define MOMENT_REPORTING_ROUTES_H

#include "io/http.h"

extern const struct http_route reporting_routes[];
extern const size_t reporting_route_count;

/* One JSON object a line: method, path, and for what is passed on to an owner: call, request,
 * response, roles, is_command, body_max. For the tests and for writing openapi.json. */
int routes_print(void);

#endif
