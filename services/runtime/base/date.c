#include "base/date.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Four hundred years have the same number of days for ever. */
#define ERA_YEARS 400
#define ERA_DAYS 146097
/* From 0000-03-01 to 1970-01-01. */
#define EPOCH_DAYS 719468

/* Counted from March on, a leap day is the last of its year: no case needs an exception. */
int64_t date_number(struct date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = (year >= 0 ? year : year - (ERA_YEARS - 1)) / ERA_YEARS;
    int64_t year_of_era = year - era * ERA_YEARS;
    int64_t day_of_year =
        (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;

    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           EPOCH_DAYS;
}

struct date date_of_number(int64_t number)
{
    int64_t days = number + EPOCH_DAYS;
    int64_t era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t day_of_era = days - era * ERA_DAYS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0: March */

    return (struct date){
        .year = (int)(year_of_era + era * ERA_YEARS + (month >= 10 ? 1 : 0)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
}

struct date date_add(struct date date, int64_t days)
{
    return date_of_number(date_number(date) + days);
}

int date_weekday(struct date date)
{
    int64_t since_thursday = date_number(date) % 7; /* 1970-01-01 was one */

    return (int)((since_thursday + 7 + 3) % 7) + 1;
}

struct date date_monday(struct date date)
{
    return date_add(date, 1 - date_weekday(date));
}

struct date date_month(struct date date)
{
    date.day = 1;
    return date;
}

struct date date_next_month(struct date date)
{
    return (struct date){
        .year = date.year + date.month / 12, .month = date.month % 12 + 1, .day = 1};
}

int date_compare(struct date a, struct date b)
{
    int64_t difference = date_number(a) - date_number(b);

    return (difference > 0) - (difference < 0);
}

static int part(const char *text, size_t len, int64_t min, int64_t max, int *ret_value)
{
    int64_t value;

    if (strspn(text, "0123456789") < len ||
        text_to_i64((struct slice){.at = text, .len = len}, min, max, &value) != 0) {
        return -EINVAL;
    }
    *ret_value = (int)value;
    return 0;
}

int date_parse(const char *text, struct date *ret_date)
{
    struct date date;

    if (strlen(text) != strlen("YYYY-MM-DD") || text[4] != '-' || text[7] != '-' ||
        part(text, 4, 1, 9999, &date.year) != 0 || part(text + 5, 2, 1, 12, &date.month) != 0 ||
        part(text + 8, 2, 1, 31, &date.day) != 0) {
        return -EINVAL;
    }
    if (date_add(date, 0).day != date.day) {
        return -EINVAL; /* 31 April is 1 May */
    }
    *ret_date = date;
    return 0;
}

const char *date_print(struct date date, char text[DATE_TEXT_SIZE])
{
    (void)snprintf(text, DATE_TEXT_SIZE, "%04d-%02d-%02d", date.year % 10000, date.month % 100,
                   date.day % 100);
    return text;
}
