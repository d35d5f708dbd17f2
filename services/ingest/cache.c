/* cache - see the header. A doubly linked list keeps the order of use. */
#include "ingest/cache.h"

#include "ingest/codec.h"

#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void cache_init(struct cache *cache, size_t bytes_max)
{
    memset(cache, 0, sizeof(*cache));
    cache->bytes_max = bytes_max;
}

static void unlink_group(struct cache *cache, struct group *group)
{
    *(group->newer ? &group->newer->older : &cache->newest) = group->older;
    *(group->older ? &group->older->newer : &cache->oldest) = group->newer;
    group->newer = group->older = NULL;
}

static void link_newest(struct cache *cache, struct group *group)
{
    group->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = group;
    cache->newest = group;
}

static void count_bytes(struct cache *cache, struct group *group)
{
    size_t now = sizeof(*group) + group->events.bytes;

    cache->bytes += now - group->counted_bytes;
    group->counted_bytes = now;
}

static void group_free(struct cache *cache, struct group *group)
{
    unlink_group(cache, group);
    cache->bytes -= group->counted_bytes;
    while (group->members) {
        struct member *next = group->members->next;

        lookup_remove(&cache->by_moment, id_slice(&group->members->id));
        free(group->members);
        group->members = next;
    }
    event_list_done(&group->events);
    free(group->system);
    free(group->contact_id);
    free(group);
}

void cache_clear(struct cache *cache)
{
    while (cache->oldest)
        group_free(cache, cache->oldest);
    lookup_done(&cache->by_moment);
}

void cache_trim(struct cache *cache)
{
    /* group_free takes it out of the list, which the analyser does not follow. */
    while (cache->oldest && cache->bytes > cache->bytes_max)
        group_free(cache, cache->oldest); /* NOLINT(clang-analyzer-unix.Malloc) */
}

struct group *cache_find(struct cache *cache, const struct id *moment_id)
{
    struct group *group = lookup_find(&cache->by_moment, id_slice(moment_id));

    if (group && group->newer) {
        unlink_group(cache, group);
        link_newest(cache, group);
    }
    return group;
}

static void add_member(struct cache *cache, struct group *group, const struct id *id)
{
    struct member *member = or_die(calloc(1, sizeof(*member)));

    member->id = *id;
    member->next = group->members;
    group->members = member;
    if (lookup_put(&cache->by_moment, id_slice(&member->id), group) < 0)
        abort();
}

static struct group *group_new(struct cache *cache, const struct id *root, uint64_t read)
{
    struct group *group = or_die(calloc(1, sizeof(*group)));

    group->root = *root;
    group->loaded_by = read;
    event_list_init(&group->events);
    link_newest(cache, group);
    add_member(cache, group, root);
    count_bytes(cache, group);
    return group;
}

/* Columns: root_id, moment_id, system, contact_id, repeat_contacts, body. */
static void take_row(struct cache *cache, uint64_t read, const struct db_rows *rows, size_t row)
{
    struct id root, member;
    struct group *group;

    db_get_uuid(rows, row, 0, root.bytes);
    db_get_uuid(rows, row, 1, member.bytes);
    group = lookup_find(&cache->by_moment, id_slice(&root));
    if (!group)
        group = group_new(cache, &root, read);
    else if (group->loaded_by != read)
        return; /* another read of the same transaction has brought it already */
    if (!lookup_find(&cache->by_moment, id_slice(&member)))
        add_member(cache, group, &member);
    if (!group->system && memcmp(&root, &member, sizeof(root)) == 0 && !db_is_null(rows, row, 2)) {
        group->system = or_die(strdup(db_get_text(rows, row, 2)));
        group->contact_id = or_die(strdup(db_get_text(rows, row, 3)));
        group->repeat_contacts = (uint32_t)db_get_i64(rows, row, 4);
    }
    if (!db_is_null(rows, row, 5) &&
        codec_event_load(db_get_bytes(rows, row, 5), &group->events) < 0)
        abort(); /* what we wrote ourselves can be read */
    count_bytes(cache, group);
}

void cache_take_rows(struct cache *cache, uint64_t read, const struct db_rows *rows)
{
    for (size_t row = 0; row < db_count(rows); row++)
        take_row(cache, read, rows, row);
}

void cache_add_event(struct cache *cache, struct group *group, const struct event *event)
{
    if (event_list_add(&group->events, event) < 0)
        abort();
    count_bytes(cache, group);
}

void cache_merge(struct cache *cache, struct group *part, struct group *whole)
{
    for (size_t i = 0; i < part->events.count; i++)
        cache_add_event(cache, whole, &part->events.items[i]);
    while (part->members) {
        struct member *member = part->members;

        part->members = member->next;
        lookup_remove(&cache->by_moment, id_slice(&member->id));
        member->next = whole->members;
        whole->members = member;
        if (lookup_put(&cache->by_moment, id_slice(&member->id), whole) < 0)
            abort();
    }
    group_free(cache, part);
}
