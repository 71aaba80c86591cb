/* Texts in replicas: what several offices write at once, through changesets, into the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/damage.h"
#include "core/limits.h"
#include "core/schema.h"
#include "core/text_reread.h"
#include "core/utf8.h"
#include "tests/support/row_count.h"
#include "tests/support/tempdir.h"
#include "tests/support/text_model.h"

enum { OFFICES = 3 };

struct world {
	struct office offices[OFFICES];
	struct space_id space;
	struct record_id block;
};

static struct record_id new_block(struct world *w, const char *text)
{
	struct value value = value_str(text);

	return office_create(&w->offices[0], &w->space, KIND_BLOCK, BLOCK_TEXT, &value);
}

static void sync_all(struct world *w)
{
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < OFFICES; i++)
			office_sync(&w->offices[i], &w->offices[(i + 1) % OFFICES]);
}

static void begin(struct world *w, uint64_t seed, const char *text)
{
	for (unsigned i = 0; i < OFFICES; i++)
		office_open(&w->offices[i], NULL, seed + i);
	w->space = UNITE(&w->offices[0], &w->offices[1], &w->offices[2]);
	w->block = new_block(w, text);
	sync_all(w);
}

static void end(struct world *w)
{
	for (unsigned i = 0; i < OFFICES; i++)
		office_close(&w->offices[i]);
}

/* A text as somebody read it; of the arena. */
static struct text_version read_block(struct world *w, unsigned office, struct arena *arena)
{
	struct text_version out;
	const struct entry *heads;
	struct record rec;
	struct dot *dots;

	OFFICE_MUST(replica_record(w->offices[office].replica, KIND_BLOCK, &w->block, arena, &rec,
				   NULL, &msg));
	heads = record_values(&rec, BLOCK_TEXT, &out.head_count);
	dots = arena_array(arena, out.head_count, sizeof(*dots));
	assert_non_null(dots);
	for (size_t i = 0; i < out.head_count; i++)
		dots[i] = heads[i].stamp.dot;
	out.heads = dots;
	out.text = heads[0].value.bytes;
	return out;
}

static void assert_block(struct world *w, unsigned office, const char *expected)
{
	struct arena arena = ARENA_EMPTY;
	struct text_version now = read_block(w, office, &arena);

	assert_int_equal(now.text.size, strlen(expected));
	assert_memory_equal(now.text.data, expected, now.text.size);
	arena_release(&arena);
}

static void write_block(struct world *w, unsigned office, const char *text)
{
	struct value value = value_str(text);

	office_set(&w->offices[office], &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &value);
}

static void assert_all(struct world *w, const char *expected)
{
	sync_all(w);
	for (unsigned i = 0; i < OFFICES; i++) {
		assert_block(w, i, expected);
		assert_true(office_agrees(&w->offices[0], &w->offices[i]));
	}
}

/* ---- Sentences to be reread ------------------------------------------------ */

static bool put_note(void *ctx, const struct reread_note *note)
{
	struct buf *out = ctx;

	buf_printf(out, "%u ", note->from);
	return true;
}

/* Where they begin, as the office tells them; and whether it has the record in its inbox. */
static void notes_of(struct world *w, unsigned office, struct buf *out)
{
	struct replica *r = w->offices[office].replica;
	struct text t;

	buf_clear(out);
	OFFICE_MUST(replica_text_tail(r, KIND_BLOCK, &w->block, BLOCK_TEXT, &t, &msg));
	assert_int_equal(text_reread(&t, put_note, out), OK);
	assert_int_equal(office_count(&w->offices[office], "SELECT count(*) FROM conflict"),
			 out->size > 0);
	buf_append_byte(out, 0);
	text_release(&t);
}

static void assert_notes(struct world *w, const char *expected)
{
	struct buf notes = BUF_EMPTY;

	for (unsigned i = 0; i < OFFICES; i++) {
		notes_of(w, i, &notes);
		assert_string_equal((const char *)notes.data, expected);
	}
	buf_release(&notes);
}

static void sentence_that_two_have_written_is_to_be_reread(void **state)
{
	const char *merged = "We all buy two ships. They sail off.";
	struct world w;

	(void)state;
	begin(&w, 7, "We buy ships. They sail.");
	write_block(&w, 0, "We buy two ships. They sail.");
	write_block(&w, 1, "We all buy ships. They sail.");
	write_block(&w, 2, "We buy ships. They sail off.");
	assert_notes(&w, "");
	assert_all(&w, merged);
	assert_notes(&w, "0 ");
	/* Two have read it, at once. */
	write_block(&w, 1, merged);
	write_block(&w, 2, merged);
	assert_all(&w, merged);
	assert_notes(&w, "");
	write_block(&w, 0, "We all buy two ships. They sail off in May.");
	write_block(&w, 1, "We all buy two ships. They sail off with us.");
	sync_all(&w);
	assert_notes(&w, "22 ");
	write_block(&w, 0, "We stay.");
	assert_all(&w, "We stay.");
	assert_notes(&w, "");
	end(&w);
}

