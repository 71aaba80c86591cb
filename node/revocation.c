#include "node/revocation.h"

#include "node/cut_choice.h"
#include "node/i18n.h"
#include "node/member_ref.h"

enum err revocation_prepare(struct revocation *out, struct context *ctx,
			    const struct record_id *node, const struct args *args,
			    struct errmsg *msg)
{
	const struct member *member = member_by_node(ctx, node);
	struct revocation rev = { .node = *node };
	enum err rc;

	if (!member)
		return errmsg_set(msg, ERR_NOT_FOUND, _("no such node"));
	rev.is_done = member->is_revoked && !args_has(args, "at");
	memcpy(rev.office_code, member->office_code, sizeof(rev.office_code));
	rc = replica_cuts_of(ctx->replica, node, NULL, &ctx->arena, &rev.cuts, &rev.cut_count, msg);
	if (rc == OK)
		rc = cut_choose_all(ctx, args, rev.cuts, &rev.cut_count, msg);
	if (rc == OK)
		*out = rev;
	return rc;
}

enum err revocation_state(const struct revocation *rev, struct stating *st, struct errmsg *msg)
{
	struct statement s = {
		.type = STATEMENT_REVOKE,
		.u.revoke = { .node = rev->node, .cuts = rev->cuts, .cut_count = rev->cut_count },
	};

	return rev->is_done ? OK : stating_add(st, &s, msg);
}
