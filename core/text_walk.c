#include "core/text_walk.h"

#include <assert.h>
#include <stdlib.h>

#include "core/array.h"

void text_walk_release(struct text_walk *w)
{
	text_items_release(&w->items);
	free(w->traces);
	free(w->spans);
	free(w->is_in);
	free(w->moves);
	free(w->seen);
	text_queue_release(&w->queue);
	*w = TEXT_WALK_EMPTY;
}

/* ---- Retreating and advancing ---------------------------------------------- */

/* So many code points from an item on, which are whole items. */
static void shift_items(struct text_walk *w, uint32_t item, uint32_t count, int by)
{
	while (count) {
		const struct text_item *i = &w->items.items[item];

		count -= i->count;
		text_items_set(&w->items, item, i->state + (uint32_t)by);
		item = i->next;
	}
}

static void shift_run(struct text_walk *w, uint32_t run, int by)
{
	const struct walk_trace *t = &w->traces[run - w->first_run];

	if (w->h->runs[run].step == TEXT_INSERT) {
		shift_items(w, t->first, t->count, by);
		return;
	}
	for (uint32_t i = t->first; i < t->first + t->count; i++)
		shift_items(w, w->spans[i].item, w->spans[i].count, by);
}

static void shift_edit(struct text_walk *w, uint32_t edit, int by)
{
	const struct text_node *n = &w->h->nodes[edit];

	w->is_in[edit - w->base] = by > 0;
	for (uint32_t i = 0; i < n->run_count; i++)
		shift_run(w, n->first_run + i, by);
}

static enum err add_move(struct text_walk *w, uint32_t edit)
{
	if (array_reserve(&w->moves, &w->move_cap, w->move_count + 1, sizeof(*w->moves)))
		return ERR_NOMEM;
	w->moves[w->move_count++] = edit;
	return OK;
}

/* What is not in the prepare version of what some edits are and have seen. */
static enum err add_moves_to(struct text_walk *w, const uint32_t *edits, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (edits[i] < w->base || w->is_in[edits[i] - w->base])
			continue;
		w->is_in[edits[i] - w->base] = true;
		if (add_move(w, edits[i]))
			return ERR_NOMEM;
	}
	return OK;
}

struct retreat {
	struct text_walk *w;
	enum err rc;
};

/* Retreat at once; advance afterwards. */
static void note_move(void *ctx, uint32_t edit, enum text_side side)
{
	struct retreat *r = ctx;

	if (side == TEXT_ONLY_A)
		shift_edit(r->w, edit, -1);
	else if (r->rc == OK)
		r->rc = add_move(r->w, edit);
}

static bool has(const uint32_t *edits, uint32_t count, uint32_t edit)
{
	for (uint32_t i = count; i-- > 0;)
		if (edits[i] == edit)
			return true;
	return false;
}

/* Mostly what was replayed last is among the heads, and nothing is retreated over: then
 * the cost is what is new, and not how far back the two versions begin to differ. */
static enum err move_to(struct text_walk *w, const uint32_t *heads, uint32_t count)
{
	struct retreat r = { w, OK };

	if (w->version != TEXT_NONE && count == 1 && heads[0] == w->version)
		return OK;
	w->move_count = 0;
	if (w->version == TEXT_NONE || has(heads, count, w->version)) {
		r.rc = add_moves_to(w, heads, count);
		for (uint32_t i = 0; i < w->move_count && r.rc == OK; i++)
			r.rc = add_moves_to(w, text_node_parents(w->h, w->moves[i]),
					    w->h->nodes[w->moves[i]].parent_count);
	} else if (text_history_diff(w->h, w->base, &w->version, 1, heads, count, &w->queue,
				     note_move, &r)) {
		return ERR_NOMEM;
	}
	while (w->move_count && r.rc == OK)
		shift_edit(w, w->moves[--w->move_count], 1);
	return r.rc;
}

/* ---- Inserting ------------------------------------------------------------- */

static struct walk_seen *seen_slot(struct walk_seen *table, uint32_t cap, uint32_t id,
				   uint32_t search)
{
	uint32_t at = id * UINT32_C(2654435769) & (cap - 1); /* Knuth, 6.4: Fibonacci hashing */

	while (table[at].search == search && table[at].id != id)
		at = (at + 1) & (cap - 1);
	return &table[at];
}

static bool was_seen(const struct text_walk *w, uint32_t id)
{
	return seen_slot(w->seen, w->seen_cap, id, w->search)->search == w->search;
}

static enum err grow_seen(struct text_walk *w)
{
	uint32_t cap = w->seen_cap ? 2 * w->seen_cap : 64;
	struct walk_seen *grown = calloc(cap, sizeof(*grown));

	if (!grown)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->seen_cap; i++)
		if (w->seen[i].search == w->search)
			*seen_slot(grown, cap, w->seen[i].id, w->search) = w->seen[i];
	free(w->seen);
	w->seen = grown;
	w->seen_cap = cap;
	return OK;
}

