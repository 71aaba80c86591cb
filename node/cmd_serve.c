#include <unistd.h>

#include "node/cmd.h"
#include "node/config.h"
#include "node/daemon.h"
#include "node/i18n.h"
#include "node/lock.h"

struct source {
	const struct folder *folder;
	const struct args *args;
};

static enum err set_option(struct config *c, const struct arg_option *given, struct errmsg *msg)
{
	struct errmsg why = { 0 };
	enum err rc = config_set(c, given->name, given->value, &why);

	return rc == OK ? OK : errmsg_set(msg, rc, "--%s: %s", given->name, why.text);
}

/* The file first, then the command line: what it says replaces, its peers add. */
static enum err read_settings(void *ctx, struct config *out, struct errmsg *msg)
{
	static const char *const options[] = { "listen", "peer", "scrub", "log-level" };
	const struct source *source = ctx;
	const struct args *args = source->args;
	enum err rc = config_load(out, source->folder->config, msg);

	for (size_t i = 0; rc == OK && i < args->option_count; i++) {
		const struct arg_option *given = &args->options[i];

		for (size_t k = 0; rc == OK && k < sizeof(options) / sizeof(options[0]); k++)
			if (strcmp(given->name, options[k]) == 0)
				rc = set_option(out, given, msg);
	}
	return rc;
}

/* Nobody talks to one that is a member no more. Who is not one yet has to fetch the word
 * of it first. */
static enum err check_standing(struct context *ctx, struct errmsg *msg)
{
	enum err rc = replica_check_member(ctx->replica, msg);

	return rc == ERR_ORG ? OK : rc;
}

enum err cmd_serve(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	char tzdata[ZONE_VERSION_BYTES];
	struct source source = { .folder = &ctx->folder, .args = args };
	struct daemon_options options = { .folder = ctx->folder.path,
					  .identity = &ctx->identity,
					  .tzdata = tzdata,
					  .settings = read_settings,
					  .settings_ctx = &source };
	int lock_fd = -1;
	enum err rc = folder_check(&ctx->folder, msg);

	if (rc == OK)
		rc = lock_take(&lock_fd, ctx->folder.lock, msg);
	if (rc == OK)
		rc = identity_load(&ctx->identity, ctx->folder.identity, msg);
	if (rc == OK)
		rc = context_open_replica(ctx, false, false, msg);
	if (rc == OK && !replica_has_org(ctx->replica))
		rc = errmsg_set(msg, ERR_NOT_FOUND,
				_("this node belongs to no organisation yet: `huitong init` founds "
				  "one, `huitong join` becomes part of one"));
	if (rc == OK)
		rc = check_standing(ctx, msg);
	zone_db_version(ctx->zones, tzdata);
	options.replica = ctx->replica;
	if (rc == OK) {
		i18n_speak_english(); /* the log, and the last words to peers */
		rc = daemon_run(&options, msg);
	}
	/* Closed before the lock: the next daemon finds the log checkpointed. */
	replica_close(ctx->replica);
	ctx->replica = NULL;
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
