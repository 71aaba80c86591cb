/* sync/session: statements before anything else; and who is no member any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sync/refused.h"
#include "tests/sync/talk_trust.h"

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

/* ---- Out of turn ------------------------------------------------------------------------- */

static void statements_are_compared_in_turn(void **state)
{
	struct talk t;

	talk_init(&t);
	begin(&t);
	peer_says_trust(&t);
	peer_says_trust(&t);
	assert_turned_away(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	begin(&t);
	peer_says_trust(&t);
	peer_says_ids(&t, &t.theirs.office); /* though the digests are equal */
	assert_turned_away(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	make_space(&t.ours.office);
	begin(&t);
	peer_says_trust(&t);
	peer_says_ids(&t, &t.theirs.office);
	peer_says_ids(&t, &t.theirs.office); /* once more */
	assert_turned_away(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	begin(&t);
	peer_says_statements(&t, NULL, 0); /* nobody asked */
	assert_turned_away(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	make_space(&t.ours.office);
	begin(&t);
	peer_says_trust(&t);
	peer_says_hello(&t);
	peer_says_hello(&t); /* while statements are compared */
	assert_turned_away(&t, ERR_PROTOCOL);
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
	assert_turned_away(&t, ERR_REVOKED);
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
	assert_turned_away(&t, ERR_REVOKED);
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
	assert_turned_away(&t, ERR_REVOKED);
	talk_release(&t);
}

/* ---- In an open session ----------------------------------------------------------------- */

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
		cmocka_unit_test(statements_are_compared_in_turn),
		cmocka_unit_test(revoked_peer_is_told_so_and_why_and_nothing_else),
		cmocka_unit_test(node_that_is_refused_with_the_reason_learns_of_it),
		cmocka_unit_test(peer_that_is_revoked_in_an_open_session_goes_at_once),
		cmocka_unit_test(nothing_is_pushed_to_one_revoked_a_moment_ago),
		cmocka_unit_test(new_statements_are_pushed_and_not_sent_back),
	};

	return cmocka_run_group_tests_name("sync/session membership", tests, NULL, NULL);
}
