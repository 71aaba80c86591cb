/* core/trust: which statements stand, and what the result says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/core/org.h"

/* ---- M-4: authority of the past -------------------------------------------- */

static void only_admins_and_root_admit(void **state)
{
	struct org o;

	org_init(&o, 1);
	assert_verdict(&o, say_admit(&o.w, BY(&o.cat), BASE, &o.dan, false), "no authority");
	assert_null(trust_node(o.t, &o.dan.node));
	assert_verdict(&o, say_admit(&o.w, BY(&o.bob), BASE, &o.dan, false), "stands");
	assert_non_null(trust_node(o.t, &o.dan.node));
	org_release(&o);
}

static void root_needs_as_many_keys_as_the_threshold_says(void **state)
{
	struct org o;

	org_init(&o, 2);
	assert_verdict(&o, say_admit(&o.w, BY(&o.root), BASE, &o.dan, false), "no authority");
	assert_verdict(&o, say_admit(&o.w, BY(&o.root, &o.root3), BASE, &o.dan, false), "stands");
	org_release(&o);
}

static void what_follows_from_what_fell_falls(void **state)
{
	const struct statement *admit, *space;
	struct org o;

	org_init(&o, 1);
	admit = say_admit(&o.w, BY(&o.cat), BASE, &o.dan, true);
	space = say_space(&o.w, BY(&o.dan), AFTER(admit), OFFICES({ "DDD", ROLE_MANAGER }));
	assert_verdict(&o, space, "no authority");
	assert_int_equal(o.t->space_count, 1);
	org_release(&o);
}

static void a_capacity_must_be_seen_to_be_used(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_admin(&o.w, BY(&o.ann), BASE, &o.cat, true);
	assert_verdict(&o, say_admit(&o.w, BY(&o.cat), BASE, &o.dan, false), "no authority");
	assert_verdict(&o, say_admit(&o.w, BY(&o.cat), AFTER_ALL, &o.dan, false), "stands");
	org_release(&o);
}

static void an_old_key_signs_no_more(void **state)
{
	const struct statement *epoch;
	struct actor next;
	struct org o;

	org_init(&o, 1);
	next = actor_rotated(&o.bob, 12);
	epoch = say_epoch(&o.w, BY(&o.bob, &next), BASE, &next, EPOCH_ROTATED, NULL);
	assert_verdict(&o, epoch, "stands");
	assert_verdict(&o, say_admin(&o.w, BY(&o.bob), AFTER(epoch), &o.cat, true), "no authority");
	assert_verdict(&o, say_admin(&o.w, BY(&next), AFTER(epoch), &o.cat, true), "stands");
	assert_null(trust_node_by_sign_key(o.t, o.bob.identity.sign_key));
	assert_null(trust_node_by_noise_key(o.t, o.bob.identity.noise_key));
	assert_non_null(trust_node_by_sign_key(o.t, next.identity.sign_key));
	assert_non_null(trust_node_by_noise_key(o.t, next.identity.noise_key));
	org_release(&o);
}

static void an_epoch_is_signed_by_its_node_and_by_its_own_key(void **state)
{
	struct actor next;
	struct org o;

	org_init(&o, 1);
	next = actor_rotated(&o.cat, 13);
	assert_verdict(&o, say_epoch(&o.w, BY(&next), BASE, &next, EPOCH_ROTATED, NULL),
		       "no authority");
	assert_verdict(&o, say_epoch(&o.w, BY(&o.ann, &next), BASE, &next, EPOCH_ROTATED, NULL),
		       "no authority");
	assert_verdict(&o, say_epoch(&o.w, BY(&o.cat), BASE, &next, EPOCH_ROTATED, NULL),
		       "no authority");
	org_release(&o);
}

static void any_member_makes_a_space_and_no_one_else(void **state)
{
	struct offices offices = OFFICES({ "CCC", ROLE_MANAGER });
	struct org o;

	org_init(&o, 1);
	assert_verdict(&o, say_space(&o.w, BY(&o.dan), BASE, offices), "no authority");
	assert_verdict(&o, say_space(&o.w, BY(&o.root), BASE, offices), "no authority");
	assert_verdict(&o, say_space(&o.w, BY(&o.cat), BASE, offices), "stands");
	org_release(&o);
}

