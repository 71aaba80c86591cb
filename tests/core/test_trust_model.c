/* core/trust against the rules read once more (tests/support/trust_model.h): the
 * examples of docs/DATA_MODEL.md; every small set there is; large ones at random.
 *
 * Seen to fail, here or in test_trust_schedules.c, when in core/trust_*.c
 *   judge   M-7 is left out, of all or of members, admins, managers or root alone; a
 *           taker counts though the giver has seen it; EPOCH is a removal; replaced
 *           keys stay current; new ones need not sign; the taker's threshold is not
 *           looked at; SPACE is not exempt; a node may not revoke itself; root signs
 *           EPOCHs; what is undecided counts as standing; root has no precedence in
 *           M-8, M-10; the higher role or id wins; EPOCHs of a node, or equal keys or
 *           replica ids, are no rivals; a name counts before it is given; the
 *           opponents or takers of a circle's winner don't fall; nobody waits for
 *           opponents or givers; an ADOPT of one's own lifts what others cut
 *   settle  removals or root are not first; the highest id stands; circles are broken
 *           that wait for others, or for one that rests on nothing sure or may clash;
 *           ROOTS are not settled first
 *   cut     a FORK cuts one late; an ADOPT lifts what it has not seen, lowers, or must
 *           have seen the FORK, or lifts what is surplus; surplus is counted from another
 *           epoch on; later epochs are closed, too; a role given again keeps
 *           its cut; a second loss counts; void epochs count
 *   fold    the order of ADMINs is not looked at; who is revoked is an admin; of two
 *           that name a replica the lower id counts before what stands; a space that
 *           fell gives roles
 *   extend  an admin may not revoke; earlier cuts or other heads are overlooked
 *
 * ctest: labels=slow timeout=600 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/trust_impl.h"
#include "tests/support/statements.h"
#include "tests/support/trust_model.h"

/* ---- The organisation before it all ---------------------------------------- */

enum { MOVES_MAX = 64, TAIL_MAX = 8, PREFIX = 4, FEW_EPOCHS = 2 /* of a node count */ };

struct office {
	struct statements w; /* GENESIS, the admissions, a space; then the moves */
	struct actor root, second_root;
	struct actor ann, bob, cat, dan, dan_of_bob, eve_like_dan; /* ann, bob, cat: members */
	struct actor ann_restored, ann_restored_again, ann_rotated, ann_stolen;
	struct space_id directory, space;
	const struct statement *head; /* the newest of the PREFIX statements */
};

/* `is_admin`: not only ann, but bob and cat, too. */
static void office_init_with(struct office *o, uint64_t seed, bool is_admin)
{
	const struct statement *genesis, *space;

	statements_init(&o->w, seed);
	o->w.is_unsigned = true;
	actor_init(&o->root, 100, "");
	actor_init(&o->second_root, 101, "");
	actor_init(&o->ann, 1, "AAA");
	actor_init(&o->bob, 2, "BBB");
	actor_init(&o->cat, 3, "CCC");
	actor_init(&o->dan, 4, "DDD");
	o->dan_of_bob = actor_rotated(&o->dan, 44);
	memcpy(o->dan_of_bob.office_code, "BBB", sizeof("BBB"));
	actor_init(&o->eve_like_dan, 5, "EEE");
	o->eve_like_dan.identity = o->dan.identity;
	o->ann_restored = actor_restored(&o->ann, 7);
	o->ann_rotated = actor_rotated(&o->ann, 11);
	o->ann_stolen = actor_rotated(&o->ann, 12);
	o->ann_restored_again = actor_restored(&o->ann, 8);

	genesis = say_genesis(&o->w, &o->ann, 1, ROOTS(&o->root));
	say_admit(&o->w, BY(&o->ann), AFTER_ALL, &o->bob, is_admin);
	say_admit(&o->w, BY(&o->ann), AFTER_ALL, &o->cat, is_admin);
	space = say_space(
		&o->w, BY(&o->ann), AFTER_ALL,
		OFFICES({ "AAA", ROLE_MANAGER }, { "BBB", ROLE_MANAGER }, { "CCC", ROLE_READER }));
	o->head = space;
	o->directory = statement_space(&genesis->id);
	o->space = statement_space(&space->id);
	assert_int_equal(o->w.count, PREFIX);
}

