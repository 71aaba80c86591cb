#include <stdlib.h>

#include "core/array.h"
#include "core/text_doc_impl.h"
#include "core/utf8.h"

/* How much can be taken back to get to an older version; half of it is forgotten at once. */
enum { LOG_ITEMS_MAX = 1 << 13, LOG_BYTES_MAX = 1 << 18 };

/* ---- Marks ----------------------------------------------------------------- */

static enum err add_mark(struct text_doc *d)
{
	if (array_reserve(&d->marks, &d->mark_cap, d->mark_count + 1, sizeof(*d->marks)))
		return ERR_NOMEM;
	d->marks[d->mark_count++] = (struct doc_mark){ d->text.history.count, d->log.count };
	return OK;
}

/* Is so much noted from this mark on that it is better forgotten? */
static bool is_too_long(const struct text_doc *d, size_t mark, size_t part)
{
	size_t items = d->marks[mark].items;
	size_t bytes = items < d->log.count ? d->log.text.size - d->log.items[items].first_byte : 0;

	return d->log.count - items > LOG_ITEMS_MAX / part || bytes > LOG_BYTES_MAX / part;
}

static void forget_marks(struct text_doc *d)
{
	size_t first = 0, items;

	if (!is_too_long(d, 0, 1))
		return;
	while (first + 1 < d->mark_count && is_too_long(d, first, 2))
		first++;
	items = d->marks[first].items;
	text_log_forget(&d->log, items);
	d->mark_count -= first;
	memmove(d->marks, d->marks + first, d->mark_count * sizeof(*d->marks));
	for (size_t i = 0; i < d->mark_count; i++)
		d->marks[i].items -= items;
}

const struct doc_mark *doc_find_mark(const struct text_doc *d, uint32_t edits)
{
	size_t low = 0, high = d->mark_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->marks[middle].edits <= edits)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &d->marks[low - 1] : NULL;
}

enum err doc_is_damaged(struct errmsg *msg)
{
	return errmsg_set(msg, ERR_CORRUPT, "a text's history: its edits do not fit each other");
}

/* ---- Reading edits --------------------------------------------------------- */

struct reading {
	struct text_doc *doc;
	struct arena *arena;
	struct errmsg *msg;
	bool is_anew; /* the rope has all of them already */
};

static enum err note_row(struct text_doc *d, const struct dot *dot)
{
	if (array_reserve(&d->numbers, &d->row_cap, d->row_count + 1, sizeof(*d->numbers)))
		return ERR_NOMEM;
	d->numbers[d->row_count++] = text_history_find(&d->text.history, dot);
	return OK;
}

/* It has not seen all of what is only known as a whole here: the last of that has. */
static bool is_before_base(const struct text_doc *d, const struct text_row *row)
{
	return row->reach < d->base && !row->sees_all;
}

static enum err read_row(void *ctx, const struct text_row *row)
{
	struct reading *r = ctx;
	struct text_doc *d = r->doc;
	struct text_edit e = { .text = row->text };
	enum err rc = OK;

	if (is_before_base(d, row)) {
		d->is_whole = true;
		return ERR_NOT_FOUND;
	}
	/* What was written once had no row before it was edited. */
	if (text_history_find(&d->text.history, &row->dot) == TEXT_NONE) {
		rc = text_edit_decode(&e, row->edit, r->arena, r->msg);
		if (rc == OK)
			rc = text_row_recall(&d->text, row, &e, d->base, d->numbers, r->is_anew,
					     r->arena);
	}
	return rc == OK ? note_row(d, &row->dot) : rc;
}

/* It was written once. */
static enum err read_whole(struct reading *r, const struct entry *written)
{
	struct bytes text = written->value.bytes;
	struct text_run run = { 0, (uint32_t)utf8_count(text), TEXT_INSERT };
	struct text_edit e = { 0, &run, run.count > 0, text };

	return text_recall(&r->doc->text, &written->stamp.dot, &e, NULL, 0, false, 0);
}

static enum err read_rows(struct reading *r)
{
	struct text_doc *d = r->doc;

	return store_each_text_row(d->replica->store, &d->ref, d->base + d->row_count, r->arena,
				   read_row, r, r->msg);
}

/* ---- Refreshing ------------------------------------------------------------ */

/* What all later edits have seen, the newest of it by itself: its dot names the version. */
static enum err find_base(const struct text_doc *d, uint32_t *base, uint32_t *length,
			  struct errmsg *msg)
{
	struct store *s = d->replica->store;
	uint32_t count;
	enum err rc = store_text_count(s, &d->ref, &count, msg);

	*base = *length = 0;
	if (rc == OK && !d->is_whole)
		rc = store_text_base(s, &d->ref, count, base, length, msg);
	if (rc == OK && *base > 0)
		rc = store_text_base(s, &d->ref, *base - 1, base, length, msg);
	return rc;
}

static enum err load_anew(struct reading *r)
{
	struct text_doc *d = r->doc;
	const struct entry *shown;
	struct record rec;
	struct bytes now;
	uint32_t length;
	enum err rc = store_record_load(d->replica->store, d->ref.space, d->kind, &d->ref.record,
					r->arena, &rec, r->msg);

