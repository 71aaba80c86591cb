/* A session of ours, and a peer that holds a member's key but says what the test
 * wants it to say. */
#ifndef HT_TESTS_SYNC_TALK_H
#define HT_TESTS_SYNC_TALK_H

#include <stdio.h>
#include <stdlib.h>

#include "core/trust.h"
#include "proto/message.h"
#include "sync/link.h"
#include "sync/session.h"
#include "tests/support/office.h"

enum { INBOX_MAX = 256 }; /* messages kept; the rest is not looked at */

struct party {
	struct office office;
	struct noise_keypair key;
	struct prng prng;
	struct dice dice;
};

struct talk {
	struct party ours, theirs;
	struct space_id space, directory; /* `space` is shared by both */
	struct now now;
	struct session *session;
	struct arena arena; /* the session's, as is the next */
	struct pack pack;
	struct link peer;
	struct errmsg peer_error;
	struct buf inbox[INBOX_MAX]; /* what the session said, oldest first */
	size_t inbox_count;
	bool has_ended; /* the session said all */
};

static inline void party_init(struct party *p, uint64_t seed)
{
	uint8_t secret[32];

	office_open(&p->office, NULL, seed);
	prng_init(&p->prng, seed + 1);
	p->dice = prng_dice(&p->prng);
	prng_fill(&p->prng, secret, sizeof(secret));
	noise_keypair_from_secret(&p->key, secret);
	memcpy(p->office.identity.noise_key, p->key.public_key, NOISE_KEY_BYTES);
}

/* Two members that hold the same. */
static inline void talk_init(struct talk *t)
{
	*t = (struct talk){ .now = { OFFICE_NOW_MS, 1000 } };
	party_init(&t->ours, 100);
	party_init(&t->theirs, 200);
	office_found(&t->ours.office, "SHA");
	office_join(&t->theirs.office, &t->ours.office, "FRA");
	t->space = office_share(&t->ours.office);
	t->directory = replica_directory(t->ours.office.replica);
	office_pull(&t->theirs.office, &t->ours.office);
}

/* The session listens, or dials a peer with this key. */
static inline void talk_open(struct talk *t, bool session_dials, const uint8_t *expected_key)
{
	struct session_config ours = { .replica = t->ours.office.replica,
				       .key = &t->ours.key,
				       .sign_key = t->ours.office.identity.sign_key,
				       .dice = &t->ours.dice,
				       .arena = &t->arena,
				       .pack = &t->pack,
				       .tzdata = "2025b",
				       .is_dialler = session_dials,
				       .expected_key = expected_key };
	struct link_config theirs = { .is_dialler = !session_dials,
				      .org = replica_org(t->ours.office.replica),
				      .static_key = &t->theirs.key,
				      .dice = &t->theirs.dice,
				      .purpose = PREAMBLE_SYNC };

	OFFICE_MUST(session_new(&t->session, &ours, t->now));
	OFFICE_MUST(link_init(&t->peer, &theirs));
}

static inline void talk_release(struct talk *t)
{
	session_free(t->session);
	link_release(&t->peer);
	for (size_t i = 0; i < t->inbox_count; i++)
		buf_release(&t->inbox[i]);
	arena_release(&t->arena);
	pack_release(&t->pack);
	office_close(&t->ours.office);
	office_close(&t->theirs.office);
}

/* ---- Bytes --------------------------------------------------------------------- */

static inline void peer_keep(struct talk *t, struct bytes message)
{
	struct arena arena = ARENA_EMPTY;

	if (t->inbox_count == INBOX_MAX)
		return;
	if (pack_is_frame(message))
		OFFICE_MUST(pack_restore(&t->pack, message, CHANGES_BYTES_MAX, &arena, &message));
	buf_append(&t->inbox[t->inbox_count++], message.data, message.size);
	arena_release(&arena);
}

