/* Which changesets count: bringing log and state in line with the cuts that the statements
 * of membership give (M-13 to M-16). Cuts move rarely, and then the spaces concerned
 * are replayed as a whole. */
#include <stdlib.h>

#include "core/array.h"
#include "core/branch.h"

/* ---- Branches ---------------------------------------------------------------- */

static enum err link_at(struct replica *r, const struct feed *feed, uint64_t seq,
			uint8_t out[LINK_BYTES], struct errmsg *msg)
{
	struct stored stored;
	size_t count = 0;
	enum err rc;

	if (seq == feed->head.seq) {
		memcpy(out, feed->head.link, LINK_BYTES);
		return OK;
	}
	arena_reset(&r->arena);
	rc = store_read(r->store, feed->idx, seq, 1, SIZE_MAX, &r->arena, &stored, &count, msg);
	if (rc == OK && (count != 1 || stored.seq != seq))
		rc = errmsg_set(msg, ERR_CORRUPT, "the log has a gap at seq %llu",
				(unsigned long long)seq);
	if (rc == OK)
		memcpy(out, stored.link, LINK_BYTES);
	return rc;
}

/* Where our branch may differ from the right one: where the proof says, else from the
 * beginning. */
static uint64_t fork_begins(const struct fork_mark *fork, const struct trust_cut *cut)
{
	return fork && fork->seq <= cut->seq ? fork->seq : 1;
}

/* From which seq on the log holds what does not belong there; 0: nothing. */
static enum err find_wrong(struct replica *r, const struct feed *feed, const struct trust_cut *cut,
			   uint64_t *out, struct errmsg *msg)
{
	const struct space_id *space = &r->spaces[feed->space].id;
	const struct fork_mark *fork = fork_of(r, space, &feed->replica);
	uint64_t limit = fork_limit_of(r, space, &feed->replica);
	uint8_t link[LINK_BYTES];
	enum err rc = OK;

	*out = feed->head.seq > limit ? limit + 1 : 0;
	if (!cut->has_link)
		return OK;
	if (feed->head.seq >= cut->seq) {
		rc = link_at(r, feed, cut->seq, link, msg);
		if (rc == OK && memcmp(link, cut->link, LINK_BYTES) != 0)
			*out = fork_begins(fork, cut);
	} else if (fork && fork->seq <= cut->seq && feed->head.seq >= fork->seq) {
		*out = fork->seq; /* which branch this is only its end would show */
	}
	return rc;
}

enum err quarantine_note_named(struct replica *r, struct feed *feed, uint64_t seq,
			       struct errmsg *msg)
{
	if (seq <= feed->named_seq)
		return OK;
	feed->named_seq = seq;
	return store_feed_set_named(r->store, feed->idx, seq, msg);
}

static enum err move_out(struct replica *r, struct feed *feed, uint64_t first, struct errmsg *msg)
{
	uint64_t done_to = 0;
	enum err rc = quarantine_note_named(r, feed, feed->head.seq, msg);

	if (rc == OK)
		rc = reauthor_done_to(r, feed, &done_to, msg);
	if (rc == OK)
		rc = store_branch_off(r->store, feed->idx, first, done_to, msg);
	if (rc == OK && feed->dep_seq >= first) {
		feed->dep_seq = first - 1;
		rc = store_feed_set_dep(r->store, feed->idx, feed->dep_seq, msg);
	}
	return rc == OK ? store_feed_head(r->store, feed->idx, &feed->head, msg) : rc;
}

/* The changesets of a branch that lead to a link, the last one first. */
struct chain {
	struct link {
		uint8_t bytes[LINK_BYTES];
	} * links;
	size_t count, cap;
	struct arena rows[2]; /* the last one's, and those before it */
};

static enum err chain_add(struct chain *c, const uint8_t link[LINK_BYTES])
{
	if (array_reserve(&c->links, &c->cap, c->count + 1, sizeof(*c->links)))
		return ERR_NOMEM;
	memcpy(c->links[c->count++].bytes, link, LINK_BYTES);
	return OK;
}

static const struct stored *row_with(const struct stored *rows, size_t count,
				     const uint8_t link[LINK_BYTES])
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(rows[i].link, link, LINK_BYTES) == 0)
			return &rows[i];
	return NULL;
}

