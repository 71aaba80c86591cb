/* node/mark_file: the high-water mark beside the database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <unistd.h>

#include "node/mark_file.h"
#include "tests/support/tempdir.h"

struct world {
	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX];
	struct mark_file file;
	struct mark mark;
};

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){ .mark = { .replica = { { 1, 2, 3 } }, .count = 41 } };
	tempdir_new(w.dir, sizeof(w.dir));
	tempdir_path(w.path, sizeof(w.path), w.dir, "replica.mark");
	mark_file_init(&w.file, w.path);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	mark_file_release(&w->file);
	tempdir_remove(w->dir);
	return 0;
}

static void save(struct world *w)
{
	w->file.port.save(w->file.port.ctx, &w->mark);
}

static enum err load(struct world *w, struct mark *out)
{
	return w->file.port.load(w->file.port.ctx, out);
}

static void mark_that_was_saved_is_loaded(void **state)
{
	struct world *w = *state;
	struct mark loaded;

	assert_int_equal(load(w, &loaded), ERR_NOT_FOUND);
	save(w);
	assert_int_equal(load(w, &loaded), OK);
	assert_memory_equal(&loaded.replica, &w->mark.replica, sizeof(loaded.replica));
	assert_int_equal(loaded.count, 41);
	w->mark.count = UINT64_MAX;
	save(w);
	assert_int_equal(load(w, &loaded), OK);
	assert_true(loaded.count == UINT64_MAX);
}

static void mark_never_falls_but_for_another_epoch(void **state)
{
	struct world *w = *state;
	struct mark loaded;

	save(w);
	w->mark.count = 40;
	save(w);
	assert_int_equal(load(w, &loaded), OK);
	assert_int_equal(loaded.count, 41);
	w->mark.replica.bytes[0] ^= 1;
	save(w);
	assert_int_equal(load(w, &loaded), OK);
	assert_int_equal(loaded.count, 40);
}

static void damaged_mark_counts_as_none(void **state)
{
	struct world *w = *state;
	char line[256], damaged[256];
	struct mark loaded;
	size_t size;
	FILE *file;

	save(w);
	file = fopen(w->path, "r");
	size = fread(line, 1, sizeof(line), file);
	fclose(file);
	for (size_t at = 0; at < size; at++) {
		memcpy(damaged, line, size);
		damaged[at] ^= 1;
		file = fopen(w->path, "w");
		fwrite(damaged, 1, size, file);
		fclose(file);
		assert_int_equal(load(w, &loaded), ERR_NOT_FOUND);
		assert_int_equal(truncate(w->path, (off_t)at), 0);
		assert_int_equal(load(w, &loaded), ERR_NOT_FOUND);
	}
	save(w); /* and is replaced */
	assert_int_equal(load(w, &loaded), OK);
}

static void folder_that_is_gone_does_no_harm(void **state)
{
	struct world *w = *state;

	tempdir_remove(w->dir);
	save(w);
	assert_int_equal(w->file.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(mark_that_was_saved_is_loaded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mark_never_falls_but_for_another_epoch, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(damaged_mark_counts_as_none, set_up, tear_down),
		cmocka_unit_test_setup(folder_that_is_gone_does_no_harm, set_up),
	};

	return cmocka_run_group_tests_name("node/mark_file", tests, NULL, NULL);
}
