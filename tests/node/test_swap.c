/* node/swap: another database in the place of the one of now, whenever the process is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/lock.h"
#include "node/swap.h"
#include "tests/support/tempdir.h"

struct world {
	char dir[TEMPDIR_BYTES_MAX];
	struct folder folder;
	char fresh[SWAP_PATH_BYTES], wal[SWAP_PATH_BYTES];
	struct errmsg msg;
};

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void must_be(const char *path, const char *text)
{
	char got[32] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_non_null(fgets(got, sizeof(got), file));
	fclose(file);
	assert_string_equal(got, text);
}

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){ .msg.text = "" };
	tempdir_new(w.dir, sizeof(w.dir));
	assert_int_equal(folder_locate(&w.folder, w.dir, &w.msg), OK);
	snprintf(w.fresh, sizeof(w.fresh), "%s.restoring", w.folder.database);
	snprintf(w.wal, sizeof(w.wal), "%s-wal", w.folder.database);
	put(w.folder.database, "old");
	put(w.wal, "old log");
	put(w.fresh, "new");
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	tempdir_remove(w->dir);
	return 0;
}

/* The old one with its log under *kept, the new one without. */
static void must_be_swapped(struct world *w, const char *kept)
{
	char kept_wal[SWAP_PATH_BYTES + 8];

	snprintf(kept_wal, sizeof(kept_wal), "%s-wal", kept);
	must_be(w->folder.database, "new");
	must_be(kept, "old");
	must_be(kept_wal, "old log");
	assert_int_equal(access(w->wal, F_OK), -1);
	assert_int_equal(access(w->folder.database_next, F_OK), -1);
}

static void old_one_is_kept_with_its_log(void **state)
{
	struct world *w = *state;
	char kept[SWAP_PATH_BYTES];

	assert_int_equal(swap_in(&w->folder, w->fresh, kept, &w->msg), OK);
	must_be_swapped(w, kept);
	assert_int_equal(swap_settle(&w->folder, &w->msg), OK);
	must_be_swapped(w, kept);
}

static void what_was_decided_is_finished_by_the_next(void **state)
{
	struct world *w = *state;
	char kept[SWAP_PATH_BYTES], kept_wal[SWAP_PATH_BYTES + 8];

	assert_int_equal(rename(w->fresh, w->folder.database_next), 0);
	assert_int_equal(swap_settle(&w->folder, &w->msg), OK);
	must_be(w->folder.database, "new");

	put(w->fresh, "newer");
	put(w->wal, "new log");
	assert_int_equal(swap_in(&w->folder, w->fresh, kept, &w->msg), OK);
	snprintf(kept_wal, sizeof(kept_wal), "%s-wal", kept);
	must_be(kept, "new"); /* not what was kept before, though it is of the same second */
	must_be(kept_wal, "new log");
	must_be(w->folder.database, "newer");
}

static void undecided_one_changes_nothing(void **state)
{
	struct world *w = *state;

	assert_int_equal(swap_settle(&w->folder, &w->msg), OK);
	must_be(w->folder.database, "old");
	must_be(w->wal, "old log");
}

static void nobody_settles_what_another_is_at(void **state)
{
	struct world *w = *state;
	int lock_fd;

	assert_int_equal(rename(w->fresh, w->folder.database_next), 0);
	assert_int_equal(lock_take(&lock_fd, w->folder.lock, &w->msg), OK);
	assert_int_equal(swap_settle(&w->folder, &w->msg), ERR_BUSY);
	must_be(w->folder.database, "old");
	close(lock_fd);
	assert_int_equal(swap_settle(&w->folder, &w->msg), OK);
	must_be(w->folder.database, "new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(old_one_is_kept_with_its_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_decided_is_finished_by_the_next, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(undecided_one_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_settles_what_another_is_at, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
