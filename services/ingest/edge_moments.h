/* edge_moments - the call GetMomentEvents: what is known of a moment, fact by fact. */
#ifndef MOMENT_INGEST_EDGE_MOMENTS_H
#define MOMENT_INGEST_EDGE_MOMENTS_H

#include "ingest/ingest.h"

void edge_moments_events(void *state, struct call *call);

#endif
