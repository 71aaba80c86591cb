/* Texts with as much of their history as merging needs.
 *
 * Edits beside each other come one after the other, each in a changeset of its own, and each is
 * concurrent with much the same. So what was read for one is kept for the next. */
#include "core/store_impl.h"

#include <assert.h>
#include <stdlib.h>

#include "core/array.h"

enum {
	LOOK_EVERY = 64, /* edits */
	/* So many texts are kept, and more than one only up to about so much. */
	TEXTS_KEPT = 16,
	BYTES_KEPT = 16 << 20,
};

void store_history_free(struct store_history *h)
{
	if (!h)
		return;
	text_release(&h->text);
	free(h->numbers);
	free(h);
}

/* ---- Edits ----------------------------------------------------------------- */

struct reader {
	struct store_history *h;
	bool is_in_text; /* what is read has been done to the text already */
	struct arena arena;
	struct errmsg *msg;
};

static enum err add(struct store_history *h, const struct text_row *row, const struct text_edit *e,
		    bool is_in_text, struct arena *arena)
{
	enum err rc;

	assert(row->at == h->count);
	if (array_reserve(&h->numbers, &h->cap, h->count - h->base + 1, sizeof(*h->numbers)))
		return ERR_NOMEM;
	rc = text_row_recall(&h->text, row, e, h->base, h->numbers, is_in_text, arena);
	if (rc == OK)
		h->numbers[h->count++ - h->base] = text_history_find(&h->text.history, &row->dot);
	return rc;
}

static enum err read_row(void *ctx, const struct text_row *row)
{
	struct reader *r = ctx;
	struct text_edit e = { .text = row->text };
	enum err rc = text_edit_decode(&e, row->edit, &r->arena, r->msg);

	if (rc == OK)
		rc = add(r->h, row, &e, r->is_in_text, &r->arena);
	arena_reset(&r->arena);
	return rc;
}

/* All that there are, `count` in the end. */
static enum err read_rows(struct store_history *h, struct store *s, uint32_t count, bool is_in_text,
			  struct errmsg *msg)
{
	struct reader r = { h, is_in_text, ARENA_EMPTY, msg };
	enum err rc = store_each_text_row(s, &h->ref, h->count, &r.arena, read_row, &r, msg);

	arena_release(&r.arena);
	if (rc == OK && h->count != count)
		rc = store_damaged(s, "the list of a text's edits", msg);
	return rc;
}

static enum err read_history(struct store_history **out, struct store *s,
			     const struct text_ref *ref, uint32_t count, uint32_t reach,
			     struct bytes now, struct errmsg *msg)
{
	struct store_history *h = calloc(1, sizeof(*h));
	uint32_t length;
	enum err rc;

	if (!h)
		return ERR_NOMEM;
	h->ref = *ref;
	h->text = TEXT_EMPTY;
	rc = store_text_base(s, ref, reach, &h->base, &length, msg);
	h->count = h->looked_at = h->base;
	if (rc == OK)
		rc = h->base ? text_begin(&h->text, now, length)
			     : rope_insert(&h->text.rope, 0, now);
	if (rc == OK)
		rc = read_rows(h, s, count, true, msg);
	if (rc == OK)
		*out = h;
	else
		store_history_free(h);
	return rc;
}

/* ---- What is kept ----------------------------------------------------------- */

static bool is_of(const struct store_history *h, const struct text_ref *ref)
{
	return h->ref.space == ref->space && h->ref.kind == ref->kind &&
	       h->ref.field == ref->field && record_id_cmp(&h->ref.record, &ref->record) == 0;
}

struct store_history *store_history_find(const struct store *s, const struct text_ref *ref)
{
	struct store_history *h = s->histories;

	while (h && !is_of(h, ref))
		h = h->next;
	return h;
}

/* Out of those that are kept; NULL: it is not among them. */
static struct store_history *take(struct store *s, const struct text_ref *ref)
{
	struct store_history **at = &s->histories, *h;

