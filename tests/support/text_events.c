#include "tests/support/text_events.h"

struct text_event *text_events_of(const struct text_history *h, struct arena *arena, size_t *count)
{
	struct text_event *events = arena_array(arena, h->count, sizeof(*events)), *e = events;
	uint32_t *number = arena_array(arena, h->count, sizeof(*number));
	uint32_t *parents = arena_array(arena, h->parent_count, sizeof(*parents));

	if (!events || !number || !parents)
		return NULL;
	for (uint32_t i = 0; i < h->count; i++) {
		const struct text_node *n = &h->nodes[i];

		number[i] = (uint32_t)(e - events) - n->is_join;
		if (n->is_join)
			continue;
		*e++ = (struct text_event){ .dot = text_history_dot(h, i),
					    .edit = text_history_edit(h, i),
					    .parents = parents,
					    .parent_count = n->parent_count,
					    .before = n->length,
					    .sees_all = n->sees_all,
					    .is_adrift = n->is_adrift };
		for (uint32_t k = 0; k < n->parent_count; k++)
			*parents++ = number[text_node_parents(h, i)[k]];
	}
	*count = (size_t)(e - events);
	return events;
}

enum err text_events_recall(struct text *t, const struct text_event *events, size_t count,
			    uint32_t first, uint32_t *numbers)
{
	struct arena arena = ARENA_EMPTY;
	enum err rc = OK;

	for (size_t i = 0; i < count && rc == OK; i++) {
		const struct text_event *e = &events[i];
		uint32_t few[16], *parents = few;

		if (e->parent_count > sizeof(few) / sizeof(few[0])) {
			arena_reset(&arena);
			parents = arena_array(&arena, e->parent_count, sizeof(*parents));
			if (!parents)
				return ERR_NOMEM;
		}
		for (size_t k = 0; k < e->parent_count; k++)
			parents[k] = numbers[e->parents[k]];
		rc = text_recall(t, &e->dot, &e->edit, parents, e->parent_count, e->is_adrift,
				 e->before);
		if (rc == OK)
			numbers[first + i] = text_history_find(&t->history, &e->dot);
	}
	arena_release(&arena);
	return rc;
}
