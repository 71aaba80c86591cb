/* Membership, before anything else: who the other is, by the statements of both.
 *
 *   we know the peer, it knows us     TRUST both ways. Equal digests: done. Else
 *                                     TRUST with the ids of all that is held, and
 *                                     STATEMENTS that the other lacks, both ways
 *   we know the peer, it not us       all our STATEMENTS; it judges again, and says so
 *   it knows us, we don't know it     the reverse
 *   neither                           a dialler that has changed its keys shows by
 *                                     which EPOCHs; who knows those of before goes
 *                                     on as if it knew the peer. Else BYE
 *
 * A series of STATEMENTS ends with an empty one. Later in the session those are pushed
 * that are new. Each side's HELLO comes with the TRUST by which it knows the other. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/trust.h"
#include "sync/session_impl.h"

static size_t statement_count(const struct session *s)
{
	const struct trust *t = replica_trust(s->config.replica);

	return t ? t->statement_count : 0;
}

static void copy_digest(const struct session *s, uint8_t out[STATEMENT_ID_BYTES])
{
	const struct trust *t = replica_trust(s->config.replica);

	memset(out, 0, STATEMENT_ID_BYTES);
	if (t)
		memcpy(out, t->digest, STATEMENT_ID_BYTES);
}

/* We talk to it as to a member. */
static bool trusts(const struct acquaintance *a)
{
	return a->knows || a->is_vouched;
}

/* ---- Sending statements ------------------------------------------------------------ */

/* A series of STATEMENTS on its way out. */
struct series {
	struct session *s;
	struct now now;
	size_t skip;                /* so many of the first are held there */
	const struct short_id *ids; /* as are these, ascending */
	size_t id_count;
	const struct trust_node *until; /* up to the statement that ended its keys; or NULL */
	const struct record_id *only;   /* the succession of this node; or NULL: all */
	size_t seen;
	struct buf bytes; /* of the message at hand */
	size_t sizes[STATEMENTS_COUNT_MAX];
	size_t count;
	bool has_said; /* any */
	enum err rc;
};

static struct short_id short_id_of(const struct statement_id *id)
{
	struct short_id out;

	memcpy(out.bytes, id->bytes, SHORT_ID_BYTES);
	return out;
}

static int compare_ids(const void *a, const void *b)
{
	return short_id_cmp(a, b);
}

static enum err say_statements(struct session *s, struct now now, const struct bytes *list,
			       size_t count)
{
	struct message m = { .type = MESSAGE_STATEMENTS };

	m.u.statements = (struct message_statements){ list, count };
	return session_say(s, now, &m);
}

static enum err flush(struct series *x)
{
	struct bytes *list;
	const uint8_t *at = x->bytes.data;
	enum err rc = buf_check(&x->bytes);

	if (rc || x->count == 0)
		return rc;
	list = calloc(x->count, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	for (size_t i = 0; i < x->count; at += x->sizes[i++])
		list[i] = bytes_of(at, x->sizes[i]);
	rc = say_statements(x->s, x->now, list, x->count);
	x->has_said = true;
	free(list);
	buf_clear(&x->bytes);
	x->count = 0;
	return rc;
}

/* Since this, the node is none or has other keys. */
static bool is_end_of(const struct trust_node *node, const struct statement *st)
{
	if (st->type == STATEMENT_REVOKE)
		return record_id_cmp(&st->u.revoke.node, &node->node) == 0;
	return st->type == STATEMENT_EPOCH &&
	       replica_id_cmp(&st->u.epoch.identity.replica, &node->current) == 0;
}

static bool add_statement(void *ctx, const struct statement *st, struct bytes encoded,
			  enum verdict verdict)
{
	struct series *x = ctx;
	struct short_id id = short_id_of(&st->id);

