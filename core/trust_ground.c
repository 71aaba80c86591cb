/* M-4, M-6, M-7: what a statement rests on, and who could take it away. */
#include "core/trust_impl.h"

/* How to read what is undecided: for the worse or for the better of a statement. */
enum reading { SURELY, POSSIBLY };

static bool counts_for(const struct fold *f, enum reading reading, uint32_t y)
{
	return reading == SURELY ? f->standing[y] == STANDING : f->standing[y] != FALLEN;
}

static bool counts_against(const struct fold *f, enum reading reading, uint32_t y)
{
	return counts_for(f, reading == SURELY ? POSSIBLY : SURELY, y);
}

/* ---- Capacities: the table of M-4 ------------------------------------------ */

enum capacity_kind {
	CAPACITY_KEY,     /* `key` is the node's current one */
	CAPACITY_MEMBER,  /* the node is one */
	CAPACITY_ADMIN,   /* the node is one */
	CAPACITY_OFFICE,  /* the node is of that of the ADMIT `by` */
	CAPACITY_MANAGER, /* the office of `by` is one, in the space */
	CAPACITY_FEED,    /* the feed is the node's */
	CAPACITY_ROOT,    /* enough signers of the statement are root keys */
	CAPACITY_KIND_COUNT
};

struct capacity {
	enum capacity_kind kind;
	struct span spans[2]; /* what may give or take it */
	uint32_t node, key;   /* subjects */
	uint32_t by;
};

/* What a giver or taker is asked about. */
struct question {
	const struct fold *f;
	const struct capacity *c;
	uint32_t x; /* who needs the capacity */
};

static bool is_naming(const struct statement *s)
{
	return statement_identity(s) != NULL;
}

static bool gives_key(const struct question *q, uint32_t g)
{
	return is_naming(q->f->list[g]) && q->f->about[g].sign_key == q->c->key;
}

static bool takes_key(const struct question *q, uint32_t g, uint32_t t)
{
	return q->f->list[t]->type == STATEMENT_EPOCH && q->f->about[t].sign_key != q->c->key;
}

static bool takes_member(const struct question *q, uint32_t g, uint32_t t)
{
	return q->f->list[t]->type == STATEMENT_REVOKE;
}

static bool gives_admin(const struct question *q, uint32_t g)
{
	const struct statement *s = q->f->list[g];
	const struct node_entry *entry = statement_entry(s);

	return entry ? entry->is_admin : s->type == STATEMENT_ADMIN && s->u.admin.is_admin;
}

static bool takes_admin(const struct question *q, uint32_t g, uint32_t t)
{
	return q->f->list[t]->type == STATEMENT_ADMIN && !q->f->list[t]->u.admin.is_admin;
}

static bool gives_office(const struct question *q, uint32_t g)
{
	return g == q->c->by;
}

static enum role role_given(const struct question *q, uint32_t y)
{
	const struct statement *s = q->f->list[y];

	if (s->type == STATEMENT_GRANT)
		return s->u.grant.role;
	return space_office_role(s, statement_entry(q->f->list[q->c->by])->office_code);
}

static bool gives_manager(const struct question *q, uint32_t g)
{
	return role_given(q, g) == ROLE_MANAGER;
}

static bool takes_manager(const struct question *q, uint32_t g, uint32_t t)
{
	return role_given(q, t) != ROLE_MANAGER;
}

static bool gives_feed(const struct question *q, uint32_t g)
{
	return q->f->about[g].node == q->c->node;
}

static bool roots_have(const struct roots *roots, const struct sign_key *key)
{
	for (size_t i = 0; i < roots->count; i++)
		if (sign_key_cmp(&roots->keys[i], key) == 0)
			return true;
	return false;
}

/* How many signers are keys of both. */
static size_t root_signers(const struct statement *x, const struct roots *a, const struct roots *b)
{
	size_t count = 0;

	for (size_t i = 0; i < x->signer_count; i++)
		count += roots_have(a, &x->signers[i]) && roots_have(b, &x->signers[i]);
	return count;
}

static bool gives_root(const struct question *q, uint32_t g)
{
	const struct roots *roots = statement_roots(q->f->list[g]);

	return root_signers(q->f->list[q->x], roots, roots) >= roots->threshold;
}

