/* Writing again what is ours and counts no more: after a fork, a void epoch, or a branch that
 * was moved out of the log (M-19). The ops stay as they were; what they say of
 * re-authored writes names the new ones. */
#include <stdio.h>
#include <stdlib.h>

#include "core/replica_impl.h"

enum { PIECE_COUNT = 64, PIECE_BYTES = 1 << 20 };

/* In a space, changesets `first` .. `last` of `replica` were written again as those of `to`
 * from `to_first` on. */
struct rewritten {
	struct space_id space;
	struct replica_id replica, to;
	uint64_t first, last, to_first;
};

struct reauthor {
	struct replica *r;
	uint64_t now_ms;
	struct space_id space;
	struct rewritten *map;
	size_t map_count;
	struct arena arena; /* one changeset's */
	struct arena rows;
	size_t done;
	struct errmsg *msg;
};

/* ---- Dots -------------------------------------------------------------------- */

static const struct rewritten *find(const struct reauthor *a, const struct dot *dot)
{
	for (size_t i = 0; i < a->map_count; i++)
		if (space_id_cmp(&a->map[i].space, &a->space) == 0 &&
		    replica_id_cmp(&a->map[i].replica, &dot->replica) == 0 &&
		    a->map[i].first <= dot->seq && dot->seq <= a->map[i].last)
			return &a->map[i];
	return NULL;
}

/* `seq` of the replica became `to`. */
static enum err note(struct reauthor *a, const struct replica_id *replica, uint64_t seq,
		     uint64_t to)
{
	struct rewritten *last = a->map_count ? &a->map[a->map_count - 1] : NULL;
	struct rewritten *map;

	if (last && space_id_cmp(&last->space, &a->space) == 0 &&
	    replica_id_cmp(&last->replica, replica) == 0 &&
	    replica_id_cmp(&last->to, &a->r->id) == 0 && seq == last->last + 1 &&
	    to == last->to_first + (seq - last->first)) {
		last->last = seq;
		return OK;
	}
	map = realloc(a->map, (a->map_count + 1) * sizeof(*map));
	if (!map)
		return ERR_NOMEM;
	a->map = map;
	a->map[a->map_count++] = (struct rewritten){ a->space, *replica, a->r->id, seq, seq, to };
	return OK;
}

static bool translate(const struct reauthor *a, struct dot *dot)
{
	const struct rewritten *to = find(a, dot);

	if (to)
		*dot = (struct dot){ to->to, to->to_first + (dot->seq - to->first) };
	return to != NULL;
}

/* What a void has seen of a replica is all before a seq: of what was written again it has
 * seen the new dots, and of the rest still the old ones. */
static enum err translate_all(struct reauthor *a, const struct target **list, size_t *count,
			      bool is_observed)
{
	struct target *out = arena_array(&a->arena, 2 * *count, sizeof(*out));
	size_t got = 0;

	if (!out)
		return ERR_NOMEM;
	for (size_t i = 0; i < *count; i++) {
		struct target t = (*list)[i];
		const struct rewritten *to = find(a, &t.dot);

		if (to && is_observed && to->first > 1)
			out[got++] = (struct target){ { t.dot.replica, to->first - 1 }, 0 };
		translate(a, &t.dot);
		out[got++] = t;
	}
	*list = out;
	*count = got;
	return OK;
}

static enum err translate_ops(struct reauthor *a, struct changeset *cs)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < cs->op_count; i++) {
		struct op *op = &cs->ops[i];

		rc = translate_all(a, &op->targets, &op->target_count, false);
		if (rc == OK)
			rc = translate_all(a, &op->observed, &op->observed_count, true);
	}
	return rc;
}

/* ---- Feeds ------------------------------------------------------------------- */

static uint64_t own_head(const struct reauthor *a)
{
	const struct space_state *space = replica_space(a->r, &a->space);
	const struct feed *feed = space ? replica_feed(a->r, space, &a->r->id) : NULL;

	return feed ? feed->head.seq : 0;
}

static enum err write_again(struct reauthor *a, const struct replica_id *replica,
			    const struct stored *row)
{
	struct changeset cs;
	enum err rc;

	arena_reset(&a->arena);
	rc = changeset_decode(&cs, row->body, replica, &a->arena, a->msg);
	if (rc == OK)
		rc = translate_ops(a, &cs);
	cs.deps = NULL;
	cs.dep_count = 0;
	if (rc == OK)
		rc = replica_write(a->r, &a->space, &cs, a->now_ms, &a->arena, a->msg);
	if (rc == OK)
		rc = note(a, replica, row->seq, own_head(a));
	a->done += rc == OK;
	return rc;
}

