/* Edits of texts that were edited more than once: one row each, numbered in the order in
 * which they were applied here. */
#include "core/store_impl.h"

#include "core/wire.h"

/* Row flags. */
enum { SEES_ALL = 1, IS_ADRIFT = 2 };

static void bind_text(sqlite3_stmt *stmt, const struct text_ref *text)
{
	bind_id(stmt, 1, text->record.bytes);
	sqlite3_bind_int64(stmt, 2, text->kind);
	sqlite3_bind_int64(stmt, 3, text->field);
	sqlite3_bind_int64(stmt, 4, text->space);
}

static void put_parents(struct buf *out, const struct text_row *row)
{
	buf_clear(out);
	wire_put_array(out, (uint32_t)row->parent_count);
	for (size_t i = 0; i < row->parent_count; i++)
		wire_put_uint(out, row->parents[i]);
}

enum err store_text_add(struct store *s, const struct text_ref *text, const struct text_row *row,
			struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_TEXT_ADD, &rc, msg);
	uint32_t replica;

	if (rc == OK)
		rc = store_intern(s, &row->dot.replica, &replica, msg);
	if (rc != OK)
		return rc;
	put_parents(&s->scratch, row);
	if (buf_check(&s->scratch))
		return ERR_NOMEM;
	bind_text(stmt, text);
	sqlite3_bind_int64(stmt, 5, row->at);
	sqlite3_bind_int64(stmt, 6, replica);
	sqlite3_bind_int64(stmt, 7, (int64_t)row->dot.seq);
	sqlite3_bind_int64(stmt, 8, row->sees_all * SEES_ALL | row->is_adrift * IS_ADRIFT);
	sqlite3_bind_int64(stmt, 9, row->reach);
	sqlite3_bind_int64(stmt, 10, row->before);
	sqlite3_bind_int64(stmt, 11, row->after);
	bind_bytes(stmt, 12, buf_bytes(&s->scratch));
	bind_bytes(stmt, 13, row->edit);
	bind_bytes(stmt, 14, row->text);
	return store_run(s, stmt, "note an edit of a text", msg);
}

/* One number, or none: ERR_NOT_FOUND. */
static enum err step_number(struct store *s, sqlite3_stmt *stmt, uint32_t *out, struct errmsg *msg)
{
	int result = sqlite3_step(stmt);
	enum err rc = OK;

	if (result == SQLITE_ROW)
		*out = (uint32_t)sqlite3_column_int64(stmt, 0);
	else
		rc = result == SQLITE_DONE ? ERR_NOT_FOUND
					   : store_error(s, result, "read edits of a text", msg);
	sqlite3_reset(stmt);
	return rc;
}

enum err store_text_find(struct store *s, const struct text_ref *text, const struct dot *dot,
			 uint32_t *at, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_TEXT_FIND, &rc, msg);
	uint32_t replica = intern_find(&s->replicas, &dot->replica);

	if (rc != OK)
		return rc;
	if (replica == UINT32_MAX)
		return ERR_NOT_FOUND;
	bind_text(stmt, text);
	sqlite3_bind_int64(stmt, 5, replica);
	sqlite3_bind_int64(stmt, 6, (int64_t)dot->seq);
	return step_number(s, stmt, at, msg);
}

enum err store_text_count(struct store *s, const struct text_ref *text, uint32_t *out,
			  struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_TEXT_NEWEST, &rc, msg);
	uint32_t newest = 0;

	if (rc != OK)
		return rc;
	bind_text(stmt, text);
	rc = step_number(s, stmt, &newest, msg);
	if (rc == OK || rc == ERR_NOT_FOUND)
		*out = rc == OK ? newest + 1 : 0;
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* As find_base() in core/text.c does it in memory. */
enum err store_text_base(struct store *s, const struct text_ref *text, uint32_t least,
			 uint32_t *base, uint32_t *length, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_TEXT_BACK, &rc, msg);
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	*base = *length = 0;
	bind_text(stmt, text);
	while (least && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint32_t at = (uint32_t)sqlite3_column_int64(stmt, 0);
		uint32_t reach = (uint32_t)sqlite3_column_int64(stmt, 2);

		if (sqlite3_column_int64(stmt, 1) & SEES_ALL && at + 1 <= least) {
			*base = at + 1;
			*length = (uint32_t)sqlite3_column_int64(stmt, 3);
			break;
		}
		least = reach < least ? reach : least;
	}
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		rc = store_error(s, result, "read edits of a text", msg);
	sqlite3_reset(stmt);
	return rc;
}

static enum err get_parents(struct bytes encoded, struct arena *arena, struct text_row *row)
{
	struct wire_reader r = wire_reader_of(encoded);
	uint32_t *parents;

	row->parent_count = wire_array(&r, UINT32_MAX);
	parents = arena_array(arena, row->parent_count, sizeof(*parents));
	if (!parents)
		return ERR_NOMEM;
	for (size_t i = 0; i < row->parent_count; i++)
		parents[i] = (uint32_t)wire_uint(&r, row->at ? row->at - 1 : 0);
	row->parents = parents;
	return wire_end(&r) == OK ? OK : ERR_CORRUPT;
}

static enum err read_text_row(struct store *s, sqlite3_stmt *stmt, struct arena *arena,
			      struct text_row *out)
{
	int64_t replica = sqlite3_column_int64(stmt, 1), flags = sqlite3_column_int64(stmt, 3);

	if (replica < 0 || replica >= s->replicas.count)
		return ERR_CORRUPT;
	*out = (struct text_row){
		.at = (uint32_t)sqlite3_column_int64(stmt, 0),
		.dot = { s->replicas.ids[replica], (uint64_t)sqlite3_column_int64(stmt, 2) },
		.sees_all = flags & SEES_ALL,
		.is_adrift = flags & IS_ADRIFT,
		.reach = (uint32_t)sqlite3_column_int64(stmt, 4),
		.before = (uint32_t)sqlite3_column_int64(stmt, 5),
		.after = (uint32_t)sqlite3_column_int64(stmt, 6),
		.edit = column_bytes(stmt, 8),
		.text = column_bytes(stmt, 9),
	};
	return get_parents(column_bytes(stmt, 7), arena, out);
}

enum err store_each_text_row(struct store *s, const struct text_ref *text, uint32_t from,
			     struct arena *arena,
			     enum err (*each)(void *ctx, const struct text_row *row), void *ctx,
			     struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_TEXT_ROWS, &rc, msg);
	struct text_row row;
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	bind_text(stmt, text);
	sqlite3_bind_int64(stmt, 5, from);
	while (rc == OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = read_text_row(s, stmt, arena, &row);
		if (rc == ERR_CORRUPT)
			rc = store_damaged(s, "an edit of a text", msg);
		if (rc == OK)
			rc = each(ctx, &row);
	}
	if (rc == OK && result != SQLITE_DONE)
		rc = store_error(s, result, "read edits of a text", msg);
	sqlite3_reset(stmt);
	return rc;
}
