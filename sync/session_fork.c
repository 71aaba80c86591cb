/* Forks: the peer holds another branch of a feed than we do, and neither knows yet where
 * they part. Numbers are equal, tags are not; so ask for single changesets, and halve:
 *
 *   suspect --TELL differs, TELL differs, ...--> the first that differs: two witnesses
 *      |                                           |
 *      +-- the tags agree again: forget            +-- ours: heal; else: prove
 *
 * What the peer tells must be signed by the feed's own node, so a peer can't accuse
 * another. Meanwhile nothing of the feed is taken from this peer. */
#include <stdio.h>

#include "core/limits.h"
#include "core/trust.h"
#include "sync/held.h"
#include "sync/session_impl.h"

/* ---- Whom it concerns ---------------------------------------------------------------- */

static bool is_of_node(const struct session *s, const struct replica_id *replica,
		       const struct member *member)
{
	const struct trust *t = replica_trust(s->config.replica);
	const struct trust_epoch *epoch = t ? trust_epoch(t, replica) : NULL;

	return epoch && member && record_id_cmp(&epoch->node, &member->node) == 0;
}

/* The peer finds out as we do, and heals its own feed; it is not to be accused of what
 * it may be mending. */
static bool is_due(const struct session *s, struct now now, const struct suspect *x)
{
	struct parts parts = session_parts(s);

	return !is_of_node(s, &x->replica, parts.peer) ||
	       now.mono_ms - x->since_ms >= OWNER_HEALS_MS;
}

/* The fork is proved: what lies beyond is out of the log, everywhere. */
static bool is_proved(const struct session *s, const struct space_id *space,
		      const struct replica_id *replica, uint64_t seq)
{
	const struct trust *t = replica_trust(s->config.replica);
	struct trust_cut cut = trust_cut(t, replica, space);

	return cut.cause == CUT_FORKED && seq > cut.seq;
}

/* ---- The list -------------------------------------------------------------------------- */

static struct suspect *find_suspect(struct session *s, const struct space_id *space,
				    const struct replica_id *replica)
{
	for (size_t i = 0; i < s->suspect_count; i++)
		if (space_id_cmp(&s->suspects[i].space, space) == 0 &&
		    replica_id_cmp(&s->suspects[i].replica, replica) == 0)
			return &s->suspects[i];
	return NULL;
}

bool session_suspects(const struct session *s, const struct space_id *space,
		      const struct replica_id *replica)
{
	for (size_t i = 0; i < s->suspect_count; i++)
		if (space_id_cmp(&s->suspects[i].space, space) == 0 &&
		    replica_id_cmp(&s->suspects[i].replica, replica) == 0)
			return true;
	return false;
}

static void forget(struct session *s, struct suspect *x)
{
	size_t at = (size_t)(x - s->suspects);

	memmove(x, x + 1, (s->suspect_count - at - 1) * sizeof(*x));
	s->suspect_count--;
}

/* ---- Asking ----------------------------------------------------------------------------- */

static uint64_t next_question(const struct suspect *x)
{
	return x->has_witness ? x->same + (x->differs - x->same) / 2 : x->differs;
}

/* About the first suspect that is due; else for what is damaged here. */
static enum err ask_next(struct session *s, struct now now)
{
	struct message m = { .type = MESSAGE_ASK };
	struct suspect first;
	size_t at = 0;

	if (s->is_asking)
		return OK;
	while (at < s->suspect_count && !is_due(s, now, &s->suspects[at]))
		at++;
	if (at == s->suspect_count)
		return session_ask_lost(s, now);
	first = s->suspects[at];
	s->suspects[at] = s->suspects[0];
	s->suspects[0] = first;
	s->is_asking = true;
	s->asks_lost = false;
	s->asked_space = first.space;
	s->asked = (struct dot){ first.replica, next_question(&first) };
	m.u.ask = (struct message_ask){ first.space, s->asked };
	return session_say(s, now, &m);
}