static void office_init(struct office *o, uint64_t seed)
{
	office_init_with(o, seed, true);
}

/* ---- Both folds ------------------------------------------------------------ */

/* The caller frees it. Fails the test if the model disagrees. */
static struct trust *fold_and_compare(struct trust_model *m, const struct statement *const *list,
				      size_t count, uint8_t verdicts[MODEL_MAX])
{
	struct trust *trust = NULL;
	struct errmsg msg = { .text = "" };

	assert_int_equal(trust_fold_within(&trust, list, count, FEW_EPOCHS, verdicts, &msg), OK);
	trust_model_fold(m, list, count);
	m->epochs_max = FEW_EPOCHS;
	assert_true(trust_model_agrees(m, trust, verdicts));
	return trust;
}

/* ---- The examples of DATA_MODEL.md ----------------------------------------- */

static void assert_verdict(const struct office *o, const struct trust_model *m,
			   const struct statement *s, enum verdict verdict)
{
	for (size_t i = 0; i < o->w.count; i++)
		if (o->w.list[i] == s)
			assert_string_equal(verdict_name(m->verdicts[i]), verdict_name(verdict));
}

/* All that was said, folded; `m` has the verdicts. */
static struct trust *fold_office(const struct office *o, struct trust_model *m)
{
	uint8_t verdicts[MODEL_MAX];

	return fold_and_compare(m, o->w.list, o->w.count, verdicts);
}

static bool is_member(const struct trust *t, const struct actor *a)
{
	const struct trust_node *node = trust_node(t, &a->node);

	return node && !node->is_revoked;
}

static void of_two_who_remove_each_other_the_lower_id_stays(void **state)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct trust_model m;
		struct office o;
		struct trust *t;
		const struct statement *a, *b;
		bool ann_wins;

		office_init(&o, seed);
		a = say_revoke(&o.w, BY(&o.ann), AFTER(o.head), &o.bob, NO_CUTS);
		b = say_revoke(&o.w, BY(&o.bob), AFTER(o.head), &o.ann, NO_CUTS);
		ann_wins = statement_id_cmp(&a->id, &b->id) < 0;
		t = fold_office(&o, &m);
		assert_verdict(&o, &m, a, ann_wins ? VERDICT_STANDS : VERDICT_OVERRULED);
		assert_verdict(&o, &m, b, ann_wins ? VERDICT_OVERRULED : VERDICT_STANDS);
		assert_int_equal(is_member(t, &o.ann), ann_wins);
		assert_int_equal(is_member(t, &o.bob), !ann_wins);
		assert_int_equal(m.circles, 1);
		trust_free(t);
		statements_release(&o.w);
	}
	(void)state;
}

static void a_third_who_saw_one_of_them_decides(void **state)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct trust_model m;
		struct office o;
		struct trust *t;
		const struct statement *a, *b, *c;

		office_init(&o, seed);
		a = say_revoke(&o.w, BY(&o.ann), AFTER(o.head), &o.bob, NO_CUTS);
		b = say_revoke(&o.w, BY(&o.bob), AFTER(o.head), &o.ann, NO_CUTS);
		c = say_revoke(&o.w, BY(&o.cat), AFTER(b), &o.ann, NO_CUTS);
		t = fold_office(&o, &m);
		assert_verdict(&o, &m, a, VERDICT_OVERRULED);
		assert_verdict(&o, &m, b, VERDICT_STANDS);
		assert_verdict(&o, &m, c, VERDICT_STANDS);
		assert_int_equal(m.circles, 0);
		trust_free(t);
		statements_release(&o.w);
	}
	(void)state;
}

