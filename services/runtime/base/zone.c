#include "base/zone.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>

#define NAME_MAX_LEN 64
#define MS_PER_MINUTE INT64_C(60000)
#define MS_PER_DAY (ZONE_DAY_MINUTES * MS_PER_MINUTE)

struct zone {
    UCalendar *calendar; /* owned */
};

static void need(UErrorCode status)
{
    if (U_FAILURE(status)) {
        abort();
    }
}

/* Names of zones are ASCII. */
static int widen(const char *name, UChar wide[NAME_MAX_LEN], int32_t *ret_len)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_LEN) {
        return -ENOENT;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] >= 0x80) {
            return -ENOENT;
        }
        wide[i] = (UChar)(unsigned char)name[i];
    }
    *ret_len = (int32_t)len;
    return 0;
}

/* ICU takes a name that it does not know for GMT, without a word. */
static bool is_known(const UChar *name, int32_t len)
{
    UChar canonical[NAME_MAX_LEN];
    UErrorCode status = U_ZERO_ERROR;
    UBool is_system = 0;

    (void)ucal_getCanonicalTimeZoneID(name, len, canonical, NAME_MAX_LEN, &is_system, &status);
    return U_SUCCESS(status) && is_system;
}

int zone_open(const char *name, struct zone **ret_zone)
{
    UChar wide[NAME_MAX_LEN];
    UErrorCode status = U_ZERO_ERROR;
    struct zone *zone;
    int32_t len;
    int error = widen(name, wide, &len);

    if (error != 0 || strcmp(name, "Etc/Unknown") == 0 || !is_known(wide, len)) {
        return -ENOENT;
    }
    zone = calloc(1, sizeof(*zone));
    if (zone == NULL) {
        return -ENOMEM;
    }
    zone->calendar = ucal_open(wide, len, "", UCAL_GREGORIAN, &status);
    if (U_FAILURE(status)) {
        free(zone);
        return -ENOMEM;
    }
    *ret_zone = zone;
    return 0;
}

void zone_close(struct zone **zone)
{
    if (*zone != NULL) {
        ucal_close((*zone)->calendar);
        free(*zone);
        *zone = NULL;
    }
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

static int64_t offset_ms(const struct zone *zone, int64_t at_ms)
{
    UErrorCode status = U_ZERO_ERROR;
    int32_t offset;

    ucal_setMillis(zone->calendar, (UDate)at_ms, &status);
    offset = ucal_get(zone->calendar, UCAL_ZONE_OFFSET, &status) +
             ucal_get(zone->calendar, UCAL_DST_OFFSET, &status);
    need(status);
    return offset;
}

struct civil zone_civil(struct zone *zone, int64_t at)
{
    int64_t at_ms = floor_div(at, US_PER_MS);
    int64_t local_ms = at_ms + offset_ms(zone, at_ms);
    int64_t day = floor_div(local_ms, MS_PER_DAY);
    int64_t in_day = local_ms - day * MS_PER_DAY;
    struct date date = date_of_number(day);

    return (struct civil){
        .date = date,
        .weekday = date_weekday(date),
        .minute = (int)(in_day / MS_PER_MINUTE),
        .second = (int)(in_day % MS_PER_MINUTE / 1000),
    };
}

/* Both choices are the offset from before a change: see the header. */
static int64_t from_local_ms(struct zone *zone, int64_t local_ms)
{
    UErrorCode status = U_ZERO_ERROR;
    int32_t raw = 0, saving = 0;

    ucal_setMillis(zone->calendar, (UDate)local_ms, &status);
    ucal_getTimeZoneOffsetFromLocal(zone->calendar, UCAL_TZ_LOCAL_FORMER, UCAL_TZ_LOCAL_FORMER,
                                    &raw, &saving, &status);
    need(status);
    return local_ms - raw - saving;
}

int64_t zone_instant(struct zone *zone, struct date date, int minute)
{
    return from_local_ms(zone, date_number(date) * MS_PER_DAY + minute * MS_PER_MINUTE) * US_PER_MS;
}

int64_t zone_day_start(struct zone *zone, int64_t at)
{
    return zone_instant(zone, zone_civil(zone, at).date, 0);
}

int64_t zone_week_start(struct zone *zone, int64_t at)
{
    return zone_instant(zone, date_monday(zone_civil(zone, at).date), 0);
}

int64_t zone_month_start(struct zone *zone, int64_t at)
{
    return zone_instant(zone, date_month(zone_civil(zone, at).date), 0);
}

int64_t zone_add_days(struct zone *zone, int64_t at, int64_t days)
{
    int64_t at_ms = floor_div(at, US_PER_MS);
    int64_t local_ms = at_ms + offset_ms(zone, at_ms) + days * MS_PER_DAY;

    return from_local_ms(zone, local_ms) * US_PER_MS + (at - at_ms * US_PER_MS);
}
