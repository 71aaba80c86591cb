#include "core/text_queue.h"

#include <stdlib.h>

void text_queue_release(struct text_queue *q)
{
	free(q->groups);
	free(q->bits);
	*q = TEXT_QUEUE_EMPTY;
}

enum err text_queue_reserve(struct text_queue *q, uint32_t count)
{
	uint64_t cap = q->cap ? q->cap : 64;
	struct text_queue grown = TEXT_QUEUE_EMPTY;
	size_t groups;

	assert(q->count == 0);
	if (count <= q->cap)
		return OK;
	while (cap < count)
		cap *= 2;
	if (cap > UINT32_MAX)
		return ERR_NOMEM;
	groups = (size_t)((cap + 4095) / 4096);
	grown.cap = (uint32_t)cap;
	grown.groups = calloc(groups + (size_t)(cap / 64), sizeof(*grown.groups));
	grown.bits = calloc(cap, sizeof(*grown.bits));
	if (!grown.groups || !grown.bits) {
		text_queue_release(&grown);
		return ERR_NOMEM;
	}
	grown.words = grown.groups + groups;
	text_queue_release(q);
	*q = grown;
	return OK;
}

void text_queue_clear(struct text_queue *q)
{
	uint8_t bits;

	while (q->count)
		text_queue_take(q, &bits);
}
