/* visibility - who may see what on the floor: by site, team and person; deny by default.
 *
 * The SQL function visible() in the schema is the same rule over rows. Pure. */
#ifndef MOMENT_REPORTING_VISIBILITY_H
#define MOMENT_REPORTING_VISIBILITY_H

#include <stdbool.h>
#include <stddef.h>

struct names_list {
    char **items;
    size_t count;
};

enum reader_reach {
    REACH_NOTHING,
    REACH_OWN,   /* only what person_id took part in */
    REACH_SCOPE, /* everything at the sites and of the teams */
};

struct reader {
    enum reader_reach reach;
    const char *person_id;        /* "" if none: such an agent sees nothing */
    struct names_list sites;      /* empty: every site */
    struct names_list teams;      /* empty: every team */
    struct names_list team_sites; /* the sites of teams: there they also see what has no team yet */
};

struct subject {
    const char *site;
    const char *team; /* "" while nobody has answered */
    char *const *people;
    size_t people_count;
};

bool reader_sees(const struct reader *reader, const struct subject *subject);

#endif
