/* Edits that are to be looked at, the newest first, each once, with a few bits for each.
 *
 * A set of numbers as bits, and a bit for every word of them that is not 0. Who looks at an
 * edit puts its parents in, which are older, so the greatest is looked for downwards from
 * where the last one was: a step for each 4096 edits that lie between. Pure. */
#ifndef HT_CORE_TEXT_QUEUE_H
#define HT_CORE_TEXT_QUEUE_H

#include <assert.h>
#include <stdint.h>

#include "core/err.h"

struct text_queue {
	uint64_t *groups; /* of 64 words, a bit for each that is not 0 */
	uint64_t *words;  /* a bit an edit; in the same array */
	uint32_t top;     /* the groups above are 0 */
	uint8_t *bits;    /* by edit */
	uint32_t cap, count;
};

#define TEXT_QUEUE_EMPTY ((struct text_queue){ 0 })

void text_queue_release(struct text_queue *q);
/* Room for edits below `count`; the queue is empty. ERR_NOMEM. */
MUST_CHECK enum err text_queue_reserve(struct text_queue *q, uint32_t count);
void text_queue_clear(struct text_queue *q);

/* Bits that are not 0, in addition to those it has; what it had. */
static inline uint8_t text_queue_put(struct text_queue *q, uint32_t edit, uint8_t bits)
{
	uint8_t had = q->bits[edit];
	uint32_t word = edit / 64, group = word / 64;

	q->bits[edit] = had | bits;
	if (had)
		return had;
	q->count++;
	q->words[word] |= UINT64_C(1) << edit % 64;
	q->groups[group] |= UINT64_C(1) << word % 64;
	q->top = group > q->top ? group : q->top;
	return 0;
}

static inline uint32_t text_queue_greatest(uint32_t of, uint64_t word)
{
	return 64 * of + 63 - (uint32_t)__builtin_clzll(word);
}

/* The greatest, which there is. */
static inline uint32_t text_queue_take(struct text_queue *q, uint8_t *bits)
{
	uint32_t word, edit;

	assert(q->count);
	while (q->groups[q->top] == 0)
		q->top--;
	word = text_queue_greatest(q->top, q->groups[q->top]);
	edit = text_queue_greatest(word, q->words[word]);
	q->words[word] &= ~(UINT64_C(1) << edit % 64);
	if (q->words[word] == 0)
		q->groups[q->top] &= ~(UINT64_C(1) << word % 64);
	q->count--;
	*bits = q->bits[edit];
	q->bits[edit] = 0;
	return edit;
}

#endif
