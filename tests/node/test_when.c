/* node/when: times in the reader's zone with the origin's beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/node/reader.h"

static struct walltime parsed(const char *text)
{
	struct walltime w = { 0 };

	if (walltime_parse(&w, bytes_of_str(text)))
		fail_msg("'%s' is no wall time", text);
	return w;
}

static const struct {
	const char *zone, *walltime, *in_list, *in_full;
} shown[] = {
	{ "Asia/Shanghai", "2026-11-30T17:00[Asia/Shanghai]", "11-30 17:00",
	  "2026-11-30 17:00 (Asia/Shanghai)" },
	{ "Asia/Singapore", "2026-11-30T17:00[Asia/Shanghai]", "11-30 17:00",
	  "2026-11-30 17:00 (Asia/Shanghai)" },
	{ "Europe/Berlin", "2026-11-30T17:00[Asia/Shanghai]", "11-30 10:00 (Shanghai 17:00)",
	  "2026-11-30 17:00 (Asia/Shanghai) = 10:00 Europe/Berlin" },
	{ "America/New_York", "2026-11-30T06:00[Asia/Shanghai]", "11-29 17:00 (Shanghai 06:00 +1d)",
	  "2026-11-30 06:00 (Asia/Shanghai) = 17:00 -1d America/New_York" },
	{ "Asia/Shanghai", "2026-11-30T17:00[America/New_York]", "12-01 06:00 (New York 17:00 -1d)",
	  "2026-11-30 17:00 (America/New_York) = 06:00 +1d Asia/Shanghai" },
	/* Other years are written out. */
	{ "Asia/Shanghai", "2027-01-04T09:00[Asia/Shanghai]", "2027-01-04 09:00",
	  "2027-01-04 09:00 (Asia/Shanghai)" },
	{ "America/New_York", "2027-01-01T06:00[Asia/Shanghai]", "12-31 17:00 (Shanghai 06:00 +1d)",
	  "2027-01-01 06:00 (Asia/Shanghai) = 17:00 -1d America/New_York" },
	/* A date alone lasts until closing time in its zone. */
	{ "Asia/Shanghai", "2026-11-30[Asia/Shanghai]", "11-30", "2026-11-30 (Asia/Shanghai)" },
	{ "Europe/Berlin", "2026-11-30[Asia/Shanghai]", "11-30 11:00 (Shanghai 11-30)",
	  "2026-11-30 (Asia/Shanghai) = until 11:00 Europe/Berlin" },
	/* Which year that is the date before it tells. */
	{ "Europe/Berlin", "2027-01-10[Asia/Shanghai]", "2027-01-10 11:00 (Shanghai 01-10)",
	  "2027-01-10 (Asia/Shanghai) = until 11:00 Europe/Berlin" },
	{ "Asia/Shanghai", "2026-11-30[America/New_York]", "12-01 07:00 (New York 11-30)",
	  "2026-11-30 (America/New_York) = until 07:00 +1d Asia/Shanghai" },
	/* Skipped by the clocks. */
	{ "Europe/Berlin", "2026-03-29T02:30[Europe/Berlin]", "03-29 03:30 (Berlin 02:30)",
	  "2026-03-29 02:30 (Europe/Berlin) = 03:30 Europe/Berlin" },
	/* A zone of a newer database. */
	{ "Asia/Shanghai", "2026-11-30T17:00[Moon/Mare_Nubium]", "11-30 17:00 (Mare Nubium)",
	  "2026-11-30 17:00 (Moon/Mare_Nubium)" },
	{ "Asia/Shanghai", "2026-11-30[Moon/Mare_Nubium]", "11-30 (Mare Nubium)",
	  "2026-11-30 (Moon/Mare_Nubium)" },
	/* The ends of what may be written. */
	{ "Asia/Shanghai", "9999-12-31T23:59[UTC]", "10000-01-01 07:59 (UTC 23:59 -1d)",
	  "9999-12-31 23:59 (UTC) = 07:59 +1d Asia/Shanghai" },
	{ "America/New_York", "1970-01-01T00:00[UTC]", "1969-12-31 19:00 (UTC 00:00 +1d)",
	  "1970-01-01 00:00 (UTC) = 19:00 -1d America/New_York" },
};

