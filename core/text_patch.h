/* What changes of a text come to, made one after the other: which code points of the text as it
 * was are gone, and where there are new ones. What came and went in between leaves no trace.
 *
 * Only places and counts are kept. What the new code points are is read from the text as it
 * is; how much those that are gone took in the unit that is wanted is measured as they go.
 * The cost of a change follows how many places there are from that of the change before. Pure. */
#ifndef HT_CORE_TEXT_PATCH_H
#define HT_CORE_TEXT_PATCH_H

#include "core/rope.h"

/* At one place. */
struct text_hunk {
	uint32_t at;         /* code points before it in the text as it was */
	uint32_t gone;       /* code points that stood there */
	uint32_t gone_units; /* the same in the patch's unit */
	uint32_t come;       /* code points that stand there instead */
};

struct text_patch {
	enum rope_unit unit;
	struct text_hunk *hunks; /* ascending; none touches the next */
	size_t count, cap;
	size_t finger;  /* the hunk of the last change, or 0 */
	uint32_t shift; /* what those before it have added to the length, modulo 2^32 */
};

void text_patch_init(struct text_patch *p, enum rope_unit unit);
void text_patch_release(struct text_patch *p);

/* One more change, code points, to the text as the others have left it. ERR_NOMEM. */
MUST_CHECK enum err text_patch_insert(struct text_patch *p, uint32_t pos, uint32_t count);
/* `before`: that text. */
MUST_CHECK enum err text_patch_remove(struct text_patch *p, const struct rope *before, uint32_t pos,
				      uint32_t count);

#endif
