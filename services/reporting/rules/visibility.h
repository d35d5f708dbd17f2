/* visibility - who may see what in the live feed: by audience, site, team and person; deny by
 * default.
 *
 * The SQL function visible() in the schema is the rule of AUDIENCE_SCOPE over rows. Rules 0,
 * Visibility; the audience of each fact is decided in codec.c. Pure. */
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
    bool is_leader;
    bool is_coach;
    const char *user_id;          /* never null */
    const char *person_id;        /* "" if none: such an agent sees nothing */
    struct names_list sites;      /* empty: every site */
    struct names_list teams;      /* empty: every team */
    struct names_list team_sites; /* the sites of teams: there they also see what has no team yet */
};

/* The numbers are those of Audience in reporting.proto. */
enum audience {
    AUDIENCE_SCOPE = 0,   /* by site and team; agents what is about themselves */
    AUDIENCE_HOUSE = 1,   /* everybody but operators */
    AUDIENCE_PRIVATE = 2, /* the parties, and coaches in scope; no leader who is not one of them */
    AUDIENCE_LEADERS = 3, /* leaders and coaches in scope */
    AUDIENCE_PARTIES = 4, /* its author and the people it is about */
};

struct subject {
    enum audience audience; /* an unknown one is seen by nobody */
    const char *site;
    const char *team; /* "" while nobody has answered */
    const char *author_id;
    char *const *people;
    size_t people_count;
};

bool reader_sees(const struct reader *reader, const struct subject *subject);

#endif
