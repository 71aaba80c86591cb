/* Streaming: chunks of what the peer lacks, and what it sends us. */
#include <assert.h>
#include <stdio.h>

#include "core/limits.h"
#include "core/trust.h"
#include "sync/held.h"
#include "sync/session_impl.h"

/* ---- Sending ---------------------------------------------------------------- */

bool session_has_work(const struct session *s)
{
	const struct space_sync *directory;

	if (s->state != SESSION_OPEN || s->chunk_count == WINDOW_COUNT ||
	    s->chunk_bytes >= WINDOW_BYTES || s->spaces.dirty_count == 0)
		return false;
	directory = session_directory(s);
	return directory->is_known;
}

static void chunk_put(struct session *s, struct space_sync *sp, size_t bytes)
{
	size_t at = (s->chunk_first + s->chunk_count) % WINDOW_COUNT;

	s->chunks[at] = (struct chunk){ sp->id, bytes };
	s->chunk_count++;
	s->chunk_bytes += bytes;
	sp->in_flight++;
}

enum err session_chunk_done(struct session *s, struct space_sync *sp, struct errmsg *msg)
{
	const struct chunk *oldest = &s->chunks[s->chunk_first];

	if (!sp || s->chunk_count == 0 || space_id_cmp(&oldest->space, &sp->id) != 0)
		return errmsg_set(msg, ERR_PROTOCOL, "acknowledges what was not sent");
	s->chunk_bytes -= oldest->bytes;
	s->chunk_first = (s->chunk_first + 1) % WINDOW_COUNT;
	s->chunk_count--;
	sp->in_flight--;
	return OK;
}

/* How many of the list, from its beginning, follow each other in one feed. */
static size_t run_length(const struct sealed *list, size_t count)
{
	size_t length = 1;

	while (length < count && list[length].seq == list[0].seq + length &&
	       replica_id_cmp(&list[length].replica, &list[0].replica) == 0)
		length++;
	return length;
}

/* What the run continues: zeros if that is in the same message, or nothing. */
static enum err tag_run(struct session *s, const struct space_id *space, struct vv *seen,
			struct run *run, struct errmsg *msg)
{
	const struct sealed *first = &run->list[0];
	struct dot before = { first->replica, first->seq - 1 };
	enum err rc = OK;

	if (vv_get(seen, &first->replica) == 0)
		rc = replica_tag(s->config.replica, space, &before, run->tag_before, msg);
	return rc == OK ? vv_raise(seen, &first->replica, first->seq + run->count - 1) : rc;
}

/* The list as runs, in the arena; *seen: where each feed ends. */
static enum err make_runs(struct session *s, const struct space_id *space,
			  const struct sealed *list, size_t count, struct message_changes *out,
			  struct vv *seen, struct errmsg *msg)
{
	struct run *runs = arena_array(s->config.arena, count, sizeof(*runs));
	size_t run_count = 0;
	enum err rc = runs ? OK : ERR_NOMEM;

	for (size_t at = 0; rc == OK && at < count; at += runs[run_count++].count) {
		runs[run_count].list = list + at;
		runs[run_count].count = run_length(list + at, count - at);
		rc = tag_run(s, space, seen, &runs[run_count], msg);
	}
	*out = (struct message_changes){ *space, runs, run_count };
	return rc;
}

static enum err send_chunk(struct session *s, struct now now, struct space_sync *sp,
			   const struct sealed *list, size_t count, struct errmsg *msg)
{
	struct message m = { .type = MESSAGE_CHANGES };
	size_t before = s->link.out.size;
	struct vv sent = VV_EMPTY;
	enum err rc;

	rc = make_runs(s, &sp->id, list, count, &m.u.changes, &sent, msg);
	if (rc == OK)
		rc = session_say(s, now, &m);
	if (rc == OK) {
		chunk_put(s, sp, s->link.out.size - before);
		s->news.sent += count;
		rc = vv_merge(&sp->offered, &sent);
	}
	vv_release(&sent);
	return rc;
}

/* Send a chunk of the space, or find that there is nothing to send. */
static enum err offer(struct session *s, struct now now, struct space_sync *sp, struct errmsg *msg)
{
	struct parts parts = session_parts(s);
	struct sealed *list;
	size_t count = 0;
	bool more = false;
	enum err rc = OK;

