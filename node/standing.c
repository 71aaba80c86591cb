#include "node/standing.h"

static bool count(void *ctx, const struct quarantined *q)
{
	struct standing *s = ctx;

	if (q->is_branch) {
		s->branches++;
	} else {
		s->cut_feeds++;
		s->cut += q->last - q->first + 1;
	}
	return true;
}

enum err standing_look(struct standing *out, struct context *ctx, struct errmsg *msg)
{
	const struct trust *t = replica_trust(ctx->replica);

	*out = (struct standing){ .member = OK };
	out->member = replica_check_member(ctx->replica, &out->why);
	for (size_t i = 0; t && i < t->cut_count; i++)
		out->forked_feeds += t->cuts[i].cause == CUT_FORKED;
	return t ? replica_each_quarantined(ctx->replica, count, out, msg) : OK;
}