	if (rc == OK)
		rc = find_base(d, &d->base, &length, r->msg);
	if (rc != OK)
		return rc;
	text_release(&d->text);
	text_log_release(&d->log);
	d->row_count = 0;
	d->mark_count = 0;
	r->is_anew = true;
	shown = record_shown(&rec, d->ref.field);
	now = shown ? shown->value.bytes : bytes_of("", 0);
	rc = d->base ? text_begin(&d->text, now, length) : rope_insert(&d->text.rope, 0, now);
	if (rc == OK)
		rc = read_rows(r);
	if (rc == OK && d->row_count == 0 && shown)
		rc = read_whole(r, shown);
	return rc == OK ? add_mark(d) : rc;
}

static enum err note_insert(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	struct text_doc *d = ctx;

	return text_log_note_insert(&d->log, pos, text, count);
}

static enum err note_remove(void *ctx, uint32_t pos, uint32_t count)
{
	struct text_doc *d = ctx;

	return text_log_note_remove(&d->log, &d->text.rope, pos, count);
}

static enum err take_in(struct reading *r)
{
	struct text_doc *d = r->doc;
	struct text_sink sink = { note_insert, note_remove, d };
	enum err rc = read_rows(r);

	if (rc == OK)
		rc = text_merge(&d->text, &sink);
	if (rc == OK)
		rc = add_mark(d);
	if (rc == OK)
		forget_marks(d);
	return rc;
}

static bool is_among(const struct entry *values, size_t count, const struct dot *dot)
{
	for (size_t i = 0; i < count; i++)
		if (dot_cmp(&values[i].stamp.dot, dot) == 0)
			return true;
	return false;
}

/* The register's values are the heads of the history. */
static bool agrees(const struct text_doc *d, const struct entry *values, size_t count)
{
	const struct text_history *h = &d->text.history;

	for (uint32_t i = 0; i < h->head_count; i++) {
		struct dot dot = text_history_dot(h, h->heads[i]);

		if (!is_among(values, count, &dot))
			return false;
	}
	return h->head_count == count;
}

static enum err look(struct text_doc *d, struct arena *arena, bool *changed, struct errmsg *msg)
{
	struct reading r = { d, arena, msg, false };
	struct store *s = d->replica->store;
	const struct entry *values;
	struct record rec;
	uint64_t serial;
	size_t count;
	enum err rc = store_state_serial(s, &serial, msg);

	if (rc == OK)
		rc = store_record_open(s, d->ref.space, d->kind, &d->ref.record, arena, &rec, msg);
	if (rc != OK)
		return rc;
	values = record_values(&rec, d->ref.field, &count);
	*changed = d->is_stale || d->serial != serial || !agrees(d, values, count);
	if (!*changed)
		return OK;
	d->is_stale |= d->serial != serial;
	if (!d->is_stale && (take_in(&r) || !agrees(d, values, count)))
		d->is_stale = true;
	if (d->is_stale)
		rc = load_anew(&r);
	d->serial = serial;
	d->is_stale = rc != OK;
	return rc;
}

enum err text_doc_refresh(struct text_doc *d, bool *changed, struct errmsg *msg)
{
	struct store *s = d->replica->store;
	bool is_within = store_in_transaction(s);
	struct arena arena = ARENA_EMPTY;
	enum err rc = is_within ? OK : store_begin_read(s, msg);

	if (rc == OK)
		rc = look(d, &arena, changed, msg);
	if (!is_within)
		store_rollback(s);
	arena_release(&arena);
	return rc;
}

enum err doc_settle(struct text_doc *d, struct errmsg *msg)
{
	bool changed;

	return d->is_stale ? text_doc_refresh(d, &changed, msg) : OK;
}

/* Have all of the history. */
static enum err load_whole(struct text_doc *d, struct errmsg *msg)
{
	d->is_stale |= d->base > 0;
	d->is_whole = true;
	return doc_settle(d, msg);
}

/* ---- Opening --------------------------------------------------------------- */

enum err text_doc_open(struct text_doc **out, struct replica *r, uint16_t number,
		       const struct record_id *id, uint8_t field_number, struct errmsg *msg)
{
	const struct kind *kind = schema_kind(number);
	const struct field *field = kind ? kind_field(kind, field_number) : NULL;
	struct text_doc *d;
	enum err rc;

	if (!field || field->merge != MERGE_TEXT)
		return errmsg_set(msg, ERR_INVALID, "field %u is no text", field_number);
	d = calloc(1, sizeof(*d));
	if (!d)
		return ERR_NOMEM;
	d->replica = r;
	d->kind = kind;
	d->ref = (struct text_ref){ .kind = number, .field = field_number, .record = *id };
	d->text = TEXT_EMPTY;
	d->is_stale = true;
	rc = store_record_space(r->store, kind, id, &d->ref.space, msg);
	if (rc == OK)
		rc = replica_space_id(r, d->ref.space, &d->space, msg);
	if (rc == OK)
		rc = doc_settle(d, msg);
	if (rc == OK)
		*out = d;
	else
		text_doc_close(d);
	return rc;
}

