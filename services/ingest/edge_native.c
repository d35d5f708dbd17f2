/* edge_native - see the header. */
#include "ingest/edge_native.h"

#include "base/clock.h"
#include "ingest/codec.h"
#include "ingest/counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define USER_PREFIX "source:"

struct submit {
    struct submission *submission;
    struct source *source;
};

static void refuse(struct submit *submit, const struct problem *problem, size_t events)
{
    source_count(submit->source, 0, 0, events > 0 ? events : 1);
    submission_refuse(submit->submission, problem);
    free(submit);
}

static void refuse_busy(struct submit *submit, const char *why)
{
    struct problem problem;

    problem_set(&problem, 503, "busy", NULL, "%s", why);
    submission_refuse(submit->submission, &problem);
    free(submit);
}

static void on_applied(struct event_work *work, int status, const struct db_error *error)
{
    struct submit *submit = work->arg;
    struct problem problem;

    if (status == 0) {
        source_count(submit->source, work->accepted, work->duplicate, 0);
        submission_accept(submit->submission, work->accepted, work->duplicate);
        free(submit);
        return;
    }
    if (status == -ESHUTDOWN || status == -ECANCELED || status == -ENOBUFS) {
        refuse_busy(submit, "Shutting down.");
        return;
    }
    problem_set(&problem, 500, "not-stored", NULL, "The events could not be stored (%s).",
                error ? error->sqlstate : "");
    refuse(submit, &problem, work->events.count);
}

static struct source *sender_of(const struct ingest *ingest, const struct submission *submission)
{
    const char *user = submission_user(submission);
    struct source *source;

    if (strncmp(user, USER_PREFIX, strlen(USER_PREFIX)) != 0)
        return NULL;
    source = registry_find(&ingest->registry, user + strlen(USER_PREFIX));
    return source && source->kind->has_token ? source : NULL;
}

static void take(struct ingest *ingest, struct submit *submit)
{
    const struct codec_sender sender = {
        .source = submit->source->name,
        .system = submit->source->system,
        .site = submit->source->site,
        .now_us = clock_wall_us(),
    };
    struct event_work *work = event_work_new(ingest->moments, on_applied, submit);
    struct problem problem = {.status = 0};

    if (!work) {
        refuse_busy(submit, "Out of memory.");
        return;
    }
    if (codec_batch_read(submission_body(submit->submission), &sender, &work->events, &problem) <
        0) {
        if (problem.status == 0)
            problem_set(&problem, 503, "busy", NULL, "Out of memory.");
        refuse(submit, &problem, work->events.count);
        event_work_free(work);
        return;
    }
    if (event_work_submit(ingest->stream, work) < 0) {
        event_work_free(work);
        refuse_busy(submit, "Too much is waiting to be stored; come again.");
    }
}

void edge_native_submitted(void *state, struct submission *submission)
{
    struct ingest *ingest = state;
    struct source *source = ingest ? sender_of(ingest, submission) : NULL;
    struct submit *submit;
    struct problem problem;

    if (!source) {
        problem_set(&problem, 403, "forbidden", NULL, "This key is no source's.");
        submission_refuse(submission, &problem);
        return;
    }
    submit = calloc(1, sizeof(*submit));
    if (!submit)
        abort();
    submit->submission = submission;
    submit->source = source;
    if (ingest->is_draining)
        refuse_busy(submit, "Shutting down.");
    else
        take(ingest, submit);
}
