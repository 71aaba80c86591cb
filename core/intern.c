#include "core/intern.h"

#include <stdlib.h>

#include "core/array.h"

void intern_release(struct intern *in)
{
	free(in->ids);
	free(in->order);
	*in = (struct intern){ 0 };
}

/* Where the id stands in the sorted order, or would be inserted. */
static uint32_t intern_place(const struct intern *in, const struct replica_id *id)
{
	uint32_t low = 0, high = in->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (replica_id_cmp(&in->ids[in->order[mid]], id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static enum err intern_reserve(struct intern *in)
{
	uint32_t cap = in->cap ? 2 * in->cap : 16;

	if (in->count < in->cap)
		return OK;
	if (array_resize(&in->ids, cap, sizeof(*in->ids)) ||
	    array_resize(&in->order, cap, sizeof(*in->order)))
		return ERR_NOMEM;
	in->cap = cap;
	return OK;
}

enum err intern_add(struct intern *in, const struct replica_id *id)
{
	uint32_t place = intern_place(in, id);

	if (intern_reserve(in) != OK)
		return ERR_NOMEM;
	memmove(in->order + place + 1, in->order + place, (in->count - place) * sizeof(*in->order));
	in->order[place] = in->count;
	in->ids[in->count] = *id;
	in->last = in->count++;
	return OK;
}

uint32_t intern_find(struct intern *in, const struct replica_id *id)
{
	uint32_t place;

	if (in->count && replica_id_cmp(&in->ids[in->last], id) == 0)
		return in->last;
	place = intern_place(in, id);
	if (place == in->count || replica_id_cmp(&in->ids[in->order[place]], id) != 0)
		return UINT32_MAX;
	return in->last = in->order[place];
}
