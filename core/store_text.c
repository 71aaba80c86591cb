/* Edits of texts that were edited more than once: one row each, numbered in the order in
 * which they were applied here; older ones in packs (core/store_text_pack.c). */
#include "core/store_impl.h"

#include "core/wire.h"

/* Row flags. */
enum { SEES_ALL = 1, IS_ADRIFT = 2 };

void bind_text(sqlite3_stmt *stmt, const struct text_ref *text)
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
	rc = store_run(s, stmt, "note an edit of a text", msg);
	return rc == OK ? store_text_fold(s, text, row->at + 1, msg) : rc;
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

/* In one walk over the packs: an edit may name many that are in none. */
static enum err find_packed(struct store *s, const struct text_ref *text, const struct dot *dots,
			    size_t count, size_t missing, uint32_t *at, struct errmsg *msg)
{
	struct pack_walk w;

	pack_walk_begin_back(&w, s, text, msg);
	while (missing && pack_walk_next(&w))
		for (size_t i = w.count; i-- > 0 && missing;)
			for (size_t k = 0; k < count; k++)
				if (at[k] == UINT32_MAX &&
				    dot_cmp(&w.events[i].dot, &dots[k]) == 0) {
					at[k] = w.first + (uint32_t)i;
					missing--;
				}
	return pack_walk_end(&w);
}

static enum err find_row(struct store *s, const struct text_ref *text, const struct dot *dot,
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

enum err store_text_find(struct store *s, const struct text_ref *text, const struct dot *dots,
			 size_t count, uint32_t *at, struct errmsg *msg)
{
	size_t missing = 0;

	for (size_t i = 0; i < count; i++) {
		enum err rc = find_row(s, text, &dots[i], &at[i], msg);

		if (rc == ERR_NOT_FOUND) {
			at[i] = UINT32_MAX;
			missing++;
		} else if (rc != OK) {
			return rc;
		}
	}
	return missing ? find_packed(s, text, dots, count, missing, at, msg) : OK;
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
	if (rc == ERR_NOT_FOUND) /* and so there are none: the newest have a row each */
		*out = 0;
	else if (rc == OK)
		*out = newest + 1;
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* As find_base() in core/text.c does it in memory: from the newest edit back. */
struct base_search {
	uint32_t least, base, length;
	bool is_over;
};

static void step_back(struct base_search *b, uint32_t at, bool sees_all, uint32_t reach,
		      uint32_t after)
{
	if (sees_all && at + 1 <= b->least) {
		b->base = at + 1;
		b->length = after;
		b->is_over = true;
	}
	b->least = reach < b->least ? reach : b->least;
	b->is_over |= b->least == 0;
}

static enum err search_rows(struct store *s, const struct text_ref *text, struct base_search *b,
			    struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_TEXT_BACK, &rc, msg);
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	bind_text(stmt, text);
	while (!b->is_over && (result = sqlite3_step(stmt)) == SQLITE_ROW)
		step_back(b, (uint32_t)sqlite3_column_int64(stmt, 0),
			  sqlite3_column_int64(stmt, 1) & SEES_ALL,
			  (uint32_t)sqlite3_column_int64(stmt, 2),
			  (uint32_t)sqlite3_column_int64(stmt, 3));
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		rc = store_error(s, result, "read edits of a text", msg);
	sqlite3_reset(stmt);
	return rc;
}

static uint32_t event_reach(const struct text_event *e)
{
	return e->parent_count ? e->parents[0] + 1 : 0;
}

static enum err search_packs(struct store *s, const struct text_ref *text, struct base_search *b,
			     struct errmsg *msg)
{
	struct pack_walk w;

	pack_walk_begin_back(&w, s, text, msg);
	while (!b->is_over && pack_walk_next(&w))
		for (size_t i = w.count; i-- > 0 && !b->is_over;)
			step_back(b, w.first + (uint32_t)i, w.events[i].sees_all,
				  event_reach(&w.events[i]), text_event_after(&w.events[i]));
	return pack_walk_end(&w);
}

enum err store_text_base(struct store *s, const struct text_ref *text, uint32_t least,
			 uint32_t *base, uint32_t *length, struct errmsg *msg)
{
	struct base_search b = { .least = least, .is_over = least == 0 };
	enum err rc = search_rows(s, text, &b, msg);

	if (rc == OK && !b.is_over)
		rc = search_packs(s, text, &b, msg);
	if (rc == OK) {
		*base = b.base;
		*length = b.length;
	}
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
	const struct replica_id *replica = store_replica(s, sqlite3_column_int64(stmt, 1));
	int64_t flags = sqlite3_column_int64(stmt, 3);

	if (!replica)
		return ERR_CORRUPT;
	*out = (struct text_row){
		.at = (uint32_t)sqlite3_column_int64(stmt, 0),
		.dot = { *replica, (uint64_t)sqlite3_column_int64(stmt, 2) },
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

typedef enum err each_row(void *ctx, const struct text_row *row);

static enum err packed_row(const struct text_event *e, uint32_t at, struct buf *edit,
			   each_row *each, void *ctx)
{
	struct text_row row = { .at = at,
				.dot = e->dot,
				.sees_all = e->sees_all,
				.is_adrift = e->is_adrift,
				.reach = event_reach(e),
				.before = e->before,
				.after = text_event_after(e),
				.parents = e->parents,
				.parent_count = e->parent_count,
				.text = e->edit.text };

	buf_clear(edit);
	text_edit_encode(edit, &e->edit);
	row.edit = buf_bytes(edit);
	return buf_check(edit) == OK ? each(ctx, &row) : ERR_NOMEM;
}

static enum err each_packed_row(struct store *s, const struct text_ref *text, uint32_t first,
				uint32_t last, each_row *each, void *ctx, struct errmsg *msg)
{
	struct buf edit = BUF_EMPTY;
	struct pack_walk w;
	enum err rc = OK, end;

	pack_walk_begin(&w, s, text, first, msg);
	while (rc == OK && pack_walk_next(&w) && w.first <= last)
		for (size_t i = 0; i < w.count && rc == OK; i++) {
			uint32_t at = w.first + (uint32_t)i;

			if (at >= first && at <= last)
				rc = packed_row(&w.events[i], at, &edit, each, ctx);
		}
	end = pack_walk_end(&w);
	buf_release(&edit);
	return rc == OK ? end : rc;
}

static enum err each_loose_row(struct store *s, const struct text_ref *text, uint32_t first,
			       uint32_t last, struct arena *arena, each_row *each, void *ctx,
			       struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_TEXT_ROWS, &rc, msg);
	struct text_row row;
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	bind_text(stmt, text);
	sqlite3_bind_int64(stmt, 5, first);
	sqlite3_bind_int64(stmt, 6, last);
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

enum err store_each_text_row_in(struct store *s, const struct text_ref *text, uint32_t first,
				uint32_t last, struct arena *arena, each_row *each, void *ctx,
				struct errmsg *msg)
{
	enum err rc = each_packed_row(s, text, first, last, each, ctx, msg);

	return rc == OK ? each_loose_row(s, text, first, last, arena, each, ctx, msg) : rc;
}

enum err store_each_text_row(struct store *s, const struct text_ref *text, uint32_t from,
			     struct arena *arena, each_row *each, void *ctx, struct errmsg *msg)
{
	return store_each_text_row_in(s, text, from, UINT32_MAX, arena, each, ctx, msg);
}
