/* core/scrub, core/shadow, core/damage: what was changed in the file is found a slice at a time,
 * named, not passed on, and put back while the replica stays open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/scrub.h"
#include "core/text.h"
#include "tests/support/forge.h"
#include "tests/support/office.h"
#include "tests/support/tempdir.h"

enum { ROWS = 8, EDITS = 60, SLICES_MAX = 4000 };

/* `b` is in a file and holds what `a` holds. */
struct world {
	char dir[TEMPDIR_BYTES_MAX];
	char path[TEMPDIR_BYTES_MAX + 16];
	struct office a, b;
	struct space_id space;
	struct scrub *scrub;
	uint64_t now_ms;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "replica.db");
	office_open(&w->a, NULL, 1);
	office_open(&w->b, w->path, 2);
	w->space = UNITE(&w->a, &w->b);
	for (unsigned i = 0; i < EDITS; i++) {
		struct office *o = i % 2 ? &w->a : &w->b;
		struct value title = value_str("what is to be done"), note = value_str("half done");
		struct record_id id =
			office_create(o, &w->space, KIND_ACTION, ACTION_TITLE, &title);

		office_add(o, &w->space, KIND_ACTION, &id, ACTION_PROGRESS, &note);
	}
	office_sync(&w->a, &w->b);
	w->now_ms = OFFICE_NOW_MS;
	OFFICE_MUST(scrub_new(&w->scrub, w->b.replica, &msg));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	scrub_free(w->scrub);
	office_close(&w->a);
	office_close(&w->b);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

static const struct damage_list *damage(const struct world *w)
{
	return replica_damage(w->b.replica);
}

static void slice(struct world *w)
{
	w->now_ms += 50;
	OFFICE_MUST(scrub_slice(w->scrub, w->now_ms, ROWS, &msg));
}

/* Until nothing is due; returns the number of slices. */
static unsigned scrub_all(struct world *w)
{
	unsigned slices = 0;

	w->now_ms += 1000;
	do
		slice(w);
	while (++slices < SLICES_MAX && scrub_is_due(w->scrub, w->now_ms, UINT64_MAX));
	assert_true(slices < SLICES_MAX);
	return slices;
}

/* Behind the replica's back; returns how many rows were changed. */
static int change(struct world *w, const char *sql)
{
	sqlite3 *db;
	int count;

	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	count = sqlite3_changes(db);
	sqlite3_close(db);
	return count;
}

/* Of `a`'s feed in the space. */
static struct dot dot_of_a(const struct world *w, uint64_t seq)
{
	return (struct dot){ *replica_id(w->a.replica), seq };
}

static void damage_changeset(struct world *w, const char *what, uint64_t seq)
{
	char sql[512], id[ID_TEXT_SIZE];

	snprintf(sql, sizeof(sql),
		 "UPDATE changeset SET %s WHERE key = (SELECT f.idx << 40 | %llu FROM feed f "
		 "JOIN replica_index r ON r.idx = f.replica JOIN space_index s ON s.idx = f.space "
		 "WHERE r.id = x'%s' AND f.space = (SELECT max(idx) FROM space_index))",
		 what, (unsigned long long)seq, id_text(replica_id(w->a.replica)->bytes, id));
	assert_int_equal(change(w, sql), 1);
}

/* As a session does with what a peer tells. */
static bool mend(struct world *w, const struct dot *dot)
{
	struct arena arena = ARENA_EMPTY;
	struct told told;
	bool is_mended = false;

	OFFICE_MUST(replica_tell(w->a.replica, &w->space, dot, &arena, &told, &msg));
	OFFICE_MUST(replica_mend(w->b.replica, &w->space, dot, &told, &is_mended, &msg));
	arena_release(&arena);
	return is_mended;
}

static void assert_whole(struct world *w)
{
	struct verify_report report;

	assert_int_equal(damage(w)->count, 0);
	OFFICE_MUST(replica_verify(w->b.replica, &report, NULL, NULL, &msg));
	assert_true(office_agrees(&w->a, &w->b));
}

#define BLOB_WITH_LAST_BYTE_CHANGED(column)                                   \
#column " = CAST(substr(" #column ", 1, length(" #column ") - 1) || " \
		"CASE substr(" #column ", -1) WHEN x'41' THEN x'42' ELSE x'41' END AS BLOB)"

/* ---- A sound replica --------------------------------------------------------- */

