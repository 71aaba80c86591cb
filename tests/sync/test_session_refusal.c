/* sync/session: what a member says that it must not, and what either says at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire.h"
#include "proto/limits.h"
#include "tests/sync/refused.h"

static void forged_changeset_is_refused_and_not_stored(void **state)
{
	struct arena arena = ARENA_EMPTY;
	uint8_t signature[SIGNATURE_BYTES];
	struct sealed *list;
	struct talk t;
	size_t count;

	talk_init(&t);
	talk_write(&t, &t.theirs.office, 5);
	talk_begin(&t);
	list = office_log(&t.theirs.office, &t.space, &arena, &count);
	memcpy(signature, list[4].signature, sizeof(signature));
	signature[0] ^= 1;
	list[4].signature = signature;
	peer_says_changes(&t, &t.space, list, count);
	assert_refused(&t, ERR_SIGNATURE);
	assert_int_equal(talk_held(&t.ours.office, &t.space), 0);
	arena_release(&arena);
	talk_release(&t);
}

static void gap_in_a_feed_is_refused(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct talk t;
	size_t count;

	talk_init(&t);
	talk_write(&t, &t.theirs.office, 5);
	talk_begin(&t);
	list = office_log(&t.theirs.office, &t.space, &arena, &count);
	peer_says_changes(&t, &t.space, list + 1, count - 1);
	assert_refused(&t, ERR_CHAIN);
	assert_int_equal(talk_held(&t.ours.office, &t.space), 0);
	arena_release(&arena);
	talk_release(&t);
}

static void message_that_is_not_legal_now_is_refused(void **state)
{
	struct message m;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	m = peer_hello(&t); /* once was enough */
	peer_says(&t, &m);
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	talk_open(&t, false, NULL);
	talk_run(&t);
	peer_says_hello(&t); /* before it has said whom it knows */
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);

	talk_init(&t);
	talk_open(&t, false, NULL);
	talk_run(&t);
	peer_says_have(&t, &t.theirs.office, &t.directory); /* before hello */
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);
}

static void acknowledging_what_was_not_sent_is_refused(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	peer_says_ack(&t, &t.space);
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);
}

static void acknowledging_twice_is_refused(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	for (int i = 0; i < WINDOW_COUNT; i++) {
		talk_write(&t, &t.ours.office, 1);
		session_push(t.session, t.now);
		talk_run(&t);
		peer_says_ack(&t, &t.space);
	}
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	peer_says_ack(&t, &t.space);
	assert_refused(&t, ERR_PROTOCOL);
	talk_release(&t);
}

static void message_over_its_limit_is_refused(void **state)
{
	struct buf encoded = BUF_EMPTY;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	wire_put_array(&encoded, 2);
	wire_put_uint(&encoded, MESSAGE_PING);
	buf_grow(&encoded, 100000);
	memset(encoded.data + encoded.size - 100000, 0, 100000);
	peer_says_bytes(&t, buf_bytes(&encoded));
	assert_refused(&t, ERR_LIMIT);
	buf_release(&encoded);
	talk_release(&t);
}

static void who_asks_and_does_not_read_is_cut_off(void **state)
{
	enum { ENTRY_COUNT = 10000, ROUND_COUNT = 100 };
	static struct space_digest entries[ENTRY_COUNT];
	struct message m = { .type = MESSAGE_DIGESTS };
	struct buf encoded = BUF_EMPTY;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	for (size_t i = 0; i < ENTRY_COUNT; i++)
		entries[i] = (struct space_digest){ t.space, { 1 } };
	for (uint64_t i = 1; i <= ROUND_COUNT; i++) {
		buf_clear(&encoded);
		m.u.digests = (struct message_digests){ i, false, entries, ENTRY_COUNT };
		message_encode(&encoded, &m);
		OFFICE_MUST(link_send(&t.peer, buf_bytes(&encoded)));
		session_receive(t.session, t.now, buf_bytes(&t.peer.out));
		buf_clear(&t.peer.out);
	}
	assert_int_equal(session_state(t.session), SESSION_CLOSED);
	assert_int_equal(session_end(t.session)->code, ERR_LIMIT);
	assert_in_range(session_outgoing(t.session).size, OUTGOING_BYTES_MAX,
			OUTGOING_BYTES_MAX + 4096);
	buf_release(&encoded);
	talk_release(&t);
}

static void garbage_inside_the_channel_is_refused(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	peer_says_bytes(&t, bytes_of_str("hello?"));
	assert_refused(&t, ERR_FORMAT);
	talk_release(&t);
}

static void what_the_peer_says_in_closing_is_kept(void **state)
{
	struct message m = { .type = MESSAGE_BYE };
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	m.u.bye = (struct message_bye){ bytes_of_str("signature"), bytes_of_str("no good") };
	peer_says(&t, &m);
	assert_int_equal(session_end(t.session)->code, ERR_SIGNATURE);
	assert_true(session_end(t.session)->by_peer);
	assert_string_equal(session_end(t.session)->text, "no good");
	talk_release(&t);
}

static void trouble_of_our_own_is_named_but_not_described(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct message bye;
	struct talk t;
	size_t count;

	talk_init(&t);
	talk_write(&t, &t.theirs.office, 5);
	talk_begin(&t);
	/* Somebody else's transaction is in the way. */
	OFFICE_MUST(replica_begin(t.ours.office.replica, &msg));
	list = office_log(&t.theirs.office, &t.space, &arena, &count);
	peer_says_changes(&t, &t.space, list, count);
	assert_int_equal(session_state(t.session), SESSION_CLOSED);
	bye = talk_last(&t, MESSAGE_BYE, &arena);
	assert_int_equal(bye.u.bye.text.size, 0);
	assert_true(bye.u.bye.name.size > 0);
	replica_rollback(t.ours.office.replica);
	arena_release(&arena);
	talk_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_changeset_is_refused_and_not_stored),
		cmocka_unit_test(gap_in_a_feed_is_refused),
		cmocka_unit_test(message_that_is_not_legal_now_is_refused),
		cmocka_unit_test(acknowledging_what_was_not_sent_is_refused),
		cmocka_unit_test(acknowledging_twice_is_refused),
		cmocka_unit_test(message_over_its_limit_is_refused),
		cmocka_unit_test(who_asks_and_does_not_read_is_cut_off),
		cmocka_unit_test(garbage_inside_the_channel_is_refused),
		cmocka_unit_test(what_the_peer_says_in_closing_is_kept),
		cmocka_unit_test(trouble_of_our_own_is_named_but_not_described),
	};

	return cmocka_run_group_tests_name("sync/session refusal", tests, NULL, NULL);
}