	while (*at && !is_of(*at, ref))
		at = &(*at)->next;
	h = *at;
	if (h)
		*at = h->next;
	return h;
}

/* It has what an edit that reaches so far back needs. */
static bool serves(const struct store_history *h, uint32_t count, uint32_t reach)
{
	return h->count <= count && h->base <= reach;
}

/* About: what a walk needs goes by edits and runs, too. */
static size_t memory_of(const struct store_history *h)
{
	const struct text_history *t = &h->text.history;

	return sizeof(*h) + t->inserted.cap + 2 * rope_size(&h->text.rope, ROPE_BYTES) +
	       2 * t->cap * sizeof(*t->nodes) + 4 * t->run_cap * sizeof(*t->runs) +
	       t->parent_cap * sizeof(*t->parent_pool) + h->cap * sizeof(*h->numbers);
}

/* Of several that come in turns each is kept, if they are small. */
static void forget_the_oldest(struct store *s)
{
	struct store_history **at = &s->histories;
	size_t bytes = 0;

	for (unsigned i = 0; *at; i++) {
		struct store_history *h = *at;

		bytes += memory_of(h);
		if (i == 0 || (i < TEXTS_KEPT && bytes <= BYTES_KEPT)) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		store_history_free(h);
	}
}

void store_forget_histories(struct store *s)
{
	while (s->histories) {
		struct store_history *h = s->histories;

		s->histories = h->next;
		store_history_free(h);
	}
}

/* Now and then: half of it or more is needed no more. Some of what is done with each edit goes
 * through all that is there. */
static enum err is_too_much(struct store_history *h, struct store *s, uint32_t count,
			    uint32_t reach, bool *out, struct errmsg *msg)
{
	uint32_t base, length;
	enum err rc;

	*out = false;
	if (count - h->looked_at < LOOK_EVERY)
		return OK;
	h->looked_at = count;
	rc = store_text_base(s, &h->ref, reach, &base, &length, msg);
	*out = rc == OK && count - base <= (count - h->base) / 2;
	return rc;
}

/* What has seen all was done without it. */
static enum err catch_up(struct store_history *h, struct store *s, uint32_t count,
			 struct errmsg *msg)
{
	enum err rc = OK;

	if (h->count < count)
		rc = read_rows(h, s, count, false, msg);
	if (rc == OK)
		rc = text_merge(&h->text, NULL);
	return rc == ERR_CORRUPT ? store_damaged(s, "the list of a text's edits", msg) : rc;
}

enum err store_history_open(struct store_history **out, struct store *s, const struct text_ref *ref,
			    uint32_t count, uint32_t reach, struct store_body *body,
			    struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	struct store_history *kept;
	struct bytes now;
	bool is_stale = false;
	enum err rc = store_check_texts(s, msg);

	kept = rc == OK ? take(s, ref) : NULL;
	if (kept && serves(kept, count, reach))
		rc = is_too_much(kept, s, count, reach, &is_stale, msg);
	else
		is_stale = true;
	if (kept && rc == OK && !is_stale) {
		*out = kept;
		return catch_up(kept, s, count, msg);
	}
	store_history_free(kept);
	if (rc == OK)
		rc = store_body_text(body, &arena, &now);
	if (rc == OK)
		rc = read_history(out, s, ref, count, reach, now, msg);
	arena_release(&arena);
	return rc;
}

enum err store_history_add(struct store_history *h, struct text_row *row, const struct text_edit *e,
			   const struct text_sink *sink)
{
	struct arena arena = ARENA_EMPTY;
	uint32_t edit = h->text.history.count;
	enum err rc = add(h, row, e, false, &arena);

	arena_release(&arena);
	if (rc == OK)
		rc = text_merge(&h->text, sink);
	if (rc != OK)
		return rc;
	row->before = h->text.history.nodes[edit].length;
	row->after = text_history_length_after(&h->text.history, edit);
	return OK;
}

void store_history_keep(struct store_history *h, struct store *s)
{
	h->next = s->histories;
	s->histories = h;
	forget_the_oldest(s);
}
