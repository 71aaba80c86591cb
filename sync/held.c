#include "sync/held.h"

#include "core/limits.h"

static bool is_held(const struct vv *held, const struct replica_id *replica)
{
	return vv_get(held, replica) > 0;
}

/* It needs something of a feed that waits, and that we don't hold. */
static enum err depends_on_held(const struct vv *ours, const struct vv *held,
				const struct sealed *s, struct arena *arena, bool *out,
				struct errmsg *msg)
{
	struct changeset cs;
	enum err rc = changeset_decode(&cs, s->body, &s->replica, arena, msg);

	if (rc != OK)
		return rc;
	*out = false;
	for (size_t i = 0; i < cs.dep_count && !*out; i++)
		*out = is_held(held, &cs.deps[i].replica) && !vv_covers(ours, &cs.deps[i]);
	return OK;
}

static enum err must_wait(const struct replica *r, const struct space_id *space,
			  const struct vv *held, const struct sealed *s, struct arena *arena,
			  bool *out, struct errmsg *msg)
{
	*out = is_held(held, &s->replica);
	return *out ? OK : depends_on_held(replica_vv(r, space), held, s, arena, out, msg);
}

enum err held_filter(const struct replica *r, const struct space_id *space, struct vv *held,
		     struct sealed *list, size_t *count, struct arena *arena, struct errmsg *msg)
{
	size_t kept = 0;
	enum err rc = OK;

	if (held->count == 0)
		return OK;
	for (size_t i = 0; rc == OK && i < *count; i++) {
		bool waits;

		rc = must_wait(r, space, held, &list[i], arena, &waits, msg);
		if (rc == OK && waits)
			rc = vv_raise(held, &list[i].replica, SEQ_MAX);
		else if (rc == OK)
			list[kept++] = list[i];
	}
	if (rc == OK)
		*count = kept;
	return rc;
}

enum err held_note(const struct vv *ours, const struct vv *sent, struct vv *held,
		   struct replica_id *out, size_t *count)
{
	size_t found = 0;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < sent->count; i++) {
		if (vv_covers(ours, &sent->entries[i]))
			continue;
		out[found++] = sent->entries[i].replica;
		rc = vv_raise(held, &sent->entries[i].replica, SEQ_MAX);
	}
	if (rc == OK)
		*count = found;
	return rc;
}

void held_release(struct vv *held, const struct replica_id *replica)
{
	size_t kept = 0;

	for (size_t i = 0; i < held->count; i++)
		if (replica_id_cmp(&held->entries[i].replica, replica) != 0)
			held->entries[kept++] = held->entries[i];
	held->count = kept;
}