	if (x->seen++ < x->skip || (x->only && !succession_has(x->only, st)) ||
	    (x->id_count && bsearch(&id, x->ids, x->id_count, sizeof(id), compare_ids)))
		return true;
	buf_append(&x->bytes, encoded.data, encoded.size);
	x->sizes[x->count++] = encoded.size;
	if (x->count == STATEMENTS_COUNT_MAX || x->bytes.size >= STATEMENTS_BYTES_CLOSE)
		x->rc = flush(x);
	if (x->rc == OK)
		x->rc = session_check_outgoing(x->s, NULL);
	return x->rc == OK && !(x->until && is_end_of(x->until, st));
}

static enum err send_series(struct series *x, struct errmsg *msg)
{
	enum err rc = replica_each_statement(x->s->config.replica, add_statement, x, msg);

	if (rc == OK)
		rc = x->rc;
	if (rc == OK)
		rc = flush(x);
	if (rc == OK)
		x->s->who.offered = x->seen;
	buf_release(&x->bytes);
	return rc;
}

/* All statements but the first `skip` and those with these ids. */
static enum err send_others(struct session *s, struct now now, size_t skip,
			    const struct short_id *ids, size_t id_count, struct errmsg *msg)
{
	struct series x = { .s = s, .now = now, .skip = skip, .ids = ids, .id_count = id_count };

	return send_series(&x, msg);
}

enum err session_dismiss(struct session *s, struct now now, struct errmsg *msg)
{
	struct series x = {
		.s = s, .now = now, .skip = s->who.offered, .until = session_former(s)
	};

	return send_series(&x, msg);
}

enum err session_present(struct session *s, struct now now, struct errmsg *msg)
{
	enum err rc = send_others(s, now, 0, NULL, 0, msg);

	return rc == OK ? say_statements(s, now, NULL, 0) : rc;
}

/* To one who knows neither our key nor, as it seems, what our statements rest on. */
static enum err show_succession(struct session *s, struct now now, struct errmsg *msg)
{
	const struct member *self = replica_self(s->config.replica);
	struct series x = { .s = s, .now = now, .only = self ? &self->node : NULL };
	enum err rc = self ? send_series(&x, msg) : OK;

	if (rc == OK && !x.has_said)
		rc = errmsg_set(msg, ERR_HANDSHAKE, "neither side knows the other's key");
	return rc == OK ? say_statements(s, now, NULL, 0) : rc;
}

/* What has come to us since; then a PING, whose answer says that the peer has it. */
static enum err push(struct session *s, struct now now, struct errmsg *msg)
{
	struct message ping = { .type = MESSAGE_PING };
	enum err rc;

	if (s->who.offered >= statement_count(s))
		return OK;
	rc = send_others(s, now, s->who.offered, NULL, 0, msg);
	if (rc)
		return rc;
	dice_fill(s->config.dice, &s->who.settle_nonce, sizeof(s->who.settle_nonce));
	s->who.is_settling = true;
	ping.u.ping.nonce = s->who.settle_nonce;
	return session_say(s, now, &ping);
}

/* ---- Saying whom we know ------------------------------------------------------------- */

static enum err say_trust(struct session *s, struct now now)
{
	struct message m = { .type = MESSAGE_TRUST };

	/* Who is unknown learns nothing, not even which set of statements that is by. */
	m.u.trust.is_known = trusts(&s->who);
	if (m.u.trust.is_known)
		copy_digest(s, m.u.trust.digest);
	/* What is damaged here is lacking: another set than the peer's is compared by ids. */
	s->who.says_lack = m.u.trust.is_known && replica_lacks_statement(s->config.replica);
	if (s->who.says_lack)
		m.u.trust.digest[0] ^= 0xff;
	memcpy(s->who.said_digest, m.u.trust.digest, STATEMENT_ID_BYTES);
	s->who.awaits_end = !m.u.trust.is_known;
	link_limit(&s->link,
		   m.u.trust.is_known ? PROTO_MESSAGE_BYTES_MAX : STRANGER_MESSAGE_BYTES_MAX);
	s->who.offered = statement_count(s);
	return session_say(s, now, &m);
}

struct id_list {
	struct short_id *ids;
	size_t count, room;
};

static bool add_id(void *ctx, const struct statement *st, struct bytes encoded,
		   enum verdict verdict)
{
	struct id_list *list = ctx;

