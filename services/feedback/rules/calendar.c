/* calendar - see the header. */
#include "feedback/rules/calendar.h"

#include "base/clock.h"

static bool is_holiday(const struct calendar *calendar, struct date date)
{
    for (size_t i = 0; i < calendar->holiday_count; i++) {
        if (date_compare(calendar->holidays[i], date) == 0) {
            return true;
        }
    }
    return false;
}

static const struct open_window *first_window(const struct calendar *calendar, int weekday)
{
    for (size_t i = 0; i < calendar->window_count; i++) {
        if (calendar->windows[i].weekday == weekday) {
            return &calendar->windows[i];
        }
    }
    return NULL;
}

bool calendar_is_working_day(const struct calendar *calendar, struct date date)
{
    return !is_holiday(calendar, date) &&
           (calendar->window_count == 0 || first_window(calendar, date_weekday(date)) != NULL);
}

/* The windows of one day as instants, in order: walk until it returns false. */
struct day_walk {
    const struct calendar *calendar;
    struct date date;
    size_t next;
};

static bool next_window(struct day_walk *walk, int64_t *ret_opens, int64_t *ret_closes)
{
    static const struct open_window whole_day = {.closes_minute = ZONE_DAY_MINUTES};
    const struct calendar *calendar = walk->calendar;
    const struct open_window *window = NULL;
    int weekday = date_weekday(walk->date);

    if (calendar->window_count == 0) {
        window = walk->next++ == 0 ? &whole_day : NULL;
    }
    while (window == NULL && walk->next < calendar->window_count) {
        const struct open_window *candidate = &calendar->windows[walk->next++];

        window = candidate->weekday == weekday ? candidate : NULL;
    }
    if (window == NULL || is_holiday(calendar, walk->date)) {
        return false;
    }
    *ret_opens = zone_instant(calendar->zone, walk->date, window->opens_minute);
    *ret_closes = zone_instant(calendar->zone, walk->date, window->closes_minute);
    return true;
}

int64_t calendar_add_open_ms(const struct calendar *calendar, int64_t at, int64_t open_ms)
{
    struct date date = zone_civil(calendar->zone, at).date;
    int64_t left = open_ms * US_PER_MS;

    if (left == 0) {
        return at;
    }
    for (int day = 0; day <= CALENDAR_REACH_DAYS; day++, date = date_add(date, 1)) {
        struct day_walk walk = {.calendar = calendar, .date = date};
        int64_t opens, closes;

        while (next_window(&walk, &opens, &closes)) {
            int64_t from = opens > at ? opens : at;

            if (closes - from >= left) {
                return from + left;
            }
            left -= closes > from ? closes - from : 0;
        }
    }
    return CALENDAR_NEVER;
}

int64_t calendar_open_ms(const struct calendar *calendar, int64_t from, int64_t to)
{
    struct date date = zone_civil(calendar->zone, from).date;
    struct date last = zone_civil(calendar->zone, to).date;
    int64_t open = 0;

    for (; date_compare(date, last) <= 0; date = date_add(date, 1)) {
        struct day_walk walk = {.calendar = calendar, .date = date};
        int64_t opens, closes;

        while (next_window(&walk, &opens, &closes)) {
            int64_t begin = opens > from ? opens : from;
            int64_t end = closes < to ? closes : to;

            open += end > begin ? end - begin : 0;
        }
    }
    return open / US_PER_MS;
}

static int64_t last_closing(const struct calendar *calendar, struct date date)
{
    struct day_walk walk = {.calendar = calendar, .date = date};
    int64_t opens, closes, last = CALENDAR_NEVER;

    while (next_window(&walk, &opens, &closes)) {
        last = closes;
    }
    return last;
}

int64_t calendar_add_working_days(const struct calendar *calendar, int64_t at, uint32_t days)
{
    struct date date = zone_civil(calendar->zone, at).date;
    uint32_t worked = 0;

    for (int day = 0; day < CALENDAR_REACH_DAYS; day++) {
        date = date_add(date, 1);
        worked += calendar_is_working_day(calendar, date) ? 1 : 0;
        if (worked == days) {
            return last_closing(calendar, date);
        }
    }
    return CALENDAR_NEVER;
}
