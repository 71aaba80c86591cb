/* sync/engine: several offices through the changes of their membership: new keys, restored
 * backups, copies, forks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/trust.h"
#include "tests/support/forge.h"
#include "tests/support/tempdir.h"
#include "tests/sync/offices.h"
#include "tests/sync/revoke.h"

static void assert_all_agree(struct row *t)
{
	assert_true(office_agrees(&t->sha->office, &t->fra->office));
	assert_true(office_agrees(&t->nyc->office, &t->fra->office));
}

static void assert_at_rest(struct row *t)
{
	assert_int_equal(site_peer(t->sha, "FRA").state, PEER_IN_SYNC);
	assert_int_equal(site_peer(t->nyc, "FRA").state, PEER_IN_SYNC);
	assert_true(engine_is_idle(t->fra->engine));
}

/* ---- New keys ------------------------------------------------------------------------ */

/* Under new keys, in a running engine and without. */
static void rotate(struct site *s, uint8_t fill)
{
	struct noise_keypair noise;
	struct office keys;

	office_open(&keys, NULL, 7000 + fill);
	memset(s->noise_secret, fill, sizeof(s->noise_secret));
	noise_keypair_from_secret(&noise, s->noise_secret);
	OFFICE_MUST(replica_new_epoch(s->office.replica, EPOCH_ROTATED, keys.sign_secret,
				      noise.public_key, site_now(s).wall_ms, &msg));
	memcpy(s->office.sign_secret, keys.sign_secret, SIGN_SECRET_BYTES);
	s->office.identity = replica_identity(s->office.replica, noise.public_key);
	office_close(&keys);
}

static void node_with_new_keys_is_the_same_peer(void **state)
{
	struct row t;
	size_t peers;

	row_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	peers = engine_peer_count(t.fra->engine);
	rotate(t.nyc, 77);
	engine_changed(t.nyc->engine, site_now(t.nyc));
	world_run(&t.world);
	/* Frankfurt has learned that the old key is good no more, and closed. */
	assert_int_equal(site_logged(t.fra, "superseded"), 1);
	assert_int_equal(loopnet_conn_count(t.world.net, t.fra->host, t.nyc->host), 0);
	site_stop(t.nyc);
	site_start(t.nyc);
	world_pass(&t.world, MINUTE_MS);
	assert_int_equal(engine_peer_count(t.fra->engine), peers);
	site_write(t.nyc, &t.space, 3);
	world_run(&t.world);
	assert_int_equal(site_held(t.sha, &t.space), 3);
	assert_at_rest(&t);
	world_release(&t.world);
}

/* Nobody has heard of the new keys; the node dials, and shows them. */
static void keys_that_changed_while_offline_are_shown(void **state)
{
	struct row t;

	row_init(&t);
	rotate(t.nyc, 78);
	site_write(t.nyc, &t.space, 3);
	world_start(&t.world);
	world_pass(&t.world, MINUTE_MS);
	assert_int_equal(site_held(t.sha, &t.space), 3);
	assert_at_rest(&t);
	world_release(&t.world);
}

/* The same, but it is the others who dial, expecting the old key. */
static void who_dials_a_node_with_new_keys_accepts_them(void **state)
{
	struct world w;
	struct site *sha, *fra;

	world_init(&w);
	sha = world_add_office(&w, "SHA");
	fra = world_add_office(&w, "FRA");
	site_dials(sha, fra);
	world_start(&w);
	world_run(&w);
	loopnet_cut(w.net, 0, 1, true);
	world_run(&w);
	site_stop(fra);
	rotate(fra, 79);
	site_start(fra);
	loopnet_cut(w.net, 0, 1, false);
	world_pass(&w, MINUTE_MS);
	assert_int_equal(site_peer(sha, "FRA").state, PEER_IN_SYNC);
	assert_int_equal(engine_peer_count(sha->engine), 1);
	world_release(&w);
}

/* ---- Going back ------------------------------------------------------------------------ */

/* The replica of New York is set to what it was at the moment of the backup. */
struct backup {
	char dir[TEMPDIR_BYTES_MAX];
	char path[256];
};

static void backup_take(struct backup *b, struct site *s)
{
	tempdir_new(b->dir, sizeof(b->dir));
	tempdir_path(b->path, sizeof(b->path), b->dir, "copy.db");
	OFFICE_MUST(replica_backup(s->office.replica, b->path, NULL, NULL, &msg));
}

static void backup_restore(struct backup *b, struct site *s)
{
	site_stop(s);
	memcpy(s->office.path, b->path, sizeof(b->path));
	office_reopen(&s->office);
	site_start(s);
}

