/* core/takeover: a backup goes on with what only the database of before held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/office.h"
#include "tests/support/tempdir.h"

/* SHA in memory; FRA in a file, of which there is a backup. */
struct world {
	struct office a, b, restored;
	struct space_id space;
	char dir[128], path[200], backup[200];
};

static void write_titles(struct world *w, struct office *o, const char *name, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char title[40];
		struct value value;

		snprintf(title, sizeof(title), "%s %u", name, i);
		value = value_str(title);
		office_create(o, &w->space, KIND_ACTION, ACTION_TITLE, &value);
	}
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "replica.db");
	tempdir_path(w->backup, sizeof(w->backup), w->dir, "backup.db");
	office_open(&w->a, NULL, 1);
	office_open(&w->b, w->path, 2);
	w->space = UNITE(&w->a, &w->b);
	write_titles(w, &w->b, "in the backup", 2);
	OFFICE_MUST(replica_backup(w->b.replica, w->backup, NULL, NULL, &msg));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	office_close(&w->restored);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

static void open_backup(struct world *w)
{
	w->restored = w->b;
	w->restored.root.secret = w->restored.root_secret;
	w->restored.replica = NULL;
	prng_init(&w->restored.prng, 77);
	snprintf(w->restored.path, sizeof(w->restored.path), "%s", w->backup);
	office_reopen(&w->restored);
}

static struct takeover restore(struct world *w, const char *before)
{
	struct takeover taken;

	open_backup(w);
	OFFICE_MUST(
		replica_restore(w->restored.replica, before, w->restored.now_ms++, &taken, &msg));
	return taken;
}

static int64_t titles(struct office *o, const char *name)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM action_item WHERE title LIKE '%s%%'",
		 name);
	return office_count(o, sql);
}

static void assert_same_as_sha(struct world *w)
{
	office_sync(&w->a, &w->restored);
	office_sync(&w->a, &w->restored);
	assert_true(office_agrees(&w->a, &w->restored));
	assert_int_equal(office_count(&w->a, "SELECT count(*) FROM conflict"), 0);
}

static void what_was_never_sent_goes_on_in_the_backup(void **state)
{
	struct world *w = *state;
	struct takeover taken;

	write_titles(w, &w->b, "sent", 2);
	office_pull(&w->a, &w->b);
	write_titles(w, &w->a, "by SHA", 1);
	office_pull(&w->b, &w->a);
	write_titles(w, &w->b, "never sent", 3);
	taken = restore(w, w->path);
	assert_false(taken.is_unread);
	assert_int_equal(taken.changesets, 6);
	assert_int_equal(taken.own, 5);
	assert_int_equal(taken.left_behind, 0);
	assert_int_equal(titles(&w->restored, "never sent"), 3);
	assert_int_equal(titles(&w->restored, "by SHA"), 1);
	write_titles(w, &w->restored, "after", 1);
	assert_same_as_sha(w);
	assert_int_equal(titles(&w->a, "never sent"), 3);
}

static void what_comes_in_the_end_is_taken_over_too(void **state)
{
	struct world *w = *state;
	struct takeover taken = restore(w, w->path);

	assert_int_equal(taken.changesets, 0);
	write_titles(w, &w->b, "in the end", 2);
	OFFICE_MUST(
		replica_take_over(w->restored.replica, w->path, w->restored.now_ms, &taken, &msg));
	assert_int_equal(taken.own, 2);
	assert_same_as_sha(w);
	assert_int_equal(titles(&w->a, "in the end"), 2);
}

