#include "core/id_index.h"

#include <assert.h>
#include <stdlib.h>

enum err id_index_init(struct id_index *x, size_t count_max, struct arena *arena)
{
	uint32_t slots = 8;

	/* At most half full, so that probes stay short. */
	while (slots < 2 * count_max)
		slots *= 2;
	*x = (struct id_index){ .mask = slots - 1 };
	x->ids = arena_array(arena, count_max, sizeof(*x->ids));
	x->slots = arena_array(arena, slots, sizeof(*x->slots));
	return x->ids && x->slots ? OK : ERR_NOMEM;
}

/* The slot that holds the id, or the free one where it belongs. */
static uint32_t *slot_of(const struct id_index *x, const uint8_t id[ID_BYTES])
{
	uint64_t high, low, mix;

	memcpy(&high, id, 8);
	memcpy(&low, id + 8, 8);
	/* Consecutive ids differ in their last bytes, which a product alone does
	 * not carry down: fold before multiplying. */
	mix = high ^ low;
	mix = (mix ^ mix >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	for (uint32_t at = (uint32_t)(mix >> 32);; at++) {
		uint32_t *slot = &x->slots[at & x->mask];

		if (*slot == 0 || memcmp(x->ids[*slot - 1], id, ID_BYTES) == 0)
			return slot;
	}
}

void id_index_add(struct id_index *x, const uint8_t id[ID_BYTES])
{
	uint32_t *slot = slot_of(x, id);

	if (*slot)
		return;
	assert(2 * x->count <= x->mask);
	memcpy(x->ids[x->count++], id, ID_BYTES);
	*slot = x->count;
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES);
}

void id_index_sort(struct id_index *x)
{
	qsort(x->ids, x->count, ID_BYTES, compare_ids);
	memset(x->slots, 0, ((size_t)x->mask + 1) * sizeof(*x->slots));
	for (uint32_t i = 0; i < x->count; i++)
		*slot_of(x, x->ids[i]) = i + 1;
}

uint32_t id_index_find(const struct id_index *x, const uint8_t id[ID_BYTES])
{
	uint32_t place = *slot_of(x, id);

	assert(place);
	return place - 1;
}
