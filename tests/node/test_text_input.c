/* node/text_input: what programs add to a text, and how much is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <unistd.h>

#include "core/limits.h"
#include "node/text_input.h"

static void what_programs_add_is_taken_away(void **state)
{
	static const struct {
		const char *before, *left, *expected;
	} cases[] = {
		{ "a", "a\n", "a" },
		{ "a", "a\n\n\n", "a" },
		{ "a\n", "a", "a\n" },
		{ "a\n\n", "ab\n", "ab\n\n" },
		{ "", "\n\n", "" },
		{ "a\n", "\n", "" },
		{ "", "a\r\nb\r\n", "a\nb" },
		{ "a\r\nb\r\n", "a\r\nc\r\n", "a\r\nc\r\n" },
		{ "a\rb", "a\rb\r\n", "a\rb" },
		{ "a",
		  "\xef\xbb\xbf"
		  "b",
		  "b" },
		{ "\xef\xbb\xbf"
		  "a",
		  "\xef\xbb\xbf"
		  "b",
		  "\xef\xbb\xbf"
		  "b" },
		{ "", "\xef\xbb\xbf", "" },
		{ "a", "  b\n\tc ", "  b\n\tc " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = BUF_EMPTY;

		buf_append_str(&text, cases[i].left);
		text_input_tidy(&text, bytes_of_str(cases[i].before));
		if (!bytes_equal(buf_bytes(&text), bytes_of_str(cases[i].expected)))
			fail_msg("case %zu: \"%.*s\"", i, (int)text.size, (const char *)text.data);
		buf_release(&text);
	}
}

static void all_of_a_file_is_read_in_whatever_pieces(void **state)
{
	enum { SIZE = 3 * TEXT_BYTES_MAX + 7 };
	struct buf text = BUF_EMPTY;
	FILE *file = tmpfile();

	for (int i = 0; i < SIZE; i++)
		fputc('a' + i % 26, file);
	rewind(file);
	buf_append_str(&text, "before");
	assert_int_equal(text_input_read(fileno(file), "file", &text, NULL), OK);
	assert_int_equal(text.size, SIZE + 6);
	assert_memory_equal(text.data, "beforeabc", 9);
	assert_int_equal(text.data[text.size - 1], 'a' + (SIZE - 1) % 26);
	buf_release(&text);
	fclose(file);
}

static void reading_ends_at_its_limit(void **state)
{
	struct buf text = BUF_EMPTY;
	FILE *file = tmpfile();

	assert_int_equal(ftruncate(fileno(file), (off_t)2 * TEXT_INPUT_BYTES_MAX), 0);
	assert_int_equal(text_input_read(fileno(file), "file", &text, NULL), OK);
	assert_int_equal(text.size, TEXT_INPUT_BYTES_MAX);
	buf_release(&text);
	fclose(file);
}

static void what_cannot_be_read_is_named(void **state)
{
	struct buf text = BUF_EMPTY;
	struct errmsg msg;

	assert_int_equal(text_input_read(-1, "the-file", &text, &msg), ERR_IO);
	assert_non_null(strstr(msg.text, "the-file"));
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_programs_add_is_taken_away),
		cmocka_unit_test(all_of_a_file_is_read_in_whatever_pieces),
		cmocka_unit_test(reading_ends_at_its_limit),
		cmocka_unit_test(what_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
