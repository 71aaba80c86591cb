#include "sync/space_table.h"

#include <stdlib.h>

enum { PLACES_MIN = 16 };

void space_table_release(struct space_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		vv_release(&t->entries[i].peer);
		vv_release(&t->entries[i].offered);
		vv_release(&t->entries[i].held_there);
		vv_release(&t->entries[i].held_here);
	}
	free(t->entries);
	free(t->places);
	*t = (struct space_table){ 0 };
}

/* The place that holds the id, or the free one where it belongs. Ids are random,
 * so their own bytes are a hash; members of the organisation choose them, and one
 * who chooses badly slows down who takes part in their spaces. */
static uint32_t *find_place(const struct space_table *t, const struct space_id *id)
{
	size_t mask = t->place_count - 1, at;
	uint64_t hash;

	memcpy(&hash, id->bytes + sizeof(hash), sizeof(hash));
	for (at = hash & mask; t->places[at]; at = (at + 1) & mask)
		if (space_id_cmp(&t->entries[t->places[at] - 1].id, id) == 0)
			break;
	return &t->places[at];
}

struct space_sync *space_table_find(const struct space_table *t, const struct space_id *id)
{
	uint32_t place = t->place_count ? *find_place(t, id) : 0;

	return place ? &t->entries[place - 1] : NULL;
}

/* Room for one more, at most half of the places taken. */
static bool grow(struct space_table *t)
{
	size_t count = t->place_count ? 2 * t->place_count : PLACES_MIN;
	struct space_sync *entries;
	uint32_t *places;

	if (2 * (t->count + 1) <= t->place_count)
		return true;
	entries = realloc(t->entries, count / 2 * sizeof(*entries));
	if (!entries)
		return false;
	t->entries = entries;
	places = calloc(count, sizeof(*places));
	if (!places)
		return false;
	free(t->places);
	t->places = places;
	t->place_count = count;
	for (size_t i = 0; i < t->count; i++)
		*find_place(t, &t->entries[i].id) = (uint32_t)i + 1;
	return true;
}

struct space_sync *space_table_add(struct space_table *t, const struct space_id *id)
{
	struct space_sync *found = space_table_find(t, id);

	if (found)
		return found;
	if (!grow(t))
		return NULL;
	t->entries[t->count] = (struct space_sync){ .id = *id };
	*find_place(t, id) = (uint32_t)t->count + 1;
	return &t->entries[t->count++];
}

void space_table_mark(struct space_table *t, struct space_sync *sp, bool is_dirty)
{
	if (sp->is_dirty == is_dirty)
		return;
	sp->is_dirty = is_dirty;
	if (is_dirty)
		t->dirty_count++;
	else
		t->dirty_count--;
}

struct space_sync *space_table_next_dirty(struct space_table *t)
{
	if (t->dirty_count == 0)
		return NULL;
	if (t->entries[0].is_dirty)
		return &t->entries[0];
	for (;;) {
		t->cursor = (t->cursor + 1) % t->count;
		if (t->entries[t->cursor].is_dirty)
			return &t->entries[t->cursor];
	}
}

static uint64_t count_missing(const struct vv *there, const struct vv *here)
{
	uint64_t count = 0;

	for (size_t i = 0; i < here->count; i++) {
		uint64_t held = vv_get(there, &here->entries[i].replica);

		if (held < here->entries[i].seq)
			count += here->entries[i].seq - held;
	}
	return count;
}

uint64_t space_table_to_send(const struct space_table *t, const struct replica *r,
			     const struct member *peer)
{
	const struct member *self = replica_self(r);
	size_t space_count;
	const struct space_id *spaces = replica_spaces(r, &space_count);
	uint64_t count = 0;

	for (size_t i = 0; peer && self && i < space_count; i++) {
		const struct space_sync *sp = space_table_find(t, &spaces[i]);

		if (replica_role(r, peer, &spaces[i]) == ROLE_NONE ||
		    replica_role(r, self, &spaces[i]) == ROLE_NONE || (sp && !sp->is_known))
			continue;
		count += count_missing(sp ? &sp->peer : &VV_EMPTY, replica_vv(r, &spaces[i]));
	}
	return count;
}
