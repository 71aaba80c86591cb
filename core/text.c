#include "core/text.h"

#include <assert.h>
#include <stdlib.h>

#include "core/text_order.h"
#include "core/utf8.h"

void text_release(struct text *t)
{
	rope_release(&t->rope);
	text_history_release(&t->history);
	text_walk_release(&t->walk);
	text_edit_release(&t->local);
	*t = TEXT_EMPTY;
}

/* ---- Local edits ----------------------------------------------------------- */

static void begin_local(struct text *t)
{
	assert(t->merged == t->history.count);
	if (t->local.run_count == 0)
		text_edit_begin(&t->local, rope_size(&t->rope, ROPE_POINTS));
}

enum err text_insert(struct text *t, uint32_t pos, struct bytes text, uint32_t count)
{
	begin_local(t);
	if (text_edit_insert(&t->local, pos, text, count))
		return ERR_NOMEM;
	return rope_insert(&t->rope, pos, text);
}

enum err text_delete(struct text *t, uint32_t pos, uint32_t count)
{
	begin_local(t);
	if (text_edit_delete(&t->local, pos, count))
		return ERR_NOMEM;
	rope_delete(&t->rope, pos, count);
	return OK;
}

enum err text_commit(struct text *t, const struct dot *dot, struct text_edit *out)
{
	struct text_edit e = text_edit_built(&t->local);
	struct text_history *h = &t->history;
	enum err rc;

	if (e.run_count == 0) {
		*out = (struct text_edit){ 0 };
		return OK;
	}
	rc = text_history_add(h, dot, &e, h->heads, h->head_count, false);
	if (rc)
		return rc;
	h->nodes[h->count - 1].length = e.length;
	t->merged++;
	*out = text_history_edit(h, h->count - 1);
	t->local.run_count = 0;
	return OK;
}

/* ---- Edits from elsewhere -------------------------------------------------- */

enum err text_take(struct text *t, const struct dot *dot, const struct text_edit *e,
		   const struct dot *parents, size_t parent_count)
{
	uint32_t few[16], *numbers = few;
	bool is_adrift = false;
	size_t known = 0;
	enum err rc;

	assert(t->local.run_count == 0);
	if (text_history_find(&t->history, dot) != TEXT_NONE)
		return ERR_EXISTS;
	if (parent_count > sizeof(few) / sizeof(few[0])) {
		numbers = malloc(parent_count * sizeof(*numbers));
		if (!numbers)
			return ERR_NOMEM;
	}
	for (size_t i = 0; i < parent_count; i++) {
		numbers[known] = text_history_find(&t->history, &parents[i]);
		if (numbers[known] == TEXT_NONE)
			is_adrift = true;
		else
			known++;
	}
	rc = text_history_add(&t->history, dot, e, numbers, known, is_adrift);
	if (numbers != few)
		free(numbers);
	return rc;
}

/* ---- A part of the history -------------------------------------------------- */

enum err text_begin(struct text *t, struct bytes now, uint32_t base_length)
{
	const struct dot nobody = { .seq = 0 };
	struct text_edit nothing = { .length = base_length };

	if (rope_insert(&t->rope, 0, now))
		return ERR_NOMEM;
	return text_recall(t, &nobody, &nothing, NULL, 0, false, base_length);
}

enum err text_recall(struct text *t, const struct dot *dot, const struct text_edit *e,
		     const uint32_t *parents, size_t parent_count, bool is_adrift, uint32_t length)
{
	uint32_t edit = t->history.count;
	enum err rc = text_history_add(&t->history, dot, e, parents, parent_count, is_adrift);

	if (rc)
		return rc;
	t->history.nodes[edit].length = length;
	t->merged = t->history.count;
	return OK;
}

/* ---- Merging --------------------------------------------------------------- */

/* Into the rope, and on to whoever wants to know. */
struct target {
	struct rope *rope;
	const struct text_sink *also;
};

static enum err target_insert(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	const struct target *to = ctx;
	enum err rc = rope_has(to->rope, pos, 0) ? OK : ERR_CORRUPT;

	if (rc == OK && to->also)
		rc = to->also->insert(to->also->ctx, pos, text, count);
	return rc == OK ? rope_insert(to->rope, pos, text) : rc;
}

static enum err target_remove(void *ctx, uint32_t pos, uint32_t count)
{
	const struct target *to = ctx;
	enum err rc = rope_has(to->rope, pos, count) ? OK : ERR_CORRUPT;

	if (rc == OK && to->also)
		rc = to->also->remove(to->also->ctx, pos, count);

	if (rc == OK)
		rope_delete(to->rope, pos, count);
	return rc;
}

