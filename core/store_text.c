/* Edits of texts that were edited more than once: one row each, numbered in the order in
 * which they were applied here; older ones in packs (core/store_text_pack.c). */
#include "core/store_impl.h"

#include "core/limits.h"
#include "core/wire.h"

/* Row flags. */
enum { SEES_ALL = 1, IS_ADRIFT = 2 };

#define EDIT_MAX   (UINT32_MAX - 1) /* a number of one */
#define LENGTH_MAX INT32_MAX        /* of a text at any version */

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

/* An integer of a row, at most so large. */
static bool column_number(sqlite3_stmt *stmt, int column, uint32_t max, uint32_t *out)
{
	int64_t value = sqlite3_column_int64(stmt, column);

	*out = (uint32_t)value;
	return sqlite3_column_type(stmt, column) == SQLITE_INTEGER && value >= 0 && value <= max;
}

/* One number, or none: ERR_NOT_FOUND. */
static enum err step_number(struct store *s, sqlite3_stmt *stmt, uint32_t *out, struct errmsg *msg)
{
	int result = sqlite3_step(stmt);
	enum err rc = OK;

	if (result == SQLITE_ROW && !column_number(stmt, 0, EDIT_MAX, out))
		rc = store_damaged(s, "the list of a text's edits", msg);
	else if (result != SQLITE_ROW)
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

static enum err step_back_row(struct base_search *b, sqlite3_stmt *stmt)
{
	uint32_t at, reach, after;

	if (!column_number(stmt, 0, EDIT_MAX, &at) || !column_number(stmt, 2, at, &reach) ||
	    !column_number(stmt, 3, LENGTH_MAX, &after))
		return ERR_CORRUPT;
	step_back(b, at, sqlite3_column_int64(stmt, 1) & SEES_ALL, reach, after);
	return OK;
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
	while (rc == OK && !b->is_over && (result = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = step_back_row(b, stmt);
	if (rc == ERR_CORRUPT)
		rc = store_damaged(s, "an edit of a text", msg);
	else if (result != SQLITE_ROW && result != SQLITE_DONE)
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

	row->parent_count = wire_array(&r, row->at);
	parents = arena_array(arena, row->parent_count, sizeof(*parents));
	if (!parents)
		return ERR_NOMEM;
	for (size_t i = 0; i < row->parent_count; i++)
		parents[i] = (uint32_t)wire_uint(&r, row->at - 1);
	row->parents = parents;
	return wire_end(&r) == OK ? OK : ERR_CORRUPT;
}

/* It is as an edit must be, and does what the lengths say. */
static enum err check_edit(const struct text_row *row, struct arena *arena)
{
	struct text_event e = { .edit.text = row->text,
				.before = row->before,
				.is_adrift = row->is_adrift };
	enum err rc = text_edit_decode(&e.edit, row->edit, arena, NULL);

	if (rc == OK)
		rc = text_edit_validate(&e.edit, NULL);
	if (rc == OK && text_event_after(&e) != row->after)
		rc = ERR_CORRUPT;
	return rc == OK || rc == ERR_NOMEM ? rc : ERR_CORRUPT;
}

static enum err read_text_row(struct store *s, sqlite3_stmt *stmt, struct arena *arena,
			      struct text_row *out)
{
	const struct replica_id *replica = store_replica(s, sqlite3_column_int64(stmt, 1));
	int64_t flags = sqlite3_column_int64(stmt, 3);
	struct text_row row = { .sees_all = flags & SEES_ALL, .is_adrift = flags & IS_ADRIFT };
	enum err rc;

	if (!replica || !column_number(stmt, 0, EDIT_MAX, &row.at) ||
	    !column_number(stmt, 4, row.at, &row.reach) ||
	    !column_number(stmt, 5, LENGTH_MAX, &row.before) ||
	    !column_number(stmt, 6, LENGTH_MAX, &row.after))
		return ERR_CORRUPT;
	row.dot.replica = *replica;
	row.dot.seq = (uint64_t)sqlite3_column_int64(stmt, 2);
	if (row.dot.seq > SEQ_MAX)
		return ERR_CORRUPT;
	row.edit = column_bytes(stmt, 8);
	row.text = column_bytes(stmt, 9);
	rc = get_parents(column_bytes(stmt, 7), arena, &row);
	if (rc == OK)
		rc = check_edit(&row, arena);
	if (rc == OK)
		*out = row;
	return rc;
}

typedef enum err each_row(void *ctx, const struct text_row *row);

/* Edits [next, last], none of which may be missing before another one. */
struct row_walk {
	struct store *store;
	const struct text_ref *text;
	uint32_t next, last;
	struct arena *arena;
	each_row *each;
	void *ctx;
	struct errmsg *msg;
};

static enum err visit(struct row_walk *w, const struct text_row *row)
{
	if (row->at != w->next++)
		return store_damaged(w->store, "the list of a text's edits", w->msg);
	return w->each(w->ctx, row);
}

static enum err packed_row(struct row_walk *w, const struct text_event *e, uint32_t at,
			   struct buf *edit)
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
	return buf_check(edit) == OK ? visit(w, &row) : ERR_NOMEM;
}

static enum err each_packed_row(struct row_walk *w, uint32_t first)
{
	struct buf edit = BUF_EMPTY;
	struct pack_walk p;
	enum err rc = OK, end;

