/* What was written again as what (M-19): of one feed, which new dot stands for which old one.
 * Kept as a setting of the store, so that what comes of the feed later still speaks of the
 * same values. */
#ifndef HT_CORE_REWRITTEN_H
#define HT_CORE_REWRITTEN_H

#include "core/store.h"

/* `first` .. `last` became those of `to` from `to_first` on. */
struct rewritten_run {
	struct replica_id to;
	uint64_t first, last, to_first;
};

struct rewritten {
	struct replica_id replica;
	struct space_id space;
	uint64_t first;   /* the lowest that was looked at; 0: none yet */
	uint64_t log_seq; /* of what the log holds uncounted, all up to here was looked at */
	struct rewritten_run *runs; /* in the order in which they were noted */
	size_t count, cap;
};

/* Empty when nothing is stored. ERR_CORRUPT. */
MUST_CHECK enum err rewritten_load(struct rewritten *out, struct store *s,
				   const struct replica_id *replica, const struct space_id *space,
				   struct errmsg *msg);
MUST_CHECK enum err rewritten_save(const struct rewritten *w, struct store *s, struct errmsg *msg);
void rewritten_release(struct rewritten *w); /* harmless when empty or released */

/* `seq` was looked at. */
void rewritten_see(struct rewritten *w, uint64_t seq);
/* ... and is `to` now. */
MUST_CHECK enum err rewritten_note(struct rewritten *w, uint64_t seq, const struct dot *to);

/* What `seq` became last; false: nothing. */
bool rewritten_find(const struct rewritten *w, uint64_t seq, struct dot *out);

/* The highest that became one of `to`; 0: none. */
uint64_t rewritten_last(const struct rewritten *w, const struct replica_id *to);

/* Who has seen all of the feed up to `seq` has seen this: of each replica that it became the
 * newest, and of itself what is older than all of it. At most count + 1, in `out`; how many. */
size_t rewritten_seen(const struct rewritten *w, uint64_t seq, struct dot *out);

#endif
