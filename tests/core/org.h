/* An organisation to judge statements of. Include it after cmocka.h. */
#ifndef HT_TESTS_CORE_ORG_H
#define HT_TESTS_CORE_ORG_H

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

static inline void org_init(struct org *o, unsigned threshold)
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

static inline void org_release(struct org *o)
{
	trust_free(o->t);
	statements_release(&o->w);
}

static inline const struct trust *fold(struct org *o)
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
static inline const char *verdict(struct org *o, const struct statement *s)
{
	size_t i = 0;

	fold(o);
	while (o->w.list[i] != s)
		i++;
	return verdict_name((enum verdict)o->verdicts[i]);
}

#define assert_verdict(o, s, name) assert_string_equal(verdict(o, s), name)

/* Of two, which has the lower id. */
static inline bool is_lower(const struct statement *a, const struct statement *b)
{
	return statement_id_cmp(&a->id, &b->id) < 0;
}

#define BASE AFTER(o.base)

static inline struct trust_cut cut_of(struct org *o, const struct actor *a,
				      const struct space_id *space)
{
	fold(o);
	return trust_cut(o->t, &a->identity.replica, space);
}

static inline void assert_cut(struct org *o, const struct actor *a, const struct space_id *space,
			      uint64_t seq, const char *cause)
{
	struct trust_cut cut = cut_of(o, a, space);

	assert_int_equal(cut.seq, seq);
	assert_string_equal(cut_cause_name(cut.cause), cause);
}

#endif
