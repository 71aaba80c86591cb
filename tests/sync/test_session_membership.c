/* sync/session: statements before anything else, and who is served what by them; also
 * with a peer that shows others' statements, none, or too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/wire.h"
#include "proto/limits.h"
#include "tests/sync/revoke.h"
#include "tests/sync/talk.h"

static void assert_refused(struct talk *t, enum err rc)
{
	struct arena arena = ARENA_EMPTY;
	struct message bye = talk_last(t, MESSAGE_BYE, &arena);

	assert_int_equal(session_state(t->session), SESSION_CLOSED);
	assert_int_equal(session_end(t->session)->code, rc);
	assert_true(bytes_equal(bye.u.bye.name, bytes_of_str(err_name(rc))));
	assert_int_equal(talk_count(t, 0, MESSAGE_CHANGES), 0);
	arena_release(&arena);
}

static size_t statement_count(const struct office *o)
{
	return replica_trust(o->replica)->statement_count;
}

/* ---- What is said ------------------------------------------------------------------ */

static void peer_says_statements(struct talk *t, const struct bytes *list, size_t count)
{
	struct message m = { .type = MESSAGE_STATEMENTS };

	m.u.statements = (struct message_statements){ list, count };
	peer_says(t, &m);
}

/* All that `who` holds, and that this was all. */
static void peer_presents(struct talk *t, const struct office *who)
{
	struct statement_list l = office_statements(who);

	peer_says_statements(t, l.list, l.count);
	if (session_state(t->session) != SESSION_CLOSED)
		peer_says_statements(t, NULL, 0);
	statement_list_release(&l);
}

static void peer_says_ids(struct talk *t, const struct office *who)
{
	struct message m = trust_of(who);
	struct statement_list l = office_statements(who);

	m.u.trust.ids = short_ids_of(&l);
	m.u.trust.count = l.count;
	peer_says(t, &m);
	statement_list_release(&l);
}

static void peer_does_not_know_us(struct talk *t)
{
	struct message m = { .type = MESSAGE_TRUST };

	peer_says(t, &m);
}

static void state_one(struct office *o, struct statement *s)
{
	OFFICE_MUST(replica_state(o->replica, s, NULL, 0, o->now_ms++, &msg));
}

/* Any statement: a space of which only the office itself is a manager. */
static struct space_id make_space(struct office *o)
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

static void revoke_peer(struct talk *t)
{
	revoke(&t->ours.office, t->theirs.key.public_key);
}

/* The peer is a node that ours has not heard of; `through` admitted it. */
static void meet_newcomer(struct talk *t, struct party *newcomer)
{
	party_init(newcomer, 300);
	office_join(&newcomer->office, &t->theirs.office, "NYC");
	office_close(&t->theirs.office);
	t->theirs = *newcomer;
}

static void begin(struct talk *t)
{
	talk_open(t, false, NULL);
	talk_run(t);
}

/* ---- Getting to know each other -------------------------------------------------------- */

static void members_with_the_same_statements_go_on_at_once(void **state)
{
	struct talk t;

	talk_init(&t);
	begin(&t);
	assert_int_equal(t.inbox_count, 2);
	assert_int_equal(talk_count(&t, 0, MESSAGE_TRUST), 1);
	assert_int_equal(talk_count(&t, 0, MESSAGE_HELLO), 1);
	peer_says_trust(&t);
	assert_int_equal(t.inbox_count, 2);
	peer_says_hello(&t);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 0);
	talk_release(&t);
}

static void different_statements_are_exchanged_before_anything_else(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct message m;
	struct talk t;
	size_t before;

	talk_init(&t);
	make_space(&t.ours.office);
	make_space(&t.theirs.office);
	before = statement_count(&t.ours.office);
	begin(&t);
	peer_says_trust(&t);
	peer_says_hello(&t);
	m = talk_last(&t, MESSAGE_TRUST, &arena);
	assert_int_equal(m.u.trust.count, before);
	peer_says_ids(&t, &t.theirs.office);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 2); /* the one, and the end */
	assert_int_equal(session_state(t.session), SESSION_TRUST);
	assert_int_equal(talk_count(&t, 0, MESSAGE_DIGESTS), 0);
	peer_presents(&t, &t.theirs.office);
	assert_int_equal(statement_count(&t.ours.office), before + 1);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	assert_int_equal(talk_count(&t, 0, MESSAGE_DIGESTS), 1);
	arena_release(&arena);
	talk_release(&t);
}

