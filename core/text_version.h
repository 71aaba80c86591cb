/* What versions of a text are called, by the person or the editor that holds one:
 *
 *     3f2a91bc/17              an edit, and all that its office had seen: its replica's id, or
 *                              the beginning of it, and its number there
 *     3f2a91bc/17,90cd11fe/4   what several edits have between them
 *     3f2a91bc/17~             the edit and the version it was made in, without what its own
 *                              office had written beside it (text_history.h)
 *                              empty: before anything was written
 *
 * The same in every office. */
#ifndef HT_CORE_TEXT_VERSION_H
#define HT_CORE_TEXT_VERSION_H

#include "core/arena.h"
#include "core/text_history.h"

enum {
	TEXT_EDIT_NAME_BYTES = 2 * ID_BYTES + 24, /* and its terminator */
	TEXT_EDIT_NAME_DIGITS = 8                 /* of a replica's id, for people */
};

/* By its number. */
const char *text_edit_name(const struct text_history *h, uint32_t edit, unsigned digits,
			   char out[TEXT_EDIT_NAME_BYTES]);
/* ERR_NOT_FOUND; ERR_AMBIGUOUS: it is cut too short. */
MUST_CHECK enum err text_edit_find(const struct text_history *h, struct bytes name, uint32_t *edit,
				   struct errmsg *msg);

/* Append the name of the version of one edit; is_alone: with its "~". */
void text_version_name(const struct dot *dot, bool is_alone, struct buf *out);
/* Append the name of the version with these heads, none of which has seen another: whole ids,
 * in one order, so that equal names are equal versions. ERR_NOMEM. */
MUST_CHECK enum err text_version_encode(const struct text_history *h, const uint32_t *heads,
					size_t count, struct buf *out);
/* The heads, from the arena. ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_NOMEM. */
MUST_CHECK enum err text_version_decode(const struct text_history *h, struct bytes name,
					struct arena *arena, uint32_t **heads, size_t *count,
					struct errmsg *msg);

#endif
