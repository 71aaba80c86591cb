/* Two sessions of two members and the wire between them, unit by unit (a preamble or a frame),
 * for tests of whoever sits on it: he sees every byte, may flip one, and keeps a copy. */
#ifndef HT_TESTS_SYNC_WIRE_H
#define HT_TESTS_SYNC_WIRE_H

#include <assert.h>

#include "tests/sync/talk.h"

enum { DIALLER, LISTENER, ENDS };

/* One end: a member, and its side of the conversation. */
struct wire_end {
	struct party party;
	struct session *session;
	struct arena arena;
	struct pack pack;
	struct buf queue;   /* said and not carried yet */
	size_t carried;     /* bytes of this end that have been carried */
	struct buf capture; /* ... and a copy of them */
};

/* Byte number `at` that `from` says is changed by `mask` on its way; mask 0: none is. */
struct flip {
	unsigned from;
	size_t at;
	uint8_t mask;
};

struct wire {
	struct wire_end ends[ENDS];
	struct space_id space;
	struct now now;
	struct flip flip;
	bool is_hit;          /* the byte came by, and was read by a session that was not over */
	uint64_t held_at_hit; /* by who read it, before that */
	bool is_farewell;     /* all was said, the dialler took its leave */
};

static inline uint64_t wire_held(const struct wire *w, unsigned end)
{
	const struct replica *r = w->ends[end].party.office.replica;
	struct space_id directory = replica_directory(r);
	const struct space_id *spaces[] = { &directory, &w->space };
	uint64_t count = 0;

	for (size_t i = 0; i < 2; i++) {
		const struct vv *vv = replica_vv(r, spaces[i]);

		for (size_t j = 0; j < vv->count; j++)
			count += vv->entries[j].seq;
	}
	return count;
}

/* Two members that share a space. */
static inline void wire_init(struct wire *w)
{
	struct office *dialler = &w->ends[DIALLER].party.office;
	struct office *listener = &w->ends[LISTENER].party.office;

	*w = (struct wire){ .now = { OFFICE_NOW_MS, 1000 } };
	party_init(&w->ends[LISTENER].party, 100);
	party_init(&w->ends[DIALLER].party, 200);
	office_found(listener, "SHA");
	office_join(dialler, listener, "FRA");
	w->space = office_share(listener);
	office_pull(dialler, listener);
}

static inline void wire_hang_up(struct wire *w)
{
	for (unsigned i = 0; i < ENDS; i++) {
		session_free(w->ends[i].session);
		w->ends[i].session = NULL;
		buf_clear(&w->ends[i].queue);
	}
}

static inline void wire_release(struct wire *w)
{
	wire_hang_up(w);
	for (unsigned i = 0; i < ENDS; i++) {
		arena_release(&w->ends[i].arena);
		pack_release(&w->ends[i].pack);
		buf_release(&w->ends[i].queue);
		buf_release(&w->ends[i].capture);
		office_close(&w->ends[i].party.office);
	}
}

/* A change on each side, so that there is something to send both ways. */
static inline void wire_write(struct wire *w)
{
	for (unsigned i = 0; i < ENDS; i++)
		office_item(&w->ends[i].party.office, &w->space, "不给外人看 / not for strangers");
}

static inline void wire_open(struct wire *w, unsigned which)
{
	struct wire_end *e = &w->ends[which];
	struct session_config config = { .replica = e->party.office.replica,
					 .key = &e->party.key,
					 .sign_key = e->party.office.identity.sign_key,
					 .dice = &e->party.dice,
					 .arena = &e->arena,
					 .pack = &e->pack,
					 .tzdata = "2025b",
					 .is_dialler = which == DIALLER };

	session_free(e->session);
	e->session = NULL;
	OFFICE_MUST(session_new(&e->session, &config, w->now));
	buf_clear(&e->queue);
	buf_clear(&e->capture);
	e->carried = 0;
}

static inline bool wire_is_over(const struct wire *w, unsigned end)
{
	return session_state(w->ends[end].session) == SESSION_CLOSED;
}

