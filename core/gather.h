/* Many have written into one text side by side, and one edit can't name them all
 * (OP_REPLACED_MAX): some of them are gathered first. */
#ifndef HT_CORE_GATHER_H
#define HT_CORE_GATHER_H

#include "core/replica_impl.h"

/* The text of which an edit is about to be written, and by whom. */
struct gather {
	struct replica *replica;
	const struct space_id *space;
	const struct record_id *record, *author;
	uint16_t kind;
	uint8_t field;
	uint64_t now_ms;
	struct arena *arena;
	struct errmsg *msg;
};

/* Edits of ours that change nothing and have seen as many heads as can be named, each in a
 * changeset of its own, in the open transaction, until *heads, which come instead, are few
 * enough. Their version is the same. */
MUST_CHECK enum err gather_heads(const struct gather *g, const struct dot **heads, size_t *count);

#endif
