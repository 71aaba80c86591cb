/* The simulator's own book: every changeset that any replica made durable, and
 * what its author held at that moment.
 *
 * Authors (replica ids) and spaces are known by small numbers. A frontier is
 * an array of `author_max` seqs: what somebody holds of one space. Contexts are
 * observed from outside, not read from changesets, so they can contradict them.
 * Everything lives until ledger_release(). Ends the program without memory. */
#ifndef HT_TESTS_SIM_LEDGER_H
#define HT_TESTS_SIM_LEDGER_H

#include "core/changeset.h"
#include "core/vv.h"

enum { LEDGER_NONE = UINT32_MAX, LEDGER_SPACES_MAX = 64 };

struct ledger_entry {
	uint32_t space, author;
	uint32_t seq;
	struct bytes body;
	uint8_t signature[SIGNATURE_BYTES];
	struct changeset cs;
	/* A frontier of the same space, with the author's own earlier changesets. */
	const uint32_t *context;
};

struct ledger_feed {
	struct ledger_entry **entries; /* entries[seq - 1] */
	uint32_t count, cap;
};

struct ledger {
	uint32_t author_max, author_count, space_count;
	struct replica_id *authors;
	uint32_t *by_id; /* author numbers in the order of their ids */
	struct space_id spaces[LEDGER_SPACES_MAX];
	struct ledger_feed *feeds[LEDGER_SPACES_MAX]; /* by author */
	uint64_t entry_count;
	struct arena arena;
};

void ledger_init(struct ledger *l, uint32_t author_max);
void ledger_release(struct ledger *l);

uint32_t ledger_add_author(struct ledger *l, const struct replica_id *id);
uint32_t ledger_author(const struct ledger *l, const struct replica_id *id); /* or LEDGER_NONE */
uint32_t ledger_add_space(struct ledger *l, const struct space_id *id);
uint32_t ledger_space(const struct ledger *l, const struct space_id *id); /* or LEDGER_NONE */

/* NULL when nobody has made it durable. */
const struct ledger_entry *ledger_find(const struct ledger *l, uint32_t space, uint32_t author,
				       uint64_t seq);

/* Enter the next changeset of a feed. ERR_CHAIN when it is not the next one;
 * what changeset_decode() says. */
MUST_CHECK enum err ledger_enter(struct ledger *l, uint32_t space, const struct sealed *sealed,
				 const uint32_t *context, const struct ledger_entry **out,
				 struct errmsg *msg);

/* Write what the vector says to out[author_max]; the number of an entry whose
 * replica is unknown, or LEDGER_NONE when all are known. */
uint32_t ledger_frontier(const struct ledger *l, const struct vv *vv, uint32_t *out);

/* The reverse. */
void ledger_vv(const struct ledger *l, const uint32_t *frontier, struct vv *out);

static inline bool entry_knows(const struct ledger_entry *later, const struct ledger_entry *earlier)
{
	return later->context[earlier->author] >= earlier->seq;
}

static inline struct stamp entry_stamp(const struct ledger *l, const struct ledger_entry *e)
{
	return (struct stamp){ e->cs.hlc, { l->authors[e->author], e->seq } };
}

#endif
