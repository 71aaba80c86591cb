#include "tests/support/trust_model.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#define BIT(i) (UINT64_C(1) << (i))

/* How to read what is undecided: givers count if they are in `good`, takers and
 * rivals if they are in `bad` (M-11). */
struct reading {
	uint64_t good, bad;
};

/* For the worse: true stays true whatever becomes of them. */
static struct reading surely(const struct trust_model *m)
{
	return (struct reading){ m->stands, ~m->fallen };
}

/* For the better: false stays false. */
static struct reading possibly(const struct trust_model *m)
{
	return (struct reading){ ~m->fallen, m->stands };
}

static bool has(uint64_t set, size_t i)
{
	return set >> i & 1;
}

static bool are_concurrent(const struct trust_model *m, size_t x, size_t y)
{
	return x != y && !has(m->past[x], y) && !has(m->past[y], x);
}

static uint64_t beside(const struct trust_model *m, size_t x)
{
	uint64_t set = 0;

	for (size_t y = 0; y < m->count; y++)
		if (are_concurrent(m, x, y))
			set |= BIT(y);
	return set;
}

/* ---- What statements say --------------------------------------------------- */

static const struct node_entry *admission(const struct statement *s)
{
	if (s->type == STATEMENT_GENESIS)
		return &s->u.genesis.node;
	return s->type == STATEMENT_ADMIT ? &s->u.admit : NULL;
}

/* Of ADMIT and EPOCH, otherwise NULL. */
static const struct node_identity *identity(const struct statement *s)
{
	const struct node_entry *entry = admission(s);

	if (entry)
		return &entry->identity;
	return s->type == STATEMENT_EPOCH ? &s->u.epoch.identity : NULL;
}

/* The node of whom ADMIT, ADMIN, REVOKE, EPOCH speak, otherwise NULL. */
static const struct record_id *subject(const struct statement *s)
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

static const struct roots *roots_of(const struct statement *s)
{
	if (s->type == STATEMENT_GENESIS)
		return &s->u.genesis.roots;
	return s->type == STATEMENT_ROOTS ? &s->u.roots : NULL;
}

static bool is_about(const struct statement *s, const struct record_id *node)
{
	return subject(s) && record_id_cmp(subject(s), node) == 0;
}

