#include "core/text_reread.h"

#include <stdlib.h>

#include "core/limits.h"

struct reread {
	struct text *text;
	struct bytes now;
	uint32_t base;     /* edits before it have been read by all from it on */
	uint64_t *read_by; /* by edit from `base` on: a bit for each reader */
	uint64_t all;      /* readers; 0: more than can be told apart */
	struct text_touch *touches;
	size_t touch_count, touch_cap;
	uint32_t pos;             /* code points that were visited */
	struct text_touch *noted; /* of one sentence; as many */
	enum err rc;
};

/* ---- Who has read what ----------------------------------------------------- */

/* Readers are the edits that no other one has read. A join is no edit: nobody has had before
 * him what it joins. */
static enum err find_readers(struct reread *r)
{
	const struct text_history *h = &r->text->history;
	uint32_t count = 0;

	r->read_by = calloc(h->count - r->base + 1, sizeof(*r->read_by));
	if (!r->read_by)
		return ERR_NOMEM;
	for (uint32_t edit = h->count; edit-- > r->base && count <= TEXT_READERS_MAX;) {
		const uint32_t *parents = text_node_parents(h, edit);
		uint64_t *by = &r->read_by[edit - r->base];

		if (!*by && !h->nodes[edit].is_join && count++ < TEXT_READERS_MAX)
			*by = UINT64_C(1) << (count - 1);
		for (uint32_t k = 0; k < h->nodes[edit].parent_count; k++)
			if (parents[k] >= r->base)
				r->read_by[parents[k] - r->base] |= *by;
	}
	r->all = count > TEXT_READERS_MAX ? 0 : UINT64_MAX >> (TEXT_READERS_MAX - count);
	return OK;
}

static bool is_read_by_all(const struct reread *r, uint32_t edit)
{
	return edit == TEXT_NONE || edit < r->base ||
	       (r->all && r->read_by[edit - r->base] == r->all);
}

/* ---- Who has touched what -------------------------------------------------- */

static bool add_touch(struct reread *r, uint32_t from, uint32_t to, uint32_t deleted, uint32_t edit)
{
	const struct rope *rope = &r->text->rope;
	struct text_touch *t;

	if (is_read_by_all(r, edit))
		return true;
	if (r->touch_count == r->touch_cap) {
		size_t cap = r->touch_cap ? 2 * r->touch_cap : 64;
		struct text_touch *grown = realloc(r->touches, cap * sizeof(*grown));

		if (!grown) {
			r->rc = ERR_NOMEM;
			return false;
		}
		r->touches = grown;
		r->touch_cap = cap;
	}
	t = &r->touches[r->touch_count++];
	t->from = rope_convert(rope, from, ROPE_POINTS, ROPE_BYTES);
	t->to = from == to ? t->from : rope_convert(rope, to, ROPE_POINTS, ROPE_BYTES);
	t->deleted = deleted;
	t->edit = edit;
	t->readers = r->all ? r->read_by[edit - r->base] : 0;
	return true;
}

static bool note_inserted(void *ctx, uint32_t count, uint32_t edit)
{
	struct reread *r = ctx;
	uint32_t from = r->pos;

	r->pos += count;
	return add_touch(r, from, r->pos, 0, edit);
}

static bool note_deleted(void *ctx, uint32_t pos, uint32_t count, uint32_t edit, uint32_t of)
{
	return edit == of || add_touch(ctx, pos, pos, count, edit);
}

static int by_place(const void *a, const void *b)
{
	const struct text_touch *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->edit > y->edit) - (x->edit < y->edit);
}

static enum err find_touches(struct reread *r)
{
	text_walk_each(&r->text->walk, note_inserted, r);
	if (r->rc == OK)
		text_walk_each_loss(&r->text->walk, note_deleted, r);
	if (r->touch_count)
		qsort(r->touches, r->touch_count, sizeof(*r->touches), by_place);
	return r->rc;
}

/* ---- Sentences ------------------------------------------------------------- */

static bool touches(const struct text_touch *t, const struct sentence *s)
{
	if (t->from == t->to)
		return s->from <= t->from && t->to <= s->to;
	return t->from < s->to && s->from < t->to;
}

/* Those that touch the sentence, of touches from `first` on. */
static void gather(struct reread *r, size_t first, struct reread_note *note)
{
	note->touches = r->noted;
	for (size_t i = first; i < r->touch_count && r->touches[i].from <= note->sentence.to; i++)
		if (touches(&r->touches[i], &note->sentence))
			r->noted[note->touch_count++] = r->touches[i];
}

static bool has_reader(const struct reread *r, const struct reread_note *note)
{
	uint64_t readers = r->all;
	bool is_of_one = true;

	for (size_t i = 0; i < note->touch_count; i++) {
		readers &= note->touches[i].readers;
		is_of_one &= note->touches[i].edit == note->touches[0].edit;
	}
	return readers || is_of_one;
}

/* Sentence by sentence, but for lines that nobody has touched. */
static void each_note(struct reread *r, text_reread_visit *visit, void *ctx)
{
	size_t at = 0, first = 0;
	bool goes_on = true;

	while (goes_on && first < r->touch_count) {
		struct reread_note note = { .touch_count = 0 };

		at = sentence_line(r->now, at, r->touches[first].from);
		if (!sentence_next(r->now, &at, &note.sentence))
			break;
		while (first < r->touch_count && r->touches[first].to < note.sentence.from)
			first++;
		gather(r, first, &note);
		if (has_reader(r, &note))
			continue;
		note.pos = rope_convert(&r->text->rope, (uint32_t)note.sentence.from, ROPE_BYTES,
					ROPE_POINTS);
		goes_on = visit(ctx, &note);
	}
}

static bool has_one_reader(const struct text_history *h)
{
	return h->head_count == 0 || (h->head_count == 1 && !h->nodes[h->heads[0]].is_join);
}

enum err text_reread(struct text *t, struct bytes now, text_reread_visit *visit, void *ctx)
{
	struct reread r = { .text = t, .now = now };
	enum err rc;

	if (has_one_reader(&t->history))
		return OK;
	rc = text_replay_tail(t, &r.base);
	if (rc == OK)
		rc = find_readers(&r);
	if (rc == OK)
		rc = find_touches(&r);
	r.noted = rc == OK ? malloc((r.touch_count + 1) * sizeof(*r.noted)) : NULL;
	if (rc == OK && !r.noted)
		rc = ERR_NOMEM;
	if (rc == OK)
		each_note(&r, visit, ctx);
	free(r.read_by);
	free(r.touches);
	free(r.noted);
	return rc;
}