enum err text_apply(const struct text_edit *e, uint32_t length, bool is_adrift,
		    const struct text_sink *sink)
{
	const uint8_t *text = e->text.data;
	enum err rc = OK;

	is_adrift |= length != e->length;
	for (size_t i = 0; i < e->run_count && rc == OK; i++) {
		struct text_run run = e->runs[i];
		size_t size;

		if (run.step != TEXT_INSERT && is_adrift)
			continue;
		if (run.step == TEXT_BACKSPACE)
			run.pos -= run.count - 1;
		if (run.step != TEXT_INSERT) {
			rc = sink->remove(sink->ctx, run.pos, run.count);
			length -= run.count;
			continue;
		}
		size = utf8_span(text, run.count);
		rc = sink->insert(sink->ctx, run.pos < length ? run.pos : length,
				  bytes_of(text, size), run.count);
		length += run.count;
		text += size;
	}
	return rc;
}

/* Everything that was merged has been seen by this edit: its positions are ours. */
static enum err apply_directly(struct text_history *h, uint32_t edit, uint32_t length,
			       const struct text_sink *sink)
{
	struct text_edit e = text_history_edit(h, edit);

	h->nodes[edit].length = length;
	return text_apply(&e, length, h->nodes[edit].is_adrift, sink);
}

/* How many of the first edits the version may have whose heads these edits' parents
 * are: the least parent's number and one, or 0. */
static uint32_t least_reach(const struct text_history *h, uint32_t from, uint32_t to,
			    uint32_t least)
{
	for (uint32_t i = from; i < to; i++) {
		uint32_t reach = h->nodes[i].parent_count ? text_node_parents(h, i)[0] + 1 : 0;

		least = reach < least ? reach : least;
	}
	return least;
}

/* Of the first `from` edits, as many as possible such that all others up to `to` have
 * seen them all, and the last of them has seen the others. If they are no more than
 * `floor`: 0. Of a join nobody may know how long the text was. */
static uint32_t find_base(const struct text_history *h, uint32_t floor, uint32_t from, uint32_t to)
{
	uint32_t least = least_reach(h, from, to, TEXT_NONE);

	for (uint32_t i = from; i-- > floor && least > floor;) {
		const struct text_node *n = &h->nodes[i];

		if (n->sees_all && n->length != TEXT_NONE && i + 1 <= least)
			return i + 1;
		least = least_reach(h, i, i + 1, least);
	}
	return 0;
}

/* By edit from `from` on, and one more: the least reach of it and all after it. */
static enum err find_least(const struct text_history *h, uint32_t from, uint32_t **out)
{
	uint32_t count = h->count - from;
	uint32_t *least = malloc((count + 1) * sizeof(*least));

	if (!least)
		return ERR_NOMEM;
	least[count] = TEXT_NONE;
	for (uint32_t i = count; i-- > 0;)
		least[i] = least_reach(h, from + i, from + i + 1, least[i + 1]);
	*out = least;
	return OK;
}

static enum err walk_edits(struct text_walk *w, const uint32_t *edits, size_t count,
			   const struct text_sink *sink)
{
	enum err rc = OK;

	for (size_t i = 0; i < count && rc == OK; i++)
		rc = text_walk_edit(w, edits[i], sink);
	return rc;
}

/* In a good order. */
static enum err walk_range(struct text_walk *w, uint32_t from, uint32_t to, const bool *is_wanted,
			   const struct text_sink *sink)
{
	uint32_t *order;
	size_t count = 0;
	enum err rc;

	if (to <= from + 1 && !is_wanted)
		return from < to ? text_walk_edit(w, from, sink) : OK;
	order = malloc((to - from + 1) * sizeof(*order));
	rc = order ? text_order(w->h, from, to, is_wanted, order, &count) : ERR_NOMEM;

	if (rc == OK)
		rc = walk_edits(w, order, count, sink);
	free(order);
	return rc;
}

/* Of the text before the edits from `base` on, which all others have seen. */
static uint32_t length_at(const struct text_history *h, uint32_t base)
{
	return base ? text_history_length_after(h, base - 1) : 0;
}

/* Begin anew with what the walk in hand has not replayed yet, if that is much beside
 * what it has, and its edits need nothing older: a walk is as large as what it spans. */
static uint32_t find_later_base(const struct text *t, uint32_t from, uint32_t to)
{
	uint32_t behind = from - t->walked;

	if (behind < (t->walked - t->walk.base) / 2)
		return 0;
	return find_base(&t->history, t->walked, from, to);
}

static enum err start_walk(struct text *t, uint32_t base, uint32_t length)
{
	t->is_walking = false;
	if (text_walk_begin(&t->walk, &t->history, base, length))
		return ERR_NOMEM;
	t->is_walking = true;
	t->walked = base;
	return OK;
}

static enum err go_on(struct text *t, uint32_t to, const struct text_sink *sink)
{
	enum err rc = walk_range(&t->walk, t->walked, to, NULL, sink);

