/* Edits that are to be looked at, the newest first, each once, with a few bits for each.
 *
 * A set of numbers as bits; above them a bit for every word that is not 0, and so on up to
 * one word. Putting in and taking out touches a word a level: three levels do for a
 * quarter of a million edits. Pure. */
#ifndef HT_CORE_TEXT_QUEUE_H
#define HT_CORE_TEXT_QUEUE_H

#include <stdint.h>

#include "core/err.h"

enum { TEXT_QUEUE_LEVELS = 6 }; /* of 64 each: more than 2^32 */

struct text_queue {
	uint64_t *words[TEXT_QUEUE_LEVELS]; /* into one array; the first has a bit an edit */
	unsigned levels;
	uint8_t *bits; /* by edit */
	uint32_t cap, count;
};

#define TEXT_QUEUE_EMPTY ((struct text_queue){ 0 })

void text_queue_release(struct text_queue *q);
/* Room for edits below `count`; the queue is empty. ERR_NOMEM. */
MUST_CHECK enum err text_queue_reserve(struct text_queue *q, uint32_t count);
/* Bits that are not 0, in addition to those it has; what it had. */
uint8_t text_queue_put(struct text_queue *q, uint32_t edit, uint8_t bits);
/* The greatest, which there is. */
uint32_t text_queue_take(struct text_queue *q, uint8_t *bits);
void text_queue_clear(struct text_queue *q);

#endif
