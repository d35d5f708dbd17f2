/* zone - civil time: what clocks and calendars show at a place, by its IANA time zone.
 *
 * The rules of zones are those of the ICU that is installed. Instants are microseconds since the
 * Unix epoch, as everywhere. Days have 23, 24 or 25 hours: a day's length is the difference of two
 * zone_instant, never 86400 s.
 *
 * Where clocks are put forward, a time that no clock shows is read with the offset from before: in
 * a gap from 02:00 to 03:00, 02:30 is the instant at which clocks show 03:30, and a day whose
 * midnight is skipped begins at the change. Where they are put back, a time that comes twice is its
 * first coming.
 *
 * Not thread safe: one thread uses a zone at a time. Running out of memory inside ICU ends the
 * process. */
#ifndef MOMENT_BASE_ZONE_H
#define MOMENT_BASE_ZONE_H

#include "base/date.h"

#define ZONE_DAY_MINUTES 1440

struct zone;

/* By IANA name, also an old one ("Asia/Katmandu"). -ENOENT: no such zone. -ENOMEM. */
must_check int zone_open(const char *name, struct zone **ret_zone);
void zone_close(struct zone **zone); /* accepts null in it */

struct civil {
    struct date date;
    int weekday; /* 1 Monday .. 7 Sunday */
    int minute;  /* of the day, 0..1439, as clocks show it */
    int second;
};

struct civil zone_civil(struct zone *zone, int64_t at);
/* minute 0..1440; 1440 is the start of the next day. */
int64_t zone_instant(struct zone *zone, struct date date, int minute);

/* The start of the day, of the ISO week (Monday) and of the month that the instant is in. */
int64_t zone_day_start(struct zone *zone, int64_t at);
int64_t zone_week_start(struct zone *zone, int64_t at);
int64_t zone_month_start(struct zone *zone, int64_t at);
/* The same time of the clock so many days later; negative: earlier. */
int64_t zone_add_days(struct zone *zone, int64_t at, int64_t days);

#endif