static void a_ring_of_removals_leaves_one(void **state)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct trust_model m;
		struct office o;
		struct trust *t;
		int stand = 0;

		office_init(&o, seed);
		say_revoke(&o.w, BY(&o.ann), AFTER(o.head), &o.bob, NO_CUTS);
		say_revoke(&o.w, BY(&o.bob), AFTER(o.head), &o.cat, NO_CUTS);
		say_revoke(&o.w, BY(&o.cat), AFTER(o.head), &o.ann, NO_CUTS);
		t = fold_office(&o, &m);
		for (size_t i = PREFIX; i < m.count; i++)
			stand += m.verdicts[i] == VERDICT_STANDS;
		assert_int_equal(stand, 1);
		trust_free(t);
		statements_release(&o.w);
	}
	(void)state;
}

static void a_thief_of_a_root_key_is_as_strong_as_its_owner(void **state)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct trust_model m;
		struct office o;
		struct actor thief;
		struct trust *t;
		const struct statement *owners, *thiefs, *later;
		bool owner_wins;

		office_init(&o, seed);
		actor_init(&thief, 102, "");
		owners = say_roots(&o.w, BY(&o.root), AFTER(o.head), 1, ROOTS(&o.second_root));
		thiefs = say_roots(&o.w, BY(&o.root), AFTER(o.head), 1, ROOTS(&thief));
		later = say_revoke(&o.w, BY(&thief), AFTER(thiefs), &o.bob, NO_CUTS);
		owner_wins = statement_id_cmp(&owners->id, &thiefs->id) < 0;
		t = fold_office(&o, &m);
		assert_verdict(&o, &m, owners, owner_wins ? VERDICT_STANDS : VERDICT_OVERRULED);
		assert_verdict(&o, &m, later, owner_wins ? VERDICT_NO_AUTHORITY : VERDICT_STANDS);
		assert_int_equal(
			trust_is_root(t, (const struct sign_key *)o.second_root.identity.sign_key),
			owner_wins);
		trust_free(t);
		statements_release(&o.w);
	}
	(void)state;
}

/* ann's first would be in the way of root's second, which is better than root's first,
 * which is better than ann's: a circle without a removal. */
static void root_goes_before_an_admin_in_a_circle(void **state)
{
	size_t circles = 0;

	for (uint64_t seed = 0; seed < 60; seed++) {
		struct trust_model m;
		struct office o;
		const struct statement *anns, *roots;

		office_init(&o, seed);
		anns = say_admit(&o.w, BY(&o.ann), AFTER(o.head), &o.dan, false);
		roots = say_admit(&o.w, BY(&o.root), AFTER(o.head), &o.dan, false);
		say_admit(&o.w, BY(&o.root), AFTER(anns), &o.dan, false);
		trust_free(fold_office(&o, &m));
		assert_verdict(&o, &m, anns, VERDICT_OVERRULED);
		if (m.circles)
			assert_verdict(&o, &m, roots, VERDICT_STANDS);
		circles += m.circles;
		statements_release(&o.w);
	}
	assert_true(circles > 10);
	(void)state;
}

static void of_twin_epochs_one_stands(void **state)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct trust_model m;
		struct office o;
		struct trust *t;
		const struct statement *a, *b, *low;
		const struct trust_epoch *lost;

		office_init(&o, seed);
		a = say_epoch(&o.w, BY(&o.ann), AFTER(o.head), &o.ann_restored, EPOCH_RESTORED,
			      NULL);
		b = say_epoch(&o.w, BY(&o.ann, &o.ann_stolen), AFTER(o.head), &o.ann_stolen,
			      EPOCH_ROTATED, &(struct cuts){ NULL, 0 });
		low = statement_id_cmp(&a->id, &b->id) < 0 ? a : b;
		t = fold_office(&o, &m);
		assert_verdict(&o, &m, low, VERDICT_STANDS);
		assert_verdict(&o, &m, low == a ? b : a, VERDICT_OVERRULED);
		lost = trust_epoch(t, low == a ? &o.ann_stolen.identity.replica
					       : &o.ann_restored.identity.replica);
		assert_true(lost && lost->is_void);
		trust_free(t);
		statements_release(&o.w);
	}
	(void)state;
}