static void a_manager_grants_roles_in_its_own_space_alone(void **state)
{
	const struct statement *space;
	struct space_id other;
	struct org o;

	org_init(&o, 1);
	space = say_space(&o.w, BY(&o.cat), BASE, OFFICES({ "CCC", ROLE_MANAGER }));
	other = statement_space(&space->id);
	assert_verdict(
		&o,
		say_grant(&o.w, BY(&o.cat), AFTER(space), &o.space, "DDD", ROLE_READER, NO_CUTS),
		"no authority");
	assert_verdict(
		&o, say_grant(&o.w, BY(&o.cat), AFTER(space), &other, "DDD", ROLE_READER, NO_CUTS),
		"stands");
	assert_int_equal(trust_role(o.t, &other, "DDD"), ROLE_READER);
	assert_int_equal(trust_role(o.t, &o.space, "DDD"), ROLE_NONE);
	org_release(&o);
}

static void an_adoption_needs_authority_for_each_of_its_feeds(void **state)
{
	struct cut own, others;
	struct org o;

	org_init(&o, 1);
	own = cut_at(&o.cat, &o.space, 5, 0);
	others = cut_at(&o.bob, &o.space, 5, 0);
	assert_verdict(&o, say_adopt(&o.w, BY(&o.cat), BASE, CUTS(own)), "stands");
	assert_verdict(&o, say_adopt(&o.w, BY(&o.cat), BASE, CUTS(own, others)), "no authority");
	assert_verdict(&o, say_adopt(&o.w, BY(&o.cat, &o.ann), BASE, CUTS(own, others)), "stands");
	org_release(&o);
}

/* ---- M-5: meaningful ------------------------------------------------------- */

static void a_node_and_its_keys_are_admitted_once(void **state)
{
	struct actor same_node, same_key;
	struct org o;

	org_init(&o, 1);
	same_node = actor_rotated(&o.cat, 13);
	actor_init(&same_key, 14, "DDD");
	memcpy(same_key.identity.noise_key, o.cat.identity.noise_key, NOISE_KEY_BYTES);
	assert_verdict(&o, say_admit(&o.w, BY(&o.ann), BASE, &same_node, false), "meaningless");
	assert_verdict(&o, say_admit(&o.w, BY(&o.ann), BASE, &same_key, false), "meaningless");
	org_release(&o);
}

static void who_fell_may_be_admitted_again(void **state)
{
	const struct statement *admit, *again;
	struct org o;

	org_init(&o, 1);
	admit = say_admit(&o.w, BY(&o.bob), BASE, &o.dan, false);
	say_revoke(&o.w, BY(&o.root), BASE, &o.bob, NO_CUTS);
	again = say_admit(&o.w, BY(&o.ann), AFTER_ALL, &o.dan, false);
	assert_verdict(&o, admit, "overruled");
	assert_verdict(&o, again, "stands");
	assert_false(trust_epoch(o.t, &o.dan.identity.replica)->is_void);
	org_release(&o);
}

static void nothing_is_said_of_what_was_never_named(void **state)
{
	struct space_id unknown = { { 9 } };
	struct org o;

	org_init(&o, 1);
	assert_verdict(&o, say_revoke(&o.w, BY(&o.ann), BASE, &o.dan, NO_CUTS), "meaningless");
	assert_verdict(&o, say_admin(&o.w, BY(&o.root), BASE, &o.dan, true), "meaningless");
	assert_verdict(&o, say_grant(&o.w, BY(&o.ann), BASE, &unknown, "AAA", ROLE_EDITOR, NO_CUTS),
		       "meaningless");
	assert_verdict(&o,
		       say_grant(&o.w, BY(&o.ann), BASE, &o.directory, "AAA", ROLE_EDITOR, NO_CUTS),
		       "meaningless");
	org_release(&o);
}

