/* edge_live - GET /api/v1/live: the service's own stream as server-sent events, cut to what the
 * viewer may see. Each stream is a follower of the stream of records: nothing is missed, nothing
 * repeated, and a slow client only pauses its own follower. */
#ifndef MOMENT_REPORTING_EDGE_LIVE_H
#define MOMENT_REPORTING_EDGE_LIVE_H

#include "io/http.h"
#include "reporting/reporting.h"

must_check int live_feed_new(struct live_feed **ret_feed);
/* Closes every stream. */
void live_feed_free(struct live_feed **feed);

void live_open(void *state, struct http_request *request);
/* The session was ended, or the user's rights have changed: their streams close. */
void live_end_session(struct reporting *reporting, const uint8_t *token_hash);
void live_end_user(struct reporting *reporting, const char *login);

#endif
