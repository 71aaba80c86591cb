#include "core/text_items.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"

void text_items_release(struct text_items *x)
{
	sumtree_release(&x->place);
	free(x->blocks);
	free(x->items);
	*x = TEXT_ITEMS_EMPTY;
}

/* ---- Blocks ---------------------------------------------------------------- */

static uint32_t prepare_width(const struct text_item *i)
{
	return i->state == TEXT_PRESENT ? i->count : 0;
}

static uint32_t effect_width(const struct text_item *i)
{
	return i->is_gone ? 0 : i->count;
}

static enum err add_block(struct text_items *x, uint32_t after, const struct widths *widths,
			  uint32_t *out)
{
	uint32_t block = x->block_count;

	if (array_reserve(&x->blocks, &x->block_cap, block + 1, sizeof(*x->blocks)) ||
	    sumtree_insert(&x->place, after, block, widths))
		return ERR_NOMEM;
	x->blocks[block].count = 0;
	x->blocks[block].next = TEXT_NO_ITEM;
	if (after != SUMTREE_NONE) {
		x->blocks[block].next = x->blocks[after].next;
		x->blocks[after].next = block;
	}
	x->block_count++;
	*out = block;
	return OK;
}

static uint32_t slot_of(const struct text_items *x, uint32_t item)
{
	const struct text_block *b = &x->blocks[x->items[item].block];
	uint32_t slot = 0;

	while (b->item[slot] != item)
		slot++;
	assert(slot < b->count);
	return slot;
}

static enum err split_block(struct text_items *x, uint32_t block)
{
	enum { HALF = TEXT_BLOCK_ITEMS / 2 };
	struct widths moved = { { 0 } }, lost = { { 0 } };
	struct text_block *a = &x->blocks[block], *b;
	uint32_t right, count = a->count - HALF;

	for (uint32_t i = HALF; i < a->count; i++) {
		moved.of[TEXT_PREPARE] += a->prepare[i];
		moved.of[TEXT_EFFECT] += a->effect[i];
		moved.of[TEXT_KNOWN] += x->items[a->item[i]].state != TEXT_NOT_YET;
	}
	if (add_block(x, block, &moved, &right))
		return ERR_NOMEM;
	a = &x->blocks[block];
	b = &x->blocks[right];
	memcpy(b->item, a->item + HALF, count * sizeof(b->item[0]));
	memcpy(b->prepare, a->prepare + HALF, count * sizeof(b->prepare[0]));
	memcpy(b->effect, a->effect + HALF, count * sizeof(b->effect[0]));
	for (uint32_t i = 0; i < count; i++)
		x->items[b->item[i]].block = right;
	a->count = HALF;
	b->count = count;
	for (unsigned w = 0; w < SUMTREE_WIDTHS; w++)
		lost.of[w] = 0 - moved.of[w];
	sumtree_add(&x->place, block, &lost);
	return OK;
}

/* Put an item there; the sums of its block are the caller's. */
static enum err put_item(struct text_items *x, uint32_t block, uint32_t slot, uint32_t item)
{
	struct text_item *i = &x->items[item];
	struct text_block *b;
	uint32_t rest;

	if (x->blocks[block].count == TEXT_BLOCK_ITEMS) {
		if (split_block(x, block))
			return ERR_NOMEM;
		if (slot > x->blocks[block].count) {
			slot -= x->blocks[block].count;
			block = x->blocks[block].next;
		}
	}
	b = &x->blocks[block];
	rest = b->count - slot;
	memmove(b->item + slot + 1, b->item + slot, rest * sizeof(b->item[0]));
	memmove(b->prepare + slot + 1, b->prepare + slot, rest * sizeof(b->prepare[0]));
	memmove(b->effect + slot + 1, b->effect + slot, rest * sizeof(b->effect[0]));
	b->item[slot] = item;
	b->prepare[slot] = prepare_width(i);
	b->effect[slot] = effect_width(i);
	b->count++;
	i->block = block;
	return OK;
}

/* ---- Items ----------------------------------------------------------------- */

