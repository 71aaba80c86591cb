/* Feeds that wait: their next changeset is dated too far in the future, so
 * replica_receive() did not store it, or the peer holds another branch of them. Until
 * the session ends nothing more of them is taken, nor what depends on it; other feeds
 * go on. */
#ifndef HT_SYNC_HELD_H
#define HT_SYNC_HELD_H

#include "core/replica.h"

/* Leave in `list` what can be received although the feeds of `held` wait, and
 * note in `held` further feeds that therefore wait too. Costs nothing while
 * `held` is empty. ERR_FORMAT and the like for a body that does not decode, ERR_NOMEM. */
MUST_CHECK enum err held_filter(const struct replica *r, const struct space_id *space,
				struct vv *held, struct sealed *list, size_t *count,
				struct arena *arena, struct errmsg *msg);

/* After receiving: note in `held` the feeds of `sent` that `ours` did not follow
 * to their end, and write them to `out`, which has room for sent->count. */
MUST_CHECK enum err held_note(const struct vv *ours, const struct vv *sent, struct vv *held,
			      struct replica_id *out, size_t *count);

/* The feed need not wait any longer. */
void held_release(struct vv *held, const struct replica_id *replica);

#endif