static bool is_same_office(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool has_key(const struct statement *s, const struct sign_key *key)
{
	return memcmp(identity(s)->sign_key, key->bytes, SIGN_PUBLIC_BYTES) == 0;
}

static bool is_space(const struct statement *s, const struct space_id *space)
{
	struct space_id made = statement_space(&s->id);

	return s->type == STATEMENT_SPACE && space_id_cmp(&made, space) == 0;
}

/* Whether a SPACE or GRANT gives the office a role in the space, and which. */
static bool gives_role(const struct statement *s, const struct space_id *space, const char *office,
		       enum role *role)
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

static bool is_removal(const struct statement *s)
{
	return s->type == STATEMENT_REVOKE || s->type == STATEMENT_ROOTS ||
	       (s->type == STATEMENT_ADMIN && !s->u.admin.is_admin) ||
	       (s->type == STATEMENT_GRANT && s->u.grant.role < ROLE_MANAGER);
}

/* ---- M-4, M-7: what a statement rests on ----------------------------------- */

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

static size_t common_keys(const struct statement *x, const struct roots *a, const struct roots *b)
{
	size_t count = 0;

	for (size_t s = 0; s < x->signer_count; s++) {
		bool in_a = false, in_b = false;

		for (size_t i = 0; i < a->count; i++)
			in_a |= sign_key_cmp(&a->keys[i], &x->signers[s]) == 0;
		for (size_t i = 0; i < b->count; i++)
			in_b |= sign_key_cmp(&b->keys[i], &x->signers[s]) == 0;
		count += in_a && in_b;
	}
	return count;
}

/* The ROOTS concurrent with x by which, and by g, too few of its signers are root. */
static uint64_t root_takers(const struct trust_model *m, size_t x, size_t g)
{
	uint64_t takers = 0;

	for (size_t t = 1; t < m->count; t++) {
		const struct roots *taker = roots_of(m->list[t]);

		if (taker && are_concurrent(m, t, x) &&
		    common_keys(m->list[x], roots_of(m->list[g]), taker) < taker->threshold)
			takers |= BIT(t);
	}
	return takers;
}

/* Of the giver g: all but those that it has seen. */
static uint64_t takers_from(const struct trust_model *m, size_t x, const struct capacity *c,
			    enum scope scope, size_t g)
{
	uint64_t takers = c->seen & ~BIT(g);

	if (scope == SEEN_OR_BESIDE)
		takers |= c->is_root ? root_takers(m, x, g) : c->beside;
	return takers & ~m->past[g];
}

static bool capacity_holds(const struct trust_model *m, struct reading r, size_t x,
			   const struct capacity *c, enum scope scope)
{
	for (size_t g = 0; g < m->count; g++)
		if (has(c->givers & r.good, g) && (takers_from(m, x, c, scope, g) & r.bad) == 0)
			return true;
	return false;
}

static bool ground_holds(const struct trust_model *m, struct reading r, size_t x,
			 const struct ground *ground, enum scope scope)
{
	for (size_t i = 0; i < ground->count; i++)
		if (!capacity_holds(m, r, x, &ground->all[i], scope))
			return false;
	return true;
}

static void add_capacity(struct ground *ground, struct capacity capacity)
{
	ground->all[ground->count++] = capacity;
}

static struct ground root_ground(const struct trust_model *m, size_t x)
{
	struct capacity root = { .is_root = true };
	struct ground ground = { .count = 0 };

	for (size_t i = 0; i < m->count; i++) {
		const struct roots *roots = roots_of(m->list[i]);

		if (!roots || !has(m->past[x], i))
			continue;
		root.seen |= BIT(i);
		if (common_keys(m->list[x], roots, roots) >= roots->threshold)
			root.givers |= BIT(i);
	}
	add_capacity(&ground, root);
	return ground;
}

/* That the node is a member and this its current key. */
static struct ground node_ground(const struct trust_model *m, size_t x, const struct sign_key *key,
				 const struct record_id *node)
{
	struct capacity current = { 0 }, member = { .givers = BIT(0) };
	struct ground ground = { .count = 0 };

	for (size_t i = 0; i < m->count; i++) {
		const struct statement *s = m->list[i];

		if (!is_about(s, node))
			continue;
		if (s->type == STATEMENT_REVOKE)
			*(has(m->past[x], i) ? &member.seen : &member.beside) |= BIT(i);
		if (identity(s) && has_key(s, key))
			current.givers |= BIT(i);
		else if (s->type == STATEMENT_EPOCH)
			current.seen |= BIT(i);
	}
	add_capacity(&ground, current);
	add_capacity(&ground, member);
	return ground;
}

static struct capacity admin_capacity(const struct trust_model *m, const struct record_id *node)
{
	struct capacity admin = { 0 };

	for (size_t i = 0; i < m->count; i++) {
		const struct statement *s = m->list[i];

		if (!is_about(s, node))
			continue;
		if (s->type == STATEMENT_ADMIN)
			*(s->u.admin.is_admin ? &admin.givers : &admin.beside) |= BIT(i);
		else if (admission(s) && admission(s)->is_admin)
			admin.givers |= BIT(i);
	}
	admin.seen = admin.beside;
	return admin;
}

static struct capacity office_capacity(const struct trust_model *m, const struct record_id *node,
				       const char *office)
{
	struct capacity in_office = { 0 };

	for (size_t i = 0; i < m->count; i++)
		if (admission(m->list[i]) && is_about(m->list[i], node) &&
		    is_same_office(admission(m->list[i])->office_code, office))
			in_office.givers |= BIT(i);
	return in_office;
}

static struct capacity manager_capacity(const struct trust_model *m, const struct space_id *space,
					const char *office)
{
	struct capacity manager = { 0 };
	enum role role;

	for (size_t i = 0; i < m->count; i++) {
		if (!gives_role(m->list[i], space, office, &role))
			continue;
		if (role == ROLE_MANAGER)
			manager.givers |= BIT(i);
		else
			manager.seen |= BIT(i);
		if (is_removal(m->list[i]))
			manager.beside |= BIT(i);
	}
	return manager;
}

static struct capacity feed_capacity(const struct trust_model *m, const struct record_id *node,
				     const struct replica_id *replica)
{
	struct capacity own = { 0 };

	for (size_t i = 0; i < m->count; i++)
		if (identity(m->list[i]) && is_about(m->list[i], node) &&
		    replica_id_cmp(&identity(m->list[i])->replica, replica) == 0)
			own.givers |= BIT(i);
	return own;
}

/* Leave only what x has seen, and what is beside it. */
static void add_ground(const struct trust_model *m, struct grounds *out, size_t x,
		       struct ground ground)
{
	for (size_t i = 0; i < ground.count; i++) {
		ground.all[i].givers &= m->past[x];
		ground.all[i].seen &= m->past[x];
		ground.all[i].beside &= beside(m, x);
	}
	assert(out->count < GROUNDS_MAX);
	out->list[out->count++] = ground;
}

static struct ground with(struct ground ground, struct capacity capacity)
{
	add_capacity(&ground, capacity);
	return ground;
}

/* Of a manager, in whichever office the node is. */
static void add_manager_grounds(const struct trust_model *m, struct grounds *out, size_t x,
				struct ground self, const struct record_id *node,
				const struct space_id *space)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct node_entry *entry = admission(m->list[i]);

		if (entry && is_about(m->list[i], node))
			add_ground(m, out, x,
				   with(with(self, office_capacity(m, node, entry->office_code)),
					manager_capacity(m, space, entry->office_code)));
	}
}

static void add_node_grounds(const struct trust_model *m, struct grounds *out, size_t x,
			     const struct cut *cut, const struct sign_key *key,
			     const struct record_id *node)
{
	const struct statement *s = m->list[x];
	struct ground self = node_ground(m, x, key, node);
	bool is_self = s->type == STATEMENT_REVOKE || s->type == STATEMENT_EPOCH;

	if (s->type == STATEMENT_SPACE || (is_self && is_about(s, node)))
		add_ground(m, out, x, self);
	if (s->type != STATEMENT_SPACE && s->type != STATEMENT_EPOCH && s->type != STATEMENT_ROOTS)
		add_ground(m, out, x, with(self, admin_capacity(m, node)));
	if (s->type == STATEMENT_GRANT)
		add_manager_grounds(m, out, x, self, node, &s->u.grant.space);
	if (cut) {
		add_manager_grounds(m, out, x, self, node, &cut->space);
		self.is_own = true;
		add_ground(m, out, x, with(self, feed_capacity(m, node, &cut->replica)));
	}
}

/* Of an ADOPT those for its cut c, which is 0 for all others. */
static void grounds_of(const struct trust_model *m, struct grounds *out, size_t x, size_t c)
{
	const struct statement *s = m->list[x];
	const struct cut *cut = s->type == STATEMENT_ADOPT ? &s->u.adopt.cuts[c] : NULL;
	bool is_signed = s->type != STATEMENT_EPOCH; /* by its new key, too */

	out->count = 0;
	for (size_t k = 0; k < s->signer_count; k++)
		is_signed |= s->type == STATEMENT_EPOCH && has_key(s, &s->signers[k]);
	if (!is_signed)
		return;
	if (s->type != STATEMENT_SPACE && s->type != STATEMENT_EPOCH)
		add_ground(m, out, x, root_ground(m, x));
	for (size_t k = 0; k < s->signer_count; k++)
		for (size_t i = 0; i < m->count; i++) {
			bool is_known =
				!identity(m->list[i]) || !has_key(m->list[i], &s->signers[k]);

			for (size_t j = 0; j < i && !is_known; j++)
				is_known = identity(m->list[j]) &&
					   has_key(m->list[j], &s->signers[k]) &&
					   is_about(m->list[j], subject(m->list[i]));
			if (!is_known)
				add_node_grounds(m, out, x, cut, &s->signers[k],
						 subject(m->list[i]));
		}
}

