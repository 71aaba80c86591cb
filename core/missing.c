/* What a peer lacks, in causal order: the feeds' missing ranges merged by
 * stamp. A stamp is greater than those of everything it depends on (I-5), so
 * stamp order is causal; each feed is read in short pieces, so the cost follows what
 * is returned. */
#include <stdlib.h>

#include "core/limits.h"
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
	size_t vouched_at;    /* its last one in the list, if that is signed; else SIZE_MAX */
};

/* What is known of one in the list. */
struct taken {
	struct source *source;
	const uint8_t *link;
};

struct merge_run {
	struct replica *r;
	struct arena *arena;
	struct source **heap; /* least stamp first */
	size_t heap_count;
	const struct space_state *space;
	const struct vv *has;
	struct sealed *list;
	struct taken *taken; /* of each in the list */
	size_t count, count_max, bytes_max;
	bool is_closed;       /* what is read is for others: sound, and closed (I-4) */
	struct bound *bounds; /* none: all that is held is so */
	size_t bound_count;
	struct replica_id *apart; /* feeds that go on with a run too long for the list */
	size_t apart_count;
	const struct replica_id *alone; /* one of these, by itself */
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

/* A feed may have a hole, be damaged, name what is beyond another's, and be left out. */
enum { BOUNDS_A_FEED = 4 };

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

static bool is_left_out(const struct merge_run *m, const struct replica_id *replica)
{
	if (m->alone)
		return replica_id_cmp(m->alone, replica) != 0;
	for (size_t i = 0; i < m->apart_count; i++)
		if (replica_id_cmp(&m->apart[i], replica) == 0)
			return true;
	return false;
}

static enum err open_sources(struct merge_run *m)
{
	const struct space_state *space = m->space;
	enum err rc = OK;

	m->heap_count = 0;
	m->heap = arena_array(m->arena, space->feed_count, sizeof(*m->heap));
	if (!m->heap)
		return ERR_NOMEM;
	for (uint32_t i = 0; rc == OK && i < space->feed_count; i++) {
		const struct feed *feed = &m->r->feeds[space->feeds[i]];
		uint64_t held = vv_get(m->has, &feed->replica);
		struct source *s;

		if (held >= feed->head.seq)
			continue;
		if (is_left_out(m, &feed->replica)) {
			rc = bound_at(m, &feed->replica, held);
			continue;
		}
		s = arena_alloc(m->arena, sizeof(*s));
		if (!s)
			return ERR_NOMEM;
		s->feed = feed;
		s->next_seq = held + 1;
		s->vouched_at = SIZE_MAX;
		rc = source_fill(m, s);
		if (s->count)
			m->heap[m->heap_count++] = s;
	}
	for (size_t i = m->heap_count; i-- > 0;)
		heap_down(m, i);
	return rc;
}

/* Take the least one out of the heap and move its feed on. */
static enum err merge_next(struct merge_run *m)
{
	struct source *s = m->heap[0];
	const struct stored *row = &s->piece[s->at];
	enum err rc;

	m->taken[m->count] = (struct taken){ s, row->link };
	m->list[m->count++] =
		(struct sealed){ s->feed->replica, row->seq, row->body, row->signature };
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

static enum err merge_all(struct merge_run *m)
{
	size_t bytes = 0;
	bool open = false;
	enum err rc = OK;

	while (rc == OK && m->heap_count && m->count < m->count_max && bytes < m->bytes_max) {
		rc = is_open(m, m->heap[0], &open);
		if (rc == OK && open) {
			rc = stop_source(m);
			continue;
		}
		if (rc == OK)
			rc = merge_next(m);
		if (rc == OK)
			bytes += m->list[m->count - 1].body.size + SIGNATURE_BYTES;
	}
	return rc;
}

static enum err read_list(struct merge_run *m)
{
	enum err rc = OK;