/* Both hold the changeset `seq` of the feed, or the peer says so, and they are not the
 * same. */
static enum err suspect(struct session *s, struct now now, struct space_sync *sp,
			const struct replica_id *replica, uint64_t seq)
{
	struct suspect *x = find_suspect(s, &sp->id, replica);
	enum err rc = vv_raise(&sp->held_here, replica, SEQ_MAX);

	if (rc)
		return rc;
	if (!x && s->suspect_count < SUSPECTS_MAX) {
		x = &s->suspects[s->suspect_count++];
		*x = (struct suspect){ .space = sp->id,
				       .replica = *replica,
				       .differs = seq,
				       .since_ms = now.mono_ms };
	}
	return ask_next(s, now);
}

/* The branches are the same again. */
static void clear(struct session *s, struct space_sync *sp, const struct replica_id *replica)
{
	struct suspect *x = find_suspect(s, &sp->id, replica);

	if (!x || (s->is_asking && !s->asks_lost && x == &s->suspects[0]))
		return;
	forget(s, x);
	held_release(&sp->held_here, replica);
}

/* ---- Noticing ----------------------------------------------------------------------------- */

/* Nobody but us writes our own feed: this database is older than what it has sent. */
static bool is_forgotten(const struct session *s, const struct replica_id *replica, uint64_t theirs,
			 uint64_t ours)
{
	return theirs > ours && replica_id_cmp(replica, replica_id(s->config.replica)) == 0;
}

static enum err check_tip(struct session *s, struct now now, struct space_sync *sp,
			  const struct tip *tip, struct errmsg *msg)
{
	struct replica *r = s->config.replica;
	uint64_t ours = vv_get(replica_vv(r, &sp->id), &tip->replica);
	struct dot dot = { tip->replica, tip->seq };
	uint8_t tag[TAG_BYTES];
	enum err rc;

	if (is_forgotten(s, &tip->replica, tip->seq, ours))
		return suspect(s, now, sp, &tip->replica, ours + 1);
	if (tip->seq > ours)
		return OK;
	rc = replica_tag(r, &sp->id, &dot, tag, msg);
	if (rc)
		return rc;
	if (memcmp(tag, tip->tag, TAG_BYTES) != 0)
		return suspect(s, now, sp, &tip->replica, tip->seq);
	clear(s, sp, &tip->replica);
	return OK;
}

enum err session_check_tips(struct session *s, struct now now, struct space_sync *sp,
			    const struct tip *tips, size_t count, struct errmsg *msg)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < count; i++)
		rc = check_tip(s, now, sp, &tips[i], msg);
	return rc;
}

enum err session_check_run(struct session *s, struct now now, struct space_sync *sp,
			   const struct run *run, bool *fits, struct errmsg *msg)
{
	struct replica *r = s->config.replica;
	struct dot before = { run->list[0].replica, run->list[0].seq - 1 };
	uint64_t ours = vv_get(replica_vv(r, &sp->id), &before.replica);
	uint8_t tag[TAG_BYTES];
	enum err rc;

	*fits = !is_forgotten(s, &before.replica, before.seq + run->count, ours);
	if (!*fits)
		return suspect(s, now, sp, &before.replica, ours + 1);
	if (before.seq > ours)
		return OK; /* a gap: not here to be judged */
	rc = replica_tag(r, &sp->id, &before, tag, msg);
	if (rc)
		return rc;
	*fits = memcmp(tag, run->tag_before, TAG_BYTES) == 0;
	if (*fits)
		return OK;
	if (before.seq == 0)
		return errmsg_set(msg, ERR_CHAIN, "a feed that does not begin with nothing");
	return suspect(s, now, sp, &before.replica, before.seq);
}