static bool takes_root(const struct question *q, uint32_t g, uint32_t t)
{
	const struct roots *given = statement_roots(q->f->list[g]);
	const struct roots *taker = statement_roots(q->f->list[t]);

	return fold_has_seen(q->f, q->x, t) ||
	       root_signers(q->f->list[q->x], given, taker) < taker->threshold;
}

static const struct capacity_rule {
	bool (*gives)(const struct question *q, uint32_t g); /* NULL: it needs no giver */
	bool (*takes)(const struct question *q, uint32_t g, uint32_t t);
	bool is_removed; /* its takers are removals: they take it from concurrent ones, too */
} capacity_rules[CAPACITY_KIND_COUNT] = {
	[CAPACITY_KEY] = { gives_key, takes_key, false },
	[CAPACITY_MEMBER] = { NULL, takes_member, true },
	[CAPACITY_ADMIN] = { gives_admin, takes_admin, true },
	[CAPACITY_OFFICE] = { gives_office, NULL, false },
	[CAPACITY_MANAGER] = { gives_manager, takes_manager, true },
	[CAPACITY_FEED] = { gives_feed, NULL, false },
	[CAPACITY_ROOT] = { gives_root, takes_root, true },
};

/* M-4 looks at the past alone, M-7 at what is concurrent, too. */
enum sight { PAST, BESIDE };

/* `g` may be NO_STATEMENT: nobody gave it, it was always there. */
static bool is_taker(const struct question *q, enum sight sight, uint32_t g, uint32_t t)
{
	const struct capacity_rule *rule = &capacity_rules[q->c->kind];

	if (t == g || (g != NO_STATEMENT && fold_has_seen(q->f, g, t)))
		return false;
	if (!fold_has_seen(q->f, q->x, t) &&
	    !(sight == BESIDE && rule->is_removed && fold_is_concurrent(q->f, q->x, t)))
		return false;
	return rule->takes(q, g, t);
}

static bool is_taken(const struct question *q, enum reading reading, enum sight sight, uint32_t g)
{
	const struct capacity_rule *rule = &capacity_rules[q->c->kind];
	uint32_t from = g == NO_STATEMENT ? 0 : q->f->has_seen_below[g];
	uint32_t to = sight == BESIDE && rule->is_removed ? q->f->is_seen_from[q->x] : q->x;

	if (!rule->takes)
		return false;
	for (int s = 0; s < 2; s++) {
		struct span span = span_between(q->c->spans[s], from, to);

		for (uint32_t i = span.count; i-- > 0;)
			if (counts_against(q->f, reading, span.at[i]) &&
			    is_taker(q, sight, g, span.at[i]))
				return true;
	}
	return false;
}

static bool is_giver(const struct question *q, enum reading reading, uint32_t g)
{
	return fold_has_seen(q->f, q->x, g) && counts_for(q->f, reading, g) &&
	       capacity_rules[q->c->kind].gives(q, g);
}

static bool capacity_holds(const struct question *q, enum reading reading, enum sight sight)
{
	if (!capacity_rules[q->c->kind].gives)
		return !is_taken(q, reading, sight, NO_STATEMENT);
	for (int s = 0; s < 2; s++) {
		struct span span = span_between(q->c->spans[s], 0, q->x);

		/* The newest first: it is likely to be the one. */
		for (uint32_t i = span.count; i-- > 0;)
			if (is_giver(q, reading, span.at[i]) &&
			    !is_taken(q, reading, sight, span.at[i]))
				return true;
	}
	return false;
}

/* ---- Grounds (M-4) --------------------------------------------------------- */

enum { GROUND_NEEDS_MAX = 4 };

/* A way in which the signers of x may sign it: all that it needs. */
struct ground {
	struct capacity needs[GROUND_NEEDS_MAX];
	unsigned count;
	bool is_self; /* what concerns the signer alone */
};

static bool ground_holds(const struct fold *f, uint32_t x, const struct ground *ground,
			 enum reading reading, enum sight sight)
{
	for (unsigned i = 0; i < ground->count; i++) {
		struct question q = { f, &ground->needs[i], x };

		if (!capacity_holds(&q, reading, sight))
			return false;
	}
	return true;
}

