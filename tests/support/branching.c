#include "tests/support/branching.h"

#include <string.h>

#include "core/trust.h"

uint64_t feed_held(const struct replica *r, const struct space_id *space,
		   const struct replica_id *feed)
{
	return vv_get(replica_vv(r, space), feed);
}

bool feed_is_own(const struct replica *r, const struct replica_id *feed)
{
	const struct trust *t = replica_trust(r);
	const struct trust_epoch *own = trust_epoch(t, replica_id(r));
	const struct trust_epoch *epoch = trust_epoch(t, feed);

	return own && epoch && record_id_cmp(&own->node, &epoch->node) == 0;
}

static enum err is_same_at(struct replica *a, struct replica *b, const struct space_id *space,
			   const struct dot *dot, bool *out, struct errmsg *msg)
{
	uint8_t x[TAG_BYTES], y[TAG_BYTES];
	enum err rc = replica_tag(a, space, dot, x, msg);

	if (rc == OK)
		rc = replica_tag(b, space, dot, y, msg);
	if (rc == OK)
		*out = memcmp(x, y, TAG_BYTES) == 0;
	return rc;
}

enum err feed_branches_at(struct replica *a, struct replica *b, const struct space_id *space,
			  const struct replica_id *feed, uint64_t *out, struct errmsg *msg)
{
	uint64_t of_a = feed_held(a, space, feed), of_b = feed_held(b, space, feed);
	uint64_t same = 0, differs = of_a < of_b ? of_a : of_b;
	struct dot dot = { *feed, differs };
	bool is_same = true;
	enum err rc = differs ? is_same_at(a, b, space, &dot, &is_same, msg) : OK;

	if (rc == OK && is_same)
		differs = 0;
	while (rc == OK && differs > same + 1) {
		dot.seq = same + (differs - same) / 2;
		rc = is_same_at(a, b, space, &dot, &is_same, msg);
		if (rc == OK)
			*(is_same ? &same : &differs) = dot.seq;
	}
	if (rc == OK)
		*out = differs;
	return rc;
}