static void progress_key(char out[96], const struct replica_id *replica,
			 const struct space_id *space)
{
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	snprintf(out, 96, "reauthored:%s:%s", id_text(replica->bytes, a), id_text(space->bytes, b));
}

static enum err read_progress(struct reauthor *a, const char *key, uint64_t *out)
{
	struct buf text = BUF_EMPTY;
	enum err rc = store_setting_get(a->r->store, key, &text, NULL);

	*out = 0;
	buf_append_byte(&text, 0);
	if (rc == OK)
		rc = buf_check(&text);
	if (rc == OK)
		*out = strtoull((const char *)text.data, NULL, 10);
	buf_release(&text);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err note_progress(struct reauthor *a, const char *key, uint64_t seq)
{
	char text[24];
	struct bytes value;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)seq);
	value = bytes_of_str(text);
	return store_setting_put(a->r->store, key, &value, a->msg);
}

/* What is in the log and does not count. */
static enum err write_tail(struct reauthor *a, const struct feed *feed)
{
	const struct feed of = *feed; /* the caches may move */
	char key[96];
	uint64_t seq;
	enum err rc;

	progress_key(key, &of.replica, &a->space);
	rc = read_progress(a, key, &seq);
	if (seq < of.counts_to)
		seq = of.counts_to;
	while (rc == OK && seq < of.head.seq) {
		struct stored rows[PIECE_COUNT];
		size_t count = 0;

		arena_reset(&a->rows);
		rc = store_read(a->r->store, of.idx, seq + 1, PIECE_COUNT, PIECE_BYTES, &a->rows,
				rows, &count, a->msg);
		if (rc == OK && count == 0)
			rc = errmsg_set(a->msg, ERR_CORRUPT, "the log has a gap at seq %llu",
					(unsigned long long)seq + 1);
		for (size_t i = 0; rc == OK && i < count; i++)
			rc = write_again(a, &of.replica, &rows[i]);
		if (rc == OK)
			rc = note_progress(a, key, seq = rows[count - 1].seq);
	}
	return rc;
}

/* What was moved out of it. */
static enum err write_branch(struct reauthor *a, const struct feed *feed)
{
	const struct feed of = *feed;
	size_t count = 1;
	enum err rc = OK;

	while (rc == OK && count) {
		struct stored rows[PIECE_COUNT];

		arena_reset(&a->rows);
		rc = store_read_branch(a->r->store, of.idx, PIECE_COUNT, &a->rows, rows, &count,
				       a->msg);
		for (size_t i = 0; rc == OK && i < count; i++)
			rc = write_again(a, &of.replica, &rows[i]);
		if (rc == OK && count)
			rc = store_branch_done(a->r->store, of.idx, rows[count - 1].seq, a->msg);
	}
	return rc;
}

/* What an admin cut off stays off: only an accident is made good. */
static bool is_accident(enum cut_cause cause)
{
	return cause == CUT_FORKED || cause == CUT_VOID;
}

/* Something of the feed waits to be written again: its tail, or its branch. */
static enum err look(struct reauthor *a, const struct feed *feed, bool is_branch, bool *waits)
{
	struct trust_cut cut = trust_cut(a->r->trust, &feed->replica, &a->space);
	struct stored row;
	char key[96];
	uint64_t seq = 0;
	size_t count = 0;
	enum err rc = OK;

	if (is_branch) {
		arena_reset(&a->rows);
		rc = store_read_branch(a->r->store, feed->idx, 1, &a->rows, &row, &count, a->msg);
	} else if (is_accident(cut.cause) && feed->counts_to < feed->head.seq) {
		progress_key(key, &feed->replica, &a->space);
		rc = read_progress(a, key, &seq);
		count = seq < feed->head.seq;
	}
	*waits = count > 0;
	return rc;
}

/* In one space. */
static enum err reauthor_feed(struct reauthor *a, const struct replica_id *epoch, bool is_branch,
			      bool only_look, bool *waits)
{
	const struct feed *feed = replica_feed(a->r, replica_space(a->r, &a->space), epoch);
	bool waits_here = false;
	enum err rc = feed ? look(a, feed, is_branch, &waits_here) : OK;

	*waits |= waits_here;
	if (rc != OK || only_look || !waits_here)
		return rc;
	return is_branch ? write_branch(a, feed) : write_tail(a, feed);
}

static enum err reauthor_feeds(struct reauthor *a, const struct replica_id *epoch, bool is_branch,
			       bool only_look, bool *waits)
{
	enum err rc = OK;

	for (uint32_t i = 0; rc == OK && i < a->r->space_count; i++) {
		a->space = a->r->spaces[i].id;
		rc = reauthor_feed(a, epoch, is_branch, only_look, waits);
	}
	return rc;
}