static void sound_replica_is_looked_at_in_slices(void **state)
{
	struct world *w = *state;
	unsigned slices = scrub_all(w);
	struct scrub_state kept;

	assert_true(slices > 2 * EDITS / ROWS);
	OFFICE_MUST(scrub_look(w->b.replica, &kept, &msg));
	assert_false(kept.is_at_work);
	assert_true(kept.ended_ms > kept.began_ms);
	assert_int_equal(kept.damage.count, 0);
	assert_false(scrub_is_due(w->scrub, kept.began_ms + 999, 1000));
	assert_true(scrub_is_due(w->scrub, kept.began_ms + 1000, 1000));
	assert_true(scrub_is_due(w->scrub, kept.began_ms - 1, 1000)); /* the clock was wrong */
	assert_whole(w);
}

static void work_goes_on_meanwhile(void **state)
{
	struct world *w = *state;
	struct value title = value_str("meanwhile");

	for (unsigned i = 0; i == 0 || scrub_is_due(w->scrub, w->now_ms, UINT64_MAX); i++) {
		slice(w);
		if (i % 5 == 0 && i < 300)
			office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &title);
		if (i % 7 == 0 && i < 300)
			office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &title);
		if (i % 20 == 0)
			office_sync(&w->a, &w->b);
	}
	office_sync(&w->a, &w->b);
	assert_int_equal(damage(w)->mended, 0);
	assert_whole(w);
}

static void round_goes_on_after_a_restart(void **state)
{
	static const unsigned stops[] = { 5, 15, 30 };
	struct world *w = *state;
	unsigned whole = scrub_all(w);

	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		unsigned slices = 0;

		w->now_ms += 1000;
		for (; slices < stops[i]; slices++)
			slice(w);
		scrub_free(w->scrub);
		office_reopen(&w->b);
		OFFICE_MUST(scrub_new(&w->scrub, w->b.replica, &msg));
		for (; scrub_is_due(w->scrub, w->now_ms, UINT64_MAX); slices++)
			slice(w);
		assert_true(slices <= whole + 1);
	}
	assert_whole(w);
}

/* ---- The log ----------------------------------------------------------------- */

static void assert_changeset_is_found_and_put_back(struct world *w, const char *what, uint64_t seq)
{
	struct dot dot = dot_of_a(w, seq);

	damage_changeset(w, what, seq);
	scrub_all(w);
	assert_int_equal(damage(w)->count, 1);
	assert_int_equal(damage(w)->list[0].kind, DAMAGE_CHANGESET);
	assert_int_equal(dot_cmp(&damage(w)->list[0].dot, &dot), 0);
	assert_true(mend(w, &dot));
	assert_true(scrub_is_due(w->scrub, w->now_ms, UINT64_MAX)); /* the state waited */
	scrub_all(w);
	assert_whole(w);
}

static void damaged_changeset_is_found_and_put_back(void **state)
{
	struct world *w = *state;

	static const uint64_t seqs[] = { 1, EDITS / 2, EDITS };

	for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
		uint64_t seq = seqs[i];

		assert_changeset_is_found_and_put_back(w, BLOB_WITH_LAST_BYTE_CHANGED(body), seq);
		assert_changeset_is_found_and_put_back(w, BLOB_WITH_LAST_BYTE_CHANGED(link), seq);
		assert_changeset_is_found_and_put_back(w, BLOB_WITH_LAST_BYTE_CHANGED(signature),
						       seq);
		if (seq == EDITS)
			break; /* without a stamp at the end of a feed nothing can be read */
		assert_changeset_is_found_and_put_back(w, "body = x''", seq);
		assert_changeset_is_found_and_put_back(w, "link = x'41'", seq);
	}
}

static void several_damaged_changesets_are_put_back(void **state)
{
	struct world *w = *state;

	for (uint64_t seq = 10; seq < 14; seq++)
		damage_changeset(w, BLOB_WITH_LAST_BYTE_CHANGED(link), seq);
	for (int i = 0; i < 4 && damage(w)->mended < 4; i++) {
		scrub_all(w);
		for (size_t k = damage(w)->count; k-- > 0;) {
			struct dot dot = damage(w)->list[k].dot;

			mend(w, &dot);
		}
	}
	scrub_all(w);
	assert_whole(w);
}

/* A byte of its number was changed: between it and those before there are millions that nobody has
 * written. (core/test_rotten_columns, seed 18214799198310903202.) */
