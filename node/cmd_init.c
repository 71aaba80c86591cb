/* init: an organisation begins. */
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/newcomer.h"
#include "node/output.h"
#include "node/root_set.h"

/* What is shown before it counts: lost words would be worse than unused ones. */
struct showing {
	struct context *ctx;
	const struct founding *founding;
	const struct root_set *roots;
};

static enum err print(const struct showing *s, struct errmsg *msg)
{
	json_t *json;

	if (s->ctx->is_json) {
		json = newcomer_json(s->ctx, s->founding->office_code, true);
		json_object_set_new(json, "roots", root_set_json(s->roots));
		return output_json(stdout, json, msg);
	}
	newcomer_print(s->ctx, s->founding->office_code);
	root_set_print(s->roots);
	return OK;
}

static enum err show(void *ctx, struct errmsg *msg)
{
	const struct showing *s = ctx;
	enum err rc = newcomer_remember_person(s->ctx, s->founding->person_name, NULL, msg);

	if (rc == OK)
		rc = print(s, msg);
	if (rc == OK && fflush(stdout) != 0)
		rc = errmsg_set(msg, ERR_IO,
				_("the recovery words could not be shown: nothing was founded"));
	return rc;
}

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
		.confirm = show,
	};
	struct showing showing = { ctx, &founding, roots };
	const struct tz *tz;
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc == OK && zone)
		rc = zone_db_get(ctx->zones, zone, &tz, msg);
	if (rc != OK)
		return rc;
	founding.zone = zone ? zone : reader->zone;
	founding.office_name = office_name ? office_name : founding.office_code;
	founding.ctx = &showing;
	return replica_found(ctx->replica, &founding, ctx->now_ms, msg);
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
		fprintf(stderr, "%s\n",
			_("next: huitong collab new TITLE; huitong invite OFFICE; huitong serve"));
	root_set_wipe(&roots);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
