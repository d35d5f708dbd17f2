/* ask - one call to a service over the bus, waited for, made with the operator's key.
 *
 * A loop and a connection live for one question only: a command asks one or four. */
#ifndef MOMENT_CTL_ASK_H
#define MOMENT_CTL_ASK_H

#include "io/bus.h"

struct question {
    const char *service;
    const char *method;
    bool is_command; /* changes something: gets a command id of its own */
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *response;
};

/* 0 and the response (free with ask_free), or negative and a problem: 503 and 504 mean that nobody
 * answered. */
must_check int ask(const struct question *question, ProtobufCMessage **ret_response,
                   struct problem *problem);
/* The same; null after the problem has been printed. */
ProtobufCMessage *ask_or_tell(const struct question *question);
void ask_tell(const struct question *question, const struct problem *problem);
void ask_free(ProtobufCMessage *response);
/* On stdout, as the HTTP API would write it. */
void ask_print_json(const ProtobufCMessage *response);

/* Waits longest for an answer; a directory of thousands of people takes seconds. */
#define ASK_DEADLINE_MS 30000
#define ASK_CONNECT_MS 3000

/* Designators of a struct question from the protobuf names; the response's type is
 * Moment__V1__<Type>Response. */
#define QUESTION(to, named, is_a_command, of, answer)                                              \
    {                                                                                              \
        .service = (to), .method = (named), .is_command = (is_a_command), .request = &(of)->base,  \
        .response = &moment__v1__##answer##_response__descriptor                                   \
    }

#endif
