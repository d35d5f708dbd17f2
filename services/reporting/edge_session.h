/* edge_session - signing in and out: POST, GET, DELETE /api/v1/session. */
#ifndef MOMENT_REPORTING_EDGE_SESSION_H
#define MOMENT_REPORTING_EDGE_SESSION_H

#include "io/http.h"

void session_create(void *state, struct http_request *request);
void session_show(void *state, struct http_request *request);
void session_end(void *state, struct http_request *request);

#endif