enum err session_suspect_overlaps(struct session *s, struct now now, struct space_sync *sp,
				  const struct sealed *list, size_t count, struct errmsg *msg)
{
	const struct vv *ours = replica_vv(s->config.replica, &sp->id);
	bool any = false;
	enum err rc = OK;

	for (size_t i = count; rc == OK && i-- > 0;) {
		struct dot dot = { list[i].replica, list[i].seq };

		if (!vv_covers(ours, &dot) || vv_get(&sp->held_here, &dot.replica))
			continue;
		rc = suspect(s, now, sp, &dot.replica, dot.seq);
		any = true;
	}
	if (rc == OK && !any)
		rc = errmsg_set(msg, ERR_FORK, "a changeset is not the one that is held here");
	return rc;
}

/* ---- Answers ------------------------------------------------------------------------------ */

/* What we hold at the dot. ERR_NOT_FOUND. */
static enum err our_witness(struct session *s, const struct suspect *x, uint64_t seq,
			    struct witness *out, struct errmsg *msg)
{
	struct dot dot = { x->replica, seq };
	struct told told;
	enum err rc = replica_tell(s->config.replica, &x->space, &dot, s->config.arena, &told, msg);

	if (rc == OK)
		told_witness(out, &told);
	return rc;
}

static bool is_same_changeset(const struct suspect *x, uint64_t seq, const struct witness *a,
			      const struct witness *b)
{
	uint8_t link_a[LINK_BYTES], link_b[LINK_BYTES];

	witness_link(link_a, a, &x->space, &x->replica, seq);
	witness_link(link_b, b, &x->space, &x->replica, seq);
	return memcmp(link_a, link_b, LINK_BYTES) == 0;
}

static enum err heal_own(struct session *s, struct now now, const struct suspect *x,
			 uint64_t fork_seq, struct errmsg *msg)
{
	const struct witness *theirs = fork_seq ? &x->witness : NULL;
	enum err rc = replica_heal_own(s->config.replica, &x->space, &x->replica, fork_seq, theirs,
				       now.wall_ms, msg);

	if (rc)
		return rc;
	snprintf(s->warning, sizeof(s->warning),
		 "the peer holds other changes of this very node: was its database restored from "
		 "a backup, or copied? It goes on under another replica id");
	s->news.has_new_trust = true;
	s->news.must_renew = true; /* what was held back from this feed is wanted now */
	return OK;
}

/* x->differs is the first that differs. */
static enum err settle(struct session *s, struct now now, const struct suspect *x,
		       struct errmsg *msg)
{
	struct parts parts = session_parts(s);
	struct dot dot = { x->replica, x->differs };
	enum err rc;

	if (is_of_node(s, &x->replica, parts.self))
		return heal_own(s, now, x, x->differs, msg);
	rc = replica_prove_fork(s->config.replica, &x->space, &dot, &x->witness, now.wall_ms, msg);
	if (rc)
		return rc;
	s->news.has_new_trust = true;
	s->news.must_renew = true; /* we hold less of it now */
	return OK;
}

/* The peer knows more of our own feed than we do. If it goes on from where we are, we
 * have forgotten something; else it is a fork, somewhere before. */
static enum err learn_of_ahead(struct session *s, struct now now, struct suspect *x,
			       const struct witness *theirs, bool *is_done, struct errmsg *msg)
{
	struct witness ours;
	uint8_t link[LINK_BYTES] = { 0 };
	uint64_t head = s->asked.seq - 1;
	enum err rc = head ? our_witness(s, x, head, &ours, msg) : OK;

	if (rc)
		return rc;
	if (head)
		witness_link(link, &ours, &x->space, &x->replica, head);
	*is_done = memcmp(link, theirs->link_before, LINK_BYTES) == 0;
	if (*is_done)
		return heal_own(s, now, x, 0, msg);
	x->differs = head;
	return OK;
}