static void gap_of_millions_is_not_walked_through(void **state)
{
	struct world *w = *state;

	damage_changeset(w, "key = key | (1 << 30)", 20);
	scrub_free(w->scrub);
	office_reopen(&w->b);
	OFFICE_MUST(scrub_new(&w->scrub, w->b.replica, &msg));
	assert_in_range(scrub_all(w), 1, 4 * EDITS);
	assert_int_equal(damage(w)->count, DAMAGE_MAX);
	assert_true(damage(w)->has_more);
	assert_int_equal(damage(w)->mended, 0);
}

static void damage_is_not_passed_on(void **state)
{
	struct world *w = *state;
	struct vv none = VV_EMPTY;
	struct arena arena = ARENA_EMPTY;
	struct dot dot = dot_of_a(w, 20);
	struct sealed *list;
	struct told told;
	struct errmsg why;
	size_t count, of_a = 0;
	bool more;

	damage_changeset(w, BLOB_WITH_LAST_BYTE_CHANGED(body), 20);
	OFFICE_MUST(replica_missing(w->b.replica, &w->space, &none, SIZE_MAX, 1000, &arena, &list,
				    &count, &more, &msg));
	for (size_t i = 0; i < count; i++)
		of_a += replica_id_cmp(&list[i].replica, &dot.replica) == 0;
	assert_int_equal(of_a, 19);
	assert_true(count < 2 * EDITS); /* what names it stays, too */
	assert_int_equal(damage(w)->count, 1);
	assert_int_equal(dot_cmp(&damage(w)->list[0].dot, &dot), 0);
	assert_int_equal(replica_tell(w->b.replica, &w->space, &dot, &arena, &told, &why),
			 ERR_CORRUPT);
	arena_release(&arena);
}

static void only_what_belongs_there_is_put_back(void **state)
{
	struct world *w = *state;
	struct dot dot = dot_of_a(w, 20), other = dot_of_a(w, 21);
	struct arena arena = ARENA_EMPTY;
	struct told told;
	bool is_mended = true;

	damage_changeset(w, BLOB_WITH_LAST_BYTE_CHANGED(body), 20);
	scrub_all(w);
	OFFICE_MUST(replica_tell(w->a.replica, &w->space, &other, &arena, &told, &msg));
	OFFICE_MUST(replica_mend(w->b.replica, &w->space, &dot, &told, &is_mended, &msg));
	assert_false(is_mended);
	OFFICE_MUST(replica_tell(w->a.replica, &w->space, &dot, &arena, &told, &msg));
	((uint8_t *)told.body.data)[told.body.size - 1] ^= 1;
	is_mended = true;
	OFFICE_MUST(replica_mend(w->b.replica, &w->space, &dot, &told, &is_mended, &msg));
	assert_false(is_mended);
	OFFICE_MUST(replica_tell(w->a.replica, &w->space, &other, &arena, &told, &msg));
	is_mended = true;
	OFFICE_MUST(replica_mend(w->b.replica, &w->space, &other, &told, &is_mended, &msg));
	assert_false(is_mended); /* it is sound */
	assert_int_equal(damage(w)->count, 1);
	arena_release(&arena);
}

static struct sealed forge_title(struct forge *f, const char *title)
{
	struct op op = { .record = { { 1 } },
			 .kind = KIND_ACTION,
			 .field = ACTION_TITLE,
			 .verb = VERB_SET,
			 .value = value_str(title) };

	return forge_ops(f, OFFICE_NOW_MS + 1000, NULL, 0, &op, 1);
}

/* Two changesets with one dot: the peer holds the other branch. */
static void another_branch_is_not_put_back(void **state)
{
	struct world *w = *state;
	struct forge here, there;
	struct sealed ours, theirs;
	struct receipt receipt;
	struct arena arena = ARENA_EMPTY;
	struct dot dot;
	struct told told;
	bool is_mended = true;

	forge_open(&here, &w->a, &w->space, "NYC", 5);
	office_sync(&w->a, &w->b);
	there = here;
	there.arena = ARENA_EMPTY;
	ours = forge_title(&here, "here");
	theirs = forge_title(&there, "there");
	dot = (struct dot){ ours.replica, ours.seq };
	OFFICE_MUST(
		replica_receive(w->b.replica, &w->space, &ours, 1, w->b.now_ms, &receipt, &msg));
	OFFICE_MUST(
		replica_receive(w->a.replica, &w->space, &theirs, 1, w->a.now_ms, &receipt, &msg));
	OFFICE_MUST(replica_tell(w->a.replica, &w->space, &dot, &arena, &told, &msg));
	assert_int_equal(change(w, "UPDATE changeset SET " BLOB_WITH_LAST_BYTE_CHANGED(
					   body) " WHERE key = (SELECT max(key) FROM changeset)"),
			 1);
	scrub_all(w);
	assert_int_equal(damage(w)->count, 1);
	OFFICE_MUST(replica_mend(w->b.replica, &w->space, &dot, &told, &is_mended, &msg));
	arena_release(&arena);
	forge_close(&here);
	forge_close(&there);
	assert_false(is_mended);
}