/* How many times it needs a ground: an ADOPT for each of its cuts. */
static size_t needs(const struct statement *s)
{
	return s->type == STATEMENT_ADOPT ? s->u.adopt.cut_count : 1;
}

static bool any_holds(const struct trust_model *m, struct reading r, size_t x,
		      const struct grounds *g, enum scope scope)
{
	for (size_t i = 0; i < g->count; i++)
		if (ground_holds(m, r, x, &g->list[i], scope))
			return true;
	return false;
}

static bool rests(const struct trust_model *m, struct reading r, size_t x, enum scope scope)
{
	struct grounds g;

	for (size_t c = 0; c < needs(m->list[x]); c++) {
		grounds_of(m, &g, x, c);
		if (!any_holds(m, r, x, &g, scope))
			return false;
	}
	return true;
}

/* ---- M-5, M-8 to M-10: beside each other ----------------------------------- */

static bool clash(const struct statement *x, const struct statement *y)
{
	const struct node_identity *a = identity(x), *b = identity(y);

	if (!a || !b)
		return false;
	if (replica_id_cmp(&a->replica, &b->replica) == 0)
		return true;
	if (is_about(x, subject(y)))
		return admission(x) && admission(y);
	return memcmp(a->sign_key, b->sign_key, SIGN_PUBLIC_BYTES) == 0 ||
	       memcmp(a->noise_key, b->noise_key, NOISE_KEY_BYTES) == 0;
}

static bool is_meaningful(const struct trust_model *m, struct reading r, size_t x)
{
	const struct statement *s = m->list[x];
	bool is_named = s->type != STATEMENT_ADMIN && s->type != STATEMENT_REVOKE &&
			s->type != STATEMENT_GRANT;

	for (size_t y = 0; y < m->count; y++) {
		const struct statement *p = m->list[y];

		if (!has(m->past[x], y))
			continue;
		if (s->type == STATEMENT_GRANT)
			is_named |= is_space(p, &s->u.grant.space);
		else if (subject(s))
			is_named |= admission(p) && is_about(p, subject(s));
		if (has(r.bad, y) && clash(s, p))
			return false;
	}
	return is_named;
}

/* M-8 and M-9, of concurrent ones: y standing, x can't. */
static bool beats(const struct trust_model *m, size_t y, size_t x)
{
	const struct statement *a = m->list[y], *b = m->list[x];
	bool a_wins, b_gains;

	if (a->type == STATEMENT_REVOKE && b->type == STATEMENT_ADMIN && b->u.admin.is_admin)
		return is_about(a, subject(b)) && (has(m->is_root, y) || !has(m->is_root, x));
	if (a->type != b->type)
		return false;
	if (a->type == STATEMENT_ADMIN) {
		if (!is_about(a, subject(b)) || a->u.admin.is_admin == b->u.admin.is_admin)
			return false;
		b_gains = b->u.admin.is_admin;
	} else if (a->type == STATEMENT_GRANT) {
		if (space_id_cmp(&a->u.grant.space, &b->u.grant.space) != 0 ||
		    !is_same_office(a->u.grant.office_code, b->u.grant.office_code) ||
		    a->u.grant.role == b->u.grant.role)
			return false;
		b_gains = b->u.grant.role > a->u.grant.role;
	} else {
		return false;
	}
	a_wins = has(m->is_root, y) == has(m->is_root, x) ? b_gains : has(m->is_root, y);
	return a_wins;
}

static bool are_rivals(const struct statement *x, const struct statement *y)
{
	return clash(x, y) ||
	       (x->type == y->type && (x->type == STATEMENT_ROOTS ||
				       (x->type == STATEMENT_EPOCH && is_about(x, subject(y)))));
}

static bool is_better(const struct trust_model *m, size_t y, size_t x)
{
	if (has(m->is_root, y) != has(m->is_root, x))
		return has(m->is_root, y);
	return statement_id_cmp(&m->list[y]->id, &m->list[x]->id) < 0;
}

/* ---- M-11: the order of decisions ------------------------------------------ */

static uint64_t undecided(const struct trust_model *m, uint64_t which)
{
	return which & ~(m->stands | m->fallen);
}

/* M-7 does not concern SPACE. */
static enum scope scope_of(const struct statement *s)
{
	return s->type == STATEMENT_SPACE ? SEEN : SEEN_OR_BESIDE;
}

static bool would_stand(const struct trust_model *m, struct reading r, size_t x)
{
	if (!rests(m, r, x, scope_of(m->list[x])) || !is_meaningful(m, r, x))
		return false;
	for (size_t y = 0; y < m->count; y++) {
		if (!are_concurrent(m, x, y) || !has(r.bad, y))
			continue;
		if (beats(m, y, x))
			return false;
		if (are_rivals(m->list[x], m->list[y]) && (has(m->stands, y) || is_better(m, y, x)))
			return false;
	}
	return true;
}

static bool decide_some(struct trust_model *m, uint64_t which)
{
	uint64_t before = undecided(m, which);

	for (size_t x = 0; x < m->count; x++) {
		if (!has(undecided(m, which), x))
			continue;
		if (would_stand(m, surely(m), x))
			m->stands |= BIT(x);
		else if (!would_stand(m, possibly(m), x))
			m->fallen |= BIT(x);
	}
	return before != undecided(m, which);
}

