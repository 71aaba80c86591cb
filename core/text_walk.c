#include "core/text_walk.h"

#include <assert.h>
#include <stdlib.h>

enum { BLOCK_ITEMS = 32 };

enum { PREPARE, EFFECT }; /* widths of `place` */
enum { COUNT };           /* of `ids` */

/* Whether an item is there in the prepare version: inserted, and how often deleted. */
enum { NOT_YET, PRESENT, DELETED_ONCE };

#define NO_ITEM UINT32_MAX
#define NO_ID   UINT32_MAX

/* Code points with consecutive ids that stand and fall together. */
struct walk_item {
	uint32_t id, count;
	uint32_t left;  /* the id after which it was inserted, NO_ID: at the beginning */
	uint32_t right; /* the item before which it was, NO_ITEM: at the end */
	uint32_t block;
	uint32_t next; /* the item with the ids after its own */
	uint32_t state;
	bool is_gone; /* in the effect version */
};

struct walk_block {
	uint32_t next;
	uint32_t count;
	uint32_t item[BLOCK_ITEMS];
	uint32_t prepare[BLOCK_ITEMS]; /* code points that are there */
	uint32_t effect[BLOCK_ITEMS];
};

/* What a run did: INSERT the first of its ids, else spans in the order of the text. */
struct walk_trace {
	uint32_t first, count;
};

/* Before an item of a block, or at its end. */
struct cursor {
	uint32_t block, slot;
	uint32_t effect; /* code points of the effect version before it */
};

void text_walk_release(struct text_walk *w)
{
	sumtree_release(&w->place);
	sumtree_release(&w->ids);
	free(w->blocks);
	free(w->items);
	free(w->traces);
	free(w->spans);
	free(w->origins);
	free(w->version);
	free(w->moves);
	text_heap_release(&w->heap);
	*w = TEXT_WALK_EMPTY;
}

static enum err reserve(void *array, uint32_t count, uint32_t *cap, size_t size)
{
	size_t wanted = *cap ? 2 * (size_t)*cap : 16;
	void *now, *grown;

	if (count < *cap)
		return OK;
	while (wanted <= count)
		wanted *= 2;
	memcpy(&now, array, sizeof(now));
	grown = realloc(now, wanted * size);
	if (!grown)
		return ERR_NOMEM;
	memcpy(array, &grown, sizeof(grown));
	*cap = (uint32_t)wanted;
	return OK;
}

/* ---- Blocks and items ------------------------------------------------------ */

static enum err add_block(struct text_walk *w, uint32_t after, uint32_t *out)
{
	uint32_t block = w->block_count;
	struct widths none = { { 0 } };

	if (reserve(&w->blocks, block, &w->block_cap, sizeof(*w->blocks)) ||
	    sumtree_insert(&w->place, after, block, &none))
		return ERR_NOMEM;
	w->blocks[block].count = 0;
	w->blocks[block].next = NO_ITEM;
	if (after != SUMTREE_NONE) {
		w->blocks[block].next = w->blocks[after].next;
		w->blocks[after].next = block;
	}
	w->block_count++;
	*out = block;
	return OK;
}

static uint32_t slot_of(const struct text_walk *w, uint32_t item)
{
	const struct walk_block *b = &w->blocks[w->items[item].block];
	uint32_t slot = 0;

	while (b->item[slot] != item)
		slot++;
	assert(slot < b->count);
	return slot;
}

static enum err split_block(struct text_walk *w, uint32_t block)
{
	enum { HALF = BLOCK_ITEMS / 2 };
	struct widths moved = { { 0 } }, lost = { { 0 } };
	struct walk_block *a, *b;
	uint32_t right;

	if (add_block(w, block, &right))
		return ERR_NOMEM;
	a = &w->blocks[block];
	b = &w->blocks[right];
	b->count = a->count - HALF;
	a->count = HALF;
	memcpy(b->item, a->item + HALF, b->count * sizeof(b->item[0]));
	memcpy(b->prepare, a->prepare + HALF, b->count * sizeof(b->prepare[0]));
	memcpy(b->effect, a->effect + HALF, b->count * sizeof(b->effect[0]));
	for (uint32_t i = 0; i < b->count; i++) {
		w->items[b->item[i]].block = right;
		moved.of[PREPARE] += b->prepare[i];
		moved.of[EFFECT] += b->effect[i];
	}
	lost.of[PREPARE] = 0 - moved.of[PREPARE];
	lost.of[EFFECT] = 0 - moved.of[EFFECT];
	sumtree_add(&w->place, block, &lost);
	sumtree_add(&w->place, right, &moved);
	return OK;
}

