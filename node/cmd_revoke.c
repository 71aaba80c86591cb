/* revoke: nodes that belong to the organisation no more. */
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/member_ref.h"
#include "node/output.h"
#include "node/prompt.h"
#include "node/revocation.h"
#include "node/space.h"
#include "node/sys_error.h"

/* Who is revoked, and where their feeds end. */
struct plan {
	struct context *ctx;
	struct record_id *nodes;
	struct revocation *list; /* one a node */
	size_t count;
};

/* ---- What is going to happen ----------------------------------------------- */

static enum err make_plan(struct plan *p, const struct args *args, struct errmsg *msg)
{
	enum err rc = member_find_all(p->ctx, args_word(args, 0), &p->nodes, &p->count, msg);

	if (rc == OK && p->count > 1 && args_has(args, "at"))
		rc = errmsg_set(msg, ERR_INVALID,
				_("%s has %zu nodes: with --at, revoke them one by one"),
				args_word(args, 0), p->count);
	if (rc != OK)
		return rc;
	p->list = arena_array(&p->ctx->arena, p->count, sizeof(*p->list));
	if (!p->list)
		return no_memory(msg);
	for (size_t i = 0; i < p->count && rc == OK; i++)
		rc = revocation_prepare(&p->list[i], p->ctx, &p->nodes[i], args, msg);
	return rc;
}

static bool is_planned(const struct plan *p, const struct record_id *node)
{
	for (size_t i = 0; i < p->count; i++)
		if (record_id_cmp(&p->nodes[i], node) == 0)
			return true;
	return false;
}

static bool leaves_an_admin(const struct plan *p)
{
	size_t count;
	const struct member *list = replica_members(p->ctx->replica, &count);

	for (size_t i = 0; i < count; i++)
		if (list[i].is_admin && !is_planned(p, &list[i].node))
			return true;
	return false;
}

static void tell_cut(struct context *ctx, const struct cut *cut)
{
	struct buf space = BUF_EMPTY;
	char id[ID_TEXT_SIZE];

	space_label(ctx, &cut->space, &space);
	output_line(stderr, _("  %.*s: up to changeset %llu of replica %.8s"), (int)space.size,
		    (const char *)space.data, (unsigned long long)cut->seq,
		    id_text(cut->replica.bytes, id));
	buf_release(&space);
}

static void tell_one(struct context *ctx, const struct revocation *one)
{
	char label[MEMBER_LABEL_MAX];

	member_label(ctx, label, one->office_code, &one->node);
	if (one->is_done) {
		output_line(stderr, _("%s was removed before."), label);
		return;
	}
	output_line(stderr, _("%s will be a member no more. What it wrote goes on to count:"),
		    label);
	for (size_t k = 0; k < one->cut_count; k++)
		tell_cut(ctx, &one->cuts[k]);
	if (one->cut_count == 0)
		output_line(stderr, "  %s", _("nothing"));
}

static bool is_done(const struct plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->list[i].is_done)
			return false;
	return true;
}

static void tell(const struct plan *p)
{
	const struct member *self = replica_self(p->ctx->replica);

	for (size_t i = 0; i < p->count; i++)
		tell_one(p->ctx, &p->list[i]);
	if (is_done(p))
		return;
	output_line(stderr, "%s",
		    _("Whatever comes of it beyond that is held, and left out: huitong "
		      "quarantine."));
	if (self && is_planned(p, &self->node))
		output_line(
			stderr, "%s",
			_("This very node is among them: the others learn of it only over links "
			  "that are up now. Any other admin's node can do it as well."));
	if (!leaves_an_admin(p))
		output_line(stderr, "%s",
			    _("No admin will be left: only the recovery words can make one."));
}

/* ---- revoke ---------------------------------------------------------------- */

enum err cmd_revoke(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct plan p = { .ctx = ctx };
	struct stating st;
	enum err rc = make_plan(&p, args, msg);

	if (rc != OK)
		return rc;
	tell(&p);
	if (!args_has(args, "yes") && !is_done(&p))
		rc = prompt_confirm(_("Revoke?"), msg);
	if (rc != OK)
		return rc;
	rc = stating_begin(&st, ctx, NULL, 0, msg);
	for (size_t i = 0; i < p.count && rc == OK; i++)
		rc = revocation_state(&p.list[i], &st, msg);
	return stating_end(&st, rc, msg);
}
