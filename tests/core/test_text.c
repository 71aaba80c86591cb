/* core/text: texts that several write at once. Stories of it at random: test_text_story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "tests/core/typing.h"

static void two_who_type_at_one_place_are_not_interleaved(void **state)
{
	struct text ann = TEXT_EMPTY, bob = TEXT_EMPTY;
	struct text_edit base, of_ann, of_bob;
	struct dot first = dot_of(1, 1);

	(void)state;
	type_at(&ann, 0, "()");
	commit(&ann, first, &base);
	take(&bob, first, &base, NULL, 0);
	type_at(&ann, 1, "one ");
	type_at(&ann, 5, "two");
	type_at(&bob, 1, "two"); /* backwards */
	type_at(&bob, 1, "one ");
	commit(&ann, dot_of(1, 2), &of_ann);
	commit(&bob, dot_of(2, 1), &of_bob);
	take(&ann, dot_of(2, 1), &of_bob, &first, 1);
	take(&bob, dot_of(1, 2), &of_ann, &first, 1);
	assert_reads(&ann, bytes_of_str("(one twoone two)"));
	assert_reads(&bob, bytes_of_str("(one twoone two)"));
	text_release(&ann);
	text_release(&bob);
}

/* One code point at a place, not merged yet. */
static void take_key(struct text *t, struct dot dot, uint32_t length, uint32_t pos, const char *key,
		     const struct dot *parents, size_t parent_count)
{
	struct text_run run = { pos, 1, TEXT_INSERT };
	struct text_edit e = { length, &run, 1, bytes_of_str(key) };

	assert_int_equal(text_take(t, &dot, &e, parents, parent_count), OK);
}

static void a_walk_begins_where_all_has_been_seen(void **state)
{
	const struct dot first = dot_of(1, 1), both[] = { dot_of(1, 2), dot_of(2, 1) },
			 seen = dot_of(1, 3);
	struct text t = TEXT_EMPTY;

	(void)state;
	take_key(&t, first, 0, 0, "a", NULL, 0);
	take_key(&t, both[0], 1, 0, "b", &first, 1);
	take_key(&t, both[1], 1, 1, "c", &first, 1);
	take_key(&t, seen, 3, 1, "d", both, 2);
	take_key(&t, dot_of(1, 4), 4, 0, "e", &seen, 1);
	take_key(&t, dot_of(2, 2), 4, 4, "f", &seen, 1);
	assert_int_equal(text_merge(&t, NULL), OK);
	assert_reads(&t, bytes_of_str("ebdacf"));
	assert_int_equal(t.walk.base, 4);
	/* Somebody was away all the while. */
	take_key(&t, dot_of(3, 1), 1, 1, "g", &first, 1);
	assert_int_equal(text_merge(&t, NULL), OK);
	assert_reads(&t, bytes_of_str("ebdacfg"));
	assert_int_equal(t.walk.base, 1);
	text_release(&t);
}

static void what_is_typed_goes_on_in_one_run(void **state)
{
	struct text t = TEXT_EMPTY;
	struct text_edit e;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		type_at(&t, i, "x");
	for (uint32_t i = 10; i-- > 5;)
		assert_int_equal(text_delete(&t, i, 1), OK);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(text_delete(&t, 1, 1), OK);
	commit(&t, dot_of(1, 1), &e);
	assert_int_equal(e.run_count, 3);
	assert_int_equal(e.runs[0].step, TEXT_INSERT);
	assert_int_equal(e.runs[1].step, TEXT_BACKSPACE);
	assert_int_equal(e.runs[2].step, TEXT_DELETE);
	assert_reads(&t, bytes_of_str("xx"));
	text_release(&t);
}

static void edit_that_misses_a_parent_loses_nothing(void **state)
{
	struct text t = TEXT_EMPTY;
	struct text_run runs[] = { { 9, 2, TEXT_DELETE }, { 9, 3, TEXT_INSERT } };
	struct text_edit e = { 12, runs, 2, bytes_of_str("new") }, base;
	struct dot parents[] = { dot_of(1, 1), dot_of(3, 7) };

	(void)state;
	type_at(&t, 0, "old");
	commit(&t, parents[0], &base);
	take(&t, dot_of(2, 1), &e, parents, 2);
	assert_reads(&t, bytes_of_str("oldnew"));
	text_release(&t);
}

/* What the history has noted of them moves while it grows. */
static void edit_after_many_at_once_has_seen_them_all(void **state)
{
	struct text_run run = { 0, 1, TEXT_INSERT };
	struct text_edit one = { 0, &run, 1, bytes_of_str("x") }, last;

	(void)state;
	for (uint8_t count = 1; count <= TEXT_READERS_MAX; count++) {
		struct text t = TEXT_EMPTY;
		const struct text_node *n;

		for (uint8_t i = 0; i < count; i++)
			take(&t, dot_of(i, 1), &one, NULL, 0);
		type_at(&t, 0, "y");
		commit(&t, dot_of(count, 1), &last);
		n = &t.history.nodes[count];
		assert_int_equal(n->parent_count, count);
		for (uint32_t i = 0; i < count; i++)
			assert_int_equal(text_node_parents(&t.history, count)[i], i);
		text_release(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_who_type_at_one_place_are_not_interleaved),
		cmocka_unit_test(a_walk_begins_where_all_has_been_seen),
		cmocka_unit_test(what_is_typed_goes_on_in_one_run),
		cmocka_unit_test(edit_that_misses_a_parent_loses_nothing),
		cmocka_unit_test(edit_after_many_at_once_has_seen_them_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
