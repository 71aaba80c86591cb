/* Between the files of the model (tests/support/trust_model.h) only.
 *
 *   trust_model_ground    what a statement rests on (M-4, M-6, M-7)
 *   trust_model           what stands, and the result (M-5, M-8 to M-12)
 *   trust_model_cut       which changesets count (M-14, M-15)
 *   trust_model_compare   with what core/trust.h says */
#ifndef HT_TESTS_SUPPORT_TRUST_MODEL_IMPL_H
#define HT_TESTS_SUPPORT_TRUST_MODEL_IMPL_H

#include "tests/support/trust_model.h"

#define BIT(i) (UINT64_C(1) << (i))

/* How to read what is undecided: givers count if they are in `good`, takers and
 * rivals if they are in `bad` (M-11). */
struct reading {
	uint64_t good, bad;
};

/* For the worse: true stays true whatever becomes of them. */
static inline struct reading surely(const struct trust_model *m)
{
	return (struct reading){ m->stands, ~m->fallen };
}

/* For the better: false stays false. */
static inline struct reading possibly(const struct trust_model *m)
{
	return (struct reading){ ~m->fallen, m->stands };
}

static inline bool has(uint64_t set, size_t i)
{
	return set >> i & 1;
}

static inline bool are_concurrent(const struct trust_model *m, size_t x, size_t y)
{
	return x != y && !has(m->past[x], y) && !has(m->past[y], x);
}

static inline uint64_t beside(const struct trust_model *m, size_t x)
{
	uint64_t set = 0;

	for (size_t y = 0; y < m->count; y++)
		if (are_concurrent(m, x, y))
			set |= BIT(y);
	return set;
}

/* ---- What statements say --------------------------------------------------- */

static inline const struct node_entry *admission(const struct statement *s)
{
	if (s->type == STATEMENT_GENESIS)
		return &s->u.genesis.node;
	return s->type == STATEMENT_ADMIT ? &s->u.admit : NULL;
}

/* Of ADMIT and EPOCH, otherwise NULL. */
static inline const struct node_identity *identity(const struct statement *s)
{
	const struct node_entry *entry = admission(s);

	if (entry)
		return &entry->identity;
	return s->type == STATEMENT_EPOCH ? &s->u.epoch.identity : NULL;
}

/* The node of whom ADMIT, ADMIN, REVOKE, EPOCH speak, otherwise NULL. */
static inline const struct record_id *subject(const struct statement *s)
{
	if (admission(s))
		return &admission(s)->node;
	switch (s->type) {
	case STATEMENT_ADMIN: return &s->u.admin.node;
	case STATEMENT_REVOKE: return &s->u.revoke.node;
	case STATEMENT_EPOCH: return &s->u.epoch.node;
	default: return NULL;
	}
}

static inline const struct roots *roots_of(const struct statement *s)
{
	if (s->type == STATEMENT_GENESIS)
		return &s->u.genesis.roots;
	return s->type == STATEMENT_ROOTS ? &s->u.roots : NULL;
}

static inline bool is_about(const struct statement *s, const struct record_id *node)
{
	return subject(s) && record_id_cmp(subject(s), node) == 0;
}

static inline bool is_same_office(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool has_key(const struct statement *s, const struct sign_key *key)
{
	return memcmp(identity(s)->sign_key, key->bytes, SIGN_PUBLIC_BYTES) == 0;
}

static inline bool is_space(const struct statement *s, const struct space_id *space)
{
	struct space_id made = statement_space(&s->id);

	return s->type == STATEMENT_SPACE && space_id_cmp(&made, space) == 0;
}

/* Whether a SPACE or GRANT gives the office a role in the space, and which. */
static inline bool gives_role(const struct statement *s, const struct space_id *space,
			      const char *office, enum role *role)
{
	if (s->type == STATEMENT_GRANT && space_id_cmp(&s->u.grant.space, space) == 0 &&
	    is_same_office(s->u.grant.office_code, office)) {
		*role = s->u.grant.role;
		return true;
	}
	if (!is_space(s, space))
		return false;
	*role = ROLE_NONE;
	for (size_t i = 0; i < s->u.space.office_count; i++)
		if (is_same_office(s->u.space.offices[i].office_code, office))
			*role = s->u.space.offices[i].role;
	return true;
}

static inline bool is_removal(const struct statement *s)
{
	return s->type == STATEMENT_REVOKE || s->type == STATEMENT_ROOTS ||
	       (s->type == STATEMENT_ADMIN && !s->u.admin.is_admin) ||
	       (s->type == STATEMENT_GRANT && s->u.grant.role < ROLE_MANAGER);
}

/* ---- trust_model_ground.c -------------------------------------------------- */

/* What somebody must have to sign something. The takers are those that x has
 * seen, and the removals concurrent with it. */
struct capacity {
	uint64_t givers, seen, beside;
	bool is_root; /* every giver has takers of its own */
};

/* One way in which they may sign it: all of these. */
struct ground {
	struct capacity all[5];
	size_t count;
	bool is_own; /* nothing but that the feed is theirs */
};

enum { GROUNDS_MAX = 64 };

struct grounds {
	struct ground list[GROUNDS_MAX];
	size_t count;
};

/* How far to look for takers: M-4, or M-7 as well. */
enum scope { SEEN, SEEN_OR_BESIDE };

/* How many times it needs a ground: an ADOPT for each of its cuts. */
static inline size_t needs(const struct statement *s)
{
	return s->type == STATEMENT_ADOPT ? s->u.adopt.cut_count : 1;
}

/* Of an ADOPT those for its cut c, which is 0 for all others. */
void model_grounds(const struct trust_model *m, struct grounds *out, size_t x, size_t c);

bool model_capacity_holds(const struct trust_model *m, struct reading r, size_t x,
			  const struct capacity *c, enum scope scope);
bool model_ground_holds(const struct trust_model *m, struct reading r, size_t x,
			const struct ground *ground, enum scope scope);
bool model_any_holds(const struct trust_model *m, struct reading r, size_t x,
		     const struct grounds *g, enum scope scope);
/* One ground, or one for each cut, holds. */
bool model_rests(const struct trust_model *m, struct reading r, size_t x, enum scope scope);

/* Who takes the capacity from the giver g: all but those that it has seen. */
uint64_t model_takers_from(const struct trust_model *m, size_t x, const struct capacity *c,
			   enum scope scope, size_t g);
/* As a statement has it that has seen all. */
struct capacity model_admin_capacity(const struct trust_model *m, const struct record_id *node);

/* ---- trust_model.c --------------------------------------------------------- */

/* By the newest that stands; none in a space that does not. */
enum role model_role(const struct trust_model *m, const struct space_id *space, const char *office);

#endif
