/* init: an organisation begins. */
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/newcomer.h"
#include "node/output.h"
#include "node/root_set.h"

static enum err found(struct context *ctx, const struct args *args, const struct root_set *roots,
		      struct errmsg *msg)
{
	const struct when_reader *reader;
	char name[PERSON_NAME_SIZE];
	const char *office_name = args_option(args, "office-name");
	const char *zone = args_option(args, "zone");
	struct founding founding = {
		.org_name = args_option(args, "org"),
		.office_code = args_option(args, "office"),
		.person_name = newcomer_person(args, name),
		.address = args_option(args, "address"),
		.roots = root_set_public(roots),
		.node = replica_identity(ctx->replica, ctx->identity.noise_public),
	};
	const struct tz *tz;
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc == OK && zone)
		rc = zone_db_get(ctx->zones, zone, &tz, msg);
	if (rc != OK)
		return rc;
	founding.zone = zone ? zone : reader->zone;
	founding.office_name = office_name ? office_name : founding.office_code;
	rc = replica_found(ctx->replica, &founding, ctx->now_ms, msg);
	return rc == OK ? newcomer_remember_person(ctx, founding.person_name, msg) : rc;
}

static enum err print(struct context *ctx, const struct root_set *roots, struct errmsg *msg)
{
	json_t *json;

	if (ctx->is_json) {
		json = newcomer_json(ctx, true);
		json_object_set_new(json, "roots", root_set_json(roots));
		return output_json(stdout, json, msg);
	}
	newcomer_print(ctx);
	root_set_print(roots);
	if (fflush(stdout) != 0)
		return errmsg_set(
			msg, ERR_IO,
			_("the recovery words could not be shown: remove %s and found the "
			  "organisation anew"),
			ctx->folder.path);
	fprintf(stderr, "%s\n",
		_("next: huitong collab new TITLE; huitong invite OFFICE; huitong serve"));
	return OK;
}

enum err cmd_init(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct dice dice = system_dice();
	struct root_set roots = { .count = 0 };
	int lock_fd = -1;
	enum err rc = newcomer_check_address(args, msg);

	if (rc == OK)
		rc = root_set_draw(&roots, args, &dice, msg);
	if (rc == OK)
		rc = newcomer_prepare(ctx, NULL, &lock_fd, msg);
	if (rc == OK)
		rc = found(ctx, args, &roots, msg);
	if (rc == OK)
		rc = print(ctx, &roots, msg);
	root_set_wipe(&roots);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
