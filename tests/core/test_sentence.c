/* core/sentence: where sentences begin and end, in English and in Chinese. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/sentence.h"

/* A text and its sentences, with '|' after each. */
static const struct {
	const char *text, *sentences;
} cases[] = {
	{ "", "" },
	{ " \n\t\xe3\x80\x80\n", "" },
	{ "We buy", "We buy|" },
	{ "We buy. We sell! Why?  So be it", "We buy.|We sell!|Why?|So be it|" },
	{ "It costs 3.50 in v1.2.\nNext", "It costs 3.50 in v1.2.|Next|" },
	{ "Wait... what?! No.", "Wait...|what?!|No.|" },
	{ "He said \"buy.\" (Twice.) So", "He said \"buy.\"|(Twice.)|So|" },
	{ "He said “buy.” Then ‘no.’ End", "He said “buy.”|Then ‘no.’|End|" },
	{ "one line\nanother line\r\n\r\nthird", "one line|another line|third|" },
	{ "  leading. \n trailing  ", "leading.|trailing|" },
	{ "我们买。他们卖！为什么？先这样；再说", "我们买。|他们卖！|为什么？|先这样；|再说|" },
	{ "他说：“买。”我们同意。", "他说：“买。”|我们同意。|" },
	{ "真的？！好……吧", "真的？！|好……|吧|" },
	{ "（第一条。）第二条　第三条。", "（第一条。）|第二条　第三条。|" },
	{ "见 v1.会议。Then we go.好", "见 v1.会议。|Then we go.好|" },
	{ ".", ".|" },
	{ "。。", "。。|" },
	{ "a.\xc2\xa0"
	  "b.\xe2\x80\xa8"
	  "c",
	  "a.|b.|c|" },
};

static void sentences_end_at_their_marks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes text = bytes_of_str(cases[i].text);
		struct buf found = BUF_EMPTY;
		struct sentence s;
		size_t at = 0;

		while (sentence_next(text, &at, &s)) {
			buf_append(&found, text.data + s.from, s.to - s.from);
			buf_append_byte(&found, '|');
			assert_int_equal(at, s.to);
		}
		buf_append_byte(&found, 0);
		assert_string_equal((const char *)found.data, cases[i].sentences);
		buf_release(&found);
	}
}

/* What is between two breaks reads as it does in the whole. */
static void no_sentence_goes_on_over_a_break(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes text = bytes_of_str(cases[i].text);
		struct sentence whole, s;
		size_t at = 0, size = 0, in = 0, begin = 0;

		for (struct bytes rest = text; rest.size > 0; begin += size) {
			size = sentence_first_break(rest);
			if (size == 0)
				assert_int_equal(sentence_last_break(text), begin);
			size = size ? size : rest.size;
			rest = bytes_of(rest.data + size, rest.size - size);
			for (in = 0; sentence_next(bytes_of(text.data + begin, size), &in, &s);) {
				assert_true(sentence_next(text, &at, &whole));
				assert_int_equal(begin + s.from, whole.from);
				assert_int_equal(begin + s.to, whole.to);
			}
		}
		assert_false(sentence_next(text, &at, &whole));
	}
}

static void most_sentences_end_with_a_break(void **state)
{
	(void)state;
	assert_int_equal(sentence_first_break(bytes_of_str("We buy. We sell.")), 7);
	assert_int_equal(sentence_first_break(bytes_of_str("买。卖。")), 6);
	assert_int_equal(sentence_last_break(bytes_of_str("买。卖。租")), 12);
	assert_int_equal(sentence_first_break(bytes_of_str("one\n\ntwo")), 3);
	assert_int_equal(sentence_last_break(bytes_of_str("one\n\ntwo")), 5);
	assert_int_equal(sentence_first_break(bytes_of_str("v1.2 (no. ) 买。")), 9);
	assert_int_equal(sentence_first_break(bytes_of_str("买。”卖")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences_end_at_their_marks),
		cmocka_unit_test(no_sentence_goes_on_over_a_break),
		cmocka_unit_test(most_sentences_end_with_a_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
