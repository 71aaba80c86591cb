/* Version vector: per replica the highest contiguous seq held, in one space.
 *
 * A sorted array: offices are few and comparing is a merge. An absent replica
 * counts as 0. After Parker et al., "Detection of Mutual Inconsistency in
 * Distributed Systems" (IEEE TSE 1983). */
#ifndef HT_CORE_VV_H
#define HT_CORE_VV_H

#include <stddef.h>

#include "core/dot.h"

#define VV_DIGEST_BYTES 8 /* of replica_digest() */

struct vv {
	struct dot *entries; /* sorted by replica, seq > 0 */
	size_t count;
	size_t cap;
};

#define VV_EMPTY ((struct vv){ 0 })

void vv_release(struct vv *vv);
void vv_clear(struct vv *vv);

/* 0 when the replica is absent. */
uint64_t vv_get(const struct vv *vv, const struct replica_id *replica);

/* Raise the replica's seq to at least `seq`; never lowers. ERR_NOMEM. */
MUST_CHECK enum err vv_raise(struct vv *vv, const struct replica_id *replica, uint64_t seq);

/* The join: every entry of `from` raised in `into`. */
MUST_CHECK enum err vv_merge(struct vv *into, const struct vv *from);

MUST_CHECK enum err vv_copy(struct vv *into, const struct vv *from);

bool vv_covers(const struct vv *vv, const struct dot *dot);

/* Every entry of `b` is held by `a`. */
bool vv_dominates(const struct vv *a, const struct vv *b);

#endif
