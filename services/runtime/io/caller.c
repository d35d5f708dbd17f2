/* caller - who asks: roles, sites and teams, and whose word about them is believed. */
#include "io/bus_parts.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum role role;
} roles[ROLES] = {
    {"leader", ROLE_LEADER},         {"coach", ROLE_COACH},       {"agent", ROLE_AGENT},
    {"integrator", ROLE_INTEGRATOR}, {"operator", ROLE_OPERATOR}, {"service", ROLE_SERVICE},
};

uint32_t role_parse(const char *name)
{
    for (size_t i = 0; i < countof(roles); i++) {
        if (strcmp(roles[i].name, name) == 0) {
            return roles[i].role;
        }
    }
    return ROLE_NOBODY;
}

const char *role_name(enum role role)
{
    for (size_t i = 0; i < countof(roles); i++) {
        if (roles[i].role == role) {
            return roles[i].name;
        }
    }
    return "nobody";
}

static bool is_listed(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return count == 0;
}

bool caller_sees_site(const struct caller *caller, const char *site)
{
    return is_listed(caller->sites, caller->site_count, site);
}

bool caller_sees_team(const struct caller *caller, const char *team)
{
    return is_listed(caller->teams, caller->team_count, team);
}

struct reach caller_reach(const struct caller *caller)
{
    const uint32_t wide = ROLE_LEADER | ROLE_COACH | ROLE_INTEGRATOR | ROLE_SERVICE;
    bool is_operator = (caller->roles & (ROLE_OPERATOR | ROLE_AGENT)) == ROLE_OPERATOR;

    return (struct reach){
        .sites = caller->sites,
        .site_count = caller->site_count,
        .teams = caller->teams,
        .team_count = caller->team_count,
        .is_own_only = (caller->roles & wide) == 0 && !is_operator,
        .person_id = caller->person_id ? caller->person_id : "",
        .user_id = caller->id,
    };
}

/* Unknown is nobody's. */
static bool is_same(const char *known, const char *name)
{
    return known && known[0] && strcmp(known, name) == 0;
}

bool reach_holds(const struct reach *reach, const struct place *place)
{
    const char *site = place->site ? place->site : "";
    const char *team = place->team ? place->team : "";

    if (reach->is_own_only) {
        return is_same(place->person_id, reach->person_id) ||
               is_same(place->author_id, reach->user_id);
    }
    return is_listed(reach->sites, reach->site_count, site) &&
           ((place->is_of_every_team && !team[0]) ||
            is_listed(reach->teams, reach->team_count, team));
}

static void believe_caller(struct caller *caller, const Moment__V1__Caller *claimed)
{
    caller->id = claimed->id;
    caller->name = claimed->name;
    caller->roles = ROLE_NOBODY;
    for (size_t i = 0; i < claimed->n_roles; i++) {
        caller->roles |= role_parse(claimed->roles[i]) & ~(uint32_t)ROLE_SERVICE;
    }
    caller->sites = (const char *const *)claimed->sites;
    caller->site_count = claimed->n_sites;
    caller->teams = (const char *const *)claimed->teams;
    caller->team_count = claimed->n_teams;
    caller->person_id = claimed->person_id;
}

void caller_find(struct caller *caller, const char *user_id, const Moment__V1__Caller *claimed)
{
    memset(caller, 0, sizeof(*caller));
    caller->id = user_id;
    caller->name = user_id;
    caller->person_id = "";
    if (strcmp(user_id, "service:reporting") == 0 && claimed && claimed->id[0]) {
        believe_caller(caller, claimed);
    } else if (strncmp(user_id, "operator:", 9) == 0) {
        caller->roles = ROLE_OPERATOR;
    } else if (strncmp(user_id, "service:", 8) == 0) {
        caller->roles = ROLE_SERVICE;
    }
}

void roles_list(uint32_t bits, char *to, size_t size)
{
    size_t len = 0;

    text_copy(to, size, "nobody");
    for (size_t i = 0; i < countof(roles); i++) {
        if ((bits & roles[i].role) && len + 16 < size) {
            len += (size_t)snprintf(to + len, size - len, "%s%s", len ? ", " : "", roles[i].name);
        }
    }
}

void caller_to_message(const struct caller *caller, Moment__V1__Caller *message, char *names[ROLES])
{
    moment__v1__caller__init(message);
    message->id = (char *)(uintptr_t)caller->id;
    message->name = (char *)(uintptr_t)caller->name;
    message->roles = names;
    for (size_t i = 0; i < countof(roles); i++) {
        if (caller->roles & roles[i].role) {
            names[message->n_roles++] = (char *)(uintptr_t)roles[i].name;
        }
    }
    message->sites = (char **)(uintptr_t)caller->sites;
    message->n_sites = caller->site_count;
    message->teams = (char **)(uintptr_t)caller->teams;
    message->n_teams = caller->team_count;
    if (caller->person_id) {
        message->person_id = (char *)(uintptr_t)caller->person_id;
    }
}
