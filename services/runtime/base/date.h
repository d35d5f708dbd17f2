/* date - days of the calendar (proleptic Gregorian), wherever they are. Pure; thread safe. Instants
 * become days and back in base/zone.h. */
#ifndef MOMENT_BASE_DATE_H
#define MOMENT_BASE_DATE_H

#include "base/macros.h"

#include <stdint.h>

struct date {
    int year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};

#define DATE_TEXT_SIZE 16

/* Days since 1970-01-01, and back. */
int64_t date_number(struct date date);
struct date date_of_number(int64_t number);
/* Negative days go back. */
struct date date_add(struct date date, int64_t days);
/* 1 Monday .. 7 Sunday (ISO 8601). */
int date_weekday(struct date date);
/* The Monday of its ISO week; the first of its month. */
struct date date_monday(struct date date);
struct date date_month(struct date date);
/* The first of the month after it. */
struct date date_next_month(struct date date);
/* Less than, equal to or greater than 0 as a is before, the same as or after b. */
int date_compare(struct date a, struct date b);
/* YYYY-MM-DD of a day that exists, years 0001..9999. -EINVAL. */
must_check int date_parse(const char *text, struct date *ret_date);
/* Returns text. */
const char *date_print(struct date date, char text[DATE_TEXT_SIZE]);

#endif
