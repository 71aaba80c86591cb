/* Positions of an ordered list: byte strings between any two of which there is
 * always another, so that inserting and moving write one record only.
 *
 * Order is bytes_cmp(), ties by record id. A position never ends in a zero
 * byte (there would be nothing before it). Random digits keep two offices that
 * insert at the same place apart. After "fractional indexing" (Figma, 2017). */
#ifndef HT_CORE_POSITION_H
#define HT_CORE_POSITION_H

#include "core/bytes.h"
#include "core/dice.h"

enum { POSITION_BYTES_MAX = 64 };

bool position_is_valid(struct bytes position);

/* A position strictly between `before` and `after`; an empty one stands for
 * the list's end on that side. Appends to `out`. ERR_INVALID unless
 * before < after, ERR_LIMIT when the gap is exhausted at POSITION_BYTES_MAX. */
MUST_CHECK enum err position_between(struct buf *out, struct bytes before, struct bytes after,
				     const struct dice *dice);

#endif
