/* Writing minutes: a document of blocks, one for each meeting. */
#include "core/position.h"
#include "node/change.h"
#include "node/cmd.h"
#include "node/editor.h"
#include "node/field_text.h"
#include "node/i18n.h"
#include "node/lint.h"
#include "node/minutes.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/sys_error.h"

static const struct field *text_field(void)
{
	return kind_field(schema_kind(KIND_BLOCK), BLOCK_TEXT);
}

/* ---- add ----------------------------------------------------------------- */

static enum err query_position(struct context *ctx, const char *sql, const struct value *args,
			       size_t count, struct buf *out, struct errmsg *msg)
{
	struct rows *rows;
	struct bytes position;
	enum err rc = rows_open(&rows, ctx->replica, sql, args, count, msg);

	if (rc != OK)
		return rc;
	if (rows_next(rows)) {
		position = rows_bytes(rows, 0);
		buf_append(out, position.data, position.size);
	}
	return rows_close(rows, msg);
}

/* The places that the new one goes between; empty: the end on that side. */
static enum err neighbours(struct context *ctx, const struct minutes *m, const char *after,
			   struct buf *low, struct buf *high, struct errmsg *msg)
{
	static const char last[] = "SELECT position FROM r_block WHERE minutes = ? AND life <> 1 "
				   "ORDER BY position DESC, id DESC LIMIT 1";
	static const char own[] = "SELECT position FROM r_block WHERE id = ?";
	static const char next[] = "SELECT position FROM r_block WHERE minutes = ?1 AND life <> 1 "
				   "AND position > (SELECT position FROM r_block WHERE id = ?2) "
				   "ORDER BY position LIMIT 1";
	struct value args[2] = { value_ref(&m->id) };
	struct record_id block;
	enum err rc;

	if (!after)
		return query_position(ctx, last, args, 1, low, msg);
	rc = ref_find_id(ctx, KIND_BLOCK, after, &block, msg);
	args[1] = value_ref(&block);
	if (rc == OK)
		rc = query_position(ctx, own, &args[1], 1, low, msg);
	if (rc == OK)
		rc = query_position(ctx, next, args, 2, high, msg);
	return rc;
}

static enum err place_block(struct change *c, const struct minutes *m, const struct record_id *id,
			    const char *after, struct errmsg *msg)
{
	struct buf low = BUF_EMPTY, high = BUF_EMPTY, position = BUF_EMPTY;
	struct dice dice = system_dice();
	struct value value;
	enum err rc = neighbours(c->ctx, m, after, &low, &high, msg);

	if (rc == OK)
		rc = position_between(&position, buf_bytes(&low), buf_bytes(&high), &dice);
	if (rc == OK)
		rc = buf_check(&position);
	value = value_bytes(buf_bytes(&position));
	if (rc == OK)
		rc = edit_set(c->edit, KIND_BLOCK, id, BLOCK_POSITION, &value, msg);
	buf_release(&low);
	buf_release(&high);
	buf_release(&position);
	return rc;
}

static enum err begin_minutes(struct change *c, const struct minutes *m, struct errmsg *msg)
{
	struct value meeting = value_ref(&m->meeting);
	enum err rc;

	if (m->exists)
		return OK;
	rc = edit_set(c->edit, KIND_MINUTES, &m->id, MINUTES_MEETING, &meeting, msg);
	return rc == OK ? change_number(c, KIND_MINUTES, &m->id, msg) : rc;
}

static enum err write_block(struct change *c, const struct minutes *m, const struct args *args,
			    const struct assignments *fields, struct record_id *id,
			    struct errmsg *msg)
{
	struct value minutes = value_ref(&m->id);
	enum err rc = begin_minutes(c, m, msg);

	*id = edit_create(c->edit);
	if (rc == OK)
		rc = edit_set(c->edit, KIND_BLOCK, id, BLOCK_MINUTES, &minutes, msg);
	if (rc == OK)
		rc = place_block(c, m, id, args_option(args, "after"), msg);
	if (rc == OK)
		rc = change_assign(c, KIND_BLOCK, id, fields, msg);
	return rc;
}

static enum err add_block(struct context *ctx, const struct args *args, const struct minutes *m,
			  const struct assignments *fields, struct errmsg *msg)
{
	struct record_id id;
	struct change c;
	enum err rc = change_begin(&c, ctx, &m->space, msg);

	if (rc != OK)
		return rc;
	rc = write_block(&c, m, args, fields, &id, msg);
	rc = change_end(&c, rc, msg);
	return rc == OK ? record_echo(ctx, KIND_BLOCK, &id, msg) : rc;
}

static enum err typed_text(struct context *ctx, const char *typed, struct value *out,
			   struct errmsg *msg)
{
	enum err rc = field_parse(ctx, text_field(), typed, out, msg);

	if (rc == OK && out->type == VALUE_NIL)
		rc = errmsg_set(msg, ERR_INVALID, _("the text is empty"));
	return rc;
}

static enum err edited_text(struct context *ctx, struct editor *editor, struct bytes before,
			    struct value *out, struct errmsg *msg)
{
	struct buf after = BUF_EMPTY;
	enum err rc = editor_run(editor, before, &after, msg);

