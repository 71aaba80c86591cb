/* Comparing: digests first, vectors where they differ. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/trust.h"
#include "sync/session_impl.h"

static void digest_of(const struct session *s, const struct space_id *space,
		      uint8_t out[VV_DIGEST_BYTES])
{
	replica_digest(s->config.replica, space, out);
}

/* ---- Saying what we hold --------------------------------------------------- */

static enum err say_digests(struct session *s, struct now now, uint64_t round, bool is_reply,
			    const struct space_digest *entries, size_t count)
{
	struct message m = { .type = MESSAGE_DIGESTS };

	m.u.digests = (struct message_digests){ round, is_reply, entries, count };
	return session_say(s, now, &m);
}

/* Digests of everything that was announced so far. */
static enum err say_all_digests(struct session *s, struct now now, uint64_t round, bool is_reply)
{
	struct space_digest *entries = calloc(s->spaces.count, sizeof(*entries));
	size_t count = 0;
	enum err rc;

	if (!entries)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->spaces.count && count < SPACES_MAX; i++) {
		const struct space_sync *sp = &s->spaces.entries[i];

		if (!sp->is_announced)
			continue;
		entries[count].space = sp->id;
		digest_of(s, &sp->id, entries[count++].digest);
	}
	rc = say_digests(s, now, round, is_reply, entries, count);
	free(entries);
	return rc;
}

/* All that we hold of a space. */
static enum err say_have(struct session *s, struct now now, struct space_sync *sp)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct tip *tips;
	size_t count;
	enum err rc;

	rc = replica_tips(s->config.replica, &sp->id, s->config.arena, &tips, &count);
	if (rc)
		return rc;
	sp->has_told = true;
	m.u.have = (struct message_have){ sp->id, true, false, tips, count };
	return session_say(s, now, &m);
}

enum err session_announce_directory(struct session *s, struct now now)
{
	session_directory(s)->is_announced = true;
	return say_all_digests(s, now, 0, false);
}

/* Who no longer takes part, there or here, is told nothing more, and everything anew
 * should it take part again. */
static void withdraw(struct session *s, struct space_sync *sp)
{
	sp->is_announced = sp->is_known = sp->has_told = false;
	space_table_mark(&s->spaces, sp, false);
}

/* Add the spaces that both have a part in and that were not announced before. */
static enum err list_new_spaces(struct session *s, struct space_digest *entries, size_t *count)
{
	struct parts parts = session_parts(s);
	size_t space_count;
	const struct space_id *spaces = replica_spaces(s->config.replica, &space_count);

	for (size_t i = 0; i < s->spaces.count; i++)
		if (!session_shares(s, &parts, &s->spaces.entries[i].id))
			withdraw(s, &s->spaces.entries[i]);
	for (size_t i = 0; i < space_count && *count < SPACES_MAX; i++) {
		struct space_sync *sp;

		if (!session_shares(s, &parts, &spaces[i]))
			continue;
		sp = space_table_add(&s->spaces, &spaces[i]);
		if (!sp)
			return ERR_NOMEM;
		if (sp->is_announced)
			continue;
		sp->is_announced = true;
		entries[*count].space = spaces[i];
		digest_of(s, &spaces[i], entries[(*count)++].digest);
	}
	return OK;
}

/* Nothing that says which spaces there are, and who takes part, has changed. */
static bool is_up_to_date(struct session *s)
{
	const struct trust *t = replica_trust(s->config.replica);
	uint8_t digest[VV_DIGEST_BYTES];
	bool is_same;

	digest_of(s, &session_directory(s)->id, digest);
	is_same = s->has_announced && t &&
		  memcmp(digest, s->announced_digest, sizeof(digest)) == 0 &&
		  memcmp(t->digest, s->announced_trust, STATEMENT_ID_BYTES) == 0;
	memcpy(s->announced_digest, digest, sizeof(digest));
	if (t)
		memcpy(s->announced_trust, t->digest, STATEMENT_ID_BYTES);
	return is_same;
}

enum err session_announce(struct session *s, struct now now)
{
	const struct space_sync *directory = session_directory(s);
	struct space_digest *entries;
	size_t space_count, count = 0;
	enum err rc;

	/* The names of offices and people come first, then what speaks of them. */
	if (s->state != SESSION_OPEN || !directory->is_known || directory->is_dirty ||
	    directory->in_flight || is_up_to_date(s))
		return OK;
	replica_spaces(s->config.replica, &space_count);
	entries = calloc(space_count + 1, sizeof(*entries));
	if (!entries)
		return ERR_NOMEM;
	rc = list_new_spaces(s, entries, &count);
	if (rc == OK && count)
		rc = say_digests(s, now, 0, false, entries, count);
	free(entries);
	s->has_announced = true;
	return rc;
}

void session_compare(struct session *s, struct now now)
{
	enum err rc;

	if (s->state != SESSION_OPEN)
		return;
	rc = say_all_digests(s, now, ++s->round_asked, false);
	if (rc)
		session_fail(s, rc, NULL);
}

