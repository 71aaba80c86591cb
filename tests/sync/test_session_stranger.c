/* sync/session: a peer that is no member, or shows others' statements, none, or too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire.h"
#include "proto/limits.h"
#include "tests/sync/refused.h"
#include "tests/sync/talk_trust.h"

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
	assert_turned_away(&t, ERR_HANDSHAKE);
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
	assert_turned_away(&t, ERR_HANDSHAKE);
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
	assert_turned_away(&t, ERR_HANDSHAKE);
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
	assert_turned_away(&t, ERR_SIGNATURE);
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
	assert_turned_away(&t, ERR_CAUSAL);
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
	assert_turned_away(&t, ERR_LIMIT);
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
	assert_turned_away(&t, ERR_LIMIT);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stranger_learns_nothing),
		cmocka_unit_test(strangers_to_each_other_part),
		cmocka_unit_test(dialler_that_is_a_stranger_parts_at_once),
		cmocka_unit_test(stranger_that_shows_others_statements_is_refused),
		cmocka_unit_test(statement_that_does_not_verify_ends_it),
		cmocka_unit_test(statement_without_its_parents_ends_it),
		cmocka_unit_test(flood_of_statements_ends),
		cmocka_unit_test(great_message_of_a_stranger_is_cut_off),
		cmocka_unit_test(only_new_statements_give_a_stranger_time),
	};

	return cmocka_run_group_tests_name("sync/session stranger", tests, NULL, NULL);
}
