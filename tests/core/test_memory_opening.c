/* core without memory: replicas that are made, opened, looked at again, founded, joined by
 * others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/core/memory.h"

/* ---- Opening --------------------------------------------------------------------- */

static enum err open_and_close(const char *path, struct office *o)
{
	struct replica_config config = { .path = path,
					 .create = true,
					 .sign_secret = o->sign_secret,
					 .dice = prng_dice(&o->prng),
					 .now_ms = o->now_ms };
	struct replica *r = NULL;
	enum err rc = replica_open(&r, &config, NULL);

	replica_close(r);
	return rc;
}

static enum err create_once(void *ctx)
{
	struct world *w = ctx;

	return open_and_close(":memory:", &w->b);
}

static void creating_leaves_nothing(void **state)
{
	const struct shortage_trial trial = { create_once, check_blocks, *state, 500 };

	assert_true(shortage_try(&trial) > 100);
}

static enum err open_once(void *ctx)
{
	struct world *w = ctx;

	return open_and_close(w->a.path, &w->a);
}

static void opening_leaves_nothing(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { open_once, check_blocks, w, 500 };

	w->before = snapshot_of(w, &w->a);
	office_close(&w->a); /* two handles on a file share blocks */
	assert_true(shortage_try(&trial) > 50);
	office_reopen(&w->a);
	expect_same(w, &w->a);
}

/* Another process writes, and this one looks. */
static enum err look_again(void *ctx)
{
	struct world *w = ctx;
	bool changed;

	return replica_refresh(w->a.replica, &changed, NULL);
}

static void check_look(void *ctx, enum err rc)
{
	struct world *w = ctx;
	struct value title = value_str("written beside it");
	struct office beside;

	OFFICE_MUST(look_again(w));
	office_open_again(&beside, &w->a);
	w->before = snapshot_of(w, &beside);
	expect_same(w, &w->a);
	office_set(&beside, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &title);
	w->a.now_ms = beside.now_ms;
	office_close(&beside);
}

static void looking_again_finds_all(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { look_again, check_look, w };

	check_look(w, OK);
	assert_true(shortage_try(&trial) > 10);
}

/* ---- Founding and joining --------------------------------------------------------- */

static enum err found_once(void *ctx)
{
	struct world *w = ctx;
	struct founding founding = { .org_name = "Acme",
				     .office_code = "SHA",
				     .office_name = "Shanghai",
				     .zone = "Asia/Shanghai",
				     .person_name = "李雷",
				     .address = "sha.example:7411",
				     .roots = { 1, &w->b.root.key, 1 },
				     .node = w->b.identity };

	return replica_found(w->b.replica, &founding, w->b.now_ms++, NULL);
}

static void check_founded(void *ctx, enum err rc)
{
	struct world *w = ctx;
	struct office *o = &w->b;
	bool changed;

	OFFICE_MUST(replica_refresh(o->replica, &changed, &msg));
	assert_int_equal(replica_has_org(o->replica), rc == OK);
	if (rc != OK)
		OFFICE_MUST(found_once(w));
	assert_true(replica_self(o->replica) != NULL);
	office_close(o);
	office_open(o, NULL, 2);
}

static void a_founding_is_whole_or_has_not_happened(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { found_once, check_founded, w, 300 };

	office_close(&w->b);
	office_open(&w->b, NULL, 2);
	assert_true(shortage_try(&trial) > 100);
}

static void keep_a(struct world *w)
{
	OFFICE_MUST(replica_backup(w->a.replica, world_path(w, "kept.db"), NULL, NULL, &msg));
}

/* As it was kept, so that it is always the same work. */
static void put_back_a(struct world *w)
{
	struct office kept = w->a;

	snprintf(kept.path, sizeof(kept.path), "%s", world_path(w, "kept.db"));
	office_close(&w->a);
	unlink(world_path(w, "a.db-wal"));
	unlink(world_path(w, "a.db-shm"));
	unlink(world_path(w, "a.db"));
	kept.replica = NULL;
	office_reopen(&kept);
	OFFICE_MUST(replica_backup(kept.replica, world_path(w, "a.db"), NULL, NULL, &msg));
	office_close(&kept);
	office_reopen(&w->a);
}

/* The third office. */
static enum err admit_once(void *ctx)
{
	struct world *w = ctx;
	struct admission admission = { .office_code = "NBO",
				       .office_name = "Nairobi",
				       .zone = "Africa/Nairobi",
				       .person_name = "Wanjiku",
				       .address = "nbo.example:7411",
				       .node = w->b.identity };

	admission.node.sign_key[2] ^= 0x5a;
	admission.node.noise_key[2] ^= 0x5a;
	admission.node.replica = epoch_replica(admission.node.sign_key, admission.node.nonce);
	return replica_admit(w->a.replica, &admission, w->a.now_ms++, NULL);
}

static void check_admitted(void *ctx, enum err rc)
{
	struct world *w = ctx;

	check_edit(w, rc);
	if (rc != OK)
		return;
	put_back_a(w);
	w->before = snapshot_of(w, &w->a);
}

static void an_admission_is_whole_or_has_not_happened(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { admit_once, check_admitted, w, 100 };

	keep_a(w);
	put_back_a(w);
	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 50);
	OFFICE_MUST(admit_once(w));
	expect_agreement(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(creating_leaves_nothing),
		TEST(opening_leaves_nothing),
		TEST(looking_again_finds_all),
		TEST(a_founding_is_whole_or_has_not_happened),
		TEST(an_admission_is_whole_or_has_not_happened),
	};

	shortage_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