static void whom_a_removed_admin_admits_at_once_is_not_admitted(void **state)
{
	struct trust_model m;
	struct office o;
	struct trust *t;
	const struct statement *removal, *admit, *by_dan, *again;

	office_init(&o, 1);
	removal = say_admin(&o.w, BY(&o.ann), AFTER(o.head), &o.bob, false);
	admit = say_admit(&o.w, BY(&o.bob), AFTER(o.head), &o.dan, true);
	by_dan = say_revoke(&o.w, BY(&o.dan), AFTER(admit), &o.ann, NO_CUTS);
	t = fold_office(&o, &m);
	assert_verdict(&o, &m, removal, VERDICT_STANDS);
	assert_verdict(&o, &m, admit, VERDICT_OVERRULED);
	assert_verdict(&o, &m, by_dan, VERDICT_NO_AUTHORITY);
	assert_null(trust_node(t, &o.dan.node));
	trust_free(t);

	/* Who has seen both says it again. */
	again = say_admit(&o.w, BY(&o.cat), AFTER_ALL, &o.dan, false);
	t = fold_office(&o, &m);
	assert_verdict(&o, &m, again, VERDICT_STANDS);
	assert_true(is_member(t, &o.dan));
	trust_free(t);
	statements_release(&o.w);
	(void)state;
}

static void what_the_removal_had_seen_stays(void **state)
{
	struct trust_model m;
	struct office o;
	struct trust *t;
	const struct statement *admit;

	office_init(&o, 1);
	admit = say_admit(&o.w, BY(&o.bob), AFTER(o.head), &o.dan, false);
	say_revoke(&o.w, BY(&o.ann), AFTER(admit), &o.bob, NO_CUTS);
	t = fold_office(&o, &m);
	assert_true(is_member(t, &o.dan));
	assert_false(is_member(t, &o.bob));
	trust_free(t);
	statements_release(&o.w);
	(void)state;
}

static void an_office_that_lost_its_role_cannot_adopt_what_it_wrote_since(void **state)
{
	struct trust_model m;
	struct trust_cut cut;
	struct office o;
	struct trust *t;

	office_init(&o, 1);
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_READER,
		  CUTS(cut_at(&o.bob, &o.space, 5, 0)));
	say_admin(&o.w, BY(&o.ann), AFTER_ALL, &o.bob, false);
	say_adopt(&o.w, BY(&o.bob), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 9, 0)));
	t = fold_office(&o, &m);
	cut = trust_cut(t, &o.bob.identity.replica, &o.space);
	assert_int_equal(cut.seq, 5);
	assert_int_equal(cut.cause, CUT_ROLE);
	trust_free(t);

	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 7, 0)));
	t = fold_office(&o, &m);
	cut = trust_cut(t, &o.bob.identity.replica, &o.space);
	assert_int_equal(cut.seq, 7);
	trust_free(t);
	statements_release(&o.w);
	(void)state;
}

static void a_role_that_is_given_again_takes_its_cut_away(void **state)
{
	struct trust_model m;
	struct trust_cut cut;
	struct office o;
	struct trust *t;

	office_init(&o, 1);
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_READER,
		  CUTS(cut_at(&o.bob, &o.space, 5, 0)));
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_EDITOR, NO_CUTS);
	t = fold_office(&o, &m);
	cut = trust_cut(t, &o.bob.identity.replica, &o.space);
	assert_int_equal(cut.cause, CUT_NONE);
	trust_free(t);

	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_READER,
		  CUTS(cut_at(&o.bob, &o.space, 7, 0)));
	t = fold_office(&o, &m);
	cut = trust_cut(t, &o.bob.identity.replica, &o.space);
	assert_int_equal(cut.seq, 7);
	trust_free(t);
	statements_release(&o.w);
	(void)state;
}