/* One changeset that the peer holds: what it says about where the branches part. */
static enum err learn(struct session *s, struct now now, struct suspect *x,
		      const struct witness *theirs, bool *is_done, struct errmsg *msg)
{
	struct witness ours;
	uint64_t seq = s->asked.seq;
	enum err rc;

	/* Somebody else was faster. */
	*is_done = is_proved(s, &x->space, &x->replica, x->differs);
	if (*is_done)
		return OK;
	rc = our_witness(s, x, seq, &ours, msg);
	if (rc == ERR_NOT_FOUND)
		return learn_of_ahead(s, now, x, theirs, is_done, msg);
	if (rc)
		return rc;
	if (!is_same_changeset(x, seq, &ours, theirs)) {
		x->differs = seq;
		x->witness = *theirs;
		x->has_witness = true;
	} else if (x->has_witness) {
		x->same = seq;
	} else {
		*is_done = true; /* it was no fork, or is none any more */
		return OK;
	}
	*is_done = x->differs - x->same == 1;
	return *is_done ? settle(s, now, x, msg) : OK;
}

static enum err check_told(const struct session *s, const struct message_tell *t,
			   const struct witness *theirs, struct errmsg *msg)
{
	const struct trust_epoch *epoch =
		trust_epoch(replica_trust(s->config.replica), &t->dot.replica);
	char text[ID_TEXT_SIZE];

	if (epoch && witness_is_valid(theirs, &t->space, &t->dot.replica, t->dot.seq,
				      epoch->identity.sign_key))
		return OK;
	return errmsg_set(msg, ERR_SIGNATURE, "changeset %.8s/%llu was told with other bytes",
			  id_text(t->dot.replica.bytes, text), (unsigned long long)t->dot.seq);
}

/* What was told about the first suspect. */
static enum err on_witness(struct session *s, struct now now, const struct message_tell *t,
			   const struct witness *theirs, struct errmsg *msg)
{
	struct suspect *x = &s->suspects[0];
	bool is_done = true, is_mended = false;
	enum err rc = OK;

	/* If it isn't there any more, the next comparison shows what is. */
	if (theirs)
		rc = learn(s, now, x, theirs, &is_done, msg);
	/* It differs because ours is damaged: no fork. Or ours was never signed: no proof. */
	if (rc == ERR_CORRUPT) {
		rc = session_mend(s, t, &is_mended, msg);
		is_done = true;
		/* What was held back from this feed is wanted. */
		s->news.must_renew = s->news.must_renew || is_mended;
	}
	if (rc == OK && is_done)
		forget(s, x);
	return rc;
}

enum err session_on_tell(struct session *s, struct now now, const struct message *m,
			 struct errmsg *msg)
{
	const struct message_tell *t = &m->u.tell;
	bool is_there = t->told.body.data;
	struct witness theirs;
	bool is_mended;
	enum err rc = OK;

	if (!s->is_asking || dot_cmp(&s->asked, &t->dot) != 0 ||
	    space_id_cmp(&s->asked_space, &t->space) != 0)
		return errmsg_set(msg, ERR_PROTOCOL, "tells what was not asked for");
	s->is_asking = false;
	if (is_there) {
		told_witness(&theirs, &t->told);
		rc = check_told(s, t, &theirs, msg);
	}
	if (rc == OK && !s->asks_lost)
		rc = on_witness(s, now, t, is_there ? &theirs : NULL, msg);
	else if (rc == OK && is_there)
		rc = session_mend(s, t, &is_mended, msg);
	return rc == OK ? ask_next(s, now) : rc;
}

enum err session_on_ask(struct session *s, struct now now, const struct message *m,
			struct errmsg *msg)
{
	struct message answer = { .type = MESSAGE_TELL };
	struct message_tell *t = &answer.u.tell;
	bool shared;
	enum err rc = session_check_shared(s, &m->u.ask.space, &shared, msg);

	if (rc)
		return rc;
	t->space = m->u.ask.space;
	t->dot = m->u.ask.dot;
	if (shared)
		rc = replica_tell(s->config.replica, &t->space, &t->dot, s->config.arena, &t->told,
				  msg);
	/* What is damaged here is as good as not held. */
	if (rc == OK || rc == ERR_NOT_FOUND || rc == ERR_CORRUPT)
		rc = session_say(s, now, &answer);
	return rc;
}
