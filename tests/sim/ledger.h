/* The simulator's own book: every changeset that any replica made durable, and
 * what its author held at that moment.
 *
 * Authors and spaces are known by small numbers. A replica id is an author; where
 * its feed forks, because a disk was copied or put back on purpose, each further
 * content of a dot begins a *branch*, which is an author of its own number:
 *
 *   author 3   1 - 2 - 3 - 4 - 5
 *   author 7             \ 4 - 5 - 6      first = 4, of author 3
 *
 * Who holds the branch up to 6 holds author 7 up to 6 and author 3 up to 3. So a
 * frontier, an array of `author_max` seqs, says what somebody holds of one space,
 * forked or not. Contexts are observed from outside, not read from changesets, so
 * they can contradict them. Everything lives until ledger_release(). Ends the
 * program without memory, and over `author_max`. */
#ifndef HT_TESTS_SIM_LEDGER_H
#define HT_TESTS_SIM_LEDGER_H

#include "core/changeset.h"
#include "core/vv.h"

enum { LEDGER_NONE = UINT32_MAX, LEDGER_SPACES_MAX = 64 };

struct view;

struct ledger_entry {
	uint32_t space, author;
	uint32_t seq;
	struct bytes body;
	uint8_t signature[SIGNATURE_BYTES], link[LINK_BYTES];
	struct changeset cs;
	const struct ledger_entry *before; /* of its feed, perhaps of another branch; or NULL */
	/* A frontier of the same space, with the author's own earlier changesets; zeros
	 * beyond `context_count`. */
	const uint32_t *context;
	uint32_t context_count;
	bool is_again;   /* no edit: the replica wrote it by itself, again for the most part */
	bool is_excused; /* nobody held it when its disk was put back */
	const struct view *view; /* of the membership, when it was written; or NULL */
};

struct ledger_feed {
	struct ledger_entry **entries; /* entries[seq - first] */
	uint32_t count, cap;
	uint32_t fork; /* of a replica id: the lowest seq with two contents; 0 = none */
};

struct ledger_author {
	struct replica_id id;
	uint32_t root;  /* the author that it is a branch of, or itself */
	uint32_t from;  /* the branch that it leaves, or itself */
	uint32_t first; /* its first seq: 1 unless it is a branch */
	uint32_t owner; /* whoever goes on under it: a node's index; twins have one */
	bool may_fork;  /* it is in use twice, or went back without knowing it */
};

struct ledger {
	uint32_t author_max, author_count, space_count;
	struct ledger_author *authors;
	uint32_t *by_id; /* author numbers in the order of their ids, branches last */
	struct space_id spaces[LEDGER_SPACES_MAX];
	struct ledger_feed *feeds[LEDGER_SPACES_MAX]; /* by author */
	uint64_t entry_count, fork_count;
	struct arena arena;
};

void ledger_init(struct ledger *l, uint32_t author_max);
void ledger_release(struct ledger *l);

uint32_t ledger_add_author(struct ledger *l, const struct replica_id *id, uint32_t owner);
uint32_t ledger_author(const struct ledger *l, const struct replica_id *id); /* or LEDGER_NONE */
uint32_t ledger_add_space(struct ledger *l, const struct space_id *id);
uint32_t ledger_space(const struct ledger *l, const struct space_id *id); /* or LEDGER_NONE */

/* NULL when nobody has made it durable. Of a branch, also what lies before it. */
const struct ledger_entry *ledger_find(const struct ledger *l, uint32_t space, uint32_t author,
				       uint64_t seq);
/* The greatest seq of an author; 0 = none. */
uint32_t ledger_top(const struct ledger *l, uint32_t space, uint32_t author);
/* What a frontier holds last of a replica id, whichever branch; NULL = nothing. */
const struct ledger_entry *ledger_tip(const struct ledger *l, uint32_t space,
				      const uint32_t *frontier, uint32_t root);
/* That content of a replica id which comes right after `before` (NULL: first). */
const struct ledger_entry *ledger_next(const struct ledger *l, uint32_t space, uint32_t root,
				       const struct ledger_entry *before,
				       const struct sealed *sealed);
/* Whether any branch of the replica id has the seq. */
bool ledger_has_dot(const struct ledger *l, uint32_t space, uint32_t root, uint64_t seq);

/* Enter a changeset that nobody had before, after `before`, which is the last one of
 * its author or begins a branch. What changeset_decode() says. */
MUST_CHECK enum err ledger_enter(struct ledger *l, uint32_t space, uint32_t root,
				 const struct ledger_entry *before, const struct sealed *sealed,
				 const uint32_t *context, struct ledger_entry **out,
				 struct errmsg *msg);

/* Write what the vector says to out[author_max], as if nothing had forked; the number of
 * an entry whose replica is unknown, or LEDGER_NONE when all are known. */
uint32_t ledger_frontier(const struct ledger *l, const struct vv *vv, uint32_t *out);

/* The reverse, of whatever branches. */
void ledger_vv(const struct ledger *l, const uint32_t *frontier, struct vv *out);

/* Leave of a replica id what is not above `seq`. */
void ledger_cap(const struct ledger *l, uint32_t *frontier, uint32_t root, uint64_t seq);

/* Its author held it. */
static inline bool entry_knows(const struct ledger_entry *later, const struct ledger_entry *earlier)
{
	return earlier->author < later->context_count &&
	       later->context[earlier->author] >= earlier->seq;
}

/* From here on a dot of the replica id may mean either branch. */
static inline bool entry_is_forked(const struct ledger *l, const struct ledger_entry *e)
{
	uint32_t fork = l->feeds[e->space][l->authors[e->author].root].fork;

	return fork && e->seq >= fork;
}

static inline struct stamp entry_stamp(const struct ledger *l, const struct ledger_entry *e)
{
	return (struct stamp){ e->cs.hlc, { l->authors[e->author].id, e->seq } };
}

#endif
