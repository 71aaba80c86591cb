/* core/reauthor: what counts no more is written again, once, and says the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/row_count.h"
#include "tests/support/tempdir.h"

/* FRA's disk was copied, and both copies have gone on under an epoch of their own, of which
 * one stands: `winner` and `loser`. SHA hears of both. */
struct world {
	struct office a, b, twin;
	struct office *winner, *loser;
	struct space_id space;
	char dir[128], path[200], copy[200];
	struct arena arena;
};

static void part_twins(struct world *w)
{
	OFFICE_MUST(replica_backup(w->b.replica, w->copy, NULL, NULL, &msg));
	w->twin = w->b;
	w->twin.root.secret = w->twin.root_secret;
	prng_init(&w->twin.prng, 77);
	snprintf(w->twin.path, sizeof(w->twin.path), "%s", w->copy);
	w->twin.replica = NULL;
	office_reopen(&w->twin);
	OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_RESTORED, NULL, NULL, w->b.now_ms, &msg));
	OFFICE_MUST(replica_new_epoch(w->twin.replica, EPOCH_RESTORED, NULL, NULL, w->twin.now_ms,
				      &msg));
}

static void find_winner(struct world *w)
{
	struct office probe;
	const struct trust *t;
	bool b_wins;

	office_open(&probe, NULL, 5);
	office_join(&probe, &w->a, "NYC");
	office_pull_statements(&probe, &w->b);
	office_pull_statements(&probe, &w->twin);
	t = replica_trust(probe.replica);
	b_wins = !trust_epoch(t, replica_id(w->b.replica))->is_void;
	assert_int_equal(trust_epoch(t, replica_id(w->twin.replica))->is_void, b_wins);
	w->winner = b_wins ? &w->b : &w->twin;
	w->loser = b_wins ? &w->twin : &w->b;
	office_close(&probe);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "replica.db");
	tempdir_path(w->copy, sizeof(w->copy), w->dir, "copy.db");
	office_open(&w->a, NULL, 1);
	office_open(&w->b, w->path, 2);
	w->space = UNITE(&w->a, &w->b);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	office_close(&w->twin);
	arena_release(&w->arena);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

static struct record_id create(struct world *w, struct office *o, const char *title)
{
	struct value value = value_str(title);

	return office_create(o, &w->space, KIND_ACTION, ACTION_TITLE, &value);
}

static void rename_to(struct world *w, struct office *o, const struct record_id *id,
		      const char *title)
{
	struct value value = value_str(title);

	office_set(o, &w->space, KIND_ACTION, id, ACTION_TITLE, &value);
}

static void report(struct world *w, struct office *o, const struct record_id *id, const char *text)
{
	struct value value = value_str(text);

	office_add(o, &w->space, KIND_ACTION, id, ACTION_PROGRESS, &value);
}

static int64_t titled(struct office *o, const char *title)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM action_item WHERE title = '%s'", title);
	return office_count(o, sql);
}

static int64_t conflicts(struct office *o)
{
	return office_count(o, "SELECT count(*) FROM conflict");
}

static int64_t reports(struct office *o)
{
	return office_count(o, "SELECT count(*) FROM action_item_progress");
}

/* All that `from` has of the space, one changeset at a time. */
static void trickle(struct world *w, struct office *to, struct office *from)
{
	size_t count = 1;
	bool more = true;

	office_pull_statements(to, from);
	while (count && more) {
		struct sealed *list;
		struct receipt receipt;

		arena_reset(&w->arena);
		OFFICE_MUST(replica_missing(from->replica, &w->space,
					    replica_vv(to->replica, &w->space), SIZE_MAX, 1,
					    &w->arena, &list, &count, &more, &msg));
		OFFICE_MUST(replica_receive(to->replica, &w->space, list, count, to->now_ms,
					    &receipt, &msg));
	}
}