	if (session_shares(s, &parts, &sp->id))
		rc = replica_missing(s->config.replica, &sp->id, &sp->offered, CHANGES_BYTES_CLOSE,
				     CHANGES_COUNT_MAX, s->config.arena, &list, &count, &more, msg);
	if (rc == OK && count)
		rc = send_chunk(s, now, sp, list, count, msg);
	if (rc == OK)
		space_table_mark(&s->spaces, sp, more);
	arena_reset(s->config.arena);
	return rc;
}

void session_push(struct session *s, struct now now)
{
	struct errmsg msg = { 0 };
	size_t before = s->chunk_count;
	enum err rc = session_note_trust(s, now, &msg); /* by which what follows is meant */

	while (rc == OK && session_has_work(s) && s->chunk_count == before)
		rc = offer(s, now, space_table_next_dirty(&s->spaces), &msg);
	/* The directory may turn out to be complete there. */
	if (rc == OK)
		rc = session_announce(s, now);
	if (rc)
		session_fail(s, rc, &msg);
}

/* ---- Receiving -------------------------------------------------------------- */

static void note_news(struct session *s, const struct space_id *space, size_t applied)
{
	bool is_same = s->news.changed_spaces == 1 && space_id_cmp(&s->news.space, space) == 0;

	s->news.received += applied;
	if (applied == 0 || is_same)
		return;
	s->news.changed_spaces = s->news.changed_spaces ? 2 : 1;
	s->news.space = *space;
}

/* The answer to one CHANGES: how far we hold the feeds that it brought. */
static enum err acknowledge(struct session *s, struct now now, const struct space_id *space,
			    const struct vv *sent, struct errmsg *msg)
{
	const struct replica *r = s->config.replica;
	struct tip *tips = arena_array(s->config.arena, sent->count, sizeof(*tips));
	struct message m = { .type = MESSAGE_HAVE };
	size_t count = 0;
	enum err rc = tips ? OK : ERR_NOMEM;

	for (size_t i = 0; rc == OK && i < sent->count; i++) {
		struct dot dot = sent->entries[i];

		dot.seq = vv_get(replica_vv(r, space), &dot.replica);
		if (dot.seq == 0)
			continue;
		tips[count].replica = dot.replica;
		tips[count].seq = dot.seq;
		rc = replica_tag(s->config.replica, space, &dot, tips[count++].tag, msg);
	}
	m.u.have = (struct message_have){ *space, false, true, tips, count };
	return rc == OK ? session_say(s, now, &m) : rc;
}

static void warn_of_held(struct session *s, const struct space_id *space,
			 const struct replica_id *replica)
{
	const char *why = "they are dated too far in the future";
	char text[ID_TEXT_SIZE];

	if (session_suspects(s, space, replica))
		why = "the peer holds another branch of them";
	else if (!trust_epoch(replica_trust(s->config.replica), replica))
		why = "the statement that names it was set aside";
	else if (s->room_look_ms)
		why = "a record would have too many concurrent values, or a text be too long";
	else if (s->held_until_ms == 0)
		why = "what they name has not come yet";
	snprintf(s->warning, sizeof(s->warning), "held back: changes of replica %.8s: %s",
		 id_text(replica->bytes, text), why);
}

/* Tell which of these feeds wait here, if any does. */
static enum err tell_held(struct session *s, struct now now, struct space_sync *sp,
			  const struct vv *sent)
{
	const struct vv *ours = replica_vv(s->config.replica, &sp->id);
	struct replica_id *replicas = arena_array(s->config.arena, sent->count, sizeof(*replicas));
	struct message m = { .type = MESSAGE_HELD };
	size_t count = 0;
	enum err rc;

	if (!replicas)
		return ERR_NOMEM;
	rc = held_note(ours, sent, &sp->held_here, replicas, &count);
	if (rc || count == 0)
		return rc;
	warn_of_held(s, &sp->id, &replicas[0]);
	m.u.held = (struct message_held){ sp->id, replicas, count };
	return session_say(s, now, &m);
}

