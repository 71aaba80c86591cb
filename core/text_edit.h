/* What one author did to a text, in a row: runs of insertions and deletions, each
 * relative to the text as the run before left it, the first to a stated version.
 *
 * An edit is what a changeset carries of a text (docs/DATA_MODEL.md, "Texts"). It is
 * relative to its *parents*, the newest edits that its author had seen of this text;
 * they travel beside it as dots. Positions and lengths are code points. */
#ifndef HT_CORE_TEXT_EDIT_H
#define HT_CORE_TEXT_EDIT_H

#include "core/arena.h"
#include "core/wire.h"

enum text_step {
	TEXT_INSERT,    /* one code point after the other, forwards from `pos` */
	TEXT_DELETE,    /* `count` times what then stands at `pos` */
	TEXT_BACKSPACE, /* what stands at `pos`, then before it, backwards; more than one */
	TEXT_STEP_COUNT
};

struct text_run {
	uint32_t pos;
	uint32_t count;
	uint8_t step; /* enum text_step */
};

struct text_edit {
	uint32_t length; /* of the text at the parents' version */
	const struct text_run *runs;
	size_t run_count;
	struct bytes text; /* what is inserted, UTF-8: one run's after the other's */
};

/* Collects what somebody types: what goes on with the last run becomes part of it. */
struct text_edit_builder {
	uint32_t length, now; /* at the parents' version; after all runs */
	struct text_run *runs;
	size_t run_count, run_cap;
	struct buf text;
};

void text_edit_begin(struct text_edit_builder *b, uint32_t length);
void text_edit_release(struct text_edit_builder *b);
/* Valid UTF-8 of `count` code points; asserts pos <= now. ERR_NOMEM. */
MUST_CHECK enum err text_edit_insert(struct text_edit_builder *b, uint32_t pos, struct bytes text,
				     uint32_t count);
/* Asserts pos + count <= now. ERR_NOMEM. */
MUST_CHECK enum err text_edit_delete(struct text_edit_builder *b, uint32_t pos, uint32_t count);
/* Borrowed from the builder until it changes. */
struct text_edit text_edit_built(const struct text_edit_builder *b);

/* The cursor, where a run begins and where it ends: a key that is held down moves nothing. */
static inline uint32_t text_run_start(const struct text_run *run)
{
	return run->pos + (run->step == TEXT_BACKSPACE);
}
static inline uint32_t text_run_end(const struct text_run *run)
{
	return run->step == TEXT_INSERT
		       ? run->pos + run->count
		       : run->pos - (run->step == TEXT_BACKSPACE ? run->count - 1 : 0);
}

/* The text's length after the run, or less than 0 if it does not lie within. */
int64_t text_run_apply(const struct text_run *run, int64_t length);

/* How the runs change the length of a text. */
int64_t text_edit_growth(const struct text_edit *e);

/* Every run lies within the text as the runs before leave it, none is empty, the
 * inserted code points are as many as the runs say, U+0000 is not among them.
 * ERR_INVALID with the first that is wrong; ERR_LIMIT. */
MUST_CHECK enum err text_edit_validate(const struct text_edit *e, struct errmsg *msg);

/* [length, count << 2 | step, pos - where the run before ended, ...], canonical; the
 * text travels beside it. */
void text_edit_encode(struct buf *out, const struct text_edit *e);
/* The runs live in the arena; e->text is not touched. Validates nothing but the
 * shape. ERR_FORMAT, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum err text_edit_decode(struct text_edit *e, struct bytes input, struct arena *arena,
				     struct errmsg *msg);

#endif