	m->count = m->bound_count = 0;
	m->list = arena_array(m->arena, m->count_max, sizeof(*m->list));
	m->taken = arena_array(m->arena, m->count_max, sizeof(*m->taken));
	if (!m->list || !m->taken)
		return ERR_NOMEM;
	if (m->is_closed)
		rc = find_holes(m);
	if (rc == OK)
		rc = open_sources(m);
	return rc == OK ? merge_all(m) : rc;
}

/* ---- Vouching ---------------------------------------------------------------- */

/* Without the statement that names the feed nobody can look. */
static bool is_vouched(const struct merge_run *m, size_t at)
{
	const struct feed *feed = m->taken[at].source->feed;
	const struct sealed *s = &m->list[at];

	return !m->r->trust || !trust_epoch(m->r->trust, &feed->replica) ||
	       feed_is_signed(m->r, feed, s->signature, m->taken[at].link) ||
	       fork_vouches(m->r, feed, s->seq, s->signature, m->taken[at].link);
}

/* How much of the list ends, for each feed, on a signature that verifies: the receiver looks at no
 * other (I-6). One check a feed, unless its owner signed what is before its end with rubbish. */
static size_t vouched_count(const struct merge_run *m)
{
	size_t count = m->count;

	for (size_t i = count; i-- > 0;) {
		struct source *s = m->taken[i].source;

		if (s->vouched_at < count)
			continue; /* a later one of the feed vouches for it */
		if (is_vouched(m, i))
			s->vouched_at = i;
		else
			count = i;
	}
	return count;
}

static enum err set_apart(struct merge_run *m, const struct replica_id *replica)
{
	if (!m->apart)
		m->apart = arena_array(m->arena, m->space->feed_count, sizeof(*m->apart));
	if (!m->apart)
		return ERR_NOMEM;
	m->apart[m->apart_count++] = *replica;
	return OK;
}

static size_t first_run(const struct merge_run *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (is_vouched(m, i))
			return i + 1;
	return 0;
}

/* A run and nothing else. It came in one message, so it fits into one. */
static enum err read_alone(struct merge_run *m, size_t *count)
{
	enum err rc = OK;

	*count = 0;
	m->count_max = RUN_COUNT_MAX;
	m->bytes_max = RUN_BYTES_MAX;
	for (size_t i = 0; rc == OK && *count == 0 && i < m->apart_count; i++) {
		m->alone = &m->apart[i];
		rc = read_list(m);
		if (rc == OK)
			*count = first_run(m);
	}
	return rc;
}

/* The list begins with a run that does not end in it: all that does not need the run goes first,
 * then each such run by itself. */
static enum err read_vouched(struct merge_run *m, size_t *count)
{
	enum err rc = read_list(m);

	*count = rc == OK ? vouched_count(m) : 0;
	while (rc == OK && m->count && *count == 0) {
		rc = set_apart(m, &m->list[0].replica);
		if (rc == OK)
			rc = read_list(m);
		if (rc == OK)
			*count = vouched_count(m);
	}
	return rc == OK && *count == 0 && m->apart_count ? read_alone(m, count) : rc;
}

enum err missing_read(struct replica *r, const struct space_id *space_id, const struct vv *has,
		      bool is_closed, size_t bytes_max, size_t count_max, struct arena *arena,
		      struct sealed **out, size_t *count, bool *more, struct errmsg *msg)
{
	struct merge_run m = { .r = r,
			       .arena = arena,
			       .has = has,
			       .is_closed = is_closed,
			       .bytes_max = bytes_max,
			       .count_max = count_max,
			       .msg = msg };
	size_t got = 0;
	enum err rc = OK;

	m.space = replica_space(r, space_id);
	if (m.space && is_closed)
		rc = read_vouched(&m, &got);
	else if (m.space)
		rc = read_list(&m);
	arena_release(&m.decoding);
	vv_release(&m.past);
	if (rc != OK)
		return rc;
	*out = m.list;
	*count = is_closed ? got : m.count;
	*more = *count && (m.heap_count || *count < m.count || m.apart_count);
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
