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

static bool is_at_sites(const struct reader *reader, const struct subject *subject)
{
    return reader->sites.count == 0 ||
           holds(reader->sites.items, reader->sites.count, subject->site);
}

static bool is_of_teams(const struct reader *reader, const struct subject *subject)
{
    return reader->teams.count == 0 ||
           holds(reader->teams.items, reader->teams.count, subject->team);
}

/* Who waits has no team yet: each team of the site looks after them. */
static bool is_on_their_floor(const struct reader *reader, const struct subject *subject)
{
    if (!is_at_sites(reader, subject))
        return false;
    if (reader->teams.count > 0 && subject->team[0] == '\0')
        return holds(reader->team_sites.items, reader->team_sites.count, subject->site);
    return is_of_teams(reader, subject);
}

/* What people wrote belongs to its team from the beginning. */
static bool is_in_scope(const struct reader *reader, const struct subject *subject)
{
    return reader->reach == REACH_SCOPE && is_at_sites(reader, subject) &&
           is_of_teams(reader, subject);
}

static bool is_party(const struct reader *reader, const struct subject *subject)
{
    return (subject->author_id[0] != '\0' && strcmp(subject->author_id, reader->user_id) == 0) ||
           holds(subject->people, subject->people_count, reader->person_id);
}

static bool sees_in_scope(const struct reader *reader, const struct subject *subject)
{
    return reader->reach == REACH_OWN
               ? holds(subject->people, subject->people_count, reader->person_id)
               : is_on_their_floor(reader, subject);
}

bool reader_sees(const struct reader *reader, const struct subject *subject)
{
    if (reader->reach == REACH_NOTHING)
        return false;
    switch (subject->audience) {
    case AUDIENCE_SCOPE:
        return sees_in_scope(reader, subject);
    case AUDIENCE_HOUSE:
        return true;
    case AUDIENCE_PRIVATE:
        return is_party(reader, subject) || (reader->is_coach && is_in_scope(reader, subject));
    case AUDIENCE_LEADERS:
        return (reader->is_leader || reader->is_coach) && is_in_scope(reader, subject);
    case AUDIENCE_PARTIES:
        return is_party(reader, subject);
    }
    return false;
}
