/* A text's whole history as the store has it (core/text_pack.h), and back. */
#ifndef HT_TESTS_SUPPORT_TEXT_EVENTS_H
#define HT_TESTS_SUPPORT_TEXT_EVENTS_H

#include "core/text.h"
#include "core/text_pack.h"

/* In the arena, but for what the edits borrow from the history. NULL without memory. All that
 * was taken is merged. */
struct text_event *text_events_of(const struct text_history *h, struct arena *arena, size_t *count);

/* More of a text's history (text_recall). numbers: in the history, by those of the events,
 * which go on at `first`; room for these. */
MUST_CHECK enum err text_events_recall(struct text *t, const struct text_event *events,
				       size_t count, uint32_t first, uint32_t *numbers);

#endif
