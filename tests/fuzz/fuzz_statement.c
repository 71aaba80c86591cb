/* Statements of any bytes: what is accepted has one form, and can be verified. */
#include "core/statement.h"
#include "core/wire.h"
#include "tests/fuzz/target.h"

/* The content written again, and the signatures as they were, are the input. */
static void require_one_form(const struct statement *s, struct bytes input)
{
	struct wire_reader r = wire_reader_of(input);
	struct buf content = BUF_EMPTY, again = BUF_EMPTY;
	struct statement_id id;
	uint32_t signature_count;

	statement_put_content(&content, s);
	id = statement_id_of(buf_bytes(&content));
	require(statement_id_cmp(&id, &s->id) == 0);

	wire_array(&r, 2);
	wire_bin(&r, STATEMENT_BYTES_MAX);
	signature_count = wire_array(&r, SIGNERS_MAX);
	require(signature_count == s->signer_count);
	wire_put_array(&again, 2);
	wire_put_bin(&again, buf_bytes(&content));
	wire_put_array(&again, signature_count);
	for (uint32_t i = 0; i < signature_count; i++)
		wire_put_bin(&again, wire_bin(&r, SIGNATURE_BYTES));
	require(bytes_equal(buf_bytes(&again), input));
	buf_release(&content);
	buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);
	struct arena arena = ARENA_EMPTY;
	struct statement s = { .type = STATEMENT_TYPE_COUNT };
	struct errmsg why = { .text = "" };
	enum err rc = statement_decode(&s, input, &arena, &why);

	if (rc != OK) {
		require(s.type == STATEMENT_TYPE_COUNT && why.text[0]);
	} else {
		require_one_form(&s, input);
		rc = statement_verify(&s, input, &why);
		require(rc == OK || rc == ERR_SIGNATURE);
	}
	arena_release(&arena);
	return 0;
}
