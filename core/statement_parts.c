#include "core/statement_parts.h"

#include <stdlib.h>

/* Where the statement keeps its cuts; false: it has none. */
static bool find_cuts(struct statement *s, const struct cut ***cuts, size_t **count)
{
	switch (s->type) {
	case STATEMENT_REVOKE:
		*cuts = &s->u.revoke.cuts;
		*count = &s->u.revoke.cut_count;
		return true;
	case STATEMENT_EPOCH:
		*cuts = &s->u.epoch.cuts;
		*count = &s->u.epoch.cut_count;
		return true;
	case STATEMENT_GRANT:
		*cuts = &s->u.grant.cuts;
		*count = &s->u.grant.cut_count;
		return true;
	case STATEMENT_ADOPT:
		*cuts = &s->u.adopt.cuts;
		*count = &s->u.adopt.cut_count;
		return true;
	default: return false;
	}
}

/* A feed that ends with nothing needs no name. */
static size_t copy_named(struct cut *out, const struct cut *cuts, size_t count)
{
	size_t got = 0;

	for (size_t i = 0; i < count; i++)
		if (cuts[i].seq > 0)
			out[got++] = cuts[i];
	return got;
}

static void add_adopts(struct statement_parts *p, uint64_t wall_ms, size_t cut_count)
{
	for (size_t at = 0; at < cut_count; at += CUTS_MAX) {
		struct statement *s = &p->list[p->count++];

		*s = (struct statement){ .type = STATEMENT_ADOPT, .wall_ms = wall_ms };
		s->u.adopt.cuts = p->cuts + at;
		s->u.adopt.cut_count = cut_count - at < CUTS_MAX ? cut_count - at : CUTS_MAX;
	}
}

enum err statement_parts_of(struct statement_parts *out, const struct statement *s)
{
	struct statement first = *s;
	struct statement_parts p = { .count = 1 };
	const struct cut **cuts = NULL;
	size_t *count = NULL, others = 0;

	if (find_cuts(&first, &cuts, &count) && *count > CUTS_MAX)
		others = *count - CUTS_MAX;
	p.list = calloc(2 + others / CUTS_MAX, sizeof(*p.list));
	p.cuts = calloc(others + 1, sizeof(*p.cuts));
	if (!p.list || !p.cuts) {
		statement_parts_release(&p);
		return ERR_NOMEM;
	}
	if (others) {
		*count = CUTS_MAX;
		others = copy_named(p.cuts, *cuts + CUTS_MAX, others);
	}
	p.list[0] = first;
	add_adopts(&p, s->wall_ms, others);
	*out = p;
	return OK;
}

void statement_parts_release(struct statement_parts *p)
{
	free(p->list);
	free(p->cuts);
	*p = (struct statement_parts){ 0 };
}
