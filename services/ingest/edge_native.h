/* edge_native - SUBMIT over ZeroMQ: an EventBatch from an integrator with a CURVE key of its own.
 * Accepted whole or refused whole, answered after the commit. Loop thread only. */
#ifndef MOMENT_INGEST_EDGE_NATIVE_H
#define MOMENT_INGEST_EDGE_NATIVE_H

#include "ingest/ingest.h"

void edge_native_submitted(void *state, struct submission *submission);

#endif
