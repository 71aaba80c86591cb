/* Arena: memory that lives until the end of a turn and is freed in one step.
 *
 * After a reset the largest chunk is kept, so that a steady state allocates
 * nothing. A failed allocation returns NULL; callers report ERR_NOMEM. */
#ifndef HT_CORE_ARENA_H
#define HT_CORE_ARENA_H

#include <stddef.h>

#include "core/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used;                /* of the newest chunk */
	size_t total;               /* bytes of all chunks */
};

#define ARENA_EMPTY ((struct arena){ 0 })

void arena_release(struct arena *a);

/* Everything allocated so far is gone; at most ARENA_KEEP_BYTES are kept. */
void arena_reset(struct arena *a);

/* Zeroed, aligned to 16 bytes; NULL when out of memory. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);

/* An array of `count` elements; NULL also when the product overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* Room for at least `count` elements in an array of the arena that grows by doubling, as
 * array_reserve(). What is new is zeroed; what it was before is left behind. */
MUST_CHECK enum err arena_reserve(struct arena *a, void *array, size_t *cap, size_t count,
				  size_t size);

/* A copy of the bytes; data is NULL when out of memory. */
struct bytes arena_copy(struct arena *a, struct bytes from);

#endif
