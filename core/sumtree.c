#include "core/sumtree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"

enum { HALF = SUMTREE_FANOUT / 2 };

struct sumtree_node {
	uint32_t parent;
	uint16_t count;
	uint16_t height; /* 0: its children are blocks */
	uint32_t child[SUMTREE_FANOUT];
	struct widths sum[SUMTREE_FANOUT]; /* of each child */
};

static void add(struct widths *to, const struct widths *more)
{
	for (unsigned w = 0; w < SUMTREE_WIDTHS; w++)
		to->of[w] += more->of[w];
}

void sumtree_release(struct sumtree *t)
{
	free(t->nodes);
	free(t->home);
	*t = SUMTREE_EMPTY;
}

void sumtree_clear(struct sumtree *t)
{
	t->node_count = 0;
	t->free = t->root = SUMTREE_NONE;
	t->total = (struct widths){ 0 };
}

/* ---- Nodes ----------------------------------------------------------------- */

/* The tree's greatest height when all nodes are as empty as they may be. */
enum { HEIGHT_MAX = 32 };

static enum err reserve_nodes(struct sumtree *t)
{
	uint32_t cap = t->node_cap ? t->node_cap : 4;

	while (cap - t->node_count < HEIGHT_MAX)
		cap += cap / 2;
	if (cap == t->node_cap)
		return OK;
	if (array_resize(&t->nodes, cap, sizeof(*t->nodes)))
		return ERR_NOMEM;
	t->node_cap = cap;
	return OK;
}

static uint32_t take_node(struct sumtree *t, unsigned height)
{
	uint32_t node = t->free;

	if (node != SUMTREE_NONE)
		t->free = t->nodes[node].parent;
	else
		node = t->node_count++;
	assert(node < t->node_cap);
	t->nodes[node].parent = SUMTREE_NONE;
	t->nodes[node].count = 0;
	t->nodes[node].height = (uint16_t)height;
	return node;
}

static void give_node(struct sumtree *t, uint32_t node)
{
	t->nodes[node].parent = t->free;
	t->free = node;
}

static unsigned slot_of(const struct sumtree_node *n, uint32_t child)
{
	unsigned slot = 0;

	while (n->child[slot] != child)
		slot++;
	assert(slot < n->count);
	return slot;
}

static void adopt(struct sumtree *t, uint32_t node, uint32_t child)
{
	if (t->nodes[node].height == 0)
		t->home[child] = node;
	else
		t->nodes[child].parent = node;
}

static struct widths sum_of(const struct sumtree_node *n)
{
	struct widths all = { { 0 } };

	for (unsigned i = 0; i < n->count; i++)
		add(&all, &n->sum[i]);
	return all;
}

/* Move the children from a slot on to the end of another node. */
static void move_children(struct sumtree *t, uint32_t from, unsigned slot, uint32_t to)
{
	struct sumtree_node *a = &t->nodes[from], *b = &t->nodes[to];
	unsigned count = a->count - slot;

	memcpy(b->child + b->count, a->child + slot, count * sizeof(a->child[0]));
	memcpy(b->sum + b->count, a->sum + slot, count * sizeof(a->sum[0]));
	for (unsigned i = 0; i < count; i++)
		adopt(t, to, b->child[b->count + i]);
	a->count = (uint16_t)slot;
	b->count = (uint16_t)(b->count + count);
}

static void put_child(struct sumtree *t, uint32_t node, unsigned slot, uint32_t child,
		      const struct widths *widths)
{
	struct sumtree_node *n = &t->nodes[node];
	unsigned rest = n->count - slot;

	memmove(n->child + slot + 1, n->child + slot, rest * sizeof(n->child[0]));
	memmove(n->sum + slot + 1, n->sum + slot, rest * sizeof(n->sum[0]));
	n->child[slot] = child;
	n->sum[slot] = *widths;
	n->count++;
	adopt(t, node, child);
}

static void cut_child(struct sumtree_node *n, unsigned slot)
{
	unsigned rest = n->count - slot - 1;

	memmove(n->child + slot, n->child + slot + 1, rest * sizeof(n->child[0]));
	memmove(n->sum + slot, n->sum + slot + 1, rest * sizeof(n->sum[0]));
	n->count--;
}

/* From a node's own sum up to the root's. */
static void add_above(struct sumtree *t, uint32_t node, const struct widths *delta)
{
	for (uint32_t up = t->nodes[node].parent; up != SUMTREE_NONE;
	     node = up, up = t->nodes[up].parent)
		add(&t->nodes[up].sum[slot_of(&t->nodes[up], node)], delta);
	add(&t->total, delta);
}

/* ---- Putting in ------------------------------------------------------------ */

static void grow_root(struct sumtree *t)
{
	uint32_t root = take_node(t, t->nodes[t->root].height + 1u);
	struct widths all = sum_of(&t->nodes[t->root]);

	put_child(t, root, 0, t->root, &all);
	t->root = root;
}

/* Make two of a full node. A full one at the end of its row is left full: what is
 * appended, block after block, fills nodes and not halves of them. */
