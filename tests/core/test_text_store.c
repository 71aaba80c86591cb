/* Texts in replicas: what several offices write at once, through changesets, into the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/core/block.h"

/* ---- Sentences to be reread ------------------------------------------------ */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentence_that_two_have_written_is_to_be_reread),
		cmocka_unit_test(sentence_that_two_of_one_office_have_written_is_to_be_reread),
		cmocka_unit_test(every_text_that_two_have_written_is_in_the_inbox),
		cmocka_unit_test(what_two_write_at_once_is_all_there),
		cmocka_unit_test(sentences_at_one_place_stand_one_after_the_other),
		cmocka_unit_test(edit_of_what_was_read_long_ago_keeps_what_came_since),
		cmocka_unit_test(splices_are_what_their_author_did),
		cmocka_unit_test(splices_that_do_not_fit_are_refused),
		cmocka_unit_test(history_tells_who_wrote_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
