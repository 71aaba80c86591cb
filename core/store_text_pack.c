/* Older edits of a text lie in packs (core/text_pack.h): a row for many.
 *
 * The newest FOLD_EDITS edits, and up to as many more, have a row each. When there are as many
 * more, these are folded into a pack; with every eighth such pack eight become one, and with
 * every 64th once more. So an edit is packed three times at the most, and a text of any length
 * has few packs. Small ones alone are put together: what is packed at once is bounded. */
#include "core/store_impl.h"

#include <sodium.h>
#include <stdlib.h>

enum {
	FOLD_EDITS = 256,
	FOLD_FANOUT = 8,
	FOLD_SPAN_MAX = FOLD_FANOUT * FOLD_FANOUT,
	FOLD_BYTES_MAX = 256 << 10, /* of edits as in their rows, unless it is a single one */
	HASH_BYTES = crypto_generichash_BYTES_MIN,
};

/* ---- Reading ---------------------------------------------------------------- */

static void begin_walk(struct pack_walk *w, struct store *s, enum query which, struct errmsg *msg)
{
	*w = (struct pack_walk){ .store = s, .msg = msg, .arena = ARENA_EMPTY };
	w->stmt = store_query(s, which, &w->rc, msg);
}

void pack_walk_begin(struct pack_walk *w, struct store *s, const struct text_ref *text,
		     uint32_t from, struct errmsg *msg)
{
	begin_walk(w, s, QUERY_PACKS, msg);
	if (w->rc != OK)
		return;
	bind_text(w->stmt, text);
	sqlite3_bind_int64(w->stmt, 5, from);
}

void pack_walk_begin_back(struct pack_walk *w, struct store *s, const struct text_ref *text,
			  struct errmsg *msg)
{
	begin_walk(w, s, QUERY_PACKS_BACK, msg);
	if (w->rc == OK)
		bind_text(w->stmt, text);
}

static void hash_pack(struct bytes pack, uint8_t out[HASH_BYTES])
{
	crypto_generichash(out, HASH_BYTES, pack.data, pack.size, NULL, 0);
}

/* The row is what was written, and holds the edits that it says. */
static enum err read_pack(struct pack_walk *w)
{
	int64_t first = sqlite3_column_int64(w->stmt, 0), last = sqlite3_column_int64(w->stmt, 1);
	struct bytes hash = column_bytes(w->stmt, 2), pack = column_bytes(w->stmt, 3);
	uint8_t expected[HASH_BYTES];
	enum err rc;

	hash_pack(pack, expected);
	if (!bytes_equal(hash, bytes_of(expected, HASH_BYTES)) || first < 0 || last < first ||
	    last >= UINT32_MAX)
		return ERR_CORRUPT;
	w->first = (uint32_t)first;
	rc = text_pack_decode(pack, w->first, &w->arena, &w->events, &w->count, NULL);
	if (rc == OK && w->count != (size_t)(last - first + 1))
		rc = ERR_CORRUPT;
	return rc == OK || rc == ERR_NOMEM ? rc : ERR_CORRUPT;
}

bool pack_walk_next(struct pack_walk *w)
{
	int result;

	if (w->rc != OK)
		return false;
	arena_reset(&w->arena);
	result = sqlite3_step(w->stmt);
	if (result == SQLITE_DONE)
		return false;
	w->rc = result == SQLITE_ROW
			? read_pack(w)
			: store_error(w->store, result, "read edits of a text", w->msg);
	if (w->rc == ERR_CORRUPT && result == SQLITE_ROW)
		store_damaged(w->store, "a pack of a text's edits", w->msg);
	return w->rc == OK;
}

enum err pack_walk_end(struct pack_walk *w)
{
	if (w->stmt)
		sqlite3_reset(w->stmt);
	arena_release(&w->arena);
	return w->rc;
}

/* ---- What is to be folded ----------------------------------------------------- */

/* A row or a pack. */
struct unit {
	uint32_t first, last;
	uint64_t size;
	bool is_pack;
};

struct fold {
	struct store *store;
	const struct text_ref *text;
	uint32_t from, upto; /* edits [from, upto) */
	struct unit *units;
	size_t count;
	bool is_pack; /* what is listed just now */
	struct text_event *events;
	size_t event_count;
	struct arena arena;
	struct errmsg *msg;
};

static enum err note_unit(void *ctx, sqlite3_stmt *row)
{
	struct fold *f = ctx;

	if (f->count == f->upto - f->from)
		return store_damaged(f->store, "the list of a text's edits", f->msg);
	f->units[f->count++] = (struct unit){ (uint32_t)sqlite3_column_int64(row, 0),
					      (uint32_t)sqlite3_column_int64(row, 1),
					      (uint64_t)sqlite3_column_int64(row, 2), f->is_pack };
	return OK;
}

static enum err list_units(struct fold *f, enum query which)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(f->store, which, &rc, f->msg);

	if (rc != OK)
		return rc;
	bind_text(stmt, f->text);
	sqlite3_bind_int64(stmt, 5, f->from);
	sqlite3_bind_int64(stmt, 6, f->upto - 1);
	return store_each_row(f->store, stmt, "list edits of a text", note_unit, f, f->msg);
}

/* Every edit is in one of them, and in one only. */
static enum err check_units(const struct fold *f)
{
	uint32_t next = f->from;

	for (size_t i = 0; i < f->count; i++) {
		const struct unit *u = &f->units[i];

		if (u->first != next || u->last < u->first || u->last >= f->upto)
			return store_damaged(f->store, "the list of a text's edits", f->msg);
		next = u->last + 1;
	}
	return next == f->upto ? OK : store_damaged(f->store, "the list of a text's edits", f->msg);
}

