/* The shadow: the state once more, made from the log and compared with the stored one, both a
 * few rows at a time, while others go on writing. It lies in a temporary file. */
#ifndef HT_CORE_SHADOW_H
#define HT_CORE_SHADOW_H

#include "core/replica_impl.h"

struct shadow;

MUST_CHECK enum err shadow_new(struct shadow **out, struct replica *r, struct errmsg *msg);
void shadow_free(struct shadow *s); /* NULL-safe */

/* Apply or compare about so many rows, in the open transaction for reading. *is_done: all is
 * compared and equal. *is_void: changesets were moved or count otherwise than before, so
 * another shadow must be begun. ERR_CORRUPT: the states differ, or one can't be read; and
 * what the stores return. */
MUST_CHECK enum err shadow_step(struct shadow *s, size_t row_count, bool *is_done, bool *is_void,
				struct errmsg *msg);

#endif
