#include "core/text_pack_format.h"

uint32_t text_event_after(const struct text_event *e)
{
	bool is_adrift = e->is_adrift || e->before != e->edit.length;
	uint32_t length = e->before;

	for (size_t i = 0; i < e->edit.run_count; i++) {
		const struct text_run *run = &e->edit.runs[i];

		if (run->step == TEXT_INSERT)
			length += run->count;
		else if (!is_adrift)
			length -= run->count;
	}
	return length;
}

size_t text_pack_fit(const struct text_event *events, size_t count)
{
	size_t i, runs = 0, parents = 0, bytes = 0;

	for (i = 0; i < count && i < TEXT_PACK_EDITS_MAX; i++) {
		runs += events[i].edit.run_count;
		parents += events[i].parent_count;
		bytes += events[i].edit.text.size;
		if (i > 0 && (runs > TEXT_PACK_RUNS_MAX || parents > TEXT_PACK_PARENTS_MAX ||
			      bytes > TEXT_PACK_TEXT_MAX))
			break;
	}
	return i;
}

uint32_t *text_pack_by_author(struct arena *arena, const uint32_t *author, size_t count,
			      size_t author_count)
{
	uint32_t *order = arena_array(arena, count, sizeof(*order));
	uint32_t *starts = arena_array(arena, author_count + 1, sizeof(*starts));

	if (!order || !starts)
		return NULL;
	for (size_t i = 0; i < count; i++)
		starts[author[i] + 1]++;
	for (size_t i = 0; i < author_count; i++)
		starts[i + 1] += starts[i];
	for (size_t i = 0; i < count; i++)
		order[starts[author[i]]++] = (uint32_t)i;
	return order;
}
