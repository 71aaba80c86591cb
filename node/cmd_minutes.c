/* Writing minutes: a document of blocks, one for each meeting. */
#include "core/position.h"
#include "node/change.h"
#include "node/cmd.h"
#include "node/field_text.h"
#include "node/i18n.h"
#include "node/lint.h"
#include "node/minutes.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/writing.h"

static const struct field *text_field(void)
{
	return kind_field(schema_kind(KIND_BLOCK), BLOCK_TEXT);
}

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

	if (rc == OK && out->bytes.size == 0)
		rc = errmsg_set(msg, ERR_INVALID, _("the text is empty"));
	return rc;
}

static enum err check_meeting(struct context *ctx, const struct minutes *m, const char *name,
			      struct errmsg *msg)
{
	struct record meeting;
	enum err rc = record_load(ctx, KIND_MEETING, &m->meeting, &meeting, NULL, msg);

	if (rc == OK)
		rc = record_refuse_void(&meeting, name, msg);
	if (rc == OK)
		rc = minutes_check_open(ctx, &m->id, msg);
	return rc == OK ? change_check_grant(ctx, &m->space, msg) : rc;
}

/* In the editor. Somebody else may have begun the minutes meanwhile, or voided the meeting. */
static enum err written_text(struct context *ctx, const struct args *args,
			     const struct text_subject *subject, struct writing *w,
			     struct minutes *m, struct value *out, struct errmsg *msg)
{
	const struct text_version nothing = { bytes_of("", 0), NULL, 0 };
	char meeting[ID_TEXT_SIZE];
	struct bytes text;
	enum err rc = writing_run(w, subject, "new", args, &nothing, &text, msg);

	if (rc == OK && text.size == 0)
		rc = errmsg_set(msg, ERR_INVALID, _("the text is empty"));
	if (rc == OK)
		rc = minutes_find(m, ctx, id_text(m->meeting.bytes, meeting), msg);
	if (rc == OK)
		rc = check_meeting(ctx, m, subject->name, msg);
	if (rc == OK)
		*out = value_text(text);
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

static enum err add_written(struct context *ctx, const struct args *args, struct minutes *m,
			    struct assignments *fields, struct errmsg *msg)
{
	const struct text_subject subject = { .ctx = ctx,
					      .ref = { KIND_MINUTES, m->id },
					      .field = text_field(),
					      .name = args_word(args, 0) };
	struct assignment *text = &fields->list[fields->count];
	const char *typed = args_word(args, 1);
	struct writing w = WRITING_NONE;
	enum err rc;

	if (fields->count == ARGS_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("more than %d fields"), ARGS_MAX);
	*text = (struct assignment){ .field = text_field() };
	fields->count++;
	rc = typed ? typed_text(ctx, typed, &text->value, msg)
		   : written_text(ctx, args, &subject, &w, m, &text->value, msg);
	if (rc == OK) {
		lint_minutes(text->value.bytes);
		rc = add_block(ctx, args, m, fields, msg);
	}
	return writing_end(&w, rc);
}

enum err cmd_minutes_add(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct assignments fields;
	struct minutes m;
	enum err rc = minutes_find(&m, ctx, args_word(args, 0), msg);

	if (rc == OK)
		rc = check_meeting(ctx, &m, args_word(args, 0), msg);
	if (rc == OK)
		rc = assignments_parse(&fields, ctx, args, msg);
	if (rc == OK)
		rc = add_kind(&fields, ctx, args, msg);
	return rc == OK ? add_written(ctx, args, &m, &fields, msg) : rc;
}