static void a_second_revocation_may_cut_lower(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, CUTS(cut_at(&o.bob, &o.space, 9, 0)));
	assert_verdict(&o,
		       say_revoke(&o.w, BY(&o.ann), AFTER_ALL, &o.bob,
				  CUTS(cut_at(&o.bob, &o.space, 4, 0))),
		       "stands");
	assert_int_equal(trust_cut(o.t, &o.bob.identity.replica, &o.space).seq, 4);
	org_release(&o);
}

/* ---- M-6, M-7: what the removed did ---------------------------------------- */

static void a_removal_undoes_what_was_done_beside_it(void **state)
{
	const struct statement *before, *beside;
	struct org o;

	org_init(&o, 1);
	before = say_admin(&o.w, BY(&o.bob), BASE, &o.cat, true);
	say_revoke(&o.w, BY(&o.ann), AFTER(before), &o.bob, NO_CUTS);
	beside = say_admit(&o.w, BY(&o.bob), AFTER(before), &o.dan, false);
	assert_verdict(&o, beside, "overruled");
	assert_verdict(&o, before, "stands");
	assert_true(trust_node(o.t, &o.bob.node)->is_revoked);
	assert_false(trust_node(o.t, &o.bob.node)->is_admin);
	assert_true(trust_node(o.t, &o.cat.node)->is_admin);
	org_release(&o);
}

static void each_removal_takes_no_more_than_it_says(void **state)
{
	const struct statement *epoch, *grant;
	struct actor next;
	struct org o;

	org_init(&o, 1);
	next = actor_restored(&o.bob, 12);
	say_grant(&o.w, BY(&o.ann), BASE, &o.space, "BBB", ROLE_MANAGER, NO_CUTS);
	o.base = o.w.list[o.w.count - 1];
	say_admin(&o.w, BY(&o.ann), BASE, &o.bob, false);
	epoch = say_epoch(&o.w, BY(&o.bob), BASE, &next, EPOCH_RESTORED, NULL);
	grant = say_grant(&o.w, BY(&o.bob), BASE, &o.space, "DDD", ROLE_READER, NO_CUTS);
	assert_verdict(&o, epoch, "stands");
	assert_verdict(&o, grant, "stands"); /* still a manager */
	say_grant(&o.w, BY(&o.ann), BASE, &o.space, "BBB", ROLE_EDITOR, NO_CUTS);
	assert_verdict(&o, grant, "overruled");
	assert_verdict(&o, epoch, "stands");
	org_release(&o);
}

static void a_space_outlives_who_made_it(void **state)
{
	const struct statement *space;
	struct org o;

	org_init(&o, 1);
	space = say_space(&o.w, BY(&o.bob), BASE, OFFICES({ "BBB", ROLE_MANAGER }));
	say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, NO_CUTS);
	assert_verdict(&o, space, "stands");
	org_release(&o);
}

static void what_two_signed_outlives_one_of_them(void **state)
{
	const struct statement *admit;
	struct org o;

	org_init(&o, 1);
	admit = say_admit(&o.w, BY(&o.bob, &o.ann), BASE, &o.dan, false);
	say_revoke(&o.w, BY(&o.root), BASE, &o.bob, NO_CUTS);
	assert_verdict(&o, admit, "stands");
	say_revoke(&o.w, BY(&o.root), BASE, &o.ann, NO_CUTS);
	assert_verdict(&o, admit, "overruled");
	org_release(&o);
}

static void root_keys_that_are_replaced_lose_what_they_did_beside_it(void **state)
{
	const struct statement *lost, *kept;
	struct org o;

	org_init(&o, 1);
	lost = say_admin(&o.w, BY(&o.root3), BASE, &o.cat, true);
	kept = say_admit(&o.w, BY(&o.root2), BASE, &o.dan, false);
	say_roots(&o.w, BY(&o.root), BASE, 1, ROOTS(&o.root, &o.root2));
	assert_verdict(&o, lost, "overruled");
	assert_verdict(&o, kept, "stands");
	assert_int_equal(o.t->root_count, 2);
	assert_false(trust_is_root(o.t, (struct sign_key *)o.root3.identity.sign_key));
	org_release(&o);
}

/* ---- M-8, M-9: what the removed gained, and root --------------------------- */

