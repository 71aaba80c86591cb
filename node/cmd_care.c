/* verify and backup. */
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/sys_error.h"

enum { HASH_TEXT_SIZE = 2 * STATE_HASH_BYTES + 1 };

/* A line that is overwritten, for people who watch. */
static void progress(void *label, uint64_t done, uint64_t total)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s %llu/%llu%s", (const char *)label, (unsigned long long)done,
			(unsigned long long)total, done == total ? "\n" : "");
}

static enum err print_verified(struct context *ctx, const struct verify_report *report,
			       bool is_equal, struct errmsg *msg)
{
	char stored[HASH_TEXT_SIZE], replayed[HASH_TEXT_SIZE];

	hex_encode(stored, bytes_of(report->stored_hash, STATE_HASH_BYTES));
	hex_encode(replayed, bytes_of(report->replayed_hash, STATE_HASH_BYTES));
	if (ctx->is_json)
		return output_json(stdout,
				   json_pack("{s:b, s:s, s:s, s:I, s:I, s:I, s:I}", "equal",
					     is_equal, "state_hash", stored, "replayed_hash",
					     replayed, "feeds", (json_int_t)report->feeds,
					     "changesets", (json_int_t)report->changesets,
					     "signatures", (json_int_t)report->signatures, "ops",
					     (json_int_t)report->ops),
				   msg);
	printf(P_("%llu changeset is whole and signed (feeds: %llu, signatures: %llu, ops: %llu)\n",
		  "%llu changesets are whole and signed (feeds: %llu, signatures: %llu, ops: "
		  "%llu)\n",
		  report->changesets),
	       (unsigned long long)report->changesets, (unsigned long long)report->feeds,
	       (unsigned long long)report->signatures, (unsigned long long)report->ops);
	if (is_equal)
		printf(_("the replay equals the stored state: %s\n"), stored);
	else
		printf(_("the stored state is %s, but the replay is %s\n"), stored, replayed);
	return OK;
}

enum err cmd_verify(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct verify_report report = { 0 };
	bool is_equal;
	enum err rc;

	rc = replica_verify(ctx->replica, &report, progress, (void *)_("changesets"), msg);
	if (rc != OK)
		return rc;
	is_equal = memcmp(report.stored_hash, report.replayed_hash, STATE_HASH_BYTES) == 0;
	rc = print_verified(ctx, &report, is_equal, msg);
	if (rc == OK && !is_equal)
		rc = errmsg_set(msg, ERR_CORRUPT, _("the state is not what the log says"));
	return rc;
}

enum err cmd_backup(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const char *path = args_word(args, 0);
	enum err rc;

	if (!*path)
		return errmsg_set(msg, ERR_INVALID, _("name the FILE to write"));
	rc = replica_backup(ctx->replica, path, progress, (void *)_("pages"), msg);
	if (rc != OK)
		return rc;
	fprintf(stderr, _("note: the node's key is not in it; keep a copy of %s apart\n"),
		ctx->folder.identity);
	if (ctx->is_json)
		return output_json(stdout, json_pack("{s:s}", "path", path), msg);
	output_line(stdout, "%s", path);
	return OK;
}
