/* What was written at once: each value, by whom, where and when; of a text, the sentences that
 * somebody is to reread. */
#include "node/cmd.h"
#include "node/field_text.h"
#include "node/history_view.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/reread_view.h"
#include "node/sys_error.h"

enum { FIELDS_MAX = 64 };

/* One value of a field in conflict. */
struct candidate {
	struct stamp stamp;
	struct value value;        /* of a register */
	const struct field *field; /* NULL: the record's life */
	struct record_id author;
};

struct candidates {
	struct candidate *list;
	size_t count;
};

/* The values of one field; of its life, the voids: "void", and "keep". */
static enum err gather(struct context *ctx, const struct record *rec, uint8_t number,
		       struct candidates *out, struct errmsg *msg)
{
	const struct entry *values = NULL;
	size_t count = rec->void_count;

	if (number != RECORD_LIFE_FIELD)
		values = record_values(rec, number, &count);
	out->list = arena_array(&ctx->arena, count, sizeof(*out->list));
	if (!out->list)
		return no_memory(msg);
	out->count = count;
	for (size_t i = 0; i < count; i++) {
		out->list[i].stamp = values ? values[i].stamp : rec->voids[i].stamp;
		out->list[i].value = values ? values[i].value : value_str("void");
		out->list[i].field = kind_field(rec->kind, number);
	}
	return OK;
}

static enum err find_authors(struct context *ctx, const struct record *rec,
			     struct candidates *found, struct errmsg *msg)
{
	struct authorship *list = arena_array(&ctx->arena, found->count, sizeof(*list));
	enum err rc;

	if (!list)
		return no_memory(msg);
	for (size_t i = 0; i < found->count; i++)
		list[i].dot = found->list[i].stamp.dot;
	rc = authorship_find(ctx, &rec->id, list, found->count, msg);
	for (size_t i = 0; i < found->count; i++)
		found->list[i].author = list[i].author;
	return rc;
}

static enum err candidate_text(struct context *ctx, const struct candidate *c, struct buf *out,
			       struct errmsg *msg)
{
	if (!c->field) {
		buf_append_str(out, _("void"));
		return OK;
	}
	if (c->value.type == VALUE_NIL)
		buf_append_str(out, _("(cleared)"));
	return field_show(ctx, c->field, &c->value, out, msg);
}

static enum err print_candidate(struct context *ctx, const struct candidate *c, size_t n,
				struct errmsg *msg)
{
	struct buf value = BUF_EMPTY, author = BUF_EMPTY;
	const struct when_reader *reader;
	char at[WHEN_TEXT_BYTES];
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc == OK)
		rc = candidate_text(ctx, c, &value, msg);
	if (rc == OK)
		rc = author_show(ctx, &c->author, &c->stamp.dot.replica, &author, msg);
	if (rc == OK) {
		when_instant(reader, hlc_wall_ms(c->stamp.hlc), at);
		output_line(stdout, "    %zu  %.*s", n, (int)value.size, (const char *)value.data);
		output_line(stdout, "       %.*s, %s%s", (int)author.size,
			    (const char *)author.data, at, n == 1 && c->field ? _(", shown") : "");
	}
	buf_release(&value);
	buf_release(&author);
	return rc;
}

static enum err print_field(struct context *ctx, const struct record *rec, uint8_t number,
			    const char *record, const struct candidates *found, struct errmsg *msg)
{
	const char *name = record_field_name(rec->kind, number);
	enum err rc = OK;

	output_line(stdout, "  %s", name);
	if (number == RECORD_LIFE_FIELD)
		output_line(stdout, "    %s", _("voided in one office, changed in another; kept"));
	for (size_t i = 0; i < found->count && rc == OK; i++)
		rc = print_candidate(ctx, &found->list[i], i + 1, msg);
	output_line(stdout, _("    choose: huitong conflicts pick %s %s %s"), record, name,
		    number == RECORD_LIFE_FIELD ? "keep|void" : "N");
	return rc;
}

/* Sentences of a text that nobody has read as they are. */
static enum err print_text(struct context *ctx, const struct reread_list *list, const char *record,
			   const char *name, struct errmsg *msg)
{
	enum err rc;

	output_line(stdout, "  %s", name);
	output_line(stdout, "    %s",
		    P_("to be reread: several wrote in this sentence at once",
		       "to be reread: several wrote in these sentences at once", list->count));
	rc = reread_print(ctx, list, 4, msg);
	if (rc == OK)
		output_line(stdout, _("    read: huitong conflicts pick %s %s keep"), record, name);
	return rc;
}

static enum err text_json(struct context *ctx, const struct reread_list *list, const char *name,
			  json_t *array, struct errmsg *msg)
{
	json_t *sentences = NULL;
	enum err rc = reread_json(ctx, list, &sentences, msg);

	if (rc == OK &&
	    json_array_append_new(array, json_pack("{s:s, s:s, s:o}", "field", name, "conflict",
						   "reread", "sentences", sentences)))
		rc = no_memory(msg);
	return rc;
}