static enum err see(struct text_walk *w, uint32_t id)
{
	if (2 * w->seen_count >= w->seen_cap && grow_seen(w))
		return ERR_NOMEM;
	*seen_slot(w->seen, w->seen_cap, id, w->search) = (struct walk_seen){ id, w->search };
	w->seen_count++;
	return OK;
}

/* The item that was last inserted before another one, if any was. */
static uint32_t *last_before(struct text_walk *w, uint32_t item)
{
	return item == TEXT_NO_ITEM ? &w->last_at_end : &w->items.items[item].last_left;
}

/* Past what others have inserted here, as far as it goes first: FugueMax. What was
 * inserted after something that was met on the way goes with that. */
static enum err pass_others(struct text_walk *w, struct item_cursor *c, const struct text_item *x)
{
	struct item_cursor scan = *c;
	bool is_scanning = false;
	uint32_t item;

	w->seen_count = 0;
	w->search++;
	while (text_items_at(&w->items, &scan, &item) &&
	       w->items.items[item].state == TEXT_NOT_YET) {
		const struct text_item *other = &w->items.items[item];

		if (other->left == x->left) {
			int side = text_items_cmp(&w->items, other->right, x->right);

			if (side == 0 && text_history_cmp(w->h, x->edit, other->edit) < 0)
				break;
			is_scanning = side < 0;
		} else if (w->seen_count == 0 || !was_seen(w, other->left)) {
			break;
		}
		if (see(w, other->id + other->count - 1))
			return ERR_NOMEM;
		text_items_step(&w->items, &scan);
		if (!is_scanning)
			*c = scan;
	}
	return OK;
}

/* From right after what it was inserted after to where it goes. Two short cuts, without
 * which many insertions at one place, by whoever means harm, cost as many steps each:
 * nothing else was inserted before its neighbour, which was inserted where it is, so it
 * stands right before that; or the one that was goes first, so the search begins there. */
static enum err find_place(struct text_walk *w, struct item_cursor *c, const struct text_item *x)
{
	const struct text_item *items = w->items.items;
	uint32_t last = *last_before(w, x->right);

	if (last == TEXT_NO_ITEM && x->right != TEXT_NO_ITEM && items[x->right].left == x->left) {
		*c = text_items_cursor(&w->items, x->right);
		return OK;
	}
	if (last != TEXT_NO_ITEM && items[last].left == x->left &&
	    text_history_cmp(w->h, x->edit, items[last].edit) > 0)
		*c = text_items_cursor(&w->items, last);
	return pass_others(w, c, x);
}

static enum err insert_run(struct text_walk *w, uint32_t edit, uint32_t pos, uint32_t count,
			   struct bytes text, struct walk_trace *trace,
			   const struct text_sink *sink)
{
	struct text_item x = {
		.count = count, .edit = edit, .last_left = TEXT_NO_ITEM, .state = TEXT_PRESENT
	};
	struct item_cursor c;
	uint32_t item, next;

	if (text_items_after(&w->items, pos, &c, &x.left))
		return ERR_NOMEM;
	x.right = text_items_known(&w->items, c);
	if (text_items_at(&w->items, &c, &next) && next != x.right && find_place(w, &c, &x))
		return ERR_NOMEM;
	if (text_items_add(&w->items, &c, &x, &item))
		return ERR_NOMEM;
	*last_before(w, x.right) = item;
	*trace = (struct walk_trace){ item, count };
	return sink ? sink->insert(sink->ctx, c.effect, text, count) : OK;
}

/* ---- Deleting -------------------------------------------------------------- */

/* after: the item that was deleted before in this run. */
static enum err note_span(struct text_walk *w, struct walk_trace *trace, uint32_t item,
			  uint32_t after)
{
	uint32_t count = w->items.items[item].count;

	if (after != TEXT_NO_ITEM && w->items.items[after].next == item) {
		w->spans[w->span_count - 1].count += count;
		return OK;
	}
	if (array_reserve(&w->spans, &w->span_cap, w->span_count + 1, sizeof(*w->spans)))
		return ERR_NOMEM;
	w->spans[w->span_count++] = (struct walk_span){ item, count };
	trace->count++;
	return OK;
}

/* `count` code points from `pos` on. What is to be removed in a row is at once. */
static enum err delete_run(struct text_walk *w, uint32_t pos, uint32_t count,
			   struct walk_trace *trace, const struct text_sink *sink)
{
	uint32_t item, after = TEXT_NO_ITEM, effect, removed_at = 0, removed = 0;
	enum err rc = OK;

