/* The conflict inbox, and the choice that takes a record out of it. */
#include <stdlib.h>

#include "node/change.h"
#include "node/cmd.h"
#include "node/field_text.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/reread_view.h"
#include "node/sys_error.h"

enum { FIELDS_MAX = 64 };

/* ---- list ---------------------------------------------------------------- */

/* A record of the inbox, gathered from its rows. */
struct item {
	uint16_t kind;
	struct record_id id;
	uint8_t fields[FIELDS_MAX];
	size_t count;
};

static bool is_text(const struct kind *kind, uint8_t number)
{
	const struct field *field = kind_field(kind, number);

	return field && field->merge == MERGE_TEXT;
}

/* [{"field", "sentences"}] */
static enum err item_reread(struct context *ctx, const struct item *item, json_t *array,
			    struct errmsg *msg)
{
	const struct kind *kind = schema_kind(item->kind);
	struct reread_list list;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < item->count; i++) {
		json_t *sentences = NULL;

		if (!is_text(kind, item->fields[i]))
			continue;
		rc = reread_load(&list, ctx, item->kind, &item->id, item->fields[i], msg);
		if (rc == OK)
			rc = reread_json(ctx, &list, &sentences, msg);
		if (rc == OK &&
		    json_array_append_new(array, json_pack("{s:s, s:o}", "field",
							   record_field_name(kind, item->fields[i]),
							   "sentences", sentences)))
			rc = no_memory(msg);
	}
	return rc;
}

static enum err item_json(struct context *ctx, const struct item *item, json_t *array,
			  struct errmsg *msg)
{
	const struct kind *kind = schema_kind(item->kind);
	struct buf label = BUF_EMPTY;
	json_t *fields = json_array(), *reread = json_array();
	char id[ID_TEXT_SIZE];
	json_t *object;
	enum err rc = ref_label(ctx, item->kind, &item->id, &label, msg);

	for (size_t i = 0; i < item->count; i++)
		json_array_append_new(fields,
				      json_string(record_field_name(kind, item->fields[i])));
	if (rc == OK)
		rc = item_reread(ctx, item, reread, msg);
	object = json_pack("{s:s, s:s, s:s%, s:o, s:o}", "type", kind->name, "id",
			   id_text(item->id.bytes, id), "name", label.data, label.size, "fields",
			   fields, "reread", reread);
	buf_release(&label);
	if (json_array_append_new(array, object) != 0 && rc == OK)
		rc = no_memory(msg);
	return rc;
}

/* Its title; of what has none, the first sentence that somebody is to reread. */
static enum err item_title(struct context *ctx, const struct item *item, struct buf *out,
			   struct errmsg *msg)
{
	const struct kind *kind = schema_kind(item->kind);
	const struct field *title = kind_field_named(kind, "title");
	struct reread_list list = { .count = 0 };
	const struct entry *shown;
	struct record rec;
	enum err rc = record_load(ctx, item->kind, &item->id, &rec, NULL, msg);

	if (rc == OK && title) {
		shown = record_shown(&rec, title->number);
		return shown ? field_show(ctx, title, &shown->value, out, msg) : OK;
	}
	for (size_t i = 0; rc == OK && i < item->count && list.count == 0; i++)
		if (is_text(kind, item->fields[i]))
			rc = reread_load(&list, ctx, item->kind, &item->id, item->fields[i], msg);
	if (list.count)
		buf_append(out, list.sentences[0].text.data, list.sentences[0].text.size);
	return rc;
}

static enum err item_row(struct context *ctx, const struct item *item, struct table *table,
			 struct errmsg *msg)
{
	const struct kind *kind = schema_kind(item->kind);
	struct buf label = BUF_EMPTY, fields = BUF_EMPTY, text = BUF_EMPTY;
	enum err rc = ref_label(ctx, item->kind, &item->id, &label, msg);