static struct ground ground_with(const struct ground *base, struct capacity need)
{
	struct ground ground = *base;

	ground.needs[ground.count++] = need;
	return ground;
}

/* Who may sign what: the table of docs/DATA_MODEL.md. */
static const struct signing_rule {
	bool by_root, by_admin, by_manager, by_self;
} signing_rules[STATEMENT_TYPE_COUNT] = {
	[STATEMENT_ADMIT] = { .by_root = true, .by_admin = true },
	[STATEMENT_ADMIN] = { .by_root = true, .by_admin = true },
	[STATEMENT_REVOKE] = { .by_root = true, .by_admin = true, .by_self = true },
	[STATEMENT_EPOCH] = { .by_self = true },
	[STATEMENT_ADOPT] = { true, true, true, true },
	[STATEMENT_SPACE] = { .by_self = true },
	[STATEMENT_GRANT] = { .by_root = true, .by_admin = true, .by_manager = true },
	[STATEMENT_ROOTS] = { .by_root = true },
};

/* A walk through the grounds of x, for one of its cuts if it is an ADOPT. It ends
 * when the visitor returns true. */
struct walk {
	const struct fold *f;
	uint32_t x;
	const struct cut *cut;
	bool (*visit)(struct walk *w, const struct ground *ground);
	void *ctx;
};

static bool walk_root(struct walk *w)
{
	struct ground root = { .count = 1 };

	root.needs[0] = (struct capacity){ .kind = CAPACITY_ROOT,
					   .spans[0] = fold_span(w->f, w->f->about[0].roots) };
	return w->visit(w, &root);
}

static bool walk_self(struct walk *w, const struct ground *member, uint32_t node)
{
	const struct fold *f = w->f;
	struct ground ground = *member;
	struct subject_key replica;

	if (w->cut) {
		replica = subject_key(SUBJECT_REPLICA, w->cut->replica.bytes, ID_BYTES);
		ground = ground_with(
			member,
			(struct capacity){ .kind = CAPACITY_FEED,
					   .spans[0] = fold_span(f, fold_subject(f, &replica)),
					   .node = node });
	} else if (f->list[w->x]->type != STATEMENT_SPACE && f->about[w->x].node != node) {
		return false;
	}
	ground.is_self = true;
	return w->visit(w, &ground);
}

static bool walk_managers(struct walk *w, const struct ground *member, uint32_t node)
{
	const struct fold *f = w->f;
	const struct space_id *space = w->cut ? &w->cut->space : &f->list[w->x]->u.grant.space;
	struct subject_key made = subject_key(SUBJECT_SPACE, space->bytes, ID_BYTES);
	struct span about = fold_span(f, node);

	for (uint32_t i = 0; i < about.count; i++) {
		uint32_t by = about.at[i];
		const struct node_entry *entry = statement_entry(f->list[by]);
		struct capacity office = { .kind = CAPACITY_OFFICE, .spans[0] = about, .by = by };
		struct capacity manager = { .kind = CAPACITY_MANAGER, .by = by };
		struct ground ground = ground_with(member, office);
		struct subject_key key;

		if (!entry || !fold_has_seen(f, w->x, by))
			continue;
		key = subject_office(space, entry->office_code);
		manager.spans[0] = fold_span(f, fold_subject(f, &key));
		manager.spans[1] = fold_span(f, fold_subject(f, &made));
		ground = ground_with(&ground, manager);
		if (w->visit(w, &ground))
			return true;
	}
	return false;
}

static bool walk_node(struct walk *w, uint32_t key, uint32_t node)
{
	const struct signing_rule *rule = &signing_rules[w->f->list[w->x]->type];
	struct span about = fold_span(w->f, node);
	struct ground member = {
		.needs = { { .kind = CAPACITY_KEY, .spans[0] = about, .key = key },
			   { .kind = CAPACITY_MEMBER, .spans[0] = about } },
		.count = 2,
	};
	struct ground admin = ground_with(
		&member, (struct capacity){ .kind = CAPACITY_ADMIN, .spans[0] = about });

	return (rule->by_admin && w->visit(w, &admin)) ||
	       (rule->by_self && walk_self(w, &member, node)) ||
	       (rule->by_manager && walk_managers(w, &member, node));
}