/* What one feed of the past has said, in all spaces, in one transaction. Under an id of its own:
 * what we wrote meanwhile did not know of it, so neither may replace the other. */
static enum err reauthor_source(struct reauthor *a, const struct replica_id *epoch, bool is_branch)
{
	struct replica *r = a->r;
	bool waits = false;
	enum err rc = reauthor_feeds(a, epoch, is_branch, true, &waits);

	if (rc != OK || !waits)
		return rc;
	rc = replica_begin(r, a->msg);
	if (rc == OK && r->own_count > 0)
		rc = replica_new_epoch(r, EPOCH_FORKED, NULL, NULL, a->now_ms, a->msg);
	if (rc == OK)
		rc = reauthor_feeds(a, epoch, is_branch, false, &waits);
	if (rc == OK)
		return replica_commit(r, a->msg);
	replica_rollback(r);
	return rc;
}

enum err replica_reauthor(struct replica *r, uint64_t now_ms, size_t *count, struct errmsg *msg)
{
	struct reauthor a = { .r = r, .now_ms = now_ms, .msg = msg };
	struct arena arena = ARENA_EMPTY;
	struct replica_id *epochs;
	size_t epoch_count = 0;
	enum err rc = epoch_former(r, &arena, &epochs, &epoch_count, msg);

	*count = 0;
	if (rc == OK && epoch_count && r->may_edit && replica_check_member(r, NULL) == OK)
		for (size_t i = 0; rc == OK && i < 2 * epoch_count; i++)
			rc = reauthor_source(&a, &epochs[i / 2], i % 2);
	*count = a.done;
	free(a.map);
	arena_release(&a.arena);
	arena_release(&a.rows);
	arena_release(&arena);
	return rc;
}

/* ---- Healing ----------------------------------------------------------------- */

enum err reauthor_after_change(struct replica *r, uint64_t now_ms, struct errmsg *msg)
{
	size_t count;
	enum err rc = OK;

	if (!r->may_edit || replica_check_member(r, NULL) != OK)
		return OK;
	if (epoch_is_forked(r))
		rc = replica_new_epoch(r, EPOCH_FORKED, NULL, NULL, now_ms, msg);
	return rc == OK ? replica_reauthor(r, now_ms, &count, msg) : rc;
}

static bool is_ours(struct replica *r, const struct replica_id *replica, struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	struct replica_id *epochs;
	size_t count = 0;
	bool found = replica_id_cmp(replica, &r->id) == 0;

	if (!found && epoch_former(r, &arena, &epochs, &count, msg) == OK)
		for (size_t i = 0; i < count; i++)
			found |= replica_id_cmp(replica, &epochs[i]) == 0;
	arena_release(&arena);
	return found;
}

/* Begin anew and move our branch out, in the open transaction. */
static enum err part(struct replica *r, const struct space_id *space_id,
		     const struct replica_id *replica, uint64_t fork_seq, uint64_t now_ms,
		     struct errmsg *msg)
{
	const struct space_state *space;
	const struct feed *feed;
	enum err rc = OK;

	if (replica_id_cmp(replica, &r->id) == 0)
		rc = replica_new_epoch(r, fork_seq ? EPOCH_FORKED : EPOCH_BEHIND, NULL, NULL,
				       now_ms, msg);
	space = replica_space(r, space_id);
	feed = space ? replica_feed(r, space, replica) : NULL;
	if (rc == OK && fork_seq && feed && feed->head.seq >= fork_seq)
		rc = quarantine_branch_off(r, feed, fork_seq, msg);
	return rc;
}

enum err replica_heal_own(struct replica *r, const struct space_id *space,
			  const struct replica_id *replica, uint64_t fork_seq,
			  const struct witness *theirs, uint64_t now_ms, struct errmsg *msg)
{
	const struct replica_id id = *replica; /* it may be ours, which changes */
	const struct trust_epoch *epoch = r->trust ? trust_epoch(r->trust, &id) : NULL;
	enum err rc;

	if (!epoch || !is_ours(r, &id, msg))
		return errmsg_set(msg, ERR_REPLICA, "the feed is not one of ours");
	if (fork_seq && !witness_is_valid(theirs, space, &id, fork_seq, epoch->identity.sign_key))
		return errmsg_set(msg, ERR_SIGNATURE, "what is said to be ours is a forgery");
	rc = replica_begin(r, msg);
	if (rc != OK)
		return rc;
	rc = part(r, space, &id, fork_seq, now_ms, msg);
	if (rc == OK)
		rc = replica_commit(r, msg);
	else
		replica_rollback(r);
	return rc == OK ? reauthor_after_change(r, now_ms, msg) : rc;
}
