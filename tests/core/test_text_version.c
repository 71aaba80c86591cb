/* What versions of a text are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text_version.h"

#define ANN "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a"
#define BOB "1a1a1a1a2b2b2b2b2b2b2b2b2b2b2b2b"
#define CAT "3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c"

static struct dot dot_of(const char *replica, uint64_t seq)
{
	struct dot dot = { .seq = seq };

	assert_int_equal(hex_decode(dot.replica.bytes, ID_BYTES, replica), OK);
	return dot;
}

static void add(struct text_history *h, const char *replica, uint64_t seq, const uint32_t *parents,
		size_t count)
{
	struct dot dot = dot_of(replica, seq);
	struct text_edit nothing = { .length = 0 };

	assert_int_equal(text_history_add(h, &dot, &nothing, parents, count, false), OK);
}

/*  0: ANN/1 -- 1: BOB/1
 *          \-- 2: CAT/5
 *          \-- 3: ANN/7, and all that CAT has seen
 *          \-- 4: ANN/8 without 3; 5: with it */
static void begin(struct text_history *h)
{
	const uint32_t first = 0, cat = 2;

	*h = TEXT_HISTORY_EMPTY;
	add(h, ANN, 1, NULL, 0);
	add(h, BOB, 1, &first, 1);
	add(h, CAT, 5, &first, 1);
	add(h, ANN, 7, &cat, 1);
	add(h, ANN, 8, &first, 1);
	assert_int_equal(h->count, 6);
	assert_true(h->nodes[5].is_join);
}

static void edits_are_found_by_the_beginning_of_their_names(void **state)
{
	static const struct {
		const char *name;
		enum err rc;
		uint32_t edit;
	} cases[] = {
		{ ANN "/1", OK, 0 },
		{ "1a1a1a1a1/1", OK, 0 },
		{ "1A1A1A1A2b/1", OK, 1 },
		{ "1a1a1a1a/1", ERR_AMBIGUOUS, 0 },
		{ "1a1a1a1a/7", OK, 3 },
		{ "1/8", OK, 5 },
		{ "3/5", OK, 2 },
		{ "3/05", OK, 2 },
		{ "3/1", ERR_NOT_FOUND, 0 },
		{ "3/0", ERR_NOT_FOUND, 0 },
		{ "3/", ERR_NOT_FOUND, 0 },
		{ "/5", ERR_NOT_FOUND, 0 },
		{ "3", ERR_NOT_FOUND, 0 },
		{ "", ERR_NOT_FOUND, 0 },
		{ "3/+5", ERR_NOT_FOUND, 0 },
		{ "3/5 ", ERR_NOT_FOUND, 0 },
		{ "3/18446744073709551621", ERR_NOT_FOUND, 0 }, /* 2^64 + 5 */
		{ CAT "0/5", ERR_NOT_FOUND, 0 },
		{ "g/5", ERR_NOT_FOUND, 0 },
	};
	struct text_history h;
	struct errmsg msg;
	uint32_t edit = 0;

	(void)state;
	begin(&h);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(text_edit_find(&h, bytes_of_str(cases[i].name), &edit, &msg),
				 cases[i].rc);
		if (cases[i].rc == OK)
			assert_int_equal(edit, cases[i].edit);
	}
	text_history_release(&h);
}

static void assert_named(const struct text_history *h, uint32_t *heads, size_t count,
			 uint32_t length, const char *expected)
{
	struct text_version_heads v = { heads, count, length }, found;
	struct arena arena = ARENA_EMPTY;
	struct buf name = BUF_EMPTY, again = BUF_EMPTY;

	assert_int_equal(text_version_encode(h, &v, &name), OK);
	assert_true(bytes_equal(buf_bytes(&name), bytes_of_str(expected)));
	assert_int_equal(text_version_decode(h, buf_bytes(&name), &arena, &found, NULL), OK);
	assert_int_equal(found.count, count);
	assert_int_equal(found.length, length);
	assert_int_equal(text_version_encode(h, &found, &again), OK);
	assert_true(bytes_equal(buf_bytes(&name), buf_bytes(&again)));
	buf_release(&name);
	buf_release(&again);
	arena_release(&arena);
}

static void equal_versions_have_equal_names(void **state)
{
	uint32_t one[] = { 1, 5 }, other[] = { 5, 1 }, alone = 4, joined = 5, plain = 3;
	struct text_history h;

	(void)state;
	begin(&h);
	assert_named(&h, NULL, 0, TEXT_NONE, "");
	assert_named(&h, &plain, 1, TEXT_NONE, ANN "/7");
	assert_named(&h, &plain, 1, 120, ANN "/7:120");
	assert_named(&h, &plain, 1, 0, ANN "/7:0");
	assert_named(&h, &joined, 1, TEXT_NONE, ANN "/8");
	assert_named(&h, &alone, 1, 7, ANN "/8~:7");
	assert_named(&h, one, 2, 9, ANN "/8," BOB "/1:9");
	assert_named(&h, other, 2, 9, ANN "/8," BOB "/1:9");
	text_history_release(&h);
}

static void bad_names_are_refused(void **state)
{
	static const char *const names[] = {
		",", "3/5,", ",3/5", "3/5,,3/5", "~", "3~/5", "3/5~~"
	};
	struct arena arena = ARENA_EMPTY;
	struct text_history h;
	struct text_version_heads v;

	(void)state;
	begin(&h);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(text_version_decode(&h, bytes_of_str(names[i]), &arena, &v, NULL),
				 ERR_NOT_FOUND);
	arena_release(&arena);
	text_history_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_are_found_by_the_beginning_of_their_names),
		cmocka_unit_test(equal_versions_have_equal_names),
		cmocka_unit_test(bad_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
