/* The state: one row a record, one row an element, the conflict inbox. */
#include "core/store_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/record_meta.h"

/* Columns before the registers, as store_schema.c creates them. */
enum { COLUMN_ID, COLUMN_SPACE, COLUMN_LIFE, COLUMN_REGISTERS };

static int register_count(const struct kind *kind)
{
	int count = 0;

	for (size_t i = 0; i < kind->field_count; i++)
		count += merge_is_register(kind->fields[i].merge);
	return count;
}

static enum err intern_record(struct store *s, const struct record *rec, struct errmsg *msg)
{
	uint32_t number;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < rec->count; i++)
		rc = store_intern(s, &rec->entries[i].stamp.dot.replica, &number, msg);
	for (size_t i = 0; rc == OK && i < rec->void_count; i++) {
		rc = store_intern(s, &rec->voids[i].stamp.dot.replica, &number, msg);
		for (size_t k = 0; rc == OK && k < rec->voids[i].observed_count; k++)
			rc = store_intern(s, &rec->voids[i].observed[k].replica, &number, msg);
	}
	return rc;
}

/* Parameters of insert and update alike: id, space, life, registers, meta. */
static enum err bind_record(struct store *s, sqlite3_stmt *stmt, uint32_t space,
			    const struct record *rec, struct errmsg *msg)
{
	int parameter = COLUMN_REGISTERS + 1;
	enum err rc = intern_record(s, rec, msg);

	if (rc != OK)
		return rc;
	buf_clear(&s->scratch);
	rc = record_meta_encode(&s->scratch, rec, &s->replicas);
	if (rc != OK)
		return rc;
	bind_id(stmt, COLUMN_ID + 1, rec->id.bytes);
	sqlite3_bind_int64(stmt, COLUMN_SPACE + 1, space);
	sqlite3_bind_int64(stmt, COLUMN_LIFE + 1, record_life(rec));
	for (size_t i = 0; i < rec->kind->field_count; i++) {
		const struct field *field = &rec->kind->fields[i];
		const struct entry *shown;

		if (!merge_is_register(field->merge))
			continue;
		shown = record_shown(rec, field->number);
		if (shown)
			bind_value(stmt, parameter++, &shown->value);
		else
			sqlite3_bind_null(stmt, parameter++);
	}
	bind_bytes(stmt, parameter, buf_bytes(&s->scratch));
	return OK;
}

enum err store_record_insert(struct store *s, uint32_t space, const struct record *rec,
			     bool *exists, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_kind_statement(s, rec->kind, KIND_INSERT, &rc, msg);

	if (rc == OK)
		rc = bind_record(s, stmt, space, rec, msg);
	if (rc == OK)
		rc = store_run(s, stmt, "insert a record", msg);
	if (rc == OK)
		*exists = sqlite3_changes(s->db) == 0;
	return rc;
}

enum err store_record_update(struct store *s, uint32_t space, const struct record *rec,
			     bool indexed, struct errmsg *msg)
{
	enum kind_statement which = indexed ? KIND_UPDATE_INDEXED : KIND_UPDATE;
	enum err rc;
	sqlite3_stmt *stmt = store_kind_statement(s, rec->kind, which, &rc, msg);

	if (rc == OK)
		rc = bind_record(s, stmt, space, rec, msg);
	return rc == OK ? store_run(s, stmt, "update a record", msg) : rc;
}

/* A field's column of the current row as a value; copied into the arena. */
struct row {
	sqlite3_stmt *stmt;
	const struct kind *kind;
	struct arena *arena;
	enum err rc; /* of all columns read so far */
};

static struct value row_bytes(struct row *row, int column, enum value_type type)
{
	struct bytes data = arena_copy(row->arena, column_bytes(row->stmt, column));

	if (!data.data)
		row->rc = ERR_NOMEM;
	return (struct value){ .type = type, .bytes = data };
}

static struct value column_value(struct row *row, int column, const struct field *field)
{
	struct bytes id;
	struct value value = { .type = VALUE_REF };

