/* What versions of a text are called, by the person or the editor that holds one:
 *
 *     3f2a91bc/17              an edit, and all that its office had seen: its replica's id, or
 *                              the beginning of it, and its number there
 *     3f2a91bc/17,90cd11fe/4   what several edits have between them
 *     3f2a91bc/17~             the edit and the version it was made in, without what its own
 *                              office had written beside it (text_history.h)
 *     3f2a91bc/17:120          and how long the text is then, in code points: what has ceased to
 *                              count since is missed (M-14), as by an edit (I-20)
 *                              empty: before anything was written
 *
 * The same in every office. */
#ifndef HT_CORE_TEXT_VERSION_H
#define HT_CORE_TEXT_VERSION_H

#include "core/arena.h"
#include "core/text_history.h"

enum {
	TEXT_EDIT_NAME_BYTES = 2 * ID_BYTES + 24,           /* and its terminator */
	TEXT_EDIT_NAME_DIGITS = 8,                          /* of a replica's id, for people */
	TEXT_VERSION_NAME_BYTES = TEXT_EDIT_NAME_BYTES + 12 /* text_version_name() and 0 */
};

/* By its number. */
const char *text_edit_name(const struct text_history *h, uint32_t edit, unsigned digits,
			   char out[TEXT_EDIT_NAME_BYTES]);
/* ERR_NOT_FOUND; ERR_AMBIGUOUS: it is cut too short. */
MUST_CHECK enum err text_edit_find(const struct text_history *h, struct bytes name, uint32_t *edit,
				   struct errmsg *msg);

/* Append the name of the version of one edit; is_alone: with its "~". */
void text_version_name(const struct dot *dot, bool is_alone, uint32_t length, struct buf *out);

struct text_version_heads {
	uint32_t *edits; /* by their numbers; none has seen another */
	size_t count;
	uint32_t length; /* of the text, or TEXT_NONE: not said */
};

/* Append the version's name: whole ids, in one order, so that equal names are equal versions.
 * ERR_NOMEM. */
MUST_CHECK enum err text_version_encode(const struct text_history *h,
					const struct text_version_heads *v, struct buf *out);
/* The edits are of the arena. ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_NOMEM. */
MUST_CHECK enum err text_version_decode(const struct text_history *h, struct bytes name,
					struct arena *arena, struct text_version_heads *out,
					struct errmsg *msg);

#endif