static void sentence_that_two_of_one_office_have_written_is_to_be_reread(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct text_version opened;
	struct world w;
	struct edit *e;

	(void)state;
	begin(&w, 8, "We buy ships. They sail.");
	opened = read_block(&w, 0, &arena);
	write_block(&w, 0, "We buy two ships. They sail.");
	e = office_edit(&w.offices[0], &w.space);
	OFFICE_MUST(edit_text(e, KIND_BLOCK, &w.block, BLOCK_TEXT, &opened,
			      bytes_of_str("We all buy ships. They sail."), &msg));
	office_seal(&w.offices[0], e);
	assert_all(&w, "We all buy two ships. They sail.");
	assert_notes(&w, "0 ");
	write_block(&w, 1, "We all buy two ships. They sail.");
	sync_all(&w);
	assert_notes(&w, "");
	arena_release(&arena);
	end(&w);
}

/* However many texts come in one transaction, and several of one record. */
static void every_text_that_two_have_written_is_in_the_inbox(void **state)
{
	enum { BLOCKS = 150 };
	struct value text = value_str("We buy ships."), two = value_str("We buy two ships."),
		     all = value_str("We all buy ships.");
	struct record_id blocks[BLOCKS], collaboration;
	struct world w;

	(void)state;
	begin(&w, 9, "");
	collaboration = office_create(&w.offices[0], &w.space, KIND_COLLABORATION,
				      COLLABORATION_GOAL, &text);
	office_set(&w.offices[0], &w.space, KIND_COLLABORATION, &collaboration,
		   COLLABORATION_BACKGROUND, &text);
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = office_create(&w.offices[0], &w.space, KIND_BLOCK, BLOCK_TEXT, &text);
	sync_all(&w);
	for (int k = 0; k < 2; k++) {
		struct office *o = &w.offices[k];
		struct value *to = k ? &two : &all;

		for (int i = 0; i < BLOCKS; i++)
			office_set(o, &w.space, KIND_BLOCK, &blocks[i], BLOCK_TEXT, to);
		office_set(o, &w.space, KIND_COLLABORATION, &collaboration, COLLABORATION_GOAL, to);
		office_set(o, &w.space, KIND_COLLABORATION, &collaboration,
			   COLLABORATION_BACKGROUND, to);
	}
	sync_all(&w);
	for (unsigned i = 0; i < OFFICES; i++) {
		assert_int_equal(office_count(&w.offices[i], "SELECT count(*) FROM conflict"),
				 BLOCKS + 2);
		assert_true(office_agrees(&w.offices[0], &w.offices[i]));
	}
	end(&w);
}

static void what_two_write_at_once_is_all_there(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1, "We decided to buy.");
	write_block(&w, 0, "We have decided to buy.");
	write_block(&w, 1, "We decided to buy two.");
	write_block(&w, 2, "Today we decided to buy.");
	assert_all(&w, "Today we have decided to buy two.");
	write_block(&w, 1, "Today we have decided to buy two ships.");
	assert_all(&w, "Today we have decided to buy two ships.");
	end(&w);
}

/* Nobody's sentence is torn apart by another's. */
static void sentences_at_one_place_stand_one_after_the_other(void **state)
{
	struct world w;
	struct arena arena = ARENA_EMPTY;
	struct text_version now;
	const char *text;

	(void)state;
	begin(&w, 2, "");
	write_block(&w, 0, "Price is open. ");
	write_block(&w, 1, "货期待定。");
	write_block(&w, 2, "Ask legal 🙂 ");
	sync_all(&w);
	now = read_block(&w, 0, &arena);
	text = (const char *)arena_copy(&arena, bytes_of(now.text.data, now.text.size)).data;
	assert_non_null(memmem(text, now.text.size, "Price is open. ", 15));
	assert_non_null(memmem(text, now.text.size, "货期待定。", 15));
	assert_non_null(memmem(text, now.text.size, "Ask legal 🙂 ", 15));
	assert_int_equal(now.text.size, 45);
	for (unsigned i = 1; i < OFFICES; i++)
		assert_true(office_agrees(&w.offices[0], &w.offices[i]));
	arena_release(&arena);
	end(&w);
}

static void edit_of_what_was_read_long_ago_keeps_what_came_since(void **state)
{
	struct world w;
	struct arena arena = ARENA_EMPTY;
	struct text_version opened;
	struct edit *e;

	(void)state;
	begin(&w, 3, "one three");
	opened = read_block(&w, 0, &arena);
	write_block(&w, 1, "one three four");
	sync_all(&w);
	write_block(&w, 0, "zero one three four");
	e = office_edit(&w.offices[0], &w.space);
	OFFICE_MUST(edit_text(e, KIND_BLOCK, &w.block, BLOCK_TEXT, &opened,
			      bytes_of_str("one two three"), &msg));
	office_seal(&w.offices[0], e);
	assert_all(&w, "zero one two three four");
	write_block(&w, 2, "zero, one, two three four");
	assert_all(&w, "zero, one, two three four");
	arena_release(&arena);
	end(&w);
}

