/* sync/session: who is served what, and when that changes in an open session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sync/refused.h"
#include "tests/sync/talk_trust.h"

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
	assert_turned_away(&t, ERR_GRANT);
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
	assert_turned_away(&t, ERR_GRANT);
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
	assert_turned_away(&t, ERR_GRANT);
	assert_int_equal(replica_vv(t.ours.office.replica, &space)->count, 0);
	arena_release(&arena);
	talk_release(&t);
}

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

/* What is pushed may cross with what the peer says; its PONG ends that. */
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
	assert_turned_away(&t, ERR_GRANT);
	arena_release(&arena);
	talk_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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

	return cmocka_run_group_tests_name("sync/session grant", tests, NULL, NULL);
}
