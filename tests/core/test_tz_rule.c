/* core/tz_rule: the forms that a footer may have, and those it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/civil.h"
#include "core/tz_rule.h"

static int64_t seconds(int32_t year, int32_t month, int32_t day, int64_t second)
{
	return civil_s_from_days(civil_days_from_date((struct civil_date){ year, month, day })) +
	       second;
}

static struct tz_rule parsed(const char *text)
{
	struct tz_rule rule = { 0 };

	if (tz_rule_parse(&rule, bytes_of_str(text)) != OK)
		fail_msg("'%s' was refused", text);
	return rule;
}

static void the_year_switches_when_the_rule_says(void **state)
{
	static const struct {
		const char *text;
		int32_t offset_s; /* before */
		struct civil_date date;
		int64_t second; /* UTC, the first of the new offset */
		int32_t new_offset_s;
	} cases[] = {
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 3600, { 2026, 3, 29 }, 3600, 7200 },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 7200, { 2026, 10, 25 }, 3600, 3600 },
		{ "EST5EDT,M3.2.0,M11.1.0", -18000, { 2026, 3, 8 }, 25200, -14400 },
		{ "EST5EDT,M3.2.0,M11.1.0", -14400, { 2026, 11, 1 }, 21600, -18000 },
		/* The first of the month is the weekday asked for; the fifth one exists. */
		{ "AAA0BBB,M11.1.0,M3.5.6", 0, { 2026, 11, 1 }, 7200, 3600 },
		{ "AAA0BBB,M5.5.0,M8.5.6", 3600, { 2026, 8, 29 }, 3600, 0 },
		{ "AAA0BBB,M5.5.0,M8.5.6", 0, { 2026, 5, 31 }, 7200, 3600 },
		/* The 60th day of a leap year is 29 February for n=59, 1 March for J60. */
		{ "AAA0BBB,59/0,J200", 0, { 2028, 2, 29 }, 0, 3600 },
		{ "AAA0BBB,J60/0,J200", 0, { 2028, 3, 1 }, 0, 3600 },
		{ "AAA0BBB,J59/0,J200", 0, { 2028, 2, 28 }, 0, 3600 },
		{ "AAA0BBB,59/0,J200", 0, { 2026, 3, 1 }, 0, 3600 },
		/* Before the day, and long after it (Godthab, Gaza). */
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, { 2026, 3, 29 }, 3600, -3600 },
		{ "EET-2EEST,M3.4.4/50,M10.4.4/50", 7200, { 2026, 3, 28 }, 0, 10800 },
		/* A week beyond the end of the year. */
		{ "AAA0BBB,J365/167,J100/0", 0, { 2027, 1, 6 }, 23 * 3600, 3600 },
		{ "AAA0BBB,J1/-167,J100/0", 0, { 2025, 12, 25 }, 3600, 3600 },
		{ "AAA0BBB,J365/167,J364/167", 3600, { 2027, 1, 5 }, 22 * 3600, 0 },
		/* Negative daylight-saving time, half hours, seconds. */
		{ "IST-1GMT0,M10.5.0,M3.5.0/1", 3600, { 2026, 10, 25 }, 3600, 0 },
		{ "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37800, { 2026, 10, 3 }, 55800, 39600 },
		{ "LMT-8:05:43BBB,J1/0,J100/0", 29143, { 2025, 12, 31 }, 57257, 32743 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tz_rule rule = parsed(cases[i].text);
		int64_t at_s =
			civil_s_from_days(civil_days_from_date(cases[i].date)) + cases[i].second;
		struct tz_span before = tz_rule_span(&rule, at_s - 1);
		struct tz_span after = tz_rule_span(&rule, at_s);

		if (before.until_s != at_s || after.from_s != at_s)
			fail_msg("'%s': %+lld s off", cases[i].text,
				 (long long)(before.until_s - at_s));
		assert_int_equal(before.type->offset_s, cases[i].offset_s);
		assert_int_equal(after.type->offset_s, cases[i].new_offset_s);
	}
}

static void a_rule_without_dst_has_one_span(void **state)
{
	struct tz_rule rule = parsed("<+0545>-5:45");
	struct tz_span span = tz_rule_span(&rule, 0);

	assert_int_equal(span.type->offset_s, 20700);
	assert_string_equal(span.type->abbreviation, "+0545");
	assert_true(span.from_s == INT64_MIN && span.until_s == INT64_MAX);
}

static void dst_may_last_all_year(void **state)
{
	struct tz_rule rule = parsed("EST5EDT,0/0,J365/25");

	for (int64_t day = 0; day < 800; day++) {
		struct tz_span span = tz_rule_span(&rule, seconds(2026, 1, 1, day * 86400 / 2));

		assert_true(span.type->is_dst);
		assert_string_equal(span.type->abbreviation, "EDT");
	}
	assert_true(tz_rule_span(&rule, seconds(2027, 1, 1, 5 * 3600)).type->is_dst);
}

static void spans_follow_one_another_without_holes(void **state)
{
	struct tz_rule rule = parsed("AAA0BBB,J365/167,J1/-167");
	struct tz_span span = tz_rule_span(&rule, seconds(1960, 6, 1, 0));

	while (span.until_s < seconds(2040, 1, 1, 0)) {
		struct tz_span next = tz_rule_span(&rule, span.until_s);

		assert_int_equal(next.from_s, span.until_s);
		assert_true(next.until_s > next.from_s);
		assert_ptr_not_equal(next.type, span.type);
		span = next;
	}
}

static void what_is_no_rule_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"AAA",
		"0",
		"AAA0BBB",
		"AAA0BBB,",
		"AAA0BBB,M3.5.0",
		"AAA0BBB,M3.5.0,",
		"AAA0BBB,M3.5.0,M10.5.0,",
		"AAA0BBB,M3.5.0,M10.5.0x",
		"AAA0BBB,M0.5.0,M10.5.0",
		"AAA0BBB,M13.5.0,M10.5.0",
		"AAA0BBB,M3.0.0,M10.5.0",
		"AAA0BBB,M3.6.0,M10.5.0",
		"AAA0BBB,M3.5.7,M10.5.0",
		"AAA0BBB,M3.5,M10.5.0",
		"AAA0BBB,M3.5.0/,M10.5.0",
		"AAA0BBB,M3.5.0/168,M10.5.0",
		"AAA0BBB,M3.5.0/1:60,M10.5.0",
		"AAA0BBB,M3.5.0/1:00:60,M10.5.0",
		"AAA0BBB,J0,J100",
		"AAA0BBB,J366,J100",
		"AAA0BBB,366,J100",
		"AAA0BBB,99999999999999999999,J100",
		"AAA25",
		"AAA--1",
		"AAA1:",
		"<AAA0",
		"<>0",
		"<A\nA>0",
		"AAAAAAAAAAAAAAAA0",
		"AAA0 ",
	};
	struct tz_rule rule = { .standard = { .offset_s = 7 } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (tz_rule_parse(&rule, bytes_of_str(texts[i])) != ERR_FORMAT)
			fail_msg("'%s' was read", texts[i]);
	assert_int_equal(rule.standard.offset_s, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_year_switches_when_the_rule_says),
		cmocka_unit_test(a_rule_without_dst_has_one_span),
		cmocka_unit_test(dst_may_last_all_year),
		cmocka_unit_test(spans_follow_one_another_without_holes),
		cmocka_unit_test(what_is_no_rule_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