/* Into its block's sums, too, unless they have it already. */
static enum err put_item(struct text_walk *w, uint32_t block, uint32_t slot, uint32_t item,
			 bool is_new)
{
	const struct walk_item *x = &w->items[item];
	struct widths more = { { 0 } };
	struct walk_block *b;
	uint32_t rest;

	if (w->blocks[block].count == BLOCK_ITEMS) {
		if (split_block(w, block))
			return ERR_NOMEM;
		if (slot > w->blocks[block].count) {
			slot -= w->blocks[block].count;
			block = w->blocks[block].next;
		}
	}
	b = &w->blocks[block];
	rest = b->count - slot;
	memmove(b->item + slot + 1, b->item + slot, rest * sizeof(b->item[0]));
	memmove(b->prepare + slot + 1, b->prepare + slot, rest * sizeof(b->prepare[0]));
	memmove(b->effect + slot + 1, b->effect + slot, rest * sizeof(b->effect[0]));
	b->item[slot] = item;
	b->prepare[slot] = x->state == PRESENT ? x->count : 0;
	b->effect[slot] = x->is_gone ? 0 : x->count;
	b->count++;
	w->items[item].block = block;
	if (is_new) {
		more.of[PREPARE] = b->prepare[slot];
		more.of[EFFECT] = b->effect[slot];
		sumtree_add(&w->place, block, &more);
	}
	return OK;
}

/* In the order of ids, after another one or as the last. */
static enum err add_item(struct text_walk *w, const struct walk_item *x, uint32_t after,
			 uint32_t *out)
{
	struct widths width = { { x->count } };
	uint32_t item = w->item_count;

	if (reserve(&w->items, item, &w->item_cap, sizeof(*w->items)) ||
	    sumtree_insert(&w->ids, after, item, &width))
		return ERR_NOMEM;
	w->items[item] = *x;
	w->items[item].next = NO_ITEM;
	if (after != NO_ITEM) {
		w->items[item].next = w->items[after].next;
		w->items[after].next = item;
	}
	if (w->items[item].next == NO_ITEM)
		w->last_item = item;
	w->item_count++;
	*out = item;
	return OK;
}

/* Cut off what an item has beyond so many: another item, the next one by id and place. */
static enum err split_item(struct text_walk *w, uint32_t item, uint32_t count)
{
	struct walk_item x = w->items[item];
	struct widths less = { { count - x.count } };
	struct walk_block *b;
	uint32_t slot, right;

	assert(count > 0 && count < x.count);
	/* First, so that both parts are counted where they are. */
	if (w->blocks[x.block].count == BLOCK_ITEMS && split_block(w, x.block))
		return ERR_NOMEM;
	x.block = w->items[item].block;
	slot = slot_of(w, item);
	b = &w->blocks[x.block];
	x.id += count;
	x.count -= count;
	x.left = x.id - 1;
	sumtree_add(&w->ids, item, &less);
	if (add_item(w, &x, item, &right))
		return ERR_NOMEM;
	w->items[item].count = count;
	b->prepare[slot] = x.state == PRESENT ? count : 0;
	b->effect[slot] = x.is_gone ? 0 : count;
	return put_item(w, x.block, slot + 1, right, false);
}

static uint32_t item_of_id(const struct text_walk *w, uint32_t id)
{
	struct widths before;

	return sumtree_find(&w->ids, COUNT, id, &before);
}

/* ---- Retreating and advancing ---------------------------------------------- */

static void set_state(struct text_walk *w, uint32_t item, uint32_t state)
{
	struct walk_item *x = &w->items[item];
	uint32_t now = state == PRESENT ? x->count : 0;
	uint32_t was = x->state == PRESENT ? x->count : 0;
	struct widths delta = { { now - was } };

	x->state = state;
	if (now == was)
		return;
	w->blocks[x->block].prepare[slot_of(w, item)] = now;
	sumtree_add(&w->place, x->block, &delta);
}