/* When the first that waits is near enough for us. */
static void note_held_until(struct session *s, struct now now, const struct receipt *receipt)
{
	uint64_t until_ms = hlc_wall_ms(receipt->held_hlc) - HLC_AHEAD_MS_MAX;

	/* What waits for another reason has no date. */
	if (receipt->held_back == 0 || !hlc_is_future(receipt->held_hlc, now.wall_ms) ||
	    (s->held_until_ms && s->held_until_ms <= until_ms))
		return;
	s->held_until_ms = until_ms;
	s->held_look_ms = now.mono_ms + HELD_RETRY_MS;
}

/* Feeds of replicas that are named only by what was set aside: we don't know yet whose they
 * are. */
static enum err hold_unnamed(struct session *s, struct space_sync *sp, const struct sealed *list,
			     size_t count)
{
	const struct trust *t = replica_trust(s->config.replica);
	enum err rc = OK;

	if (!s->aside || aside_is_empty(s->aside))
		return OK;
	for (size_t i = 0; rc == OK && i < count; i++)
		if (!trust_epoch(t, &list[i].replica) && aside_names(s->aside, &list[i].replica))
			rc = vv_raise(&sp->held_here, &list[i].replica, SEQ_MAX);
	return rc;
}

/* A revocation makes room, and so does who chooses among the values. */
static void note_room(struct session *s, struct now now, const struct receipt *receipt)
{
	if (receipt->lacks_room && s->room_look_ms == 0)
		s->room_look_ms = now.mono_ms + ROOM_RETRY_MS;
}

static bool has_suspect(const struct session *s, const struct space_id *space)
{
	for (size_t i = 0; i < s->suspect_count; i++)
		if (space_id_cmp(&s->suspects[i].space, space) == 0)
			return true;
	return false;
}

/* What names a feed that has two branches need not fit the one that we hold: it waits
 * until it is known which is which. */
static bool waits_for_fork(const struct session *s, const struct space_sync *sp, enum err rc)
{
	return (rc == ERR_INVALID || rc == ERR_CAUSAL) && has_suspect(s, &sp->id);
}

/* What was dropped, or has just been moved out of the log, may be missing below what was on
 * its way behind it. */
static bool is_gap(const struct session *s, const struct space_sync *sp, enum err rc)
{
	return (rc == ERR_CHAIN || rc == ERR_CAUSAL) && (sp->has_dropped || s->news.must_renew);
}

static enum err hold_all(struct space_sync *sp, const struct sealed *list, size_t count)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < count; i++)
		rc = vv_raise(&sp->held_here, &list[i].replica, SEQ_MAX);
	return rc;
}

static enum err receive(struct session *s, struct now now, struct space_sync *sp,
			struct sealed *list, size_t count, struct errmsg *msg)
{
	struct replica *r = s->config.replica;
	struct receipt receipt = { 0 };
	enum err rc;

	rc = hold_unnamed(s, sp, list, count);
	if (rc == OK)
		rc = held_filter(r, &sp->id, &sp->held_here, list, &count, s->config.arena, msg);
	if (rc == OK && count)
		rc = replica_receive(r, &sp->id, list, count, now.wall_ms, &receipt, msg);
	s->news.must_renew = s->news.must_renew || is_gap(s, sp, rc);
	if (waits_for_fork(s, sp, rc) || is_gap(s, sp, rc))
		return hold_all(sp, list, count);
	/* All or nothing: the rest once more, without the feeds that may have forked. */
	if (rc == ERR_FORK)
		rc = session_suspect_overlaps(s, now, sp, list, count, msg);
	else if (rc == OK) {
		note_news(s, &sp->id, receipt.applied);
		note_held_until(s, now, &receipt);
		note_room(s, now, &receipt);
		return OK;
	}
	return rc == OK ? receive(s, now, sp, list, count, msg) : rc;
}

/* What the peer sends it holds, whether we take it or not. */
static enum err note_sent(struct space_sync *sp, const struct vv *sent, struct errmsg *msg)
{
	enum err rc = vv_merge(&sp->peer, sent);

	if (rc == OK)
		rc = vv_merge(&sp->offered, sent);
	if (rc == OK && sp->peer.count > HAVE_ENTRIES_MAX)
		rc = errmsg_set(msg, ERR_LIMIT, "changesets of more than %d feeds",
				HAVE_ENTRIES_MAX);
	return rc;
}

