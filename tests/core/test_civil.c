/* core/civil: the calendar, against known days and against itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/civil.h"

static void known_days_have_their_number_and_weekday(void **state)
{
	static const struct {
		struct civil_date date;
		int64_t days;
		enum civil_weekday weekday;
	} cases[] = {
		{ { 1970, 1, 1 }, 0, CIVIL_THURSDAY },
		{ { 1969, 12, 31 }, -1, CIVIL_WEDNESDAY },
		{ { 2000, 2, 29 }, 11016, CIVIL_TUESDAY },
		{ { 2026, 9, 18 }, 20714, CIVIL_FRIDAY },
		{ { 2026, 11, 30 }, 20787, CIVIL_MONDAY },
		{ { 1582, 10, 15 }, -141427, CIVIL_FRIDAY },
		{ { 0, 3, 1 }, -719468, CIVIL_WEDNESDAY },
		{ { 9999, 12, 31 }, 2932896, CIVIL_FRIDAY },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(civil_days_from_date(cases[i].date), cases[i].days);
		assert_int_equal(civil_weekday(cases[i].days), cases[i].weekday);
	}
}

static void every_day_of_an_era_follows_the_one_before(void **state)
{
	struct civil_date want = { 1899, 12, 31 };
	int64_t first = civil_days_from_date(want);

	for (int64_t days = first; days < first + 146097 + 2; days++) {
		struct civil_date date = civil_date_from_days(days);

		if (date.year != want.year || date.month != want.month || date.day != want.day)
			fail_msg("day %lld is %d-%d-%d", (long long)days, date.year, date.month,
				 date.day);
		assert_int_equal(civil_days_from_date(date), days);
		if (++want.day > civil_days_in_month(want.year, want.month)) {
			want.day = 1;
			if (++want.month > 12) {
				want.month = 1;
				want.year++;
			}
		}
	}
}

static void february_is_longer_in_leap_years_only(void **state)
{
	assert_int_equal(civil_days_in_month(2024, 2), 29);
	assert_int_equal(civil_days_in_month(2026, 2), 28);
	assert_int_equal(civil_days_in_month(2000, 2), 29);
	assert_int_equal(civil_days_in_month(2100, 2), 28);
	assert_int_equal(civil_days_in_month(2026, 13), 0);
	assert_int_equal(civil_days_in_month(2026, 0), 0);
}

static void seconds_before_the_epoch_belong_to_the_day_before(void **state)
{
	assert_int_equal(civil_days_from_s(-1), -1);
	assert_int_equal(civil_days_from_s(-86400), -1);
	assert_int_equal(civil_days_from_s(-86401), -2);
	assert_int_equal(civil_days_from_s(86399), 0);
	assert_int_equal(civil_s_from_days(-2), -172800);
	assert_int_equal(civil_minute_from_s(-1), 1439);
	assert_int_equal(civil_minute_from_s(86400 + 3661), 61);
}

static void dates_are_read_exactly(void **state)
{
	static const char *const bad[] = { "",           "2026-11-3",  "2026-11-300", "2026-02-29",
					   "2026-13-01", "2026-00-01", "2026-01-00",  "2026/11/30",
					   "-026-11-30", "2026-11- 1", "+026-11-30",  "2026-1a-30",
					   "2026-11-31", "2026-11-30 " };
	struct civil_date date = { 0 };
	char text[CIVIL_DATE_BYTES];

	assert_int_equal(civil_date_parse(&date, bytes_of_str("2026-11-30")), OK);
	civil_date_format(text, date);
	assert_string_equal(text, "2026-11-30");
	assert_int_equal(civil_date_parse(&date, bytes_of_str("0000-02-29")), OK);
	civil_date_format(text, date);
	assert_string_equal(text, "0000-02-29");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (civil_date_parse(&date, bytes_of_str(bad[i])) != ERR_FORMAT)
			fail_msg("'%s' was read", bad[i]);
	assert_int_equal(date.year, 0);
}

static void clocks_are_read_exactly(void **state)
{
	static const char *const bad[] = { "",      "7:00",  "24:00", "17:60",
					   "17.00", "17:0a", "-1:00", "17:00:00" };
	int32_t minute = -1;
	char text[CIVIL_CLOCK_BYTES];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (civil_clock_parse(&minute, bytes_of_str(bad[i])) != ERR_FORMAT)
			fail_msg("'%s' was read", bad[i]);
	assert_int_equal(minute, -1);
	assert_int_equal(civil_clock_parse(&minute, bytes_of_str("23:59")), OK);
	assert_int_equal(minute, 1439);
	civil_clock_format(text, minute);
	assert_string_equal(text, "23:59");
	civil_clock_format(text, 5);
	assert_string_equal(text, "00:05");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_days_have_their_number_and_weekday),
		cmocka_unit_test(every_day_of_an_era_follows_the_one_before),
		cmocka_unit_test(february_is_longer_in_leap_years_only),
		cmocka_unit_test(seconds_before_the_epoch_belong_to_the_day_before),
		cmocka_unit_test(dates_are_read_exactly),
		cmocka_unit_test(clocks_are_read_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
