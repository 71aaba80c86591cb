/* Connections from their beginning to their end. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "sync/engine_impl.h"

struct conn *conn_find(const struct engine *e, struct conn_id id)
{
	for (size_t i = 0; i < e->conn_count; i++)
		if (e->conns[i]->id.id == id.id)
			return e->conns[i];
	return NULL;
}

struct conn *conn_add(struct engine *e, struct conn_id id, struct now now)
{
	struct conn *c;

	if (array_reserve(&e->conns, &e->conn_cap, e->conn_count + 1, sizeof(*e->conns)))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->id = id;
	c->dial_deadline_ms = now.mono_ms + DIAL_MS_MAX;
	e->conns[e->conn_count++] = c;
	return c;
}

void conn_set_peer(struct conn *c, struct peer *p)
{
	if (c->peer)
		c->peer->conn_count--;
	if (p)
		p->conn_count++;
	c->peer = p;
}

void conn_start(struct engine *e, struct conn *c, struct now now)
{
	struct session_config config = {
		.replica = e->replica,
		.key = &e->key,
		.sign_key = e->sign_key,
		.dice = &e->dice,
		.arena = &e->arena,
		.pack = &e->pack,
		.tzdata = e->tzdata,
		.is_dialler = !c->is_inbound,
		.expected_key = c->peer && c->peer->has_key ? c->peer->key : NULL,
	};

	if (session_new(&c->session, &config, now) != OK)
		conn_dial_failed(e, c, now, ERR_NOMEM, err_name(ERR_NOMEM));
	else if (e->takes_nothing)
		session_stop_taking(c->session);
}

void conn_flush(struct engine *e, struct conn *c)
{
	struct bytes out = session_outgoing(c->session);

	if (out.size == 0)
		return;
	if (!c->is_gone)
		e->port.send(e->port.ctx, c->id, out);
	c->queue_bytes += out.size;
	c->bytes_sent += out.size;
	session_sent(c->session, out.size);
}

bool conn_has_work(const struct conn *c)
{
	return c->session && c->queue_bytes < QUEUE_BYTES_HIGH && session_has_work(c->session);
}

static void take_out(struct engine *e, const struct conn *c)
{
	size_t at = 0;

	while (e->conns[at] != c)
		at++;
	memmove(&e->conns[at], &e->conns[at + 1], (e->conn_count - at - 1) * sizeof(e->conns[0]));
	e->conn_count--;
}

static void add_up(struct peer *p, const struct conn *c)
{
	p->changesets_sent += c->changesets_sent;
	p->changesets_received += c->changesets_received;
	p->bytes_sent += c->bytes_sent;
	p->bytes_received += c->bytes_received;
}

void conn_drop(struct engine *e, struct conn *c)
{
	bool is_closed = c->session && session_state(c->session) == SESSION_CLOSED;

	if (!c->is_gone)
		e->port.close(e->port.ctx, c->id, is_closed && session_end(c->session)->flush);
	if (c->peer) {
		add_up(c->peer, c);
		if (c->peer->conn == c)
			c->peer->conn = NULL;
		if (c->session)
			session_take_spaces(c->session, &c->peer->spaces);
	}
	conn_set_peer(c, NULL);
	session_free(c->session);
	take_out(e, c);
	free(c);
}

/* ---- Why it ended ------------------------------------------------------------------ */

/* Trying again soon would change nothing. */
static bool is_refusal(enum err rc)
{
	return rc >= ERR_INVALID && rc <= ERR_PROTOCOL;
}

/* The same reason is said once, however often it comes back. */
static void log_failure(struct engine *e, struct peer *p, const char *event, const char *text)
{
	bool is_news = strcmp(p->logged_error, text) != 0;

	snprintf(p->logged_error, sizeof(p->logged_error), "%s", text);
	engine_log(e, is_news ? LOG_WARN : LOG_DEBUG, event, peer_name(p), text);
}

