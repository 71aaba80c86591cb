/* How far a feed that has forked is the same for everybody. Beyond that each replica
 * keeps the branch that it has, and they are neither compared nor sent. */
#ifndef HT_SYNC_FORK_H
#define HT_SYNC_FORK_H

#include "core/replica.h"

/* UINT64_MAX: no fork of it is proved. */
uint64_t fork_limit(const struct replica *r, const struct space_id *space,
		    const struct replica_id *replica);
/* Whether any feed of the space has such a limit. */
bool fork_is_in(const struct replica *r, const struct space_id *space);

/* Every changeset of `b` that is the same for everybody is covered by `a`. */
bool fork_dominates(const struct replica *r, const struct space_id *space, const struct vv *a,
		    const struct vv *b);

#endif
