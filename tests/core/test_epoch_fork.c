/* core/fork, core/reauthor: two copies of one replica have written, and nothing is lost over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/scrub.h"
#include "tests/core/copies.h"

/* ---- Both go on -------------------------------------------------------------------- */

static void proof_of_a_fork_cuts_both_branches_everywhere(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct twins t;

	make_twins(w, &t);
	prove(w, &w->a, &t.c, &old);
	assert_int_equal(office_items(&w->a), 1);
	office_pull_statements(&t.c, &w->a);
	assert_int_equal(office_items(&t.c), 1);
	/* The one hears of it, goes on under another id, and writes its tail again. */
	office_pull_statements(&w->b, &w->a);
	assert_int_not_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	assert_int_equal(has_title(&w->b, "by the one"), 1);
	office_sync(&w->a, &w->b);
	office_sync(&w->a, &t.c);
	assert_int_equal(has_title(&t.c, "by the one"), 1);
	assert_true(office_agrees(&w->a, &w->b));
	assert_true(office_agrees(&w->a, &t.c));
	office_close(&t.twin);
	office_close(&t.c);
}

static void assert_all_three(struct world *w, struct twins *t)
{
	office_sync(&w->a, &w->b);
	office_sync(&w->a, &t->twin);
	office_sync(&w->a, &w->b);
	assert_int_equal(office_items(&w->b), 3);
	assert_true(office_agrees(&w->a, &w->b));
	assert_true(office_agrees(&w->a, &t->twin));
}

static void copy_that_hears_of_the_other_enrols_anew_and_loses_nothing(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct errmsg why;
	struct twins t;

	make_twins(w, &t);
	prove(w, &w->a, &t.c, &old);
	office_sync(&w->a, &w->b);
	office_pull_statements(&w->a, &w->b);
	office_pull_statements(&t.twin, &w->a);
	assert_int_equal(replica_check_member(t.twin.replica, &why), ERR_SUPERSEDED);
	enrol_anew(w, &t.twin, 9);
	assert_all_three(w, &t);
	office_close(&t.twin);
	office_close(&t.c);
}

/* FRA rotates its keys, and so ends its feed: the copy has another branch of it, and no proof
 * needs to say where they part. Of what both have, FRA's counts. */
static void rotate_beside_copy(struct world *w, struct twins *t)
{
	struct office fresh;

	office_open(&fresh, NULL, 8);
	OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_ROTATED, fresh.sign_secret,
				      fresh.identity.noise_key, w->b.now_ms, &msg));
	office_close(&fresh);
	office_sync(&w->a, &w->b);
	office_pull_statements(&t->twin, &w->a);
	assert_int_equal(replica_check_member(t->twin.replica, NULL), ERR_SUPERSEDED);
}

static void what_a_copy_has_in_common_is_not_written_again(void **state)
{
	struct value person = value_ref(&(struct record_id){ { 7 } }), said = value_str("begun");
	struct world *w = *state;
	struct record_id id;
	struct twins t;

	id = office_item(&w->b, &w->space, "of both");
	office_add(&w->b, &w->space, KIND_ACTION, &id, ACTION_PROGRESS, &said);
	office_add(&w->b, &w->space, KIND_ACTION, &id, ACTION_CC, &person);
	make_twins(w, &t);
	office_remove(&t.twin, &w->space, KIND_ACTION, &id, ACTION_CC, &person);
	rotate_beside_copy(w, &t);
	enrol_anew(w, &t.twin, 9);
	office_sync(&w->a, &t.twin);
	office_sync(&w->a, &w->b);
	assert_int_equal(has_title(&w->a, "by the one"), 1);
	assert_int_equal(has_title(&w->a, "by the other"), 1);
	assert_int_equal(office_elements(&w->a, &id, ACTION_PROGRESS), 1);
	assert_int_equal(office_elements(&w->a, &id, ACTION_CC), 0);
	assert_true(office_agrees(&w->a, &w->b));
	assert_true(office_agrees(&w->a, &t.twin));
	office_close(&t.twin);
	office_close(&t.c);
}