/* Whether y may have given a key to its node, as x sees it. */
static bool may_have_given(const struct walk *w, uint32_t y)
{
	return fold_has_seen(w->f, w->x, y) && w->f->standing[y] != FALLEN;
}

/* The nodes that may have the key, each once. */
static bool walk_key(struct walk *w, uint32_t key)
{
	struct span named = fold_span(w->f, key);

	for (uint32_t i = 0; i < named.count; i++) {
		uint32_t node = w->f->about[named.at[i]].node;
		bool is_new = may_have_given(w, named.at[i]);

		for (uint32_t j = 0; j < i && is_new; j++)
			is_new = w->f->about[named.at[j]].node != node ||
				 !may_have_given(w, named.at[j]);
		if (is_new && walk_node(w, key, node))
			return true;
	}
	return false;
}

static bool walk_grounds(struct walk *w)
{
	const struct statement *s = w->f->list[w->x];

	if (signing_rules[s->type].by_root && walk_root(w))
		return true;
	for (size_t i = 0; i < s->signer_count; i++)
		if (walk_key(w, w->f->about[w->x].signers[i]))
			return true;
	return false;
}

/* SPACE is exempt from M-7. */
static enum sight sight_of(const struct statement *s)
{
	return s->type == STATEMENT_SPACE ? PAST : BESIDE;
}

/* ---- Footing --------------------------------------------------------------- */

static enum footing footing_on(const struct fold *f, uint32_t x, const struct ground *ground)
{
	enum sight sight = sight_of(f->list[x]);

	if (ground_holds(f, x, ground, SURELY, sight))
		return FOOTING_FIRM;
	if (!ground_holds(f, x, ground, POSSIBLY, sight))
		return FOOTING_GONE;
	return ground_holds(f, x, ground, SURELY, PAST) ? FOOTING_DISPUTED : FOOTING_OPEN;
}

static bool note_footing(struct walk *w, const struct ground *ground)
{
	enum footing *best = w->ctx, footing = footing_on(w->f, w->x, ground);

	if (footing > *best)
		*best = footing;
	return *best == FOOTING_FIRM;
}

static enum footing best_footing(const struct fold *f, uint32_t x, const struct cut *cut)
{
	enum footing best = FOOTING_GONE;
	struct walk w = { f, x, cut, note_footing, &best };

	walk_grounds(&w);
	return best;
}

/* What an EPOCH lets in must be signed by its own key, too. */
static bool has_new_key_signed(const struct statement *s)
{
	if (s->type != STATEMENT_EPOCH)
		return true;
	for (size_t i = 0; i < s->signer_count; i++)
		if (memcmp(s->signers[i].bytes, s->u.epoch.identity.sign_key, SIGN_PUBLIC_BYTES) ==
		    0)
			return true;
	return false;
}

enum footing ground_footing(const struct fold *f, uint32_t x)
{
	const struct statement *s = f->list[x];
	enum footing worst = FOOTING_FIRM;

	if (!has_new_key_signed(s))
		return FOOTING_GONE;
	if (s->type != STATEMENT_ADOPT)
		return best_footing(f, x, NULL);
	for (size_t i = 0; i < s->u.adopt.cut_count && worst > FOOTING_GONE; i++) {
		enum footing footing = best_footing(f, x, &s->u.adopt.cuts[i]);

		if (footing < worst)
			worst = footing;
	}
	return worst;
}

static bool holds_by_past(struct walk *w, const struct ground *ground)
{
	return ground_holds(w->f, w->x, ground, SURELY, PAST);
}

bool ground_has_authority(const struct fold *f, uint32_t x)
{
	const struct statement *s = f->list[x];
	struct walk w = { f, x, NULL, holds_by_past, NULL };

	if (!has_new_key_signed(s))
		return false;
	if (s->type != STATEMENT_ADOPT)
		return walk_grounds(&w);
	for (size_t i = 0; i < s->u.adopt.cut_count; i++) {
		w.cut = &s->u.adopt.cuts[i];
		if (!walk_grounds(&w))
			return false;
	}
	return true;
}

static bool is_for_others(struct walk *w, const struct ground *ground)
{
	return !ground->is_self && ground_holds(w->f, w->x, ground, SURELY, BESIDE);
}

