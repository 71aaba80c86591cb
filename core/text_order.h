/* In which order a walk replays edits: parents first, and branch by branch, so that it goes
 * from one to another as seldom as may be. */
#ifndef HT_CORE_TEXT_ORDER_H
#define HT_CORE_TEXT_ORDER_H

#include "core/text_history.h"

/* Edits [from, to), or those of them that are wanted: by number from `from` on; NULL: all.
 * out[to - from]. ERR_NOMEM. */
MUST_CHECK enum err text_order(const struct text_history *h, uint32_t from, uint32_t to,
			       const bool *is_wanted, uint32_t *out, size_t *count);

#endif
