/* node/folder: where the data is, and who may see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/folder.h"
#include "tests/support/tempdir.h"

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void nearest_wish_counts(void **state)
{
	static const struct {
		const char *chosen, *variable, *data, *home, *path;
	} cases[] = {
		{ "/a", "/b", "/c", "/d", "/a" },
		{ NULL, "/b", "/c", "/d", "/b" },
		{ NULL, NULL, "/c", "/d", "/c/huitong" },
		{ NULL, "", "relative", "/d", "/d/.local/share/huitong" },
		{ "", NULL, NULL, "/d", "/d/.local/share/huitong" },
		{ "/a//", NULL, NULL, NULL, "/a" },
	};
	struct folder folder;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set("HUITONG_REPLICA", cases[i].variable);
		set("XDG_DATA_HOME", cases[i].data);
		set("HOME", cases[i].home);
		assert_int_equal(folder_locate(&folder, cases[i].chosen, NULL), OK);
		assert_string_equal(folder.path, cases[i].path);
	}
	assert_string_equal(folder.database, "/a/replica.db");
	assert_string_equal(folder.identity, "/a/identity.key");
}

static void relative_path_becomes_absolute(void **state)
{
	char here[FOLDER_PATH_MAX], there[FOLDER_PATH_MAX + 8];
	struct folder folder;

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(there, sizeof(there), "%s/x", here);
	assert_int_equal(folder_locate(&folder, "x", NULL), OK);
	assert_string_equal(folder.path, there);
}

static void no_home_and_too_long_are_refused(void **state)
{
	char deep[FOLDER_PATH_MAX + 2];
	struct folder folder;

	set("HUITONG_REPLICA", NULL);
	set("XDG_DATA_HOME", NULL);
	set("HOME", NULL);
	assert_int_equal(folder_locate(&folder, NULL, NULL), ERR_INVALID);
	memset(deep, '/', sizeof(deep));
	memset(deep + 1, 'x', sizeof(deep) - 2);
	deep[sizeof(deep) - 1] = 0;
	assert_int_equal(folder_locate(&folder, deep, NULL), ERR_LIMIT);
}

static void created_folder_is_for_its_owner_alone(void **state)
{
	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX];
	struct errmsg msg = { 0 };
	struct folder folder;

	tempdir_new(dir, sizeof(dir));
	tempdir_path(path, sizeof(path), dir, "a/b");
	assert_int_equal(folder_locate(&folder, path, &msg), OK);
	assert_int_equal(folder_create(&folder, &msg), OK);
	assert_true(folder_is_private(&folder));
	assert_int_equal(folder_check(&folder, &msg), ERR_NOT_FOUND);
	assert_non_null(strstr(msg.text, "huitong init"));

	/* One that was open to others is closed when it is taken into use. */
	assert_int_equal(chmod(path, 0755), 0);
	assert_false(folder_is_private(&folder));
	assert_int_equal(folder_create(&folder, &msg), OK);
	assert_true(folder_is_private(&folder));
	tempdir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest_wish_counts),
		cmocka_unit_test(relative_path_becomes_absolute),
		cmocka_unit_test(no_home_and_too_long_are_refused),
		cmocka_unit_test(created_folder_is_for_its_owner_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
