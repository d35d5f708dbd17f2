/* directory - who is who, and when each site is open, as ingest tells it.
 *
 * ingest's DirectoryChanged records are kept in rows and in memory, changed together by applies and
 * read again after a transaction that did not commit. An installation whose cursor went past those
 * records before feedback kept them has no rows: then ingest is asked for its list, once, until it
 * answers; entries that are there by then are newer and stay.
 *
 * For commands: feedback_load_all in load, then directory_* in apply. For calls that only read:
 * directory_* at any time; while nothing is loaded everybody is unknown.
 *
 * At most DIRECTORY_ENTRIES_MAX entries. Loop thread. */
#ifndef MOMENT_FEEDBACK_DIRECTORY_H
#define MOMENT_FEEDBACK_DIRECTORY_H

#include "feedback/rules/calendar.h"
#include "io/service.h"
#include "moment/v1/ingest.pb-c.h"

#define DIRECTORY_ENTRIES_MAX 200000

struct directory;

/* -ENOMEM. */
must_check int directory_new(struct service *service, struct directory **ret_directory);
/* Nothing more is asked. */
void directory_stop(struct directory *directory);
void directory_free(struct directory **directory); /* accepts null in it */

/* For feedback.c: adds the reads; a DirectoryChanged record's effect; drops what is in memory.
 * -EBADMSG, -ENOSPC. */
void directory_load(struct directory *directory, struct txn *txn);
must_check int directory_apply(struct directory *directory, struct txn *txn,
                               const struct record *record);
void directory_forget(struct directory *directory);

/* Null: unknown. Valid until the next change, so for the length of an apply or a callback. */
const Moment__V1__Person *directory_person(const struct directory *directory,
                                           const char *person_id);
const Moment__V1__Team *directory_team(const struct directory *directory, const char *team_id);
const Moment__V1__Site *directory_site(const struct directory *directory, const char *site_id);
/* "": unknown. */
const char *directory_name_of(const struct directory *directory, const char *person_id);
/* Where a person is, for call_allows and reach_holds. author_id is left out. */
struct place directory_place_of(const Moment__V1__Person *person);
/* Every person, in no order. */
void directory_each_person(const struct directory *directory,
                           void (*visit)(void *arg, const Moment__V1__Person *person), void *arg);
/* The site's calendar, borrowed as the rest. Of an unknown site, and of one whose time zone does
 * not exist here: UTC; of the unknown one without windows or holidays. */
const struct calendar *directory_calendar(const struct directory *directory, const char *site_id);

#endif
