/* Replay: the log applied anew, in causal order, to a state that was empty. */
#ifndef HT_CORE_REPLAY_H
#define HT_CORE_REPLAY_H

#include "core/replica_impl.h"

/* A walk over a space's log in causal order. After the end it goes on with what has come
 * since, though not in the order of stamps then. */
struct log_walk {
	struct replica *r;
	struct space_id space;
	struct vv done; /* what was given out */
	struct arena arena;
	struct sealed *list;
	size_t at, count;
};

void log_walk_init(struct log_walk *w, struct replica *r, const struct space_id *space);
void log_walk_release(struct log_walk *w);
/* The next changeset, borrowed until the next call; NULL at the end or on an error. */
const struct sealed *log_walk_next(struct log_walk *w, enum err *rc, struct errmsg *msg);

/* Apply one to a store, where its space has the number `into_space`, if it counts. The arena is
 * reset; *op_count: what it says. ERR_CORRUPT: it can't be what was written. */
MUST_CHECK enum err replay_one(struct replica *r, const struct space_id *space,
			       const struct sealed *s, struct store *into, uint32_t into_space,
			       struct arena *arena, size_t *op_count, struct errmsg *msg);

#endif
