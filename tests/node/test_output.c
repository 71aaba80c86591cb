/* node/output: what commands print, line by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/output.h"

static void assert_lines(const char *text, const char *expected)
{
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	output_lines(out, 2, bytes_of_str(text));
	fclose(out);
	assert_string_equal(printed, expected);
	free(printed);
}

static void lines_are_indented_unless_they_are_empty(void **state)
{
	assert_lines("one\ntwo", "  one\n  two\n");
	assert_lines("one\n\ntwo\n", "  one\n\n  two\n");
	assert_lines("\none", "\n  one\n");
	assert_lines("", "\n");
}

static void a_line_and_a_text_may_be_empty(void **state)
{
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	output_line(out, "%s", "");
	output_bytes(out, bytes_of(NULL, 0));
	fclose(out);
	assert_string_equal(printed, "\n");
	free(printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_indented_unless_they_are_empty),
		cmocka_unit_test(a_line_and_a_text_may_be_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
