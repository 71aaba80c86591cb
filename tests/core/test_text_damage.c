/* core/store_text, core/store_body, core/text: rows of a text that are not what was written are
 * refused in words, whoever changed them, and nobody crashes over what they say of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/text.h"
#include "core/text_doc.h"
#include "tests/support/office.h"
#include "tests/support/tempdir.h"

enum { LONG_TEXT_BYTES = 9000 };
enum which { SHORT, LONG, BLOCKS };

/* `a` is in a file. Of each block both have written versions that the other one has seen, and one
 * beside each other that it has not. */
struct world {
	char dir[TEMPDIR_BYTES_MAX];
	char path[TEMPDIR_BYTES_MAX + 16];
	struct office a, b;
	struct space_id space;
	struct record_id blocks[BLOCKS];
	struct arena arena;
};

static void write_short(struct world *w, struct office *o, const char *text)
{
	struct value value = value_str(text);

	office_set(o, &w->space, KIND_BLOCK, &w->blocks[SHORT], BLOCK_TEXT, &value);
}

static void write_long(struct world *w, struct office *o, const char *end)
{
	char text[LONG_TEXT_BYTES + 16];
	struct value value;

	for (size_t i = 0; i < LONG_TEXT_BYTES; i++)
		text[i] = "a word. "[i % 8];
	snprintf(text + LONG_TEXT_BYTES, sizeof(text) - LONG_TEXT_BYTES, "%s", end);
	value = value_str(text);
	office_set(o, &w->space, KIND_BLOCK, &w->blocks[LONG], BLOCK_TEXT, &value);
}

static void write_both(struct world *w, struct office *o, const char *text)
{
	write_short(w, o, text);
	write_long(w, o, text);
}

static void begin(struct world *w)
{
	struct value number = value_int(1);

	*w = (struct world){ .arena = ARENA_EMPTY };
	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "replica.db");
	office_open(&w->a, w->path, 1);
	office_open(&w->b, NULL, 2);
	w->space = UNITE(&w->a, &w->b);
	for (int i = 0; i < BLOCKS; i++)
		w->blocks[i] = office_create(&w->a, &w->space, KIND_BLOCK, BLOCK_KIND, &number);
	write_both(w, &w->a, "One sentence");
	office_sync(&w->a, &w->b);
	write_both(w, &w->a, "One long sentence");
	write_both(w, &w->b, "One sentence, two");
	office_sync(&w->a, &w->b);
	write_both(w, &w->a, "Sentences, of a");
	write_both(w, &w->b, "Sentences, of b");
}

static void end(struct world *w)
{
	office_close(&w->a);
	office_close(&w->b);
	tempdir_remove(w->dir);
	arena_release(&w->arena);
}

/* Behind the replica's back. */
static void change(struct world *w, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_not_equal(sqlite3_changes(db), 0);
	sqlite3_close(db);
}

/* What `b` has written last in the block. */
static enum err take_from_b(struct world *w, enum which which, struct errmsg *why)
{
	const struct vv *held = replica_vv(w->a.replica, &w->space);
	struct sealed *list;
	struct receipt receipt;
	size_t count;
	bool more;

	OFFICE_MUST(replica_missing(w->b.replica, &w->space, held, SIZE_MAX, 10, &w->arena, &list,
				    &count, &more, &msg));
	assert_int_equal(count, BLOCKS);
	return replica_receive(w->a.replica, &w->space, list, which == SHORT ? 1 : BLOCKS,
			       w->a.now_ms + 60000, &receipt, why);
}

static bool ignore(void *ctx, uint32_t count, uint32_t edit)
{
	return true;
}

/* All that is asked of a history. */
static void read_history(struct world *w, enum which which)
{
	struct errmsg msg = { .text = "" };
	struct text t;
	enum err rc =
		replica_text(w->a.replica, KIND_BLOCK, &w->blocks[which], BLOCK_TEXT, &t, &msg);

	assert_true(rc == OK || msg.text[0]);
	if (rc != OK)
		return;
	rc = text_blame(&t, ignore, NULL);
	assert_true(rc == OK || rc == ERR_CORRUPT);
	text_release(&t);
}

#define FIRST_PIECE "key = (SELECT min(key) FROM text_piece)"

/* Of both blocks where it says nothing else. */
static const struct {
	enum which which;
	const char *sql;
} cases[] = {
	/* Numbers: one is missing, is none, is out of range; a first edit that has seen itself. */
	{ SHORT, "DELETE FROM text_edit WHERE at = 1" },
	{ SHORT, "UPDATE text_edit SET at = '' WHERE at = 3" },
	{ SHORT, "UPDATE text_edit SET at = at + (1 << 33) WHERE at = 3" },
	{ SHORT, "UPDATE text_edit SET parents = x'9100' WHERE at = 0; "
		 "UPDATE text_edit SET flags = 0" },
	{ SHORT, "UPDATE text_edit SET reach = 9 WHERE at = 1" },
	/* An edit that inserts less than it says, or no text. */
	{ SHORT, "UPDATE text_edit SET text = x'' WHERE at = 1" },
	{ SHORT, "UPDATE text_edit SET text = x'ff' || substr(text, 2) WHERE at = 1" },
	/* Lengths that no text has had, of an edit and of what all have seen. */
	{ SHORT, "UPDATE text_edit SET after = after + 1 WHERE at = 1" },
	{ SHORT, "UPDATE text_edit SET after = after + 5 WHERE at = 0" },
	{ SHORT, "UPDATE text_edit SET after = 4294967295 WHERE at = 0" },
	/* The text itself. */
	{ SHORT, "UPDATE r_block SET text = CAST(x'4f6e65ff' AS TEXT)" },
	{ SHORT, "UPDATE r_block SET text = x'4f6e65'" },
	{ SHORT, "UPDATE r_block SET text = 0" },
	{ SHORT, "UPDATE r_block SET text = -1" },
	{ SHORT, "UPDATE r_block SET text = 1 << 40" },
	{ LONG, "UPDATE text_piece SET points = -1 WHERE " FIRST_PIECE },
	{ LONG, "UPDATE text_piece SET points = points + 1" },
	{ LONG, "UPDATE text_piece SET key = key >> 40 << 40 WHERE " FIRST_PIECE },
	{ LONG, "UPDATE text_piece SET text = CAST(substr(CAST(text AS BLOB), 1, "
		"length(CAST(text AS BLOB)) - 1) || x'f0' AS TEXT)" },
};

static void damaged_rows_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct errmsg msg = { .text = "" };
		struct world w;
		enum err rc;

		begin(&w);
		office_close(&w.a);
		change(&w, cases[i].sql);
		office_reopen(&w.a);
		rc = take_from_b(&w, cases[i].which, &msg);
		if (rc != ERR_CORRUPT || !msg.text[0])
			fail_msg("%s: %s, \"%s\"", cases[i].sql, err_name(rc), msg.text);
		read_history(&w, cases[i].which);
		end(&w);
	}
}

static void sound_rows_are_not(void **state)
{
	struct errmsg msg = { .text = "" };
	struct world w;

	(void)state;
	begin(&w);
	office_reopen(&w.a);
	assert_int_equal(take_from_b(&w, LONG, &msg), OK);
	read_history(&w, SHORT);
	read_history(&w, LONG);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_rows_are_refused),
		cmocka_unit_test(sound_rows_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
