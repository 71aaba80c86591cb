/* Which sentences of a text are to be reread: nobody has had them before him as they are.
 *
 * What people write side by side is merged character by character. No word is lost, but a
 * sentence into which two have written may say what neither meant.
 *
 * An edit *has read* itself and all that is in the version to which it refers, and it
 * *touches* a sentence where something stands that it inserted, or within or at the border
 * of which it deleted something, but for what it had typed itself. A sentence is to be
 * reread while no edit has read all that touched it (docs/DATA_MODEL.md, I-21). So
 * whoever writes on with the merged text before him settles it, and so does an edit that
 * changes nothing.
 *
 * Costs what is concurrent and the sentences it stands in, and nothing for a text of which one
 * edit has read all. Pure. */
#ifndef HT_CORE_TEXT_REREAD_H
#define HT_CORE_TEXT_REREAD_H

#include "core/text.h"

/* What an edit did at one place of the text, in code points. */
struct text_touch {
	uint32_t from, to; /* what it inserted; equal: it deleted here */
	uint32_t deleted;
	uint32_t edit;    /* its number in the history */
	uint64_t readers; /* equal for edits that the same ones have read */
};

/* One sentence, and the touches of edits that not everybody has read, by place. */
struct reread_note {
	uint32_t from, to; /* where in the text, in code points */
	struct bytes text; /* what it says */
	const struct text_touch *touches;
	size_t touch_count;
};

/* From the beginning to the end, until `visit` returns false; a note is borrowed for the
 * call. All that was taken is merged. ERR_NOMEM; ERR_CORRUPT of what was recalled. */
typedef bool text_reread_visit(void *ctx, const struct reread_note *note);
MUST_CHECK enum err text_reread(struct text *t, text_reread_visit *visit, void *ctx);

#endif
