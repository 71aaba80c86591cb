/* Records, one row each, and the conflict inbox. */
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

/* Parameters of insert and update alike: id, space, life, registers, meta, sum. */
static enum err bind_record(struct store *s, sqlite3_stmt *stmt, uint32_t space,
			    const struct record *rec, struct errmsg *msg)
{
	struct summed_row row = { .stmt = stmt };
	struct value id = value_bytes(bytes_of(rec->id.bytes, ID_BYTES)), meta;
	struct value number = value_int(space), life = value_int(record_life(rec));
	struct value none = value_nil();
	enum err rc = intern_record(s, rec, msg);

	if (rc != OK)
		return rc;
	buf_clear(&s->scratch);
	rc = record_meta_encode(&s->scratch, rec, &s->replicas);
	if (rc != OK)
		return rc;
	summed_bind(&row, &id);
	summed_bind(&row, &number);
	summed_bind(&row, &life);
	for (size_t i = 0; i < rec->kind->field_count; i++) {
		const struct field *field = &rec->kind->fields[i];
		const struct entry *shown;

		if (!merge_is_register(field->merge))
			continue;
		shown = record_shown(rec, field->number);
		summed_bind(&row, shown ? &shown->value : &none);
	}
	meta = value_bytes(buf_bytes(&s->scratch));
	summed_bind(&row, &meta);
	summed_end(&row);
	return OK;
}

enum err store_record_insert(struct store *s, uint32_t space, const struct record *rec,
			     bool *exists, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_kind_query(s, rec->kind, KIND_INSERT, &rc, msg);

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
	enum kind_query which = indexed ? KIND_UPDATE_INDEXED : KIND_UPDATE;
	enum err rc;
	sqlite3_stmt *stmt = store_kind_query(s, rec->kind, which, &rc, msg);

	if (rc == OK)
		rc = bind_record(s, stmt, space, rec, msg);
	return rc == OK ? store_run(s, stmt, "update a record", msg) : rc;
}

static int register_column(const struct kind *kind, const struct field *field)
{
	int column = COLUMN_REGISTERS;

	for (const struct field *f = kind->fields; f != field; f++)
		column += merge_is_register(f->merge);
	return column;
}

/* The row of a record. */
struct record_row {
	struct row row;
	const struct kind *kind;
	struct store *store;
	bool is_opened; /* store_record_open() */
	struct errmsg *msg;
};

static struct value row_shown(void *ctx, const struct field *field)
{
	struct record_row *of = ctx;
	struct value value = row_value(&of->row, register_column(of->kind, field), field);
	struct bytes text;
	enum err rc;

	if (field->merge != MERGE_TEXT || value.type == VALUE_NIL || value.type == VALUE_TEXT)
		return value;
	if (value.type != VALUE_INT)
		of->row.rc = ERR_CORRUPT;
	if (of->is_opened || of->row.rc != OK)
		return value;
	rc = store_body_read(of->store, value.number, of->row.arena, &text, of->msg);
	if (rc == OK)
		return value_text(text);
	of->row.rc = rc;
	return value_nil();
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

static enum err damaged(const struct store *s, const struct kind *kind, const struct record_id *id,
			struct errmsg *msg)
{
	char text[ID_TEXT_SIZE];

	return errmsg_set(msg, ERR_CORRUPT, "%s: the row of %s %s is damaged", s->path, kind->name,
			  id_text(id->bytes, text));
}

static enum err read_record(struct store *s, sqlite3_stmt *stmt, const struct kind *kind,
			    bool is_opened, struct arena *arena, struct record *out,
			    struct errmsg *msg)
{
	struct record_row row = { { stmt, arena, OK }, kind, s, is_opened, msg };
	bool is_whole = row_is_whole(stmt);
	struct bytes id = column_bytes(stmt, COLUMN_ID);
	struct bytes meta = column_bytes(stmt, COLUMN_REGISTERS + register_count(kind));
	struct record_id record_id = { 0 };
	enum err rc;

	if (id.size == ID_BYTES)
		memcpy(record_id.bytes, id.data, ID_BYTES);
	record_init(out, kind, &record_id, arena);
	meta = arena_copy(arena, meta);
	if (!meta.data)
		return ERR_NOMEM;
	if (!is_whole)
		return damaged(s, kind, &record_id, msg);
	rc = record_meta_decode(out, meta, &s->replicas, row_shown, &row);
	/* It may name a replica that another process has brought since. */
	if (rc == ERR_CORRUPT && store_replica(s, s->replicas.count)) {
		record_init(out, kind, &record_id, arena);
		row.row.rc = OK;
		rc = record_meta_decode(out, meta, &s->replicas, row_shown, &row);
	}
	/* What the registers don't explain, an element did. */
	if (rc == OK && sqlite3_column_int64(stmt, COLUMN_LIFE) == RECORD_REVIVED)
		out->has_unseen_element = record_life(out) == RECORD_VOID;
	if (rc == OK)
		rc = row.row.rc;
	if (rc == OK && !columns_agree(stmt, out))
		rc = ERR_CORRUPT;
	return rc == ERR_CORRUPT ? damaged(s, kind, &record_id, msg) : rc;
}

static enum err load_record(struct store *s, uint32_t space, const struct kind *kind,
			    const struct record_id *id, bool is_opened, struct arena *arena,
			    struct record *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_kind_query(s, kind, KIND_LOAD, &rc, msg);
	int result;

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, id->bytes);
	sqlite3_bind_int64(stmt, 2, space);
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW)
		rc = read_record(s, stmt, kind, is_opened, arena, out, msg);
	else if (result == SQLITE_DONE)
		rc = ERR_NOT_FOUND;
	else
		rc = store_error(s, result, "read a record", msg);
	sqlite3_reset(stmt);
	return rc;
}

