/* Disks that are copied and put back, by dice: a backup is made; it is restored, as
 * `huitong restore` does it, or put in place by hand, where the high-water mark beside
 * it tells; a host goes back to a snapshot with all that it has, so that nothing tells;
 * a disk is cloned, and two machines run as one node from then on. */
#ifndef HT_TESTS_SIM_COPIES_H
#define HT_TESTS_SIM_COPIES_H

#include "tests/sim/world.h"

/* A disk as it was, and what else its host had; and the book of that moment. */
struct snapshot {
	struct memdisk *disk; /* off; NULL: there is none */
	unsigned machine;     /* the index of the node */
	uint32_t owner, author;
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	uint8_t noise_secret[NOISE_KEY_BYTES];
	struct node_identity identity;
	struct mark mark;
	bool has_mark, is_coming_back;
	const struct view *view;
	uint64_t greatest_hlc_ms;
	uint32_t *held[LEDGER_SPACES_MAX];
};

void snapshot_release(struct snapshot *s);

/* One of the kinds that the world's config allows, to a node of which dice decide. */
void copy_strike(struct world *w);

/* A certain one; true if it has come to pass. CLONE: of this node. */
bool copy_of(struct node *n, enum copy copy);

#endif
