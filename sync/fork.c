#include "sync/fork.h"

#include "core/trust.h"

uint64_t fork_limit(const struct replica *r, const struct space_id *space,
		    const struct replica_id *replica)
{
	const struct trust *t = replica_trust(r);
	struct trust_cut cut;

	if (!t)
		return UINT64_MAX;
	cut = trust_cut(t, replica, space);
	return cut.cause == CUT_FORKED ? cut.seq : UINT64_MAX;
}

bool fork_is_in(const struct replica *r, const struct space_id *space)
{
	const struct trust *t = replica_trust(r);

	for (size_t i = 0; t && i < t->cut_count; i++)
		if (t->cuts[i].cause == CUT_FORKED && space_id_cmp(&t->cuts[i].space, space) == 0)
			return true;
	return false;
}

bool fork_dominates(const struct replica *r, const struct space_id *space, const struct vv *a,
		    const struct vv *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (!vv_covers(a, &b->entries[i]) &&
		    vv_get(a, &b->entries[i].replica) <
			    fork_limit(r, space, &b->entries[i].replica))
			return false;
	return true;
}