/* Neither had heard of the other's new epoch. */
static void of_two_copies_that_go_on_at_once_one_stays(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct office *loser;
	struct twins t;
	bool b_stays;

	make_twins(w, &t);
	prove(w, &w->a, &t.c, &old);
	office_pull_statements(&w->b, &w->a);
	office_pull_statements(&t.twin, &w->a);
	office_sync(&w->a, &w->b);
	office_sync(&w->a, &t.twin);
	office_pull_statements(&w->b, &w->a);
	b_stays = replica_check_member(w->b.replica, NULL) == OK;
	assert_int_equal(replica_check_member(t.twin.replica, NULL) == OK, !b_stays);
	loser = b_stays ? &t.twin : &w->b;
	enrol_anew(w, loser, 9);
	assert_all_three(w, &t);
	office_close(&t.twin);
	office_close(&t.c);
}

/* ---- Proofs -------------------------------------------------------------------- */

/* Who owns a key could make proofs without end. */
static void of_proofs_the_lowest_is_kept(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct errmsg why;
	struct twins t;
	struct witness late, early;
	struct told told;
	size_t before;

	make_twins(w, &t);
	office_item(&w->b, &w->space, "more of the one");
	office_item(&t.twin, &w->space, "more of the other");
	office_pull(&w->a, &w->b);
	office_pull(&t.c, &t.twin);
	OFFICE_MUST(replica_tell(t.c.replica, &w->space, &(struct dot){ old, 3 }, &w->arena, &told,
				 &msg));
	told_witness(&late, &told);
	OFFICE_MUST(replica_tell(t.c.replica, &w->space, &(struct dot){ old, 2 }, &w->arena, &told,
				 &msg));
	told_witness(&early, &told);
	before = replica_trust(w->a.replica)->statement_count;
	OFFICE_MUST(replica_prove_fork(w->a.replica, &w->space, &(struct dot){ old, 3 }, &late,
				       w->a.now_ms++, &msg));
	office_pull_statements(&t.c, &w->a);
	/* The higher one had been taken: what lies between is in no log any more. */
	assert_int_equal(office_items(&w->a), 2);
	OFFICE_MUST(replica_prove_fork(w->a.replica, &w->space, &(struct dot){ old, 2 }, &early,
				       w->a.now_ms++, &msg));
	assert_int_equal(office_items(&w->a), 1);
	assert_int_equal(replica_trust(w->a.replica)->statement_count, before + 1);
	assert_int_equal(replica_prove_fork(w->a.replica, &w->space, &(struct dot){ old, 3 }, &late,
					    w->a.now_ms++, &why),
			 ERR_EXISTS);
	/* Both have the same one in the end, whichever they had first. */
	office_pull_statements(&t.c, &w->a);
	assert_int_equal(office_pull_statements(&w->a, &t.c), 0);
	assert_memory_equal(replica_trust(w->a.replica)->digest, replica_trust(t.c.replica)->digest,
			    STATEMENT_ID_BYTES);
	office_close(&t.twin);
	office_close(&t.c);
}

/* First the end of the one's branch is moved out, then what it has replaced: that is written again
 * after it, and stands beside it. (core/test_restore_points, seed 8230458296771665424.) */
static void what_a_lower_proof_moves_out_replaces_nothing_later(void **state)
{
	struct value before = value_str("before"), after = value_str("after");
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct record_id id;
	struct twins t;

	make_twins(w, &t);
	id = office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &before);
	office_set(&w->b, &w->space, KIND_ACTION, &id, ACTION_TITLE, &after);
	office_item(&t.twin, &w->space, "more of the other");
	office_item(&t.twin, &w->space, "still more");
	office_pull(&w->a, &w->b);
	office_pull(&t.c, &t.twin);
	prove_at(w, &w->a, &t.c, &old, 4);
	office_pull_statements(&w->b, &w->a);
	assert_int_equal(has_title(&w->b, "after"), 1);
	prove_at(w, &w->a, &t.c, &old, 2);
	office_pull_statements(&w->b, &w->a);
	assert_int_equal(has_title(&w->b, "by the one"), 1);
	assert_int_equal(office_count(&w->b, "SELECT count(*) FROM conflict"), 1);
	assert_same_everywhere(w);
	office_close(&t.twin);
	office_close(&t.c);
}

