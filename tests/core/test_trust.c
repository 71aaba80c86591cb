#include "core/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/trust_impl.h"
#include "tests/support/statements.h"

enum { LIST_MAX = EPOCHS_MAX + 64 };

/* Root; Ann and Bob, admins; Cat, none. Offices AAA manager, BBB editor, CCC reader of
 * a space. What follows is said after `base` unless it says otherwise. */
struct org {
	struct statements w;
	struct actor root, root2, root3;
	struct actor ann, bob, cat, dan;
	struct space_id directory, space;
	const struct statement *base;
	uint32_t epochs_max; /* 0: EPOCHS_MAX */
	struct trust *t;     /* after fold() */
	uint8_t verdicts[LIST_MAX];
};

static void org_init(struct org *o, unsigned threshold)
{
	const struct statement *genesis;

	*o = (struct org){ .t = NULL };
	statements_init(&o->w, 1);
	o->w.is_unsigned = true;
	actor_init(&o->root, 100, "");
	actor_init(&o->root2, 101, "");
	actor_init(&o->root3, 102, "");
	actor_init(&o->ann, 1, "AAA");
	actor_init(&o->bob, 2, "BBB");
	actor_init(&o->cat, 3, "CCC");
	actor_init(&o->dan, 4, "DDD");
	genesis = say_genesis(&o->w, &o->ann, threshold, ROOTS(&o->root, &o->root2, &o->root3));
	o->directory = statement_space(&genesis->id);
	say_admit(&o->w, BY(&o->ann), AFTER_ALL, &o->bob, true);
	say_admit(&o->w, BY(&o->ann), AFTER_ALL, &o->cat, false);
	o->base = say_space(
		&o->w, BY(&o->ann), AFTER_ALL,
		OFFICES({ "AAA", ROLE_MANAGER }, { "BBB", ROLE_EDITOR }, { "CCC", ROLE_READER }));
	o->space = statement_space(&o->base->id);
}

static void org_release(struct org *o)
{
	trust_free(o->t);
	statements_release(&o->w);
}

static const struct trust *fold(struct org *o)
{
	struct errmsg msg = { 0 };

	trust_free(o->t);
	o->t = NULL;
	assert_true(o->w.count <= LIST_MAX);
	assert_int_equal(trust_fold_within(&o->t, o->w.list, o->w.count,
					   o->epochs_max ? o->epochs_max : EPOCHS_MAX, o->verdicts,
					   &msg),
			 OK);
	return o->t;
}

/* By what has been said so far. */
static const char *verdict(struct org *o, const struct statement *s)
{
	size_t i = 0;

	fold(o);
	while (o->w.list[i] != s)
		i++;
	return verdict_name((enum verdict)o->verdicts[i]);
}

#define assert_verdict(o, s, name) assert_string_equal(verdict(o, s), name)

/* Of two, which has the lower id. */
static bool is_lower(const struct statement *a, const struct statement *b)
{
	return statement_id_cmp(&a->id, &b->id) < 0;
}

#define BASE AFTER(o.base)

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

/* ---- M-14: cuts ------------------------------------------------------------ */

static struct trust_cut cut_of(struct org *o, const struct actor *a, const struct space_id *space)
{
	fold(o);
	return trust_cut(o->t, &a->identity.replica, space);
}

static void assert_cut(struct org *o, const struct actor *a, const struct space_id *space,
		       uint64_t seq, const char *cause)
{
	struct trust_cut cut = cut_of(o, a, space);

	assert_int_equal(cut.seq, seq);
	assert_string_equal(cut_cause_name(cut.cause), cause);
}

static void a_feed_of_a_member_counts_as_a_whole(void **state)
{
	struct org o;

	org_init(&o, 1);
	assert_cut(&o, &o.bob, &o.space, UINT64_MAX, "none");
	assert_cut(&o, &o.cat, &o.directory, UINT64_MAX, "none");
	assert_int_equal(o.t->cut_count, 0);
	org_release(&o);
}

static void a_feed_that_nobody_named_does_not_count(void **state)
{
	struct org o;

	org_init(&o, 1);
	assert_cut(&o, &o.dan, &o.directory, 0, "void");
	org_release(&o);
}

static void a_revocation_cuts_where_it_says_and_else_everything(void **state)
{
	struct trust_cut got;
	struct cut named;
	struct org o;

	org_init(&o, 1);
	named = cut_at(&o.bob, &o.space, 7, 0);
	say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, CUTS(named));
	got = cut_of(&o, &o.bob, &o.space);
	assert_int_equal(got.seq, 7);
	assert_true(got.has_link);
	assert_memory_equal(got.link, named.link, LINK_BYTES);
	assert_cut(&o, &o.bob, &o.directory, 0, "revoked");
	assert_false(cut_of(&o, &o.bob, &o.directory).has_link);
	org_release(&o);
}

