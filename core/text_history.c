#include "core/text_history.h"

#include <assert.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/limits.h"
#include "core/utf8.h"

void text_history_release(struct text_history *h)
{
	for (uint32_t i = 0; i < h->author_count; i++)
		free(h->authors[i].edits);
	free(h->authors);
	free(h->slots);
	free(h->nodes);
	free(h->runs);
	free(h->parent_pool);
	buf_release(&h->inserted);
	free(h->heads);
	text_queue_release(&h->queue);
	*h = TEXT_HISTORY_EMPTY;
}

/* ---- Finding --------------------------------------------------------------- */

/* Where the author's number is, plus one, or would be. Who draws ids that meet in one place
 * can draw as many as count of one node (limits.h), and so make so many steps of one. */
static uint32_t *author_slot(uint32_t *slots, uint32_t cap, const struct text_author *authors,
			     const struct replica_id *replica)
{
	uint64_t key;
	uint32_t at;

	memcpy(&key, replica->bytes, sizeof(key));
	at = (uint32_t)(key * UINT64_C(11400714819323198485) >> 32) & (cap - 1); /* Knuth, 6.4 */
	while (slots[at] && replica_id_cmp(&authors[slots[at] - 1].replica, replica) != 0)
		at = (at + 1) & (cap - 1);
	return &slots[at];
}

static uint32_t find_author(const struct text_history *h, const struct replica_id *replica)
{
	if (h->author_count == 0)
		return TEXT_NONE;
	return *author_slot(h->slots, h->slot_cap, h->authors, replica) - 1;
}

uint32_t text_history_find(const struct text_history *h, const struct dot *dot)
{
	uint32_t author = find_author(h, &dot->replica), low = 0, high = 0, step = 1;
	const uint32_t *edits;

	if (author == TEXT_NONE || h->authors[author].count == 0)
		return TEXT_NONE;
	edits = h->authors[author].edits;
	high = h->authors[author].count;
	/* Mostly one of the newest is asked for, or one that is newer. */
	if (h->nodes[edits[high - 1]].seq <= dot->seq)
		return h->nodes[edits[high - 1]].seq == dot->seq ? edits[high - 1] : TEXT_NONE;
	for (; low + step <= high && h->nodes[edits[high - step]].seq > dot->seq; step *= 2)
		high -= step;
	if (high > step)
		low = high - step;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (h->nodes[edits[middle]].seq == dot->seq)
			return edits[middle];
		if (h->nodes[edits[middle]].seq < dot->seq)
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

static bool is_one_sided(unsigned sides)
{
	return sides == TEXT_ONLY_A || sides == TEXT_ONLY_B;
}

/* *open: how many in the queue are of one side only. */
static void put_all(struct text_queue *queue, const uint32_t *edits, size_t count, uint8_t sides,
		    uint32_t base, uint32_t *open)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t had = 0;

		if (edits[i] < base)
			continue;
		had = text_queue_put(queue, edits[i], sides);
		*open += is_one_sided(had | sides);
		*open -= is_one_sided(had);
	}
}

enum err text_history_diff(const struct text_history *h, uint32_t base, const uint32_t *a,
			   size_t a_count, const uint32_t *b, size_t b_count,
			   struct text_queue *queue, text_side_visit *visit, void *ctx)
{
	uint32_t open = 0;

	if (text_queue_reserve(queue, h->count))
		return ERR_NOMEM;
	put_all(queue, a, a_count, TEXT_ONLY_A, base, &open);
	put_all(queue, b, b_count, TEXT_ONLY_B, base, &open);
	while (open) {
		uint8_t sides;
		uint32_t edit = text_queue_take(queue, &sides);

		if (is_one_sided(sides)) {
			open--;
			visit(ctx, edit, (enum text_side)sides);
		}
		put_all(queue, text_node_parents(h, edit), h->nodes[edit].parent_count, sides, base,
			&open);
	}
	text_queue_clear(queue);
	return OK;
}

/* ---- Adding ---------------------------------------------------------------- */

static enum err grow_slots(struct text_history *h)
{
	uint32_t cap = h->slot_cap ? 2 * h->slot_cap : 8;
	uint32_t *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < h->author_count; i++)
		*author_slot(slots, cap, h->authors, &h->authors[i].replica) = i + 1;
	free(h->slots);
	h->slots = slots;
	h->slot_cap = cap;
	return OK;
}

static enum err add_author(struct text_history *h, const struct replica_id *replica,
			   uint32_t *author)
{
	*author = find_author(h, replica);
	if (*author != TEXT_NONE)
		return OK;
	if (2 * h->author_count >= h->slot_cap && grow_slots(h))
		return ERR_NOMEM;
	if (array_reserve(&h->authors, &h->author_cap, h->author_count + 1, sizeof(*h->authors)))
		return ERR_NOMEM;
	*author = h->author_count++;
	h->authors[*author] = (struct text_author){ .replica = *replica };
	*author_slot(h->slots, h->slot_cap, h->authors, replica) = *author + 1;
	return OK;
}

/* Can one more edit, and its join, be numbered with 32 bits? */
static bool is_full(const struct text_history *h, const struct text_edit *e, size_t parent_count)
{
	enum { COUNT_MAX = INT32_MAX };

	return h->count + (size_t)2 > COUNT_MAX || h->run_count + e->run_count > COUNT_MAX ||
	       h->parent_count + parent_count + 2 > COUNT_MAX ||
	       h->inserted.size + e->text.size > COUNT_MAX;
}

