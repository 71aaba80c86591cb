/* recover, roots: what the holders of the recovery words can do. */
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/member_ref.h"
#include "node/output.h"
#include "node/revocation.h"
#include "node/root_set.h"
#include "node/sys_error.h"

/* Ask for the words. *signers borrows from the set. */
static enum err ask(struct context *ctx, struct root_set *roots, struct signer *signers,
		    struct errmsg *msg)
{
	const struct trust *trust = replica_trust(ctx->replica);
	enum err rc;

	if (!trust)
		return errmsg_set(msg, ERR_ORG, _("no organisation is known here yet"));
	rc = root_set_ask(roots, trust, msg);
	if (rc == OK)
		root_set_signers(roots, signers);
	return rc;
}

/* ---- recover --------------------------------------------------------------- */

static enum err state_recovery(struct context *ctx, const struct record_id *self,
			       const struct revocation *lost, const struct root_set *roots,
			       const struct signer *signers, struct errmsg *msg)
{
	struct statement s = { .type = STATEMENT_ADMIN,
			       .u.admin = { .node = *self, .is_admin = true } };
	struct stating st;
	enum err rc = stating_begin(&st, ctx, signers, roots->count, msg);

	if (rc == OK)
		rc = stating_add(&st, &s, msg);
	if (rc == OK && lost)
		rc = revocation_state(lost, &st, msg);
	return stating_end(&st, rc, msg);
}

/* The one to be revoked, by its options --revoke and --at. */
static enum err find_lost(struct context *ctx, const struct args *args, struct revocation *out,
			  struct errmsg *msg)
{
	const struct member *lost;
	const struct member *self = replica_self(ctx->replica);
	enum err rc = member_find(ctx, args_option(args, "revoke"), &lost, msg);

	if (rc == OK && lost == self)
		rc = errmsg_set(msg, ERR_INVALID, _("--revoke names this very node"));
	return rc == OK ? revocation_prepare(out, ctx, &lost->node, args, msg) : rc;
}

enum err cmd_recover(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	bool revokes = args_has(args, "revoke");
	struct signer signers[ROOTS_MAX];
	struct root_set roots = { .count = 0 };
	struct revocation lost;
	struct record_id self;
	enum err rc = replica_check_member(ctx->replica, msg);

	if (rc == OK)
		self = replica_self(ctx->replica)->node;
	if (rc == OK && revokes)
		rc = find_lost(ctx, args, &lost, msg);
	if (rc == OK)
		rc = ask(ctx, &roots, signers, msg);
	if (rc == OK)
		rc = state_recovery(ctx, &self, revokes ? &lost : NULL, &roots, signers, msg);
	root_set_wipe(&roots);
	return rc;
}

/* ---- roots ----------------------------------------------------------------- */

static json_t *roots_json(const struct trust *trust)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < trust->root_count; i++) {
		char key[2 * SIGN_PUBLIC_BYTES + 1];

		hex_encode(key, bytes_of(trust->roots[i].bytes, SIGN_PUBLIC_BYTES));
		json_array_append_new(keys, json_string(key));
	}
	return json_pack("{s:i, s:o}", "threshold", (int)trust->root_threshold, "keys", keys);
}

enum err cmd_roots(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct trust *trust = replica_trust(ctx->replica);

	if (!trust)
		return errmsg_set(msg, ERR_ORG, _("no organisation is known here yet"));
	if (ctx->is_json)
		return output_json(stdout, roots_json(trust), msg);
	output_line(stdout, _("root keys: %zu, of which %u decide"), trust->root_count,
		    trust->root_threshold);
	for (size_t i = 0; i < trust->root_count; i++) {
		char key[2 * SIGN_PUBLIC_BYTES + 1];

		hex_encode(key, bytes_of(trust->roots[i].bytes, SIGN_PUBLIC_BYTES));
		output_line(stdout, "  %s", key);
	}
	return OK;
}

/* The new words are shown before they count: lost ones would be worse than unused ones. */
static enum err state_roots(struct context *ctx, const struct root_set *old,
			    const struct signer *signers, const struct root_set *fresh,
			    struct errmsg *msg)
{
	struct statement s = { .type = STATEMENT_ROOTS, .u.roots = root_set_public(fresh) };
	struct stating st;
	enum err rc;

	rc = stating_begin(&st, ctx, signers, old->count, msg);
	if (rc == OK)
		rc = stating_add(&st, &s, msg);
	if (rc == OK && ctx->is_json &&
	    json_object_set_new(json_array_get(st.made, 0), "words", root_set_json(fresh)) != 0)
		rc = no_memory(msg);
	if (rc == OK && !ctx->is_json)
		root_set_print(fresh);
	st.shows_first = true;
	return stating_end(&st, rc, msg);
}

enum err cmd_roots_change(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct signer signers[ROOTS_MAX];
	struct root_set old = { .count = 0 }, fresh = { .count = 0 };
	struct dice dice = system_dice();
	enum err rc = replica_check_member(ctx->replica, msg);

	if (rc == OK)
		rc = root_set_draw(&fresh, args, &dice, msg);
	if (rc == OK)
		rc = ask(ctx, &old, signers, msg);
	if (rc == OK)
		rc = state_roots(ctx, &old, signers, &fresh, msg);
	root_set_wipe(&old);
	root_set_wipe(&fresh);
	return rc;
}
