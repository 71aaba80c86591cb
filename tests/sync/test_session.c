/* sync/session: one conversation, with a peer that may say anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "proto/limits.h"
#include "tests/sync/refused.h"

/* ---- Beginning ------------------------------------------------------------------ */

static void hello_is_answered_and_the_directory_is_first(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct message m;
	struct talk t;

	talk_init(&t);
	talk_open(&t, false, NULL);
	talk_run(&t);
	assert_int_equal(session_state(t.session), SESSION_TRUST);
	assert_int_equal(t.inbox_count, 2); /* TRUST, and HELLO with it */
	m = talk_last(&t, MESSAGE_HELLO, &arena);
	assert_true(bytes_equal(m.u.hello.tzdata, bytes_of_str("2025b")));
	m = peer_hello(&t);
	m.u.hello.wall_ms += 5000;
	peer_says_trust(&t);
	peer_says(&t, &m);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	assert_int_equal(session_skew_ms(t.session), 5000);
	m = talk_last(&t, MESSAGE_DIGESTS, &arena);
	assert_int_equal(m.u.digests.count, 1);
	assert_memory_equal(m.u.digests.entries[0].space.bytes, t.directory.bytes, ID_BYTES);
	/* The peer has it: now the rest. */
	peer_says_have(&t, &t.ours.office, &t.directory);
	m = talk_last(&t, MESSAGE_DIGESTS, &arena);
	assert_memory_equal(m.u.digests.entries[0].space.bytes, t.space.bytes, ID_BYTES);
	arena_release(&arena);
	talk_release(&t);
}

static void other_spaces_wait_until_the_directory_is_acknowledged(void **state)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct talk t;

	talk_init(&t);
	talk_open(&t, false, NULL);
	talk_run(&t);
	peer_says_trust(&t);
	peer_says_hello(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	assert_int_equal(talk_count(&t, 0, MESSAGE_DIGESTS), 1);
	/* The peer holds nothing of the directory: all of it comes. */
	m.u.have = (struct message_have){ .space = t.directory, .is_full = true };
	peer_says(&t, &m);
	while (session_has_work(t.session))
		session_push(t.session, t.now);
	talk_run(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_CHANGES), 1);
	assert_int_equal(talk_count(&t, 0, MESSAGE_DIGESTS), 1);
	peer_says_ack(&t, &t.directory);
	assert_int_equal(talk_count(&t, 0, MESSAGE_DIGESTS), 2);
	talk_release(&t);
}

static void dialler_keeps_its_key_from_who_is_not_expected(void **state)
{
	static const uint8_t other_key[NOISE_KEY_BYTES] = { 1 };
	struct talk t;

	talk_init(&t);
	talk_open(&t, true, other_key);
	talk_run(&t);
	assert_int_equal(session_state(t.session), SESSION_CLOSED);
	assert_int_equal(session_end(t.session)->code, ERR_HANDSHAKE);
	assert_false(link_is_open(&t.peer)); /* message 3 never came */
	talk_release(&t);
}

static void dialler_opens_to_whom_it_expects(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_open(&t, true, t.theirs.key.public_key);
	talk_run(&t);
	assert_int_equal(session_state(t.session), SESSION_TRUST);
	assert_int_equal(talk_count(&t, 0, MESSAGE_HELLO), 1);
	talk_release(&t);
}

static void closing_after_our_key_is_a_refusal(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_open(&t, true, NULL);
	talk_run(&t);
	session_lost(t.session, "closed");
	assert_int_equal(session_end(t.session)->code, ERR_HANDSHAKE);
	assert_true(session_end(t.session)->by_peer);
	talk_release(&t);
}

static void preamble_of_another_version_is_answered(void **state)
{
	struct talk t;
	uint8_t bytes[PREAMBLE_BYTES] = { 0xe4, 0xbc, 0x9a, 0x00, 2, 1 };

	talk_init(&t);
	talk_open(&t, false, NULL);
	session_receive(t.session, t.now, bytes_of(bytes, sizeof(bytes)));
	assert_int_equal(session_end(t.session)->code, ERR_VERSION);
	assert_true(session_end(t.session)->flush);
	assert_int_equal(session_outgoing(t.session).size, PREAMBLE_BYTES);
	assert_int_equal(session_outgoing(t.session).data[4], PROTOCOL_VERSION);
	talk_release(&t);
}