/* What decides whether the capacity holds. */
static uint64_t capacity_waits(const struct trust_model *m, size_t x, const struct capacity *c)
{
	uint64_t set = c->givers;

	if (capacity_holds(m, surely(m), x, c, scope_of(m->list[x])))
		return 0;
	for (size_t g = 0; g < m->count; g++)
		if (has(c->givers & ~m->fallen, g))
			set |= takers_from(m, x, c, scope_of(m->list[x]), g);
	return set;
}

static uint64_t waits_for(const struct trust_model *m, size_t x)
{
	enum scope scope = scope_of(m->list[x]);
	struct grounds g;
	uint64_t set = 0;

	for (size_t y = 0; y < m->count; y++) {
		bool is_rival = are_rivals(m->list[x], m->list[y]) && is_better(m, y, x);

		if (are_concurrent(m, x, y) ? beats(m, y, x) || is_rival
					    : has(m->past[x], y) && clash(m->list[x], m->list[y]))
			set |= BIT(y);
	}
	for (size_t c = 0; c < needs(m->list[x]); c++) {
		grounds_of(m, &g, x, c);
		if (any_holds(m, surely(m), x, &g, scope))
			continue;
		for (size_t i = 0; i < g.count; i++)
			for (size_t j = 0; j < g.list[i].count; j++)
				if (ground_holds(m, possibly(m), x, &g.list[i], scope))
					set |= capacity_waits(m, x, &g.list[i].all[j]);
	}
	return set;
}

/* Holds by M-4 whatever becomes of the others, and M-7 leaves it so far. */
static bool is_left(const struct trust_model *m, size_t x, const struct ground *ground)
{
	return ground_holds(m, surely(m), x, ground, SEEN) &&
	       ground_holds(m, possibly(m), x, ground, scope_of(m->list[x]));
}

static bool is_candidate(const struct trust_model *m, size_t x)
{
	struct grounds g;

	for (size_t c = 0; c < needs(m->list[x]); c++) {
		bool is_any_left = false;

		grounds_of(m, &g, x, c);
		for (size_t i = 0; i < g.count; i++)
			is_any_left |= is_left(m, x, &g.list[i]);
		if (!is_any_left)
			return false;
	}
	return is_meaningful(m, surely(m), x);
}

/* Whether y takes a ground that x has left and can't do without. */
static bool takes_ground(const struct trust_model *m, size_t y, size_t x)
{
	struct reading alone = { m->stands, BIT(y) };
	enum scope scope = scope_of(m->list[x]);
	struct grounds g;

	for (size_t c = 0; c < needs(m->list[x]); c++) {
		grounds_of(m, &g, x, c);
		if (any_holds(m, surely(m), x, &g, scope))
			continue;
		for (size_t i = 0; i < g.count; i++)
			if (is_left(m, x, &g.list[i]) &&
			    !ground_holds(m, alone, x, &g.list[i], scope))
				return true;
	}
	return false;
}

static bool goes_before(const struct trust_model *m, size_t x, size_t y)
{
	if (is_removal(m->list[x]) != is_removal(m->list[y]))
		return is_removal(m->list[x]);
	return is_better(m, x, y);
}

/* Undecided and concurrent with x, and against it. */
static uint64_t opponents(const struct trust_model *m, size_t x, uint64_t which)
{
	uint64_t set = 0;

	for (size_t y = 0; y < m->count; y++)
		if (has(undecided(m, which), y) && are_concurrent(m, x, y) &&
		    (beats(m, y, x) || are_rivals(m->list[y], m->list[x])))
			set |= BIT(y);
	return set;
}

static uint64_t takers(const struct trust_model *m, size_t x, uint64_t which)
{
	uint64_t set = 0;

	for (size_t y = 0; y < m->count; y++)
		if (has(undecided(m, which), y) && are_concurrent(m, x, y) && takes_ground(m, y, x))
			set |= BIT(y);
	return set;
}

/* Of these, all of which wait for each other, the best stands. */
static void break_circle(struct trust_model *m, uint64_t circle, uint64_t which)
{
	size_t best = m->count;

	m->circles++;
	for (size_t x = 0; x < m->count; x++)
		if (has(circle, x) && is_candidate(m, x) &&
		    (best == m->count || goes_before(m, x, best)))
			best = x;
	assert(best < m->count);
	m->fallen |= opponents(m, best, which);
	m->fallen |= takers(m, best, which);
	m->stands |= BIT(best);
}

/* One circle that waits for nothing outside it. */
static uint64_t find_circle(const struct trust_model *m, uint64_t which)
{
	uint64_t reach[MODEL_MAX] = { 0 }, left = undecided(m, which);

	for (size_t x = 0; x < m->count; x++)
		if (has(left, x))
			reach[x] = waits_for(m, x) & left;
	for (size_t by = 0; by < m->count; by++)
		for (size_t x = 0; x < m->count; x++)
			if (has(reach[x], by))
				reach[x] |= reach[by];
	for (size_t x = 0; x < m->count; x++) {
		bool is_closed = has(reach[x], x);

		for (size_t y = 0; y < m->count; y++)
			is_closed &= !has(reach[x], y) || has(reach[y], x);
		if (is_closed)
			return reach[x];
	}
	assert(!"what is undecided waits in a circle");
	return 0;
}

static void settle(struct trust_model *m, uint64_t which)
{
	while (undecided(m, which))
		if (!decide_some(m, which))
			break_circle(m, find_circle(m, which), which);
}

/* ---- M-12: the result ------------------------------------------------------ */

static enum verdict verdict_of(const struct trust_model *m, size_t x)
{
	struct reading r = { m->stands, m->stands };

	if (has(m->stands, x))
		return VERDICT_STANDS;
	if (!rests(m, r, x, SEEN))
		return VERDICT_NO_AUTHORITY;
	return is_meaningful(m, r, x) ? VERDICT_OVERRULED : VERDICT_MEANINGLESS;
}