static void wall_times_are_shown_in_the_readers_zone(void **state)
{
	char text[WHEN_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		struct when_reader r = reader_in(shown[i].zone);
		struct walltime w = parsed(shown[i].walltime);

		when_short(&r, &w, NULL, text);
		assert_string_equal(text, shown[i].in_list);
		when_full(&r, &w, text);
		assert_string_equal(text, shown[i].in_full);
	}
}

static void the_place_may_be_given(void **state)
{
	struct when_reader r = reader_in("Europe/Berlin");
	struct walltime w = parsed("2026-11-30T17:00[Asia/Shanghai]");
	char text[WHEN_TEXT_BYTES];

	when_short(&r, &w, "SHA", text);
	assert_string_equal(text, "11-30 10:00 (SHA 17:00)");
}

static void closing_time_may_be_set(void **state)
{
	struct when_reader r = reader_in("Europe/Berlin");
	struct walltime w = parsed("2026-11-30[Asia/Shanghai]");
	enum tz_fit fit;
	int64_t late_s, early_s;

	assert_int_equal(when_to_utc(&r, &w, &late_s, &fit, NULL), OK);
	r.closing_minute = 17 * 60 + 30;
	assert_int_equal(when_to_utc(&r, &w, &early_s, &fit, NULL), OK);
	assert_int_equal(late_s - early_s, 30 * 60);
}

static void instants_are_shown_in_the_readers_zone(void **state)
{
	struct when_reader shanghai = reader_in("Asia/Shanghai");
	struct when_reader new_york = reader_in("America/New_York");
	char text[WHEN_TEXT_BYTES];

	when_instant(&shanghai, (uint64_t)NOW_S * 1000 + 999, text);
	assert_string_equal(text, "2026-09-18 10:00");
	when_instant(&new_york, (uint64_t)NOW_S * 1000, text);
	assert_string_equal(text, "2026-09-17 22:00");
	when_instant(&shanghai, (UINT64_C(1) << 48) - 1, text);
	assert_string_equal(text, "10889-08-02 13:31");
}

static void skipped_and_repeated_times_are_cautioned(void **state)
{
	struct when_reader r = reader_in("Asia/Shanghai");
	struct walltime skipped = parsed("2026-03-29T02:30[Europe/Berlin]");
	struct walltime repeated = parsed("2026-10-25T02:30[Europe/Berlin]");
	struct walltime plain = parsed("2026-03-29T03:30[Europe/Berlin]");
	char text[WHEN_TEXT_BYTES];

	assert_true(when_caution(&r, &skipped, text));
	assert_string_equal(text, "Europe/Berlin: clocks skip 02:30 on 2026-03-29; taken as 03:30");
	assert_true(when_caution(&r, &repeated, text));
	assert_string_equal(text, "Europe/Berlin: clocks show 02:30 twice on 2026-10-25; the first "
				  "is taken");
	assert_false(when_caution(&r, &plain, text));
}

static void a_reader_needs_a_zone_that_exists(void **state)
{
	struct when_reader r = { .now_s = 7 };

	assert_int_equal(when_reader_init(&r, zones, "Moon/Mare_Nubium", NOW_S, NULL),
			 ERR_NOT_FOUND);
	assert_int_equal(r.now_s, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall_times_are_shown_in_the_readers_zone),
		cmocka_unit_test(the_place_may_be_given),
		cmocka_unit_test(closing_time_may_be_set),
		cmocka_unit_test(instants_are_shown_in_the_readers_zone),
		cmocka_unit_test(skipped_and_repeated_times_are_cautioned),
		cmocka_unit_test(a_reader_needs_a_zone_that_exists),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