static void restored_node_goes_on_under_a_new_epoch(void **state)
{
	struct replica_id before;
	struct backup b;
	struct row t;

	row_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	before = *replica_id(t.nyc->office.replica);
	site_write(t.nyc, &t.space, 3);
	backup_take(&b, t.nyc);
	site_write(t.nyc, &t.space, 4);
	world_run(&t.world);
	assert_int_equal(site_held(t.sha, &t.space), 7);
	backup_restore(&b, t.nyc);
	world_pass(&t.world, MINUTE_MS);
	assert_true(replica_id_cmp(replica_id(t.nyc->office.replica), &before) != 0);
	/* What it had forgotten has come back, and what it writes now is new. */
	assert_int_equal(site_held(t.nyc, &t.space), 7);
	site_write(t.nyc, &t.space, 2);
	world_pass(&t.world, MINUTE_MS);
	assert_int_equal(site_held(t.sha, &t.space), 9);
	assert_all_agree(&t);
	assert_at_rest(&t);
	world_release(&t.world);
	tempdir_remove(b.dir);
}

/* It has written again before anybody could tell it. */
static void restored_node_that_wrote_again_loses_nothing(void **state)
{
	struct backup b;
	struct row t;

	row_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	site_write(t.nyc, &t.space, 3);
	backup_take(&b, t.nyc);
	site_write(t.nyc, &t.space, 4);
	world_run(&t.world);
	loopnet_cut(t.world.net, t.nyc->host, t.fra->host, true);
	world_run(&t.world);
	backup_restore(&b, t.nyc);
	site_write(t.nyc, &t.space, 2);
	loopnet_cut(t.world.net, t.nyc->host, t.fra->host, false);
	world_pass(&t.world, 5 * MINUTE_MS);
	assert_int_equal(office_items(&t.nyc->office), 9);
	assert_int_equal(office_items(&t.sha->office), 9);
	assert_all_agree(&t);
	assert_at_rest(&t);
	world_release(&t.world);
	tempdir_remove(b.dir);
}

/* ---- Forks of others ----------------------------------------------------------------------- */

/* A fourth node's keys are in use twice: each end of the row got one branch, of three
 * after three that are the same. */
struct twins {
	struct row row;
	struct forge first, second;
	struct cut adoption; /* of Shanghai's branch */
};

static struct sealed forge_next(struct forge *f, uint8_t branch)
{
	struct op op = { .record = { { 1, (uint8_t)f->head.seq, branch } },
			 .kind = KIND_ACTION,
			 .field = ACTION_TITLE,
			 .verb = VERB_SET,
			 .value = value_str("t") };

	return forge_ops(f, OFFICE_NOW_MS + f->head.seq, NULL, 0, &op, 1);
}

static void receive(struct site *s, const struct space_id *space, const struct sealed *sealed)
{
	struct receipt receipt;

	OFFICE_MUST(replica_receive(s->office.replica, space, sealed, 1, OFFICE_NOW_MS, &receipt,
				    &msg));
}

static void twins_init(struct twins *w)
{
	struct row *t = &w->row;

	row_init(t);
	forge_open(&w->first, &t->sha->office, &t->space, "LON", 5);
	office_pull(&t->nyc->office, &t->sha->office);
	for (int i = 0; i < 6; i++) {
		struct sealed sealed;

		if (i == 3) {
			w->second = w->first;
			w->second.arena = ARENA_EMPTY;
		}
		sealed = forge_next(&w->first, 0);
		receive(t->sha, &t->space, &sealed);
		if (i >= 3)
			sealed = forge_next(&w->second, 1);
		receive(t->nyc, &t->space, &sealed);
	}
	w->adoption = (struct cut){ w->first.identity.replica, t->space, 6, { 0 } };
	memcpy(w->adoption.link, w->first.head.link, LINK_BYTES);
	world_start(&t->world);
	world_pass(&t->world, 5 * MINUTE_MS);
}

static void twins_release(struct twins *w)
{
	forge_close(&w->first);
	forge_close(&w->second);
	world_release(&w->row.world);
}

static void fork_becomes_known_to_everybody(void **state)
{
	struct twins w;
	struct row *t = &w.row;

	twins_init(&w);
	for (size_t i = 0; i < t->world.count; i++) {
		struct trust_cut cut = trust_cut(replica_trust(t->world.sites[i].office.replica),
						 &w.first.identity.replica, &t->space);

		assert_int_equal(cut.cause, CUT_FORKED);
		assert_int_equal(cut.seq, 3);
	}
	/* Others go on, and nobody is at it for ever. */
	site_write(t->sha, &t->space, 2);
	world_pass(&t->world, MINUTE_MS);
	assert_all_agree(t);
	assert_at_rest(t);
	twins_release(&w);
}

