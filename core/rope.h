/* A text that is edited: UTF-8 in leaves of a kilobyte under a tree of sums.
 *
 * Positions and lengths are code points; they convert from and to UTF-8 bytes and
 * UTF-16 units. An edit costs O(log n), and next to nothing beside the edit before:
 * each leaf has a gap at its last edit (Finseth, "The Craft of Text Editing", 6),
 * and sums are brought up to date when another leaf is turned to.
 *
 * What goes in is valid UTF-8: the caller has checked it. Pure. After ERR_NOMEM the
 * rope is whole, but the edit may be there in part: throw it away. */
#ifndef HT_CORE_ROPE_H
#define HT_CORE_ROPE_H

#include "core/bytes.h"
#include "core/sumtree.h"

enum rope_unit { ROPE_POINTS, ROPE_BYTES, ROPE_UTF16, ROPE_UNIT_COUNT };

struct rope_leaf;

struct rope {
	struct sumtree tree; /* widths by enum rope_unit, but for the pending ones */
	struct rope_leaf *leaves;
	uint32_t leaf_count, leaf_cap;
	uint32_t free; /* a list of leaves, through `next` */
	uint32_t first;
	uint32_t at;           /* the leaf of the last edit, or SUMTREE_NONE */
	struct widths before;  /* what stands before it */
	struct widths pending; /* what the tree does not know yet of it */
};

#define ROPE_EMPTY                             \
	((struct rope){ .tree = SUMTREE_EMPTY, \
			.free = SUMTREE_NONE,  \
			.first = SUMTREE_NONE, \
			.at = SUMTREE_NONE })

void rope_release(struct rope *r);
void rope_clear(struct rope *r); /* empty; memory is kept */

uint32_t rope_size(const struct rope *r, enum rope_unit unit);
bool rope_has(const struct rope *r, uint32_t pos, uint32_t count); /* [pos, pos + count) */

/* Asserts pos <= size. ERR_NOMEM. */
MUST_CHECK enum err rope_insert(struct rope *r, uint32_t pos, struct bytes text);
/* Asserts pos + count <= size. Cannot fail. */
void rope_delete(struct rope *r, uint32_t pos, uint32_t count);

/* Append code points [pos, pos + count) to a buffer. */
void rope_read(const struct rope *r, uint32_t pos, uint32_t count, struct buf *out);

/* The same place in another unit; one inside a code point is moved to its beginning.
 * Asserts place <= size. */
uint32_t rope_convert(const struct rope *r, uint32_t place, enum rope_unit from, enum rope_unit to);
/* So many code points at a position, in another unit. Asserts pos + count <= size. */
uint32_t rope_measure(const struct rope *r, uint32_t pos, uint32_t count, enum rope_unit unit);

void rope_check(const struct rope *r); /* asserts that sums and contents agree */

#endif
