/* What a walk knows of a text: every code point that was ever in it since the walk's base,
 * in the order in which they stand, and in which of two versions each is there.
 *
 * An item is some code points in a row that one edit has inserted and that stand and fall
 * together; it is split where something comes between them, and never joined again. Its
 * first code point keeps its number. Items stand in blocks, and blocks in a tree of sums,
 * so to find a place, to change an item and to put one in cost O(log n). */
#ifndef HT_CORE_TEXT_ITEMS_H
#define HT_CORE_TEXT_ITEMS_H

#include <stdbool.h>

#include "core/sumtree.h"

#define TEXT_NO_ITEM UINT32_MAX
#define TEXT_NO_ID   UINT32_MAX

enum { TEXT_BLOCK_ITEMS = 32 };

/* Widths of blocks: code points that are there in the prepare version and in the effect
 * version, and items that are known to the prepare version, deleted or not. */
enum { TEXT_PREPARE, TEXT_EFFECT, TEXT_KNOWN };

/* Of an item in the prepare version: whether it is inserted, and how often deleted. */
enum { TEXT_NOT_YET, TEXT_PRESENT, TEXT_DELETED_ONCE };

struct text_item {
	uint32_t id, count; /* ids number code points in the order of the walk */
	uint32_t left;      /* the id after which it was inserted, TEXT_NO_ID: at the beginning */
	uint32_t right;     /* the item before which it was, TEXT_NO_ITEM: at the end */
	uint32_t edit;      /* that inserted it; TEXT_NONE: it was there at the base */
	uint32_t last_left; /* the item that was last inserted before this one, if any was */
	uint32_t block;
	uint32_t next; /* the item with the ids after its own, if it was split off it */
	uint32_t state : 31;
	uint32_t is_gone : 1; /* in the effect version */
};

struct text_block {
	uint32_t next;
	uint32_t count;
	uint32_t item[TEXT_BLOCK_ITEMS];
	uint32_t prepare[TEXT_BLOCK_ITEMS]; /* code points that are there */
	uint32_t effect[TEXT_BLOCK_ITEMS];
};

struct text_items {
	struct sumtree place; /* of blocks */
	struct text_block *blocks;
	uint32_t block_count, first_block;
	size_t block_cap;
	struct text_item *items;
	uint32_t count;
	size_t cap;
	uint32_t next_id;
};

#define TEXT_ITEMS_EMPTY ((struct text_items){ .place = SUMTREE_EMPTY })

/* Before an item of a block, or at the block's end. */
struct item_cursor {
	uint32_t block, slot;
	uint32_t effect; /* code points of the effect version before it */
};

void text_items_release(struct text_items *x);
/* Begin anew, with one item that has so many code points of nobody's, or none. ERR_NOMEM. */
MUST_CHECK enum err text_items_begin(struct text_items *x, uint32_t length);

static inline uint32_t text_items_length(const struct text_items *x, unsigned width)
{
	return x->place.total.of[width];
}

/* The item at the cursor, which is moved on to where that stands; false at the end. */
static inline bool text_items_at(const struct text_items *x, struct item_cursor *c, uint32_t *item)
{
	while (c->slot == x->blocks[c->block].count) {
		if (x->blocks[c->block].next == TEXT_NO_ITEM)
			return false;
		c->block = x->blocks[c->block].next;
		c->slot = 0;
	}
	*item = x->blocks[c->block].item[c->slot];
	return true;
}

/* Past the item at the cursor. */
static inline void text_items_step(const struct text_items *x, struct item_cursor *c)
{
	c->effect += x->blocks[c->block].effect[c->slot++];
}

/* Right after the code point of the prepare version that `pos` - 1 is, splitting its item.
 * *left: its id; for position 0 the beginning and TEXT_NO_ID. ERR_NOMEM. */
MUST_CHECK enum err text_items_after(struct text_items *x, uint32_t pos, struct item_cursor *c,
				     uint32_t *left);
/* The item that begins with the code point of the prepare version at `pos`, split so that it
 * does. *effect: the code points of the effect version before it. ERR_NOMEM. */
MUST_CHECK enum err text_items_from(struct text_items *x, uint32_t pos, uint32_t *item,
				    uint32_t *effect);
/* The first item from the cursor on that is known in the prepare version, or TEXT_NO_ITEM. */
uint32_t text_items_known(const struct text_items *x, struct item_cursor c);
struct item_cursor text_items_cursor(const struct text_items *x, uint32_t item);
/* Where the item is in the text, as memcmp; TEXT_NO_ITEM is the end. */
int text_items_cmp(const struct text_items *x, uint32_t a, uint32_t b);

/* A new item at the cursor, there in both versions. Its id is given here; `next` and `block`
 * are of no account. ERR_NOMEM. */
MUST_CHECK enum err text_items_add(struct text_items *x, const struct item_cursor *c,
				   const struct text_item *item, uint32_t *out);
/* Cut off what it has beyond so many: its `next`, which stands after it. ERR_NOMEM. */
MUST_CHECK enum err text_items_split(struct text_items *x, uint32_t item, uint32_t count);
/* In the prepare version. */
void text_items_set(struct text_items *x, uint32_t item, uint32_t state);
/* From the effect version, too, in which it may be gone already. */
void text_items_delete(struct text_items *x, uint32_t item);

void text_items_check(const struct text_items *x); /* asserts that sums and items agree */

#endif
