/* repair: what is sound of a damaged database takes its place. */
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/lock.h"
#include "node/output.h"
#include "node/swap.h"

static void progress(void *ctx, uint64_t done, uint64_t total)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s %llu/%llu", _("changesets"), (unsigned long long)done,
			(unsigned long long)total);
}

static enum err save(struct context *ctx, const char *to, struct salvage *saved, struct errmsg *msg)
{
	struct replica_config config = { .path = ctx->folder.database,
					 .sign_secret = ctx->identity.sign_secret,
					 .dice = system_dice(),
					 .now_ms = ctx->now_ms };
	enum err rc = replica_salvage(&config, to, saved, progress, NULL, msg);

	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	return rc;
}

static enum err print(struct context *ctx, const struct salvage *saved, const char *kept,
		      struct errmsg *msg)
{
	if (ctx->is_json)
		return output_json(stdout,
				   json_pack("{s:I, s:I, s:I, s:I, s:b, s:s}", "changesets",
					     (json_int_t)saved->changesets, "left_behind",
					     (json_int_t)saved->left_behind, "statements_lost",
					     (json_int_t)saved->statements_lost, "settings_lost",
					     (json_int_t)saved->settings_lost, "is_member",
					     saved->is_member, "kept", kept),
				   msg);
	output_line(stdout, _("saved %llu changesets; %llu were damaged or depended on damage"),
		    (unsigned long long)saved->changesets, (unsigned long long)saved->left_behind);
	output_line(stderr, _("the damaged database is kept as %s"), kept);
	if (saved->settings_lost)
		output_line(stderr, "%s", _("some settings of this node are lost: huitong doctor"));
	output_line(stderr, "%s",
		    saved->is_member
			    ? _("next: huitong serve, which fetches from the others what they hold")
			    : _("its membership is lost: ask an admin for a ticket, "
				"then huitong join"));
	return OK;
}

enum err cmd_repair(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	char fresh[SWAP_PATH_BYTES], kept[SWAP_PATH_BYTES] = "";
	struct salvage saved = { 0 };
	int lock_fd = -1;
	enum err rc = folder_check(&ctx->folder, msg);

	snprintf(fresh, sizeof(fresh), "%s.repairing", ctx->folder.database);
	if (rc == OK)
		rc = lock_take(&lock_fd, ctx->folder.lock, msg);
	if (rc == OK)
		rc = identity_load(&ctx->identity, ctx->folder.identity, msg);
	if (rc == OK)
		rc = swap_clear(fresh, msg);
	if (rc == OK)
		rc = save(ctx, fresh, &saved, msg);
	if (rc == OK)
		rc = swap_in(&ctx->folder, fresh, kept, msg);
	if (rc == OK)
		rc = print(ctx, &saved, kept, msg);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