	if (list->count < list->room)
		list->ids[list->count] = short_id_of(&st->id);
	list->count++;
	return true;
}

/* The ids of all that we hold: the peer sends what is missing. */
static enum err ask_for_missing(struct session *s, struct now now, struct errmsg *msg)
{
	struct message m = { .type = MESSAGE_TRUST };
	struct id_list list = { .room = statement_count(s) };
	enum err rc;

	list.ids = calloc(list.room + 1, sizeof(*list.ids));
	if (!list.ids)
		return ERR_NOMEM;
	rc = replica_each_statement(s->config.replica, add_id, &list, msg);
	if (rc == OK && (list.count == list.room || (list.count < list.room && s->who.says_lack))) {
		qsort(list.ids, list.count, sizeof(*list.ids), compare_ids);
		m.u.trust = (struct message_trust){ .is_known = true,
						    .ids = list.ids,
						    .count = list.count };
		copy_digest(s, m.u.trust.digest);
		s->who.has_asked = s->who.awaits_end = true;
		rc = session_say(s, now, &m);
	} else if (rc == OK) {
		rc = errmsg_set(msg, ERR_CORRUPT, "statements were counted wrongly");
	}
	free(list.ids);
	return rc;
}

static enum err say_hello(struct session *s, struct now now)
{
	const struct replica *r = s->config.replica;
	const char *tzdata = s->config.tzdata ? s->config.tzdata : "";
	struct message m = { .type = MESSAGE_HELLO };

	m.u.hello = (struct message_hello){
		.version = PROTOCOL_VERSION,
		.replica = *replica_id(r),
		.wall_ms = now.wall_ms,
		.program = bytes_of_str(HUITONG_VERSION),
		.tzdata = bytes_of_str(tzdata),
	};
	memcpy(m.u.hello.org, replica_org(r), ORG_ID_BYTES);
	if (m.u.hello.tzdata.size > VERSION_TEXT_MAX)
		m.u.hello.tzdata.size = VERSION_TEXT_MAX;
	return session_say(s, now, &m);
}

enum err session_meet(struct session *s, struct now now, struct errmsg *msg)
{
	enum err rc;

	copy_digest(s, s->who.judged_digest);
	rc = say_trust(s, now);
	return rc == OK && trusts(&s->who) ? say_hello(s, now) : rc;
}

/* ---- What follows from what was heard ------------------------------------------------- */

static bool are_equal(const struct acquaintance *a)
{
	return memcmp(a->said_digest, a->heard_digest, STATEMENT_ID_BYTES) == 0;
}

/* Both hold the same, and have known each other by it. */
static bool is_agreed(const struct acquaintance *a)
{
	return a->knows && a->is_known && !a->awaits_end &&
	       (are_equal(a) || (a->has_asked && a->has_answered));
}

static enum err go_on(struct session *s, struct now now, struct errmsg *msg)
{
	struct acquaintance *a = &s->who;
	enum err rc;

	if (!a->has_heard)
		return OK;
	if (!trusts(a) && !a->is_known && s->config.is_dialler)
		return show_succession(s, now, msg);
	if (!trusts(a))
		return OK; /* it presents by what we should, or shows its succession */
	if (!a->is_known && !a->has_presented) {
		a->has_presented = true;
		s->patient_ms = now.mono_ms; /* it has much to look at */
		return session_present(s, now, msg);
	}
	if (a->is_known && !are_equal(a) && !a->has_asked)
		return ask_for_missing(s, now, msg);
	if (!is_agreed(a) || !a->has_hello)
		return OK;
	rc = session_open(s, now, msg);
	return rc == OK ? push(s, now, msg) : rc;
}

/* What one presented whom we did not know is complete. */
static enum err judge_again(struct session *s, struct now now, struct errmsg *msg)
{
	bool was_vouched = s->who.is_vouched;
	enum err rc = session_judge(s, &s->who.knows, msg);

