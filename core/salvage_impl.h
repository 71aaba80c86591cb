/* What salvage and takeover share: a database of which not everything may be readable is read,
 * and each statement and changeset goes into a replica through the same door as if a peer
 * had sent it. */
#ifndef HT_CORE_SALVAGE_IMPL_H
#define HT_CORE_SALVAGE_IMPL_H

#include "core/replica_impl.h"

/* Where the reading stands in one feed of the damaged database. */
struct salvage_source {
	uint32_t idx;
	struct space_id space;
	struct replica_id replica;
	struct feed_head head; /* of the part that verified */
	struct stored next;
	struct hlc_stamp hlc; /* of `next` */
	struct arena arena;   /* holds `next` */
	bool has_next;
	bool is_branch;  /* the new one has another after `head` */
	uint64_t rows;   /* that the log seems to have */
	uint64_t copied; /* that are in the new one */
};

struct salvager {
	struct store *from;
	struct replica *to;
	bool is_takeover; /* `to` goes on without it: what can't be read stops nothing */
	struct salvage_source *sources;
	size_t source_count;
	size_t statement_count; /* that could be read */
	struct replica_id old_id;
	uint8_t old_nonce[ID_BYTES];
	struct salvage report;
	uint64_t total, now_ms;
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	struct errmsg *msg;
};

/* The statements of membership. ERR_CORRUPT: none can be read. */
MUST_CHECK enum err salvager_take_statements(struct salvager *s);
/* What of the feeds is not there yet, each up to its first damage. */
MUST_CHECK enum err salvager_take_feeds(struct salvager *s);
/* Which replica it was: old_id, old_nonce. ERR_CORRUPT: that can't be read, or is of another
 * key than `to` has. */
MUST_CHECK enum err salvager_read_ourselves(struct salvager *s);
/* Ours from beyond the damage, to be written again. */
MUST_CHECK enum err salvager_keep_ours(struct salvager *s);
/* But for `to`. */
void salvager_release(struct salvager *s);

#endif
