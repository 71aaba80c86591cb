#include "core/text_reread.h"

#include <stdlib.h>

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
	struct buf line;
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

/* ---- Sentences ------------------------------------------------------------- */

static bool touches(const struct text_touch *t, const struct reread_note *note)
{
	if (t->from == t->to)
		return note->from <= t->from && t->to <= note->to;
	return t->from < note->to && note->from < t->to;
}

/* Those that touch the sentence, of touches from `first` on. */
static void gather(struct reread *r, size_t first, struct reread_note *note)
{
	note->touches = r->noted;
	for (size_t i = first; i < r->touch_count && r->touches[i].from <= note->to; i++)
		if (touches(&r->touches[i], note))
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

/* Of the line in r->line, which begins at `pos`. *first moves on to what is after them. */
static bool each_sentence(struct reread *r, uint32_t pos, size_t *first, text_reread_visit *visit,
			  void *ctx)
{
	struct bytes line = buf_bytes(&r->line);
	size_t at = 0, end = 0;
	struct sentence s;

	while (sentence_next(line, &at, &s)) {
		struct reread_note note = { .text = bytes_of(line.data + s.from, s.to - s.from) };
		struct bytes blank = bytes_of(line.data + end, s.from - end);

		note.from = pos + (uint32_t)utf8_count(blank);
		note.to = note.from + (uint32_t)utf8_count(note.text);
		pos = note.to;
		end = s.to;
		while (*first < r->touch_count && r->touches[*first].to < note.from)
			++*first;
		gather(r, *first, &note);
		if (!has_reader(r, &note) && !visit(ctx, &note))
			return false;
	}
	return true;
}

/* ---- Lines ----------------------------------------------------------------- */

enum { CHUNK_POINTS = 512 };

static enum err read_chunk(struct reread *r, uint32_t pos, uint32_t count)
{
	rope_read(&r->text->rope, pos, count, &r->line);
	return buf_check(&r->line);
}

/* Where the line of `pos` begins, or `from`, if that is later. */
static enum err find_line(struct reread *r, uint32_t from, uint32_t pos, uint32_t *out)
{
	for (uint32_t count; pos > from; pos -= count) {
		size_t size;

		count = pos - from < CHUNK_POINTS ? pos - from : CHUNK_POINTS;
		buf_clear(&r->line);
		if (read_chunk(r, pos - count, count))
			return ERR_NOMEM;
		for (size = r->line.size; size && r->line.data[size - 1] != '\n';)
			size--;
		if (size) {
			*out = pos - count + (uint32_t)utf8_count(bytes_of(r->line.data, size));
			return OK;
		}
	}
	*out = from;
	return OK;
}

/* From `pos` to the end of the line, where the next one begins. */
static enum err read_line(struct reread *r, uint32_t pos, uint32_t *next)
{
	uint32_t size = rope_size(&r->text->rope, ROPE_POINTS);
	const uint8_t *end = NULL;

	buf_clear(&r->line);
	while (pos < size && !end) {
		uint32_t count = size - pos < CHUNK_POINTS ? size - pos : CHUNK_POINTS;
		size_t begin = r->line.size;

		if (read_chunk(r, pos, count))
			return ERR_NOMEM;
		end = memchr(r->line.data + begin, '\n', r->line.size - begin);
		if (end)
			r->line.size = (size_t)(end - r->line.data) + 1;
		pos += (uint32_t)utf8_count(bytes_of(r->line.data + begin, r->line.size - begin));
	}
	*next = pos;
	return OK;
}

/* Lines that nobody has touched are not looked at. */
static enum err each_line(struct reread *r, text_reread_visit *visit, void *ctx)
{
	uint32_t size = rope_size(&r->text->rope, ROPE_POINTS), from = 0, next = 0;
	bool goes_on = true;
	size_t first = 0;
	enum err rc = OK;

	while (goes_on && first < r->touch_count && next < size) {
		rc = find_line(r, next, r->touches[first].from, &from);
		if (rc == OK)
			rc = read_line(r, from, &next);
		goes_on = rc == OK && each_sentence(r, from, &first, visit, ctx);
		while (first < r->touch_count && r->touches[first].to < next)
			first++;
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
		rc = each_line(&r, visit, ctx);
	free(r.read_by);
	free(r.touches);
	free(r.noted);
	buf_release(&r.line);
	return rc;
}
