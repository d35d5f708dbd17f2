/* directory - sites, teams, people and queues as a file gives them: CSV in, the same checks for
 * JSON.
 *
 * The CSV is RFC 4180 in UTF-8 (a BOM is fine) with a header line naming the columns, in any order:
 *
 *   kind        site, team, person, queue
 *   id          site_id, team_id, person_id, queue_id
 *   name        display name; of a queue, as its source names it (default: id)
 *   site        site_id of a team, person, queue
 *   team        team_id of a person
 *   role        of a person: leader, coach, agent, integrator, operator (default agent)
 *   coach       person_id of the person's coach
 *   agent_ids   of a person: "source=agent" or "agent" (any source), ';' between
 *   time_zone   of a site: IANA name
 *   open_hours  of a site: "Mon-Fri 08:00-12:00,13:00-17:00; Sat 09:00-12:00"
 *   holidays    of a site: "2026-12-25 Christmas Day; 2027-01-01"
 *
 * Missing columns are empty; unknown ones, and a value in a column that the kind does not have, are
 * errors. All errors of a file are told, each with its line (from 1) and column. Pure; no
 * allocation; thread safe. */
#ifndef MOMENT_INGEST_DIRECTORY_H
#define MOMENT_INGEST_DIRECTORY_H

#include "base/macros.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIRECTORY_AGENT_IDS_MAX 16
#define DIRECTORY_HOURS_MAX 64
#define DIRECTORY_HOLIDAYS_MAX 128
#define DIRECTORY_ID_MAX 128   /* bytes */
#define DIRECTORY_NAME_MAX 256 /* bytes */

enum directory_kind {
    DIRECTORY_NONE,
    DIRECTORY_SITE,
    DIRECTORY_TEAM,
    DIRECTORY_PERSON,
    DIRECTORY_QUEUE
};

struct directory_hours {
    uint8_t weekday;        /* 1 Monday .. 7 Sunday */
    uint16_t opens_minute;  /* after local midnight */
    uint16_t closes_minute; /* > opens_minute, <= 1440 */
};

struct directory_holiday {
    const char *date; /* YYYY-MM-DD */
    const char *name;
};

struct directory_agent_id {
    const char *source; /* "": any */
    const char *agent;
};

/* Strings are borrowed and never null. */
struct directory_entry {
    enum directory_kind kind;
    uint32_t line; /* where it stood; of JSON, its number from 1 */
    const char *id, *name, *site_id, *team_id, *role, *coach_id, *time_zone;
    struct directory_agent_id agent_ids[DIRECTORY_AGENT_IDS_MAX];
    size_t agent_id_count;
    struct directory_hours hours[DIRECTORY_HOURS_MAX]; /* sorted, not overlapping */
    size_t hours_count;
    struct directory_holiday holidays[DIRECTORY_HOLIDAYS_MAX];
    size_t holiday_count;
};

typedef void directory_entry_sink(void *context, const struct directory_entry *entry);
typedef void directory_error_sink(void *context, uint32_t line, const char *field,
                                  const char *message);

struct directory_sinks {
    directory_entry_sink *entry; /* only entries without errors of their own */
    directory_error_sink *error;
    void *context;
};

void directory_entry_init(struct directory_entry *entry);

/* Parses text, which it cuts up in place (len bytes and one more, writable, are used): the entries'
 * strings point into it. Returns the number of errors told. */
size_t directory_parse_csv(char *text, size_t len, const struct directory_sinks *sinks);

/* What one entry must have, whatever format it came in. Returns the number of errors told. */
size_t directory_check(const struct directory_entry *entry, const struct directory_sinks *sinks);

/* Does this id of that kind exist (in the file or already in the directory)? */
typedef bool directory_known(void *context, enum directory_kind kind, const char *id);
/* References to sites, teams and coaches that nobody knows, ids given twice and one agent id
 * claimed by two people of the file. Quadratic in count only for what is small. */
size_t directory_check_references(const struct directory_entry *const *entries, size_t count,
                                  directory_known *known, const struct directory_sinks *sinks);

/* "Mon-Fri 08:00-12:00,13:00-17:00; Sat 09:00-12:00", "Mon,Wed 09:00-24:00", "" for none. Sorted by
 * day and time. -EINVAL, -ERANGE for overlapping or backward windows, -E2BIG. */
must_check int directory_parse_hours(const char *text, struct directory_hours *ret_hours,
                                     size_t max, size_t *ret_count);
bool directory_hours_are_valid(const struct directory_hours *hours, size_t count);
/* A real day of the calendar, YYYY-MM-DD. */
bool directory_date_is_valid(const char *date);
/* The shape of an IANA name ("Europe/Berlin", "UTC", "Etc/GMT+5"); whether the zone exists is for
 * who has the tz database. */
bool directory_time_zone_is_valid(const char *name);
bool directory_role_is_valid(const char *role);
const char *directory_kind_name(enum directory_kind kind);
enum directory_kind directory_kind_of(struct slice name);

#endif