static void the_lowest_of_several_cuts_counts(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_revoke(&o.w, BY(&o.ann), BASE, &o.cat, CUTS(cut_at(&o.cat, &o.directory, 7, 0)));
	say_revoke(&o.w, BY(&o.bob), BASE, &o.cat, CUTS(cut_at(&o.cat, &o.directory, 5, 0)));
	assert_cut(&o, &o.cat, &o.directory, 5, "revoked");
	org_release(&o);
}

static void an_epoch_closes_those_before_it_if_it_says_so(void **state)
{
	struct cut named;
	struct cuts cuts = { &named, 1 };
	struct actor next, last;
	struct org o;

	org_init(&o, 1);
	named = cut_at(&o.bob, &o.space, 9, 0);
	next = actor_restored(&o.bob, 12);
	last = actor_rotated(&o.bob, 13);
	say_epoch(&o.w, BY(&o.bob), AFTER_ALL, &next, EPOCH_RESTORED, NULL);
	assert_cut(&o, &o.bob, &o.space, UINT64_MAX, "none");
	say_epoch(&o.w, BY(&o.bob, &last), AFTER_ALL, &last, EPOCH_ROTATED, &cuts);
	assert_cut(&o, &o.bob, &o.space, 9, "closed");
	assert_cut(&o, &next, &o.space, 0, "closed");
	assert_cut(&o, &last, &o.space, UINT64_MAX, "none");
	org_release(&o);
}

/* Bob goes on `times` times. */
static struct actor goes_on(struct org *o, unsigned times)
{
	struct actor now = o->bob;

	for (unsigned i = 0; i < times; i++) {
		struct actor next = actor_restored(&now, 300 + i);

		say_epoch(&o->w, BY(&now), AFTER_ALL, &next, EPOCH_RESTORED, NULL);
		now = next;
	}
	return now;
}

static void an_epoch_too_many_counts_nowhere(void **state)
{
	struct actor last, next;
	struct org o;

	org_init(&o, 1);
	last = goes_on(&o, EPOCHS_MAX - 1);
	assert_cut(&o, &last, &o.space, UINT64_MAX, "none");
	next = actor_restored(&last, 12);
	assert_verdict(&o, say_epoch(&o.w, BY(&last), AFTER_ALL, &next, EPOCH_RESTORED, NULL),
		       "stands");
	assert_cut(&o, &next, &o.space, 0, "surplus");
	assert_cut(&o, &last, &o.space, UINT64_MAX, "none");
	assert_cut(&o, &o.bob, &o.space, UINT64_MAX, "none");
	assert_int_equal(trust_node(o.t, &o.bob.node)->epoch_count, EPOCHS_MAX + 1);
	org_release(&o);
}

static void nobody_adopts_of_an_epoch_too_many(void **state)
{
	struct actor last;
	struct org o;

	org_init(&o, 1);
	o.epochs_max = 2;
	last = goes_on(&o, 2);
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(cut_at(&last, &o.space, 5, 0)));
	say_adopt(&o.w, BY(&last), AFTER_ALL, CUTS(cut_at(&last, &o.directory, 5, 0)));
	assert_cut(&o, &last, &o.space, 0, "surplus");
	assert_cut(&o, &last, &o.directory, 0, "surplus");
	org_release(&o);
}

/* Who has a key that was replaced can say EPOCH with it, and that uses up nothing. */
static void only_epochs_that_stand_are_counted(void **state)
{
	struct actor fresh, next;
	struct org o;

	org_init(&o, 1);
	o.epochs_max = 3;
	fresh = actor_rotated(&o.bob, 13);
	say_epoch(&o.w, BY(&o.bob, &fresh), AFTER_ALL, &fresh, EPOCH_ROTATED, &(struct cuts){ 0 });
	goes_on(&o, 4);
	next = actor_restored(&fresh, 14);
	say_epoch(&o.w, BY(&fresh), AFTER_ALL, &next, EPOCH_RESTORED, NULL);
	assert_cut(&o, &next, &o.space, UINT64_MAX, "none");
	org_release(&o);
}

static void a_fork_cuts_before_it_in_its_space_alone(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_fork(&o.w, &o.bob, &o.space, 5);
	assert_cut(&o, &o.bob, &o.space, 4, "forked");
	assert_false(cut_of(&o, &o.bob, &o.space).has_link);
	assert_cut(&o, &o.bob, &o.directory, UINT64_MAX, "none");
	org_release(&o);
}

