/* core/position: between any two positions there is another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/position.h"
#include "tests/support/prng.h"

static void assert_between(struct bytes before, struct bytes made, struct bytes after)
{
	assert_true(position_is_valid(made));
	if (before.size)
		assert_true(bytes_cmp(before, made) < 0);
	if (after.size)
		assert_true(bytes_cmp(made, after) < 0);
}

enum { LIST_MAX = 300 };

struct list {
	struct buf at[LIST_MAX];
	size_t count;
};

static struct bytes list_at(const struct list *l, size_t i)
{
	return i < l->count ? buf_bytes(&l->at[i]) : bytes_of(NULL, 0);
}

/* Insert before the i-th one; false when that gap is exhausted. */
static bool insert_at(struct list *l, size_t i, const struct dice *dice)
{
	struct bytes before = i ? list_at(l, i - 1) : bytes_of(NULL, 0), after = list_at(l, i);
	struct buf made = BUF_EMPTY;
	enum err rc = position_between(&made, before, after, dice);

	if (rc != OK) {
		assert_int_equal(rc, ERR_LIMIT);
		assert_int_equal(made.size, 0);
		buf_release(&made);
		return false;
	}
	assert_between(before, buf_bytes(&made), after);
	memmove(&l->at[i + 1], &l->at[i], (l->count - i) * sizeof(l->at[0]));
	l->at[i] = made;
	l->count++;
	return true;
}

static void clear(struct list *l)
{
	while (l->count)
		buf_release(&l->at[--l->count]);
}

static void random_insertions_keep_their_order(void **state)
{
	struct list *l = calloc(1, sizeof(*l));
	struct prng prng;
	struct dice dice = prng_dice(&prng);

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 20; round++) {
		while (l->count < LIST_MAX)
			assert_true(insert_at(l, prng_below(&prng, l->count + 1), &dice));
		for (size_t i = 1; i < l->count; i++)
			assert_true(bytes_cmp(list_at(l, i - 1), list_at(l, i)) < 0);
		clear(l);
	}
	free(l);
}

/* A list that is written from its beginning to its end, as lists mostly are. */
static void appending_goes_on_for_hundreds(void **state)
{
	struct list *l = calloc(1, sizeof(*l));
	struct prng prng;
	struct dice dice = prng_dice(&prng);

	prng_init(&prng, prng_seed_from_environment());
	while (l->count < LIST_MAX)
		assert_true(insert_at(l, l->count, &dice));
	clear(l);
	free(l);
}

/* Always at the same place: the gap ends some time, by name. */
static void exhausted_gap_is_a_limit_and_leaves_nothing(void **state)
{
	struct list *l = calloc(1, sizeof(*l));
	struct prng prng;
	struct dice dice = prng_dice(&prng);
	size_t made = 0;

	prng_init(&prng, prng_seed_from_environment());
	assert_true(insert_at(l, 0, &dice));
	for (; made < LIST_MAX - 2 && insert_at(l, 0, &dice); made++)
		;
	assert_true(made > 60);
	clear(l);
	free(l);
}

static void narrowest_gaps_have_room(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{ "a", "b" },         { "a", "a\1" },  { "a", "a\1\1" }, { "a\xff", "b" },
		{ "a\xff\xff", "b" }, { "", "\1" },    { "\xff", "" },   { "\xff\xff\xff", "" },
		{ "", "" },           { "az", "b\1" }, { "\1", "\2" },
	};
	struct prng prng;
	struct dice dice = prng_dice(&prng);

	prng_init(&prng, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes before = bytes_of_str(cases[i].before);
		struct bytes after = bytes_of_str(cases[i].after);

		for (int round = 0; round < 50; round++) {
			struct buf made = BUF_EMPTY;

			assert_int_equal(position_between(&made, before, after, &dice), OK);
			assert_between(before, buf_bytes(&made), after);
			buf_release(&made);
		}
	}
}

static void order_of_the_bounds_is_checked(void **state)
{
	struct prng prng;
	struct dice dice = prng_dice(&prng);
	struct buf made = BUF_EMPTY;

	prng_init(&prng, 1);
	assert_int_equal(position_between(&made, bytes_of_str("b"), bytes_of_str("a"), &dice),
			 ERR_INVALID);
	assert_int_equal(position_between(&made, bytes_of_str("a"), bytes_of_str("a"), &dice),
			 ERR_INVALID);
	/* Nothing is before a zero, and nothing valid ends in one. */
	assert_int_equal(position_between(&made, bytes_of(NULL, 0), bytes_of("\0", 1), &dice),
			 ERR_INVALID);
	assert_int_equal(position_between(&made, bytes_of("a", 1), bytes_of("a\0", 2), &dice),
			 ERR_INVALID);
	assert_int_equal(made.size, 0);
	buf_release(&made);
}

static void valid_positions(void **state)
{
	uint8_t longest[POSITION_BYTES_MAX + 1];

	memset(longest, 'x', sizeof(longest));
	assert_true(position_is_valid(bytes_of_str("a")));
	assert_true(position_is_valid(bytes_of("\0a", 2)));
	assert_true(position_is_valid(bytes_of(longest, POSITION_BYTES_MAX)));
	assert_false(position_is_valid(bytes_of(longest, POSITION_BYTES_MAX + 1)));
	assert_false(position_is_valid(bytes_of("", 0)));
	assert_false(position_is_valid(bytes_of("a\0", 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_insertions_keep_their_order),
		cmocka_unit_test(appending_goes_on_for_hundreds),
		cmocka_unit_test(exhausted_gap_is_a_limit_and_leaves_nothing),
		cmocka_unit_test(narrowest_gaps_have_room),
		cmocka_unit_test(order_of_the_bounds_is_checked),
		cmocka_unit_test(valid_positions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