/* ---- Branches ---------------------------------------------------------------------- */

struct shown {
	unsigned count;
	bool has_title;
};

static bool look_for_title(void *ctx, const struct space_id *space, const struct history_item *item)
{
	struct shown *shown = ctx;

	shown->count++;
	for (size_t i = 0; i < item->changeset->op_count; i++)
		shown->has_title |= item->changeset->ops[i].field == ACTION_TITLE &&
				    bytes_equal(item->changeset->ops[i].value.bytes,
						bytes_of_str("by the one"));
	return true;
}

struct reading {
	struct replica *replica;
	struct shown shown;
};

static bool show_range(void *ctx, const struct quarantined *q)
{
	struct reading *reading = ctx;

	OFFICE_MUST(replica_each_in_quarantine(reading->replica, q, look_for_title, &reading->shown,
					       &msg));
	return true;
}

static struct shown quarantine_of(struct office *o)
{
	struct reading reading = { .replica = o->replica };

	OFFICE_MUST(replica_each_quarantined(o->replica, show_range, &reading, &msg));
	return reading.shown;
}

static void branch_that_was_moved_out_can_be_read(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct twins t;

	make_twins(w, &t);
	assert_int_equal(quarantine_of(&w->a).count, 0);
	prove(w, &w->a, &t.c, &old);
	assert_int_equal(quarantine_of(&w->a).count, 1);
	assert_true(quarantine_of(&w->a).has_title);
	office_close(&t.twin);
	office_close(&t.c);
}

static void find_link(struct world *w, struct office *o, const struct replica_id *replica,
		      uint64_t seq, uint8_t out[LINK_BYTES])
{
	struct witness witness;
	struct told told;

	OFFICE_MUST(replica_tell(o->replica, &w->space, &(struct dot){ *replica, seq }, &w->arena,
				 &told, &msg));
	told_witness(&witness, &told);
	witness_link(out, &witness, &w->space, replica, seq);
}

static void adopt(struct world *w, struct office *by, const struct replica_id *replica,
		  uint64_t seq, const uint8_t link[LINK_BYTES])
{
	struct statement s = { .type = STATEMENT_ADOPT };
	struct cut cut = { .replica = *replica, .space = w->space, .seq = seq };

	memcpy(cut.link, link, LINK_BYTES);
	s.u.adopt.cuts = &cut;
	s.u.adopt.cut_count = 1;
	OFFICE_MUST(replica_state(by->replica, &s, NULL, 0, by->now_ms++, &msg));
}

/* Nobody but SHA holds the one's branch: it is put back there, and goes to the others. */
static void adopted_branch_comes_back(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	uint8_t link[LINK_BYTES];
	struct twins t;

	make_twins(w, &t);
	find_link(w, &w->a, &old, 2, link);
	prove(w, &w->a, &t.c, &old);
	assert_int_equal(has_title(&w->a, "by the one"), 0);
	adopt(w, &w->a, &old, 2, link);
	assert_int_equal(has_title(&w->a, "by the one"), 1);
	assert_int_equal(quarantine_of(&w->a).count, 0);
	office_sync(&w->a, &t.c);
	assert_int_equal(has_title(&t.c, "by the one"), 1);
	assert_int_equal(has_title(&t.c, "by the other"), 0);
	assert_true(office_agrees(&w->a, &t.c));
	office_close(&t.twin);
	office_close(&t.c);
}

