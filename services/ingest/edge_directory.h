/* edge_directory - calls about the directory: import (CSV, JSON; upsert; dry run) and list. */
#ifndef MOMENT_INGEST_EDGE_DIRECTORY_H
#define MOMENT_INGEST_EDGE_DIRECTORY_H

#include "ingest/ingest.h"

void edge_directory_import(void *state, struct call *call);
void edge_directory_list(void *state, struct call *call);

#endif
