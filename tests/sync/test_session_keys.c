/* sync/session: members with new keys, a new replica, or those of before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sync/refused.h"
#include "tests/sync/talk_trust.h"

/* ---- Of the peer ----------------------------------------------------------------------- */

/* The peer has keys of which we have not heard. */
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
	assert_turned_away(&t, ERR_SUPERSEDED);
	assert_int_equal(talk_count(&t, 0, MESSAGE_STATEMENTS), 1);
	talk_release(&t);
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
	assert_turned_away(&t, ERR_HANDSHAKE);
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
	assert_turned_away(&t, ERR_SUPERSEDED);
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
	assert_turned_away(&t, ERR_REPLICA);
	talk_release(&t);
}

/* ---- On both sides ---------------------------------------------------------------------- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(node_that_is_refused_by_one_with_new_keys_learns_of_it),
		cmocka_unit_test(peer_with_the_keys_of_before_is_superseded),
		cmocka_unit_test(keys_that_do_not_follow_each_other_are_refused),
		cmocka_unit_test(replica_of_before_is_superseded),
		cmocka_unit_test(replica_that_nobody_names_is_refused),
		cmocka_unit_test(members_that_both_have_new_keys_meet),
		cmocka_unit_test(new_keys_of_a_node_that_was_removed_are_refused),
		cmocka_unit_test(new_keys_of_another_open_no_door),
	};

	return cmocka_run_group_tests_name("sync/session keys", tests, NULL, NULL);
}