static void who_may_not_write_does_not_count(void **state)
{
	struct org o;

	org_init(&o, 1);
	assert_cut(&o, &o.cat, &o.space, 0, "role");
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "CCC", ROLE_EDITOR, NO_CUTS);
	assert_cut(&o, &o.cat, &o.space, UINT64_MAX, "none");
	org_release(&o);
}

static void who_loses_its_role_counts_up_to_there_until_it_is_given_again(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_READER,
		  CUTS(cut_at(&o.bob, &o.space, 6, 0)));
	assert_cut(&o, &o.bob, &o.space, 6, "role");
	/* It took nothing more that could be written. */
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_NONE, NO_CUTS);
	assert_cut(&o, &o.bob, &o.space, 6, "role");
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_EDITOR, NO_CUTS);
	assert_cut(&o, &o.bob, &o.space, UINT64_MAX, "none");
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_NONE,
		  CUTS(cut_at(&o.bob, &o.space, 8, 0)));
	assert_cut(&o, &o.bob, &o.space, 8, "role");
	org_release(&o);
}

static void a_space_made_in_vain_gives_no_roles(void **state)
{
	const struct statement *space;
	struct space_id id;
	struct org o;

	org_init(&o, 1);
	space = say_space(&o.w, BY(&o.dan), BASE, OFFICES({ "AAA", ROLE_EDITOR }));
	id = statement_space(&space->id);
	say_grant(&o.w, BY(&o.ann), AFTER(space), &id, "BBB", ROLE_MANAGER, NO_CUTS);
	assert_cut(&o, &o.bob, &id, 0, "role");
	assert_cut(&o, &o.ann, &id, 0, "role");
	assert_int_equal(trust_role(o.t, &id, "BBB"), ROLE_NONE);
	org_release(&o);
}

static void what_was_admitted_in_vain_does_not_count(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_admit(&o.w, BY(&o.cat), BASE, &o.dan, false);
	assert_cut(&o, &o.dan, &o.directory, 0, "void");
	assert_cut(&o, &o.dan, &o.space, 0, "role"); /* comes before void in M-14 */
	org_release(&o);
}

/* ---- M-15, M-16: adoption -------------------------------------------------- */

static void an_adoption_lifts_what_it_has_seen(void **state)
{
	struct trust_cut got;
	struct cut adopted;
	struct org o;

	org_init(&o, 1);
	adopted = cut_at(&o.bob, &o.space, 8, 1);
	say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, CUTS(cut_at(&o.bob, &o.space, 5, 0)));
	say_adopt(&o.w, BY(&o.ann), BASE, CUTS(adopted)); /* has not seen it */
	assert_cut(&o, &o.bob, &o.space, 5, "revoked");
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(adopted));
	got = cut_of(&o, &o.bob, &o.space);
	assert_int_equal(got.seq, 8);
	assert_memory_equal(got.link, adopted.link, LINK_BYTES);
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 7, 0)));
	assert_cut(&o, &o.bob, &o.space, 8, "revoked");
	say_revoke(&o.w, BY(&o.ann), AFTER_ALL, &o.bob, CUTS(cut_at(&o.bob, &o.space, 6, 0)));
	assert_cut(&o, &o.bob, &o.space, 6, "revoked");
	org_release(&o);
}

static void an_adoption_settles_a_fork_and_says_which_branch(void **state)
{
	struct cut a, b;
	struct org o;

	org_init(&o, 1);
	a = cut_at(&o.bob, &o.space, 8, 1);
	b = cut_at(&o.bob, &o.space, 8, 2);
	say_adopt(&o.w, BY(&o.bob), BASE, CUTS(a));
	say_fork(&o.w, &o.bob, &o.space, 5);
	assert_cut(&o, &o.bob, &o.space, 8, "forked");
	assert_memory_equal(cut_of(&o, &o.bob, &o.space).link, a.link, LINK_BYTES);
	say_adopt(&o.w, BY(&o.bob), BASE, CUTS(b));
	assert_memory_equal(cut_of(&o, &o.bob, &o.space).link,
			    memcmp(a.link, b.link, LINK_BYTES) < 0 ? a.link : b.link, LINK_BYTES);
	org_release(&o);
}

static void who_lost_its_role_adopts_nothing_of_its_own(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_admin(&o.w, BY(&o.ann), AFTER_ALL, &o.bob, false);
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_READER, NO_CUTS);
	say_adopt(&o.w, BY(&o.bob), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 9, 0)));
	assert_cut(&o, &o.bob, &o.space, 0, "role");
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 7, 0)));
	assert_cut(&o, &o.bob, &o.space, 7, "role");
	org_release(&o);
}

