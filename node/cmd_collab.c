/* collab: collaborations, and which offices may do what in them. */
#include "node/change.h"
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/office_roles.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/space.h"
#include "node/stating.h"
#include "node/sys_error.h"

/* ---- new ------------------------------------------------------------------- */

/* What the directory tells everybody of the new space: its name. */
static enum err name_space(struct change *c, const char *title, const struct space_id *space,
			   struct errmsg *msg)
{
	struct record_id record = edit_create(c->edit);
	struct value name = value_str(title);
	struct value id = value_bytes(bytes_of(space->bytes, ID_BYTES));
	enum err rc = edit_set(c->edit, KIND_SPACE, &record, SPACE_NAME, &name, msg);

	return rc == OK ? edit_set(c->edit, KIND_SPACE, &record, SPACE_ID, &id, msg) : rc;
}

static enum err describe(struct change *c, const struct assignments *fields,
			 struct record_id *collaboration, struct errmsg *msg)
{
	enum err rc;

	*collaboration = edit_create(c->edit);
	rc = change_number(c, KIND_COLLABORATION, collaboration, msg);
	if (rc == OK)
		rc = change_assign(c, KIND_COLLABORATION, collaboration, fields, msg);
	return rc;
}

/* The statement that makes the space. */
static enum err make_space(struct context *ctx, const struct office_roles *roles,
			   struct space_id *out, struct errmsg *msg)
{
	struct statement s = { .type = STATEMENT_SPACE,
			       .u.space = { .offices = roles->list,
					    .office_count = roles->count } };
	struct dice dice = system_dice();
	enum err rc;

	dice_fill(&dice, s.u.space.nonce, sizeof(s.u.space.nonce));
	rc = replica_state(ctx->replica, &s, NULL, 0, ctx->now_ms, msg);
	if (rc == OK)
		*out = statement_space(&s.id);
	return rc;
}

/* --offices, else all offices there are. */
static enum err parse_offices(struct context *ctx, const struct args *args,
			      struct office_roles *out, struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);
	const char *text = args_option(args, "offices");
	enum err rc = replica_check_member(ctx->replica, msg);

	if (rc == OK)
		rc = text ? office_roles_parse(out, ctx, text, msg)
			  : office_roles_all(out, ctx, msg);
	/* Who makes a space and has no part in it could not write there. */
	if (rc == OK)
		rc = office_roles_put(out, self->office_code, ROLE_MANAGER, msg);
	return rc;
}

enum err cmd_collab_new(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct field *title =
		kind_field(schema_kind(KIND_COLLABORATION), COLLABORATION_TITLE);
	struct space_id directory = replica_directory(ctx->replica), space;
	struct office_roles roles = { .count = 0 };
	struct assignments fields;
	struct record_id id;
	struct change c;
	enum err rc = parse_offices(ctx, args, &roles, msg);

	if (rc == OK)
		rc = assignments_parse(&fields, ctx, args, msg);
	if (rc == OK)
		rc = assignments_add(&fields, ctx, title, args_word(args, 0), msg);
	if (rc == OK)
		rc = change_begin(&c, ctx, &directory, msg);
	if (rc != OK)
		return rc;
	rc = make_space(ctx, &roles, &space, msg);
	if (rc == OK)
		rc = name_space(&c, args_word(args, 0), &space, msg);
	if (rc == OK)
		rc = change_continue(&c, &space, msg);
	if (rc == OK)
		rc = describe(&c, &fields, &id, msg);
	rc = change_end(&c, rc, msg);
	return rc == OK ? record_echo(ctx, KIND_COLLABORATION, &id, msg) : rc;
}

/* ---- offices --------------------------------------------------------------- */

static enum err find_collab(struct context *ctx, const struct args *args, struct space_id *out,
			    struct errmsg *msg)
{
	return space_find(ctx, args_word(args, 0), out, msg);
}