static void member_that_is_news_is_known_by_what_it_presents(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct party newcomer;
	struct message m;
	struct talk t;

	talk_init(&t);
	meet_newcomer(&t, &newcomer);
	begin(&t);
	m = talk_last(&t, MESSAGE_TRUST, &arena);
	assert_false(m.u.trust.is_known);
	assert_null(session_remote_key(t.session));
	peer_says_trust(&t);
	peer_says_hello(&t);
	assert_int_equal(t.inbox_count, 1);
	peer_presents(&t, &t.theirs.office);
	m = talk_last(&t, MESSAGE_TRUST, &arena);
	assert_true(m.u.trust.is_known);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	assert_non_null(session_remote_key(t.session));
	assert_true(session_take_news(t.session).has_new_trust);
	arena_release(&arena);
	talk_release(&t);
}

static void one_who_does_not_know_us_is_shown_all(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct message m;
	struct talk t;

	talk_init(&t);
	begin(&t);
	peer_does_not_know_us(&t);
	m = talk_last(&t, MESSAGE_STATEMENTS, &arena);
	assert_int_equal(m.u.statements.count, 0);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 2);
	assert_int_equal(session_state(t.session), SESSION_TRUST);
	peer_says_trust(&t);
	peer_says_hello(&t);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	arena_release(&arena);
	talk_release(&t);
}

/* It has all of them to look at. */
/* What comes while the two get to know each other is not forgotten. */
static void statement_that_came_meanwhile_follows(void **state)
{
	struct talk t;

	talk_init(&t);
	begin(&t);
	make_space(&t.ours.office);
	session_wake(t.session, t.now, NULL);
	peer_says_trust(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 0);
	peer_says_hello(&t);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 1);
	talk_release(&t);
}

static void other_member_than_the_one_dialled_is_refused(void **state)
{
	struct party third;
	struct talk t;

	talk_init(&t);
	party_init(&third, 300);
	office_join(&third.office, &t.ours.office, "NYC");
	talk_open(&t, true, third.key.public_key);
	talk_run(&t);
	assert_int_equal(session_state(t.session), SESSION_CLOSED);
	assert_int_equal(session_end(t.session)->code, ERR_HANDSHAKE);
	assert_false(link_is_open(&t.peer)); /* our key was not shown */
	office_close(&third.office);
	talk_release(&t);
}

/* Who was removed and let in again is another node, at the same address. */
static void other_member_than_a_removed_one_is_met(void **state)
{
	struct party third;
	struct talk t;

	talk_init(&t);
	party_init(&third, 300);
	office_join(&third.office, &t.ours.office, "NYC");
	revoke(&t.ours.office, third.key.public_key);
	talk_open(&t, true, third.key.public_key);
	talk_run(&t);
	assert_int_not_equal(session_state(t.session), SESSION_CLOSED);
	office_close(&third.office);
	talk_release(&t);
}

static void one_who_is_shown_all_gets_its_time(void **state)
{
	struct talk t;

	talk_init(&t);
	begin(&t);
	t.now.mono_ms += 4000;
	peer_does_not_know_us(&t);
	assert_int_equal(session_deadline(t.session), 5000 + ACCEPT_MS_MAX);
	talk_release(&t);
}

/* ---- Strangers ------------------------------------------------------------------------- */

static void become_stranger(struct talk *t)
{
	noise_keypair_from_secret(&t->theirs.key, (uint8_t[32]){ 7 });
}

static void stranger_learns_nothing(void **state)
{
	static const uint8_t zeros[STATEMENT_ID_BYTES];
	struct arena arena = ARENA_EMPTY;
	struct message m;
	struct talk t;

	talk_init(&t);
	become_stranger(&t);
	begin(&t);
	assert_int_equal(t.inbox_count, 1);
	m = talk_last(&t, MESSAGE_TRUST, &arena);
	assert_false(m.u.trust.is_known);
	assert_int_equal(m.u.trust.count, 0);
	assert_memory_equal(m.u.trust.digest, zeros, sizeof(zeros));
	assert_null(session_remote_key(t.session));
	t.now.mono_ms = session_deadline(t.session);
	assert_int_equal(t.now.mono_ms, 1000 + ACCEPT_MS_MAX);
	session_tick(t.session, t.now);
	assert_int_equal(session_end(t.session)->code, ERR_TIMEOUT);
	arena_release(&arena);
	talk_release(&t);
}

