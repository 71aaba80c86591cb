#include "sync/engine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/secret.h"
#include "sync/engine_impl.h"
#include "sync/enrol.h"

/* ---- Life --------------------------------------------------------------------- */

static enum err copy_tzdata(struct engine *e, const char *tzdata)
{
	if (!tzdata)
		return OK;
	e->tzdata = strdup(tzdata);
	return e->tzdata ? OK : ERR_NOMEM;
}

static enum err add_configured(struct engine *e, const char *const *peers, struct errmsg *msg)
{
	enum err rc = OK;

	for (; rc == OK && peers && *peers; peers++)
		rc = peer_add_address(&e->peers, *peers, msg);
	return rc;
}

/* Where whoever let us in was found: the directory need not have that address,
 * it may be one for us alone. */
static enum err add_bootstrap(struct engine *e, struct errmsg *msg)
{
	struct buf address = BUF_EMPTY;
	enum err rc = replica_setting(e->replica, SETTING_BOOTSTRAP_ADDRESS, &address, msg);

	if (rc == OK) {
		buf_append_byte(&address, 0);
		rc = buf_check(&address);
		if (rc == OK)
			rc = peer_add_address(&e->peers, (const char *)address.data, msg);
	} else if (rc == ERR_NOT_FOUND) {
		rc = OK;
	}
	buf_release(&address);
	return rc;
}

enum err engine_new(struct engine **out, const struct engine_config *config, uint64_t now_ms,
		    struct errmsg *msg)
{
	struct engine *e;
	enum err rc;

	if (!replica_has_org(config->replica))
		return errmsg_set(msg, ERR_ORG, "this replica belongs to no organisation yet");
	e = calloc(1, sizeof(*e));
	if (!e)
		return ERR_NOMEM;
	e->replica = config->replica;
	e->port = config->port;
	e->dice = config->dice;
	e->dial_members = config->dial_members;
	e->log = config->log;
	e->log_ctx = config->log_ctx;
	noise_keypair_from_secret(&e->key, config->noise_secret);
	secret_sign_public(e->sign_key, config->sign_secret);
	rc = copy_tzdata(e, config->tzdata);
	if (rc == OK)
		rc = add_configured(e, config->peers, msg);
	if (rc == OK)
		rc = add_bootstrap(e, msg);
	if (rc == OK)
		rc = peer_list_refresh(&e->peers, e->replica, e->key.public_key, msg);
	if (rc) {
		engine_free(e);
		return rc;
	}
	engine_note_members(e);
	*out = e;
	return OK;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	while (e->conn_count) {
		struct conn *c = e->conns[e->conn_count - 1];

		if (c->session) {
			session_close(c->session, BYE_STOPPED,
				      "it stops, or reads its settings anew");
			conn_flush(e, c);
		}
		conn_drop(e, c);
	}
	free(e->conns);
	peer_list_release(&e->peers);
	arena_release(&e->arena);
	pack_release(&e->pack);
	free(e->tzdata);
	secret_wipe(e, sizeof(*e));
	free(e);
}

/* ---- Events from the port ------------------------------------------------------ */

void engine_accepted(struct engine *e, struct now now, struct conn_id id, const char *from)
{
	struct conn *c;

	if (e->is_paused || e->is_out) {
		e->port.close(e->port.ctx, id, false);
		return;
	}
	engine_make_room(e, engine_source(from), now);
	c = conn_add(e, id, now);
	if (!c) {
		e->port.close(e->port.ctx, id, false);
		return;
	}
	c->is_inbound = true;
	c->source = engine_source(from);
	snprintf(c->from, sizeof(c->from), "%s", from);
	conn_start(e, c, now);
	engine_turn(e, now);
}

void engine_connected(struct engine *e, struct now now, struct conn_id id)
{
	struct conn *c = conn_find(e, id);

	if (c && !c->session)
		conn_start(e, c, now);
	engine_turn(e, now);
}

void engine_received(struct engine *e, struct now now, struct conn_id id, struct bytes data)
{
	struct conn *c = conn_find(e, id);

	if (!c || !c->session)
		return;
	c->bytes_received += data.size;
	session_receive(c->session, now, data);
	if (c->is_established) {
		c->peer->last_seen_wall_ms = now.wall_ms;
		c->peer->skew_ms = session_skew_ms(c->session);
	}
	engine_turn(e, now);
	engine_limit_presenting(e, now);
}