void text_doc_close(struct text_doc *d)
{
	if (!d)
		return;
	text_release(&d->text);
	text_log_release(&d->log);
	free(d->numbers);
	free(d->marks);
	free(d);
}

enum err text_doc_text(struct text_doc *d, struct text **out, struct errmsg *msg)
{
	enum err rc = load_whole(d, msg);

	if (rc == OK)
		*out = &d->text;
	return rc;
}

static enum err take_text(struct replica *r, uint16_t kind, const struct record_id *id,
			  uint8_t field, bool is_whole, struct text *out, struct errmsg *msg)
{
	struct text_doc *d = NULL;
	enum err rc = text_doc_open(&d, r, kind, id, field, msg);

	if (rc == OK && is_whole)
		rc = load_whole(d, msg);
	if (rc == OK) {
		*out = d->text;
		d->text = TEXT_EMPTY;
	}
	text_doc_close(d);
	return rc;
}

enum err replica_text(struct replica *r, uint16_t kind, const struct record_id *id, uint8_t field,
		      struct text *out, struct errmsg *msg)
{
	return take_text(r, kind, id, field, true, out, msg);
}

enum err replica_text_tail(struct replica *r, uint16_t kind, const struct record_id *id,
			   uint8_t field, struct text *out, struct errmsg *msg)
{
	return take_text(r, kind, id, field, false, out, msg);
}

enum err text_doc_read(struct text_doc *d, struct buf *out, struct errmsg *msg)
{
	const struct rope *r = &d->text.rope;
	enum err rc = doc_settle(d, msg);

	if (rc != OK)
		return rc;
	rope_read(r, 0, rope_size(r, ROPE_POINTS), out);
	return buf_check(out);
}

enum err text_doc_version(struct text_doc *d, struct buf *out, struct errmsg *msg)
{
	const struct text_history *h = &d->text.history;
	struct text_version_heads v;
	enum err rc = doc_settle(d, msg);

	if (rc != OK)
		return rc;
	v = (struct text_version_heads){ h->heads, h->head_count,
					 rope_size(&d->text.rope, ROPE_POINTS) };
	return text_version_encode(h, &v, out);
}

/* ---- The rope at another version ------------------------------------------- */

static enum err find_heads(struct text_doc *d, struct bytes name, struct arena *arena,
			   struct doc_version *out, struct errmsg *msg)
{
	enum err rc = text_version_decode(&d->text.history, name, arena, &out->heads, msg);

	out->name = name;
	return rc == OK ? text_first_lacking(&d->text, out->heads.edits, out->heads.count,
					     &out->lacks)
			: rc;
}

enum err doc_check_length(const struct doc_version *v, uint32_t length, struct errmsg *msg)
{
	if (v->heads.length == TEXT_NONE || v->heads.length == length)
		return OK;
	return errmsg_set(msg, ERR_NOT_FOUND, "something in version %.*s does not count any more",
			  (int)v->name.size, (const char *)v->name.data);
}

enum err doc_find_version(struct text_doc *d, struct bytes name, struct arena *arena,
			  struct doc_version *out, struct errmsg *msg)
{
	enum err rc = doc_settle(d, msg);

	if (rc == OK)
		rc = find_heads(d, name, arena, out, msg);
	/* It may be from before the base. */
	if (d->base == 0 || (rc == OK && doc_find_mark(d, out->lacks)) ||
	    (rc != OK && rc != ERR_NOT_FOUND))
		return rc;
	rc = load_whole(d, msg);
	return rc == OK ? find_heads(d, name, arena, out, msg) : rc;
}

static enum err way_insert(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	const struct doc_way *w = ctx;
	enum err rc = rope_has(w->rope, pos, 0) ? OK : ERR_CORRUPT;

	if (rc == OK && w->patch)
		rc = text_patch_insert(w->patch, pos, count);
	if (rc == OK && w->log)
		rc = text_log_note_insert(w->log, pos, text, count);
	return rc == OK ? rope_insert(w->rope, pos, text) : rc;
}

static enum err way_remove(void *ctx, uint32_t pos, uint32_t count)
{
	const struct doc_way *w = ctx;
	enum err rc = rope_has(w->rope, pos, count) ? OK : ERR_CORRUPT;

	if (rc == OK && w->patch)
		rc = text_patch_remove(w->patch, w->rope, pos, count);
	if (rc == OK && w->log)
		rc = text_log_note_remove(w->log, w->rope, pos, count);
	if (rc == OK)
		rope_delete(w->rope, pos, count);
	return rc;
}

struct text_sink doc_way_sink(struct doc_way *w)
{
	return (struct text_sink){ way_insert, way_remove, w };
}

enum err doc_go_back(struct text_doc *d, const struct doc_mark *mark)
{
	if (mark)
		return text_log_undo(&d->log, &d->text.rope, mark->items);
	rope_clear(&d->text.rope);
	return OK;
}