static void a_removal_beats_a_concurrent_promotion(void **state)
{
	const struct statement *promotion;
	struct org o;

	org_init(&o, 1);
	promotion = say_admin(&o.w, BY(&o.ann), BASE, &o.cat, true);
	assert_verdict(&o, promotion, "stands");
	say_admin(&o.w, BY(&o.bob), BASE, &o.cat, false);
	assert_verdict(&o, promotion, "overruled");
	assert_false(trust_node(o.t, &o.cat.node)->is_admin);
	org_release(&o);

	org_init(&o, 1);
	promotion = say_admin(&o.w, BY(&o.ann), BASE, &o.cat, true);
	say_revoke(&o.w, BY(&o.bob), BASE, &o.cat, NO_CUTS);
	assert_verdict(&o, promotion, "overruled");
	org_release(&o);
}

static void of_two_roles_at_once_the_lower_holds(void **state)
{
	const struct statement *high, *low;
	struct org o;

	org_init(&o, 1);
	high = say_grant(&o.w, BY(&o.ann), BASE, &o.space, "DDD", ROLE_MANAGER, NO_CUTS);
	low = say_grant(&o.w, BY(&o.bob), BASE, &o.space, "DDD", ROLE_READER, NO_CUTS);
	assert_verdict(&o, high, "overruled");
	assert_verdict(&o, low, "stands");
	assert_int_equal(trust_role(o.t, &o.space, "DDD"), ROLE_READER);
	org_release(&o);
}

static void revocation_beats_a_new_epoch(void **state)
{
	const struct statement *epoch;
	struct actor next;
	struct org o;

	org_init(&o, 1);
	next = actor_restored(&o.cat, 13);
	epoch = say_epoch(&o.w, BY(&o.cat), BASE, &next, EPOCH_RESTORED, NULL);
	say_revoke(&o.w, BY(&o.bob), BASE, &o.cat, NO_CUTS);
	assert_verdict(&o, epoch, "overruled");
	assert_true(trust_epoch(o.t, &next.identity.replica)->is_void);
	org_release(&o);
}

static void root_is_not_overruled_by_admins(void **state)
{
	const struct statement *by_root, *by_admin;
	struct org o;

	org_init(&o, 1);
	by_root = say_admin(&o.w, BY(&o.root), BASE, &o.cat, true);
	by_admin = say_admin(&o.w, BY(&o.bob), BASE, &o.cat, false);
	assert_verdict(&o, by_root, "stands");
	assert_verdict(&o, by_admin, "overruled");
	by_root = say_grant(&o.w, BY(&o.root), BASE, &o.space, "DDD", ROLE_EDITOR, NO_CUTS);
	by_admin = say_grant(&o.w, BY(&o.bob), BASE, &o.space, "DDD", ROLE_NONE, NO_CUTS);
	assert_verdict(&o, by_root, "stands");
	assert_verdict(&o, by_admin, "overruled");
	org_release(&o);
}

/* ---- M-10: rivals ---------------------------------------------------------- */

static void of_two_epochs_at_once_the_lower_id_stands(void **state)
{
	const struct statement *a, *b;
	struct actor next[2];
	struct org o;

	org_init(&o, 1);
	next[0] = actor_restored(&o.cat, 13);
	next[1] = actor_restored(&o.cat, 14);
	a = say_epoch(&o.w, BY(&o.cat), BASE, &next[0], EPOCH_RESTORED, NULL);
	b = say_epoch(&o.w, BY(&o.cat), BASE, &next[1], EPOCH_RESTORED, NULL);
	assert_verdict(&o, a, is_lower(a, b) ? "stands" : "overruled");
	assert_verdict(&o, b, is_lower(a, b) ? "overruled" : "stands");
	assert_memory_equal(trust_node(o.t, &o.cat.node)->current.bytes,
			    next[!is_lower(a, b)].identity.replica.bytes, ID_BYTES);
	org_release(&o);
}

