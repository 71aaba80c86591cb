/* node/due: what people type, and how late it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/due.h"
#include "tests/node/reader.h"

static void assert_due(const struct when_reader *r, const char *typed, const char *want)
{
	char text[WALLTIME_TEXT_BYTES];
	struct errmsg msg = { 0 };
	struct walltime w = { 0 };

	if (due_parse(&w, r, typed, &msg))
		fail_msg("'%s': %s", typed, msg.text);
	walltime_format(text, &w);
	if (strcmp(text, want) != 0)
		fail_msg("'%s' is %s, not %s", typed, text, want);
}

static void what_people_type_is_understood(void **state)
{
	static const struct {
		const char *typed, *want;
	} cases[] = {
		{ "2026-11-30", "2026-11-30[Asia/Shanghai]" },
		{ "  2026-11-30  ", "2026-11-30[Asia/Shanghai]" },
		{ "2026/11/30", "2026-11-30[Asia/Shanghai]" },
		{ "2026-1-2", "2026-01-02[Asia/Shanghai]" },
		{ "2026年11月30日", "2026-11-30[Asia/Shanghai]" },
		{ "2026-11-30 17:00", "2026-11-30T17:00[Asia/Shanghai]" },
		{ "2026-11-30T17:00", "2026-11-30T17:00[Asia/Shanghai]" },
		{ "2026-11-30 9:05", "2026-11-30T09:05[Asia/Shanghai]" },
		{ "2026-11-30 17：00", "2026-11-30T17:00[Asia/Shanghai]" },
		{ "2026年11月30日17:00", "2026-11-30T17:00[Asia/Shanghai]" },
		{ "\u30002026-11-30\u300017:00", "2026-11-30T17:00[Asia/Shanghai]" },
		{ "2026-11-30 00:00", "2026-11-30T00:00[Asia/Shanghai]" },
		{ "2026-11-30T17:00[Europe/Berlin]", "2026-11-30T17:00[Europe/Berlin]" },
		{ "2026-11-30 [Europe/Berlin] ", "2026-11-30[Europe/Berlin]" },

		/* Without a year: the next such day, today included. */
		{ "11-30", "2026-11-30[Asia/Shanghai]" },
		{ "11月30日", "2026-11-30[Asia/Shanghai]" },
		{ "11月30号 17:00", "2026-11-30T17:00[Asia/Shanghai]" },
		{ "9-18", "2026-09-18[Asia/Shanghai]" },
		{ "9-17", "2027-09-17[Asia/Shanghai]" },
		{ "02-29", "2028-02-29[Asia/Shanghai]" },

		{ "today", "2026-09-18[Asia/Shanghai]" },
		{ "Today 18:30", "2026-09-18T18:30[Asia/Shanghai]" },
		{ "tomorrow", "2026-09-19[Asia/Shanghai]" },
		{ "今天", "2026-09-18[Asia/Shanghai]" },
		{ "明天17:00", "2026-09-19T17:00[Asia/Shanghai]" },
		{ "后天 17:00", "2026-09-20T17:00[Asia/Shanghai]" },
		{ "+3d", "2026-09-21[Asia/Shanghai]" },
		{ "+0d", "2026-09-18[Asia/Shanghai]" },
		{ "+2w 9:00", "2026-10-02T09:00[Asia/Shanghai]" },
		{ "+3天", "2026-09-21[Asia/Shanghai]" },

		/* It is Friday. */
		{ "sat", "2026-09-19[Asia/Shanghai]" },
		{ "Mon", "2026-09-21[Asia/Shanghai]" },
		{ "thursday", "2026-09-24[Asia/Shanghai]" },
		{ "fri", "2026-09-25[Asia/Shanghai]" },
		{ "周一", "2026-09-21[Asia/Shanghai]" },
		{ "周五", "2026-09-25[Asia/Shanghai]" },
		{ "星期日", "2026-09-20[Asia/Shanghai]" },
		{ "周天 12:00", "2026-09-20T12:00[Asia/Shanghai]" },
		{ "本周五", "2026-09-18[Asia/Shanghai]" },
		{ "这周日", "2026-09-20[Asia/Shanghai]" },
		{ "下周一", "2026-09-21[Asia/Shanghai]" },
		{ "下周五", "2026-09-25[Asia/Shanghai]" },
		{ "下星期日", "2026-09-27[Asia/Shanghai]" },

		/* Today is that of the zone which the due is in. */
		{ "today [America/New_York]", "2026-09-17[America/New_York]" },
		{ "fri[America/New_York]", "2026-09-18[America/New_York]" },
	};
	struct when_reader r = reader_in("Asia/Shanghai");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_due(&r, cases[i].typed, cases[i].want);
	r = reader_in("America/New_York");
	assert_due(&r, "tomorrow", "2026-09-18[America/New_York]");
}