/* Walk from the cut back to where our log ends; *whole: it was reached. */
static enum err trace(struct replica *r, const struct feed *feed, const struct trust_cut *cut,
		      struct chain *chain, bool *whole, struct errmsg *msg)
{
	struct stored rows[BRANCHES_MAX];
	const struct stored *at;
	struct stored next = { 0 };
	uint8_t link[LINK_BYTES];
	size_t count = 0;
	enum err rc = OK;

	for (uint64_t seq = cut->seq; rc == OK && seq > feed->head.seq; seq--) {
		struct arena *arena = &chain->rows[seq % 2];

		arena_reset(arena);
		rc = store_read_branch_at(r->store, feed->idx, seq, BRANCHES_MAX, arena, rows,
					  &count, msg);
		if (rc != OK)
			return rc;
		at = next.seq ? branch_before(rows, count, &cut->space, feed, &next)
			      : row_with(rows, count, cut->link);
		if (!at)
			return OK;
		rc = chain_add(chain, at->link);
		next = *at;
	}
	if (rc != OK || next.seq == 0)
		return rc;
	changeset_link(link, &cut->space, &feed->replica, &feed->head, next.body);
	*whole = memcmp(link, next.link, LINK_BYTES) == 0;
	return OK;
}

/* The right branch was moved out before: put it back (M-16). */
static enum err bring_back(struct replica *r, struct feed *feed, const struct trust_cut *cut,
			   bool *moved, struct errmsg *msg)
{
	struct chain chain = { .count = 0 };
	bool whole = false;
	enum err rc = OK;

	if (cut->has_link && feed->head.seq < cut->seq)
		rc = trace(r, feed, cut, &chain, &whole, msg);
	for (size_t i = chain.count; rc == OK && whole && i-- > 0;)
		rc = store_branch_back(r->store, feed->idx, cut->seq - i, chain.links[i].bytes,
				       msg);
	if (rc == OK && whole) {
		*moved = true;
		rc = store_feed_head(r->store, feed->idx, &feed->head, msg);
	}
	arena_release(&chain.rows[0]);
	arena_release(&chain.rows[1]);
	free(chain.links);
	return rc;
}

/* M-16, M-19 */
static enum err check_branch(struct replica *r, const struct space_id *space_id,
			     const struct replica_id *replica, bool *is_dirty, bool *moved,
			     struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, space_id);
	struct feed *feed = space ? replica_feed(r, space, replica) : NULL;
	struct trust_cut cut = trust_cut(r->trust, replica, space_id);
	bool moved_this = false;
	uint64_t first;
	enum err rc;

	if (!feed)
		return OK;
	rc = find_wrong(r, feed, &cut, &first, msg);
	if (rc == OK && first) {
		rc = move_out(r, feed, first, msg);
		moved_this = true;
	}
	if (rc == OK)
		rc = bring_back(r, feed, &cut, &moved_this, msg);
	if (moved_this)
		is_dirty[feed->space] = *moved = true;
	return rc;
}

/* ---- Cuts -------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How many changesets of the feed are in the state. */
static uint64_t counted(const struct feed *feed)
{
	return least(feed->counts_to, feed->head.seq);
}

/* Note the spaces of which other changesets count than before. */
static void compare_feed(const struct replica *r, struct feed *feed, uint64_t before,
			 bool *is_dirty, struct statements_receipt *receipt)
{
	uint64_t after;

	feed->counts_to = membership_counts_to(r, &r->spaces[feed->space].id, &feed->replica);
	after = counted(feed);
	if (after < before)
		receipt->quarantined += before - after;
	else
		receipt->counted += after - before;
	is_dirty[feed->space] |= after != before;
}

static enum err move_branches(struct replica *r, bool *is_dirty, bool *moved, struct errmsg *msg)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < r->trust->cut_count; i++)
		rc = check_branch(r, &r->trust->cuts[i].space, &r->trust->cuts[i].replica, is_dirty,
				  moved, msg);
	for (size_t i = 0; rc == OK && i < r->fork_count; i++)
		rc = check_branch(r, &r->forks[i].space, &r->forks[i].replica, is_dirty, moved,
				  msg);
	return rc;
}

