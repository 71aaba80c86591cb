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
	struct errmsg why = { 0 };
	enum err rc = replica_open(&backup, &config, &why);

	if (rc == OK)
		rc = check_backup(ctx, backup, path, &why);
	/* Nothing is wrong with the folder. */
	if (rc == ERR_CORRUPT)
		rc = errmsg_set(msg, ERR_INVALID, _("%s is no backup, or it is damaged: %s"), path,
				why.text);
	else if (rc != OK && msg)
		*msg = why;
	if (rc == OK)
		rc = replica_backup(backup, to, NULL, NULL, msg);
	replica_close(backup);
	return rc;
}

/* On purpose it is another file than the replica has known, and not because somebody
 * moved it. */
static enum err go_on(struct context *ctx, struct replica *copy, struct takeover *taken,
		      struct errmsg *msg)
{
	bool has_before = access(ctx->folder.database, F_OK) == 0;
	enum err rc = replica_setting_put(copy, SETTING_MACHINE, NULL, msg);

	if (rc != OK)
		return rc;
	return replica_restore(copy, has_before ? ctx->folder.database : NULL, ctx->now_ms, taken,
			       msg);
}

/* The copy goes on under another id, with what it lacks, before it is anybody's database. */
static enum err begin_epoch(struct context *ctx, const char *path, struct takeover *taken,
			    struct errmsg *msg)
{
	struct replica_config config = { .path = path,
					 .sign_secret = ctx->identity.sign_secret,
					 .dice = system_dice(),
					 .now_ms = ctx->now_ms };
	char wal[SWAP_PATH_BYTES + 8];
	struct replica *copy = NULL;
	enum err rc = replica_open(&copy, &config, msg);

	if (rc == OK)
		rc = go_on(ctx, copy, taken, msg);
	replica_close(copy);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (rc == OK && access(wal, F_OK) == 0)
		rc = errmsg_set(msg, ERR_IO, _("%s is still in use"), path);
	return rc;
}

/* Somebody may have written until the very end. */
static enum err take_the_last(struct context *ctx, const char *kept, struct takeover *taken,
			      struct errmsg *msg)
{
	struct takeover last = { .changesets = 0 };
	enum err rc = OK;

	if (*kept && !taken->is_unread)
		rc = replica_take_over(ctx->replica, kept, ctx->now_ms, &last, msg);
	taken->changesets += last.changesets;
	taken->own += last.own;
	return rc;
}

/* ---- Telling ---------------------------------------------------------------- */

static enum err print_json(struct context *ctx, const char *id, const char *kept,
			   const struct takeover *taken, struct errmsg *msg)
{
	return output_json(stdout,
			   json_pack("{s:s, s:s, s:s?, s:I, s:I, s:I, s:s?}", "folder",
				     ctx->folder.path, "replica", id, "kept", *kept ? kept : NULL,
				     "taken_over", (json_int_t)taken->changesets, "own",
				     (json_int_t)taken->own, "left_behind",
				     (json_int_t)taken->left_behind, "unread",
				     taken->is_unread ? taken->why.text : NULL),
			   msg);
}

static void tell_kept(const char *kept, const struct takeover *taken)
{
	output_line(stderr, _("the database of before is kept as %s"), kept);
	if (taken->is_unread)
		output_line(stderr,
			    _("it can't be read, so what it alone held is not taken over: %s"),
			    taken->why.text);
	if (taken->changesets)
		output_line(stderr,
			    P_("taken over from it: %llu changeset that the backup lacks (%llu of "
			       "this node's own)",
			       "taken over from it: %llu changesets that the backup lacks (%llu of "
			       "this node's own)",
			       taken->changesets),
			    (unsigned long long)taken->changesets, (unsigned long long)taken->own);
	if (taken->left_behind)
		output_line(
			stderr,
			_("%llu changesets in it are damaged or follow what is: this node's own, "
			  "where whole, are written again, the others come back from the "
			  "offices that hold them"),
			(unsigned long long)taken->left_behind);
}

static enum err print(struct context *ctx, const char *kept, const struct takeover *taken,
		      struct errmsg *msg)
{
	char id[ID_TEXT_SIZE];
	struct errmsg why;

	id_text(replica_id(ctx->replica)->bytes, id);
	if (ctx->is_json)
		return print_json(ctx, id, kept, taken, msg);
	output_line(stdout, _("restored; this node goes on as replica %.12s"), id);
	if (*kept)
		tell_kept(kept, taken);
	if (replica_check_member(ctx->replica, &why) == ERR_SUPERSEDED)
		output_line(stderr, "%s", why.text);
	else
		fprintf(stderr, "%s\n",
			_("next: huitong serve, which fetches what the others hold of this "
			  "node's"));
	return OK;
}

/* ---- restore ---------------------------------------------------------------- */

enum err cmd_restore(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	char copy[SWAP_PATH_BYTES], kept[SWAP_PATH_BYTES] = "";
	struct takeover taken = { .changesets = 0 };
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
		rc = begin_epoch(ctx, copy, &taken, msg);
	if (rc == OK)
		rc = swap_in(&ctx->folder, copy, kept, msg);
	if (rc == OK)
		rc = context_open_replica(ctx, false, false, msg);
	if (rc == OK)
		rc = take_the_last(ctx, kept, &taken, msg);
	if (rc == OK)
		rc = print(ctx, kept, &taken, msg);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
