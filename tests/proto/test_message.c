/* proto/message: every message survives its encoding, docs/PROTOCOL.md shows the
 * bytes, and nothing that is not one message of the protocol passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire.h"
#include "proto/message.h"
#include "tests/support/document.h"

static const uint8_t zeros[SIGNATURE_BYTES];

static struct space_id space(uint8_t fill)
{
	struct space_id id;

	memset(id.bytes, fill, ID_BYTES);
	return id;
}

static struct replica_id replica(uint8_t fill)
{
	struct replica_id id;

	memset(id.bytes, fill, ID_BYTES);
	return id;
}

/* The examples of the document, with ids that are easy to see. */

static void make_trust(struct message *m)
{
	static struct short_id ids[2];

	m->type = MESSAGE_TRUST;
	memset(ids[0].bytes, 0x1d, SHORT_ID_BYTES);
	memset(ids[1].bytes, 0x2d, SHORT_ID_BYTES);
	m->u.trust = (struct message_trust){ .is_known = true, .ids = ids, .count = 2 };
	memset(m->u.trust.digest, 0xdd, STATEMENT_ID_BYTES);
}

static void make_statements(struct message *m)
{
	static struct bytes list[2];

	m->type = MESSAGE_STATEMENTS;
	list[0] = bytes_of_str("genesis");
	list[1] = bytes_of_str("admit");
	m->u.statements = (struct message_statements){ list, 2 };
}

static void make_hello(struct message *m)
{
	struct message_hello *h = &m->u.hello;

	m->type = MESSAGE_HELLO;
	h->version = PROTOCOL_VERSION;
	memset(h->org, 0x0f, ORG_ID_BYTES);
	h->replica = replica(0xa1);
	h->wall_ms = 1795305600000;
	h->program = bytes_of_str("0.1.0");
	h->tzdata = bytes_of_str("2025b");
}

static void make_digests(struct message *m)
{
	static struct space_digest entries[1];

	m->type = MESSAGE_DIGESTS;
	entries[0].space = space(0x51);
	memset(entries[0].digest, 0xd1, VV_DIGEST_BYTES);
	m->u.digests = (struct message_digests){ 1, false, entries, 1 };
}

static struct tip tip(uint8_t fill, uint64_t seq)
{
	struct tip made = { replica(fill), seq, { 0 } };

	memset(made.tag, fill + 1, TAG_BYTES);
	return made;
}

static void make_have(struct message *m)
{
	static struct tip entries[2];

	m->type = MESSAGE_HAVE;
	entries[0] = tip(0xa1, 7);
	entries[1] = tip(0xb2, 300);
	m->u.have = (struct message_have){ space(0x51), true, false, entries, 2 };
}

static void make_changes(struct message *m)
{
	static struct sealed list[3];
	static struct run runs[2];

	m->type = MESSAGE_CHANGES;
	list[0] = (struct sealed){ replica(0xa1), 8, bytes_of_str("one"), zeros };
	list[1] = (struct sealed){ replica(0xa1), 9, bytes_of_str("two"), zeros };
	list[2] = (struct sealed){ replica(0xb2), 301, bytes_of_str("three"), zeros };
	runs[0] = (struct run){ .list = list, .count = 2 };
	runs[1] = (struct run){ .list = list + 2, .count = 1 };
	memset(runs[0].tag_before, 0xa2, TAG_BYTES);
	memset(runs[1].tag_before, 0xb3, TAG_BYTES);
	m->u.changes = (struct message_changes){ space(0x51), runs, 2 };
}

static void make_held(struct message *m)
{
	static struct replica_id replicas[1];

	m->type = MESSAGE_HELD;
	replicas[0] = replica(0xb2);
	m->u.held = (struct message_held){ space(0x51), replicas, 1 };
}

static void make_ask(struct message *m)
{
	m->type = MESSAGE_ASK;
	m->u.ask = (struct message_ask){ space(0x51), { replica(0xa1), 5 } };
}

static void make_tell(struct message *m)
{
	m->type = MESSAGE_TELL;
	m->u.tell = (struct message_tell){ .space = space(0x51), .dot = { replica(0xa1), 5 } };
	memset(m->u.tell.told.link_before, 0x11, LINK_BYTES);
	m->u.tell.told.body = bytes_of_str("body");
}

static void make_ping(struct message *m)
{
	m->type = MESSAGE_PING;
	m->u.ping.nonce = 42;
}

static void make_pong(struct message *m)
{
	m->type = MESSAGE_PONG;
	m->u.pong.nonce = 42;
}

static void make_bye(struct message *m)
{
	m->type = MESSAGE_BYE;
	m->u.bye.name = bytes_of_str("signature");
	m->u.bye.text = bytes_of_str("changeset a1a1a1a1/9");
}

static void make_enrol(struct message *m)
{
	struct message_enrol *e = &m->u.enrol;

	m->type = MESSAGE_ENROL;
	memset(e->sign_key, 0x5e, SIGN_PUBLIC_BYTES);
	memset(e->noise_key, 0x4e, NOISE_DH_BYTES);
	memset(e->nonce, 0xc3, ID_BYTES);
	e->office_name = bytes_of_str("Frankfurt");
	e->person_name = bytes_of_str("Jonas");
	e->address = bytes_of(NULL, 0);
	memset(e->proof, 0x70, SIGNATURE_BYTES);
}