static bool is_revoked(const struct trust_model *m, const struct record_id *node)
{
	for (size_t i = 0; i < m->count; i++)
		if (has(m->stands, i) && m->list[i]->type == STATEMENT_REVOKE &&
		    is_about(m->list[i], node))
			return true;
	return false;
}

static bool is_admin(const struct trust_model *m, const struct record_id *node)
{
	struct reading settled = { m->stands, m->stands };
	struct capacity admin = admin_capacity(m, node);

	return capacity_holds(m, settled, m->count, &admin, SEEN) && !is_revoked(m, node);
}

static struct trust_node node_of(const struct trust_model *m, const struct statement *admit)
{
	const struct node_entry *entry = admission(admit);
	struct trust_node node = { .node = entry->node,
				   .block = entry->block,
				   .is_admin = is_admin(m, &entry->node),
				   .is_revoked = is_revoked(m, &entry->node),
				   .current = entry->identity.replica,
				   .since_ms = admit->wall_ms };
	size_t newest = m->count;

	memcpy(node.office_code, entry->office_code, sizeof(node.office_code));
	for (size_t i = 0; i < m->count; i++)
		if (has(m->stands, i) && m->list[i]->type == STATEMENT_EPOCH &&
		    is_about(m->list[i], &entry->node) &&
		    (newest == m->count || has(m->past[i], newest)))
			newest = i;
	if (newest < m->count)
		node.current = m->list[newest]->u.epoch.identity.replica;
	return node;
}

/* Which of several that say the same of something counts. */
static bool counts_before(const struct trust_model *m, size_t x, size_t y)
{
	if (has(m->stands, x) != has(m->stands, y))
		return has(m->stands, x);
	return statement_id_cmp(&m->list[x]->id, &m->list[y]->id) < 0;
}

static void epoch_office(const struct trust_model *m, struct trust_epoch *epoch, size_t by)
{
	size_t admit = m->count;

	for (size_t i = 0; i < m->count; i++)
		if (admission(m->list[i]) && is_about(m->list[i], &epoch->node) &&
		    (admit == m->count || counts_before(m, i, admit)))
			admit = i;
	if (admission(m->list[by]))
		admit = by;
	if (admit < m->count)
		memcpy(epoch->office_code, admission(m->list[admit])->office_code,
		       sizeof(epoch->office_code));
}

static void collect_epochs(struct trust_model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		bool is_first = identity(m->list[i]);

		for (size_t j = 0; j < m->count && is_first; j++)
			if (j != i && identity(m->list[j]) &&
			    replica_id_cmp(&identity(m->list[i])->replica,
					   &identity(m->list[j])->replica) == 0)
				is_first = counts_before(m, i, j);
		if (is_first) {
			struct trust_epoch *epoch = &m->epochs[m->epoch_count++];

			*epoch = (struct trust_epoch){ .replica = identity(m->list[i])->replica,
						       .node = *subject(m->list[i]),
						       .identity = *identity(m->list[i]),
						       .is_void = !has(m->stands, i) };
			epoch_office(m, epoch, i);
		}
	}
}

/* By the newest that stands; none in a space that does not. */
static enum role role_in(const struct trust_model *m, const struct space_id *space,
			 const char *office)
{
	size_t newest = m->count;
	bool is_made = false;
	enum role role = ROLE_NONE, now;

	for (size_t i = 0; i < m->count; i++) {
		if (!has(m->stands, i) || !gives_role(m->list[i], space, office, &now))
			continue;
		is_made |= m->list[i]->type == STATEMENT_SPACE;
		if (newest == m->count || has(m->past[i], newest)) {
			newest = i;
			role = now;
		}
	}
	return is_made ? role : ROLE_NONE;
}

static void add_grant(struct trust_model *m, const struct space_id *space, const char *office)
{
	struct trust_grant grant = { .space = *space, .role = role_in(m, space, office) };

	snprintf(grant.office_code, sizeof(grant.office_code), "%s", office);
	for (size_t i = 0; i < m->grant_count; i++)
		if (space_id_cmp(&m->grants[i].space, space) == 0 &&
		    is_same_office(m->grants[i].office_code, office))
			return;
	if (grant.role != ROLE_NONE)
		m->grants[m->grant_count++] = grant;
}

static void collect_grants(struct trust_model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct statement *s = m->list[i];
		struct space_id made = statement_space(&s->id);

		if (s->type == STATEMENT_GRANT)
			add_grant(m, &s->u.grant.space, s->u.grant.office_code);
		for (size_t o = 0; s->type == STATEMENT_SPACE && o < s->u.space.office_count; o++)
			add_grant(m, &made, s->u.space.offices[o].office_code);
	}
}

static void find_pasts(struct trust_model *m)
{
	for (bool grows = true; grows;) {
		grows = false;
		for (size_t x = 0; x < m->count; x++)
			for (size_t p = 0; p < m->list[x]->parent_count; p++)
				for (size_t y = 0; y < m->count; y++) {
					uint64_t more = BIT(y) | m->past[y];

					if (statement_id_cmp(&m->list[x]->parents[p],
							     &m->list[y]->id) != 0 ||
					    (m->past[x] & more) == more)
						continue;
					m->past[x] |= more;
					grows = true;
				}
	}
	m->past[m->count] = BIT(m->count) - 1;
}

/* When all ROOTS are settled. */
static bool is_roots(const struct trust_model *m, size_t x)
{
	struct grounds g;

	if (m->list[x]->type == STATEMENT_EPOCH || m->list[x]->type == STATEMENT_SPACE)
		return false;
	grounds_of(m, &g, x, 0);
	return g.count && ground_holds(m, surely(m), x, &g.list[0], SEEN_OR_BESIDE);
}

