/* core/statement: each statement comes back as it was written and has one form; ids and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/core/plain_statements.h"
#include "tests/support/document.h"

/* ---- Round trips ----------------------------------------------------------- */

static void examples_of_the_document_are_what_is_signed(void **state)
{
	struct buf block = document_block("statements"), made = BUF_EMPTY;
	struct record_id office;
	struct world w;

	world_open(&w);
	for (enum statement_type type = STATEMENT_GENESIS; type < STATEMENT_TYPE_COUNT; type++) {
		struct bytes encoded = encoded_of(&w, type);

		buf_append(&made, encoded.data, encoded.size);
		document_assert(&block, statement_type_name(type), &made);
	}
	buf_append(&made, w.a.identity.replica.bytes, ID_BYTES);
	document_assert(&block, "replica of A", &made);
	office = office_record(w.said.list[0]->id.bytes, "SHA");
	buf_append(&made, office.bytes, ID_BYTES);
	document_assert(&block, "office SHA", &made);
	world_close(&w);
	buf_release(&block);
	buf_release(&made);
}

static void what_is_decoded_has_one_form(void **state)
{
	struct world w;

	world_open(&w);
	for (size_t i = 0; i < w.said.count; i++) {
		const struct statement *s = w.said.list[i];
		struct wire_reader r = wire_reader_of(statements_encoded(s));
		struct buf content = BUF_EMPTY;
		struct statement_id id;

		statement_put_content(&content, s);
		wire_array(&r, 2);
		assert_true(bytes_equal(wire_bin(&r, STATEMENT_BYTES_MAX), buf_bytes(&content)));
		id = statement_id_of(buf_bytes(&content));
		assert_int_equal(statement_id_cmp(&id, &s->id), 0);
		assert_int_equal(s->type, i + 1);
		assert_int_equal(try_verify(statements_encoded(s)), OK);
		buf_release(&content);
	}
	world_close(&w);
}

static void decoding_tells_whose_replica_it_is(void **state)
{
	const struct statement *const *list;
	struct world w;

	world_open(&w);
	list = w.said.list;
	assert_int_equal(
		replica_id_cmp(&list[STATEMENT_GENESIS - 1]->u.genesis.node.identity.replica,
			       &w.a.identity.replica),
		0);
	assert_int_equal(replica_id_cmp(&list[STATEMENT_ADMIT - 1]->u.admit.identity.replica,
					&w.b.identity.replica),
			 0);
	assert_int_equal(replica_id_cmp(&list[STATEMENT_EPOCH - 1]->u.epoch.identity.replica,
					&w.a_next.identity.replica),
			 0);
	assert_int_equal(
		replica_id_cmp(&list[STATEMENT_FORK - 1]->u.fork.replica, &w.b.identity.replica),
		0);
	world_close(&w);
}

/* An epoch that doesn't close the ones before, and a closing one that leaves nothing. */
static void no_cuts_is_not_the_same_as_none_said(void **state)
{
	const struct statement *open, *closing;
	struct world w;

	world_open(&w);
	open = say_epoch(&w.said, BY(&w.a), AFTER_ALL, &w.a, EPOCH_RESTORED, NULL);
	closing = say_epoch(&w.said, BY(&w.a), AFTER_ALL, &w.a, EPOCH_RESTORED, &NO_CUTS);
	assert_false(open->u.epoch.is_closing);
	assert_true(closing->u.epoch.is_closing);
	assert_int_equal(closing->u.epoch.cut_count, 0);
	world_close(&w);
}

/* ---- Damage ---------------------------------------------------------------- */

static void statement_that_is_not_whole_is_refused(void **state)
{
	struct world w;

	world_open(&w);
	for (size_t i = 0; i < w.said.count; i++) {
		struct bytes encoded = statements_encoded(w.said.list[i]);
		struct buf longer = BUF_EMPTY;

		for (size_t size = 0; size < encoded.size; size++)
			assert_int_equal(try_decode(bytes_of(encoded.data, size)), ERR_FORMAT);
		buf_append(&longer, encoded.data, encoded.size);
		buf_append_byte(&longer, 0);
		assert_int_equal(try_decode(buf_bytes(&longer)), ERR_FORMAT);
		buf_release(&longer);
	}
	world_close(&w);
}

