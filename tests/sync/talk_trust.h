/* What a peer says of the membership, in a talk with a session of ours: all that it holds, a part,
 * or nothing; as a member, with new keys, or as a stranger. */
#ifndef HT_TESTS_SYNC_TALK_TRUST_H
#define HT_TESTS_SYNC_TALK_TRUST_H

#include "tests/sync/revoke.h"
#include "tests/sync/talk.h"

static inline size_t statement_count(const struct office *o)
{
	return replica_trust(o->replica)->statement_count;
}

static inline void peer_says_statements(struct talk *t, const struct bytes *list, size_t count)
{
	struct message m = { .type = MESSAGE_STATEMENTS };

	m.u.statements = (struct message_statements){ list, count };
	peer_says(t, &m);
}

/* All that `who` holds, and that this was all. */
static inline void peer_presents(struct talk *t, const struct office *who)
{
	struct statement_list l = office_statements(who);

	peer_says_statements(t, l.list, l.count);
	if (session_state(t->session) != SESSION_CLOSED)
		peer_says_statements(t, NULL, 0);
	statement_list_release(&l);
}

static inline void peer_says_ids(struct talk *t, const struct office *who)
{
	struct message m = trust_of(who);
	struct statement_list l = office_statements(who);

	m.u.trust.ids = short_ids_of(&l);
	m.u.trust.count = l.count;
	peer_says(t, &m);
	statement_list_release(&l);
}

static inline void peer_does_not_know_us(struct talk *t)
{
	struct message m = { .type = MESSAGE_TRUST };

	peer_says(t, &m);
}

static inline void state_one(struct office *o, struct statement *s)
{
	OFFICE_MUST(replica_state(o->replica, s, NULL, 0, o->now_ms++, &msg));
}

/* Any statement: a space of which only the office itself is a manager. */
static inline struct space_id make_space(struct office *o)
{
	struct office_role offices[1] = { { .role = ROLE_MANAGER } };
	struct statement s = { .type = STATEMENT_SPACE };

	memcpy(offices[0].office_code, replica_self(o->replica)->office_code,
	       sizeof(offices[0].office_code));
	prng_fill(&o->prng, s.u.space.nonce, ID_BYTES);
	s.u.space.offices = offices;
	s.u.space.office_count = 1;
	state_one(o, &s);
	return statement_space(&s.id);
}

static inline void revoke_peer(struct talk *t)
{
	revoke(&t->ours.office, t->theirs.key.public_key);
}

/* The peer is a node that ours has not heard of; `through` admitted it. */
static inline void meet_newcomer(struct talk *t, struct party *newcomer)
{
	party_init(newcomer, 300);
	office_join(&newcomer->office, &t->theirs.office, "NYC");
	office_close(&t->theirs.office);
	t->theirs = *newcomer;
}

static inline void begin(struct talk *t)
{
	talk_open(t, false, NULL);
	talk_run(t);
}

static inline void become_stranger(struct talk *t)
{
	noise_keypair_from_secret(&t->theirs.key, (uint8_t[32]){ 7 });
}

/* As `huitong rotate` does; the secret part is any. */
static inline void rotate(struct party *p, uint8_t secret)
{
	uint8_t fresh_sign[SIGN_SECRET_BYTES];
	struct office other;

	office_open(&other, NULL, 900 + secret);
	memcpy(fresh_sign, other.sign_secret, sizeof(fresh_sign));
	office_close(&other);
	noise_keypair_from_secret(&p->key, (uint8_t[32]){ 0, secret });
	OFFICE_MUST(replica_new_epoch(p->office.replica, EPOCH_ROTATED, fresh_sign,
				      p->key.public_key, p->office.now_ms++, &msg));
}

#endif
