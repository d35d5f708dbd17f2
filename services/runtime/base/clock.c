#include "base/clock.h"

#include <errno.h>
#include <time.h>

#define US_PER_DAY (INT64_C(86400) * US_PER_S)
/* 0000-01-01T00:00:00Z and the last microsecond of year 9999: what four digits can say. */
#define WALL_MIN_US (INT64_C(-62167219200) * US_PER_S)
#define WALL_MAX_US (INT64_C(253402300799) * US_PER_S + 999999)

static struct {
    bool is_set;
    int64_t wall_us;
    int64_t mono_us;
} fixed;

static int64_t now_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return fixed.is_set ? fixed.wall_us : now_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
    return fixed.is_set ? fixed.mono_us : now_us(CLOCK_MONOTONIC);
}

void clock_set_for_test(int64_t wall_us, int64_t mono_us)
{
    fixed.is_set = wall_us >= 0;
    fixed.wall_us = wall_us;
    fixed.mono_us = mono_us;
}

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. Years are counted from March, so
 * that the leap day is the last of its year; 400 years (an era) have 146097 days. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *ret_month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2 ? 1 : 0));
}

static char *put_digits(char *to, int value, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    to[digits] = after;
    return to + digits + 1;
}

const char *clock_to_rfc3339(int64_t wall_us, char text[CLOCK_RFC3339_SIZE])
{
    int64_t us = wall_us < WALL_MIN_US   ? WALL_MIN_US
                 : wall_us > WALL_MAX_US ? WALL_MAX_US
                                         : wall_us;
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0 ? 1 : 0);
    int64_t of_day_ms = (us - days * US_PER_DAY) / US_PER_MS;
    int year, month, day;
    date_from_days(days, &year, &month, &day);

    char *at = put_digits(text, year, 4, '-');
    at = put_digits(at, month, 2, '-');
    at = put_digits(at, day, 2, 'T');
    at = put_digits(at, (int)(of_day_ms / 3600000), 2, ':');
    at = put_digits(at, (int)(of_day_ms / 60000 % 60), 2, ':');
    at = put_digits(at, (int)(of_day_ms / 1000 % 60), 2, '.');
    at = put_digits(at, (int)(of_day_ms % 1000), 3, 'Z');
    *at = 0;
    return text;
}

static bool take_digits(struct slice *text, size_t digits, int *ret_value)
{
    if (text->len < digits)
        return false;
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = text->at[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    text->at += digits;
    text->len -= digits;
    *ret_value = value;
    return true;
}

static bool take_one_of(struct slice *text, const char *allowed, char *ret_char)
{
    if (!text->len)
        return false;
    for (; *allowed; allowed++) {
        if (text->at[0] == *allowed) {
            *ret_char = *allowed;
            text->at++;
            text->len--;
            return true;
        }
    }
    return false;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* ".123" with one to nine digits, or nothing. */
static bool take_fraction_us(struct slice *text, int64_t *ret_us)
{
    char c;
    *ret_us = 0;
    if (!take_one_of(text, ".", &c))
        return true;
    int64_t unit = 100000;
    int count = 0;
    for (int digit; count < 10 && take_digits(text, 1, &digit); count++) {
        *ret_us += digit * unit;
        unit /= 10;
    }
    return count >= 1 && count <= 9;
}

/* "Z", "+02:00": how far the local time is ahead of UTC. */
static bool take_offset_us(struct slice *text, int64_t *ret_us)
{
    char sign, colon;
    int hours, minutes;
    if (!take_one_of(text, "Zz+-", &sign))
        return false;
    *ret_us = 0;
    if (sign == 'Z' || sign == 'z')
        return true;
    if (!take_digits(text, 2, &hours) || !take_one_of(text, ":", &colon) ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    int64_t us = (hours * INT64_C(3600) + minutes * INT64_C(60)) * US_PER_S;
    *ret_us = sign == '-' ? -us : us;
    return true;
}

static bool take_date(struct slice *text, int64_t *ret_days)
{
    char c;
    int year, month, day;
    if (!take_digits(text, 4, &year) || !take_one_of(text, "-", &c) ||
        !take_digits(text, 2, &month) || !take_one_of(text, "-", &c) || !take_digits(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_days = days_from_date(year, month, day);
    return true;
}

int clock_from_rfc3339(struct slice text, int64_t *ret_wall_us)
{
    char c;
    int hour, minute, second;
    int64_t days, fraction_us, offset_us;
    if (!take_date(&text, &days) || !take_one_of(&text, "Tt ", &c) ||
        !take_digits(&text, 2, &hour) || !take_one_of(&text, ":", &c) ||
        !take_digits(&text, 2, &minute) || !take_one_of(&text, ":", &c) ||
        !take_digits(&text, 2, &second) || !take_fraction_us(&text, &fraction_us) ||
        !take_offset_us(&text, &offset_us) || text.len)
        return -EINVAL;
    if (hour > 23 || minute > 59 || second > 60)
        return -EINVAL;

    int64_t minute_us = days * US_PER_DAY + (hour * INT64_C(60) + minute) * 60 * US_PER_S;
    minute_us -= offset_us;
    /* A leap second is the last of a UTC day; like POSIX it falls on the next day's first. */
    if (second == 60 && (minute_us + 60 * US_PER_S) % US_PER_DAY != 0)
        return -EINVAL;
    int64_t wall_us = minute_us + second * US_PER_S + fraction_us;
    /* An offset can lead out of the years that can be written. */
    if (wall_us < WALL_MIN_US || wall_us > WALL_MAX_US)
        return -EINVAL;
    *ret_wall_us = wall_us;
    return 0;
}
