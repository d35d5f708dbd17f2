/* edge_events - POST /v1/events: CloudEvents 1.0 and Standard Webhooks in, 202 after the commit.
 *
 * Who sends is found by the bearer token, or by a Standard Webhooks signature of the source named
 * in the X-Moment-Source header or the source parameter. A request is accepted whole or refused
 * whole; a repeated event is counted as a duplicate and has no effect. Loop thread only. */
#ifndef MOMENT_INGEST_EDGE_EVENTS_H
#define MOMENT_INGEST_EDGE_EVENTS_H

#include "ingest/event_list.h"
#include "ingest/ingest.h"
#include "ingest/neutral.h"

#define EDGE_EVENTS_BODY_MAX (1024 * 1024)

void edge_events_post(void *state, struct http_request *request);
void edge_events_options(void *state, struct http_request *request);
/* The stream lost its database: answer who waits for a commit. */
void edge_events_give_up(struct ingest *ingest);
/* The sources are known (again): handle what came meanwhile. */
void edge_events_go_on(struct ingest *ingest);

#endif