static void splices_are_what_their_author_did(void **state)
{
	struct world w;
	struct arena arena = ARENA_EMPTY;
	struct text_version opened;
	struct text_run runs[] = { { 4, 4, TEXT_INSERT }, { 12, 1, TEXT_DELETE } };
	struct text_edit splice = { 9, runs, 2, bytes_of_str("two ") };
	struct edit *e;

	(void)state;
	begin(&w, 5, "one three");
	opened = read_block(&w, 0, &arena);
	write_block(&w, 1, "Zero, one three");
	sync_all(&w);
	e = office_edit(&w.offices[0], &w.space);
	OFFICE_MUST(edit_splice(e, KIND_BLOCK, &w.block, BLOCK_TEXT, opened.heads,
				opened.head_count, &splice, &msg));
	office_seal(&w.offices[0], e);
	assert_all(&w, "Zero, one two thre");
	arena_release(&arena);
	end(&w);
}

static void splices_that_do_not_fit_are_refused(void **state)
{
	struct world w;
	struct arena arena = ARENA_EMPTY;
	struct text_version opened;
	struct text_run run = { 10, 1, TEXT_INSERT };
	struct text_edit splice = { 9, &run, 1, bytes_of_str("x") };
	struct edit *e;

	(void)state;
	begin(&w, 6, "one three");
	opened = read_block(&w, 0, &arena);
	e = office_edit(&w.offices[0], &w.space);
	assert_int_equal(edit_splice(e, KIND_BLOCK, &w.block, BLOCK_TEXT, opened.heads,
				     opened.head_count, &splice, NULL),
			 ERR_INVALID);
	edit_drop(e);
	replica_rollback(w.offices[0].replica);
	assert_all(&w, "one three");
	arena_release(&arena);
	end(&w);
}

static bool add_up(void *ctx, uint32_t count, uint32_t edit)
{
	uint32_t *counts = ctx;

	counts[edit] += count;
	return true;
}

static void history_tells_who_wrote_what(void **state)
{
	struct world w;
	struct text t;
	struct buf then = BUF_EMPTY;
	uint32_t counts[8] = { 0 }, first = 0;
	struct record_id author;
	struct hlc_stamp hlc;
	struct dot dot;

	(void)state;
	begin(&w, 4, "ab c");
	OFFICE_MUST(replica_text(w.offices[1].replica, KIND_BLOCK, &w.block, BLOCK_TEXT, &t, &msg));
	assert_int_equal(t.history.count, 1);
	text_release(&t);
	write_block(&w, 1, "ab 12");
	write_block(&w, 2, "345ab c");
	assert_all(&w, "345ab 12");
	OFFICE_MUST(replica_text(w.offices[0].replica, KIND_BLOCK, &w.block, BLOCK_TEXT, &t, &msg));
	assert_int_equal(t.history.count, 3);
	assert_int_equal(text_at(&t, &first, 1, &then), OK);
	assert_true(bytes_equal(buf_bytes(&then), bytes_of_str("ab c")));
	assert_int_equal(text_blame(&t, add_up, counts), OK);
	for (uint32_t i = 0; i < 3; i++) {
		dot = text_history_dot(&t.history, i);
		assert_int_equal(counts[i],
				 i == 0 ? 3
				 : replica_id_cmp(&dot.replica, &w.offices[1].identity.replica) == 0
					 ? 2
					 : 3);
		OFFICE_MUST(
			replica_written(w.offices[0].replica, &w.space, &dot, &hlc, &author, &msg));
		assert_true(hlc.bits > 0);
	}
	buf_release(&then);
	text_release(&t);
	end(&w);
}

/* ---- Large texts ----------------------------------------------------------- */

/* So many letters, at most 3,000. */
static const char *words_of(size_t count)
{
	static const char line[] = "words that somebody has written without any end of them, and ";
	static char words[3001];

	for (size_t i = 0; i < 3000; i++)
		words[i] = line[i % (sizeof(line) - 1)];
	return words + 3000 - count;
}

/* A kilobyte of them a line. */
static void put_lines(struct buf *out, unsigned lines)
{
	for (unsigned i = 0; i < lines; i++)
		for (unsigned k = 0; k < 16; k++)
			buf_printf(out, "Line %04u 会议 of the minutes that all wrote at once. %s",
				   i, k == 15 ? "\n" : "");
}

static void begin_large(struct world *w, uint64_t seed, const char *path)
{
	struct buf text = BUF_EMPTY;

	for (unsigned i = 0; i < OFFICES; i++)
		office_open(&w->offices[i], i ? NULL : path, seed + i);
	w->space = UNITE(&w->offices[0], &w->offices[1], &w->offices[2]);
	put_lines(&text, 30);
	buf_append_byte(&text, 0);
	w->block = new_block(w, (const char *)text.data);
	sync_all(w);
	buf_release(&text);
}