static enum err shift_ids(struct text_walk *w, uint32_t id, uint32_t count, int by)
{
	uint32_t item = item_of_id(w, id);
	enum err rc = OK;

	if (w->items[item].id < id) {
		rc = split_item(w, item, id - w->items[item].id);
		item = w->items[item].next;
	}
	while (rc == OK && count) {
		if (w->items[item].count > count)
			rc = split_item(w, item, count);
		set_state(w, item, w->items[item].state + (uint32_t)by);
		count -= w->items[item].count;
		item = w->items[item].next;
	}
	return rc;
}

static enum err shift_edit(struct text_walk *w, uint32_t edit, int by)
{
	const struct text_node *n = &w->h->nodes[edit];
	enum err rc = OK;

	for (uint32_t i = 0; i < n->run_count && rc == OK; i++) {
		uint32_t run = n->first_run + i;
		const struct walk_trace *t = &w->traces[run - w->first_run];

		if (w->h->runs[run].step == TEXT_INSERT)
			rc = shift_ids(w, t->first, t->count, by);
		else
			for (uint32_t k = 0; k < t->count && rc == OK; k++)
				rc = shift_ids(w, w->spans[t->first + k].id,
					       w->spans[t->first + k].count, by);
	}
	return rc;
}

struct move {
	struct text_walk *w;
	enum err rc;
};

/* Retreat at once, later edits first; advance afterwards, in the other order. */
static void note_move(void *ctx, uint32_t edit, enum text_side side)
{
	struct move *m = ctx;
	struct text_walk *w = m->w;

	if (m->rc)
		return;
	if (side == TEXT_ONLY_A)
		m->rc = shift_edit(w, edit, -1);
	else
		m->rc = reserve(&w->moves, w->move_count, &w->move_cap, sizeof(*w->moves));
	if (m->rc == OK && side == TEXT_ONLY_B)
		w->moves[w->move_count++] = edit;
}

static enum err move_to(struct text_walk *w, const uint32_t *heads, uint32_t count)
{
	struct move m = { w, OK };
	enum err rc;

	if (count == 1 && w->version_count == 1 && heads[0] == w->version[0])
		return OK;
	w->move_count = 0;
	rc = text_history_diff(w->h, w->base, w->version, w->version_count, heads, count, &w->heap,
			       note_move, &m);
	if (rc == OK)
		rc = m.rc;
	while (w->move_count && rc == OK)
		rc = shift_edit(w, w->moves[--w->move_count], 1);
	return rc;
}

static enum err set_version(struct text_walk *w, uint32_t edit)
{
	if (reserve(&w->version, 1, &w->version_cap, sizeof(*w->version)))
		return ERR_NOMEM;
	w->version[0] = edit;
	w->version_count = 1;
	return OK;
}

/* ---- Inserting ------------------------------------------------------------- */

