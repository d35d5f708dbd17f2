/* submit - batches of events from integrators over ZeroMQ: credit, one answer after commit. */
#include "io/bus_parts.h"
#include "io/counters.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct submission {
    struct bus *bus; /* borrowed */
    uint64_t session_serial;
    char user_id[80];
    Moment__V1__Frame *frame; /* owned: the body */
};

const char *submission_user(const struct submission *submission)
{
    return submission->user_id;
}

struct slice submission_body(const struct submission *submission)
{
    const ProtobufCBinaryData *body = &submission->frame->submit->body;

    return (struct slice){(const char *)body->data, body->len};
}

static void answer(struct submission *submission, Moment__V1__Accepted *accepted)
{
    struct session *session = bus_session(submission->bus, submission->session_serial);
    size_t len = submission->frame->submit->body.len;
    Moment__V1__Frame frame;

    if (session) {
        assert(session->submit_bytes >= len);
        session->submit_bytes -= len;
        accepted->id = submission->frame->submit->id;
        accepted->credit = len;
        moment__v1__frame__init(&frame);
        frame.kind_case = MOMENT__V1__FRAME__KIND_ACCEPTED;
        frame.accepted = accepted;
        session_send(session, &frame);
    }
    frame_free(&submission->frame);
    free(submission);
}

void submission_accept(struct submission *submission, uint32_t accepted, uint32_t duplicate)
{
    Moment__V1__Accepted message;

    moment__v1__accepted__init(&message);
    message.accepted = accepted;
    message.duplicate = duplicate;
    metric_add(&counter_submissions, "accepted", 1);
    answer(submission, &message);
}

void submission_refuse(struct submission *submission, const struct problem *problem)
{
    Moment__V1__Accepted message;
    Moment__V1__Problem problem_message;

    problem_to_message(problem, &problem_message);
    moment__v1__accepted__init(&message);
    message.problem = &problem_message;
    metric_add(&counter_submissions, problem->status < 500 ? "refused" : "failed", 1);
    answer(submission, &message);
}

static void refuse_whole(struct session *session, uint64_t id, Moment__V1__Refuse__Reason reason,
                         const char *why)
{
    char detail[128];

    snprintf(detail, sizeof(detail), "submission %llu: %s", (unsigned long long)id, why);
    metric_add(&counter_submissions, "refused", 1);
    session_refuse(session, reason, detail);
}

void submit_received(struct session *session, Moment__V1__Frame **frame)
{
    struct bus *bus = session->bus;
    const Moment__V1__Submit *message = (*frame)->submit;

    if (!bus->options.submitted || strncmp(session->user_id, "source:", 7) != 0) {
        refuse_whole(session, message->id, MOMENT__V1__REFUSE__REASON__REASON_UNAUTHORISED,
                     "only sources may submit, and only to ingest");
        return;
    }
    if (bus->is_draining) {
        refuse_whole(session, message->id, MOMENT__V1__REFUSE__REASON__REASON_DRAINING,
                     "going away");
        return;
    }
    struct submission *submission = NULL;
    if (session->submit_bytes + message->body.len <= SUBMIT_CREDIT) {
        submission = calloc(1, sizeof(*submission));
    }
    if (!submission) {
        refuse_whole(session, message->id, MOMENT__V1__REFUSE__REASON__REASON_BUSY,
                     "over the credit, wait for ACCEPTED");
        return;
    }
    session->submit_bytes += message->body.len;
    submission->bus = bus;
    submission->session_serial = session->serial;
    memcpy(submission->user_id, session->user_id, sizeof(submission->user_id));
    submission->frame = *frame;
    *frame = NULL;
    bus->options.submitted(bus->state, submission);
}
