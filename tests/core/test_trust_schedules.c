/* core/trust over random schedules of partitions and removals: several sites hold
 * parts of what was said, say more by what they know, exchange, are cut off from
 * each other and meet again. After every step a site's fold is compared with the
 * model (tests/support/trust_model.h) and with what must hold whatever the rules in
 * detail are. A schedule that fails is repeated, as the first one, by the seed that
 * is printed at the end.
 *
 * ctest: labels=slow timeout=600 */
#include <inttypes.h>
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

enum {
	SCHEDULES = 10000,
	SITES_MAX = 5,
	SAID_MAX = 24,
	FEW_EPOCHS = 3, /* of a node count */
	STEPS_MAX = 60,
	ROOT_ACTORS = 3,
	NODES = 8, /* some are admitted later, by one site or by two */
	ACTORS_MAX = NODES + SAID_MAX + ROOT_ACTORS,
};

/* What a place knows, in the order in which it learnt it. */
struct site {
	size_t held[SAID_MAX];
	size_t count;
	bool is_cut_off; /* it meets only those that are, too */
	struct trust *trust;
	struct trust_model model;
	uint8_t verdicts[MODEL_MAX];
};

struct world {
	uint64_t seed;
	struct statements w;
	struct prng prng;
	struct actor actors[ACTORS_MAX]; /* roots, nodes, nodes in other epochs */
	size_t actor_count;
	bool has_roots_changes; /* in this schedule, ROOTS are said */
	struct site sites[SITES_MAX];
	size_t site_count;
	struct space_id spaces[SAID_MAX]; /* the directory first */
	size_t space_count;
};

struct totals {
	uint64_t folds, circles, said[STATEMENT_TYPE_COUNT], verdicts[VERDICT_COUNT], extended;
};

static uint64_t below(struct world *world, uint64_t limit)
{
	return prng_below(&world->prng, limit);
}

/* ---- What must hold -------------------------------------------------------- */

static bool has_signed_alone(const struct trust_model *m, const struct statement *s,
			     const struct record_id *node)
{
	for (size_t k = 0; k < s->signer_count; k++) {
		bool is_theirs = false;

		for (size_t e = 0; e < m->epoch_count; e++)
			is_theirs |= !m->epochs[e].is_void &&
				     record_id_cmp(&m->epochs[e].node, node) == 0 &&
				     memcmp(m->epochs[e].identity.sign_key, s->signers[k].bytes,
					    SIGN_PUBLIC_BYTES) == 0;
		if (!is_theirs)
			return false;
	}
	return s->signer_count > 0;
}

static bool has_seen(const struct trust_model *m, size_t x, size_t y)
{
	return m->past[x] >> y & 1;
}

static bool are_concurrent(const struct trust_model *m, size_t x, size_t y)
{
	return x != y && !has_seen(m, x, y) && !has_seen(m, y, x);
}

static const struct record_id *whom_it_removes(const struct statement *s)
{
	if (s->type == STATEMENT_REVOKE)
		return &s->u.revoke.node;
	return s->type == STATEMENT_ADMIN && !s->u.admin.is_admin ? &s->u.admin.node : NULL;
}

/* Only an admin may say this. */
static bool needs_admin(const struct statement *s)
{
	return s->type == STATEMENT_ADMIT || s->type == STATEMENT_ADMIN;
}

/* Nothing that the removed said at once, or after it, stands. */
static void check_removal(const struct site *site, size_t r)
{
	const struct trust_model *m = &site->model;
	const struct record_id *node = whom_it_removes(m->list[r]);
	bool is_revoke = m->list[r]->type == STATEMENT_REVOKE;

	for (size_t x = 1; x < m->count; x++) {
		bool is_late = are_concurrent(m, x, r) || (is_revoke && has_seen(m, x, r));
		bool is_space = m->list[x]->type == STATEMENT_SPACE && are_concurrent(m, x, r);

		if (!is_late || is_space || !(is_revoke || needs_admin(m->list[x])) ||
		    !has_signed_alone(m, m->list[x], node) || site->verdicts[x] != VERDICT_STANDS)
			continue;
		trust_model_print(m, site->verdicts);
		fail_msg("%zu stands, and so does the removal %zu", x, r);
	}
}

