/* A dot: the identity of one changeset, (replica, seq). Seqs begin at 1. */
#ifndef HT_CORE_DOT_H
#define HT_CORE_DOT_H

#include "core/hlc.h"
#include "core/id.h"

struct dot {
	struct replica_id replica;
	uint64_t seq;
};

static inline int dot_cmp(const struct dot *a, const struct dot *b)
{
	int order = replica_id_cmp(&a->replica, &b->replica);

	return order ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

/* When and by whom: the total order of writes is (hlc, replica, seq). */
struct stamp {
	struct hlc_stamp hlc;
	struct dot dot;
};

static inline int stamp_cmp(const struct stamp *a, const struct stamp *b)
{
	int order = hlc_cmp(a->hlc, b->hlc);

	return order ? order : dot_cmp(&a->dot, &b->dot);
}

#endif