static json_t *grants_json(const struct trust *t, const struct space_id *space)
{
	json_t *array = json_array();

	for (size_t i = 0; i < t->grant_count; i++)
		if (space_id_cmp(&t->grants[i].space, space) == 0)
			json_array_append_new(array, json_pack("{s:s, s:s}", "office",
							       t->grants[i].office_code, "role",
							       role_name(t->grants[i].role)));
	return array;
}

enum err cmd_collab_offices(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct table_column columns[] = { { _("OFFICE") }, { _("ROLE") } };
	const struct trust *t = replica_trust(ctx->replica);
	struct space_id space;
	struct table table;
	enum err rc = find_collab(ctx, args, &space, msg);

	if (rc != OK || ctx->is_json)
		return rc == OK ? output_json(stdout, grants_json(t, &space), msg) : rc;
	table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < t->grant_count; i++)
		if (space_id_cmp(&t->grants[i].space, &space) == 0)
			table_add(&table, (const char *[]){ t->grants[i].office_code,
							    _(role_name(t->grants[i].role)) });
	rc = output_table(stdout, &table, msg);
	table_release(&table);
	return rc;
}

/* ---- admit, remove --------------------------------------------------------- */

static bool has_manager(const struct trust *t, const struct space_id *space)
{
	for (size_t i = 0; i < t->grant_count; i++)
		if (space_id_cmp(&t->grants[i].space, space) == 0 &&
		    t->grants[i].role == ROLE_MANAGER)
			return true;
	return false;
}

/* An office that gives itself up as the last one may not have meant it. */
static void advise_manager(struct context *ctx, const struct space_id *space)
{
	if (!has_manager(replica_trust(ctx->replica), space))
		fprintf(stderr, "%s\n",
			_("advice: nobody manages it any more; an admin can say who does: huitong "
			  "collab admit"));
}

/* What it wrote so far goes on to count, as much of it as is held here. */
static enum err grant(struct context *ctx, const struct space_id *space, const char *code,
		      enum role role, struct errmsg *msg)
{
	struct statement s = { .type = STATEMENT_GRANT,
			       .u.grant = { .space = *space, .role = role } };
	struct cut *cuts = NULL;
	enum err rc = OK;

	memcpy(s.u.grant.office_code, code, strlen(code) + 1);
	if (role < ROLE_EDITOR)
		rc = replica_cuts_of_office(ctx->replica, code, space, &ctx->arena, &cuts,
					    &s.u.grant.cut_count, msg);
	s.u.grant.cuts = cuts;
	if (rc == OK)
		rc = stating_one(ctx, &s, NULL, 0, msg);
	if (rc == OK)
		advise_manager(ctx, space);
	return rc;
}

enum err cmd_collab_admit(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const char *text = args_option(args, "role");
	enum role role = text ? role_named(text) : ROLE_EDITOR;
	char code[OFFICE_CODE_MAX + 1];
	struct space_id space;
	enum err rc = OK;

	if (role == ROLE_COUNT || role == ROLE_NONE)
		rc = errmsg_set(msg, ERR_INVALID,
				_("--role: \"%s\" is not reader, editor or manager"), text);
	if (rc == OK)
		rc = find_collab(ctx, args, &space, msg);
	if (rc == OK)
		rc = office_code_of(ctx, args_word(args, 1), code, msg);
	if (rc == OK && trust_role(replica_trust(ctx->replica), &space, code) == role)
		rc = errmsg_set(msg, ERR_EXISTS, _("%s is its %s already"), code,
				_(role_name(role)));
	return rc == OK ? grant(ctx, &space, code, role, msg) : rc;
}

enum err cmd_collab_remove(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	char code[OFFICE_CODE_MAX + 1];
	struct space_id space;
	enum err rc = find_collab(ctx, args, &space, msg);

	if (rc == OK)
		rc = office_code_of(ctx, args_word(args, 1), code, msg);
	if (rc == OK && trust_role(replica_trust(ctx->replica), &space, code) == ROLE_NONE)
		rc = errmsg_set(msg, ERR_NOT_FOUND, _("%s has no part in it"), code);
	return rc == OK ? grant(ctx, &space, code, ROLE_NONE, msg) : rc;
}
