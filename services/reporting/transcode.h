/* transcode - HTTP to and from the messages of a call, by their descriptors alone.
 *
 * A form collects what a request says: the JSON body first, then the parameters of the path and the
 * query, each under the name of a field of the request message, then If-Match. The first thing
 * wrong ends it: the problem names the field, later calls do nothing. The mapping of values is that
 * of io/json.h. Pure; thread safe for separate forms. */
#ifndef MOMENT_REPORTING_TRANSCODE_H
#define MOMENT_REPORTING_TRANSCODE_H

#include "io/bus.h"
#include "io/json.h"

/* Of one parameter, in bytes, and how often a repeated one may be said. */
#define TRANSCODE_VALUE_MAX 256
#define TRANSCODE_REPEATS_MAX 100
#define TRANSCODE_TAG_SIZE 16

struct transcode_form {
    const ProtobufCMessageDescriptor *request;
    json_t *said;           /* owned */
    bool is_body;           /* 422 for what a body says wrongly, 400 for an address */
    struct problem problem; /* status 0: nothing wrong yet */
};

void transcode_begin(struct transcode_form *form, const ProtobufCMessageDescriptor *request);
/* "" is the same as {}. */
void transcode_body(struct transcode_form *form, struct slice body);
void transcode_path(struct transcode_form *form, const char *name, const char *value);
void transcode_query(struct transcode_form *form, const char *name, const char *value);
/* "\"3\"" sets if_revision; "" says nothing. */
void transcode_if_match(struct transcode_form *form, const char *header);
/* The request message, to be freed with protobuf_c_message_free_unpacked(…, NULL); or -EINVAL with
 * problem set. Frees what the form holds. */
must_check int transcode_end(struct transcode_form *form, ProtobufCMessage **ret_message);

/* The answer; a page (a message with `next`) has its items as `items`. Null: out of memory. */
json_t *transcode_answer(const ProtobufCMessage *response);
/* The items alone, of an answer that is a list: a new reference. Null: out of memory. */
json_t *transcode_items(const ProtobufCMessage *response);
/* The revision of the first message in the answer as an ETag; false: it has none. */
bool transcode_tag(const ProtobufCMessage *response, char to[TRANSCODE_TAG_SIZE]);

#endif
