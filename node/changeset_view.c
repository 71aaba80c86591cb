#include "node/changeset_view.h"

#include "node/field_text.h"
#include "node/history_view.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/sys_error.h"

struct view {
	struct context *ctx;
	const struct record_id *record; /* NULL: all */
	struct errmsg *msg;
};

static const struct verb_text {
	const char *name; /* in JSON */
	const char *mark; /* in front of the value, for people */
} verbs[VERB_COUNT] = {
	[VERB_SET] = { "set", "= " },       [VERB_REPLACE] = { "set", "= " },
	[VERB_ADD] = { "add", "+ " },       [VERB_REMOVE] = { "remove", "- " },
	[VERB_VOID] = { "void", "" },       [VERB_REVIVE] = { "revive", "" },
	[VERB_SPLICE] = { "splice", "~ " }, /* the value is what was put in */
};

static bool is_told(const struct view *t, const struct op *op)
{
	return !t->record || record_id_cmp(t->record, &op->record) == 0;
}

/* ---- For people ---------------------------------------------------------- */

/* A removal names what it takes out by where it came from. */
static enum err value_of(struct view *t, const struct op *op, struct value *out)
{
	*out = op->value;
	return op->verb == VERB_REMOVE ? history_removed(t->ctx, op, out, t->msg) : OK;
}

static enum err op_text(struct view *t, const struct op *op, struct buf *out)
{
	const struct kind *kind = schema_kind(op->kind);
	const struct field *field = kind ? kind_field(kind, op->field) : NULL;
	struct value value;
	enum err rc;

	if (op->verb == VERB_VOID)
		buf_append_str(out, _("voided"));
	else if (op->verb == VERB_REVIVE)
		buf_append_str(out, _("revived"));
	else if (!field)
		buf_append_str(out, _("(something of a newer version)"));
	else
		buf_printf(out, "%s %s", field->name, verbs[op->verb].mark);
	if (!field || op->verb == VERB_VOID || op->verb == VERB_REVIVE)
		return OK;
	rc = value_of(t, op, &value);
	return rc == OK ? field_show(t->ctx, field, &value, out, t->msg) : rc;
}

/* The record's name goes in front of its first op. */
static enum err print_op(struct view *t, const struct op *op, bool is_first)
{
	struct buf label = BUF_EMPTY, text = BUF_EMPTY;
	enum err rc = op_text(t, op, &text);

	if (rc == OK && is_first)
		rc = ref_label(t->ctx, op->kind, &op->record, &label, t->msg);
	if (rc == OK && is_first)
		output_line(stdout, "  %.*s", (int)label.size, (const char *)label.data);
	if (rc == OK)
		output_line(stdout, "      %.*s", (int)text.size, (const char *)text.data);
	buf_release(&label);
	buf_release(&text);
	return rc;
}

static bool is_for_people(const struct op *op)
{
	const struct kind *kind = schema_kind(op->kind);
	const struct field *field = kind ? kind_field(kind, op->field) : NULL;

	return !field || (field->format != FORMAT_POSITION && field->format != FORMAT_BYTES);
}

enum err changeset_print(struct context *ctx, const struct record_id *record,
			 const struct history_item *item, struct errmsg *msg)
{
	struct view view = { ctx, record, msg };
	struct view *t = &view;
	const struct changeset *cs = item->changeset;
	const struct when_reader *reader;
	const struct op *before = NULL;
	struct buf author = BUF_EMPTY;
	char at[WHEN_TEXT_BYTES];
	enum err rc = context_reader(t->ctx, &reader, t->msg);

	if (rc == OK)
		rc = author_show(t->ctx, &item->author, &item->stamp.dot.replica, &author, t->msg);
	if (rc == OK) {
		when_instant(reader, hlc_wall_ms(item->stamp.hlc), at);
		output_line(stdout, "%s  %.*s", at, (int)author.size, (const char *)author.data);
	}
	buf_release(&author);
	for (size_t i = 0; i < cs->op_count && rc == OK; i++) {
		const struct op *op = &cs->ops[i];

		if (!is_told(t, op) || !is_for_people(op))
			continue;
		rc = print_op(t, op, !before || record_id_cmp(&before->record, &op->record) != 0);
		before = op;
	}
	return rc;
}

/* ---- For programs -------------------------------------------------------- */

static enum err op_json(struct view *t, const struct op *op, json_t **out)
{
	const struct kind *kind = schema_kind(op->kind);
	const struct field *field = kind ? kind_field(kind, op->field) : NULL;
	struct buf label = BUF_EMPTY;
	char id[ID_TEXT_SIZE];
	json_t *json = NULL;
	struct value value;
	enum err rc = ref_label(t->ctx, op->kind, &op->record, &label, t->msg);

	if (rc == OK)
		rc = value_of(t, op, &value);
	if (rc == OK && field)
		rc = field_json(t->ctx, field, &value, &json, t->msg);
	if (rc == OK)
		*out = json_pack("{s:s?, s:s, s:s%, s:s?, s:s, s:o?}", "type",
				 kind ? kind->name : NULL, "id", id_text(op->record.bytes, id),
				 "name", label.data, label.size, "field",
				 field ? field->name : NULL, "verb", verbs[op->verb].name, "value",
				 json);
	buf_release(&label);
	return rc;
}

static enum err ops_json(struct view *t, const struct changeset *cs, json_t *array)
{
	enum err rc = OK;

	for (size_t i = 0; i < cs->op_count && rc == OK; i++) {
		json_t *json = NULL;

		if (!is_told(t, &cs->ops[i]))
			continue;
		rc = op_json(t, &cs->ops[i], &json);
		if (rc == OK && json_array_append_new(array, json) != 0)
			rc = no_memory(t->msg);
	}
	return rc;
}

enum err changeset_json(struct context *ctx, const struct record_id *record,
			const struct space_id *space, const struct history_item *item, json_t **out,
			struct errmsg *msg)
{
	struct view view = { ctx, record, msg };
	char replica[ID_TEXT_SIZE], in[ID_TEXT_SIZE];
	json_t *author = NULL;
	json_t *changes = json_array();
	json_t *object;
	enum err rc = author_json(ctx, &item->author, &author, msg);

	if (rc == OK)
		rc = ops_json(&view, item->changeset, changes);
	object = json_pack("{s:o, s:o, s:s, s:s, s:I, s:s, s:o}", "at",
			   instant_json(hlc_wall_ms(item->stamp.hlc)), "author",
			   author ? author : json_null(), "office",
			   office_of(ctx, &item->stamp.dot.replica), "replica",
			   id_text(item->stamp.dot.replica.bytes, replica), "seq",
			   (json_int_t)item->stamp.dot.seq, "space", id_text(space->bytes, in),
			   "changes", changes);
	if (rc == OK && !object)
		rc = no_memory(msg);
	if (rc == OK)
		*out = object;
	else
		json_decref(object);
	return rc;
}
