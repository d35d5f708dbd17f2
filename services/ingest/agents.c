/* agents - see the header. */
#include "ingest/agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 600

static void *or_die(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void set_text(char **text, const char *value)
{
    char *copy = or_die(strdup(value));

    free(*text);
    *text = copy;
}

void agents_clear(struct agents *agents)
{
    while (agents->all) {
        struct agent *agent = agents->all;

        agents->all = agent->next;
        free(agent->key);
        free(agent->system);
        free(agent->agent);
        free(agent->name);
        free(agent->site);
        free(agent->reason);
        free(agent->queues);
        free(agent);
    }
    lookup_done(&agents->by_key);
    agents->is_loaded = false;
}

static struct agent *agent_new(struct agents *agents, const char *key, const char *system,
                               const char *name_of_agent)
{
    struct agent *agent = or_die(calloc(1, sizeof(*agent)));

    set_text(&agent->key, key);
    set_text(&agent->system, system);
    set_text(&agent->agent, name_of_agent);
    set_text(&agent->name, "");
    set_text(&agent->site, "");
    set_text(&agent->reason, "");
    set_text(&agent->queues, "");
    agent->next = agents->all;
    agents->all = agent;
    if (lookup_put(&agents->by_key, slice_of(agent->key), agent) < 0)
        abort();
    return agent;
}

static struct slice key_of(const char *system, const char *agent, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, "%s/%s", system, agent);
    return slice_of(key);
}

/* Columns: system, agent, name, site, presence, since, last_at, reason, queues. */
void agents_take_rows(struct agents *agents, const struct db_rows *rows)
{
    for (size_t row = 0; row < db_count(rows); row++) {
        const char *system = db_get_text(rows, row, 0);
        const char *name = db_get_text(rows, row, 1);
        char key[KEY_MAX];
        struct agent *agent;

        if (lookup_find(&agents->by_key, key_of(system, name, key)))
            continue;
        agent = agent_new(agents, key, system, name);
        set_text(&agent->name, db_get_text(rows, row, 2));
        set_text(&agent->site, db_get_text(rows, row, 3));
        agent->presence = (enum presence)db_get_i64(rows, row, 4);
        agent->since = db_get_time(rows, row, 5);
        agent->last_at = db_get_time(rows, row, 6);
        set_text(&agent->reason, db_get_text(rows, row, 7));
        set_text(&agent->queues, db_get_text(rows, row, 8));
    }
    agents->is_loaded = true;
}

struct agent *agents_of(struct agents *agents, const struct event *event, bool *ret_is_new)
{
    char key[KEY_MAX];
    struct slice text = key_of(event->system, event->agent, key);
    struct agent *agent = lookup_find(&agents->by_key, text);

    *ret_is_new = agent == NULL;
    if (agent)
        return agent;
    agent = agent_new(agents, key, event->system, event->agent);
    set_text(&agent->name, event->agent_name);
    set_text(&agent->site, event->site);
    return agent;
}

static bool update_text(char **text, const char *value)
{
    if (strcmp(*text, value) == 0)
        return false;
    set_text(text, value);
    return true;
}

bool agent_apply(struct agent *agent, const struct event *event)
{
    bool changed = false;

    if (event->occurred_at < agent->last_at)
        return false;
    agent->last_at = event->occurred_at;
    if (event->presence != PRESENCE_UNKNOWN && event->presence != agent->presence) {
        agent->presence = event->presence;
        agent->since = event->occurred_at;
        changed = true;
    }
    changed |= update_text(&agent->reason, event->reason);
    if (event->agent_name[0] != '\0')
        changed |= update_text(&agent->name, event->agent_name);
    if (event->site[0] != '\0')
        changed |= update_text(&agent->site, event->site);
    /* Sources that know no memberships say nothing about them. */
    if (event->agent_queues[0] != '\0' || event->presence == PRESENCE_OFFLINE)
        changed |= update_text(&agent->queues, event->agent_queues);
    return changed;
}
