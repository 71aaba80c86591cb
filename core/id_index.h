/* The distinct ids that a changeset names, and the place of each in the sorted
 * table that it writes. Filled, then sorted once, then asked.
 *
 * For ids that we write ourselves: the hash does not withstand chosen ids. */
#ifndef HT_CORE_ID_INDEX_H
#define HT_CORE_ID_INDEX_H

#include "core/arena.h"
#include "core/id.h"

struct id_index {
	uint8_t (*ids)[ID_BYTES];
	uint32_t count;
	uint32_t *slots; /* 1 + place in ids, 0 = free; open addressing */
	uint32_t mask;
};

/* Room for `count_max` ids in the arena. ERR_NOMEM. */
MUST_CHECK enum err id_index_init(struct id_index *x, size_t count_max, struct arena *arena);

/* Add the id unless it is there. Asserts that there is room. */
void id_index_add(struct id_index *x, const uint8_t id[ID_BYTES]);

/* Sort the ids, ascending: ids[] is the table to write. */
void id_index_sort(struct id_index *x);

/* The id's place; asserts that it was added. */
uint32_t id_index_find(const struct id_index *x, const uint8_t id[ID_BYTES]);

#endif