/* ---- Carrying ------------------------------------------------------------------ */

/* What the session has said so far goes to its queue. */
static inline void wire_collect(struct wire_end *e)
{
	struct bytes out = session_outgoing(e->session);

	buf_append(&e->queue, out.data, out.size);
	session_sent(e->session, out.size);
}

static inline size_t wire_unit_bytes(const struct wire_end *e)
{
	size_t size = PREAMBLE_BYTES;

	if (e->carried)
		size = FRAME_HEADER_BYTES + ((size_t)e->queue.data[0] << 8 | e->queue.data[1]);
	assert(size <= e->queue.size);
	return size;
}

static inline void wire_spoil(struct wire *w, unsigned from, uint8_t *unit, size_t size)
{
	const struct flip *f = &w->flip;
	size_t begin = w->ends[from].carried;

	if (!f->mask || from != f->from || f->at < begin || f->at >= begin + size)
		return;
	unit[f->at - begin] ^= f->mask;
	w->is_hit = !wire_is_over(w, !from);
	w->held_at_hit = wire_held(w, !from);
}

static inline void wire_read(struct wire *w, unsigned end, struct bytes data)
{
	struct session *s = w->ends[end].session;

	session_receive(s, w->now, data);
	session_check(s);
	if (session_take_news(s).changed_spaces)
		session_wake(s, w->now, NULL);
}

/* The next unit, if there is one. */
static inline bool wire_carry(struct wire *w, unsigned from)
{
	struct wire_end *e = &w->ends[from];
	size_t size;

	wire_collect(e);
	if (!e->queue.size)
		return false;
	size = wire_unit_bytes(e);
	buf_append(&e->capture, e->queue.data, size);
	wire_spoil(w, from, e->queue.data, size);
	wire_read(w, !from, bytes_of(e->queue.data, size));
	buf_consume(&e->queue, size);
	e->carried += size;
	return true;
}

static inline bool wire_push(struct wire_end *e, struct now now)
{
	if (!session_has_work(e->session))
		return false;
	session_push(e->session, now);
	return true;
}

/* Whatever comes by itself: bytes, chunks, the news that the other side has gone. */
static inline bool wire_step(struct wire *w)
{
	bool any = wire_carry(w, DIALLER);

	any = wire_carry(w, LISTENER) || any;
	for (unsigned i = 0; !any && i < ENDS; i++)
		any = wire_push(&w->ends[i], w->now);
	for (unsigned i = 0; !any && i < ENDS; i++) {
		if (wire_is_over(w, i) || !wire_is_over(w, !i))
			continue;
		session_lost(w->ends[i].session, "closed by the other side");
		any = true;
	}
	return any;
}

static inline void wire_pass(struct wire *w)
{
	uint64_t at = session_deadline(w->ends[DIALLER].session);
	uint64_t other = session_deadline(w->ends[LISTENER].session);

	w->now.mono_ms = other < at ? other : at;
	for (unsigned i = 0; i < ENDS; i++)
		session_tick(w->ends[i].session, w->now);
}

/* Until both are in sync and have said goodbye, or have failed. */
static inline void wire_run(struct wire *w)
{
	w->is_hit = w->is_farewell = false;
	while (wire_step(w) || !wire_is_over(w, DIALLER)) {
		if (wire_is_over(w, DIALLER))
			continue;
		if (!w->is_farewell && session_is_in_sync(w->ends[DIALLER].session) &&
		    session_is_in_sync(w->ends[LISTENER].session)) {
			session_close(w->ends[DIALLER].session, BYE_STOPPED, "");
			w->is_farewell = true;
		} else if (!wire_step(w)) {
			wire_pass(w);
		}
	}
}

/* One whole conversation over the wire. */
static inline void wire_talk(struct wire *w, struct flip flip)
{
	w->flip = flip;
	wire_open(w, DIALLER);
	wire_open(w, LISTENER);
	wire_run(w);
}

#endif
