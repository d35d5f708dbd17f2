/* rhythm - see the header. */
#include "feedback/rules/rhythm.h"

#include "feedback/rules/objection.h"

int rhythm_check(int practice, uint32_t times, int period, struct objection *ret_objection)
{
    if (practice < 1 || practice > RHYTHM_PRACTICE_MAX) {
        return objection_set(ret_objection, "practice", "Say what you will do.");
    }
    if (times < 1 || times > RHYTHM_TIMES_MAX) {
        return objection_set(ret_objection, "times",
                             "Say how often: 1 to %d times. To do it no more, end the rhythm.",
                             RHYTHM_TIMES_MAX);
    }
    if (period != RHYTHM_WEEK && period != RHYTHM_MONTH) {
        return objection_set(ret_objection, "period", "A rhythm is by week or by month.");
    }
    return 0;
}

/* The first day after the period that a day is in. */
static struct date next_period(enum rhythm_period period, struct date day)
{
    return period == RHYTHM_MONTH ? date_next_month(day) : date_add(date_monday(day), 7);
}

struct date rhythm_from(struct zone *zone, enum rhythm_period period, int64_t now)
{
    return next_period(period, zone_civil(zone, now).date);
}

struct date rhythm_until(struct zone *zone, enum rhythm_period period, struct date from,
                         int64_t now)
{
    struct date today = zone_civil(zone, now).date;
    struct date after = date_compare(today, from) < 0 ? from : next_period(period, today);

    return date_add(after, -1);
}
