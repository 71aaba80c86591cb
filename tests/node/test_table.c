/* node/table: aligned with Chinese text, cut to the terminal, no blanks at the ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/table.h"
#include "node/width.h"

static const struct table_column columns[] = {
	{ "NUMBER", TABLE_LEFT },
	{ "OWNER", TABLE_LEFT },
	{ "LATE", TABLE_RIGHT },
	{ "TITLE", TABLE_LEFT },
};

static const char *const rows[][4] = {
	{ "AI-SHA-0001", "李雷", "3", "提交全部验收报告和性能数据" },
	{ "AI-FRA-0012", "Jürgen Müller", "12", "Check\x1b the\nplan of the coming year  " },
	{ "AI-NYC-0002", NULL, "", "" },
};

static void assert_rendered(size_t terminal_columns, size_t row_count, const char *want)
{
	struct buf out = BUF_EMPTY;
	struct table t;

	table_init(&t, columns, 4);
	for (size_t i = 0; i < row_count; i++)
		table_add(&t, rows[i]);
	assert_int_equal(table_render(&t, terminal_columns, &out), OK);
	buf_append_byte(&out, '\0');
	assert_string_equal(out.data, want);
	buf_release(&out);
	table_release(&t);
}

static void columns_are_aligned_whatever_the_script(void **state)
{
	assert_rendered(
		WIDTH_UNLIMITED, 3,
		"NUMBER       OWNER          LATE  TITLE\n"
		"AI-SHA-0001  李雷              3  提交全部验收报告和性能数据\n"
		"AI-FRA-0012  Jürgen Müller    12  Check\ufffd the plan of the coming year\n"
		"AI-NYC-0002\n");
}

static void the_last_column_gives_way_to_the_terminal(void **state)
{
	assert_rendered(58, 3,
			"NUMBER       OWNER          LATE  TITLE\n"
			"AI-SHA-0001  李雷              3  提交全部验收报告和性能…\n"
			"AI-FRA-0012  Jürgen Müller    12  Check\ufffd the plan of the …\n"
			"AI-NYC-0002\n");
}

static void a_narrow_terminal_loses_nothing_of_the_last_column(void **state)
{
	assert_rendered(10, 1,
			"NUMBER       OWNER  LATE  TITLE\n"
			"AI-SHA-0001  李雷      3  提交全部验收报告和性能数据\n");
}

static void a_table_without_rows_is_its_header(void **state)
{
	assert_rendered(80, 0, "NUMBER  OWNER  LATE  TITLE\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned_whatever_the_script),
		cmocka_unit_test(the_last_column_gives_way_to_the_terminal),
		cmocka_unit_test(a_narrow_terminal_loses_nothing_of_the_last_column),
		cmocka_unit_test(a_table_without_rows_is_its_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