static inline enum err peer_read(struct talk *t, struct bytes data)
{
	enum link_event event = LINK_NEEDS_INPUT;
	struct bytes message = bytes_of(NULL, 0);
	enum err rc;

	do {
		rc = link_read(&t->peer, &data, &event, &message, &t->peer_error);
		if (rc == OK && event == LINK_KEY)
			rc = link_accept(&t->peer);
		if (rc == OK && event == LINK_MESSAGE)
			peer_keep(t, message);
		t->has_ended = t->has_ended || event == LINK_END;
	} while (rc == OK && event != LINK_NEEDS_INPUT && event != LINK_END);
	return rc;
}

/* One crossing in each direction; false when nothing was on its way. */
static inline bool talk_exchange(struct talk *t)
{
	struct buf there = BUF_EMPTY, here = BUF_EMPTY;
	struct bytes out = session_outgoing(t->session);
	bool any;

	buf_append(&there, out.data, out.size);
	session_sent(t->session, out.size);
	buf_append(&here, t->peer.out.data, t->peer.out.size);
	buf_clear(&t->peer.out);
	any = there.size || here.size;
	if (there.size && !t->has_ended && peer_read(t, buf_bytes(&there)) != OK)
		t->has_ended = true;
	if (here.size)
		session_receive(t->session, t->now, buf_bytes(&here));
	session_check(t->session);
	buf_release(&there);
	buf_release(&here);
	return any;
}

static inline void talk_run(struct talk *t)
{
	while (talk_exchange(t))
		;
}

/* ---- Messages -------------------------------------------------------------------- */

static inline void peer_says_bytes(struct talk *t, struct bytes encoded)
{
	OFFICE_MUST(link_send(&t->peer, encoded));
	talk_run(t);
}

static inline void peer_says(struct talk *t, const struct message *m)
{
	struct buf encoded = BUF_EMPTY;

	message_encode(&encoded, m);
	peer_says_bytes(t, buf_bytes(&encoded));
	buf_release(&encoded);
}

/* What `who` holds, and that it knows the session's key. */
static inline int short_ids_cmp(const void *a, const void *b)
{
	return short_id_cmp(a, b);
}

/* Ascending, as TRUST has them; from the list's arena. */
static inline struct short_id *short_ids_of(struct statement_list *l)
{
	struct short_id *ids = arena_array(&l->arena, l->count, sizeof(*ids));

	for (size_t i = 0; i < l->count; i++)
		memcpy(ids[i].bytes, l->ids[i].bytes, SHORT_ID_BYTES);
	qsort(ids, l->count, sizeof(*ids), short_ids_cmp);
	return ids;
}

static inline struct message trust_of(const struct office *who)
{
	struct message m = { .type = MESSAGE_TRUST };

	m.u.trust.is_known = true;
	memcpy(m.u.trust.digest, replica_trust(who->replica)->digest, STATEMENT_ID_BYTES);
	return m;
}

static inline void peer_says_trust(struct talk *t)
{
	struct message m = trust_of(&t->theirs.office);

	peer_says(t, &m);
}

static inline struct message peer_hello(const struct talk *t)
{
	struct message m = { .type = MESSAGE_HELLO };

	m.u.hello = (struct message_hello){ .version = PROTOCOL_VERSION,
					    .replica = *replica_id(t->theirs.office.replica),
					    .wall_ms = t->now.wall_ms,
					    .program = bytes_of_str("test") };
	memcpy(m.u.hello.org, replica_org(t->ours.office.replica), ORG_ID_BYTES);
	return m;
}

static inline void peer_says_hello(struct talk *t)
{
	struct message m = peer_hello(t);

	peer_says(t, &m);
}

/* All of a space, as `who` holds it. */
static inline void peer_says_have(struct talk *t, const struct office *who,
				  const struct space_id *space)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct arena arena = ARENA_EMPTY;
	struct tip *tips;
	size_t count;

	OFFICE_MUST(replica_tips(who->replica, space, &arena, &tips, &count));
	m.u.have = (struct message_have){ *space, true, false, tips, count };
	peer_says(t, &m);
	arena_release(&arena);
}