static void what_was_admitted_in_vain_can_be_adopted(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_admit(&o.w, BY(&o.cat), BASE, &o.dan, false);
	say_adopt(&o.w, BY(&o.ann), BASE, CUTS(cut_at(&o.dan, &o.directory, 3, 0)));
	assert_cut(&o, &o.dan, &o.directory, 3, "void");
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

/* ---- At random ------------------------------------------------------------- */

/* Actors and spaces that were named, known to the fold or not. */
struct crowd {
	struct org *o;
	struct prng prng;
	struct actor actors[64];
	unsigned actor_count;
	struct space_id spaces[64];
	unsigned space_count;
};

static struct actor *anyone(struct crowd *c)
{
	return &c->actors[prng_below(&c->prng, c->actor_count)];
}

static const char *any_office(struct crowd *c)
{
	static const char *const codes[] = { "AAA", "BBB", "CCC", "DDD" };

	return codes[prng_below(&c->prng, 4)];
}

static const struct actor *newcomer(struct crowd *c, struct actor actor)
{
	c->actors[c->actor_count++] = actor;
	return &c->actors[c->actor_count - 1];
}

static bool is_same_key(const struct actor *a, const struct actor *b)
{
	return memcmp(a->identity.sign_key, b->identity.sign_key, SIGN_PUBLIC_BYTES) == 0;
}

/* One or two, of different feeds of the space; NULL: of any. */
static struct cuts any_cuts(struct crowd *c, const struct space_id *space, struct cut cuts[2])
{
	struct cuts list = { cuts, 1 + prng_below(&c->prng, 2) };

	for (size_t i = 0; i < list.count; i++) {
		const struct space_id *in = &c->spaces[prng_below(&c->prng, c->space_count)];

		cuts[i] = cut_at(anyone(c), space ? space : in, 1 + prng_below(&c->prng, 6),
				 (unsigned)prng_below(&c->prng, 2));
	}
	if (list.count == 2 && cut_cmp(&cuts[0], &cuts[1]) == 0)
		list.count = 1;
	return list;
}

static void say_epoch_of_someone(struct crowd *c, const struct statement *const *after)
{
	struct actor old = *anyone(c);
	unsigned number = 200 + (unsigned)prng_below(&c->prng, 40);
	const struct actor *next;
	struct cut cuts[2];
	struct cuts list = any_cuts(c, NULL, cuts);

	next = newcomer(c, prng_chance(&c->prng, 50) ? actor_restored(&old, number)
						     : actor_rotated(&old, number));
	say_epoch(&c->o->w, is_same_key(&old, next) ? BY(&old) : BY(&old, next), after, next,
		  EPOCH_ROTATED, prng_chance(&c->prng, 50) ? &list : NULL);
}

static void say_grant_to_someone(struct crowd *c, const struct actor *const *by,
				 const struct statement *const *after)
{
	const struct space_id *space = &c->spaces[prng_below(&c->prng, c->space_count)];
	enum role role = (enum role)prng_below(&c->prng, ROLE_COUNT);
	struct cut cuts[2];
	struct cuts list = any_cuts(c, space, cuts);

	say_grant(&c->o->w, by, after, space, any_office(c), role,
		  role < ROLE_EDITOR ? list : NO_CUTS);
}

static void say_anything(struct crowd *c, const struct actor *const *by,
			 const struct statement *const *after)
{
	struct statements *w = &c->o->w;
	struct cut cuts[2];
	struct cuts list = any_cuts(c, NULL, cuts);
	struct actor actor = *anyone(c);

	switch (prng_below(&c->prng, 12)) {
	case 0:
	case 1:
		actor_init(&actor, 20 + (unsigned)prng_below(&c->prng, 20), any_office(c));
		say_admit(w, by, after, newcomer(c, actor), prng_chance(&c->prng, 50));
		break;
	case 2: say_admit(w, by, after, &actor, true); break;
	case 3:
	case 4: say_admin(w, by, after, &actor, prng_chance(&c->prng, 50)); break;
	case 5:
	case 6: say_revoke(w, by, after, &actor, list); break;
	case 7: say_epoch_of_someone(c, after); break;
	case 8: say_adopt(w, by, after, list); break;
	case 9:
		c->spaces[c->space_count++] = statement_space(
			&say_space(w, by, after,
				   OFFICES({ "AAA", (enum role)(1 + prng_below(&c->prng, 3)) },
					   { "BBB", (enum role)(1 + prng_below(&c->prng, 3)) }))
				 ->id);
		break;
	case 10:
		if (prng_chance(&c->prng, 30)) {
			say_roots(w, BY(&c->o->root), after, 1, ROOTS(&c->o->root, &c->o->root2));
			break;
		}
		/* fall through */
	default: say_grant_to_someone(c, by, after); break;
	}
}

static bool is_said_before(const struct statements *w, const struct statement *s)
{
	for (size_t i = 0; w->list[i] != s; i++)
		if (statement_id_cmp(&w->list[i]->id, &s->id) == 0)
			return true;
	return false;
}

/* Among the newest; of FORKs, what was said before them. */
static const struct statement *something_said(struct crowd *c)
{
	const struct statements *w = &c->o->w;
	size_t at = w->count - 1 - prng_below(&c->prng, 4);

	while (w->list[at]->type == STATEMENT_FORK)
		at--;
	return w->list[at];
}

/* `all_percent` have seen everything; with forks, which are nobody's parents, none. */
static void crowd_says(struct crowd *c, struct org *o, uint64_t seed, unsigned count,
		       unsigned all_percent, bool with_forks)
{
	*c = (struct crowd){ .o = o };
	o->epochs_max = 2;
	prng_init(&c->prng, seed);
	c->spaces[c->space_count++] = o->directory;
	c->spaces[c->space_count++] = o->space;
	newcomer(c, o->ann);
	newcomer(c, o->bob);
	newcomer(c, o->cat);
	while (o->w.count < count) {
		bool sees_all = !with_forks && prng_chance(&c->prng, all_percent);
		const struct statement *a = something_said(c), *b = something_said(c);
		struct actor by = prng_chance(&c->prng, 15) ? o->root : *anyone(c);

		if (with_forks && prng_chance(&c->prng, 10))
			say_fork(&o->w, anyone(c), &c->spaces[prng_below(&c->prng, c->space_count)],
				 1 + prng_below(&c->prng, 6));
		else
			say_anything(c, BY(&by),
				     sees_all ? AFTER_ALL : AFTER(a, a == b ? NULL : b));
		if (is_said_before(&o->w, o->w.list[o->w.count - 1]))
			o->w.count--;
	}
}

static struct buf encoded(const struct trust *t)
{
	struct buf out = BUF_EMPTY;

	trust_encode(&out, t);
	assert_int_equal(buf_check(&out), OK);
	return out;
}

static void assert_same(const struct trust *a, const struct trust *b)
{
	struct buf x = encoded(a), y = encoded(b);

	assert_int_equal(x.size, y.size);
	assert_memory_equal(x.data, y.data, x.size);
	assert_memory_equal(a->digest, b->digest, sizeof(a->digest));
	buf_release(&x);
	buf_release(&y);
}

/* In another order, each after its parents. */
static void shuffle(struct prng *prng, const struct statements *w, const struct statement **out)
{
	bool is_out[LIST_MAX] = { true };
	size_t count = 1;

	out[0] = w->list[0];
	while (count < w->count) {
		size_t i = prng_below(prng, w->count);
		size_t seen = 0;

		for (size_t p = 0; p < w->list[i]->parent_count; p++)
			for (size_t j = 0; j < count; j++)
				seen += statement_id_cmp(&out[j]->id, &w->list[i]->parents[p]) == 0;
		if (!is_out[i] && seen == w->list[i]->parent_count) {
			is_out[i] = true;
			out[count++] = w->list[i];
		}
	}
}

enum { WORLDS = 200, WORLD_STATEMENTS = 36 };

static void the_order_of_arrival_does_not_show(void **state)
{
	uint64_t seed = prng_seed_from_environment();

	for (unsigned i = 0; i < WORLDS; i++) {
		const struct statement *list[LIST_MAX];
		uint8_t verdicts[LIST_MAX];
		struct errmsg msg = { 0 };
		struct trust *other;
		struct crowd c;
		struct org o;

		org_init(&o, 1);
		crowd_says(&c, &o, seed + i, WORLD_STATEMENTS, 20, true);
		fold(&o);
		shuffle(&c.prng, &o.w, list);
		assert_int_equal(
			trust_fold_within(&other, list, o.w.count, o.epochs_max, verdicts, &msg),
			OK);
		assert_same(o.t, other);
		for (size_t x = 0; x < o.w.count; x++)
			for (size_t y = 0; y < o.w.count; y++)
				if (list[y] == o.w.list[x])
					assert_int_equal(o.verdicts[x], verdicts[y]);
		trust_free(other);
		org_release(&o);
	}
}

/* One after the other; how many could be extended. */
static unsigned extend_all(struct org *o)
{
	unsigned extended = 0;
	size_t count = o->w.count;
	struct trust *t;

	o->w.count = 4;
	fold(o);
	while (o->w.count < count) {
		const struct statement *s = o->w.list[o->w.count++];
		enum verdict verdict = VERDICT_COUNT;
		struct errmsg msg = { 0 };
		struct buf before;
		enum err rc;

		t = o->t;
		o->t = NULL;
		before = encoded(t);
		rc = trust_extend(t, s, &verdict, &msg);
		fold(o);
		if (rc == OK) {
			assert_int_equal(verdict, o->verdicts[o->w.count - 1]);
			assert_same(t, o->t);
			extended++;
		} else {
			struct buf after = encoded(t);

			assert_int_equal(rc, ERR_INVALID);
			assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
			buf_release(&after);
		}
		buf_release(&before);
		trust_free(t);
	}
	return extended;
}

static void extending_is_folding_anew(void **state)
{
	uint64_t seed = prng_seed_from_environment();
	unsigned extended = 0;

	for (unsigned i = 0; i < WORLDS; i++) {
		struct crowd c;
		struct org o;

		org_init(&o, 1);
		crowd_says(&c, &o, seed + i, WORLD_STATEMENTS, i % 2 ? 100 : 50, i % 8 == 0);
		extended += extend_all(&o);
		org_release(&o);
	}
	assert_true(extended > WORLDS * WORLD_STATEMENTS / 4);
}

static void what_has_not_seen_all_does_not_extend(void **state)
{
	const struct statement *late, *fork;
	enum verdict verdict;
	struct errmsg msg = { 0 };
	struct org o;

	org_init(&o, 1);
	say_admin(&o.w, BY(&o.ann), BASE, &o.cat, true);
	fold(&o);
	late = say_admin(&o.w, BY(&o.ann), BASE, &o.bob, false);
	fork = say_fork(&o.w, &o.cat, &o.directory, 5);
	assert_int_equal(trust_extend(o.t, late, &verdict, &msg), ERR_INVALID);
	assert_int_equal(trust_extend(o.t, fork, &verdict, &msg), ERR_INVALID);
	org_release(&o);
}

/* Extend what there is by the statement said last, and compare. */
static enum err extend_by_last(struct org *o)
{
	const struct statement *s = o->w.list[o->w.count - 1];
	struct trust *t = o->t;
	struct errmsg msg = { 0 };
	enum verdict verdict;
	enum err rc;

	o->t = NULL;
	rc = trust_extend(t, s, &verdict, &msg);
	fold(o);
	if (rc == OK) {
		assert_same(t, o->t);
		assert_int_equal(verdict, o->verdicts[o->w.count - 1]);
	}
	trust_free(t);
	return rc;
}

static void what_could_raise_a_cut_is_folded_anew(void **state)
{
	struct org o;

	org_init(&o, 1);
	fold(&o);
	/* Below its role now, above it when that is given. */
	say_revoke(&o.w, BY(&o.ann), AFTER_ALL, &o.cat, CUTS(cut_at(&o.cat, &o.space, 5, 0)));
	assert_int_equal(extend_by_last(&o), OK);
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "CCC", ROLE_EDITOR, NO_CUTS);
	assert_int_equal(extend_by_last(&o), ERR_INVALID);
	/* It names a feed that nobody knows yet. */
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_READER,
		  CUTS(cut_at(&o.bob, &o.space, 3, 0), cut_at(&o.dan, &o.space, 4, 0)));
	assert_int_equal(extend_by_last(&o), OK);
	say_admit(&o.w, BY(&o.ann), AFTER_ALL, &o.dan, false);
	assert_int_equal(extend_by_last(&o), ERR_INVALID);
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 6, 0)));
	assert_int_equal(extend_by_last(&o), ERR_INVALID);
	org_release(&o);
}

