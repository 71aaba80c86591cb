/* What a peer lacks, in causal order: the feeds' missing ranges merged by
 * stamp. A stamp is greater than those of everything it depends on (I-5), so
 * stamp order is causal; each feed is read in short pieces, so the cost follows what
 * is returned. */
#include <stdlib.h>

#include "core/replica_impl.h"

enum { PIECE_COUNT = 64, PIECE_BYTES = 32 * 1024 };

/* Of a feed that has a hole, or damage: what names more of it than `seq` stays here, and what
 * names that in turn. */
struct bound {
	struct replica_id replica;
	uint64_t seq;
};

/* Where the merge stands in one feed. */
struct source {
	const struct feed *feed;
	struct stored *piece;
	struct hlc_stamp hlc; /* of the next one */
	size_t at, count;     /* within the piece */
	uint64_t next_seq;    /* to read */
	bool is_cut;          /* it ends with the piece: what follows is damaged */
};

struct merge_run {
	struct replica *r;
	struct arena *arena;
	struct source **heap; /* least stamp first */
	size_t heap_count;
	const struct space_state *space;
	bool is_closed;       /* what is read is for others: sound, and closed (I-4) */
	struct bound *bounds; /* none: all that is held is so */
	size_t bound_count;
	struct arena decoding;
	struct vv past;
	struct errmsg *msg;
};

static bool source_before(const struct source *a, const struct source *b)
{
	int order = hlc_cmp(a->hlc, b->hlc);

	return order ? order < 0 : replica_id_cmp(&a->feed->replica, &b->feed->replica) < 0;
}

static void heap_down(struct merge_run *m, size_t at)
{
	for (;;) {
		size_t least = at, child = 2 * at + 1;
		struct source *moved;

		for (size_t i = child; i < child + 2 && i < m->heap_count; i++)
			if (source_before(m->heap[i], m->heap[least]))
				least = i;
		if (least == at)
			return;
		moved = m->heap[at];
		m->heap[at] = m->heap[least];
		m->heap[least] = moved;
		at = least;
	}
}

static enum err source_peek(struct merge_run *m, struct source *s)
{
	const struct stored *row = &s->piece[s->at];

	if (changeset_peek_hlc(row->body, &s->hlc) == OK)
		return OK;
	return errmsg_set(m->msg, ERR_CORRUPT, "the log is damaged at seq %llu",
			  (unsigned long long)row->seq);
}

/* A feed may have a hole, be damaged, and name what is beyond another's. */
enum { BOUNDS_A_FEED = 3 };

static enum err bound_at(struct merge_run *m, const struct replica_id *replica, uint64_t seq)
{
	if (!m->bounds)
		m->bounds = arena_array(m->arena, (size_t)BOUNDS_A_FEED * m->space->feed_count,
					sizeof(*m->bounds));
	if (!m->bounds)
		return ERR_NOMEM;
	m->bounds[m->bound_count++] = (struct bound){ *replica, seq };
	return OK;
}

/* Damage is not passed on: the feed ends before it. */
static enum err read_sound(struct merge_run *m, struct source *s)
{
	enum err rc = damage_read(m->r, s->feed, s->next_seq, PIECE_COUNT, PIECE_BYTES, m->arena,
				  s->piece, &s->count, &s->is_cut, m->msg);

	if (rc == OK && s->is_cut)
		rc = bound_at(m, &s->feed->replica, s->next_seq + s->count - 1);
	return rc;
}

static enum err read_piece(struct merge_run *m, struct source *s)
{
	enum err rc;

	if (m->is_closed)
		return read_sound(m, s);
	rc = store_read(m->r->store, s->feed->idx, s->next_seq, PIECE_COUNT, PIECE_BYTES, m->arena,
			s->piece, &s->count, m->msg);
	if (rc == OK && (s->count == 0 || s->piece[0].seq != s->next_seq))
		rc = errmsg_set(m->msg, ERR_CORRUPT, "the log has a gap at seq %llu",
				(unsigned long long)s->next_seq);
	return rc;
}

/* Read on; count stays 0 at the feed's end. */
static enum err source_fill(struct merge_run *m, struct source *s)
{
	enum err rc = OK;

	s->at = s->count = 0;
	if (s->is_cut || s->next_seq > s->feed->head.seq)
		return OK;
	if (!s->piece)
		s->piece = arena_array(m->arena, PIECE_COUNT, sizeof(*s->piece));
	if (!s->piece)
		return ERR_NOMEM;
	rc = read_piece(m, s);
	if (rc != OK || s->count == 0)
		return rc;
	s->next_seq = s->piece[s->count - 1].seq + 1;
	return source_peek(m, s);
}

/* Move to the feed's next changeset. */
static enum err source_step(struct merge_run *m, struct source *s)
{
	if (++s->at < s->count)
		return source_peek(m, s);
	return source_fill(m, s);
}

static enum err open_sources(struct merge_run *m, const struct space_state *space,
			     const struct vv *has)
{
	enum err rc = OK;

	m->heap = arena_array(m->arena, space->feed_count, sizeof(*m->heap));
	if (!m->heap)
		return ERR_NOMEM;
	for (uint32_t i = 0; rc == OK && i < space->feed_count; i++) {
		const struct feed *feed = &m->r->feeds[space->feeds[i]];
		uint64_t held = vv_get(has, &feed->replica);
		struct source *s;

		if (held >= feed->head.seq)
			continue;
		s = arena_alloc(m->arena, sizeof(*s));
		if (!s)
			return ERR_NOMEM;
		s->feed = feed;
		s->next_seq = held + 1;
		rc = source_fill(m, s);
		if (s->count)
			m->heap[m->heap_count++] = s;
	}
	for (size_t i = m->heap_count; i-- > 0;)
		heap_down(m, i);
	return rc;
}

