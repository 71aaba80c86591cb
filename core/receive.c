/* Receiving: verify, append and apply what a peer sent, in one transaction. */
#include <stdio.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/limits.h"
#include "core/replica_impl.h"

struct receiver {
	struct replica *r;
	struct space_id space;
	bool is_directory;
	uint64_t now_ms;
	struct receipt receipt;
	struct replica_id *held; /* feeds of which nothing more is taken this time */
	size_t held_count;
	struct replica_id *left; /* feeds of which nothing is taken: what vouches for it waits */
	size_t left_count;
	struct hlc_stamp left_hlc;   /* the date of what waits, or zero */
	struct vv past;              /* of the changeset at hand */
	bool must_replay;            /* something came after what has seen it (M-21) */
	bool has_own_tail;           /* of a node of ours: what does not count, or the end of it */
	bool is_crowded;             /* something does not fit into a record */
	bool is_careful;             /* look whether it does before anything is stored */
	bool is_unvouched;           /* a feed is to be left, */
	struct replica_id unvouched; /* this one */
	struct errmsg *msg;
};

static enum err refuse(struct receiver *v, enum err rc, const struct sealed *s, const char *why)
{
	char text[ID_TEXT_SIZE];

	return errmsg_set(v->msg, rc, "changeset %.8s/%llu: %s", id_text(s->replica.bytes, text),
			  (unsigned long long)s->seq, why);
}

static enum err refuse_for(struct receiver *v, const struct sealed *s, const struct dot *missing)
{
	char text[ID_TEXT_SIZE], why[96];

	snprintf(why, sizeof(why), "what it depends on is missing: %.8s/%llu",
		 id_text(missing->replica.bytes, text), (unsigned long long)missing->seq);
	return refuse(v, ERR_CAUSAL, s, why);
}

static bool is_among(const struct replica_id *list, size_t count, const struct replica_id *replica)
{
	for (size_t i = 0; i < count; i++)
		if (replica_id_cmp(&list[i], replica) == 0)
			return true;
	return false;
}

static bool is_held(const struct receiver *v, const struct replica_id *replica)
{
	return is_among(v->held, v->held_count, replica);
}

/* Leave this feed for another day: nothing of it is stored from here on. `hlc` is zero unless
 * that is for its date (I-8). */
static enum err hold(struct receiver *v, const struct sealed *s, struct hlc_stamp hlc)
{
	if (!is_held(v, &s->replica)) {
		if (array_resize(&v->held, v->held_count + 1, sizeof(*v->held)))
			return ERR_NOMEM;
		v->held[v->held_count++] = s->replica;
	}
	if (v->receipt.held_back++ == 0)
		v->receipt.held_replica = s->replica;
	if (v->receipt.held_hlc.bits == 0)
		v->receipt.held_hlc = hlc;
	return OK;
}

/* I-17: a limit of what we hold, and not of the changeset, is no fault of the peer's. */
static enum err hold_for_room(struct receiver *v, const struct sealed *s)
{
	v->receipt.lacks_room = true;
	return hold(v, s, (struct hlc_stamp){ 0 });
}

/* I-2: the same dot again: the same bytes, or proof of a fork. */
static enum err check_duplicate(struct receiver *v, const struct feed *feed, const struct sealed *s)
{
	struct stored stored;
	size_t count;
	enum err rc = store_read(v->r->store, feed->idx, s->seq, 1, SIZE_MAX, &v->r->arena, &stored,
				 &count, v->msg);

	if (rc != OK)
		return rc;
	if (count != 1 || stored.seq != s->seq)
		return refuse(v, ERR_CORRUPT, s, "missing in our log");
	if (!bytes_equal(stored.body, s->body) ||
	    memcmp(stored.signature, s->signature, SIGNATURE_BYTES) != 0)
		return refuse(v, ERR_FORK, s, "we hold another one with the same number");
	v->receipt.duplicates++;
	return OK;
}

/* M-17: the replica is named by a statement, and so is the space. */
static bool is_known(const struct receiver *v, const struct replica_id *replica)
{
	return v->r->trust && trust_epoch(v->r->trust, replica) &&
	       (v->is_directory || membership_has_space(v->r, &v->space));
}

/* Whether there is room for one more feed in the space. */
static bool has_room(const struct receiver *v)
{
	return v->r->feed_count < FEEDS_MAX &&
	       (replica_space(v->r, &v->space) || v->r->space_count < SPACES_MAX);
}