static void every_bit_is_signed_or_is_signature(void **state)
{
	struct world w;

	world_open(&w);
	for (size_t i = 0; i < w.said.count; i++) {
		struct bytes encoded = statements_encoded(w.said.list[i]);
		struct buf copy = BUF_EMPTY;

		buf_append(&copy, encoded.data, encoded.size);
		for (size_t bit = 0; bit < 8 * copy.size; bit++) {
			copy.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (try_verify(buf_bytes(&copy)) == OK)
				fail_msg("%s: bit %zu may be anything",
					 statement_type_name(w.said.list[i]->type), bit);
			copy.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		buf_release(&copy);
	}
	world_close(&w);
}

/* ---- Ids, names ------------------------------------------------------------ */

static void replica_follows_from_key_and_nonce(void **state)
{
	uint8_t parts[SIGN_PUBLIC_BYTES + ID_BYTES] = { 0 };
	struct replica_id id = epoch_replica(parts, parts + SIGN_PUBLIC_BYTES), other;

	for (size_t bit = 0; bit < 8 * sizeof(parts); bit++) {
		parts[bit / 8] ^= (uint8_t)(1 << bit % 8);
		other = epoch_replica(parts, parts + SIGN_PUBLIC_BYTES);
		assert_int_not_equal(replica_id_cmp(&id, &other), 0);
		parts[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	other = epoch_replica(parts, parts + SIGN_PUBLIC_BYTES);
	assert_int_equal(replica_id_cmp(&id, &other), 0);
}

static void office_is_its_code_in_its_organisation(void **state)
{
	const uint8_t org[ORG_ID_BYTES] = { 1 }, other_org[ORG_ID_BYTES] = { 2 };
	struct record_id id = office_record(org, "SHA"), again = office_record(org, "SHA");
	struct record_id other = office_record(other_org, "SHA"), next = office_record(org, "SHB");

	assert_int_equal(record_id_cmp(&id, &again), 0);
	assert_int_not_equal(record_id_cmp(&id, &other), 0);
	assert_int_not_equal(record_id_cmp(&id, &next), 0);
	for (char c = 'A'; c <= 'Z'; c++) {
		id = office_record(org, (const char[]){ c, c, '\0' });
		assert_int_equal(id.bytes[6] >> 4, 8); /* a UUIDv8 */
		assert_int_equal(id.bytes[8] >> 6, 2);
	}
}

static void office_codes_are_short_and_plain(void **state)
{
	static const struct {
		const char *code;
		bool is_valid;
	} cases[] = {
		{ "SHA", true },   { "A1", true },    { "12345678", true }, { "", false },
		{ "A", false },    { "sha", false },  { "SH A", false },    { "123456789", false },
		{ "上海", false }, { "SH-A", false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(office_code_is_valid(cases[i].code), cases[i].is_valid);
}

static void roles_have_names(void **state)
{
	for (enum role role = ROLE_NONE; role < ROLE_COUNT; role++)
		assert_int_equal(role_named(role_name(role)), role);
	assert_int_equal(role_named("owner"), ROLE_COUNT);
	assert_int_equal(role_named(""), ROLE_COUNT);
	assert_string_equal(role_name(ROLE_EDITOR), "editor");
	assert_string_equal(role_name(ROLE_COUNT), "unknown");
	assert_string_equal(statement_type_name(STATEMENT_REVOKE), "revoke");
	assert_string_equal(statement_type_name(STATEMENT_TYPE_COUNT), "unknown");
	assert_string_equal(statement_type_name((enum statement_type)0), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_document_are_what_is_signed),
		cmocka_unit_test(what_is_decoded_has_one_form),
		cmocka_unit_test(decoding_tells_whose_replica_it_is),
		cmocka_unit_test(no_cuts_is_not_the_same_as_none_said),
		cmocka_unit_test(statement_that_is_not_whole_is_refused),
		cmocka_unit_test(every_bit_is_signed_or_is_signature),
		cmocka_unit_test(replica_follows_from_key_and_nonce),
		cmocka_unit_test(office_is_its_code_in_its_organisation),
		cmocka_unit_test(office_codes_are_short_and_plain),
		cmocka_unit_test(roles_have_names),
	};

	return cmocka_run_group_tests(tests, sodium_ready, NULL);
}
