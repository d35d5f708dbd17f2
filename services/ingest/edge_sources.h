/* edge_sources - calls about sources (IngestService) and about a moment's events. */
#ifndef MOMENT_INGEST_EDGE_SOURCES_H
#define MOMENT_INGEST_EDGE_SOURCES_H

#include "ingest/ingest.h"

void edge_sources_add(void *state, struct call *call);
void edge_sources_list(void *state, struct call *call);
void edge_sources_remove(void *state, struct call *call);
void edge_sources_rotate(void *state, struct call *call);

#endif
