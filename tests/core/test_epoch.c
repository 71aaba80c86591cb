/* core/epoch: no dot is ever issued twice, and nothing is lost over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "tests/core/copies.h"

/* ---- A new epoch ------------------------------------------------------------- */

static void restored_replica_goes_on_under_another_id(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);

	office_item(&w->b, &w->space, "one");
	back_up(w);
	office_item(&w->b, &w->space, "two");
	office_sync(&w->a, &w->b);
	put_back(w);
	OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_RESTORED, NULL, NULL, w->b.now_ms, &msg));
	assert_int_not_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	office_item(&w->b, &w->space, "three");
	assert_same_everywhere(w);
	assert_int_equal(office_items(&w->a), 3);
	assert_string_equal(replica_self(w->b.replica)->office_code, "FRA");
}

static enum err load_mark(void *ctx, struct mark *out)
{
	struct world *w = ctx;

	*out = w->mark;
	return w->has_mark ? OK : ERR_NOT_FOUND;
}

static void save_mark(void *ctx, const struct mark *mark)
{
	struct world *w = ctx;

	w->mark = *mark;
	w->has_mark = true;
}

static void reopen_marked(struct world *w, const char *machine)
{
	struct replica_config config = { .path = w->path,
					 .sign_secret = w->b.sign_secret,
					 .dice = prng_dice(&w->b.prng),
					 .now_ms = w->b.now_ms,
					 .machine = bytes_of_str(machine),
					 .mark = &w->port };

	w->port = (struct mark_port){ w, load_mark, save_mark };
	office_close(&w->b);
	OFFICE_MUST(replica_open(&w->b.replica, &config, &msg));
}

static void database_older_than_its_mark_begins_a_new_epoch(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);

	reopen_marked(w, "");
	office_item(&w->b, &w->space, "one");
	back_up(w);
	office_item(&w->b, &w->space, "two");
	reopen_marked(w, "");
	assert_int_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	put_back(w);
	reopen_marked(w, "");
	assert_int_not_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	old = id_of(&w->b);
	reopen_marked(w, "");
	assert_int_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
}

static void another_machine_begins_a_new_epoch(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);

	reopen_marked(w, "here");
	reopen_marked(w, "here");
	assert_int_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	reopen_marked(w, "there");
	assert_int_not_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	old = id_of(&w->b);
	reopen_marked(w, "there");
	assert_int_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	office_item(&w->b, &w->space, "from there");
	assert_same_everywhere(w);
}

static void rotated_keys_sign_from_then_on(void **state)
{
	struct world *w = *state;
	struct office fresh;

	office_item(&w->b, &w->space, "by the old key");
	office_open(&fresh, NULL, 9);
	OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_ROTATED, fresh.sign_secret,
				      fresh.identity.noise_key, w->b.now_ms, &msg));
	office_item(&w->b, &w->space, "by the new key");
	office_sync(&w->a, &w->b);
	assert_int_equal(office_items(&w->a), 2);
	assert_true(office_agrees(&w->a, &w->b));
	assert_null(replica_member_by_noise_key(w->a.replica, w->b.identity.noise_key));
	assert_non_null(replica_member_by_noise_key(w->a.replica, fresh.identity.noise_key));
	office_close(&fresh);
}

static void rotation_that_is_rolled_back_leaves_the_key_of_before(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct office fresh;

	office_open(&fresh, NULL, 9);
	OFFICE_MUST(replica_begin(w->b.replica, &msg));
	OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_ROTATED, fresh.sign_secret,
				      fresh.identity.noise_key, w->b.now_ms, &msg));
	replica_rollback(w->b.replica);
	assert_int_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	office_item(&w->b, &w->space, "by the key of before");
	assert_same_everywhere(w);
	assert_int_equal(office_items(&w->a), 1);
	office_close(&fresh);
}

/* The database is of an epoch before the one that the mark speaks of. */
static void mark_of_a_later_epoch_shows_an_older_database(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);

	reopen_marked(w, "");
	office_item(&w->b, &w->space, "one");
	back_up(w);
	office_item(&w->b, &w->space, "two");
	OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_RESTORED, NULL, NULL, w->b.now_ms, &msg));
	put_back(w);
	reopen_marked(w, "");
	assert_int_not_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
}

/* ---- What a peer knows of it -------------------------------------------------------- */

/* What a peer holds and we don't is ours: somebody put an old database back, and has
 * written since. */
static void forgotten_tail_comes_back_and_the_new_one_is_kept(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct witness theirs;
	struct told told;

	office_item(&w->b, &w->space, "one");
	back_up(w);
	office_item(&w->b, &w->space, "two");
	office_item(&w->b, &w->space, "three");
	office_pull(&w->a, &w->b);
	put_back(w);
	office_item(&w->b, &w->space, "another two");
	OFFICE_MUST(replica_tell(w->a.replica, &w->space, &(struct dot){ old, 2 }, &w->arena, &told,
				 &msg));
	told_witness(&theirs, &told);
	OFFICE_MUST(replica_heal_own(w->b.replica, &w->space, &old, 2, &theirs, w->b.now_ms, &msg));
	assert_int_not_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	assert_int_equal(has_title(&w->b, "another two"), 1);
	assert_same_everywhere(w);
	assert_int_equal(office_items(&w->a), 4);
}

