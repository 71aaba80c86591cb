/* core/replica, core/store: opening, several processes, transactions, care. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/limits.h"
#include "tests/support/office.h"
#include "tests/support/tempdir.h"

enum { PATH_MAX_HERE = TEMPDIR_BYTES_MAX + 32, NOBODY = 65534 };

/* `a` is in a file and has written something. */
struct world {
	char dir[TEMPDIR_BYTES_MAX];
	char path[PATH_MAX_HERE], other[PATH_MAX_HERE];
	struct office a;
	struct space_id space;
	struct record_id action;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "replica.db");
	tempdir_path(w->other, sizeof(w->other), w->dir, "other.db");
	office_open(&w->a, w->path, 1);
	office_found(&w->a, "SHA");
	w->space = office_share(&w->a);
	w->action = office_item(&w->a, &w->space, "Review the contract");
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

static enum err open_plain(const char *path, bool create, bool read_only, struct replica **out,
			   struct errmsg *why)
{
	struct prng prng;
	struct replica_config config = {
		.path = path, .create = create, .read_only = read_only, .now_ms = OFFICE_NOW_MS
	};

	prng_init(&prng, 99);
	config.dice = prng_dice(&prng);
	*why = (struct errmsg){ .text = "" };
	return replica_open(out, &config, why);
}