/* At code point `pos` of the text as it is; `text` of ASCII. */
static void splice_block(struct world *w, struct office *o, uint32_t pos, const char *text,
			 uint32_t deleted)
{
	struct text_run runs[2];
	struct text_edit splice = { .runs = runs, .text = bytes_of_str(text) };
	struct arena arena = ARENA_EMPTY;
	struct text_version now = read_block(w, (unsigned)(o - w->offices), &arena);
	struct edit *e;

	if (deleted)
		runs[splice.run_count++] = (struct text_run){ pos, deleted, TEXT_DELETE };
	if (splice.text.size)
		runs[splice.run_count++] =
			(struct text_run){ pos, (uint32_t)splice.text.size, TEXT_INSERT };
	splice.length = (uint32_t)utf8_count(now.text);
	e = office_edit(o, &w->space);
	OFFICE_MUST(edit_splice(e, KIND_BLOCK, &w->block, BLOCK_TEXT, now.heads, now.head_count,
				&splice, &msg));
	office_seal(o, e);
	arena_release(&arena);
}

/* What the history says that all edits together come to. */
static void assert_history_agrees(struct world *w, unsigned office)
{
	struct arena arena = ARENA_EMPTY;
	struct text_version now = read_block(w, office, &arena);
	struct buf expected = BUF_EMPTY;
	struct text t;

	OFFICE_MUST(replica_text(w->offices[office].replica, KIND_BLOCK, &w->block, BLOCK_TEXT, &t,
				 &msg));
	assert_int_equal(text_at(&t, t.history.heads, t.history.head_count, &expected), OK);
	assert_true(bytes_equal(buf_bytes(&expected), now.text));
	buf_release(&expected);
	text_release(&t);
	arena_release(&arena);
}

static void assert_all_agree(struct world *w)
{
	sync_all(w);
	for (unsigned i = 0; i < OFFICES; i++) {
		assert_history_agrees(w, i);
		assert_true(office_agrees(&w->offices[0], &w->offices[i]));
	}
}

static int64_t pieces(struct world *w)
{
	return office_count(&w->offices[0], "SELECT count(*) FROM text_piece");
}

static void large_texts_lie_in_pieces_once_they_are_edited(void **state)
{
	struct world w;

	(void)state;
	begin_large(&w, 7, NULL);
	assert_int_equal(pieces(&w), 0);
	splice_block(&w, &w.offices[0], 10000, "now", 5);
	assert_true(pieces(&w) > 7);
	assert_int_equal(office_count(&w.offices[0], "SELECT sum(points) FROM text_piece"),
			 office_count(&w.offices[0], "SELECT length(text) FROM block"));
	assert_int_equal(office_count(&w.offices[0], "SELECT instr(text, 'now') - 1 FROM block"),
			 10000);
	assert_all_agree(&w);
	splice_block(&w, &w.offices[0], 0, "", 24000);
	splice_block(&w, &w.offices[1], 20000, "kept", 0);
	assert_all_agree(&w);
	assert_true(pieces(&w) <= 2);
	end(&w);
}

/* Somewhere there is no number left between those of two pieces. */
static void text_grows_at_one_place_without_end(void **state)
{
	struct world w;

	(void)state;
	begin_large(&w, 8, NULL);
	for (int i = 0; i < 100; i++)
		splice_block(&w, &w.offices[0], 9000, words_of(1500), 0);
	assert_true(pieces(&w) > 50);
	assert_all_agree(&w);
	end(&w);
}

static void what_another_process_wrote_into_a_large_text_is_seen(void **state)
{
	struct world w;
	struct office beside, first;
	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX + 16];

	(void)state;
	tempdir_new(dir, sizeof(dir));
	tempdir_path(path, sizeof(path), dir, "a.db");
	begin_large(&w, 9, path);
	first = w.offices[0];
	office_open_again(&beside, &first);
	for (int i = 0; i < 40; i++) {
		/* Far from each other, and pieces split. */
		w.offices[0] = i % 2 ? first : beside;
		splice_block(&w, &w.offices[0], i % 2 ? 20000 : 50, i % 3 ? "other" : words_of(600),
			     i % 3);
		first.now_ms = beside.now_ms = w.offices[0].now_ms;
	}
	w.offices[0] = first;
	assert_all_agree(&w);
	office_close(&beside);
	end(&w);
	tempdir_remove(dir);
}

static void large_text_is_as_before_after_a_rollback(void **state)
{
	struct world w;

	(void)state;
	begin_large(&w, 10, NULL);
	for (int i = 0; i < 20; i++) {
		struct text_run run = { 100, 3000, TEXT_INSERT };
		struct arena arena = ARENA_EMPTY;
		struct text_version now = read_block(&w, 0, &arena);
		struct text_edit splice = { (uint32_t)utf8_count(now.text), &run, 1,
					    bytes_of_str(words_of(3000)) };
		struct edit *e = office_edit(&w.offices[0], &w.space);

		OFFICE_MUST(edit_splice(e, KIND_BLOCK, &w.block, BLOCK_TEXT, now.heads,
					now.head_count, &splice, &msg));
		OFFICE_MUST(edit_seal(e, &msg));
		replica_rollback(w.offices[0].replica);
		splice_block(&w, &w.offices[0], (uint32_t)(i * 1000), "x", 2);
		arena_release(&arena);
	}
	assert_all_agree(&w);
	end(&w);
}

