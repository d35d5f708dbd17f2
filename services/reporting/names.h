/* names - what apply must know of the directory without asking the database: people's teams and
 * names, and which queues already have a row. Read once, then kept by the applies; after a
 * transaction that did not commit it is dropped and read again. Loop thread only. */
#ifndef MOMENT_REPORTING_NAMES_H
#define MOMENT_REPORTING_NAMES_H

#include "io/json.h"

#include <stdbool.h>

struct names {
    json_t *people; /* person_id -> [name, team_id] */
    json_t *queues; /* queue_id -> true */
    bool is_asked;  /* the reads of this transaction are under way or done */
};

void names_init(struct names *names);
void names_done(struct names *names);
void names_forget(struct names *names);

/* "" if unknown. Valid until the next change. */
const char *names_team_of(const struct names *names, const char *person_id);
const char *names_of_person(const struct names *names, const char *person_id);
void names_set_person(struct names *names, const char *person_id, const char *name,
                      const char *team);
bool names_has_queue(const struct names *names, const char *queue);
void names_add_queue(struct names *names, const char *queue);

#endif
