/* M-5, M-8 to M-10: what a statement speaks of, and what stands beside it. */
#include "core/trust_impl.h"

bool peer_is_named(const struct fold *f, uint32_t x)
{
	const struct statement *s = f->list[x];
	bool is_about_node = s->type == STATEMENT_ADMIN || s->type == STATEMENT_REVOKE;
	struct span span;

	if (!is_about_node && s->type != STATEMENT_GRANT)
		return true;
	span = fold_span(f, is_about_node ? f->about[x].node : f->about[x].space);
	for (uint32_t i = 0; i < span.count; i++)
		if (fold_has_seen(f, x, span.at[i]) &&
		    (!is_about_node || statement_entry(f->list[span.at[i]])))
			return true;
	return false;
}

/* M-5; both name keys. */
static bool clash(const struct fold *f, uint32_t x, uint32_t y)
{
	const struct about *a = &f->about[x], *b = &f->about[y];

	if (a->replica == b->replica)
		return true;
	if (a->node == b->node)
		return statement_entry(f->list[x]) && statement_entry(f->list[y]);
	return a->sign_key == b->sign_key || a->noise_key == b->noise_key;
}

static bool are_rivals(const struct fold *f, uint32_t x, uint32_t y)
{
	const struct statement *a = f->list[x], *b = f->list[y];

	if (a->type == STATEMENT_ROOTS || b->type == STATEMENT_ROOTS)
		return a->type == b->type;
	if (!statement_identity(a) || !statement_identity(b))
		return false;
	return clash(f, x, y) || (a->type == STATEMENT_EPOCH && b->type == STATEMENT_EPOCH &&
				  f->about[x].node == f->about[y].node);
}

static bool is_better(const struct fold *f, uint32_t y, uint32_t x)
{
	if (f->is_root[y] != f->is_root[x])
		return f->is_root[y];
	return statement_id_cmp(&f->list[y]->id, &f->list[x]->id) < 0;
}

/* How much an ADMIN or a GRANT gives. */
static int amount_given(const struct statement *s)
{
	return s->type == STATEMENT_ADMIN ? (int)s->u.admin.is_admin : (int)s->u.grant.role;
}

/* M-8 and M-9 of two that are concurrent and about the same: y standing, x can't. */
static bool overrules(const struct fold *f, uint32_t y, uint32_t x)
{
	const struct statement *a = f->list[y], *b = f->list[x];

	if (b->type != STATEMENT_ADMIN && b->type != STATEMENT_GRANT)
		return false;
	if (a->type == STATEMENT_REVOKE)
		return b->type == STATEMENT_ADMIN && b->u.admin.is_admin &&
		       (f->is_root[y] || !f->is_root[x]);
	if (a->type != b->type || amount_given(a) == amount_given(b))
		return false;
	if (f->is_root[y] != f->is_root[x])
		return f->is_root[y];
	return amount_given(a) < amount_given(b);
}

enum relation { RELATION_NONE, RELATION_WORSE_RIVAL, RELATION_AGAINST };

/* What y, about the same as x, is to x. */
static enum relation relation(const struct fold *f, uint32_t x, uint32_t y)
{
	const struct statement *a = f->list[x], *b = f->list[y];

	if (fold_has_seen(f, x, y))
		return statement_identity(a) && statement_identity(b) && clash(f, x, y)
			       ? RELATION_AGAINST
			       : RELATION_NONE;
	if (!fold_is_concurrent(f, x, y))
		return RELATION_NONE;
	if (are_rivals(f, x, y))
		return is_better(f, y, x) ? RELATION_AGAINST : RELATION_WORSE_RIVAL;
	return overrules(f, y, x) ? RELATION_AGAINST : RELATION_NONE;
}

/* The lists of statements in which x may have an opponent. */
enum { PEER_SPANS = 6 };

static void peer_spans(const struct fold *f, uint32_t x, struct span spans[PEER_SPANS])
{
	const struct about *a = &f->about[x];
	const uint32_t subjects[PEER_SPANS] = { a->node,    a->sign_key, a->noise_key,
						a->replica, a->office,   a->roots };

	/* What names keys may clash with its past. */
	uint32_t from = statement_identity(f->list[x]) ? 0 : f->has_seen_below[x];

	for (int i = 0; i < PEER_SPANS; i++)
		spans[i] = span_between(fold_span(f, subjects[i]), from, f->is_seen_from[x]);
}

enum opposition peer_opposition(const struct fold *f, uint32_t x)
{
	enum opposition worst = OPPOSITION_NONE;
	struct span spans[PEER_SPANS];

	peer_spans(f, x, spans);
	for (int s = 0; s < PEER_SPANS; s++)
		for (uint32_t i = 0; i < spans[s].count; i++) {
			uint32_t y = spans[s].at[i];
			enum relation what;

			if (y == x || f->standing[y] == FALLEN)
				continue;
			what = relation(f, x, y);
			if (what == RELATION_NONE)
				continue;
			if (fold_stands(f, y))
				return OPPOSITION_STANDING;
			if (what == RELATION_AGAINST)
				worst = OPPOSITION_UNDECIDED;
		}
	return worst;
}

bool peer_may_clash(const struct fold *f, uint32_t x)
{
	struct span spans[PEER_SPANS];

	peer_spans(f, x, spans);
	for (int s = 0; s < PEER_SPANS; s++)
		for (uint32_t i = 0; i < spans[s].count; i++) {
			uint32_t y = spans[s].at[i];

			if (f->standing[y] != FALLEN && fold_has_seen(f, x, y) &&
			    relation(f, x, y) == RELATION_AGAINST)
				return true;
		}
	return false;
}

static void visit_related(const struct fold *f, uint32_t x, enum relation least, fold_visit *visit,
			  void *ctx)
{
	struct span spans[PEER_SPANS];

	peer_spans(f, x, spans);
	for (int s = 0; s < PEER_SPANS; s++)
		for (uint32_t i = 0; i < spans[s].count; i++) {
			uint32_t y = spans[s].at[i];

			if (y != x && f->standing[y] == UNDECIDED && relation(f, x, y) >= least)
				visit(ctx, y);
		}
}

void peer_waits(const struct fold *f, uint32_t x, fold_visit *visit, void *ctx)
{
	visit_related(f, x, RELATION_AGAINST, visit, ctx);
}

void peer_victims(const struct fold *f, uint32_t x, fold_visit *visit, void *ctx)
{
	visit_related(f, x, RELATION_WORSE_RIVAL, visit, ctx);
}
