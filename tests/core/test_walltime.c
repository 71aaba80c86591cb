/* core/walltime: one text for each value, and nothing but that text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/walltime.h"

static struct walltime parsed(const char *text)
{
	struct walltime w = { 0 };

	if (walltime_parse(&w, bytes_of_str(text)) != OK)
		fail_msg("'%s' was refused", text);
	return w;
}

static void canonical_texts_survive_the_round_trip(void **state)
{
	static const char *const texts[] = {
		"2026-11-30[Asia/Shanghai]",
		"2026-11-30T17:00[Asia/Shanghai]",
		"1970-01-01T00:00[UTC]",
		"9999-12-31T23:59[America/Argentina/ComodRivadavia]",
		"2028-02-29[Etc/GMT+8]",
		"2026-01-01[Z123456789_123456789-123456789+123456789/a23456789/b234567890abc]",
	};
	char text[WALLTIME_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct walltime w = parsed(texts[i]);

		walltime_format(text, &w);
		assert_string_equal(text, texts[i]);
	}
}

static void the_parts_are_read(void **state)
{
	struct walltime w = parsed("2026-11-30T17:05[Asia/Shanghai]");

	assert_int_equal(w.date.year, 2026);
	assert_int_equal(w.date.month, 11);
	assert_int_equal(w.date.day, 30);
	assert_true(w.has_time);
	assert_int_equal(w.minute, 17 * 60 + 5);
	assert_string_equal(w.zone, "Asia/Shanghai");
	assert_false(parsed("2026-11-30[Asia/Shanghai]").has_time);
}

static void anything_else_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"2026-11-30",
		"2026-11-30[",
		"2026-11-30]",
		"2026-11-30[]",
		"2026-11-30T[UTC]",
		"2026-11-30T17[UTC]",
		"2026-11-30T17",
		"2026-11-30T17:00",
		"2026-11-30/UTC]",
		"2026-11-30[UTC)",
		"2026-11-30T24:00[UTC]",
		"2026-11-30T17:00:00[UTC]",
		"2026-11-30T17:00Z[UTC]",
		"2026-11-30T17:00+08:00[Asia/Shanghai]",
		"2026-11-30 17:00[UTC]",
		"2026-11-30t17:00[UTC]",
		" 2026-11-30[UTC]",
		"2026-11-30[UTC] ",
		"2026-11-30[UTC][UTC]",
		"2026-11-30[!UTC]",
		"2026-11-30[+08:00]",
		"2026-02-29[UTC]",
		"1969-12-31[UTC]",
		"2026-11-30[/etc/passwd]",
		"2026-11-30[../UTC]",
		"2026-11-30[Asia/../UTC]",
		"2026-11-30[Asia//Shanghai]",
		"2026-11-30[Asia/]",
		"2026-11-30[Z123456789_123456789-123456789+123456789/a23456789/b234567890abcd]",
	};
	struct walltime w = { .minute = 7 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		/* On the heap and without an end, so that reading on shows. */
		size_t size = strlen(texts[i]);
		char *text = memcpy(malloc(size + !size), texts[i], size);

		if (walltime_parse(&w, bytes_of(text, size)) != ERR_INVALID)
			fail_msg("'%s' was read", texts[i]);
		free(text);
	}
	assert_int_equal(walltime_parse(&w, bytes_of("2026-11-30[U\0C]", 15)), ERR_INVALID);
	assert_int_equal(w.minute, 7);
}

static void the_order_is_date_then_time_then_zone(void **state)
{
	static const char *const ascending[] = {
		"2026-11-29[UTC]",       "2026-11-30T00:00[UTC]",  "2026-11-30T17:00[Asia/Tokyo]",
		"2026-11-30T17:00[UTC]", "2026-11-30[Asia/Tokyo]", "2026-11-30[UTC]",
		"2026-12-01[UTC]",
	};
	size_t count = sizeof(ascending) / sizeof(ascending[0]);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			struct walltime a = parsed(ascending[i]), b = parsed(ascending[j]);
			char x[WALLTIME_TEXT_BYTES], y[WALLTIME_TEXT_BYTES];
			int order;

			walltime_format(x, &a);
			walltime_format(y, &b);
			order = strcmp(x, y);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
}

static void a_date_alone_means_the_minute_asked_for(void **state)
{
	struct walltime date = parsed("1970-01-02[UTC]"), time = parsed("1970-01-02T01:00[UTC]");

	assert_int_equal(walltime_local_s(&date, 18 * 60), 86400 + 18 * 3600);
	assert_int_equal(walltime_local_s(&time, 18 * 60), 86400 + 3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_texts_survive_the_round_trip),
		cmocka_unit_test(the_parts_are_read),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(the_order_is_date_then_time_then_zone),
		cmocka_unit_test(a_date_alone_means_the_minute_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