	for (size_t i = 0; i < item->count; i++)
		buf_printf(&fields, "%s%s%s", i ? ", " : "",
			   record_field_name(kind, item->fields[i]),
			   is_text(kind, item->fields[i]) ? _(" (to be reread)") : "");
	if (rc == OK)
		rc = item_title(ctx, item, &text, msg);
	buf_append_byte(&label, 0);
	buf_append_byte(&fields, 0);
	buf_append_byte(&text, 0);
	if (rc == OK &&
	    (buf_check(&label) != OK || buf_check(&fields) != OK || buf_check(&text) != OK))
		rc = no_memory(msg);
	if (rc == OK)
		table_add(table,
			  (const char *[]){ (const char *)label.data, (const char *)fields.data,
					    (const char *)text.data });
	buf_release(&label);
	buf_release(&fields);
	buf_release(&text);
	return rc;
}

static enum err put_item(struct context *ctx, struct table *table, json_t *array,
			 const struct item *item, struct errmsg *msg)
{
	if (item->count == 0)
		return OK;
	return array ? item_json(ctx, item, array, msg) : item_row(ctx, item, table, msg);
}

static bool is_of(const struct item *item, uint16_t kind, const struct record_id *id)
{
	return item->kind == kind && record_id_cmp(&item->id, id) == 0;
}

static enum err each_item(struct context *ctx, struct table *table, json_t *array,
			  struct errmsg *msg)
{
	struct item item = { .count = 0 };
	struct rows *rows;
	enum err rc, closed;

	rc = rows_open(&rows, ctx->replica,
		       "SELECT kind, record, field FROM conflict ORDER BY kind, record, field",
		       NULL, 0, msg);
	if (rc != OK)
		return rc;
	while (rc == OK && rows_next(rows)) {
		uint16_t kind = (uint16_t)rows_int(rows, 0);
		struct record_id id = rows_id(rows, 1);

		if (!schema_kind(kind))
			continue;
		if (!is_of(&item, kind, &id)) {
			rc = put_item(ctx, table, array, &item, msg);
			item = (struct item){ .kind = kind, .id = id };
		}
		if (item.count < FIELDS_MAX)
			item.fields[item.count++] = (uint8_t)rows_int(rows, 2);
	}
	if (rc == OK)
		rc = put_item(ctx, table, array, &item, msg);
	closed = rows_close(rows, rc == OK ? msg : NULL);
	return rc == OK ? closed : rc;
}

enum err cmd_conflicts_list(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct table_column columns[] = { { _("RECORD") }, { _("FIELDS") }, { _("TITLE") } };
	json_t *array = ctx->is_json ? json_array() : NULL;
	struct table table;
	enum err rc;

	table_init(&table, columns, 3);
	rc = each_item(ctx, &table, array, msg);
	if (rc == OK && array)
		rc = output_json(stdout, json_incref(array), msg);
	else if (rc == OK && table.cells.size == 0)
		fprintf(stderr, "%s\n", _("no conflicts"));
	else if (rc == OK)
		rc = output_table(stdout, &table, msg);
	table_release(&table);
	json_decref(array);
	return rc;
}

/* ---- pick ---------------------------------------------------------------- */

/* The value that was chosen, by its number or by --value. */
static enum err chosen_value(struct context *ctx, const struct args *args, const struct record *rec,
			     const struct field *field, struct value *out, struct errmsg *msg)
{
	const char *typed = args_option(args, "value");
	const char *n = args_word(args, 2);
	const struct entry *values;
	unsigned long number;
	size_t count;
	char *end;

	if (!typed == !n)
		return errmsg_set(msg, ERR_INVALID, _("say either which value, N, or --value"));
	if (typed)
		return field_parse(ctx, field, typed, out, msg);
	values = record_values(rec, field->number, &count);
	if (!record_has_conflict(rec, field))
		return errmsg_set(msg, ERR_INVALID,
				  _("%s is not in conflict: --value writes another one"),
				  field->name);
	number = strtoul(n, &end, 10);
	if (*end || number < 1 || number > count)
		return errmsg_set(msg, ERR_INVALID, _("%s has no value %s, but 1 to %zu"),
				  field->name, n, count);
	*out = values[number - 1].value;
	return OK;
}

