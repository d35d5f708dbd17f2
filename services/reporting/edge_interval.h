/* edge_interval - GET /api/v1/reports/interval: figures by interval and key, as JSON or CSV, each
 * row with its raw counts and a link to exactly the moments behind it. */
#ifndef MOMENT_REPORTING_EDGE_INTERVAL_H
#define MOMENT_REPORTING_EDGE_INTERVAL_H

#include "io/http.h"

void interval_show(void *state, struct http_request *request);

#endif
