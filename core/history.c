/* What changed, for people: the log read backwards, newest first. */
#include <stdlib.h>

#include "core/replica_impl.h"

enum { PIECE_COUNT = 16 };

/* A feed being read from its head down, a piece at a time. */
struct backward {
	const struct feed *feed;
	struct arena arena;
	struct stored piece[PIECE_COUNT];
	size_t left;          /* of the piece: the newest is piece[left - 1] */
	uint64_t below;       /* the piece's first seq: what remains ends before it */
	struct hlc_stamp hlc; /* of the newest */
};

static enum err backward_peek(struct backward *b, struct errmsg *msg)
{
	const struct stored *row = &b->piece[b->left - 1];

	if (changeset_peek_hlc(row->body, &b->hlc) == OK)
		return OK;
	return errmsg_set(msg, ERR_CORRUPT, "the log is damaged at seq %llu",
			  (unsigned long long)row->seq);
}

static enum err backward_fill(struct replica *r, struct backward *b, struct errmsg *msg)
{
	uint64_t first = b->below > PIECE_COUNT ? b->below - PIECE_COUNT : 1;
	enum err rc;

	b->left = 0;
	if (b->below <= 1)
		return OK;
	arena_reset(&b->arena);
	rc = store_read(r->store, b->feed->idx, first, (size_t)(b->below - first), SIZE_MAX,
			&b->arena, b->piece, &b->left, msg);
	b->below = first;
	return rc == OK && b->left ? backward_peek(b, msg) : rc;
}

static enum err backward_step(struct replica *r, struct backward *b, struct errmsg *msg)
{
	if (--b->left == 0)
		return backward_fill(r, b, msg);
	return backward_peek(b, msg);
}

static bool newer(const struct backward *a, const struct backward *b)
{
	int order = hlc_cmp(a->hlc, b->hlc);

	return order ? order > 0 : replica_id_cmp(&a->feed->replica, &b->feed->replica) > 0;
}

/* Offices are few: a scan finds the newest. */
static struct backward *newest(struct backward *list, size_t count)
{
	struct backward *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (list[i].left && (!best || newer(&list[i], best)))
			best = &list[i];
	return best;
}

static bool touches(const struct changeset *cs, const struct record_id *record)
{
	if (!record)
		return true;
	for (size_t i = 0; i < cs->op_count; i++)
		if (record_id_cmp(&cs->ops[i].record, record) == 0)
			return true;
	return false;
}

struct reader {
	struct replica *r;
	const struct record_id *record;
	size_t left;
	bool (*each)(void *, const struct space_id *, const struct history_item *);
	void *ctx;
	struct arena arena;
	struct errmsg *msg;
};

/* False in *go_on when the caller or the limit says so. */
static enum err show(struct reader *v, const struct backward *b, bool *go_on)
{
	const struct stored *row = &b->piece[b->left - 1];
	struct changeset cs;
	struct history_item item = { { b->hlc, { b->feed->replica, row->seq } }, { { 0 } }, &cs };
	enum err rc;

	arena_reset(&v->arena);
	rc = changeset_decode(&cs, row->body, &b->feed->replica, &v->arena, v->msg);
	if (rc != OK)
		return rc;
	*go_on = true;
	if (!touches(&cs, v->record))
		return OK;
	item.author = cs.author;
	*go_on = v->each(v->ctx, &v->r->spaces[b->feed->space].id, &item) && --v->left > 0;
	return OK;
}

enum err replica_history(struct replica *r, const struct record_id *record, size_t count_max,
			 bool (*each)(void *ctx, const struct space_id *space,
				      const struct history_item *item),
			 void *ctx, struct errmsg *msg)
{
	struct reader v = { r, record, count_max, each, ctx, ARENA_EMPTY, msg };
	struct backward *list = calloc(r->feed_count + 1, sizeof(*list)), *next;
	bool go_on = count_max > 0;
	enum err rc = list ? OK : ERR_NOMEM;

	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++) {
		list[i].feed = &r->feeds[i];
		list[i].below = r->feeds[i].head.seq + 1;
		rc = backward_fill(r, &list[i], msg);
	}
	while (rc == OK && go_on && (next = newest(list, r->feed_count))) {
		rc = show(&v, next, &go_on);
		if (rc == OK)
			rc = backward_step(r, next, msg);
	}
	for (uint32_t i = 0; list && i < r->feed_count; i++)
		arena_release(&list[i].arena);
	arena_release(&v.arena);
	free(list);
	return rc;
}

enum err replica_written(struct replica *r, const struct space_id *space_id, const struct dot *dot,
			 struct hlc_stamp *hlc, struct record_id *author, struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, space_id);
	const struct feed *feed = space ? replica_feed(r, space, &dot->replica) : NULL;
	struct arena arena = ARENA_EMPTY;
	struct changeset cs;
	struct stored row;
	size_t count = 0;
	enum err rc = OK;

	if (feed)
		rc = store_read(r->store, feed->idx, dot->seq, 1, SIZE_MAX, &arena, &row, &count,
				msg);
	if (rc == OK && (count == 0 || row.seq != dot->seq))
		rc = errmsg_set(msg, ERR_NOT_FOUND, "there is no such changeset");
	if (rc == OK)
		rc = changeset_decode(&cs, row.body, &dot->replica, &arena, msg);
	if (rc == OK) {
		*hlc = cs.hlc;
		*author = cs.author;
	}
	arena_release(&arena);
	return rc;
}
