/* sim/memvfs: SQLite on it keeps what it must, and loses what it may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>

#include "tests/sim/memvfs.h"

enum { CUTS = 150, COMMITS_MAX = 40 };

static int run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* 0 when the database is in pieces. */
static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t answer = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return answer;
}

/* May leave a damaged database as it is. */
static sqlite3 *open_database(struct memdisk *disk, const char *synchronous)
{
	sqlite3 *db = NULL;
	char sql[160];

	assert_int_equal(sqlite3_open_v2("db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
					 memdisk_vfs(disk)),
			 SQLITE_OK);
	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA wal_autocheckpoint=20;"
		 "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, text)",
		 synchronous);
	run(db, sql);
	return db;
}

/* Commit rows until the power fails in the middle of something, start again,
 * look. Adds to *acknowledged; returns how many acknowledged rows are gone. */
static int64_t cut_power(struct memdisk *disk, const char *synchronous, struct prng *dice,
			 int64_t *acknowledged)
{
	sqlite3 *db = open_database(disk, synchronous);
	int64_t held, before = ask(db, "SELECT count(*) FROM t");

	held = before;
	memdisk_fail_after(disk, prng_below(dice, 4 * COMMITS_MAX));
	for (int i = 0; i < COMMITS_MAX; i++)
		if (run(db, "INSERT INTO t(text) VALUES(hex(randomblob(300)))") == SQLITE_OK)
			held++;
	*acknowledged += held - before;
	memdisk_crash(disk, dice);
	sqlite3_close(db);

	memdisk_on(disk);
	db = open_database(disk, synchronous);
	/* One more may be there: durable, but not yet acknowledged. */
	held -= ask(db, "SELECT count(*) FROM t");
	sqlite3_close(db);
	return held > 0 ? held : 0;
}

static int64_t cut_often(const char *synchronous, bool lies, int64_t *acknowledged)
{
	struct prng dice;
	int64_t lost = 0;

	prng_init(&dice, 1);
	for (int i = 0; i < CUTS; i++) {
		struct memdisk *disk = memdisk_new();
		sqlite3 *db = open_database(disk, synchronous);

		sqlite3_close(db);
		memdisk_lie(disk, lies);
		lost += cut_power(disk, synchronous, &dice, acknowledged);
		memdisk_free(disk);
	}
	return lost;
}

static void full_synchronous_commits_survive_every_power_cut(void **state)
{
	struct memdisk *disk = memdisk_new();
	struct prng dice;
	int64_t acknowledged = 0;

	prng_init(&dice, 7);
	for (int i = 0; i < CUTS; i++)
		assert_int_equal(cut_power(disk, "FULL", &dice, &acknowledged), 0);
	assert_true(acknowledged > CUTS);
	memdisk_free(disk);
}

static void normal_synchronous_commits_are_lost_at_times(void **state)
{
	int64_t acknowledged = 0;

	assert_true(cut_often("NORMAL", false, &acknowledged) > 0);
}

static void a_lying_disk_loses_commits(void **state)
{
	int64_t acknowledged = 0, lost = cut_often("FULL", true, &acknowledged);

	assert_true(lost > acknowledged / 10);
}

static void a_killed_process_loses_nothing_that_it_wrote(void **state)
{
	struct memdisk *disk = memdisk_new();
	sqlite3 *db = open_database(disk, "OFF");

	memdisk_lie(disk, true);
	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('kept')"), SQLITE_OK);
	memdisk_kill(disk);
	sqlite3_close(db);
	memdisk_on(disk);
	db = open_database(disk, "OFF");
	assert_int_equal(ask(db, "SELECT count(*) FROM t"), 1);
	sqlite3_close(db);
	memdisk_free(disk);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
	struct memdisk *disk = memdisk_new();
	sqlite3 *db = open_database(disk, "FULL");
	int result = SQLITE_OK;

	memdisk_limit(disk, memdisk_stats(disk).bytes + 20000);
	for (int i = 0; i < 100 && result == SQLITE_OK; i++)
		result = run(db, "INSERT INTO t(text) VALUES(hex(randomblob(1000)))");
	assert_int_equal(result, SQLITE_FULL);
	memdisk_limit(disk, UINT64_MAX);
	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('again')"), SQLITE_OK);
	sqlite3_close(db);
	memdisk_free(disk);
}

static void a_disk_without_any_space_refuses_overwriting_too(void **state)
{
	struct memdisk *disk = memdisk_new();
	sqlite3 *db = open_database(disk, "FULL");

	memdisk_fill_after(disk, 1);
	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('a')"), SQLITE_FULL);
	assert_int_equal(run(db, "DELETE FROM t"), SQLITE_FULL);
	memdisk_fill_after(disk, UINT64_MAX);
	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('again')"), SQLITE_OK);
	sqlite3_close(db);
	memdisk_free(disk);
}

