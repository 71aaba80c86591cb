#include "sync/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "sync/enrol_issuer.h"
#include "sync/session_impl.h"

/* ---- Beginning and end ------------------------------------------------------ */

enum err session_new(struct session **out, const struct session_config *config, struct now now)
{
	struct session *s = calloc(1, sizeof(*s));
	struct space_id directory = replica_directory(config->replica);
	enum err rc;

	assert(replica_has_org(config->replica));
	if (!s)
		return ERR_NOMEM;
	s->config = *config;
	if (config->expected_key) {
		memcpy(s->expected_key, config->expected_key, NOISE_KEY_BYTES);
		s->config.expected_key = s->expected_key;
	}
	s->began_ms = s->patient_ms = s->sent_ms = s->received_ms = now.mono_ms;
	rc = link_init(&s->link, &(struct link_config){
					 .is_dialler = config->is_dialler,
					 .org = replica_org(config->replica),
					 .static_key = config->key,
					 .dice = config->dice,
					 .purpose = PREAMBLE_SYNC,
				 });
	if (rc == OK && !space_table_add(&s->spaces, &directory))
		rc = ERR_NOMEM;
	if (rc) {
		session_free(s);
		return rc;
	}
	*out = s;
	return OK;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	link_release(&s->link);
	space_table_release(&s->spaces);
	ticket_stub_wipe(&s->stub);
	aside_free(s->aside);
	free(s);
}

static void copy_text(char *out, size_t out_size, struct bytes text)
{
	size_t size = text.size < out_size - 1 ? text.size : out_size - 1;

	if (size)
		memcpy(out, text.data, size);
	out[size] = '\0';
}

/* The only place that closes. */
static void end_session(struct session *s, enum err code, bool by_peer, struct bytes name,
			struct bytes text)
{
	s->state = SESSION_CLOSED;
	s->end.code = code;
	s->end.by_peer = by_peer;
	s->end.flush = s->link.out.size > 0;
	copy_text(s->end.name, sizeof(s->end.name), name);
	copy_text(s->end.text, sizeof(s->end.text), text);
}

static enum err encode_and_send(struct session *s, const struct message *m)
{
	struct buf encoded = BUF_EMPTY;
	struct bytes bytes;
	enum err rc;

	message_encode(&encoded, m);
	bytes = buf_bytes(&encoded);
	rc = buf_check(&encoded);
	if (rc == OK && m->type == MESSAGE_CHANGES)
		rc = pack_shrink(s->config.pack, bytes, &bytes);
	if (rc == OK)
		rc = link_send(&s->link, bytes);
	buf_release(&encoded);
	return rc;
}

enum err session_say(struct session *s, struct now now, const struct message *m)
{
	s->sent_ms = now.mono_ms;
	return encode_and_send(s, m);
}

/* Last words, as far as they can be said: only to who has proved who it is. */
static void say_bye(struct session *s, const char *name, const char *text)
{
	struct message m = { .type = MESSAGE_BYE };

	if (!link_is_open(&s->link))
		return;
	m.u.bye.name = bytes_of_str(name);
	m.u.bye.text = bytes_of_str(text);
	if (m.u.bye.text.size > REASON_TEXT_MAX)
		m.u.bye.text.size = REASON_TEXT_MAX;
	if (encode_and_send(s, &m) == OK && link_end(&s->link) != OK)
		return; /* the peer sees a cut */
}

/* What is wrong with our disk is nobody else's business. */
static bool is_own_trouble(enum err rc)
{
	return rc <= ERR_CLOCK;
}

void session_fail(struct session *s, enum err rc, const struct errmsg *msg)
{
	const char *text = msg && msg->text[0] ? msg->text : err_name(rc);

	if (s->state == SESSION_CLOSED)
		return;
	say_bye(s, err_name(rc), is_own_trouble(rc) ? "" : text);
	end_session(s, rc, false, bytes_of_str(err_name(rc)), bytes_of_str(text));
}

/* What a BYE means: an error, or one of the harmless words. */
static enum err code_of(const char *name)
{
	static const char *const harmless[] = { BYE_RENEW, BYE_DUPLICATE, BYE_PAUSED, BYE_STOPPED,
						BYE_ENROLLED };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strcmp(name, harmless[i]) == 0)
			return OK;
	return err_from_name(name);
}