/* ---- Every small set ------------------------------------------------------- */

/* Statements after the PREFIX: moves of a list, who has seen whom, ids by rank. */
struct tail {
	struct statement list[TAIL_MAX];
	struct statement_id parents[TAIL_MAX][TAIL_MAX + 1];
	size_t moves[TAIL_MAX];
	unsigned past[TAIL_MAX]; /* bits of earlier ones in the tail */
	size_t count;
};

struct cases {
	struct office office;
	const struct statement *moves[MOVES_MAX];
	size_t move_count;
	uint64_t tried, orders, circles, verdicts[VERDICT_COUNT];
};

static bool is_free(const struct statement *s)
{
	return s->type == STATEMENT_FORK; /* it has no parents, and is nobody's */
}

/* Give the tail ids by this permutation of ranks, and parents to match. */
static void dress(const struct cases *c, struct tail *tail, const uint8_t ranks[TAIL_MAX])
{
	for (size_t i = 0; i < tail->count; i++) {
		struct statement *s = &tail->list[i];
		unsigned seen = tail->past[i], below = 0;

		*s = *c->moves[tail->moves[i]];
		s->id = (struct statement_id){ { (uint8_t)(ranks[i] + 1) } };
		s->parents = tail->parents[i];
		s->parent_count = 0;
		for (size_t j = 0; j < i; j++)
			if (seen >> j & 1)
				below |= tail->past[j];
		/* Ascending. */
		for (uint8_t rank = 0; rank < tail->count; rank++)
			for (size_t j = 0; j < i; j++)
				if (ranks[j] == rank && (seen & ~below) >> j & 1)
					tail->parents[i][s->parent_count++] = tail->list[j].id;
		if (!seen && !is_free(s))
			tail->parents[i][s->parent_count++] = c->office.head->id;
	}
}

static void nth_permutation(uint8_t out[TAIL_MAX], size_t count, uint64_t n)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = n % (i + 1);

		n /= i + 1;
		for (size_t j = i; j > at; j--)
			out[j] = out[j - 1];
		out[at] = (uint8_t)i;
	}
}

static uint64_t factorial(size_t n)
{
	return n < 2 ? 1 : n * factorial(n - 1);
}

/* The fold in this order gives the same bytes, and each the verdict it had. */
static void check_order(struct cases *c, const struct tail *tail, const size_t order[TAIL_MAX],
			struct bytes expected, const uint8_t *expected_verdicts)
{
	const struct statement *list[MODEL_MAX];
	uint8_t verdicts[MODEL_MAX];
	struct trust *trust = NULL;
	struct errmsg msg = { .text = "" };
	struct buf encoded = BUF_EMPTY;

	memcpy(list, c->office.w.list, PREFIX * sizeof(*list));
	for (size_t i = 0; i < tail->count; i++)
		list[PREFIX + i] = &tail->list[order[i]];
	assert_int_equal(
		trust_fold_within(&trust, list, PREFIX + tail->count, FEW_EPOCHS, verdicts, &msg),
		OK);
	for (size_t i = 0; i < tail->count; i++)
		assert_int_equal(verdicts[PREFIX + i], expected_verdicts[PREFIX + order[i]]);
	trust_encode(&encoded, trust);
	assert_true(bytes_equal(buf_bytes(&encoded), expected));
	buf_release(&encoded);
	trust_free(trust);
	c->orders++;
}

static void check_orders(struct cases *c, const struct tail *tail, size_t order[TAIL_MAX],
			 size_t placed, unsigned used, struct bytes expected,
			 const uint8_t *verdicts)
{
	if (placed == tail->count)
		check_order(c, tail, order, expected, verdicts);
	for (size_t i = 0; i < tail->count; i++) {
		if (used >> i & 1 || tail->past[i] & ~used)
			continue;
		order[placed] = i;
		check_orders(c, tail, order, placed + 1, used | 1U << i, expected, verdicts);
	}
}

