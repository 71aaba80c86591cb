/* node/draft: texts that are kept until they are stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/draft.h"
#include "tests/support/tempdir.h"

struct world {
	char dir[TEMPDIR_BYTES_MAX];
	struct folder folder;
	struct draft_of of;
};

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){ .of = { { { 1, 2, 3 } }, "text" } };
	tempdir_new(w.dir, sizeof(w.dir));
	*state = &w;
	return folder_locate(&w.folder, w.dir, NULL);
}

static int tear_down(void **state)
{
	tempdir_remove(((struct world *)*state)->dir);
	return 0;
}

static struct draft begin(struct world *w, const char *text)
{
	static const struct dot heads[] = { { { { 0xab } }, 7 }, { { { 0xcd } }, 1ull << 39 } };
	struct draft d = DRAFT_NONE;

	assert_int_equal(draft_new(&d, &w->folder, &w->of, "MN-SHA-2026-0001/3", "huitong edit x",
				   bytes_of_str(text), heads, 2, NULL),
			 OK);
	return d;
}

static enum err find(struct world *w, struct draft *out)
{
	return draft_find(out, &w->folder, &w->of, NULL);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static void expect_text(const struct draft *d, const char *expected)
{
	struct buf text = BUF_EMPTY;

	assert_int_equal(draft_read(d, &text, NULL), OK);
	buf_append_byte(&text, 0);
	assert_string_equal(text.data, expected);
	buf_release(&text);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void a_text_is_for_its_owner_and_named_for_people(void **state)
{
	struct world *w = *state;
	struct draft d = begin(w, "We decided.");

	expect_text(&d, "We decided.\n");
	assert_int_equal(mode_of(d.path), 0600);
	assert_int_equal(mode_of(d.folder), 0700);
	assert_non_null(strstr(d.path, "/MN-SHA-2026-0001-3.txt"));
	draft_remove(&d);
	assert_int_equal(find(w, &d), ERR_NOT_FOUND);
}

static void what_was_left_is_found_with_its_version(void **state)
{
	struct world *w = *state;
	struct draft d = begin(w, "a");

	write_file(d.path, "a b");
	draft_close(&d);
	assert_int_equal(find(w, &d), OK);
	expect_text(&d, "a b");
	assert_int_equal(d.head_count, 2);
	assert_int_equal(d.heads[0].replica.bytes[0], 0xab);
	assert_int_equal(d.heads[0].seq, 7);
	assert_true(d.heads[1].seq == 1ull << 39);
	draft_close(&d);
}

static void what_is_open_is_not_found(void **state)
{
	struct world *w = *state;
	struct draft open = begin(w, "a"), found = DRAFT_NONE;

	assert_int_equal(find(w, &found), ERR_NOT_FOUND);
	draft_close(&open);
	assert_int_equal(find(w, &found), OK);
	draft_close(&found);
}

struct seen {
	unsigned count;
	bool knows_record, knows_word, knows_command;
};

static void see(void *ctx, const struct draft_of *of, struct draft *d)
{
	struct seen *s = ctx;

	s->count++;
	s->knows_record = of->record.bytes[2] == 3;
	s->knows_word = strcmp(of->word, "scope_in") == 0;
	s->knows_command = strcmp(d->command, "huitong edit x") == 0;
}

static void all_that_were_left_over_are_found(void **state)
{
	struct world *w = *state;
	struct seen seen = { 0 };
	struct draft left, open;

	w->of.word = "scope_in";
	left = begin(w, "a");
	draft_close(&left);
	w->of.word = "text";
	open = begin(w, "b");
	draft_each(&w->folder, see, &seen);
	assert_int_equal(seen.count, 1);
	assert_true(seen.knows_record && seen.knows_word && seen.knows_command);
	draft_close(&open);
	seen.count = 0;
	draft_each(&w->folder, see, &seen);
	assert_int_equal(seen.count, 2);
}

/* As an editor does that goes on when we were killed. */
static void what_a_program_of_ours_has_open_is_not_found(void **state)
{
	struct world *w = *state;
	struct draft open = begin(w, "a"), found = DRAFT_NONE;
	FILE *program = popen("read line", "w");

	assert_non_null(program);
	draft_close(&open);
	assert_int_equal(find(w, &found), ERR_NOT_FOUND);
	pclose(program);
	assert_int_equal(find(w, &found), OK);
	draft_close(&found);
}