	if (rc)
		return rc;
	if (!s->who.knows)
		return errmsg_set(msg, ERR_HANDSHAKE, "the other side's key is not a member's");
	s->who.is_vouched = false;
	return was_vouched ? OK : session_meet(s, now, msg);
}

/* The succession that one shows whom we don't know, and who does not know us. */
static enum err follow(struct session *s, struct now now, const struct message_statements *list,
		       struct errmsg *msg)
{
	struct acquaintance *a = &s->who;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < list->count; i++)
		rc = succession_follow(&a->shown, s->config.replica, list->list[i]);
	if (rc == ERR_NOMEM || (rc == OK && list->count))
		return rc;
	a->is_vouched = rc == OK && succession_leads_to(&a->shown, link_remote_key(&s->link));
	if (!a->is_vouched)
		return errmsg_set(msg, ERR_HANDSHAKE, "neither side knows the other's key");
	rc = session_meet(s, now, msg);
	return rc == OK ? go_on(s, now, msg) : rc;
}

/* ---- Hearing ------------------------------------------------------------------------ */

/* The peer lacks what is not in its list. */
static enum err answer_ids(struct session *s, struct now now, const struct message_trust *t,
			   struct errmsg *msg)
{
	struct acquaintance *a = &s->who;
	enum err rc;

	if (!trusts(a) || !a->is_known || are_equal(a) || a->has_answered)
		return errmsg_set(msg, ERR_PROTOCOL, "statements are compared out of turn");
	a->has_answered = true;
	rc = send_others(s, now, 0, t->ids, t->count, msg);
	if (rc == OK)
		rc = say_statements(s, now, NULL, 0);
	return rc == OK ? go_on(s, now, msg) : rc;
}

enum err session_on_trust(struct session *s, struct now now, const struct message *m,
			  struct errmsg *msg)
{
	const struct message_trust *t = &m->u.trust;
	struct acquaintance *a = &s->who;

	if (t->count)
		return answer_ids(s, now, t, msg);
	if (a->is_known || (a->has_heard && !t->is_known))
		return errmsg_set(msg, ERR_PROTOCOL, "says twice whom it knows");
	a->has_heard = true;
	a->is_known = t->is_known;
	memcpy(a->heard_digest, t->digest, STATEMENT_ID_BYTES);
	return go_on(s, now, msg);
}

/* One who presents statements may not do so without end. */
static enum err count_presented(struct session *s, const struct message_statements *m,
				struct errmsg *msg)
{
	for (size_t i = 0; i < m->count; i++)
		s->who.presented_bytes += m->list[i].size;
	if (trusts(&s->who) || s->who.presented_bytes <= STRANGER_BYTES_MAX)
		return OK;
	return errmsg_set(msg, ERR_LIMIT, "more than %d MiB of statements",
			  STRANGER_BYTES_MAX >> 20);
}

static enum err take(struct session *s, struct now now, const struct message_statements *m,
		     struct errmsg *msg)
{
	size_t before = statement_count(s);
	struct statements_receipt receipt = { 0 };
	enum err rc = OK;

	if (!s->aside)
		s->aside = aside_new();
	if (!s->aside)
		return ERR_NOMEM;
	rc = replica_hear_statements(s->config.replica, m->list, m->count, s->aside, now.wall_ms,
				     &receipt, msg);
	if (rc)
		return rc;
	/* What came from the peer need not go back to it. */
	if (s->who.offered == before)
		s->who.offered = statement_count(s);
	s->news.must_renew = s->news.must_renew || receipt.vv_went_back;
	s->news.has_new_trust = s->news.has_new_trust || receipt.added;
	/* Somebody without statements of this organisation can't hold us up: only new ones
	 * that verify give more time. */
	if (receipt.added && s->state == SESSION_TRUST)
		s->patient_ms = now.mono_ms;
	if (receipt.set_aside)
		snprintf(s->warning, sizeof(s->warning), "statements were set aside: %.400s",
			 receipt.notice.code ? receipt.notice.text : "what they need was");
	if (receipt.refusal.code == OK)
		return OK;
	*msg = receipt.refusal;
	return msg->code;
}