/* Both folds of the tail as dressed; then the fold in every order or in one. */
static void check_tail(struct cases *c, const struct tail *tail, bool in_all_orders)
{
	const struct statement *list[MODEL_MAX];
	uint8_t verdicts[MODEL_MAX];
	struct trust_model m;
	struct buf encoded = BUF_EMPTY;
	struct trust *trust;
	size_t order[TAIL_MAX];

	memcpy(list, c->office.w.list, PREFIX * sizeof(*list));
	for (size_t i = 0; i < tail->count; i++)
		list[PREFIX + i] = &tail->list[i];
	trust = fold_and_compare(&m, list, PREFIX + tail->count, verdicts);
	for (size_t i = 0; i < tail->count; i++)
		c->verdicts[verdicts[PREFIX + i]]++;
	c->circles += m.circles > 0;
	c->tried++;
	trust_encode(&encoded, trust);
	if (in_all_orders)
		check_orders(c, tail, order, 0, 0, buf_bytes(&encoded), verdicts);
	buf_release(&encoded);
	trust_free(trust);
}

/* Whether the next one, with this content, may have seen these. */
static bool is_past(const struct cases *c, const struct tail *tail, size_t move, unsigned mask)
{
	for (size_t j = 0; j < tail->count; j++)
		if (mask >> j & 1 && (tail->past[j] & ~mask || is_free(c->moves[tail->moves[j]])))
			return false;
	return mask == 0 || !is_free(c->moves[move]);
}

/* Every content of `size` statements, every way to have seen each other, every
 * order of their ids. */
static void check_all_tails(struct cases *c, struct tail *tail, size_t size)
{
	size_t i = tail->count;

	if (i == size) {
		for (uint64_t n = 0; n < factorial(size); n++) {
			uint8_t ranks[TAIL_MAX];

			nth_permutation(ranks, size, n);
			dress(c, tail, ranks);
			check_tail(c, tail, n == 0);
		}
		return;
	}
	for (size_t move = 0; move < c->move_count; move++)
		for (unsigned mask = 0; mask < 1U << i; mask++) {
			/* Of orders of one set that differ by two neighbours, one will do. */
			bool is_other_order =
				i > 0 && !(mask >> (i - 1) & 1) && move < tail->moves[i - 1];

			if (is_other_order || !is_past(c, tail, move, mask))
				continue;
			tail->moves[i] = move;
			tail->past[i] = mask;
			tail->count = i + 1;
			check_all_tails(c, tail, size);
			tail->count = i;
		}
}

static void report(const struct cases *c, const char *what)
{
	fprintf(stderr, "%s: %llu sets, %llu with circles; in all orders %llu; verdicts", what,
		(unsigned long long)c->tried, (unsigned long long)c->circles,
		(unsigned long long)c->orders);
	for (int v = 0; v < VERDICT_COUNT; v++)
		fprintf(stderr, "%s %llu %s", v ? "," : "", (unsigned long long)c->verdicts[v],
			verdict_name(v));
	fprintf(stderr, "\n");
}

static void add_move(struct cases *c, const struct statement *s)
{
	assert_true(c->move_count < MOVES_MAX);
	c->moves[c->move_count++] = s;
}

/* Removals by whom the others remove. */
static void add_removals(struct cases *c)
{
	struct office *o = &c->office;

#define MOVE(what, by, ...) add_move(c, what(&o->w, by, AFTER(o->head), __VA_ARGS__))
	MOVE(say_revoke, BY(&o->ann), &o->bob, CUTS(cut_at(&o->bob, &o->space, 4, 0)));
	MOVE(say_revoke, BY(&o->bob), &o->ann, NO_CUTS);
	MOVE(say_admin, BY(&o->bob), &o->cat, false);
	MOVE(say_revoke, BY(&o->cat), &o->ann, CUTS(cut_at(&o->ann, &o->space, 3, 0)));
	MOVE(say_admin, BY(&o->ann), &o->bob, true);
	MOVE(say_admin, BY(&o->root), &o->ann, false);
}