static uint32_t split(struct sumtree *t, uint32_t node, unsigned slot)
{
	uint32_t right, up;
	struct widths of_right;
	unsigned at;

	if (node == t->root)
		grow_root(t);
	right = take_node(t, t->nodes[node].height);
	up = t->nodes[node].parent;
	if (t->nodes[up].count == SUMTREE_FANOUT) {
		split(t, up, slot_of(&t->nodes[up], node) + 1);
		up = t->nodes[node].parent;
	}
	move_children(t, node, slot == SUMTREE_FANOUT ? SUMTREE_FANOUT - 1 : HALF, right);
	of_right = sum_of(&t->nodes[right]);
	at = slot_of(&t->nodes[up], node);
	t->nodes[up].sum[at] = sum_of(&t->nodes[node]);
	put_child(t, up, at + 1, right, &of_right);
	return right;
}

static uint32_t first_bottom(const struct sumtree *t)
{
	uint32_t node = t->root;

	while (t->nodes[node].height > 0)
		node = t->nodes[node].child[0];
	return node;
}

enum err sumtree_insert(struct sumtree *t, uint32_t after, uint32_t block,
			const struct widths *widths)
{
	uint32_t node;
	unsigned slot = 0;

	if (reserve_nodes(t) ||
	    array_reserve(&t->home, &t->home_cap, block + (size_t)1, sizeof(*t->home)))
		return ERR_NOMEM;
	if (t->root == SUMTREE_NONE)
		t->root = take_node(t, 0);
	node = after == SUMTREE_NONE ? first_bottom(t) : t->home[after];
	if (after != SUMTREE_NONE)
		slot = slot_of(&t->nodes[node], after) + 1;
	if (t->nodes[node].count == SUMTREE_FANOUT) {
		uint32_t right = split(t, node, slot);

		if (slot > t->nodes[node].count) {
			slot -= t->nodes[node].count;
			node = right;
		}
	}
	put_child(t, node, slot, block, widths);
	add_above(t, node, widths);
	return OK;
}

/* ---- Taking out ------------------------------------------------------------ */

/* Empty nodes go; others may be thin, which costs depth only where much was removed. */
void sumtree_remove(struct sumtree *t, uint32_t block)
{
	uint32_t node = t->home[block], child = block;
	unsigned slot = slot_of(&t->nodes[node], block);
	struct widths gone;

	for (unsigned w = 0; w < SUMTREE_WIDTHS; w++)
		gone.of[w] = 0 - t->nodes[node].sum[slot].of[w];
	add_above(t, node, &gone);
	for (;;) {
		uint32_t up = t->nodes[node].parent;

		cut_child(&t->nodes[node], slot_of(&t->nodes[node], child));
		if (t->nodes[node].count || up == SUMTREE_NONE)
			break;
		give_node(t, node);
		child = node;
		node = up;
	}
	while (t->nodes[t->root].height > 0 && t->nodes[t->root].count == 1) {
		uint32_t root = t->nodes[t->root].child[0];

		give_node(t, t->root);
		t->root = root;
		t->nodes[root].parent = SUMTREE_NONE;
	}
	if (t->nodes[t->root].count == 0) {
		give_node(t, t->root);
		t->root = SUMTREE_NONE;
	}
}

/* ---- Measuring ------------------------------------------------------------- */

void sumtree_add(struct sumtree *t, uint32_t block, const struct widths *delta)
{
	uint32_t node = t->home[block];

	add(&t->nodes[node].sum[slot_of(&t->nodes[node], block)], delta);
	add_above(t, node, delta);
}

uint32_t sumtree_find(const struct sumtree *t, unsigned width, uint32_t place,
		      struct widths *before)
{
	uint32_t at = t->root;

	struct widths sum = { { 0 } };

	*before = sum;
	if (t->total.of[width] == 0)
		return SUMTREE_NONE;
	if (place >= t->total.of[width])
		place = t->total.of[width] - 1;
	for (;;) {
		const struct sumtree_node *n = &t->nodes[at];
		unsigned slot = 0;

		for (; place >= n->sum[slot].of[width]; slot++) {
			place -= n->sum[slot].of[width];
			add(&sum, &n->sum[slot]);
		}
		at = n->child[slot];
		if (n->height == 0)
			break;
	}
	*before = sum;
	return at;
}

struct widths sumtree_before(const struct sumtree *t, uint32_t block)
{
	struct widths before = { { 0 } };
	uint32_t child = block;

	for (uint32_t node = t->home[block]; node != SUMTREE_NONE;
	     child = node, node = t->nodes[node].parent) {
		unsigned slot = slot_of(&t->nodes[node], child);

		for (unsigned i = 0; i < slot; i++)
			add(&before, &t->nodes[node].sum[i]);
	}
	return before;
}

int sumtree_cmp(const struct sumtree *t, uint32_t a, uint32_t b)
{
	uint32_t up_a = t->home[a], up_b = t->home[b];

	if (a == b)
		return 0;
	while (up_a != up_b) { /* all blocks are equally deep */
		a = up_a;
		b = up_b;
		up_a = t->nodes[a].parent;
		up_b = t->nodes[b].parent;
	}
	return slot_of(&t->nodes[up_a], a) < slot_of(&t->nodes[up_a], b) ? -1 : 1;
}