static void void_feed_that_comes_in_pieces_says_what_it_said(void **state)
{
	struct world *w = *state;
	struct record_id id;
	size_t epochs;

	part_twins(w);
	find_winner(w);
	id = create(w, w->loser, "one");
	rename_to(w, w->loser, &id, "two");
	rename_to(w, w->loser, &id, "three");
	report(w, w->loser, &id, "begun");
	trickle(w, &w->a, w->loser);
	office_pull_statements(&w->a, w->winner);
	epochs = replica_trust(w->a.replica)->epoch_count;
	trickle(w, w->winner, &w->a);
	/* All pieces are written under one id. */
	assert_int_equal(replica_trust(w->winner->replica)->epoch_count, epochs);
	assert_int_equal(titled(w->winner, "three"), 1);
	assert_int_equal(conflicts(w->winner), 0);
	assert_int_equal(reports(w->winner), 1);
}

/* What the copy wrote itself between two pieces knew of neither. */
static void what_was_written_between_two_pieces_is_replaced_by_neither(void **state)
{
	struct world *w = *state;
	struct record_id id = create(w, &w->b, "of both");

	part_twins(w);
	find_winner(w);
	rename_to(w, w->loser, &id, "one");
	office_pull(&w->a, w->loser);
	office_pull(w->winner, &w->a);
	rename_to(w, w->winner, &id, "between");
	rename_to(w, w->loser, &id, "two");
	office_pull(&w->a, w->loser);
	office_pull(w->winner, &w->a);
	assert_int_equal(conflicts(w->winner), 1);
	office_pull(&w->a, w->winner);
	assert_true(office_agrees(&w->a, w->winner));
}

static void equal_entries_of_a_log_are_all_written_again(void **state)
{
	struct world *w = *state;
	struct record_id id = create(w, &w->b, "of both");

	report(w, &w->b, &id, "waiting");
	part_twins(w);
	find_winner(w);
	report(w, w->loser, &id, "waiting");
	report(w, w->loser, &id, "waiting");
	office_pull(&w->a, w->loser);
	office_pull(w->winner, &w->a);
	assert_int_equal(reports(w->winner), 3);
}

static void void_of_what_came_in_pieces_holds(void **state)
{
	struct world *w = *state;
	struct record_id id;

	part_twins(w);
	find_winner(w);
	id = create(w, w->loser, "one");
	rename_to(w, w->loser, &id, "two");
	office_void(w->loser, &w->space, KIND_ACTION, &id);
	trickle(w, &w->a, w->loser);
	trickle(w, w->winner, &w->a);
	assert_int_equal(conflicts(w->winner), 0);
	assert_int_equal(office_count(w->winner, "SELECT count(*) FROM action_item WHERE voided"),
			 1);
}

/* ---- A text of many edits --------------------------------------------------- */

enum { EDITS = 150 };

/* As many edits as there are, of as many that stand there: what is looked at for each does not
 * grow with them. */
static void text_of_many_edits_is_written_again_one_by_one(void **state)
{
	struct world *w = *state;
	struct value text = value_str("It begins.");
	struct record_id id = office_create(&w->b, &w->space, KIND_BLOCK, BLOCK_TEXT, &text);
	char to[32];

	part_twins(w);
	find_winner(w);
	for (unsigned i = 0; i < EDITS; i++) {
		struct value now = value_str(to);

		now.bytes.size = (size_t)snprintf(to, sizeof(to), "It begins. Line %u.", i);
		office_set(w->loser, &w->space, KIND_BLOCK, &id, BLOCK_TEXT, &now);
	}
	office_pull(&w->a, w->loser);
	row_count_reopen(w->winner, "text FROM text_edit");
	office_pull(w->winner, &w->a);
	assert_true(row_count() <= 2 * EDITS);
	assert_int_equal(office_count(w->winner, "SELECT count(*) FROM text_edit"), EDITS + 1);
	office_pull(&w->a, w->winner);
	assert_true(office_agrees(&w->a, w->winner));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(void_feed_that_comes_in_pieces_says_what_it_said),
		TEST(what_was_written_between_two_pieces_is_replaced_by_neither),
		TEST(equal_entries_of_a_log_are_all_written_again),
		TEST(void_of_what_came_in_pieces_holds),
		TEST(text_of_many_edits_is_written_again_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
