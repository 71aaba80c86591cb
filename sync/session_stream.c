/* Streaming: chunks of what the peer lacks, and what it sends us. */
#include <assert.h>
#include <stdio.h>

#include "core/limits.h"
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

static enum err raise_all(struct vv *vv, const struct sealed *list, size_t count)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < count; i++)
		/* Only the end of each run matters. */
		if (i + 1 == count || replica_id_cmp(&list[i].replica, &list[i + 1].replica) != 0)
			rc = vv_raise(vv, &list[i].replica, list[i].seq);
	return rc;
}

static enum err send_chunk(struct session *s, struct now now, struct space_sync *sp,
			   const struct sealed *list, size_t count)
{
	struct message m = { .type = MESSAGE_CHANGES };
	size_t before = s->link.out.size;
	enum err rc;

	m.u.changes = (struct message_changes){ sp->id, list, count };
	rc = session_say(s, now, &m);
	if (rc)
		return rc;
	chunk_put(s, sp, s->link.out.size - before);
	s->news.sent += count;
	return raise_all(&sp->offered, list, count);
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
		rc = send_chunk(s, now, sp, list, count);
	if (rc == OK)
		space_table_mark(&s->spaces, sp, more);
	arena_reset(s->config.arena);
	return rc;
}

void session_push(struct session *s, struct now now)
{
	struct errmsg msg = { 0 };
	size_t before = s->chunk_count;
	enum err rc = OK;

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
			    const struct vv *sent)
{
	const struct vv *ours = replica_vv(s->config.replica, space);
	struct dot *entries = arena_array(s->config.arena, sent->count, sizeof(*entries));
	struct message m = { .type = MESSAGE_HAVE };
	size_t count = 0;

	if (!entries)
		return ERR_NOMEM;
	for (size_t i = 0; i < sent->count; i++) {
		uint64_t seq = vv_get(ours, &sent->entries[i].replica);

		if (seq)
			entries[count++] = (struct dot){ sent->entries[i].replica, seq };
	}
	m.u.have = (struct message_have){ *space, false, true, entries, count };
	return session_say(s, now, &m);
}

/* Tell which of these feeds wait here, if any does. */
static enum err tell_held(struct session *s, struct now now, struct space_sync *sp,
			  const struct vv *sent)
{
	const struct vv *ours = replica_vv(s->config.replica, &sp->id);
	struct replica_id *replicas = arena_array(s->config.arena, sent->count, sizeof(*replicas));
	struct message m = { .type = MESSAGE_HELD };
	char text[ID_TEXT_SIZE];
	size_t count = 0;
	enum err rc;

	if (!replicas)
		return ERR_NOMEM;
	rc = held_note(ours, sent, &sp->held_here, replicas, &count);
	if (rc || count == 0)
		return rc;
	snprintf(s->warning, sizeof(s->warning),
		 "held back: changes of replica %.8s are dated too far in the future",
		 id_text(replicas[0].bytes, text));
	m.u.held = (struct message_held){ sp->id, replicas, count };
	return session_say(s, now, &m);
}

static enum err receive(struct session *s, struct now now, struct space_sync *sp,
			struct sealed *list, size_t count, struct errmsg *msg)
{
	struct replica *r = s->config.replica;
	const struct space_sync *directory = session_directory(s);
	struct receipt receipt = { 0 };
	enum err rc;

	rc = held_filter(r, &sp->id, &sp->held_here, sp != directory && directory->held_here.count,
			 list, &count, s->config.arena, msg);
	if (rc == OK && count)
		rc = replica_receive(r, &sp->id, list, count, now.wall_ms, &receipt, msg);
	if (rc == OK)
		note_news(s, &sp->id, receipt.applied);
	return rc;
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

static enum err take_changes(struct session *s, struct now now, const struct message_changes *c,
			     const struct vv *sent, struct errmsg *msg)
{
	struct space_sync *sp = space_table_add(&s->spaces, &c->space);
	struct sealed *list;
	enum err rc;

	if (!sp)
		return ERR_NOMEM;
	list = arena_array(s->config.arena, c->count, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	memcpy(list, c->list, c->count * sizeof(*list));
	rc = receive(s, now, sp, list, c->count, msg);
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
		rc = raise_all(&sent, c->list, c->count);
	if (rc == OK && shared)
		rc = take_changes(s, now, c, &sent, msg);
	if (rc == OK)
		rc = acknowledge(s, now, &c->space, &sent);
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
		 "the peer holds back changes of replica %.8s: dated too far in its future",
		 id_text(h->replicas[0].bytes, text));
	session_look(s, sp);
	return rc;
}