static void what_is_no_due_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *typed;
		enum err want;
		const char *says;
	} cases[] = {
		{ "尽快", ERR_INVALID,
		  "needs a date, and '尽快' is none: say for instance "
		  "2026-09-21" },
		{ "请尽快完成", ERR_INVALID, "needs a date" },
		{ "近期", ERR_INVALID, "needs a date" },
		{ "ASAP", ERR_INVALID, "needs a date" },
		{ "soon", ERR_INVALID, "needs a date" },
		{ "tbd [Europe/Berlin]", ERR_INVALID, "needs a date" },
		{ "", ERR_INVALID, "not understood" },
		{ "[Europe/Berlin]", ERR_INVALID, "not understood" },
		{ "xyz", ERR_INVALID, "write 2026-09-21, '2026-09-21 17:00'" },
		{ "11/30", ERR_INVALID, "not understood as a date" },
		{ "2026-11-30 25:00", ERR_INVALID, "not understood" },
		{ "2026-11-30 17:60", ERR_INVALID, "not understood" },
		{ "2026-11-30 017:00", ERR_INVALID, "not understood" },
		{ "2026-11-30 17:0", ERR_INVALID, "not understood" },
		{ "2026-11-30 17", ERR_INVALID, "not understood" },
		{ "2026-11-30 17:00 x", ERR_INVALID, "not understood" },
		{ "2026-11-300", ERR_INVALID, "not understood" },
		{ "2026-11/30", ERR_INVALID, "not understood" },
		{ "tomorrows", ERR_INVALID, "not understood" },
		{ "month", ERR_INVALID, "not understood" },
		{ "+3", ERR_INVALID, "not understood" },
		{ "+d", ERR_INVALID, "not understood" },
		{ "+99999d", ERR_INVALID, "not understood" },
		{ "周", ERR_INVALID, "not understood" },
		{ "五", ERR_INVALID, "not understood" },
		{ "2026-02-29", ERR_INVALID, "no such day as '2026-02-29'" },
		{ "2026-13-01", ERR_INVALID, "no such day" },
		{ "02-30", ERR_INVALID, "no such day" },
		{ "30-11", ERR_INVALID, "no such day" },
		{ "1969-12-31", ERR_INVALID, "no such day" },
		{ "0000-01-01", ERR_INVALID, "no such day" },
		{ "2026-11-30 [Asia/Beijing]", ERR_NOT_FOUND, "did you mean Asia/Shanghai?" },
		{ "2026-11-30 []", ERR_NOT_FOUND, "no time zone ''" },
		{ "2026-11-30 [UTC][UTC]", ERR_NOT_FOUND, "no time zone" },
		{ "2026-11-30 [UTC", ERR_INVALID, "not understood" },
		{ "2026-11-30 UTC]", ERR_INVALID, "not understood" },
	};
	struct when_reader r = reader_in("Asia/Shanghai");
	struct walltime w = { .minute = 7 };
	char typed[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct errmsg msg = { 0 };

		if (due_parse(&w, &r, cases[i].typed, &msg) != cases[i].want ||
		    !strstr(msg.text, cases[i].says))
			fail_msg("'%s': %s: %s", cases[i].typed, err_name(msg.code), msg.text);
	}
	memset(typed, 'a', sizeof(typed) - 1);
	typed[sizeof(typed) - 1] = '\0';
	assert_int_equal(due_parse(&w, &r, typed, NULL), ERR_INVALID);
	for (size_t size = 100; size < sizeof(typed); size++) {
		memset(typed, size % 2 ? ' ' : 'a', size);
		typed[size - 1] = ']';
		typed[size % 7] = '[';
		typed[size] = '\0';
		assert_int_not_equal(due_parse(&w, &r, typed, NULL), OK);
	}
	assert_int_equal(w.minute, 7);
}

static void lateness_is_told_by_the_readers_calendar(void **state)
{
	static const struct {
		const char *zone, *walltime, *want;
	} cases[] = {
		{ "Asia/Shanghai", "2026-09-18[Asia/Shanghai]", "due today at 18:00" },
		{ "Asia/Shanghai", "2026-09-18T10:00[Asia/Shanghai]", "due today at 10:00" },
		{ "Asia/Shanghai", "2026-09-18T09:59[Asia/Shanghai]", "overdue since 09:59" },
		{ "Asia/Shanghai", "2026-09-17[Asia/Shanghai]", "overdue by 1 day" },
		{ "Asia/Shanghai", "2026-09-17T23:59[Asia/Shanghai]", "overdue by 1 day" },
		{ "Asia/Shanghai", "2026-09-15[Asia/Shanghai]", "overdue by 3 days" },
		{ "Asia/Shanghai", "2026-09-19[Asia/Shanghai]", "due in 1 day" },
		{ "Asia/Shanghai", "2026-11-30[Asia/Shanghai]", "due in 73 days" },
		/* 18:00 of the 17th in New York is 06:00 of the 18th in Shanghai. */
		{ "Asia/Shanghai", "2026-09-17[America/New_York]", "overdue since 06:00" },
		{ "America/New_York", "2026-09-17[America/New_York]", "overdue since 18:00" },
		{ "America/New_York", "2026-09-18[Asia/Shanghai]", "due in 1 day" },
	};
	char text[WHEN_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct when_reader r = reader_in(cases[i].zone);
		struct walltime w;
		struct due due;

		assert_int_equal(walltime_parse(&w, bytes_of_str(cases[i].walltime)), OK);
		assert_int_equal(due_of(&due, &r, &w, NULL), OK);
		due_format(&due, &r, text);
		if (strcmp(text, cases[i].want) != 0)
			fail_msg("%s in %s: %s", cases[i].walltime, cases[i].zone, text);
		assert_int_equal(due.is_overdue, due.utc_s < NOW_S);
	}
}

static void a_due_of_an_unknown_zone_is_not_guessed(void **state)
{
	struct when_reader r = reader_in("Asia/Shanghai");
	struct walltime w;
	struct due due = { .days = 7 };

	assert_int_equal(walltime_parse(&w, bytes_of_str("2026-09-18[Moon/Mare_Nubium]")), OK);
	assert_int_equal(due_of(&due, &r, &w, NULL), ERR_NOT_FOUND);
	assert_int_equal(due.days, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_type_is_understood),
		cmocka_unit_test(what_is_no_due_is_refused_with_a_reason),
		cmocka_unit_test(lateness_is_told_by_the_readers_calendar),
		cmocka_unit_test(a_due_of_an_unknown_zone_is_not_guessed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