enum err quarantine_apply(struct replica *r, struct statements_receipt *receipt, struct errmsg *msg)
{
	bool *is_dirty = calloc(r->space_count, sizeof(*is_dirty));
	uint64_t *before = calloc((size_t)r->feed_count + 1, sizeof(*before));
	enum err rc = is_dirty && before ? OK : ERR_NOMEM;

	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++)
		before[i] = counted(&r->feeds[i]);
	if (rc == OK)
		rc = move_branches(r, is_dirty, &receipt->vv_went_back, msg);
	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++)
		compare_feed(r, &r->feeds[i], before[i], is_dirty, receipt);
	/* Reading the caches anew keeps the spaces' order: they come from the same rows. */
	if (rc == OK && receipt->vv_went_back)
		rc = replica_reload_feeds(r, msg);
	if (rc == OK)
		rc = replica_replay_spaces(r, is_dirty, msg);
	free(is_dirty);
	free(before);
	return rc;
}

enum err quarantine_branch_off(struct replica *r, struct feed *feed, uint64_t seq,
			       struct errmsg *msg)
{
	uint32_t space = feed->space;
	enum err rc = move_out(r, feed, seq, msg);

	if (rc == OK)
		rc = replica_reload_feeds(r, msg);
	return rc == OK ? replica_replay_space(r, &r->spaces[space], msg) : rc;
}

/* Where a feed stands as far as it counts. */
static enum err cut_here(struct replica *r, const struct feed *feed, struct cut *out,
			 struct errmsg *msg)
{
	*out = (struct cut){ .replica = feed->replica,
			     .space = r->spaces[feed->space].id,
			     .seq = least(feed->head.seq, feed->counts_to) };
	return out->seq ? link_at(r, feed, out->seq, out->link, msg) : OK;
}

/* Whose feeds are meant: a node's, or those of all nodes that an office has or had. */
struct owner {
	const struct record_id *node;
	const char *office_code;
};

static bool owns(const struct owner *o, const struct replica *r, const struct feed *feed)
{
	const struct trust_epoch *epoch = trust_epoch(r->trust, &feed->replica);
	const struct trust_node *node;

	if (!epoch || o->node)
		return epoch && record_id_cmp(&epoch->node, o->node) == 0;
	node = trust_node(r->trust, &epoch->node);
	return node && strcmp(node->office_code, o->office_code) == 0;
}

static enum err cuts_of(struct replica *r, const struct owner *owner, const struct space_id *space,
			struct arena *arena, struct cut **out, size_t *count, struct errmsg *msg)
{
	struct cut *cuts = arena_array(arena, r->feed_count, sizeof(*cuts));
	size_t got = 0;
	enum err rc = cuts ? OK : ERR_NOMEM;

	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++) {
		const struct feed *feed = &r->feeds[i];

		if (feed->head.seq == 0 || !owns(owner, r, feed) ||
		    (space && space_id_cmp(space, &r->spaces[feed->space].id) != 0))
			continue;
		rc = cut_here(r, feed, &cuts[got++], msg);
	}
	if (rc != OK)
		return rc;
	cuts_sort(cuts, got);
	*out = cuts;
	*count = got;
	return OK;
}

enum err replica_cuts_of(struct replica *r, const struct record_id *node,
			 const struct space_id *space, struct arena *arena, struct cut **out,
			 size_t *count, struct errmsg *msg)
{
	return cuts_of(r, &(struct owner){ .node = node }, space, arena, out, count, msg);
}

enum err replica_cuts_of_office(struct replica *r, const char *office_code,
				const struct space_id *space, struct arena *arena, struct cut **out,
				size_t *count, struct errmsg *msg)
{
	return cuts_of(r, &(struct owner){ .office_code = office_code }, space, arena, out, count,
		       msg);
}

/* ---- Telling ----------------------------------------------------------------- */

struct branch_reading {
	struct replica *r;
	bool (*each)(void *ctx, const struct quarantined *q);
	void *ctx;
	bool is_done;
};

static enum err tell_branch(void *ctx, uint32_t feed_idx, uint64_t first, uint64_t last)
{
	struct branch_reading *reading = ctx;
	struct replica *r = reading->r;

