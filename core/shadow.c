#include "core/shadow.h"

#include <stdlib.h>

#include "core/array.h"
#include "core/replay.h"

/* How far one space has been replayed. */
struct part {
	struct log_walk walk;
	uint32_t idx;        /* the replica's number of it, */
	uint32_t shadow_idx; /* and ours: in the same order */
};

struct shadow {
	struct replica *r;
	struct store *store;
	uint64_t trust_serial;
	struct part *parts; /* ascending */
	size_t part_count;
	struct arena arena;
	size_t kind_at;
	struct record_id after;
};

enum err shadow_new(struct shadow **out, struct replica *r, struct errmsg *msg)
{
	struct shadow *s = calloc(1, sizeof(*s));
	enum err rc;

	if (!s)
		return ERR_NOMEM;
	s->r = r;
	s->trust_serial = r->trust_serial;
	/* An empty name: a file that nobody else sees. */
	rc = store_open(&s->store, "", NULL, true, false, msg);
	if (rc != OK) {
		shadow_free(s);
		return rc;
	}
	*out = s;
	return OK;
}

void shadow_free(struct shadow *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->part_count; i++)
		log_walk_release(&s->parts[i].walk);
	free(s->parts);
	arena_release(&s->arena);
	store_close(s->store);
	free(s);
}

/* ---- Replaying --------------------------------------------------------------- */

/* The space with the lowest number that has no part yet; NULL: all have one. Numbers grow. */
static const struct space_state *next_space(const struct shadow *s)
{
	uint32_t last = s->part_count ? s->parts[s->part_count - 1].idx : 0;
	const struct space_state *best = NULL;

	for (uint32_t i = 0; i < s->r->space_count; i++) {
		const struct space_state *space = &s->r->spaces[i];

		if (space->idx > last && (!best || space->idx < best->idx))
			best = space;
	}
	return best;
}

static enum err add_parts(struct shadow *s, struct errmsg *msg)
{
	const struct space_state *space;
	enum err rc = OK;

	while (rc == OK && (space = next_space(s))) {
		struct part *part;

		if (array_resize(&s->parts, s->part_count + 1, sizeof(*s->parts)))
			return ERR_NOMEM;
		part = &s->parts[s->part_count];
		*part = (struct part){ .idx = space->idx };
		log_walk_init(&part->walk, s->r, &space->id);
		rc = store_space_add(s->store, &space->id, &part->shadow_idx, msg);
		s->part_count += rc == OK;
	}
	return rc;
}

static enum err replay_some(struct shadow *s, struct part *part, size_t *left, struct errmsg *msg)
{
	const struct space_state *space = replica_space(s->r, &part->walk.space);
	const struct sealed *next;
	size_t op_count = 0;
	enum err rc = OK;

	while (rc == OK && *left && !vv_dominates(&part->walk.done, &space->vv)) {
		next = log_walk_next(&part->walk, &rc, msg);
		if (next)
			rc = replay_one(s->r, &part->walk.space, next, s->store, part->shadow_idx,
					&s->arena, &op_count, msg);
		else if (rc == OK)
			rc = errmsg_set(msg, ERR_CORRUPT, "the log ends too early");
		*left -= op_count < *left ? op_count : *left;
	}
	return rc;
}

static enum err catch_up(struct shadow *s, size_t *left, struct errmsg *msg)
{
	enum err rc = store_begin(s->store, msg);

	if (rc == OK)
		rc = add_parts(s, msg);
	for (size_t i = 0; rc == OK && i < s->part_count; i++)
		rc = replay_some(s, &s->parts[i], left, msg);
	if (rc == OK)
		rc = store_commit(s->store, msg);
	if (rc != OK)
		store_rollback(s->store);
	return rc;
}

/* A space holds less than was replayed, or other changesets of it count. */
static bool is_outdated(const struct shadow *s)
{
	for (size_t i = 0; i < s->part_count; i++) {
		const struct space_state *space = replica_space(s->r, &s->parts[i].walk.space);

		if (!space || !vv_dominates(&space->vv, &s->parts[i].walk.done))
			return true;
	}
	return s->trust_serial != s->r->trust_serial;
}

/* ---- Comparing --------------------------------------------------------------- */

static enum err differ(struct errmsg *msg, const char *what)
{
	return errmsg_set(msg, ERR_CORRUPT, "%s: the stored state is not what the log says", what);
}

/* So many of a kind, or what is left of it. */
static enum err compare_some(struct shadow *s, const struct kind *kind, size_t count,
			     struct errmsg *msg)
{
	struct id_range range = { .after = s->after };
	uint8_t stored[STATE_HASH_BYTES], replayed[STATE_HASH_BYTES];
	bool is_last;
	enum err rc =
		store_record_nth(s->r->store, kind, &range.after, count - 1, &range.upto, msg);

	is_last = rc == ERR_NOT_FOUND;
	if (is_last)
		memset(range.upto.bytes, 0xff, ID_BYTES);
	if (rc == OK || is_last)
		rc = store_records_hash(s->r->store, kind, &range, stored, msg);
	if (rc == OK)
		rc = store_records_hash(s->store, kind, &range, replayed, msg);
	if (rc == OK && memcmp(stored, replayed, sizeof(stored)) != 0)
		rc = differ(msg, kind->name);
	if (rc != OK)
		return rc;
	s->after = is_last ? (struct record_id){ 0 } : range.upto;
	s->kind_at += is_last;
	return OK;
}

static enum err compare_rest(struct shadow *s, bool *is_done, struct errmsg *msg)
{
	uint8_t stored[STATE_HASH_BYTES], replayed[STATE_HASH_BYTES];
	enum err rc = store_marks_hash(s->r->store, stored, msg);

	if (rc == OK)
		rc = store_marks_hash(s->store, replayed, msg);
	if (rc == OK && memcmp(stored, replayed, sizeof(stored)) != 0)
		rc = differ(msg, "conflicts and elements");
	*is_done = rc == OK;
	return rc;
}

enum err shadow_step(struct shadow *s, size_t row_count, bool *is_done, bool *is_void,
		     struct errmsg *msg)
{
	size_t left = row_count, kind_count;
	const struct kind *kinds = schema_kinds(&kind_count);
	enum err rc;

	*is_done = false;
	*is_void = is_outdated(s);
	if (*is_void)
		return OK;
	rc = catch_up(s, &left, msg);
	if (rc != OK || left == 0)
		return rc;
	if (s->kind_at < kind_count)
		return compare_some(s, &kinds[s->kind_at], left, msg);
	return compare_rest(s, is_done, msg);
}