static void make_enrolled(struct message *m)
{
	m->type = MESSAGE_ENROLLED;
	memset(m->u.enrolled.sign_key, 0x5e, SIGN_PUBLIC_BYTES);
	m->u.enrolled.replica = replica(0xa1);
}

static void (*const makers[MESSAGE_TYPE_COUNT])(struct message *m) = {
	[MESSAGE_TRUST] = make_trust, [MESSAGE_STATEMENTS] = make_statements,
	[MESSAGE_HELLO] = make_hello, [MESSAGE_DIGESTS] = make_digests,
	[MESSAGE_HAVE] = make_have,   [MESSAGE_CHANGES] = make_changes,
	[MESSAGE_HELD] = make_held,   [MESSAGE_ASK] = make_ask,
	[MESSAGE_TELL] = make_tell,   [MESSAGE_PING] = make_ping,
	[MESSAGE_PONG] = make_pong,   [MESSAGE_BYE] = make_bye,
	[MESSAGE_ENROL] = make_enrol, [MESSAGE_ENROLLED] = make_enrolled,
};

static void encode_example(enum message_type type, struct buf *out)
{
	struct message m = { 0 };

	makers[type](&m);
	message_encode(out, &m);
	assert_int_equal(buf_check(out), OK);
}

/* Decode, and encode what came out. */
static enum err pass_through(struct bytes input, struct buf *out)
{
	struct arena arena = ARENA_EMPTY;
	struct message m;
	struct errmsg msg;
	enum err rc = message_decode(&m, input, &arena, &msg);

	if (rc == OK)
		message_encode(out, &m);
	arena_release(&arena);
	return rc;
}

static void examples_of_the_document_are_what_is_sent(void **state)
{
	struct buf block = document_block("messages"), made = BUF_EMPTY;

	for (enum message_type type = MESSAGE_TRUST; type < MESSAGE_TYPE_COUNT; type++) {
		encode_example(type, &made);
		document_assert(&block, message_name(type), &made);
	}
	buf_release(&block);
	buf_release(&made);
}

static void decoding_gives_back_what_was_encoded(void **state)
{
	for (enum message_type type = MESSAGE_TRUST; type < MESSAGE_TYPE_COUNT; type++) {
		struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;
		enum message_type peeked;

		encode_example(type, &encoded);
		assert_int_equal(message_peek(buf_bytes(&encoded), &peeked), OK);
		assert_int_equal(peeked, type);
		assert_int_equal(pass_through(buf_bytes(&encoded), &again), OK);
		assert_true(bytes_equal(buf_bytes(&encoded), buf_bytes(&again)));
		buf_release(&encoded);
		buf_release(&again);
	}
}

/* Cut anywhere, or with a byte too many: not a message. */
static void message_that_is_not_whole_is_refused(void **state)
{
	for (enum message_type type = MESSAGE_TRUST; type < MESSAGE_TYPE_COUNT; type++) {
		struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;

		encode_example(type, &encoded);
		for (size_t size = 0; size < encoded.size; size++)
			assert_int_not_equal(pass_through(bytes_of(encoded.data, size), &again),
					     OK);
		buf_append_byte(&encoded, 0);
		assert_int_not_equal(pass_through(buf_bytes(&encoded), &again), OK);
		buf_release(&encoded);
		buf_release(&again);
	}
}

/* Whatever a byte becomes, what is accepted is canonical: it encodes to itself. */
static void damaged_message_is_refused_or_another_message(void **state)
{
	for (enum message_type type = MESSAGE_TRUST; type < MESSAGE_TYPE_COUNT; type++) {
		struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;

		encode_example(type, &encoded);
		for (size_t at = 0; at < encoded.size; at++) {
			uint8_t right = encoded.data[at];

			for (unsigned wrong = 0; wrong < 256; wrong++) {
				encoded.data[at] = (uint8_t)wrong;
				buf_clear(&again);
				if (pass_through(buf_bytes(&encoded), &again) == OK)
					assert_true(bytes_equal(buf_bytes(&encoded),
								buf_bytes(&again)));
			}
			encoded.data[at] = right;
		}
		buf_release(&encoded);
		buf_release(&again);
	}
}

static void unknown_type_is_refused(void **state)
{
	static const uint8_t unknown[] = { 0x92, MESSAGE_TYPE_COUNT, 0x01 };
	static const uint8_t zero[] = { 0x92, 0x00, 0x01 };
	struct buf again = BUF_EMPTY;

	assert_int_not_equal(pass_through(bytes_of(unknown, sizeof(unknown)), &again), OK);
	assert_int_not_equal(pass_through(bytes_of(zero, sizeof(zero)), &again), OK);
	assert_string_equal(message_name(MESSAGE_TYPE_COUNT), "unknown");
}

