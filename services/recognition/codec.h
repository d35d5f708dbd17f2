/* codec - the halves of a candidate between protobuf and plain structs.
 *
 * Plain structs borrow their strings from the message they were made of. -ENOMEM on allocation
 * failure. Loop thread. */
#ifndef MOMENT_RECOGNITION_CODEC_H
#define MOMENT_RECOGNITION_CODEC_H

#include "base/id.h"
#include "io/bus.h"
#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/ingest.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "recognition/rules/detect.h"

/* message may be null. */
void codec_sighting(const Moment__V1__Moment *message, struct sighting *ret_sighting);
/* results is owned by the caller: free() it. message may be null. */
must_check int codec_appraisal(const Moment__V1__Evaluation *message,
                               struct appraisal *ret_appraisal, struct result **ret_results);

/* The one that a moment can have. */
struct id codec_candidate_id(const char *moment_id);
/* A new candidate: who, where and the evidence; revision and times are the caller's to set.
 * The moment decides who; where it is not known yet there is no evidence. */
must_check int codec_candidate(const char *moment_id, const Moment__V1__Moment *moment,
                               const struct evidence *evidence, size_t count,
                               Moment__V1__Candidate **ret_message);
/* Same state, person, place and evidence? */
bool codec_is_same_candidate(const Moment__V1__Candidate *a, const Moment__V1__Candidate *b);

/* Drops what a candidate never needs. */
void codec_strip(Moment__V1__Moment *moment);
/* A response whose first field takes a copy of element. Never null: out of memory ends the process,
 * as in apply it must. */
ProtobufCMessage *codec_answer(const ProtobufCMessageDescriptor *response,
                               const ProtobufCMessage *element);
must_check int codec_copy(const ProtobufCMessage *message, ProtobufCMessage **ret_copy);
void codec_free(ProtobufCMessage *message); /* accepts null */

#endif
