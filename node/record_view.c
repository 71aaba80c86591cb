#include "node/record_view.h"

#include "node/field_text.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/overdue.h"
#include "node/ref.h"
#include "node/space.h"
#include "node/width.h"

enum { NAME_COLUMNS = 14 };

enum err record_load(struct context *ctx, uint16_t kind, const struct record_id *id,
		     struct record *out, struct space_id *space, struct errmsg *msg)
{
	return replica_record(ctx->replica, kind, id, &ctx->arena, out, space, msg);
}

const char *record_field_name(const struct kind *kind, uint8_t number)
{
	const struct field *field = kind_field(kind, number);

	return field ? field->name : "life";
}

size_t record_conflicts(const struct record *rec, uint8_t *fields, size_t max)
{
	size_t count = 0;

	if (record_life(rec) == RECORD_REVIVED && count < max)
		fields[count++] = RECORD_LIFE_FIELD;
	for (size_t i = 0; i < rec->kind->field_count && count < max; i++)
		if (record_has_conflict(rec, &rec->kind->fields[i]))
			fields[count++] = rec->kind->fields[i].number;
	return count;
}

const char *record_life_name(enum record_life life)
{
	static const char *const names[] = {
		[RECORD_LIVE] = "live",
		[RECORD_VOID] = "void",
		[RECORD_REVIVED] = "revived",
	};

	return names[life];
}

enum err record_refuse_void(const struct record *rec, const char *name, struct errmsg *msg)
{
	if (record_life(rec) != RECORD_VOID)
		return OK;
	return errmsg_set(msg, ERR_INVALID, _("%s is voided: revive it first"), name);
}

/* The text's lines, all but the first under the first. */
static void print_field(const char *name, const struct buf *text)
{
	const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;

	if (end) {
		output_line(stdout, "  %s", name);
		output_lines(stdout, 2 + NAME_COLUMNS, buf_bytes(text));
	} else {
		output_line(stdout, "  %-*s%.*s", width_for_printf(name, NAME_COLUMNS), name,
			    (int)text->size, (const char *)text->data);
	}
}

/* The initial state where no step was made. */
static struct value shown_value(const struct record *rec, const struct field *field)
{
	const struct entry *shown = record_shown(rec, field->number);

	if (field->merge == MERGE_STATE)
		return state_step(0, record_state(rec, field));
	return shown ? shown->value : value_nil();
}

static enum err show_register(struct context *ctx, const struct record *rec,
			      const struct field *field, struct buf *out, struct errmsg *msg)
{
	struct value value = shown_value(rec, field);
	size_t count;

	if (record_has_conflict(rec, field) && field->merge == MERGE_TEXT) {
		buf_append_str(out, _("! to be reread: "));
	} else if (record_has_conflict(rec, field)) {
		record_values(rec, field->number, &count);
		buf_printf(out, _("! one of %zu: "), count);
	}
	return field_show(ctx, field, &value, out, msg);
}

static enum err show_element(struct context *ctx, const struct field *field,
			     const struct element *e, struct buf *out, struct errmsg *msg)
{
	const struct when_reader *reader;
	char at[WHEN_TEXT_BYTES];
	enum err rc;

	if (field->merge == MERGE_SET) {
		if (out->size)
			buf_append_str(out, ", ");
		return field_show(ctx, field, &e->value, out, msg);
	}
	rc = context_reader(ctx, &reader, msg);
	if (rc != OK)
		return rc;
	when_instant(reader, hlc_wall_ms(e->stamp.hlc), at);
	buf_printf(out, "%s%s  ", out->size ? "\n" : "", at);
	if (!record_id_is_nil(&e->author))
		rc = ref_label(ctx, KIND_PERSON, &e->author, out, msg);
	buf_append_str(out, ": ");
	return rc == OK ? field_show(ctx, field, &e->value, out, msg) : rc;
}

static enum err show_elements(struct context *ctx, const struct record *rec,
			      const struct field *field, struct buf *out, struct errmsg *msg)
{
	struct element *elements;
	size_t count;
	enum err rc = replica_elements(ctx->replica, rec->kind->number, &rec->id, field->number,
				       &ctx->arena, &elements, &count, msg);

	for (size_t i = 0; rc == OK && i < count; i++)
		rc = show_element(ctx, field, &elements[i], out, msg);
	return rc;
}

static enum err print_late(struct context *ctx, const struct record *rec, struct buf *text,
			   struct errmsg *msg)
{
	const struct entry *due = record_shown(rec, ACTION_DUE);
	struct value state = state_step(0, record_state(rec, kind_field(rec->kind, ACTION_STATE)));
	const struct when_reader *reader;
	char words[WHEN_TEXT_BYTES];
	struct due late;
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc == OK && due && overdue_of(reader, &due->value, &state, &late)) {
		due_format(&late, reader, words);
		buf_printf(text, "  %s", words);
	}
	return rc;
}