	switch (sqlite3_column_type(row->stmt, column)) {
	case SQLITE_INTEGER: return value_int(sqlite3_column_int64(row->stmt, column));
	case SQLITE_TEXT: return row_bytes(row, column, VALUE_TEXT);
	case SQLITE_BLOB: break;
	default: return value_nil();
	}
	if (field->format != FORMAT_REF)
		return row_bytes(row, column, VALUE_BYTES);
	id = column_bytes(row->stmt, column);
	if (id.size == ID_BYTES)
		memcpy(value.ref.bytes, id.data, ID_BYTES);
	else
		row->rc = ERR_CORRUPT;
	return value;
}

static int register_column(const struct kind *kind, const struct field *field)
{
	int column = COLUMN_REGISTERS;

	for (const struct field *f = kind->fields; f != field; f++)
		column += merge_is_register(f->merge);
	return column;
}

static struct value row_shown(void *ctx, const struct field *field)
{
	struct row *row = ctx;

	return column_value(row, register_column(row->kind, field), field);
}

/* What follows from the rest: nothing where nothing was written, and the life. */
static bool columns_agree(sqlite3_stmt *stmt, const struct record *rec)
{
	int column = COLUMN_REGISTERS;

	for (size_t i = 0; i < rec->kind->field_count; i++) {
		const struct field *field = &rec->kind->fields[i];

		if (!merge_is_register(field->merge))
			continue;
		if (sqlite3_column_type(stmt, column++) != SQLITE_NULL &&
		    !record_shown(rec, field->number))
			return false;
	}
	return sqlite3_column_int64(stmt, COLUMN_LIFE) == (sqlite3_int64)record_life(rec);
}

static enum err read_record(struct store *s, sqlite3_stmt *stmt, const struct kind *kind,
			    struct arena *arena, struct record *out, struct errmsg *msg)
{
	struct row row = { stmt, kind, arena, OK };
	struct bytes id = column_bytes(stmt, COLUMN_ID);
	struct bytes meta = column_bytes(stmt, COLUMN_REGISTERS + register_count(kind));
	struct record_id record_id = { 0 };
	char text[ID_TEXT_SIZE];
	enum err rc;

	if (id.size == ID_BYTES)
		memcpy(record_id.bytes, id.data, ID_BYTES);
	record_init(out, kind, &record_id, arena);
	meta = arena_copy(arena, meta);
	if (!meta.data)
		return ERR_NOMEM;
	rc = record_meta_decode(out, meta, &s->replicas, row_shown, &row);
	/* What the registers don't explain, an element did. */
	if (rc == OK && sqlite3_column_int64(stmt, COLUMN_LIFE) == RECORD_REVIVED)
		out->has_unseen_element = record_life(out) == RECORD_VOID;
	if (rc == OK)
		rc = row.rc;
	if (rc == OK && !columns_agree(stmt, out))
		rc = ERR_CORRUPT;
	if (rc == OK || rc == ERR_NOMEM)
		return rc;
	return errmsg_set(msg, rc, "%s: the row of %s %s is damaged", s->path, kind->name,
			  id_text(record_id.bytes, text));
}

enum err store_record_load(struct store *s, uint32_t space, const struct kind *kind,
			   const struct record_id *id, struct arena *arena, struct record *out,
			   struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_kind_statement(s, kind, KIND_LOAD, &rc, msg);
	int result;

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, id->bytes);
	sqlite3_bind_int64(stmt, 2, space);
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW)
		rc = read_record(s, stmt, kind, arena, out, msg);
	else if (result == SQLITE_DONE)
		rc = ERR_NOT_FOUND;
	else
		rc = store_error(s, result, "read a record", msg);
	sqlite3_reset(stmt);
	return rc;
}

