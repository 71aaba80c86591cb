#include "node/change.h"
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/space.h"

static enum err add_office(struct change *c, const struct record_id *space, struct value office,
			   struct errmsg *msg)
{
	return edit_add(c->edit, KIND_SPACE, space, SPACE_OFFICES, &office, msg);
}

/* "SHA,FRA"; this office is always in it, or it could not write there. */
static enum err add_named(struct change *c, const struct record_id *space, const char *codes,
			  struct errmsg *msg)
{
	const struct member *self = replica_self(c->ctx->replica);
	enum err rc = self ? add_office(c, space, value_ref(&self->office), msg) : OK;

	while (*codes && rc == OK) {
		size_t size = strcspn(codes, ", ");
		struct record_id office;
		char code[64];

		snprintf(code, sizeof(code), "%.*s", (int)size, codes);
		codes += size;
		codes += strspn(codes, ", ");
		rc = ref_find_id(c->ctx, KIND_OFFICE, code, &office, msg);
		if (rc == OK && !(self && record_id_cmp(&office, &self->office) == 0))
			rc = add_office(c, space, value_ref(&office), msg);
	}
	return rc;
}

static enum err add_all(struct change *c, const struct record_id *space, struct errmsg *msg)
{
	struct rows *rows;
	enum err closed;
	enum err rc = rows_open(&rows, c->ctx->replica, "SELECT id FROM r_office WHERE life <> 1",
				NULL, 0, msg);

	if (rc != OK)
		return rc;
	while (rc == OK && rows_next(rows)) {
		struct record_id office = rows_id(rows, 0);

		rc = add_office(c, space, value_ref(&office), msg);
	}
	closed = rows_close(rows, rc == OK ? msg : NULL);
	return rc == OK ? closed : rc;
}

/* The directory's record of the new space: its id and who takes part. */
static enum err grant(struct change *c, const struct args *args, const struct space_id *space,
		      struct errmsg *msg)
{
	struct record_id record = edit_create(c->edit);
	struct value name = value_str(args_word(args, 0));
	struct value id = value_bytes(bytes_of(space->bytes, ID_BYTES));
	const char *codes = args_option(args, "offices");
	enum err rc = edit_set(c->edit, KIND_SPACE, &record, SPACE_NAME, &name, msg);

	if (rc == OK)
		rc = edit_set(c->edit, KIND_SPACE, &record, SPACE_ID, &id, msg);
	if (rc == OK && codes)
		rc = add_named(c, &record, codes, msg);
	else if (rc == OK)
		rc = add_all(c, &record, msg);
	return rc;
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

enum err cmd_collab_new(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct field *title =
		kind_field(schema_kind(KIND_COLLABORATION), COLLABORATION_TITLE);
	struct space_id directory = replica_directory(ctx->replica);
	struct dice dice = system_dice();
	struct space_id space = space_id_new(&dice);
	struct assignments fields;
	struct record_id id;
	struct change c;
	enum err rc = assignments_parse(&fields, ctx, args, msg);

	if (rc == OK)
		rc = assignments_add(&fields, ctx, title, args_word(args, 0), msg);
	if (rc == OK)
		rc = change_begin(&c, ctx, &directory, msg);
	if (rc != OK)
		return rc;
	rc = grant(&c, args, &space, msg);
	if (rc == OK)
		rc = change_continue(&c, &space, msg);
	if (rc == OK)
		rc = describe(&c, &fields, &id, msg);
	rc = change_end(&c, rc, msg);
	return rc == OK ? record_echo(ctx, KIND_COLLABORATION, &id, msg) : rc;
}

/* The directory's record of a collaboration's space. */
static enum err find_grant(struct context *ctx, const struct space_id *space, struct record_id *out,
			   struct errmsg *msg)
{
	struct value arg = value_bytes(bytes_of(space->bytes, ID_BYTES));
	struct rows *rows;
	enum err rc = rows_open(&rows, ctx->replica,
				"SELECT id FROM r_space WHERE space_id = ? ORDER BY id LIMIT 1",
				&arg, 1, msg);

	*out = (struct record_id){ 0 };
	if (rc != OK)
		return rc;
	if (rows_next(rows))
		*out = rows_id(rows, 0);
	rc = rows_close(rows, msg);
	if (rc == OK && record_id_is_nil(out))
		rc = errmsg_set(msg, ERR_NOT_FOUND, _("the directory does not have its space yet"));
	return rc;
}

static enum err check_absent(struct context *ctx, const struct record_id *grant,
			     const struct record_id *office, struct errmsg *msg)
{
	struct element *offices;
	size_t count;
	enum err rc = replica_elements(ctx->replica, KIND_SPACE, grant, SPACE_OFFICES, &ctx->arena,
				       &offices, &count, msg);

	for (size_t i = 0; rc == OK && i < count; i++)
		if (record_id_cmp(&offices[i].value.ref, office) == 0)
			rc = errmsg_set(msg, ERR_EXISTS, _("that office takes part already"));
	return rc;
}

enum err cmd_collab_admit(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct space_id directory = replica_directory(ctx->replica), space;
	struct record_id id, office, grant;
	struct change c;
	enum err rc = ref_find_id(ctx, KIND_COLLABORATION, args_word(args, 0), &id, msg);

	if (rc == OK)
		rc = ref_find_id(ctx, KIND_OFFICE, args_word(args, 1), &office, msg);
	if (rc == OK)
		rc = space_of(ctx, KIND_COLLABORATION, &id, &space, msg);
	if (rc == OK)
		rc = find_grant(ctx, &space, &grant, msg);
	if (rc == OK)
		rc = check_absent(ctx, &grant, &office, msg);
	if (rc == OK)
		rc = change_begin(&c, ctx, &directory, msg);
	if (rc != OK)
		return rc;
	rc = change_end(&c, add_office(&c, &grant, value_ref(&office), msg), msg);
	return rc == OK ? record_echo(ctx, KIND_COLLABORATION, &id, msg) : rc;
}