static void strangers_to_each_other_part(void **state)
{
	struct talk t;

	talk_init(&t);
	become_stranger(&t);
	begin(&t);
	peer_does_not_know_us(&t);
	assert_int_equal(session_state(t.session), SESSION_TRUST);
	peer_says_statements(&t, NULL, 0);
	assert_refused(&t, ERR_HANDSHAKE);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 0);
	talk_release(&t);
}

/* Who dials and has the keys it was admitted with has nothing to show. */
static void dialler_that_is_a_stranger_parts_at_once(void **state)
{
	struct talk t;

	talk_init(&t);
	become_stranger(&t);
	talk_open(&t, true, NULL);
	talk_run(&t);
	peer_does_not_know_us(&t);
	assert_refused(&t, ERR_HANDSHAKE);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 0);
	talk_release(&t);
}

static void stranger_that_shows_others_statements_is_refused(void **state)
{
	struct talk t;
	size_t before;

	talk_init(&t);
	become_stranger(&t);
	before = statement_count(&t.ours.office);
	begin(&t);
	peer_says_trust(&t);
	peer_presents(&t, &t.theirs.office);
	assert_refused(&t, ERR_HANDSHAKE);
	assert_int_equal(statement_count(&t.ours.office), before);
	assert_int_equal(talk_count(&t, 0, MESSAGE_HELLO), 0);
	talk_release(&t);
}

static void statement_that_does_not_verify_ends_it(void **state)
{
	struct party newcomer;
	struct statement_list l;
	struct buf wrong = BUF_EMPTY;
	struct talk t;
	size_t before;

	talk_init(&t);
	meet_newcomer(&t, &newcomer);
	before = statement_count(&t.ours.office);
	begin(&t);
	peer_says_trust(&t);
	l = office_statements(&t.theirs.office);
	buf_append(&wrong, l.list[l.count - 1].data, l.list[l.count - 1].size);
	wrong.data[wrong.size - 1] ^= 1; /* of the signature */
	l.list[l.count - 1] = buf_bytes(&wrong);
	peer_says_statements(&t, l.list, l.count);
	assert_refused(&t, ERR_SIGNATURE);
	assert_int_equal(statement_count(&t.ours.office), before);
	buf_release(&wrong);
	statement_list_release(&l);
	talk_release(&t);
}

static void statement_without_its_parents_ends_it(void **state)
{
	struct statement_list l;
	struct talk t;

	talk_init(&t);
	make_space(&t.theirs.office);
	make_space(&t.theirs.office);
	begin(&t);
	peer_says_trust(&t);
	l = office_statements(&t.theirs.office);
	peer_says_statements(&t, &l.list[l.count - 1], 1);
	assert_refused(&t, ERR_CAUSAL);
	statement_list_release(&l);
	talk_release(&t);
}

static void flood_of_statements_ends(void **state)
{
	struct message m = { .type = MESSAGE_STATEMENTS };
	struct statement_list l;
	struct bytes list[STATEMENTS_COUNT_MAX];
	size_t bytes = 0, per_message = 0, count;
	struct talk t;

	talk_init(&t);
	become_stranger(&t);
	begin(&t);
	peer_says_trust(&t);
	l = office_statements(&t.theirs.office);
	for (count = 0; per_message < STATEMENTS_BYTES_CLOSE; count++) {
		list[count] = l.list[count % l.count];
		per_message += list[count].size;
	}
	m.u.statements = (struct message_statements){ list, count };
	while (session_state(t.session) != SESSION_CLOSED) {
		assert_true(bytes <= STRANGER_BYTES_MAX);
		peer_says(&t, &m);
		bytes += per_message;
	}
	assert_refused(&t, ERR_LIMIT);
	/* It got no more time by that. */
	assert_int_equal(session_take_news(t.session).has_new_trust, false);
	statement_list_release(&l);
	talk_release(&t);
}

static void great_message_of_a_stranger_is_cut_off(void **state)
{
	static uint8_t bytes[STRANGER_MESSAGE_BYTES_MAX + 100000];
	struct talk t;

	talk_init(&t);
	become_stranger(&t);
	begin(&t);
	peer_says_trust(&t);
	peer_says_bytes(&t, bytes_of(bytes, sizeof(bytes)));
	assert_refused(&t, ERR_LIMIT);
	talk_release(&t);
}

