/* sync/ticket: the line that people carry, and what the issuer remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/wire.h"
#include "proto/secret.h"
#include "sync/ticket.h"
#include "tests/support/office.h"

enum { EXPIRES_S = 1800003600 };

static struct ticket example(void)
{
	struct ticket t = { .office_code = "FRA",
			    .zone = "Europe/Berlin",
			    .expires_s = EXPIRES_S,
			    .addresses = { "sha.example.org:7420", "[2001:db8::1]:7420" },
			    .address_count = 2 };

	memset(t.org, 1, sizeof(t.org));
	memset(t.issuer_key, 2, sizeof(t.issuer_key));
	memset(t.id, 3, sizeof(t.id));
	memset(t.secret, 4, sizeof(t.secret));
	return t;
}

static void encode(const struct ticket *t, struct buf *out)
{
	buf_clear(out);
	OFFICE_MUST(ticket_encode(out, t, &msg));
	buf_append_byte(out, 0);
}

static void decoding_gives_back_what_was_encoded(void **state)
{
	struct ticket t = example(), decoded = { 0 };
	struct buf text = BUF_EMPTY, again = BUF_EMPTY;

	encode(&t, &text);
	assert_int_equal(strncmp((char *)text.data, "huitong1:", 9), 0);
	assert_int_equal(ticket_decode(&decoded, (char *)text.data, NULL), OK);
	assert_string_equal(decoded.addresses[1], t.addresses[1]);
	assert_int_equal(decoded.expires_s, EXPIRES_S);
	encode(&decoded, &again);
	assert_string_equal((char *)again.data, (char *)text.data);
	buf_release(&text);
	buf_release(&again);
}

static void blanks_around_the_line_are_ignored(void **state)
{
	struct ticket t = example(), decoded;
	struct buf text = BUF_EMPTY, padded = BUF_EMPTY;

	encode(&t, &text);
	buf_printf(&padded, " \t%s\r\n", (char *)text.data);
	buf_append_byte(&padded, 0);
	assert_int_equal(ticket_decode(&decoded, (char *)padded.data, NULL), OK);
	buf_release(&text);
	buf_release(&padded);
}

static void line_that_is_not_whole_is_refused(void **state)
{
	struct ticket t = example(), decoded;
	struct buf text = BUF_EMPTY;

	encode(&t, &text);
	for (size_t size = 0; size + 1 < text.size; size++) {
		char cut[1024];
		struct errmsg msg;

		snprintf(cut, sizeof(cut), "%.*s", (int)size, (char *)text.data);
		assert_int_not_equal(ticket_decode(&decoded, cut, &msg), OK);
		assert_true(msg.text[0]);
	}
	buf_release(&text);
}

static void line_that_is_none_is_refused_by_name(void **state)
{
	static const struct {
		const char *text;
		enum err rc;
	} cases[] = {
		{ "", ERR_FORMAT },
		{ "hello", ERR_FORMAT },
		{ "huitong1:", ERR_FORMAT },
		{ "huitong1:????", ERR_FORMAT },
		{ "huitong2:AAAA", ERR_VERSION },
		{ "huitong1:AAAA", ERR_FORMAT },
		{ "huitong1:wA", ERR_FORMAT }, /* nil */
		{ "Huitong1:AAAA", ERR_FORMAT },
	};
	struct ticket decoded;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(ticket_decode(&decoded, cases[i].text, NULL), cases[i].rc);
}

static void endless_line_is_refused(void **state)
{
	static char text[TICKET_TEXT_MAX + 100];
	struct ticket decoded;

	memset(text, 'A', sizeof(text) - 1);
	memcpy(text, "huitong1:", 9);
	assert_int_equal(ticket_decode(&decoded, text, NULL), ERR_LIMIT);
}

static void unusable_contents_are_refused_both_ways(void **state)
{
	struct ticket cases[5];
	struct buf out = BUF_EMPTY;

	for (int i = 0; i < 5; i++)
		cases[i] = example();
	strcpy(cases[0].office_code, "f");
	strcpy(cases[1].office_code, "fra");
	cases[2].zone[0] = '\0';
	cases[3].address_count = 0;
	strcpy(cases[4].addresses[0], "sha\x1b[31m:7420");
	for (int i = 0; i < 5; i++)
		assert_int_equal(ticket_encode(&out, &cases[i], NULL), ERR_INVALID);
	assert_int_equal(out.size, 0);
	buf_release(&out);
}