/* Of two ADMITs or EPOCHs of one node, or two ROOTS, that stand one has seen the other. */
static void check_pair(const struct site *site, size_t x, size_t y)
{
	const struct trust_model *m = &site->model;
	const struct statement *a = m->list[x], *b = m->list[y];

	if (a->type != b->type || !are_concurrent(m, x, y))
		return;
	if (a->type == STATEMENT_ROOTS)
		fail();
	if (a->type == STATEMENT_ADMIT)
		assert_int_not_equal(record_id_cmp(&a->u.admit.node, &b->u.admit.node), 0);
	if (a->type == STATEMENT_EPOCH)
		assert_int_not_equal(record_id_cmp(&a->u.epoch.node, &b->u.epoch.node), 0);
	if (a->type == STATEMENT_ADMIN && record_id_cmp(&a->u.admin.node, &b->u.admin.node) == 0)
		assert_int_equal(a->u.admin.is_admin, b->u.admin.is_admin);
	if (a->type == STATEMENT_GRANT && space_id_cmp(&a->u.grant.space, &b->u.grant.space) == 0 &&
	    strcmp(a->u.grant.office_code, b->u.grant.office_code) == 0)
		assert_int_equal(a->u.grant.role, b->u.grant.role);
}

static bool is_signed_by_root(const struct world *world, const struct statement *s)
{
	const struct roots *roots = &world->w.list[0]->u.genesis.roots;
	size_t count = 0;

	for (size_t k = 0; k < s->signer_count; k++)
		for (size_t i = 0; i < roots->count; i++)
			count += sign_key_cmp(&s->signers[k], &roots->keys[i]) == 0;
	return count >= roots->threshold;
}

static bool is_named_before(const struct trust_model *m, size_t x, const struct record_id *node)
{
	if (record_id_cmp(&m->list[0]->u.genesis.node.node, node) == 0)
		return true;
	for (size_t y = 0; y < m->count; y++)
		if (has_seen(m, x, y) && m->list[y]->type == STATEMENT_ADMIT &&
		    record_id_cmp(&m->list[y]->u.admit.node, node) == 0)
			return true;
	return false;
}

/* Whom root revokes, as long as root is who it was at first, is out for good,
 * whatever else is learnt. */
static void check_root(const struct world *world, const struct site *site)
{
	const struct trust_model *m = &site->model;

	for (size_t x = 0; x < site->count && !world->has_roots_changes; x++) {
		const struct statement *s = m->list[x];
		const struct trust_node *node;

		if (s->type != STATEMENT_REVOKE || !is_signed_by_root(world, s) ||
		    !is_named_before(m, x, &s->u.revoke.node))
			continue;
		assert_int_equal(site->verdicts[x], VERDICT_STANDS);
		node = trust_node(site->trust, &s->u.revoke.node);
		assert_true(!node || (node->is_revoked && !node->is_admin));
	}
}

static void check_site(const struct world *world, struct site *site)
{
	for (size_t x = 0; x < site->count; x++) {
		if (site->verdicts[x] != VERDICT_STANDS)
			continue;
		if (whom_it_removes(world->w.list[site->held[x]]))
			check_removal(site, x);
		for (size_t y = 0; y < x; y++)
			if (site->verdicts[y] == VERDICT_STANDS)
				check_pair(site, x, y);
	}
	check_root(world, site);
	for (size_t i = 0; i < site->trust->node_count; i++) {
		const struct trust_node *node = &site->trust->nodes[i];
		const struct trust_epoch *epoch = trust_epoch(site->trust, &node->current);

		assert_true(epoch && !epoch->is_void);
		assert_int_equal(record_id_cmp(&epoch->node, &node->node), 0);
		assert_false(node->is_revoked && node->is_admin);
	}
}