static enum err find_feed(struct receiver *v, const struct sealed *s, struct feed **out)
{
	struct replica *r = v->r;
	struct space_state *space = replica_space(r, &v->space);
	struct feed *feed = space ? replica_feed(r, space, &s->replica) : NULL;

	if (feed) {
		*out = feed;
		return OK;
	}
	*out = NULL;
	if (!is_known(v, &s->replica))
		return refuse(v, ERR_REPLICA, s, "no statement names its replica and this space");
	if (!has_room(v))
		return hold_for_room(v, s);
	return replica_feed_add(r, &v->space, &s->replica, out, v->msg);
}

/* The stamp of a changeset that we hold, or of a later one of its feed that is
 * older than `than` all the same. */
static enum err held_hlc(struct receiver *v, const struct dot *dot, struct hlc_stamp than,
			 struct hlc_stamp *out)
{
	struct replica *r = v->r;
	const struct feed *feed = replica_feed(r, replica_space(r, &v->space), &dot->replica);
	struct stored stored;
	size_t count = 0;
	enum err rc;

	if (feed->head.seq == dot->seq || hlc_cmp(feed->head.hlc, than) < 0) {
		*out = feed->head.hlc;
		return OK;
	}
	rc = store_read(r->store, feed->idx, dot->seq, 1, SIZE_MAX, &r->arena, &stored, &count,
			v->msg);
	if (rc != OK)
		return rc;
	return count == 1 ? changeset_peek_hlc(stored.body, out) : ERR_CORRUPT;
}

static enum err note_targets(struct vv *past, const struct target *targets, size_t count)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < count; i++)
		rc = vv_raise(past, &targets[i].dot.replica, targets[i].dot.seq);
	return rc;
}

enum err changeset_past(struct vv *past, const struct changeset *cs)
{
	enum err rc = OK;

	vv_clear(past);
	for (size_t i = 0; rc == OK && i < cs->dep_count; i++)
		rc = vv_raise(past, &cs->deps[i].replica, cs->deps[i].seq);
	for (size_t i = 0; rc == OK && i < cs->op_count; i++) {
		rc = note_targets(past, cs->ops[i].targets, cs->ops[i].target_count);
		if (rc == OK)
			rc = note_targets(past, cs->ops[i].observed, cs->ops[i].observed_count);
	}
	return rc;
}

enum taking { TAKE, HOLD, HOLD_FOR_ROOM };

static enum err note_unseen(struct receiver *v, const struct dot *dot, enum taking *taking)
{
	struct replica *r = v->r;
	struct feed *feed = replica_feed(r, replica_space(r, &v->space), &dot->replica);
	enum err rc = OK;

	if (!feed && !has_room(v)) {
		*taking = HOLD_FOR_ROOM;
		return OK;
	}
	if (!feed)
		rc = replica_feed_add(r, &v->space, &dot->replica, &feed, v->msg);
	if (rc != OK)
		return rc;
	/* It counts and is here, but another one may be meant: their order is that of the
	 * replay. */
	v->must_replay |= dot->seq <= feed->counts_to && dot->seq <= feed->head.seq;
	return quarantine_note_named(r, feed, dot->seq, v->msg);
}

static enum err check_seen(struct receiver *v, const struct sealed *s, const struct changeset *cs,
			   const struct dot *dot, enum taking *taking)
{
	struct hlc_stamp hlc;
	bool may_differ;
	enum err rc;

	if (replica_id_cmp(&dot->replica, &s->replica) == 0 && dot->seq <= s->seq)
		return OK; /* its own feed, itself included */
	if (trust_epoch(v->r->trust, &dot->replica) && !fork_is_waited_for(v->r, &v->space, dot))
		return note_unseen(v, dot, taking);
	may_differ = fork_may_be_unproved(v->r, &v->space, dot);
	if (!vv_covers(replica_vv(v->r, &v->space), dot)) {
		/* By its stamp it may have been sent before what we hold in place of that. */
		if (!is_held(v, &dot->replica) && !may_differ)
			return refuse_for(v, s, dot);
		*taking = HOLD;
		return OK;
	}
	rc = held_hlc(v, dot, cs->hlc, &hlc);
	if (rc != OK || hlc_cmp(cs->hlc, hlc) > 0)
		return rc;
	return may_differ ? note_unseen(v, dot, taking)
			  : refuse(v, ERR_INVALID, s, "its stamp is not after its dependency's");
}