static inline void peer_says_ack(struct talk *t, const struct space_id *space)
{
	struct message m = { .type = MESSAGE_HAVE };

	m.u.have = (struct message_have){ .space = *space, .is_ack = true };
	peer_says(t, &m);
}

/* What the first of a run continues, as `who` has it; zeros if it has nothing there. */
static inline void tag_before(const struct office *who, const struct space_id *space,
			      const struct sealed *first, uint8_t out[TAG_BYTES])
{
	struct dot before = { first->replica, first->seq - 1 };

	memset(out, 0, TAG_BYTES);
	if (replica_tag(who->replica, space, &before, out, NULL) != OK)
		memset(out, 0, TAG_BYTES);
}

/* The list as runs, whose room is for as many; their number. */
static inline size_t make_runs(const struct office *who, const struct space_id *space,
			       const struct sealed *list, size_t count, struct run *runs)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_next = used && list[i].seq == list[i - 1].seq + 1 &&
			       replica_id_cmp(&list[i].replica, &list[i - 1].replica) == 0;

		if (is_next) {
			runs[used - 1].count++;
			continue;
		}
		runs[used] = (struct run){ .list = &list[i], .count = 1 };
		tag_before(who, space, &list[i], runs[used++].tag_before);
	}
	return used;
}

static inline void peer_says_changes_of(struct talk *t, const struct office *who,
					const struct space_id *space, const struct sealed *list,
					size_t count)
{
	struct message m = { .type = MESSAGE_CHANGES };
	struct run *runs = calloc(count, sizeof(*runs));

	m.u.changes.space = *space;
	m.u.changes.runs = runs;
	m.u.changes.run_count = make_runs(who, space, list, count, runs);
	peer_says(t, &m);
	free(runs);
}

static inline void peer_says_changes(struct talk *t, const struct space_id *space,
				     const struct sealed *list, size_t count)
{
	peer_says_changes_of(t, &t->theirs.office, space, list, count);
}

/* Up to the point where the session knows that the peer has its directory. */
static inline void talk_begin(struct talk *t)
{
	talk_open(t, false, NULL);
	talk_run(t);
	peer_says_trust(t);
	peer_says_hello(t);
	peer_says_have(t, &t->ours.office, &t->directory);
}

/* How many changesets of a space somebody holds. */
static inline uint64_t talk_held(const struct office *o, const struct space_id *space)
{
	const struct vv *vv = replica_vv(o->replica, space);
	uint64_t count = 0;

	for (size_t i = 0; i < vv->count; i++)
		count += vv->entries[i].seq;
	return count;
}

/* One side writes so much into the space that both share. */
static inline void talk_write(struct talk *t, struct office *o, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		office_item(o, &t->space, "确认活动方案");
	if (o == &t->ours.office && t->session)
		session_wake(t->session, t->now, &t->space);
}

/* How many messages of the type the session said, from the message `since` on. */
static inline size_t talk_count(const struct talk *t, size_t since, enum message_type type)
{
	size_t count = 0;

	for (size_t i = since; i < t->inbox_count; i++) {
		enum message_type found;

		OFFICE_MUST(message_peek(buf_bytes(&t->inbox[i]), &found));
		count += found == type;
	}
	return count;
}

/* The newest message of the type; its parts live in `arena`. */
static inline struct message talk_last(const struct talk *t, enum message_type type,
				       struct arena *arena)
{
	for (size_t i = t->inbox_count; i-- > 0;) {
		struct message m;

		OFFICE_MUST(message_decode(&m, buf_bytes(&t->inbox[i]), arena, &msg));
		if (m.type == type)
			return m;
	}
	fprintf(stderr, "no %s was said\n", message_name(type));
	abort();
}

#endif