static void of_two_admissions_of_one_key_roots_stands(void **state)
{
	for (unsigned i = 0; i < 16; i++) {
		const struct statement *by_admin, *by_root;
		struct actor same_key;
		struct org o;

		org_init(&o, 1);
		o.w.now_ms += i; /* other ids */
		actor_init(&same_key, 14, "EEE");
		memcpy(same_key.identity.noise_key, o.dan.identity.noise_key, NOISE_KEY_BYTES);
		by_admin = say_admit(&o.w, BY(&o.ann), BASE, &o.dan, false);
		by_root = say_admit(&o.w, BY(&o.root), BASE, &same_key, false);
		assert_verdict(&o, by_admin, "overruled");
		assert_verdict(&o, by_root, "stands");
		assert_true(trust_epoch(o.t, &o.dan.identity.replica)->is_void);
		org_release(&o);
	}
}

static void of_two_lists_of_roots_at_once_one_holds(void **state)
{
	const struct statement *a, *b;
	struct org o;

	org_init(&o, 1);
	a = say_roots(&o.w, BY(&o.root), BASE, 1, ROOTS(&o.root, &o.root2));
	b = say_roots(&o.w, BY(&o.root), BASE, 1, ROOTS(&o.root, &o.root3));
	assert_verdict(&o, a, is_lower(a, b) ? "stands" : "overruled");
	assert_verdict(&o, b, is_lower(a, b) ? "overruled" : "stands");
	org_release(&o);
}

/* ---- M-11: circles --------------------------------------------------------- */

static void of_two_that_remove_each_other_one_stays(void **state)
{
	const struct statement *a, *b;
	struct org o;

	org_init(&o, 1);
	a = say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, NO_CUTS);
	b = say_revoke(&o.w, BY(&o.bob), BASE, &o.ann, NO_CUTS);
	assert_verdict(&o, a, is_lower(a, b) ? "stands" : "overruled");
	assert_verdict(&o, b, is_lower(a, b) ? "overruled" : "stands");
	org_release(&o);
}

static void a_third_removal_ends_a_duel(void **state)
{
	const struct statement *a, *b;
	struct org o;

	org_init(&o, 1);
	a = say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, NO_CUTS);
	b = say_revoke(&o.w, BY(&o.bob), BASE, &o.ann, NO_CUTS);
	say_revoke(&o.w, BY(&o.root), BASE, &o.ann, NO_CUTS);
	assert_verdict(&o, a, "overruled");
	assert_verdict(&o, b, "stands");
	org_release(&o);
}

static void of_three_that_remove_each_other_in_a_ring_one_stays(void **state)
{
	struct org o;
	unsigned revoked;

	org_init(&o, 1);
	o.base = say_admin(&o.w, BY(&o.ann), BASE, &o.cat, true);
	say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, NO_CUTS);
	say_revoke(&o.w, BY(&o.bob), BASE, &o.cat, NO_CUTS);
	say_revoke(&o.w, BY(&o.cat), BASE, &o.ann, NO_CUTS);
	fold(&o);
	revoked = trust_node(o.t, &o.ann.node)->is_revoked +
		  trust_node(o.t, &o.bob.node)->is_revoked +
		  trust_node(o.t, &o.cat.node)->is_revoked;
	assert_int_equal(revoked, 1);
	org_release(&o);
}

/* Bob removes Ann; beside it, Ann makes Cat an admin, who then removes Bob. */
static void in_a_circle_a_removal_goes_before_what_is_none(void **state)
{
	for (unsigned i = 0; i < 16; i++) {
		const struct statement *removal, *promotion;
		struct org o;

		org_init(&o, 1);
		o.w.now_ms += i; /* other ids */
		removal = say_revoke(&o.w, BY(&o.bob), BASE, &o.ann, NO_CUTS);
		promotion = say_admin(&o.w, BY(&o.ann), BASE, &o.cat, true);
		say_revoke(&o.w, BY(&o.cat), AFTER(promotion), &o.bob, NO_CUTS);
		assert_verdict(&o, removal, "stands");
		assert_verdict(&o, promotion, "overruled");
		org_release(&o);
	}
}

/* Whether Cat is an admin, and so may remove Dan, depends on the duel. Dan's own
 * removal of another takes no part in it, even with the lowest id: try many. */