	if (rc == OK)
		*out = value_text(arena_copy(&ctx->arena, buf_bytes(&after)));
	if (rc == OK && !out->bytes.data)
		rc = no_memory(msg);
	buf_release(&after);
	if (rc != OK)
		return rc;
	if (out->bytes.size && !bytes_equal(out->bytes, before))
		return field_validate(text_field(), out, msg);
	editor_end(editor, OK, msg); /* nothing to keep */
	return errmsg_set(msg, ERR_INVALID, _("nothing was changed"));
}

/* The block's text: what was typed, stdin for "-", or from the editor for NULL. */
static enum err add_text(struct assignments *fields, struct context *ctx, struct editor *editor,
			 const char *typed, struct bytes before, struct errmsg *msg)
{
	struct assignment *one = &fields->list[fields->count];
	enum err rc;

	if (fields->count == ARGS_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("more than %d fields"), ARGS_MAX);
	*one = (struct assignment){ .field = text_field() };
	rc = typed ? typed_text(ctx, typed, &one->value, msg)
		   : edited_text(ctx, editor, before, &one->value, msg);
	if (rc == OK) {
		fields->count++;
		lint_minutes(one->value.bytes);
	}
	return rc;
}

/* A block that nobody named a kind for is a note. */
static enum err add_kind(struct assignments *fields, struct context *ctx, const struct args *args,
			 struct errmsg *msg)
{
	const struct field *kind = kind_field(schema_kind(KIND_BLOCK), BLOCK_KIND);

	if (args_has(args, "kind"))
		return OK;
	return assignments_add(fields, ctx, kind, kind->choices[0], msg);
}

enum err cmd_minutes_add(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct editor editor = { .path = "" };
	struct assignments fields;
	struct minutes m;
	enum err rc = minutes_find(&m, ctx, args_word(args, 0), msg);

	if (rc == OK)
		rc = assignments_parse(&fields, ctx, args, msg);
	if (rc == OK)
		rc = add_kind(&fields, ctx, args, msg);
	if (rc == OK)
		rc = add_text(&fields, ctx, &editor, args_word(args, 1), bytes_of(NULL, 0), msg);
	if (rc == OK)
		rc = add_block(ctx, args, &m, &fields, msg);
	return editor_end(&editor, rc, msg);
}

/* ---- edit ---------------------------------------------------------------- */

/* The block's text as it is now, in the context's arena. */
static enum err read_version(struct context *ctx, const struct record *block,
			     struct text_version *out, struct errmsg *msg)
{
	const struct entry *heads = record_values(block, BLOCK_TEXT, &out->head_count);
	struct dot *dots = arena_array(&ctx->arena, out->head_count, sizeof(*dots));

	if (!dots)
		return no_memory(msg);
	for (size_t i = 0; i < out->head_count; i++)
		dots[i] = heads[i].stamp.dot;
	out->heads = dots;
	out->text = out->head_count ? heads[0].value.bytes : bytes_of("", 0);
	return OK;
}

static enum err change_block(struct context *ctx, const struct record_id *block,
			     const struct space_id *space, const struct assignments *fields,
			     struct errmsg *msg)
{
	struct change c;
	enum err rc = change_begin(&c, ctx, space, msg);

	if (rc != OK)
		return rc;
	rc = change_end(&c, change_assign(&c, KIND_BLOCK, block, fields, msg), msg);
	return rc == OK ? record_echo(ctx, KIND_BLOCK, block, msg) : rc;
}

/* What others wrote while the editor was open is kept beside it. */
static enum err change_text(struct context *ctx, const struct record_id *block,
			    const struct space_id *space, const struct text_version *seen,
			    struct bytes text, struct errmsg *msg)
{
	struct change c;
	enum err rc = change_begin(&c, ctx, space, msg);

	if (rc != OK)
		return rc;
	rc = edit_text(c.edit, KIND_BLOCK, block, BLOCK_TEXT, seen, text, msg);
	rc = change_end(&c, rc, msg);
	return rc == OK ? record_echo(ctx, KIND_BLOCK, block, msg) : rc;
}

static enum err edit_in_editor(struct context *ctx, const struct record_id *block,
			       const struct space_id *space, const struct text_version *seen,
			       struct errmsg *msg)
{
	struct editor editor = { .path = "" };
	struct value text;
	enum err rc = edited_text(ctx, &editor, seen->text, &text, msg);

	if (rc == OK) {
		lint_minutes(text.bytes);
		rc = change_text(ctx, block, space, seen, text.bytes, msg);
	}
	return editor_end(&editor, rc, msg);
}

enum err cmd_minutes_edit(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct assignments fields;
	struct text_version seen;
	struct record_id id;
	struct space_id space;
	struct record block;
	enum err rc = ref_find_id(ctx, KIND_BLOCK, args_word(args, 0), &id, msg);

	if (rc == OK)
		rc = record_load(ctx, KIND_BLOCK, &id, &block, &space, msg);
	if (rc == OK)
		rc = assignments_parse(&fields, ctx, args, msg);
	if (rc == OK && fields.count)
		return change_block(ctx, &id, &space, &fields, msg);
	if (rc == OK)
		rc = read_version(ctx, &block, &seen, msg);
	return rc == OK ? edit_in_editor(ctx, &id, &space, &seen, msg) : rc;
}
