#include "core/text_history.h"

#include <assert.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/utf8.h"

void text_history_release(struct text_history *h)
{
	for (uint32_t i = 0; i < h->author_count; i++)
		free(h->authors[i].edits);
	free(h->authors);
	free(h->nodes);
	free(h->runs);
	free(h->parent_pool);
	buf_release(&h->inserted);
	free(h->heads);
	*h = TEXT_HISTORY_EMPTY;
}

/* Room for `more` elements after `count`. */
static enum err reserve(void *array, uint32_t count, uint32_t *cap, size_t more, size_t size)
{
	size_t wanted = *cap ? *cap : 8;
	void *now, *grown;

	if (count + more <= *cap)
		return OK;
	while (wanted < count + more)
		wanted *= 2;
	if (wanted > UINT32_MAX / 2)
		return ERR_LIMIT;
	memcpy(&now, array, sizeof(now));
	grown = realloc(now, wanted * size);
	if (!grown)
		return ERR_NOMEM;
	memcpy(array, &grown, sizeof(grown));
	*cap = (uint32_t)wanted;
	return OK;
}

/* ---- Finding --------------------------------------------------------------- */

static uint32_t find_author(const struct text_history *h, const struct replica_id *replica)
{
	for (uint32_t i = h->author_count; i-- > 0;)
		if (replica_id_cmp(&h->authors[i].replica, replica) == 0)
			return i;
	return TEXT_NONE;
}

uint32_t text_history_find(const struct text_history *h, const struct dot *dot)
{
	uint32_t author = find_author(h, &dot->replica);
	const struct text_author *a = author == TEXT_NONE ? NULL : &h->authors[author];
	uint32_t low = 0, high = a ? a->count : 0;

	/* Mostly the newest is asked for. */
	while (low < high) {
		uint32_t middle = high - 1 - (high - low) / 8;

		if (h->nodes[a->edits[middle]].seq == dot->seq)
			return a->edits[middle];
		if (h->nodes[a->edits[middle]].seq < dot->seq)
			low = middle + 1;
		else
			high = middle;
	}
	return TEXT_NONE;
}

struct dot text_history_dot(const struct text_history *h, uint32_t edit)
{
	const struct text_node *n = &h->nodes[edit];

	return (struct dot){ h->authors[n->author].replica, n->seq };
}

int text_history_cmp(const struct text_history *h, uint32_t a, uint32_t b)
{
	struct dot x = text_history_dot(h, a), y = text_history_dot(h, b);

	return dot_cmp(&x, &y);
}

/* ---- Reading --------------------------------------------------------------- */

struct text_edit text_history_edit(const struct text_history *h, uint32_t edit)
{
	const struct text_node *n = &h->nodes[edit];
	size_t end = edit + 1 < h->count ? n[1].first_byte : h->inserted.size;
	struct text_edit e = { .length = n->stated, .run_count = n->run_count };

	/* Before there are any, they are nowhere. */
	if (n->run_count)
		e.runs = h->runs + n->first_run;
	if (end > n->first_byte)
		e.text = bytes_of(h->inserted.data + n->first_byte, end - n->first_byte);
	return e;
}

struct bytes text_history_text(const struct text_history *h, const struct text_run *run,
			       uint32_t *at)
{
	const uint8_t *start;
	size_t size;

	if (run->step != TEXT_INSERT)
		return bytes_of("", 0);
	start = h->inserted.data + *at;
	size = utf8_span(start, run->count);
	*at += (uint32_t)size;
	return bytes_of(start, size);
}

uint32_t text_history_length_after(const struct text_history *h, uint32_t edit)
{
	const struct text_node *n = &h->nodes[edit];
	uint32_t length = n->length;

	if (!text_node_is_adrift(n))
		return length + n->growth;
	for (uint32_t i = 0; i < n->run_count; i++)
		if (h->runs[n->first_run + i].step == TEXT_INSERT)
			length += h->runs[n->first_run + i].count;
	return length;
}