/* Later syncs say "done" of what only the cache still has. */
static void what_a_failed_sync_forgot_can_be_read_and_is_lost_in_a_power_cut(void **state)
{
	struct memdisk *disk = memdisk_new(), *copy;
	struct prng dice;
	sqlite3 *db = open_database(disk, "FULL");
	unsigned lost = 0;

	prng_init(&dice, 3);
	memdisk_fail_sync_after(disk, 0, 1);
	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('a')"), SQLITE_IOERR);
	assert_int_equal(memdisk_stats(disk).blind, 0);
	for (int i = 0; i < CUTS; i++) {
		sqlite3 *reader;

		copy = memdisk_copy(disk);
		memdisk_crash(copy, &dice);
		memdisk_on(copy);
		reader = open_database(copy, "FULL");
		lost += ask(reader, "SELECT count(*) FROM t") == 0;
		sqlite3_close(reader);
		memdisk_free(copy);
	}
	assert_true(lost > 0);
	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('b')"), SQLITE_OK);
	assert_true(memdisk_stats(disk).blind > 0);
	sqlite3_close(db);
	memdisk_free(disk);
}

static void take_note(void *ctx)
{
	unsigned *count = ctx;

	++*count;
}

static void every_change_of_the_disk_is_watched(void **state)
{
	struct memdisk *disk = memdisk_new();
	sqlite3 *db = open_database(disk, "FULL");
	struct memdisk_stats before = memdisk_stats(disk), after;
	unsigned count = 0;

	memdisk_watch(disk, take_note, &count);
	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('a')"), SQLITE_OK);
	sqlite3_close(db);
	after = memdisk_stats(disk);
	assert_true(count > 0);
	assert_int_equal(count, after.writes - before.writes + after.syncs - before.syncs);
	memdisk_free(disk);
}

static void a_copy_has_a_life_of_its_own(void **state)
{
	struct memdisk *disk = memdisk_new(), *copy;
	sqlite3 *db = open_database(disk, "FULL"), *other;

	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('both')"), SQLITE_OK);
	copy = memdisk_copy(disk);
	assert_int_equal(run(db, "INSERT INTO t(text) VALUES('one')"), SQLITE_OK);
	memdisk_on(copy);
	other = open_database(copy, "FULL");
	assert_int_equal(ask(db, "SELECT count(*) FROM t"), 2);
	assert_int_equal(ask(other, "SELECT count(*) FROM t"), 1);
	sqlite3_close(other);
	sqlite3_close(db);
	memdisk_free(copy);
	memdisk_free(disk);
}

static void two_connections_see_each_other_and_exclude_writers(void **state)
{
	struct memdisk *disk = memdisk_new();
	sqlite3 *a = open_database(disk, "FULL"), *b = open_database(disk, "FULL");

	assert_int_equal(run(a, "BEGIN IMMEDIATE; INSERT INTO t(text) VALUES('a')"), SQLITE_OK);
	assert_int_equal(ask(b, "SELECT count(*) FROM t"), 0);
	assert_int_equal(run(b, "BEGIN IMMEDIATE"), SQLITE_BUSY);
	assert_int_equal(run(a, "COMMIT"), SQLITE_OK);
	assert_int_equal(ask(b, "SELECT count(*) FROM t"), 1);
	assert_int_equal(run(b, "INSERT INTO t(text) VALUES('b')"), SQLITE_OK);
	assert_int_equal(ask(a, "SELECT count(*) FROM t"), 2);
	sqlite3_close(a);
	sqlite3_close(b);
	memdisk_free(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_synchronous_commits_survive_every_power_cut),
		cmocka_unit_test(normal_synchronous_commits_are_lost_at_times),
		cmocka_unit_test(a_lying_disk_loses_commits),
		cmocka_unit_test(a_killed_process_loses_nothing_that_it_wrote),
		cmocka_unit_test(a_full_disk_refuses_and_recovers),
		cmocka_unit_test(a_disk_without_any_space_refuses_overwriting_too),
		cmocka_unit_test(what_a_failed_sync_forgot_can_be_read_and_is_lost_in_a_power_cut),
		cmocka_unit_test(every_change_of_the_disk_is_watched),
		cmocka_unit_test(a_copy_has_a_life_of_its_own),
		cmocka_unit_test(two_connections_see_each_other_and_exclude_writers),
	};

	return cmocka_run_group_tests_name("sim/memvfs", tests, NULL, NULL);
}