static void forged_witness_moves_nothing(void **state)
{
	struct world *w = *state;
	struct replica_id old = id_of(&w->b);
	struct witness theirs;
	struct errmsg why;
	struct told told;

	office_item(&w->b, &w->space, "one");
	OFFICE_MUST(replica_tell(w->b.replica, &w->space, &(struct dot){ old, 1 }, &w->arena, &told,
				 &msg));
	told_witness(&theirs, &told);
	theirs.body_hash[0] ^= 1;
	assert_int_equal(
		replica_heal_own(w->b.replica, &w->space, &old, 1, &theirs, w->b.now_ms, &why),
		ERR_SIGNATURE);
	assert_int_equal(replica_id_cmp(&old, replica_id(w->b.replica)), 0);
	assert_int_equal(office_items(&w->b), 1);
}

/* ---- Too many ------------------------------------------------------------------ */

static void use_up_epochs(struct office *o)
{
	for (int i = 1; i < EPOCHS_MAX; i++)
		OFFICE_MUST(
			replica_new_epoch(o->replica, EPOCH_MOVED, NULL, NULL, o->now_ms++, &msg));
}

static void keys_are_not_rotated_once_the_epochs_are_used_up(void **state)
{
	struct world *w = *state;
	struct errmsg why;
	struct replica_id id;

	use_up_epochs(&w->b);
	id = id_of(&w->b);
	assert_int_equal(replica_new_epoch(w->b.replica, EPOCH_ROTATED, w->a.sign_secret,
					   w->a.identity.noise_key, w->b.now_ms, &why),
			 ERR_LIMIT);
	assert_non_null(strstr(why.text, "huitong join"));
	assert_int_equal(replica_id_cmp(&id, replica_id(w->b.replica)), 0);
	office_item(&w->b, &w->space, "goes on");
	assert_same_everywhere(w);
	assert_int_equal(has_title(&w->a, "goes on"), 1);
}

static void who_has_used_up_its_epochs_enrols_anew_and_loses_nothing(void **state)
{
	struct world *w = *state;
	struct errmsg why;
	struct edit *e;

	use_up_epochs(&w->b);
	office_item(&w->b, &w->space, "before");
	reopen_marked(w, "here");
	back_up(w);
	office_item(&w->b, &w->space, "shared");
	office_sync(&w->a, &w->b);
	put_back(w);
	reopen_marked(w, "here");
	assert_int_equal(replica_check_member(w->b.replica, &why), ERR_SUPERSEDED);
	assert_non_null(strstr(why.text, "huitong join"));
	OFFICE_MUST(replica_begin(w->b.replica, &msg));
	assert_int_equal(edit_open(&e, w->b.replica, &w->space, NULL, w->b.now_ms, &why),
			 ERR_SUPERSEDED);
	replica_rollback(w->b.replica);
	assert_int_equal(office_items(&w->b), 1);
	enrol_anew(w, &w->b, 9);
	assert_int_equal(trust_node(replica_trust(w->b.replica), &replica_self(w->b.replica)->node)
				 ->epoch_count,
			 1);
	office_item(&w->b, &w->space, "as another node");
	assert_same_everywhere(w);
	assert_int_equal(office_items(&w->b), 3);
	assert_int_equal(has_title(&w->a, "as another node"), 1);
}

/* A proof of a fork comes when there is no epoch left to go on under. */
static void fork_without_an_epoch_left_stops_the_copy(void **state)
{
	struct world *w = *state;
	struct replica_id old;
	struct twins t;

	use_up_epochs(&w->b);
	old = id_of(&w->b);
	office_sync(&w->a, &w->b);
	make_twins(w, &t);
	prove(w, &w->a, &t.c, &old);
	office_pull_statements(&w->b, &w->a);
	assert_int_equal(replica_check_member(w->b.replica, NULL), ERR_SUPERSEDED);
	enrol_anew(w, &w->b, 9);
	assert_int_equal(has_title(&w->b, "by the one"), 1);
	assert_same_everywhere(w);
	office_close(&t.twin);
	office_close(&t.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(restored_replica_goes_on_under_another_id),
		TEST(database_older_than_its_mark_begins_a_new_epoch),
		TEST(another_machine_begins_a_new_epoch),
		TEST(rotated_keys_sign_from_then_on),
		TEST(rotation_that_is_rolled_back_leaves_the_key_of_before),
		TEST(mark_of_a_later_epoch_shows_an_older_database),
		TEST(forgotten_tail_comes_back_and_the_new_one_is_kept),
		TEST(forged_witness_moves_nothing),
		TEST(keys_are_not_rotated_once_the_epochs_are_used_up),
		TEST(who_has_used_up_its_epochs_enrols_anew_and_loses_nothing),
		TEST(fork_without_an_epoch_left_stops_the_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
