#include "core/text_queue.h"

#include <assert.h>
#include <stdlib.h>

void text_queue_release(struct text_queue *q)
{
	free(q->words[0]);
	free(q->bits);
	*q = TEXT_QUEUE_EMPTY;
}

static size_t words_for(uint64_t count)
{
	return (size_t)((count + 63) / 64);
}

enum err text_queue_reserve(struct text_queue *q, uint32_t count)
{
	uint64_t cap = q->cap ? q->cap : 64;
	struct text_queue grown = TEXT_QUEUE_EMPTY;
	size_t sizes[TEXT_QUEUE_LEVELS], all = 0;

	assert(q->count == 0);
	if (count <= q->cap)
		return OK;
	while (cap < count)
		cap *= 2;
	if (cap > UINT32_MAX)
		return ERR_NOMEM;
	for (uint64_t left = cap; grown.levels == 0 || left > 1; left = sizes[grown.levels++]) {
		sizes[grown.levels] = words_for(left);
		all += sizes[grown.levels];
	}
	grown.cap = (uint32_t)cap;
	grown.words[0] = calloc(all, sizeof(*grown.words[0]));
	grown.bits = calloc(cap, sizeof(*grown.bits));
	if (!grown.words[0] || !grown.bits) {
		text_queue_release(&grown);
		return ERR_NOMEM;
	}
	for (unsigned level = 1; level < grown.levels; level++)
		grown.words[level] = grown.words[level - 1] + sizes[level - 1];
	text_queue_release(q);
	*q = grown;
	return OK;
}

uint8_t text_queue_put(struct text_queue *q, uint32_t edit, uint8_t bits)
{
	uint8_t had = q->bits[edit];

	q->bits[edit] = had | bits;
	if (had)
		return had;
	q->count++;
	for (unsigned level = 0; level < q->levels; level++, edit /= 64) {
		uint64_t *word = &q->words[level][edit / 64];
		uint64_t was = *word;

		*word = was | UINT64_C(1) << edit % 64;
		if (was)
			break;
	}
	return 0;
}

uint32_t text_queue_take(struct text_queue *q, uint8_t *bits)
{
	uint32_t at = 0, edit;

	assert(q->count);
	for (unsigned level = q->levels; level-- > 0;)
		at = 64 * at + 63 - (uint32_t)__builtin_clzll(q->words[level][at]);
	edit = at;
	for (unsigned level = 0; level < q->levels; level++, at /= 64) {
		uint64_t *word = &q->words[level][at / 64];

		*word &= ~(UINT64_C(1) << at % 64);
		if (*word)
			break;
	}
	q->count--;
	*bits = q->bits[edit];
	q->bits[edit] = 0;
	return edit;
}

void text_queue_clear(struct text_queue *q)
{
	uint8_t bits;

	while (q->count)
		text_queue_take(q, &bits);
}
