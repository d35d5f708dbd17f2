/* people - the directory as it stands, in memory: who an agent id is, which ids exist.
 *
 * Built from the directory table's current rows (protobuf DirectoryChanged) and replaced as a whole
 * after an import. Loop thread only. */
#ifndef MOMENT_INGEST_PEOPLE_H
#define MOMENT_INGEST_PEOPLE_H

#include "base/macros.h"
#include "base/text.h"
#include "ingest/lookup.h"
#include "ingest/rules/directory.h"
#include "moment/v1/ingest.pb-c.h"

struct people {
    Moment__V1__DirectoryChanged **entries; /* owned */
    size_t count, capacity;
    struct lookup by_id;    /* "person/p1" -> entry */
    struct lookup by_agent; /* "source\nagent" -> Person */
    char **keys;            /* owned; of both lookups */
    size_t key_count, key_capacity;
};

void people_init(struct people *people);
void people_done(struct people *people);
/* One row. -EBADMSG, -ENOMEM. */
must_check int people_add(struct people *people, struct slice body);

/* Null if nobody claims the agent; source first, then system, then any. */
const Moment__V1__Person *people_find(const struct people *people, const char *source,
                                      const char *system, const char *agent);
const Moment__V1__DirectoryChanged *people_entry(const struct people *people,
                                                 enum directory_kind kind, const char *id);
enum directory_kind people_kind(const Moment__V1__DirectoryChanged *entry);
const char *people_entry_id(const Moment__V1__DirectoryChanged *entry);

#endif