/* ---- Hearing what the peer holds ------------------------------------------- */

void session_look(struct session *s, struct space_sync *sp)
{
	const struct vv *ours = replica_vv(s->config.replica, &sp->id);

	space_table_mark(&s->spaces, sp, sp->is_known && !vv_dominates(&sp->offered, ours));
}

/* Equal digests: equal vectors. */
static enum err note_equal(struct session *s, struct space_sync *sp)
{
	const struct vv *ours = replica_vv(s->config.replica, &sp->id);
	enum err rc = vv_merge(&sp->peer, ours);

	if (rc == OK)
		rc = vv_merge(&sp->offered, ours);
	sp->is_known = true;
	space_table_mark(&s->spaces, sp, false);
	return rc;
}

static enum err compare_one(struct session *s, struct now now, const struct space_digest *entry,
			    bool is_round)
{
	struct space_sync *sp = space_table_add(&s->spaces, &entry->space);
	uint8_t ours[VV_DIGEST_BYTES];

	if (!sp)
		return ERR_NOMEM;
	digest_of(s, &entry->space, ours);
	if (memcmp(ours, entry->digest, sizeof(ours)) == 0)
		return note_equal(s, sp);
	/* In a round the whole vector goes out again: it mends what went wrong. */
	return is_round || !sp->has_told ? say_have(s, now, sp) : OK;
}

enum err session_on_digests(struct session *s, struct now now, const struct message *m,
			    struct errmsg *msg)
{
	const struct message_digests *d = &m->u.digests;
	struct parts parts = session_parts(s);
	enum err rc = OK;

	if (d->is_reply && (d->round == 0 || d->round > s->round_asked))
		return errmsg_set(msg, ERR_PROTOCOL, "digests answer a round that was not asked");
	/* Spaces that we don't share in our eyes are passed over: the directories may
	 * differ for the moment. */
	for (size_t i = 0; rc == OK && i < d->count; i++) {
		if (session_shares(s, &parts, &d->entries[i].space))
			rc = compare_one(s, now, &d->entries[i], d->round != 0);
		if (rc == OK)
			rc = session_check_outgoing(s, msg);
	}
	if (rc == OK && d->is_reply && d->round > s->round_answered)
		s->round_answered = d->round;
	if (rc == OK && d->round && !d->is_reply)
		rc = say_all_digests(s, now, d->round, true);
	if (rc == OK)
		rc = session_ask_lost(s, now); /* it may have what is damaged here */
	return rc == OK ? session_announce(s, now) : rc;
}

static enum err merge_entries(struct vv *into, const struct message_have *h)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < h->count; i++)
		rc = vv_raise(into, &h->entries[i].replica, h->entries[i].seq);
	return rc;
}

/* A whole vector while nothing is on its way tells the truth about the rest: what
 * the peer lost or left is offered again, but for the feeds that it holds back. */
static enum err restart_offer(struct space_sync *sp)
{
	enum err rc = vv_copy(&sp->offered, &sp->peer);

	return rc == OK ? vv_merge(&sp->offered, &sp->held_there) : rc;
}

static enum err take_vector(struct session *s, struct space_sync *sp, const struct message_have *h,
			    struct errmsg *msg)
{
	enum err rc;

	/* It may hold less than it said before: the wrong branch of a fork is moved out. */
	if (h->is_full)
		vv_clear(&sp->peer);
	rc = merge_entries(&sp->peer, h);
	if (rc == OK)
		rc = merge_entries(&sp->offered, h);
	if (rc == OK && sp->peer.count > HAVE_ENTRIES_MAX)
		rc = errmsg_set(msg, ERR_LIMIT, "a vector of more than %d entries",
				HAVE_ENTRIES_MAX);
	if (rc == OK && h->is_full && sp->in_flight == 0)
		rc = restart_offer(sp);
	sp->is_known = sp->is_known || h->is_full;
	return rc;
}

enum err session_on_have(struct session *s, struct now now, const struct message *m,
			 struct errmsg *msg)
{
	const struct message_have *h = &m->u.have;
	struct space_sync *sp = space_table_find(&s->spaces, &h->space);
	bool shared;
	enum err rc = h->is_ack ? session_chunk_done(s, sp, msg) : OK;

	if (rc == OK)
		rc = session_check_shared(s, &h->space, &shared, msg);
	/* What was sent while the space was shared is acknowledged all the same. */
	if (rc == ERR_GRANT && h->is_ack)
		return OK;
	if (rc || !shared)
		return rc;
	sp = space_table_add(&s->spaces, &h->space);
	if (!sp)
		return ERR_NOMEM;
	rc = take_vector(s, sp, h, msg);
	if (rc == OK)
		rc = session_check_tips(s, now, sp, h->entries, h->count, msg);
	if (rc == OK && h->is_full && !sp->has_told)
		rc = say_have(s, now, sp);
	if (rc == OK)
		rc = session_ask_lost(s, now);
	if (rc)
		return rc;
	session_look(s, sp);
	return session_announce(s, now);
}