/* ---- Folding --------------------------------------------------------------- */

static void fold(const struct world *world, struct site *site, struct totals *totals)
{
	const struct statement *list[SAID_MAX];
	struct errmsg msg = { .text = "" };

	for (size_t i = 0; i < site->count; i++)
		list[i] = world->w.list[site->held[i]];
	trust_free(site->trust);
	site->trust = NULL;
	assert_int_equal(trust_fold_within(&site->trust, list, site->count, FEW_EPOCHS,
					   site->verdicts, &msg),
			 OK);
	trust_model_fold(&site->model, list, site->count);
	site->model.epochs_max = FEW_EPOCHS;
	assert_true(trust_model_agrees(&site->model, site->trust, site->verdicts));
	check_site(world, site);
	totals->folds++;
	totals->circles += site->model.circles > 0;
}

static bool is_same(const struct trust *a, const struct trust *b)
{
	struct buf of_a = BUF_EMPTY, of_b = BUF_EMPTY;
	bool is_equal;

	trust_encode(&of_a, a);
	trust_encode(&of_b, b);
	is_equal = bytes_equal(buf_bytes(&of_a), buf_bytes(&of_b));
	buf_release(&of_a);
	buf_release(&of_b);
	return is_equal;
}

static bool holds(const struct site *site, size_t statement)
{
	for (size_t i = 0; i < site->count; i++)
		if (site->held[i] == statement)
			return true;
	return false;
}

/* Fold what the site holds anew, and what it had before, extended by the one that
 * came last: the same, unless that one needs the past. */
static void fold_both_ways(const struct world *world, struct site *site, struct totals *totals)
{
	const struct statement *s = world->w.list[site->held[site->count - 1]];
	struct trust *before = site->trust;
	enum verdict verdict;
	struct errmsg msg;

	site->trust = NULL;
	fold(world, site, totals);
	if (trust_extend(before, s, &verdict, &msg) == OK) {
		assert_int_equal(verdict, site->verdicts[site->count - 1]);
		assert_true(is_same(before, site->trust));
		totals->extended++;
	}
	trust_free(before);
}

static void learn_all(const struct world *world, struct site *site, const struct site *from,
		      struct totals *totals)
{
	size_t before = site->count;

	for (size_t i = 0; i < from->count; i++)
		if (!holds(site, from->held[i]))
			site->held[site->count++] = from->held[i];
	if (site->count == before + 1)
		fold_both_ways(world, site, totals);
	else if (site->count > before)
		fold(world, site, totals);
}

/* ---- Saying something ------------------------------------------------------ */

static const struct actor *actor_of(const struct world *world, const struct replica_id *replica)
{
	for (size_t i = ROOT_ACTORS; i < world->actor_count; i++)
		if (replica_id_cmp(&world->actors[i].identity.replica, replica) == 0)
			return &world->actors[i];
	return NULL;
}

static const struct actor *any_actor(struct world *world)
{
	return &world->actors[ROOT_ACTORS + below(world, world->actor_count - ROOT_ACTORS)];
}

/* A node that the site takes for a member, in its current epoch; an admin if it
 * can be. Sometimes anybody at all: a thief, a clone, one who doesn't know. */
static const struct actor *pick_member(struct world *world, const struct site *site, bool is_admin)
{
	for (int tries = 0; tries < 8 && prng_chance(&world->prng, 90); tries++) {
		const struct trust_node *node =
			&site->trust->nodes[below(world, site->trust->node_count)];

		if (!node->is_revoked && (node->is_admin || !is_admin))
			return actor_of(world, &node->current);
	}
	return any_actor(world);
}

/* As many of those who are root to the site as it takes, or fewer. */
static size_t pick_roots(struct world *world, const struct site *site,
			 const struct actor *out[ROOT_ACTORS + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < ROOT_ACTORS && count < site->trust->root_threshold; i++) {
		struct sign_key key;

		memcpy(key.bytes, world->actors[i].identity.sign_key, SIGN_PUBLIC_BYTES);
		if (trust_is_root(site->trust, &key) && prng_chance(&world->prng, 95))
			out[count++] = &world->actors[i];
	}
	return count;
}