static void only_new_statements_give_a_stranger_time(void **state)
{
	struct party newcomer;
	struct statement_list l;
	struct talk t;

	talk_init(&t);
	meet_newcomer(&t, &newcomer);
	begin(&t);
	peer_says_trust(&t);
	l = office_statements(&t.theirs.office);
	t.now.mono_ms += 3000;
	peer_says_statements(&t, l.list, 1); /* the genesis: known */
	assert_int_equal(session_deadline(t.session), 1000 + ACCEPT_MS_MAX);
	peer_says_statements(&t, l.list, l.count);
	assert_int_equal(session_deadline(t.session), 4000 + ACCEPT_MS_MAX);
	statement_list_release(&l);
	talk_release(&t);
}

/* ---- Out of turn ------------------------------------------------------------------------- */

static void statements_are_compared_in_turn(void **state)
{
	struct talk t;

	talk_init(&t);
	begin(&t);
	peer_says_trust(&t);
	peer_says_trust(&t);
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	begin(&t);
	peer_says_trust(&t);
	peer_says_ids(&t, &t.theirs.office); /* though the digests are equal */
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	make_space(&t.ours.office);
	begin(&t);
	peer_says_trust(&t);
	peer_says_ids(&t, &t.theirs.office);
	peer_says_ids(&t, &t.theirs.office); /* once more */
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	begin(&t);
	peer_says_statements(&t, NULL, 0); /* nobody asked */
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	make_space(&t.ours.office);
	begin(&t);
	peer_says_trust(&t);
	peer_says_hello(&t);
	peer_says_hello(&t); /* while statements are compared */
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);
}

/* ---- Former members ------------------------------------------------------------------------ */

/* The peer keeps the statements that the session has said; returns how many were new. */
static size_t peer_takes_statements(struct talk *t)
{
	size_t added = 0;

	for (size_t i = 0; i < t->inbox_count; i++) {
		struct statements_receipt receipt;
		struct arena arena = ARENA_EMPTY;
		struct message m;

		OFFICE_MUST(message_decode(&m, buf_bytes(&t->inbox[i]), &arena, &msg));
		if (m.type == MESSAGE_STATEMENTS) {
			OFFICE_MUST(replica_take_statements(
				t->theirs.office.replica, m.u.statements.list, m.u.statements.count,
				t->now.wall_ms, &receipt, &msg));
			added += receipt.added;
		}
		arena_release(&arena);
	}
	return added;
}

static void revoked_peer_is_told_so_and_why_and_nothing_else(void **state)
{
	struct talk t;

	talk_init(&t);
	revoke_peer(&t);
	make_space(&t.ours.office); /* which is none of its business */
	begin(&t);
	assert_refused(&t, ERR_REVOKED);
	assert_int_equal(t.inbox_count, 2);
	assert_int_equal(peer_takes_statements(&t), 1);
	assert_int_equal(replica_check_member(t.theirs.office.replica, NULL), ERR_REVOKED);
	talk_release(&t);
}

static void node_that_is_refused_with_the_reason_learns_of_it(void **state)
{
	struct statement_list l;
	struct talk t;

	talk_init(&t);
	revoke(&t.theirs.office, t.ours.key.public_key); /* of us, by them */
	begin(&t);
	l = office_statements(&t.theirs.office);
	peer_says_statements(&t, l.list, l.count); /* before any TRUST */
	assert_int_equal(replica_check_member(t.ours.office.replica, NULL), ERR_REVOKED);
	statement_list_release(&l);
	talk_release(&t);
}

static void peer_that_is_revoked_in_an_open_session_goes_at_once(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	revoke_peer(&t);
	office_item(&t.ours.office, &t.space, "t");
	session_wake(t.session, t.now, NULL);
	talk_run(&t);
	assert_refused(&t, ERR_REVOKED);
	assert_int_equal(peer_takes_statements(&t), 1);
	assert_int_equal(talk_count(&t, 0, MESSAGE_CHANGES), 0);
	assert_int_equal(replica_check_member(t.theirs.office.replica, NULL), ERR_REVOKED);
	talk_release(&t);
}

