#include "node/rotation.h"

#include <errno.h>
#include <unistd.h>

#include "node/sys_error.h"

/* The signing key of this node's current epoch; all zeros before it is a member. */
static enum err current_key(struct context *ctx, uint8_t out[SIGN_PUBLIC_BYTES])
{
	const struct member *self;
	enum err rc = context_open_replica(ctx, false, true, NULL);

	memset(out, 0, SIGN_PUBLIC_BYTES);
	self = rc == OK ? replica_self(ctx->replica) : NULL;
	if (self)
		memcpy(out, self->identity.sign_key, SIGN_PUBLIC_BYTES);
	replica_close(ctx->replica);
	ctx->replica = NULL;
	return rc;
}

enum err rotation_settle(struct context *ctx, struct errmsg *msg)
{
	struct identity fresh = { 0 };
	uint8_t key[SIGN_PUBLIC_BYTES];
	enum err rc = OK;

	if (access(ctx->folder.identity_new, F_OK) != 0)
		return OK;
	/* Of a replica that can't be read nobody knows; whoever needs it is told. */
	if (identity_load(&fresh, ctx->folder.identity_new, NULL) != OK ||
	    current_key(ctx, key) != OK)
		goto out;
	if (memcmp(key, fresh.sign_public, SIGN_PUBLIC_BYTES) == 0)
		rc = identity_rename(ctx->folder.identity_new, ctx->folder.identity, msg);
	if (rc == ERR_NOT_FOUND) /* another process was faster */
		rc = OK;
out:
	identity_clear(&fresh);
	return rc;
}

enum err rotation_run(struct context *ctx, struct errmsg *msg)
{
	struct identity fresh;
	enum err rc = OK;

	/* Left from a try that came to nothing, or rotation_settle() had taken it. */
	if (unlink(ctx->folder.identity_new) != 0 && errno != ENOENT)
		return sys_error(ctx->folder.identity_new, msg);
	identity_generate(&fresh);
	rc = identity_save(&fresh, ctx->folder.identity_new, msg);
	if (rc == OK)
		rc = replica_new_epoch(ctx->replica, EPOCH_ROTATED, fresh.sign_secret,
				       fresh.noise_public, ctx->now_ms, msg);
	if (rc == OK) {
		rc = identity_rename(ctx->folder.identity_new, ctx->folder.identity, msg);
		if (rc == ERR_NOT_FOUND)
			rc = OK;
		ctx->identity = fresh;
	}
	identity_clear(&fresh);
	return rc;
}