static enum err new_item(struct text_items *x, const struct text_item *item, uint32_t *out)
{
	if (array_reserve(&x->items, &x->cap, x->count + 1, sizeof(*x->items)))
		return ERR_NOMEM;
	x->items[x->count] = *item;
	*out = x->count++;
	return OK;
}

enum err text_items_add(struct text_items *x, const struct item_cursor *c,
			const struct text_item *item, uint32_t *out)
{
	struct widths more = { { item->count, item->count, 1 } };
	uint32_t block = c->block;

	if (new_item(x, item, out) || put_item(x, block, c->slot, *out))
		return ERR_NOMEM;
	x->items[*out].id = x->next_id;
	x->items[*out].next = TEXT_NO_ITEM;
	x->next_id += item->count;
	sumtree_add(&x->place, x->items[*out].block, &more);
	return OK;
}

enum err text_items_split(struct text_items *x, uint32_t item, uint32_t count)
{
	struct text_item rest = x->items[item];
	struct widths more = { { 0, 0, rest.state != TEXT_NOT_YET } };
	struct text_block *b;
	uint32_t slot, right;

	assert(count > 0 && count < rest.count);
	/* First, so that both parts are counted where they are. */
	if (x->blocks[rest.block].count == TEXT_BLOCK_ITEMS && split_block(x, rest.block))
		return ERR_NOMEM;
	rest.block = x->items[item].block;
	rest.id += count;
	rest.count -= count;
	rest.left = rest.id - 1;
	rest.last_left = TEXT_NO_ITEM;
	if (new_item(x, &rest, &right))
		return ERR_NOMEM;
	x->items[item].count = count;
	x->items[item].next = right;
	slot = slot_of(x, item);
	b = &x->blocks[rest.block];
	b->prepare[slot] = prepare_width(&x->items[item]);
	b->effect[slot] = effect_width(&x->items[item]);
	if (more.of[TEXT_KNOWN])
		sumtree_add(&x->place, rest.block, &more);
	return put_item(x, rest.block, slot + 1, right);
}

void text_items_set(struct text_items *x, uint32_t item, uint32_t state)
{
	struct text_item *i = &x->items[item];
	uint32_t was = prepare_width(i), was_known = i->state != TEXT_NOT_YET, now;
	struct widths delta = { { 0 } };

	i->state = state & INT32_MAX;
	now = prepare_width(i);
	delta.of[TEXT_PREPARE] = now - was;
	delta.of[TEXT_KNOWN] = (i->state != TEXT_NOT_YET) - was_known;
	if (now == was && delta.of[TEXT_KNOWN] == 0)
		return;
	x->blocks[i->block].prepare[slot_of(x, item)] = now;
	sumtree_add(&x->place, i->block, &delta);
}

void text_items_delete(struct text_items *x, uint32_t item)
{
	struct text_item *i = &x->items[item];
	struct text_block *b = &x->blocks[i->block];
	struct widths less = { { 0 - i->count, 0 - effect_width(i) } };
	uint32_t slot = slot_of(x, item);

	assert(i->state == TEXT_PRESENT);
	i->state = TEXT_DELETED_ONCE;
	i->is_gone = true;
	b->prepare[slot] = b->effect[slot] = 0;
	sumtree_add(&x->place, i->block, &less);
}

enum err text_items_begin(struct text_items *x, uint32_t length)
{
	const struct widths none = { { 0 } };
	struct item_cursor c = { 0, 0, 0 };
	struct text_item all = { .count = length,
				 .left = TEXT_NO_ID,
				 .right = TEXT_NO_ITEM,
				 .edit = UINT32_MAX,
				 .last_left = TEXT_NO_ITEM,
				 .state = TEXT_PRESENT };
	uint32_t item;

	sumtree_clear(&x->place);
	x->block_count = x->count = x->next_id = 0;
	if (add_block(x, SUMTREE_NONE, &none, &x->first_block))
		return ERR_NOMEM;
	c.block = x->first_block;
	return length ? text_items_add(x, &c, &all, &item) : OK;
}

/* ---- Places ---------------------------------------------------------------- */

