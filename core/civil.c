#include "core/civil.h"

#include <assert.h>

#define ERA_YEARS      400 /* after which the calendar repeats */
#define ERA_DAYS       146097
#define EPOCH_ERA_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */

bool civil_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t civil_days_in_month(int64_t year, int32_t month)
{
	static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month < 1 || month > 12)
		return 0;
	return days[month - 1] + (month == 2 && civil_is_leap(year));
}

bool civil_date_is_valid(struct civil_date date)
{
	return date.day >= 1 && date.day <= civil_days_in_month(date.year, date.month);
}

static int64_t floor_div(int64_t number, int64_t by)
{
	return number / by - (number % by < 0);
}

/* Years begin in March here, so that the leap day is their last. */
int64_t civil_days_from_date(struct civil_date date)
{
	int64_t year = (int64_t)date.year - (date.month <= 2);
	int64_t era = floor_div(year, ERA_YEARS);
	int64_t year_of_era = year - era * ERA_YEARS;
	int64_t month = (date.month + 9) % 12;
	int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	assert(civil_date_is_valid(date));
	return era * ERA_DAYS + day_of_era - EPOCH_ERA_DAYS;
}

struct civil_date civil_date_from_days(int64_t days)
{
	int64_t era = floor_div(days + EPOCH_ERA_DAYS, ERA_DAYS);
	int64_t day_of_era = days + EPOCH_ERA_DAYS - era * ERA_DAYS;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			       day_of_era / (ERA_DAYS - 1)) /
			      365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	int64_t year = era * ERA_YEARS + year_of_era + (month >= 10);

	assert(year >= INT32_MIN && year <= INT32_MAX);
	return (struct civil_date){
		.year = (int32_t)year,
		.month = (int32_t)(month < 10 ? month + 3 : month - 9),
		.day = (int32_t)(day_of_year - (153 * month + 2) / 5 + 1),
	};
}

enum civil_weekday civil_weekday(int64_t days)
{
	int64_t since_monday = (days + CIVIL_THURSDAY) % 7;

	return (enum civil_weekday)(since_monday < 0 ? since_monday + 7 : since_monday);
}

int64_t civil_days_from_s(int64_t local_s)
{
	return floor_div(local_s, CIVIL_DAY_S);
}

int64_t civil_s_from_days(int64_t days)
{
	return days * CIVIL_DAY_S;
}

int32_t civil_minute_from_s(int64_t local_s)
{
	return (int32_t)((local_s - civil_s_from_days(civil_days_from_s(local_s))) / 60);
}

/* The number that `size` digits write, or -1. */
static int32_t digits(const uint8_t *at, size_t size)
{
	int32_t number = 0;

	for (size_t i = 0; i < size; i++) {
		if (at[i] < '0' || at[i] > '9')
			return -1;
		number = number * 10 + (at[i] - '0');
	}
	return number;
}

enum err civil_date_parse(struct civil_date *out, struct bytes text)
{
	struct civil_date date;

	if (text.size != CIVIL_DATE_BYTES - 1 || text.data[4] != '-' || text.data[7] != '-')
		return ERR_FORMAT;
	date.year = digits(text.data, 4);
	date.month = digits(text.data + 5, 2);
	date.day = digits(text.data + 8, 2);
	if (date.year < 0 || !civil_date_is_valid(date))
		return ERR_FORMAT;
	*out = date;
	return OK;
}

static void put_digits(char *at, size_t size, int32_t number)
{
	while (size--) {
		at[size] = (char)('0' + number % 10);
		number /= 10;
	}
}

void civil_date_format(char out[static CIVIL_DATE_BYTES], struct civil_date date)
{
	assert(civil_date_is_valid(date) && date.year >= 0 && date.year <= 9999);
	memcpy(out, "YYYY-MM-DD", CIVIL_DATE_BYTES);
	put_digits(out, 4, date.year);
	put_digits(out + 5, 2, date.month);
	put_digits(out + 8, 2, date.day);
}

enum err civil_clock_parse(int32_t *minute, struct bytes text)
{
	int32_t hour, rest;

	if (text.size != CIVIL_CLOCK_BYTES - 1 || text.data[2] != ':')
		return ERR_FORMAT;
	hour = digits(text.data, 2);
	rest = digits(text.data + 3, 2);
	if (hour < 0 || hour > 23 || rest < 0 || rest > 59)
		return ERR_FORMAT;
	*minute = hour * 60 + rest;
	return OK;
}

void civil_clock_format(char out[static CIVIL_CLOCK_BYTES], int32_t minute)
{
	assert(minute >= 0 && minute < 24 * 60);
	memcpy(out, "HH:MM", CIVIL_CLOCK_BYTES);
	put_digits(out, 2, minute / 60);
	put_digits(out + 3, 2, minute % 60);
}