/* Room for one more edit; its parents are at the end of the pool then. */
static enum err reserve_all(struct text_history *h, const struct text_edit *e,
			    const uint32_t *parents, size_t parent_count,
			    struct text_author *author)
{
	if (is_full(h, e, parent_count))
		return ERR_LIMIT;
	if (array_reserve(&h->nodes, &h->cap, h->count + 2, sizeof(*h->nodes)) ||
	    array_reserve(&h->runs, &h->run_cap, h->run_count + e->run_count, sizeof(*h->runs)) ||
	    array_reserve(&h->parent_pool, &h->parent_cap, h->parent_count + parent_count + 2,
			  sizeof(*h->parent_pool)) ||
	    array_reserve(&author->edits, &author->cap, author->count + 1, sizeof(*author->edits)))
		return ERR_NOMEM;
	for (size_t i = 0; i < parent_count; i++) {
		assert(parents[i] < h->count);
		h->parent_pool[h->parent_count + i] = parents[i];
	}
	/* The parents may be the heads, which move now. */
	if (array_reserve(&h->heads, &h->head_cap, h->head_count + 2, sizeof(*h->heads)))
		return ERR_NOMEM;
	buf_append(&h->inserted, e->text.data, e->text.size);
	return buf_check(&h->inserted);
}

/* Sort, and leave out what others have seen, as far as that shows soon: a parent too many
 * does no harm, but to look through a branch for each edit that is made beside it would.
 * Heads are nobody's ancestors, so it is mostly done by a look. */
static enum err reduce_parents(struct text_history *h, uint32_t *edits, size_t *count)
{
	enum { SEEN = 1, GIVEN = 2, LOOKS_MAX = 100 };
	unsigned looks = 0;
	uint32_t open = 0, least = TEXT_NONE;
	size_t kept = *count;
	bool are_sorted = true;

	for (size_t i = 0; i < *count; i++) {
		are_sorted &= h->nodes[edits[i]].is_head && (i == 0 || edits[i - 1] < edits[i]);
		least = edits[i] < least ? edits[i] : least;
	}
	if (*count < 2 || are_sorted)
		return OK;
	if (text_queue_reserve(&h->queue, h->count))
		return ERR_NOMEM;
	for (size_t i = 0; i < *count; i++)
		open += text_queue_put(&h->queue, edits[i], GIVEN) == 0;
	while (open) {
		uint8_t bits;
		uint32_t edit = text_queue_take(&h->queue, &bits);
		const uint32_t *parents = text_node_parents(h, edit);

		open -= bits >= GIVEN;
		if (bits == GIVEN)
			edits[--kept] = edit;
		for (uint32_t k = 0; k < h->nodes[edit].parent_count; k++)
			if (parents[k] >= least && looks++ < LOOKS_MAX)
				text_queue_put(&h->queue, parents[k], SEEN);
	}
	text_queue_clear(&h->queue);
	memmove(edits, edits + kept, (*count - kept) * sizeof(*edits));
	*count -= kept;
	return OK;
}

static void drop_head(struct text_history *h, uint32_t edit)
{
	uint32_t low = 0, high = h->head_count - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (h->heads[middle] < edit)
			low = middle + 1;
		else
			high = middle;
	}
	assert(h->heads[low] == edit);
	h->head_count--;
	memmove(h->heads + low, h->heads + low + 1, (h->head_count - low) * sizeof(*h->heads));
	h->nodes[edit].is_head = false;
}

static void replace_heads(struct text_history *h, const struct text_node *n, uint32_t edit)
{
	const uint32_t *parents = h->parent_pool + n->parents;

	for (uint32_t k = 0; k < n->parent_count; k++)
		if (h->nodes[parents[k]].is_head)
			drop_head(h, parents[k]);
	h->heads[h->head_count++] = edit;
}

/* Room was reserved; the parents stand at the end of the pool. */
static void append_node(struct text_history *h, struct text_node *n, size_t parent_count)
{
	n->parents = h->parent_count;
	n->parent_count = (uint32_t)parent_count;
	h->parent_count += (uint32_t)parent_count;
	replace_heads(h, n, h->count);
	n->sees_all = h->head_count == 1;
	n->is_head = true;
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
static enum err find_unseen(struct text_history *h, uint32_t author, size_t parent_count,
			    uint32_t *out)
{
	const struct text_author *a = &h->authors[author];
	const uint32_t *parents = h->parent_pool + h->parent_count;
	struct search s = { a->count ? a->edits[a->count - 1] : TEXT_NONE, false };
	uint32_t heads = 0;
	bool is_parent = false;
	enum err rc;

	*out = TEXT_NONE;
	for (size_t i = 0; i < parent_count; i++) {
		heads += h->nodes[parents[i]].is_head;
		is_parent |= parents[i] == s.edit;
	}
	/* Mostly all is seen. */
	if (s.edit == TEXT_NONE || is_parent || heads == h->head_count)
		return OK;
	rc = text_history_diff(h, s.edit, &s.edit, 1, parents, parent_count, &h->queue, look_for,
			       &s);
	if (rc == OK && s.was_met)
		*out = s.edit;
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
		rc = reserve_all(h, e, parents, parent_count, &h->authors[author]);
	if (rc)
		return rc;
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