static void nothing_is_pushed_to_one_revoked_a_moment_ago(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	office_item(&t.ours.office, &t.space, "t");
	session_wake(t.session, t.now, &t.space);
	assert_true(session_has_work(t.session));
	revoke_peer(&t);
	session_push(t.session, t.now); /* the engine has not noticed yet */
	talk_run(&t);
	assert_refused(&t, ERR_REVOKED);
	talk_release(&t);
}

/* The peer has keys of which we have not heard. */
/* As `huitong rotate` does; the secret part is any. */
static void rotate(struct party *p, uint8_t secret)
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

static void node_that_is_refused_by_one_with_new_keys_learns_of_it(void **state)
{
	struct statement_list l;
	struct talk t;

	talk_init(&t);
	rotate(&t.theirs, 9);
	revoke(&t.theirs.office, t.ours.key.public_key);
	begin(&t);
	l = office_statements(&t.theirs.office);
	peer_says_statements(&t, l.list, l.count);
	assert_int_equal(replica_check_member(t.ours.office.replica, NULL), ERR_REVOKED);
	statement_list_release(&l);
	talk_release(&t);
}

static void peer_with_the_keys_of_before_is_superseded(void **state)
{
	struct noise_keypair before;
	struct talk t;

	talk_init(&t);
	before = t.theirs.key;
	rotate(&t.theirs, 9);
	t.theirs.key = before;
	office_pull_statements(&t.ours.office, &t.theirs.office);
	begin(&t);
	assert_refused(&t, ERR_SUPERSEDED);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 1);
	talk_release(&t);
}

/* ---- New keys on both sides -------------------------------------------------------------- */

/* The peer is a session, too, and dials; it is returned, to be freed. */
static struct session *meet(struct talk *t)
{
	struct session_config theirs = { .replica = t->theirs.office.replica,
					 .key = &t->theirs.key,
					 .sign_key = t->theirs.office.identity.sign_key,
					 .dice = &t->theirs.dice,
					 .arena = &t->arena,
					 .pack = &t->pack,
					 .tzdata = "2025b",
					 .is_dialler = true };
	struct session *list[2];
	bool any = true;

	talk_open(t, false, NULL);
	OFFICE_MUST(session_new(&list[1], &theirs, t->now));
	list[0] = t->session;
	while (any) {
		any = false;
		for (int i = 0; i < 2; i++) {
			struct buf sent = BUF_EMPTY;
			struct bytes out = session_outgoing(list[i]);

			any |= out.size > 0;
			buf_append(&sent, out.data, out.size);
			session_sent(list[i], out.size);
			session_receive(list[1 - i], t->now, buf_bytes(&sent));
			session_check(list[1 - i]);
			buf_release(&sent);
		}
	}
	return list[1];
}

static void members_that_both_have_new_keys_meet(void **state)
{
	struct session *theirs;
	struct talk t;

	talk_init(&t);
	make_space(&t.ours.office); /* what comes after rests on what the other lacks */
	make_space(&t.theirs.office);
	rotate(&t.ours, 8);
	for (uint8_t i = 9; i < 12; i++)
		rotate(&t.theirs, i);
	theirs = meet(&t);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	assert_int_equal(session_state(theirs), SESSION_OPEN);
	assert_memory_equal(replica_trust(t.ours.office.replica)->digest,
			    replica_trust(t.theirs.office.replica)->digest, STATEMENT_ID_BYTES);
	session_free(theirs);
	talk_release(&t);
}

static void assert_parted(struct talk *t)
{
	size_t before = statement_count(&t->ours.office);
	struct session *theirs = meet(t);

	assert_int_equal(session_state(t->session), SESSION_CLOSED);
	assert_int_equal(session_end(t->session)->code, ERR_HANDSHAKE);
	assert_int_equal(session_state(theirs), SESSION_CLOSED);
	assert_int_equal(statement_count(&t->ours.office), before);
	session_free(theirs);
	talk_release(t);
}

static void new_keys_of_a_node_that_was_removed_are_refused(void **state)
{
	struct talk t;

	talk_init(&t);
	revoke_peer(&t);
	rotate(&t.ours, 8);
	rotate(&t.theirs, 9);
	assert_parted(&t);
}

/* Somebody has all that FRA has said, and not its keys. */
static void new_keys_of_another_open_no_door(void **state)
{
	struct talk t;

	talk_init(&t);
	rotate(&t.ours, 8);
	rotate(&t.theirs, 9);
	become_stranger(&t);
	assert_parted(&t);
}