static void a_dispute_is_settled_before_what_it_threatens(void **state)
{
	for (unsigned i = 0; i < 32; i++) {
		const struct statement *admit, *a, *b, *promotion, *removal, *deed;
		struct actor eve;
		struct org o;

		org_init(&o, 1);
		o.w.now_ms += i; /* other ids */
		actor_init(&eve, 5, "EEE");
		say_admit(&o.w, BY(&o.root), AFTER_ALL, &eve, false);
		admit = say_admit(&o.w, BY(&o.root), AFTER_ALL, &o.dan, true);
		promotion = say_admin(&o.w, BY(&o.bob), AFTER(admit), &o.cat, true);
		a = say_revoke(&o.w, BY(&o.ann), AFTER(admit), &o.bob, NO_CUTS);
		b = say_revoke(&o.w, BY(&o.bob), AFTER(admit), &o.ann, NO_CUTS);
		removal = say_revoke(&o.w, BY(&o.cat), AFTER(promotion), &o.dan, NO_CUTS);
		deed = say_revoke(&o.w, BY(&o.dan), AFTER(admit), &eve, NO_CUTS);
		assert_verdict(&o, removal, is_lower(b, a) ? "stands" : "no authority");
		assert_verdict(&o, deed, is_lower(b, a) ? "overruled" : "stands");
		org_release(&o);
	}
}

/* ---- M-12: the result ------------------------------------------------------ */

static void the_result_says_who_is_who(void **state)
{
	const struct trust_node *node;
	struct actor next;
	struct org o;

	org_init(&o, 1);
	o.dan.block = 7;
	say_admit(&o.w, BY(&o.ann), AFTER_ALL, &o.dan, true);
	next = actor_restored(&o.dan, 14);
	say_epoch(&o.w, BY(&o.dan), AFTER_ALL, &next, EPOCH_RESTORED, NULL);
	say_revoke(&o.w, BY(&o.cat), AFTER_ALL, &o.cat, NO_CUTS); /* leaves */
	fold(&o);
	node = trust_node(o.t, &o.dan.node);
	assert_string_equal(node->office_code, "DDD");
	assert_int_equal(node->block, 7);
	assert_true(node->is_admin);
	assert_memory_equal(node->current.bytes, next.identity.replica.bytes, ID_BYTES);
	assert_int_equal(node->since_ms, o.w.list[4]->wall_ms);
	assert_ptr_equal(trust_node_by_sign_key(o.t, o.dan.identity.sign_key), node);
	assert_null(trust_node_by_noise_key(o.t, o.cat.identity.noise_key));
	assert_int_equal(trust_role(o.t, &o.directory, "DDD"), ROLE_EDITOR);
	assert_int_equal(trust_role(o.t, &o.directory, "CCC"), ROLE_NONE);
	assert_int_equal(trust_role(o.t, &o.space, "AAA"), ROLE_MANAGER);
	assert_memory_equal(o.t->org, o.w.list[0]->id.bytes, ORG_ID_BYTES);
	assert_int_equal(o.t->statement_count, o.w.count);
	org_release(&o);
}

static void heads_are_what_nobody_has_seen(void **state)
{
	const struct statement *a, *b;
	uint8_t before[STATEMENT_ID_BYTES];
	struct org o;

	org_init(&o, 1);
	fold(&o);
	assert_int_equal(o.t->head_count, 1);
	assert_memory_equal(o.t->heads, &o.base->id, STATEMENT_ID_BYTES);
	memcpy(before, o.t->digest, sizeof(before));
	a = say_admin(&o.w, BY(&o.ann), BASE, &o.cat, true);
	b = say_admin(&o.w, BY(&o.bob), BASE, &o.cat, true);
	say_fork(&o.w, &o.cat, &o.space, 3);
	fold(&o);
	assert_int_equal(o.t->head_count, 2);
	assert_memory_equal(&o.t->heads[0], is_lower(a, b) ? &a->id : &b->id, STATEMENT_ID_BYTES);
	assert_memory_not_equal(before, o.t->digest, sizeof(before));
	org_release(&o);
}

/* ---- Lists that are none --------------------------------------------------- */

static enum err fold_list(const struct statement *const *list, size_t count)
{
	struct trust *t = NULL;
	struct errmsg msg = { 0 };
	uint8_t verdicts[LIST_MAX];
	enum err rc = trust_fold(&t, list, count, verdicts, &msg);

