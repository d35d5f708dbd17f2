/* people - see the header. */
#include "ingest/people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 600

void people_init(struct people *people)
{
    memset(people, 0, sizeof(*people));
}

void people_done(struct people *people)
{
    for (size_t i = 0; i < people->count; i++)
        moment__v1__directory_changed__free_unpacked(people->entries[i], NULL);
    for (size_t i = 0; i < people->key_count; i++)
        free(people->keys[i]);
    free(people->entries);
    free(people->keys);
    lookup_done(&people->by_id);
    lookup_done(&people->by_agent);
    people_init(people);
}

static int put(struct people *people, struct lookup *lookup, const char *key, void *value)
{
    char *copy;

    if (lookup_find(lookup, slice_of(key)))
        return 0;
    if (people->key_count == people->key_capacity) {
        size_t capacity = people->key_capacity ? people->key_capacity * 2 : 64;
        char **keys = reallocarray(people->keys, capacity, sizeof(*keys));

        if (!keys)
            return -ENOMEM;
        people->keys = keys;
        people->key_capacity = capacity;
    }
    copy = strdup(key);
    if (!copy)
        return -ENOMEM;
    people->keys[people->key_count++] = copy;
    return lookup_put(lookup, slice_of(copy), value);
}

enum directory_kind people_kind(const Moment__V1__DirectoryChanged *entry)
{
    switch (entry->entry_case) {
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_SITE:
        return DIRECTORY_SITE;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_TEAM:
        return DIRECTORY_TEAM;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_PERSON:
        return DIRECTORY_PERSON;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_QUEUE:
        return DIRECTORY_QUEUE;
    default:
        return DIRECTORY_NONE;
    }
}

const char *people_entry_id(const Moment__V1__DirectoryChanged *entry)
{
    switch (entry->entry_case) {
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_SITE:
        return entry->site->site_id;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_TEAM:
        return entry->team->team_id;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_PERSON:
        return entry->person->person_id;
    case MOMENT__V1__DIRECTORY_CHANGED__ENTRY_QUEUE:
        return entry->queue->queue_id;
    default:
        return "";
    }
}

static int put_agents(struct people *people, Moment__V1__Person *person)
{
    char key[KEY_MAX];
    int r = 0;

    for (size_t i = 0; i < person->n_agent_ids && r == 0; i++) {
        snprintf(key, sizeof(key), "%s\n%s", person->agent_ids[i]->source,
                 person->agent_ids[i]->agent);
        r = put(people, &people->by_agent, key, person);
    }
    return r;
}

int people_add(struct people *people, struct slice body)
{
    Moment__V1__DirectoryChanged *entry =
        moment__v1__directory_changed__unpack(NULL, body.len, (const uint8_t *)body.at);
    char key[KEY_MAX];
    int r;

    if (!entry)
        return -EBADMSG;
    if (people->count == people->capacity) {
        size_t capacity = people->capacity ? people->capacity * 2 : 64;
        Moment__V1__DirectoryChanged **entries =
            reallocarray(people->entries, capacity, sizeof(Moment__V1__DirectoryChanged *));

        if (!entries) {
            moment__v1__directory_changed__free_unpacked(entry, NULL);
            return -ENOMEM;
        }
        people->entries = entries;
        people->capacity = capacity;
    }
    people->entries[people->count++] = entry;
    snprintf(key, sizeof(key), "%s/%s", directory_kind_name(people_kind(entry)),
             people_entry_id(entry));
    r = put(people, &people->by_id, key, entry);
    if (r == 0 && people_kind(entry) == DIRECTORY_PERSON)
        r = put_agents(people, entry->person);
    return r;
}

static const Moment__V1__Person *find_in(const struct people *people, const char *source,
                                         const char *agent)
{
    char key[KEY_MAX];

    snprintf(key, sizeof(key), "%s\n%s", source, agent);
    return lookup_find(&people->by_agent, slice_of(key));
}

const Moment__V1__Person *people_find(const struct people *people, const char *source,
                                      const char *system, const char *agent)
{
    const Moment__V1__Person *person;

    if (agent[0] == '\0')
        return NULL;
    person = find_in(people, source, agent);
    if (!person)
        person = find_in(people, system, agent);
    if (!person)
        person = find_in(people, "", agent);
    return person;
}

const Moment__V1__DirectoryChanged *people_entry(const struct people *people,
                                                 enum directory_kind kind, const char *id)
{
    char key[KEY_MAX];

    snprintf(key, sizeof(key), "%s/%s", directory_kind_name(kind), id);
    return lookup_find(&people->by_id, slice_of(key));
}