static void keys_that_do_not_follow_each_other_are_refused(void **state)
{
	struct statement_list l;
	struct bytes shown[2];
	struct talk t;
	size_t before;

	talk_init(&t);
	before = statement_count(&t.theirs.office);
	for (uint8_t i = 9; i < 12; i++)
		rotate(&t.theirs, i);
	l = office_statements(&t.theirs.office);
	shown[0] = l.list[before];
	shown[1] = l.list[before + 2];
	begin(&t);
	peer_does_not_know_us(&t);
	peer_says_statements(&t, shown, 2);
	assert_refused(&t, ERR_HANDSHAKE);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 0);
	statement_list_release(&l);
	talk_release(&t);
}

static void replica_of_before_is_superseded(void **state)
{
	struct message hello;
	struct talk t;

	talk_init(&t);
	hello = peer_hello(&t); /* as a copy would say that was left behind */
	OFFICE_MUST(replica_new_epoch(t.theirs.office.replica, EPOCH_RESTORED, NULL, NULL,
				      t.now.wall_ms, &msg));
	office_pull_statements(&t.ours.office, &t.theirs.office);
	begin(&t);
	peer_says_trust(&t);
	peer_says(&t, &hello);
	assert_refused(&t, ERR_SUPERSEDED);
	talk_release(&t);
}

static void replica_that_nobody_names_is_refused(void **state)
{
	struct message hello;
	struct talk t;

	talk_init(&t);
	hello = peer_hello(&t);
	hello.u.hello.replica.bytes[0] ^= 1;
	begin(&t);
	peer_says_trust(&t);
	peer_says(&t, &hello);
	assert_refused(&t, ERR_REPLICA);
	talk_release(&t);
}

/* ---- In an open session -----------------------------------------------------------------------
 */

static void new_statements_are_pushed_and_not_sent_back(void **state)
{
	struct statement_list l;
	struct talk t;
	size_t before;

	talk_init(&t);
	talk_begin(&t);
	make_space(&t.ours.office);
	session_wake(t.session, t.now, NULL);
	talk_run(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 1);
	assert_int_equal(talk_count(&t, 0, MESSAGE_PING), 1);
	make_space(&t.theirs.office);
	l = office_statements(&t.theirs.office);
	before = statement_count(&t.ours.office);
	peer_says_statements(&t, &l.list[l.count - 1], 1);
	assert_int_equal(statement_count(&t.ours.office), before + 1);
	session_wake(t.session, t.now, NULL);
	talk_run(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 1);
	statement_list_release(&l);
	talk_release(&t);
}

static void space_is_served_from_the_moment_of_its_grant(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct space_id space;
	struct message m;
	struct talk t;

	talk_init(&t);
	space = make_space(&t.ours.office);
	office_item(&t.ours.office, &space, "t");
	office_pull_statements(&t.theirs.office, &t.ours.office);
	talk_begin(&t);
	assert_int_equal(session_to_send(t.session), 0);
	office_grant(&t.ours.office, &space, "FRA", ROLE_READER);
	session_wake(t.session, t.now, NULL);
	talk_run(&t);
	m = talk_last(&t, MESSAGE_DIGESTS, &arena);
	assert_int_equal(m.u.digests.count, 1);
	assert_memory_equal(m.u.digests.entries[0].space.bytes, space.bytes, ID_BYTES);
	office_pull_statements(&t.theirs.office, &t.ours.office);
	peer_says_have(&t, &t.theirs.office, &space);
	assert_int_equal(session_to_send(t.session), 1);
	session_push(t.session, t.now);
	talk_run(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_CHANGES), 1);
	arena_release(&arena);
	talk_release(&t);
}

static void space_is_not_served_from_the_moment_its_grant_ends(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	office_grant(&t.ours.office, &t.space, "FRA", ROLE_NONE);
	office_item(&t.ours.office, &t.space, "t");
	session_wake(t.session, t.now, NULL);
	while (session_has_work(t.session))
		session_push(t.session, t.now);
	talk_run(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_CHANGES), 0);
	assert_int_equal(session_to_send(t.session), 0);
	talk_release(&t);
}

