#include "node/listing.h"

#include "node/field_text.h"
#include "node/i18n.h"
#include "node/record_view.h"
#include "node/sys_error.h"

enum { COLUMN_ID, COLUMN_SPACE, COLUMN_LIFE, COLUMN_CONFLICT, COLUMN_FIELDS };

static void put_select(struct buf *sql, const struct kind *kind, const char *rest)
{
	buf_append_str(sql, "SELECT r.id, s.id, r.life, EXISTS (SELECT 1 FROM conflict c WHERE "
			    "c.space = r.space AND c.record = r.id");
	buf_printf(sql, " AND c.kind = %u)", kind->number);
	for (size_t i = 0; i < kind->field_count; i++) {
		if (!merge_is_register(kind->fields[i].merge))
			continue;
		buf_append_str(sql, ", ");
		rows_put_column(sql, &kind->fields[i]);
	}
	buf_printf(sql, " FROM r_%s r JOIN space_index s ON s.idx = r.space %s", kind->name, rest);
	buf_append_byte(sql, 0);
}

enum err listing_open(struct listing *out, struct context *ctx, uint16_t kind, const char *rest,
		      const struct value *args, size_t arg_count, struct errmsg *msg)
{
	struct listing l = { .ctx = ctx, .kind = schema_kind(kind) };
	struct buf sql = BUF_EMPTY;
	enum err rc;

	put_select(&sql, l.kind, rest);
	rc = buf_check(&sql);
	if (rc != OK)
		no_memory(msg);
	else
		rc = rows_open(&l.rows, ctx->replica, (const char *)sql.data, args, arg_count, msg);
	buf_release(&sql);
	if (rc == OK)
		*out = l;
	return rc;
}

bool listing_next(struct listing *l)
{
	arena_reset(&l->row);
	return rows_next(l->rows);
}

enum err listing_close(struct listing *l, struct errmsg *msg)
{
	arena_release(&l->row);
	return rows_close(l->rows, msg);
}

struct record_id listing_id(struct listing *l)
{
	return rows_id(l->rows, COLUMN_ID);
}

struct record_id listing_space(struct listing *l)
{
	return rows_id(l->rows, COLUMN_SPACE);
}

enum record_life listing_life(struct listing *l)
{
	return (enum record_life)rows_int(l->rows, COLUMN_LIFE);
}

bool listing_has_conflict(struct listing *l)
{
	return rows_int(l->rows, COLUMN_CONFLICT) != 0;
}

struct value listing_value(struct listing *l, uint8_t field)
{
	int column = COLUMN_FIELDS;

	for (size_t i = 0; i < l->kind->field_count; i++) {
		const struct field *f = &l->kind->fields[i];

		if (f->number == field)
			return field_of_row(f, l->rows, column);
		column += merge_is_register(f->merge);
	}
	return value_nil();
}

enum err listing_keep(struct listing *l, const struct buf *text, const char **out,
		      struct errmsg *msg)
{
	char *copy = buf_check(text) == OK ? arena_alloc(&l->row, text->size + 1) : NULL;

	if (!copy)
		return no_memory(msg);
	if (text->size)
		memcpy(copy, text->data, text->size);
	*out = copy;
	return OK;
}

enum err listing_text(struct listing *l, uint8_t field, const char **out, struct errmsg *msg)
{
	struct value value = listing_value(l, field);
	struct buf text = BUF_EMPTY;
	enum err rc = field_show(l->ctx, kind_field(l->kind, field), &value, &text, msg);

	if (rc == OK)
		rc = listing_keep(l, &text, out, msg);
	buf_release(&text);
	return rc;
}

enum err listing_json(struct listing *l, json_t **out, struct errmsg *msg)
{
	struct record_id id = listing_id(l);
	struct record_id space = listing_space(l);
	json_t *object = record_json_head(l->kind, &id, space.bytes, listing_life(l),
					  listing_has_conflict(l));
	enum err rc = OK;

	for (size_t i = 0; i < l->kind->field_count && rc == OK; i++) {
		const struct field *f = &l->kind->fields[i];
		struct value value;
		json_t *json = NULL;

		if (!merge_is_register(f->merge))
			continue;
		value = listing_value(l, f->number);
		rc = field_json(l->ctx, f, &value, &json, msg);
		if (rc == OK && json_object_set_new(object, f->name, json) != 0)
			rc = no_memory(msg);
	}
	if (rc == OK)
		rc = record_json_derive(l->ctx, l->kind, object, msg);
	if (rc == OK)
		*out = object;
	else
		json_decref(object);
	return rc;
}