/* The heads of what the site holds. */
static void pick_parents(const struct world *world, const struct site *site,
			 const struct statement *out[SAID_MAX + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < site->count; i++) {
		bool is_head = site->model.list[i]->type != STATEMENT_FORK;

		for (size_t j = 0; j < site->count; j++)
			is_head &= !has_seen(&site->model, j, i);
		if (is_head)
			out[count++] = world->w.list[site->held[i]];
	}
	out[count] = NULL;
}

struct saying {
	struct world *world;
	const struct site *site;
	const struct actor *by[ROOT_ACTORS + 3];
	const struct statement *after[SAID_MAX + 1];
	const struct actor *whom;
	struct cut cuts[2];
};

static const struct space_id *any_space(struct world *world)
{
	return &world->spaces[below(world, world->space_count)];
}

static struct cuts some_cuts(struct saying *s, const struct actor *whose)
{
	size_t count = below(s->world, 2);

	s->cuts[0] = cut_at(whose, any_space(s->world), 1 + below(s->world, 6),
			    (unsigned)below(s->world, 2));
	return (struct cuts){ s->cuts, count };
}

static void say_that_admits(struct saying *s)
{
	struct actor *newcomer = &s->world->actors[ROOT_ACTORS + below(s->world, NODES)];

	say_admit(&s->world->w, s->by, s->after, newcomer, prng_chance(&s->world->prng, 60));
}

static void say_that_makes_admin(struct saying *s)
{
	say_admin(&s->world->w, s->by, s->after, s->whom, prng_chance(&s->world->prng, 40));
}

static void say_that_revokes(struct saying *s)
{
	say_revoke(&s->world->w, s->by, s->after, s->whom, some_cuts(s, s->whom));
}

static void say_that_goes_on(struct saying *s)
{
	struct world *world = s->world;
	struct actor *next = &world->actors[world->actor_count];
	const struct actor *now = pick_member(world, s->site, false);
	bool is_rotated = prng_chance(&world->prng, 50);
	bool next_signs = prng_chance(&world->prng, 95);
	struct cuts cuts = some_cuts(s, now);

	*next = is_rotated ? actor_rotated(now, 1000 + (unsigned)below(world, 1000000))
			   : actor_restored(now, 1 + (unsigned)below(world, 1000000));
	world->actor_count++;
	/* Now and then the new key has not signed, or root in place of the old one. */
	if (!is_rotated)
		next_signs = false;
	else if (prng_chance(&world->prng, 5))
		now = &world->actors[0];
	say_epoch(&world->w, next_signs ? BY(now, next) : BY(now), s->after, next,
		  is_rotated ? EPOCH_ROTATED : EPOCH_RESTORED,
		  prng_chance(&world->prng, 50) ? &cuts : NULL);
}

static void say_that_adopts(struct saying *s)
{
	struct cuts cuts = some_cuts(s, any_actor(s->world));

	cuts.count = 1;
	say_adopt(&s->world->w, s->by, s->after, cuts);
}

static void say_that_grants(struct saying *s)
{
	const struct space_id *space = any_space(s->world);
	enum role role = (enum role)below(s->world, ROLE_COUNT);
	struct cuts cuts = some_cuts(s, s->whom);

	s->cuts[0].space = *space; /* its own is the only one that it may cut */
	if (role >= ROLE_EDITOR)
		cuts.count = 0;
	say_grant(&s->world->w, s->by, s->after, space, s->whom->office_code, role, cuts);
}

static void say_that_makes_a_space(struct saying *s)
{
	struct world *world = s->world;
	const struct statement *space;
	const struct actor *by = pick_member(world, s->site, false);

	space = say_space(&world->w, BY(by), s->after,
			  OFFICES({ "AA", (enum role)(1 + below(world, ROLE_COUNT - 1)) },
				  { "CC", (enum role)(1 + below(world, ROLE_COUNT - 1)) }));
	world->spaces[world->space_count++] = statement_space(&space->id);
}

