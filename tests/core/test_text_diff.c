/* core/text_diff: against the longest common subsequence by the book. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/rope.h"
#include "core/text_diff.h"
#include "core/utf8.h"
#include "tests/support/prng.h"

/* How many code points are inserted and deleted. */
static size_t changed(const struct text_edit *e)
{
	size_t count = 0;

	for (size_t i = 0; i < e->run_count; i++)
		count += e->runs[i].count;
	return count;
}

/* The edit's runs, done to a text. */
static void apply(const struct text_edit *e, struct bytes from, struct buf *out)
{
	struct rope r = ROPE_EMPTY;
	struct bytes text = e->text;

	assert_int_equal(rope_insert(&r, 0, from), OK);
	for (size_t i = 0; i < e->run_count; i++) {
		const struct text_run *run = &e->runs[i];
		size_t size = 0;

		if (run->step != TEXT_INSERT) {
			rope_delete(&r,
				    run->step == TEXT_DELETE ? run->pos : run->pos + 1 - run->count,
				    run->count);
			continue;
		}
		for (uint32_t k = 0; k < run->count; k++)
			do
				size++;
			while (size < text.size && (text.data[size] & 0xc0) == 0x80);
		assert_int_equal(rope_insert(&r, run->pos, bytes_of(text.data, size)), OK);
		text = bytes_of(text.data + size, text.size - size);
	}
	assert_int_equal(text.size, 0);
	rope_read(&r, 0, rope_size(&r, ROPE_POINTS), out);
	rope_release(&r);
}

static size_t diff(struct bytes from, struct bytes to)
{
	struct text_edit_builder b = { 0 };
	struct buf result = BUF_EMPTY;
	struct text_edit e;
	size_t count;

	text_edit_begin(&b, (uint32_t)utf8_count(from));
	assert_int_equal(text_diff(from, to, &b), OK);
	e = text_edit_built(&b);
	assert_int_equal(text_edit_validate(&e, NULL), OK);
	apply(&e, from, &result);
	assert_int_equal(result.size, to.size);
	if (to.size)
		assert_memory_equal(result.data, to.data, to.size);
	count = changed(&e);
	buf_release(&result);
	text_edit_release(&b);
	return count;
}

static void draw(struct prng *prng, size_t count, struct buf *out)
{
	static const char *const points[] = { "a", "b", "会", "😀" };

	for (size_t i = 0; i < count; i++)
		buf_append_str(out, points[prng_below(prng, 4)]);
}

enum { SHORT_MAX = 40 };

/* Both as arrays of code points, one character each. */
static size_t fewest_changes(struct bytes a, struct bytes b)
{
	size_t common[SHORT_MAX + 1][SHORT_MAX + 1] = { { 0 } };
	uint8_t x[SHORT_MAX], y[SHORT_MAX];
	size_t n = 0, m = 0;

	for (size_t i = 0; i < a.size; i++)
		if ((a.data[i] & 0xc0) != 0x80)
			x[n++] = a.data[i];
	for (size_t i = 0; i < b.size; i++)
		if ((b.data[i] & 0xc0) != 0x80)
			y[m++] = b.data[i];
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m; k++) {
			size_t left = common[i + 1][k], up = common[i][k + 1];

			common[i + 1][k + 1] = x[i] == y[k] ? common[i][k] + 1
					       : left > up  ? left
							    : up;
		}
	return n + m - 2 * common[n][m];
}

static void as_little_as_possible_is_changed(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed_from_environment());
	for (int i = 0; i < 5000; i++) {
		struct buf from = BUF_EMPTY, to = BUF_EMPTY;

		draw(&prng, prng_below(&prng, SHORT_MAX), &from);
		draw(&prng, prng_below(&prng, SHORT_MAX), &to);
		assert_int_equal(diff(buf_bytes(&from), buf_bytes(&to)),
				 fewest_changes(buf_bytes(&from), buf_bytes(&to)));
		buf_release(&from);
		buf_release(&to);
	}
}

static void texts_that_differ_throughout_are_compared_in_the_end(void **state)
{
	struct buf from = BUF_EMPTY, to = BUF_EMPTY;
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed_from_environment());
	draw(&prng, 20000, &from);
	draw(&prng, 15000, &to);
	assert_true(diff(buf_bytes(&from), buf_bytes(&to)) < 35000);
	assert_int_equal(diff(buf_bytes(&from), buf_bytes(&from)), 0);
	buf_release(&from);
	buf_release(&to);
}

static void edges(void **state)
{
	(void)state;
	assert_int_equal(diff(bytes_of_str(""), bytes_of_str("")), 0);
	assert_int_equal(diff(bytes_of_str(""), bytes_of_str("会议")), 2);
	assert_int_equal(diff(bytes_of_str("会议"), bytes_of_str("")), 2);
	assert_int_equal(diff(bytes_of_str("e\xcc\x81"), bytes_of_str("e")), 1);
	assert_int_equal(diff(bytes_of_str("同意"), bytes_of_str("不同意")), 1);
	assert_int_equal(diff(bytes_of_str("a\r\nb"), bytes_of_str("a\nb")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_little_as_possible_is_changed),
		cmocka_unit_test(texts_that_differ_throughout_are_compared_in_the_end),
		cmocka_unit_test(edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
