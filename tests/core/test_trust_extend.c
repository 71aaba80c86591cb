/* core/trust: whatever the order, folded at once or extended one by one, the result is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/core/crowd.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_arrival_does_not_show),
		cmocka_unit_test(extending_is_folding_anew),
		cmocka_unit_test(what_has_not_seen_all_does_not_extend),
		cmocka_unit_test(what_could_raise_a_cut_is_folded_anew),
		cmocka_unit_test(a_loss_that_names_many_feeds_extends),
		cmocka_unit_test(a_space_with_a_fork_in_it_is_folded_anew),
		cmocka_unit_test(a_second_admission_is_folded_anew),
		cmocka_unit_test(too_few_roots_extend_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