struct bad_hello {
	const char *what;
	enum err rc;
};

static void hello_that_does_not_fit_is_refused(void **state)
{
	static const struct bad_hello cases[] = {
		{ "version", ERR_VERSION },
		{ "org", ERR_ORG },
		{ "replica", ERR_REPLICA },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message m;
		struct talk t;

		talk_init(&t);
		m = peer_hello(&t);
		if (i == 0)
			m.u.hello.version++;
		else if (i == 1)
			m.u.hello.org[0] ^= 1;
		else
			m.u.hello.replica = *replica_id(t.ours.office.replica);
		talk_open(&t, false, NULL);
		talk_run(&t);
		peer_says_trust(&t);
		peer_says(&t, &m);
		assert_refused(&t, cases[i].rc);
		talk_release(&t);
	}
}

static void slow_handshake_is_given_up(void **state)
{
	struct talk t;

	talk_init(&t);
	talk_open(&t, false, NULL);
	assert_int_equal(session_deadline(t.session), t.now.mono_ms + ACCEPT_MS_MAX);
	t.now.mono_ms = session_deadline(t.session) - 1;
	session_tick(t.session, t.now);
	assert_int_equal(session_state(t.session), SESSION_HANDSHAKE);
	t.now.mono_ms++;
	session_tick(t.session, t.now);
	assert_int_equal(session_end(t.session)->code, ERR_TIMEOUT);
	talk_release(&t);
}

/* ---- Comparing ---------------------------------------------------------------------- */

static struct message digests_of(struct talk *t, const struct office *who,
				 struct space_digest *entries, uint64_t round, bool is_reply)
{
	struct message m = { .type = MESSAGE_DIGESTS };

	entries[0].space = t->directory;
	entries[1].space = t->space;
	replica_digest(who->replica, &t->directory, entries[0].digest);
	replica_digest(who->replica, &t->space, entries[1].digest);
	m.u.digests = (struct message_digests){ round, is_reply, entries, 2 };
	return m;
}

static void equal_digests_need_no_vectors(void **state)
{
	struct space_digest entries[2];
	struct message m;
	struct talk t;

	talk_init(&t);
	talk_open(&t, false, NULL);
	talk_run(&t);
	peer_says_trust(&t);
	peer_says_hello(&t);
	m = digests_of(&t, &t.ours.office, entries, 0, false);
	peer_says(&t, &m);
	assert_true(session_is_in_sync(t.session));
	assert_int_equal(talk_count(&t, 0, MESSAGE_HAVE), 0);
	talk_release(&t);
}

static void different_digest_is_answered_by_a_vector_once(void **state)
{
	struct space_digest entries[2];
	struct message m;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	m = digests_of(&t, &t.ours.office, entries, 0, false);
	entries[1].digest[0] ^= 1;
	peer_says(&t, &m);
	peer_says(&t, &m);
	/* The directory's vector answered the peer's. */
	assert_int_equal(talk_count(&t, 0, MESSAGE_HAVE), 2);
	assert_false(session_is_in_sync(t.session));
	talk_release(&t);
}

static void different_digest_in_a_round_is_always_answered_by_a_vector(void **state)
{
	struct space_digest entries[2];
	struct message m;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	for (uint64_t round = 1; round <= 3; round++) {
		m = digests_of(&t, &t.ours.office, entries, round, false);
		entries[1].digest[0] ^= 1;
		peer_says(&t, &m);
		assert_int_equal(talk_count(&t, 0, MESSAGE_HAVE), 1 + round);
	}
	talk_release(&t);
}