	t->is_walking = rc == OK;
	t->walked = to;
	return rc;
}

/* A walk that has replayed what is merged, from which [from, to) can go on. What has seen all
 * that is merged begins anew, for a small walk is a quick one. Otherwise one that serves is
 * kept, though local edits may have been made since: a keystroke from elsewhere costs what is
 * new, not what is concurrent. */
static enum err prepare_walk(struct text *t, uint32_t from, uint32_t to)
{
	struct text_history *h = &t->history;
	uint32_t least = least_reach(h, from, to, TEXT_NONE), base;
	bool serves = t->is_walking && least >= t->walk.base;
	enum err rc = OK;

	if (least >= from && (from == 0 || h->nodes[from - 1].sees_all))
		return start_walk(t, from, rope_size(&t->rope, ROPE_POINTS));
	base = serves ? find_later_base(t, from, to) : find_base(h, 0, from, to);
	if (!serves || base)
		rc = start_walk(t, base, length_at(h, base));
	return rc ? rc : go_on(t, from, NULL);
}

/* Edits that are beside each other, up to one that has seen all before it and that all
 * later ones have seen. least: by edit from t->merged on. */
static enum err merge_island(struct text *t, const uint32_t *least, const struct text_sink *sink)
{
	const struct text_history *h = &t->history;
	uint32_t from = t->merged, to = from;
	bool is_closed = false;
	enum err rc;

	while (to < h->count && !is_closed) {
		is_closed = h->nodes[to].sees_all && least[to - from + 1] > to;
		to++;
	}
	if (to == from + 1 && h->nodes[from].sees_all) {
		rc = apply_directly(&t->history, from, rope_size(&t->rope, ROPE_POINTS), sink);
	} else {
		rc = prepare_walk(t, from, to);
		if (rc == OK)
			rc = go_on(t, to, sink);
	}
	t->merged = to;
	return rc;
}

enum err text_merge(struct text *t, const struct text_sink *sink)
{
	struct target to = { &t->rope, sink };
	struct text_sink into = { target_insert, target_remove, &to };
	uint32_t from = t->merged, *least = NULL;
	enum err rc = find_least(&t->history, from, &least);

	while (t->merged < t->history.count && rc == OK)
		rc = merge_island(t, least + (t->merged - from), &into);
	free(least);
	return rc;
}

/* The walk has come to the text as it is. If not, what was recalled is not its history. */
static enum err check_end(const struct text *t, const struct text_walk *w)
{
	uint32_t length = text_items_length(&w->items, TEXT_EFFECT);

	return length == rope_size(&t->rope, ROPE_POINTS) ? OK : ERR_CORRUPT;
}

enum err text_replay_tail(struct text *t, uint32_t *base)
{
	struct text_history *h = &t->history;
	enum err rc = OK;

	assert(t->merged == h->count && h->count && t->local.run_count == 0);
	/* The newest alone may have seen all: what it has seen is what is asked for. */
	*base = find_base(h, 0, h->count - 1, h->count);
	if (!t->is_walking || t->walk.base > *base)
		rc = start_walk(t, *base, length_at(h, *base));
	if (rc == OK)
		rc = go_on(t, h->count, NULL);
	return rc == OK ? check_end(t, &t->walk) : rc;
}

/* ---- Versions -------------------------------------------------------------- */

/* Mark what the version has. */
static void mark_version(void *ctx, uint32_t edit, enum text_side side)
{
	bool *has = ctx;

	(void)side;
	has[edit] = true;
}

/* An array of a flag an edit, for the caller to free. */
static enum err flag_version(const struct text_history *h, const uint32_t *heads, size_t count,
			     bool **out)
{
	struct text_queue queue = TEXT_QUEUE_EMPTY;
	bool *has = calloc(h->count + 1, sizeof(*has));
	enum err rc =
		has ? text_history_diff(h, 0, heads, count, NULL, 0, &queue, mark_version, has)
		    : ERR_NOMEM;

	text_queue_release(&queue);
	if (rc)
		free(has);
	else
		*out = has;
	return rc;
}

/* A part of a history that is closed: with an edit all that it has seen. */
static enum err copy_version(const struct text_history *from, const bool *has,
			     struct text_history *to)
{
	uint32_t *number = malloc((from->count + 1) * sizeof(*number)), *parents = NULL;
	size_t cap = 0;
	enum err rc = number ? OK : ERR_NOMEM;