void engine_sent(struct engine *e, struct now now, struct conn_id id, size_t bytes)
{
	struct conn *c = conn_find(e, id);

	if (!c)
		return;
	c->queue_bytes -= bytes < c->queue_bytes ? bytes : c->queue_bytes;
	engine_turn(e, now);
}

void engine_closed(struct engine *e, struct now now, struct conn_id id, const char *reason)
{
	struct conn *c = conn_find(e, id);

	if (!c)
		return;
	c->is_gone = true;
	if (c->session)
		session_lost(c->session, reason);
	else
		conn_dial_failed(e, c, now, ERR_IO, reason);
	engine_turn(e, now);
}

/* ---- Time ---------------------------------------------------------------------- */

static void dial(struct engine *e, struct peer *p, struct now now)
{
	const char *address = peer_next_address(p, e->dial_members);
	struct errmsg msg = { 0 };
	struct conn_id id;
	struct conn *c;
	enum err rc;

	p->dial_count++;
	rc = e->port.dial(e->port.ctx, address, &id, &msg);
	if (rc) {
		engine_peer_failed(e, p, now, rc, msg.text);
		return;
	}
	c = conn_add(e, id, now);
	if (!c) {
		e->port.close(e->port.ctx, id, false);
		engine_peer_failed(e, p, now, ERR_NOMEM, err_name(ERR_NOMEM));
		return;
	}
	conn_set_peer(c, p);
	p->conn = c;
	snprintf(c->from, sizeof(c->from), "%s", address);
	engine_log(e, LOG_DEBUG, "dial", peer_name(p), address);
}

static bool can_dial(const struct engine *e, const struct peer *p)
{
	return !e->is_paused && !e->is_out && !p->conn && peer_next_address(p, e->dial_members);
}

static void dial_due(struct engine *e, struct now now)
{
	for (size_t i = 0; i < e->peers.count; i++)
		if (can_dial(e, e->peers.peers[i]) &&
		    e->peers.peers[i]->schedule.next_ms <= now.mono_ms)
			dial(e, e->peers.peers[i], now);
}

void engine_tick(struct engine *e, struct now now)
{
	/* Backwards: a failed dial takes its connection out. */
	for (size_t i = e->conn_count; i-- > 0;) {
		struct conn *c = e->conns[i];

		if (c->session)
			session_tick(c->session, now);
		else if (now.mono_ms >= c->dial_deadline_ms)
			conn_dial_failed(e, c, now, ERR_TIMEOUT, "no connection in time");
	}
	dial_due(e, now);
	engine_turn(e, now);
}

static uint64_t conn_deadline(const struct engine *e, const struct conn *c)
{
	if (!c->session)
		return c->dial_deadline_ms;
	return conn_has_work(c) ? e->now_ms : session_deadline(c->session);
}

uint64_t engine_deadline(const struct engine *e)
{
	uint64_t at = UINT64_MAX, next;

	for (size_t i = 0; i < e->conn_count; i++) {
		next = conn_deadline(e, e->conns[i]);
		at = next < at ? next : at;
	}
	for (size_t i = 0; i < e->peers.count; i++) {
		const struct peer *p = e->peers.peers[i];

		if (can_dial(e, p) && p->schedule.next_ms < at)
			at = p->schedule.next_ms;
	}
	return at;
}

/* ---- The replica, and people's wishes ------------------------------------------- */

void engine_changed(struct engine *e, struct now now)
{
	struct errmsg msg = { 0 };
	bool changed;
	enum err rc = replica_refresh(e->replica, &changed, &msg);

	/* The sessions keep what they know; the next change or comparison mends it. */
	if (rc)
		engine_log(e, LOG_ERROR, "replica", "", msg.text);
	else
		engine_wake(e, now, NULL);
	engine_turn(e, now);
}

void engine_sync_now(struct engine *e, struct now now)
{
	for (size_t i = 0; i < e->conn_count; i++)
		if (e->conns[i]->session)
			session_compare(e->conns[i]->session, now);
	for (size_t i = 0; i < e->peers.count; i++)
		schedule_hurry(&e->peers.peers[i]->schedule, now.mono_ms);
	dial_due(e, now);
	engine_turn(e, now);
}

void engine_pause(struct engine *e, struct now now)
{
	e->is_paused = true;
	for (size_t i = e->conn_count; i-- > 0;) {
		struct conn *c = e->conns[i];

		if (c->session)
			session_close(c->session, BYE_PAUSED, "paused by its people");
		else
			conn_drop(e, c);
	}
	engine_turn(e, now);
}