/* The changesets of all runs that continue what we hold, in the arena; *sent: where
 * each feed ends, taken or not. */
static enum err gather(struct session *s, struct now now, struct space_sync *sp,
		       const struct message_changes *c, struct vv *sent, struct sealed **out,
		       size_t *count, struct errmsg *msg)
{
	struct sealed *list = arena_array(s->config.arena, CHANGES_COUNT_MAX, sizeof(*list));
	size_t used = 0;
	enum err rc = list ? OK : ERR_NOMEM;

	for (size_t i = 0; rc == OK && i < c->run_count; i++) {
		const struct run *run = &c->runs[i];
		const struct sealed *last = &run->list[run->count - 1];
		bool fits = true;

		if (vv_get(sent, &last->replica) == 0)
			rc = session_check_run(s, now, sp, run, &fits, msg);
		if (rc == OK)
			rc = vv_raise(sent, &last->replica, last->seq);
		if (rc || !fits)
			continue;
		memcpy(list + used, run->list, run->count * sizeof(*list));
		used += run->count;
	}
	*out = list;
	*count = used;
	return rc;
}

static enum err take_changes(struct session *s, struct now now, const struct message_changes *c,
			     struct vv *sent, struct errmsg *msg)
{
	struct space_sync *sp = space_table_add(&s->spaces, &c->space);
	struct sealed *list;
	size_t count;
	enum err rc;

	if (!sp)
		return ERR_NOMEM;
	rc = gather(s, now, sp, c, sent, &list, &count, msg);
	if (rc == OK)
		rc = receive(s, now, sp, list, count, msg);
	if (rc == OK)
		rc = note_sent(sp, sent, msg);
	return rc == OK ? tell_held(s, now, sp, sent) : rc;
}

void session_stop_taking(struct session *s)
{
	s->takes_nothing = true;
}

bool session_is_taking(const struct session *s)
{
	return !s->takes_nothing;
}

static enum err note_dropped(struct session *s, const struct space_id *space)
{
	struct space_sync *sp = space_table_add(&s->spaces, space);

	if (!sp)
		return ERR_NOMEM;
	sp->has_dropped = true;
	return OK;
}

enum err session_on_changes(struct session *s, struct now now, const struct message *m,
			    struct errmsg *msg)
{
	const struct message_changes *c = &m->u.changes;
	struct vv sent = VV_EMPTY;
	bool shared;
	enum err rc = session_check_shared(s, &c->space, &shared, msg);

	if (rc == OK && s->takes_nothing)
		return OK;
	/* What is not shared is dropped, and acknowledged as nothing. */
	if (rc == OK && shared)
		rc = take_changes(s, now, c, &sent, msg);
	else if (rc == OK)
		rc = note_dropped(s, &c->space);
	if (rc == OK)
		rc = acknowledge(s, now, &c->space, &sent, msg);
	vv_release(&sent);
	return rc;
}

enum err session_on_held(struct session *s, struct now now, const struct message *m,
			 struct errmsg *msg)
{
	const struct message_held *h = &m->u.held;
	struct space_sync *sp = space_table_find(&s->spaces, &h->space);
	char text[ID_TEXT_SIZE];
	enum err rc = OK;

	if (!sp)
		return errmsg_set(msg, ERR_PROTOCOL, "holds back what was not offered");
	for (size_t i = 0; rc == OK && i < h->count; i++) {
		rc = vv_raise(&sp->held_there, &h->replicas[i], SEQ_MAX);
		if (rc == OK)
			rc = vv_raise(&sp->offered, &h->replicas[i], SEQ_MAX);
	}
	if (rc == OK && sp->held_there.count > HAVE_ENTRIES_MAX)
		rc = errmsg_set(msg, ERR_LIMIT, "holds back more than %d feeds", HAVE_ENTRIES_MAX);
	snprintf(s->warning, sizeof(s->warning),
		 "the peer holds back changes of replica %.8s for now",
		 id_text(h->replicas[0].bytes, text));
	session_look(s, sp);
	return rc;
}
