/* What follows from any event. */
#include <stdio.h>
#include <string.h>

#include "core/trust.h"
#include "sync/engine_impl.h"

void engine_log(const struct engine *e, enum log_level level, const char *event, const char *peer,
		const char *detail)
{
	if (e->log)
		e->log(e->log_ctx, level, event, peer, detail);
}

/* ---- The replica holds more ------------------------------------------------------ */

/* Of who belongs to the organisation, and of where they are reached. */
static void read_digests(const struct engine *e, uint8_t directory[VV_DIGEST_BYTES],
			 uint8_t trust[STATEMENT_ID_BYTES])
{
	struct space_id space = replica_directory(e->replica);
	const struct trust *t = replica_trust(e->replica);

	replica_digest(e->replica, &space, directory);
	memset(trust, 0, STATEMENT_ID_BYTES);
	if (t)
		memcpy(trust, t->digest, STATEMENT_ID_BYTES);
}

/* Once out, a node does not come back but by enrolling anew. */
static void leave(struct engine *e, const struct errmsg *why)
{
	engine_log(e, LOG_ERROR, err_name(why->code), "", why->text);
	e->is_out = true;
	for (size_t i = e->conn_count; i-- > 0;)
		if (e->conns[i]->session)
			session_close(e->conns[i]->session, BYE_STOPPED,
				      "it is no longer a member itself");
		else
			conn_drop(e, e->conns[i]);
}

void engine_note_members(struct engine *e)
{
	struct errmsg msg = { 0 };
	enum err rc = replica_check_member(e->replica, &msg);

	read_digests(e, e->directory_digest, e->trust_digest);
	e->reloads = replica_reloads(e->replica);
	if (!e->is_out && (rc == ERR_REVOKED || rc == ERR_SUPERSEDED))
		leave(e, &msg);
}

/* Members came, went or moved. Who was refused may be welcome now, here or
 * there. */
static void refresh_peers(struct engine *e, struct now now)
{
	uint8_t directory[VV_DIGEST_BYTES], trust[STATEMENT_ID_BYTES];
	struct errmsg msg = { 0 };
	enum err rc;

	read_digests(e, directory, trust);
	/* Also after a reload: the members could perhaps not be read the first time. */
	if (memcmp(directory, e->directory_digest, sizeof(directory)) == 0 &&
	    memcmp(trust, e->trust_digest, sizeof(trust)) == 0 &&
	    e->reloads == replica_reloads(e->replica))
		return;
	rc = peer_list_refresh(&e->peers, e->replica, e->key.public_key, &msg);
	if (rc)
		engine_log(e, LOG_ERROR, "peers", "", msg.code ? msg.text : err_name(rc));
	if (rc == ERR_NOMEM)
		return; /* the next news bring it back */
	engine_note_members(e);
	for (size_t i = 0; i < e->peers.count; i++) {
		struct peer *p = e->peers.peers[i];

		if (p->hopes_for_statements)
			schedule_hurry(&p->schedule, now.mono_ms);
		p->hopes_for_statements = false;
	}
}

/* The sessions first: a node that revokes itself may be the only one that knows, and has nobody
 * to tell it once it is out. */
void engine_wake(struct engine *e, struct now now, const struct space_id *space)
{
	for (size_t i = 0; i < e->conn_count; i++)
		if (e->conns[i]->session)
			session_wake(e->conns[i]->session, now, space);
	refresh_peers(e, now);
}

/* Peers believe that we hold what has been moved out of the log: over new connections
 * everything is compared anew. */
static void renew_all(struct engine *e)
{
	for (size_t i = 0; i < e->conn_count; i++)
		if (e->conns[i]->session)
			session_close(e->conns[i]->session, BYE_RENEW,
				      "what is held here is not what was told");
}

static void pass_on_news(struct engine *e, struct now now)
{
	for (size_t i = 0; i < e->conn_count; i++) {
		struct conn *c = e->conns[i];
		struct session_news news;

		if (!c->session)
			continue;
		news = session_take_news(c->session);
		c->changesets_sent += news.sent;
		c->changesets_received += news.received;
		if (news.has_new_trust)
			engine_wake(e, now, NULL);
		else if (news.changed_spaces)
			engine_wake(e, now, news.changed_spaces == 1 ? &news.space : NULL);
		if (news.must_renew)
			renew_all(e);
	}
}

