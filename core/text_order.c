#include "core/text_order.h"

#include <stdlib.h>

/* The edits of a part of a history, by number from `from` on, and who goes on from whom:
 * a link for each parent, numbered as in the history's pool of parents, and from 1 on. */
struct order {
	const struct text_history *h;
	uint32_t from, count, first_parent;
	const bool *is_wanted;
	uint32_t *waits; /* how many parents were not replayed yet */
	uint32_t *last;  /* by edit: the link to its last child; 0: none */
	uint32_t *ready; /* a stack */
	struct order_link {
		uint32_t child, before; /* the link to the child before it, or 0 */
	} * links;
};

static bool is_wanted(const struct order *o, uint32_t edit)
{
	return edit >= o->from && (!o->is_wanted || o->is_wanted[edit - o->from]);
}

static void link_parents(struct order *o, uint32_t i)
{
	const struct text_node *n = &o->h->nodes[o->from + i];
	uint32_t link = n->parents - o->first_parent;

	for (uint32_t k = 0; k < n->parent_count; k++) {
		uint32_t parent = o->h->parent_pool[n->parents + k];

		link++;
		if (!is_wanted(o, parent))
			continue;
		o->links[link - 1] = (struct order_link){ i, o->last[parent - o->from] };
		o->last[parent - o->from] = link;
		o->waits[i]++;
	}
}

static enum err order_links(struct order *o)
{
	uint32_t end = o->from + o->count;
	const struct text_node *nodes = o->h->nodes;

	if (o->count == 0)
		return OK;
	o->first_parent = nodes[o->from].parents;
	o->waits = calloc(3 * (size_t)o->count, sizeof(*o->waits));
	o->links = malloc((nodes[end - 1].parents + nodes[end - 1].parent_count - o->first_parent +
			   (size_t)1) *
			  sizeof(*o->links));
	if (!o->waits || !o->links)
		return ERR_NOMEM;
	o->last = o->waits + o->count;
	o->ready = o->last + o->count;
	for (uint32_t i = 0; i < o->count; i++)
		if (is_wanted(o, o->from + i))
			link_parents(o, i);
	return OK;
}

/* Those that waited for nothing but this edit. What its own author did next is on top: there is
 * mostly little to move, and what others did beside it is come to when all of that is done. */
static uint32_t push_children(struct order *o, uint32_t i, uint32_t ready)
{
	const struct text_node *nodes = o->h->nodes + o->from;
	uint32_t bottom = ready;

	for (uint32_t link = o->last[i]; link; link = o->links[link - 1].before) {
		uint32_t child = o->links[link - 1].child;

		if (--o->waits[child] == 0)
			o->ready[ready++] = child;
	}
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
	free(o.links);
	if (rc == OK)
		*count = done;
	return rc;
}
