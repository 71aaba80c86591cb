#include "core/text_reread.h"

#include <stdlib.h>

#include "core/array.h"
#include "core/limits.h"
#include "core/sentence.h"
#include "core/utf8.h"

struct reread {
	struct text *text;
	uint32_t base;     /* edits before it have been read by all from it on */
	uint64_t *read_by; /* by edit from `base` on: a bit for each reader */
	uint64_t all;      /* readers; 0: more than can be told apart */
	struct text_touch *touches;
	size_t touch_count, touch_cap;
	struct text_touch *noted; /* of one sentence; as many */
	uint32_t pos;             /* code points that were visited */
	struct window {
		struct buf text;
		uint32_t from, to; /* of the text, in code points */
		uint32_t pos;      /* one that was asked for */
		size_t place;      /* and where it is */
	} window;
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

static bool add_touch(struct reread *r, const struct text_touch *touch)
{
	if (is_read_by_all(r, touch->edit))
		return true;
	if (array_reserve(&r->touches, &r->touch_cap, r->touch_count + 1, sizeof(*r->touches))) {
		r->rc = ERR_NOMEM;
		return false;
	}
	r->touches[r->touch_count] = *touch;
	if (r->all)
		r->touches[r->touch_count].readers = r->read_by[touch->edit - r->base];
	r->touch_count++;
	return true;
}

static bool note_inserted(void *ctx, uint32_t count, uint32_t edit)
{
	struct reread *r = ctx;
	uint32_t from = r->pos;

	r->pos += count;
	return add_touch(r, &(struct text_touch){ from, r->pos, .edit = edit });
}

static bool note_deleted(void *ctx, uint32_t pos, uint32_t count, uint32_t edit, uint32_t of)
{
	return edit == of || add_touch(ctx, &(struct text_touch){ pos, pos, count, edit, 0 });
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

/* ---- The text --------------------------------------------------------------- */

enum { CHUNK_POINTS = 64, WINDOW_POINTS = 1024 };

/* Code points [from, to), until others are asked for: questions come close to each other, so
 * some more are read at once. */
static enum err read_text(struct reread *r, uint32_t from, uint32_t to, struct bytes *out)
{
	struct window *w = &r->window;
	uint32_t size = rope_size(&r->text->rope, ROPE_POINTS);

	if (from < w->from || to > w->to) {
		w->from = w->pos = from;
		w->place = 0;
		w->to = size - from > WINDOW_POINTS ? from + WINDOW_POINTS : size;
		if (w->to < to)
			w->to = to;
		buf_clear(&w->text);
		rope_read(&r->text->rope, w->from, w->to - w->from, &w->text);
		if (buf_check(&w->text))
			return ERR_NOMEM;
	}
	if (from < w->pos) {
		w->pos = w->from;
		w->place = 0;
	}
	for (; w->pos < from; w->pos++)
		w->place += utf8_size(w->text.data[w->place]);
	*out = bytes_of(w->text.data + w->place, 0);
	for (uint32_t i = from; i < to; i++)
		out->size += utf8_size(out->data[out->size]);
	return OK;
}

static uint32_t points_before(struct bytes text, size_t place)
{
	return (uint32_t)utf8_count(bytes_of(text.data, place));
}

/* The first place after `from` where certainly no sentence goes on, or `to`, if none is before
 * that. (One more code point is read than a chunk has: the neighbour of its last place.) */
static enum err find_break(struct reread *r, uint32_t from, uint32_t to, uint32_t *out)
{
	for (; from < to; from += CHUNK_POINTS) {
		uint32_t end = to - from > CHUNK_POINTS ? from + CHUNK_POINTS + 1 : to;
		struct bytes text;
		size_t place;

		if (read_text(r, from, end, &text))
			return ERR_NOMEM;
		place = sentence_first_break(text);
		if (place) {
			*out = from + points_before(text, place);
			return OK;
		}
		if (end == to)
			break;
	}
	*out = to;
	return OK;
}

/* The last one before `to`, or the beginning. */
static enum err find_break_before(struct reread *r, uint32_t to, uint32_t *out)
{
	while (to > 1) {
		uint32_t from = to > CHUNK_POINTS ? to - CHUNK_POINTS : 0;
		struct bytes text;
		size_t place;

		if (read_text(r, from, to, &text))
			return ERR_NOMEM;
		place = sentence_last_break(text);
		if (place) {
			*out = from + points_before(text, place);
			return OK;
		}
		to = from ? from + 1 : 0;
	}
	*out = 0;
	return OK;
}

/* ---- Sentences ------------------------------------------------------------- */

static bool has_reader(const struct reread *r, const struct text_touch *touches, size_t count)
{
	uint64_t readers = r->all;
	bool is_of_one = true;

	for (size_t i = 0; i < count; i++) {
		readers &= touches[i].readers;
		is_of_one &= touches[i].edit == touches[0].edit;
	}
	return readers || is_of_one;
}

static bool touches(const struct text_touch *t, const struct reread_note *note)
{
	if (t->from == t->to)
		return note->from <= t->from && t->to <= note->to;
	return t->from < note->to && note->from < t->to;
}

/* Touches, by place. */
struct group {
	size_t first, end;
};

/* Those that touch the sentence; the group moves past those before it. */
static void gather(struct reread *r, struct group *g, struct reread_note *note)
{
	while (g->first < g->end && r->touches[g->first].to < note->from)
		g->first++;
	note->touches = r->noted;
	for (size_t i = g->first; i < g->end && r->touches[i].from <= note->to; i++)
		if (touches(&r->touches[i], note))
			r->noted[note->touch_count++] = r->touches[i];
}

/* Of a part of the text, which begins at `pos`. */
static bool each_sentence(struct reread *r, struct bytes part, uint32_t pos, struct group g,
			  text_reread_visit *visit, void *ctx)
{
	size_t at = 0, end = 0;
	struct sentence s;

	while (g.first < g.end && sentence_next(part, &at, &s)) {
		struct reread_note note = { .text = bytes_of(part.data + s.from, s.to - s.from) };
		struct bytes blank = bytes_of(part.data + end, s.from - end);

		note.from = pos + (uint32_t)utf8_count(blank);
		note.to = note.from + (uint32_t)utf8_count(note.text);
		pos = note.to;
		end = s.to;
		gather(r, &g, &note);
		if (!has_reader(r, note.touches, note.touch_count) && !visit(ctx, &note))
			return false;
	}
	return true;
}

/* As many touches as no place lies between where certainly no sentence goes on. Mostly one has
 * read them all, and what they touch needs no closer look. */
static enum err find_group(struct reread *r, size_t first, struct group *out, uint32_t *reach)
{
	struct group g = { first, first + 1 };

	for (*reach = r->touches[first].to; g.end < r->touch_count; g.end++) {
		const struct text_touch *t = &r->touches[g.end];
		uint32_t place;

		if (find_break(r, *reach, t->from, &place))
			return ERR_NOMEM;
		if (place < t->from)
			break;
		*reach = t->to;
	}
	*out = g;
	return OK;
}

static enum err each_note(struct reread *r, text_reread_visit *visit, void *ctx)
{
	uint32_t size = rope_size(&r->text->rope, ROPE_POINTS), from = 0, to = 0, reach = 0;
	struct group g = { 0, 0 };
	struct bytes part = bytes_of(NULL, 0);
	bool goes_on = true;
	enum err rc = OK;

	while (rc == OK && goes_on && g.end < r->touch_count) {
		rc = find_group(r, g.end, &g, &reach);
		if (rc || has_reader(r, r->touches + g.first, g.end - g.first))
			continue;
		rc = find_break_before(r, r->touches[g.first].from, &from);
		if (rc == OK)
			rc = find_break(r, reach, size, &to);
		if (rc == OK)
			rc = read_text(r, from, to, &part);
		goes_on = rc == OK && each_sentence(r, part, from, g, visit, ctx);
	}
	return rc;
}

static bool has_one_reader(const struct text_history *h)
{
	return h->head_count == 0 || (h->head_count == 1 && !h->nodes[h->heads[0]].is_join);
}

enum err text_reread(struct text *t, text_reread_visit *visit, void *ctx)
{
	struct reread r = { .text = t };
	enum err rc;

	if (has_one_reader(&t->history) || rope_size(&t->rope, ROPE_POINTS) == 0)
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
		rc = each_note(&r, visit, ctx);
	free(r.read_by);
	free(r.touches);
	free(r.noted);
	buf_release(&r.window.text);
	return rc;
}