static void nothing_is_chained_to_damage(void **state)
{
	struct world *w = *state;
	const struct replica_id self = *replica_id(w->b.replica);
	uint64_t head = vv_get(replica_vv(w->b.replica, &w->space), &self);
	struct value title = value_str("after it");
	struct edit *e;
	struct errmsg why;

	assert_int_equal(
		change(w,
		       "UPDATE changeset SET " BLOB_WITH_LAST_BYTE_CHANGED(
			       link) " WHERE key = (SELECT max(c.key) FROM changeset c JOIN feed f "
				     "ON "
				     "c.key >> 40 = f.idx JOIN setting s ON s.key = 'replica' JOIN "
				     "replica_index r ON r.id = s.value AND r.idx = f.replica)"),
		1);
	scrub_free(w->scrub);
	office_reopen(&w->b);
	OFFICE_MUST(scrub_new(&w->scrub, w->b.replica, &msg));
	e = office_edit(&w->b, &w->space);
	{
		struct record_id id = edit_create(e);

		OFFICE_MUST(edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &title, &msg));
	}
	assert_int_equal(edit_seal(e, &why), ERR_CORRUPT);
	replica_rollback(w->b.replica);
	assert_true(mend(w, &(struct dot){ self, head }));
	office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	office_sync(&w->a, &w->b);
	assert_whole(w);
}

static void damage_is_known_after_a_restart(void **state)
{
	struct world *w = *state;
	struct scrub_state kept;
	struct dot dot = dot_of_a(w, 20);

	damage_changeset(w, BLOB_WITH_LAST_BYTE_CHANGED(body), 20);
	scrub_all(w);
	scrub_free(w->scrub);
	office_reopen(&w->b);
	assert_int_equal(damage(w)->count, 0);
	OFFICE_MUST(scrub_look(w->b.replica, &kept, &msg));
	assert_int_equal(kept.damage.count, 1);
	OFFICE_MUST(scrub_new(&w->scrub, w->b.replica, &msg));
	assert_int_equal(damage(w)->count, 1);
	assert_true(mend(w, &dot));
	scrub_all(w);
	assert_whole(w);
}

/* ---- The state, the statements ----------------------------------------------- */

static void damaged_state_is_made_anew(void **state)
{
	static const char *const changes[] = {
		"UPDATE r_action_item SET title = 'something else' WHERE number IS NULL AND id = "
		"(SELECT max(id) FROM r_action_item)",
		"DELETE FROM r_action_item WHERE id = (SELECT min(id) FROM r_action_item)",
		"UPDATE element SET value = 'done' WHERE record = (SELECT max(record) FROM "
		"element)",
		"INSERT INTO element SELECT x'00', kind, field, space, replica, seq, n, hlc, "
		"author, "
		"value, sum FROM element LIMIT 1",
		"INSERT INTO conflict SELECT record, kind, field, space, sum FROM element LIMIT 1",
		"UPDATE r_action_item SET meta = x'' WHERE id = (SELECT max(id) FROM "
		"r_action_item)",
		"UPDATE text_edit SET text = 'never said' WHERE at = 1",
		"DELETE FROM text_edit WHERE at = 0",
	};
	struct value first = value_str("so far"), more = value_str("so far, so good");
	struct world *w = *state;
	struct record_id block = office_create(&w->b, &w->space, KIND_BLOCK, BLOCK_TEXT, &first);

	office_set(&w->b, &w->space, KIND_BLOCK, &block, BLOCK_TEXT, &more);
	office_sync(&w->a, &w->b);

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		assert_int_equal(change(w, changes[i]), 1);
		scrub_all(w);
		assert_int_equal(damage(w)->mended, i + 1);
		assert_int_equal(damage(w)->last.kind, DAMAGE_STATE);
		assert_whole(w);
	}
}