/* I-4 and I-5: what it depends on or speaks of is held and has a smaller stamp.
 * Then stamp order is causal order, which is how feeds are merged when they are
 * sent on, and a write that replaces another never arrives before it. */
static enum err check_past(struct receiver *v, const struct sealed *s, const struct changeset *cs,
			   enum taking *taking)
{
	enum err rc = changeset_past(&v->past, cs);

	for (size_t i = 0; rc == OK && *taking == TAKE && i < v->past.count; i++)
		rc = check_seen(v, s, cs, &v->past.entries[i], taking);
	return rc;
}

static enum err judge(struct receiver *v, const struct feed *feed, const struct sealed *s,
		      const struct changeset *cs, enum taking *taking)
{
	*taking = TAKE;
	if (hlc_cmp(cs->hlc, feed->head.hlc) <= 0)
		return refuse(v, ERR_INVALID, s, "its stamp does not grow");
	if (hlc_is_future(cs->hlc, v->now_ms)) {
		*taking = HOLD;
		return OK;
	}
	return check_past(v, s, cs, taking);
}

/* M-16 */
static bool is_right_branch(const struct receiver *v, const struct sealed *s,
			    const uint8_t link[LINK_BYTES])
{
	struct trust_cut cut = trust_cut(v->r->trust, &s->replica, &v->space);

	return !cut.has_link || memcmp(cut.link, link, LINK_BYTES) == 0;
}

static enum err check_room(struct receiver *v, const struct feed *feed, const struct sealed *s,
			   const struct changeset *cs)
{
	struct stamp stamp = { cs->hlc, { s->replica, s->seq } };

	return apply_check(v->r->store, v->r->spaces[feed->space].idx, &stamp, cs, &v->r->arena,
			   NULL);
}

static enum err take(struct receiver *v, struct feed *feed, const struct sealed *s,
		     struct changeset *cs)
{
	uint8_t link[LINK_BYTES];
	enum err rc = changeset_validate(cs, v->is_directory, VALIDITY_RECEIVED, v->msg);

	if (rc != OK)
		return rc;
	changeset_link(link, &v->space, &s->replica, &feed->head, s->body);
	if (s->seq == feed->counts_to && !is_right_branch(v, s, link))
		return refuse(v, ERR_FORK, s, "a statement says that another one counts");
	if (s->seq >= feed->counts_to && !v->has_own_tail) {
		rc = reauthor_concerns(v->r, &s->replica, &v->has_own_tail, v->msg);
		if (rc != OK)
			return rc;
	}
	if (v->is_careful && s->seq <= feed->counts_to) {
		rc = check_room(v, feed, s, cs);
		if (rc != OK)
			return rc == ERR_LIMIT ? hold_for_room(v, s) : rc;
	}
	v->must_replay |= s->seq <= feed->counts_to && s->seq <= feed->named_seq;
	rc = replica_append(v->r, feed, cs, s, link, v->msg);
	v->is_crowded = rc == ERR_LIMIT;
	feed->touched = true;
	v->receipt.applied += rc == OK;
	return rc;
}

static enum err receive_one(struct receiver *v, const struct sealed *s)
{
	const struct hlc_stamp none = { 0 };
	struct changeset cs;
	struct feed *feed;
	enum taking taking;
	enum err rc;

	arena_reset(&v->r->arena);
	if (is_among(v->left, v->left_count, &s->replica))
		return hold(v, s, v->left_hlc);
	if (is_held(v, &s->replica))
		return hold(v, s, none);
	rc = find_feed(v, s, &feed);
	if (rc != OK || !feed)
		return rc;
	if (s->seq > 0 && s->seq <= feed->head.seq)
		return check_duplicate(v, feed, s);
	if (s->seq > fork_limit_of(v->r, &v->space, &s->replica))
		return hold(v, s, none); /* M-19 */
	/* M-18: nobody but us makes these, so we have forgotten them. */
	if (replica_id_cmp(&s->replica, &v->r->id) == 0)
		return refuse(v, ERR_FORK, s, "it is ours and not here: a new epoch is due");
	if (s->seq != feed->head.seq + 1)
		return refuse(v, ERR_CHAIN, s, "it does not continue its feed");
	rc = changeset_decode(&cs, s->body, &s->replica, &v->r->arena, v->msg);
	if (rc == OK)
		rc = judge(v, feed, s, &cs, &taking);
	if (rc == OK)
		rc = find_feed(v, s, &feed); /* others may have come to stand beside it */
	if (rc != OK)
		return rc;
	if (taking == HOLD_FOR_ROOM)
		return hold_for_room(v, s);
	return taking == HOLD ? hold(v, s, hlc_is_future(cs.hlc, v->now_ms) ? cs.hlc : none)
			      : take(v, feed, s, &cs);
}