static void space_that_is_granted_again_is_compared_anew(void **state)
{
	struct talk t;
	size_t before;

	talk_init(&t);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	office_grant(&t.ours.office, &t.space, "FRA", ROLE_NONE);
	session_wake(t.session, t.now, NULL);
	office_item(&t.ours.office, &t.space, "t");
	before = talk_count(&t, 0, MESSAGE_DIGESTS);
	office_grant(&t.ours.office, &t.space, "FRA", ROLE_EDITOR);
	session_wake(t.session, t.now, NULL);
	talk_run(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_DIGESTS), before + 1);
	assert_false(session_has_work(t.session)); /* who knows what it has kept */
	peer_says_have(&t, &t.theirs.office, &t.space);
	assert_true(session_has_work(t.session));
	talk_release(&t);
}

/* What is on its way when the peer says that it takes part no longer. */
static void acknowledgement_after_the_grant_has_ended_is_taken(void **state)
{
	struct statement_list l;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	office_item(&t.ours.office, &t.space, "t");
	session_wake(t.session, t.now, &t.space);
	session_push(t.session, t.now);
	talk_run(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_CHANGES), 1);
	office_grant(&t.theirs.office, &t.space, "FRA", ROLE_NONE);
	l = office_statements(&t.theirs.office);
	peer_says_statements(&t, &l.list[l.count - 1], 1);
	peer_says_ack(&t, &t.space);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	statement_list_release(&l);
	talk_release(&t);
}

static void asking_for_a_space_without_a_part_in_it_is_refused(void **state)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct talk t;

	talk_init(&t);
	m.u.have = (struct message_have){ .space = make_space(&t.ours.office), .is_full = true };
	office_pull_statements(&t.theirs.office, &t.ours.office);
	talk_begin(&t);
	peer_says(&t, &m);
	assert_refused(&t, ERR_GRANT);
	talk_release(&t);
}

static void changeset_of_a_space_without_a_part_in_it_is_not_told(void **state)
{
	struct message m = { .type = MESSAGE_ASK };
	struct talk t;

	talk_init(&t);
	m.u.ask.space = make_space(&t.ours.office);
	m.u.ask.dot = (struct dot){ *replica_id(t.ours.office.replica), 1 };
	office_item(&t.ours.office, &m.u.ask.space, "t");
	office_pull_statements(&t.theirs.office, &t.ours.office);
	talk_begin(&t);
	peer_says(&t, &m);
	assert_refused(&t, ERR_GRANT);
	assert_int_equal(talk_count(&t, 0, MESSAGE_TELL), 0);
	talk_release(&t);
}

static struct sealed *some_changes(struct talk *t, struct arena *arena, size_t *count)
{
	office_item(&t->theirs.office, &t->space, "t");
	return office_log(&t->theirs.office, &t->space, arena, count);
}

static void sending_to_a_space_without_a_part_in_it_is_refused(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct space_id space;
	struct sealed *list;
	struct talk t;
	size_t count;

	talk_init(&t);
	space = make_space(&t.ours.office);
	office_pull_statements(&t.theirs.office, &t.ours.office);
	list = some_changes(&t, &arena, &count);
	talk_begin(&t);
	peer_says_changes(&t, &space, list, count);
	assert_refused(&t, ERR_GRANT);
	assert_int_equal(replica_vv(t.ours.office.replica, &space)->count, 0);
	arena_release(&arena);
	talk_release(&t);
}

/* What is pushed may cross with what the peer says; its PONG ends that. */
/* The first came before the grant had arrived here, the second was behind it. */
static void what_follows_dropped_changes_renews_the_session(void **state)
{
	struct value title = value_str("t");
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct talk t;
	size_t count;

	talk_init(&t);
	for (int i = 0; i < 2; i++)
		office_create(&t.theirs.office, &t.space, KIND_ACTION, ACTION_TITLE, &title);
	list = office_log(&t.theirs.office, &t.space, &arena, &count);
	talk_begin(&t);
	office_grant(&t.ours.office, &t.space, "FRA", ROLE_NONE);
	session_wake(t.session, t.now, NULL);
	talk_run(&t);
	peer_says_changes(&t, &t.space, &list[count - 2], 1);
	office_grant(&t.ours.office, &t.space, "FRA", ROLE_EDITOR);
	session_wake(t.session, t.now, NULL);
	talk_run(&t);
	peer_says_changes(&t, &t.space, &list[count - 1], 1);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	assert_true(session_take_news(t.session).must_renew);
	arena_release(&arena);
	talk_release(&t);
}

