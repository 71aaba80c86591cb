#include "node/change.h"
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/record_view.h"
#include "node/ref.h"

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

	if (rc == OK && !*args_word(args, 0))
		rc = errmsg_set(msg, ERR_INVALID, _("the title is empty"));
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