/* Older than what is kept, which is made shorter on the way. */
static void edit_of_long_ago_comes_while_others_write_at_once(void **state)
{
	struct world w;
	struct office *a = &w.offices[0], *b = &w.offices[1];

	(void)state;
	begin_large(&w, 12, NULL);
	splice_block(&w, &w.offices[2], 100, "late", 10);
	for (int i = 0; i < 70; i++) {
		splice_block(&w, a, 200, "first", 7);
		office_sync(a, b);
		splice_block(&w, a, 5000, "at once", 3);
		splice_block(&w, b, 9000, "as well", 0);
		office_sync(a, b);
	}
	assert_all_agree(&w);
	end(&w);
}

/* Two offices have each written at several texts in turns, as in the blocks of one page of minutes:
 * for an edit of one text the others are not forgotten. */
static void texts_edited_in_turns_are_not_read_again_for_each_edit(void **state)
{
	enum { BLOCKS = 5, ROUNDS = 40 };

	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX + 16];
	struct office a, b;
	struct space_id space;
	struct record_id blocks[BLOCKS];
	struct value begun = value_str("It begins.");

	tempdir_new(dir, sizeof(dir));
	office_open(&a, tempdir_path(path, sizeof(path), dir, "replica.db"), 71);
	office_open(&b, NULL, 72);
	space = UNITE(&a, &b);
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = office_create(&a, &space, KIND_BLOCK, BLOCK_TEXT, &begun);
	office_sync(&a, &b);
	for (int i = 0; i < BLOCKS * ROUNDS; i++) {
		char here[64], there[64];
		struct value ours = value_str(here), theirs = value_str(there);

		ours.bytes.size = (size_t)snprintf(here, sizeof(here), "Ours %d. It begins.", i);
		theirs.bytes.size = (size_t)snprintf(there, sizeof(there), "It begins. %d.", i);
		office_set(&a, &space, KIND_BLOCK, &blocks[i % BLOCKS], BLOCK_TEXT, &ours);
		office_set(&b, &space, KIND_BLOCK, &blocks[i % BLOCKS], BLOCK_TEXT, &theirs);
	}
	row_count_reopen(&a, "text FROM text_edit");
	office_pull(&a, &b);
	assert_true(row_count() <= 3 * BLOCKS * ROUNDS);
	office_pull(&b, &a);
	assert_true(office_agrees(&a, &b));
	office_close(&a);
	office_close(&b);
	tempdir_remove(dir);
}

/* By two processes of one office, beside each other. One of them makes the state anew, in which
 * edits stand in another order than that in which they came; the other gives up an edit, and then
 * makes one that has seen all. */
static void what_is_kept_of_a_history_is_as_another_process_has_left_it(void **state)
{
	struct world w;
	struct office beside, first;
	struct arena arena = ARENA_EMPTY;
	struct text_version opened;
	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX + 16];

	(void)state;
	tempdir_new(dir, sizeof(dir));
	tempdir_path(path, sizeof(path), dir, "a.db");
	begin_large(&w, 11, path);
	opened = read_block(&w, 0, &arena);
	first = w.offices[0];
	office_open_again(&beside, &first);
	beside.now_ms = first.now_ms += 1000;
	for (uint32_t i = 0; i < 40; i++) {
		struct office *o = i % 3 ? &first : &beside;
		struct text_run run = { i * 500, 5, TEXT_INSERT };
		struct text_edit splice = { (uint32_t)utf8_count(opened.text), &run, 1,
					    bytes_of_str("again") };
		struct edit *e = office_edit(o, &w.space);

		OFFICE_MUST(edit_splice(e, KIND_BLOCK, &w.block, BLOCK_TEXT, opened.heads,
					opened.head_count, &splice, &msg));
		OFFICE_MUST(edit_seal(e, &msg));
		if (i % 10 == 1) {
			replica_rollback(o->replica);
			w.offices[0] = *o;
			splice_block(&w, &w.offices[0], 0, "alone", 0);
			o->now_ms = w.offices[0].now_ms;
		} else {
			OFFICE_MUST(replica_commit(o->replica, &msg));
		}
		first.now_ms = beside.now_ms = o->now_ms;
		splice_block(&w, &w.offices[1], 7 * i, "earlier", 1);
		if (i % 10 == 5)
			office_pull(&first, &w.offices[1]);
		if (i % 10 == 7)
			OFFICE_MUST(replica_refill(beside.replica, &msg));
	}
	w.offices[0] = first;
	assert_all_agree(&w);
	office_close(&beside);
	end(&w);
	arena_release(&arena);
	tempdir_remove(dir);
}

