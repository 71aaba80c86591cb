/* node/words: proquints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "node/words.h"

/* The examples of the paper: IPv4 addresses. */
static void words_are_those_of_the_paper(void **state)
{
	static const struct {
		uint8_t bytes[4];
		const char *words;
	} cases[] = {
		{ { 127, 0, 0, 1 }, "lusab babad" },      { { 63, 84, 220, 193 }, "gutih tugad" },
		{ { 63, 118, 7, 35 }, "gutuk bisog" },    { { 140, 98, 193, 141 }, "mudof sakat" },
		{ { 64, 255, 6, 200 }, "haguz biram" },   { { 128, 30, 52, 45 }, "mabiv gibot" },
		{ { 147, 67, 119, 2 }, "natag lisaf" },   { { 212, 58, 253, 68 }, "tibup zujah" },
		{ { 216, 35, 68, 215 }, "tobog higil" },  { { 216, 68, 232, 21 }, "todah vobij" },
		{ { 198, 81, 129, 136 }, "sinid makam" }, { { 12, 110, 110, 204 }, "budov kuras" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[WORDS_TEXT_MAX];
		uint8_t bytes[4];

		words_encode(text, bytes_of(cases[i].bytes, 4));
		assert_string_equal(text, cases[i].words);
		assert_int_equal(words_decode(bytes, 2, text, NULL), OK);
		assert_memory_equal(bytes, cases[i].bytes, 4);
	}
}

static void every_word_comes_back(void **state)
{
	for (unsigned word = 0; word <= UINT16_MAX; word++) {
		uint8_t bytes[] = { (uint8_t)(word >> 8), (uint8_t)word }, again[2];
		char text[WORDS_TEXT_MAX];

		words_encode(text, bytes_of(bytes, 2));
		assert_int_equal(words_decode(again, 1, text, NULL), OK);
		assert_memory_equal(again, bytes, 2);
	}
}

static void words_are_read_as_people_write_them(void **state)
{
	static const char *const cases[] = {
		"lusab babad",       "LUSAB  Babad\n",     "lusab-babad",
		"1. lusab 2. babad", "\tlusab,\r\nbabad.", "1:lusab\n2:babad\n",
	};
	static const uint8_t expected[] = { 127, 0, 0, 1 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[4];

		assert_int_equal(words_decode(bytes, 2, cases[i], NULL), OK);
		assert_memory_equal(bytes, expected, 4);
	}
}

static void slip_is_named(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "lusab babac lusab", "word 2 " }, /* c is no letter of theirs */
		{ "lusa babad lusab", "word 1 " },
		{ "lusab babad lusabb", "word 3 " },
		{ "lusab bbaad lusab", "word 2 " },
		{ "lusab babad 会议", "word 3 " },
		{ "lusab babad", "2 words where 3 belong" },
		{ "lusab babad lusab babad", "4 words where 3 belong" },
		{ "", "0 words where 3 belong" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[6] = { 7, 7, 7, 7, 7, 7 };
		struct errmsg msg;

		assert_int_equal(words_decode(bytes, 3, cases[i].text, &msg), ERR_FORMAT);
		assert_non_null(strstr(msg.text, cases[i].said));
		for (size_t n = 0; n < sizeof(bytes); n++)
			assert_int_equal(bytes[n], 7);
	}
}

static void check_words_follow_from_every_character(void **state)
{
	char text[] = "huitong1:abcdef", words[WORDS_TEXT_MAX], other[WORDS_TEXT_MAX];

	words_check(words, bytes_of_str(text));
	assert_int_equal(strlen(words), 6 * 6 - 1);
	for (size_t i = 0; text[i]; i++) {
		text[i] ^= 1;
		words_check(other, bytes_of_str(text));
		assert_string_not_equal(words, other);
		text[i] ^= 1;
	}
	words_check(other, bytes_of_str(text));
	assert_string_equal(words, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_the_paper),
		cmocka_unit_test(every_word_comes_back),
		cmocka_unit_test(words_are_read_as_people_write_them),
		cmocka_unit_test(slip_is_named),
		cmocka_unit_test(check_words_follow_from_every_character),
	};

	return cmocka_run_group_tests_name("node/words", tests, NULL, NULL);
}