/* Refused, with words that name the file. */
static void assert_wont_open(const char *path, enum err rc)
{
	struct replica *r = (struct replica *)&rc;
	struct errmsg why;
	enum err got = open_plain(path, false, false, &r, &why);

	if (got != rc)
		fail_msg("%s: expected %s, got %s: %s", path, err_name(rc), err_name(got),
			 why.text);
	assert_ptr_equal(r, &rc);
	assert_non_null(strstr(why.text, strrchr(path, '/') + 1));
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;
	char *error = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void hash_of(struct office *o, uint8_t out[STATE_HASH_BYTES])
{
	OFFICE_MUST(replica_state_hash(o->replica, out, &msg));
}

static void set_title(struct world *w, struct office *o, const char *text)
{
	struct value value = value_str(text);

	office_set(o, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
}

static uint64_t own_seq(const struct world *w, const struct office *o)
{
	return vv_get(replica_vv(o->replica, &w->space), replica_id(o->replica));
}

/* Opening. */

static void reopening_keeps_everything(void **state)
{
	struct world *w = *state;
	uint8_t before[STATE_HASH_BYTES], after[STATE_HASH_BYTES], org[ORG_ID_BYTES];
	struct replica_id id = *replica_id(w->a.replica);
	struct office again;
	uint64_t seq = own_seq(w, &w->a);

	hash_of(&w->a, before);
	memcpy(org, replica_org(w->a.replica), ORG_ID_BYTES);
	office_close(&w->a);
	office_open_again(&again, &w->a);
	hash_of(&again, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_memory_equal(org, replica_org(again.replica), ORG_ID_BYTES);
	assert_int_equal(replica_id_cmp(&id, replica_id(again.replica)), 0);
	assert_int_equal(own_seq(w, &again), seq);
	assert_non_null(replica_self(again.replica));
	set_title(w, &again, "goes on");
	assert_int_equal(own_seq(w, &again), seq + 1);
	assert_true(office_agrees(&again, &again));
	office_close(&again);
}

static void absent_file_is_not_created_by_itself(void **state)
{
	struct world *w = *state;

	assert_wont_open(w->other, ERR_NOT_FOUND);
	assert_int_not_equal(access(w->other, F_OK), 0);
}

static void write_file(const char *path, const char *text, size_t copies)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	while (copies-- > 0)
		fputs(text, file);
	fclose(file);
}

static void what_is_no_replica_is_refused_and_left_alone(void **state)
{
	struct world *w = *state;
	char before[64] = "", after[64] = "";
	FILE *file;

	write_file(w->other, "this is not a database at all; ", 400);
	assert_wont_open(w->other, ERR_CORRUPT);

	write_file(w->other, "", 0);
	assert_wont_open(w->other, ERR_CORRUPT);

	remove(w->other);
	run_sql(w->other, "CREATE TABLE something(else_entirely)");
	file = fopen(w->other, "rb");
	assert_int_equal(fread(before, 1, sizeof(before), file), sizeof(before));
	fclose(file);
	assert_wont_open(w->other, ERR_CORRUPT);
	file = fopen(w->other, "rb");
	assert_int_equal(fread(after, 1, sizeof(after), file), sizeof(after));
	fclose(file);
	assert_memory_equal(before, after, sizeof(before));
}

static void truncated_file_is_refused(void **state)
{
	struct world *w = *state;

	OFFICE_MUST(replica_backup(w->a.replica, w->other, NULL, NULL, &msg));
	assert_int_equal(truncate(w->other, 4096), 0);
	assert_wont_open(w->other, ERR_CORRUPT);
}

static void newer_program_s_file_is_refused(void **state)
{
	struct world *w = *state;

	OFFICE_MUST(replica_setting_put(w->a.replica, "schema_version", "999", &msg));
	OFFICE_MUST(replica_backup(w->a.replica, w->other, NULL, NULL, &msg));
	assert_wont_open(w->other, ERR_VERSION);
	remove(w->other);
	OFFICE_MUST(replica_backup(w->a.replica, w->other, NULL, NULL, &msg));
	run_sql(w->other, "PRAGMA user_version = 999");
	assert_wont_open(w->other, ERR_VERSION);
}

static void older_schema_is_rebuilt_from_the_log(void **state)
{
	struct world *w = *state;
	uint8_t before[STATE_HASH_BYTES], after[STATE_HASH_BYTES];
	struct office again;

	hash_of(&w->a, before);
	OFFICE_MUST(replica_setting_put(w->a.replica, "schema_version", "0", &msg));
	office_close(&w->a);
	/* As an older program left it: tables of another shape, half of it missing. */
	run_sql(w->path, "DELETE FROM r_action_item; DROP VIEW action_item; "
			 "ALTER TABLE r_person ADD COLUMN gone; DROP TABLE conflict;");
	office_open_again(&again, &w->a);
	hash_of(&again, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(office_items(&again), 1);
	assert_non_null(replica_self(again.replica));
	set_title(w, &again, "goes on");
	assert_true(office_agrees(&again, &again));
	office_close(&again);
	office_open_again(&again, &w->a);
	assert_true(office_agrees(&again, &again));
	office_close(&again);
}

static void clock_before_2020_is_refused(void **state)
{
	struct world *w = *state;
	struct replica_config config = { .path = w->path, .now_ms = WALL_MS_MIN - 1 };
	struct errmsg why = { 0 };
	struct replica *r;

	assert_int_equal(replica_open(&r, &config, &why), ERR_CLOCK);
	assert_int_not_equal(why.text[0], 0);
}

static void without_the_key_there_are_no_edits(void **state)
{
	struct world *w = *state;
	struct replica *r;
	struct errmsg why;

	for (int read_only = 0; read_only < 2; read_only++) {
		OFFICE_MUST(open_plain(w->path, false, read_only, &r, &msg));
		assert_int_equal(replica_begin(r, &why), ERR_KEY);
		replica_close(r);
	}
}

static void read_only_handle_reads_and_follows(void **state)
{
	struct world *w = *state;
	struct office reader = { 0 };
	struct errmsg why;
	bool changed;

	OFFICE_MUST(open_plain(w->path, false, true, &reader.replica, &msg));
	assert_int_equal(office_items(&reader), 1);
	assert_int_not_equal(replica_setting_put(reader.replica, "x", "y", &why), OK);
	/* It does not stop a writer, and sees what that one did. */
	set_title(w, &w->a, "new");
	OFFICE_MUST(replica_refresh(reader.replica, &changed, &msg));
	assert_true(changed);
	assert_int_equal(own_seq(w, &w->a),
			 vv_get(replica_vv(reader.replica, &w->space), replica_id(w->a.replica)));
	replica_close(reader.replica);
}

/* Only root can be nobody, not in every container, and not below a folder of its own. */
static bool nobody_can_read(const char *path)
{
	bool can = geteuid() == 0 && seteuid(NOBODY) == 0 && euidaccess(path, R_OK) == 0;

	return seteuid(getuid()) == 0 && can;
}

/* As nobody, for whom folders can be read-only. */
static void folder_that_cant_be_written_is_named(void **state)
{
	struct world *w = *state;
	int status;
	pid_t child;

	office_close(&w->a);
	assert_int_equal(chmod(w->path, 0444), 0);
	assert_int_equal(chmod(w->dir, 0555), 0);
	if (!nobody_can_read(w->path))
		skip();
	child = fork();
	if (child == 0) {
		struct errmsg why = { .text = "" };
		struct replica *r;
		enum err rc = seteuid(NOBODY) == 0 ? open_plain(w->path, false, false, &r, &why)
						   : ERR_PROTOCOL;

		_exit(rc == ERR_READONLY && strstr(why.text, "replica.db") ? 0 : 1 + (int)rc);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Several processes. */

static void second_handle_sees_what_the_first_wrote(void **state)
{
	struct world *w = *state;
	struct office b;
	bool changed;

	office_open_again(&b, &w->a);
	OFFICE_MUST(replica_refresh(b.replica, &changed, &msg));
	assert_false(changed);
	set_title(w, &w->a, "by a");
	OFFICE_MUST(replica_refresh(b.replica, &changed, &msg));
	assert_true(changed);
	assert_int_equal(own_seq(w, &b), own_seq(w, &w->a));
	OFFICE_MUST(replica_refresh(b.replica, &changed, &msg));
	assert_false(changed);
	/* One's own writes are no news. */
	set_title(w, &b, "by b");
	OFFICE_MUST(replica_refresh(b.replica, &changed, &msg));
	assert_false(changed);
	office_close(&b);
}

/* Its look came first, so the next replica_refresh() has nothing to say. */
static void what_a_transaction_saw_first_still_counts(void **state)
{
	struct world *w = *state;
	struct office b;
	uint64_t before;
	bool changed;

	office_open_again(&b, &w->a);
	before = replica_reloads(b.replica);
	set_title(w, &w->a, "by a");
	set_title(w, &b, "by b");
	OFFICE_MUST(replica_refresh(b.replica, &changed, &msg));
	assert_false(changed);
	assert_int_not_equal(replica_reloads(b.replica), before);
	before = replica_reloads(b.replica);
	set_title(w, &b, "by b alone");
	assert_int_equal(replica_reloads(b.replica), before);
	office_close(&b);
}

static void two_handles_continue_one_feed(void **state)
{
	struct world *w = *state;
	struct office b;
	uint64_t seq = own_seq(w, &w->a);

	office_open_again(&b, &w->a);
	for (int i = 0; i < 5; i++) {
		set_title(w, &w->a, "by a");
		set_title(w, &b, "by b");
	}
	assert_int_equal(own_seq(w, &b), seq + 10);
	assert_true(office_agrees(&w->a, &b));
	assert_int_equal(office_count(&b, "SELECT count(*) FROM conflict"), 0);
	office_close(&b);
}

static void edit_numbered(struct world *w, struct office *o)
{
	struct edit *e = office_edit(o, &w->space);
	struct record_id id = edit_create(e);
	char number[NUMBER_TEXT_MAX];
	struct value value;

	OFFICE_MUST(replica_number(o->replica, KIND_ACTION, 2027, number, &msg));
	value = value_str(number);
	OFFICE_MUST(edit_set(e, KIND_ACTION, &id, ACTION_NUMBER, &value, &msg));
	office_seal(o, e);
}

static void processes_that_edit_at_once_never_clash(void **state)
{
	enum { PROCESSES = 3, EDITS = 25 };
	struct world *w = *state;
	pid_t children[PROCESSES];
	int status;

	office_close(&w->a);
	for (unsigned p = 0; p < PROCESSES; p++) {
		children[p] = fork();
		if (children[p] == 0) {
			struct office o = w->a;

			o.prng.state += p; /* dice of their own */
			office_reopen(&o);
			for (int i = 0; i < EDITS; i++)
				edit_numbered(w, &o);
			office_close(&o);
			_exit(0);
		}
	}
	for (unsigned p = 0; p < PROCESSES; p++) {
		assert_int_equal(waitpid(children[p], &status, 0), children[p]);
		assert_int_equal(status, 0);
	}
	office_reopen(&w->a);
	assert_int_equal(own_seq(w, &w->a), 1 + PROCESSES * EDITS);
	assert_int_equal(office_count(&w->a, "SELECT count(DISTINCT number) FROM action_item"),
			 PROCESSES * EDITS);
	assert_true(office_agrees(&w->a, &w->a));
}

/* What a process that creates the replica takes for its id. */
static void create_and_tell(const char *path, int fd, uint64_t seed)
{
	struct office o;
	ssize_t written;

	office_open(&o, path, seed);
	written = write(fd, replica_id(o.replica), ID_BYTES);
	office_close(&o);
	_exit(written == ID_BYTES ? 0 : 1);
}

static void processes_that_create_at_once_agree_on_the_id(void **state)
{
	struct world *w = *state;

	for (uint64_t round = 0; round < 20; round++) {
		struct replica_id ids[2];
		int fds[2], status;

		assert_int_equal(pipe(fds), 0);
		for (uint64_t p = 0; p < 2; p++)
			if (fork() == 0)
				create_and_tell(w->other, fds[1], 2 * round + p + 10);
		for (int p = 0; p < 2; p++) {
			wait(&status);
			assert_int_equal(status, 0);
			assert_int_equal(read(fds[0], &ids[p], ID_BYTES), ID_BYTES);
		}
		assert_memory_equal(&ids[0], &ids[1], ID_BYTES);
		close(fds[0]);
		close(fds[1]);
		remove(w->other);
	}
}

/* The system's VFS, whose clock goes on by itself while somebody sleeps. */
struct dozing {
	sqlite3_vfs vfs;
	int total_us, longest_us;
};

static int doze(sqlite3_vfs *vfs, int us)
{
	struct dozing *d = (struct dozing *)vfs;

	d->total_us += us;
	d->longest_us = us > d->longest_us ? us : d->longest_us;
	return us;
}

/* It is looked for often: another's transactions may leave next to no time between them. */
static void lock_that_stays_is_reported_as_busy(void **state)
{
	struct dozing dozing = { .vfs = *sqlite3_vfs_find(NULL) };
	struct world *w = *state;
	struct office b, same = w->a;
	struct errmsg why = { .text = "" };

	dozing.vfs.zName = same.vfs = "dozing";
	dozing.vfs.xSleep = doze;
	assert_int_equal(sqlite3_vfs_register(&dozing.vfs, 0), SQLITE_OK);
	office_open_again(&b, &same);
	OFFICE_MUST(replica_begin(w->a.replica, &msg));
	assert_int_equal(replica_begin(b.replica, &why), ERR_BUSY);
	assert_non_null(strstr(why.text, "replica.db"));
	assert_in_range(dozing.total_us, 4000000, 6000000);
	assert_in_range(dozing.longest_us, 1, 5000);
	replica_rollback(w->a.replica);
	set_title(w, &b, "now");
	office_close(&b);
	assert_int_equal(sqlite3_vfs_unregister(&dozing.vfs), SQLITE_OK);
}

/* Transactions and settings. */

static void rollback_outside_a_transaction_is_harmless(void **state)
{
	struct world *w = *state;

	replica_rollback(w->a.replica);
	replica_rollback(w->a.replica);
	set_title(w, &w->a, "works");
	assert_true(office_agrees(&w->a, &w->a));
}

static void checking_does_not_end_a_transaction(void **state)
{
	struct world *w = *state;
	struct value value = value_str("kept");
	struct edit *e = office_edit(&w->a, &w->space);
	struct verify_report report;
	uint8_t hash[STATE_HASH_BYTES];
	struct errmsg why;

	OFFICE_MUST(edit_set(e, KIND_ACTION, &w->action, ACTION_TITLE, &value, &msg));
	OFFICE_MUST(edit_seal(e, &msg));
	assert_int_not_equal(replica_state_hash(w->a.replica, hash, &why), OK);
	assert_int_not_equal(replica_verify(w->a.replica, &report, NULL, NULL, &why), OK);
	OFFICE_MUST(replica_commit(w->a.replica, &msg));
	assert_int_equal(own_seq(w, &w->a), 2);
	assert_true(office_agrees(&w->a, &w->a));
}

static void closing_rolls_back(void **state)
{
	struct world *w = *state;
	struct value value = value_str("never");
	struct edit *e = office_edit(&w->a, &w->space);

	OFFICE_MUST(edit_set(e, KIND_ACTION, &w->action, ACTION_TITLE, &value, &msg));
	OFFICE_MUST(edit_seal(e, &msg));
	office_reopen(&w->a);
	assert_int_equal(own_seq(w, &w->a), 1);
	assert_true(office_agrees(&w->a, &w->a));
}

static void settings_are_kept_and_removed(void **state)
{
	struct world *w = *state;
	struct buf value = BUF_EMPTY;
	struct errmsg why;

	assert_int_equal(replica_setting(w->a.replica, "colour", &value, &why), ERR_NOT_FOUND);
	OFFICE_MUST(replica_setting_put(w->a.replica, "colour", "red", &msg));
	OFFICE_MUST(replica_setting_put(w->a.replica, "colour", "blue", &msg));
	OFFICE_MUST(replica_setting(w->a.replica, "colour", &value, &msg));
	assert_true(bytes_equal(buf_bytes(&value), bytes_of_str("blue")));
	OFFICE_MUST(replica_setting_put(w->a.replica, "colour", NULL, &msg));
	assert_int_equal(replica_setting(w->a.replica, "colour", &value, &why), ERR_NOT_FOUND);
	/* In a transaction they go with it. */
	OFFICE_MUST(replica_begin(w->a.replica, &msg));
	OFFICE_MUST(replica_setting_put(w->a.replica, "colour", "green", &msg));
	replica_rollback(w->a.replica);
	assert_int_equal(replica_setting(w->a.replica, "colour", &value, &why), ERR_NOT_FOUND);
	buf_release(&value);
}

static void joining_another_organisation_is_refused(void **state)
{
	struct world *w = *state;
	uint8_t org[ORG_ID_BYTES];
	struct errmsg why;

	memcpy(org, replica_org(w->a.replica), ORG_ID_BYTES);
	OFFICE_MUST(replica_join(w->a.replica, org, &msg));
	org[0] ^= 1;
	assert_int_equal(replica_join(w->a.replica, org, &why), ERR_EXISTS);
}

/* Queries. */

static void queries_read_and_nothing_else(void **state)
{
	struct world *w = *state;
	static const char *const refused[] = { "DELETE FROM r_action_item",
					       "UPDATE r_person SET name = ''", "CREATE TABLE t(x)",
					       "no SQL at all" };
	struct value arg = value_ref(&w->action);
	struct rows *rows;
	struct record_id id;
	struct errmsg why;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		why.text[0] = '\0';
		assert_int_not_equal(rows_open(&rows, w->a.replica, refused[i], NULL, 0, &why), OK);
		assert_int_not_equal(why.text[0], 0);
	}
	OFFICE_MUST(rows_open(&rows, w->a.replica,
			      "SELECT id, title, due, length(title) FROM r_action_item "
			      "WHERE id = ?1",
			      &arg, 1, &msg));
	assert_true(rows_next(rows));
	id = rows_id(rows, 0);
	assert_int_equal(record_id_cmp(&id, &w->action), 0);
	assert_string_equal(rows_text(rows, 1), "Review the contract");
	id = rows_id(rows, 1);
	assert_true(record_id_is_nil(&id));
	assert_string_equal(rows_text(rows, 2), "");
	assert_true(rows_is_null(rows, 2));
	assert_int_equal(rows_int(rows, 3), strlen("Review the contract"));
	assert_false(rows_next(rows));
	OFFICE_MUST(rows_close(rows, &msg));
}

static void absent_records_are_not_found(void **state)
{
	struct world *w = *state;
	struct arena arena = ARENA_EMPTY;
	struct record_id id = w->action;
	struct element *list;
	struct record rec;
	struct errmsg why;
	size_t count;

	id.bytes[3] ^= 1;
	assert_int_equal(replica_record(w->a.replica, KIND_ACTION, &id, &arena, &rec, NULL, &why),
			 ERR_NOT_FOUND);
	assert_int_equal(
		replica_record(w->a.replica, KIND_MEETING, &w->action, &arena, &rec, NULL, &why),
		ERR_NOT_FOUND);
	assert_int_equal(replica_record(w->a.replica, 999, &w->action, &arena, &rec, NULL, &why),
			 ERR_INVALID);
	assert_int_equal(replica_elements(w->a.replica, KIND_ACTION, &id, ACTION_CC, &arena, &list,
					  &count, &why),
			 ERR_NOT_FOUND);
	assert_int_equal(replica_elements(w->a.replica, KIND_ACTION, &w->action, ACTION_TITLE,
					  &arena, &list, &count, &why),
			 ERR_INVALID);
	arena_release(&arena);
}

/* Care. */

static void note_progress(void *ctx, uint64_t done, uint64_t total)
{
	assert_true(done <= total);
	*(uint64_t *)ctx = done == total ? total : 0;
}

static void backup_equals_and_never_overwrites(void **state)
{
	struct world *w = *state;
	uint8_t before[STATE_HASH_BYTES], after[STATE_HASH_BYTES];
	char wal[PATH_MAX_HERE + 8];
	struct replica *copy;
	struct errmsg why;
	uint64_t pages = 0;

	OFFICE_MUST(replica_backup(w->a.replica, w->other, note_progress, &pages, &msg));
	assert_true(pages > 10);
	snprintf(wal, sizeof(wal), "%s-wal", w->other);
	assert_int_not_equal(access(wal, F_OK), 0);
	OFFICE_MUST(open_plain(w->other, false, false, &copy, &msg));
	hash_of(&w->a, before);
	OFFICE_MUST(replica_state_hash(copy, after, &msg));
	assert_memory_equal(before, after, sizeof(before));
	replica_close(copy);

	set_title(w, &w->a, "later");
	assert_int_equal(replica_backup(w->a.replica, w->other, NULL, NULL, &why), ERR_EXISTS);
	assert_int_equal(replica_backup(w->a.replica, w->path, NULL, NULL, &why), ERR_EXISTS);
	OFFICE_MUST(open_plain(w->other, false, false, &copy, &msg));
	OFFICE_MUST(replica_state_hash(copy, after, &msg));
	assert_memory_equal(before, after, sizeof(before));
	replica_close(copy);
	assert_int_equal(replica_backup(w->a.replica, "/nonexistent/x.db", NULL, NULL, &why),
			 ERR_IO);
}

static void figures_count_what_is_there(void **state)
{
	struct world *w = *state;
	struct replica_stats stats;

	OFFICE_MUST(replica_stats(w->a.replica, &stats, &msg));
	assert_int_equal(stats.changesets, 2); /* the founding, the action */
	assert_int_equal(stats.feeds, 2);
	assert_int_equal(stats.spaces, 2);
	assert_int_equal(stats.records, 4 + 1);
	assert_int_equal(stats.conflicts, 0);
	assert_true(stats.database_bytes + stats.wal_bytes > 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(reopening_keeps_everything),
		TEST(absent_file_is_not_created_by_itself),
		TEST(what_is_no_replica_is_refused_and_left_alone),
		TEST(truncated_file_is_refused),
		TEST(newer_program_s_file_is_refused),
		TEST(older_schema_is_rebuilt_from_the_log),
		TEST(clock_before_2020_is_refused),
		TEST(without_the_key_there_are_no_edits),
		TEST(read_only_handle_reads_and_follows),
		TEST(folder_that_cant_be_written_is_named),
		TEST(second_handle_sees_what_the_first_wrote),
		TEST(what_a_transaction_saw_first_still_counts),
		TEST(two_handles_continue_one_feed),
		TEST(processes_that_edit_at_once_never_clash),
		TEST(processes_that_create_at_once_agree_on_the_id),
		TEST(lock_that_stays_is_reported_as_busy),
		TEST(rollback_outside_a_transaction_is_harmless),
		TEST(checking_does_not_end_a_transaction),
		TEST(closing_rolls_back),
		TEST(settings_are_kept_and_removed),
		TEST(joining_another_organisation_is_refused),
		TEST(queries_read_and_nothing_else),
		TEST(absent_records_are_not_found),
		TEST(backup_equals_and_never_overwrites),
		TEST(figures_count_what_is_there),
	};

	/* Who waits for others would wait for their disk as well. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