enum err store_record_space(struct store *s, const struct kind *kind, const struct record_id *id,
			    uint32_t *space, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_kind_statement(s, kind, KIND_SPACE_OF, &rc, msg);
	char text[ID_TEXT_SIZE];
	int result;

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, id->bytes);
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW)
		*space = (uint32_t)sqlite3_column_int64(stmt, 0);
	else if (result == SQLITE_DONE)
		rc = errmsg_set(msg, ERR_NOT_FOUND, "no %s %s", kind->name,
				id_text(id->bytes, text));
	else
		rc = store_error(s, result, "look a record up", msg);
	sqlite3_reset(stmt);
	return rc;
}

enum err store_conflict_put(struct store *s, uint32_t space, const struct record *rec,
			    uint8_t field, bool present, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt =
		store_statement(s, present ? STMT_CONFLICT_PUT : STMT_CONFLICT_DELETE, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, space);
	bind_id(stmt, 2, rec->id.bytes);
	sqlite3_bind_int64(stmt, 3, rec->kind->number);
	sqlite3_bind_int64(stmt, 4, field);
	return store_run(s, stmt, "mark a conflict", msg);
}

/* Elements. */

static void bind_element_key(sqlite3_stmt *stmt, uint32_t space, const struct op *op,
			     uint32_t replica, uint64_t seq, uint32_t n)
{
	sqlite3_bind_int64(stmt, 1, space);
	bind_id(stmt, 2, op->record.bytes);
	sqlite3_bind_int64(stmt, 3, op->kind);
	sqlite3_bind_int64(stmt, 4, op->field);
	sqlite3_bind_int64(stmt, 5, replica);
	sqlite3_bind_int64(stmt, 6, (int64_t)seq);
	sqlite3_bind_int64(stmt, 7, n);
}

enum err store_element_add(struct store *s, uint32_t space, const struct op *op,
			   const struct stamp *stamp, const struct record_id *author,
			   struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_ELEMENT_ADD, &rc, msg);
	uint32_t replica;

	if (rc == OK)
		rc = store_intern(s, &stamp->dot.replica, &replica, msg);
	if (rc != OK)
		return rc;
	bind_element_key(stmt, space, op, replica, stamp->dot.seq, op->n);
	sqlite3_bind_int64(stmt, 8, (int64_t)stamp->hlc.bits);
	if (record_id_is_nil(author))
		sqlite3_bind_null(stmt, 9);
	else
		bind_id(stmt, 9, author->bytes);
	bind_value(stmt, 10, &op->value);
	return store_run(s, stmt, "add an element", msg);
}

enum err store_element_remove(struct store *s, uint32_t space, const struct op *op,
			      struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_ELEMENT_REMOVE, &rc, msg);

	for (size_t i = 0; rc == OK && i < op->target_count; i++) {
		const struct target *target = &op->targets[i];
		uint32_t replica = intern_find(&s->replicas, &target->dot.replica);

		if (replica == UINT32_MAX)
			continue; /* nothing of that replica is here */
		bind_element_key(stmt, space, op, replica, target->dot.seq, target->n);
		rc = store_run(s, stmt, "remove an element", msg);
	}
	return rc;
}

static enum err read_element(struct store *s, struct row *row, const struct field *field,
			     struct element *out)
{
	sqlite3_stmt *stmt = row->stmt;
	int64_t replica = sqlite3_column_int64(stmt, 0);
	struct bytes author = column_bytes(stmt, 4);

	if (replica < 0 || replica >= s->replicas.count ||
	    (author.size != 0 && author.size != ID_BYTES))
		return ERR_CORRUPT;
	*out = (struct element){ 0 };
	out->stamp.dot.replica = s->replicas.ids[replica];
	out->stamp.dot.seq = (uint64_t)sqlite3_column_int64(stmt, 1);
	out->stamp.hlc.bits = (uint64_t)sqlite3_column_int64(stmt, 3);
	out->n = (uint32_t)sqlite3_column_int64(stmt, 2);
	if (author.size == ID_BYTES)
		memcpy(out->author.bytes, author.data, ID_BYTES);
	out->value = column_value(row, 5, field);
	return row->rc;
}

