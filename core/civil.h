/* Dates of the proleptic Gregorian calendar, without zones.
 *
 * A day is counted from 1970-01-01 (day 0); a local time in seconds from the midnight that
 * begins that day, as if every day had 86,400 s. Pure, no allocation.
 * After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
#ifndef HT_CORE_CIVIL_H
#define HT_CORE_CIVIL_H

#include "core/bytes.h"

#define CIVIL_DAY_S       INT64_C(86400)
#define CIVIL_DATE_BYTES  11 /* "2026-11-30" and its end; years of four digits */
#define CIVIL_CLOCK_BYTES 6  /* "17:00" and its end */

struct civil_date {
	int32_t year;
	int32_t month; /* 1..12 */
	int32_t day;   /* 1..31 */
};

enum civil_weekday {
	CIVIL_MONDAY,
	CIVIL_TUESDAY,
	CIVIL_WEDNESDAY,
	CIVIL_THURSDAY,
	CIVIL_FRIDAY,
	CIVIL_SATURDAY,
	CIVIL_SUNDAY,
};

bool civil_is_leap(int64_t year);
int32_t civil_days_in_month(int64_t year, int32_t month); /* 0 for a month that is none */
bool civil_date_is_valid(struct civil_date date);

/* The date must be valid. */
int64_t civil_days_from_date(struct civil_date date);
/* Asserts that the year fits. */
struct civil_date civil_date_from_days(int64_t days);
enum civil_weekday civil_weekday(int64_t days);

/* Local seconds to the day they fall on and back, rounding towards the past. */
int64_t civil_days_from_s(int64_t local_s);
int64_t civil_s_from_days(int64_t days);
int32_t civil_minute_from_s(int64_t local_s); /* of that day, 0..1439 */

/* Exactly `YYYY-MM-DD`, a date that exists, years 0000..9999; ERR_FORMAT otherwise. */
MUST_CHECK enum err civil_date_parse(struct civil_date *out, struct bytes text);
/* Asserts a valid date with a year of 0..9999. */
void civil_date_format(char out[static CIVIL_DATE_BYTES], struct civil_date date);

/* Exactly `HH:MM`, 00:00..23:59, as minutes after midnight; ERR_FORMAT otherwise. */
MUST_CHECK enum err civil_clock_parse(int32_t *minute, struct bytes text);
void civil_clock_format(char out[static CIVIL_CLOCK_BYTES], int32_t minute);

#endif
