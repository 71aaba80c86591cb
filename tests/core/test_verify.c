/* core/verify: whatever is changed in the file, in the log or in the state,
 * is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/support/office.h"
#include "tests/support/tempdir.h"

/* `a` and `b` have edited together: values, siblings, elements, a text, a void. */
struct world {
	char dir[TEMPDIR_BYTES_MAX];
	char path[TEMPDIR_BYTES_MAX + 16], copy[TEMPDIR_BYTES_MAX + 16];
	struct office a, b;
	struct space_id space;
};

/* One that lies in pieces. */
static void write_large_text(struct world *w)
{
	struct value value = value_str("Minutes");
	struct record_id id = office_create(&w->a, &w->space, KIND_BLOCK, BLOCK_TEXT, &value);
	char text[10000];

	memset(text, 'a', sizeof(text));
	value = value_text(bytes_of(text, sizeof(text)));
	office_set(&w->a, &w->space, KIND_BLOCK, &id, BLOCK_TEXT, &value);
}

static void write_history(struct world *w)
{
	struct value value = value_str("Review the contract");
	struct record_id id = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &value),
			 other;

	value = value_str("another one");
	other = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &value);
	office_sync(&w->a, &w->b);
	value = value_str("title of a");
	office_set(&w->a, &w->space, KIND_ACTION, &id, ACTION_TITLE, &value);
	value = value_str("title of b");
	office_set(&w->b, &w->space, KIND_ACTION, &id, ACTION_TITLE, &value);
	value = value_ref(&other);
	office_add(&w->a, &w->space, KIND_ACTION, &id, ACTION_CC, &value);
	value = value_str("half done");
	office_add(&w->b, &w->space, KIND_ACTION, &id, ACTION_PROGRESS, &value);
	value = value_str("a first draft");
	office_set(&w->a, &w->space, KIND_ACTION, &id, ACTION_DELIVERABLE, &value);
	office_sync(&w->a, &w->b);
	value = value_str("a first draft of a");
	office_set(&w->a, &w->space, KIND_ACTION, &id, ACTION_DELIVERABLE, &value);
	value = value_str("b's first draft");
	office_set(&w->b, &w->space, KIND_ACTION, &id, ACTION_DELIVERABLE, &value);
	office_void(&w->a, &w->space, KIND_ACTION, &other);
	write_large_text(w);
	office_sync(&w->a, &w->b);
	value = value_str("the end");
	office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &value);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "a.db");
	tempdir_path(w->copy, sizeof(w->copy), w->dir, "copy.db");
	office_open(&w->a, w->path, 1);
	office_open(&w->b, NULL, 2);
	w->space = UNITE(&w->a, &w->b);
	write_history(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

/* What opening and verifying a copy says, after `sql` was done to it. */
static enum err verify_damaged(struct world *w, const char *sql, struct errmsg *why)
{
	struct replica_config config = { .path = w->copy, .now_ms = OFFICE_NOW_MS };
	struct verify_report report;
	struct replica *r;
	sqlite3 *db;
	char *error = NULL;
	enum err rc;

	unlink(w->copy);
	OFFICE_MUST(replica_backup(w->a.replica, w->copy, NULL, NULL, &msg));
	assert_int_equal(sqlite3_open(w->copy, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);

	*why = (struct errmsg){ .text = "" };
	rc = replica_open(&r, &config, why);
	if (rc != OK)
		return rc;
	rc = replica_verify(r, &report, NULL, NULL, why);
	replica_close(r);
	return rc;
}

static void assert_noticed(struct world *w, const char *sql)
{
	struct errmsg why;
	enum err rc = verify_damaged(w, sql, &why);

	if (rc != ERR_CORRUPT && rc != ERR_CHAIN && rc != ERR_SIGNATURE && rc != ERR_REPLICA)
		fail_msg("%s: %s: %s", sql, err_name(rc), why.text);
	assert_int_not_equal(why.text[0], 0);
}

static void count_progress(void *ctx, uint64_t done, uint64_t total)
{
	assert_true(done <= total);
	++*(int *)ctx;
}

static void sound_replica_passes(void **state)
{
	struct world *w = *state;
	struct verify_report report;
	struct errmsg why;
	int calls = 0;

	assert_int_equal(verify_damaged(w, "SELECT 1", &why), OK);
	OFFICE_MUST(replica_verify(w->a.replica, &report, count_progress, &calls, &msg));
	assert_memory_equal(report.stored_hash, report.replayed_hash, STATE_HASH_BYTES);
	assert_int_equal(report.feeds, 3); /* the directory's, and two in the space */
	assert_int_equal(report.changesets, report.signatures);
	assert_int_equal(report.changesets, office_count(&w->a, "SELECT count(*) FROM changeset"));
	assert_true(report.ops > report.changesets);
	assert_true(office_agrees(&w->a, &w->a));
}

static void change_of_the_log_is_noticed(void **state)
{
	static const char *const damages[] = {
		/* The first bytes, which say when, and the rest, which says what. */
		"UPDATE changeset SET body = CAST(x'97' || x'02' || substr(body, 3) AS BLOB) "
		"WHERE key & 0xff = 2",
		"UPDATE changeset SET body = zeroblob(length(body)) WHERE key & 0xff = 2",
		"UPDATE changeset SET body = CAST(substr(body, 1, length(body) - 1) AS BLOB)",
		"UPDATE changeset SET body = CAST(substr(body, 1, 9) || x'ff' || substr(body, 11) "
		"AS BLOB) WHERE key & 0xff = 2",
		"UPDATE changeset SET body = (SELECT body FROM changeset WHERE key & 0xff = 1) "
		"WHERE key & 0xff = 2",
		"UPDATE changeset SET signature = zeroblob(64) WHERE key & 0xff = 2",
		"UPDATE changeset SET signature = zeroblob(64) WHERE key = (SELECT max(key) FROM "
		"changeset)",
		"UPDATE changeset SET signature = zeroblob(63)",
		"UPDATE changeset SET link = zeroblob(32) WHERE key & 0xff = 2",
		"UPDATE changeset SET link = zeroblob(32) WHERE key = (SELECT max(key) FROM "
		"changeset)",
		"DELETE FROM changeset WHERE key & 0xff = 1",
		"DELETE FROM changeset WHERE key & 0xff = 2",
		"DELETE FROM changeset WHERE key = (SELECT max(key) FROM changeset)",
		"DELETE FROM changeset",
		"DELETE FROM feed WHERE idx = (SELECT max(idx) FROM feed)",
		"UPDATE feed SET space = 99 WHERE idx = 2",
		"UPDATE feed SET replica = 99 WHERE idx = 2",
		"UPDATE replica_index SET id = zeroblob(16) WHERE idx = 1",
		"UPDATE replica_index SET id = zeroblob(15) WHERE idx = 1",
		"UPDATE space_index SET id = zeroblob(16) WHERE idx = 2",
		"UPDATE space_index SET id = x'00' WHERE idx = 2",
		"UPDATE setting SET value = zeroblob(32) WHERE key = 'org'",
		"UPDATE setting SET value = x'00' WHERE key = 'org'",
		"UPDATE setting SET value = x'00' WHERE key = 'replica'",
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		assert_noticed(*state, damages[i]);
}

static void every_flipped_byte_of_a_changeset_is_noticed(void **state)
{
	struct world *w = *state;
	int64_t size = office_count(
		&w->a, "SELECT length(body) FROM changeset WHERE key & 0xff = 2 LIMIT 1");
	char sql[512];

	assert_in_range(size, 20, 1000);
	for (int64_t at = 1; at <= size; at += at < 24 ? 1 : 17) {
		snprintf(sql, sizeof(sql),
			 "UPDATE changeset SET body = CAST(substr(body, 1, %lld) || "
			 "CASE substr(body, %lld, 1) WHEN x'05' THEN x'06' ELSE x'05' END || "
			 "substr(body, %lld) AS BLOB) WHERE key = (SELECT min(key) FROM changeset "
			 "WHERE key & 0xff = 2)",
			 (long long)at - 1, (long long)at, (long long)at + 1);
		assert_noticed(w, sql);
	}
}

static const char *const damages_of_the_state[] = {
	"UPDATE r_action_item SET title = 'Title of a' WHERE title LIKE 'title of _'",
	"UPDATE r_action_item SET title = CAST(title AS BLOB)",
	"UPDATE r_action_item SET title = NULL",
	"UPDATE r_action_item SET priority = 1",
	"UPDATE r_action_item SET owner = x'00'",
	"UPDATE r_action_item SET life = 1 WHERE life = 0",
	"UPDATE r_action_item SET life = 0",
	"UPDATE r_action_item SET life = 2 WHERE life = 1",
	"UPDATE r_action_item SET space = 1",
	"UPDATE r_action_item SET space = 99",
	"UPDATE r_action_item SET id = zeroblob(16) WHERE title = 'the end'",
	"UPDATE r_action_item SET meta = x'9290' || x'00'",
	"UPDATE r_action_item SET meta = x''",
	"UPDATE r_action_item SET meta = CAST(substr(meta, 1, 3) || x'55' || "
	"substr(meta, 5) AS BLOB) WHERE title = 'the end'",
	"DELETE FROM r_action_item WHERE title = 'the end'",
	"INSERT INTO r_action_item SELECT zeroblob(16), space, life, number, title, "
	"owner, due, deliverable, priority, meeting, topic, state, meta, sum FROM "
	"r_action_item LIMIT 1",
	"UPDATE element SET value = 'Half done' WHERE value = 'half done'",
	"UPDATE element SET value = 7",
	"UPDATE element SET hlc = hlc + 1",
	"UPDATE element SET seq = seq + 1",
	"UPDATE element SET n = n + 10",
	"UPDATE element SET author = randomblob(16)",
	"UPDATE element SET author = x'01'",
	"UPDATE element SET replica = 99",
	"UPDATE element SET replica = 1 - replica",
	"UPDATE element SET record = zeroblob(16)",
	"UPDATE element SET kind = 99",
	"UPDATE element SET field = 99",
	"UPDATE element SET space = 99",
	"DELETE FROM element WHERE value = 'half done'",
	"INSERT INTO element SELECT zeroblob(16), kind, field, space, replica, seq, n, "
	"hlc, author, value, sum FROM element",
	"UPDATE r_block SET text = text + 1",
	"UPDATE text_piece SET text = 'b' || substr(text, 2)",
	"UPDATE text_piece SET points = points + 1",
	"UPDATE text_piece SET key = key + (1 << 40)",
	"DELETE FROM text_piece WHERE key = (SELECT min(key) FROM text_piece)",
	"DELETE FROM text_piece",
	"INSERT INTO text_piece SELECT key + 1, space, points, text FROM text_piece",
	"UPDATE text_edit SET text = 'A' || substr(text, 2) WHERE at = 0",
	"UPDATE text_edit SET edit = x'9104' WHERE at = 2",
	"UPDATE text_edit SET parents = x'9101' WHERE at = 2",
	"UPDATE text_edit SET parents = x'91ff'",
	"UPDATE text_edit SET seq = seq + 1 WHERE at = 1",
	"UPDATE text_edit SET replica = 1 - replica",
	"UPDATE text_edit SET replica = 99",
	"UPDATE text_edit SET flags = flags | 1",
	"UPDATE text_edit SET flags = flags | 2",
	"UPDATE text_edit SET flags = 0",
	"UPDATE text_edit SET reach = reach + 1 WHERE at = 2",
	"UPDATE text_edit SET before = before + 1 WHERE at = 1",
	"UPDATE text_edit SET after = after + 1 WHERE at = 1",
	"UPDATE text_edit SET at = at + 1 WHERE at = 2",
	"UPDATE text_edit SET record = zeroblob(16)",
	"UPDATE text_edit SET field = 99",
	"UPDATE text_edit SET space = 99",
	"DELETE FROM text_edit WHERE at = 2",
	"DELETE FROM text_edit",
	"DELETE FROM conflict",
	"UPDATE conflict SET field = field + 1",
	"UPDATE conflict SET space = 99",
	"INSERT INTO conflict SELECT record, kind, 0, space, sum FROM conflict LIMIT 1",
	"INSERT INTO conflict SELECT zeroblob(16), kind, field, space, sum FROM conflict "
	"LIMIT "
	"1",
};

static void change_of_the_state_is_noticed(void **state)
{
	for (size_t i = 0; i < sizeof(damages_of_the_state) / sizeof(damages_of_the_state[0]); i++)
		assert_noticed(*state, damages_of_the_state[i]);
}

/* The key that vouches for a feed stands in the directory's state. */
static void other_key_of_a_node_is_noticed(void **state)
{
	assert_noticed(*state, "UPDATE statement SET bytes = CAST(substr(bytes, 1, 200) || "
			       "zeroblob(1) || substr(bytes, 202) AS BLOB) WHERE idx = 1");
}

static void other_result_of_the_statements_is_noticed(void **state)
{
	assert_noticed(*state, "UPDATE setting SET value = (SELECT CAST(substr(value, 1, "
			       "length(value) - 1) || x'7f' AS BLOB) FROM setting WHERE key = "
			       "'trust') WHERE key = 'trust'");
}

static void damaged_pages_are_noticed_by_the_quick_check(void **state)
{
	struct world *w = *state;
	struct replica_config config = { .path = w->copy, .now_ms = OFFICE_NOW_MS };
	struct errmsg why = { .text = "" };
	struct replica *r;
	FILE *file;

	OFFICE_MUST(replica_quick_check(w->a.replica, &msg));
	OFFICE_MUST(replica_backup(w->a.replica, w->copy, NULL, NULL, &msg));
	OFFICE_MUST(replica_open(&r, &config, &msg));
	file = fopen(w->copy, "r+b");
	assert_non_null(file);
	for (long page = 8; page < 12; page++) {
		fseek(file, page * 4096, SEEK_SET);
		for (int i = 0; i < 64; i++)
			fputc(0xee, file);
	}
	fclose(file);
	assert_int_equal(replica_quick_check(r, &why), ERR_CORRUPT);
	assert_non_null(strstr(why.text, "copy.db"));
	replica_close(r);
}

struct intruder {
	struct world *w;
	struct office other;
	int calls;
};

static void write_meanwhile(void *ctx, uint64_t done, uint64_t total)
{
	struct intruder *in = ctx;
	struct value value = value_str("written while others verify");

	if (in->calls++ == 0)
		office_create(&in->other, &in->w->space, KIND_ACTION, ACTION_TITLE, &value);
}

/* Enough changesets for one report of progress come from `b`, in one transaction. */
static void writer_does_not_disturb(void **state)
{
	struct world *w = *state;
	struct intruder in = { .w = w };
	struct value value = value_str("one of many");
	struct verify_report report;
	uint8_t hash[STATE_HASH_BYTES];

	for (int i = 0; i < 1100; i++)
		office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &value);
	office_sync(&w->a, &w->b);
	office_open_again(&in.other, &w->a);
	OFFICE_MUST(replica_verify(w->a.replica, &report, write_meanwhile, &in, &msg));
	assert_true(in.calls > 0);
	OFFICE_MUST(replica_state_hash(w->a.replica, hash, &msg));
	assert_memory_not_equal(hash, report.stored_hash, STATE_HASH_BYTES);
	office_close(&in.other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(sound_replica_passes),
		TEST(change_of_the_log_is_noticed),
		TEST(every_flipped_byte_of_a_changeset_is_noticed),
		TEST(change_of_the_state_is_noticed),
		TEST(other_key_of_a_node_is_noticed),
		TEST(other_result_of_the_statements_is_noticed),
		TEST(damaged_pages_are_noticed_by_the_quick_check),
		TEST(writer_does_not_disturb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
