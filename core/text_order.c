#include "core/text_order.h"

#include <stdlib.h>
#include <string.h>

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

/* Those that have waited for this edit alone. What its own author did next comes first: who goes on
 * has mostly seen nothing new, and whoever is in between makes two ways of one. */
static uint32_t push_children(struct order *o, uint32_t i, uint32_t ready)
{
	const struct text_node *nodes = o->h->nodes + o->from;
	uint32_t bottom = ready;

	for (uint32_t k = o->starts[i + 1]; k-- > o->starts[i];)
		if (--o->waits[o->children[k]] == 0)
			o->ready[ready++] = o->children[k];
	for (uint32_t k = bottom; k + 1 < ready; k++) {
		uint32_t child = o->ready[k];

		if (nodes[child].author == nodes[i].author) {
			o->ready[k] = o->ready[ready - 1];
			o->ready[ready - 1] = child;
		}
	}
	return ready;
}

enum err text_order(const struct text_history *h, uint32_t from, uint32_t to, const bool *wanted,
		    uint32_t *out, size_t *count)
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
		ready = push_children(&o, i, ready);
	}
	free(o.waits);
	free(o.children);
	if (rc == OK)
		*count = done;
	return rc;
}