/* Whichever of them is cut already, and by what else. */
static void a_loss_that_names_many_feeds_extends(void **state)
{
	enum { FEEDS = 6 };

	for (unsigned forked = 0; forked < FEEDS; forked++) {
		const struct statement *before = NULL;
		struct actor feeds[FEEDS];
		struct cut cuts[FEEDS];
		struct org o;

		org_init(&o, 1);
		for (unsigned i = 0; i < FEEDS; i++) {
			feeds[i] = actor_restored(&o.bob, 20 + i);
			cuts[i] = cut_at(&feeds[i], &o.space, 3, 0);
			before = say_epoch(&o.w, BY(&o.bob), AFTER_ALL, &feeds[i], EPOCH_RESTORED,
					   NULL);
		}
		say_fork(&o.w, &feeds[forked], &o.space, 5);
		fold(&o);
		say_grant(&o.w, BY(&o.ann), AFTER(before), &o.space, "BBB", ROLE_READER,
			  (struct cuts){ cuts, FEEDS });
		assert_int_equal(extend_by_last(&o), OK);
		org_release(&o);
	}
}

/* A FORK is seen by nobody: it may come before the space does. */
static void a_space_with_a_fork_in_it_is_folded_anew(void **state)
{
	const struct statement *space, *fork;
	struct space_id id;
	struct org o;

	org_init(&o, 1);
	space = say_space(&o.w, BY(&o.ann), AFTER_ALL, OFFICES({ "BBB", ROLE_EDITOR }));
	id = statement_space(&space->id);
	fork = say_fork(&o.w, &o.bob, &id, 5);
	o.w.list[o.w.count - 2] = fork;
	o.w.list[--o.w.count] = space;
	fold(&o);
	o.w.count++;
	assert_int_equal(extend_by_last(&o), ERR_INVALID);
	assert_cut(&o, &o.bob, &id, 4, "forked");
	org_release(&o);
}