static void add_other_moves(struct cases *c)
{
	struct office *o = &c->office;

	MOVE(say_admin, BY(&o->root), &o->bob, true);
	MOVE(say_revoke, BY(&o->root), &o->bob, NO_CUTS);
	MOVE(say_revoke, BY(&o->ann), &o->ann, CUTS(cut_at(&o->ann, &o->directory, 2, 0)));
	MOVE(say_admit, BY(&o->ann), &o->dan, true);
	MOVE(say_admit, BY(&o->bob), &o->dan_of_bob, false);
	MOVE(say_admit, BY(&o->cat), &o->eve_like_dan, true);
	MOVE(say_revoke, BY(&o->dan), &o->ann, NO_CUTS);
	MOVE(say_epoch, BY(&o->ann), &o->ann_restored, EPOCH_RESTORED, NULL);
	MOVE(say_epoch, BY(&o->ann), &o->ann_restored_again, EPOCH_BEHIND, NULL);
	MOVE(say_epoch, BY(&o->ann, &o->ann_rotated), &o->ann_rotated, EPOCH_ROTATED,
	     &CUTS(cut_at(&o->ann, &o->space, 6, 0)));
	MOVE(say_epoch, BY(&o->ann, &o->ann_stolen), &o->ann_stolen, EPOCH_ROTATED, NULL);
	MOVE(say_epoch, BY(&o->ann), &o->ann_stolen, EPOCH_ROTATED, NULL);
	MOVE(say_epoch, BY(&o->root, &o->ann_stolen), &o->ann_stolen, EPOCH_ROTATED, NULL);
	MOVE(say_revoke, BY(&o->ann_rotated), &o->bob, NO_CUTS);
	MOVE(say_grant, BY(&o->ann), &o->space, "CCC", ROLE_MANAGER, NO_CUTS);
	MOVE(say_grant, BY(&o->root), &o->space, "CCC", ROLE_EDITOR, NO_CUTS);
	MOVE(say_grant, BY(&o->cat, &o->dan), &o->space, "AAA", ROLE_READER,
	     CUTS(cut_at(&o->ann, &o->space, 5, 1)));
	MOVE(say_roots, BY(&o->root), 1, ROOTS(&o->second_root));
	MOVE(say_roots, BY(&o->root), 2, ROOTS(&o->root, &o->second_root));
	MOVE(say_revoke, BY(&o->second_root), &o->cat, NO_CUTS);
	MOVE(say_adopt, BY(&o->ann), CUTS(cut_at(&o->ann, &o->space, 7, 0)));
	MOVE(say_adopt, BY(&o->bob), CUTS(cut_at(&o->ann, &o->space, 8, 1)));
	add_move(c, say_fork(&o->w, &o->ann, &o->space, 4));
#undef MOVE
}

/* Roles taken and given by managers who are not admins, alone and together. */
static void add_grants(struct cases *c)
{
	struct office *o = &c->office;
	const struct actor *const *by[] = { BY(&o->bob), BY(&o->cat), BY(&o->bob, &o->cat),
					    BY(&o->ann, &o->bob), BY(&o->root, &o->cat) };
	static const char *const codes[] = { "AAA", "BBB", "CCC" };

	for (size_t b = 0; b < sizeof(by) / sizeof(*by); b++)
		for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
			for (enum role role = ROLE_READER; role < ROLE_COUNT; role++)
				add_move(c, say_grant(&o->w, by[b], AFTER(o->head), &o->space,
						      codes[i], role, NO_CUTS));
	add_move(c, say_admin(&o->w, BY(&o->ann), AFTER(o->head), &o->ann, false));
	add_move(c, say_admin(&o->w, BY(&o->ann, &o->root), AFTER(o->head), &o->bob, true));
}

