/* agents - everybody whom a source named, and their presence as last heard.
 *
 * The newest fact by its own time decides, whatever order facts arrive in. Loop thread only; out of
 * memory ends the process. */
#ifndef MOMENT_INGEST_AGENTS_H
#define MOMENT_INGEST_AGENTS_H

#include "ingest/lookup.h"
#include "ingest/rules/event.h"
#include "io/db.h"

struct agent {
    struct agent *next;
    char *key; /* "system/agent", owned, as are the others */
    char *system, *agent, *name, *site, *reason;
    char *queues; /* one per line */
    enum presence presence;
    int64_t since, last_at;
};

struct agents {
    struct lookup by_key;
    struct agent *all;
    bool is_loaded;
};

void agents_clear(struct agents *agents);
/* Rows of store_read_agents. */
void agents_take_rows(struct agents *agents, const struct db_rows *rows);
/* The agent that the event names, made when new; *ret_is_new says which. */
struct agent *agents_of(struct agents *agents, const struct event *event, bool *ret_is_new);
/* Applies AGENT_STATE_CHANGED. True if something changed. */
bool agent_apply(struct agent *agent, const struct event *event);

#endif