	assert_true((rc == OK) == (t != NULL));
	trust_free(t);
	return rc;
}

static void malformed_lists_are_refused(void **state)
{
	const struct statement *fork, *a, *b, *c, *genesis;
	struct statement orphan, of_fork, twin;
	struct org o;

	org_init(&o, 1);
	fork = say_fork(&o.w, &o.bob, &o.space, 5);
	genesis = o.w.list[0];
	a = o.w.list[1];
	b = o.w.list[2];
	c = o.w.list[3];
	orphan = of_fork = *a;
	orphan.parent_count = 0;
	of_fork.parents = &fork->id;
	twin = *genesis;
	twin.id.bytes[0]++;

#define FOLD(...) fold_list(AFTER(__VA_ARGS__), sizeof(AFTER(__VA_ARGS__)) / sizeof(a) - 1)
	assert_int_equal(FOLD(genesis, a, b, c, fork), OK);
	assert_int_equal(fold_list(&genesis, 0), ERR_INVALID);
	assert_int_equal(FOLD(fork), ERR_INVALID); /* no genesis */
	assert_int_equal(FOLD(genesis, &twin), ERR_INVALID);
	assert_int_equal(FOLD(genesis, b), ERR_INVALID); /* a parent is missing */
	assert_int_equal(FOLD(genesis, b, a), ERR_INVALID);
	assert_int_equal(FOLD(genesis, a, a), ERR_INVALID);
	assert_int_equal(FOLD(genesis, &orphan), ERR_INVALID);
	assert_int_equal(FOLD(genesis, fork, &of_fork), ERR_INVALID);
#undef FOLD
	org_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_admins_and_root_admit),
		cmocka_unit_test(root_needs_as_many_keys_as_the_threshold_says),
		cmocka_unit_test(what_follows_from_what_fell_falls),
		cmocka_unit_test(a_capacity_must_be_seen_to_be_used),
		cmocka_unit_test(an_old_key_signs_no_more),
		cmocka_unit_test(an_epoch_is_signed_by_its_node_and_by_its_own_key),
		cmocka_unit_test(any_member_makes_a_space_and_no_one_else),
		cmocka_unit_test(a_manager_grants_roles_in_its_own_space_alone),
		cmocka_unit_test(an_adoption_needs_authority_for_each_of_its_feeds),
		cmocka_unit_test(a_node_and_its_keys_are_admitted_once),
		cmocka_unit_test(who_fell_may_be_admitted_again),
		cmocka_unit_test(nothing_is_said_of_what_was_never_named),
		cmocka_unit_test(a_second_revocation_may_cut_lower),
		cmocka_unit_test(a_removal_undoes_what_was_done_beside_it),
		cmocka_unit_test(each_removal_takes_no_more_than_it_says),
		cmocka_unit_test(a_space_outlives_who_made_it),
		cmocka_unit_test(what_two_signed_outlives_one_of_them),
		cmocka_unit_test(root_keys_that_are_replaced_lose_what_they_did_beside_it),
		cmocka_unit_test(a_removal_beats_a_concurrent_promotion),
		cmocka_unit_test(of_two_roles_at_once_the_lower_holds),
		cmocka_unit_test(revocation_beats_a_new_epoch),
		cmocka_unit_test(root_is_not_overruled_by_admins),
		cmocka_unit_test(of_two_epochs_at_once_the_lower_id_stands),
		cmocka_unit_test(of_two_admissions_of_one_key_roots_stands),
		cmocka_unit_test(of_two_lists_of_roots_at_once_one_holds),
		cmocka_unit_test(of_two_that_remove_each_other_one_stays),
		cmocka_unit_test(a_third_removal_ends_a_duel),
		cmocka_unit_test(of_three_that_remove_each_other_in_a_ring_one_stays),
		cmocka_unit_test(in_a_circle_a_removal_goes_before_what_is_none),
		cmocka_unit_test(a_dispute_is_settled_before_what_it_threatens),
		cmocka_unit_test(the_result_says_who_is_who),
		cmocka_unit_test(heads_are_what_nobody_has_seen),
		cmocka_unit_test(malformed_lists_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
