/* People who say anything at all in an organisation. Include it after cmocka.h. */
#ifndef HT_TESTS_CORE_CROWD_H
#define HT_TESTS_CORE_CROWD_H

#include "tests/core/org.h"
#include "tests/support/prng.h"

enum { WORLDS = 200, WORLD_STATEMENTS = 36 };

/* Actors and spaces that were named, known to the fold or not. */
struct crowd {
	struct org *o;
	struct prng prng;
	struct actor actors[64];
	unsigned actor_count;
	struct space_id spaces[64];
	unsigned space_count;
};

static inline struct actor *anyone(struct crowd *c)
{
	return &c->actors[prng_below(&c->prng, c->actor_count)];
}

static inline const char *any_office(struct crowd *c)
{
	static const char *const codes[] = { "AAA", "BBB", "CCC", "DDD" };

	return codes[prng_below(&c->prng, 4)];
}

static inline const struct actor *newcomer(struct crowd *c, struct actor actor)
{
	c->actors[c->actor_count++] = actor;
	return &c->actors[c->actor_count - 1];
}

static inline bool is_same_key(const struct actor *a, const struct actor *b)
{
	return memcmp(a->identity.sign_key, b->identity.sign_key, SIGN_PUBLIC_BYTES) == 0;
}

/* One or two, of different feeds of the space; NULL: of any. */
static inline struct cuts any_cuts(struct crowd *c, const struct space_id *space,
				   struct cut cuts[2])
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

static inline void say_epoch_of_someone(struct crowd *c, const struct statement *const *after)
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

static inline void say_grant_to_someone(struct crowd *c, const struct actor *const *by,
					const struct statement *const *after)
{
	const struct space_id *space = &c->spaces[prng_below(&c->prng, c->space_count)];
	enum role role = (enum role)prng_below(&c->prng, ROLE_COUNT);
	struct cut cuts[2];
	struct cuts list = any_cuts(c, space, cuts);

	say_grant(&c->o->w, by, after, space, any_office(c), role,
		  role < ROLE_EDITOR ? list : NO_CUTS);
}

static inline void say_anything(struct crowd *c, const struct actor *const *by,
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

static inline bool is_said_before(const struct statements *w, const struct statement *s)
{
	for (size_t i = 0; w->list[i] != s; i++)
		if (statement_id_cmp(&w->list[i]->id, &s->id) == 0)
			return true;
	return false;
}

/* Among the newest; of FORKs, what was said before them. */
static inline const struct statement *something_said(struct crowd *c)
{
	const struct statements *w = &c->o->w;
	size_t at = w->count - 1 - prng_below(&c->prng, 4);

	while (w->list[at]->type == STATEMENT_FORK)
		at--;
	return w->list[at];
}

/* `all_percent` have seen everything; with forks, which are nobody's parents, none. */
static inline void crowd_says(struct crowd *c, struct org *o, uint64_t seed, unsigned count,
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

static inline struct buf encoded(const struct trust *t)
{
	struct buf out = BUF_EMPTY;

	trust_encode(&out, t);
	assert_int_equal(buf_check(&out), OK);
	return out;
}

static inline void assert_same(const struct trust *a, const struct trust *b)
{
	struct buf x = encoded(a), y = encoded(b);

	assert_int_equal(x.size, y.size);
	assert_memory_equal(x.data, y.data, x.size);
	assert_memory_equal(a->digest, b->digest, sizeof(a->digest));
	buf_release(&x);
	buf_release(&y);
}

#endif
