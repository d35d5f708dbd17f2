/* ingest - the service: its parts and how they hang together. Loop thread only. */
#ifndef MOMENT_INGEST_INGEST_H
#define MOMENT_INGEST_INGEST_H

#include "ingest/moments.h"
#include "ingest/people.h"
#include "ingest/registry.h"
#include "ingest/rules/redact.h"
#include "ingest/waits.h"
#include "io/service.h"

struct waiting_request;
struct post;

struct ingest {
    struct service *service; /* these are borrowed from the runtime */
    struct loop *loop;
    struct stream *stream;
    struct db *reader;
    struct bus *bus;
    const struct conf *conf;

    struct moments *moments; /* these are owned */
    struct people people;
    struct people incoming_people; /* being read */
    bool people_loaded, people_loading, people_again;
    struct waits people_waits;
    struct redact redact;
    struct registry registry;
    struct timer *tick; /* each second: silence, gauges */
    bool is_draining;
    bool is_sweeping;                /* a look for silent moments is under way */
    struct moments_counts told;      /* what the counters have been told */
    struct post *posts;              /* POSTs that wait for their commit */
    struct waiting_request *waiting; /* POSTs that came while the sources were being read */
};

int ingest_start(struct service *service, void **ret_state);
void ingest_forget(void *state);
void ingest_reload(void *state);
void ingest_drain(void *state);
void ingest_stop(void *state);
const char *ingest_not_ready(void *state);

/* Reads the directory table again. */
void ingest_read_people(struct ingest *ingest);
/* The same, and call done(arg) when what is committed now has been taken over, or at the end. */
void ingest_read_people_then(struct ingest *ingest, void (*done)(void *arg), void *arg);

#endif