void trust_model_fold(struct trust_model *m, const struct statement *const *list, size_t count)
{
	uint64_t roots = 0;

	assert(count > 0 && count <= MODEL_MAX && list[0]->type == STATEMENT_GENESIS);
	*m = (struct trust_model){ .count = count, .stands = BIT(0) };
	for (size_t i = 0; i < count; i++) {
		m->list[i] = list[i];
		if (list[i]->type == STATEMENT_FORK)
			m->stands |= BIT(i);
		if (list[i]->type == STATEMENT_ROOTS)
			roots |= BIT(i);
	}
	find_pasts(m);
	settle(m, roots);
	for (size_t i = 0; i < count; i++)
		if (is_roots(m, i))
			m->is_root |= BIT(i);
	settle(m, BIT(count) - 1);
	for (size_t i = 0; i < count; i++) {
		m->verdicts[i] = verdict_of(m, i);
		if (has(m->stands, i) && admission(list[i]))
			m->nodes[m->node_count++] = node_of(m, list[i]);
	}
	collect_epochs(m);
	collect_grants(m);
}

const struct roots *trust_model_roots(const struct trust_model *m)
{
	size_t newest = 0;

	for (size_t i = 1; i < m->count; i++)
		if (has(m->stands, i) && m->list[i]->type == STATEMENT_ROOTS &&
		    has(m->past[i], newest))
			newest = i;
	return roots_of(m->list[newest]);
}

/* ---- M-14, M-15: cuts ------------------------------------------------------ */

/* The feed asked for, and the least cut so far. */
struct feed {
	const struct trust_model *m;
	const struct trust_epoch *epoch;
	const struct space_id *space;
	struct trust_cut least;
};

static bool is_of_feed(const struct feed *f, const struct cut *cut)
{
	return replica_id_cmp(&cut->replica, &f->epoch->replica) == 0 &&
	       space_id_cmp(&cut->space, f->space) == 0;
}

static void set_cut(struct trust_cut *out, uint64_t seq, const uint8_t *link)
{
	out->seq = seq;
	out->has_link = link && seq > 0;
	memset(out->link, 0, LINK_BYTES);
	if (out->has_link)
		memcpy(out->link, link, LINK_BYTES);
}

/* More than that it is the node's own. */
/* More than that the feed is the node's own. */
static bool has_other_ground(const struct trust_model *m, size_t adopt, size_t c)
{
	struct grounds g;

	grounds_of(m, &g, adopt, c);
	for (size_t i = 0; i < g.count; i++)
		if (!g.list[i].is_own && ground_holds(m, (struct reading){ m->stands, m->stands },
						      adopt, &g.list[i], SEEN_OR_BESIDE))
			return true;
	return false;
}

/* Lift a term of M-14, which statement `by` gives (m->count: none), by M-15. */
static void lift(const struct feed *f, struct trust_cut *term, size_t by)
{
	const struct trust_model *m = f->m;
	bool is_own = term->cause == CUT_FORKED || term->cause == CUT_CLOSED;
	bool needs_seen = by < m->count && term->cause != CUT_FORKED;
	const struct cut *best = NULL;

	for (size_t i = 0; i < m->count; i++) {
		const struct statement *s = m->list[i];

		if (s->type != STATEMENT_ADOPT || !has(m->stands, i) ||
		    (needs_seen && !has(m->past[i], by)))
			continue;
		for (size_t c = 0; c < s->u.adopt.cut_count; c++) {
			const struct cut *cut = &s->u.adopt.cuts[c];

			if (is_of_feed(f, cut) && (is_own || has_other_ground(m, i, c)) &&
			    (!best || cut->seq > best->seq ||
			     (cut->seq == best->seq &&
			      memcmp(cut->link, best->link, LINK_BYTES) < 0)))
				best = cut;
		}
	}
	if (best && best->seq > term->seq)
		set_cut(term, best->seq, best->link);
}

/* Negative if a is less, or as low and names cause and link before b. */
static int term_cmp(const struct trust_cut *a, const struct trust_cut *b)
{
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	if (a->has_link != b->has_link)
		return a->has_link ? -1 : 1;
	if (a->cause != b->cause)
		return a->cause < b->cause ? -1 : 1;
	return memcmp(a->link, b->link, LINK_BYTES);
}

static void add_term(struct feed *f, enum cut_cause cause, uint64_t seq, const uint8_t *link,
		     size_t by)
{
	struct trust_cut term = f->least;

	term.cause = cause;
	set_cut(&term, seq, link);
	lift(f, &term, by);
	if (f->least.cause == CUT_NONE || term_cmp(&term, &f->least) < 0)
		f->least = term;
}

static void add_listed(struct feed *f, enum cut_cause cause, const struct cut *cuts, size_t count,
		       size_t by)
{
	for (size_t i = 0; i < count; i++)
		if (is_of_feed(f, &cuts[i])) {
			add_term(f, cause, cuts[i].seq, cuts[i].link, by);
			return;
		}
	add_term(f, cause, 0, NULL, by);
}

static bool is_in_past(const struct trust_model *m, size_t x, const struct replica_id *replica,
		       const struct record_id *node)
{
	for (size_t i = 0; i < m->count; i++)
		if (has(m->past[x], i) && identity(m->list[i]) && is_about(m->list[i], node) &&
		    replica_id_cmp(&identity(m->list[i])->replica, replica) == 0)
			return true;
	return false;
}

static bool is_fork_of(const struct statement *s, const struct replica_id *replica,
		       const struct space_id *space)
{
	struct replica_id forked = epoch_replica(s->u.fork.sign_key, s->u.fork.nonce);

	return replica_id_cmp(&forked, replica) == 0 && space_id_cmp(&s->u.fork.space, space) == 0;
}

