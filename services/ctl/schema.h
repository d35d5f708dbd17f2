/* schema - the SQL files of all services, made into build/gen/schema.c by deploy/embed.sh.
 *
 * Sorted by path, so the files of one owner stand in the order of their numbers. Constant. */
#ifndef MOMENT_CTL_SCHEMA_H
#define MOMENT_CTL_SCHEMA_H

#include <stddef.h>

struct schema_file {
    const char *owner; /* a service, or "runtime": run first in the schema of every service */
    int version;       /* the number in front of the file's name */
    const char *name;  /* "ingest/001_moment.sql": what schema_version remembers */
    const char *sql;
};

extern const struct schema_file schema_files[];
extern const size_t schema_file_count;

#endif