	for (uint32_t i = 0; !reading->is_done && i < r->feed_count; i++) {
		const struct feed *feed = &r->feeds[i];
		struct quarantined q = { .replica = feed->replica,
					 .space = r->spaces[feed->space].id,
					 .first = first,
					 .last = last,
					 .is_branch = true };

		if (feed->idx == feed_idx)
			reading->is_done = !reading->each(reading->ctx, &q);
	}
	return OK;
}

enum err replica_each_quarantined(struct replica *r,
				  bool (*each)(void *ctx, const struct quarantined *q), void *ctx,
				  struct errmsg *msg)
{
	struct branch_reading reading = { .r = r, .each = each, .ctx = ctx };

	for (uint32_t i = 0; !reading.is_done && i < r->feed_count; i++) {
		const struct feed *feed = &r->feeds[i];
		const struct space_state *space = &r->spaces[feed->space];
		struct quarantined q = { .replica = feed->replica,
					 .space = space->id,
					 .first = feed->counts_to + 1,
					 .last = feed->head.seq };

		if (feed->head.seq <= feed->counts_to)
			continue;
		q.cause = trust_cut(r->trust, &feed->replica, &space->id).cause;
		reading.is_done = !each(ctx, &q);
	}
	return store_each_branch(r->store, tell_branch, &reading, msg);
}

/* ---- Showing ----------------------------------------------------------------- */

enum { PIECE_COUNT = 4 * BRANCHES_MAX, PIECE_BYTES = 1 << 20 };

struct showing {
	const struct quarantined *q;
	bool (*each)(void *ctx, const struct space_id *space, const struct history_item *item);
	void *ctx;
	struct arena rows, decoding;
	bool is_done;
	struct errmsg *msg;
};

static enum err show(struct showing *w, const struct stored *row)
{
	struct changeset cs;
	struct history_item item = { .changeset = &cs };
	enum err rc;

	arena_reset(&w->decoding);
	rc = changeset_decode(&cs, row->body, &w->q->replica, &w->decoding, w->msg);
	if (rc != OK)
		return rc;
	item.stamp = (struct stamp){ cs.hlc, { w->q->replica, row->seq } };
	item.author = cs.author;
	w->is_done = !w->each(w->ctx, &w->q->space, &item);
	return OK;
}

/* Rows from `seq` on; if there are more than a piece, those of its last seq come again. */
static enum err show_piece(struct showing *w, struct replica *r, const struct feed *feed,
			   uint64_t *seq, struct errmsg *msg)
{
	struct stored rows[PIECE_COUNT];
	size_t count = 0, kept;
	enum err rc;

	arena_reset(&w->rows);
	if (w->q->is_branch)
		rc = store_read_branch_from(r->store, feed->idx, *seq, PIECE_COUNT, &w->rows, rows,
					    &count, msg);
	else
		rc = store_read(r->store, feed->idx, *seq, PIECE_COUNT, PIECE_BYTES, &w->rows, rows,
				&count, msg);
	kept = count;
	while (w->q->is_branch && count == PIECE_COUNT && kept > 1 &&
	       rows[kept - 1].seq == rows[count - 1].seq)
		kept--;
	for (size_t i = 0; rc == OK && !w->is_done && i < kept; i++)
		if (rows[i].seq <= w->q->last)
			rc = show(w, &rows[i]);
	if (rc == OK)
		*seq = kept ? rows[kept - 1].seq + 1 : UINT64_MAX;
	return rc;
}

enum err replica_each_in_quarantine(struct replica *r, const struct quarantined *q,
				    bool (*each)(void *ctx, const struct space_id *space,
						 const struct history_item *item),
				    void *ctx, struct errmsg *msg)
{
	struct showing w = { .q = q, .each = each, .ctx = ctx, .msg = msg };
	const struct space_state *space = replica_space(r, &q->space);
	const struct feed *feed = space ? replica_feed(r, space, &q->replica) : NULL;
	uint64_t seq = q->first;
	enum err rc = OK;

	if (!feed)
		return errmsg_set(msg, ERR_NOT_FOUND, "nothing is held of that feed");
	while (rc == OK && !w.is_done && seq <= q->last)
		rc = show_piece(&w, r, feed, &seq, msg);
	arena_release(&w.rows);
	arena_release(&w.decoding);
	return rc;
}