static void say_new_roots(struct saying *s)
{
	struct world *world = s->world;
	const struct actor *by[ROOT_ACTORS + 1] = { 0 }, *next[ROOT_ACTORS + 1] = { 0 };
	size_t first = below(world, ROOT_ACTORS), count = 1 + below(world, ROOT_ACTORS);

	if (pick_roots(world, s->site, by) == 0)
		by[0] = &world->actors[first];
	for (size_t i = 0; i < count; i++)
		next[i] = &world->actors[(first + i) % ROOT_ACTORS];
	say_roots(&world->w, by, s->after, 1 + (unsigned)below(world, count), next);
}

static void say_that_forks(struct saying *s)
{
	/* A seq of its own: the same proof twice would be one statement. */
	say_fork(&s->world->w, pick_member(s->world, s->site, false), any_space(s->world),
		 1 + s->world->w.count);
}

static const struct {
	unsigned weight;
	void (*say)(struct saying *s);
} sayings[] = {
	{ 22, say_that_admits },  { 18, say_that_makes_admin },
	{ 25, say_that_revokes }, { 12, say_that_goes_on },
	{ 7, say_that_adopts },   { 12, say_that_grants },
	{ 2, say_that_forks },    { 4, say_that_makes_a_space },
	{ 5, say_new_roots }, /* last: not in every schedule */
};

static void say_something(struct world *world, struct site *site, struct totals *totals)
{
	struct saying s = { .world = world, .site = site };
	uint64_t draw = below(world, world->has_roots_changes ? 107 : 102);
	size_t signers = 0, i = 0;

	if (prng_chance(&world->prng, 20))
		signers = pick_roots(world, site, s.by);
	if (signers == 0 || prng_chance(&world->prng, 10))
		s.by[signers++] = pick_member(world, site, true);
	s.whom = pick_member(world, site, prng_chance(&world->prng, 50));
	pick_parents(world, site, s.after);
	while (draw >= sayings[i].weight)
		draw -= sayings[i++].weight;
	sayings[i].say(&s);
	totals->said[world->w.list[world->w.count - 1]->type]++;
	site->held[site->count++] = world->w.count - 1;
	fold_both_ways(world, site, totals);
}

/* ---- A schedule ------------------------------------------------------------ */

/* Of five newcomers some can't be admitted beside each other. */
static void twin_nodes(struct actor newcomers[5])
{
	newcomers[2].node = newcomers[1].node;
	/* The same signing key, the same noise key, and nothing else. */
	newcomers[3] = actor_restored(&newcomers[0], 99);
	newcomers[3].node.bytes[0]++;
	newcomers[3].identity.noise_key[0]++;
	memcpy(newcomers[4].identity.noise_key, newcomers[0].identity.noise_key, NOISE_KEY_BYTES);
}

static void world_init(struct world *world, uint64_t seed, struct totals *totals)
{
	static const char *const codes[NODES] = { "AA", "BB", "CC", "AA", "BB", "DD", "CC", "AA" };
	const struct statement *space;

	*world = (struct world){ .seed = seed, .actor_count = ROOT_ACTORS + NODES };
	prng_init(&world->prng, seed);
	statements_init(&world->w, seed);
	world->w.is_unsigned = true;
	for (unsigned i = 0; i < ROOT_ACTORS; i++)
		actor_init(&world->actors[i], 100 + i, "");
	for (unsigned i = 0; i < NODES; i++)
		actor_init(&world->actors[ROOT_ACTORS + i], 1 + i, codes[i]);
	twin_nodes(&world->actors[ROOT_ACTORS + 3]);
	world->has_roots_changes = prng_chance(&world->prng, 40);
	if (prng_chance(&world->prng, 50))
		say_genesis(&world->w, &world->actors[3], 1, ROOTS(&world->actors[0]));
	else
		say_genesis(&world->w, &world->actors[3], 2,
			    ROOTS(&world->actors[0], &world->actors[1], &world->actors[2]));
	say_admit(&world->w, BY(&world->actors[3]), AFTER_ALL, &world->actors[4], true);
	space = say_space(&world->w, BY(&world->actors[4]), AFTER_ALL,
			  OFFICES({ "AA", ROLE_MANAGER }, { "BB", ROLE_EDITOR }));
	world->spaces[0] = statement_space(&world->w.list[0]->id);
	world->spaces[1] = statement_space(&space->id);
	world->space_count = 2;
	world->site_count = 2 + below(world, SITES_MAX - 1);
	for (size_t i = 0; i < world->site_count; i++) {
		for (size_t j = 0; j < world->w.count; j++)
			world->sites[i].held[world->sites[i].count++] = j;
		fold(world, &world->sites[i], totals);
	}
}