/* Keystrokes, each an edit: so many that older ones are packed. */
static void type_goal(struct world *w, const struct record_id *id, uint32_t count)
{
	struct text_run run = { 0, 1, TEXT_INSERT };

	for (; run.pos < count; run.pos++) {
		struct text_edit splice = { run.pos, &run, 1, bytes_of_str("x") };
		struct edit *e = office_edit(&w->a, &w->space);
		struct arena arena = ARENA_EMPTY;
		const struct entry *head;
		struct record rec;
		size_t head_count;

		OFFICE_MUST(
			replica_record(w->a.replica, KIND_MEETING, id, &arena, &rec, NULL, &msg));
		head = record_values(&rec, MEETING_GOAL, &head_count);
		OFFICE_MUST(edit_splice(e, KIND_MEETING, id, MEETING_GOAL, &head->stamp.dot,
					head_count, &splice, &msg));
		office_seal(&w->a, e);
		arena_release(&arena);
	}
	office_pull(&w->b, &w->a);
}

static void damaged_pack_of_edits_is_named_and_made_anew(void **state)
{
	struct world *w = *state;
	struct value none = value_str("");
	struct record_id id = office_create(&w->a, &w->space, KIND_MEETING, MEETING_GOAL, &none);
	struct errmsg why = { .text = "" };
	struct text text;

	type_goal(w, &id, 520);
	assert_int_equal(
		change(w, "UPDATE text_pack SET pack = CAST(replace(pack, 'xxx', 'xyx') AS BLOB)"),
		1);
	assert_int_equal(replica_text(w->b.replica, KIND_MEETING, &id, MEETING_GOAL, &text, &why),
			 ERR_CORRUPT);
	assert_non_null(strstr(why.text, "a pack of a text's edits is damaged"));
	scrub_all(w);
	assert_int_equal(damage(w)->mended, 1);
	assert_int_equal(damage(w)->last.kind, DAMAGE_STATE);
	assert_whole(w);
	OFFICE_MUST(replica_text(w->b.replica, KIND_MEETING, &id, MEETING_GOAL, &text, &msg));
	assert_int_equal(text.history.count, 521);
	text_release(&text);
}

static void damage_index(struct world *w)
{
	/* Filled while it was said to be of another column. */
	assert_int_equal(change(w, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
				   "replace(sql, '\"number\"', '\"title\"') WHERE name = "
				   "'r_action_item_number'"),
			 1);
	change(w, "REINDEX r_action_item_number");
	assert_int_equal(change(w, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
				   "replace(sql, '\"title\"', '\"number\"') WHERE name = "
				   "'r_action_item_number'"),
			 1);
}

static void damaged_index_is_made_anew(void **state)
{
	struct world *w = *state;

	damage_index(w);
	scrub_all(w);
	assert_true(damage(w)->mended > 0);
	assert_int_equal(damage(w)->last.kind, DAMAGE_STATE);
	assert_whole(w);
}

static void state_waits_for_a_sound_log(void **state)
{
	struct world *w = *state;
	struct dot dot = dot_of_a(w, 20);

	damage_changeset(w, BLOB_WITH_LAST_BYTE_CHANGED(body), 20);
	change(w, "DELETE FROM r_action_item WHERE id = (SELECT min(id) FROM r_action_item)");
	damage_index(w);
	scrub_all(w);
	assert_int_equal(damage(w)->mended, 0);
	assert_true(mend(w, &dot));
	scrub_all(w);
	assert_int_equal(damage(w)->last.kind, DAMAGE_STATE);
	assert_whole(w);
}

static void assert_definition_is_named(struct world *w, const char *name, const char *word,
				       const char *other)
{
	char sql[256], words[DAMAGE_TEXT_BYTES];
	struct verify_report ignored;
	struct errmsg why;

	snprintf(sql, sizeof(sql),
		 "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '%s', "
		 "'%s') WHERE name = '%s'",
		 word, other, name);
	assert_int_equal(change(w, sql), 1);
	scrub_free(w->scrub);
	office_reopen(&w->b);
	OFFICE_MUST(scrub_new(&w->scrub, w->b.replica, &msg));
	scrub_all(w);
	scrub_all(w);
	assert_int_equal(damage(w)->mended, 0);
	assert_true(damage(w)->count > 0);
	for (size_t i = 0; i < damage(w)->count; i++)
		assert_true(damage(w)->list[i].is_beyond);
	snprintf(words, sizeof(words), "the definition of %s is damaged", name);
	assert_non_null(strstr(damage(w)->list[0].words, words));
	assert_int_equal(replica_verify(w->b.replica, &ignored, NULL, NULL, &why), ERR_CORRUPT);
}