/* ---- Two connections to one peer --------------------------------------------------- */

/* The peer that stands for whoever proved this key. */
static enum err identify(struct engine *e, struct conn *c, const uint8_t *key, struct peer **out,
			 struct errmsg *msg)
{
	struct peer *dialled = c->peer;

	conn_set_peer(c, NULL);
	if (!dialled)
		return peer_add_key(&e->peers, key, out, msg);
	*out = peer_identify(&e->peers, dialled, key);
	return OK;
}

/* Which one stays must be the same on both sides: the one whose dialler has the
 * smaller key. But a connection that both have long known is given up: who dials
 * again has lost it. */
static bool new_one_stays(const struct engine *e, const struct conn *old, const struct conn *new,
			  struct now now)
{
	bool ours_stays = memcmp(e->key.public_key, new->peer->key, NOISE_KEY_BYTES) < 0;

	if (old->is_inbound == new->is_inbound ||
	    now.mono_ms - old->established_ms >= SETTLED_AFTER_MS)
		return true;
	return new->is_inbound != ours_stays;
}

static void drop_superfluous(struct conn *c)
{
	session_close(c->session, BYE_DUPLICATE, "the other connection between us stays");
}

/* The peer has another connection. True: `c` is the one to keep. */
static bool settle(struct engine *e, struct conn *c, struct now now)
{
	struct conn *old = c->peer->conn;

	if (!old->session)
		conn_drop(e, old); /* over there it would be the second one */
	else if (!old->is_established)
		return true; /* settled when its handshake ends */
	else if (new_one_stays(e, old, c, now))
		drop_superfluous(old);
	else
		drop_superfluous(c);
	return session_state(c->session) != SESSION_CLOSED;
}

static void establish(struct engine *e, struct conn *c, struct now now)
{
	struct peer *p;
	struct errmsg msg = { 0 };
	enum err rc = identify(e, c, session_remote_key(c->session), &p, &msg);
	bool is_closed = session_state(c->session) == SESSION_CLOSED;

	c->is_established = true;
	c->established_ms = now.mono_ms;
	if (rc) {
		session_close(c->session, err_name(rc), msg.text);
		return;
	}
	conn_set_peer(c, p);
	if (p->conn && p->conn != c && (is_closed || !settle(e, c, now)))
		return;
	p->conn = c;
	if (is_closed)
		return;
	p->last_error[0] = '\0'; /* it has passed; the log has it */
	engine_log(e, LOG_INFO, "session-open", peer_name(p), c->from);
}

static void establish_all(struct engine *e, struct now now)
{
	/* Backwards: settling may take a connection out. */
	for (size_t i = e->conn_count; i-- > 0;) {
		struct conn *c = i < e->conn_count ? e->conns[i] : NULL;

		if (c && c->session && !c->is_established && session_remote_key(c->session))
			establish(e, c, now);
	}
}

/* ---- A turn's end -------------------------------------------------------------------- */

static void push_all(struct engine *e, struct now now)
{
	for (size_t i = 0; i < e->conn_count; i++)
		if (conn_has_work(e->conns[i]))
			session_push(e->conns[i]->session, now);
}

/* Feeds that wait and the like: said once. */
static void log_warning(struct engine *e, struct conn *c)
{
	const char *warning = session_warning(c->session);

	if (strcmp(warning, c->warned) == 0)
		return;
	snprintf(c->warned, sizeof(c->warned), "%s", warning);
	engine_log(e, LOG_WARN, "warning", c->peer ? peer_name(c->peer) : c->from, warning);
}

/* Memory is bounded for one who asks and does not read. */
static void limit_queue(struct conn *c)
{
	if (c->queue_bytes + session_outgoing(c->session).size > OUTGOING_BYTES_MAX)
		session_close(c->session, err_name(ERR_LIMIT), "too much waits to be read");
}

void engine_turn(struct engine *e, struct now now)
{
	e->now_ms = now.mono_ms;
	establish_all(e, now);
	pass_on_news(e, now);
	push_all(e, now);
	for (size_t i = e->conn_count; i-- > 0;) {
		struct conn *c = e->conns[i];

		if (!c->session)
			continue;
		log_warning(e, c);
		limit_queue(c);
		conn_flush(e, c);
		if (session_state(c->session) == SESSION_CLOSED)
			conn_ended(e, c, now);
	}
}
