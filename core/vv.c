#include "core/vv.h"

#include <stdlib.h>

#include "core/array.h"

void vv_release(struct vv *vv)
{
	free(vv->entries);
	*vv = VV_EMPTY;
}

void vv_clear(struct vv *vv)
{
	vv->count = 0;
}

/* The position of the replica, or where it would be inserted. */
static size_t vv_find(const struct vv *vv, const struct replica_id *replica)
{
	size_t low = 0, high = vv->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (replica_id_cmp(&vv->entries[mid].replica, replica) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool vv_has_at(const struct vv *vv, size_t at, const struct replica_id *replica)
{
	return at < vv->count && replica_id_cmp(&vv->entries[at].replica, replica) == 0;
}

static enum err vv_reserve(struct vv *vv, size_t count)
{
	return array_reserve(&vv->entries, &vv->cap, count, sizeof(*vv->entries));
}

uint64_t vv_get(const struct vv *vv, const struct replica_id *replica)
{
	size_t at = vv_find(vv, replica);

	return vv_has_at(vv, at, replica) ? vv->entries[at].seq : 0;
}

enum err vv_raise(struct vv *vv, const struct replica_id *replica, uint64_t seq)
{
	size_t at = vv_find(vv, replica);

	if (vv_has_at(vv, at, replica)) {
		if (vv->entries[at].seq < seq)
			vv->entries[at].seq = seq;
		return OK;
	}
	if (seq == 0)
		return OK;
	if (vv_reserve(vv, vv->count + 1) != OK)
		return ERR_NOMEM;
	memmove(vv->entries + at + 1, vv->entries + at, (vv->count - at) * sizeof(*vv->entries));
	vv->entries[at] = (struct dot){ *replica, seq };
	vv->count++;
	return OK;
}

enum err vv_merge(struct vv *into, const struct vv *from)
{
	for (size_t i = 0; i < from->count; i++)
		if (vv_raise(into, &from->entries[i].replica, from->entries[i].seq) != OK)
			return ERR_NOMEM;
	return OK;
}

enum err vv_copy(struct vv *into, const struct vv *from)
{
	if (vv_reserve(into, from->count) != OK)
		return ERR_NOMEM;
	if (from->count)
		memcpy(into->entries, from->entries, from->count * sizeof(*from->entries));
	into->count = from->count;
	return OK;
}

bool vv_covers(const struct vv *vv, const struct dot *dot)
{
	return vv_get(vv, &dot->replica) >= dot->seq;
}

bool vv_dominates(const struct vv *a, const struct vv *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (!vv_covers(a, &b->entries[i]))
			return false;
	return true;
}