/* NYC has seen the other's branch and gone on from it; SHA holds the one's. */
static void what_has_seen_a_branch_is_taken_without_it(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct twins t;

	make_twins(w, &t);
	office_item(&t.c, &w->space, "seen the other");
	prove(w, &w->a, &t.c, &old);
	office_sync(&w->a, &t.c);
	assert_int_equal(has_title(&w->a, "seen the other"), 1);
	assert_true(office_agrees(&w->a, &t.c));
	office_close(&t.twin);
	office_close(&t.c);
}

static void revoke_node(struct office *by, const struct replica_id *replica)
{
	struct statement s = { .type = STATEMENT_REVOKE };
	struct arena arena = ARENA_EMPTY;
	struct cut *cuts;

	s.u.revoke.node = trust_epoch(replica_trust(by->replica), replica)->node;
	OFFICE_MUST(replica_cuts_of(by->replica, &s.u.revoke.node, NULL, &arena, &cuts,
				    &s.u.revoke.cut_count, &msg));
	s.u.revoke.cuts = cuts;
	OFFICE_MUST(replica_state(by->replica, &s, NULL, 0, by->now_ms++, &msg));
	arena_release(&arena);
}

/* The same, but SHA revokes the node, whose branch ends with the one's then: no fork is proved any
 * more, and what NYC has written is older than what stands in place of what it has seen. */
static void what_has_seen_a_branch_without_a_proof_is_taken(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct office newcomer;
	struct twins t;

	w->b.now_ms += 1000;
	make_twins(w, &t);
	office_item(&t.c, &w->space, "seen the other");
	revoke_node(&w->a, &old);
	office_sync(&w->a, &t.c);
	assert_int_equal(has_title(&w->a, "by the one"), 1);
	assert_int_equal(has_title(&w->a, "seen the other"), 1);
	assert_true(office_agrees(&w->a, &t.c));
	/* Who comes anew is sent that before what it names. */
	office_open(&newcomer, NULL, 4);
	office_join(&newcomer, &w->a, "LON");
	office_sync(&w->a, &newcomer);
	office_sync(&w->a, &newcomer);
	assert_true(office_agrees(&w->a, &newcomer));
	office_close(&newcomer);
	office_close(&t.twin);
	office_close(&t.c);
}

/* NYC has replaced what the other wrote, and then its branch is adopted: SHA gets it after what
 * has seen it. */
static void adopted_branch_that_comes_late_is_seen_as_before(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct value by_other = value_str("by the other, too"), by_nyc = value_str("by NYC");
	uint8_t link[LINK_BYTES];
	struct record_id id;
	struct twins t;

	make_twins(w, &t);
	id = office_create(&t.twin, &w->space, KIND_ACTION, ACTION_TITLE, &by_other);
	office_pull(&t.c, &t.twin);
	office_set(&t.c, &w->space, KIND_ACTION, &id, ACTION_TITLE, &by_nyc);
	find_link(w, &t.c, &old, 3, link);
	prove(w, &w->a, &t.c, &old);
	office_sync(&w->a, &t.c);
	assert_int_equal(has_title(&w->a, "by NYC"), 1);
	adopt(w, &t.c, &old, 3, link);
	office_pull(&w->a, &t.c);
	assert_int_equal(has_title(&w->a, "by the other"), 1);
	assert_int_equal(has_title(&w->a, "by NYC"), 1);
	assert_int_equal(office_count(&w->a, "SELECT count(*) FROM conflict"), 0);
	assert_true(office_agrees(&w->a, &t.c));
	office_close(&t.twin);
	office_close(&t.c);
}

/* Another process, without our key, takes the proof of the fork and moves our tail out. */
static void move_out_without_key(struct world *w, struct twins *t)
{
	struct replica_id old = id_of(&w->b);
	struct office keyless = w->b;
	struct replica_config config = { .path = w->path,
					 .dice = prng_dice(&keyless.prng),
					 .now_ms = w->b.now_ms };

	prove(w, &w->a, &t->c, &old);
	OFFICE_MUST(replica_open(&keyless.replica, &config, &msg));
	office_pull_statements(&keyless, &w->a);
	office_close(&keyless);
}

