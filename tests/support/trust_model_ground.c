/* M-4, M-6, M-7: what a statement rests on. */
#include <assert.h>

#include "tests/support/trust_model_impl.h"

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

uint64_t model_takers_from(const struct trust_model *m, size_t x, const struct capacity *c,
			   enum scope scope, size_t g)
{
	uint64_t takers = c->seen & ~BIT(g);

	if (scope == SEEN_OR_BESIDE)
		takers |= c->is_root ? root_takers(m, x, g) : c->beside;
	return takers & ~m->past[g];
}

bool model_capacity_holds(const struct trust_model *m, struct reading r, size_t x,
			  const struct capacity *c, enum scope scope)
{
	for (size_t g = 0; g < m->count; g++)
		if (has(c->givers & r.good, g) &&
		    (model_takers_from(m, x, c, scope, g) & r.bad) == 0)
			return true;
	return false;
}

bool model_ground_holds(const struct trust_model *m, struct reading r, size_t x,
			const struct ground *ground, enum scope scope)
{
	for (size_t i = 0; i < ground->count; i++)
		if (!model_capacity_holds(m, r, x, &ground->all[i], scope))
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

struct capacity model_admin_capacity(const struct trust_model *m, const struct record_id *node)
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
		add_ground(m, out, x, with(self, model_admin_capacity(m, node)));
	if (s->type == STATEMENT_GRANT)
		add_manager_grounds(m, out, x, self, node, &s->u.grant.space);
	if (cut) {
		add_manager_grounds(m, out, x, self, node, &cut->space);
		self.is_own = true;
		add_ground(m, out, x, with(self, feed_capacity(m, node, &cut->replica)));
	}
}

void model_grounds(const struct trust_model *m, struct grounds *out, size_t x, size_t c)
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

bool model_any_holds(const struct trust_model *m, struct reading r, size_t x,
		     const struct grounds *g, enum scope scope)
{
	for (size_t i = 0; i < g->count; i++)
		if (model_ground_holds(m, r, x, &g->list[i], scope))
			return true;
	return false;
}

bool model_rests(const struct trust_model *m, struct reading r, size_t x, enum scope scope)
{
	struct grounds g;

	for (size_t c = 0; c < needs(m->list[x]); c++) {
		model_grounds(m, &g, x, c);
		if (!model_any_holds(m, r, x, &g, scope))
			return false;
	}
	return true;
}