static void every_small_set_means_the_same_to_both(void **state)
{
	struct cases c = { 0 };
	struct tail tail = { 0 };

	office_init(&c.office, 1);
	add_removals(&c);
	add_other_moves(&c);
	for (size_t size = 0; size <= 3; size++)
		check_all_tails(&c, &tail, size);
	report(&c, "up to 3 of all moves");
	statements_release(&c.office.w);
	(void)state;
}

static void every_set_of_four_removals_means_the_same_to_both(void **state)
{
	struct cases c = { 0 };
	struct tail tail = { 0 };

	office_init(&c.office, 1);
	add_removals(&c);
	check_all_tails(&c, &tail, 4);
	report(&c, "4 removals");
	assert_true(c.circles > 0);
	statements_release(&c.office.w);
	(void)state;
}

/* ---- Larger ones at random ------------------------------------------------- */

static void random_tail(const struct cases *c, struct prng *prng, struct tail *tail)
{
	uint8_t ranks[TAIL_MAX];
	unsigned percent = (unsigned)prng_below(prng, 80);

	tail->count = 0;
	for (size_t i = 0, size = 4 + prng_below(prng, TAIL_MAX - 3); i < size; i++) {
		unsigned seen = 0;

		tail->moves[i] = prng_below(prng, c->move_count);
		for (size_t j = 0; j < i; j++)
			if (prng_chance(prng, percent) && !is_free(c->moves[tail->moves[i]]) &&
			    !is_free(c->moves[tail->moves[j]]))
				seen |= 1U << j | tail->past[j];
		tail->past[i] = seen;
		tail->count++;
	}
	nth_permutation(ranks, tail->count, prng_below(prng, factorial(tail->count)));
	dress(c, tail, ranks);
}

/* HUITONG_SETS=100000 for as many. */
static long random_sets(void)
{
	const char *wanted = getenv("HUITONG_SETS");

	return wanted ? strtol(wanted, NULL, 10) : 20000;
}

static void check_random_tails(struct cases *c, struct prng *prng, const char *what)
{
	long count = random_sets();

	for (long i = 0; i < count; i++) {
		struct tail tail;

		random_tail(c, prng, &tail);
		check_tail(c, &tail, tail.count < 6 && prng_chance(prng, 10));
	}
	report(c, what);
	assert_true(c->circles > 0);
}

static void random_sets_mean_the_same_to_both(void **state)
{
	struct cases c = { 0 };
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	office_init(&c.office, 1);
	add_removals(&c);
	add_other_moves(&c);
	check_random_tails(&c, &prng, "4 to 8 of all moves");
	statements_release(&c.office.w);
	(void)state;
}

static void random_grants_mean_the_same_to_both(void **state)
{
	struct cases c = { 0 };
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	office_init_with(&c.office, 1, false);
	add_grants(&c);
	check_random_tails(&c, &prng, "4 to 8 GRANTs");
	statements_release(&c.office.w);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_who_remove_each_other_the_lower_id_stays),
		cmocka_unit_test(a_third_who_saw_one_of_them_decides),
		cmocka_unit_test(a_ring_of_removals_leaves_one),
		cmocka_unit_test(a_thief_of_a_root_key_is_as_strong_as_its_owner),
		cmocka_unit_test(root_goes_before_an_admin_in_a_circle),
		cmocka_unit_test(of_twin_epochs_one_stands),
		cmocka_unit_test(whom_a_removed_admin_admits_at_once_is_not_admitted),
		cmocka_unit_test(what_the_removal_had_seen_stays),
		cmocka_unit_test(an_office_that_lost_its_role_cannot_adopt_what_it_wrote_since),
		cmocka_unit_test(a_role_that_is_given_again_takes_its_cut_away),
		cmocka_unit_test(every_small_set_means_the_same_to_both),
		cmocka_unit_test(every_set_of_four_removals_means_the_same_to_both),
		cmocka_unit_test(random_sets_mean_the_same_to_both),
		cmocka_unit_test(random_grants_mean_the_same_to_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
