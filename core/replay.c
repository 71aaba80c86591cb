/* Replay: all at once, or one space. */
#include "core/replay.h"

#include <stdlib.h>

enum { BATCH_COUNT = 512, BATCH_BYTES = 1 << 20, PROGRESS_EVERY = 1024 };

/* ---- Walking ----------------------------------------------------------------- */

void log_walk_init(struct log_walk *w, struct replica *r, const struct space_id *space)
{
	*w = (struct log_walk){ .r = r, .space = *space };
}

void log_walk_release(struct log_walk *w)
{
	vv_release(&w->done);
	arena_release(&w->arena);
}

const struct sealed *log_walk_next(struct log_walk *w, enum err *rc, struct errmsg *msg)
{
	const struct sealed *s;
	bool more;

	*rc = OK;
	if (w->at == w->count) {
		arena_reset(&w->arena);
		w->at = w->count = 0;
		*rc = missing_read(w->r, &w->space, &w->done, false, BATCH_BYTES, BATCH_COUNT,
				   &w->arena, &w->list, &w->count, &more, msg);
	}
	if (*rc != OK || w->count == 0)
		return NULL;
	s = &w->list[w->at++];
	*rc = vv_raise(&w->done, &s->replica, s->seq);
	return *rc == OK ? s : NULL;
}

/* ---- Applying ---------------------------------------------------------------- */

enum err replay_one(struct replica *r, const struct space_id *space, const struct sealed *s,
		    struct store *into, uint32_t into_space, struct arena *arena, size_t *op_count,
		    struct errmsg *msg)
{
	const struct space_state *state = replica_space(r, space);
	const struct feed *feed = replica_feed(r, state, &s->replica);
	struct changeset cs;
	struct stamp stamp = { { 0 }, { s->replica, s->seq } };
	enum err rc;

	arena_reset(arena);
	rc = changeset_decode(&cs, s->body, &s->replica, arena, msg);
	if (rc == OK)
		rc = changeset_validate(&cs, state == &r->spaces[0], VALIDITY_HELD, msg);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc != OK)
		return errmsg_prefix(msg, ERR_CORRUPT, "seq %llu: ", (unsigned long long)s->seq);
	stamp.hlc = cs.hlc;
	*op_count = cs.op_count;
	if (s->seq > feed->counts_to)
		return OK;
	return apply_again(into, into_space, &stamp, &cs, arena, msg);
}

/* ---- Whole spaces ------------------------------------------------------------ */

struct replay {
	struct replica *r;
	struct store *into;
	struct verify_report *report;
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	uint64_t total;
	struct arena arena;
	struct errmsg *msg;
};

static void count_one(struct replay *p, size_t op_count)
{
	p->report->changesets++;
	p->report->ops += op_count;
	if (p->progress && p->report->changesets % PROGRESS_EVERY == 0)
		p->progress(p->ctx, p->report->changesets, p->total);
}

static enum err replay_space(struct replay *p, const struct space_state *space)
{
	uint32_t into_space = space->idx;
	const struct sealed *s;
	struct log_walk walk;
	size_t op_count;
	enum err rc = OK, walked = OK;

	if (p->into != p->r->store)
		rc = store_space_add(p->into, &space->id, &into_space, p->msg);
	log_walk_init(&walk, p->r, &space->id);
	while (rc == OK && (s = log_walk_next(&walk, &walked, p->msg))) {
		rc = replay_one(p->r, &space->id, s, p->into, into_space, &p->arena, &op_count,
				p->msg);
		if (rc == OK)
			count_one(p, op_count);
	}
	log_walk_release(&walk);
	return rc == OK ? walked : rc;
}

static uint64_t count_changesets(const struct replica *r)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < r->feed_count; i++)
		total += r->feeds[i].head.seq;
	return total;
}

enum err replica_replay(struct replica *r, struct store *into, struct verify_report *report,
			void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
			struct errmsg *msg)
{
	struct replay p = { r, into, report, progress, ctx, count_changesets(r), ARENA_EMPTY, msg };
	enum err rc = OK;

	for (uint32_t i = 0; rc == OK && i < r->space_count; i++)
		if (r->spaces[i].idx)
			rc = replay_space(&p, &r->spaces[i]);
	arena_release(&p.arena);
	return rc;
}

static enum err clear_spaces(struct replica *r, const bool *is_chosen, struct errmsg *msg)
{
	uint32_t *list = calloc((size_t)r->space_count + 1, sizeof(*list));
	size_t count = 0;
	enum err rc = list ? OK : ERR_NOMEM;

	for (uint32_t i = 0; list && i < r->space_count; i++)
		if (is_chosen[i] && r->spaces[i].idx)
			list[count++] = r->spaces[i].idx;
	if (rc == OK && count)
		rc = store_clear_spaces(r->store, list, count, msg);
	free(list);
	return rc;
}

enum err replica_replay_spaces(struct replica *r, const bool *is_chosen, struct errmsg *msg)
{
	struct verify_report ignored = { 0 };
	struct replay p = { .r = r, .into = r->store, .report = &ignored, .msg = msg };
	enum err rc = clear_spaces(r, is_chosen, msg);

	for (uint32_t i = 0; rc == OK && i < r->space_count; i++)
		if (is_chosen[i] && r->spaces[i].idx)
			rc = replay_space(&p, &r->spaces[i]);
	arena_release(&p.arena);
	return rc;
}

enum err replica_replay_space(struct replica *r, const struct space_state *space,
			      struct errmsg *msg)
{
	bool *is_chosen = calloc((size_t)r->space_count + 1, sizeof(*is_chosen));
	enum err rc = ERR_NOMEM;

	if (is_chosen) {
		is_chosen[space - r->spaces] = true;
		rc = replica_replay_spaces(r, is_chosen, msg);
	}
	free(is_chosen);
	return rc;
}
