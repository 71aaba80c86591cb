/* node/segment: words of all scripts, and lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/segment.h"
#include "core/utf8.h"

/* The pieces with '|' between. */
static void expect(segment_size *segment, const char *text, const char *expected)
{
	struct bytes rest = bytes_of_str(text);
	struct buf cut = BUF_EMPTY;

	while (rest.size) {
		size_t size = segment(rest);

		assert_in_range(size, 1, rest.size);
		buf_append(&cut, rest.data, size);
		rest = bytes_of(rest.data + size, rest.size - size);
		if (rest.size)
			buf_append_byte(&cut, '|');
	}
	buf_append_byte(&cut, 0);
	assert_string_equal(cut.data, expected);
	buf_release(&cut);
}

static void words_of_scripts_with_blanks(void **state)
{
	expect(segment_word, "We decided, finally.", "We| |decided|,| |finally|.");
	expect(segment_word, "don't pay 3.5 or 1,000 at 17:30",
	       "don't| |pay| |3.5| |or| |1,000| |at| |17:30");
	expect(segment_word, "end. 3. it's' a.b 7'", "end|.| |3|.| |it's|'| |a|.|b| |7|'");
	expect(segment_word, "Größe cafe\u0301 Привет", "Größe| |cafe\u0301| |Привет");
	expect(segment_word, "שלום עולם", "שלום| |עולם");
	expect(segment_word, "a  \t b\n\nc", "a|  \t |b|\n|\n|c");
}

static void words_of_scripts_without_blanks(void **state)
{
	expect(segment_word, "三月一日上线。", "三|月|一|日|上|线|。");
	expect(segment_word, "Go上线v2 吧", "Go|上|线|v2| |吧");
	expect(segment_word, "サーバーを更新", "サーバー|を|更|新");
	expect(segment_word, "𠮷野家", "𠮷|野|家");
	expect(segment_word, "공동 회의", "공동| |회의");
}

static void what_is_drawn_together_is_one(void **state)
{
	expect(segment_word, "👩‍🚀🚀", "👩‍🚀|🚀");
	expect(segment_word, "👍🏽ok", "👍🏽|ok");
	expect(segment_word, "🇨🇳🇩🇪🇺", "🇨🇳|🇩🇪|🇺");
	expect(segment_word, "❤️!", "❤️|!");
	expect(segment_word, "葛󠄀城", "葛󠄀|城");
}

static void lines_have_their_ends(void **state)
{
	expect(segment_line, "a b\n\nc", "a b\n|\n|c");
	expect(segment_line, "a\n", "a\n");
}

static void points_are_single(void **state)
{
	expect(segment_point, "aé三🚀", "a|é|三|🚀");
}

static void blanks_are_no_words(void **state)
{
	assert_true(segment_is_blank(bytes_of_str(" a")));
	assert_true(segment_is_blank(bytes_of_str("\n")));
	assert_true(segment_is_blank(bytes_of_str("\u3000")));
	assert_false(segment_is_blank(bytes_of_str(".")));
	assert_false(segment_is_blank(bytes_of_str("三")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_scripts_with_blanks),
		cmocka_unit_test(words_of_scripts_without_blanks),
		cmocka_unit_test(what_is_drawn_together_is_one),
		cmocka_unit_test(lines_have_their_ends),
		cmocka_unit_test(points_are_single),
		cmocka_unit_test(blanks_are_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