/* ---- How long a text may be -------------------------------------------------- */

/* What came of an edit of the text as it is. */
static enum err try_splice(struct world *w, uint32_t deleted, const char *text)
{
	struct text_run runs[] = { { 0, deleted, TEXT_DELETE },
				   { 0, (uint32_t)strlen(text), TEXT_INSERT } };
	struct arena arena = ARENA_EMPTY;
	struct text_version now = read_block(w, 0, &arena);
	struct text_edit splice = { (uint32_t)utf8_count(now.text), runs, 2, bytes_of_str(text) };
	struct edit *e = office_edit(&w->offices[0], &w->space);
	enum err rc;

	OFFICE_MUST(edit_splice(e, KIND_BLOCK, &w->block, BLOCK_TEXT, now.heads, now.head_count,
				&splice, &msg));
	rc = edit_seal(e, NULL);
	if (rc == OK)
		OFFICE_MUST(replica_commit(w->offices[0].replica, &msg));
	else
		replica_rollback(w->offices[0].replica);
	arena_release(&arena);
	return rc;
}

/* What the first office has not of the second one; returns how much it takes. */
static size_t take_from_second(struct world *w, struct receipt *receipt)
{
	struct replica *to = w->offices[0].replica;
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	size_t count;
	bool more;

	OFFICE_MUST(replica_missing(w->offices[1].replica, &w->space, replica_vv(to, &w->space),
				    SIZE_MAX, 100, &arena, &list, &count, &more, &msg));
	OFFICE_MUST(replica_receive(to, &w->space, list, count, w->offices[0].now_ms + 1000,
				    receipt, &msg));
	arena_release(&arena);
	return receipt->applied;
}

static void text_that_is_too_long_grows_no_more(void **state)
{
	char *much = malloc(TEXT_BYTES_MAX + 1);
	struct receipt receipt;
	struct world w;

	(void)state;
	memset(much, 'y', TEXT_BYTES_MAX);
	much[TEXT_BYTES_MAX] = 0;
	begin(&w, 12, "");
	for (int i = 0; i < TEXT_HELD_POINTS_MAX / TEXT_BYTES_MAX; i++)
		splice_block(&w, &w.offices[0], 0, much, 0);
	assert_int_equal(try_splice(&w, 1, "ab"), ERR_LIMIT);
	assert_int_equal(try_splice(&w, 2, "ab"), OK);
	write_block(&w, 1, "beside");
	assert_int_equal(take_from_second(&w, &receipt), 0);
	assert_true(receipt.lacks_room && receipt.held_back == 1);
	assert_int_equal(try_splice(&w, 6, "-"), OK);
	assert_int_equal(take_from_second(&w, &receipt), 0);
	assert_int_equal(try_splice(&w, 2, "-"), OK);
	assert_int_equal(take_from_second(&w, &receipt), 1);
	assert_int_equal(try_splice(&w, 1, "ab"), ERR_LIMIT);
	assert_true(office_agrees(&w.offices[0], &w.offices[0]));
	free(much);
	end(&w);
}

/* Keystrokes at the end of the text, a changeset each. */
/* Every office leaves edits of one version under so many ids, none of which has seen another. */
static void write_side_by_side(struct world *w, unsigned ids)
{
	struct arena arena = ARENA_EMPTY;
	struct text_version begun = read_block(w, 0, &arena);

	for (unsigned i = 0; i < OFFICES; i++)
		for (unsigned k = 0; k < ids; k++) {
			struct office *o = &w->offices[i];
			struct edit *e = office_edit(o, &w->space);
			char to[64];

			snprintf(to, sizeof(to), "%c%u. It begins.", 'A' + (int)i, k);
			OFFICE_MUST(edit_text(e, KIND_BLOCK, &w->block, BLOCK_TEXT, &begun,
					      bytes_of_str(to), &msg));
			office_seal(o, e);
			OFFICE_MUST(replica_new_epoch(o->replica, EPOCH_MOVED, NULL, NULL,
						      o->now_ms++, &msg));
		}
	sync_all(w);
	arena_release(&arena);
}

/* More than an edit can name. */
static void text_of_many_heads_can_be_written(void **state)
{
	enum { IDS = OP_REPLACED_MAX / 2 - 2 }; /* 378 heads: it is gathered twice */

	struct arena arena = ARENA_EMPTY;
	struct text_version now;
	struct buf to = BUF_EMPTY;
	struct world w;

	begin(&w, 1900, "It begins.");
	write_side_by_side(&w, IDS);
	now = read_block(&w, 1, &arena);
	assert_int_equal(now.head_count, OFFICES * IDS);
	buf_append(&to, now.text.data, now.text.size);
	buf_append_str(&to, " It ends.");
	buf_append_byte(&to, 0);
	write_block(&w, 1, (const char *)to.data);
	now = read_block(&w, 1, &arena);
	assert_int_equal(now.head_count, 1);
	assert_all(&w, (const char *)to.data);
	assert_int_equal(office_count(&w.offices[0], "SELECT count(*) FROM conflict"), 0);
	assert_int_equal(office_count(&w.offices[0], "SELECT count(*) FROM text_edit WHERE "
						     "flags & 2"),
			 0);
	buf_release(&to);
	arena_release(&arena);
	end(&w);
}

