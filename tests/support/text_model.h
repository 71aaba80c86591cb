/* What a text must be, from the plainest reading: FugueMax as a tree, walked from end to
 * end for everything.
 *
 * Each code point ever inserted is a node. It hangs to the right of the one after
 * which it was typed, or, if that had something at its right already, to the left of
 * the one before which it was. Right siblings stand in the reverse order of what they were
 * typed before, then by dot; left ones by dot. A code point is there in a version
 * that has its insertion and no deletion of it.
 *
 * After Weidner and Kleppmann, "The Art of the Fugue" (IEEE TPDS 2025), algorithm 1 and
 * section 5. Nothing is shared with the code under test but the edit itself.
 * Ends the program without memory. */
#ifndef HT_TESTS_SUPPORT_TEXT_MODEL_H
#define HT_TESTS_SUPPORT_TEXT_MODEL_H

#include "core/dot.h"
#include "core/text_edit.h"

struct model_point;

struct text_model {
	struct model_point *points; /* 0 is the root, which is no code point */
	size_t point_count, point_cap;
	struct dot *dots; /* by edit */
	bool **seen;      /* by edit: which ones it has seen, itself too */
	bool **read;      /* the same without what only its replica has seen */
	size_t edit_count, edit_cap;
	uint32_t *order; /* points from the beginning to the end */
};

void text_model_init(struct text_model *m);
void text_model_release(struct text_model *m);

/* Asserts that nothing is interleaved that need not be. That can be said without a tree of parents:
 * what was typed after a code point, and what was typed after that, stands behind it in one
 * piece; among what was typed after the same one, what was typed before another, and what
 * was typed before that, stands before it in one piece; of what is left, that which was typed
 * before what stands further on comes first, then go the dots. No other order has all that
 * (ibid., "maximally non-interleaving"). */
void text_model_check(const struct text_model *m);

/* Add an edit by its parents' numbers; its number. is_adrift: it deletes nothing, and what lies
 * beyond the end is inserted there. */
size_t text_model_add(struct text_model *m, const struct dot *dot, const struct text_edit *e,
		      const size_t *parents, size_t parent_count, bool is_adrift);

/* Whose the code points are at that version: an edit each. `out` has room for all. */
void text_model_blame(const struct text_model *m, const size_t *heads, size_t head_count,
		      size_t *out);

/* The length at the version of these edits; with `out` the text, too. */
size_t text_model_read(const struct text_model *m, const size_t *heads, size_t head_count,
		       struct buf *out);

/* The sentences of that version that no edit of it has read as they are, in code points, and
 * who touched them: by edit, but for those that every edit has read which no other one has. */
typedef void text_model_note(void *ctx, size_t from, size_t to, const bool *touched);
void text_model_reread(const struct text_model *m, const size_t *heads, size_t head_count,
		       text_model_note *visit, void *ctx);

#endif
