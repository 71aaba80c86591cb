/* Which changesets count: bringing log and state in line with the cuts that the statements
 * of membership give (M-13 to M-16). Cuts move rarely, and then the spaces concerned
 * are replayed as a whole. */
#include <stdlib.h>

#include "core/replica_impl.h"

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

struct fork_search {
	const struct trust_cut *cut;
	uint64_t first;
};

static bool look_for_fork(void *ctx, const struct statement *s, struct bytes encoded,
			  enum verdict verdict)
{
	struct fork_search *search = ctx;

	if (s->type == STATEMENT_FORK && verdict == VERDICT_STANDS &&
	    space_id_cmp(&s->u.fork.space, &search->cut->space) == 0 &&
	    replica_id_cmp(&s->u.fork.replica, &search->cut->replica) == 0 &&
	    s->u.fork.seq < search->first)
		search->first = s->u.fork.seq;
	return true;
}

/* Where our branch may differ from the right one: where the first proof says, else from
 * the beginning. */
static enum err find_fork(struct replica *r, const struct trust_cut *cut, uint64_t *out,
			  struct errmsg *msg)
{
	struct fork_search search = { cut, cut->seq + 1 };
	enum err rc = replica_each_statement(r, look_for_fork, &search, msg);

	*out = search.first <= cut->seq ? search.first : 1;
	return rc;
}

/* M-16 */
static enum err check_branch(struct replica *r, const struct trust_cut *cut, bool *moved,
			     struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, &cut->space);
	const struct feed *feed = space ? replica_feed(r, space, &cut->replica) : NULL;
	uint8_t link[LINK_BYTES];
	uint64_t first;
	enum err rc;

	if (!cut->has_link || !feed || feed->head.seq < cut->seq)
		return OK;
	rc = link_at(r, feed, cut->seq, link, msg);
	if (rc != OK || memcmp(link, cut->link, LINK_BYTES) == 0)
		return rc;
	rc = find_fork(r, cut, &first, msg);
	if (rc == OK)
		rc = store_branch_off(r->store, feed->idx, first, msg);
	*moved |= rc == OK;
	return rc;
}

/* ---- Cuts -------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Note the spaces of which other changesets count than before; bits by the store's
 * number. */
static void compare_feed(const struct replica *r, struct feed *feed, bool *is_dirty,
			 struct statements_receipt *receipt)
{
	const struct space_state *space = &r->spaces[feed->space];
	uint64_t before = least(feed->counts_to, feed->head.seq), after;

	feed->counts_to = membership_counts_to(r, &space->id, &feed->replica);
	after = least(feed->counts_to, feed->head.seq);
	if (after < before)
		receipt->quarantined += before - after;
	else
		receipt->counted += after - before;
	is_dirty[feed->space] |= after != before;
}

static enum err replay_dirty(struct replica *r, const bool *is_dirty, struct errmsg *msg)
{
	enum err rc = OK;

	for (uint32_t i = 0; rc == OK && i < r->space_count; i++)
		if (is_dirty[i])
			rc = replica_replay_space(r, &r->spaces[i], msg);
	return rc;
}

static enum err move_branches(struct replica *r, bool *is_dirty, bool *moved, struct errmsg *msg)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < r->trust->cut_count; i++) {
		const struct trust_cut *cut = &r->trust->cuts[i];
		const struct space_state *space = replica_space(r, &cut->space);
		bool moved_this = false;

		rc = check_branch(r, cut, &moved_this, msg);
		if (moved_this)
			is_dirty[space - r->spaces] = *moved = true;
	}
	return rc;
}

enum err quarantine_apply(struct replica *r, struct statements_receipt *receipt, struct errmsg *msg)
{
	bool *is_dirty = calloc(r->space_count, sizeof(*is_dirty));
	enum err rc = is_dirty ? OK : ERR_NOMEM;

	if (rc == OK)
		rc = move_branches(r, is_dirty, &receipt->vv_went_back, msg);
	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++)
		compare_feed(r, &r->feeds[i], is_dirty, receipt);
	/* Reading the caches anew keeps the spaces' order: they come from the same rows. */
	if (rc == OK && receipt->vv_went_back)
		rc = replica_reload_feeds(r, msg);
	if (rc == OK)
		rc = replay_dirty(r, is_dirty, msg);
	free(is_dirty);
	return rc;
}

enum err quarantine_branch_off(struct replica *r, const struct feed *feed, uint64_t seq,
			       struct errmsg *msg)
{
	uint32_t space = feed->space;
	enum err rc = store_branch_off(r->store, feed->idx, seq, msg);

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

static int compare_cuts(const void *a, const void *b)
{
	return cut_cmp(a, b);
}

static bool is_of_node(const struct replica *r, const struct feed *feed,
		       const struct record_id *node)
{
	const struct trust_epoch *epoch = trust_epoch(r->trust, &feed->replica);

	return epoch && record_id_cmp(&epoch->node, node) == 0;
}

enum err replica_cuts_of(struct replica *r, const struct record_id *node,
			 const struct space_id *space, struct arena *arena, struct cut **out,
			 size_t *count, struct errmsg *msg)
{
	struct cut *cuts = arena_array(arena, r->feed_count, sizeof(*cuts));
	size_t got = 0;
	enum err rc = cuts ? OK : ERR_NOMEM;

	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++) {
		const struct feed *feed = &r->feeds[i];

		if (feed->head.seq == 0 || !is_of_node(r, feed, node) ||
		    (space && space_id_cmp(space, &r->spaces[feed->space].id) != 0))
			continue;
		rc = cut_here(r, feed, &cuts[got++], msg);
	}
	if (rc != OK)
		return rc;
	if (got > CUTS_MAX)
		return errmsg_set(msg, ERR_LIMIT, "the node has more than %d feeds", CUTS_MAX);
	qsort(cuts, got, sizeof(*cuts), compare_cuts);
	*out = cuts;
	*count = got;
	return OK;
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