/* ---- Comparing versions ---------------------------------------------------- */

/* A heap of edit << 2 | sides, the greatest first. */
void text_heap_release(struct text_heap *heap)
{
	free(heap->items);
	*heap = (struct text_heap){ 0 };
}

static enum err heap_push(struct text_heap *heap, uint32_t edit, unsigned sides)
{
	uint64_t item = (uint64_t)edit << 2 | sides;
	size_t at = heap->count;

	if (heap->count == heap->cap) {
		size_t cap = heap->cap ? 2 * heap->cap : 16;
		uint64_t *items = realloc(heap->items, cap * sizeof(*items));

		if (!items)
			return ERR_NOMEM;
		heap->items = items;
		heap->cap = cap;
	}
	heap->count++;
	for (; at > 0 && heap->items[(at - 1) / 2] < item; at = (at - 1) / 2)
		heap->items[at] = heap->items[(at - 1) / 2];
	heap->items[at] = item;
	return OK;
}

static uint64_t heap_pop(struct text_heap *heap)
{
	uint64_t top = heap->items[0], item = heap->items[--heap->count];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && heap->items[child + 1] > heap->items[child])
			child++;
		if (heap->items[child] <= item)
			break;
		heap->items[at] = heap->items[child];
		at = child;
	}
	heap->items[at] = item;
	return top;
}

/* How many entries are of one side only. */
static enum err push_all(struct text_heap *heap, const uint32_t *edits, size_t count,
			 unsigned sides, uint32_t base, size_t *open)
{
	enum err rc = OK;

	for (size_t i = 0; i < count && rc == OK; i++) {
		if (edits[i] < base)
			continue;
		rc = heap_push(heap, edits[i], sides);
		*open += sides != (TEXT_ONLY_A | TEXT_ONLY_B);
	}
	return rc;
}

enum err text_history_diff(const struct text_history *h, uint32_t base, const uint32_t *a,
			   size_t a_count, const uint32_t *b, size_t b_count,
			   struct text_heap *heap, text_side_visit *visit, void *ctx)
{
	size_t open = 0;
	enum err rc;

	heap->count = 0;
	rc = push_all(heap, a, a_count, TEXT_ONLY_A, base, &open);
	if (rc == OK)
		rc = push_all(heap, b, b_count, TEXT_ONLY_B, base, &open);
	while (rc == OK && open) {
		uint64_t top = heap_pop(heap);
		uint32_t edit = (uint32_t)(top >> 2);
		unsigned sides = top & 3;

		open -= sides != (TEXT_ONLY_A | TEXT_ONLY_B);
		while (heap->count && heap->items[0] >> 2 == edit) {
			unsigned more = heap_pop(heap) & 3;

			open -= more != (TEXT_ONLY_A | TEXT_ONLY_B);
			sides |= more;
		}
		if (sides != (TEXT_ONLY_A | TEXT_ONLY_B))
			visit(ctx, edit, (enum text_side)sides);
		rc = push_all(heap, text_node_parents(h, edit), h->nodes[edit].parent_count, sides,
			      base, &open);
	}
	return rc;
}

/* ---- Adding ---------------------------------------------------------------- */

