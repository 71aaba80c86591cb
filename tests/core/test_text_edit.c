/* core/text_edit: its bytes, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "tests/core/typing.h"

static void edits_survive_their_encoding(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed_from_environment());
	for (int i = 0; i < 200; i++) {
		struct text_edit_builder b = { 0 };
		struct buf bytes = BUF_EMPTY;
		struct text_edit e, back = { 0 };
		uint32_t at = UINT32_MAX;

		text_edit_begin(&b, (uint32_t)prng_below(&prng, 1000));
		for (uint64_t keys = prng_below(&prng, 30); keys > 0; keys--)
			type(&prng, &b, &at);
		e = text_edit_built(&b);
		assert_int_equal(text_edit_validate(&e, NULL), OK);
		text_edit_encode(&bytes, &e);
		assert_int_equal(text_edit_decode(&back, buf_bytes(&bytes), &arena, NULL), OK);
		assert_int_equal(back.length, e.length);
		assert_int_equal(back.run_count, e.run_count);
		for (size_t k = 0; k < e.run_count; k++) {
			assert_int_equal(back.runs[k].pos, e.runs[k].pos);
			assert_int_equal(back.runs[k].count, e.runs[k].count);
			assert_int_equal(back.runs[k].step, e.runs[k].step);
		}
		arena_reset(&arena);
		buf_release(&bytes);
		text_edit_release(&b);
	}
	arena_release(&arena);
}

/* As they may lie on a disk: what comes from elsewhere is cut out of its changeset as one value. */
static void bytes_that_are_no_edit_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		enum err rc;
	} cases[] = {
		{ "\x93\x04\x04\x00", 4, OK },
		{ "\x93\x04\x04\x00\x00", 5, ERR_FORMAT }, /* and then something */
		{ "\x93\x04\x04", 3, ERR_FORMAT },
		{ "\x92\x04\x04\x00", 4, ERR_FORMAT }, /* half a run, and the other half */
		{ "\x94\x04\x04\x00\x04\x00", 6, ERR_FORMAT },
		{ "", 0, ERR_FORMAT },
	};
	struct arena arena = ARENA_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes input = bytes_of(cases[i].bytes, cases[i].size);
		struct text_edit e = { 0 };

		assert_int_equal(text_edit_decode(&e, input, &arena, NULL), cases[i].rc);
	}
	arena_release(&arena);
}

static void u_0000_in_an_edit_is_refused(void **state)
{
	struct text_run run = { 0, 3, TEXT_INSERT };
	struct text_edit e = { 0, &run, 1, bytes_of("x\0y", 3) };

	(void)state;
	assert_int_equal(text_edit_validate(&e, NULL), ERR_INVALID);
	e.text = bytes_of_str("x y");
	assert_int_equal(text_edit_validate(&e, NULL), OK);
}

static void edits_beyond_the_text_are_refused(void **state)
{
	static const struct {
		uint32_t length;
		struct text_run run;
		const char *text;
		enum err rc;
	} cases[] = {
		{ 3, { 3, 1, TEXT_INSERT }, "x", OK },
		{ 3, { 4, 1, TEXT_INSERT }, "x", ERR_INVALID },
		{ 3, { 3, 2, TEXT_INSERT }, "x", ERR_INVALID },
		{ 3, { 3, 1, TEXT_INSERT }, "xx", ERR_INVALID },
		{ 3, { 3, 1, TEXT_INSERT }, "\xff", ERR_INVALID },
		{ 3, { 0, 0, TEXT_INSERT }, "", ERR_INVALID },
		{ 3, { 0, 3, TEXT_DELETE }, "", OK },
		{ 3, { 1, 3, TEXT_DELETE }, "", ERR_INVALID },
		{ 3, { 3, 1, TEXT_DELETE }, "", ERR_INVALID },
		{ 3, { 0, UINT32_MAX, TEXT_DELETE }, "", ERR_INVALID },
		{ 3, { 2, 3, TEXT_BACKSPACE }, "", OK },
		{ 3, { 2, 1, TEXT_BACKSPACE }, "", ERR_INVALID },
		{ 3, { 3, 2, TEXT_BACKSPACE }, "", ERR_INVALID },
		{ 3, { 1, 3, TEXT_BACKSPACE }, "", ERR_INVALID },
		{ 3, { UINT32_MAX, UINT32_MAX, TEXT_BACKSPACE }, "", ERR_INVALID },
		{ 3, { 0, 1, TEXT_STEP_COUNT }, "", ERR_INVALID },
		{ TEXT_POINTS_MAX, { 0, 1, TEXT_INSERT }, "x", ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_edit e = { cases[i].length, &cases[i].run, 1,
				       bytes_of_str(cases[i].text) };

		assert_int_equal(text_edit_validate(&e, NULL), cases[i].rc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_survive_their_encoding),
		cmocka_unit_test(bytes_that_are_no_edit_are_refused),
		cmocka_unit_test(u_0000_in_an_edit_is_refused),
		cmocka_unit_test(edits_beyond_the_text_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