static enum err verify_feed(struct receiver *v, const struct feed *feed)
{
	const struct trust_epoch *epoch = trust_epoch(v->r->trust, &feed->replica);
	struct sealed head = { .replica = feed->replica, .seq = feed->head.seq };

	/* The feed was here already: under another id, if a row that named it is damaged. */
	if (!epoch)
		return refuse(v, ERR_REPLICA, &head,
			      "no statement names its replica and this space");
	if (changeset_is_signed_by(feed->head.signature, feed->head.link, epoch->identity.sign_key))
		return OK;
	if (fork_vouches(v->r, feed, head.seq, feed->head.signature, feed->head.link))
		return OK;
	/* What follows may vouch for it, and it is we who do not take that yet. */
	v->is_unvouched = is_held(v, &feed->replica);
	v->unvouched = feed->replica;
	return refuse(v, ERR_SIGNATURE, &head, "its signature does not verify");
}

/* I-6. One check a feed: the newest signature covers the chain before it. */
static enum err verify_touched(struct receiver *v)
{
	struct replica *r = v->r;
	enum err rc = OK;

	for (uint32_t i = 0; i < r->feed_count; i++) {
		if (!r->feeds[i].touched)
			continue;
		r->feeds[i].touched = false;
		if (rc == OK)
			rc = verify_feed(v, &r->feeds[i]);
	}
	return rc;
}

static enum err receive_all(struct receiver *v, const struct sealed *list, size_t count)
{
	bool changed;
	enum err rc = store_begin(v->r->store, v->msg);

	if (rc == OK)
		rc = replica_refresh(v->r, &changed, v->msg);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = receive_one(v, &list[i]);
	if (rc == OK)
		rc = verify_touched(v);
	if (rc == OK && v->must_replay)
		rc = replica_replay_space(v->r, replica_space(v->r, &v->space), v->msg);
	if (rc == OK)
		rc = directory_load(v->r, v->msg); /* addresses */
	if (rc == OK)
		rc = store_commit(v->r->store, v->msg);
	if (rc != OK)
		replica_rollback(v->r);
	return rc;
}

static bool must_begin_again(const struct receiver *v, enum err rc)
{
	return (rc == ERR_LIMIT && v->is_crowded && !v->is_careful) ||
	       (rc == ERR_SIGNATURE && v->is_unvouched);
}

/* From the same list, and wiser. */
static enum err begin_again(struct receiver *v)
{
	if (v->is_unvouched) {
		if (array_resize(&v->left, v->left_count + 1, sizeof(*v->left)))
			return ERR_NOMEM;
		v->left[v->left_count++] = v->unvouched;
		v->left_hlc = v->receipt.held_hlc;
	}
	v->is_careful |= v->is_crowded;
	v->is_crowded = v->is_unvouched = v->must_replay = v->has_own_tail = false;
	v->held_count = 0;
	v->receipt = (struct receipt){ 0 };
	return OK;
}

static void receiver_release(struct receiver *v)
{
	free(v->held);
	free(v->left);
	vv_release(&v->past);
}

enum err replica_receive(struct replica *r, const struct space_id *space, const struct sealed *list,
			 size_t count, uint64_t now_ms, struct receipt *out, struct errmsg *msg)
{
	struct space_id directory = replica_directory(r);
	struct receiver v = { .r = r,
			      .space = *space,
			      .is_directory = space_id_cmp(space, &directory) == 0,
			      .now_ms = now_ms,
			      .msg = msg };
	enum err rc;

	if (!r->has_org)
		return errmsg_set(msg, ERR_ORG, "this replica belongs to no organisation yet");
	rc = receive_all(&v, list, count);
	while (must_begin_again(&v, rc)) {
		rc = begin_again(&v);
		if (rc == OK)
			rc = receive_all(&v, list, count);
	}
	receiver_release(&v);
	if (rc != OK)
		return rc;
	*out = v.receipt;
	/* What can't be written again now is when it is opened. */
	if (v.has_own_tail && reauthor_after_change(r, now_ms, NULL) != OK)
		r->stale = true;
	return OK;
}