void session_close(struct session *s, const char *name, const char *text)
{
	if (s->state == SESSION_CLOSED)
		return;
	say_bye(s, name, text);
	end_session(s, code_of(name), false, bytes_of_str(name), bytes_of_str(text));
}

void session_lost(struct session *s, const char *reason)
{
	static const char refused[] = "closed right after the handshake: the other side may not "
				      "know this node's key";
	bool is_refusal = s->state == SESSION_TRUST && !s->who.has_heard && s->config.is_dialler;
	enum err rc = is_refusal ? ERR_HANDSHAKE : ERR_CLOSED;

	if (s->state == SESSION_CLOSED)
		return;
	end_session(s, rc, is_refusal, bytes_of_str(err_name(rc)),
		    bytes_of_str(is_refusal ? refused : reason));
}

/* ---- Messages --------------------------------------------------------------- */

enum err session_open(struct session *s, struct now now, struct errmsg *msg)
{
	enum err rc = session_check_replica(s, &s->who.replica, msg);

	if (rc)
		return rc;
	s->state = SESSION_OPEN;
	session_plan_compare(s, now);
	return session_announce_directory(s, now);
}

static enum err on_ping(struct session *s, struct now now, const struct message *m,
			struct errmsg *msg)
{
	struct message pong = { .type = MESSAGE_PONG };

	pong.u.pong.nonce = m->u.ping.nonce;
	return session_say(s, now, &pong);
}

static enum err on_bye(struct session *s, struct now now, const struct message *m,
		       struct errmsg *msg)
{
	char name[REASON_NAME_MAX + 1];

	copy_text(name, sizeof(name), m->u.bye.name);
	end_session(s, code_of(name), true, m->u.bye.name, m->u.bye.text);
	return OK;
}

static enum err on_enrol(struct session *s, struct now now, const struct message *m,
			 struct errmsg *msg)
{
	struct message answer = { .type = MESSAGE_ENROLLED };
	enum err rc =
		enrol_admit(s->config.replica, &s->stub, &m->u.enrol, link_handshake_hash(&s->link),
			    link_remote_key(&s->link), now.wall_ms, msg);

	if (rc)
		return rc;
	s->news.has_new_trust = true; /* and the directory has its name and address */
	memcpy(answer.u.enrolled.sign_key, s->config.sign_key, SIGN_PUBLIC_BYTES);
	answer.u.enrolled.replica = *replica_id(s->config.replica);
	rc = session_say(s, now, &answer);
	if (rc == OK)
		rc = session_present(s, now, msg);
	if (rc == OK)
		session_close(s, BYE_ENROLLED, s->stub.office_code);
	return rc;
}

/* What is legal when; everything else is refused unread. */
static enum err (*const handlers[SESSION_STATE_COUNT][MESSAGE_TYPE_COUNT])(struct session *s, struct now now, const struct message *m, struct errmsg *msg) = {
	[SESSION_TRUST] = {
		[MESSAGE_TRUST] = session_on_trust,
		[MESSAGE_STATEMENTS] = session_on_statements,
		[MESSAGE_HELLO] = session_on_hello,
		[MESSAGE_BYE] = on_bye,
	},
	[SESSION_OPEN] = {
		[MESSAGE_STATEMENTS] = session_on_statements,
		[MESSAGE_DIGESTS] = session_on_digests,
		[MESSAGE_HAVE] = session_on_have,
		[MESSAGE_CHANGES] = session_on_changes,
		[MESSAGE_HELD] = session_on_held,
		[MESSAGE_ASK] = session_on_ask,
		[MESSAGE_TELL] = session_on_tell,
		[MESSAGE_PING] = on_ping,
		[MESSAGE_PONG] = session_on_pong,
		[MESSAGE_BYE] = on_bye,
	},
	[SESSION_ENROL] = {
		[MESSAGE_ENROL] = on_enrol,
		[MESSAGE_BYE] = on_bye,
	},
};

enum err session_check_outgoing(const struct session *s, struct errmsg *msg)
{
	if (s->link.out.size <= OUTGOING_BYTES_MAX)
		return OK;
	return errmsg_set(msg, ERR_LIMIT, "asks for more than %d MiB at once",
			  OUTGOING_BYTES_MAX >> 20);
}

