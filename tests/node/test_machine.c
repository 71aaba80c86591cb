/* node/machine: a copy of the file or of the machine is told from the original. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/machine.h"
#include "tests/support/tempdir.h"

struct world {
	char dir[TEMPDIR_BYTES_MAX], id[TEMPDIR_BYTES_MAX], database[TEMPDIR_BYTES_MAX];
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	static struct world w;

	tempdir_new(w.dir, sizeof(w.dir));
	tempdir_path(w.id, sizeof(w.id), w.dir, "machine-id");
	tempdir_path(w.database, sizeof(w.database), w.dir, "replica.db");
	write_file(w.id, "4c4c4544003957108052b4c04f384833\n");
	write_file(w.database, "");
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	tempdir_remove(w->dir);
	return 0;
}

static void same_file_on_the_same_machine_is_the_same(void **state)
{
	struct world *w = *state;
	char before[MACHINE_TEXT_MAX], after[MACHINE_TEXT_MAX];

	assert_int_equal(machine_read(before, w->id, w->database, NULL), OK);
	write_file(w->database, "changed");
	assert_int_equal(machine_read(after, w->id, w->database, NULL), OK);
	assert_string_equal(before, after);
	assert_non_null(strstr(before, "4c4c4544003957108052b4c04f384833:"));
}

static void copies_are_told_apart(void **state)
{
	struct world *w = *state;
	char before[MACHINE_TEXT_MAX], after[MACHINE_TEXT_MAX], copy[TEMPDIR_BYTES_MAX];

	assert_int_equal(machine_read(before, w->id, w->database, NULL), OK);
	tempdir_path(copy, sizeof(copy), w->dir, "copy.db");
	write_file(copy, "");
	assert_int_equal(machine_read(after, w->id, copy, NULL), OK);
	assert_string_not_equal(before, after);
	write_file(w->id, "00000000000000000000000000000001\n");
	assert_int_equal(machine_read(after, w->id, w->database, NULL), OK);
	assert_string_not_equal(before, after);
}

static void machine_without_an_id_has_the_file_only(void **state)
{
	struct world *w = *state;
	char text[MACHINE_TEXT_MAX];

	assert_int_equal(machine_read(text, "/nonexistent", w->database, NULL), OK);
	assert_int_equal(text[0], ':');
	assert_true(strlen(text) > 1);
}

static void absurd_id_is_cut(void **state)
{
	struct world *w = *state;
	char text[MACHINE_TEXT_MAX], endless[1000];

	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	write_file(w->id, endless);
	assert_int_equal(machine_read(text, w->id, w->database, NULL), OK);
	assert_int_equal(strcspn(text, ":"), 64);
}

static void database_that_is_not_there_is_named(void **state)
{
	struct world *w = *state;
	char text[MACHINE_TEXT_MAX];
	struct errmsg msg = { 0 };

	assert_int_not_equal(machine_read(text, w->id, "/nonexistent.db", &msg), OK);
	assert_non_null(strstr(msg.text, "/nonexistent.db"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_file_on_the_same_machine_is_the_same, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copies_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(machine_without_an_id_has_the_file_only, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(absurd_id_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(database_that_is_not_there_is_named, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("node/machine", tests, NULL, NULL);
}