static int compare_elements(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int order = stamp_cmp(&x->stamp, &y->stamp);

	return order ? order : (x->n > y->n) - (x->n < y->n);
}

static enum err add_element(struct arena *arena, struct element **list, size_t *count, size_t *cap,
			    const struct element *element)
{
	if (*count == *cap) {
		size_t bigger = *cap ? 2 * *cap : 16;
		struct element *moved = arena_array(arena, bigger, sizeof(*moved));

		if (!moved)
			return ERR_NOMEM;
		if (*count)
			memcpy(moved, *list, *count * sizeof(*moved));
		*list = moved;
		*cap = bigger;
	}
	(*list)[(*count)++] = *element;
	return OK;
}

enum err store_elements(struct store *s, uint32_t space, const struct kind *kind,
			const struct record_id *id, const struct field *field, struct arena *arena,
			struct element **out, size_t *count, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_ELEMENTS, &rc, msg);
	struct row row = { stmt, kind, arena, OK };
	struct element *list = NULL, element;
	size_t got = 0, cap = 0;
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, space);
	bind_id(stmt, 2, id->bytes);
	sqlite3_bind_int64(stmt, 3, kind->number);
	sqlite3_bind_int64(stmt, 4, field->number);
	while (rc == OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = read_element(s, &row, field, &element);
		if (rc == OK)
			rc = add_element(arena, &list, &got, &cap, &element);
		else if (rc != ERR_NOMEM)
			rc = errmsg_set(msg, rc, "%s: an element of %s.%s is damaged", s->path,
					kind->name, field->name);
	}
	if (rc == OK && result != SQLITE_DONE)
		rc = store_error(s, result, "read elements", msg);
	sqlite3_reset(stmt);
	if (rc != OK)
		return rc;
	if (got)
		qsort(list, got, sizeof(*list), compare_elements);
	*out = list;
	*count = got;
	return OK;
}

enum err store_element_dots(struct store *s, uint32_t space, const struct kind *kind,
			    const struct record_id *id, struct arena *arena, struct dot **out,
			    size_t *count, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_ELEMENT_DOTS, &rc, msg);
	struct dot *dots = arena_array(arena, s->replicas.count, sizeof(*dots));
	size_t got = 0;
	int result;

	if (rc != OK || !dots)
		return rc == OK ? ERR_NOMEM : rc;
	bind_id(stmt, 1, id->bytes);
	sqlite3_bind_int64(stmt, 2, kind->number);
	sqlite3_bind_int64(stmt, 3, space);
	while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint64_t replica = (uint64_t)sqlite3_column_int64(stmt, 0);

		if (replica >= s->replicas.count || got == s->replicas.count) {
			result = SQLITE_CORRUPT;
			break;
		}
		dots[got].replica = s->replicas.ids[replica];
		dots[got++].seq = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	if (result != SQLITE_DONE)
		rc = store_error(s, result, "read elements", msg);
	sqlite3_reset(stmt);
	if (rc != OK)
		return rc;
	*out = dots;
	*count = got;
	return OK;
}

enum err store_each_record(struct store *s, const struct kind *kind, struct arena *arena,
			   enum err (*each)(void *ctx, uint32_t space, const struct record *rec),
			   void *ctx, struct errmsg *msg)
{
	char sql[128];
	sqlite3_stmt *stmt = NULL;
	enum err rc = OK;
	int result;

	snprintf(sql, sizeof(sql), "SELECT * FROM r_%s ORDER BY id, space", kind->name);
	result = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
	if (result != SQLITE_OK)
		return store_error(s, result, "read records", msg);
	while (rc == OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct record rec;

		arena_reset(arena);
		rc = read_record(s, stmt, kind, arena, &rec, msg);
		if (rc == OK)
			rc = each(ctx, (uint32_t)sqlite3_column_int64(stmt, COLUMN_SPACE), &rec);
	}
	if (rc == OK && result != SQLITE_DONE)
		rc = store_error(s, result, "read records", msg);
	sqlite3_finalize(stmt);
	return rc;
}
