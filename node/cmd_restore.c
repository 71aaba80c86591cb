/* restore: a backup takes the place of the database. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/lock.h"
#include "node/output.h"
#include "node/sys_error.h"

enum { PATH_BYTES = FOLDER_FILE_MAX + 64 };

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
	char wal[PATH_BYTES + 8];
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

/* What a try that failed has left. */
static enum err clear(const char *path, struct errmsg *msg)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[PATH_BYTES + 8];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		if (unlink(name) != 0 && errno != ENOENT)
			return sys_error(name, msg);
	}
	return OK;
}

/* ---- The folder ------------------------------------------------------------ */

/* "replica.db.20261122T083000Z": under that name the database of now is kept, with its
 * -wal. "" when there is none. */
static enum err keep(struct context *ctx, char kept[PATH_BYTES], struct errmsg *msg)
{
	static const char *const ends[] = { "", "-wal" };
	time_t now_s = (time_t)(ctx->now_ms / 1000);
	char stamp[32], from[PATH_BYTES], to[PATH_BYTES + 8];
	struct tm parts;

	kept[0] = '\0';
	if (access(ctx->folder.database, F_OK) != 0)
		return OK;
	gmtime_r(&now_s, &parts);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
	snprintf(kept, PATH_BYTES, "%s.%s", ctx->folder.database, stamp);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", ctx->folder.database, ends[i]);
		snprintf(to, sizeof(to), "%s%s", kept, ends[i]);
		if (link(from, to) != 0 && errno != ENOENT)
			return sys_error(to, msg);
	}
	return OK;
}

/* All is kept before anything goes. A -wal that stayed would be taken for the new
 * database's, and damage it. */
static enum err put_in_place(struct context *ctx, const char *copy, char kept[PATH_BYTES],
			     struct errmsg *msg)
{
	static const char *const ends[] = { "-wal", "-shm" };
	char path[PATH_BYTES];
	enum err rc = keep(ctx, kept, msg);

	for (size_t i = 0; rc == OK && i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", ctx->folder.database, ends[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			rc = sys_error(path, msg);
	}
	return rc == OK ? identity_rename(copy, ctx->folder.database, msg) : rc;
}

static enum err print(struct context *ctx, const char *kept, struct errmsg *msg)
{
	char id[ID_TEXT_SIZE];

	id_text(replica_id(ctx->replica)->bytes, id);
	if (ctx->is_json)
		return output_json(stdout,
				   json_pack("{s:s, s:s, s:s?}", "folder", ctx->folder.path,
					     "replica", id, "kept", *kept ? kept : NULL),
				   msg);
	output_line(stdout, _("restored; this node goes on as replica %.12s"), id);
	if (*kept)
		output_line(stderr, _("the database of before is kept as %s"), kept);
	fprintf(stderr, "%s\n",
		_("next: huitong serve, which fetches what the others hold of this node's"));
	return OK;
}

enum err cmd_restore(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	char copy[PATH_BYTES], kept[PATH_BYTES] = "";
	int lock_fd = -1;
	enum err rc = folder_create(&ctx->folder, msg);

	snprintf(copy, sizeof(copy), "%s.restoring", ctx->folder.database);
	if (rc == OK)
		rc = lock_take(&lock_fd, ctx->folder.lock, msg);
	if (rc == OK)
		rc = identity_load(&ctx->identity, ctx->folder.identity, msg);
	if (rc == OK)
		rc = clear(copy, msg);
	if (rc == OK)
		rc = fetch(ctx, args_word(args, 0), copy, msg);
	if (rc == OK)
		rc = begin_epoch(ctx, copy, msg);
	if (rc == OK)
		rc = put_in_place(ctx, copy, kept, msg);
	if (rc == OK)
		rc = context_open_replica(ctx, false, false, msg);
	if (rc == OK)
		rc = print(ctx, kept, msg);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
