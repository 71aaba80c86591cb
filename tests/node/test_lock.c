/* node/lock: one daemon for each folder. */
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

#include "node/lock.h"
#include "tests/support/tempdir.h"

static void second_one_is_told_who_is_first(void **state)
{
	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX], pid[32];
	struct errmsg msg = { 0 };
	int first, second = -7;
	struct stat st;

	tempdir_new(dir, sizeof(dir));
	tempdir_path(path, sizeof(path), dir, "lock");
	assert_int_equal(lock_take(&first, path, &msg), OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(lock_take(&second, path, &msg), ERR_BUSY);
	assert_int_equal(second, -7);
	snprintf(pid, sizeof(pid), "process %ld ", (long)getpid());
	assert_non_null(strstr(msg.text, pid));

	/* The file stays; what counts is who holds it. */
	close(first);
	assert_int_equal(lock_take(&second, path, &msg), OK);
	close(second);
	tempdir_remove(dir);
}

static void folder_that_is_not_there_is_told(void **state)
{
	struct errmsg msg = { 0 };
	int fd;

	assert_int_equal(lock_take(&fd, "/nonexistent/lock", &msg), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_one_is_told_who_is_first),
		cmocka_unit_test(folder_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