static void a_second_admission_is_folded_anew(void **state)
{
	struct actor same_node;
	struct org o;

	org_init(&o, 1);
	fold(&o);
	same_node = actor_rotated(&o.cat, 13);
	say_admit(&o.w, BY(&o.ann), AFTER_ALL, &same_node, false);
	assert_int_equal(extend_by_last(&o), ERR_INVALID);
	org_release(&o);
}

static void too_few_roots_extend_in_vain(void **state)
{
	struct org o;

	org_init(&o, 2);
	fold(&o);
	say_admin(&o.w, BY(&o.root), AFTER_ALL, &o.cat, true);
	assert_int_equal(extend_by_last(&o), OK);
	assert_false(trust_node(o.t, &o.cat.node)->is_admin);
	say_admin(&o.w, BY(&o.root, &o.root2), AFTER_ALL, &o.cat, true);
	assert_int_equal(extend_by_last(&o), OK);
	assert_true(trust_node(o.t, &o.cat.node)->is_admin);
	org_release(&o);
}

/* ---- As bytes -------------------------------------------------------------- */

/* One of another version shows the fuzzer nothing. */
static void what_the_fuzzer_begins_with_decodes(void **state)
{
	static const char *const names[] = { "founded", "small", "roles", "cuts" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512];
		uint8_t bytes[4096];
		struct errmsg msg = { 0 };
		struct trust *t;
		FILE *file;
		size_t size;

		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/trust/%s", HUITONG_SOURCE_DIR,
			 names[i]);
		file = fopen(path, "rb");
		assert_non_null(file);
		size = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		assert_int_equal(trust_decode(&t, bytes_of(bytes, size), &msg), OK);
		trust_free(t);
	}
}

