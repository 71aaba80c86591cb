/* What all kinds of records have: new, show, edit, step, void, revive. */
#include "node/change.h"
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/lint.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/space.h"

/* The record that the first word names, and where it lives. */
struct subject {
	struct ref ref;
	struct space_id space;
	struct record record;
};

static enum err find_subject(struct subject *out, struct context *ctx, const struct args *args,
			     struct errmsg *msg)
{
	enum err rc = ref_find(ctx, args->command->kind, args_word(args, 0), &out->ref, msg);

	if (rc == OK)
		rc = record_load(ctx, out->ref.kind, &out->ref.id, &out->record, &out->space, msg);
	return rc;
}

static enum err finish(struct change *c, const struct subject *s, enum err rc, struct errmsg *msg)
{
	rc = change_end(c, rc, msg);
	if (rc == OK)
		rc = record_echo(c->ctx, s->ref.kind, &s->ref.id, msg);
	return rc;
}

/* Somebody new works where they are entered, unless another office is named. */
static enum err default_office(struct change *c, const struct args *args,
			       const struct record_id *id, struct errmsg *msg)
{
	const struct member *self = replica_self(c->ctx->replica);
	struct value office;

	if (args->command->kind != KIND_PERSON || args_has(args, "office") || !self)
		return OK;
	office = value_ref(&self->office);
	return edit_set(c->edit, KIND_PERSON, id, PERSON_OFFICE, &office, msg);
}

static enum err create(struct context *ctx, const struct args *args, const struct kind *kind,
		       const struct space_id *space, const struct assignments *fields,
		       struct errmsg *msg)
{
	struct subject s = { .ref.kind = kind->number };
	struct change c;
	enum err rc = change_begin(&c, ctx, space, msg);

	if (rc != OK)
		return rc;
	s.ref.id = edit_create(c.edit);
	if (kind->prefix)
		rc = change_number(&c, kind->number, &s.ref.id, msg);
	if (rc == OK)
		rc = default_office(&c, args, &s.ref.id, msg);
	if (rc == OK)
		rc = change_assign(&c, kind->number, &s.ref.id, fields, msg);
	rc = finish(&c, &s, rc, msg);
	if (rc == OK && kind->number == KIND_ACTION)
		rc = lint_action(ctx, &s.ref.id, msg);
	return rc;
}

/* The first word is the title or name; the rest are options. */
enum err cmd_record_new(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct kind *kind = schema_kind(args->command->kind);
	const struct field *title = kind_field(kind, args->command->field);
	struct space_id space = replica_directory(ctx->replica);
	struct assignments fields;
	enum err rc = OK;

	if (!kind->directory)
		rc = space_chosen(ctx, args, &space, msg);
	if (rc == OK)
		rc = assignments_parse(&fields, ctx, args, msg);
	if (rc == OK)
		rc = assignments_add(&fields, ctx, title, args_word(args, 0), msg);
	return rc == OK ? create(ctx, args, kind, &space, &fields, msg) : rc;
}

enum err cmd_record_show(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	json_t *json = NULL;
	struct ref ref;
	enum err rc = ref_find(ctx, args->command->kind, args_word(args, 0), &ref, msg);

	if (rc != OK)
		return rc;
	if (!ctx->is_json)
		return record_print(ctx, ref.kind, &ref.id, msg);
	rc = record_json(ctx, ref.kind, &ref.id, &json, msg);
	return rc == OK ? output_json(stdout, json, msg) : rc;
}

static enum err write_fields(struct context *ctx, const struct args *args, struct subject *s,
			     const struct assignments *fields, struct errmsg *msg)
{
	struct change c;
	enum err rc = record_refuse_void(&s->record, args_word(args, 0), msg);

	if (rc == OK)
		rc = change_begin(&c, ctx, &s->space, msg);
	if (rc != OK)
		return rc;
	rc = change_assign(&c, s->ref.kind, &s->ref.id, fields, msg);
	return finish(&c, s, rc, msg);
}

enum err cmd_record_edit(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct assignments fields;
	struct subject s;
	enum err rc = find_subject(&s, ctx, args, msg);

	if (rc == OK)
		rc = assignments_parse(&fields, ctx, args, msg);
	return rc == OK ? write_fields(ctx, args, &s, &fields, msg) : rc;
}

/* The command's one field, from the second word. */
enum err cmd_record_put(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct field *field =
		kind_field(schema_kind(args->command->kind), args->command->field);
	struct assignments fields = { .count = 0 };
	struct subject s;
	enum err rc = find_subject(&s, ctx, args, msg);

	if (rc == OK)
		rc = assignments_add(&fields, ctx, field, args_word(args, 1), msg);
	return rc == OK ? write_fields(ctx, args, &s, &fields, msg) : rc;
}

/* Say what is possible where the step that was asked for is not. */
static enum err check_step(const struct subject *s, const struct args *args, struct errmsg *msg)
{
	const struct field *field = kind_field(s->record.kind, args->command->field);
	const struct machine *machine = field->machine;
	unsigned from = record_state(&s->record, field);
	char next[128] = "";
	size_t used = 0;

	if (machine_is_legal(machine, from, args->command->to))
		return OK;
	for (unsigned to = 0; machine->states[to] && used < sizeof(next); to++)
		if (machine_is_legal(machine, from, to))
			used += (size_t)snprintf(next + used, sizeof(next) - used, "%s%s",
						 used ? ", " : "", _(machine->states[to]));
	return errmsg_set(msg, ERR_INVALID, _("%s is %s; from there it can become: %s"),
			  args_word(args, 0), _(machine->states[from]), next);
}

enum err cmd_record_step(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct change c;
	struct subject s;
	enum err rc = find_subject(&s, ctx, args, msg);

	if (rc == OK)
		rc = record_refuse_void(&s.record, args_word(args, 0), msg);
	if (rc == OK)
		rc = check_step(&s, args, msg);
	if (rc == OK)
		rc = change_begin(&c, ctx, &s.space, msg);
	if (rc != OK)
		return rc;
	rc = edit_step(c.edit, s.ref.kind, &s.ref.id, args->command->field, args->command->to, msg);
	return finish(&c, &s, rc, msg);
}

enum err cmd_record_void(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct change c;
	struct subject s;
	enum err rc = find_subject(&s, ctx, args, msg);

	if (rc == OK && record_life(&s.record) == RECORD_VOID)
		rc = errmsg_set(msg, ERR_INVALID, _("%s is voided already"), args_word(args, 0));
	if (rc == OK)
		rc = change_begin(&c, ctx, &s.space, msg);
	if (rc != OK)
		return rc;
	rc = edit_void(c.edit, s.ref.kind, &s.ref.id, msg);
	return finish(&c, &s, rc, msg);
}

enum err cmd_record_revive(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct change c;
	struct subject s;
	enum err rc = find_subject(&s, ctx, args, msg);

	if (rc == OK && record_life(&s.record) == RECORD_LIVE)
		rc = errmsg_set(msg, ERR_INVALID, _("%s is not voided"), args_word(args, 0));
	if (rc == OK)
		rc = change_begin(&c, ctx, &s.space, msg);
	if (rc != OK)
		return rc;
	rc = edit_revive(c.edit, s.ref.kind, &s.ref.id, msg);
	return finish(&c, &s, rc, msg);
}