/* The item that has the code point, and how many of it stand before that one. */
static uint32_t find(const struct text_items *x, uint32_t pos, struct item_cursor *c,
		     uint32_t *offset)
{
	const struct text_block *b;
	struct widths before;
	uint32_t rest;

	c->block = sumtree_find(&x->place, TEXT_PREPARE, pos, &before);
	c->slot = 0;
	c->effect = before.of[TEXT_EFFECT];
	rest = pos - before.of[TEXT_PREPARE];
	b = &x->blocks[c->block];
	for (; rest >= b->prepare[c->slot]; text_items_step(x, c))
		rest -= b->prepare[c->slot];
	*offset = rest;
	return b->item[c->slot];
}

enum err text_items_after(struct text_items *x, uint32_t pos, struct item_cursor *c, uint32_t *left)
{
	uint32_t item, offset;

	*left = TEXT_NO_ID;
	*c = (struct item_cursor){ x->first_block, 0, 0 };
	if (pos == 0)
		return OK;
	item = find(x, pos - 1, c, &offset);
	*left = x->items[item].id + offset;
	if (offset + 1 < x->items[item].count) {
		if (text_items_split(x, item, offset + 1))
			return ERR_NOMEM;
		c->block = x->items[item].block;
		c->slot = slot_of(x, item);
	}
	text_items_step(x, c);
	return OK;
}

enum err text_items_from(struct text_items *x, uint32_t pos, uint32_t *item, uint32_t *effect)
{
	struct item_cursor c;
	uint32_t offset;

	*item = find(x, pos, &c, &offset);
	*effect = c.effect;
	if (offset == 0)
		return OK;
	*effect += x->items[*item].is_gone ? 0 : offset;
	if (text_items_split(x, *item, offset))
		return ERR_NOMEM;
	*item = x->items[*item].next;
	return OK;
}

uint32_t text_items_known(const struct text_items *x, struct item_cursor c)
{
	const struct text_block *b = &x->blocks[c.block];
	struct widths before;
	uint32_t known;

	for (; c.slot < b->count; c.slot++)
		if (x->items[b->item[c.slot]].state != TEXT_NOT_YET)
			return b->item[c.slot];
	if (b->next == TEXT_NO_ITEM)
		return TEXT_NO_ITEM;
	/* There may be many blocks of what is not known. */
	known = sumtree_before(&x->place, b->next).of[TEXT_KNOWN];
	if (known == text_items_length(x, TEXT_KNOWN))
		return TEXT_NO_ITEM;
	c.block = sumtree_find(&x->place, TEXT_KNOWN, known, &before);
	b = &x->blocks[c.block];
	c.slot = 0;
	while (x->items[b->item[c.slot]].state == TEXT_NOT_YET)
		c.slot++;
	return b->item[c.slot];
}

struct item_cursor text_items_cursor(const struct text_items *x, uint32_t item)
{
	uint32_t block = x->items[item].block, slot = slot_of(x, item);
	struct item_cursor c = { block, 0, sumtree_before(&x->place, block).of[TEXT_EFFECT] };

	while (c.slot < slot)
		text_items_step(x, &c);
	return c;
}

int text_items_cmp(const struct text_items *x, uint32_t a, uint32_t b)
{
	uint32_t of_a, of_b;

	if (a == b)
		return 0;
	if (a == TEXT_NO_ITEM || b == TEXT_NO_ITEM)
		return a == TEXT_NO_ITEM ? 1 : -1;
	of_a = x->items[a].block;
	of_b = x->items[b].block;
	if (of_a != of_b)
		return sumtree_cmp(&x->place, of_a, of_b);
	return slot_of(x, a) < slot_of(x, b) ? -1 : 1;
}

void text_items_check(const struct text_items *x)
{
	for (uint32_t block = x->first_block; block != TEXT_NO_ITEM;
	     block = x->blocks[block].next) {
		const struct text_block *b = &x->blocks[block];

		assert(b->count <= TEXT_BLOCK_ITEMS);
		for (uint32_t slot = 0; slot < b->count; slot++) {
			const struct text_item *i = &x->items[b->item[slot]];

			assert(i->block == block);
			assert(b->prepare[slot] == prepare_width(i));
			assert(b->effect[slot] == effect_width(i));
		}
	}
}
