/* rotate: new keys for this node. */
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/lock.h"
#include "node/output.h"
#include "node/rotation.h"

static enum err print_epoch(struct context *ctx, struct errmsg *msg)
{
	char id[ID_TEXT_SIZE], key[2 * SIGN_PUBLIC_BYTES + 1];

	id_text(replica_id(ctx->replica)->bytes, id);
	hex_encode(key, bytes_of(ctx->identity.sign_public, SIGN_PUBLIC_BYTES));
	if (ctx->is_json)
		return output_json(stdout, json_pack("{s:s, s:s}", "replica", id, "key", key), msg);
	output_line(stdout, _("new keys; this node goes on as replica %.12s"), id);
	fprintf(stderr, _("note: keep a copy of %s apart; the old one opens nothing any more\n"),
		ctx->folder.identity);
	return OK;
}

enum err cmd_rotate(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	int lock_fd = -1;
	enum err rc = replica_check_member(ctx->replica, msg);

	if (rc == OK)
		rc = lock_take(&lock_fd, ctx->folder.lock, msg);
	if (rc == OK)
		rc = rotation_run(ctx, msg);
	if (rc == OK)
		rc = print_epoch(ctx, msg);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
