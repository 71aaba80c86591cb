/* core/utf8: strict, and the fast path agrees with the slow one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/utf8.h"

#define TEXT(s) bytes_of(s, sizeof(s) - 1)

static const struct {
	const char *what;
	struct bytes text;
	bool valid;
} cases[] = {
	{ "empty", { (const uint8_t *)"", 0 }, true },
	{ "ascii", { (const uint8_t *)"plain", 5 }, true },
	{ "nul", { (const uint8_t *)"a\0b", 3 }, true },
	{ "two bytes, least", { (const uint8_t *)"\xc2\x80", 2 }, true },
	{ "two bytes, greatest", { (const uint8_t *)"\xdf\xbf", 2 }, true },
	{ "three bytes, least", { (const uint8_t *)"\xe0\xa0\x80", 3 }, true },
	{ "before the surrogates", { (const uint8_t *)"\xed\x9f\xbf", 3 }, true },
	{ "after the surrogates", { (const uint8_t *)"\xee\x80\x80", 3 }, true },
	{ "U+FFFF", { (const uint8_t *)"\xef\xbf\xbf", 3 }, true },
	{ "four bytes, least", { (const uint8_t *)"\xf0\x90\x80\x80", 4 }, true },
	{ "U+10FFFF", { (const uint8_t *)"\xf4\x8f\xbf\xbf", 4 }, true },
	{ "lone continuation", { (const uint8_t *)"\x80", 1 }, false },
	{ "overlong nul", { (const uint8_t *)"\xc0\x80", 2 }, false },
	{ "overlong slash", { (const uint8_t *)"\xc1\xaf", 2 }, false },
	{ "overlong in three", { (const uint8_t *)"\xe0\x9f\xbf", 3 }, false },
	{ "overlong in four", { (const uint8_t *)"\xf0\x8f\xbf\xbf", 4 }, false },
	{ "first surrogate", { (const uint8_t *)"\xed\xa0\x80", 3 }, false },
	{ "last surrogate", { (const uint8_t *)"\xed\xbf\xbf", 3 }, false },
	{ "U+110000", { (const uint8_t *)"\xf4\x90\x80\x80", 4 }, false },
	{ "five-byte lead", { (const uint8_t *)"\xf8\x88\x80\x80\x80", 5 }, false },
	{ "0xff", { (const uint8_t *)"\xff", 1 }, false },
	{ "cut after one of three", { (const uint8_t *)"\xe4", 1 }, false },
	{ "cut after two of three", { (const uint8_t *)"\xe4\xbc", 2 }, false },
	{ "third byte not a continuation", { (const uint8_t *)"\xe4\xbc\x41", 3 }, false },
};

static void only_well_formed_text_is_valid(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (utf8_is_valid(cases[i].text) != cases[i].valid)
			fail_msg("%s", cases[i].what);
	assert_true(utf8_is_valid(bytes_of(NULL, 0)));
}

/* Whatever stands before and after, and however it falls on the eight-byte steps. */
static void position_does_not_matter(void **state)
{
	uint8_t text[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t before = 0; before < 24; before++) {
			struct bytes odd = cases[i].text;

			memset(text, 'a', sizeof(text));
			memcpy(text + before, odd.data, odd.size);
			if (utf8_is_valid(bytes_of(text, before + odd.size)) != cases[i].valid)
				fail_msg("%s at the end, after %zu", cases[i].what, before);
			if (utf8_is_valid(bytes_of(text, sizeof(text))) != cases[i].valid)
				fail_msg("%s inside, after %zu", cases[i].what, before);
		}
	}
}

static void next_yields_each_code_point(void **state)
{
	static const uint32_t want[] = { 'a', 0xe9, 0x4f1a, 0x1f600, 0x10ffff };
	struct bytes rest = TEXT("a\xc3\xa9\xe4\xbc\x9a\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
	uint32_t cp = 0;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(utf8_next(&rest, &cp));
		assert_int_equal(cp, want[i]);
	}
	assert_false(utf8_next(&rest, &cp));
	assert_int_equal(rest.size, 0);
}

static void next_stops_before_what_is_invalid(void **state)
{
	struct bytes rest = TEXT("a\xed\xa0\x80z");
	uint32_t cp = 0;

	assert_true(utf8_next(&rest, &cp));
	assert_false(utf8_next(&rest, &cp));
	assert_int_equal(cp, 'a');
	assert_int_equal(rest.size, 4);
}

static void next_does_not_look_past_the_end(void **state)
{
	struct bytes rest = bytes_of("\xe4\xbc\x9a", 2);
	uint32_t cp = 0;

	assert_false(utf8_next(&rest, &cp));
	assert_int_equal(rest.size, 2);
}

static void every_scalar_value_survives_the_round_trip(void **state)
{
	for (uint32_t want = 0x800; want < 0x10000; want++) {
		uint8_t text[] = { (uint8_t)(0xe0 | want >> 12), (uint8_t)(0x80 | (want >> 6 & 63)),
				   (uint8_t)(0x80 | (want & 63)) };
		struct bytes rest = bytes_of(text, sizeof(text));
		bool surrogate = want >= 0xd800 && want <= 0xdfff;
		uint32_t cp = 0;

		assert_int_equal(utf8_next(&rest, &cp), !surrogate);
		assert_int_equal(cp, surrogate ? 0 : want);
	}
}

/* From each place in a text to each later one, in memory of just its size. */
static void a_span_ends_after_so_many_code_points(void **state)
{
	static const char mixed[] = "Minutes of é, 会议纪要 and 😀😀😀; abcdefghijklmnopqr é会😀 é会😀.";
	struct bytes text = TEXT(mixed);

	(void)state;
	for (size_t from = 0; from < text.size; from++)
		for (size_t to = from; to <= text.size; to++) {
			uint8_t *copy = malloc(to - from + 1);
			struct bytes part = bytes_of(copy + 1, to - from);

			assert_non_null(copy);
			memcpy(copy + 1, text.data + from, to - from);
			if (utf8_is_valid(part))
				assert_int_equal(utf8_span(part.data, (uint32_t)utf8_count(part)),
						 part.size);
			free(copy);
		}
}

static void code_points_are_counted_wherever_they_begin(void **state)
{
	static const char text[] = "a\xe4\xbc\x9a\xc3\xa9z\xf0\x9f\x98\x80\xe8\xae\xae"
				   "bcdefgh\xc3\xa9"
				   "\xe4\xbc\x9a\xe4\xbc\x9a\xe4\xbc\x9aijk";
	size_t size = sizeof(text) - 1;

	(void)state;
	for (size_t from = 0; from < size; from++)
		for (size_t to = from; to <= size; to++) {
			size_t count = 0;

			for (size_t i = from; i < to; i++)
				count += utf8_begins((uint8_t)text[i]);
			assert_int_equal(utf8_count(bytes_of(text + from, to - from)), count);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_well_formed_text_is_valid),
		cmocka_unit_test(code_points_are_counted_wherever_they_begin),
		cmocka_unit_test(position_does_not_matter),
		cmocka_unit_test(a_span_ends_after_so_many_code_points),
		cmocka_unit_test(next_yields_each_code_point),
		cmocka_unit_test(next_stops_before_what_is_invalid),
		cmocka_unit_test(next_does_not_look_past_the_end),
		cmocka_unit_test(every_scalar_value_survives_the_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