static void round_is_answered_by_the_same_round(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct space_digest entries[2];
	struct message m;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	m = digests_of(&t, &t.ours.office, entries, 17, false);
	peer_says(&t, &m);
	m = talk_last(&t, MESSAGE_DIGESTS, &arena);
	assert_int_equal(m.u.digests.round, 17);
	assert_true(m.u.digests.is_reply);
	assert_int_equal(m.u.digests.count, 2);
	/* Our own. */
	session_compare(t.session, t.now);
	assert_false(session_is_in_sync(t.session));
	m = digests_of(&t, &t.ours.office, entries, 1, true);
	peer_says(&t, &m);
	assert_true(session_is_in_sync(t.session));
	m.u.digests.round = 2; /* was never asked */
	peer_says(&t, &m);
	assert_refused(&t, ERR_PROTOCOL);
	arena_release(&arena);
	talk_release(&t);
}

/* ---- Streaming ------------------------------------------------------------------------ */

/* Texts that hardly pack: three MiB of them. */
static void write_much(struct talk *t)
{
	enum { TEXT_COUNT = 100, TEXT_BYTES = 32 << 10 };
	static char text[TEXT_BYTES + 1];

	for (int i = 0; i < TEXT_COUNT; i++) {
		struct value value;

		for (int k = 0; k < TEXT_BYTES; k++)
			text[k] = (char)('0' + prng_below(&t->ours.prng, 64));
		value = value_str(text);
		office_create(&t->ours.office, &t->space, KIND_BLOCK, BLOCK_TEXT, &value);
	}
}

static void unacknowledged_chunks_are_bounded(void **state)
{
	size_t before, count;
	struct talk t;

	talk_init(&t);
	write_much(&t);
	talk_begin(&t);
	before = t.inbox_count;
	peer_says_have(&t, &t.theirs.office, &t.space);
	for (int i = 0; i < 100; i++) {
		if (session_has_work(t.session))
			session_push(t.session, t.now);
		talk_run(&t);
	}
	assert_false(session_has_work(t.session));
	count = talk_count(&t, before, MESSAGE_CHANGES);
	assert_in_range(count, 4, WINDOW_BYTES / (CHANGES_BYTES_CLOSE / 2));
	assert_int_equal(session_to_send(t.session), 100);
	/* An acknowledgement makes room for the next one. */
	peer_says_ack(&t, &t.space);
	assert_true(session_has_work(t.session));
	session_push(t.session, t.now);
	talk_run(&t);
	assert_int_equal(talk_count(&t, before, MESSAGE_CHANGES), count + 1);
	talk_release(&t);
}

static void directory_goes_before_other_spaces(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct value name = value_str("韩梅梅");
	struct message m;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	talk_write(&t, &t.ours.office, 1);
	office_create(&t.ours.office, &t.directory, KIND_PERSON, PERSON_NAME, &name);
	session_wake(t.session, t.now, NULL);
	session_push(t.session, t.now);
	talk_run(&t);
	m = talk_last(&t, MESSAGE_CHANGES, &arena);
	assert_memory_equal(m.u.changes.space.bytes, t.directory.bytes, ID_BYTES);
	session_push(t.session, t.now);
	talk_run(&t);
	m = talk_last(&t, MESSAGE_CHANGES, &arena);
	assert_memory_equal(m.u.changes.space.bytes, t.space.bytes, ID_BYTES);
	arena_release(&arena);
	talk_release(&t);
}

static void what_came_is_acknowledged_and_passed_on(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct session_news news;
	struct sealed *list;
	struct message m;
	struct talk t;
	size_t count;

	talk_init(&t);
	talk_write(&t, &t.theirs.office, 5);
	talk_begin(&t);
	session_take_news(t.session);
	list = office_log(&t.theirs.office, &t.space, &arena, &count);
	peer_says_changes(&t, &t.space, list, count);
	m = talk_last(&t, MESSAGE_HAVE, &arena);
	assert_true(m.u.have.is_ack && m.u.have.count == 1 && m.u.have.entries[0].seq == 5);
	news = session_take_news(t.session);
	assert_int_equal(news.received, 5);
	assert_int_equal(news.changed_spaces, 1);
	assert_int_equal(talk_held(&t.ours.office, &t.space), 5);
	/* It does not go back. */
	session_wake(t.session, t.now, NULL);
	assert_false(session_has_work(t.session));
	/* The same again is news no more. */
	peer_says_changes(&t, &t.space, list, count);
	assert_int_equal(session_take_news(t.session).changed_spaces, 0);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	arena_release(&arena);
	talk_release(&t);
}