static void the_newest_comes_first(void **state)
{
	struct world *w = *state;
	struct draft a = begin(w, "older"), b = begin(w, "newer");
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

	assert_int_equal(utimensat(AT_FDCWD, a.path, old, 0), 0);
	assert_int_equal(draft_time_s(&a), 1000);
	draft_close(&a);
	draft_close(&b);
	assert_int_equal(find(w, &b), OK);
	expect_text(&b, "newer\n");
	draft_remove(&b);
	assert_int_equal(find(w, &a), OK);
	expect_text(&a, "older\n");
	draft_close(&a);
}

static void texts_of_other_records_and_fields_are_others(void **state)
{
	struct world *w = *state;
	struct draft d = begin(w, "a");
	struct draft_of field = { w->of.record, "tex" }, record = { { { 1, 2, 4 } }, "text" };

	draft_close(&d);
	assert_int_equal(draft_find(&d, &w->folder, &field, NULL), ERR_NOT_FOUND);
	assert_int_equal(draft_find(&d, &w->folder, &record, NULL), ERR_NOT_FOUND);
}

static void what_an_editor_leaves_beside_it_is_seen_and_goes_with_it(void **state)
{
	struct world *w = *state;
	struct draft d = begin(w, "a");
	char beside[DRAFT_PATH_MAX + 8];

	assert_false(draft_has_more(&d));
	snprintf(beside, sizeof(beside), "%s~", d.path);
	write_file(beside, "half");
	assert_true(draft_has_more(&d));
	draft_remove(&d);
	assert_int_equal(access(beside, F_OK), -1);
	assert_int_equal(find(w, &d), ERR_NOT_FOUND);
}

static void a_text_that_is_gone_is_told(void **state)
{
	struct world *w = *state;
	struct draft d = begin(w, "a");
	struct buf text = BUF_EMPTY;

	unlink(d.path);
	assert_int_equal(draft_read(&d, &text, NULL), ERR_NOT_FOUND);
	assert_int_equal(draft_time_s(&d), 0);
	draft_close(&d);
	assert_int_equal(find(w, &d), ERR_NOT_FOUND);
	buf_release(&text);
}

static void a_version_that_makes_no_sense_is_not_found(void **state)
{
	static const char *const versions[] = { "", "\n", "../../x\n", "x.txt\nab/1\n",
						"x.txt\n00000000000000000000000000000000/z\n" };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct draft d = begin(w, "a");
		char path[DRAFT_PATH_MAX];

		snprintf(path, sizeof(path), "%s/version", d.folder);
		draft_close(&d);
		write_file(path, versions[i]);
		assert_int_equal(find(w, &d), ERR_NOT_FOUND);
	}
}

static void where_nothing_can_be_written_nothing_begins(void **state)
{
	struct world *w = *state;
	struct draft d = DRAFT_NONE;
	struct errmsg msg;

	write_file(w->folder.drafts, "in the way");
	assert_int_not_equal(
		draft_new(&d, &w->folder, &w->of, "x", "", bytes_of_str("a"), NULL, 0, &msg), OK);
	assert_non_null(strstr(msg.text, w->folder.drafts));
	assert_int_equal(d.lock, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_text_is_for_its_owner_and_named_for_people),
		TEST(what_was_left_is_found_with_its_version),
		TEST(what_is_open_is_not_found),
		TEST(all_that_were_left_over_are_found),
		TEST(what_a_program_of_ours_has_open_is_not_found),
		TEST(the_newest_comes_first),
		TEST(texts_of_other_records_and_fields_are_others),
		TEST(what_an_editor_leaves_beside_it_is_seen_and_goes_with_it),
		TEST(a_text_that_is_gone_is_told),
		TEST(a_version_that_makes_no_sense_is_not_found),
		TEST(where_nothing_can_be_written_nothing_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
