/* Texts in replicas, when much is written: in pieces, too long, of many heads, packed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/damage.h"
#include "tests/core/block.h"
#include "tests/support/row_count.h"
#include "tests/support/tempdir.h"

/* ---- Large texts ----------------------------------------------------------- */

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

/* Keystrokes at the end of the text, a changeset each. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_texts_lie_in_pieces_once_they_are_edited),
		cmocka_unit_test(text_grows_at_one_place_without_end),
		cmocka_unit_test(what_another_process_wrote_into_a_large_text_is_seen),
		cmocka_unit_test(large_text_is_as_before_after_a_rollback),
		cmocka_unit_test(edit_of_long_ago_comes_while_others_write_at_once),
		cmocka_unit_test(texts_edited_in_turns_are_not_read_again_for_each_edit),
		cmocka_unit_test(what_is_kept_of_a_history_is_as_another_process_has_left_it),
		cmocka_unit_test(text_that_is_too_long_grows_no_more),
		cmocka_unit_test(text_of_many_heads_can_be_written),
		cmocka_unit_test(old_branch_merges_with_packed_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
