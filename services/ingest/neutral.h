/* neutral - the neutral vocabulary in JSON (CloudEvents 1.0, Standard Webhooks bodies) as events.
 *
 * Lenient about members that it does not know, strict about those that it does: a problem names the
 * member by its JSON path. An agent's emotion is
 * refused wherever it stands. Loop thread only. */
#ifndef MOMENT_INGEST_NEUTRAL_H
#define MOMENT_INGEST_NEUTRAL_H

#include "ingest/codec.h"
#include "io/json.h"

/* What surrounds the data, in whatever mode it came. Borrowed; "" or null for absent. */
struct neutral_attributes {
    const char *id, *source, *type, *subject, *time, *content_type;
    const json_t *data;
};

struct neutral_result {
    struct event_list *list; /* borrowed */
    uint32_t ignored;        /* well-formed, but of a type that we have no use for */
};

/* One structured CloudEvent; path is "" or "events[2].". -EINVAL with problem filled, -ENOMEM. */
must_check int neutral_read_cloudevent(const json_t *json, const char *path,
                                       const struct codec_sender *sender,
                                       struct neutral_result *result, struct problem *problem);
/* An array of them. */
must_check int neutral_read_batch(const json_t *json, const struct codec_sender *sender,
                                  struct neutral_result *result, struct problem *problem);
/* A Standard Webhooks body: type, timestamp, data. webhook_id is its key. */
must_check int neutral_read_webhook(const json_t *json, const char *webhook_id,
                                    const struct codec_sender *sender,
                                    struct neutral_result *result, struct problem *problem);
/* Attributes found elsewhere (binary mode). */
must_check int neutral_read(const struct neutral_attributes *attributes, const char *path,
                            const struct codec_sender *sender, struct neutral_result *result,
                            struct problem *problem);
/* Is json an object that says how an agent feels? Fills problem with the member's path. */
bool neutral_has_agent_emotion(const json_t *json, const char *path, struct problem *problem);

#endif