/* Only CHANGES are worth packing, and only they may come packed. */
static enum err unpack(struct session *s, struct bytes *encoded, enum message_type *type)
{
	enum err rc =
		pack_restore(s->config.pack, *encoded, CHANGES_BYTES_MAX, s->config.arena, encoded);

	if (rc == OK)
		rc = message_peek(*encoded, type);
	return rc == OK && *type != MESSAGE_CHANGES ? ERR_FORMAT : rc;
}

static enum err dispatch(struct session *s, struct now now, struct bytes encoded,
			 struct errmsg *msg)
{
	enum message_type type;
	struct message m;
	enum err rc = session_check_outgoing(s, msg);

	if (rc)
		return rc;
	if (pack_is_frame(encoded))
		rc = unpack(s, &encoded, &type);
	else
		rc = message_peek(encoded, &type);
	if (rc)
		errmsg_set(msg, rc, "not a message of this protocol");
	else if (!handlers[s->state][type])
		rc = errmsg_set(msg, ERR_PROTOCOL, "message %s is not legal now",
				message_name(type));
	if (rc == OK)
		rc = message_decode(&m, encoded, s->config.arena, msg);
	if (rc == OK)
		rc = handlers[s->state][type](s, now, &m, msg);
	arena_reset(s->config.arena);
	return rc;
}

/* ---- Events of the link ----------------------------------------------------- */

static enum err on_key(struct session *s, struct now now, struct errmsg *msg)
{
	enum err verdict = session_check_key(s, msg);
	bool is_told = session_is_told(verdict);
	enum err rc = verdict == OK || is_told ? link_accept(&s->link) : verdict;

	if (rc == OK && is_told)
		rc = session_dismiss(s, now, msg);
	if (rc || verdict)
		return rc ? rc : verdict;
	s->state = SESSION_TRUST;
	return session_meet(s, now, msg);
}

static enum err on_ticket(struct session *s, struct now now, struct bytes shown, struct errmsg *msg)
{
	enum err verdict;
	enum err rc = enrol_look_up(s->config.replica, shown, link_remote_key(&s->link),
				    now.wall_ms, &s->stub, &verdict, msg);

	if (rc == OK)
		rc = link_use_psk(&s->link, s->stub.secret);
	if (rc)
		return rc;
	link_limit(&s->link, STRANGER_MESSAGE_BYTES_MAX);
	s->state = SESSION_ENROL;
	return verdict;
}

static enum err on_event(struct session *s, struct now now, enum link_event event,
			 struct bytes message, struct errmsg *msg)
{
	switch (event) {
	case LINK_KEY: return on_key(s, now, msg);
	case LINK_TICKET: return on_ticket(s, now, message, msg);
	case LINK_MESSAGE: return dispatch(s, now, message, msg);
	case LINK_END: return errmsg_set(msg, ERR_CLOSED, "the other side ended without a word");
	case LINK_OPEN: /* a newcomer's event */
	case LINK_NEEDS_INPUT: break;
	}
	return OK;
}

void session_receive(struct session *s, struct now now, struct bytes data)
{
	uint64_t frame_count = link_frames_opened(&s->link);
	enum link_event event = LINK_NEEDS_INPUT;
	struct errmsg msg = { 0 };
	struct bytes message = bytes_of(NULL, 0);
	enum err rc = OK;

	if (s->state == SESSION_CLOSED)
		return;
	do {
		rc = link_read(&s->link, &data, &event, &message, &msg);
		if (rc == OK)
			rc = on_event(s, now, event, message, &msg);
	} while (rc == OK && event != LINK_NEEDS_INPUT && s->state != SESSION_CLOSED);
	/* Bytes alone are no sign of life: after a damaged length they come for hours
	 * and never are a frame. */
	if (link_frames_opened(&s->link) != frame_count)
		s->received_ms = now.mono_ms;
	if (rc)
		session_fail(s, rc, &msg);
}

/* ---- The replica changed ---------------------------------------------------- */