	pack_walk_begin(&p, w->store, w->text, first, w->msg);
	while (rc == OK && pack_walk_next(&p) && p.first <= w->last)
		for (size_t i = 0; i < p.count && rc == OK; i++) {
			uint32_t at = p.first + (uint32_t)i;

			if (at >= first && at <= w->last)
				rc = packed_row(w, &p.events[i], at, &edit);
		}
	end = pack_walk_end(&p);
	buf_release(&edit);
	return rc == OK ? end : rc;
}

static enum err each_loose_row(struct row_walk *w, uint32_t first)
{
	struct store *s = w->store;
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_TEXT_ROWS, &rc, w->msg);
	struct text_row row;
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	bind_text(stmt, w->text);
	sqlite3_bind_int64(stmt, 5, first);
	sqlite3_bind_int64(stmt, 6, w->last);
	while (rc == OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = read_text_row(s, stmt, w->arena, &row);
		if (rc == ERR_CORRUPT)
			rc = store_damaged(s, "an edit of a text", w->msg);
		if (rc == OK)
			rc = visit(w, &row);
	}
	if (rc == OK && result != SQLITE_DONE)
		rc = store_error(s, result, "read edits of a text", w->msg);
	sqlite3_reset(stmt);
	return rc;
}

enum err store_each_text_row_in(struct store *s, const struct text_ref *text, uint32_t first,
				uint32_t last, struct arena *arena, each_row *each, void *ctx,
				struct errmsg *msg)
{
	struct row_walk w = { s, text, first, last, arena, each, ctx, msg };
	enum err rc = each_packed_row(&w, first);

	return rc == OK ? each_loose_row(&w, first) : rc;
}

enum err store_each_text_row(struct store *s, const struct text_ref *text, uint32_t from,
			     struct arena *arena, each_row *each, void *ctx, struct errmsg *msg)
{
	return store_each_text_row_in(s, text, from, UINT32_MAX, arena, each, ctx, msg);
}

enum err text_row_recall(struct text *t, const struct text_row *row, const struct text_edit *e,
			 uint32_t base, const uint32_t *numbers, bool is_done, struct arena *arena)
{
	uint32_t *parents = arena_array(arena, row->parent_count, sizeof(*parents));

	if (!parents)
		return ERR_NOMEM;
	for (size_t i = 0; i < row->parent_count; i++)
		parents[i] = row->parents[i] < base ? 0 : numbers[row->parents[i] - base];
	if (is_done)
		return text_recall(t, &row->dot, e, parents, row->parent_count, row->is_adrift,
				   row->before);
	return text_history_add(&t->history, &row->dot, e, parents, row->parent_count,
				row->is_adrift);
}