bool ground_is_for_others(const struct fold *f, uint32_t x, const struct cut *cut)
{
	struct walk w = { f, x, cut, is_for_others, NULL };

	return walk_grounds(&w);
}

static bool holds_firmly(struct walk *w, const struct ground *ground)
{
	return ground_holds(w->f, w->x, ground, SURELY, BESIDE);
}

bool ground_is_root(const struct fold *f, uint32_t x)
{
	struct walk w = { f, x, NULL, holds_firmly, NULL };

	return signing_rules[f->list[x]->type].by_root && walk_root(&w);
}

/* ---- Circles (M-11) -------------------------------------------------------- */

struct visitor {
	fold_visit *visit;
	void *ctx;
};

/* One of the givers that have not fallen has not seen t. */
static bool takes_from_some(const struct question *q, uint32_t t)
{
	enum sight sight = sight_of(q->f->list[q->x]);

	if (!capacity_rules[q->c->kind].gives)
		return is_taker(q, sight, NO_STATEMENT, t);
	for (int s = 0; s < 2; s++)
		for (uint32_t i = 0; i < q->c->spans[s].count; i++) {
			uint32_t g = q->c->spans[s].at[i];

			if (is_giver(q, POSSIBLY, g) && is_taker(q, sight, g, t))
				return true;
		}
	return false;
}

/* Visit the undecided takers of a capacity, and the givers unless `only_concurrent`. */
static void visit_capacity(const struct question *q, bool only_concurrent, const struct visitor *v)
{
	const struct capacity_rule *rule = &capacity_rules[q->c->kind];

	for (int s = 0; s < 2; s++)
		for (uint32_t i = 0; i < q->c->spans[s].count; i++) {
			uint32_t y = q->c->spans[s].at[i];

			if (q->f->standing[y] != UNDECIDED ||
			    (only_concurrent && !fold_is_concurrent(q->f, q->x, y)))
				continue;
			if ((!only_concurrent && rule->gives && is_giver(q, POSSIBLY, y)) ||
			    (rule->takes && takes_from_some(q, y)))
				v->visit(v->ctx, y);
		}
}

static bool visit_ground_waits(struct walk *w, const struct ground *ground)
{
	if (!ground_holds(w->f, w->x, ground, POSSIBLY, sight_of(w->f->list[w->x])))
		return false;
	for (unsigned i = 0; i < ground->count; i++) {
		struct question q = { w->f, &ground->needs[i], w->x };

		if (!capacity_holds(&q, SURELY, sight_of(w->f->list[w->x])))
			visit_capacity(&q, false, w->ctx);
	}
	return false;
}

static void visit_grounds(const struct fold *f, uint32_t x,
			  bool (*visit)(struct walk *, const struct ground *), struct visitor *v)
{
	const struct statement *s = f->list[x];
	struct walk w = { f, x, NULL, visit, v };

	if (s->type != STATEMENT_ADOPT) {
		if (best_footing(f, x, NULL) != FOOTING_FIRM)
			walk_grounds(&w);
		return;
	}
	for (size_t i = 0; i < s->u.adopt.cut_count; i++) {
		w.cut = &s->u.adopt.cuts[i];
		if (best_footing(f, x, w.cut) != FOOTING_FIRM)
			walk_grounds(&w);
	}
}

void ground_waits(const struct fold *f, uint32_t x, fold_visit *visit, void *ctx)
{
	struct visitor v = { visit, ctx };

	visit_grounds(f, x, visit_ground_waits, &v);
}

static bool visit_ground_takers(struct walk *w, const struct ground *ground)
{
	if (!ground_holds(w->f, w->x, ground, SURELY, PAST) ||
	    !ground_holds(w->f, w->x, ground, POSSIBLY, BESIDE))
		return false;
	for (unsigned i = 0; i < ground->count; i++) {
		struct question q = { w->f, &ground->needs[i], w->x };

		visit_capacity(&q, true, w->ctx);
	}
	return false;
}

void ground_victims(const struct fold *f, uint32_t x, fold_visit *visit, void *ctx)
{
	struct visitor v = { visit, ctx };

	visit_grounds(f, x, visit_ground_takers, &v);
}