static void lost_changesets_are_offered_again_after_a_comparison(void **state)
{
	struct space_digest entries[2];
	struct message m;
	struct talk t;
	size_t before;

	talk_init(&t);
	talk_write(&t, &t.ours.office, 5);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	session_push(t.session, t.now);
	talk_run(&t);
	peer_says_ack(&t, &t.space); /* it took nothing: perhaps it knew of no grant */
	assert_false(session_has_work(t.session));
	before = t.inbox_count;
	m = digests_of(&t, &t.theirs.office, entries, 1, false);
	peer_says(&t, &m);
	peer_says_have(&t, &t.theirs.office, &t.space);
	assert_true(session_has_work(t.session));
	session_push(t.session, t.now);
	talk_run(&t);
	assert_int_equal(talk_count(&t, before, MESSAGE_CHANGES), 1);
	talk_release(&t);
}

/* The wrong branch of a fork was moved out over there. */
static void peer_that_holds_less_than_before_is_sent_the_rest(void **state)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct arena arena = ARENA_EMPTY;
	struct tip *tips;
	struct talk t;
	size_t count;

	talk_init(&t);
	talk_write(&t, &t.ours.office, 5);
	talk_begin(&t);
	peer_says_have(&t, &t.ours.office, &t.space);
	assert_false(session_has_work(t.session));
	OFFICE_MUST(replica_tips(t.ours.office.replica, &t.space, &arena, &tips, &count));
	tips[0].seq = 3;
	OFFICE_MUST(replica_tag(t.ours.office.replica, &t.space,
				&(struct dot){ tips[0].replica, 3 }, tips[0].tag, &msg));
	m.u.have = (struct message_have){ t.space, true, false, tips, count };
	peer_says(&t, &m);
	assert_int_equal(session_to_send(t.session), 2);
	assert_true(session_has_work(t.session));
	arena_release(&arena);
	talk_release(&t);
}

static void held_feed_is_not_offered_again(void **state)
{
	struct message m = { .type = MESSAGE_HELD };
	struct talk t;
	size_t before;

	talk_init(&t);
	talk_write(&t, &t.ours.office, 5);
	talk_begin(&t);
	peer_says_have(&t, &t.theirs.office, &t.space);
	session_push(t.session, t.now);
	talk_run(&t);
	m.u.held = (struct message_held){ t.space, replica_id(t.ours.office.replica), 1 };
	peer_says(&t, &m);
	peer_says_ack(&t, &t.space);
	before = t.inbox_count;
	talk_write(&t, &t.ours.office, 5);
	peer_says_have(&t, &t.theirs.office, &t.space);
	assert_false(session_has_work(t.session));
	assert_int_equal(talk_count(&t, before, MESSAGE_CHANGES), 0);
	assert_true(session_warning(t.session)[0]);
	assert_false(session_is_in_sync(t.session));
	talk_release(&t);
}

static void rest_of_a_feed_from_the_future_is_left_aside(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct message m;
	struct talk t;
	size_t count;

	talk_init(&t);
	t.theirs.office.now_ms += 2 * HLC_AHEAD_MS_MAX;
	talk_write(&t, &t.theirs.office, 5);
	talk_begin(&t);
	list = office_log(&t.theirs.office, &t.space, &arena, &count);
	peer_says_changes(&t, &t.space, list, 2);
	m = talk_last(&t, MESSAGE_HELD, &arena);
	assert_int_equal(m.u.held.count, 1);
	peer_says_changes(&t, &t.space, list + 2, 3); /* was on its way */
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	m = talk_last(&t, MESSAGE_HAVE, &arena);
	assert_true(m.u.have.is_ack && m.u.have.count == 0);
	assert_int_equal(talk_held(&t.ours.office, &t.space), 0);
	arena_release(&arena);
	talk_release(&t);
}