/* The database of before had gone on under an epoch that the backup does not know of. */
static void second_restore_follows_from_the_first(void **state)
{
	struct world *w = *state;
	struct replica_id before;
	struct errmsg why;

	OFFICE_MUST(
		replica_new_epoch(w->b.replica, EPOCH_RESTORED, NULL, NULL, w->b.now_ms++, &msg));
	before = *replica_id(w->b.replica);
	write_titles(w, &w->b, "sent", 1);
	office_pull(&w->a, &w->b);
	write_titles(w, &w->b, "never sent", 1);
	restore(w, w->path);
	assert_same_as_sha(w);
	assert_int_equal(replica_check_member(w->restored.replica, &why), OK);
	/* No rivals: both stand. */
	assert_false(trust_epoch(replica_trust(w->a.replica), &before)->is_void);
	assert_int_equal(replica_check_member(w->b.replica, &why), OK);
	office_pull_statements(&w->b, &w->a);
	assert_int_equal(replica_check_member(w->b.replica, &why), ERR_SUPERSEDED);
	assert_int_equal(titles(&w->a, "never sent"), 1);
	write_titles(w, &w->restored, "after", 1);
	assert_same_as_sha(w);
}

/* Change a byte of this text wherever it stands in the file. */
static void spoil(const char *path, const char *text)
{
	static char image[1 << 20];
	FILE *file = fopen(path, "r+b");
	size_t size, length = strlen(text);

	assert_non_null(file);
	size = fread(image, 1, sizeof(image), file);
	for (size_t i = 0; i + length <= size; i++)
		if (memcmp(image + i, text, length) == 0)
			image[i] ^= 1;
	rewind(file);
	assert_int_equal(fwrite(image, 1, size, file), size);
	fclose(file);
}

/* A changeset in the middle is not what was signed: ours from beyond it is whole. */
static void ours_from_beyond_some_damage_is_written_again(void **state)
{
	struct world *w = *state;
	struct takeover taken;

	write_titles(w, &w->b, "never sent", 6);
	office_close(&w->b);
	spoil(w->path, "never sent 3");
	taken = restore(w, w->path);
	assert_false(taken.is_unread);
	assert_int_equal(taken.changesets, 3);
	assert_int_equal(taken.left_behind, 3);
	assert_int_equal(titles(&w->restored, "never sent"), 5);
	assert_same_as_sha(w);
	assert_int_equal(titles(&w->a, "never sent"), 5);
}

/* The database was put back before, unawares, and went on under numbers that the backup has,
 * too. */
static void ours_of_another_branch_is_written_again(void **state)
{
	struct world *w = *state;

	open_backup(w);
	write_titles(w, &w->restored, "one branch", 2);
	office_close(&w->restored);
	write_titles(w, &w->b, "another branch", 3);
	restore(w, w->path);
	assert_int_equal(titles(&w->restored, "one branch"), 2);
	assert_int_equal(titles(&w->restored, "another branch"), 3);
	assert_same_as_sha(w);
	assert_int_equal(titles(&w->a, "another branch"), 3);
}

static void what_is_no_database_is_said_to_be_unread(void **state)
{
	struct world *w = *state;
	char path[200];
	struct takeover taken;
	FILE *file;

	tempdir_path(path, sizeof(path), w->dir, "rubbish.db");
	file = fopen(path, "wb");
	assert_non_null(file);
	for (unsigned i = 0; i < 9000; i++)
		fputc((int)(i * 7 % 251), file);
	fclose(file);
	taken = restore(w, path);
	assert_true(taken.is_unread);
	assert_true(taken.why.text[0] != '\0');
	write_titles(w, &w->restored, "after", 1);
	assert_same_as_sha(w);
}

static void database_of_another_organisation_is_said_to_be_unread(void **state)
{
	struct world *w = *state;
	char path[200];
	struct office other;
	struct takeover taken;

	tempdir_path(path, sizeof(path), w->dir, "other.db");
	office_open(&other, path, 8);
	office_found(&other, "SHA");
	taken = restore(w, path);
	assert_true(taken.is_unread);
	assert_non_null(strstr(taken.why.text, "organisation"));
	assert_same_as_sha(w);
	office_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(what_was_never_sent_goes_on_in_the_backup),
		TEST(what_comes_in_the_end_is_taken_over_too),
		TEST(second_restore_follows_from_the_first),
		TEST(ours_from_beyond_some_damage_is_written_again),
		TEST(ours_of_another_branch_is_written_again),
		TEST(what_is_no_database_is_said_to_be_unread),
		TEST(database_of_another_organisation_is_said_to_be_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
