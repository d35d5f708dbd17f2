#include "reporting/names.h"

#include <assert.h>

void names_init(struct names *names)
{
    names->people = json_object();
    names->queues = json_object();
    names->is_asked = false;
    assert(names->people != NULL);
    assert(names->queues != NULL);
}

void names_done(struct names *names)
{
    json_unref(&names->people);
    json_unref(&names->queues);
}

void names_forget(struct names *names)
{
    json_object_clear(names->people);
    json_object_clear(names->queues);
    names->is_asked = false;
}

static const char *person_part(const struct names *names, const char *person_id, size_t part)
{
    const json_t *person = json_object_get(names->people, person_id);
    const char *text = json_string_value(json_array_get(person, part));

    return text != NULL ? text : "";
}

const char *names_of_person(const struct names *names, const char *person_id)
{
    return person_part(names, person_id, 0);
}

const char *names_team_of(const struct names *names, const char *person_id)
{
    return person_part(names, person_id, 1);
}

void names_set_person(struct names *names, const char *person_id, const char *name,
                      const char *team)
{
    json_object_set_new(names->people, person_id, json_pack("[s,s]", name, team));
}

bool names_has_queue(const struct names *names, const char *queue)
{
    return json_object_get(names->queues, queue) != NULL;
}

void names_add_queue(struct names *names, const char *queue)
{
    json_object_set_new(names->queues, queue, json_true());
}