static void what_depends_on_a_feed_from_the_future_is_left_aside(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct party third;
	struct sealed *list;
	struct message m;
	struct talk t;
	size_t count;

	talk_init(&t);
	party_init(&third, 300);
	office_join(&third.office, &t.ours.office, "NYC");
	office_grant(&t.ours.office, &t.space, "NYC", ROLE_EDITOR);
	office_pull(&t.theirs.office, &t.ours.office);
	t.theirs.office.now_ms = t.now.wall_ms + HLC_AHEAD_MS_MAX + 1000;
	talk_write(&t, &t.theirs.office, 1);
	third.office.now_ms = t.theirs.office.now_ms;
	office_pull(&third.office, &t.theirs.office);
	talk_write(&t, &third.office, 1);
	talk_begin(&t);
	list = office_log(&third.office, &t.space, &arena, &count);
	assert_int_equal(count, 2);
	peer_says_changes(&t, &t.space, list, 1);
	assert_int_equal(talk_count(&t, 0, MESSAGE_HELD), 1);
	/* By now its own date would do. */
	t.now.wall_ms += 5000;
	peer_says_changes(&t, &t.space, list + 1, 1);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	m = talk_last(&t, MESSAGE_HELD, &arena);
	assert_memory_equal(m.u.held.replicas[0].bytes, list[1].replica.bytes, ID_BYTES);
	assert_int_equal(talk_held(&t.ours.office, &t.space), 0);
	arena_release(&arena);
	office_close(&third.office);
	talk_release(&t);
}

/* ---- Time ---------------------------------------------------------------------------------- */

static void silence_is_broken_by_a_ping_and_ended_by_a_timeout(void **state)
{
	struct message m = { .type = MESSAGE_PING };
	struct arena arena = ARENA_EMPTY;
	struct talk t;

	talk_init(&t);
	talk_begin(&t);
	m.u.ping.nonce = 42;
	peer_says(&t, &m);
	m = talk_last(&t, MESSAGE_PONG, &arena);
	assert_int_equal(m.u.pong.nonce, 42);
	t.now.mono_ms = session_deadline(t.session);
	assert_int_equal(t.now.mono_ms, 1000 + PING_AFTER_MS);
	session_tick(t.session, t.now);
	talk_run(&t);
	assert_int_equal(talk_count(&t, 0, MESSAGE_PING), 1);
	t.now.mono_ms = 1000 + DEAD_AFTER_MS - 1;
	session_tick(t.session, t.now);
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	t.now.mono_ms++;
	session_tick(t.session, t.now);
	talk_run(&t);
	assert_refused(&t, ERR_TIMEOUT);
	arena_release(&arena);
	talk_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_is_answered_and_the_directory_is_first),
		cmocka_unit_test(other_spaces_wait_until_the_directory_is_acknowledged),
		cmocka_unit_test(dialler_keeps_its_key_from_who_is_not_expected),
		cmocka_unit_test(dialler_opens_to_whom_it_expects),
		cmocka_unit_test(closing_after_our_key_is_a_refusal),
		cmocka_unit_test(preamble_of_another_version_is_answered),
		cmocka_unit_test(hello_that_does_not_fit_is_refused),
		cmocka_unit_test(slow_handshake_is_given_up),
		cmocka_unit_test(equal_digests_need_no_vectors),
		cmocka_unit_test(different_digest_is_answered_by_a_vector_once),
		cmocka_unit_test(different_digest_in_a_round_is_always_answered_by_a_vector),
		cmocka_unit_test(round_is_answered_by_the_same_round),
		cmocka_unit_test(unacknowledged_chunks_are_bounded),
		cmocka_unit_test(directory_goes_before_other_spaces),
		cmocka_unit_test(what_came_is_acknowledged_and_passed_on),
		cmocka_unit_test(lost_changesets_are_offered_again_after_a_comparison),
		cmocka_unit_test(peer_that_holds_less_than_before_is_sent_the_rest),
		cmocka_unit_test(held_feed_is_not_offered_again),
		cmocka_unit_test(rest_of_a_feed_from_the_future_is_left_aside),
		cmocka_unit_test(what_depends_on_a_feed_from_the_future_is_left_aside),
		cmocka_unit_test(silence_is_broken_by_a_ping_and_ended_by_a_timeout),
	};

	return cmocka_run_group_tests_name("sync/session", tests, NULL, NULL);
}