static void who_may_not_know_yet_is_excused(void **state)
{
	struct message pong = { .type = MESSAGE_PONG };
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct message m;
	struct talk t;
	size_t count;

	talk_init(&t);
	list = some_changes(&t, &arena, &count);
	talk_begin(&t);
	office_grant(&t.ours.office, &t.space, "FRA", ROLE_NONE);
	session_wake(t.session, t.now, NULL);
	talk_run(&t);
	peer_says_changes(&t, &t.space, list, count);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	m = talk_last(&t, MESSAGE_HAVE, &arena);
	assert_true(m.u.have.is_ack && m.u.have.count == 0);
	assert_int_equal(replica_vv(t.ours.office.replica, &t.space)->count, 0);
	pong.u.pong = talk_last(&t, MESSAGE_PING, &arena).u.ping;
	peer_says(&t, &pong);
	peer_says_changes(&t, &t.space, list, count);
	assert_refused(&t, ERR_GRANT);
	arena_release(&arena);
	talk_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_with_the_same_statements_go_on_at_once),
		cmocka_unit_test(different_statements_are_exchanged_before_anything_else),
		cmocka_unit_test(member_that_is_news_is_known_by_what_it_presents),
		cmocka_unit_test(one_who_does_not_know_us_is_shown_all),
		cmocka_unit_test(statement_that_came_meanwhile_follows),
		cmocka_unit_test(other_member_than_the_one_dialled_is_refused),
		cmocka_unit_test(other_member_than_a_removed_one_is_met),
		cmocka_unit_test(one_who_is_shown_all_gets_its_time),
		cmocka_unit_test(stranger_learns_nothing),
		cmocka_unit_test(strangers_to_each_other_part),
		cmocka_unit_test(dialler_that_is_a_stranger_parts_at_once),
		cmocka_unit_test(members_that_both_have_new_keys_meet),
		cmocka_unit_test(new_keys_of_a_node_that_was_removed_are_refused),
		cmocka_unit_test(new_keys_of_another_open_no_door),
		cmocka_unit_test(keys_that_do_not_follow_each_other_are_refused),
		cmocka_unit_test(stranger_that_shows_others_statements_is_refused),
		cmocka_unit_test(statement_that_does_not_verify_ends_it),
		cmocka_unit_test(statement_without_its_parents_ends_it),
		cmocka_unit_test(flood_of_statements_ends),
		cmocka_unit_test(great_message_of_a_stranger_is_cut_off),
		cmocka_unit_test(only_new_statements_give_a_stranger_time),
		cmocka_unit_test(statements_are_compared_in_turn),
		cmocka_unit_test(revoked_peer_is_told_so_and_why_and_nothing_else),
		cmocka_unit_test(node_that_is_refused_with_the_reason_learns_of_it),
		cmocka_unit_test(node_that_is_refused_by_one_with_new_keys_learns_of_it),
		cmocka_unit_test(peer_that_is_revoked_in_an_open_session_goes_at_once),
		cmocka_unit_test(nothing_is_pushed_to_one_revoked_a_moment_ago),
		cmocka_unit_test(peer_with_the_keys_of_before_is_superseded),
		cmocka_unit_test(replica_of_before_is_superseded),
		cmocka_unit_test(replica_that_nobody_names_is_refused),
		cmocka_unit_test(new_statements_are_pushed_and_not_sent_back),
		cmocka_unit_test(space_is_served_from_the_moment_of_its_grant),
		cmocka_unit_test(space_is_not_served_from_the_moment_its_grant_ends),
		cmocka_unit_test(space_that_is_granted_again_is_compared_anew),
		cmocka_unit_test(acknowledgement_after_the_grant_has_ended_is_taken),
		cmocka_unit_test(asking_for_a_space_without_a_part_in_it_is_refused),
		cmocka_unit_test(changeset_of_a_space_without_a_part_in_it_is_not_told),
		cmocka_unit_test(sending_to_a_space_without_a_part_in_it_is_refused),
		cmocka_unit_test(what_follows_dropped_changes_renews_the_session),
		cmocka_unit_test(who_may_not_know_yet_is_excused),
	};

	return cmocka_run_group_tests_name("sync/session membership", tests, NULL, NULL);
}
