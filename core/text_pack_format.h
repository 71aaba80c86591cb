/* What writer and reader of a pack (core/text_pack.h) have in common: both must expect the
 * same. */
#ifndef HT_CORE_TEXT_PACK_FORMAT_H
#define HT_CORE_TEXT_PACK_FORMAT_H

#include "core/text_pack.h"

enum {
	TEXT_PACK_EDITS_MAX = 1 << 15,
	TEXT_PACK_PARENTS_MAX = 1 << 18, /* of all edits */
	TEXT_PACK_RUNS_MAX = 1 << 17,
	TEXT_PACK_TEXT_MAX = 4 << 20,
	TEXT_PACK_COLUMNS_MAX = 8 << 20, /* more than that many edits, parents and runs take */
};

enum text_column {
	COLUMN_AUTHORS,
	COLUMN_CODES,
	COLUMN_OTHERS,
	COLUMN_SEQS,
	COLUMN_LENGTHS,
	COLUMN_SIZES,
	COLUMN_HEADS,
	COLUMN_MOVES,
	COLUMN_STRAYS,
	COLUMN_COUNT
};

enum { COLUMNS_BEFORE = 2 }; /* what stands before them in their array */

/* Of a code. */
enum { CODE_NOT_AFTER_OWN = 1, CODE_NOT_ALL = 2, CODE_STRAY = 4, CODE_OTHERS = 3 };

/* Of a head. */
enum { HEAD_STEP = 3, HEAD_MOVED = 4, HEAD_COUNT = 3 };

/* ---- Lengths --------------------------------------------------------------- */

struct text_lengths {
	uint32_t first;
	uint32_t *after; /* by edit */
	int64_t all;     /* what they make together, as near as is known */
};

/* Its parents' text is that after one edit of the pack. */
static inline bool lengths_follow(const struct text_lengths *l, const struct text_event *e)
{
	return e->parent_count == 1 && e->parents[0] >= l->first;
}

static inline int64_t lengths_expected(const struct text_lengths *l, const struct text_event *e)
{
	return lengths_follow(l, e) ? l->after[e->parents[0] - l->first] : l->all;
}

static inline void lengths_learn(struct text_lengths *l, size_t at, const struct text_event *e)
{
	l->after[at] = text_event_after(e);
	l->all = e->sees_all ? l->after[at] : l->all + l->after[at] - e->before;
}

/* ---- Places ---------------------------------------------------------------- */

/* Where an author was. What others write meanwhile moves it, or stands after it: mostly as it
 * did the last time. */
struct text_cursor {
	uint32_t at, length;
	bool is_from_end;
};

static inline int64_t cursor_shift(const struct text_cursor *c, const struct text_edit *e)
{
	return (int64_t)e->length - c->length;
}

/* Where the edit's first run is expected to start. */
static inline int64_t cursor_expected(const struct text_cursor *c, const struct text_edit *e)
{
	return c->at + (c->is_from_end ? cursor_shift(c, e) : 0);
}

static inline void cursor_learn(struct text_cursor *c, const struct text_edit *e)
{
	int64_t start, shift = cursor_shift(c, e);

	if (e->run_count == 0)
		return;
	start = text_run_start(&e->runs[0]);
	if (shift && (start == c->at || start == c->at + shift))
		c->is_from_end = start != c->at;
	c->at = text_run_end(&e->runs[e->run_count - 1]);
	c->length = (uint32_t)(e->length + text_edit_growth(e));
}

/* ---- Authors --------------------------------------------------------------- */

/* The edits' numbers, less `first`: one author's after the other's. NULL without memory. */
uint32_t *text_pack_by_author(struct arena *arena, const uint32_t *author, size_t count,
			      size_t author_count);

#endif
