/* Blocks in a row, and how wide each is: a B-tree of sums.
 *
 * A block is a number below `block_max` that the caller gives out; what is in it is the
 * caller's. It has several widths (of text: bytes, code points, ...). To find the
 * block at a place, measured in any of them, to sum what stands before a block, to
 * change widths, to put a block in and take it out cost O(log n) each.
 *
 * Pure. After Bayer and McCreight, "Organization and Maintenance of Large Ordered
 * Indexes" (1972), with counts in place of keys. */
#ifndef HT_CORE_SUMTREE_H
#define HT_CORE_SUMTREE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Four widths are added as quickly as one, by machines of today. */
enum { SUMTREE_WIDTHS = 4, SUMTREE_FANOUT = 16 };

#define SUMTREE_NONE UINT32_MAX

/* Differences, too: sums are modulo 2^32. */
struct widths {
	uint32_t of[SUMTREE_WIDTHS];
};

struct sumtree_node;

struct sumtree {
	struct sumtree_node *nodes;
	uint32_t node_count, node_cap;
	uint32_t free;  /* a list of nodes, through `parent` */
	uint32_t root;  /* SUMTREE_NONE when empty */
	uint32_t *home; /* by block: its node; SUMTREE_NONE if it is not in the tree */
	size_t home_cap;
	struct widths total;
};

#define SUMTREE_EMPTY ((struct sumtree){ .free = SUMTREE_NONE, .root = SUMTREE_NONE })

void sumtree_release(struct sumtree *t);
void sumtree_clear(struct sumtree *t); /* memory is kept */

/* Put a block after another one; at the beginning after SUMTREE_NONE. ERR_NOMEM,
 * nothing changed. */
MUST_CHECK enum err sumtree_insert(struct sumtree *t, uint32_t after, uint32_t block,
				   const struct widths *widths);
void sumtree_remove(struct sumtree *t, uint32_t block);

/* Change a block's widths by so much. */
void sumtree_add(struct sumtree *t, uint32_t block, const struct widths *delta);

/* The block in which the place lies: before <= place < before + width, but the last
 * one that has any width at the end of all. SUMTREE_NONE when all are 0 wide. */
uint32_t sumtree_find(const struct sumtree *t, unsigned width, uint32_t place,
		      struct widths *before);

/* What stands before the block, which is in the tree. */
struct widths sumtree_before(const struct sumtree *t, uint32_t block);

/* Which of two blocks comes first, as memcmp. */
int sumtree_cmp(const struct sumtree *t, uint32_t a, uint32_t b);

#endif