/* A line whose contents were made by hand. */
static void decode_by_hand(const char *code, size_t address_count, enum err rc)
{
	struct buf encoded = BUF_EMPTY, text = BUF_EMPTY;
	uint8_t bytes[32] = { 0 };
	struct ticket decoded;

	wire_put_array(&encoded, 8);
	wire_put_bin(&encoded, bytes_of(bytes, 32));
	wire_put_bin(&encoded, bytes_of(bytes, 32));
	wire_put_bin(&encoded, bytes_of(bytes, 8));
	wire_put_bin(&encoded, bytes_of(bytes, 32));
	wire_put_str(&encoded, bytes_of_str(code));
	wire_put_str(&encoded, bytes_of_str("Europe/Berlin"));
	wire_put_uint(&encoded, EXPIRES_S);
	wire_put_array(&encoded, (uint32_t)address_count);
	for (size_t i = 0; i < address_count; i++)
		wire_put_str(&encoded, bytes_of_str("a:1"));
	buf_append_str(&text, "huitong1:");
	OFFICE_MUST(base64_encode(&text, buf_bytes(&encoded)));
	buf_append_byte(&text, 0);
	assert_int_equal(ticket_decode(&decoded, (char *)text.data, NULL), rc);
	buf_release(&encoded);
	buf_release(&text);
}

static void contents_over_a_limit_are_refused(void **state)
{
	decode_by_hand("FRA", 1, OK);
	decode_by_hand("FRANKFURT", 1, ERR_LIMIT);
	decode_by_hand("fra", 1, ERR_INVALID);
	decode_by_hand("FRA", 0, ERR_INVALID);
	decode_by_hand("FRA", TICKET_ADDRESSES_MAX + 1, ERR_LIMIT);
}

/* ---- The issuer's half ----------------------------------------------------------- */

static void issued_ticket_is_remembered(void **state)
{
	struct office o;
	struct ticket t = example(), other;
	struct ticket_stub stub;
	struct dice dice;

	office_open(&o, NULL, 1);
	office_found(&o, "SHA");
	dice = prng_dice(&o.prng);
	assert_int_equal(ticket_issue(o.replica, &t, false, &dice, NULL), OK);
	other = example();
	assert_int_equal(ticket_issue(o.replica, &other, false, &dice, NULL), OK);
	assert_memory_not_equal(t.secret, other.secret, TICKET_SECRET_BYTES);
	assert_memory_equal(t.org, replica_org(o.replica), ORG_ID_BYTES);
	assert_int_equal(ticket_stub_load(o.replica, t.id, &stub, NULL), OK);
	assert_memory_equal(stub.secret, t.secret, TICKET_SECRET_BYTES);
	assert_string_equal(stub.office_code, "FRA");
	assert_string_equal(stub.zone, "Europe/Berlin");
	assert_false(stub.is_used);
	t.id[0] ^= 1;
	assert_int_equal(ticket_stub_load(o.replica, t.id, &stub, NULL), ERR_NOT_FOUND);
	office_close(&o);
}

static void use_survives_a_restart(void **state)
{
	struct office o;
	struct ticket t = example();
	struct ticket_stub stub;
	struct dice dice;

	office_open(&o, NULL, 1);
	office_found(&o, "SHA");
	dice = prng_dice(&o.prng);
	OFFICE_MUST(ticket_issue(o.replica, &t, true, &dice, &msg));
	OFFICE_MUST(ticket_stub_load(o.replica, t.id, &stub, &msg));
	stub.is_used = true;
	stub.is_taken_back = true;
	stub.tries = 7;
	stub.wrong_tries = 3;
	memset(stub.used_by, 9, NOISE_KEY_BYTES);
	OFFICE_MUST(ticket_stub_store(o.replica, &stub, &msg));
	memset(&stub, 0, sizeof(stub));
	OFFICE_MUST(ticket_stub_load(o.replica, t.id, &stub, &msg));
	assert_true(stub.is_used && stub.tries == 7 && stub.used_by[31] == 9);
	assert_true(stub.is_admin && stub.is_taken_back && stub.wrong_tries == 3);
	office_close(&o);
}

static void damaged_memory_is_named(void **state)
{
	static const uint8_t id[TICKET_ID_BYTES];
	struct ticket_stub stub;
	struct errmsg why;
	struct office o;

	office_open(&o, NULL, 1);
	OFFICE_MUST(replica_setting_put(o.replica, "ticket:0000000000000000", "!!", &msg));
	assert_int_equal(ticket_stub_load(o.replica, id, &stub, &why), ERR_CORRUPT);
	assert_non_null(strstr(why.text, "ticket:0000000000000000"));
	office_close(&o);
}

