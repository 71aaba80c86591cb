/* proto/preamble: what opens a connection, and how a wrong one is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/preamble.h"

static const uint8_t our_org[ORG_ID_BYTES] = { 1, 2, 3 };
static const uint8_t other_org[ORG_ID_BYTES] = { 1, 2, 4 };

static enum err read_in_pieces(struct bytes stream, size_t piece_size, struct preamble *out,
			       size_t *left)
{
	struct preamble_reader r;
	bool is_whole = false;
	enum err rc = OK;

	preamble_reader_init(&r);
	while (stream.size && !is_whole && rc == OK) {
		size_t size = piece_size < stream.size ? piece_size : stream.size;
		struct bytes piece = bytes_of(stream.data, size);

		rc = preamble_read(&r, &piece, &is_whole, out);
		size -= piece.size;
		stream = bytes_of(stream.data + size, stream.size - size);
	}
	*left = stream.size;
	return rc;
}

static void preamble_comes_back_in_pieces_of_any_size(void **state)
{
	uint8_t stream[PREAMBLE_BYTES + 5] = { 0 };
	struct preamble sent;

	preamble_init(&sent, PREAMBLE_ENROL, our_org);
	preamble_encode(&sent, stream);
	for (size_t piece = 1; piece <= sizeof(stream); piece++) {
		struct preamble got = { 0 };
		size_t left;

		assert_int_equal(
			read_in_pieces(bytes_of(stream, sizeof(stream)), piece, &got, &left), OK);
		assert_int_equal(left, 5);
		assert_int_equal(got.purpose, PREAMBLE_ENROL);
		assert_int_equal(preamble_match(&sent, &got), OK);
	}
}

static void wrong_preamble_is_refused_at_its_first_wrong_byte(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		enum err expected;
	} cases[] = {
		{ 0, 'G', ERR_FORMAT },  /* HTTP */
		{ 0, 0x16, ERR_FORMAT }, /* TLS */
		{ 3, 1, ERR_FORMAT },    { 4, 0, ERR_VERSION }, { 4, 2, ERR_VERSION },
		{ 5, 0, ERR_FORMAT },    { 5, 3, ERR_FORMAT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t stream[PREAMBLE_BYTES];
		struct preamble p, got;
		size_t left;

		preamble_init(&p, PREAMBLE_SYNC, our_org);
		preamble_encode(&p, stream);
		stream[cases[i].at] = cases[i].byte;
		assert_int_equal(read_in_pieces(bytes_of(stream, sizeof(stream)), 1, &got, &left),
				 cases[i].expected);
		assert_int_equal(left, PREAMBLE_BYTES - cases[i].at - 1);
		assert_int_equal(read_in_pieces(bytes_of(stream, sizeof(stream)), 99, &got, &left),
				 cases[i].expected);
	}
}

static void other_organisation_or_purpose_does_not_match(void **state)
{
	struct preamble ours, theirs;

	preamble_init(&ours, PREAMBLE_SYNC, our_org);
	preamble_init(&theirs, PREAMBLE_SYNC, other_org);
	assert_int_equal(preamble_match(&ours, &theirs), ERR_ORG);
	preamble_init(&theirs, PREAMBLE_ENROL, our_org);
	assert_int_equal(preamble_match(&ours, &theirs), ERR_PROTOCOL);
}

static void prologue_is_the_preamble_and_the_whole_organisation_id(void **state)
{
	uint8_t encoded[PREAMBLE_BYTES], prologue[PROLOGUE_BYTES];
	struct preamble p;

	preamble_init(&p, PREAMBLE_SYNC, our_org);
	preamble_encode(&p, encoded);
	preamble_prologue(&p, our_org, prologue);
	assert_memory_equal(prologue, encoded, PREAMBLE_BYTES);
	assert_memory_equal(prologue + PREAMBLE_BYTES, our_org, ORG_ID_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preamble_comes_back_in_pieces_of_any_size),
		cmocka_unit_test(wrong_preamble_is_refused_at_its_first_wrong_byte),
		cmocka_unit_test(other_organisation_or_purpose_does_not_match),
		cmocka_unit_test(prologue_is_the_preamble_and_the_whole_organisation_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
