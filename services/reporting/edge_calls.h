/* edge_calls - HTTP as a mechanical form of the calls: a row of the route table names the method,
 * the messages' descriptors say the rest (transcode.h), the owner of the facts decides.
 *
 * A caller without one of the row's roles gets 403 here; what of it they may see or do is the
 * owner's to say, and its problem is passed on as it is. Idempotency-Key is the command_id of a
 * command; where the client sends none, one is made. */
#ifndef MOMENT_REPORTING_EDGE_CALLS_H
#define MOMENT_REPORTING_EDGE_CALLS_H

#include "io/bus.h"
#include "io/http.h"

/* What http_route.about points to. */
struct edge_call {
    const char *owner;  /* "feedback"; our own name answers here */
    const char *method; /* "feedback.GiveNote" */
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
    uint32_t roles;       /* who may come this far */
    bool is_command;      /* changes something: carries a command_id */
    uint32_t deadline_ms; /* 0: 3 s */
};

void calls_handle(void *state, struct http_request *request);

#endif
