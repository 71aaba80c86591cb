/* node/duration */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/duration.h"

static void durations_are_a_number_and_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} cases[] = {
		{ "0", 0 },
		{ "10s", 10 },
		{ "30m", 1800 },
		{ "24h", 86400 },
		{ "7d", 604800 },
		{ "0d", 0 },
		{ "366d", DURATION_S_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t seconds = 1;

		assert_true(duration_parse(cases[i].text, &seconds));
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const texts[] = { "",     "7",   "d",    "-1d",
					     "+1d",  " 1d", "1 d",  "1dd",
					     "1.5h", "1w",  "367d", "99999999999999999999s" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t seconds = 1;

		assert_false(duration_parse(texts[i], &seconds));
		assert_int_equal(seconds, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_a_number_and_a_unit),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