static enum err add_author(struct text_history *h, const struct replica_id *replica,
			   uint32_t *author)
{
	struct text_author *grown;

	*author = find_author(h, replica);
	if (*author != TEXT_NONE)
		return OK;
	grown = realloc(h->authors, (h->author_count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	h->authors = grown;
	h->authors[h->author_count] = (struct text_author){ .replica = *replica };
	*author = h->author_count++;
	return OK;
}

static enum err reserve_all(struct text_history *h, const struct text_edit *e, size_t parent_count,
			    struct text_author *author)
{
	enum err rc = reserve(&h->nodes, h->count, &h->cap, 2, sizeof(*h->nodes));

	if (rc == OK)
		rc = reserve(&h->runs, h->run_count, &h->run_cap, e->run_count, sizeof(*h->runs));
	if (rc == OK)
		rc = reserve(&h->parent_pool, h->parent_count, &h->parent_cap, parent_count + 2,
			     sizeof(*h->parent_pool));
	if (rc == OK)
		rc = reserve(&h->heads, h->head_count, &h->head_cap, 2, sizeof(*h->heads));
	if (rc == OK)
		rc = reserve(&author->edits, author->count, &author->cap, 1,
			     sizeof(*author->edits));
	if (rc == OK && h->inserted.size + e->text.size > UINT32_MAX / 2)
		rc = ERR_LIMIT;
	if (rc)
		return rc;
	buf_append(&h->inserted, e->text.data, e->text.size);
	return buf_check(&h->inserted);
}

static bool is_head(const struct text_history *h, uint32_t edit)
{
	for (uint32_t i = h->head_count; i-- > 0 && h->heads[i] >= edit;)
		if (h->heads[i] == edit)
			return true;
	return false;
}

/* Whether the edit is among the ancestors of the others, or one of them is it. */
struct ancestry {
	const uint32_t *edits;
	size_t count;
	bool *is_ancestor; /* by place in `edits` */
};

static int compare_edits(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Edits reached from `from`, down to number `least`. */
static enum err mark_ancestors(const struct text_history *h, uint32_t from, struct ancestry *x,
			       struct text_heap *heap)
{
	uint32_t least = x->edits[0], last = TEXT_NONE;
	enum err rc = OK;
	size_t open = 0;

	heap->count = 0;
	rc = push_all(heap, text_node_parents(h, from), h->nodes[from].parent_count, 0, least,
		      &open);
	while (rc == OK && heap->count) {
		uint32_t edit = (uint32_t)(heap_pop(heap) >> 2);

		if (edit == last)
			continue;
		last = edit;
		for (size_t i = 0; i < x->count; i++)
			x->is_ancestor[i] |= x->edits[i] == edit;
		rc = push_all(heap, text_node_parents(h, edit), h->nodes[edit].parent_count, 0,
			      least, &open);
	}
	return rc;
}

/* Sort, and leave out what others have seen. Heads are nobody's ancestors, so it is
 * mostly done by a look. */
static enum err reduce_parents(const struct text_history *h, uint32_t *edits, size_t *count)
{
	struct ancestry x = { edits, 0, NULL };
	struct text_heap heap = { 0 };
	bool all_heads = true;
	enum err rc = OK;
	size_t kept = 0;

	if (*count < 2)
		return OK;
	qsort(edits, *count, sizeof(*edits), compare_edits);
	for (size_t i = 0; i < *count; i++)
		if (kept == 0 || edits[kept - 1] != edits[i]) {
			edits[kept++] = edits[i];
			all_heads &= is_head(h, edits[i]);
		}
	*count = kept;
	if (kept < 2 || all_heads)
		return OK;
	x.count = kept;
	x.is_ancestor = calloc(kept, sizeof(*x.is_ancestor));
	if (!x.is_ancestor)
		return ERR_NOMEM;
	for (size_t i = kept; i-- > 0 && rc == OK;)
		if (!x.is_ancestor[i])
			rc = mark_ancestors(h, edits[i], &x, &heap);
	*count = 0;
	for (size_t i = 0; i < kept; i++)
		if (!x.is_ancestor[i])
			edits[(*count)++] = edits[i];
	free(x.is_ancestor);
	text_heap_release(&heap);
	return rc;
}

static void replace_heads(struct text_history *h, const struct text_node *n, uint32_t edit)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < h->head_count; i++) {
		bool is_parent = false;

		for (uint32_t k = 0; k < n->parent_count; k++)
			is_parent |= h->parent_pool[n->parents + k] == h->heads[i];
		if (!is_parent)
			h->heads[kept++] = h->heads[i];
	}
	h->heads[kept] = edit;
	h->head_count = kept + 1;
}

/* Room was reserved; the parents stand at the end of the pool. */
static void append_node(struct text_history *h, struct text_node *n, size_t parent_count)
{
	n->parents = h->parent_count;
	n->parent_count = (uint32_t)parent_count;
	h->parent_count += (uint32_t)parent_count;
	replace_heads(h, n, h->count);
	n->sees_all = h->head_count == 1;
	h->nodes[h->count++] = *n;
}

struct search {
	uint32_t edit;
	bool was_met;
};

static void look_for(void *ctx, uint32_t edit, enum text_side side)
{
	struct search *s = ctx;

	s->was_met |= edit == s->edit && side == TEXT_ONLY_A;
}

/* The newest edit of the author that the new one has not seen, or TEXT_NONE. */
static enum err find_unseen(const struct text_history *h, uint32_t author, size_t parent_count,
			    uint32_t *out)
{
	const struct text_author *a = &h->authors[author];
	struct search s = { a->count ? a->edits[a->count - 1] : TEXT_NONE, false };
	struct text_heap heap = { 0 };
	uint32_t heads = 0;
	enum err rc;

	*out = TEXT_NONE;
	for (size_t i = 0; i < parent_count; i++)
		heads += is_head(h, h->parent_pool[h->parent_count + i]);
	if (s.edit == TEXT_NONE || heads == h->head_count) /* mostly all is seen */
		return OK;
	rc = text_history_diff(h, s.edit, &s.edit, 1, h->parent_pool + h->parent_count,
			       parent_count, &heap, look_for, &s);
	if (rc == OK && s.was_met)
		*out = s.edit;
	text_heap_release(&heap);
	return rc;
}

static void append_join(struct text_history *h, const struct text_node *of, uint32_t earlier)
{
	struct text_node join = { .first_run = h->run_count,
				  .first_byte = (uint32_t)h->inserted.size,
				  .author = of->author,
				  .stated = TEXT_NONE,
				  .length = TEXT_NONE,
				  .seq = of->seq,
				  .is_join = true };

	h->parent_pool[h->parent_count] = earlier;
	h->parent_pool[h->parent_count + 1] = h->count - 1;
	append_node(h, &join, 2);
}

enum err text_history_add(struct text_history *h, const struct dot *dot, const struct text_edit *e,
			  const uint32_t *parents, size_t parent_count, bool is_adrift)
{
	uint32_t author = 0, earlier = TEXT_NONE, first_byte = (uint32_t)h->inserted.size;
	struct text_node n;
	enum err rc = add_author(h, &dot->replica, &author);

	if (rc == OK)
		rc = reserve_all(h, e, parent_count, &h->authors[author]);
	if (rc)
		return rc;
	for (size_t i = 0; i < parent_count; i++) {
		assert(parents[i] < h->count);
		h->parent_pool[h->parent_count + i] = parents[i];
	}
	rc = reduce_parents(h, h->parent_pool + h->parent_count, &parent_count);
	if (rc == OK)
		rc = find_unseen(h, author, parent_count, &earlier);
	if (rc) {
		h->inserted.size = first_byte;
		return rc;
	}
	n = (struct text_node){
		.first_run = h->run_count,
		.run_count = (uint32_t)e->run_count,
		.first_byte = first_byte,
		.author = author,
		.stated = e->length,
		.length = TEXT_NONE,
		.growth = (uint32_t)text_edit_growth(e),
		.seq = dot->seq,
		.is_adrift = is_adrift,
	};
	if (e->run_count)
		memcpy(h->runs + h->run_count, e->runs, e->run_count * sizeof(*e->runs));
	h->run_count += (uint32_t)e->run_count;
	append_node(h, &n, parent_count);
	if (earlier != TEXT_NONE)
		append_join(h, &n, earlier);
	h->authors[author].edits[h->authors[author].count++] = h->count - 1;
	return OK;
}
