/* node/width: columns on a terminal, and text that fits without steering it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/utf8.h"
#include "node/width.h"

static void characters_take_their_columns(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
	} cases[] = {
		{ "", 0 },
		{ "plain", 5 },
		{ "会议纪要", 8 },
		{ "AI 会议", 7 },
		{ "（全角）", 8 },
		{ "한국어", 6 },
		{ "ﾊﾝｶｸ", 4 },
		{ "Überfällig", 10 },
		{ "U\u0308", 1 },            /* a combining mark */
		{ "\u1112\u1161\u11ab", 2 }, /* one syllable of three jamo */
		{ "a\u200db", 2 },
		{ "a\u00adb", 3 },
		{ "😀", 2 },
		{ "\U00020000\U0003fffd", 4 },
		{ "…", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (width_of(bytes_of_str(cases[i].text)) != cases[i].columns)
			fail_msg("'%s' takes %zu", cases[i].text,
				 width_of(bytes_of_str(cases[i].text)));
}

static void what_is_too_long_ends_in_an_ellipsis(void **state)
{
	static const struct {
		const char *text;
		size_t columns_max;
		const char *want;
	} cases[] = {
		{ "minutes", 7, "minutes" },
		{ "minutes", 6, "minut…" },
		{ "minutes", 1, "…" },
		{ "minutes", 0, "" },
		{ "会议纪要", 8, "会议纪要" },
		{ "会议纪要", 7, "会议纪…" },
		{ "会议纪要", 6, "会议…" },
		{ "会议纪要", 2, "…" },
		{ "会议纪要", 3, "会…" },
		{ "e\u0301e\u0301", 2, "e\u0301e\u0301" },
		{ "e\u0301e\u0301e\u0301", 2, "e\u0301…" },
		{ "any", WIDTH_UNLIMITED, "any" },
		{ "", 0, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_EMPTY;
		size_t columns;

		buf_append_str(&out, "> ");
		columns = width_append(&out, bytes_of_str(cases[i].text), cases[i].columns_max);
		buf_append_byte(&out, '\0');
		assert_string_equal(out.data + 2, cases[i].want);
		assert_int_equal(columns, width_of(bytes_of_str(cases[i].want)));
		buf_release(&out);
	}
}

static void what_could_steer_the_terminal_is_replaced(void **state)
{
	static const struct {
		struct bytes text;
		const char *want;
	} cases[] = {
		{ { (const uint8_t *)"\x1b[31mred", 8 }, "\ufffd[31mred" },
		{ { (const uint8_t *)"a\0b", 3 }, "a\ufffdb" },
		{ { (const uint8_t *)"a\x7f", 2 }, "a\ufffd" },
		{ { (const uint8_t *)"a\xc2\x9b", 3 }, "a\ufffd" },
		{ { (const uint8_t *)"a\u202eb", 5 }, "a\ufffdb" },
		{ { (const uint8_t *)"a\u2066b", 5 }, "a\ufffdb" },
		{ { (const uint8_t *)"one\ntwo\tthree\r", 14 }, "one two three " },
		{ { (const uint8_t *)"one\u2028two", 9 }, "one two" },
		{ { (const uint8_t *)"\xe4\xbc", 2 }, "\ufffd\ufffd" },
		{ { (const uint8_t *)"\xff会", 4 }, "\ufffd会" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_EMPTY;
		size_t columns = width_append(&out, cases[i].text, WIDTH_UNLIMITED);

		assert_int_equal(columns, width_of(cases[i].text));
		buf_append_byte(&out, '\0');
		assert_string_equal(out.data, cases[i].want);
		buf_release(&out);
	}
}

static void padding_counts_columns(void **state)
{
	static const char *const labels[] = { "office", "办事处", "冲突" };

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "%-*s", width_for_printf(labels[i], 10), labels[i]);
		assert_int_equal(width_of(bytes_of_str(line)), 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_take_their_columns),
		cmocka_unit_test(what_is_too_long_ends_in_an_ellipsis),
		cmocka_unit_test(what_could_steer_the_terminal_is_replaced),
		cmocka_unit_test(padding_counts_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
