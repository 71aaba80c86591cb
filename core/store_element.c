/* Elements of sets, lists and logs: one row each. */
#include "core/store_impl.h"

#include <stdlib.h>

/* Columns that are read, as store_tables.c creates them. */
enum {
	COLUMN_REPLICA = 4,
	COLUMN_SEQ,
	COLUMN_N,
	COLUMN_HLC,
	COLUMN_AUTHOR,
	COLUMN_VALUE,
};

static void bind_element_key(sqlite3_stmt *stmt, uint32_t space, const struct op *op,
			     uint32_t replica, uint64_t seq, uint32_t n)
{
	bind_id(stmt, 1, op->record.bytes);
	sqlite3_bind_int64(stmt, 2, op->kind);
	sqlite3_bind_int64(stmt, 3, op->field);
	sqlite3_bind_int64(stmt, 4, space);
	sqlite3_bind_int64(stmt, 5, replica);
	sqlite3_bind_int64(stmt, 6, (int64_t)seq);
	sqlite3_bind_int64(stmt, 7, n);
}

enum err store_element_add(struct store *s, uint32_t space, const struct op *op,
			   const struct stamp *stamp, const struct record_id *author,
			   struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_ELEMENT_ADD, &rc, msg);
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
	sqlite3_stmt *stmt = store_query(s, QUERY_ELEMENT_REMOVE, &rc, msg);

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
	bool is_whole = row_is_whole(stmt);
	const struct replica_id *replica =
		store_replica(s, sqlite3_column_int64(stmt, COLUMN_REPLICA));
	struct bytes author = column_bytes(stmt, COLUMN_AUTHOR);

	if (!is_whole || !replica || (author.size != 0 && author.size != ID_BYTES))
		return ERR_CORRUPT;
	*out = (struct element){ 0 };
	out->stamp.dot.replica = *replica;
	out->stamp.dot.seq = (uint64_t)sqlite3_column_int64(stmt, COLUMN_SEQ);
	out->stamp.hlc.bits = (uint64_t)sqlite3_column_int64(stmt, COLUMN_HLC);
	out->n = (uint32_t)sqlite3_column_int64(stmt, COLUMN_N);
	if (author.size == ID_BYTES)
		memcpy(out->author.bytes, author.data, ID_BYTES);
	out->value = row_value(row, COLUMN_VALUE, field);
	return row->rc;
}

static int compare_elements(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int order = stamp_cmp(&x->stamp, &y->stamp);

	return order ? order : (x->n > y->n) - (x->n < y->n);
}

enum err store_elements(struct store *s, uint32_t space, const struct kind *kind,
			const struct record_id *id, const struct field *field, struct arena *arena,
			struct element **out, size_t *count, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_ELEMENTS, &rc, msg);
	struct row row = { stmt, arena, OK };
	struct element *list = NULL;
	size_t got = 0, cap = 0;
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, id->bytes);
	sqlite3_bind_int64(stmt, 2, kind->number);
	sqlite3_bind_int64(stmt, 3, field->number);
	sqlite3_bind_int64(stmt, 4, space);
	while (rc == OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = arena_reserve(arena, &list, &cap, got + 1, sizeof(*list));
		if (rc == OK)
			rc = read_element(s, &row, field, &list[got]);
		if (rc == OK)
			got++;
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
	sqlite3_stmt *stmt = store_query(s, QUERY_ELEMENT_DOTS, &rc, msg);
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

		if (!sqlite3_column_int(stmt, 2) || replica >= s->replicas.count ||
		    got == s->replicas.count) {
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

struct newest_visit {
	const struct intern *replicas;
	enum err (*each)(void *ctx, uint32_t space, const struct dot *newest);
	void *ctx;
};

static enum err visit_newest(void *ctx, sqlite3_stmt *row)
{
	struct newest_visit *v = ctx;
	uint64_t replica = (uint64_t)sqlite3_column_int64(row, 1);
	struct dot dot = { .seq = (uint64_t)sqlite3_column_int64(row, 2) };

	if (replica >= v->replicas->count)
		return OK;
	dot.replica = v->replicas->ids[replica];
	return v->each(v->ctx, (uint32_t)sqlite3_column_int64(row, 0), &dot);
}

enum err store_each_newest_element(struct store *s,
				   enum err (*each)(void *ctx, uint32_t space,
						    const struct dot *newest),
				   void *ctx, struct errmsg *msg)
{
	struct newest_visit v = { &s->replicas, each, ctx };

	return store_each(s, QUERY_ELEMENTS_NEWEST, "read elements", visit_newest, &v, msg);
}
