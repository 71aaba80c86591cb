/* A feed of ours that somebody has otherwise: we go on under a new id, and our branch leaves the
 * log to be written again; or, if others have it too, the fork is proved (docs/DATA_MODEL.md,
 * M-19). */
#include "core/replica_impl.h"

enum { PIECE_COUNT = 64, PIECE_BYTES = 1 << 20 };

static enum err names(const struct sealed *s, const struct replica_id *replica, uint64_t seq,
		      struct arena *arena, struct vv *past, bool *out, struct errmsg *msg)
{
	struct changeset cs;
	enum err rc;

	if (replica_id_cmp(&s->replica, replica) == 0)
		return OK;
	arena_reset(arena);
	rc = changeset_decode(&cs, s->body, &s->replica, arena, msg);
	if (rc == OK)
		rc = changeset_past(past, &cs);
	*out = rc == OK && vv_get(past, replica) >= seq;
	return rc;
}

/* Somebody has seen the feed from `seq` on as it is here, and has written since. */
static enum err is_named(struct replica *r, const struct space_id *space,
			 const struct replica_id *replica, uint64_t seq, bool *out,
			 struct errmsg *msg)
{
	struct arena rows = ARENA_EMPTY, decoding = ARENA_EMPTY;
	struct vv done = VV_EMPTY, past = VV_EMPTY;
	struct sealed *list;
	size_t count = 1;
	bool more = true;
	enum err rc = OK;

	while (rc == OK && more && !*out) {
		arena_reset(&rows);
		rc = missing_read(r, space, &done, false, PIECE_BYTES, PIECE_COUNT, &rows, &list,
				  &count, &more, msg);
		for (size_t i = 0; rc == OK && i < count && !*out; i++) {
			rc = names(&list[i], replica, seq, &decoding, &past, out, msg);
			if (rc == OK)
				rc = vv_raise(&done, &list[i].replica, list[i].seq);
		}
	}
	vv_release(&done);
	vv_release(&past);
	arena_release(&rows);
	arena_release(&decoding);
	return rc;
}

/* Others have our branch, too: it was healed before, or they have gone on from it. */
static enum err is_shared(struct replica *r, const struct space_id *space_id,
			  const struct replica_id *replica, uint64_t fork_seq, bool *out,
			  struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, space_id);
	const struct feed *feed = space ? replica_feed(r, space, replica) : NULL;
	struct arena arena = ARENA_EMPTY;
	struct stored row;
	size_t count = 0;
	enum err rc = OK;

	*out = false;
	if (!feed || feed->head.seq < fork_seq)
		return OK;
	rc = store_read_branch_from(r->store, feed->idx, 1, 1, &arena, &row, &count, msg);
	arena_release(&arena);
	*out = count > 0;
	return rc == OK && !*out ? is_named(r, space_id, replica, fork_seq, out, msg) : rc;
}

/* Begin anew and move our branch out, in the open transaction. */
static enum err part(struct replica *r, const struct space_id *space_id,
		     const struct replica_id *replica, uint64_t fork_seq, uint64_t now_ms,
		     struct errmsg *msg)
{
	const struct space_state *space;
	struct feed *feed;
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
	bool shared = false, ours = false;
	enum err rc = epoch ? reauthor_concerns(r, &id, &ours, msg) : OK;

	if (rc != OK)
		return rc;
	if (!ours)
		return errmsg_set(msg, ERR_REPLICA, "the feed is not one of ours");
	if (fork_seq && !witness_is_valid(theirs, space, &id, fork_seq, epoch->identity.sign_key))
		return errmsg_set(msg, ERR_SIGNATURE, "what is said to be ours is a forgery");
	rc = replica_begin(r, msg);
	if (rc != OK)
		return rc;
	if (fork_seq)
		rc = is_shared(r, space, &id, fork_seq, &shared, msg);
	if (rc == OK)
		rc = shared ? fork_prove(r, space, &(struct dot){ id, fork_seq }, theirs, now_ms,
					 msg)
			    : part(r, space, &id, fork_seq, now_ms, msg);
	if (rc == OK)
		rc = replica_commit(r, msg);
	else
		replica_rollback(r);
	return rc == OK ? reauthor_after_change(r, now_ms, msg) : rc;
}
