/* Where two replicas hold different branches of one feed: found by tags, as sessions do. */
#ifndef HT_TESTS_SUPPORT_BRANCHING_H
#define HT_TESTS_SUPPORT_BRANCHING_H

#include "core/replica.h"

/* Up to which seq the feed is held. */
uint64_t feed_held(const struct replica *r, const struct space_id *space,
		   const struct replica_id *feed);

/* The feed is one of this replica's node. */
bool feed_is_own(const struct replica *r, const struct replica_id *feed);

/* The first seq at which they differ; 0: as far as both hold it they don't. */
MUST_CHECK enum err feed_branches_at(struct replica *a, struct replica *b,
				     const struct space_id *space, const struct replica_id *feed,
				     uint64_t *out, struct errmsg *msg);

#endif