/* One branch is adopted: who holds the other gives it up and takes the right one. */
static void adopted_branch_goes_to_everybody(void **state)
{
	struct statement s = { .type = STATEMENT_ADOPT };
	struct twins w;
	struct row *t = &w.row;

	twins_init(&w);
	s.u.adopt.cuts = &w.adoption;
	s.u.adopt.cut_count = 1;
	OFFICE_MUST(
		replica_state(t->sha->office.replica, &s, NULL, 0, t->sha->office.now_ms++, &msg));
	engine_changed(t->sha->engine, site_now(t->sha));
	world_pass(&t->world, 5 * MINUTE_MS);
	for (size_t i = 0; i < t->world.count; i++)
		assert_int_equal(office_items(&t->world.sites[i].office), 6);
	assert_all_agree(t);
	assert_at_rest(t);
	twins_release(&w);
}

/* ---- Copies --------------------------------------------------------------------------------- */

/* The node goes on elsewhere under another epoch; what is left here must stop. */
static void copy_that_was_left_behind_stops(void **state)
{
	struct office elsewhere;
	struct backup b;
	struct row t;

	row_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	backup_take(&b, t.nyc);
	elsewhere = t.nyc->office;
	memcpy(elsewhere.path, b.path, sizeof(b.path));
	elsewhere.replica = NULL;
	office_reopen(&elsewhere);
	OFFICE_MUST(replica_new_epoch(elsewhere.replica, EPOCH_MOVED, NULL, NULL,
				      site_now(t.nyc).wall_ms, &msg));
	office_pull_statements(&t.sha->office, &elsewhere);
	engine_changed(t.sha->engine, site_now(t.sha));
	world_run(&t.world);
	assert_int_equal(site_logged(t.nyc, "ERROR superseded"), 1);
	assert_int_equal(loopnet_conn_count(t.world.net, t.fra->host, t.nyc->host), 0);
	world_pass(&t.world, 30 * MINUTE_MS);
	assert_int_equal(loopnet_conn_count(t.world.net, t.fra->host, t.nyc->host), 0);
	assert_int_equal(engine_deadline(t.nyc->engine), UINT64_MAX);
	office_close(&elsewhere);
	world_release(&t.world);
	tempdir_remove(b.dir);
}

/* Another machine with this disk, and with these keys. */
static struct site *add_copy(struct world *w, const struct site *s, const struct backup *b)
{
	struct site *copy = world_add(w);

	office_close(&copy->office);
	copy->office = s->office;
	memcpy(copy->office.path, b->path, sizeof(b->path));
	copy->office.replica = NULL;
	office_reopen(&copy->office);
	memcpy(copy->noise_secret, s->noise_secret, sizeof(copy->noise_secret));
	return copy;
}

static bool is_there(const struct site *s)
{
	return site_peer(s, "FRA").state == PEER_IN_SYNC;
}

/* To Frankfurt both are one node, and it talks to the one that dialled last. */
static void copies_take_turns_and_have_time(void **state)
{
	unsigned first_s = 0, second_s = 0;
	struct site *copy;
	struct backup b;
	struct row t;

	row_init(&t);
	world_start(&t.world);
	world_pass(&t.world, MINUTE_MS);
	backup_take(&b, t.nyc);
	copy = add_copy(&t.world, t.nyc, &b);
	site_dials(copy, t.fra);
	site_start(copy);
	world_pass(&t.world, 30 * MINUTE_MS);
	for (unsigned i = 0; i < 600; i++) {
		world_pass(&t.world, 1000);
		first_s += is_there(t.nyc);
		second_s += is_there(copy);
	}
	assert_in_range(first_s, 120, 480);
	assert_in_range(second_s, 120, 480);
	world_release(&t.world);
	tempdir_remove(b.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(node_with_new_keys_is_the_same_peer),
		cmocka_unit_test(keys_that_changed_while_offline_are_shown),
		cmocka_unit_test(who_dials_a_node_with_new_keys_accepts_them),
		cmocka_unit_test(restored_node_goes_on_under_a_new_epoch),
		cmocka_unit_test(restored_node_that_wrote_again_loses_nothing),
		cmocka_unit_test(fork_becomes_known_to_everybody),
		cmocka_unit_test(adopted_branch_goes_to_everybody),
		cmocka_unit_test(copy_that_was_left_behind_stops),
		cmocka_unit_test(copies_take_turns_and_have_time),
	};

	return cmocka_run_group_tests_name("sync/engine membership", tests, NULL, NULL);
}
