#include "reporting/rules/visibility.h"

#include <string.h>

static bool holds(char *const *names, size_t count, const char *name)
{
    if (name[0] == '\0')
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_in_scope(const struct reader *reader, const struct subject *subject)
{
    const struct names_list *sites = &reader->sites;
    const struct names_list *teams = &reader->teams;

    if (sites->count > 0 && !holds(sites->items, sites->count, subject->site))
        return false;
    if (teams->count == 0)
        return true;
    if (subject->team[0] == '\0')
        return holds(reader->team_sites.items, reader->team_sites.count, subject->site);
    return holds(teams->items, teams->count, subject->team);
}

bool reader_sees(const struct reader *reader, const struct subject *subject)
{
    switch (reader->reach) {
    case REACH_NOTHING:
        return false;
    case REACH_OWN:
        return holds(subject->people, subject->people_count, reader->person_id);
    case REACH_SCOPE:
        return is_in_scope(reader, subject);
    }
    return false;
}