/* The newest of w->origins that is not after the id. */
static uint32_t find_origin(const struct text_walk *w, uint32_t id)
{
	uint32_t low = 0, high = w->origin_count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (w->origins[middle].id <= id)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static uint32_t author_edit(const struct text_walk *w, uint32_t id)
{
	return w->origins[find_origin(w, id)].edit;
}

/* Where the item is in the text, as memcmp; NO_ITEM is the end. */
static int place_cmp(const struct text_walk *w, uint32_t a, uint32_t b)
{
	uint32_t x, y;

	if (a == b)
		return 0;
	if (a == NO_ITEM || b == NO_ITEM)
		return a == NO_ITEM ? 1 : -1;
	x = w->items[a].block;
	y = w->items[b].block;
	if (x != y)
		return sumtree_cmp(&w->place, x, y);
	return slot_of(w, a) < slot_of(w, b) ? -1 : 1;
}

/* Of two ids, NO_ID before all; those of one item by the id. */
static int left_cmp(const struct text_walk *w, uint32_t a, uint32_t b)
{
	uint32_t x, y;

	if (a == b)
		return 0;
	if (a == NO_ID || b == NO_ID)
		return a == NO_ID ? -1 : 1;
	x = item_of_id(w, a);
	y = item_of_id(w, b);
	return x == y ? (a < b ? -1 : 1) : place_cmp(w, x, y);
}

static bool cursor_item(const struct text_walk *w, struct cursor *c, uint32_t *item)
{
	while (c->slot == w->blocks[c->block].count) {
		if (w->blocks[c->block].next == NO_ITEM)
			return false;
		c->block = w->blocks[c->block].next;
		c->slot = 0;
	}
	*item = w->blocks[c->block].item[c->slot];
	return true;
}

static void cursor_step(const struct text_walk *w, struct cursor *c)
{
	c->effect += w->blocks[c->block].effect[c->slot++];
}

/* After so many code points of the prepare version: right after the last of them. */
static enum err cursor_after(struct text_walk *w, uint32_t pos, struct cursor *c, uint32_t *left)
{
	struct widths before;
	const struct walk_block *b;
	uint32_t item, rest;

	*left = NO_ID;
	*c = (struct cursor){ w->first_block, 0, 0 };
	if (pos == 0)
		return OK;
	c->block = sumtree_find(&w->place, PREPARE, pos - 1, &before);
	c->effect = before.of[EFFECT];
	rest = pos - 1 - before.of[PREPARE];
	b = &w->blocks[c->block];
	for (; rest >= b->prepare[c->slot]; cursor_step(w, c))
		rest -= b->prepare[c->slot];
	item = b->item[c->slot];
	*left = w->items[item].id + rest;
	if (rest + 1 < w->items[item].count) {
		if (split_item(w, item, rest + 1))
			return ERR_NOMEM;
		c->block = w->items[item].block;
		c->slot = slot_of(w, item);
	}
	cursor_step(w, c);
	return OK;
}

/* The item before which it was inserted: the first that is known in the prepare version. */
static uint32_t right_of(const struct text_walk *w, struct cursor c)
{
	uint32_t item;

	while (cursor_item(w, &c, &item)) {
		if (w->items[item].state != NOT_YET)
			return item;
		cursor_step(w, &c);
	}
	return NO_ITEM;
}

/* Past what others have inserted here, as far as it goes first: FugueMax. */
static void integrate(const struct text_walk *w, struct cursor *c, uint32_t left, uint32_t right,
		      uint32_t edit)
{
	struct cursor scan = *c;
	bool is_scanning = false;
	uint32_t item;

	while (cursor_item(w, &scan, &item) && w->items[item].state == NOT_YET) {
		const struct walk_item *other = &w->items[item];
		int order = left_cmp(w, other->left, left);

		if (order < 0)
			break;
		if (order == 0) {
			int side = place_cmp(w, other->right, right);

			if (side == 0 &&
			    text_history_cmp(w->h, edit, author_edit(w, other->id)) < 0)
				break;
			is_scanning = side < 0;
		}
		cursor_step(w, &scan);
		if (!is_scanning)
			*c = scan;
	}
}

static enum err note_origin(struct text_walk *w, uint32_t edit)
{
	if (w->origin_count && w->origins[w->origin_count - 1].edit == edit)
		return OK;
	if (reserve(&w->origins, w->origin_count, &w->origin_cap, sizeof(*w->origins)))
		return ERR_NOMEM;
	w->origins[w->origin_count++] = (struct walk_origin){ w->next_id, edit };
	return OK;
}

/* What is typed on at the end of what was inserted last becomes one item with it, if
 * nobody else has inserted anything there. */
static bool extend_item(struct text_walk *w, struct cursor c, uint32_t left, uint32_t right,
			uint32_t count)
{
	struct widths more = { { count, count } }, width = { { count } };
	struct walk_block *b = &w->blocks[c.block];
	struct walk_item *x;
	uint32_t slot, following;

	if (c.slot == 0 || left == NO_ID || left + 1 != w->next_id)
		return false;
	slot = c.slot - 1;
	x = &w->items[b->item[slot]];
	if (x->right != right || x->is_gone ||
	    (cursor_item(w, &c, &following) && following != right))
		return false;
	x->count += count;
	b->prepare[slot] += count;
	b->effect[slot] += count;
	sumtree_add(&w->place, x->block, &more);
	sumtree_add(&w->ids, b->item[slot], &width);
	return true;
}

/* Its cursor may be the end of one block or the beginning of the next. */
static enum err insert_run(struct text_walk *w, uint32_t edit, uint32_t pos, uint32_t count,
			   struct bytes text, struct walk_trace *trace,
			   const struct text_sink *sink)
{
	struct walk_item x = { .id = w->next_id, .count = count, .state = PRESENT };
	struct cursor c;
	uint32_t item;

	if (cursor_after(w, pos, &c, &x.left) || note_origin(w, edit))
		return ERR_NOMEM;
	x.right = right_of(w, c);
	if (!extend_item(w, c, x.left, x.right, count)) {
		integrate(w, &c, x.left, x.right, edit);
		if (add_item(w, &x, w->last_item, &item) ||
		    put_item(w, c.block, c.slot, item, true))
			return ERR_NOMEM;
	}
	*trace = (struct walk_trace){ w->next_id, count };
	w->next_id += count;
	return sink ? sink->insert(sink->ctx, c.effect, text, count) : OK;
}

/* ---- Deleting -------------------------------------------------------------- */

static enum err note_span(struct text_walk *w, struct walk_trace *trace, uint32_t id,
			  uint32_t count)
{
	struct walk_span *last = trace->count ? &w->spans[w->span_count - 1] : NULL;

	if (last && last->id + last->count == id) {
		last->count += count;
		return OK;
	}
	if (reserve(&w->spans, w->span_count, &w->span_cap, sizeof(*w->spans)))
		return ERR_NOMEM;
	w->spans[w->span_count++] = (struct walk_span){ id, count };
	trace->count++;
	return OK;
}

static enum err delete_item(struct text_walk *w, uint32_t item, uint32_t effect,
			    const struct text_sink *sink)
{
	struct walk_item *x = &w->items[item];
	struct walk_block *b = &w->blocks[x->block];
	struct widths less = { { 0 - x->count, x->is_gone ? 0 : 0 - x->count } };
	uint32_t slot = slot_of(w, item);
	bool was_gone = x->is_gone;

	x->state = DELETED_ONCE;
	x->is_gone = true;
	b->prepare[slot] = b->effect[slot] = 0;
	sumtree_add(&w->place, x->block, &less);
	return sink && !was_gone ? sink->remove(sink->ctx, effect, x->count) : OK;
}

/* `count` code points from `pos` on. */
static enum err delete_run(struct text_walk *w, uint32_t pos, uint32_t count,
			   struct walk_trace *trace, const struct text_sink *sink)
{
	enum err rc = OK;

	*trace = (struct walk_trace){ w->span_count, 0 };
	while (count && rc == OK) {
		struct cursor c;
		uint32_t left, item = NO_ITEM;

		rc = cursor_after(w, pos, &c, &left);
		if (rc)
			break;
		while (cursor_item(w, &c, &item) && w->items[item].state != PRESENT)
			cursor_step(w, &c);
		if (w->items[item].count > count)
			rc = split_item(w, item, count);
		if (rc == OK)
			rc = note_span(w, trace, w->items[item].id, w->items[item].count);
		if (rc == OK)
			rc = delete_item(w, item, c.effect, sink);
		count -= w->items[item].count;
	}
	return rc;
}

/* ---- Edits ----------------------------------------------------------------- */

static enum err replay_run(struct text_walk *w, uint32_t edit, uint32_t run, uint32_t *at,
			   bool is_adrift, const struct text_sink *sink)
{
	const struct text_run *r = &w->h->runs[run];
	struct walk_trace *trace = &w->traces[run - w->first_run];
	uint32_t length = w->place.total.of[PREPARE];

	if (r->step == TEXT_INSERT)
		return insert_run(w, edit, r->pos < length ? r->pos : length, r->count,
				  text_history_text(w->h, r, at), trace, sink);
	*trace = (struct walk_trace){ w->span_count, 0 };
	if (is_adrift)
		return OK;
	return delete_run(w, r->step == TEXT_DELETE ? r->pos : r->pos + 1 - r->count, r->count,
			  trace, sink);
}

/* Nothing is at a place: the prepare version stays where it is. */
static void replay_join(struct text_walk *w, uint32_t edit)
{
	struct text_node *n = &w->h->nodes[edit];

	if (n->sees_all && w->replayed == edit - w->base)
		n->length = w->place.total.of[EFFECT];
	w->replayed++;
}

enum err text_walk_edit(struct text_walk *w, uint32_t edit, const struct text_sink *sink)
{
	struct text_node *n = &w->h->nodes[edit];
	uint32_t at = n->first_byte;
	enum err rc;

	if (n->is_join) {
		replay_join(w, edit);
		return OK;
	}
	rc = move_to(w, text_node_parents(w->h, edit), n->parent_count);
	if (rc == OK)
		rc = set_version(w, edit);
	if (rc == OK)
		rc = reserve(&w->traces, n->first_run + n->run_count - w->first_run, &w->trace_cap,
			     sizeof(*w->traces));
	if (rc)
		return rc;
	w->replayed++;
	n->length = w->place.total.of[PREPARE];
	for (uint32_t i = 0; i < n->run_count && rc == OK; i++)
		rc = replay_run(w, edit, n->first_run + i, &at, text_node_is_adrift(n), sink);
	return rc;
}

enum err text_walk_begin(struct text_walk *w, struct text_history *h, uint32_t base,
			 uint32_t length)
{
	struct walk_item x = { 0, length, NO_ID, NO_ITEM, 0, NO_ITEM, PRESENT, false };
	uint32_t item;

	sumtree_clear(&w->place);
	sumtree_clear(&w->ids);
	w->h = h;
	w->base = base;
	w->first_run = base < h->count ? h->nodes[base].first_run : h->run_count;
	w->block_count = w->item_count = w->span_count = w->origin_count = 0;
	w->version_count = w->replayed = 0;
	w->last_item = NO_ITEM;
	w->next_id = length;
	if (reserve(&w->spans, 0, &w->span_cap, sizeof(*w->spans)) ||
	    add_block(w, SUMTREE_NONE, &w->first_block) || (length && note_origin(w, TEXT_NONE)))
		return ERR_NOMEM;
	if (length == 0)
		return OK;
	w->origins[0].id = 0;
	if (add_item(w, &x, NO_ITEM, &item))
		return ERR_NOMEM;
	return put_item(w, w->first_block, 0, item, true);
}

/* ---- The order ------------------------------------------------------------- */

/* The edits of a part of a history, and who goes on from whom. */
struct order {
	const struct text_history *h;
	uint32_t from, count;
	const bool *is_wanted;
	uint32_t *waits;    /* how many parents were not replayed yet */
	uint32_t *starts;   /* into children; one more than edits */
	uint32_t *children; /* ascending */
	uint32_t *ready;    /* a stack */
};

static bool is_wanted(const struct order *o, uint32_t edit)
{
	return edit >= o->from && (!o->is_wanted || o->is_wanted[edit - o->from]);
}

typedef void link_visit(struct order *o, uint32_t parent, uint32_t child);

static void each_link(struct order *o, link_visit *visit)
{
	for (uint32_t i = 0; i < o->count; i++) {
		uint32_t edit = o->from + i;
		const uint32_t *parents = text_node_parents(o->h, edit);

		for (uint32_t k = 0; is_wanted(o, edit) && k < o->h->nodes[edit].parent_count; k++)
			if (is_wanted(o, parents[k]))
				visit(o, parents[k] - o->from, i);
	}
}

static void count_link(struct order *o, uint32_t parent, uint32_t child)
{
	o->starts[parent + 1]++;
	o->waits[child]++;
}

static void store_link(struct order *o, uint32_t parent, uint32_t child)
{
	o->children[o->starts[parent]++] = child;
}

static enum err order_links(struct order *o)
{
	o->waits = calloc(3 * (size_t)o->count + 2, sizeof(*o->waits));
	if (!o->waits)
		return ERR_NOMEM;
	o->starts = o->waits + o->count;
	o->ready = o->starts + o->count + 2;
	each_link(o, count_link);
	for (uint32_t i = 0; i < o->count; i++)
		o->starts[i + 1] += o->starts[i];
	o->children = malloc((o->starts[o->count] + 1) * sizeof(*o->children));
	if (!o->children)
		return ERR_NOMEM;
	each_link(o, store_link);
	/* Storing has moved each start to its end, which is the next one's start. */
	memmove(o->starts + 1, o->starts, o->count * sizeof(*o->starts));
	o->starts[0] = 0;
	return OK;
}

enum err text_walk_order(const struct text_history *h, uint32_t from, uint32_t to,
			 const bool *wanted, uint32_t *out, size_t *count)
{
	struct order o = { .h = h, .from = from, .count = to - from, .is_wanted = wanted };
	enum err rc = order_links(&o);
	uint32_t ready = 0;
	size_t done = 0;

	for (uint32_t i = o.count; rc == OK && i-- > 0;)
		if (is_wanted(&o, from + i) && o.waits[i] == 0)
			o.ready[ready++] = i;
	while (rc == OK && ready) {
		uint32_t i = o.ready[--ready];

		out[done++] = from + i;
		for (uint32_t k = o.starts[i]; k < o.starts[i + 1]; k++)
			if (--o.waits[o.children[k]] == 0)
				o.ready[ready++] = o.children[k];
	}
	free(o.waits);
	free(o.children);
	if (rc == OK)
		*count = done;
	return rc;
}

/* What was typed on may be of several edits. */
static bool each_origin(const struct text_walk *w, const struct walk_item *x,
			text_walk_visit *visit, void *ctx)
{
	uint32_t origin = find_origin(w, x->id), end = x->id + x->count;

	for (uint32_t id = x->id, next; id < end; id = next, origin++) {
		bool is_last = origin + 1 == w->origin_count;

		next = is_last || w->origins[origin + 1].id > end ? end : w->origins[origin + 1].id;
		if (!visit(ctx, next - id, w->origins[origin].edit))
			return false;
	}
	return true;
}

void text_walk_each(const struct text_walk *w, text_walk_visit *visit, void *ctx)
{
	struct cursor c = { w->first_block, 0, 0 };
	uint32_t item;

	for (; cursor_item(w, &c, &item); cursor_step(w, &c))
		if (!w->items[item].is_gone && !each_origin(w, &w->items[item], visit, ctx))
			return;
}

struct loss {
	text_walk_loss *visit;
	void *ctx;
	uint32_t pos, edit;
};

static bool tell_loss(void *ctx, uint32_t count, uint32_t of)
{
	const struct loss *l = ctx;

	return l->visit(l->ctx, l->pos, count, l->edit, of);
}

/* What was deleted is whole items from then on. */
static bool each_loss_of(const struct text_walk *w, const struct walk_span *span, struct loss *l)
{
	uint32_t item = item_of_id(w, span->id), left = span->count;

	while (left) {
		const struct walk_item *x = &w->items[item];
		const struct walk_block *b = &w->blocks[x->block];

		l->pos = sumtree_before(&w->place, x->block).of[EFFECT];
		for (uint32_t i = 0; b->item[i] != item; i++)
			l->pos += b->effect[i];
		if (!each_origin(w, x, tell_loss, l))
			return false;
		left -= x->count;
		item = x->next;
	}
	return true;
}

void text_walk_each_loss(const struct text_walk *w, text_walk_loss *visit, void *ctx)
{
	const struct text_history *h = w->h;
	struct loss l = { .visit = visit, .ctx = ctx };

	for (l.edit = w->base; l.edit < h->count; l.edit++)
		for (uint32_t i = 0; i < h->nodes[l.edit].run_count; i++) {
			uint32_t run = h->nodes[l.edit].first_run + i;
			const struct walk_trace *t = &w->traces[run - w->first_run];

			for (uint32_t k = 0; h->runs[run].step != TEXT_INSERT && k < t->count; k++)
				if (!each_loss_of(w, &w->spans[t->first + k], &l))
					return;
		}
}

void text_walk_check(const struct text_walk *w)
{
	for (uint32_t block = w->first_block; block != NO_ITEM; block = w->blocks[block].next) {
		const struct walk_block *b = &w->blocks[block];

		assert(b->count <= BLOCK_ITEMS);
		for (uint32_t i = 0; i < b->count; i++) {
			const struct walk_item *x = &w->items[b->item[i]];

			assert(x->block == block);
			assert(b->prepare[i] == (x->state == PRESENT ? x->count : 0));
			assert(b->effect[i] == (x->is_gone ? 0 : x->count));
			assert(item_of_id(w, x->id) == b->item[i]);
		}
	}
}