/* ---- Folding ------------------------------------------------------------------ */

/* Parents ascend in a pack; in an op they stand in the order of dots. */
static uint32_t *sort_parents(const struct text_row *row, struct arena *arena)
{
	uint32_t *out = arena_array(arena, row->parent_count, sizeof(*out));

	for (size_t i = 0; out && i < row->parent_count; i++) {
		size_t at = i;

		for (; at > 0 && out[at - 1] > row->parents[i]; at--)
			out[at] = out[at - 1];
		out[at] = row->parents[i];
	}
	return out;
}

static enum err note_event(void *ctx, const struct text_row *row)
{
	struct fold *f = ctx;
	struct text_event *e = &f->events[f->event_count++];
	enum err rc;

	*e = (struct text_event){ .dot = row->dot,
				  .parents = sort_parents(row, &f->arena),
				  .parent_count = row->parent_count,
				  .before = row->before,
				  .sees_all = row->sees_all,
				  .is_adrift = row->is_adrift };
	e->edit.text = arena_copy(&f->arena, row->text);
	if (!e->parents || !e->edit.text.data)
		return ERR_NOMEM;
	rc = text_edit_decode(&e->edit, row->edit, &f->arena, NULL);
	return rc == OK || rc == ERR_NOMEM ? rc
					   : store_damaged(f->store, "an edit of a text", f->msg);
}

static enum err delete_edits(struct fold *f, enum query which, uint32_t first, uint32_t last)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(f->store, which, &rc, f->msg);

	if (rc != OK)
		return rc;
	bind_text(stmt, f->text);
	sqlite3_bind_int64(stmt, 5, first);
	sqlite3_bind_int64(stmt, 6, last);
	return store_run(f->store, stmt, "fold edits of a text", f->msg);
}

static enum err add_pack(struct fold *f, uint32_t first, uint32_t last, uint64_t size,
			 struct bytes pack)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(f->store, QUERY_PACK_ADD, &rc, f->msg);
	uint8_t hash[HASH_BYTES];

	if (rc != OK)
		return rc;
	hash_pack(pack, hash);
	bind_text(stmt, f->text);
	sqlite3_bind_int64(stmt, 5, last);
	sqlite3_bind_int64(stmt, 6, first);
	sqlite3_bind_int64(stmt, 7, (int64_t)size);
	bind_bytes(stmt, 8, bytes_of(hash, sizeof(hash)));
	bind_bytes(stmt, 9, pack);
	return store_run(f->store, stmt, "fold edits of a text", f->msg);
}

/* Units in a row become a pack. */
static enum err fold_units(struct fold *f, const struct unit *units, size_t count, uint64_t size)
{
	uint32_t first = units[0].first, last = units[count - 1].last;
	struct buf pack = BUF_EMPTY;
	enum err rc = OK;

	arena_reset(&f->arena);
	f->event_count = 0;
	f->events = arena_array(&f->arena, last - first + 1, sizeof(*f->events));
	if (!f->events)
		return ERR_NOMEM;
	rc = store_each_text_row_in(f->store, f->text, first, last, &f->arena, note_event, f,
				    f->msg);
	if (rc == OK && f->event_count != last - first + 1)
		rc = store_damaged(f->store, "the list of a text's edits", f->msg);
	if (rc == OK)
		rc = text_pack_encode(&pack, first, f->events, f->event_count);
	if (rc == ERR_INVALID || rc == ERR_LIMIT)
		rc = store_damaged(f->store, "an edit of a text", f->msg);
	if (rc == OK)
		rc = delete_edits(f, QUERY_PACK_DELETE, first, last);
	if (rc == OK)
		rc = delete_edits(f, QUERY_TEXT_DELETE, first, last);
	if (rc == OK)
		rc = add_pack(f, first, last, size, buf_bytes(&pack));
	buf_release(&pack);
	return rc;
}

/* As many units to a pack as are small together. */
static enum err fold_all(struct fold *f)
{
	enum err rc = OK;

	for (size_t i = 0, end; i < f->count && rc == OK; i = end) {
		uint64_t size = f->units[i].size;

		for (end = i + 1; end < f->count && size + f->units[end].size <= FOLD_BYTES_MAX;
		     end++)
			size += f->units[end].size;
		if (end > i + 1 || !f->units[i].is_pack)
			rc = fold_units(f, &f->units[i], end - i, size);
	}
	return rc;
}

static enum err fold(struct fold *f)
{
	enum err rc;

	f->units = calloc(f->upto - f->from, sizeof(*f->units));
	if (!f->units)
		return ERR_NOMEM;
	f->is_pack = true;
	rc = list_units(f, QUERY_PACK_SIZES);
	f->is_pack = false;
	if (rc == OK)
		rc = list_units(f, QUERY_TEXT_SIZES);
	if (rc == OK)
		rc = check_units(f);
	if (rc == OK)
		rc = fold_all(f);
	free(f->units);
	arena_release(&f->arena);
	return rc;
}

enum err store_text_fold(struct store *s, const struct text_ref *text, uint32_t count,
			 struct errmsg *msg)
{
	struct fold f = { .store = s, .text = text, .arena = ARENA_EMPTY, .msg = msg };
	uint32_t folds = count / FOLD_EDITS - 1, span = 1;

	if (count % FOLD_EDITS || folds == 0 || count == 0)
		return OK;
	while (span < FOLD_SPAN_MAX && folds % (span * FOLD_FANOUT) == 0)
		span *= FOLD_FANOUT;
	f.upto = folds * FOLD_EDITS;
	f.from = f.upto - span * FOLD_EDITS;
	return fold(&f);
}
