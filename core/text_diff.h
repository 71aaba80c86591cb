/* What somebody changed in a text, from how it was and how it is: as few code points
 * deleted and inserted as can be found in bounded time.
 *
 * After Myers, "An O(ND) Difference Algorithm and Its Variations" (Algorithmica 1986),
 * 4b, in linear space. Where two parts have little in common it gives up the least:
 * after TEXT_DIFF_COST steps from either end a part is cut in two where it has come
 * furthest. Pure. */
#ifndef HT_CORE_TEXT_DIFF_H
#define HT_CORE_TEXT_DIFF_H

#include "core/text_edit.h"

enum { TEXT_DIFF_COST = 512 };

/* The edit that makes `to` of `from`, added to a builder that has begun with the length
 * of `from`. Both are valid UTF-8. ERR_NOMEM. */
MUST_CHECK enum err text_diff(struct bytes from, struct bytes to, struct text_edit_builder *out);

#endif