enum err session_on_statements(struct session *s, struct now now, const struct message *m,
			       struct errmsg *msg)
{
	const struct message_statements *list = &m->u.statements;
	struct acquaintance *a = &s->who;
	bool is_end = list->count == 0;
	/* A member may say more at any time, and does before it refuses us; also one whose
	 * new key we have not heard of. */
	bool is_refusal = !is_end && (trusts(a) || !a->has_heard);
	bool is_due = (a->awaits_end && a->is_known) || is_refusal;
	bool is_succession = !trusts(a) && a->has_heard && !a->is_known && !s->config.is_dialler;
	enum err rc;

	if (is_succession) {
		rc = count_presented(s, list, msg);
		return rc == OK ? follow(s, now, list, msg) : rc;
	}
	if (s->state == SESSION_OPEN ? is_end : !is_due)
		return errmsg_set(msg, ERR_PROTOCOL, "statements that were not asked for");
	rc = count_presented(s, list, msg);
	if (rc == OK && !is_end)
		rc = take(s, now, list, msg);
	if (rc == OK && s->state == SESSION_OPEN)
		rc = session_note_trust(s, now, msg);
	if (rc || !is_end)
		return rc;
	a->awaits_end = false;
	if (!a->knows)
		rc = judge_again(s, now, msg);
	return rc == OK ? go_on(s, now, msg) : rc;
}

enum err session_on_hello(struct session *s, struct now now, const struct message *m,
			  struct errmsg *msg)
{
	const struct message_hello *h = &m->u.hello;
	const struct replica *r = s->config.replica;

	if (s->who.has_hello || !s->who.is_known)
		return errmsg_set(msg, ERR_PROTOCOL, "hello is not legal now");
	if (h->version != PROTOCOL_VERSION)
		return errmsg_set(msg, ERR_VERSION, "version %llu of the protocol, ours is %d",
				  (unsigned long long)h->version, PROTOCOL_VERSION);
	if (memcmp(h->org, replica_org(r), ORG_ID_BYTES) != 0)
		return errmsg_set(msg, ERR_ORG, "the other side belongs to another organisation");
	if (replica_id_cmp(&h->replica, replica_id(r)) == 0)
		return errmsg_set(msg, ERR_REPLICA,
				  "the other side says that it is this replica: a copied database");
	s->skew_ms = (int64_t)h->wall_ms - (int64_t)now.wall_ms;
	s->who.has_hello = true;
	s->who.replica = h->replica;
	return go_on(s, now, msg);
}

/* ---- Later in the session -------------------------------------------------------------- */

enum err session_on_pong(struct session *s, struct now now, const struct message *m,
			 struct errmsg *msg)
{
	if (m->u.pong.nonce == s->who.settle_nonce)
		s->who.is_settling = false;
	return OK;
}

/* Cuts may have moved: soon, and not more often than sessions are made anew for it. */
static void look_for_room(struct session *s, struct now now)
{
	uint64_t at = s->began_ms + HELD_RETRY_MS;

	if (at < now.mono_ms)
		at = now.mono_ms;
	if (s->room_look_ms > at)
		s->room_look_ms = at;
}

enum err session_note_trust(struct session *s, struct now now, struct errmsg *msg)
{
	uint8_t digest[STATEMENT_ID_BYTES];
	bool is_member = true;
	enum err rc = OK, said = OK;

	copy_digest(s, digest);
	if (memcmp(digest, s->who.judged_digest, sizeof(digest)) == 0)
		return OK;
	memcpy(s->who.judged_digest, digest, sizeof(digest));
	look_for_room(s, now);
	if (s->who.knows)
		rc = session_judge(s, &is_member, msg);
	if (rc == OK && !is_member)
		rc = errmsg_set(msg, ERR_REVOKED, "the other side is no longer a member");
	if (s->state == SESSION_OPEN && rc == OK)
		return push(s, now, msg);
	if (s->state == SESSION_OPEN && session_is_told(rc))
		said = session_dismiss(s, now, NULL);
	return said ? said : rc;
}