static enum err show_text(struct context *ctx, const struct record *rec, uint8_t number,
			  const char *record, json_t *array, struct errmsg *msg)
{
	const char *name = record_field_name(rec->kind, number);
	struct reread_list list;
	enum err rc = reread_load(&list, ctx, rec->kind->number, &rec->id, number, msg);

	if (rc != OK)
		return rc;
	return array ? text_json(ctx, &list, name, array, msg)
		     : print_text(ctx, &list, record, name, msg);
}

static enum err candidate_json(struct context *ctx, const struct candidate *c, size_t n,
			       json_t **out, struct errmsg *msg)
{
	json_t *value = NULL, *author = NULL;
	enum err rc = OK;

	if (c->field)
		rc = field_json(ctx, c->field, &c->value, &value, msg);
	else
		value = json_string("void");
	if (rc == OK)
		rc = author_json(ctx, &c->author, &author, msg);
	if (rc != OK) {
		json_decref(value);
		return rc;
	}
	*out = json_pack("{s:i, s:o, s:o, s:s, s:o, s:b}", "n", (int)n, "value", value, "author",
			 author, "office", office_of(ctx, &c->stamp.dot.replica), "at",
			 instant_json(hlc_wall_ms(c->stamp.hlc)), "shown", n == 1 && c->field);
	return *out ? OK : no_memory(msg);
}

static enum err field_values_json(struct context *ctx, const struct record *rec, uint8_t number,
				  const struct candidates *found, json_t *array, struct errmsg *msg)
{
	const char *conflict = number == RECORD_LIFE_FIELD ? "life" : "values";
	json_t *values = json_array();
	enum err rc = OK;

	for (size_t i = 0; i < found->count && rc == OK; i++) {
		json_t *json = NULL;

		rc = candidate_json(ctx, &found->list[i], i + 1, &json, msg);
		json_array_append_new(values, json);
	}
	if (json_array_append_new(array, json_pack("{s:s, s:s, s:o}", "field",
						   record_field_name(rec->kind, number), "conflict",
						   conflict, "values", values)) != 0 &&
	    rc == OK)
		rc = no_memory(msg);
	return rc;
}

static enum err show_values(struct context *ctx, const struct record *rec, uint8_t number,
			    const char *record, json_t *array, struct errmsg *msg)
{
	struct candidates found = { 0 };
	enum err rc = gather(ctx, rec, number, &found, msg);

	if (rc == OK)
		rc = find_authors(ctx, rec, &found, msg);
	if (rc != OK)
		return rc;
	return array ? field_values_json(ctx, rec, number, &found, array, msg)
		     : print_field(ctx, rec, number, record, &found, msg);
}

static enum err show_fields(struct context *ctx, const struct record *rec, const char *record,
			    json_t *array, struct errmsg *msg)
{
	uint8_t fields[FIELDS_MAX];
	size_t count = record_conflicts(rec, fields, FIELDS_MAX);
	enum err rc = OK;

	if (count == 0 && !array)
		fprintf(stderr, "%s\n", _("no conflict"));
	for (size_t i = 0; i < count && rc == OK; i++) {
		const struct field *field = kind_field(rec->kind, fields[i]);

		rc = field && field->merge == MERGE_TEXT
			     ? show_text(ctx, rec, fields[i], record, array, msg)
			     : show_values(ctx, rec, fields[i], record, array, msg);
	}
	return rc;
}

enum err cmd_conflicts_show(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	json_t *array = ctx->is_json ? json_array() : NULL;
	struct buf label = BUF_EMPTY;
	char id[ID_TEXT_SIZE];
	struct record rec;
	struct ref ref;
	enum err rc = ref_find(ctx, 0, args_word(args, 0), &ref, msg);

	if (rc == OK)
		rc = record_load(ctx, ref.kind, &ref.id, &rec, NULL, msg);
	if (rc == OK)
		rc = ref_label(ctx, ref.kind, &ref.id, &label, msg);
	buf_append_byte(&label, 0);
	if (rc == OK)
		rc = buf_check(&label);
	if (rc == OK && !array)
		output_line(stdout, "%s", (const char *)label.data);
	if (rc == OK)
		rc = show_fields(ctx, &rec, (const char *)label.data, array, msg);
	if (rc == OK && array)
		rc = output_json(stdout,
				 json_pack("{s:s, s:s, s:s, s:O}", "type", rec.kind->name, "id",
					   id_text(ref.id.bytes, id), "name", label.data, "fields",
					   array),
				 msg);
	buf_release(&label);
	json_decref(array);
	return rc;
}