static void add_terms_of_node(struct feed *f, size_t i)
{
	const struct statement *s = f->m->list[i];

	if (s->type == STATEMENT_REVOKE && is_about(s, &f->epoch->node))
		add_listed(f, CUT_REVOKED, s->u.revoke.cuts, s->u.revoke.cut_count, i);
	if (s->type == STATEMENT_EPOCH && is_about(s, &f->epoch->node) && s->u.epoch.is_closing &&
	    is_in_past(f->m, i, &f->epoch->replica, &f->epoch->node))
		add_listed(f, CUT_CLOSED, s->u.epoch.cuts, s->u.epoch.cut_count, i);
	if (s->type == STATEMENT_FORK && is_fork_of(s, &f->epoch->replica, f->space))
		add_term(f, CUT_FORKED, s->u.fork.seq - 1, NULL, i);
}

/* Of the GRANTs below editor the first ones since the office was an editor. */
static void add_terms_of_role(struct feed *f)
{
	const struct trust_model *m = f->m;
	const char *office = f->epoch->office_code;
	uint64_t editors = 0, others = 0;
	bool was_taken = false, is_made = false;
	enum role role;

	for (size_t i = 0; i < m->count; i++)
		is_made |= has(m->stands, i) && is_space(m->list[i], f->space);
	for (size_t i = 0; i < m->count; i++)
		if (has(m->stands, i) && gives_role(m->list[i], f->space, office, &role))
			*(role >= ROLE_EDITOR ? &editors : &others) |= BIT(i);
	for (size_t i = 0; i < m->count; i++) {
		const struct statement *s = m->list[i];
		bool is_first = has(others, i) && (editors & m->past[i]);

		for (size_t j = 0; j < m->count; j++) {
			is_first &= !(has(editors, j) && has(m->past[j], i));
			is_first &= !(has(others & m->past[i], j) &&
				      (m->past[j] & editors) == (m->past[i] & editors));
		}
		if (is_first)
			add_listed(f, CUT_ROLE, s->u.grant.cuts, s->u.grant.cut_count, i);
		was_taken |= is_first;
	}
	if (!was_taken || !is_made)
		add_term(f, CUT_ROLE, 0, NULL, m->count);
}

struct trust_cut trust_model_cut(const struct trust_model *m, const struct replica_id *replica,
				 const struct space_id *space)
{
	struct space_id directory = statement_space(&m->list[0]->id);
	struct feed f = { .m = m, .space = space };

	f.least = (struct trust_cut){ .replica = *replica, .space = *space, .cause = CUT_NONE };
	for (size_t i = 0; i < m->epoch_count; i++)
		if (replica_id_cmp(&m->epochs[i].replica, replica) == 0)
			f.epoch = &m->epochs[i];
	if (!f.epoch) {
		f.least.cause = CUT_VOID;
		return f.least;
	}
	for (size_t i = 0; i < m->count; i++)
		if (has(m->stands, i))
			add_terms_of_node(&f, i);
	if (space_id_cmp(space, &directory) != 0 &&
	    role_in(m, space, f.epoch->office_code) < ROLE_EDITOR)
		add_terms_of_role(&f);
	if (f.epoch->is_void)
		add_term(&f, CUT_VOID, 0, NULL, m->count);
	if (f.least.cause == CUT_NONE)
		f.least.seq = UINT64_MAX;
	return f.least;
}

/* ---- Comparison ------------------------------------------------------------ */

static void print_key(const struct sign_key *key)
{
	fprintf(stderr, " %02x%02x", key->bytes[0], key->bytes[1]);
}

static void print_line(const struct trust_model *m, size_t i, uint8_t verdict)
{
	const struct statement *s = m->list[i];

	fprintf(stderr, "%2zu %02x%02x %-7s", i, s->id.bytes[0], s->id.bytes[1],
		statement_type_name(s->type));
	if (subject(s))
		fprintf(stderr, " of %02x%02x", subject(s)->bytes[ID_BYTES - 2],
			subject(s)->bytes[ID_BYTES - 1]);
	if (identity(s))
		print_key((const struct sign_key *)identity(s)->sign_key);
	if (s->type == STATEMENT_ADMIN || admission(s))
		fprintf(stderr, " %s",
			(s->type == STATEMENT_ADMIN ? s->u.admin.is_admin : admission(s)->is_admin)
				? "admin"
				: "no admin");
	if (s->type == STATEMENT_GRANT)
		fprintf(stderr, " %s %s", s->u.grant.office_code, role_name(s->u.grant.role));
	for (size_t k = 0; roots_of(s) && k < roots_of(s)->count; k++)
		print_key(&roots_of(s)->keys[k]);
	fprintf(stderr, ", by");
	for (size_t k = 0; k < s->signer_count; k++)
		print_key(&s->signers[k]);
	fprintf(stderr, ", has seen");
	for (size_t y = 0; y < m->count; y++)
		if (has(m->past[i], y))
			fprintf(stderr, " %zu", y);
	fprintf(stderr, ": model %s, fold %s\n", verdict_name(m->verdicts[i]),
		verdict_name(verdict));
}

static bool differs(bool is_different, const char *what, size_t where)
{
	if (is_different)
		fprintf(stderr, "%s %zu differs\n", what, where);
	return is_different;
}

static bool agrees_on_roots(const struct trust_model *m, const struct trust *t)
{
	const struct roots *roots = trust_model_roots(m);

	return !differs(
		memcmp(t->org, m->list[0]->id.bytes, ORG_ID_BYTES) != 0 ||
			t->statement_count != m->count || t->root_threshold != roots->threshold ||
			t->root_count != roots->count ||
			memcmp(t->roots, roots->keys, roots->count * sizeof(*roots->keys)) != 0,
		"root, of keys", roots->count);
}

