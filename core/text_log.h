/* Changes of a rope in the order in which they were made, with what they took out, so that they
 * can be taken back and made again.
 *
 *     text_log_remove(&log, &rope, 3, 2);
 *     text_log_undo(&log, &rope, 0);            the rope is as it was
 *     text_log_redo(&log, &rope, 0);            and as it is
 *
 * Positions and counts are code points. Pure. */
#ifndef HT_CORE_TEXT_LOG_H
#define HT_CORE_TEXT_LOG_H

#include "core/rope.h"

struct text_log_item {
	uint32_t pos, count;
	size_t first_byte; /* of what came or went */
	bool is_insert;
};

struct text_log {
	struct text_log_item *items;
	size_t count, cap;
	struct buf text;
};

#define TEXT_LOG_EMPTY ((struct text_log){ 0 })

void text_log_release(struct text_log *l);

/* Note a change that is about to be made. ERR_NOMEM. */
MUST_CHECK enum err text_log_note_insert(struct text_log *l, uint32_t pos, struct bytes text,
					 uint32_t count);
MUST_CHECK enum err text_log_note_remove(struct text_log *l, const struct rope *r, uint32_t pos,
					 uint32_t count);

/* Note it, and make it. ERR_NOMEM: as of rope_insert(). */
MUST_CHECK enum err text_log_insert(struct text_log *l, struct rope *r, uint32_t pos,
				    struct bytes text, uint32_t count);
MUST_CHECK enum err text_log_remove(struct text_log *l, struct rope *r, uint32_t pos,
				    uint32_t count);

/* Take back all from item `to` on, the last one first; the items stay. ERR_NOMEM. */
MUST_CHECK enum err text_log_undo(const struct text_log *l, struct rope *r, size_t to);
/* Make them again. */
MUST_CHECK enum err text_log_redo(const struct text_log *l, struct rope *r, size_t from);

/* The oldest changes can't be taken back any more. */
void text_log_forget(struct text_log *l, size_t count);

#endif