/* SQLite takes a name in quotes that it does not know for a text: no row of the table is damaged,
 * and each reads as if it were. Made anew, it does so again. (core/test_salvage, seed
 * 2043829166067618839.) */
static void damaged_column_name_is_named(void **state)
{
	assert_definition_is_named(*state, "r_action_item", "\"title\"",
				   "\"tit\x8f"
				   "e\"");
}

static void damaged_index_definition_is_named(void **state)
{
	assert_definition_is_named(*state, "r_action_item_number", "(\"number\")", "(\"nvmber\")");
}

static void damaged_view_is_named(void **state)
{
	assert_definition_is_named(*state, "action_item", "AS voided", "AS voidee");
}

static void damaged_membership_is_folded_anew(void **state)
{
	struct world *w = *state;

	assert_int_equal(change(w, "UPDATE setting SET " BLOB_WITH_LAST_BYTE_CHANGED(
					   value) " WHERE key = 'trust'"),
			 1);
	scrub_all(w);
	assert_int_equal(damage(w)->mended, 1);
	assert_int_equal(damage(w)->last.kind, DAMAGE_FOLD);
	assert_whole(w);
	office_reopen(&w->b);
	OFFICE_MUST(replica_check_member(w->b.replica, &msg));
}

/* Whichever byte of it was changed: what is opened is what the statements say. */
static void damaged_membership_is_not_believed(void **state)
{
	static const char change_byte[] =
		"UPDATE setting SET value = (SELECT CAST(substr(value, 1, %d) || CASE "
		"substr(value, %d, 1) WHEN x'01' THEN x'00' ELSE x'01' END || substr(value, %d) "
		"AS BLOB) FROM setting WHERE key = 'sound') WHERE key = 'trust'";
	struct world *w = *state;
	struct buf before = BUF_EMPTY;
	int size;

	trust_encode(&before, replica_trust(w->b.replica));
	size = office_count(&w->b, "SELECT length(value) FROM setting WHERE key = 'trust'");
	assert_int_equal(change(w, "INSERT INTO setting SELECT 'sound', value, 0 FROM setting "
				   "WHERE key = 'trust'"),
			 1);
	for (int at = 0; at < size; at++) {
		struct buf after = BUF_EMPTY;
		char sql[512];

		snprintf(sql, sizeof(sql), change_byte, at, at + 1, at + 2);
		assert_int_equal(change(w, sql), 1);
		office_reopen(&w->b);
		trust_encode(&after, replica_trust(w->b.replica));
		assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
		buf_release(&after);
	}
	buf_release(&before);
}

static bool count_statement(void *ctx, const struct statement *s, struct bytes encoded,
			    enum verdict verdict)
{
	++*(size_t *)ctx;
	return true;
}

static size_t statement_count(const struct world *w)
{
	size_t count = 0;

	OFFICE_MUST(replica_each_statement(w->b.replica, count_statement, &count, &msg));
	return count;
}

static void damaged_statement_is_put_back(void **state)
{
	struct world *w = *state;
	size_t whole = statement_count(w);

	for (int idx = 1; idx <= (int)whole; idx++) {
		char sql[512];

		snprintf(sql, sizeof(sql),
			 "UPDATE statement SET " BLOB_WITH_LAST_BYTE_CHANGED(
				 bytes) " WHERE idx = %d",
			 idx);
		assert_int_equal(change(w, sql), 1);
		scrub_all(w);
		assert_int_equal(damage(w)->count, 1);
		assert_int_equal(damage(w)->list[0].kind, DAMAGE_STATEMENT);
		assert_int_equal(statement_count(w), whole - 1); /* it is not passed on */
		office_pull_statements(&w->b, &w->a);
		assert_int_equal(damage(w)->count, 0);
		scrub_all(w);
		assert_int_equal(statement_count(w), whole);
		assert_whole(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sound_replica_is_looked_at_in_slices, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(work_goes_on_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(round_goes_on_after_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_changeset_is_found_and_put_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(several_damaged_changesets_are_put_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(gap_of_millions_is_not_walked_through, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(damage_is_not_passed_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_what_belongs_there_is_put_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_branch_is_not_put_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_chained_to_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_is_known_after_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_state_is_made_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_pack_of_edits_is_named_and_made_anew,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_index_is_made_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(state_waits_for_a_sound_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_column_name_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_index_definition_is_named, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(damaged_view_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_membership_is_folded_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(damaged_membership_is_not_believed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(damaged_statement_is_put_back, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