static void type_on(struct world *w, unsigned office, uint32_t count)
{
	struct arena arena = ARENA_EMPTY;
	uint32_t end = (uint32_t)read_block(w, office, &arena).text.size;

	for (uint32_t i = 0; i < count; i++)
		splice_block(w, &w->offices[office], end + i, "x", 0);
	arena_release(&arena);
}

static void assert_typed(struct world *w, const char *front, uint32_t count)
{
	struct buf expected = BUF_EMPTY;

	buf_append_str(&expected, front);
	while (count--)
		buf_append_str(&expected, "x");
	buf_append_byte(&expected, 0);
	assert_all(w, (const char *)expected.data);
	assert_all_agree(w);
	buf_release(&expected);
}

/* One who was away since before the edits that are packed now. */
static void old_branch_merges_with_packed_edits(void **state)
{
	struct world w;
	struct text t;

	(void)state;
	begin(&w, 8, "ab");
	type_on(&w, 1, 10);
	sync_all(&w);
	splice_block(&w, &w.offices[2], 0, "(", 0);
	type_on(&w, 2, 60);
	type_on(&w, 0, 460);
	assert_typed(&w, "(ab", 10 + 60 + 460);
	type_on(&w, 1, 300); /* the branch is packed with these */
	assert_typed(&w, "(ab", 10 + 60 + 460 + 300);
	for (unsigned i = 0; i < OFFICES; i++) {
		assert_true(office_count(&w.offices[i], "SELECT count(*) FROM text_pack") > 0);
		OFFICE_MUST(replica_text(w.offices[i].replica, KIND_BLOCK, &w.block, BLOCK_TEXT, &t,
					 &msg));
		assert_int_equal(t.history.count, 1 + 10 + 1 + 60 + 460 + 300);
		text_release(&t);
	}
	end(&w);
}

/* ---- At random ------------------------------------------------------------- */

static void draw_edit(struct prng *prng, struct bytes from, struct buf *out)
{
	static const char *const points[] = { "x", "y", "会", "😀", ". ", "\n" };
	size_t count = utf8_count(from), at = prng_below(prng, count + 1);
	size_t gone = prng_chance(prng, 40) ? prng_below(prng, count - at + 1) % 5 : 0;
	size_t i = 0, place = 0;

	for (; place < at && i < from.size; place++)
		i += utf8_size(from.data[i]);
	buf_append(out, from.data, i);
	for (uint64_t k = prng_below(prng, 6); k > 0; k--)
		buf_append_str(out, points[prng_below(prng, 6)]);
	for (; gone > 0 && i < from.size; gone--)
		i += utf8_size(from.data[i]);
	buf_append(out, from.data + i, from.size - i);
}

/* From what is there, or from what was there a while ago. */
static void write_at_random(struct world *w, struct prng *prng, struct arena *arena,
			    struct text_version *old)
{
	unsigned office = (unsigned)prng_below(prng, OFFICES);
	struct text_version seen = read_block(w, office, arena);
	struct edit *e = office_edit(&w->offices[office], &w->space);
	struct buf text = BUF_EMPTY;

	if (prng_chance(prng, 10) && old[office].head_count)
		seen = old[office];
	else if (prng_chance(prng, 20))
		old[office] = seen;
	draw_edit(prng, seen.text, &text);
	OFFICE_MUST(edit_text(e, KIND_BLOCK, &w->block, BLOCK_TEXT, &seen, buf_bytes(&text), &msg));
	office_seal(&w->offices[office], e);
	buf_release(&text);
}

struct known {
	struct dot dots[1000];
	size_t count;
};

static size_t number_of(const struct known *k, const struct dot *dot)
{
	size_t i = 0;

	while (i < k->count && dot_cmp(&k->dots[i], dot) != 0)
		i++;
	assert_true(i < k->count);
	return i;
}

static void learn(struct text_model *m, struct known *k, const struct op *op,
		  const struct sealed *s, struct arena *arena)
{
	struct dot dot = { s->replica, s->seq };
	struct text_run whole = { 0, (uint32_t)utf8_count(op->value.bytes), TEXT_INSERT };
	struct text_edit e = { 0, &whole, whole.count > 0, op->value.bytes };
	size_t parents[64];

	if (op->verb == VERB_SPLICE)
		OFFICE_MUST(text_edit_decode(&e, op->edit, arena, &msg));
	for (size_t i = 0; i < op->target_count; i++)
		parents[i] = number_of(k, &op->targets[i].dot);
	text_model_add(m, &dot, &e, parents, op->target_count, false);
	k->dots[k->count++] = dot;
}