static void world_release(struct world *world)
{
	for (size_t i = 0; i < world->site_count; i++)
		trust_free(world->sites[i].trust);
	world->site_count = 0;
	statements_release(&world->w);
}

static void step(struct world *world, struct totals *totals)
{
	struct site *a = &world->sites[below(world, world->site_count)];
	struct site *b = &world->sites[below(world, world->site_count)];

	if (world->w.count < SAID_MAX && prng_chance(&world->prng, 55)) {
		say_something(world, a, totals);
	} else if (prng_chance(&world->prng, 30)) {
		a->is_cut_off = !a->is_cut_off;
	} else if (a != b && a->is_cut_off == b->is_cut_off) {
		learn_all(world, a, b, totals);
		if (prng_chance(&world->prng, 70))
			learn_all(world, b, a, totals);
	}
}

/* Everybody learns everything, each in an order of its own. */
static void heal(struct world *world, struct totals *totals)
{
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < world->site_count; i++)
			for (size_t j = 0; j < world->site_count; j++)
				learn_all(world, &world->sites[i], &world->sites[j], totals);
	for (size_t i = 0; i < world->site_count; i++) {
		assert_int_equal(world->sites[i].count, world->w.count);
		assert_true(is_same(world->sites[i].trust, world->sites[0].trust));
	}
	for (size_t i = 0; i < world->sites[0].count; i++)
		totals->verdicts[world->sites[0].verdicts[i]]++;
}

static void report(const struct totals *totals)
{
	fprintf(stderr,
		"%d schedules, %" PRIu64 " folds, %" PRIu64 " of sets with circles, %" PRIu64
		" extended\n",
		SCHEDULES, totals->folds, totals->circles, totals->extended);
	for (int t = STATEMENT_ADMIT; t < STATEMENT_TYPE_COUNT; t++)
		fprintf(stderr, "%s %" PRIu64 "; ", statement_type_name((enum statement_type)t),
			totals->said[t]);
	for (int v = 0; v < VERDICT_COUNT; v++)
		fprintf(stderr, "%s%s %" PRIu64,
			v ? ", " : "in the end: ", verdict_name((enum verdict)v),
			totals->verdicts[v]);
	fprintf(stderr, "\n");
}

static void every_site_understands_the_same(void **state)
{
	uint64_t seed = prng_seed_from_environment();
	struct totals totals = { 0 };
	struct world *world = *state;

	for (uint64_t i = 0; i < SCHEDULES; i++) {
		uint64_t steps;

		world_init(world, seed + i, &totals);
		steps = 10 + below(world, STEPS_MAX - 9);
		while (steps-- > 0)
			step(world, &totals);
		heal(world, &totals);
		world_release(world);
	}
	report(&totals);
	assert_true(totals.circles > 0);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state ? 0 : -1;
}

/* Also after a failure: this repeats it at once. */
static int teardown(void **state)
{
	struct world *world = *state;

	fprintf(stderr, "the last schedule: HUITONG_SEED=%" PRIu64 "\n", world->seed);
	world_release(world);
	free(world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_site_understands_the_same, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