static void message_over_its_limit_is_refused_unread(void **state)
{
	struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;

	encode_example(MESSAGE_PING, &encoded);
	while (encoded.size <= message_bytes_max(MESSAGE_PING))
		buf_append_byte(&encoded, 0);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), ERR_LIMIT);
	buf_release(&encoded);
}

/* A vector has one encoding: entries ascend. */
static void vector_out_of_order_is_refused(void **state)
{
	struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;
	struct tip entries[2] = { tip(0xb2, 1), tip(0xa1, 1) };
	struct message m = { .type = MESSAGE_HAVE };

	m.u.have = (struct message_have){ space(1), false, false, entries, 2 };
	message_encode(&encoded, &m);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), ERR_FORMAT);
	buf_release(&encoded);
}

/* So do the ids of statements. */
static void ids_out_of_order_are_refused(void **state)
{
	struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;
	struct short_id ids[2] = { { { 2 } }, { { 1 } } };
	struct message m = { .type = MESSAGE_TRUST };

	m.u.trust = (struct message_trust){ .is_known = true, .ids = ids, .count = 2 };
	message_encode(&encoded, &m);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), ERR_FORMAT);
	buf_release(&encoded);
}

/* The end of a presentation, and the answer of who does not hold what was asked for. */
static void nothing_can_be_said(void **state)
{
	struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;
	struct message m = { .type = MESSAGE_STATEMENTS };

	message_encode(&encoded, &m);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), OK);
	m = (struct message){ .type = MESSAGE_TELL };
	m.u.tell.dot.seq = 1;
	buf_clear(&encoded);
	buf_clear(&again);
	message_encode(&encoded, &m);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), OK);
	assert_true(bytes_equal(buf_bytes(&encoded), buf_bytes(&again)));
	buf_release(&encoded);
	buf_release(&again);
}

/* A count is more than a message may hold: nothing is allocated for it. */
static void count_over_the_limit_is_refused(void **state)
{
	static const uint8_t digest[STATEMENT_ID_BYTES];
	struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;

	wire_put_array(&encoded, 3);
	wire_put_uint(&encoded, MESSAGE_CHANGES);
	wire_put_bin(&encoded, bytes_of(zeros, ID_BYTES));
	wire_put_array(&encoded, CHANGES_COUNT_MAX + 1);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), ERR_LIMIT);
	buf_clear(&encoded);
	wire_put_array(&encoded, 2);
	wire_put_uint(&encoded, MESSAGE_STATEMENTS);
	wire_put_array(&encoded, STATEMENTS_COUNT_MAX + 1);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), ERR_LIMIT);
	buf_clear(&encoded);
	wire_put_array(&encoded, 4);
	wire_put_uint(&encoded, MESSAGE_TRUST);
	wire_put_bool(&encoded, true);
	wire_put_bin(&encoded, bytes_of(digest, sizeof(digest)));
	wire_put_array(&encoded, STATEMENTS_MAX + 1);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), ERR_LIMIT);
	buf_release(&encoded);
}

static void run_cut_in_two_is_refused(void **state)
{
	struct sealed list[2] = { { replica(1), 7, bytes_of_str("x"), zeros },
				  { replica(1), 8, bytes_of_str("y"), zeros } };
	struct run runs[2] = { { .list = list, .count = 1 }, { .list = list + 1, .count = 1 } };
	struct message m = { .type = MESSAGE_CHANGES };
	struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;

	m.u.changes = (struct message_changes){ space(1), runs, 2 };
	message_encode(&encoded, &m);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), ERR_FORMAT);
	buf_release(&encoded);
}

/* Runs share the room of one message. */
static void runs_with_too_many_changesets_are_refused(void **state)
{
	static struct sealed list[CHANGES_COUNT_MAX];
	struct run runs[2] = { { .list = list, .count = CHANGES_COUNT_MAX },
			       { .list = list, .count = 1 } };
	struct message m = { .type = MESSAGE_CHANGES };
	struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;

	for (size_t i = 0; i < CHANGES_COUNT_MAX; i++)
		list[i] = (struct sealed){ replica(1), 1 + i, bytes_of_str("x"), zeros };
	m.u.changes = (struct message_changes){ space(1), runs, 1 };
	message_encode(&encoded, &m);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), OK);
	m.u.changes.run_count = 2;
	buf_clear(&encoded);
	message_encode(&encoded, &m);
	assert_int_equal(pass_through(buf_bytes(&encoded), &again), ERR_LIMIT);
	buf_release(&encoded);
	buf_release(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_document_are_what_is_sent),
		cmocka_unit_test(decoding_gives_back_what_was_encoded),
		cmocka_unit_test(message_that_is_not_whole_is_refused),
		cmocka_unit_test(damaged_message_is_refused_or_another_message),
		cmocka_unit_test(unknown_type_is_refused),
		cmocka_unit_test(message_over_its_limit_is_refused_unread),
		cmocka_unit_test(vector_out_of_order_is_refused),
		cmocka_unit_test(ids_out_of_order_are_refused),
		cmocka_unit_test(nothing_can_be_said),
		cmocka_unit_test(count_over_the_limit_is_refused),
		cmocka_unit_test(run_cut_in_two_is_refused),
		cmocka_unit_test(runs_with_too_many_changesets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
