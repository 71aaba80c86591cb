#include "node/change.h"

#include "node/control.h"
#include "node/field_text.h"
#include "node/i18n.h"
#include "node/space.h"
#include "sync/address.h"

/* The core would refuse it, too; here it can be said why. */
enum err change_check_grant(struct context *ctx, const struct space_id *space, struct errmsg *msg)
{
	const struct trust *trust = replica_trust(ctx->replica);
	const struct member *self = replica_self(ctx->replica);
	struct buf label = BUF_EMPTY;
	enum role role;
	enum err rc;

	if (!trust || !self || self->is_revoked)
		return OK;
	role = trust_role(trust, space, self->office_code);
	if (role >= ROLE_EDITOR)
		return OK;
	space_label(ctx, space, &label);
	rc = errmsg_set(msg, ERR_GRANT,
			role == ROLE_READER ? _("%s is a reader in %.*s: it records nothing there")
					    : _("%s has no part in %.*s"),
			self->office_code, (int)label.size, (const char *)label.data);
	buf_release(&label);
	return rc;
}

enum err change_begin(struct change *c, struct context *ctx, const struct space_id *space,
		      struct errmsg *msg)
{
	enum err rc;

	*c = (struct change){ .ctx = ctx };
	rc = context_author(ctx, &c->author, msg);
	if (rc == OK)
		rc = replica_begin(ctx->replica, msg);
	if (rc != OK)
		return rc;
	rc = change_check_grant(ctx, space, msg);
	if (rc == OK)
		rc = edit_open(&c->edit, ctx->replica, space, &c->author, ctx->now_ms, msg);
	if (rc != OK)
		replica_rollback(ctx->replica);
	return rc;
}

static enum err seal(struct change *c, struct errmsg *msg)
{
	struct edit *edit = c->edit;

	c->edit = NULL;
	return edit_seal(edit, msg);
}

enum err change_continue(struct change *c, const struct space_id *space, struct errmsg *msg)
{
	enum err rc = seal(c, msg);

	if (rc == OK)
		rc = edit_open(&c->edit, c->ctx->replica, space, &c->author, c->ctx->now_ms, msg);
	return rc;
}

enum err change_end(struct change *c, enum err rc, struct errmsg *msg)
{
	if (rc == OK)
		rc = seal(c, msg);
	if (rc == OK)
		rc = replica_commit(c->ctx->replica, msg);
	edit_drop(c->edit);
	c->edit = NULL;
	if (rc != OK) {
		replica_rollback(c->ctx->replica);
		return rc;
	}
	control_nudge(c->ctx->folder.path);
	return OK;
}

/* Numbers begin anew each year, by the calendar of whoever writes. */
static enum err current_year(struct context *ctx, unsigned *out, struct errmsg *msg)
{
	const struct when_reader *reader;
	int64_t local_s = (int64_t)(ctx->now_ms / 1000);
	const struct tz *tz;
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc == OK)
		rc = zone_db_get(ctx->zones, reader->zone, &tz, msg);
	if (rc != OK)
		return rc;
	local_s += tz_from_utc(tz, local_s)->offset_s;
	*out = (unsigned)civil_date_from_days(civil_days_from_s(local_s)).year;
	return OK;
}

enum err change_number(struct change *c, uint16_t kind, const struct record_id *id,
		       struct errmsg *msg)
{
	const struct field *field = kind_field_named(schema_kind(kind), "number");
	char number[NUMBER_TEXT_MAX];
	struct value value;
	unsigned year;
	enum err rc = current_year(c->ctx, &year, msg);

	if (rc == OK)
		rc = replica_number(c->ctx->replica, kind, year, number, msg);
	if (rc != OK)
		return rc;
	value = value_str(number);
	return edit_set(c->edit, kind, id, field->number, &value, msg);
}

/* Better wrong here than unreachable there. What is wrong already can be taken out. */
static enum err check_address(const struct field *field, const char *typed, struct errmsg *msg)
{
	struct address ignored;

	if (field != kind_field(schema_kind(KIND_NODE), NODE_ADDRESSES))
		return OK;
	return address_parse(&ignored, typed, msg);
}

static enum err assign(struct assignments *a, struct context *ctx, const struct field *field,
		       const char *typed, bool is_removal, struct errmsg *msg)
{
	struct assignment *one = &a->list[a->count];
	enum err rc;

	if (a->count == ARGS_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("more than %d fields"), ARGS_MAX);
	if (!*typed && !merge_is_register(field->merge))
		return errmsg_set(msg, ERR_INVALID, _("%s: nothing was given"), field->name);
	rc = is_removal ? OK : check_address(field, typed, msg);
	if (rc == OK)
		rc = field_parse(ctx, field, typed, &one->value, msg);
	if (rc != OK)
		return rc;
	one->field = field;
	one->is_removal = is_removal;
	one->seen = NULL;
	a->count++;
	return OK;
}

enum err assignments_add(struct assignments *a, struct context *ctx, const struct field *field,
			 const char *typed, struct errmsg *msg)
{
	return assign(a, ctx, field, typed, false, msg);
}

enum err assignments_parse(struct assignments *out, struct context *ctx, const struct args *args,
			   struct errmsg *msg)
{
	enum err rc = OK;

	out->count = 0;
	for (size_t i = 0; i < args->option_count && rc == OK; i++) {
		const struct arg_option *given = &args->options[i];

		if (given->field)
			rc = assign(out, ctx, given->field, given->value, given->is_removal, msg);
	}
	return rc;
}

static enum err write_one(struct change *c, uint16_t kind, const struct record_id *id,
			  const struct assignment *a, struct errmsg *msg)
{
	const struct field *field = a->field;

	if (field->merge == MERGE_STATE)
		return edit_step(c->edit, kind, id, field->number, state_to(&a->value), msg);
	if (a->seen)
		return edit_text(c->edit, kind, id, field->number, a->seen, a->value.bytes, msg);
	if (merge_is_register(field->merge))
		return edit_set(c->edit, kind, id, field->number, &a->value, msg);
	if (a->is_removal)
		return edit_remove(c->edit, kind, id, field->number, &a->value, msg);
	return edit_add(c->edit, kind, id, field->number, &a->value, msg);
}

enum err change_assign(struct change *c, uint16_t kind, const struct record_id *id,
		       const struct assignments *a, struct errmsg *msg)
{
	enum err rc = OK;

	for (size_t i = 0; i < a->count && rc == OK; i++)
		rc = write_one(c, kind, id, &a->list[i], msg);
	return rc;
}