void engine_resume(struct engine *e, struct now now)
{
	e->is_paused = false;
	for (size_t i = 0; i < e->peers.count; i++)
		schedule_init(&e->peers.peers[i]->schedule, now.mono_ms);
	dial_due(e, now);
	engine_turn(e, now);
}

bool engine_is_paused(const struct engine *e)
{
	return e->is_paused;
}

void engine_take(struct engine *e, struct now now, bool takes)
{
	e->takes_nothing = !takes;
	for (size_t i = 0; i < e->conn_count; i++) {
		struct session *s = e->conns[i]->session;

		if (s && !takes)
			session_stop_taking(s);
		else if (s && !session_is_taking(s))
			session_close(s, BYE_RENEW, "there is room again");
	}
	engine_turn(e, now);
}

bool engine_is_idle(const struct engine *e)
{
	for (size_t i = 0; i < e->conn_count; i++) {
		const struct conn *c = e->conns[i];

		if (!conn_is_stranger(c) && (!c->session || !session_is_in_sync(c->session)))
			return false;
	}
	for (size_t i = 0; i < e->peers.count; i++)
		if (can_dial(e, e->peers.peers[i]) &&
		    e->peers.peers[i]->schedule.next_ms <= e->now_ms)
			return false;
	return true;
}

void engine_check(const struct engine *e)
{
	for (size_t i = 0; i < e->conn_count; i++)
		if (e->conns[i]->session)
			session_check(e->conns[i]->session);
	for (size_t i = 0; i < e->peers.count; i++) {
		const struct peer *p = e->peers.peers[i];

		assert(!p->conn || p->conn->peer == p);
	}
}

/* ---- Peers for people ------------------------------------------------------------ */

size_t engine_peer_count(const struct engine *e)
{
	return e->peers.count;
}

static enum peer_state state_of(const struct peer *p)
{
	if (!p->conn)
		return p->is_refused ? PEER_REFUSED : PEER_DOWN;
	if (!p->conn->session)
		return PEER_DIALLING;
	if (session_state(p->conn->session) != SESSION_OPEN)
		return PEER_HANDSHAKE;
	return session_is_in_sync(p->conn->session) ? PEER_IN_SYNC : PEER_SYNCING;
}

static void add_connection(struct peer_status *out, const struct conn *c)
{
	out->inbound = c->is_inbound;
	out->changesets_sent += c->changesets_sent;
	out->changesets_received += c->changesets_received;
	out->bytes_sent += c->bytes_sent;
	out->bytes_received += c->bytes_received;
	if (!c->session)
		return;
	if (session_warning(c->session)[0])
		snprintf(out->last_error, sizeof(out->last_error), "%s",
			 session_warning(c->session));
}

/* By the open session, else by what the last one learned. */
static void add_to_send(const struct engine *e, struct peer_status *out, const struct peer *p)
{
	const struct session *s = p->conn ? p->conn->session : NULL;

	if (s && session_state(s) == SESSION_OPEN) {
		out->to_send = session_to_send(s);
		out->knows_to_send = true;
	} else if (p->has_key && p->spaces.count) {
		out->to_send = space_table_to_send(&p->spaces, e->replica,
						   replica_member_by_noise_key(e->replica, p->key));
		out->knows_to_send = true;
	}
}

void engine_peer_status(const struct engine *e, size_t index, struct peer_status *out)
{
	const struct peer *p = e->peers.peers[index];

	assert(index < e->peers.count);
	*out = (struct peer_status){ .state = state_of(p),
				     .changesets_sent = p->changesets_sent,
				     .changesets_received = p->changesets_received,
				     .bytes_sent = p->bytes_sent,
				     .bytes_received = p->bytes_received,
				     .last_seen_wall_ms = p->last_seen_wall_ms,
				     .skew_ms = p->skew_ms };
	memcpy(out->office_code, p->office_code, sizeof(out->office_code));
	snprintf(out->address, sizeof(out->address), "%s", peer_address(p));
	memcpy(out->last_error, p->last_error, sizeof(out->last_error));
	if (can_dial(e, p))
		out->next_dial_mono_ms = p->schedule.next_ms;
	if (p->conn)
		add_connection(out, p->conn);
	add_to_send(e, out, p);
}
