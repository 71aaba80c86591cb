/* What a session knows of each space: what the peer holds, and what has been
 * offered to it. */
#ifndef HT_SYNC_SPACE_TABLE_H
#define HT_SYNC_SPACE_TABLE_H

#include "core/replica.h"
#include "proto/message.h"

struct space_sync {
	struct space_id id;
	struct vv peer;       /* the peer holds this: it said so, or sent it */
	struct vv offered;    /* `peer` and what is on its way; feeds in `held_there` are full */
	struct vv held_there; /* feeds that the peer doesn't take now, at SEQ_MAX */
	struct vv held_here;  /* feeds that we don't take now, likewise */
	unsigned in_flight;   /* CHANGES not acknowledged */
	bool is_known;        /* the peer's whole vector is in `peer` */
	bool is_announced;    /* in our DIGESTS */
	bool has_told;        /* the peer was sent our whole vector, or has the same */
	bool is_dirty;        /* there may be something to offer */
	bool has_dropped;     /* CHANGES came before we knew that it is shared, or after */
};

/* Entries stay where they are put, [0] is the first added: the directory. */
struct space_table {
	struct space_sync *entries;
	size_t count;
	uint32_t *places; /* open addressing by id: 1 + index, 0 = free */
	size_t place_count;
	size_t dirty_count;
	size_t cursor; /* where the search for a dirty one goes on */
};

void space_table_release(struct space_table *t);

/* NULL when absent. Borrowed until the next add. */
struct space_sync *space_table_find(const struct space_table *t, const struct space_id *id);
/* Finds or adds; NULL when out of memory. Borrowed likewise. */
struct space_sync *space_table_add(struct space_table *t, const struct space_id *id);

void space_table_mark(struct space_table *t, struct space_sync *sp, bool is_dirty);

/* The directory if it is dirty, else the next in turn; NULL: none. */
struct space_sync *space_table_next_dirty(struct space_table *t);

/* How many changesets of ours the member is known to lack, in spaces that both take
 * part in. A space that the table does not have is lacked as a whole. */
uint64_t space_table_to_send(const struct space_table *t, const struct replica *r,
			     const struct member *peer);

#endif