static void ticket_holds_for_one_node_and_some_time(void **state)
{
	static const uint8_t key[NOISE_KEY_BYTES] = { 1 }, other[NOISE_KEY_BYTES] = { 2 };
	struct ticket_stub stub = { .expires_s = EXPIRES_S };
	uint64_t in_time = (uint64_t)EXPIRES_S * 1000 - 1, late = in_time + 1;

	assert_int_equal(ticket_stub_check(&stub, key, in_time, NULL), OK);
	assert_int_equal(ticket_stub_check(&stub, key, late, NULL), ERR_TIMEOUT);
	stub.is_used = true;
	memcpy(stub.used_by, key, sizeof(key));
	assert_int_equal(ticket_stub_check(&stub, other, in_time, NULL), ERR_EXISTS);
	assert_int_equal(ticket_stub_check(&stub, key, late, NULL), OK);
	stub.tries = TICKET_TRIES_MAX;
	assert_int_equal(ticket_stub_check(&stub, key, in_time, NULL), OK);
	stub.tries++;
	assert_int_not_equal(ticket_stub_check(&stub, key, in_time, NULL), OK);
}

static void ticket_burns(void **state)
{
	static const uint8_t key[NOISE_KEY_BYTES] = { 1 };
	struct ticket_stub stub = { .expires_s = EXPIRES_S };
	uint64_t in_time = (uint64_t)EXPIRES_S * 1000 - 1;

	stub.wrong_tries = TICKET_WRONG_MAX - 1;
	stub.tries = TICKET_TRIES_MAX;
	assert_int_equal(ticket_stub_state(&stub, in_time), TICKET_OPEN);
	assert_int_equal(ticket_stub_state(&stub, in_time + 1), TICKET_EXPIRED);
	stub.wrong_tries++;
	assert_int_equal(ticket_stub_state(&stub, in_time), TICKET_BURNED);
	assert_int_equal(ticket_stub_check(&stub, key, in_time, NULL), ERR_LIMIT);
	stub.wrong_tries = 0;
	stub.tries++;
	assert_int_equal(ticket_stub_state(&stub, in_time), TICKET_BURNED);
	assert_int_equal(ticket_stub_check(&stub, key, in_time, NULL), ERR_LIMIT);
	stub.is_taken_back = true;
	assert_int_equal(ticket_stub_state(&stub, in_time), TICKET_TAKEN_BACK);
	assert_int_equal(ticket_stub_check(&stub, key, in_time, NULL), ERR_INVALID);
}

struct seen {
	uint8_t last[TICKET_ID_BYTES];
	size_t count, stop_at;
};

static bool look(void *ctx, const struct ticket_stub *stub)
{
	struct seen *seen = ctx;

	assert_true(memcmp(stub->id, seen->last, TICKET_ID_BYTES) > 0);
	assert_string_equal(stub->office_code, "FRA");
	memcpy(seen->last, stub->id, TICKET_ID_BYTES);
	seen->count++;
	return seen->count != seen->stop_at;
}

static void all_tickets_are_listed_in_order(void **state)
{
	enum { MANY = 150 };
	struct seen seen = { .stop_at = 0 }, some = { .stop_at = 70 };
	struct office o;
	struct dice dice;

	office_open(&o, NULL, 1);
	office_found(&o, "SHA");
	dice = prng_dice(&o.prng);
	for (int i = 0; i < MANY; i++) {
		struct ticket t = example();

		OFFICE_MUST(ticket_issue(o.replica, &t, false, &dice, &msg));
	}
	OFFICE_MUST(replica_setting_put(o.replica, "ticker", "no ticket", &msg));
	OFFICE_MUST(replica_setting_put(o.replica, "tickets", "none either", &msg));
	OFFICE_MUST(ticket_stub_each(o.replica, look, &seen, &msg));
	assert_int_equal(seen.count, MANY);
	OFFICE_MUST(ticket_stub_each(o.replica, look, &some, &msg));
	assert_int_equal(some.count, 70);
	office_close(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_gives_back_what_was_encoded),
		cmocka_unit_test(blanks_around_the_line_are_ignored),
		cmocka_unit_test(line_that_is_not_whole_is_refused),
		cmocka_unit_test(line_that_is_none_is_refused_by_name),
		cmocka_unit_test(endless_line_is_refused),
		cmocka_unit_test(unusable_contents_are_refused_both_ways),
		cmocka_unit_test(contents_over_a_limit_are_refused),
		cmocka_unit_test(issued_ticket_is_remembered),
		cmocka_unit_test(use_survives_a_restart),
		cmocka_unit_test(damaged_memory_is_named),
		cmocka_unit_test(ticket_holds_for_one_node_and_some_time),
		cmocka_unit_test(ticket_burns),
		cmocka_unit_test(all_tickets_are_listed_in_order),
	};

	return cmocka_run_group_tests_name("sync/ticket", tests, NULL, NULL);
}