static void nothing_is_written_where_the_fork_was(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct twins t;

	make_twins(w, &t);
	move_out_without_key(w, &t);
	office_item(&w->b, &w->space, "after the fork");
	assert_int_not_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	assert_int_equal(has_title(&w->b, "after the fork"), 1);
	office_close(&t.twin);
	office_close(&t.c);
}

/* Behind the replica's back. */
static void change(struct world *w, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
}

static void scrub(struct office *o)
{
	struct scrub *scrub;

	OFFICE_MUST(scrub_new(&scrub, o->replica, &msg));
	do
		OFFICE_MUST(scrub_slice(scrub, o->now_ms++, 8, &msg));
	while (scrub_is_due(scrub, o->now_ms, UINT64_MAX));
	scrub_free(scrub);
}

/* What a damaged row of a branch says would go out under our signature; what stands behind it is
 * sound. */
static void assert_rest_is_written_again(struct world *w, const char *damage)
{
	const struct damage_list *found;
	struct replica_id id;
	struct verify_report report;
	struct errmsg why;
	struct twins t;

	make_twins(w, &t);
	office_item(&w->b, &w->space, "the second");
	office_item(&w->b, &w->space, "the third");
	move_out_without_key(w, &t);
	office_close(&w->b);
	change(w, damage);
	office_reopen(&w->b);
	assert_int_equal(has_title(&w->b, "by the one"), 1);
	assert_int_equal(has_title(&w->b, "the third"), 1);
	assert_int_equal(office_items(&w->b), 3);
	found = replica_damage(w->b.replica);
	assert_int_equal(found->count, 1);
	assert_int_equal(found->list[0].kind, DAMAGE_BRANCH);
	assert_int_equal(found->list[0].dot.seq, 3);
	assert_true(found->list[0].is_beyond);
	assert_int_equal(replica_verify(w->b.replica, &report, NULL, NULL, &why), ERR_CORRUPT);
	/* That is all: it does not wait, and does not cost an id each time. */
	id = id_of(&w->b);
	office_reopen(&w->b);
	assert_int_equal(replica_id_cmp(&id, replica_id(w->b.replica)), 0);
	assert_int_equal(office_items(&w->b), 3);
	assert_int_equal(replica_damage(w->b.replica)->count, 0);
	scrub(&w->b);
	assert_int_equal(replica_damage(w->b.replica)->count, 1);
	assert_int_equal(replica_damage(w->b.replica)->list[0].kind, DAMAGE_BRANCH);
	office_close(&t.twin);
	office_close(&t.c);
}

static void changed_byte_of_a_branch_is_not_written_again(void **state)
{
	assert_rest_is_written_again(*state, "UPDATE branch SET body = CAST(substr(body, 1, "
					     "length(body) - 1) || '!' AS BLOB) WHERE seq = 3");
}

static void row_of_a_branch_that_can_not_be_read_stops_nothing(void **state)
{
	assert_rest_is_written_again(*state, "UPDATE branch SET signature = x'00' WHERE seq = 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(proof_of_a_fork_cuts_both_branches_everywhere),
		TEST(copy_that_hears_of_the_other_enrols_anew_and_loses_nothing),
		TEST(what_a_copy_has_in_common_is_not_written_again),
		TEST(of_two_copies_that_go_on_at_once_one_stays),
		TEST(of_proofs_the_lowest_is_kept),
		TEST(what_a_lower_proof_moves_out_replaces_nothing_later),
		TEST(branch_that_was_moved_out_can_be_read),
		TEST(adopted_branch_comes_back),
		TEST(what_has_seen_a_branch_is_taken_without_it),
		TEST(what_has_seen_a_branch_without_a_proof_is_taken),
		TEST(adopted_branch_that_comes_late_is_seen_as_before),
		TEST(nothing_is_written_where_the_fork_was),
		TEST(changed_byte_of_a_branch_is_not_written_again),
		TEST(row_of_a_branch_that_can_not_be_read_stops_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