	while (count && rc == OK) {
		if (text_items_from(&w->items, pos, &item, &effect) ||
		    (w->items.items[item].count > count &&
		     text_items_split(&w->items, item, count)) ||
		    note_span(w, trace, item, after))
			return ERR_NOMEM;
		if (sink && removed && effect != removed_at) {
			rc = sink->remove(sink->ctx, removed_at, removed);
			removed = 0;
		}
		removed_at = effect;
		removed += w->items.items[item].is_gone ? 0 : w->items.items[item].count;
		count -= w->items.items[item].count;
		text_items_delete(&w->items, item);
		after = item;
	}
	return rc == OK && sink && removed ? sink->remove(sink->ctx, removed_at, removed) : rc;
}

/* ---- Edits ----------------------------------------------------------------- */

static enum err replay_run(struct text_walk *w, uint32_t edit, uint32_t run, uint32_t *at,
			   bool is_adrift, const struct text_sink *sink)
{
	const struct text_run *r = &w->h->runs[run];
	struct walk_trace *trace = &w->traces[run - w->first_run];
	uint32_t length = text_items_length(&w->items, TEXT_PREPARE);

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
		n->length = text_items_length(&w->items, TEXT_EFFECT);
	w->replayed++;
}

static enum err reserve_edit(struct text_walk *w, uint32_t edit)
{
	const struct text_node *n = &w->h->nodes[edit];
	size_t had = w->is_in_cap;

	if (array_reserve(&w->is_in, &w->is_in_cap, edit - w->base + 1, sizeof(*w->is_in)))
		return ERR_NOMEM;
	if (had < w->is_in_cap)
		memset(w->is_in + had, 0, (w->is_in_cap - had) * sizeof(*w->is_in));
	w->end = edit < w->end ? w->end : edit + 1;
	return array_reserve(&w->traces, &w->trace_cap, n->first_run + n->run_count - w->first_run,
			     sizeof(*w->traces));
}

enum err text_walk_edit(struct text_walk *w, uint32_t edit, const struct text_sink *sink)
{
	struct text_node *n = &w->h->nodes[edit];
	uint32_t at = n->first_byte;
	enum err rc = reserve_edit(w, edit);

	if (rc == OK && n->is_join) {
		replay_join(w, edit);
		return OK;
	}
	if (rc == OK)
		rc = move_to(w, text_node_parents(w->h, edit), n->parent_count);
	if (rc)
		return rc;
	w->version = edit;
	w->is_in[edit - w->base] = true;
	w->replayed++;
	n->length = text_items_length(&w->items, TEXT_PREPARE);
	for (uint32_t i = 0; i < n->run_count && rc == OK; i++)
		rc = replay_run(w, edit, n->first_run + i, &at, text_node_is_adrift(n), sink);
	return rc;
}

enum err text_walk_begin(struct text_walk *w, struct text_history *h, uint32_t base,
			 uint32_t length)
{
	if (w->end > w->base)
		memset(w->is_in, 0, (w->end - w->base) * sizeof(*w->is_in));
	w->h = h;
	w->base = w->end = base;
	w->first_run = base < h->count ? h->nodes[base].first_run : h->run_count;
	w->replayed = w->span_count = 0;
	w->version = TEXT_NONE;
	w->last_at_end = TEXT_NO_ITEM;
	return text_items_begin(&w->items, length);
}

/* ---- What came of it ------------------------------------------------------- */

void text_walk_each(const struct text_walk *w, text_walk_visit *visit, void *ctx)
{
	struct item_cursor c = { w->items.first_block, 0, 0 };
	uint32_t item;

	for (; text_items_at(&w->items, &c, &item); text_items_step(&w->items, &c)) {
		const struct text_item *i = &w->items.items[item];

		if (!i->is_gone && !visit(ctx, i->count, i->edit))
			return;
	}
}

/* What was deleted is whole items from then on. */
static bool each_loss_of(const struct text_walk *w, const struct walk_span *span, uint32_t edit,
			 text_walk_loss *visit, void *ctx)
{
	uint32_t item = span->item, left = span->count;

	while (left) {
		const struct text_item *i = &w->items.items[item];
		uint32_t pos = text_items_cursor(&w->items, item).effect;

		if (!visit(ctx, pos, i->count, edit, i->edit))
			return false;
		left -= i->count;
		item = i->next;
	}
	return true;
}

void text_walk_each_loss(const struct text_walk *w, text_walk_loss *visit, void *ctx)
{
	const struct text_history *h = w->h;

	for (uint32_t edit = w->base; edit < h->count; edit++)
		for (uint32_t i = 0; i < h->nodes[edit].run_count; i++) {
			uint32_t run = h->nodes[edit].first_run + i;
			const struct walk_trace *t = &w->traces[run - w->first_run];

			for (uint32_t k = 0; h->runs[run].step != TEXT_INSERT && k < t->count; k++)
				if (!each_loss_of(w, &w->spans[t->first + k], edit, visit, ctx))
					return;
		}
}