enum err store_record_load(struct store *s, uint32_t space, const struct kind *kind,
			   const struct record_id *id, struct arena *arena, struct record *out,
			   struct errmsg *msg)
{
	return load_record(s, space, kind, id, false, arena, out, msg);
}

enum err store_record_open(struct store *s, uint32_t space, const struct kind *kind,
			   const struct record_id *id, struct arena *arena, struct record *out,
			   struct errmsg *msg)
{
	return load_record(s, space, kind, id, true, arena, out, msg);
}

static bool read_space(sqlite3_stmt *stmt, uint32_t *out)
{
	sqlite3_int64 number = sqlite3_column_int64(stmt, 0);

	if (sqlite3_column_type(stmt, 0) != SQLITE_INTEGER || number < 0 || number > UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

enum err store_record_space(struct store *s, const struct kind *kind, const struct record_id *id,
			    uint32_t *space, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_kind_query(s, kind, KIND_SPACE_OF, &rc, msg);
	char text[ID_TEXT_SIZE];
	int result;

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, id->bytes);
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW)
		rc = read_space(stmt, space) ? OK : damaged(s, kind, id, msg);
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
		store_query(s, present ? QUERY_CONFLICT_PUT : QUERY_CONFLICT_DELETE, &rc, msg);

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, rec->id.bytes);
	sqlite3_bind_int64(stmt, 2, rec->kind->number);
	sqlite3_bind_int64(stmt, 3, field);
	sqlite3_bind_int64(stmt, 4, space);
	return store_run(s, stmt, "mark a conflict", msg);
}

struct record_visit {
	struct store *store;
	const struct kind *kind;
	struct arena *arena;
	enum err (*each)(void *ctx, uint32_t space, const struct record *rec);
	void *ctx;
	bool skips_damaged;
	struct errmsg *msg;
};

static enum err visit_record(void *ctx, sqlite3_stmt *row)
{
	struct record_visit *v = ctx;
	struct record rec;
	enum err rc;

	arena_reset(v->arena);
	rc = read_record(v->store, row, v->kind, false, v->arena, &rec, v->msg);
	if (rc != OK)
		return v->skips_damaged && rc == ERR_CORRUPT ? OK : rc;
	return v->each(v->ctx, (uint32_t)sqlite3_column_int64(row, COLUMN_SPACE), &rec);
}

static enum err visit_all(struct store *s, const struct kind *kind, struct record_visit *v)
{
	enum err rc;
	sqlite3_stmt *stmt = store_kind_query(s, kind, KIND_ALL, &rc, v->msg);

	return rc == OK ? store_each_row(s, stmt, "read records", visit_record, v, v->msg) : rc;
}

enum err store_each_record(struct store *s, const struct kind *kind, struct arena *arena,
			   enum err (*each)(void *ctx, uint32_t space, const struct record *rec),
			   void *ctx, struct errmsg *msg)
{
	struct record_visit v = { s, kind, arena, each, ctx, false, msg };

	return visit_all(s, kind, &v);
}

enum err store_each_readable_record(struct store *s, const struct kind *kind, struct arena *arena,
				    enum err (*each)(void *ctx, uint32_t space,
						     const struct record *rec),
				    void *ctx, struct errmsg *msg)
{
	struct record_visit v = { s, kind, arena, each, ctx, true, msg };

	return visit_all(s, kind, &v);
}

enum err store_each_record_of(struct store *s, const struct kind *kind,
			      const struct id_range *range, struct arena *arena,
			      enum err (*each)(void *ctx, uint32_t space, const struct record *rec),
			      void *ctx, struct errmsg *msg)
{
	struct record_visit v = { s, kind, arena, each, ctx, false, msg };
	enum err rc;
	sqlite3_stmt *stmt = store_kind_query(s, kind, KIND_PART, &rc, msg);

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, range->after.bytes);
	bind_id(stmt, 2, range->upto.bytes);
	return store_each_row(s, stmt, "read records", visit_record, &v, msg);
}

enum err store_record_nth(struct store *s, const struct kind *kind, const struct record_id *after,
			  size_t n, struct record_id *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_kind_query(s, kind, KIND_NTH, &rc, msg);
	struct bytes id;
	int result;

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, after->bytes);
	sqlite3_bind_int64(stmt, 2, (int64_t)n);
	result = sqlite3_step(stmt);
	id = result == SQLITE_ROW ? column_bytes(stmt, 0) : bytes_of(NULL, 0);
	if (result == SQLITE_ROW && id.size == ID_BYTES &&
	    memcmp(id.data, after->bytes, ID_BYTES) > 0)
		memcpy(out->bytes, id.data, ID_BYTES);
	else if (result == SQLITE_ROW) /* whoever reads on from there would go in circles */
		rc = store_damaged(s, kind->name, msg);
	else if (result == SQLITE_DONE)
		rc = ERR_NOT_FOUND;
	else
		rc = store_error(s, result, "look for a record", msg);
	sqlite3_reset(stmt);
	return rc;
}
