/* calendar - clocks that run in open hours only, and days that are worked.
 *
 * A site has a weekly plan of windows in its own civil time, several a day, and holidays, on which
 * it is closed. No window at all: nothing is known of its hours, and it is open all day on every
 * day that is no holiday. A window on a day when clocks change is as long as it really lasts: 02:00
 * to 04:00 is one hour or three; one that a change leaves nothing of is closed.
 *
 * Instants in microseconds, durations in milliseconds. Pure, but for the zone, which is not thread
 * safe. Cost: days between the instants times windows and holidays. */
#ifndef MOMENT_FEEDBACK_CALENDAR_H
#define MOMENT_FEEDBACK_CALENDAR_H

#include "base/zone.h"

#include <stdbool.h>
#include <stddef.h>

/* What does not happen within so many days never does. */
#define CALENDAR_REACH_DAYS 3660
#define CALENDAR_NEVER INT64_MAX

struct open_window {
    int weekday;       /* 1 Monday .. 7 Sunday */
    int opens_minute;  /* after local midnight */
    int closes_minute; /* > opens_minute, <= 1440 */
};

/* Everything is borrowed. */
struct calendar {
    struct zone *zone;
    const struct open_window *windows; /* by weekday and time, not overlapping */
    size_t window_count;
    const struct date *holidays;
    size_t holiday_count;
};

/* A civil day with a window and no holiday. */
bool calendar_is_working_day(const struct calendar *calendar, struct date date);
/* The instant at which open_ms of open time have passed since `at`; 0: at. When they end as a
 * window closes, that is the instant: not the next opening. CALENDAR_NEVER beyond
 * CALENDAR_REACH_DAYS. */
int64_t calendar_add_open_ms(const struct calendar *calendar, int64_t at, int64_t open_ms);
/* Open time of [from, to); 0 if to is not after from. */
int64_t calendar_open_ms(const struct calendar *calendar, int64_t from, int64_t to);
/* When the last window of the days'th working day after the civil day of `at` closes; days from 1.
 * CALENDAR_NEVER beyond CALENDAR_REACH_DAYS. */
int64_t calendar_add_working_days(const struct calendar *calendar, int64_t at, uint32_t days);

#endif