static void put_model_note(void *ctx, size_t from, size_t to, const bool *touched)
{
	assert_true(from < to);
	buf_printf(ctx, "%zu ", from);
	(void)touched;
}

/* What the log says by the model. */
static void read_model(struct world *w, struct buf *out, struct buf *notes)
{
	struct arena arena = ARENA_EMPTY;
	struct text_model m;
	struct known known = { .count = 0 };
	size_t count, heads[1000];
	struct sealed *log = office_log(&w->offices[0], &w->space, &arena, &count);

	text_model_init(&m);
	for (size_t i = 0; i < count; i++) {
		struct changeset cs;

		OFFICE_MUST(changeset_decode(&cs, log[i].body, &log[i].replica, &arena, &msg));
		for (size_t k = 0; k < cs.op_count; k++)
			if (cs.ops[k].kind == KIND_BLOCK && cs.ops[k].field == BLOCK_TEXT)
				learn(&m, &known, &cs.ops[k], &log[i], &arena);
	}
	for (size_t i = 0; i < known.count; i++)
		heads[i] = i;
	text_model_read(&m, heads, known.count, out);
	text_model_reread(&m, heads, known.count, put_model_note, notes);
	text_model_release(&m);
	arena_release(&arena);
}

static void offices_read_what_the_model_says(void **state)
{
	uint64_t seed = prng_seed_from_environment();

	(void)state;
	for (uint64_t story = 0; story < 4; story++) {
		struct text_version old[OFFICES] = { { .head_count = 0 } };
		struct arena arena = ARENA_EMPTY;
		struct buf expected = BUF_EMPTY, notes = BUF_EMPTY;
		struct prng prng;
		struct world w;

		prng_init(&prng, seed + story);
		begin(&w, seed + story, "Begin.");
		for (int i = 0; i < 60; i++)
			if (prng_chance(&prng, 70))
				write_at_random(&w, &prng, &arena, old);
			else
				office_pull(&w.offices[prng_below(&prng, OFFICES)],
					    &w.offices[prng_below(&prng, OFFICES)]);
		sync_all(&w);
		read_model(&w, &expected, &notes);
		buf_append_byte(&expected, 0);
		buf_append_byte(&notes, 0);
		assert_all(&w, (const char *)expected.data);
		assert_notes(&w, (const char *)notes.data);
		buf_release(&expected);
		buf_release(&notes);
		arena_release(&arena);
		end(&w);
	}
}

static void offices_agree_on_large_texts(void **state)
{
	uint64_t seed = prng_seed_from_environment();
	struct prng prng;
	struct world w;

	(void)state;
	prng_init(&prng, seed);
	begin_large(&w, seed, NULL);
	for (int i = 0; i < 150; i++) {
		struct office *o = &w.offices[prng_below(&prng, OFFICES)];
		uint32_t pos = (uint32_t)prng_below(&prng, 20000);
		uint32_t count = (uint32_t)prng_below(&prng, prng_chance(&prng, 5) ? 3000 : 10);

		if (prng_chance(&prng, 40))
			office_pull(o, &w.offices[prng_below(&prng, OFFICES)]);
		if (office_count(o, "SELECT length(text) FROM block") >= pos + count)
			splice_block(&w, o, pos, words_of(prng_below(&prng, 300)), count);
	}
	assert_all_agree(&w);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_two_write_at_once_is_all_there),
		cmocka_unit_test(sentences_at_one_place_stand_one_after_the_other),
		cmocka_unit_test(edit_of_what_was_read_long_ago_keeps_what_came_since),
		cmocka_unit_test(splices_are_what_their_author_did),
		cmocka_unit_test(splices_that_do_not_fit_are_refused),
		cmocka_unit_test(sentence_that_two_have_written_is_to_be_reread),
		cmocka_unit_test(every_text_that_two_have_written_is_in_the_inbox),
		cmocka_unit_test(sentence_that_two_of_one_office_have_written_is_to_be_reread),
		cmocka_unit_test(history_tells_who_wrote_what),
		cmocka_unit_test(large_texts_lie_in_pieces_once_they_are_edited),
		cmocka_unit_test(text_grows_at_one_place_without_end),
		cmocka_unit_test(what_another_process_wrote_into_a_large_text_is_seen),
		cmocka_unit_test(large_text_is_as_before_after_a_rollback),
		cmocka_unit_test(text_that_is_too_long_grows_no_more),
		cmocka_unit_test(text_of_many_heads_can_be_written),
		cmocka_unit_test(what_is_kept_of_a_history_is_as_another_process_has_left_it),
		cmocka_unit_test(old_branch_merges_with_packed_edits),
		cmocka_unit_test(offices_read_what_the_model_says),
		cmocka_unit_test(edit_of_long_ago_comes_while_others_write_at_once),
		cmocka_unit_test(texts_edited_in_turns_are_not_read_again_for_each_edit),
		cmocka_unit_test(offices_agree_on_large_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