/* Take the least one out of the heap and move its feed on. */
static enum err merge_next(struct merge_run *m, struct sealed *out)
{
	struct source *s = m->heap[0];
	const struct stored *row = &s->piece[s->at];
	enum err rc;

	*out = (struct sealed){ s->feed->replica, row->seq, row->body, row->signature };
	rc = source_step(m, s);
	if (rc != OK)
		return rc;
	if (s->count == 0)
		m->heap[0] = m->heap[--m->heap_count];
	heap_down(m, 0);
	return OK;
}

/* ---- Holes ------------------------------------------------------------------- */

/* A branch was moved out of the log and its place not filled yet (M-21). */
static bool has_hole(const struct replica *r, const struct feed *feed)
{
	struct dot next = { feed->replica, feed->head.seq + 1 };

	return feed->head.seq < feed->named_seq &&
	       fork_is_waited_for(r, &r->spaces[feed->space].id, &next);
}

static enum err find_holes(struct merge_run *m)
{
	const struct space_state *space = m->space;
	enum err rc = OK;

	for (uint32_t i = 0; rc == OK && i < space->feed_count; i++) {
		const struct feed *feed = &m->r->feeds[space->feeds[i]];

		if (has_hole(m->r, feed))
			rc = bound_at(m, &feed->replica, feed->head.seq);
	}
	return rc;
}

static bool is_beyond(const struct merge_run *m, const struct dot *dot)
{
	for (size_t i = 0; i < m->bound_count; i++)
		if (replica_id_cmp(&m->bounds[i].replica, &dot->replica) == 0 &&
		    dot->seq > m->bounds[i].seq && fork_is_waited_for(m->r, &m->space->id, dot))
			return true;
	return false;
}

/* The next one of the source names what is not here. */
static enum err is_open(struct merge_run *m, const struct source *s, bool *out)
{
	const struct stored *row = &s->piece[s->at];
	struct changeset cs;
	enum err rc;

	*out = false;
	if (m->bound_count == 0)
		return OK;
	arena_reset(&m->decoding);
	rc = changeset_decode(&cs, row->body, &s->feed->replica, &m->decoding, m->msg);
	if (rc == OK)
		rc = changeset_past(&m->past, &cs);
	for (size_t i = 0; rc == OK && i < m->past.count; i++)
		if (replica_id_cmp(&m->past.entries[i].replica, &s->feed->replica) != 0)
			*out |= is_beyond(m, &m->past.entries[i]);
	return rc;
}

/* Nothing more of the first source. */
static enum err stop_source(struct merge_run *m)
{
	const struct source *s = m->heap[0];
	enum err rc = bound_at(m, &s->feed->replica, s->piece[s->at].seq - 1);

	m->heap[0] = m->heap[--m->heap_count];
	heap_down(m, 0);
	return rc;
}

/* ---- Reading ----------------------------------------------------------------- */

static enum err merge_all(struct merge_run *m, size_t bytes_max, size_t count_max,
			  struct sealed *list, size_t *count)
{
	size_t bytes = 0;
	bool open = false;
	enum err rc = OK;

	while (rc == OK && m->heap_count && *count < count_max && bytes < bytes_max) {
		rc = is_open(m, m->heap[0], &open);
		if (rc == OK && open) {
			rc = stop_source(m);
			continue;
		}
		if (rc == OK)
			rc = merge_next(m, &list[*count]);
		if (rc == OK)
			bytes += list[(*count)++].body.size + SIGNATURE_BYTES;
	}
	return rc;
}

enum err missing_read(struct replica *r, const struct space_id *space_id, const struct vv *has,
		      bool is_closed, size_t bytes_max, size_t count_max, struct arena *arena,
		      struct sealed **out, size_t *count, bool *more, struct errmsg *msg)
{
	struct merge_run m = { .r = r, .arena = arena, .is_closed = is_closed, .msg = msg };
	struct sealed *list = arena_array(arena, count_max, sizeof(*list));
	size_t got = 0;
	enum err rc = list ? OK : ERR_NOMEM;

	m.space = replica_space(r, space_id);
	if (rc == OK && m.space && is_closed)
		rc = find_holes(&m);
	if (rc == OK && m.space)
		rc = open_sources(&m, m.space, has);
	if (rc == OK)
		rc = merge_all(&m, bytes_max, count_max, list, &got);
	arena_release(&m.decoding);
	vv_release(&m.past);
	if (rc != OK)
		return rc;
	*out = list;
	*count = got;
	*more = m.heap_count > 0;
	return OK;
}

enum err replica_missing(struct replica *r, const struct space_id *space, const struct vv *has,
			 size_t bytes_max, size_t count_max, struct arena *arena,
			 struct sealed **out, size_t *count, bool *more, struct errmsg *msg)
{
	/* A dot that is shared and then lost would be issued twice. */
	enum err rc = store_settle(r->store, msg);

	return rc == OK ? missing_read(r, space, has, true, bytes_max, count_max, arena, out, count,
				       more, msg)
			: rc;
}