/* What was read is written once more as it is: the edit has read all (I-21). */
static enum err pick_text(struct change *c, const struct args *args, const struct record *rec,
			  const struct field *field, struct errmsg *msg)
{
	const char *typed = args_option(args, "value");
	const char *choice = args_word(args, 2);
	struct value value;
	enum err rc = OK;

	if (!typed == !choice || (choice && strcmp(choice, "keep") != 0))
		return errmsg_set(msg, ERR_INVALID, _("say either keep or --value"));
	if (typed)
		rc = field_parse(c->ctx, field, typed, &value, msg);
	else if (record_has_conflict(rec, field))
		value = record_shown(rec, field->number)->value;
	else
		rc = errmsg_set(msg, ERR_INVALID, _("no sentence of %s is to be reread"),
				field->name);
	return rc == OK ? edit_set(c->edit, rec->kind->number, &rec->id, field->number, &value, msg)
			: rc;
}

static enum err pick_value(struct change *c, const struct args *args, const struct record *rec,
			   const struct field *field, struct errmsg *msg)
{
	struct value value;
	enum err rc;

	if (field->merge == MERGE_TEXT)
		return pick_text(c, args, rec, field, msg);
	if (field->merge != MERGE_MV && field->merge != MERGE_STATE)
		return errmsg_set(msg, ERR_INVALID, _("%s can't be in conflict"), field->name);
	rc = chosen_value(c->ctx, args, rec, field, &value, msg);
	if (rc == OK)
		rc = edit_set(c->edit, rec->kind->number, &rec->id, field->number, &value, msg);
	return rc;
}

static enum err pick_life(struct change *c, const struct args *args, const struct record *rec,
			  struct errmsg *msg)
{
	const char *choice = args_word(args, 2) ? args_word(args, 2) : args_option(args, "value");

	if (record_life(rec) != RECORD_REVIVED)
		return errmsg_set(msg, ERR_INVALID,
				  _("nobody voided it while another changed it: there is nothing "
				    "to choose"));
	if (choice && strcmp(choice, "keep") == 0)
		return edit_revive(c->edit, rec->kind->number, &rec->id, msg);
	if (choice && strcmp(choice, "void") == 0)
		return edit_void(c->edit, rec->kind->number, &rec->id, msg);
	return errmsg_set(msg, ERR_INVALID, _("say keep or void"));
}

static enum err pick(struct change *c, const struct args *args, const struct ref *ref,
		     struct errmsg *msg)
{
	const char *name = args_word(args, 1);
	const struct field *field = kind_field_named(schema_kind(ref->kind), name);
	struct record rec; /* as it stands inside the transaction */
	enum err rc = record_load(c->ctx, ref->kind, &ref->id, &rec, NULL, msg);

	if (rc != OK)
		return rc;
	if (strcmp(name, "life") == 0)
		return pick_life(c, args, &rec, msg);
	if (!field)
		return errmsg_set(msg, ERR_NOT_FOUND, _("%s has no field \"%s\""), rec.kind->name,
				  name);
	return pick_value(c, args, &rec, field, msg);
}

enum err cmd_conflicts_pick(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct space_id space;
	struct record rec;
	struct change c;
	struct ref ref;
	enum err rc = ref_find(ctx, 0, args_word(args, 0), &ref, msg);

	if (rc == OK)
		rc = record_load(ctx, ref.kind, &ref.id, &rec, &space, msg);
	if (rc == OK)
		rc = change_begin(&c, ctx, &space, msg);
	if (rc != OK)
		return rc;
	rc = pick(&c, args, &ref, msg);
	rc = change_end(&c, rc, msg);
	return rc == OK ? record_echo(ctx, ref.kind, &ref.id, msg) : rc;
}