void session_wake(struct session *s, struct now now, const struct space_id *space)
{
	struct space_sync *sp = space ? space_table_find(&s->spaces, space) : NULL;
	struct errmsg msg = { 0 };
	enum err rc;

	if (s->state != SESSION_TRUST && s->state != SESSION_OPEN)
		return;
	rc = session_note_trust(s, now, &msg);
	if (rc == OK && s->state == SESSION_OPEN) {
		if (sp)
			session_look(s, sp);
		for (size_t i = 0; !space && i < s->spaces.count; i++)
			session_look(s, &s->spaces.entries[i]);
		rc = session_announce(s, now);
		if (rc == OK)
			rc = session_ask_lost(s, now);
		if (!s->who.says_lack && replica_lacks_statement(s->config.replica))
			s->news.must_renew = true; /* it is asked for in the beginning */
	}
	if (rc)
		session_fail(s, rc, &msg);
}

/* ---- What the owner asks ---------------------------------------------------- */

struct bytes session_outgoing(const struct session *s)
{
	return buf_bytes(&s->link.out);
}

void session_sent(struct session *s, size_t bytes)
{
	enum { KEPT_BYTES = 16 << 10 };

	buf_consume(&s->link.out, bytes);
	/* Hundreds of idle sessions shall not keep a chunk's room each. */
	if (s->link.out.size == 0 && s->link.out.cap > KEPT_BYTES)
		buf_release(&s->link.out);
}

const struct session_end *session_end(const struct session *s)
{
	assert(s->state == SESSION_CLOSED);
	return &s->end;
}

enum session_state session_state(const struct session *s)
{
	return s->state;
}

const uint8_t *session_remote_key(const struct session *s)
{
	return s->who.knows ? link_remote_key(&s->link) : NULL;
}

int64_t session_skew_ms(const struct session *s)
{
	return s->skew_ms;
}

const char *session_warning(const struct session *s)
{
	return s->warning;
}

static bool is_space_in_sync(const struct session *s, const struct space_sync *sp)
{
	const struct vv *ours = replica_vv(s->config.replica, &sp->id);

	return sp->is_known && sp->in_flight == 0 && vv_dominates(&sp->peer, ours) &&
	       vv_dominates(ours, &sp->peer);
}

bool session_is_in_sync(const struct session *s)
{
	struct parts parts;

	if (s->state != SESSION_OPEN || !s->has_announced || s->who.is_settling ||
	    s->suspect_count || s->round_asked != s->round_answered)
		return false;
	parts = session_parts(s);
	for (size_t i = 0; i < s->spaces.count; i++)
		if (session_shares(s, &parts, &s->spaces.entries[i].id) &&
		    !is_space_in_sync(s, &s->spaces.entries[i]))
			return false;
	return true;
}

uint64_t session_to_send(const struct session *s)
{
	struct parts parts;

	if (s->state != SESSION_OPEN)
		return 0;
	parts = session_parts(s);
	return space_table_to_send(&s->spaces, s->config.replica, parts.peer);
}

void session_take_spaces(struct session *s, struct space_table *out)
{
	/* A session that learned nothing leaves the older knowledge in place. */
	if (s->spaces.count == 0 || !session_directory(s)->is_known)
		return;
	space_table_release(out);
	*out = s->spaces;
	s->spaces = (struct space_table){ 0 };
}

struct session_news session_take_news(struct session *s)
{
	struct session_news news = s->news;

	s->news = (struct session_news){ 0 };
	return news;
}

void session_check(const struct session *s)
{
	const struct space_sync *directory = session_directory(s);
	size_t bytes = 0, in_flight = 0, dirty = 0;

	for (size_t i = 0; i < s->chunk_count; i++)
		bytes += s->chunks[(s->chunk_first + i) % WINDOW_COUNT].bytes;
	assert(bytes == s->chunk_bytes && s->chunk_count <= WINDOW_COUNT); /* S-1 */
	for (size_t i = 0; i < s->spaces.count; i++) {
		const struct space_sync *sp = &s->spaces.entries[i];

		in_flight += sp->in_flight;
		dirty += sp->is_dirty;
		assert(vv_dominates(&sp->offered, &sp->peer));     /* S-2 */
		assert(directory->is_known || sp->in_flight == 0); /* S-3 */
	}
	assert(in_flight == s->chunk_count && dirty == s->spaces.dirty_count);
	if (s->state == SESSION_HANDSHAKE || s->state == SESSION_TRUST) /* S-4 */
		assert(s->chunk_count == 0 && !directory->is_announced && !s->has_announced);
	assert(s->state != SESSION_OPEN || (s->who.knows && s->who.is_known));
	assert(s->end.code == OK || s->state == SESSION_CLOSED);
}