/* What a program looks up, and does not expect to miss. */
static void a_result_that_names_what_it_has_not_got_is_refused(void **state)
{
	struct errmsg msg = { 0 };
	struct trust *t = NULL;
	struct buf bytes;
	struct org o;

	org_init(&o, 1);
	fold(&o);
	o.t->heads[0].bytes[0] ^= 1;
	bytes = encoded(o.t);
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
	buf_release(&bytes);
	o.t->heads[0].bytes[0] ^= 1;
	for (size_t i = 0; i < o.t->node_count; i++) {
		struct replica_id current = o.t->nodes[i].current;

		o.t->nodes[i].current = o.t->nodes[(i + 1) % o.t->node_count].current;
		bytes = encoded(o.t);
		assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
		buf_release(&bytes);
		o.t->nodes[i].current = current;
	}
	org_release(&o);
}

static void what_was_encoded_decodes_to_the_same(void **state)
{
	for (unsigned i = 0; i < WORLDS / 4; i++) {
		struct errmsg msg = { 0 };
		struct trust *again;
		struct buf bytes;
		struct crowd c;
		struct org o;

		org_init(&o, 1);
		crowd_says(&c, &o, i, WORLD_STATEMENTS, 30, true);
		fold(&o);
		bytes = encoded(o.t);
		assert_int_equal(trust_decode(&again, buf_bytes(&bytes), &msg), OK);
		assert_same(o.t, again);
		for (unsigned a = 0; a < c.actor_count; a++)
			for (unsigned s = 0; s < c.space_count; s++) {
				const struct replica_id *r = &c.actors[a].identity.replica;
				struct trust_cut x = trust_cut(o.t, r, &c.spaces[s]);
				struct trust_cut y = trust_cut(again, r, &c.spaces[s]);

				assert_int_equal(x.seq, y.seq);
				assert_int_equal(x.cause, y.cause);
			}
		trust_free(again);
		buf_release(&bytes);
		org_release(&o);
	}
}