static bool agrees_on_nodes(const struct trust_model *m, const struct trust *t)
{
	bool is_different = differs(t->node_count != m->node_count, "node count", t->node_count);

	for (size_t i = 0; i < m->node_count; i++) {
		const struct trust_node *a = &m->nodes[i], *b = trust_node(t, &a->node);

		is_different |=
			differs(!b || record_id_cmp(&a->node, &b->node) != 0 ||
					!is_same_office(a->office_code, b->office_code) ||
					a->block != b->block || a->is_admin != b->is_admin ||
					a->is_revoked != b->is_revoked ||
					replica_id_cmp(&a->current, &b->current) != 0 ||
					a->since_ms != b->since_ms,
				"node", i);
	}
	return !is_different;
}

static bool agrees_on_epochs(const struct trust_model *m, const struct trust *t)
{
	bool is_different =
		differs(t->epoch_count != m->epoch_count, "epoch count", t->epoch_count);

	for (size_t i = 0; i < m->epoch_count; i++) {
		const struct trust_epoch *a = &m->epochs[i], *b = trust_epoch(t, &a->replica);

		is_different |= differs(
			!b || replica_id_cmp(&a->replica, &b->replica) != 0 ||
				record_id_cmp(&a->node, &b->node) != 0 ||
				!is_same_office(a->office_code, b->office_code) ||
				memcmp(&a->identity, &b->identity, sizeof(a->identity)) != 0 ||
				a->is_void != b->is_void,
			"epoch", i);
	}
	return !is_different;
}

static bool agrees_on_roles(const struct trust_model *m, const struct trust *t)
{
	bool is_different =
		differs(t->grant_count != m->grant_count, "grant count", t->grant_count);
	size_t spaces = 0;

	for (size_t i = 0; i < m->grant_count; i++)
		is_different |= differs(trust_role(t, &m->grants[i].space,
						   m->grants[i].office_code) != m->grants[i].role,
					"grant", i);
	for (size_t i = 0; i < m->count; i++)
		spaces += has(m->stands, i) && m->list[i]->type == STATEMENT_SPACE;
	return !is_different && !differs(t->space_count != spaces, "space count", spaces);
}

static bool is_same_cut(const struct trust_cut *a, const struct trust_cut *b)
{
	return replica_id_cmp(&a->replica, &b->replica) == 0 &&
	       space_id_cmp(&a->space, &b->space) == 0 && a->seq == b->seq &&
	       a->cause == b->cause && a->has_link == b->has_link &&
	       (!a->has_link || memcmp(a->link, b->link, LINK_BYTES) == 0);
}

static bool agrees_on_cuts(const struct trust_model *m, const struct trust *t)
{
	bool is_different = false;

	/* Every statement's id as that of a space: the GENESIS's, the SPACEs', and some
	 * that are none. */
	for (size_t e = 0; e < m->epoch_count; e++)
		for (size_t i = 0; i < m->count; i++) {
			struct space_id space = statement_space(&m->list[i]->id);
			struct trust_cut a = trust_model_cut(m, &m->epochs[e].replica, &space);
			struct trust_cut b = trust_cut(t, &m->epochs[e].replica, &space);

			if (!is_same_cut(&a, &b)) {
				fprintf(stderr,
					"epoch %zu, space %zu: model %s %" PRIu64
					", fold %s %" PRIu64 "\n",
					e, i, cut_cause_name(a.cause), a.seq,
					cut_cause_name(b.cause), b.seq);
				is_different = true;
			}
		}
	return !is_different;
}

/* What the next statement names as parents, which no FORK can be; sorted. */
static bool agrees_on_heads(const struct trust_model *m, const struct trust *t)
{
	uint64_t seen = 0;
	size_t heads = 0;

	for (size_t i = 0; i < m->count; i++) {
		seen |= m->past[i];
		if (m->list[i]->type == STATEMENT_FORK)
			seen |= BIT(i);
	}
	for (size_t i = 0; i < m->count; i++) {
		bool is_listed = false;

		for (size_t h = 0; h < t->head_count; h++)
			is_listed |= statement_id_cmp(&t->heads[h], &m->list[i]->id) == 0;
		heads += !has(seen, i);
		if (differs(is_listed == has(seen, i), "head", i))
			return false;
	}
	for (size_t h = 1; h < t->head_count; h++)
		if (differs(statement_id_cmp(&t->heads[h - 1], &t->heads[h]) >= 0, "order of head",
			    h))
			return false;
	return !differs(heads != t->head_count, "head count", heads);
}

static bool agrees_on_digest(const struct trust_model *m, const struct trust *t)
{
	crypto_generichash_state state;
	uint8_t digest[STATEMENT_ID_BYTES];
	uint64_t left = BIT(m->count) - 1;

	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	while (left) {
		size_t lowest = m->count;

		for (size_t i = 0; i < m->count; i++)
			if (has(left, i) &&
			    (lowest == m->count ||
			     statement_id_cmp(&m->list[i]->id, &m->list[lowest]->id) < 0))
				lowest = i;
		crypto_generichash_update(&state, m->list[lowest]->id.bytes, STATEMENT_ID_BYTES);
		left &= ~BIT(lowest);
	}
	crypto_generichash_final(&state, digest, sizeof(digest));
	return !differs(memcmp(digest, t->digest, sizeof(digest)) != 0, "digest of", m->count);
}

void trust_model_print(const struct trust_model *m, const uint8_t *verdicts)
{
	for (size_t i = 0; i < m->count; i++)
		print_line(m, i, verdicts[i]);
}

bool trust_model_agrees(const struct trust_model *m, const struct trust *t, const uint8_t *verdicts)
{
	bool agrees = true;

	for (size_t i = 0; i < m->count; i++)
		agrees &= !differs(verdicts[i] != m->verdicts[i], "verdict", i);
	agrees = agrees && agrees_on_roots(m, t) && agrees_on_nodes(m, t) &&
		 agrees_on_epochs(m, t) && agrees_on_roles(m, t) && agrees_on_cuts(m, t) &&
		 agrees_on_heads(m, t) && agrees_on_digest(m, t);
	if (!agrees)
		trust_model_print(m, verdicts);
	return agrees;
}