	for (uint32_t i = 0; i < from->count && rc == OK; i++) {
		const struct text_node *n = &from->nodes[i];
		struct text_edit e = text_history_edit(from, i);
		struct dot dot = text_history_dot(from, i);

		if (!has[i])
			continue;
		if (n->is_join) { /* comes with its edit, if that needs one here */
			number[i] = text_history_find(to, &dot);
			continue;
		}
		if (n->parent_count > cap) {
			cap = n->parent_count;
			free(parents);
			parents = malloc(cap * sizeof(*parents));
			if (!parents) {
				rc = ERR_NOMEM;
				break;
			}
		}
		for (uint32_t k = 0; k < n->parent_count; k++)
			parents[k] = number[text_node_parents(from, i)[k]];
		number[i] = to->count;
		rc = text_history_add(to, &dot, &e, parents, n->parent_count, n->is_adrift);
	}
	free(number);
	free(parents);
	return rc;
}

enum err text_at(const struct text *t, const uint32_t *heads, size_t head_count, struct buf *out)
{
	struct text then = TEXT_EMPTY;
	bool *has = NULL;
	enum err rc = flag_version(&t->history, heads, head_count, &has);

	if (rc == OK)
		rc = copy_version(&t->history, has, &then.history);
	if (rc == OK)
		rc = text_merge(&then, NULL);
	if (rc == OK) {
		rope_read(&then.rope, 0, rope_size(&then.rope, ROPE_POINTS), out);
		rc = buf_check(out);
	}
	free(has);
	text_release(&then);
	return rc;
}

/* Of the edits from `from` on, those that a version lacks. */
struct lacking {
	uint32_t from, first;
	bool *is; /* by number from `from` on; NULL: only the first is looked for */
};

static void note_lacking(void *ctx, uint32_t edit, enum text_side side)
{
	struct lacking *l = ctx;

	(void)side;
	assert(edit >= l->from);
	l->first = edit;
	if (l->is)
		l->is[edit - l->from] = true;
}

static enum err find_lacking(const struct text_history *h, const uint32_t *heads, size_t count,
			     struct lacking *l)
{
	struct text_queue queue = TEXT_QUEUE_EMPTY;
	enum err rc = text_history_diff(h, 0, h->heads, h->head_count, heads, count, &queue,
					note_lacking, l);

	text_queue_release(&queue);
	return rc;
}

enum err text_first_lacking(const struct text *t, const uint32_t *heads, size_t head_count,
			    uint32_t *out)
{
	struct lacking l = { .first = TEXT_NONE };
	enum err rc = find_lacking(&t->history, heads, head_count, &l);

	if (rc == OK)
		*out = l.first;
	return rc;
}

/* The first edits, then what else the version has, then the others. */
static enum err walk_through(struct text_walk *w, struct text_history *h, struct lacking *l,
			     const struct text_sink *to_then, const struct text_sink *to_now)
{
	uint32_t base = find_base(h, 0, l->from, h->count), count = h->count - l->from;
	enum err rc = text_walk_begin(w, h, base, length_at(h, base));

	if (rc == OK && base < l->from)
		rc = walk_range(w, base, l->from, NULL, NULL);
	for (uint32_t i = 0; i < count; i++)
		l->is[i] = !l->is[i];
	if (rc == OK)
		rc = walk_range(w, l->from, h->count, l->is, to_then);
	for (uint32_t i = 0; i < count; i++)
		l->is[i] = !l->is[i];
	return rc == OK && to_now ? walk_range(w, l->from, h->count, l->is, to_now) : rc;
}

enum err text_replay(struct text *t, uint32_t first, const uint32_t *heads, size_t head_count,
		     const struct text_sink *to_then, const struct text_sink *to_now)
{
	struct text_history *h = &t->history;
	struct text_walk walk = TEXT_WALK_EMPTY;
	struct lacking l = { .from = first, .is = calloc(h->count - first + 1, sizeof(*l.is)) };
	enum err rc = l.is ? find_lacking(h, heads, head_count, &l) : ERR_NOMEM;

	assert(t->merged == h->count && t->local.run_count == 0);
	if (rc == OK)
		rc = walk_through(&walk, h, &l, to_then, to_now);
	free(l.is);
	text_walk_release(&walk);
	return rc;
}

enum err text_since(struct text *t, const uint32_t *heads, size_t head_count,
		    const struct text_sink *sink)
{
	uint32_t first;
	enum err rc = text_first_lacking(t, heads, head_count, &first);

	if (rc || first == TEXT_NONE)
		return rc;
	return text_replay(t, first, heads, head_count, NULL, sink);
}

enum err text_blame(struct text *t, text_walk_visit *visit, void *ctx)
{
	struct text_walk walk = TEXT_WALK_EMPTY;
	enum err rc = text_walk_begin(&walk, &t->history, 0, 0);

	if (rc == OK)
		rc = walk_range(&walk, 0, t->merged, NULL, NULL);
	if (rc == OK)
		rc = check_end(t, &walk);
	if (rc == OK)
		text_walk_each(&walk, visit, ctx);
	text_walk_release(&walk);
	return rc;
}