static void damaged_bytes_are_refused_or_mean_something(void **state)
{
	struct errmsg msg = { 0 };
	struct trust *t = NULL;
	struct buf bytes;
	struct crowd c;
	struct org o;

	org_init(&o, 1);
	crowd_says(&c, &o, 1, WORLD_STATEMENTS, 30, true);
	fold(&o);
	bytes = encoded(o.t);
	for (size_t size = 0; size < bytes.size; size++)
		assert_int_not_equal(trust_decode(&t, bytes_of(bytes.data, size), &msg), OK);
	assert_null(t);
	for (size_t i = 0; i < bytes.size; i++) {
		bytes.data[i] ^= 0xff;
		if (trust_decode(&t, buf_bytes(&bytes), &msg) == OK) {
			struct buf again = encoded(t);

			assert_true(bytes_equal(buf_bytes(&bytes), buf_bytes(&again)));
			buf_release(&again);
			trust_free(t);
			t = NULL;
		}
		bytes.data[i] ^= 0xff;
	}
	bytes.data[1] ^= 2; /* the version, after the array's head */
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_VERSION);
	bytes.data[1] ^= 2;
	memcpy(bytes.data + bytes.size - STATEMENT_ID_BYTES, /* the last id, twice */
	       bytes.data + bytes.size - 2 * STATEMENT_ID_BYTES - 2, STATEMENT_ID_BYTES);
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
	buf_release(&bytes);

	bytes = encoded(o.t);
	for (size_t i = 0; i + 4 < bytes.size; i++)
		if (memcmp(bytes.data + i,
			   "\xa3"
			   "AAA",
			   4) == 0)
			bytes.data[i + 3] = '\0';
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
	buf_release(&bytes);
	org_release(&o);
}

/* A node that nothing is known of: found by seed 12549168466660769625 of test_salvage. */
static void node_without_its_epoch_is_refused(void **state)
{
	struct errmsg msg = { 0 };
	struct trust *t;
	struct buf bytes;
	struct org o;

	org_init(&o, 1);
	fold(&o);
	bytes = encoded(o.t);
	for (size_t i = 0; i + ID_BYTES <= bytes.size; i++)
		if (memcmp(bytes.data + i, o.t->nodes[0].current.bytes, ID_BYTES) == 0)
			bytes.data[i] ^= 1;
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
	buf_release(&bytes);
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
		cmocka_unit_test(a_feed_of_a_member_counts_as_a_whole),
		cmocka_unit_test(a_feed_that_nobody_named_does_not_count),
		cmocka_unit_test(a_revocation_cuts_where_it_says_and_else_everything),
		cmocka_unit_test(the_lowest_of_several_cuts_counts),
		cmocka_unit_test(an_epoch_closes_those_before_it_if_it_says_so),
		cmocka_unit_test(an_epoch_too_many_counts_nowhere),
		cmocka_unit_test(nobody_adopts_of_an_epoch_too_many),
		cmocka_unit_test(only_epochs_that_stand_are_counted),
		cmocka_unit_test(a_fork_cuts_before_it_in_its_space_alone),
		cmocka_unit_test(who_may_not_write_does_not_count),
		cmocka_unit_test(who_loses_its_role_counts_up_to_there_until_it_is_given_again),
		cmocka_unit_test(a_space_made_in_vain_gives_no_roles),
		cmocka_unit_test(what_was_admitted_in_vain_does_not_count),
		cmocka_unit_test(an_adoption_lifts_what_it_has_seen),
		cmocka_unit_test(an_adoption_settles_a_fork_and_says_which_branch),
		cmocka_unit_test(who_lost_its_role_adopts_nothing_of_its_own),
		cmocka_unit_test(what_was_admitted_in_vain_can_be_adopted),
		cmocka_unit_test(malformed_lists_are_refused),
		cmocka_unit_test(the_order_of_arrival_does_not_show),
		cmocka_unit_test(extending_is_folding_anew),
		cmocka_unit_test(what_has_not_seen_all_does_not_extend),
		cmocka_unit_test(what_could_raise_a_cut_is_folded_anew),
		cmocka_unit_test(a_loss_that_names_many_feeds_extends),
		cmocka_unit_test(a_space_with_a_fork_in_it_is_folded_anew),
		cmocka_unit_test(a_second_admission_is_folded_anew),
		cmocka_unit_test(too_few_roots_extend_in_vain),
		cmocka_unit_test(what_the_fuzzer_begins_with_decodes),
		cmocka_unit_test(a_result_that_names_what_it_has_not_got_is_refused),
		cmocka_unit_test(what_was_encoded_decodes_to_the_same),
		cmocka_unit_test(damaged_bytes_are_refused_or_mean_something),
		cmocka_unit_test(node_without_its_epoch_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