static enum err print_fields(struct context *ctx, const struct record *rec, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	enum err rc = OK;

	for (size_t i = 0; i < rec->kind->field_count && rc == OK; i++) {
		const struct field *field = &rec->kind->fields[i];

		buf_clear(&text);
		if (merge_is_register(field->merge))
			rc = show_register(ctx, rec, field, &text, msg);
		else
			rc = show_elements(ctx, rec, field, &text, msg);
		if (rc == OK && rec->kind->number == KIND_ACTION && field->number == ACTION_DUE)
			rc = print_late(ctx, rec, &text, msg);
		if (rc == OK && text.size && field->format != FORMAT_POSITION)
			print_field(field->name, &text);
	}
	buf_release(&text);
	return rc;
}

static void print_head(const struct record *rec, const struct buf *label)
{
	enum record_life life = record_life(rec);
	char id[ID_TEXT_SIZE];

	output_line(stdout, "%.*s%s%s", (int)label->size, (const char *)label->data,
		    life == RECORD_VOID ? "  " : "", life == RECORD_VOID ? _("[voided]") : "");
	output_line(stdout, "  %-*s%s", NAME_COLUMNS, "id", id_text(rec->id.bytes, id));
}

static enum err print_offices(struct context *ctx, const struct space_id *space, struct errmsg *msg)
{
	struct buf offices = BUF_EMPTY;
	enum err rc = space_offices(ctx, space->bytes, &offices, msg);

	if (rc == OK && offices.size)
		print_field(_("offices"), &offices);
	buf_release(&offices);
	return rc;
}

enum err record_print(struct context *ctx, uint16_t kind, const struct record_id *id,
		      struct errmsg *msg)
{
	struct buf label = BUF_EMPTY;
	struct space_id space;
	struct record rec;
	uint8_t conflict;
	enum err rc = record_load(ctx, kind, id, &rec, &space, msg);

	if (rc == OK)
		rc = ref_label(ctx, kind, id, &label, msg);
	if (rc == OK) {
		print_head(&rec, &label);
		rc = print_fields(ctx, &rec, msg);
	}
	if (rc == OK && kind == KIND_COLLABORATION)
		rc = print_offices(ctx, &space, msg);
	if (rc == OK && record_conflicts(&rec, &conflict, 1))
		output_line(stdout, _("! in conflict: huitong conflicts show %.*s"),
			    (int)label.size, (const char *)label.data);
	buf_release(&label);
	return rc;
}

/* What an echo tells of each kind beside its label, in this order. */
static const struct {
	uint16_t kind;
	uint8_t field;
	const char *before; /* N_() */
} echoed[] = {
	{ KIND_OFFICE, OFFICE_NAME, "" },
	{ KIND_OFFICE, OFFICE_ZONE, "" },
	{ KIND_NODE, NODE_OFFICE, "" },
	{ KIND_NODE, NODE_NAME, "" },
	{ KIND_PERSON, PERSON_OFFICE, "" },
	{ KIND_COLLABORATION, COLLABORATION_TITLE, "" },
	{ KIND_COLLABORATION, COLLABORATION_PHASE, "" },
	{ KIND_MEETING, MEETING_TITLE, "" },
	{ KIND_MEETING, MEETING_START, "" },
	{ KIND_BLOCK, BLOCK_KIND, "" },
	{ KIND_ACTION, ACTION_TITLE, "" },
	{ KIND_ACTION, ACTION_STATE, "" },
	{ KIND_ACTION, ACTION_OWNER, "" },
	{ KIND_ACTION, ACTION_DUE, N_("due ") },
};

static enum err echo_field(struct context *ctx, const struct record *rec, size_t i,
			   struct buf *line, struct errmsg *msg)
{
	const struct field *field = kind_field(rec->kind, echoed[i].field);
	struct value value = shown_value(rec, field);

	if (value.type == VALUE_NIL)
		return OK;
	buf_printf(line, "  %s", *echoed[i].before ? _(echoed[i].before) : "");
	return field_show(ctx, field, &value, line, msg);
}

static enum err print_line(struct context *ctx, uint16_t kind, const struct record_id *id,
			   struct errmsg *msg)
{
	struct buf line = BUF_EMPTY;
	struct record rec;
	enum err rc = record_load(ctx, kind, id, &rec, NULL, msg);

	if (rc == OK)
		rc = ref_label(ctx, kind, id, &line, msg);
	for (size_t i = 0; i < sizeof(echoed) / sizeof(echoed[0]) && rc == OK; i++)
		if (echoed[i].kind == kind)
			rc = echo_field(ctx, &rec, i, &line, msg);
	if (rc == OK && record_life(&rec) == RECORD_VOID)
		buf_printf(&line, "  %s", _("[voided]"));
	if (rc == OK)
		output_line(stdout, "%.*s", (int)line.size, (const char *)line.data);
	buf_release(&line);
	return rc;
}

enum err record_echo(struct context *ctx, uint16_t kind, const struct record_id *id,
		     struct errmsg *msg)
{
	json_t *json = NULL;
	enum err rc;

	if (!ctx->is_json)
		return print_line(ctx, kind, id, msg);
	rc = record_json(ctx, kind, id, &json, msg);
	return rc == OK ? output_json(stdout, json, msg) : rc;
}