void engine_peer_failed(struct engine *e, struct peer *p, struct now now, enum err rc,
			const char *text)
{
	p->is_refused = is_refusal(rc);
	snprintf(p->last_error, sizeof(p->last_error), "%s: %s", err_name(rc), text);
	log_failure(e, p, "dial-failed", p->last_error);
	if (p->is_refused)
		schedule_refused(&p->schedule, now.mono_ms, &e->dice);
	else
		schedule_lost(&p->schedule, now.mono_ms, &e->dice);
}

void conn_dial_failed(struct engine *e, struct conn *c, struct now now, enum err rc,
		      const char *reason)
{
	if (c->peer && c->peer->conn == c)
		engine_peer_failed(e, c->peer, now, rc, reason);
	conn_drop(e, c);
}

/* ---- What follows -------------------------------------------------------------------- */

/* Changesets moved, and it was the link that ended it: a full disk ends every
 * session right after its first chunk. */
static bool got_somewhere(const struct conn *c, const struct session_end *end)
{
	bool by_link = end->code == OK || end->code == ERR_CLOSED || end->code == ERR_TIMEOUT;

	return by_link && (c->changesets_sent || c->changesets_received);
}

static bool was_good(const struct conn *c, const struct session_end *end, struct now now)
{
	return c->is_established &&
	       (now.mono_ms - c->established_ms >= GOOD_AFTER_MS || got_somewhere(c, end));
}

static void plan(struct engine *e, const struct conn *c, const struct session_end *end,
		 struct now now)
{
	struct peer *p = c->peer;
	bool is_renewal = strcmp(end->name, BYE_RENEW) == 0;
	/* Over there somebody else has our place, and this was our only connection: a copy
	 * of this node. Who comes back at once each time displaces it before it has found
	 * out that it is one. */
	bool is_displaced = strcmp(end->name, BYE_DUPLICATE) == 0;
	/* That it does not know us (yet) is no reason to stay away for long. */
	bool is_refused = is_refusal(end->code) && !(end->code == ERR_HANDSHAKE && end->by_peer);

	p->is_refused = is_refused;
	p->is_self = end->is_self;
	p->hopes_for_statements = end->code == ERR_HANDSHAKE;
	if (!is_refused && !is_displaced && was_good(c, end, now))
		schedule_succeeded(&p->schedule);
	if (is_renewal)
		p->schedule.next_ms = now.mono_ms + (c->is_inbound ? RENEW_WAIT_MS : 0);
	else if (is_refused)
		schedule_refused(&p->schedule, now.mono_ms, &e->dice);
	else
		schedule_lost(&p->schedule, now.mono_ms, &e->dice);
}

static void tell(struct engine *e, const struct conn *c, const struct session_end *end)
{
	struct peer *p = c->peer;
	char text[ERRMSG_BYTES_MAX];

	snprintf(text, sizeof(text), "%s%s: %.400s", end->by_peer ? "the peer says " : "",
		 end->name, end->text);
	if (end->code == OK) {
		p->last_error[0] = p->logged_error[0] = '\0';
		engine_log(e, LOG_INFO, "session-closed", peer_name(p), text);
		return;
	}
	memcpy(p->last_error, text, sizeof(text));
	log_failure(e, p, is_refusal(end->code) ? "session-refused" : "session-lost", text);
}

void conn_ended(struct engine *e, struct conn *c, struct now now)
{
	const struct session_end *end = session_end(c->session);
	bool is_duplicate = strcmp(end->name, BYE_DUPLICATE) == 0;

	if (!c->peer)
		engine_log_stranger(e, c, end, now);
	else if (is_duplicate)
		engine_log(e, LOG_DEBUG, "session-closed", peer_name(c->peer), end->name);
	else
		tell(e, c, end);
	if (c->peer && c->peer->conn == c)
		plan(e, c, end, now);
	conn_drop(e, c);
}
