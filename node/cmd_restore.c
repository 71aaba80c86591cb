/* restore: a backup takes the place of the database. */
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/lock.h"
#include "node/output.h"
#include "node/swap.h"

/* ---- The backup ------------------------------------------------------------ */

/* Of this very node, whose key it still has: with another it could not say that it
 * goes on. */
static enum err check_backup(struct context *ctx, struct replica *backup, const char *path,
			     struct errmsg *msg)
{
	const struct member *self;
	enum err rc = replica_check_member(backup, msg);

	self = rc == OK ? replica_self(backup) : NULL;
	if (self &&
	    memcmp(self->identity.sign_key, ctx->identity.sign_public, SIGN_PUBLIC_BYTES) != 0)
		rc = errmsg_set(
			msg, ERR_INVALID,
			_("%s is a backup of another node, or of before this one's keys were "
			  "changed: see OPERATIONS, \"backups\""),
			path);
	return rc == OK ? replica_quick_check(backup, msg) : rc;
}

/* A copy of it goes into the folder: the backup itself may be needed again. */
static enum err fetch(struct context *ctx, const char *path, const char *to, struct errmsg *msg)
{
	struct replica_config config = {
		.path = path, .read_only = true, .dice = system_dice(), .now_ms = ctx->now_ms
	};
	struct replica *backup = NULL;
	enum err rc = replica_open(&backup, &config, msg);

	if (rc == OK)
		rc = check_backup(ctx, backup, path, msg);
	if (rc == OK)
		rc = replica_backup(backup, to, NULL, NULL, msg);
	replica_close(backup);
	return rc;
}

/* On purpose it is another file than the replica has known, and not because somebody
 * moved it. */
static enum err state_restored(struct context *ctx, struct replica *copy, struct errmsg *msg)
{
	enum err rc = replica_begin(copy, msg);

	if (rc == OK)
		rc = replica_setting_put(copy, SETTING_MACHINE, NULL, msg);
	if (rc == OK)
		rc = replica_new_epoch(copy, EPOCH_RESTORED, NULL, NULL, ctx->now_ms, msg);
	return rc == OK ? replica_commit(copy, msg) : rc;
}

/* The copy goes on under another id before it is anybody's database. */
static enum err begin_epoch(struct context *ctx, const char *path, struct errmsg *msg)
{
	struct replica_config config = { .path = path,
					 .sign_secret = ctx->identity.sign_secret,
					 .dice = system_dice(),
					 .now_ms = ctx->now_ms };
	char wal[SWAP_PATH_BYTES + 8];
	struct replica *copy = NULL;
	enum err rc = replica_open(&copy, &config, msg);

	if (rc == OK)
		rc = state_restored(ctx, copy, msg);
	replica_close(copy);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (rc == OK && access(wal, F_OK) == 0)
		rc = errmsg_set(msg, ERR_IO, _("%s is still in use"), path);
	return rc;
}

static enum err print(struct context *ctx, const char *kept, struct errmsg *msg)
{
	char id[ID_TEXT_SIZE];
	struct errmsg why;

	id_text(replica_id(ctx->replica)->bytes, id);
	if (ctx->is_json)
		return output_json(stdout,
				   json_pack("{s:s, s:s, s:s?}", "folder", ctx->folder.path,
					     "replica", id, "kept", *kept ? kept : NULL),
				   msg);
	output_line(stdout, _("restored; this node goes on as replica %.12s"), id);
	if (*kept)
		output_line(stderr, _("the database of before is kept as %s"), kept);
	if (replica_check_member(ctx->replica, &why) == ERR_SUPERSEDED)
		output_line(stderr, "%s", why.text);
	else
		fprintf(stderr, "%s\n",
			_("next: huitong serve, which fetches what the others hold of this "
			  "node's"));
	return OK;
}

enum err cmd_restore(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	char copy[SWAP_PATH_BYTES], kept[SWAP_PATH_BYTES] = "";
	int lock_fd = -1;
	enum err rc = folder_create(&ctx->folder, msg);

	snprintf(copy, sizeof(copy), "%s.restoring", ctx->folder.database);
	if (rc == OK)
		rc = lock_take(&lock_fd, ctx->folder.lock, msg);
	if (rc == OK)
		rc = identity_load(&ctx->identity, ctx->folder.identity, msg);
	if (rc == OK)
		rc = swap_clear(copy, msg);
	if (rc == OK)
		rc = fetch(ctx, args_word(args, 0), copy, msg);
	if (rc == OK)
		rc = begin_epoch(ctx, copy, msg);
	if (rc == OK)
		rc = swap_in(&ctx->folder, copy, kept, msg);
	if (rc == OK)
		rc = context_open_replica(ctx, false, false, msg);
	if (rc == OK)
		rc = print(ctx, kept, msg);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
