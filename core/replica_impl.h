/* What the replica's own files share: the caches in front of the store. */
#ifndef HT_CORE_REPLICA_IMPL_H
#define HT_CORE_REPLICA_IMPL_H

#include "core/replica.h"
#include "core/store.h"

/* One feed held: where its chain stands. */
struct feed {
	uint32_t idx;
	uint32_t space; /* index into replica.spaces */
	struct replica_id replica;
	struct feed_head head;
	uint64_t dep_seq; /* the newest seq that our own changesets depend on */
	bool touched;     /* by the transaction at hand: to be verified at its end */
};

struct space_state {
	struct space_id id;
	uint32_t idx; /* the store's number; 0 = nothing stored yet */
	struct vv vv;
	uint32_t *feeds; /* indices into replica.feeds, by replica id */
	uint32_t feed_count, feed_cap;
};

/* Which office takes part in which space. */
struct grant {
	struct space_id space;
	struct record_id office;
};

struct directory {
	bool stale;
	struct member *members; /* former ones last */
	size_t member_count;    /* without the former ones */
	size_t known_count;     /* with them */
	struct grant *grants;   /* sorted */
	size_t grant_count;
};

struct replica {
	struct store *store;
	struct replica_id id;
	bool has_org;
	uint8_t org[ORG_ID_BYTES];
	bool may_edit;
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	struct dice dice;
	struct hlc clock;
	uint64_t data_version;
	uint64_t reloads;
	bool stale; /* the caches could not be read: the next refresh tries again */

	struct space_state *spaces; /* [0] is the directory */
	struct space_id *space_ids; /* the same ids, for replica_spaces() */
	uint32_t *space_order;      /* places in spaces, sorted by id */
	uint32_t space_count, space_cap;
	struct feed *feeds;
	uint32_t feed_count, feed_cap;
	struct directory directory;

	struct arena arena; /* one changeset's worth */
	struct buf scratch;
};

/* Look a space up, or make it known (nothing is stored until a feed is). */
struct space_state *replica_space(const struct replica *r, const struct space_id *id);
MUST_CHECK enum err replica_space_add(struct replica *r, const struct space_id *id,
				      struct space_state **out);

struct feed *replica_feed(const struct replica *r, const struct space_state *space,
			  const struct replica_id *id);
/* Also stores it (and the space). Invalidates pointers to feeds and spaces. */
MUST_CHECK enum err replica_feed_add(struct replica *r, const struct space_id *space,
				     const struct replica_id *id, struct feed **out,
				     struct errmsg *msg);

/* Append to the log and apply to the state; moves the feed's head, the vector
 * and the clock. The changeset was decoded and validated. */
MUST_CHECK enum err replica_append(struct replica *r, struct feed *feed, const struct changeset *cs,
				   const struct sealed *sealed, const uint8_t link[LINK_BYTES],
				   struct errmsg *msg);

/* Drop the caches and read them again from the store. */
MUST_CHECK enum err replica_reload(struct replica *r, struct errmsg *msg);

/* Apply one changeset's ops to the state (core/apply.c). */
MUST_CHECK enum err apply_changeset(struct store *store, uint32_t space, const struct stamp *stamp,
				    const struct changeset *cs, struct arena *arena,
				    struct errmsg *msg);

/* Apply the whole log to an empty state, in causal order; counts in the report. */
MUST_CHECK enum err replica_replay(struct replica *r, struct store *into,
				   struct verify_report *report,
				   void (*progress)(void *ctx, uint64_t done, uint64_t total),
				   void *ctx, struct errmsg *msg);

/* The state of any store (core/state_hash.c). */
MUST_CHECK enum err store_state_hash(struct store *s, uint8_t out[STATE_HASH_BYTES],
				     struct errmsg *msg);

/* The directory's cache (core/directory.c). */
void directory_release(struct directory *d);
MUST_CHECK enum err directory_load(struct replica *r, struct errmsg *msg);

/* BLAKE2b-256("huitong-org-1" ‖ replica ‖ body of its first changeset). */
void org_id_of(uint8_t out[ORG_ID_BYTES], const struct replica_id *replica, struct bytes body);

#endif
